"""The section on observed moves: what they tell, how well they were expected, what comes next."""

from __future__ import annotations

import pandas as pd

from detente.report.charts import Line, over_time, path
from detente.report.numbers import share
from detente.report.parts import (
    Block,
    Cell,
    Details,
    Heading,
    Picture,
    Pictures,
    Section,
    Table,
    Text,
)
from detente.report.words import clause, sentence
from detente.simulation.track import Track

KINDS = {
    "move": "move",
    "silence": "nothing reported",
    "reading": "state of things",
    "skipped": "passed over",
}
"""What a line of the record is called."""


def observed(track: Track) -> Section:
    """Beliefs with the observed moves on the line; outcomes as they look after them; each move."""
    blocks: list[Block] = [Text((summary(track),)), *_beliefs(track)]
    blocks += [Heading("What to expect from here"), _outcomes(track), Heading("Move by move")]
    moves = track.moves
    dated = moves[moves["date"].astype(str) != ""]
    blocks += [
        Text(
            (
                "Expected: how likely the move was held to be right before it; beside it, what an "
                "observer would say to whom all actions are alike, and the forecast of the start.",
            )
        ),
        _moves(track, dated, "The record"),
    ]
    rest = moves[moves["date"].astype(str) == ""]
    if len(rest):
        caption = "What was not reported, where silence means something, and standing facts"
        blocks.append(Details(f"{len(rest)} more observations", (_moves(track, rest, caption),)))
    return Section("observed", "What the moves have told", tuple(blocks))


def summary(track: Track) -> str:
    """What the record covers and how well it was expected."""
    counts = track.moves["kind"].value_counts()
    last = track.solution.game.scenario.calendar.label(track.last)
    number = int(counts.get("move", 0))
    text = f"{number} observed moves, to {last}"
    scores = track.scores
    more = scores["filter"] - scores["prior_only"]
    alike = scores["filter"] - scores["uniform"]
    text += (
        f". Together with telling silence they were expected with a log score of "
        f"{scores['filter']:.1f}: {abs(alike):.1f} {'better' if alike > 0 else 'worse'} than by an "
        f"observer to whom all actions are alike, {abs(more):.1f} "
        f"{'better' if more > 0 else 'worse'} than by the forecast of the start"
    )
    skipped = int(counts.get("skipped", 0))
    if skipped:
        text += f". {skipped} lines were passed over as impossible in this model"
    return sentence(text)


def believed(track: Track) -> tuple[str, ...]:
    """For the answer: what the record makes one believe by now."""
    scenario = track.solution.game.scenario
    last = scenario.calendar.label(track.last)
    texts = []
    for about, mine in track.beliefs.groupby("about", sort=False):
        actor = scenario.actors[str(about)]
        told = actor.types[:1] if len(actor.types) == 2 else actor.types
        for kind in told:
            at = mine[mine["type"] == kind].sort_values("step")["probability"]
            first, now = share(float(at.iloc[0])), share(float(at.iloc[-1]))
            texts.append(f"{actor.name} is {kind}: {now} after the moves to {last}, {first} before")
    return tuple(sentence(text) for text in texts) or (summary(track),)


def numbered(track: Track) -> dict[int, str]:
    """By step, the number of a dated observation, from 1."""
    moves = track.moves
    dated = moves[moves["date"].astype(str) != ""]
    return {int(step): str(n) for n, step in enumerate(dated["step"], start=1)}


def _beliefs(track: Track) -> list[Block]:
    scenario = track.solution.game.scenario
    items = []
    numbers = numbered(track)
    for n, (about, mine) in enumerate(track.beliefs.groupby("about", sort=False)):
        actor = scenario.actors[str(about)]
        told = actor.types[:1] if len(actor.types) == 2 else actor.types
        for k, kind in enumerate(told):
            at = mine[mine["type"] == kind].sort_values("step")
            own = track.moves.set_index("step")["actor"]
            marks = [
                numbers.get(int(step), "") if own.get(step, "") == about else ""
                for step in at["step"]
            ]
            heading = f"Belief that {actor.name} is {kind}"
            drawn = path(
                f"t{n}-{k}",
                list(at["period"]),
                [float(p) for p in at["probability"]],
                marks,
                title=heading,
            )
            first, last = float(at["probability"].iloc[0]), float(at["probability"].iloc[-1])
            items.append(
                Picture(f"{heading}: {share(first)} at the start, {share(last)} now", drawn)
            )
    if not items:
        return []
    caption = (
        "What the record makes one believe, observation by observation. The numbers are those of "
        "the actor's own moves in the table below."
    )
    return [Pictures(tuple(items), caption)]


def _outcomes(track: Track) -> Pictures:
    scenario = track.solution.game.scenario
    table = track.outcomes
    items = []
    rows: list[tuple[str | Cell, ...]] = []
    for n, outcome in enumerate(scenario.outcomes):
        mine = table[table["outcome"] == outcome].sort_values("t")
        labels = list(mine["period"])
        lines = [
            Line("now", tuple(mine["happened"])),
            Line("at the start", tuple(mine["before"])),
        ]
        heading = clause(scenario, outcome)
        title = f"Probability that {heading}, after the record and as forecast at the start"
        drawn = over_time(f"w{n}", labels, lines, title=title, mark=track.last)
        items.append(Picture(sentence(heading).rstrip("."), drawn))
        end = mine.iloc[-1]
        rows.append(
            (Cell(outcome, code=True), heading, share(end["before"]), share(end["happened"]))
        )
    header = ("outcome", "what it says", "as forecast at the start", "after the record")
    last = scenario.calendar.label(track.last)
    return Pictures(
        tuple(items),
        f"Solid: given the record, to the end of {last} (the upright line), and from there on as a "
        "forecast. Dashed: as forecast at the start.",
        Table("Probability by the end", header, tuple(rows), frozenset({2, 3})),
    )


def _moves(track: Track, rows: pd.DataFrame, caption: str) -> Table:
    scenario = track.solution.game.scenario
    numbers = numbered(track)
    told: list[tuple[str | Cell, ...]] = []
    for r in rows.itertuples():
        name = scenario.actors[r.actor].name if r.actor in scenario.actors else ""
        skipped = f" ({r.reason})" if r.kind == "skipped" else ""
        told.append(
            (
                numbers.get(int(r.step), ""),
                str(r.date) or str(r.period),
                name or KINDS[r.kind],
                f"{r.move}{skipped}",
                Cell(str(r.action), code=True),
                _probability(r.probability),
                _probability(r.uniform),
                _probability(r.prior_only),
            )
        )
    header = ("", "when", "who", "what", "taken for", "expected", "if all alike", "at the start")
    return Table(caption, header, tuple(told), frozenset({5, 6, 7}))


def _probability(value: float) -> str:
    return "" if pd.isna(value) else share(float(value))
