"""The rows of a run, one for each draw and policy, and what their columns are called.

====================  =============  ==========================================================
column                type           what it is
====================  =============  ==========================================================
``draw``              INTEGER        number of the draw; 0 has the present values
``policy``            VARCHAR        '' for no terms
``beliefs``           INTEGER        belief points of each informed actor; 0 without one
``status``            VARCHAR        SOLVED, or how the row failed; see below
``reason``            VARCHAR        why it failed; '' where it did not
``seconds``           DOUBLE         the time that the row took
``residual``          DOUBLE         largest |σ - logit(Q(σ))| that the certificate found
``set:NAME``          DOUBLE         what was drawn; VARCHAR for the option of a variant
``OUTCOME@T``         DOUBLE         probability that it has come about by the end of period T
``OUTCOME@T|I=TYPE``  DOUBLE         the same, given the type of one actor
``payoff:I``          DOUBLE         expected payoff at the start
``payoff:I=TYPE``     DOUBLE         the same where the actor has private types
====================  =============  ==========================================================

The last three are missing (NULL) in a row that failed. Its status is that of its solve
(`STAGE_FAILED`, …), or

- `INVALID`: the scenario is not well formed at these values (a `ScenarioError`);
- `REFUSED`: it could not be solved within limits (a `SolveError`);
- `FAULT`: anything else that was raised;
- `CRASHED`: the process that worked on it died, twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from detente.ensembles.design import Draw

PLAIN = {
    "draw": "INTEGER",
    "policy": "VARCHAR",
    "beliefs": "INTEGER",
    "status": "VARCHAR",
    "reason": "VARCHAR",
    "seconds": "DOUBLE",
    "residual": "DOUBLE",
}
"""The columns that every run has, with their types in DuckDB."""

SOLVED, CRASHED = "SOLVED", "CRASHED"
"""The status of a row that has results, and of one whose process died."""

Row = dict[str, object]
"""A row by column; what is missing from it, or no finite number, is NULL in the results."""

Key = tuple[int, int]
"""The number of a draw, and the belief points on which it is solved."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is solved at a time: a draw under all policies, on so many belief points."""

    draw: Draw
    beliefs: int

    @property
    def key(self) -> Key:
        return self.draw.number, self.beliefs

    def row(self, policy: str, status: str = "", reason: str = "") -> Row:
        """What is known of a row before it is solved, or where it is not."""
        inputs = {
            input_column(k): v for k, v in (*self.draw.values.items(), *self.draw.options.items())
        }
        head = {"draw": self.draw.number, "policy": policy, "beliefs": self.beliefs}
        return {**head, "status": status, "reason": reason, **inputs}


def key_of(rows: Sequence[Row]) -> Key:
    """Of which task the rows are."""
    ((draw, beliefs),) = {(row["draw"], row["beliefs"]) for row in rows}
    return int(draw), int(beliefs)  # type: ignore[call-overload]


def input_column(name: str) -> str:
    """What was drawn for a quantity: a parameter by its full name, or a variant."""
    return f"set:{name}"


def outcome_column(outcome: str, t: int, given: tuple[str, str] | None = None) -> str:
    """An outcome's probability by the end of period t; `given` is (actor, type)."""
    overall = f"{outcome}@{t}"
    return overall if given is None else f"{overall}|{given[0]}={given[1]}"


def payoff_column(actor: str, kind: str = "") -> str:
    """An actor's expected payoff; `kind` is its type, '' where nothing is private."""
    return f"payoff:{actor}={kind}" if kind else f"payoff:{actor}"


def result_columns(
    outcomes: Iterable[str], times: Sequence[int], actors: Mapping[str, Sequence[str]]
) -> list[str]:
    """The columns of results, in order. `actors` has the private types of each actor."""
    # An actor with a single type has a payoff of that type, but nothing that could be given.
    given = [(key, kind) for key, kinds in actors.items() if len(kinds) > 1 for kind in kinds]
    conditions: list[tuple[str, str] | None] = [None, *given]
    return [
        *(outcome_column(o, t, c) for c in conditions for o in outcomes for t in times),
        *(payoff_column(key, kind) for key, kinds in actors.items() for kind in kinds or ("",)),
    ]
