"""What comes into the planner: checked arrays, neighbours of tasks, packed parts."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

BEGIN_NEAR: int
MOST_TICKS: int

def numbers(
    name: str,
    value: ArrayLike | None,
    shape: tuple[int, ...],
    low: int,
    high: int,
    default: int | None = None,
    dtype: type[np.generic] = ...,
) -> NDArray[Any]:
    """`value` as a contiguous array of `shape`; `default` everywhere if it is None. A single number
    stands for
    all. Raises ValueError for another shape, for what is no integer, and for values outside [low,
    high]."""

def packed_parts(name: str, value: ArrayLike | None, rows: int, kinds: int) -> NDArray[np.uint64]:
    """Parts int32[rows, kinds] as uint64[rows, words], four fields of 16 bits a word."""

def open_bits(
    bits: NDArray[np.uint64], pinned: NDArray[np.int32], crews: int
) -> NDArray[np.uint64]:
    """Eligibility uint64[J, words] with only the pinned crew left where one is (-1: none)."""

def neighbours(
    travel: NDArray[np.int32],
    service: NDArray[np.int32],
    opens: NDArray[np.int32],
    closes: NDArray[np.int32],
    most: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """For every task the nearest ones, itself first, by place and by time and place, int32[J, near]
    each, and the
    mean travel to them. `travel` is int32[J, J]; ties go to the lower number."""

def crews_of_tasks(
    travel: NDArray[np.int32], bits: NDArray[np.uint64]
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.uint64]]:
    """For every task how many crews may have it, the mean travel of those from where they are, and
    the BEGIN_NEAR of them that are nearest, as bits.

    `travel` is int32[K, J], `bits` uint64[J, words]; ties go to the lower number."""
