"""From YAML text to plain values, each with its place in the file.

Scalars are resolved here by the core schema of YAML 1.2, so that `no` is text and `1e-3` a
number whatever the reader below does. One thing differs: plain text with a leading `+` stays
text, because `+1` and `1` mean different things in `set`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.reader import ReaderError

from detente.errors import Diagnostic, Place, ScenarioError
from detente.scenario.slips import numbers_meant

LARGEST = 1024 * 1024
DEEPEST = 32

Trail = tuple[str | int, ...]

NULL = {"", "~", "null", "Null", "NULL"}
TRUTH = {
    word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")
}
INTEGER = re.compile(r"-?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
DECIMAL = re.compile(r"-?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
SPECIAL = {
    f"{sign}.{word}": float(f"{sign}{word}") for sign in ("", "-") for word in ("inf", "nan")
}


@dataclass(frozen=True, slots=True)
class Written:
    """How a scalar stands in the file: its text, and the columns between its place and the text.

    `offset` is None where the text is broken over lines or holds escapes.
    """

    text: str
    offset: int | None


@dataclass(slots=True)
class Source:
    """A file's content as plain values, and where each value and key stands.

    A trail is the way to a value: keys and list positions from the top.
    """

    file: str
    sha256: str
    text: str = ""
    value: Any = None
    places: dict[Trail, Place] = field(default_factory=dict)
    keys: dict[Trail, Place] = field(default_factory=dict)
    written: dict[Trail, Written] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)

    def place(self, trail: Trail) -> Place:
        """The place of a value, or of the innermost part of the trail that is there."""
        for length in range(len(trail), 0, -1):
            if trail[:length] in self.places:
                return self.places[trail[:length]]
        return Place(self.file)

    def key(self, trail: Trail) -> Place:
        """The place of the key under which a value stands; of the value where it has none."""
        for length in range(len(trail), 0, -1):
            place = self.keys.get(trail[:length]) or self.places.get(trail[:length])
            if place:
                return place
        return Place(self.file)


def read_file(path: Path, file: str) -> Source:
    """Read a file, of which `file` is the name for messages. Raises `ScenarioError`."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or type(error).__name__}"
        raise ScenarioError([Diagnostic(Place(file), "file", message)]) from None
    return read_bytes(data, file)


def read_bytes(data: bytes, file: str) -> Source:
    """Read the bytes of a file. Raises `ScenarioError` where no values can be made of them."""
    if len(data) > LARGEST:
        message = "the file is larger than 1 MiB, which is the most"
        raise ScenarioError([Diagnostic(Place(file), "too-large", message)])
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        place = Place(file, before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
        message, hint = "the file is not UTF-8 text", "save it as UTF-8"
        raise ScenarioError([Diagnostic(place, "encoding", message, hint)]) from None
    return read_text(text, file)


@lru_cache(maxsize=8)
def read_text(text: str, file: str) -> Source:
    """The same for the text of a file, which was read once before if it is built again.

    Nobody changes a source that has been read.
    """
    source = Source(file, hashlib.sha256(text.encode()).hexdigest(), text)
    _Composer(source).document(text.removeprefix("\ufeff"))
    return source


class _StopReading(Exception):  # noqa: N818 (not an error of the program)
    """Reading cannot go on; the reason has been reported."""


class _Composer:
    """Makes plain values of the event stream of one document."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.events: Iterator[Any] = iter(())
        self.last: Any = None  # the scalar value that was read last

    def document(self, text: str) -> None:
        """Read the one document of `text` into the source. Raises `ScenarioError`."""
        source = self.source
        try:
            self.events = YAML(typ="safe", pure=True).parse(text)
            for event in self.events:
                if isinstance(event, DocumentStartEvent):
                    source.value = self.node(next(self.events), ())
                    break
            self.rest()
            return
        except _StopReading:
            pass
        except ReaderError as error:
            source.problems.append(_character(error, text, source.file))
        except MarkedYAMLError as error:
            source.problems.append(_syntax(error, text, source.file))
        raise ScenarioError(in_order(source.problems))

    def rest(self) -> None:
        """Refuse further documents."""
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                hint = "put each scenario into a file of its own"
                self.report(event, "documents", "a second document starts here", hint)
                return
            if isinstance(event, StreamEndEvent):
                return

    def report(self, event: Any, code: str, message: str, hint: str = "") -> None:
        self.source.problems.append(Diagnostic(self.place(event), code, message, hint))

    def place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self.source.file, mark.line + 1, mark.column + 1)

    def node(self, event: Any, trail: Trail) -> Any:
        """The value that starts with `event`."""
        self.source.places[trail] = self.place(event)
        if len(trail) > DEEPEST:
            self.report(event, "too-deep", f"values are nested more than {DEEPEST} deep")
            raise _StopReading
        if isinstance(event, AliasEvent):
            self.report(event, "alias", f"`*{event.anchor}` is an alias", "write the value out")
            return None
        self.refuse_marks(event)
        if isinstance(event, ScalarEvent):
            return self.scalar(event, trail)
        if isinstance(event, SequenceStartEvent):
            return self.sequence(trail)
        return self.mapping(trail)

    def refuse_marks(self, event: Any) -> None:
        """Report tags and anchors; the value is read on without them."""
        if event.tag is not None:
            self.report(event, "tag", f"`{event.tag}` is a tag", "leave it out")
        if event.anchor is not None:
            self.report(event, "anchor", f"`&{event.anchor}` is an anchor", "leave it out")

    def scalar(self, event: Any, trail: Trail) -> Any:
        self.last = event
        start, end = event.start_mark, event.end_mark
        text: str = event.value
        quotes = 0 if event.style is None or event.style == "" else 2
        exact = start.line == end.line and end.column - start.column == len(text) + quotes
        self.source.written[trail] = Written(text, quotes // 2 if exact else None)
        return text if quotes else resolve(text)

    def sequence(self, trail: Trail) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            values.append(self.node(event, (*trail, len(values))))
        return values

    def mapping(self, trail: Trail) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = self.key(event, trail)
            below: Trail = (*trail, key)
            following = next(self.events)
            if values and self.parted(event, following):
                self.point(event, (*trail, next(reversed(values))), values)
                continue
            if key in values:
                first = self.source.keys[below].line
                hint = f"it stands first in line {first}"
                self.report(event, "repeated-key", f"the key `{key}` is repeated", hint)
                self.node(following, (*trail, f"{key} again, line {event.start_mark.line}"))
                continue
            self.source.keys[below] = self.place(event)
            values[key] = self.node(following, below)
        return values

    def parted(self, key: Any, value: Any) -> bool:
        """Whether a key is what stands behind a decimal comma: `0,5` in braces, without a space."""
        before = self.last
        return (
            isinstance(key, ScalarEvent)
            and isinstance(value, ScalarEvent)
            and not value.value
            and value.start_mark.index == value.end_mark.index
            and key.value.isdecimal()
            and before is not None
            and re.fullmatch("-?[0-9]+", before.value) is not None
            and key.start_mark.index == before.end_mark.index + 1
        )

    def point(self, key: Any, trail: Trail, values: dict[str, Any]) -> None:
        """Report a decimal comma; the number that is meant lets the rest of the file be checked."""
        whole, number = str(self.last.value), f"{self.last.value}.{key.value}"
        message = f"inside `{{ }}`, the comma of `{whole},{key.value}` begins another key"
        hint = (
            f"write {' or '.join(f'`{meant}`' for meant in numbers_meant(f'{whole},{key.value}'))}"
        )
        place = self.place(self.last)
        self.source.problems.append(Diagnostic(place, "yaml-syntax", message, hint))
        values[str(trail[-1])] = resolve(number)
        self.source.written[trail] = Written(number, 0)

    def key(self, event: Any, trail: Trail) -> str:
        """A key, as it is written: `1` and `true` are text here."""
        if isinstance(event, ScalarEvent):
            self.refuse_marks(event)
            return str(event.value)
        self.report(event, "yaml-syntax", "a key must be one word or line of text")
        raise _StopReading


def resolve(text: str) -> Any:
    """The value of a plain scalar by YAML 1.2, but for a leading `+`, which keeps it text."""
    if text in NULL:
        return None
    if text in TRUTH:
        return TRUTH[text]
    if INTEGER.fullmatch(text):
        # More digits than Python is willing to convert make no useful integer.
        return int(text, 0 if text[1:2] in ("o", "x") else 10) if len(text) < 400 else float(text)
    if DECIMAL.fullmatch(text):
        return float(text)
    return SPECIAL.get(text.lower(), text)


def in_order(problems: list[Diagnostic]) -> list[Diagnostic]:
    """Problems in the order of the file, each once."""
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.place)


SENTENCES = {
    "'\\t'": "lines are indented by spaces, not by tabs",
    "cannot start any token": "this character cannot start a value; text with it needs quotes",
    "mapping values are not allowed": "a `:` cannot stand here; text that holds `: ` needs quotes",
    "could not find expected ':'": "a `key: value` is wanted here, and no `:` is found",
    "expected ',' or '}'": "a `,` or the closing `}` is missing before this",
    "expected ',' or ']'": "a `,` or the closing `]` is missing before this",
    "expected <block end>": "this does not fit what stands above; look at the indentation",
    "found undefined tag handle": "tags are not part of the language",
    "found unexpected end of stream": "a quote is opened and never closed",
}


def _syntax(error: MarkedYAMLError, text: str, file: str) -> Diagnostic:
    """The reader's complaint as a diagnostic, with a sentence of our own where there is one."""
    problem = (error.problem or "this is not YAML").strip()
    sentence = next((own for part, own in SENTENCES.items() if part in problem), problem)
    mark, opened = error.problem_mark or error.context_mark, error.context_mark
    hint = f"it starts in line {opened.line + 1}" if opened and "closing" in sentence else ""
    if opened and "never closed" in sentence:
        mark = opened
    if mark and "mapping values" in problem:
        lines = text.splitlines()  # which may know more ends of lines than the reader does
        hint = _colon(lines[mark.line]) if mark.line < len(lines) else ""
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    return Diagnostic(place, "yaml-syntax", sentence, hint)


def _colon(line: str) -> str:
    """What to write for a line `key: text: more`, or ''."""
    match = re.fullmatch(r"\s*(?:- )?(\w+): +([^\"'{}\[\]#]+)", line.rstrip())
    if match is None:
        return ""
    meant = numbers_meant(match[2])
    return f"write `{match[1]}: {meant[0]}`" if meant else f'write `{match[1]}: "{match[2]}"`'


def _character(error: ReaderError, text: str, file: str) -> Diagnostic:
    before = text[: error.position]
    place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
    message = f"the character U+{error.character:04X} may not stand in a file"
    return Diagnostic(place, "yaml-syntax", message)
