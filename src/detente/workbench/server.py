"""The server: bound to this machine alone, with a token that is new each time."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from detente.errors import refuse
from detente.workbench.app import Workbench, build_app
from detente.workbench.jobs import Means

ADDRESS = "127.0.0.1"
"""Nobody on the network reaches it."""

TOKEN_BYTES = 32


def serve(
    sources: Sequence[str], *, port: int, means: Means, opened: Callable[[str], None]
) -> None:
    """Serve scenarios until interrupted.

    Parameters
    ----------
    sources
        Files, or names of the library.
    port
        0 for any that is free.
    means
        What solves may use.
    opened
        Called with the address that has the token, once the server listens.

    Raises
    ------
    ScenarioError
        For what is wrong with a scenario, and for a port that is taken.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((ADDRESS, port))
    except (OSError, OverflowError):
        listening.close()
        refuse("port", "taken", f"port {port} is not free", "`port=0` takes one that is")
    port = listening.getsockname()[1]
    token = secrets.token_urlsafe(TOKEN_BYTES)
    bench = Workbench(sources, means, Path.cwd())
    app = build_app(bench, port=port, token=token)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=1,
        server_header=False, ws="none", limit_concurrency=200,
    )  # fmt: skip
    server = _Server(config)
    server.bench = bench
    opened(f"http://{ADDRESS}:{port}/?token={token}")
    try:
        server.run(sockets=[listening])
    finally:
        bench.close()
        listening.close()


class _Server(uvicorn.Server):
    """Ends what pages listen to before it waits for their requests to end."""

    bench: Workbench

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.bench.channels.close()
        await super().shutdown(sockets)
