"""What a page is sent: events in their order, each with a number, kept until it has them.

A page that was away asks for all after the last number that it has. Where some of those are no
longer kept, or the server has begun anew, it is told to ask again for everything.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque

from detente.workbench.jobs import Event

KEPT = 400
"""Events that are kept for a page that is away."""

PAGES = 64
"""Pages that are remembered; the one not seen for longest gives way."""

Numbered = tuple[int, Event]


class Channel:
    """The events for one page."""

    def __init__(self) -> None:
        self.seen = time.monotonic()
        self._events: deque[Numbered] = deque(maxlen=KEPT)
        self._last = 0
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def put(self, event: Event) -> None:
        """Send an event; may be called from any thread."""
        with self._lock:
            # Of progress only the latest counts.
            latest = self._events[-1][1] if self._events else {}
            if event["kind"] == latest.get("kind") == "progress":
                self._events.pop()
            self._last += 1
            self._events.append((self._last, event))
        self.wake()

    def wake(self) -> None:
        """Have all who wait look again."""
        with self._lock:
            waiting = list(self._waiting)
        for loop, arrived in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(arrived.set)

    def after(self, number: int) -> tuple[list[Numbered], bool]:
        """The events after this one, and whether some that were there are lost."""
        with self._lock:
            self.seen = time.monotonic()
            events = [pair for pair in self._events if pair[0] > number]
            first = self._events[0][0] if self._events else self._last + 1
            lost = number > self._last or (number + 1 < first and self._last > number)
            if number > self._last:  # of a server before this one: all that there is
                events = list(self._events)
            return events, lost

    async def wait(self, number: int, seconds: float) -> None:
        """Until there is an event after this one, or so many seconds are over."""
        pair = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            if self._last > number:
                return
            self._waiting.add(pair)
        try:
            await asyncio.wait_for(pair[1].wait(), seconds)
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiting.discard(pair)


class Channels:
    """The channels of all pages, by the name that each page gives itself."""

    def __init__(self) -> None:
        self.closed = False
        self._channels: dict[str, Channel] = {}
        self._lock = threading.Lock()

    def of(self, client: str) -> Channel:
        """The channel of a page."""
        with self._lock:
            channel = self._channels.get(client)
            if channel is None:
                while len(self._channels) >= PAGES:
                    oldest = min(self._channels, key=lambda name: self._channels[name].seen)
                    del self._channels[oldest]
                channel = self._channels[client] = Channel()
            return channel

    def all(self) -> list[tuple[str, Channel]]:
        """Every page with its channel."""
        with self._lock:
            return list(self._channels.items())

    def close(self) -> None:
        """Pages are sent nothing more: what streams to them ends."""
        self.closed = True
        for _, channel in self.all():
            channel.wake()
