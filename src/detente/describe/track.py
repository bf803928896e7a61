"""A record of observed moves: how surprising each was, what to believe, what comes next."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from detente import __version__
from detente.analysis.bayes_factor import BayesFactor
from detente.describe import observations
from detente.describe.blocks import Block, Described, Details, Heading, Section, text
from detente.describe.charts import OverTime, Picture, Pictures, Series, Steps
from detente.describe.observations import numbered, types_of
from detente.describe.tables import Row, Table, code
from detente.describe.words import (
    attributes,
    changed,
    clause,
    coded,
    grid_text,
    identity,
    in_force,
    together,
    unsolved,
)
from detente.numbers import count, interval, percent
from detente.scenario.entities import Actor
from detente.simulation.track import Track
from detente.text import capital, sentence


def describe_track(factor: BayesFactor | None, track: Track, *others: Track) -> Described:
    """What was observed, how well it was expected, what is believed, and the forecast from here.

    `factor` compares with the account of the record that is in `others`; None without one.
    """
    game = track.solution.game
    scenario = game.scenario
    sections: list[Section] = []
    if not track.moves.empty:
        title = "What was observed, and how likely it was held to be before"
        sections.append(Section("observed", title, tuple(observations.observed(track))))
        sections += [*observations.skipped(track), *observations.scores(track)]
        sections += _section("believed", "What to believe now", _beliefs(track))
    sections += _now(track)
    sections += _section("expected", "The forecast from here", _outcomes(track))
    sections += [*_path(track), _quality(track)]
    statuses = {"": track.solution.status}
    data = _data(track)
    if factor is not None:
        other = others[0]
        statuses["the other account"] = other.solution.status
        sections.append(_accounts(factor, track, other))
        data["bayes_factor"] = attributes(factor, "log words rows unlike")
    lead = (_span(track), changed(scenario))
    return Described(scenario.title, lead, tuple(sections), data, unsolved(statuses))


def observed(track: Track) -> Section:
    """For a page: what the moves have told, in one section."""
    dated = numbered(track.moves)
    rest = track.moves[track.moves["date"] == ""]
    blocks: list[Block] = [
        text(summary(track)),
        *_beliefs(track),
        Heading("What to expect from here"),
        *_outcomes(track),
        Heading("Move by move"),
        *observations.observed(track),
        Details("The moves as they were reported", (observations.reported(track, dated),)),
    ]
    if len(rest):
        title = (
            f"{count(len(rest), 'more observation')}: silence that means something, and readings"
        )
        blocks.append(Details(title, (observations.reported(track, rest),)))
    return Section("observed", "What the moves have told", tuple(blocks))


def summary(track: Track) -> str:
    """What the record covers and how well it was expected."""
    counts = track.moves["kind"].value_counts()
    number = int(counts.get("move", 0))
    last = track.solution.game.scenario.calendar.label(track.last)
    scores = track.scores
    more = scores["filter"] - scores["prior_only"]
    alike = scores["filter"] - scores["uniform"]
    line = (
        f"{count(number, 'observed move')}, to {last}. Together with telling silence they were "
        f"expected with a log score of {scores['filter']:.1f}: {abs(alike):.1f} "
        f"{'better' if alike > 0 else 'worse'} than by an observer to whom all actions are alike, "
        f"{abs(more):.1f} {'better' if more > 0 else 'worse'} than by the forecast of the start"
    )
    if skipped := int(counts.get("skipped", 0)):
        line += f". {count(skipped, 'line')} passed over as impossible in this model"
    return sentence(line)


def believed(track: Track) -> tuple[str, ...]:
    """For an answer: what the record makes one believe by now."""
    last = track.solution.game.scenario.calendar.label(track.last)
    lines = []
    for actor, kind in types_of(track):
        at = _belief(track, actor, kind)["probability"]
        now, before = percent(at.iloc[-1]), percent(at.iloc[0])
        lines.append(f"{actor.name} is {kind}: {now} after the moves to {last}, {before} before.")
    return tuple(lines) or (summary(track),)


def _section(key: str, title: str, blocks: Iterator[Block]) -> list[Section]:
    """A section, if there is something in it."""
    found = tuple(blocks)
    return [Section(key, title, found)] if found else []


def _belief(track: Track, actor: Actor, kind: str) -> pd.DataFrame:
    """Belief about a type after each observation."""
    table = track.beliefs
    return table[(table["about"] == actor.key) & (table["type"] == kind)].sort_values("step")


def _span(track: Track) -> str:
    record, game = track.record, track.solution.game
    calendar = game.scenario.calendar
    covers = f"{calendar.label(1)} to {calendar.label(track.last)}" if track.last else "no period"
    line = f"{record.file}: {covers}, {len(record.entries)} dated lines"
    if context := sum(not entry.used for entry in record.entries):
        line += f", {context} of them context"
    return f"{line}; {in_force(game.policy)}"


def _beliefs(track: Track) -> Iterator[Block]:
    rows: list[Row] = []
    actors = track.solution.game.scenario.actors
    for (about, kind), mine in track.periods.groupby(["about", "type"], sort=False):
        at = mine.set_index("t")
        first, now = at.loc[0], at.loc[track.last]
        name = f"{actors[str(about)].name} is {kind}"
        ends = interval(now["low"], now["high"])
        rows.append((name, percent(first["probability"]), percent(now["probability"]), ends))
    if not rows:
        return
    header = ("that", "at the start", "now", "what the public may believe (%)")
    items = []
    for (actor, kind), steps in zip(types_of(track), belief_steps(track), strict=True):
        items.append(steps)
        heading = steps.chart.title
        mine = track.periods
        mine = mine[(mine["about"] == actor.key) & (mine["type"] == kind)]
        mine = mine[mine["t"] <= max(track.last, 1)]
        band = Series("", tuple(mine["probability"]), tuple(mine["low"]), tuple(mine["high"]))
        lines: tuple[Series, ...] = (band,)
        if track.solution.game.changing:
            by_then = band._replace(name="then")
            lines = by_then, Series("seen from now", tuple(mine["smoothed"]))
        chart = OverTime(f"{heading}, period by period", tuple(mine["period"]), lines)
        items.append(Picture(chart, chart.title))
    caption = (
        "What the record makes one believe: observation by observation, with the numbers of the "
        "actor's own moves; and at the end of each period, where the band is what the public may "
        "believe, which has seen all moves (from 10 to 90 %)."
    )
    tables = [Table(header, tuple(rows), range(1, 4))]
    if track.solution.game.changing and track.last:
        caption += " Dashed: what is thought of that time now, given the whole record."
        tables.append(_later(track))
    yield Pictures(tuple(items), caption, tuple(tables))


def _later(track: Track) -> Table:
    """What was believed of types at each time, and what is thought of that time now."""
    types = types_of(track)
    at = track.periods.set_index(["t", "about", "type"])[["probability", "smoothed"]]
    labels = track.periods.drop_duplicates("t").set_index("t")["period"]
    rows = tuple(
        (
            labels[t],
            *(percent(p) for actor, kind in types for p in at.loc[(t, actor.key, kind)]),
        )
        for t in range(track.last + 1)
    )
    header = [name for actor, kind in types for name in (f"{actor.key} {kind}", "seen from now")]
    title = (
        "Types may change: what the record made one believe of a time then, and makes one think of "
        "it now"
    )
    return Table(("end of", *header), rows, range(1, len(header) + 1), title)


def _now(track: Track) -> Iterator[Section]:
    game = track.solution.game
    if not game.structure.variables or not track.last:
        return
    at = track.states[(track.states["step"] == 0) & (track.states["t"] == track.last)]
    rows: list[Row] = []
    for variable in game.structure.variables:
        mine = at[(at["variable"] == variable.key) & (at["probability"] >= 0.005)]
        mine = mine.sort_values("probability", ascending=False, kind="stable")
        levels = (f"{r.label} {percent(r.probability)}" for r in mine.itertuples())
        rows.append((variable.key, ", ".join(levels)))
    table = Table(("variable", "level"), tuple(rows))
    last = game.scenario.calendar.label(track.last)
    yield Section("now", f"Where things stand at the end of {last}", (table,))


def belief_steps(track: Track) -> Iterator[Picture]:
    """The belief about each type after each observation, with the numbers of its own moves."""
    numbers = numbered(track.moves).set_index("step")
    for actor, kind in types_of(track):
        at = _belief(track, actor, kind)
        own = numbers[numbers["actor"] == actor.key]["number"]
        marks = tuple(str(own[step]) if step in own.index else "" for step in at["step"])
        values = tuple(at["probability"])
        heading = f"Belief that {actor.name} is {kind}"
        ends = f"{percent(values[0])} at the start, {percent(values[-1])} now"
        yield Picture(Steps(heading, tuple(at["period"]), values, marks), f"{heading}: {ends}")


def _outcomes(track: Track) -> Iterator[Block]:
    game = track.solution.game
    scenario, calendar = game.scenario, game.scenario.calendar
    items: list[Picture] = []
    rows: list[Row] = []
    for key in game.holds:
        mine = track.outcomes[track.outcomes["outcome"] == key].sort_values("t")
        lines = (
            Series("now", tuple(mine["happened"])),
            Series("at the start", tuple(mine["before"])),
        )
        about = clause(scenario, key)
        title = f"Probability that {about}, after the record and as forecast at the start"
        chart = OverTime(title, tuple(mine["period"]), lines, mark=track.last)
        items.append(Picture(chart, capital(about)))
        at = mine.set_index("t")
        now, end = at.loc[track.last], at.loc[track.end]
        cells = [now["happened"], now["holds"]]
        cells += [end[name] for name in ("happened", "before", "holds", "held_before")]
        rows.append((code(key), *map(percent, cells), scenario.outcomes[key].about))
    if not rows:
        return
    last = calendar.label(track.last) if track.last else "the start"
    ends = (f"by {last}", "holds then", f"by {calendar.label(track.end)}", "as at start")
    table = Table(
        ("outcome", *ends, "holds at the end", "as at start", "meaning"),
        tuple(rows),
        range(1, 7),
        "Probability that it has come about at some time, and that it holds",
    )
    caption = (
        "Come about at some time. Solid: given the record, to the end of "
        f"{last} (the upright line), and from there on as a forecast. Dashed: as forecast at the "
        "start."
    )
    yield Pictures(tuple(items), caption, (table,))


def _path(track: Track) -> Iterator[Section]:
    game = track.solution.game
    keys = list(game.holds)
    if track.path is None or not keys:
        return
    wide = track.path.pivot(index="t", columns="outcome", values="happened")[keys]
    labels = track.path.drop_duplicates("t")["period"]
    rows = tuple(
        (str(label), *map(percent, row)) for label, row in zip(labels, wide.to_numpy(), strict=True)
    )
    header = ("given until", *(key.replace("_", " ") for key in keys))
    end = game.scenario.calendar.label(track.end)
    title = f"What was forecast for {end}, at the end of each period"
    yield Section("path", title, (Table(header, rows, range(1, len(header))),))


def _quality(track: Track) -> Section:
    lines = [sentence(track.solution.status.value)]
    if track.solution.game.informed:
        line = f"Belief grid {grid_text(track.solution)}"
        names = {"moves": "observations", "beliefs": "types", "outcomes": "outcomes"}
        parts = [f"{max(e, 1e-3):.1g} ({names[key]})" for key, e in track.errors.items()]
        if parts:
            line += f": probabilities are known to {together(parts)}"
        lines.append(f"{line}.")
    return Section("quality", "How good the answer is", (text(*lines),))


def _accounts(factor: BayesFactor, *tracks: Track) -> Section:
    """Which account expected the record better, and where they differ most."""
    accounts: list[Row] = []
    for number, track in zip(("first", "second"), tracks, strict=True):
        game = track.solution.game
        likelihood = f"{track.log_likelihood:.2f}"
        accounts.append((number, game.scenario.name, game.policy, likelihood))
    header: tuple[str, ...] = ("account", "scenario", "policy", "log likelihood")
    odds, better = factor.factor, "first"
    if factor.log < 0:
        odds, better = math.exp(min(-factor.log, 700.0)), "second"
    lines = [
        f"Bayes factor {odds:.3g} to 1 for the {better} (logarithm {factor.log:+.2f}): "
        f"{factor.words}, in the words of Kass and Raftery (1995)."
    ]
    if len(factor.unlike):
        left_out = "; ".join(
            f"line {r.line}, {r.period}, {r.actor or 'state'} {r.action} (possible for the "
            f"{r.used_by} only)"
            for r in factor.unlike.itertuples()
        )
        lines.append(f"Left out, as it was used by one of them only: {left_out}.")
    blocks: list[Block] = [Table(header, tuple(accounts), (3,)), text(*lines)]
    order = factor.rows["log_ratio"].abs().sort_values(ascending=False).index
    rows: list[Row] = [
        (
            *(r.period, r.actor or "state", code(r.action), percent(r.first), percent(r.second)),
            f"{r.log_ratio:+.2f}",
        )
        for r in factor.rows.reindex(order).head(5).itertuples()
        if abs(r.log_ratio) >= 0.005
    ]
    if rows:
        header = ("when", "who", "what", "first", "second", "log ratio")
        blocks.append(Table(header, tuple(rows), range(3, 6)))
    return Section("accounts", "Two accounts of the record", tuple(blocks))


def _data(track: Track) -> dict[str, Any]:
    """Everything for programs, the whole tables too."""
    solution = track.solution
    tables = "moves expected beliefs periods states outcomes"
    return {
        "scenario": identity(solution.game.scenario, policy=solution.game.policy),
        "record": attributes(track.record, "file") | {"last": track.last},
        "run": {
            "detente": __version__,
            "periods": track.end,
            "beliefs": solution.grid.points,
        },
        "status": coded(solution.status),
        **attributes(track, f"log_likelihood errors scores miscoded {tables}"),
        **({} if track.path is None else {"path": track.path}),
    }
