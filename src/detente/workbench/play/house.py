"""All rooms of a server: their state, who is there, and the process that solves their games."""

from __future__ import annotations

import hashlib
import itertools
import secrets
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from detente.errors import ScenarioError, refuse
from detente.scenario.frozen import Frozen
from detente.scenario.model import Scenario
from detente.workbench.channel import Channel
from detente.workbench.jobs import Event as Progress
from detente.workbench.jobs import Job, Means
from detente.workbench.play import debrief
from detente.workbench.play import room as rooms
from detente.workbench.play.board import Board
from detente.workbench.play.room import Away, Event, Joined, Room
from detente.workbench.play.solving import perform
from detente.workbench.play.store import Store
from detente.workbench.play.table import EARLIER, PERSON, ROLES, Mixes
from detente.workbench.setting import Setting, read_setting
from detente.workbench.worker import Worker

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Of room codes: those that are not mistaken for one another, or for digits."""

CODE_LENGTH = 6

MOST_ROOMS = 100
"""In a file: each keeps a scenario."""

PATIENCE = 60.0
"""Seconds for which a player who is waited for may be silent before the solution plays."""

LONGEST_PATIENCE = 3600.0

EVERY = 1.0
"""Seconds between two looks at who is there."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How a room was opened, as plain values.

    text, file, setting
        The scenario and what was changed in it.
    roles
        For each actor, who has it: see `detente.workbench.play.table.ROLES`.
    mixes
        What earlier players did, where a role is theirs; it stays as it was when the room opened.
    """

    title: str
    text: str
    file: str
    setting: Mapping[str, Any]
    roles: tuple[str, ...]
    advice: bool
    patience: float
    seed: int
    mixes: Mixes = field(default_factory=dict)

    @property
    def game(self) -> tuple[str, Mapping[str, Any]]:
        """What two rooms with the same solution have in common."""
        return self.text, self.setting

    @property
    def room(self) -> Room:
        """The room before anything has happened."""
        mixes = Frozen({who: Frozen(mix) for who, mix in self.mixes.items()})
        return Room(tuple(self.roles), self.seed, self.advice, mixes)


class Hosted:
    """A room that is open: what has happened, and for whom it is kept.

    room
        None while what has happened cannot be played again, as its game is being solved.
    trouble
        Why its game has no solution, '' where it has or may yet have.
    step, share
        What the solving process does, and how far it is.
    """

    def __init__(self, code: str, opening: Opening, store: Store) -> None:
        self.code, self.opening, self.store = code, opening, store
        self.events = [rooms.from_data(data) for data in store.events(code)]
        self.keys = [event.key for event in self.events if isinstance(event, Joined)]
        self.board: Board | None = None
        self.trouble, self.step, self.share = "", "Waiting", 0.0
        self.asked = self.ended = False
        self.channel, self.changes = Channel(), 0
        self.lock = threading.RLock()
        self.seen: dict[int, float] = {}
        self.began = self.looked = time.monotonic()
        playing = any(not isinstance(event, Joined) for event in self.events)
        self.room = None if playing else rooms.replayed(opening.room, self.events, None)

    def do(self, event: Event) -> Room:
        """Let something happen; raises `ScenarioError` where it cannot."""
        with self.lock:
            if self.room is None:
                refuse("room", "not-ready", "the game is still being solved", "wait a moment")
            room = rooms.after(self.room, event, self.board)
            self.store.append(self.code, len(self.events), rooms.to_data(event))
            self.events.append(event)
            self.room = room
        self.wake()
        return room

    def solved(self, board: Board) -> None:
        """The game has its solution: play again what has happened."""
        with self.lock:
            try:
                self.room = rooms.replayed(self.opening.room, self.events, board)
                self.board = board
            except ScenarioError as error:  # of another version of Detente
                self.trouble = f"what has happened cannot be played again: {error}"
        self.wake()

    def wake(self) -> None:
        """Have the pages look again."""
        with self.lock:
            self.changes += 1
            self.channel.put({"kind": "changed"})

    def see(self, player: int) -> None:
        """A player's page has asked for something: its person is there."""
        self.seen[player] = time.monotonic()
        room = self.room
        if room is not None and room.players[player].away and not room.closed:
            self.do(Away(player, on=False))

    @property
    def due(self) -> bool:
        """Whether it is time to look who is there."""
        return time.monotonic() - self.looked >= EVERY

    def look(self) -> None:
        """The solution takes the seats of those who are waited for and have been silent."""
        with self.lock:
            self.looked = now = time.monotonic()
            room, board = self.room, self.board
            if room is None or board is None or room.closed or room.paused:
                return
            waited = [p for k in room.present for p in rooms.waits_for(room, board, k)]
            for player in waited:
                silent = now - self.seen.get(player, self.began)
                if silent > self.opening.patience:
                    self.do(Away(player, on=True))


class House:
    """The rooms of one file.

    address
        Where players come in: the beginning of their addresses.
    """

    def __init__(
        self, store: Store, means: Means, address: str, worker: Worker | None = None
    ) -> None:
        self.store, self.address = store, address
        self.numbers = itertools.count(1)
        self.lock = threading.RLock()
        self.worker = worker or Worker(perform, means, self.deliver)
        self.rooms: dict[str, Hosted] = {}
        self.keys: dict[str, tuple[Hosted, int]] = {}
        for code, data in store.rooms().items():
            hosted = Hosted(code, Opening(**data), store)
            self.rooms[code] = hosted
            for number, key in enumerate(hosted.keys):
                self.keys[key] = hosted, number
            if not any(isinstance(event, rooms.Closed) for event in hosted.events):
                self.solve(hosted)

    def open(self, scenario: Scenario, data: Mapping[str, Any]) -> Hosted:
        """Open a room. Raises `ScenarioError` for what is wrong with it."""
        opening = read_opening(scenario, data)
        if EARLIER in opening.roles:
            opening = replace(opening, mixes=self._mixes(scenario.text))
        with self.lock:
            if len(self.rooms) >= MOST_ROOMS:
                hint = "take another file: see `rooms`"
                refuse("rooms", "too-many", f"there are {MOST_ROOMS} rooms in the file", hint)
            code = _new_code(self.rooms)
            self.store.open(code, asdict(opening))
            hosted = self.rooms[code] = Hosted(code, opening, self.store)
        self.solve(hosted)
        return hosted

    def join(self, code: str, name: str) -> str:
        """The token of a new player of a room. Raises `ScenarioError`."""
        hosted = self.rooms.get("".join(code.split()).upper())
        if hosted is None:
            refuse("code", "unknown-name", "there is no room with this code")
        token = secrets.token_urlsafe(18)
        with hosted.lock:
            room = hosted.do(Joined(name, digest(token)))
            number = len(room.players) - 1
            hosted.seen[number] = time.monotonic()
        with self.lock:
            self.keys[digest(token)] = hosted, number
        return token

    def solve(self, hosted: Hosted) -> None:
        """Have a room's game solved, unless a room with the same game has it."""
        if hosted.board is not None or hosted.asked:
            return
        hosted.asked = True
        opening = hosted.opening
        for other in self.rooms.values():
            if other.board is not None and other.opening.game == opening.game:
                hosted.solved(other.board)
                return
        setting = read_setting(dict(opening.setting))
        self.worker.submit(
            Job(next(self.numbers), hosted.code, "play", opening.text, opening.file, setting)
        )

    def deliver(self, job: Job, event: Progress) -> None:
        """What comes of solving a room's game."""
        hosted = self.rooms[job.client]
        match event["kind"]:
            case "solved":
                board = Board(event["forecast"])
                for other in list(self.rooms.values()):
                    if other.board is None and other.opening.game == hosted.opening.game:
                        other.solved(board)
            case "step":
                hosted.step, hosted.share = event["text"], 0.0
            case "progress":
                hosted.share = event["share"]
            case "refused":
                hosted.trouble = "; ".join(d["message"] for d in event["diagnostics"])
            case "failed" | "cancelled":
                hosted.trouble = event.get("message", "the solve was cancelled")
        if event["kind"] != "solved":
            hosted.wake()

    def _mixes(self, text: str) -> Mixes:
        """What people have done in games of a scenario that are over, in any room."""
        counts: dict[str, Counter[str]] = {}
        for hosted in list(self.rooms.values()):
            if hosted.room is None or hosted.board is None or hosted.opening.text != text:
                continue
            for who, action in debrief.mixes(hosted.board, hosted.room):
                counts.setdefault(who, Counter())[action] += 1
        if not counts:
            refuse("roles", "nobody", "nobody has played this scenario to its end yet")
        return {who: dict(mix) for who, mix in counts.items()}

    def end(self) -> None:
        """Pages are told nothing more: what they wait for is answered."""
        for hosted in list(self.rooms.values()):
            hosted.ended = True
            hosted.wake()

    def close(self) -> None:
        """End the process and let the file go."""
        self.worker.close()
        self.store.close()


def digest(token: str) -> str:
    """By what a token is known: nobody gets it from the file."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def read_opening(scenario: Scenario, data: Mapping[str, Any]) -> Opening:
    """A room as the host has asked for it. Raises `ScenarioError` for what cannot be one."""
    given = data.get("setting", {})
    setting: Setting = read_setting(given)
    setting.applied(scenario)
    roles = data.get("roles")
    if (
        not isinstance(roles, list)
        or len(roles) != len(scenario.actors)
        or not all(isinstance(role, str) and role in ROLES for role in roles)
    ):
        refuse("roles", "wrong-type", f"each actor has one of {', '.join(ROLES)}")
    if PERSON not in roles:
        refuse("roles", "nobody", "no role is for people")
    advice, patience = data.get("advice", True), data.get("patience", PATIENCE)
    if not isinstance(advice, bool):
        refuse("advice", "wrong-type", "advice is allowed or not")
    number = isinstance(patience, int | float) and not isinstance(patience, bool)
    if not number or not 1 <= patience <= LONGEST_PATIENCE:
        refuse("patience", "out-of-range", f"patience is 1 to {LONGEST_PATIENCE:,.0f} seconds")
    return Opening(
        title=scenario.title,
        text=scenario.text,
        file=scenario.file,
        setting=given,
        roles=tuple(roles),
        advice=advice,
        patience=float(patience),
        seed=secrets.randbits(60),
    )


def _new_code(taken: Mapping[str, Any]) -> str:
    while True:
        code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
        if code not in taken:
            return code
