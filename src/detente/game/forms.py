"""Every form of a scenario, under every policy: what `detente check` looks at."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from detente.errors import Diagnostic, Place, Severity
from detente.game.compile import compile_policies
from detente.game.doubts import SOME_FORM, doubts
from detente.scenario.build import variants
from detente.scenario.build.checks import unsaid
from detente.scenario.fields import within
from detente.scenario.model import Scenario
from detente.scenario.rules import Event
from detente.scenario.source import read_text


class Size(NamedTuple):
    """How large a game is: states at its largest turn, and turns."""

    states: int
    turns: int


def compile_forms(
    scenario: Scenario,
) -> tuple[dict[str, dict[str, Size]], tuple[Diagnostic, ...]]:
    """The sizes of a scenario's games, and all that is found in them.

    Returns
    -------
    forms
        By form, '' for the file as it stands or `order = other` for each option that changes it
        (one at a time), the sizes by policy.
    found
        As of `compile_policies`. Mistakes in one form do not hide those in another. What is
        doubtful is reported where it is so in every form in which it stands in the file at all, or
        what `detente.game.doubts` finds in some form, as for a mistake.
    """
    source = read_text(scenario.text, scenario.file)
    forms: dict[str, dict[str, Size]] = {}
    diagnostics = list(unsaid(scenario, source))
    doubtful: Counter[Diagnostic] = Counter()
    standing: Counter[Place] = Counter()
    known: list[Diagnostic] = []
    for chosen in (None, *variants.all_chosen(source)):
        form = scenario.with_options(dict([chosen])) if chosen else scenario
        games, met = compile_policies(form)
        if games:
            met += tuple(doubts(list(games.values()), every=len(games) >= len(form.policies)))
        forms[" = ".join(chosen or ())] = {
            policy: Size(max(layer.states.size for layer in game.layers), len(game.layers))
            for policy, game in games.items()
        }
        errors = [d for d in met if d.severity is Severity.ERROR or d.code in SOME_FORM]
        known = known if chosen else errors
        diagnostics += variants.news(source, chosen, errors, known) if chosen else errors
        standing.update(_looked_at(form))
        doubtful.update(d for d in met if d not in errors)
    diagnostics += [
        d for d, times in doubtful.items() if times >= standing.get(d.place, len(forms))
    ]
    return forms, tuple(sorted(dict.fromkeys(diagnostics), key=lambda d: d.place))


def _looked_at(scenario: Scenario) -> set[Place]:
    """The places of what a game may find doubtful everywhere, where an entry stands in the file."""
    places = {outcome.when.place for outcome in scenario.outcomes.values()}
    places |= {event.place for event in within(scenario, Event)}
    for term in scenario.terms.values():
        places |= {term.place, *(event.place for event in term.events())}
    return places
