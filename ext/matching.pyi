"""The cheapest assignment of rows to columns, sparse and exact."""

import numpy as np
from numpy.typing import NDArray

_I32 = NDArray[np.int32]
_I64 = NDArray[np.int64]

UNMATCHED: int
"""-1"""

def assign(
    starts: _I64,
    columns: _I32,
    costs: _I64,
    width: int,
    alone: _I64 | None = None,
) -> _I32:
    """The column of each row, int32 (n), UNMATCHED for a row left without: the cheapest assignment.

    Row i may take the columns `columns[starts[i]:starts[i + 1]]` (0 to `width` - 1, any order) at
    `costs` (int64, any sign). Without `alone` as many rows as possible are matched, and among all
    such matchings the sum of costs is least; with `alone` (n) leaving row i unmatched costs
    `alone[i]` and the sum of everything is least. Exact; rows and columns are taken by number, so
    that the same question always has the same answer. Raises ValueError for malformed rows, a
    column twice in one row, or costs whose sums do not fit into int64.

    Successive shortest augmenting paths (Jonker and Volgenant 1987) over the cheapest ways of each
    row, the others as the bound asks for them (Volgenant 1996).
    """

def bound(starts: _I64, columns: _I32, costs: _I64, width: int, alone: _I64 | None = None) -> int:
    """The sum that `assign` reaches, `alone` included: no plan that gives each column one row at
    most costs less. Rows that cannot be matched without `alone` count nothing."""
