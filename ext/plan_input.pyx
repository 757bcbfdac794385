# cython: autotestdict=False
"""What comes into the planner: checked arrays, neighbours of tasks, packed parts."""

import numpy as np

MOST_TICKS = (1 << 28) - 1
"""Times, services and travels are at most this, so that their sums stay in 32 bits."""
BEGIN_NEAR = 8


def numbers(name, value, shape, low, high, default=None, dtype=np.int32):
    """`value` as a contiguous array of `shape`; `default` everywhere if it is None. A single number stands for
    all. Raises ValueError for another shape, for what is no integer, and for values outside [low, high]."""
    if value is None:
        if default is None:
            raise ValueError(f"{name} is missing")
        return np.full(shape, default, dtype)
    array = np.asarray(value)
    if array.ndim == 0:
        array = np.full(shape, array)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, not {shape}")
    if array.size == 0:
        return np.zeros(shape, dtype)
    if array.dtype.kind not in "iub":
        raise ValueError(f"{name} must be integers, not {array.dtype}")
    least, most = int(array.min()), int(array.max())
    if least < low or most > high:
        raise ValueError(f"{name} must be from {low} to {high}, not {least if least < low else most}")
    return np.ascontiguousarray(array, dtype)


def packed_parts(name, value, rows, kinds):
    """Parts int32[rows, kinds] as uint64[rows, words], four fields of 16 bits a word."""
    given = numbers(name, value, (rows, kinds), 0, 32767, 0, np.int64)
    words = (kinds + 3) // 4
    whole = np.zeros((rows, words * 4), np.uint64)
    whole[:, :kinds] = given
    shifts = np.array([0, 16, 32, 48], np.uint64)
    return np.ascontiguousarray((whole.reshape(rows, words, 4) << shifts).sum(axis=2, dtype=np.uint64))


def open_bits(bits, pinned, crews):
    """Eligibility uint64[J, words] with only the pinned crew left where one is (-1: none)."""
    bits = bits.copy()
    spare = bits.shape[1] * 64 - crews
    if spare and bits.size:
        # Bits behind the last crew mean nothing.
        bits[:, -1] &= np.uint64((1 << (64 - spare)) - 1) if spare < 64 else np.uint64(0)
    rows = np.flatnonzero(pinned >= 0)
    if rows.size:
        only = np.zeros((rows.size, bits.shape[1]), np.uint64)
        crew = pinned[rows].astype(np.uint64)
        only[np.arange(rows.size), (crew >> np.uint64(6)).astype(np.intp)] = np.uint64(1) << (crew & np.uint64(63))
        bits[rows] &= only
    return np.ascontiguousarray(bits)


def _nearest(key, most):
    """Per row the columns of the `most` least keys, in order. Keys of one row differ."""
    if most < key.shape[1]:
        columns = np.argpartition(key, most - 1, axis=1)[:, :most]
    else:
        columns = np.broadcast_to(np.arange(most), key.shape)
    order = np.argsort(np.take_along_axis(key, columns, axis=1), axis=1)
    return np.ascontiguousarray(np.take_along_axis(columns, order, axis=1), np.int32)


def neighbours(travel, service, opens, closes, most):
    """For every task the nearest ones, itself first, by place and by time and place, int32[J, near] each, and the
    mean travel to them. `travel` is int32[J, J]; ties go to the lower number."""
    tasks = travel.shape[0]
    near = min(most, tasks)
    both = np.minimum(travel, travel.T).astype(np.int64)
    np.fill_diagonal(both, -1)
    ids = np.arange(tasks, dtype=np.int64)
    by_place = _nearest(both * tasks + ids, near)
    mean = int(np.take_along_axis(both, by_place, axis=1)[:, 1:].sum()) // max(tasks * (near - 1), 1)
    # From i to j: travel, and a fifth of the waiting that cannot be avoided; pairs that no order allows come last.
    free = (opens.astype(np.int64) + service)[:, None] + travel
    wait = opens.astype(np.int64)[None, :] - service[:, None] - travel - closes[:, None]
    there = travel + np.maximum(wait, 0) // 5
    there[free > closes[None, :]] = MOST_TICKS
    there = np.minimum(there, there.T)
    np.fill_diagonal(there, -1)
    return by_place, _nearest(there * tasks + ids, near), max(mean, 1)


def _as_bits(flags):
    """Flags [J, K] as uint64[J, words]."""
    words = (flags.shape[1] + 63) // 64
    whole = np.zeros((flags.shape[0], words * 64), np.uint8)
    whole[:, : flags.shape[1]] = flags
    return np.packbits(whole, axis=1, bitorder="little").view(np.uint64).reshape(flags.shape[0], words)


def crews_of_tasks(travel, bits):
    """For every task how many crews may have it, the mean travel of those from where they are, and the BEGIN_NEAR
    of them that are nearest, as bits.

    `travel` is int32[K, J], `bits` uint64[J, words]; ties go to the lower number."""
    crews, tasks = travel.shape
    if not bits.size:
        return np.zeros(tasks, np.int32), np.zeros(tasks, np.int64), np.zeros_like(bits)
    may = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little", count=crews)
    choice = may.sum(axis=1, dtype=np.int64)
    far = (travel.T * may.astype(np.int64)).sum(axis=1) // np.maximum(choice, 1)
    near = min(BEGIN_NEAR, crews)
    key = np.where(may, travel.T.astype(np.int64), MOST_TICKS) * crews + np.arange(crews)
    flags = np.zeros_like(may)
    np.put_along_axis(flags, np.argpartition(key, near - 1, axis=1)[:, :near], 1, axis=1)
    return choice.astype(np.int32), far, _as_bits(flags & may)
