"""`sensitivity`: which assumptions a probability or a payoff hangs on, by exact derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from detente.arguments import MOST_THREADS, whole
from detente.errors import expect
from detente.game.arrays import CompiledGame
from detente.game.gradient import parameter_gradient
from detente.scenario.notebook import InNotebook
from detente.simulation.forward import forever_periods
from detente.solver.backward import Progress
from detente.solver.gradient import Target, game_gradient
from detente.solver.solution import Solution


@dataclass(frozen=True, eq=False)
class Sensitivity(InNotebook):
    """Derivatives of one number by all parameters of the scenario.

    table
        `parameter, value, low, high, derivative, elasticity, swing, note`, ranked by |swing|.
        `elasticity` is the change of the number in per cent for one per cent of the parameter;
        `swing` is derivative times range, what the parameter's range is worth if the number went
        on as it does at the present values; both are missing where they have no meaning. `note`
        tells where a derivative cannot tell all.
    about
        What was differentiated, in words.
    value
        The number itself.
    """

    solution: Solution
    about: str
    value: float
    table: pd.DataFrame

    def __repr__(self) -> str:
        first = ", ".join(
            f"{r.parameter} {r.derivative:+.3g}" for r in self.table.head(3).itertuples()
        )
        return f"<Sensitivity of {self.about}, {self.value:.3g}: {first}, …>"

    def _main_table(self) -> pd.DataFrame:
        return self.table


def sensitivity(
    solution: Solution,
    *,
    outcome: str | None = None,
    payoff: str | None = None,
    period: int | None = None,
    happened: bool = True,
    types: Mapping[str, str] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Sensitivity:
    """Differentiate an outcome's probability, or an actor's payoff, by every parameter.

    One adjoint sweep with the implicit function theorem at each stage problem: its cost does not
    depend on the number of parameters. Parameters that decide which states there are count through
    payoffs and probabilities only.

    Parameters
    ----------
    solution
        As solved.
    outcome, payoff
        Name of an outcome, or of an actor: one of the two.
    period
        For an outcome: by the end of which period; the last one by default (of a game without
        end, one year or so: `detente.simulation.forward.forever_periods`).
    happened
        Whether the outcome has held by then, or holds then.
    types
        True types on which to condition, by actor; other actors' types are weighted by the prior.
    threads, progress
        As those of `solve`.

    Raises
    ------
    ValueError
        For names that the scenario does not have.
    """
    expect(solution, Solution, "sensitivity")
    whole("period", period, 0)
    whole("threads", threads, 1, MOST_THREADS)
    game = solution.game
    target, about = target_for(game, outcome, payoff, period, happened, types or {})
    value, numbers = game_gradient(solution, target, threads=threads, progress=progress)
    slopes = parameter_gradient(game, numbers)
    rows = []
    for parameter in game.scenario.parameters.values():
        decides = parameter.key in game.structure.structural
        entries = zip(parameter.names(), parameter.values, parameter.ranges, strict=True)
        for name, at, limits in entries:
            low, high = limits or (np.nan, np.nan)
            slope = slopes[name]
            rows.append(
                {
                    "parameter": name,
                    "value": at,
                    "low": low,
                    "high": high,
                    "derivative": slope,
                    "elasticity": slope * at / value if value else np.nan,
                    "swing": slope * (high - low),
                    "note": "decides which states there are" if decides else "",
                }
            )
    columns = ["parameter", "value", "low", "high", "derivative", "elasticity", "swing", "note"]
    table = pd.DataFrame(rows, columns=columns)
    order = table["swing"].abs().fillna(-1.0)
    ranked = table.assign(order=order, size=table["derivative"].abs())
    ranked = ranked.sort_values(["order", "size"], ascending=False, kind="stable")
    return Sensitivity(solution, about, value, ranked[columns].reset_index(drop=True))


def target_for(
    game: CompiledGame,
    outcome: str | None,
    payoff: str | None,
    period: int | None,
    happened: bool,
    types: Mapping[str, str],
) -> tuple[Target, str]:
    """What to differentiate, as numbers and in words."""
    actors = game.scenario.actors
    if (outcome is None) == (payoff is None):
        raise ValueError("give an outcome or an actor's payoff, one of the two")
    given = np.ones(len(game.profiles))
    by_prior = np.ones(len(actors), dtype=bool)
    for i, (key, actor) in enumerate(actors.items()):
        if key in types:
            if types[key] not in actor.types:
                raise ValueError(f"{key} has no type {types[key]!r}")
            by_prior[i] = False
            given *= game.profiles[:, i] == actor.types.index(types[key])
    if unknown := set(types) - set(actors):
        raise ValueError(f"there is no actor {sorted(unknown)[0]!r}")
    told = "".join(f", {key} being {kind}" for key, kind in types.items())
    if payoff is not None:
        if payoff not in actors:
            raise ValueError(f"there is no actor {payoff!r}")
        target = Target(given, by_prior, actor=list(actors).index(payoff))
        return target, f"the payoff of {payoff}{told}"
    if outcome is None or outcome not in game.holds:
        raise ValueError(f"there is no outcome {outcome!r}")
    last = game.periods if game.loop is None else forever_periods(game)
    at = last if period is None else period
    if at < 0 or (game.loop is None and at > last):
        raise ValueError(f"periods are 0 (the start) to {last}, not {at}")
    target = Target(given, by_prior, outcome=outcome, period=at, happened=happened)
    when = game.scenario.calendar.label(at) if at else "the start"
    verb = "has come about by" if happened else "holds in"
    return target, f"the probability that {outcome} {verb} {when}{told}"
