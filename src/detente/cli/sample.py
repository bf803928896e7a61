"""`detente sample`: histories as they are drawn, for spreadsheets and for programs."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from detente.arguments import MOST_DRAWS
from detente.cli import console
from detente.cli.groups import with_groups
from detente.cli.inputs import Json, Seed, Source
from detente.cli.options import ForecastOptions, PolicyOptions
from detente.render.data import records, to_csv, to_json

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
    import numpy as np

    from detente.describe.words import unsolved
    from detente.simulation.sample import sample_batches

    lost = console.say_unsolved(unsolved({"": solution.status}))

    rng = np.random.default_rng(seed)
    tables = sample_batches(solution, draws=draws, rng=rng, periods=solving.periods)
    try:
        (write_json if as_json else write_csv)(tables)
    except BrokenPipeError:  # the reader has had enough; nothing is left to be flushed at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if lost:
        raise typer.Exit(1)


def write_csv(tables: Iterable[pd.DataFrame]) -> None:
    """Tables with the same columns as one table in CSV, each as soon as it is there."""
    for k, table in enumerate(tables):
        with _whole():
            sys.stdout.write(to_csv(table, header=k == 0))


def write_json(tables: Iterable[pd.DataFrame]) -> None:
    """The same as a list of records, one in a line. The list is closed also when interrupted."""
    begin = "["
    try:
        for table in tables:
            with _whole():
                for record in records(table):
                    sys.stdout.write(f"{begin}\n{to_json(record, indent=None)}")
                    begin = ","
    finally:
        sys.stdout.write("[]\n" if begin == "[" else "\n]\n")


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
