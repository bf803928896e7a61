"""What players reach: a door of its own, with no way to anything but their seats.

They are known by the token in the address of their seat. Nothing else that the server has can be
asked for here, whatever is sent: there is no route to it.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Scope

from detente.errors import refuse
from detente.render.data import to_csv
from detente.workbench import web
from detente.workbench.guard import Guard, Rate
from detente.workbench.play import pages
from detente.workbench.play.house import EVERY, Hosted, House, digest
from detente.workbench.play.room import Away, Chosen

BEAT = 4.0
"""Seconds after which a page hears from the server at the latest."""

MOST_ADDRESSES = 1_000
"""Addresses whose rates are remembered."""

LONGEST_BODY = 4_096
"""Bytes of a player's request: a name, or a move."""


class Door(Guard):
    """Stands before what players reach: as the workbench's, but for the token, which is in the
    address of a seat, and with a rate for each address from which somebody asks."""

    def __init__(self, app: ASGIApp, *, port: int, addresses: tuple[str, ...]) -> None:
        super().__init__(app, port=port, token="")
        self.hosts |= {f"{address}:{port}" for address in addresses}
        self.origins = {f"http://{host}" for host in self.hosts}
        self.rate = Rate(100.0, 400.0)  # a class of thirty that all choose at once
        self.a_second, self.at_once = 100.0, 500.0  # a class may have one address together
        self.rates: OrderedDict[str, Rate] = OrderedDict()

    def refusal(self, scope: Scope) -> Response | None:
        address = (scope.get("client") or ("", 0))[0]
        rate = self.rates.setdefault(address, Rate(self.a_second, self.at_once))
        self.rates.move_to_end(address)
        while len(self.rates) > MOST_ADDRESSES:
            self.rates.popitem(last=False)
        if not rate.take():
            return Response("Too many requests: wait a moment.\n", 429, media_type="text/plain")
        return super().refusal(scope)

    def welcome(self, scope: Scope, query: bytes) -> Response | None:
        return None

    def known(self, headers: object) -> bool:
        return True


def build_door(house: House, *, port: int, addresses: tuple[str, ...] = ()) -> Door:
    """What players reach. `addresses` are those of this machine at which they may, besides its own
    name for itself."""
    at = _Seats(house)
    routes = [
        Route("/", at.enter),
        Route("/join", at.join, methods=["POST"]),
        Route("/join/{code}", at.enter),
        Route("/seat/{token}", at.seat),
        Route("/seat/{token}/news", at.news),
        Route("/seat/{token}/choose", at.choose, methods=["POST"]),
        Route("/seat/{token}/leave", at.leave, methods=["POST"]),
        Route("/seat/{token}/moves.csv", at.moves),
        Route("/static/{name}", static),
    ]
    app = Starlette(routes=routes, exception_handlers=web.HANDLERS)
    return Door(app, port=port, addresses=addresses)


async def static(request: Request) -> Response:
    """A file of the pages of play."""
    name = request.path_params["name"]
    if name not in pages.STATIC:
        raise HTTPException(404)
    return Response(pages.static(name), media_type=pages.STATIC[name])


async def follow(
    hosted: Hosted, given: str, state: Callable[[], object], fragment: Callable[[], str]
) -> Response:
    """A fragment of a page, once it is another than the one `given`; or nothing, after a while.

    It is written only where the `state` that it shows is another than before.
    """
    until = time.monotonic() + BEAT
    shown, tag = None, ""
    while True:
        changes = hosted.changes
        if hosted.due:
            await run_in_threadpool(hosted.look)
        now = state()
        if not tag or now != shown:
            html = await run_in_threadpool(fragment)
            shown, tag = now, hashlib.sha256(html.encode()).hexdigest()[:16]
            if tag != given:
                return web.answer({"tag": tag, "html": html})
        left = until - time.monotonic()
        if left <= 0 or hosted.ended:
            return web.answer({"tag": tag})
        await hosted.channel.wait(changes, min(left, EVERY))


class _Seats:
    def __init__(self, house: House) -> None:
        self.house = house
        self.fragments: dict[tuple[str, int], tuple[object, str]] = {}

    async def enter(self, request: Request) -> Response:
        page = pages.join_page(request.path_params.get("code", ""))
        return Response(page, media_type="text/html")

    async def join(self, request: Request) -> Response:
        data = await _body(request, "code", "name")
        code, name = data.get("code"), data.get("name")
        if not isinstance(code, str) or not isinstance(name, str) or len(code) > 40:
            refuse("code", "wrong-type", "a code and a name are wanted")
        token = await run_in_threadpool(self.house.join, code, name)
        return web.answer({"seat": f"/seat/{token}"}, 201)

    async def seat(self, request: Request) -> Response:
        hosted, number = self.known(request)
        await run_in_threadpool(self.house.solve, hosted)  # of a room that was closed before
        return Response(pages.seat_page(hosted, number), media_type="text/html")

    async def news(self, request: Request) -> Response:
        hosted, number = self.known(request)
        await run_in_threadpool(hosted.see, number)
        given = request.query_params.get("after", "")
        return await follow(
            hosted, given, lambda: seen_by(hosted, number), lambda: self.fragment(hosted, number)
        )

    async def choose(self, request: Request) -> Response:
        hosted, number = self.known(request)
        data = await _body(request, "turn", "action")
        turn, action = data.get("turn"), data.get("action")
        if isinstance(turn, bool) or not isinstance(turn, int) or not isinstance(action, str):
            refuse("action", "wrong-type", "a turn and an action are wanted")
        await run_in_threadpool(hosted.see, number)
        await run_in_threadpool(hosted.do, Chosen(number, turn, action))
        return web.answer({})

    async def leave(self, request: Request) -> Response:
        hosted, number = self.known(request)
        await _body(request)
        await run_in_threadpool(hosted.do, Away(number, on=True))
        return web.answer({})

    async def moves(self, request: Request) -> Response:
        hosted, number = self.known(request)
        room = hosted.room
        table = -1 if room is None else room.players[number].table
        rows = await run_in_threadpool(pages.moves_of, hosted, table)
        if not rows:
            raise HTTPException(404)
        return Response(to_csv(rows), media_type="text/csv")

    def known(self, request: Request) -> tuple[Hosted, int]:
        """The room and the number of the player whose token is in the address."""
        known = self.house.keys.get(digest(request.path_params["token"]))
        if known is None:
            raise HTTPException(404, "there is no such seat")
        return known

    def fragment(self, hosted: Hosted, number: int) -> str:
        """What the player sees; it is written anew only where something of it has changed."""
        state = seen_by(hosted, number)
        kept = self.fragments.get((hosted.code, number))
        if kept is None or kept[0] != state:
            kept = state, pages.player_fragment(hosted, number)
            self.fragments[hosted.code, number] = kept
        return kept[1]


def seen_by(hosted: Hosted, number: int) -> object:
    """All that a player's page depends on."""
    room = hosted.room
    if room is None or hosted.board is None:
        return hosted.step, hosted.share, hosted.trouble, room
    player = room.players[number]
    if player.table < 0:
        return room
    all_tables = room.tables if room.closed else ()
    table = room.tables[player.table]
    absent = room.absent.intersection(seat.player for seat in table.seats)
    return player, table, absent, room.paused, room.closed, room.advice, all_tables


async def _body(request: Request, *names: str) -> dict[str, object]:
    if len(await request.body()) > LONGEST_BODY:
        raise HTTPException(413, "the request is too large")
    return await web.body(request, *names)
