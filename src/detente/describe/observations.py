"""The observations of a record: how surprising each was, and how well they were expected."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from detente.describe.blocks import Block, Section, text
from detente.describe.charts import Bars, Picture, Pictures
from detente.describe.tables import Row, Table, code
from detente.describe.words import spoken_of
from detente.numbers import percent
from detente.scenario.entities import Actor
from detente.simulation.track import Track

FORECASTERS = {
    "filter": "this model, learning from the record",
    "prior_only": "its forecast of the first day",
    "uniform": "all available actions alike",
}
"""Whose scores are told, best informed first."""

LEGEND = (
    "here: by this model, given all before. at start: by its forecast of the first day. uniform: "
    "all available actions alike. bits: surprise, 1 for a chance of a half, 2 for a quarter."
)


def types_of(track: Track) -> list[tuple[Actor, str]]:
    """The actors and types to write beliefs about."""
    game = track.solution.game
    actors = list(game.scenario.actors.values())
    return [(actors[i], kind) for i in game.informed for kind in spoken_of(actors[i])]


def numbered(moves: pd.DataFrame) -> pd.DataFrame:
    """The observations with a date, numbered from 1."""
    dated = moves[moves["date"] != ""]
    return dated.assign(number=range(1, len(dated) + 1))


def observed(track: Track) -> Iterator[Block]:
    types, dated = types_of(track), numbered(track.moves)
    beliefs = track.beliefs.set_index(["step", "about", "type"])["probability"]
    rows: list[Row] = []
    for r in dated.itertuples():
        after = (percent(beliefs[(r.step, actor.key, kind)]) for actor, kind in types)
        here, bits = percent(r.probability), f"{abs(r.surprise):.1f}"
        if r.kind == "skipped":
            here, bits = "impossible", ""
        chances = [here, percent(r.prior_only), percent(r.uniform), bits]
        if track.miscoded:
            chances.append(percent(r.as_recorded) if r.kind == "move" else "")
        rows.append((str(r.number), r.date, r.actor or "state", code(r.action), *chances, *after))
    names = [f"{actor.key} {kind}" for actor, kind in types]
    chance_names = ["here", "at start", "uniform", "bits", *["as recorded"] * (track.miscoded > 0)]
    header = ("", "date", "who", "what", *chance_names, *names)
    table = Table(header, tuple(rows), range(4, len(header)))
    yield Pictures((Picture(_surprise(dated), "Surprise in bits"),), _SURPRISE)
    yield table
    undated = track.moves[track.moves["date"] == ""]
    lines = []
    for kind, words in (
        ("silence", "Silence that means something"),
        ("reading", "Standing readings"),
    ):
        mine = undated[undated["kind"] == kind]
        if len(mine):
            times = {1: "once", 2: "twice"}.get(len(mine), f"{len(mine)} times")
            lines.append(f"{words}: {times}, {abs(mine['surprise'].sum()):.1f} bits together.")
    if track.miscoded:
        lines.append(
            f"Each recorded move may be another one, with {percent(track.miscoded)}. As recorded: "
            "how likely it is, after it, that it was what was done."
        )
    then = f" Then: the belief that it is {', that it is '.join(names)}." if names else ""
    yield text(*lines, LEGEND + then)


_SURPRISE = (
    "1 for a chance of a half, 2 for a quarter. Diamonds: by the forecast of the first day; lines: "
    "by an observer to whom all actions are alike."
)


def _surprise(dated: pd.DataFrame) -> Bars:
    bits = dated["surprise"].where(dated["kind"] != "skipped", 0.0).abs()
    with np.errstate(divide="ignore"):
        rivals = [-np.log2(dated[name].to_numpy(float)) for name in ("prior_only", "uniform")]
    known = [tuple(np.where(np.isfinite(v), v, np.nan)) for v in rivals]
    return Bars(
        "Surprise of each observation, in bits",
        tuple(f"{r.number}  {r.date} {r.actor or 'state'}: {r.action}" for r in dated.itertuples()),
        tuple(bits),
        tuple(
            "impossible" if kind == "skipped" else f"{b:.1f}"
            for kind, b in zip(dated["kind"], bits, strict=True)
        ),
        marks=(("by its forecast at the start", known[0]), ("if all alike", known[1])),
        share=False,
    )


def reported(track: Track, moves: pd.DataFrame) -> Table:
    """What was reported, and what it was taken for."""
    actors = track.solution.game.scenario.actors
    rows: list[Row] = []
    for r in moves.itertuples():
        name = actors[r.actor].name if r.actor in actors else "state of things"
        aside = f" ({r.reason})" if r.kind == "skipped" else ""
        what = f"{r.move or 'nothing reported'}{aside}"
        rows.append((r.date or r.period, name, what, code(r.action), percent(r.probability)))
    return Table(("when", "who", "what", "taken for", "expected"), tuple(rows), {4})


def skipped(track: Track) -> Iterator[Section]:
    lines = (
        f"line {r.line}, {r.period}, {r.actor or 'state'} {r.action}: {r.reason}"
        for r in track.skipped.itertuples()
    )
    if not track.skipped.empty:
        yield Section("skipped", "Passed over: what the model holds impossible", (text(*lines),))


def scores(track: Track) -> Iterator[Section]:
    number = int(track.moves["kind"].isin(["move", "silence"]).sum())
    if not number:
        return
    rows = tuple(
        (words, f"{track.scores[key]:.2f}", percent(math.exp(track.scores[key] / number)))
        for key, words in FORECASTERS.items()
    )
    table = Table(
        ("forecaster", "sum", "mean chance"), rows, (1, 2), "Log score, the higher the better"
    )
    yield Section("scores", "How well moves and silence were expected", (table,))
