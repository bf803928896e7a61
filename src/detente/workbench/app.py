"""The routes of the workbench."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import shlex
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from detente import files
from detente.errors import refuse
from detente.render.data import to_json
from detente.scenario.frozen import Frozen
from detente.workbench import view, web
from detente.workbench.analyses import NAMES, perform, recorded
from detente.workbench.channel import Channel, Channels
from detente.workbench.desk import Desk
from detente.workbench.guard import Guard
from detente.workbench.jobs import Event, Job, Means
from detente.workbench.saving import check_name, saved
from detente.workbench.setting import Setting, read_setting
from detente.workbench.worker import Worker, diagnostic_event

BEAT = 2.0
"""Seconds after which a page hears from the server at the latest: it sees within a few when not."""

LOOK = 0.5
"""Seconds between two looks at the files."""

PAGES_KEPT = 8
"""Reports that can be fetched; the oldest give way."""

CLIENT = re.compile(r"[A-Za-z0-9_-]{8,64}")


class Workbench:
    """What the routes share: desks, pages and processes.

    One process solves what sliders ask for, newest first; another does analyses meanwhile.
    """

    def __init__(self, sources: Sequence[str], means: Means, folder: Path) -> None:
        self.desks = [Desk(source) for source in sources]
        self.folder = folder
        self.channels = Channels()
        self.numbers = itertools.count(1)
        self.pages: OrderedDict[int, tuple[str, str]] = OrderedDict()
        self._lock = threading.Lock()
        self.answers = Worker(perform, means, self.deliver)
        self.analyses = Worker(perform, means, self.deliver)

    def deliver(self, job: Job, event: Event) -> None:
        """Hand an event on to the page that waits for it; a whole page is kept to be fetched."""
        if event["kind"] == "page":
            with self._lock:
                self.pages[job.number] = event["name"], event["page"]
                while len(self.pages) > PAGES_KEPT:
                    self.pages.popitem(last=False)
            event = {"kind": "page", "what": job.what, "address": f"/page/{job.number}"}
        self.channels.of(job.client).put({**event, "job": job.number, "what": job.what})

    def ask(self, client: str, desk: Desk, what: str, setting: Setting, more: Any) -> Job:
        """Begin a job; an answer that the same page waited for is cancelled."""
        scenario = desk.sheet.scenario
        setting.applied(scenario)  # what cannot be is refused at once
        job = Job(
            next(self.numbers), client, what, scenario.text, scenario.file, setting, Frozen(more)
        )
        if what == "answer":
            self.answers.cancel(lambda old: old.client == client)
            self.answers.submit(job)
        else:
            self.analyses.submit(job)
        return job

    async def watch(self) -> None:
        """Look at the files again and again; pages are told what is new."""
        while True:
            await asyncio.sleep(LOOK)
            for number, desk in enumerate(self.desks):
                if not await run_in_threadpool(desk.look):
                    continue
                for client, channel in self.channels.all():
                    if client.startswith(f"{number}:"):
                        channel.put(file_event(desk))

    def close(self) -> None:
        """End the processes."""
        self.answers.close()
        self.analyses.close()


def file_event(desk: Desk) -> Event:
    """What is known of the file, for its pages."""
    told = diagnostic_event(desk.sheet.problems)["diagnostics"]
    return {"kind": "file", "version": desk.sheet.version, "diagnostics": told}


def build_app(bench: Workbench, *, port: int, token: str, more: Sequence[Route] = ()) -> Guard:
    """The application, behind its guard; `more` are routes of other parts of the page."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(bench.watch())
        try:
            yield
        finally:
            watching.cancel()
            await run_in_threadpool(bench.close)

    routes = [
        Route("/", _home),
        Route("/desk/{number}", _page),
        Route("/desk/{number}/model", _model),
        Route("/desk/{number}/events", _events),
        Route("/desk/{number}/news", _news),
        Route("/desk/{number}/ask", _ask, methods=["POST"]),
        Route("/desk/{number}/cancel", _cancel, methods=["POST"]),
        Route("/desk/{number}/save", _save, methods=["POST"]),
        Route("/page/{number}", _report),
        Route("/static/{name}", _static),
        *more,
    ]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=web.HANDLERS)
    app.state.bench = bench
    return Guard(app, port=port, token=token)


# ---- reading requests


def _bench(request: Request) -> Workbench:
    bench: Workbench = request.app.state.bench
    return bench


def _number(request: Request) -> int:
    given = request.path_params["number"]
    if not re.fullmatch(r"[0-9]{1,9}", given):
        raise HTTPException(404)
    return int(given)


def _desk(request: Request) -> tuple[int, Desk]:
    number, desks = _number(request), _bench(request).desks
    if number >= len(desks):
        raise HTTPException(404)
    return number, desks[number]


def _client(request: Request, given: object) -> str:
    """The name of a page's channel."""
    if not isinstance(given, str) or not CLIENT.fullmatch(given):
        raise HTTPException(400, "the page has no name")
    return f"{_number(request)}:{given}"


# ---- the routes


async def _home(request: Request) -> Response:
    query = request.url.query
    return RedirectResponse(f"/desk/0?{query}" if query else "/desk/0", status_code=303)


async def _page(request: Request) -> Response:
    number, desk = _desk(request)
    scenarios = [other.sheet.scenario for other in _bench(request).desks]
    file = "" if desk.path is None else str(desk.path)
    page = await run_in_threadpool(
        view.whole_page,
        scenarios,
        number,
        version=desk.sheet.version,
        source=desk.source,
        file=file,
        recorded=recorded(desk.sheet.scenario),
    )
    return Response(page, media_type="text/html")


async def _model(request: Request) -> Response:
    _, desk = _desk(request)
    sheet = desk.sheet
    html = await run_in_threadpool(view.model_fragment, sheet.scenario)
    data = view.model_data(sheet.scenario)
    return web.answer({"version": sheet.version, "html": html, "data": data})


def _since(request: Request) -> tuple[Channel, int]:
    """The channel that is asked for, and the last event that the page has."""
    client = _client(request, request.query_params.get("client"))
    given = request.headers.get("last-event-id") or request.query_params.get("after", "0")
    if not re.fullmatch(r"[0-9]{1,15}", given):
        raise HTTPException(400, "the number of an event is a number")
    return _bench(request).channels.of(client), int(given)


async def _events(request: Request) -> Response:
    _, desk = _desk(request)
    channel, number = _since(request)
    channels = _bench(request).channels
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")

    async def stream() -> AsyncIterator[str]:
        last = number
        yield f"retry: 1000\ndata: {to_json(file_event(desk), indent=None)}\n\n"
        while not channels.closed:
            events, lost = channel.after(last)
            if lost:
                yield 'data: {"kind": "lost"}\n\n'
                last = 0
            for last, event in events:
                yield f"id: {last}\ndata: {to_json(event, indent=None)}\n\n"
            if not events:
                yield "event: beat\ndata: \n\n"
            await channel.wait(last, BEAT)

    return StreamingResponse(stream(), media_type="text/event-stream")


async def _news(request: Request) -> Response:
    _, desk = _desk(request)
    channel, last = _since(request)
    await channel.wait(last, BEAT / 2)
    events, lost = channel.after(last)
    told = [{**event, "id": number} for number, event in events]
    return web.answer({"events": [{"kind": "lost"}] * lost + [file_event(desk), *told]})


async def _ask(request: Request) -> Response:
    _, desk = _desk(request)
    data = await web.body(request, "client", "what", "setting", "more")
    client = _client(request, data.get("client"))
    what = data.get("what")
    if not isinstance(what, str) or what not in NAMES:
        raise HTTPException(400, "this is nothing that can be asked for")
    setting = read_setting(data.get("setting", {}))
    more = _more(what, data.get("more"), desk)
    job = await run_in_threadpool(_bench(request).ask, client, desk, what, setting, more)
    return web.answer({"job": job.number, "command": shlex.join(setting.command(desk.source))}, 202)


def _more(what: str, given: object, desk: Desk) -> dict[str, Any]:
    """What an analysis needs besides the setting."""
    if not isinstance(given, dict | None):
        refuse("more", "wrong-type", "what is asked for besides is an object")
    given = given or {}
    if what == "threshold":
        names = view.model_data(desk.sheet.scenario)["numbers"]
        parameter, at = given.get("parameter"), given.get("at", 0.5)
        if not isinstance(parameter, str) or parameter not in names:
            refuse("parameter", "unknown-name", "this is no parameter of the scenario")
        if isinstance(at, bool) or not isinstance(at, int | float) or not 0 <= at <= 1:
            refuse("at", "out-of-range", "a probability is from 0 to 1")
        return {"parameter": parameter, "at": float(at)}
    if what == "track":
        moves = given.get("moves", "")
        if not isinstance(moves, str):
            refuse("moves", "wrong-type", "a record of moves is text")
        return {"moves": moves}
    return {}


async def _cancel(request: Request) -> Response:
    _desk(request)
    data = await web.body(request, "client", "job")
    client, number = _client(request, data.get("client")), data.get("job")
    bench = _bench(request)
    for worker in (bench.answers, bench.analyses):
        worker.cancel(lambda job: job.client == client and job.number == number)
    return web.answer({})


async def _save(request: Request) -> Response:
    _, desk = _desk(request)
    data = await web.body(request, "setting", "name")
    name = check_name(data.get("name"))
    setting = read_setting(data.get("setting", {}))
    folder = _bench(request).folder if desk.path is None else desk.path.parent
    target = folder / name

    def write() -> None:
        text = saved(desk.sheet.scenario, setting, datetime.now())
        if target.exists() or target.is_symlink():
            refuse("name", "exists", f"there is a file `{name}` already", "give another name")
        files.write(target, text)

    await run_in_threadpool(write)
    return web.answer({"file": str(target)})


async def _report(request: Request) -> Response:
    kept = _bench(request).pages.get(_number(request))
    if kept is None:
        raise HTTPException(404)
    name, page = kept
    name = re.sub(r"[^-.\w]+", "-", name, flags=re.ASCII)
    headers = {
        "Content-Disposition": f'inline; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox "
        "allow-popups; frame-ancestors 'none'",
    }
    return Response(page, media_type="text/html", headers=headers)


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in view.STATIC:
        raise HTTPException(404)
    return Response(view.static(name), media_type=view.STATIC[name])
