"""What survives our ignorance: the first section that an ensemble of worlds adds to a page."""

from __future__ import annotations

import math

import pandas as pd

from detente.ensembles.explore.metrics import PROBABILITY
from detente.ensembles.explore.wording import count, percent, probability
from detente.report.data import ReportData, named
from detente.report.numbers import share
from detente.report.parts import (
    Block,
    Cell,
    Details,
    Heading,
    Picture,
    Pictures,
    Points,
    Section,
    Table,
    Text,
)
from detente.report.results import LETTERS
from detente.report.words import clause, sentence, who
from detente.report.world_charts import Shares, Strip, changes, preferred, spread
from detente.report.world_decides import decided
from detente.report.world_words import interval, survives
from detente.report.worlds import Worlds

NARROW = "\N{NO-BREAK SPACE}"
"""Keeps the two numbers of a cell on one line."""


def sections(data: ReportData) -> list[Section]:
    """What survives, and what decides it; nothing without an ensemble."""
    told = data.worlds
    if told is None:
        return []
    blocks: list[Block] = [Points(survives(data, told))]
    if told.exploration.empty:
        return [Section("survives", "What survives our ignorance", tuple(blocks))]
    letters = _letters(told)
    blocks += [
        *_outcomes(data, told, letters),
        *_preferences(data, told, letters),
        *_regrets(data, told, letters),
        *_differences(data, told, letters),
        *_wish(told, letters),
        *_failures(told),
    ]
    found = [Section("survives", "What survives our ignorance", tuple(blocks))]
    decides = decided(data, told)
    return [*found, *([] if decides is None else [decides])]


def run_rows(told: Worlds) -> list[tuple[str | Cell, ...]]:
    """The record of the ensemble's run, for the page's own."""
    run = told.record
    done = told.exploration.done
    worlds = f"{done:,}" if done == run.draws else f"{done:,} of {run.draws:,}"
    rows: list[tuple[str | Cell, ...]] = [
        ("worlds of the ensemble", worlds),
        ("their draws", f"{run.sampling}, seed {run.seed}"),
        ("their policies", ", ".join(named(policy) for policy in run.policies)),
        ("their scenario's SHA-256", Cell(run.sha256, code=True)),
    ]
    if run.beliefs:
        rows.append(("their belief points", str(run.beliefs)))
        rows.append(
            ("solved once more, for the error", f"{run.checked} with {run.check_beliefs} points")
        )
    rows.append(("solved with", ", ".join(f"{k} {v}" for k, v in run.versions.items())))
    return rows


def _letters(told: Worlds) -> dict[str, str]:
    """The letters that the section on policies gives them: the one in force is A."""
    base = told.exploration.against
    order = [base, *(policy for policy in told.record.policies if policy != base)]
    return {policy: LETTERS[k % 26] for k, policy in enumerate(order)}


def _key(letters: dict[str, str]) -> str:
    """Which letter is which policy."""
    if len(letters) < 2:
        return ""
    return f" {'; '.join(f'{letter}: {named(policy)}' for policy, letter in letters.items())}."


def _outcomes(data: ReportData, told: Worlds, letters: dict[str, str]) -> list[Block]:
    table = told.exploration.distributions
    table = table[table["kind"] == PROBABILITY]
    if table.empty:
        return []
    items = []
    rows: list[tuple[str | Cell, ...]] = []
    for n, outcome in enumerate(dict.fromkeys(table["metric"])):
        mine = table[table["metric"] == outcome].set_index("policy").reindex(list(letters))
        heading = clause(data.scenario, str(outcome))
        strips = [_strip(letters[str(p)], r, share(float(r["p50"]))) for p, r in mine.iterrows()]
        strips = [s for s in strips if not math.isnan(s.p50)]
        if strips:
            drawn = spread(
                f"spread{n}", strips, title=f"Over the worlds, how likely it is that {heading}"
            )
            items.append(Picture(sentence(heading).rstrip("."), drawn))
        for policy, r in mine.iterrows():
            numbers = (r["p05"], r["p25"], r["p50"], r["p75"], r["p95"], r["mean"], r["present"])
            head = Cell(str(outcome), code=True)
            rows.append((head, letters[str(policy)], *(probability(float(v)) for v in numbers)))
    header = ("outcome", "policy", "5 %", "25 %", "middle", "75 %", "95 %", "mean", "present")
    last = max(told.record.times, default=0)
    by = data.scenario.calendar.label(last) if last else "the end"
    caption = (
        f"Probability by {by}. Thin line: nine worlds of ten (5 – 95 %). Thick: half of them "
        "(25 – 75 %). Upright: the middle, which is the number at the right. Ring: at the present "
        f"values. Scales differ.{_key(letters)}"
    )
    numbers_table = Table(
        "Probability over the worlds", header, tuple(rows), frozenset(range(2, 9))
    )
    return [
        Heading("What happens in these worlds"),
        Pictures(tuple(items), caption, numbers_table),
    ]


def _strip(name: str, r: pd.Series, text: str, present: float | None = None) -> Strip:
    ends = [float(r[p]) for p in ("p05", "p25", "p50", "p75", "p95")]
    now = float(r["present"]) if present is None else present
    return Strip(name, ends[0], ends[1], ends[2], ends[3], ends[4], now, text)


def _preferences(data: ReportData, told: Worlds, letters: dict[str, str]) -> list[Block]:
    table = told.exploration.preferences
    if table.empty or not table["draws"].max() > 0:
        return []
    bars = []
    rows: list[tuple[str | Cell, ...]] = []
    for (actor, kind), group in table.groupby(["actor", "type"], sort=False):
        mine = group.set_index("policy").reindex(list(letters))
        name = who(data.scenario, str(actor), str(kind))
        close = float(mine["close"].iloc[0])
        bars.append(Shares(name, tuple(float(s) for s in mine["share"]), close))
        cells = [
            Cell(f"{percent(r.share)} ({interval(r.low, r.high)})", bar=float(r.share))
            for r in mine.itertuples()
        ]
        rows.append((name, *cells, percent(close)))
    title = "Share of worlds in which each policy is the best, by actor and type"
    drawn = preferred("prefer0", list(letters.values()), bars, title=title)
    header = ("actor", *_heads(letters), "too close")
    caption = "Share of worlds in which the policy is best (where the share lies with 95 %)"
    left = int(table["left_out"].max())
    aside = f" Left out: {count(left, 'world')} that failed under a policy." if left else ""
    text = (
        f"Share of {count(int(table['draws'].max()), 'world')} in which each policy is the best "
        f"for the actor.{aside} ≈: too close to call, no policy is better than all others by more "
        f"than the error of the belief grid.{_key(letters)}"
    )
    numbers = Table(caption, header, tuple(rows), frozenset(range(1, len(header))))
    return [
        Heading("Who prefers what, world by world"),
        Pictures((Picture("Which policy is best", drawn),), text, numbers),
    ]


def _regrets(data: ReportData, told: Worlds, letters: dict[str, str]) -> list[Block]:
    table = told.exploration.regrets
    if table.empty:
        return []
    rows: list[tuple[str | Cell, ...]] = []
    for (actor, kind), group in table.groupby(["actor", "type"], sort=False):
        mine = group.set_index("policy").reindex(list(letters))
        cells = [
            f"{r.mean:.2f}{NARROW}/{NARROW}{r.largest:.2f}{NARROW + '★' if r.minimax else ''}"
            for r in mine.itertuples()
        ]
        rows.append((who(data.scenario, str(actor), str(kind)), *cells))
    header = ("actor", *_heads(letters))
    error = float(table["error"].max())
    caption = (
        "Mean / largest loss against the best policy of the same world; ★: the policy whose "
        "largest loss is the smallest"
    )
    return [
        Heading("What a wrong choice costs"),
        Table(caption, header, tuple(rows), frozenset(range(1, len(header)))),
        Text(
            (
                "In the unit of each actor's own payoff; never to be compared between actors. "
                f"The belief grid leaves up to {error:.1g}.",
            )
        ),
    ]


def _differences(data: ReportData, told: Worlds, letters: dict[str, str]) -> list[Block]:
    found = told.exploration
    if found.differences.empty:
        return []
    present = found.distributions.set_index(["metric", "policy"])["present"]
    items = []
    rows: list[tuple[str | Cell, ...]] = []
    base = letters[found.against]
    for n, (number, group) in enumerate(found.differences.groupby("metric", sort=False)):
        mine = group.set_index("policy").reindex([p for p in letters if p != found.against])
        chance = group["kind"].iloc[0] == PROBABILITY
        strips = []
        for policy, r in mine.iterrows():
            now = present[(number, policy)] - present[(number, found.against)]
            up = r["above"] >= r["below"]
            side = f"{'more' if up else 'less'} in {share(float(r['above' if up else 'below']))}"
            strips.append(_strip(letters[str(policy)], r, side, float(now)))
            tell = _change if chance else _signed
            name = str(number) if chance else _whose(data, str(number))
            rows.append(
                (
                    Cell(name, code=chance),
                    f"{letters[str(policy)]} – {base}",
                    *(tell(float(r[p])) for p in ("p05", "p50", "p95")),
                    *(percent(float(r[p])) for p in ("above", "below", "close")),
                )
            )
        strips = [s for s in strips if not math.isnan(s.p50)]
        if chance and strips:
            heading = clause(data.scenario, str(number))
            title = f"World by world, what policies change in how likely it is that {heading}"
            items.append(
                Picture(sentence(heading).rstrip("."), changes(f"change{n}", strips, title=title))
            )
    header = ("", "policies", "5 %", "middle", "95 %", "higher", "lower", "too close")
    caption = "The change in the same world; of probabilities in percentage points"
    numbers = Table(caption, header, tuple(rows), frozenset(range(2, 8)))
    text = (
        f"The difference from {base} in the same world, in percentage points; at the right, in "
        "which share of worlds it is more or less likely, beyond the error. Lines as above. "
        f"Scales differ.{_key(letters)}"
    )
    return [
        Heading(f"What each policy changes against {base}, world by world"),
        *([Pictures(tuple(items), text, numbers)] if items else [numbers]),
    ]


def _wish(told: Worlds, letters: dict[str, str]) -> list[Block]:
    found = told.exploration
    if not found.requirement:
        return []
    rows: list[tuple[str | Cell, ...]] = []
    for text, group in found.satisficing.groupby("clause", sort=False):
        mine = group.set_index("policy").reindex(list(letters))
        cells = [
            Cell(
                f"{percent(r.share)} ({interval(r.low, r.high)})",
                bar=None if math.isnan(r.share) else float(r.share),
            )
            for r in mine.itertuples()
        ]
        rows.append((str(text) or "the whole wish", *cells))
    header = ("", *_heads(letters))
    caption = "Share of worlds in which it is as wished (where the share lies with 95 %)"
    close = found.satisficing.loc[found.satisficing["clause"] == "", "close"].max()
    near = (
        f"In up to {percent(close)} of the worlds a number is so near to its level that the error "
        "of the belief grid could turn the answer.",
    )
    return [
        Heading(f"What is wished for: {found.requirement}"),
        Table(caption, header, tuple(rows), frozenset(range(1, len(header)))),
        *([Text(near)] if close > 0 else []),
    ]


def _failures(told: Worlds) -> list[Block]:
    table = told.exploration.left_out
    if table.empty:
        return []
    rows = tuple(
        (named(r.policy), Cell(r.status, code=True), f"{r.draws:,}", r.reason)
        for r in table.itertuples()
    )
    header = ("policy", "status", "worlds", "most frequent reason")
    return [Details("The worlds that were not solved", (Table("", header, rows, frozenset({2})),))]


def _heads(letters: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{letter} · {named(policy)}" for policy, letter in letters.items())


def _whose(data: ReportData, number: str) -> str:
    actor, _, kind = number.removeprefix("payoff:").partition("=")
    return f"payoff of {who(data.scenario, actor, kind)}"


def _change(value: float) -> str:
    return _plain(f"{100 * value:+.1f}")


def _signed(value: float) -> str:
    return _plain(f"{value:+.2f}")


def _plain(text: str) -> str:
    """Nothing has no sign, and what is missing is a dash."""
    if "nan" in text:
        return "–"
    return text if text.strip("+-0.") else text[1:]
