"""Data for programs: what is missing is null, tables are found by name, cells are harmless."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd

from detente.render.data import tables, to_csv, to_json
from detente.scenario.frozen import Frozen
from detente.simulation.columns import Columns

FRAME = pd.DataFrame({"name": ["a", "=1+1"], "value": [1.5, math.nan]})
OWN = Columns(Frozen({"t": np.array([1, 2]), "p": np.array([0.5, math.inf])}))


def test_what_is_missing_is_null() -> None:
    data = {"frame": FRAME, "own": OWN, "error": math.nan, "pair": (1, "x")}
    assert json.loads(to_json(data)) == {
        "frame": [{"name": "a", "value": 1.5}, {"name": "=1+1", "value": None}],
        "own": [{"t": 1, "p": 0.5}, {"t": 2, "p": None}],
        "error": None,
        "pair": [1, "x"],
    }


def test_tables_are_named_after_where_they_are() -> None:
    rows = [{"name": "odds", "range": (0, 1)}]
    data = {"frame": FRAME, "terms": {"trust": {"soft": OWN}}, "ledger": rows, "sha256": "…"}
    assert [name for name, _ in tables(data)] == ["frame", "terms-trust-soft", "ledger"]


def test_cells_are_harmless() -> None:
    assert to_csv(FRAME) == "name,value\na,1.5\n'=1+1,\n"
    assert to_csv(OWN, header=False) == "1,0.5\n2,inf\n"
    assert to_csv([{"name": "odds", "range": (0, 1)}]) == "name,range\nodds,0; 1\n"
