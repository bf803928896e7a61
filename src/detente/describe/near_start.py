"""The equilibrium near some choices, beside the one on the principal branch."""

from __future__ import annotations

from detente.analysis.near_start import NearStart
from detente.describe.blocks import Block, Described, Heading, Section, text
from detente.describe.forecast import describe_forecast, sentences
from detente.describe.tables import Row, Table, code
from detente.describe.words import unsolved, who
from detente.numbers import payoff, percent
from detente.simulation.first_moves import first_moves
from detente.solver.solution import Status

COLUMNS = "principal branch", "near the start"


def with_near(described: Described, result: NearStart, file: str) -> Described:
    """A forecast, with the equilibrium near the choices and in what it is another one."""
    status = {"near the choices given": result.near.solution.status}
    facts = {"file": file, "same": result.same, "difference": result.difference}
    near = facts | dict(describe_forecast(result.near).data)
    lost = described.unsolved + unsolved(status)
    return described.plus(_section(result), near=near)._replace(unsolved=lost)


def _section(result: NearStart) -> Section:
    title = "The equilibrium near the choices given"
    results = result.principal, result.near
    solution, scenario = result.near.solution, result.near.solution.game.scenario
    good = tuple(sentences(result.near))[: 2 + len(solution.notes)]
    if solution.status is not Status.SOLVED:
        return Section("near", title, (text("None was found.", *good),))
    if result.same:
        line = "It is the one above, on the principal branch."
        return Section("near", title, (text(line, *good),))
    line = (
        "It is another one than that above, which is on the principal branch: at some turn, state "
        f"and belief the share of an action differs by {percent(result.difference)}. Which of the "
        "two is played is a question of judgement, not of computation."
    )
    blocks: list[Block] = [text(line)]
    ends = [list(each.final.rows()) for each in results]
    rows: list[Row] = [
        (code(a["outcome"]), *(percent(r[name]) for name in ("happened", "holds") for r in (a, b)))
        for a, b in zip(*ends, strict=True)
    ]
    if rows:
        header = ("outcome", *COLUMNS, *(f"{name}, at the end" for name in COLUMNS))
        blocks.append(Table(header, tuple(rows), range(1, 5)))
    worth = [list(each.tables["payoffs"].rows()) for each in results]
    paid: list[Row] = [
        (who(scenario, a["actor"], a["type"]), *(payoff(r["payoff"], 1e-3) for r in (a, b)))
        for a, b in zip(*worth, strict=True)
    ]
    blocks.append(Table(("payoff of", *COLUMNS), tuple(paid), range(1, 3)))
    moves: list[Row] = [
        (
            who(scenario, a["actor"], a["type"]),
            a["action"],
            percent(a["share"]),
            percent(b["share"]),
        )
        for a, b in zip(*(first_moves(each).rows() for each in results), strict=True)
        if max(a["share"], b["share"]) > 0
    ]
    blocks += [
        Heading("Who does what first"),
        Table(("first move of", "action", *COLUMNS), tuple(moves), range(2, 4)),
        text(*good),
    ]
    return Section("near", title, tuple(blocks))
