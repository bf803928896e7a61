"""What survives the worlds of an ensemble: what happens in them, who prefers what, what is lost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from detente.describe.blocks import (
    Block,
    Cell,
    Described,
    Heading,
    Picture,
    Pictures,
    Points,
    Row,
    Section,
    Table,
    code,
    text,
)
from detente.describe.charts import Stack, Stacks, Strip, Strips
from detente.describe.decisive import decisive, decisive_data
from detente.describe.survival import survival
from detente.describe.words import clause, letters, named, who
from detente.ensembles.explore.explore import Exploration
from detente.ensembles.explore.source import PROBABILITY
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
    "Thin line: nine worlds of ten (5 – 95 %). Thick: half of them (25 – 75 %). Upright: the "
    "middle, which is the number at the right. Ring: at the present values. Scales differ."
)


def describe_exploration(result: Exploration, top: int, by: str = "") -> Described:
    """All of it, with the first `top` assumptions that decide; outcomes are those `by` a period."""
    record = result.record
    scenario = record.scenario()
    policies = count(len(record.policies), "policy", "policies")
    lead = f"{count(result.done, 'world')}, each solved under {policies}; seed {record.seed}"
    tables = ("distributions", "preferences", "regrets", "differences", "wishes", "left_out")
    return Described(
        title=scenario.title,
        lead=(lead,),
        sections=sections(result, top, by),
        data={
            "scenario": record.name,
            "policies": record.policies,
            "against": result.against,
            "worlds": result.done,
            "complete": result.complete,
            "seed": record.seed,
            "wish": result.wish or None,
            "for": None if result.whose is None else result.whose.whose,
            **{name: getattr(result, name) for name in tables},
            **decisive_data(result),
            "notes": result.notes,
        },
    )


def sections(result: Exploration, top: int, by: str = "") -> tuple[Section, ...]:
    """What survives, and what decides it; outcomes are those `by` a period, the last one else."""
    record = result.record
    scenario = record.scenario()
    # The one that others are compared with is the first.
    order = sorted(record.policies, key=lambda policy: policy != result.against)
    worlds = _Worlds(result, scenario, letters(order), by)
    rows = tuple(
        (letter, named(policy, result.against if len(order) > 1 else None))
        for policy, letter in worlds.short.items()
    )
    blocks: list[Block] = [Table(("", "policy"), rows), Points(survival(result))]
    if not result.empty:
        blocks += [
            *_outcomes(worlds),
            *_preferences(worlds),
            *_regrets(worlds),
            *_differences(worlds),
            *_wish(worlds),
        ]
    blocks += _failures(worlds)
    survives = Section("survives", "What survives our ignorance", tuple(blocks))
    decides = () if result.empty else decisive(result, top)
    return (survives, *decides)


@dataclass(frozen=True)
class _Worlds:
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


def _outcomes(worlds: _Worlds) -> Iterator[Block]:
    table = worlds.result.distributions
    table = table[table["kind"] == PROBABILITY]
    if table.empty:
        return
    items: list[Picture] = []
    rows: list[Row] = []
    for outcome, group in table.groupby("number", sort=False):
        mine = worlds.ordered(group)
        about = clause(worlds.scenario, str(outcome))
        head = code(str(outcome))
        strips = []
        for policy, r in mine.iterrows():
            letter = worlds.short[str(policy)]
            cells = (fine_percent(r[name]) for name in (*QUANTILES, "mean", "present"))
            rows.append((head, letter, *cells))
            head = Cell()
            strips.append(_strip(letter, r, float(r["present"]), percent(r["p50"])))
        items += _picture(strips, about, f"Over the worlds, how likely it is that {about}")
    record = worlds.result.record
    last = max(record.times, default=0)
    by = worlds.by or (worlds.scenario.calendar.label(last) if last else "the end")
    header = ("outcome", "", "5 %", "25 %", "middle", "75 %", "95 %", "mean", "present")
    caption = f"Probability by {by} over the worlds, from 5 % to 95 % of them"
    yield Heading("What happens")
    numbers = Table(header, tuple(rows), range(2, 9), caption)
    yield Pictures(tuple(items), f"Probability by {by}. {HOW}{worlds.key()}", (numbers,))
    yield text(
        "In one world of twenty the probability is lower than the first number, in one of twenty "
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


def _preferences(worlds: _Worlds) -> Iterator[Block]:
    table = worlds.result.preferences
    if table.empty or not table["worlds"].max() > 0:
        return
    stacks: list[Stack] = []
    rows: list[Row] = []
    for (actor, kind), group in table.groupby(["actor", "type"], sort=False):
        mine = worlds.ordered(group)
        name, close = who(worlds.scenario, str(actor), str(kind)), float(mine["close"].iloc[0])
        stacks.append(Stack(name, tuple(mine["share"]), close))
        rows.append((name, *_shares(mine), percent(close)))
    chart = Stacks(
        "Share of worlds in which each policy is the best, by actor and type",
        worlds.numbers,
        tuple(stacks),
    )
    header = ("actor", *worlds.numbers, "too close")
    caption = "Share of worlds in which it is the best"
    left = int(table["left_out"].max())
    aside = f" {count(left, 'world')} with a policy that was not solved left out." if left else ""
    numbers = Table(header, tuple(rows), range(1, len(header)), caption)
    yield Heading("Who prefers which policy")
    caption = f"≈: too close to call.{worlds.key()}"
    yield Pictures((Picture(chart, "Which policy is the best"),), caption, (numbers,))
    yield text(
        f"Of {count(int(table['worlds'].max()), 'world')}.{aside} In parentheses: where the share "
        "lies with 95 %, given that so many worlds were drawn. Too close: no policy is better than "
        "all others by more than the discretisation error."
    )


def _shares(mine: pd.DataFrame) -> list[Cell]:
    """Shares of worlds with their intervals, by policy."""
    return [
        Cell(with_interval(r.share, r.low, r.high), bar=None if math.isnan(r.share) else r.share)
        for r in mine.itertuples()
    ]


def _regrets(worlds: _Worlds) -> Iterator[Block]:
    table = worlds.result.regrets
    if table.empty:
        return
    rows: list[Row] = []
    for (actor, kind), group in table.groupby(["actor", "type"], sort=False):
        head = who(worlds.scenario, str(actor), str(kind))
        for policy, r in worlds.ordered(group).iterrows():
            marks = [
                n for n, key in (("minimax", "minimax"), ("least mean", "least_mean")) if r[key]
            ]
            numbers = (payoff(r[key]) for key in ("mean", "p95", "largest"))
            draw = str(int(r["draw"])) if r["largest"] > 0 else ""
            rows.append((head, worlds.short[str(policy)], *numbers, draw, ", ".join(marks)))
            head = ""
    header = ("actor", "", "mean", "95 %", "largest", "in world", "")
    caption = "What is lost against the best policy of the same world (regret)"
    yield Heading("What a wrong choice costs")
    yield Table(header, tuple(rows), range(2, 6), caption)
    yield text(
        "Minimax: the policy whose largest regret is the smallest. In the unit of each actor's own "
        "payoff; never to be compared between actors. The belief grid leaves up to "
        f"{table['error'].max():.1g}."
    )


def _differences(worlds: _Worlds) -> Iterator[Block]:
    result, base = worlds.result, worlds.result.against
    if result.differences.empty:
        return
    present = result.distributions.set_index(["number", "policy"])["present"]
    items: list[Picture] = []
    rows: list[Row] = []
    for number, group in result.differences.groupby("number", sort=False):
        mine = worlds.ordered(group).drop(index=base)
        chance = group["kind"].iloc[0] == PROBABILITY
        head = code(str(number)) if chance else Cell(_whose(worlds.scenario, str(number)))
        strips = []
        for policy, r in mine.iterrows():
            scale, digits = (100.0, 1) if chance else (1.0, 3)
            changes = (signed(scale * r[q], digits) for q in ("p05", "p50", "p95"))
            shares = (percent(r[key]) for key in ("above", "below", "close"))
            letter = worlds.short[str(policy)]
            rows.append((head, letter, *changes, *shares))
            head = Cell()
            more = r["above"] >= r["below"]
            side = f"{'more' if more else 'less'} in {percent(r['above' if more else 'below'])}"
            now = present[(number, policy)] - present[(number, base)]
            strips.append(_strip(letter, r, float(now), side))
        if chance:
            about = clause(worlds.scenario, str(number))
            title = f"World by world, what policies change in how likely it is that {about}"
            items += _picture(strips, about, title, changes=True)
    header = ("", "", "5 %", "middle", "95 %", "higher", "lower", "too close")
    numbers = Table(header, tuple(rows), range(2, 8), "The change in the same world")
    letter = worlds.short[base]
    caption = (
        f"The difference from {letter} in the same world, in percentage points; at the right, in "
        "which share of worlds it is more or less likely, beyond the error. Lines as above. "
        f"Scales differ.{worlds.key()}"
    )
    yield Heading(f"What a policy changes against {letter}")
    yield Pictures(tuple(items), caption, (numbers,)) if items else numbers
    yield text(
        "Of probabilities in points of 100. Higher, lower: in which share of worlds, beyond the "
        "discretisation error."
    )


def _whose(scenario: Scenario, number: str) -> str:
    actor, _, kind = number.removeprefix("payoff:").partition("=")
    return f"payoff of {who(scenario, actor, kind)}"


def _wish(worlds: _Worlds) -> Iterator[Block]:
    result = worlds.result
    if not result.wish:
        return
    rows: list[Row] = [
        (str(part) or "the whole wish", *_shares(worlds.ordered(group)))
        for part, group in result.wishes.groupby("clause", sort=False)
    ]
    header = ("", *worlds.numbers)
    caption = "Share of worlds in which it is as wished"
    yield Heading(f"What is wished for ({result.wish})")
    yield Table(header, tuple(rows), range(1, len(header)), caption)
    close = result.wishes.loc[result.wishes["clause"] == "", "close"].max()
    if close > 0:
        yield text(
            f"In up to {percent(close)} of the worlds a number is so near to its level that the "
            "discretisation error could turn the answer."
        )


def _failures(worlds: _Worlds) -> Iterator[Block]:
    rows = tuple(
        (policy_name(r.policy), code(r.status), f"{r.worlds:,}", r.reason)
        for r in worlds.result.left_out.itertuples()
    )
    if rows:
        yield Heading("Worlds that were not solved, and are in no number above")
        yield Table(("policy", "status", "worlds", "most frequent reason"), rows, {2})
