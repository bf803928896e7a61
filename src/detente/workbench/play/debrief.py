"""The debrief: what happened, what was seen of it, what was believed and true, and what each choice
gave up.

A game that is over is told to those who were at the table, and all games of a room together once
the room is closed. Charts and tables are those of the report.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from detente.describe.blocks import Block, Section, text
from detente.describe.charts import Bars, Picture, Pictures, Steps
from detente.describe.tables import Row, code
from detente.describe.tables import Table as Grid
from detente.describe.words import clause, spoken_of, together
from detente.numbers import MISSING, count, fine_percent, payoff, percent
from detente.simulation.conditions import ANY
from detente.text import capital
from detente.workbench.play import story
from detente.workbench.play import table as tables
from detente.workbench.play.board import Board
from detente.workbench.play.payoffs import payoffs
from detente.workbench.play.room import Room
from detente.workbench.play.situation import DIGITS

WHO = {
    tables.SOLUTION: " (the solution)",
    tables.EARLIER: " (as earlier players)",
    tables.RANDOM: " (at random)",
    tables.PERSON: "",
    "": "",
}


def of_table(board: Board, table: tables.Table, actor: int) -> tuple[Section, ...]:
    """For somebody who had the seat of this actor."""
    choices = list(story.own_choices(board, table, actor))
    sections = [_truth(board, table), *_choices(board, table, actor, choices)]
    sections += [*_beliefs(board, table), _moves(board, table)]
    return tuple(sections)


def over(board: Board, room: Room) -> list[int]:
    """The numbers of all tables at which the game is over."""
    return [k for k, table in enumerate(room.tables) if tables.position(board, table) is None]


def of_class(board: Board, room: Room) -> tuple[Section, ...]:
    """All tables at which the game is over, against what was forecast."""
    done = [room.tables[k] for k in over(board, room)]
    if not done:
        return ()
    return (*_against_forecast(board, done), _by_role(board, done))


def _truth(board: Board, table: tables.Table) -> Section:
    """Who was what, and what each has got."""
    game = board.game
    got, now = payoffs(board, table), tables.types(table)
    worth = board.solution.payoffs
    beliefs = board.public(table.turns[-1].beliefs if table.turns else board.start[1])
    rows: list[Row] = []
    for i, (actor, seat) in enumerate(zip(game.actors, table.seats, strict=True)):
        kind = actor.types[seat.theta] if actor.types else ""
        believed = [board.start[1][i][seat.theta], beliefs[i][now[i]]] if kind else []
        first, last = (percent(b) for b in believed) if believed else ("", "")
        by = "a person" if seat.player >= 0 else seat.role.replace(tables.PERSON, tables.SOLUTION)
        expected = payoff(worth[actor.key, kind], DIGITS)
        was = _was(board, table, i)
        rows.append((actor.name, by, was, first, last, payoff(got[i], DIGITS), expected))
    header = ("actor", "played by", "in truth", "believed at the start", "believed in the end")
    grid = Grid((*header, "payoff", "expected at the start"), tuple(rows), range(3, 7))
    memory = table.turns[-1].memory if table.turns else board.start[2]
    been = [clause(game.scenario, key) for key, has in board.been(memory).items() if has]
    said = capital(f"{'; '.join(been) or 'none of the outcomes came about'}.")
    return Section("truth", "How it came out", (text(said), grid))


def _was(board: Board, table: tables.Table, actor: int) -> str:
    """What an actor was in truth: `idle`, or `idle; from 2026-04 covert`."""
    had = story.as_types(board, table, actor)
    return "; ".join(f"from {when} {kind}" if when else kind for when, kind in had)


def _choices(
    board: Board, table: tables.Table, actor: int, choices: Sequence[story.Deed]
) -> Iterator[Section]:
    """The own choices beside those of the solution."""
    if not choices:
        return
    calendar, discount = board.game.scenario.calendar, board.game.discount[actor]
    kinds = board.game.actors[actor].types if actor in board.changing else ()
    rows: list[Row] = []
    for deed in choices:
        order = np.argsort(-deed.sigma, kind="stable")
        shares = ", ".join(f"{deed.names[k]} {percent(float(deed.sigma[k]))}" for k in order)
        when = calendar.label(deed.turn.at.t)
        chose = (code(deed.action), shares, payoff(deed.price, DIGITS))
        rows.append((when, kinds[deed.theta], *chose) if kinds else (when, *chose))
    header = ("when", *["being"] * bool(kinds))
    header += ("you chose", "the solution would choose", "payoff given up")
    loss = story.loss(board, table, actor)
    noise = sum(
        float(discount ** (deed.turn.at.t - 1) * (deed.sigma @ deed.given_up)) for deed in choices
    )
    said = (
        f"Together your choices gave up {payoff(loss, DIGITS)} in payoff against the best ones. "
        f"The solution, which errs a little itself, would have given up {payoff(noise, DIGITS)} in "
        "the same places. A choice is valued as if all others, and you later on, played as the "
        "solution does."
    )
    if np.isnan(loss):
        said = "At this precision what a choice gives up cannot be read from the solution."
    yield Section(
        "choices", "Your choices", (text(said), Grid(header, tuple(rows), {len(header) - 1}))
    )


def _beliefs(board: Board, table: tables.Table) -> Iterator[Section]:
    """The game as a line of beliefs, with what was true."""
    points = story.steps(board, table)
    items = []
    for i, actor in board.informed:
        moves, truth = i in board.changing, _was(board, table, i)
        for kind in spoken_of(actor):
            k = actor.types.index(kind)
            title = f"Belief that {actor.name} is {kind}"
            values = tuple(point.beliefs[i][k] for point in points)
            chart = Steps(
                title,
                tuple(point.label for point in points),
                values,
                tuple(point.numbers.get(i, "") for point in points),
                tuple(point.types[i] == k for point in points) if moves else (),
            )
            ends = f"{percent(values[0])} at the start, {percent(values[-1])} in the end"
            items.append(Picture(chart, title, f"{ends}; in truth it was {truth}"))
    if items:
        caption = (
            "What somebody believes who has seen all moves and takes everybody to play as the "
            "solution does; numbers are those of the moves below."
        )
        if board.changing:
            caption += " The pale band is what was true then, at the top or at the bottom."
        yield Section("beliefs", "What was believed", (Pictures(tuple(items), caption),))


def _moves(board: Board, table: tables.Table) -> Section:
    """All that happened, what others saw of it, and how much of that was expected."""
    game = board.game
    types = [(i, actor, kind) for i, actor in board.informed for kind in spoken_of(actor)]
    rows: list[Row] = []
    for number, deed in enumerate(story.deeds(board, table), start=1):
        chance = deed.actor == story.CHANCE
        name = "chance" if chance else f"{game.actors[deed.actor].name}{WHO[deed.by]}"
        here = "" if chance else fine_percent(deed.probability)
        what = code(deed.action) if deed.action else ""
        looked = code(deed.looked) if deed.looked != deed.action else ""
        now = f"{game.actors[deed.whose].name} is now {deed.became}" if deed.became else ""
        unseen = ((looked,) if board.hides else ()) + ((now,) if board.changing else ())
        public = board.public(deed.turn.beliefs)
        after = (percent(public[i][a.types.index(k)]) for i, a, k in types)
        when = game.scenario.calendar.label(deed.turn.at.t)
        rows.append((str(number), when, name, what, *unseen, deed.changes, here, *after))
    names = [f"{actor.key} {kind}" for _, actor, kind in types]
    titles = (*["others saw"] * board.hides, *["unseen"] * bool(board.changing))
    header = ("", "when", "who", "what", *titles, "and then", "expected", *names)
    caption = "How likely each move was held to be before it, and the beliefs after it"
    if board.hides:
        caption = "How likely what others saw was held to be before it, and the beliefs after it"
    grid = Grid(header, tuple(rows), range(5 + len(titles), len(header)), caption)
    return Section("moves", "Move by move", (grid,))


def _against_forecast(board: Board, done: Sequence[tables.Table]) -> Iterator[Section]:
    """How often each outcome came about, and how often it was to be expected."""
    game = board.game
    table = board.forecast.tables["outcomes"].where(t=board.forecast.periods)
    keys = list(game.holds)
    if not keys:
        return
    columns = [actor.key for _, actor in board.informed]

    def expected(outcome: str, **types: str) -> float:
        return float(table.where(outcome=outcome, **types)["happened"][0])

    rows: list[Row] = []
    bars, texts, at_start, as_dealt = [], [], [], []
    for key in keys:
        times = sum(_been(board, each)[key] for each in done)
        given = float(np.mean([expected(key, **_types(board, each)) for each in done]))
        start = expected(key, **dict.fromkeys(columns, ANY))
        bars.append(times / len(done))
        texts.append(f"{times} of {len(done)}")
        at_start.append(start)
        as_dealt.append(given)
        spread = float(np.sqrt(given * (1 - given) * len(done)))
        mean = f"{given * len(done):.1f} ± {spread:.1f}"
        about = capital(clause(game.scenario, key))
        rows.append((about, f"{times}", mean, percent(start), percent(given)))
    names = tuple(str(row[0]) for row in rows)
    chart = Bars(
        "At how many tables it came about",
        names,
        tuple(bars),
        tuple(texts),
        marks=(("forecast", tuple(at_start)), ("given the types dealt", tuple(as_dealt))),
    )
    header = ("outcome", "tables", "expected", "forecast", "given the types dealt")
    caption = (
        f"Of {count(len(done), 'table')}; expected is the mean number and its standard deviation, "
        "given the types that were dealt"
    )
    grid = Grid(header, tuple(rows), range(1, 5), caption)
    words = "Diamonds: as forecast at the start; lines: given the types that were dealt."
    pictures = Pictures((Picture(chart),), words, (grid,))
    yield Section("forecast", "All tables against the forecast", (pictures,))


def _by_role(board: Board, done: Sequence[tables.Table]) -> Section:
    """By actor and type: what people got and gave up, beside what the solution expects."""
    game, worth = board.game, board.solution.payoffs
    rows: list[Row] = []
    for i, actor in enumerate(game.actors):
        for theta, kind in enumerate(actor.types or ("",)):
            mine = [each for each in done if each.seats[i].theta == theta]
            if not mine:
                continue
            got = [payoffs(board, each)[i] for each in mine]
            choices = [deed for each in mine for deed in story.own_choices(board, each, i)]
            losses = [story.loss(board, each, i) for each in mine]
            best = sum(deed.action == deed.best for deed in choices)
            share = percent(best / len(choices)) if choices else MISSING
            given = payoff(float(np.mean(losses)), DIGITS) if choices else MISSING
            expected = payoff(worth[actor.key, kind], DIGITS)
            mean = payoff(float(np.mean(got)), DIGITS)
            rows.append((actor.name, kind, str(len(mine)), mean, expected, given, share))
    header = ("actor", "type", "tables", "mean payoff", "expected at the start")
    grid = Grid(
        (*header, "given up by people", "likeliest action chosen"), tuple(rows), range(2, 7)
    )
    pooled = _first_moves(board, done)
    blocks: tuple[Block, ...] = (grid, *pooled)
    return Section("roles", "By role", blocks)


def _first_moves(board: Board, done: Sequence[tables.Table]) -> Iterator[Block]:
    """What people did first, beside what the solution does."""
    game, rows = board.game, []
    for i, actor in enumerate(game.actors):
        for theta, kind in enumerate(actor.types or ("",)):
            firsts = [next(story.own_choices(board, each, i), None) for each in done]
            taken = [deed for deed in firsts if deed is not None and deed.theta == theta]
            if not taken:
                continue
            number = {name: sum(d.action == name for d in taken) for name in taken[0].names}
            did = together(f"{name} {n}" for name, n in number.items() if n)
            shares = dict(zip(taken[0].names, taken[0].sigma, strict=True))
            would = together(f"{name} {percent(float(s))}" for name, s in shares.items())
            rows.append((actor.name, kind, did, would))
    if rows:
        header = ("actor", "type", "people chose first", "the solution, at the first table's place")
        yield Grid(header, tuple(rows), caption="First choices")


def _been(board: Board, table: tables.Table) -> dict[str, bool]:
    return board.been(table.turns[-1].memory if table.turns else board.start[2])


def _types(board: Board, table: tables.Table) -> dict[str, str]:
    return {actor.key: actor.types[table.seats[i].theta] for i, actor in board.informed}


def class_rows(board: Board, room: Room) -> list[dict[str, object]]:
    """Every choice of a person in the room, as records."""
    rows: list[dict[str, object]] = []
    for number in over(board, room):
        table = room.tables[number]
        got = payoffs(board, table)
        for deed in story.deeds(board, table):
            if deed.by != tables.PERSON:
                continue
            i, at = deed.actor, deed.turn.at
            seat, actor = table.seats[i], board.game.actors[i]
            kind = actor.types[deed.theta] if actor.types else ""
            rows.append({
                "table": number + 1,
                "player": room.players[seat.player].name,
                "actor": actor.key,
                "type": kind,
                "t": at.t,
                "period": board.game.scenario.calendar.label(at.t),
                "action": deed.action,
                "seen_as": deed.looked,
                "expected": deed.probability,
                "share": float(deed.sigma[deed.names.index(deed.action)]),
                "likeliest": deed.best,
                "given_up": deed.price,
                "believed_before": board.public(at.beliefs)[i][deed.theta],
                "believed_after": board.public(deed.turn.beliefs)[i][deed.theta],
                "payoff": float(got[i]),
            })  # fmt: skip
    return rows


def mixes(board: Board, room: Room) -> Iterator[tuple[str, str]]:
    """Every choice of a person: whose, as in `detente.workbench.play.table.part`, and what."""
    for number in over(board, room):
        table = room.tables[number]
        for deed in story.deeds(board, table):
            if deed.by == tables.PERSON:
                actor = board.game.actors[deed.actor]
                yield tables.part(actor, deed.theta), deed.action
