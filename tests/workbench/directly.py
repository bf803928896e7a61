"""Many requests in little time: given to an application in its own loop, without a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple
from urllib.parse import unquote

from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message


class Request(NamedTuple):
    """What is asked, with the cookies and headers of a client."""

    client: TestClient
    method: str
    path: str
    body: bytes


def ask(requests: Iterable[Request], answered: Callable[[Request, int], None]) -> None:
    """Ask one after the other; `answered` is called with each and the status of its answer."""

    async def ask_all() -> None:
        for request in requests:
            answered(request, await _status(request))

    asyncio.run(ask_all())


async def _status(request: Request) -> int:
    client = request.client
    headers = {"content-type": "application/json"}
    built = client.build_request(
        request.method, request.path, content=request.body, headers=headers
    )
    raw_path, _, query = built.url.raw_path.partition(b"?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(raw_path.decode("ascii")),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in built.headers.raw],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", built.url.port),
    }
    coming: list[Message] = [{"type": "http.request", "body": request.body}]
    done = asyncio.Event()
    status = 0

    async def receive() -> Message:
        if coming:
            return coming.pop()
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            done.set()

    app: ASGIApp = client.app
    await app(scope, receive, send)
    return status
