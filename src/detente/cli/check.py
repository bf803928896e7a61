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
        data = [scenario.data() for scenario in checked]
        errors = sum(scenario.errors for scenario in checked)
        files = [{"file": of.name, **problems} for of, problems in zip(checked, data, strict=True)]
        console.print_json(data[0] if len(data) == 1 else {"errors": errors, "files": files})
    else:
        for scenario in checked:
            scenario.print()
    if any(scenario.errors for scenario in checked):
        raise typer.Exit(2)


@dataclass(frozen=True)
class _Checked:
    """What was found in a scenario, and by form and policy how large its games are."""

    name: str
    diagnostics: tuple[Diagnostic, ...]
    forms: Mapping[str, Mapping[str, Size]]

    @property
    def errors(self) -> int:
        return sum(problem.severity is Severity.ERROR for problem in self.diagnostics)

    def data(self) -> dict[str, object]:
        problems = [console.diagnostic_data(problem) for problem in self.diagnostics]
        return {"errors": self.errors, "diagnostics": problems}

    def print(self) -> None:
        console.print_diagnostics(self.diagnostics, stderr=False)
        for form, sizes in self.forms.items():
            for policy, size in sizes.items():
                terms = f"policy {policy}" if policy else "no terms"
                where = f"{terms}, {form}" if form else terms
                console.say(f"{where}: up to {size.states:,} states at a turn, {size.turns} turns")
        warnings = _count(len(self.diagnostics) - self.errors, "warning")
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
