"""A file on its way to a scenario: what has been read of it, and all that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from detente.errors import Diagnostic, Place, ScenarioError
from detente.scenario.formula.expression import Formula
from detente.scenario.formula.parse import parse
from detente.scenario.formula.types import Scope, Slot, usable
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.source import Source, Trail, in_order

ENTRIES = {
    "actors": "an actor",
    "chance": "an event of `chance`",
    "evidence": "an entry of `evidence`",
    "outcomes": "an entry of `outcomes`",
    "policies": "one of the `policies`",
    "state": "a variable of `state`",
    "terms": "an entry of `terms`",
}
"""What messages call an entry of a section."""

FREE = ("policies", "evidence")
"""Sections whose names need not be plain."""


@dataclass(slots=True)
class Draft:
    """The sections of one file, and what is wrong with it.

    builders
        By class, the builders of entities that have one of their own.
    raw
        By key of the file what was read: entries as dicts of what stands there, checked by shape,
        and None for those that are not as they should be; their names are known all the same.
    lost
        Sections that are missing or have the wrong shape, so that their names are not known.
    scope
        The names that formulas may use.
    """

    source: Source
    builders: Mapping[type, Callable[[Spot, Any], Any]] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    scope: Scope = field(default_factory=lambda: Scope({}, {}, {}))
    errors: list[Diagnostic] = field(default_factory=list)

    def spot(self, *trail: str | int) -> Spot:
        """The spot at the end of a trail."""
        return Spot(self, trail)

    def actions(self, actor: str) -> Mapping[str, Any]:
        """The actions of an actor."""
        actions: Mapping[str, Any] = self.raw["actions"].get(actor, {})
        return actions

    def lost_actions(self, actor: str) -> bool:
        """Whether there may be actions of an actor that are not known."""
        return bool(self.lost & {"actions", f"actions of {actor}"})

    def report(self, place: Place, code: str, message: str, hint: str = "") -> None:
        """Report a mistake at a place."""
        self.errors.append(Diagnostic(place, code, message, hint))

    def refuse(self) -> None:
        """Raise `ScenarioError` with all errors, if there are any.

        What the reader refused (an alias, a repeated key) is not an error a second time for not
        being what its place wants.
        """
        places = {problem.place for problem in self.source.problems}
        others = [problem for problem in self.errors if problem.place not in places]
        if self.source.problems or others:
            raise ScenarioError(in_order([*self.source.problems, *others]))


@dataclass(frozen=True, slots=True)
class Spot:
    """A spot in a file, reached by a trail of keys and list positions, and what to report there.

    Where a value is written in short, the trail goes on all the same: its places are those of the
    innermost part that is there.
    """

    draft: Draft
    trail: Trail

    def __truediv__(self, step: str | int) -> Spot:
        """One step further; '' is a single value that stands for a mapping."""
        return self if step == "" else Spot(self.draft, (*self.trail, step))

    @property
    def place(self) -> Place:
        """Where the value stands."""
        return self.draft.source.place(self.trail)

    @property
    def key(self) -> Place:
        """Where its key stands; for an item of a list, where the item stands."""
        return self.draft.source.key(self.trail)

    @property
    def name(self) -> str:
        """What to call it in a sentence."""
        *before, last = self.trail
        return f"item {last + 1} of `{before[-1]}`" if isinstance(last, int) else f"`{last}`"

    @property
    def up(self) -> Spot:
        """The spot around this one."""
        return Spot(self.draft, self.trail[:-1])

    @property
    def written(self) -> bool:
        """Whether anything stands there."""
        return self.trail in self.draft.source.places

    # ---- what is wrong

    def error(self, code: str, message: str, hint: str = "") -> None:
        """Report a mistake in the value."""
        self.draft.errors.append(Diagnostic(self.place, code, message, hint))

    def key_error(self, code: str, message: str, hint: str = "") -> None:
        """Report a mistake that is about the key, or the entry as such."""
        self.draft.errors.append(Diagnostic(self.key, code, message, hint))

    def empty(self) -> None:
        """Report that there is nothing, unless the reader refused what is there."""
        if self.place not in {problem.place for problem in self.draft.source.problems}:
            self.key_error("wrong-type", f"{self.name} is empty")

    # ---- names

    def known(self, name: str, section: str) -> bool:
        """Whether a section has an entry of the name that stands here; reported if it has not."""
        return self._known(self.place, name, section)

    def known_key(self, name: str, section: str) -> bool:
        """The same for a name that is the key here."""
        return self._known(self.key, name, section)

    def _known(self, place: Place, name: str, section: str) -> bool:
        entries = self.draft.raw[section]
        if name not in entries and section not in self.draft.lost:
            hint = did_you_mean(name, entries if section in FREE else usable(entries))
            message = f"`{name}` is not {ENTRIES[section]}"
            self.draft.errors.append(Diagnostic(place, "unknown-name", message, hint))
        return name in entries

    def repeated(self, names: Sequence[str]) -> None:
        """Report names that stand twice in the list that is here."""
        for position, name in enumerate(names):
            if name in names[:position]:
                (self / position).error("duplicate-name", f"`{name}` stands here twice")

    # ---- formulas

    def formula(self, value: Any, slot: Slot) -> Formula | None:
        """The formula here, or None after reporting what is wrong with it."""
        source, trail = self.draft.source, self.trail
        while trail and trail not in source.places:
            trail = trail[:-1]
        written = source.written.get(trail)
        formula = parse(
            value,
            self.place,
            self.draft.scope,
            slot,
            self.draft.errors,
            text=written.text if written else None,
            offset=written.offset if written else None,
        )
        if formula and formula.calendar and self.draft.scope.forever:
            names = listing(sorted(formula.calendar))
            message = f"play goes on forever, so that nothing may depend on {names}"
            hint = "let state variables say what time it is, or give a number of periods"
            self.error("forever", message, hint)
        return formula

    def reserve(self, word: str) -> None:
        """Report a parameter that is called like a word with a meaning of its own here."""
        if word in self.draft.raw["parameters"]:
            message = f"`{word}` has a meaning of its own here, and is the name of a parameter"
            self.error("reserved-name", message, "call the parameter something else")
