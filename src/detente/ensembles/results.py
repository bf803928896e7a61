"""`Ensemble`: the results of a run, read from its folder as they are asked for.

Only what is asked for is read: a table of one number has a row for each draw and a column for each
policy, however many other numbers there are.
"""

from __future__ import annotations

import shutil
import weakref
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from detente.ensembles.parts import DIED, cast, connect, named, quoted, scan
from detente.ensembles.rows import SOLVED, input_column
from detente.ensembles.store import read_manifest, sound_parts
from detente.errors import refuse
from detente.notebook import InNotebook
from detente.scenario.hints import did_you_mean


class Ensemble(InNotebook):
    """What a run has found. Made by `ensemble` and `open_ensemble`.

    It is what the folder held when it was opened, which it can be while the run is under way: then
    without the last seconds.
    Draw 0 has the present values and counts in no statistic; draws are counted from 1.

    folder
        Where it is.
    manifest
        What is solved; `manifest.scenario()` is the scenario.
    done
        Draws that have been solved, or tried.
    complete
        Whether nothing is missing.
    """

    def __init__(self, folder: Path, *, temporary: bool = False) -> None:
        self.folder = folder
        if temporary:
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        manifest = self.manifest = read_manifest(folder)
        self._types = manifest.columns()
        self._database = connect()
        self._open()
        keys = self.sql("SELECT DISTINCT draw, beliefs FROM rows")
        self.done = int(((keys["draw"] > 0) & (keys["beliefs"] == manifest.beliefs)).sum())
        self.complete = len(keys) == manifest.n_tasks

    def _open(self) -> None:
        """Make the view of all rows: those of a task whose process died count if there are no
        others."""
        columns = cast(self._types)
        parts = sound_parts(self.folder).whole
        listed = ", ".join(f"{named(column)} {kind}" for column, kind in self._types.items())
        run = self._database.execute
        run(f"CREATE OR REPLACE TABLE last_part ({listed})")
        tables = ["last_part", *([scan(parts[:-1])] if parts[:-1] else [])]
        try:
            if parts:
                run(f"INSERT INTO last_part SELECT {columns} FROM {scan(parts[-1:])}")
        except duckdb.IOException:
            if not parts[-1].exists():  # it has just been written anew
                self._open()
                return
            raise
        union = " UNION ALL ".join(f"SELECT {columns} FROM {table}" for table in tables)
        run(f"CREATE VIEW parts AS {union}")
        keys = "SELECT draw, beliefs FROM parts WHERE"
        run(f"CREATE TABLE retried AS {keys} {DIED} INTERSECT {keys} NOT {DIED}")
        gone = f"{DIED} AND (draw, beliefs) IN (SELECT (draw, beliefs) FROM retried)"
        run(f"CREATE VIEW rows AS SELECT * FROM parts WHERE NOT ({gone})")

    def __repr__(self) -> str:
        manifest = self.manifest
        lost = self.failures["draw"].nunique()
        of_all = f" of {manifest.draws:,}" if self.done < manifest.draws else ""
        draws = f"{self.done:,}{of_all} {'draw' if self.done == 1 else 'draws'}"
        policies = ", ".join(repr(policy) for policy in manifest.policies)
        failed = f"; {lost:,} with a failure" if lost else ""
        return f"<Ensemble of {manifest.name!r}: {draws} under {policies}{failed}>"

    def _main_table(self) -> pd.DataFrame:
        return self.failures

    @property
    def inputs(self) -> pd.DataFrame:
        """What was drawn: a row for each draw, a column for each quantity."""
        quantities = self.manifest.quantities
        columns = [f"{named(input_column(name))} AS {named(name)}" for name in quantities]
        first = f"policy = {quoted(self.manifest.policies[0])}"
        return self._select(", ".join(["draw", *columns]), self._drawn(first)).set_index("draw")

    @property
    def rows(self) -> pd.DataFrame:
        """All rows of draws: one for each draw and policy."""
        return self._select("*", self._drawn())

    @property
    def present(self) -> pd.DataFrame:
        """The rows of the present values."""
        return self._select("*", "draw = 0")

    @property
    def checks(self) -> pd.DataFrame:
        """The rows of draws that were solved once more on the finer grid."""
        return self._select("*", self._finer())

    @property
    def failures(self) -> pd.DataFrame:
        """Draws that failed under a policy, and why: `draw, policy, status, reason`."""
        failed = self._drawn(f"status <> {quoted(SOLVED)}")
        return self._select("draw, policy, status, reason", failed)

    def values(self, column: str) -> pd.DataFrame:
        """One number: a row for each draw, a column for each policy; NaN where a row failed.

        Raises
        ------
        ScenarioError
            If the run has no such number.
        """
        return self._values(column, self._drawn())

    def errors(self, column: str) -> pd.Series:
        """How far the belief grid can be off, by policy: the largest change on the finer grid.

        Of the difference from the policy `against`, as policies are compared by it; of that policy
        the change of its own number. NaN where no draw has been checked.
        """
        fine = self._values(column, self._finer())
        checked = ", ".join(str(draw) for draw in [-1, *fine.index])
        change = self._values(column, self._drawn(f"draw IN ({checked})")) - fine
        base = self.manifest.against
        others = change.columns != base
        change.loc[:, others] = change.loc[:, others].sub(change[base], axis=0)
        return change.abs().max()

    def sql(self, query: str) -> pd.DataFrame:
        """The answer to a query in DuckDB's SQL; the view `rows` has all rows."""
        table: pd.DataFrame = self._database.sql(query).df()
        return table

    def _values(self, column: str, where: str) -> pd.DataFrame:
        if self._types.get(column) != "DOUBLE":
            numbers = [name for name, kind in self._types.items() if kind == "DOUBLE"]
            message = f"the run has no number {column!r}"
            refuse("column", "unknown-name", message, did_you_mean(column, numbers))
        table = self._select(f"draw, policy, {named(column)} AS value", where)
        wide = table.pivot(index="draw", columns="policy", values="value").astype(np.float64)
        return wide.reindex(columns=list(self.manifest.policies)).rename_axis(columns="policy")

    def _select(self, columns: str, where: str) -> pd.DataFrame:
        policies = ", ".join(quoted(policy) for policy in self.manifest.policies)
        order = f"ORDER BY draw, list_position([{policies}], policy), beliefs"
        return self.sql(f"SELECT {columns} FROM rows WHERE {where} {order}")

    def _drawn(self, condition: str = "true") -> str:
        return f"draw > 0 AND beliefs = {self.manifest.beliefs} AND {condition}"

    def _finer(self) -> str:
        manifest = self.manifest
        return f"draw > 0 AND beliefs = {manifest.check_beliefs}" if manifest.checked else "false"


def open_ensemble(path: str | Path) -> Ensemble:
    """The results in a folder that `detente ensemble` or `ensemble` has written.

    Raises
    ------
    ScenarioError
        If there are none, or they cannot be read.
    """
    return Ensemble(Path(path))
