"""Draws from a posterior as a file: a column for each parameter, a row for each draw."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from detente.errors import Diagnostic, Place, ScenarioError, refuse
from detente.estimation.posterior import Posterior
from detente.scenario.csv_table import column_names, decode_table, read_table
from detente.scenario.frozen import Frozen
from detente.scenario.hints import alias
from detente.scenario.model import Scenario

Draws = Frozen[tuple[float, ...]]
"""By full name of a parameter its value in each draw."""


def draws_text(posterior: Posterior, seed: int) -> str:
    """Equally weighted draws, as the text of a file."""
    text = posterior.resampled(np.random.default_rng(seed)).to_csv(index=False, float_format="%.9g")
    return str(text)


def read_draws(path: str | Path, scenario: Scenario) -> Draws:
    """The draws of a file that `detente fit --posterior` has written, or anybody's.

    Raises
    ------
    ScenarioError
        With every mistake of the file; for parameters that are set from outside as well.
    """
    try:
        text = decode_table(Path(path).read_bytes(), str(path))
    except OSError as error:
        refuse("posterior", "cannot-read", f"`{path}` cannot be read: {error.strerror}")
    names = {alias(name): name for p in scenario.parameters.values() for name in p.names()}
    problems: list[Diagnostic] = []
    rows = read_table(text, str(path), (), list(names), problems)
    own = [names[column] for column in column_names(text) if column in names]
    draws: dict[str, list[float]] = {name: [] for name in own}
    for row in rows:
        for name, values in draws.items():
            values.append(_number(row[alias(name)]))
            if not math.isfinite(values[-1]):
                message = f"`{row[alias(name)]}` is no value of `{name}`"
                problems.append(Diagnostic(row.place, "wrong-type", message, "write a number"))
    if not rows and not problems:
        problems.append(Diagnostic(Place(str(path)), "empty", "the file has no draws"))
    for name in draws.keys() & scenario.overrides.keys():
        message = f"`{name}` is set, and the posterior has draws of it"
        place = Place(argument="posterior")
        problems.append(Diagnostic(place, "not-together", message, "leave one of them out"))
    if problems:
        raise ScenarioError(problems)
    return Frozen({name: tuple(values) for name, values in draws.items()})


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
