"""What builders of entries share: formulas, look-ups of names, and what formulas may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from detente.errors import Diagnostic, Place
from detente.scenario import model, schema
from detente.scenario.diagnostics import Diagnostics
from detente.scenario.formula.expression import Formula, conjunction
from detente.scenario.formula.parse import parse
from detente.scenario.formula.types import CONSTANT, PUBLIC_CONDITION, Scope, Slot, usable
from detente.scenario.frozen import Frozen
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.source import Trail
from detente.scenario.validate import RawScenario
from detente.scenario.values import unbounded


class Context:
    """The parts of one file and what is wrong with it; names are known in broken entries too."""

    def __init__(self, parts: RawScenario, scope: Scope, diagnostics: Diagnostics) -> None:
        self.parts = parts
        self.diagnostics = diagnostics
        self.scope = scope
        self.forever = scope.forever
        self.calendar = scope.calendar

    def formula(self, trail: Trail, value: Any, slot: Slot) -> Formula | None:
        """The formula at `trail`, or None after telling what is wrong with it."""
        formula = self._parsed(trail, value, slot)
        if formula and formula.calendar and self.forever:
            names = listing(sorted(formula.calendar))
            message = f"play goes on forever, so that nothing may depend on {names}"
            hint = "let state variables say what time it is, or give a number of periods"
            self.diagnostics.errors.append(Diagnostic(formula.place, "forever", message, hint))
        return formula

    def constant(self, trail: Trail, value: Any, word: str) -> Formula | None:
        """The constant formula at `trail`, where `word` may stand for one that is infinite."""
        if value != word:
            return self.formula(trail, value, CONSTANT)
        place = self.diagnostics.source.place(trail)
        if word in self.parts.parameters:
            message = f"`{word}` has a meaning of its own here, and is the name of a parameter"
            hint = "call the parameter something else"
            self.diagnostics.errors.append(Diagnostic(place, "reserved-name", message, hint))
        return unbounded(word, place)

    def _parsed(self, trail: Trail, value: Any, slot: Slot) -> Formula | None:
        source = self.diagnostics.source
        trail = tuple(step for step in trail if step != "")
        written = source.written.get(trail)
        return parse(
            value,
            source.place(trail),
            self.scope,
            slot,
            self.diagnostics.errors,
            text=written.text if written else None,
            offset=written.offset if written else None,
        )

    def formulas(
        self, trail: Trail, values: Mapping[str, Any], slot: Slot
    ) -> Mapping[str, Formula]:
        """Formulas by name; those with mistakes are left out."""
        found = {key: self.formula((*trail, key), value, slot) for key, value in values.items()}
        return Frozen({key: formula for key, formula in found.items() if formula})

    def given(self, trail: Trail, value: Any, slot: Slot) -> Formula | None:
        """The formula at `trail`, or None where there is nothing."""
        return None if value is None else self.formula(trail, value, slot)

    def together(self, trail: Trail, values: Sequence[Any]) -> Formula | None:
        """The condition that all of those at `trail` hold, or None where there are none."""
        listed = (*trail, 0) in self.diagnostics.source.places
        trails = [(*trail, at) if listed else trail for at in range(len(values))]
        rows = zip(trails, values, strict=True)
        parts = [self.formula(below, value, PUBLIC_CONDITION) for below, value in rows]
        sound = [part for part in parts if part]
        return conjunction(sound) if sound and len(sound) == len(parts) else None

    def known(self, trail: Trail, name: str, section: str, what: str) -> bool:
        """Whether a section has an entry of that name; told where it has not."""
        return self._known(self.diagnostics.source.place(trail), name, section, what)

    def _known(self, place: Place, name: str, section: str, what: str) -> bool:
        entries = getattr(self.parts, section)
        if name in entries or section in self.parts.lost:
            return name in entries
        free = section in ("policies", "evidence")  # whose names need not be plain
        hint = did_you_mean(name, entries if free else usable(entries))
        message = f"`{name}` is not {what}"
        self.diagnostics.errors.append(Diagnostic(place, "unknown-name", message, hint))
        return False

    def known_key(self, trail: Trail, name: str, section: str, what: str) -> bool:
        """The same for a name that is a key, which stands at `trail`."""
        return self._known(self.diagnostics.source.key(trail), name, section, what)

    def support(self, trail: Trail, part: schema.Supported) -> model.Support:
        """What stands behind the entry at `trail`."""
        for at, name in enumerate(part.evidence):
            self.known((*trail, "evidence", at), name, "evidence", "an entry of `evidence`")
        return model.Support(tuple(part.evidence), part.judgement)

    def idle(self, actor: str) -> bool:
        """Whether an actor is known to have no actions."""
        lost = self.parts.lost & {"actions", f"actions of {actor}"}
        return not lost and not self.parts.actions.get(actor)

    def repeated(self, trail: Trail, names: list[str]) -> None:
        """Tell names that stand twice in the list at `trail`."""
        for at, name in enumerate(names):
            if name in names[:at]:
                message = f"`{name}` stands here twice"
                self.diagnostics.error((*trail, at), "duplicate-name", message)
