"""What survives the draws of an ensemble: what happens in them, who prefers what, what is lost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from detente.describe.blocks import Block, Described, Heading, Points, Section, text
from detente.describe.charts import Picture, Pictures, Stack, Stacks, Strip, Strips
from detente.describe.decisive import decisive, decisive_data
from detente.describe.survival import survival
from detente.describe.tables import Cell, Row, Table, code
from detente.describe.words import attributes, clause, letters, named, who
from detente.ensembles.explore.explore import Exploration
from detente.ensembles.explore.metrics import PROBABILITY
from detente.numbers import (
    count,
    fine_percent,
    payoff,
    percent,
    signed,
    with_interval,
)
from detente.scenario.model import Scenario
from detente.scenario.policies import policy_name
from detente.text import capital

QUANTILES = ("p05", "p25", "p50", "p75", "p95")

HOW = (
    "Thin line: nine draws of ten (5 – 95 %). Thick: half of them (25 – 75 %). Upright: the "
    "middle, which is the number at the right. Ring: at the present values. Scales differ."
)


def describe_exploration(result: Exploration, top: int, by: str = "") -> Described:
    """All of it, with the first `top` assumptions that decide; outcomes are those `by` a period."""
    record = result.manifest
    scenario = record.scenario()
    policies = count(len(record.policies), "policy", "policies")
    lead = f"{count(result.done, 'draw')}, each solved under {policies}; seed {record.seed}"
    tables = "distributions preferences regrets differences satisficing left_out"
    data = {
        "scenario": record.name,
        **attributes(record, "policies seed"),
        "draws": result.done,
        "requirement": result.requirement or None,
        "for": None if result.whose is None else result.whose.whose,
        **attributes(result, f"against complete {tables} notes"),
        **decisive_data(result),
    }
    return Described(scenario.title, (lead,), sections(result, top, by), data)


def sections(result: Exploration, top: int, by: str = "") -> tuple[Section, ...]:
    """What survives, and what decides it; outcomes are those `by` a period, the last one else."""
    record = result.manifest
    scenario = record.scenario()
    # The one that others are compared with is the first.
    order = sorted(record.policies, key=lambda policy: policy != result.against)
    draws = _Draws(result, scenario, letters(order), by)
    rows = tuple(
        (letter, named(policy, result.against if len(order) > 1 else None))
        for policy, letter in draws.short.items()
    )
    blocks: list[Block] = [Table(("", "policy"), rows), Points(survival(result))]
    if not result.empty:
        blocks += [
            *_outcomes(draws),
            *_preferences(draws),
            *_regrets(draws),
            *_differences(draws),
            *_requirement(draws),
        ]
    blocks += _failures(draws)
    survives = Section("survives", "What survives our ignorance", tuple(blocks))
    decides = () if result.empty else decisive(result, top)
    return (survives, *decides)


@dataclass(frozen=True)
class _Draws:
    """What the blocks are about, the short names of its policies, and by when outcomes come."""

    result: Exploration
    scenario: Scenario
    short: dict[str, str]
    by: str

    @property
    def numbers(self) -> tuple[str, ...]:
        return tuple(self.short.values())

    def ordered(self, group: pd.DataFrame) -> pd.DataFrame:
        """A row for each policy, in the order of their short names."""
        return group.set_index("policy").reindex(list(self.short))

    def key(self) -> str:
        """Which letter is which policy."""
        pairs = (f"{letter}: {policy_name(policy)}" for policy, letter in self.short.items())
        return f" {'; '.join(pairs)}." if len(self.short) > 1 else ""


def _outcomes(draws: _Draws) -> Iterator[Block]:
    table = draws.result.distributions
    table = table[table["kind"] == PROBABILITY]
    if table.empty:
        return
    items: list[Picture] = []
    rows: list[Row] = []
    for outcome, group in table.groupby("metric", sort=False):
        mine = draws.ordered(group)
        about = clause(draws.scenario, str(outcome))
        head = code(str(outcome))
        strips = []
        for policy, r in mine.iterrows():
            letter = draws.short[str(policy)]
            cells = (fine_percent(r[name]) for name in (*QUANTILES, "mean", "present"))
            rows.append((head, letter, *cells))
            head = Cell()
            strips.append(_strip(letter, r, float(r["present"]), percent(r["p50"])))
        items += _picture(strips, about, f"Over the draws, how likely it is that {about}")
    record = draws.result.manifest
    last = max(record.times, default=0)
    by = draws.by or (draws.scenario.calendar.label(last) if last else "the end")
    header = ("outcome", "", "5 %", "25 %", "middle", "75 %", "95 %", "mean", "present")
    caption = f"Probability by {by} over the draws, from 5 % to 95 % of them"
    yield Heading("What happens")
    numbers = Table(header, tuple(rows), range(2, 9), caption)
    yield Pictures(tuple(items), f"Probability by {by}. {HOW}{draws.key()}", (numbers,))
    yield text(
        "In one draw of twenty the probability is lower than the first number, in one of twenty "
        "higher than that under 95 %. Present: at the values of the file as it stands."
    )


def _strip(name: str, r: pd.Series, present: float, words: str) -> Strip:
    p05, p25, p50, p75, p95 = (float(r[q]) for q in QUANTILES)
    return Strip(name, p05, p25, p50, p75, p95, present, words)


def _picture(
    strips: Sequence[Strip], about: str, title: str, *, changes: bool = False
) -> Iterator[Picture]:
    """Of those strips whose numbers are known."""
    known = tuple(strip for strip in strips if not math.isnan(strip.p50))
    if known:
        yield Picture(Strips(title, known, changes), capital(about))


def _preferences(draws: _Draws) -> Iterator[Block]:
    table = draws.result.preferences
    if table.empty or not table["draws"].max() > 0:
        return
    stacks: list[Stack] = []
    rows: list[Row] = []
    for (actor, kind), group in table.groupby(["actor", "type"], sort=False):
        mine = draws.ordered(group)
        name, close = who(draws.scenario, str(actor), str(kind)), float(mine["close"].iloc[0])
        stacks.append(Stack(name, tuple(mine["share"]), close))
        rows.append((name, *_shares(mine), percent(close)))
    chart = Stacks(
        "Share of draws in which each policy is the best, by actor and type",
        draws.numbers,
        tuple(stacks),
    )
    header = ("actor", *draws.numbers, "too close")
    caption = "Share of draws in which it is the best"
    left = int(table["left_out"].max())
    aside = f" {count(left, 'draw')} with a policy that was not solved left out." if left else ""
    numbers = Table(header, tuple(rows), range(1, len(header)), caption)
    yield Heading("Who prefers which policy")
    caption = f"≈: too close to call.{draws.key()}"
    yield Pictures((Picture(chart, "Which policy is the best"),), caption, (numbers,))
    yield text(
        f"Of {count(int(table['draws'].max()), 'draw')}.{aside} In parentheses: where the share "
        "lies with 95 %, given that so many were drawn. Too close: no policy is better than "
        "all others by more than the discretisation error."
    )


def _shares(mine: pd.DataFrame) -> list[Cell]:
    """Shares of draws with their intervals, by policy."""
    return [
        Cell(with_interval(r.share, r.low, r.high), bar=None if math.isnan(r.share) else r.share)
        for r in mine.itertuples()
    ]


def _regrets(draws: _Draws) -> Iterator[Block]:
    table = draws.result.regrets
    if table.empty:
        return
    rows: list[Row] = []
    for (actor, kind), group in table.groupby(["actor", "type"], sort=False):
        head = who(draws.scenario, str(actor), str(kind))
        for policy, r in draws.ordered(group).iterrows():
            marks = [
                n for n, key in (("minimax", "minimax"), ("least mean", "least_mean")) if r[key]
            ]
            numbers = (payoff(r[key]) for key in ("mean", "p95", "largest"))
            draw = str(int(r["draw"])) if r["largest"] > 0 else ""
            rows.append((head, draws.short[str(policy)], *numbers, draw, ", ".join(marks)))
            head = ""
    header = ("actor", "", "mean", "95 %", "largest", "in draw", "")
    caption = "What is lost against the best policy of the same draw (regret)"
    yield Heading("What a wrong choice costs")
    yield Table(header, tuple(rows), range(2, 6), caption)
    yield text(
        "Minimax: the policy whose largest regret is the smallest. In the unit of each actor's own "
        "payoff; never to be compared between actors. The belief grid leaves up to "
        f"{table['error'].max():.1g}."
    )


def _differences(draws: _Draws) -> Iterator[Block]:
    result, base = draws.result, draws.result.against
    if result.differences.empty:
        return
    present = result.distributions.set_index(["metric", "policy"])["present"]
    items: list[Picture] = []
    rows: list[Row] = []
    for number, group in result.differences.groupby("metric", sort=False):
        mine = draws.ordered(group).drop(index=base)
        chance = group["kind"].iloc[0] == PROBABILITY
        head = code(str(number)) if chance else Cell(_whose(draws.scenario, str(number)))
        strips = []
        for policy, r in mine.iterrows():
            scale, digits = (100.0, 1) if chance else (1.0, 3)
            changes = (signed(scale * r[q], digits) for q in ("p05", "p50", "p95"))
            shares = (percent(r[key]) for key in ("above", "below", "close"))
            letter = draws.short[str(policy)]
            rows.append((head, letter, *changes, *shares))
            head = Cell()
            more = r["above"] >= r["below"]
            side = f"{'more' if more else 'less'} in {percent(r['above' if more else 'below'])}"
            now = present[(number, policy)] - present[(number, base)]
            strips.append(_strip(letter, r, float(now), side))
        if chance:
            about = clause(draws.scenario, str(number))
            title = f"Draw by draw, what policies change in how likely it is that {about}"
            items += _picture(strips, about, title, changes=True)
    header = ("", "", "5 %", "middle", "95 %", "higher", "lower", "too close")
    numbers = Table(header, tuple(rows), range(2, 8), "The change in the same draw")
    letter = draws.short[base]
    caption = (
        f"The difference from {letter} in the same draw, in percentage points; at the right, in "
        "which share of draws it is more or less likely, beyond the error. Lines as above. "
        f"Scales differ.{draws.key()}"
    )
    yield Heading(f"What a policy changes against {letter}")
    yield Pictures(tuple(items), caption, (numbers,)) if items else numbers
    yield text(
        "Of probabilities in points of 100. Higher, lower: in which share of draws, beyond the "
        "discretisation error."
    )


def _whose(scenario: Scenario, number: str) -> str:
    actor, _, kind = number.removeprefix("payoff:").partition("=")
    return f"payoff of {who(scenario, actor, kind)}"


def _requirement(draws: _Draws) -> Iterator[Block]:
    result = draws.result
    if not result.requirement:
        return
    rows: list[Row] = [
        (str(part) or "the whole requirement", *_shares(draws.ordered(group)))
        for part, group in result.satisficing.groupby("clause", sort=False)
    ]
    header = ("", *draws.numbers)
    caption = "Share of draws in which it is met"
    yield Heading(f"What is required ({result.requirement})")
    yield Table(header, tuple(rows), range(1, len(header)), caption)
    close = result.satisficing.loc[result.satisficing["clause"] == "", "close"].max()
    if close > 0:
        yield text(
            f"In up to {percent(close)} of the draws a number is so near to its level that the "
            "discretisation error could turn the answer."
        )


def _failures(draws: _Draws) -> Iterator[Block]:
    rows = tuple(
        (policy_name(r.policy), code(r.status), f"{r.draws:,}", r.reason)
        for r in draws.result.left_out.itertuples()
    )
    if rows:
        yield Heading("Draws that were not solved, and are in no number above")
        yield Table(("policy", "status", "draws", "most frequent reason"), rows, {2})
