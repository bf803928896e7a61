"""`detente check`: what is wrong and what is doubtful about scenarios is the answer itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from detente.cli import console
from detente.cli.inputs import IN_WORDS, STDIN, Json, Sources, read_scenario
from detente.errors import Diagnostic, ScenarioError, Severity

if TYPE_CHECKING:
    from detente.game.forms import Size


def check(sources: Sources, as_json: Json = False) -> None:
    """Tell every mistake of scenarios, with its place.

    The states are enumerated under all policies, and with each option of the variants.
    """
    checked = [_checked(source) for source in sources]
    if as_json:
        data = [one.data() for one in checked]
        errors = sum(one.errors for one in checked)
        files = [{"file": one.name, **told} for one, told in zip(checked, data, strict=True)]
        console.print_json(data[0] if len(data) == 1 else {"errors": errors, "files": files})
    else:
        for one in checked:
            one.print()
    if any(one.errors for one in checked):
        raise typer.Exit(2)


@dataclass(frozen=True)
class _Checked:
    """What was found in a scenario, and by form and policy how large its games are."""

    name: str
    found: tuple[Diagnostic, ...]
    forms: Mapping[str, Mapping[str, Size]]

    @property
    def errors(self) -> int:
        return sum(one.severity is Severity.ERROR for one in self.found)

    def data(self) -> dict[str, object]:
        told = [console.diagnostic_data(one) for one in self.found]
        return {"errors": self.errors, "diagnostics": told}

    def print(self) -> None:
        console.print_diagnostics(self.found, stderr=False)
        for form, sizes in self.forms.items():
            for policy, size in sizes.items():
                terms = f"policy {policy}" if policy else "no terms"
                where = f"{terms}, {form}" if form else terms
                console.say(f"{where}: up to {size.states:,} states at a turn, {size.turns} turns")
        warnings = _count(len(self.found) - self.errors, "warning")
        console.say(f"{self.name}: {_count(self.errors, 'error')}, {warnings}")


def _checked(source: str) -> _Checked:
    from detente.game.forms import compile_forms

    name = IN_WORDS if source == STDIN else source
    try:
        scenario = read_scenario(source)
    except ScenarioError as error:
        return _Checked(name, error.diagnostics, {})
    forms, met = compile_forms(scenario)
    return _Checked(name, (*scenario.warnings, *met), forms)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
