"""A table as columns of NumPy: what a forecast is counted into, and printed from.

Pandas takes longer to import than most scenarios take to solve, so it makes a frame of a table only
where one is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from detente.scenario.frozen import Frozen

if TYPE_CHECKING:
    import pandas as pd

Column = NDArray[Any]


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """Columns of equal length by their names, in their order."""

    columns: Frozen[Column]

    @classmethod
    def of(cls, order: Sequence[str], blocks: Iterable[Mapping[str, object]]) -> Columns:
        """The blocks one below the other; where a block has one value, it is that of all its rows.

        Every block has all columns of `order`, one of them at least with a value for each row.
        """
        parts = [[np.atleast_1d(np.asarray(block[name])) for name in order] for block in blocks]
        if not parts:
            return cls(Frozen({name: np.empty(0, object) for name in order}))
        sizes = np.array([next((c.size for c in part if c.size != 1), 1) for part in parts])
        columns = {}
        for name, cells in zip(order, zip(*parts, strict=True), strict=True):
            lengths = np.array([cell.size for cell in cells])
            times = np.where(lengths == 1, sizes, 1)
            below = np.concatenate(cells)
            one_each = (lengths == sizes).all()
            columns[name] = below if one_each else np.repeat(below, np.repeat(times, lengths))
        return cls(Frozen(columns))

    def __len__(self) -> int:
        return int(next(iter(self.columns.values())).size)

    @overload
    def __getitem__(self, wanted: str) -> Column: ...
    @overload
    def __getitem__(self, wanted: Column) -> Columns: ...
    def __getitem__(self, wanted: str | Column) -> Column | Columns:
        """A column by its name, or the rows at which a mask holds or that are numbered."""
        if isinstance(wanted, str):
            return self.columns[wanted]
        return Columns(Frozen({name: column[wanted] for name, column in self.columns.items()}))

    def where(self, /, **equal: object) -> Columns:
        """The rows at which these columns have these values."""
        keep = np.ones(len(self), dtype=bool)
        for name, value in equal.items():
            keep &= self[name] == value
        return self[keep]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each row by column, as plain Python values."""
        for row in zip(*(column.tolist() for column in self.columns.values()), strict=True):
            yield dict(zip(self.columns, row, strict=True))

    def frame(self) -> pd.DataFrame:
        """The same for pandas."""
        import pandas as pd

        return pd.DataFrame(dict(self.columns))
