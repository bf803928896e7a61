"""The question and the answer in words: short sentences made from numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from detente.analysis.compare import Comparison
from detente.report.data import ReportData, named
from detente.report.numbers import more_or_less, points_of, share, within
from detente.scenario.model import Scenario
from detente.simulation.forecast import overall
from detente.simulation.wording import outcome_error, span
from detente.solver.solution import Status

Point = tuple[str, tuple[str, ...]]
"""What leads a statement in, and its sentences."""

LIKELY, UNLIKELY = 2 / 3, 1 / 3
"""Where an outcome begins to be called likely, and ceases to be called open."""

FEW = 3
"""Policies, assumptions and the like that the answer names; the sections have all of them."""


def question(data: ReportData) -> str:
    """What the page answers."""
    calendar = data.scenario.calendar
    periods = data.forecast.periods
    unit = f"{calendar.unit}{'' if periods == 1 else 's'}"
    since = f" from {calendar.label(1)}" if calendar.start else ""
    time = "" if data.game.loop is None else "first "
    asked = f"What will happen in the {time}{periods} {unit}{since}"
    if data.game.policy:
        asked += f" under the policy “{data.game.policy}”"
    if data.comparison is None:
        return f"{asked}?"
    others = len(data.comparison.forecasts) - 1
    many = f"{others} other policies" if others > 1 else "another policy"
    return f"{asked}, and what would {many} change?"


def answer(data: ReportData, *, extra: Sequence[Point] = ()) -> tuple[Point, ...]:
    """The answer: what leads each statement in, and its sentences; `extra` before the last one."""
    points: list[Point] = []
    status = data.forecast.solution.status
    if status is not Status.SOLVED:
        points.append(("Caution", (sentence(f"{status.value}. Do not rely on what follows"),)))
    points += _outcomes(data)
    points += _first(data)
    if data.comparison is not None:
        points += _policies(data.scenario, data.comparison)
    points += _decides(data)
    points += extra
    points.append(("How sure", (_sure(data),)))
    return tuple(points)


def clause(scenario: Scenario, outcome: str) -> str:
    """What an outcome says, in the scenario's words."""
    return scenario.outcomes[outcome].about.rstrip(".") or outcome


def sentence(text: str) -> str:
    """With a capital letter and a full stop."""
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith(('.', '?')) else '.'}"


def who(scenario: Scenario, actor: str, kind: str) -> str:
    """An actor and its type."""
    name = scenario.actors[actor].name
    return f"{name} ({kind})" if kind else name


def about_parameters(scenario: Scenario) -> dict[str, str]:
    """By full name of a parameter, what it says and for which type."""
    return {
        name: f"{parameter.about or parameter.key}{f' ({kind})' if kind else ''}"
        for parameter in scenario.parameters.values()
        for name, kind in zip(parameter.names(), parameter.types or ("",), strict=True)
    }


def final(data: ReportData) -> pd.DataFrame:
    """The outcomes by the last period told, whatever the types are."""
    table = overall(data.game, data.forecast.outcomes)
    return table[table["t"] == data.forecast.periods]


def _outcomes(data: ReportData) -> list[Point]:
    last = final(data).sort_values("happened", ascending=False, kind="stable")
    told: dict[str, list[str]] = {"Likely": [], "Open": [], "Unlikely": []}
    for r in last.itertuples():
        word = "Likely" if r.happened >= LIKELY else "Open" if r.happened > UNLIKELY else "Unlikely"
        text = f"{clause(data.scenario, r.outcome)} ({share(r.happened)})"
        told[word].append(text)
    return [(word, (sentence("; ".join(texts)),)) for word, texts in told.items() if texts]


def _first(data: ReportData) -> list[Point]:
    """What each actor does at its first move, whatever its type."""
    actions = overall(data.game, data.forecast.actions).dropna(subset="share")
    if actions.empty:
        return []
    parts: dict[str, tuple[tuple[int, int], str]] = {}
    for actor, mine in actions.groupby("actor", sort=False):
        t, turn = mine[["t", "turn"]].iloc[0]
        first = mine[(mine["t"] == t) & (mine["turn"] == turn)]
        top = first.sort_values("share", ascending=False, kind="stable").head(2)
        top = top[top["share"] >= 0.1]
        moves = [f"{r.action} ({share(r.share)})" for r in top.itertuples()]
        name = data.scenario.actors[str(actor)].name
        parts[name] = (int(t), int(turn)), f"{name}: {' or '.join(moves)}"
    ordered = [text for _, text in sorted(parts.values(), key=lambda part: part[0])]
    return [("First moves", (sentence("; ".join(ordered)),))]


def _policies(scenario: Scenario, comparison: Comparison) -> list[Point]:
    """What each other policy changes most, beyond error; and who likes which best."""
    last = comparison.outcomes
    last = last[(last["t"] == last["t"].max()) & (last["policy"] != comparison.base)]
    known = last[last["distinguishable"].astype(bool)]
    texts = []
    largest = known["difference"].abs().groupby(known["policy"], sort=False).max()
    for policy in largest.sort_values(ascending=False, kind="stable").index[:FEW]:
        mine = known[known["policy"] == policy]
        top = mine.loc[mine["difference"].abs().sort_values(ascending=False, kind="stable").index]
        changes = [
            f"{clause(scenario, r.outcome)}, {more_or_less(r.difference)}"
            for r in top.head(2).itertuples()
        ]
        texts.append(sentence(f"Under “{named(str(policy))}”: {'; '.join(changes)}"))
    if not texts:
        return [("What policies change", ("No outcome by more than the error of computing it.",))]
    left = len(comparison.forecasts) - 1 - len(texts)
    if left > 0:
        texts.append(f"{left} more: see below.")
    return [
        ("What policies change", tuple(texts)),
        ("Who prefers what", (_preferred(comparison),)),
    ]


def _preferred(comparison: Comparison) -> str:
    """Under which policy each actor does best; types that agree are told together."""
    best: dict[str, dict[str, list[str]]] = {}
    for (actor, kind), mine in comparison.preferences.groupby(["actor", "type"], sort=False):
        tied = [named(policy) for policy in mine["policy"][mine["tied"].astype(bool)]]
        text = " or ".join(f"“{name}”" for name in tied)
        if len(tied) == len(mine):
            text = "all of them alike (the differences are within the error)"
        best.setdefault(text, {}).setdefault(str(actor), []).append(str(kind))
    parts = []
    for text, kinds in best.items():
        names = []
        for actor, mine in kinds.items():
            told = comparison.scenario.actors[actor]
            every = len(mine) == max(1, len(told.types))
            names.append(told.name if every else f"{told.name} ({' or '.join(mine)})")
        verb = "does" if len(names) == 1 else "do"
        parts.append(f"{_together(names)} {verb} best under {text}")
    return sentence("; ".join(parts))


def _together(names: list[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _decides(data: ReportData) -> list[Point]:
    if data.sensitivity is None:
        return []
    about = about_parameters(data.scenario)
    ranked = data.sensitivity.table.dropna(subset="swing")
    ranked = ranked[ranked["swing"].abs() >= 0.005]
    parts = [f"{about[r.parameter]} ({points_of(r.swing)})" for r in ranked.head(FEW).itertuples()]
    if not parts:
        return []
    asked = f"whether {clause(data.scenario, data.question)}"
    text = f"{asked} depends most on {'; '.join(parts)}"
    how = "In brackets: what going from the low to the high end of its range is worth."
    return [("What decides it", (sentence(text), how))]


def _sure(data: ReportData) -> str:
    error = outcome_error(data.forecast)
    if math.isnan(error):
        computed = "The probabilities are those of the model as solved"
    elif error < 5e-10:
        computed = "The probabilities are those of the model, to rounding"
    else:
        computed = f"The probabilities are computed to {within(error)} percentage points"
    return (
        f"{computed}. Whether the model is right is for its author to argue: "
        "each number it rests on is in the ledger, with a range and with evidence or a judgement."
    )


def covered(data: ReportData) -> str:
    """Which periods, under which policy."""
    policy = f"policy: {data.game.policy}" if data.game.policy else "no terms announced"
    return f"{span(data.forecast)}; {policy}"
