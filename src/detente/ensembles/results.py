"""`Ensemble`: the results of a run, read from its folder as they are asked for.

Only what is asked for is read: a table of one number has a row for each draw and a column for each
policy, however many other numbers there are.
"""

from __future__ import annotations

import shutil
import weakref
from pathlib import Path

import numpy as np
import pandas as pd

from detente.ensembles.batch import SOLVED
from detente.ensembles.columns import input_column
from detente.ensembles.manifest import Manifest
from detente.ensembles.row_files import connect, named, quoted, scan
from detente.ensembles.store import contents, read_manifest
from detente.errors import Diagnostic, Place, ScenarioError
from detente.scenario.hints import did_you_mean
from detente.scenario.notebook import InNotebook


class Ensemble(InNotebook):
    """What a run has found. Made by `ensemble` and `open_ensemble`.

    It is what the folder held when it was opened, which it can be while the run is under way; but
    worlds whose process died leave it when the run is resumed.
    World 0 has the present values and counts in no statistic; draws are counted from 1.

    folder
        Where it is.
    manifest
        What was asked; `manifest.scenario()` is the scenario.
    done
        Draws that have been solved, or tried.
    complete
        Whether nothing is missing.
    """

    def __init__(self, folder: Path, *, temporary: bool = False) -> None:
        self.folder = folder
        if temporary:
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.manifest: Manifest = read_manifest(folder)
        found = contents(folder, self.manifest)
        manifest = self.manifest
        self.done = sum(d > 0 and points == manifest.beliefs for d, points in found.worlds)
        self.complete = len(found.worlds) == manifest.worlds
        self._database = connect()
        self._database.register("journal", found.rows.frame())
        types = self._types = found.rows.types
        listed = ", ".join(f"CAST({named(c)} AS {t}) AS {named(c)}" for c, t in types.items())
        tables = ["journal", *([scan(found.parts)] if found.parts else [])]
        union = " UNION ALL ".join(f"SELECT {listed} FROM {table}" for table in tables)
        self._database.execute(f"CREATE VIEW worlds AS {union}")

    def __repr__(self) -> str:
        manifest = self.manifest
        lost = self.failures["draw"].nunique()
        done = (
            f"{self.done:,} of {manifest.draws:,}"
            if self.done < manifest.draws
            else f"{self.done:,}"
        )
        worlds = f"{done} {'world' if self.done == 1 else 'worlds'}"
        policies = ", ".join(repr(policy) for policy in manifest.policies)
        failed = f"; {lost:,} with a failure" if lost else ""
        return f"<Ensemble of {manifest.name!r}: {worlds} under {policies}{failed}>"

    def _main_table(self) -> pd.DataFrame:
        return self.failures

    @property
    def inputs(self) -> pd.DataFrame:
        """What was drawn: a row for each draw, a column for each quantity."""
        columns = [
            f"{named(input_column(name))} AS {named(name)}" for name in self.manifest.quantities
        ]
        first = f"policy = {quoted(self.manifest.policies[0])}"
        table = self.sql(f"SELECT {', '.join(['draw', *columns])} FROM worlds {self._main(first)}")
        return table.set_index("draw")

    @property
    def worlds(self) -> pd.DataFrame:
        """All rows of draws: one for each draw and policy."""
        return self.sql(f"SELECT * FROM worlds {self._main()}")

    @property
    def present(self) -> pd.DataFrame:
        """The rows of the present values."""
        return self.sql(f"SELECT * FROM worlds WHERE draw = 0 {self._order()}")

    @property
    def checks(self) -> pd.DataFrame:
        """The rows of draws that were solved once more on the finer grid."""
        return self.sql(f"SELECT * FROM worlds {self._finer()}")

    @property
    def failures(self) -> pd.DataFrame:
        """Draws that failed under a policy, and why: `draw, policy, status, reason`."""
        where = self._main(f"status <> {quoted(SOLVED)}")
        return self.sql(f"SELECT draw, policy, status, reason FROM worlds {where}")

    def values(self, column: str) -> pd.DataFrame:
        """One number: a row for each draw, a column for each policy; NaN where a row failed.

        Raises
        ------
        ScenarioError
            If the run has no such number.
        """
        return self._values(column, self._main())

    def errors(self, column: str) -> pd.Series:
        """How far the belief grid can be off, by policy: the largest change on the finer grid.

        Of the difference from the policy `against`, as policies are compared by it; of that policy
        the change of its own number. NaN where no world has been checked.
        """
        fine = self._values(column, self._finer())
        coarse = self._values(column, f"WHERE draw IN {self._drawn(fine)} AND {self._usual()}")
        change = (coarse - fine).reindex(columns=list(self.manifest.policies))
        base = self.manifest.against
        others = change.columns != base
        change.loc[:, others] = change.loc[:, others].sub(change[base], axis=0)
        return change.abs().max()

    def sql(self, query: str) -> pd.DataFrame:
        """The answer to a query in DuckDB's SQL; the view `worlds` has all rows."""
        table: pd.DataFrame = self._database.sql(query).df()
        return table

    def _values(self, column: str, where: str) -> pd.DataFrame:
        if self._types.get(column) != "DOUBLE":
            numbers = [name for name, kind in self._types.items() if kind == "DOUBLE"]
            message = f"the run has no number {column!r}"
            hint = did_you_mean(column, numbers)
            raise ScenarioError([Diagnostic(Place("column"), "unknown-name", message, hint)])
        table = self.sql(f"SELECT draw, policy, {named(column)} AS value FROM worlds {where}")
        wide = table.pivot(index="draw", columns="policy", values="value").astype(np.float64)
        return wide.reindex(columns=list(self.manifest.policies)).rename_axis(columns="policy")

    def _main(self, condition: str = "true") -> str:
        return f"WHERE draw > 0 AND {self._usual()} AND {condition} {self._order()}"

    def _usual(self) -> str:
        return f"beliefs = {self.manifest.beliefs}"

    def _finer(self) -> str:
        manifest = self.manifest
        finer = f"draw > 0 AND beliefs = {manifest.check_beliefs}" if manifest.checked else "false"
        return f"WHERE {finer} {self._order()}"

    def _order(self) -> str:
        policies = ", ".join(quoted(policy) for policy in self.manifest.policies)
        return f"ORDER BY draw, list_position([{policies}], policy), beliefs"

    @staticmethod
    def _drawn(table: pd.DataFrame) -> str:
        return f"({', '.join(str(draw) for draw in [-1, *table.index])})"


def open_ensemble(path: str | Path) -> Ensemble:
    """The results in a folder that `detente ensemble` or `ensemble` has written.

    Raises
    ------
    ScenarioError
        If there are none, or they cannot be read.
    """
    return Ensemble(Path(path))
