"""`sensitivity`: which assumptions a probability or a payoff hangs on, by exact derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from detente.analysis.query import Query, check_query, target_for
from detente.arguments import MOST_THREADS, whole
from detente.errors import expect
from detente.game.gradient import parameter_gradient
from detente.notebook import InNotebook
from detente.solver.gradient import game_gradient
from detente.solver.options import MEMORY_LIMIT
from detente.solver.solution import Solution
from detente.solver.workers import Progress, between


@dataclass(frozen=True, eq=False)
class Sensitivity(InNotebook):
    """Derivatives of one number by all parameters of the scenario.

    table
        `parameter, value, low, high, derivative, elasticity, swing, note, at_low, at_high, worth,
        shape`, ranked by |swing|.
        `elasticity` is the change of the number in per cent for one per cent of the parameter;
        `swing` is derivative times range, what the parameter's range is worth if the number went
        on as it does at the present values; both are missing where they have no meaning. `note`
        says where a derivative does not say all. `solve_ends` fills in `at_low, at_high, worth,
        shape`: the number at both ends of the range, solved there, and their difference; `shape` is
        'bends' where that is not what the slope promises, 'turns' where the number is highest or
        lowest between the ends, and else ''.
    about, kind
        What was differentiated, in words; 'probability' or 'payoff'.
    value
        The number itself.
    """

    solution: Solution
    about: str
    kind: str
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
    query: Query,
    *,
    happened: bool = True,
    threads: int | None = None,
    progress: Progress | None = None,
    memory_limit: int = MEMORY_LIMIT,
) -> Sensitivity:
    """Differentiate an outcome's probability, or an actor's payoff, by every parameter.

    One adjoint sweep with the implicit function theorem at each stage problem: its cost does not
    depend on the number of parameters. Parameters that decide which states there are count through
    payoffs and probabilities only.

    Parameters
    ----------
    solution
        As solved.
    query
        An outcome or an actor's payoff.
    happened
        Whether the outcome has held by the end of the period, or holds then.
    threads, progress, memory_limit
        As those of `SolveOptions`.

    Raises
    ------
    ScenarioError
        With everything that is wrong with the query.
    SolveError
        If derivatives would need more memory than allowed, even so that all that can be is in a
        file.
    """
    expect(solution, Solution, "sensitivity")
    whole("threads", threads, 1, MOST_THREADS)
    whole("memory_limit", memory_limit, 1)
    game = solution.game
    check_query(game, query)
    target, about = target_for(game, query, happened)
    solving = between(progress, 0.0, 0.75)
    value, numbers = game_gradient(
        solution, target, threads=threads, progress=solving, memory_limit=memory_limit
    )
    slopes = parameter_gradient(game, numbers, between(progress, 0.75, 1.0))
    rows = []
    for parameter in game.scenario.parameters.values():
        decides = parameter.key in game.structure.structural
        note = "decides which states there are" if decides else ""
        for name, at, limits in zip(
            parameter.names(), parameter.values, parameter.ranges, strict=True
        ):
            low, high = limits or (np.nan, np.nan)
            elasticity = slopes[name] * at / value if value else np.nan
            swing = slopes[name] * (high - low)
            rows.append((name, at, low, high, slopes[name], elasticity, swing, note))
    columns = "parameter value low high derivative elasticity swing note"
    table = pd.DataFrame(rows, columns=columns.split())
    table = table.assign(at_low=np.nan, at_high=np.nan, worth=np.nan, shape="")
    return Sensitivity(solution, about, query.kind, value, ranked(table))


def ranked(table: pd.DataFrame) -> pd.DataFrame:
    """The assumptions in order of what their range is worth, as solved where it was."""
    worth = table["worth"].fillna(table["swing"])
    order = table.assign(order=worth.abs().fillna(-1.0), size=table["derivative"].abs())
    order = order.sort_values(["order", "size"], ascending=False, kind="stable", ignore_index=True)
    return order[table.columns]
