"""The best point of a fit, kept in a file on the way, so that an interruption loses seconds."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from detente import files
from detente.dtypes import Floats
from detente.errors import Diagnostic, Place, ScenarioError
from detente.estimation.free import Free
from detente.estimation.units import Panel
from detente.scenario.model import Scenario

EVERY = 2.0
"""Seconds between two writings."""


@dataclass(slots=True)
class Checkpoint:
    """The file, what it is for, and the best point that is known; no file for None.

    values, starts
        Of counts the action values of units there, float64 [u, g], and how many starts are done.
    """

    path: Path | None
    about: dict[str, Any]
    free: tuple[Free, ...]
    best: Floats | None = None
    value: float = -np.inf
    values: Floats | None = None
    starts: int = 0
    written: float = 0.0

    @classmethod
    def open(
        cls,
        path: Path | None,
        scenario: Scenario,
        free: tuple[Free, ...],
        panel: Panel,
        more: Mapping[str, Any] | None = None,
    ) -> Checkpoint:
        """From a file, if it is there. Raises `ScenarioError` if it is of another fit.

        `more` is what else another fit would differ in.
        """
        if path is None:
            return cls(None, {}, free)
        about = {
            "scenario": scenario.sha256,
            "changed": scenario.changed,
            "records": list(panel.files),
            "data": panel.digest,
            "free": [one.name for one in free],
            **(more or {}),
        }
        kept = cls(path, about, free)
        if not path.exists():
            return kept
        try:
            data = json.loads(path.read_text("utf-8"))
            same = data["about"] == about
            values = [float(data["values"][one.name]) for one in free] if same else []
            if same and "actions" in data:
                kept.values = np.array(data["actions"], dtype=np.float64)
                kept.starts, kept.value = int(data["starts"]), float(data["log_likelihood"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = "it cannot be read as the checkpoint of a fit"
            raise ScenarioError([Diagnostic(Place(str(path)), "checkpoint", message)]) from error
        if not same:
            message = (
                "it is the checkpoint of another fit: of other data, values, parameters or options"
            )
            hint = "name another file, or remove it to begin anew"
            raise ScenarioError([Diagnostic(Place(str(path)), "checkpoint", message, hint)])
        kept.best = np.array(
            [one.coordinate(value) for one, value in zip(free, values, strict=True)]
        )
        return kept

    def save(self, x: Floats, value: float, values: Floats | None = None) -> None:
        """Keep a point if it is the best so far; it is written every few seconds.

        With action values of units, float64 [u, g].
        """
        if value > self.value:
            self.best, self.value, self.values = x, value, values
            if time.monotonic() - self.written > EVERY:
                self.write()

    def write(self) -> None:
        """Write the best point to the file, if there is one."""
        if self.path is None or self.best is None:
            return
        places = zip(self.free, self.best, strict=True)
        numbers = {one.name: one.value(float(c)) for one, c in places}
        data = {"about": self.about, "log_likelihood": self.value, "values": numbers}
        if self.values is not None:
            data |= {"actions": self.values.tolist(), "starts": self.starts}
        files.write(self.path, json.dumps(data, indent=1) + "\n", force=True)
        self.written = time.monotonic()
