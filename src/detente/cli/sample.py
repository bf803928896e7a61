"""`detente sample`: histories as they are drawn, for spreadsheets and for programs."""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from detente.arguments import MOST_DRAWS
from detente.cli.groups import with_groups
from detente.cli.inputs import Json, Seed, Source
from detente.cli.options import ForecastOptions, PolicyOptions
from detente.cli.unsolved import tell_unsolved
from detente.text import as_cell, escaped_json

if TYPE_CHECKING:
    import pandas as pd


@with_groups
def sample(
    source: Source,
    *,
    draws: Annotated[int, typer.Option(min=1, max=MOST_DRAWS, help="Number of histories.")] = 10,
    seed: Seed = 0,
    setting: PolicyOptions,
    solving: ForecastOptions,
    as_json: Json = False,
) -> None:
    """Draw histories from the forecast, as a table in CSV."""
    game = setting.compile(source)
    solving.prepare(game)
    solution = solving.solve(game, coarse=False)
    unsolved = tell_unsolved({"": solution.status}, text=False)
    import numpy as np

    from detente.simulation.sample import sample_batches

    rng = np.random.default_rng(seed)
    tables = sample_batches(solution, draws=draws, rng=rng, periods=solving.periods)
    try:
        (write_json if as_json else write_csv)(tables)
    except BrokenPipeError:  # the reader has had enough; nothing is left to be flushed at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if unsolved:
        raise typer.Exit(1)


def write_csv(tables: Iterable[pd.DataFrame]) -> None:
    """Tables with the same columns as one table in CSV, each as soon as it is there."""
    for k, table in enumerate(tables):
        with _whole():
            out = csv.writer(sys.stdout, lineterminator="\n")
            if k == 0:
                out.writerow(map(as_cell, table.columns))
            out.writerows(map(as_cell, row) for row in _rows(table))


def write_json(tables: Iterable[pd.DataFrame]) -> None:
    """The same as a list of records, one in a line. The list is closed also when interrupted."""
    begin = "["
    try:
        for table in tables:
            names = [str(name) for name in table.columns]
            with _whole():
                for row in _rows(table):
                    told: dict[str, Any] = dict(zip(names, row, strict=True))
                    text = escaped_json(json.dumps(told, ensure_ascii=False, allow_nan=False))
                    sys.stdout.write(f"{begin}\n{text}")
                    begin = ","
    finally:
        sys.stdout.write("[]\n" if begin == "[" else "\n]\n")


def _rows(table: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    return zip(*(table[name].tolist() for name in table.columns), strict=True)


@contextmanager
def _whole() -> Iterator[None]:
    """What the block writes is written whole: Ctrl-C waits for its end."""
    met: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: met.append(number))
    try:
        yield
        sys.stdout.flush()
    finally:
        signal.signal(signal.SIGINT, before)
    if met:
        raise KeyboardInterrupt
