"""The pages of play as HTML: that of the host, that by which players come in, and theirs."""

from __future__ import annotations

import hashlib
import threading
from functools import lru_cache
from importlib import resources
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from detente.describe.charts import Chart
from detente.describe.words import together
from detente.pictures.draw import to_svg
from detente.render.page import environment, style_sheet
from detente.scenario.model import Scenario
from detente.workbench.play import debrief, situation, story
from detente.workbench.play import room as rooms
from detente.workbench.play import table as tables
from detente.workbench.play.house import PATIENCE, Hosted
from detente.workbench.play.room import Dealt
from detente.workbench.play.table import ROLES

STATIC = {
    "play.css": "text/css",
    "play.js": "text/javascript",
    "join.js": "text/javascript",
    "host.js": "text/javascript",
    "open.js": "text/javascript",
    "live.js": "text/javascript",
}
"""Every file that these pages load, with its type."""

HOSTS = "/play/static"
"""Where the host's pages have their files; the players' door has its own."""

DRAWING = threading.Lock()
"""Matplotlib draws one chart at a time."""

ROLE_WORDS = dict(
    zip(
        ROLES,
        ("people", "the solution", "chance, any action alike", "the habits of earlier players"),
        strict=True,
    )
)


def render(template: str, /, **values: Any) -> str:
    """One of the templates, filled in."""
    return _templates().get_template(template).render(**values)


def join_page(code: str) -> str:
    """Where players come in."""
    return _page("play-join.html", "Join a room", "join.js", code=code)


def seat_page(hosted: Hosted, number: int) -> str:
    """A player's page, of which `player_fragment` is the living part."""
    name = "" if hosted.room is None else hosted.room.players[number].name
    return _page("play.html", hosted.opening.title, "play.js", hosted=hosted, name=name)


def host_page(hosted: Hosted) -> str:
    """The host's page of a room, of which `host_fragment` is the living part."""
    title = f"Room {hosted.code} · {hosted.opening.title}"
    heading = hosted.opening.title
    return _page("play-host.html", title, "host.js", HOSTS, hosted=hosted, heading=heading)


def _page(
    template: str, title: str, script: str, static: str = "/static", heading: str = "", **more: Any
) -> str:
    return render(template, title=title, script=script, static=static, heading=heading, **more)


def static(name: str) -> str:
    """The text of one of the `STATIC` files."""
    text = _read("static", name)
    return style_sheet() + text if name == "play.css" else text


def opening_page(scenarios: list[Scenario], hosted: list[Hosted]) -> str:
    """Where rooms are opened, and those that there are."""
    return _page(
        "play-open.html",
        "Play a stand-off",
        "open.js",
        HOSTS,
        scenarios=list(enumerate(scenarios)),
        rooms=[(each, _state(each)) for each in reversed(hosted)],
        roles=ROLE_WORDS,
        patience=PATIENCE,
    )


def host_fragment(hosted: Hosted, address: str) -> str:
    """All that a host sees of a room, but the debrief."""
    room, board = hosted.room, hosted.board
    values: dict[str, Any] = {
        "hosted": hosted,
        "room": room,
        "state": _state(hosted),
        "link": f"{address}/join/{hosted.code}",
        "begun": any(isinstance(event, Dealt) for event in hosted.events),
    }
    if room is None or board is None:
        return render("play-host-part.html", **values, players=_players(hosted), tables=[], over=0)
    calendar, actors = board.game.scenario.calendar, board.game.actors
    rows = []
    for number in room.present:
        table = room.tables[number]
        at = tables.position(board, table)
        waited = [room.players[p].name for p in rooms.waits_for(room, board, number)]
        people = [
            f"{room.players[seat.player].name} ({actor.name})"
            for actor, seat in zip(actors, table.seats, strict=True)
            if seat.player >= 0
        ]
        when = "over" if at is None else calendar.label(at.t)
        rows.append((number, when, together(waited), ", ".join(people), bool(table.turns)))
    over = len(debrief.over(board, room))
    return render("play-host-part.html", **values, players=_players(hosted), tables=rows, over=over)


def class_fragment(hosted: Hosted) -> str:
    """The debrief of the whole class."""
    room, board = hosted.room, hosted.board
    sections = () if room is None or board is None else debrief.of_class(board, room)
    return render("play-sections.html", sections=sections)


def player_fragment(hosted: Hosted, number: int) -> str:
    """All that a player sees."""
    with hosted.lock:
        room, board = hosted.room, hosted.board
    values: dict[str, Any] = {"hosted": hosted, "room": room, "state": _state(hosted)}
    if room is None or board is None or room.players[number].table < 0:
        name = "" if room is None else room.players[number].name
        return render("play-wait.html", **values, name=name)
    player = room.players[number]
    table = room.tables[player.table]
    values |= {"player": player, "number": player.table + 1}
    over = tables.position(board, table) is None
    if over or room.closed:
        sections = debrief.of_table(board, table, player.actor)
        if room.closed:
            sections += debrief.of_class(board, room)
        part = situation.who_plays(room, board, number)
        return render("play-over.html", **values, **part, over=over, sections=sections)
    return render("play-seat.html", **values, **situation.playing(room, board, number))


def moves_of(hosted: Hosted, number: int) -> list[dict[str, str]] | None:
    """The record of a table at which the game is over; None of any other."""
    room, board = hosted.room, hosted.board
    if room is None or board is None or not 0 <= number < len(room.tables):
        return None
    table = room.tables[number]
    over = room.closed or tables.position(board, table) is None
    return story.lines(board, table) if over else None


def _players(hosted: Hosted) -> list[tuple[str, str, str]]:
    """Name, table and whether somebody is there."""
    room = hosted.room
    if room is None:
        return []
    return [
        (
            player.name,
            "" if player.table < 0 else f"table {player.table + 1}",
            "away: the solution plays" if player.away else "",
        )
        for player in room.players
    ]


def _state(hosted: Hosted) -> str:
    """What a room waits for, in a sentence."""
    room = hosted.room
    if hosted.trouble:
        return f"This game cannot be played: {hosted.trouble}."
    if hosted.board is None:
        share = f", {100 * hosted.share:.0f} % done" if hosted.share else ""
        return f"The game is being solved: {hosted.step.lower()}{share}."
    if room is None or room.closed:
        return "The room is closed."
    if room.paused:
        return "The host has paused the game."
    if not room.tables:
        return "The game begins when the host deals."
    return ""


def _read(folder: str, name: str) -> str:
    package = resources.files("detente.workbench")
    return (package / folder / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _templates() -> Environment:
    made = environment(lambda name: _read("templates", name))
    made.filters["drawn"] = _drawn
    return made


@lru_cache(maxsize=256)
def _drawn(chart: Chart) -> Markup:
    """A chart, which several people look at. Names in it follow from what it shows: a page that is
    the same stays the same."""
    name = hashlib.sha256(repr(chart).encode()).hexdigest()[:8]
    with DRAWING:
        return Markup(to_svg(chart, f"p{name}-"))
