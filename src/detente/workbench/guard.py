"""What stands before every route: who may ask, from where, how much and how often.

The server listens on 127.0.0.1 alone, which does not keep out what runs in the user's own browser.

- A page from elsewhere whose name was made to lead here (DNS rebinding) sends its own name as
  `Host`: any but ours is refused.
- A page from elsewhere that writes to our address sends its `Origin`: writes without ours are
  refused, and so are writes that are not JSON, which no form of another page can send.
- Without the token nothing is answered. It is in the first address alone, and becomes a cookie
  that scripts cannot read and that no other site makes the browser send.
- Answers forbid the browser to load anything from elsewhere, to run any script but ours, and to
  show the page within another.
"""

from __future__ import annotations

import hmac
import time
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 2**20
"""Bytes of a request: a record of moves is the largest thing that is sent."""

LONGEST_ADDRESS = 16_384
"""Characters of a query: every parameter of a large scenario fits."""

WRITES_A_SECOND, WRITES_AT_ONCE = 30.0, 60.0
"""A person who moves a slider sends ten a second."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # the charts' own; nothing from outside gets into it
        "connect-src 'self'",
        "img-src 'self' data:",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

TOO_LARGE = "The request is too large."

READS = frozenset({"GET", "HEAD"})


class Guard:
    """The application behind its checks.

    port
        At which browsers reach it.
    token
        What the first address has.
    """

    def __init__(self, app: ASGIApp, *, port: int, token: str) -> None:
        self.app, self.token = app, token
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        self.origins = {f"http://{host}" for host in self.hosts}
        self.cookie = f"detente-{port}"  # cookies do not tell ports apart
        self.rate = Rate(WRITES_A_SECOND, WRITES_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # there are no web sockets here

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    if name not in headers:
                        headers[name] = value
            await send(message)

        refusal = self.refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, dressed)
            return
        size = 0

        async def limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > LARGEST_BODY:
                raise HTTPException(413, TOO_LARGE)
            return message

        await self.app(scope, limited, dressed)

    def refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that goes no further; None where it may."""
        headers = Headers(scope=scope)
        query = scope.get("query_string", b"")
        if headers.getlist("host") not in [[host] for host in self.hosts]:
            return _no(421, "This is not the address of this server.")
        if len(query) > LONGEST_ADDRESS:
            return _no(414, "The address is too long.")
        if scope["method"] not in READS:
            if headers.getlist("origin") not in [[origin] for origin in self.origins]:
                return _no(403, "This request comes from another page.")
            if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
                return _no(415, "The request is not JSON.")
            length = headers.get("content-length", "0")
            if not (length.isascii() and length.isdecimal()) or int(length[:12]) > LARGEST_BODY:
                return _no(413, TOO_LARGE)
        elif welcome := self.welcome(scope, query):
            return welcome
        if not self.known(headers):
            return _no(
                401,
                "Open the workbench by the address that `detente serve` printed: it has the token.",
            )
        if scope["method"] not in READS and not self.rate.take():
            return _no(429, "Too many requests: wait a moment.")
        return None

    def welcome(self, scope: Scope, query: bytes) -> Response | None:
        """For an address with the token: the same without it, and the cookie."""
        try:
            pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=5_000)
        except ValueError:
            return _no(400, "The address cannot be read.")
        given = [value for name, value in pairs if name == "token"]
        if len(given) != 1 or not _same(given[0], self.token):
            return None
        rest = urlencode([pair for pair in pairs if pair[0] != "token"])
        # One slash: a path that begins with two would be another server's.
        path = "/" + scope["path"].lstrip("/\\")
        response = RedirectResponse(f"{path}?{rest}" if rest else path, status_code=303)
        response.set_cookie(self.cookie, self.token, httponly=True, samesite="strict", path="/")
        return response

    def known(self, headers: Headers) -> bool:
        """Whether a request has the token in its cookie."""
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load("; ".join(headers.getlist("cookie")))
        except CookieError:
            return False
        kept = cookies.get(self.cookie)
        return kept is not None and _same(kept.value, self.token)


class Rate:
    """So many a second in the long run, and so many at once."""

    def __init__(self, a_second: float, at_once: float) -> None:
        self.a_second, self.at_once = a_second, at_once
        self.left, self.seen = at_once, time.monotonic()

    def take(self) -> bool:
        """Whether there is one left, which is taken."""
        now = time.monotonic()
        self.left = min(self.at_once, self.left + (now - self.seen) * self.a_second)
        self.seen = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _no(status: int, sentence: str) -> Response:
    return PlainTextResponse(f"{sentence}\n", status_code=status)
