"""What the host reaches, among the pages of the workbench: rooms, their tables, the debrief."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from detente.errors import refuse
from detente.render.data import to_csv
from detente.workbench import web
from detente.workbench.desk import Desk
from detente.workbench.play import debrief, pages, players
from detente.workbench.play import room as rooms
from detente.workbench.play.house import Hosted, House

EVENTS: dict[str, Callable[..., rooms.Event]] = {
    "deal": rooms.Dealt,
    "pause": rooms.Paused,
    "advise": rooms.Advised,
    "advance": rooms.Advanced,
    "take-back": rooms.TakenBack,
    "close": rooms.Closed,
}
"""What a host can do."""


class Host:
    """The routes of the host."""

    def __init__(self, house: House, desks: Sequence[Desk]) -> None:
        self.house, self.desks = house, desks

    def routes(self) -> list[Route]:
        """To be put among those of the workbench, behind its token."""
        return [
            Route("/play", self.home),
            Route("/play/open", self.open, methods=["POST"]),
            Route("/play/static/{name}", players.static),
            Route("/play/room/{code}", self.room),
            Route("/play/room/{code}/news", self.news),
            Route("/play/room/{code}/do", self.do, methods=["POST"]),
            Route("/play/room/{code}/debrief", self.debrief),
            Route("/play/room/{code}/class.csv", self.class_csv),
            Route("/play/room/{code}/panel.csv", self.panel_csv),
            Route("/play/room/{code}/moves-{number}.csv", self.moves_csv),
        ]

    async def home(self, request: Request) -> Response:
        scenarios = [desk.sheet.scenario for desk in self.desks]
        page = pages.opening_page(scenarios, list(self.house.rooms.values()))
        return Response(page, media_type="text/html")

    async def open(self, request: Request) -> Response:
        data = await web.body(request, "desk", "setting", "roles", "advice", "patience")
        desk = data.pop("desk", 0)
        if isinstance(desk, bool) or not isinstance(desk, int) or not 0 <= desk < len(self.desks):
            refuse("desk", "unknown-name", "there is no such scenario on the workbench")
        scenario = self.desks[desk].sheet.scenario
        hosted = await run_in_threadpool(self.house.open, scenario, data)
        return web.answer({"room": f"/play/room/{hosted.code}"}, 201)

    async def room(self, request: Request) -> Response:
        hosted = self.known(request)
        await run_in_threadpool(self.house.solve, hosted)
        return Response(pages.host_page(hosted), media_type="text/html")

    async def news(self, request: Request) -> Response:
        hosted = self.known(request)
        given = request.query_params.get("after", "")
        address = self.house.address
        return await players.follow(
            hosted, given, lambda: hosted.changes, lambda: pages.host_fragment(hosted, address)
        )

    async def do(self, request: Request) -> Response:
        hosted = self.known(request)
        data = await web.body(request, "what", "on", "table")
        what, on, table = data.get("what"), data.get("on"), data.get("table")
        given: tuple[bool | int, ...] = ()
        if what in ("pause", "advise"):
            if not isinstance(on, bool):
                refuse("on", "wrong-type", "it is on or off")
            given = (on,)
        elif what in ("advance", "take-back"):
            if isinstance(table, bool) or not isinstance(table, int):
                refuse("table", "wrong-type", "the number of a table is wanted")
            given = (table,)
        if not isinstance(what, str) or what not in EVENTS:
            refuse("what", "unknown-name", "this is nothing that a host can do")
        await run_in_threadpool(hosted.do, EVENTS[what](*given))
        return web.answer({})

    async def debrief(self, request: Request) -> Response:
        hosted = self.known(request)
        html = await run_in_threadpool(pages.class_fragment, hosted)
        return web.answer({"html": html})

    async def class_csv(self, request: Request) -> Response:
        hosted = self.known(request)
        room, board = hosted.room, hosted.board
        if room is None or board is None:
            raise HTTPException(404, "there is nothing yet")
        return _csv(await run_in_threadpool(debrief.class_rows, board, room))

    async def panel_csv(self, request: Request) -> Response:
        hosted = self.known(request)
        number = 0 if hosted.room is None else len(hosted.room.tables)
        records = [await run_in_threadpool(pages.moves_of, hosted, k) for k in range(number)]
        rows = [
            {"unit": f"table {k + 1}", **row}
            for k, record in enumerate(records)
            for row in record or ()
        ]
        return _csv(rows)

    async def moves_csv(self, request: Request) -> Response:
        given = request.path_params["number"]
        if not re.fullmatch(r"[1-9][0-9]{0,5}", given):
            raise HTTPException(404)
        hosted = self.known(request)
        rows = await run_in_threadpool(pages.moves_of, hosted, int(given) - 1)
        return _csv(rows or ())

    def known(self, request: Request) -> Hosted:
        """The room whose code is in the address."""
        hosted = self.house.rooms.get(request.path_params["code"])
        if hosted is None:
            raise HTTPException(404, "there is no such room")
        return hosted


def _csv(rows: Sequence[object]) -> Response:
    if not rows:
        raise HTTPException(404, "no table has come to its end")
    return Response(to_csv(rows), media_type="text/csv")
