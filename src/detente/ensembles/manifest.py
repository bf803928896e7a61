"""The manifest of a run: all that its numbers follow from, and what it is resumed by."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version

from detente.ensembles.design import Design, design
from detente.ensembles.rows import PLAIN, Key, input_column, result_columns
from detente.scenario.frozen import Frozen
from detente.scenario.loader import loads
from detente.scenario.model import Scenario

FORMAT = 5
"""Version of the folder's form: a run of another one is refused."""

PACKAGES = ("detente", "numpy", "numba", "scipy")
"""Whose versions decide the numbers."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is solved. Equal manifests make equal numbers, on equal versions.

    name, file, text, sha256
        The scenario: its name, what messages call its file, and the file's text and hash.
    overrides, options
        What was set from outside, and is not drawn: parameters, and options of variants.
    horizon
        The number of periods that was asked for; None for the scenario's own.
    policies, against
        Under which each draw is solved, and which one the others are compared with.
    seed, sampling, draws
        As those of `design`.
    beliefs, check_beliefs, checked
        Belief points of each informed actor (0 where nothing is private), those of the finer grid,
        and how many draws are solved on it once more.
    memory_limit
        Bytes that a solve may take.
    periods, times
        How many periods are looked at, and by the end of which ones probabilities are.
    outcomes, actors
        Names of the outcomes, and the private types of each actor.
    quantities
        What is drawn, in order: name, and the type of its column in DuckDB.
    posterior
        Draws from a posterior, by name of a parameter.
    """

    name: str
    file: str
    text: str
    sha256: str
    overrides: Mapping[str, float]
    options: Mapping[str, str]
    horizon: int | None
    policies: tuple[str, ...]
    against: str
    seed: int
    sampling: str
    draws: int
    beliefs: int
    check_beliefs: int
    checked: int
    memory_limit: int
    periods: int
    times: tuple[int, ...]
    outcomes: tuple[str, ...]
    actors: Mapping[str, tuple[str, ...]]
    quantities: Mapping[str, str]
    posterior: Mapping[str, tuple[float, ...]]
    versions: Mapping[str, str]

    def scenario(self) -> Scenario:
        """The scenario as it was when the run began, read again."""
        scenario = loads(self.text, file=self.file)
        if self.options:
            scenario = scenario.with_options(self.options)
        if self.overrides:
            scenario = scenario.with_values(self.overrides)
        return scenario if self.horizon is None else scenario.with_horizon(self.horizon)

    def design(self) -> Design:
        """The draws."""
        return design(
            self.scenario(),
            draws=self.draws,
            sampling=self.sampling,
            seed=self.seed,
            posterior=self.posterior,
        )

    def columns(self) -> dict[str, str]:
        """The columns of a row, in order, with their types in DuckDB."""
        inputs = {input_column(name): kind for name, kind in self.quantities.items()}
        results = result_columns(self.outcomes, self.times, self.actors)
        return {**PLAIN, **inputs, **dict.fromkeys(results, "DOUBLE")}

    def n_draws(self, tasks: Iterable[Key]) -> int:
        """How many of the tasks are draws: not the present values, nor the check's."""
        return sum(draw > 0 and beliefs == self.beliefs for draw, beliefs in tasks)

    @property
    def n_tasks(self) -> int:
        """How many solves of a draw there are: the draws, the present values, and the check's."""
        return self.draws + 1 + self.checked

    def to_json(self) -> str:
        """As text, to be kept, with a digest of itself."""
        plain = {"format": FORMAT, **asdict(self)}
        plain |= {key: dict(value) for key, value in plain.items() if isinstance(value, Mapping)}
        return _text({**plain, "digest": _digest(plain)})

    @staticmethod
    def from_json(text: str) -> Manifest:
        """A manifest from its text. Raises `ValueError` for one of another form, or garbled."""
        plain = json.loads(text)
        if not isinstance(plain, dict) or plain.pop("format", None) != FORMAT:
            raise ValueError("it was made by another version of Detente")
        if plain.pop("digest", None) != _digest({"format": FORMAT, **plain}):
            raise ValueError("it is not what was written")
        for key, value in plain.items():
            if isinstance(value, dict):
                plain[key] = Frozen({k: _frozen(v) for k, v in value.items()})
            plain[key] = _frozen(plain[key])
        return Manifest(**plain)


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _text(plain: Mapping[str, object]) -> str:
    return json.dumps(plain, ensure_ascii=False, indent=1)


def _digest(plain: Mapping[str, object]) -> str:
    return hashlib.sha256(_text(plain).encode()).hexdigest()


def changed(theirs: Mapping[str, str]) -> str:
    """Which versions are other ones than here, in words."""
    here = versions()
    names = [name for name in here | dict(theirs) if theirs.get(name) != here.get(name)]
    return "; ".join(f"{name} {theirs.get(name)}, here {here.get(name)}" for name in names)


def versions() -> dict[str, str]:
    """The versions of what decides the numbers."""
    return {"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
