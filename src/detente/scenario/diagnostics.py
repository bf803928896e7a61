"""Everything there is to tell about one file, by trail: the way to the value it is about."""

from __future__ import annotations

from dataclasses import dataclass, field

from detente.errors import Diagnostic, ScenarioError, Severity
from detente.scenario.source import Source, Trail, in_order


@dataclass(slots=True)
class Diagnostics:
    """Collects errors and warnings about a source."""

    source: Source
    errors: list[Diagnostic] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)

    def error(self, trail: Trail, code: str, message: str, hint: str = "") -> None:
        """Tell a mistake in the value at `trail`."""
        self.errors.append(Diagnostic(self.source.place(trail), code, message, hint))

    def key_error(self, trail: Trail, code: str, message: str, hint: str = "") -> None:
        """Tell a mistake that is about the key of the value at `trail`, or the entry as such."""
        self.errors.append(Diagnostic(self.source.key(trail), code, message, hint))

    def empty(self, trail: Trail, message: str) -> None:
        """Tell that there is nothing at `trail`, unless the reader refused what is there."""
        if self.source.place(trail) not in {problem.place for problem in self.source.problems}:
            self.key_error(trail, "wrong-type", message)

    def warn(self, trail: Trail, code: str, message: str, hint: str = "") -> None:
        """Tell something doubtful about the entry at `trail`."""
        place = self.source.key(trail)
        self.warnings.append(Diagnostic(place, code, message, hint, Severity.WARNING))

    def refuse(self) -> None:
        """Raise `ScenarioError` with all errors, if there are any.

        What the reader refused (an alias, a repeated key) is not an error a second time for not
        being what its place wants.
        """
        places = {problem.place for problem in self.source.problems}
        others = [problem for problem in self.errors if problem.place not in places]
        if self.source.problems or others:
            raise ScenarioError(in_order([*self.source.problems, *others]))
