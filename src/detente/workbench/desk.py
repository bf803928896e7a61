"""A scenario on the workbench: its file is watched, and the last good state of it is kept."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from detente import library
from detente.errors import Diagnostic, ScenarioError
from detente.scenario.loader import load, loads
from detente.scenario.model import Scenario
from detente.scenario.source import read_file

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is known of the file: the last scenario that was well, and what is wrong since.

    `version` counts the good ones.
    """

    scenario: Scenario
    version: int = 1
    problems: tuple[Diagnostic, ...] = ()


class Desk:
    """One scenario.

    source
        As it was given: a file, or the name of a scenario of the library.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.path = None if source in library.names() else Path(source)
        self.sheet = Sheet(load(source))
        self._stamp = self._stamped()
        self._lock = threading.Lock()

    def look(self) -> bool:
        """Read the file again if it has changed; whether there is anything new about it."""
        with self._lock:
            stamp = self._stamped()
            if self.path is None or stamp == self._stamp:
                return False
            self._stamp = stamp
            before = self.sheet
            try:
                scenario = loads(read_file(self.path, self.source).text, file=self.source)
            except ScenarioError as error:
                self.sheet = Sheet(before.scenario, before.version, error.diagnostics)
            else:
                same = scenario.sha256 == before.scenario.sha256
                self.sheet = Sheet(scenario, before.version + (not same))
            return self.sheet != before

    def _stamped(self) -> Stamp | None:
        """What changes when somebody writes the file; None where there is none."""
        if self.path is None:
            return None
        try:
            info = self.path.stat()
        except OSError:
            return None
        return info.st_mtime_ns, info.st_size, info.st_ino
