"""The server: bound to this machine alone, with a token that is new each time.

Players have a door of their own, at another port, behind which there is nothing but their seats. It
is on this machine as well, and on the network only where that was asked for.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn
from starlette.types import Receive, Scope, Send

from detente.errors import refuse
from detente.workbench.app import Workbench, build_app
from detente.workbench.jobs import Means
from detente.workbench.play.host import Host
from detente.workbench.play.house import House
from detente.workbench.play.players import build_door
from detente.workbench.play.store import Store

ADDRESS = "127.0.0.1"
"""Nobody on the network reaches it."""

TOKEN_BYTES = 32


def serve(
    sources: Sequence[str],
    *,
    port: int,
    means: Means,
    opened: Callable[[str, str], None],
    rooms: Path,
    network: bool = False,
) -> None:
    """Serve scenarios until interrupted.

    Parameters
    ----------
    sources
        Files, or names of the library.
    port
        Players come in at the one after it; 0 for any two that are free.
    means
        What solves may use.
    opened
        Called, once the server listens, with the address that has the token and with that of
        players.
    rooms
        The file in which rooms are kept; it is made when the first one is opened.
    network
        Let players come in from the network that this machine is on.

    Raises
    ------
    ScenarioError
        For what is wrong with a scenario, and for a port that is taken.
    """
    outside = own_address() if network else ""
    sockets = [_listening(ADDRESS, port)]
    try:
        sockets.append(_listening(ADDRESS, port + 1 if port else 0))
        port, players = (listening.getsockname()[1] for listening in sockets)
        if outside:
            sockets.append(_listening(outside, players))
        token = secrets.token_urlsafe(TOKEN_BYTES)
        bench = Workbench(sources, means, Path.cwd())
        house = House(Store(rooms), means, f"http://{outside or ADDRESS}:{players}")
        host = Host(house, bench.desks).routes()
        app = build_app(bench, port=port, token=token, more=host)
        door = build_door(house, port=players, addresses=(outside,) if outside else ())
    except BaseException:
        for listening in sockets:
            listening.close()
        raise

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        """By the port at which a request came in, which no request can say itself."""
        inside = scope["type"] == "lifespan" or scope["server"][1] == port
        await (app if inside else door)(scope, receive, send)

    config = uvicorn.Config(
        either, log_level="warning", access_log=False, timeout_graceful_shutdown=1,
        server_header=False, ws="none", limit_concurrency=400,
    )  # fmt: skip
    server = _Server(config)
    server.bench, server.house = bench, house
    opened(f"http://{ADDRESS}:{port}/?token={token}", house.address)
    try:
        server.run(sockets=sockets)
    finally:
        house.close()
        bench.close()
        for listening in sockets:
            listening.close()


class _Server(uvicorn.Server):
    """Ends what pages listen to before it waits for their requests to end."""

    bench: Workbench
    house: House

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.bench.channels.close()
        self.house.end()
        await super().shutdown(sockets)


def own_address() -> str:
    """The address of this machine on the network by which it reaches others; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))  # an address that is nobody's
            address = str(asking.getsockname()[0])
        except OSError:
            address = ADDRESS
    if address.startswith("127."):
        refuse("network", "missing", "this machine is on no network")
    return address


def _listening(address: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
        listening.listen()  # who knows the address may ask at once, and waits for the answer
    except (OSError, OverflowError):
        listening.close()
        refuse("port", "taken", f"port {port} is not free", "`port=0` takes one that is")
    return listening
