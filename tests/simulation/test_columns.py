"""The tables that a forecast is counted into."""

from __future__ import annotations

import numpy as np
import pytest

from detente.simulation.columns import Columns


def test_blocks_stand_below_each_other_and_single_values_fill_their_rows() -> None:
    blocks = [
        {"who": "one", "t": [1, 2], "share": 0.5, "left": "out"},
        {"who": ["two"], "t": 3, "share": np.nan},
    ]
    table = Columns.of(("who", "t", "share"), blocks)
    assert len(table) == 3
    assert [list(row.values())[:2] for row in table.rows()] == [["one", 1], ["one", 2], ["two", 3]]
    np.testing.assert_array_equal(table["share"], [0.5, 0.5, np.nan])
    assert list(table.where(who="one", t=2).rows()) == [{"who": "one", "t": 2, "share": 0.5}]
    assert list(table[np.array([2, 0])]["t"]) == [3, 1]
    frame = table.frame()
    assert list(frame.columns) == ["who", "t", "share"]
    assert list(frame["who"]) == ["one", "one", "two"]
    assert frame["t"].dtype == np.int64


def test_a_table_of_no_blocks_has_its_columns() -> None:
    table = Columns.of(("t", "self"), [])
    assert not len(table.where(self="x"))
    assert list(table.frame().columns) == ["t", "self"]
    with pytest.raises(KeyError):
        table["missing"]
