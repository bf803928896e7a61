"""`diff`: what differs between two scenarios, and what each difference does to the forecast.

The first scenario is solved with each difference alone, and the second, which has them all. What a
difference does alone is what it does to the first scenario; that these do not add up to what all
do together is their interplay. A difference that makes no scenario by itself (a payoff that reads
a parameter which only the second file has) is taken with those that it is linked to by a name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from detente.errors import ScenarioError, expect
from detente.game.compile import compile_game
from detente.game.periods import check_periods
from detente.scenario.differences import Difference, differences, linked, with_differences
from detente.scenario.frozen import Frozen
from detente.scenario.model import Scenario
from detente.scenario.policies import find_policy
from detente.simulation.forecast import Forecast, forecast, marginal
from detente.solver.options import DEFAULT_OPTIONS, SolveOptions
from detente.solver.solution import RESIDUAL_LIMIT, Status
from detente.solver.solve import solve

Group = tuple[str, ...]
"""Differences that are taken together, by their names."""


class Effect(NamedTuple):
    """What some differences do to an outcome: to the probability of its `kind`.

    taken
        Their names.
    kind
        `happened`: at some time by the end of what is reported; or `holds`: at that end.
    before, after, error
        The probability in the first scenario and with these differences, and by how much the
        computation may be wrong about how far they are apart (nan where that is not known).
    """

    taken: Group
    outcome: str
    kind: str
    before: float
    after: float
    error: float

    @property
    def change(self) -> float:
        """What is added to the probability."""
        return self.after - self.before

    @property
    def distinguishable(self) -> bool:
        """Whether it is larger than its error."""
        return abs(self.change) > self.error + 2 * RESIDUAL_LIMIT


@dataclass(frozen=True, eq=False)
class Diff:
    """Two scenarios, and what their differences do.

    differences
        All of them, in the order of the files.
    groups
        Those that a forecast can depend on, as they were taken: one by one, or together with those
        without which they make no scenario. Empty where nothing was solved.
    alone, together
        What each group does by itself, and what all do, to each outcome that both have.
    statuses
        How well each game was solved, by what it is called.
    """

    first: Scenario
    second: Scenario
    differences: tuple[Difference, ...]
    outcomes: tuple[str, ...]
    groups: tuple[Group, ...] = ()
    alone: tuple[Effect, ...] = ()
    together: tuple[Effect, ...] = ()
    statuses: Mapping[str, Status] = field(default_factory=Frozen)

    def __repr__(self) -> str:
        names = f"{self.first.name!r} and {self.second.name!r}"
        return f"<Diff of {names}: {len(self.differences)} differences>"


def diff(
    first: Scenario,
    second: Scenario,
    options: SolveOptions = DEFAULT_OPTIONS,
    *,
    policy: str | None = None,
    periods: int | None = None,
    words: bool = False,
) -> Diff:
    """What differs between two scenarios, and what it does to the forecast.

    Parameters
    ----------
    first, second
        As loaded; values that were changed since count as differences, too.
    options
        As in `solve`.
    policy
        Of both, instead of the ones that they name; '' for no terms at all.
    periods
        As that of `forecast`, for play without end.
    words
        Whether to say only what differs, and solve nothing.

    Raises
    ------
    ScenarioError
        For an unknown policy, and for mistakes that show when either is compiled.
    SolveError
        If a solve would need more memory than allowed.
    """
    for scenario in (first, second):
        expect(scenario, Scenario, "diff")
        find_policy(scenario, policy)
        check_periods(scenario, periods)
    found = differences(first, second)
    common = tuple(key for key in first.outcomes if key in second.outcomes)
    result = Diff(first, second, found, common)
    telling = [difference for difference in found if not difference.silent]
    if words or not telling or not common:
        return result
    taken = _taken(first, second, telling, policy)
    whole = tuple(difference.name for difference in telling)
    scenarios = {(): first, **taken, whole: second}
    forecasts: dict[Group, Forecast] = {}
    for done, (group, scenario) in enumerate(scenarios.items()):
        step = options.step(done / len(scenarios), (done + 1) / len(scenarios))
        solution = solve(compile_game(scenario, policy=policy), step, regret=False)
        there = forecast(solution, periods=periods, beliefs=False, threads=options.threads)
        forecasts[group] = there.light()
    effects = {
        group: tuple(_effects(group, forecasts[()], after, common))
        for group, after in forecasts.items()
    }
    called = {(): first.file, whole: second.file}
    return replace(
        result,
        groups=tuple(taken),
        alone=tuple(effect for group in taken for effect in effects[group]),
        together=effects[whole],
        statuses=Frozen(
            {
                called.get(group, f"{first.file} with {', '.join(group)}"): f.solution.status
                for group, f in forecasts.items()
            }
        ),
    )


def _taken(
    first: Scenario, second: Scenario, telling: Sequence[Difference], policy: str | None
) -> dict[Group, Scenario]:
    """The first scenario with each difference, alone or with those that it cannot be without."""
    names = [difference.name for difference in telling]

    def attempt(group: Collection[str]) -> Scenario | None:
        try:
            taken = (difference for difference in telling if difference.name in group)
            scenario = with_differences(first, second, taken)
            compile_game(scenario, policy=policy)
        except ScenarioError:
            return None
        return scenario

    alone = {name: attempt([name]) for name in names}
    groups: list[set[str]] = []
    for difference in telling:
        if alone[difference.name] is None:
            group = {d.name for d in telling if d is difference or linked(difference, d)}
            for other in [other for other in groups if other & group]:
                groups.remove(other)
                group |= other
            groups.append(group)
    # Where links by names do not do, all that is stuck goes together, or else everything.
    for plan in (groups, [set().union(*groups)]):
        made = {tuple(n for n in names if n in group): attempt(group) for group in plan if group}
        if all(made.values()):
            break
    else:
        return {tuple(names): second}
    inside = {name for group in made for name in group}
    made |= {(name,): scenario for name, scenario in alone.items() if name not in inside}
    order = sorted(made, key=lambda group: names.index(group[0]))
    return {group: scenario for group in order if (scenario := made[group]) is not None}


def _effects(
    taken: Group, before: Forecast, after: Forecast, outcomes: Sequence[str]
) -> Iterator[Effect]:
    """What differs between two forecasts about each outcome by the end of what they report."""
    last = [marginal(f.solution.game, f.tables["outcomes"]) for f in (before, after)]
    for outcome in outcomes:
        rows = [list(table.where(outcome=outcome).rows())[-1] for table in last]
        for kind, error in (("happened", "error"), ("holds", "holds_error")):
            value = float(rows[0][kind]), float(rows[1][kind])
            bound = float(rows[0][error] + rows[1][error])
            yield Effect(taken, outcome, kind, *value, bound)
