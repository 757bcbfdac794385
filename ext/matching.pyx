# cython: autotestdict=False
"""The cheapest assignment of rows to columns, sparse and exact.

Successive shortest augmenting paths over reduced costs, after an augmenting row reduction (R. Jonker, A. Volgenant: A
shortest augmenting path algorithm for dense and sparse linear assignment problems, Computing 38, 1987). Of each row
only its cheapest ways are sorted and looked at, as in LAPMOD (A. Volgenant: Linear and semi-assignment problems: a core
oriented approach, Computers & Operations Research 23, 1996); the others follow where the bound does not cut them off.
"""

from libc.stdint cimport INT64_MAX, int32_t, int64_t
from libc.stdlib cimport free, malloc, qsort

import numpy as np

UNMATCHED = -1

cdef int64_t LARGEST = <int64_t>1 << 60


cdef enum:
    SAMPLE = 32  # ways of a row that are looked at to tell which of all are cheap
    FEW = 96     # so many are sorted by bucket and insertion
    BUCKETS = 32

cdef struct Way:
    int64_t cost
    int32_t column

cdef struct Search:
    # Rows may take columns; `alone` is each row's way to stay without, an own column that no other row can take.
    # Columns' prices never rise above 0, so that a way's cost bounds its reduced cost: sorted ways may be cut off.
    Py_ssize_t n
    const int64_t* starts
    const int32_t* columns
    const int64_t* costs
    const int64_t* alone
    Way** ways          # of each row: its cheapest ways by (cost, column)
    int64_t* sorted     # of each row: how many those are
    Way* first          # room for the first ones of every row, one behind the other,
    int64_t used        # up to here
    Way* more           # and from starts[r] on for more of row r
    int64_t* v          # price of each column; 0 while nobody has it
    int32_t* taken      # of each row: its column, -1 free, -2 alone
    int64_t* paid       # of each row: the cost of that way
    int32_t* row        # of each column, -1
    int64_t* dist       # of each column in the heap
    int32_t* pred       # of each column: the row from which it was reached,
    int64_t* step       # and the cost of that way
    int32_t* heap
    int32_t* place      # of each column in the heap; -1 not seen, -2 done
    int32_t* seen


cdef int _by_cost(const void* a, const void* b) noexcept nogil:
    cdef const Way* x = <const Way*>a
    cdef const Way* y = <const Way*>b
    if x.cost != y.cost:
        return -1 if x.cost < y.cost else 1
    return x.column - y.column


cdef int64_t _cheap(Search* s, Py_ssize_t r, Py_ssize_t share) noexcept nogil:
    # A cost that about `share` of 16 of the row's ways do not exceed: of a sample, so many are kept sorted.
    cdef int64_t sample[SAMPLE]
    cdef int64_t e = s.starts[r], end = s.starts[r + 1], stride = (end - e) // SAMPLE + 1, cost
    cdef Py_ssize_t size = 0, k, keep = (end - e + stride - 1) // stride * share // 16 + 1
    while e < end:
        cost = s.costs[e]
        e += stride
        if size < keep:
            size += 1
        elif cost >= sample[keep - 1]:
            continue
        k = size - 1
        while k and sample[k - 1] > cost:
            sample[k] = sample[k - 1]
            k -= 1
        sample[k] = cost
    return sample[keep - 1]


cdef void _sort_few(Way* ways, Py_ssize_t size) noexcept nogil:
    # Into buckets by cost, and then by insertion, which has little left to move.
    cdef Way room[FEW]
    cdef Way way
    cdef int64_t low = ways[0].cost, high = ways[0].cost
    cdef int32_t begins[BUCKETS + 1]
    cdef Py_ssize_t e, k
    cdef int shift = 0
    for e in range(1, size):
        low = min(low, ways[e].cost)
        high = max(high, ways[e].cost)
    while (high - low) >> shift >= BUCKETS:
        shift += 1
    for k in range(BUCKETS + 1):
        begins[k] = 0
    for e in range(size):
        room[e] = ways[e]
        begins[((ways[e].cost - low) >> shift) + 1] += 1
    for k in range(BUCKETS):
        begins[k + 1] += begins[k]
    for e in range(size):
        k = (room[e].cost - low) >> shift
        ways[begins[k]] = room[e]
        begins[k] += 1
    for e in range(1, size):
        way = ways[e]
        k = e
        while k and (
            ways[k - 1].cost > way.cost or ways[k - 1].cost == way.cost and ways[k - 1].column > way.column
        ):
            ways[k] = ways[k - 1]
            k -= 1
        ways[k] = way


cdef bint _more(Search* s, Py_ssize_t r) noexcept nogil:
    # Sort more of a row's ways: the cheap ones first, then nearly half, then all. Whether there were more.
    cdef int64_t e, end = s.starts[r + 1], whole = end - s.starts[r], before = s.sorted[r], limit
    cdef Way* ways = s.more + s.starts[r] if before else s.first + s.used
    cdef Py_ssize_t size, share = 2
    if before == whole:
        return False
    while s.sorted[r] == before:
        limit = INT64_MAX if share == 16 or whole <= FEW else _cheap(s, r, share)
        size = 0
        for e in range(s.starts[r], end):
            ways[size].cost = s.costs[e]
            ways[size].column = s.columns[e]
            size += s.costs[e] <= limit
            if size == whole:
                break
        share = 7 if share == 2 else 16
        if size <= before:
            continue
        if size > FEW:
            qsort(ways, size, sizeof(Way), _by_cost)
        else:
            _sort_few(ways, size)
        s.sorted[r] = size
        s.ways[r] = ways
        if before == 0:
            s.used += size
    return True


cdef void _reduce_rows(Search* s) noexcept nogil:
    # Augmenting row reduction of Jonker and Volgenant: a free row takes its cheapest column and lowers the column's
    # price until its second best would do as well; who had the column is free again. Bounded: prices may haggle.
    cdef Py_ssize_t i, e, tries, turn
    cdef int64_t x, least, second, paid
    cdef int32_t j, first, r, owner
    cdef Way* ways
    for turn in range(2):
        for i in range(s.n):
            r = <int32_t>i
            tries = 0
            while r >= 0 and s.taken[r] == -1 and tries < 16:
                tries += 1
                least = s.alone[r]
                second = LARGEST
                first = -1
                paid = 0
                e = 0
                while e < s.sorted[r] or _more(s, r):
                    ways = s.ways[r]
                    if ways[e].cost >= second:
                        break
                    j = ways[e].column
                    x = ways[e].cost - s.v[j]
                    if x < least:
                        second = least
                        least = x
                        first = j
                        paid = ways[e].cost
                    elif x < second:
                        second = x
                    e += 1
                if first < 0:
                    s.taken[r] = -2
                    break
                owner = s.row[first]
                if second == least and owner >= 0:
                    break  # a tie for a taken column: left to the shortest paths
                s.v[first] -= second - least
                s.row[first] = r
                s.taken[r] = first
                s.paid[r] = paid
                if owner >= 0:
                    s.taken[owner] = -1
                r = owner


cdef inline void _raise(Search* s, Py_ssize_t k, int32_t j) noexcept nogil:
    cdef Py_ssize_t above
    cdef int64_t x = s.dist[j]
    while k > 0:
        above = (k - 1) >> 1
        if s.dist[s.heap[above]] <= x:
            break
        s.heap[k] = s.heap[above]
        s.place[s.heap[k]] = <int32_t>k
        k = above
    s.heap[k] = j
    s.place[j] = <int32_t>k


cdef inline void _sink(Search* s, Py_ssize_t size, int32_t j) noexcept nogil:
    cdef Py_ssize_t k = 0, under
    cdef int64_t x = s.dist[j]
    while True:
        under = 2 * k + 1
        if under >= size:
            break
        if under + 1 < size and s.dist[s.heap[under + 1]] < s.dist[s.heap[under]]:
            under += 1
        if s.dist[s.heap[under]] >= x:
            break
        s.heap[k] = s.heap[under]
        s.place[s.heap[k]] = <int32_t>k
        k = under
    s.heap[k] = j
    s.place[j] = <int32_t>k


cdef void _augment(Search* s, int32_t start) noexcept nogil:
    # Dijkstra over reduced costs from a free row to the nearest free column, or to the nearest row that had better
    # stay alone. Free columns are never queued: they only lower the bound beyond which nothing is queued.
    cdef Py_ssize_t e, k, size = 0, seen = 0
    cdef int64_t base = 0, x, bound = 4 * LARGEST - 1
    cdef int32_t r = start, j, goal = -1, leaver = start, given
    cdef Way* ways
    while True:
        if base + s.alone[r] < bound:
            bound = base + s.alone[r]
            goal = -1
            leaver = r
        e = 0
        while e < s.sorted[r] or _more(s, r):
            ways = s.ways[r]
            if base + ways[e].cost >= bound:
                break
            j = ways[e].column
            x = base + ways[e].cost - s.v[j]
            e += 1
            if x >= bound or s.place[j] == -2:
                continue
            if s.row[j] < 0:
                bound = x
                goal = j
            elif s.place[j] == -1:
                s.seen[seen] = j
                seen += 1
                s.dist[j] = x
                _raise(s, size, j)
                size += 1
            elif x < s.dist[j]:
                s.dist[j] = x
                _raise(s, s.place[j], j)
            else:
                continue
            s.pred[j] = r
            s.step[j] = ways[e - 1].cost
        if size == 0 or s.dist[s.heap[0]] >= bound:
            break
        j = s.heap[0]
        size -= 1
        if size:
            _sink(s, size, s.heap[size])
        s.place[j] = -2
        r = s.row[j]
        base = s.dist[j] - (s.paid[r] - s.v[j])
    for k in range(seen):
        j = s.seen[k]
        if s.place[j] == -2:
            s.v[j] += s.dist[j] - bound
        s.place[j] = -1
    # Along the path each row takes the column it was led to, and gives up its own to the row before it.
    j = goal
    if goal < 0:
        j = s.taken[leaver]
        s.taken[leaver] = -2
        r = leaver
    while j >= 0 and not (goal < 0 and r == start):
        r = s.pred[j]
        given = s.taken[r]
        s.taken[r] = j
        s.paid[r] = s.step[j]
        s.row[j] = r
        if r == start:
            break
        j = given


cdef bint _ascend(const int64_t[::1] starts, const int32_t[::1] columns, Py_ssize_t width) noexcept nogil:
    # Whether every row's columns are within the width and ascend, so that none is named twice.
    cdef Py_ssize_t i, e
    cdef int32_t falls = 0
    for i in range(starts.shape[0] - 1):
        if starts[i] == starts[i + 1]:
            continue
        if columns[starts[i]] < 0 or columns[starts[i + 1] - 1] >= width:
            return False
        for e in range(starts[i], starts[i + 1] - 1):
            falls |= columns[e] >= columns[e + 1]
    return not falls


cdef int _check_rows(
    const int64_t[::1] starts, const int32_t[::1] columns, const int64_t[::1] costs, Py_ssize_t width
) except -1:
    cdef Py_ssize_t n = starts.shape[0] - 1, i
    if n < 0 or starts[0] != 0 or starts[n] != columns.shape[0] or costs.shape[0] != columns.shape[0]:
        raise ValueError("`starts` leads from 0 to the number of columns and costs")
    if width < 0 or width > 0x7FFFFFFE or n > 0x7FFFFFFE:
        raise ValueError("there are at most 2**31 - 2 rows and columns")
    for i in range(n):
        if starts[i] > starts[i + 1]:
            raise ValueError("`starts` never falls")
    if not _ascend(starts, columns, width):
        named = np.asarray(columns)
        if named.min() < 0 or named.max() >= width:
            raise ValueError("a column is from 0 to `width` - 1")
        pairs = np.repeat(np.arange(n), np.diff(starts)) * width + named
        if len(np.unique(pairs)) < len(pairs):
            raise ValueError("a row names a column twice")
    return 0


cdef object _solve(
    const int64_t[::1] starts, const int32_t[::1] columns, const int64_t[::1] costs, Py_ssize_t width, alone
):
    """Column of each row, -2 for a row that stays alone, and the cost of that."""
    _check_rows(starts, columns, costs, width)
    cdef Py_ssize_t n = starts.shape[0] - 1, i, edges = columns.shape[0]
    low, high = (int(np.min(costs)), int(np.max(costs))) if edges else (0, 0)
    if alone is None:
        # Dearer than whatever the other rows could save by it.
        alone = [min(low + n * (high - low) + 1, 2**62)] * n
    elif alone.shape != (n,):
        raise ValueError("`alone` has one cost per row")
    cdef const int64_t[::1] own = np.ascontiguousarray(alone, np.int64)
    most = max(high, -low, *(abs(int(f(own))) for f in (np.min, np.max)), 1) if n else 1
    if most >= 2**58 or max(high, -low) * (n + 1) >= 2**61:
        raise ValueError("the costs are too large: their sums do not fit into int64")
    taken, paid = np.full(n, -1, np.int32), np.array(own)
    if n == 0:
        return taken, paid
    if edges == 0:
        taken[:] = -2
        return taken, paid
    cdef int32_t[::1] column = taken
    cdef int64_t[::1] cost = paid
    cdef int64_t[:, ::1] long_work = np.zeros((4, max(width, n)), np.int64)
    cdef int32_t[:, ::1] work = np.full((5, width), -1, np.int32)
    cdef Search s
    s.n, s.starts, s.columns, s.costs, s.alone = n, &starts[0], &columns[0], &costs[0], &own[0]
    s.taken, s.paid = &column[0], &cost[0]
    s.v, s.dist, s.step, s.sorted = &long_work[0, 0], &long_work[1, 0], &long_work[2, 0], &long_work[3, 0]
    s.row, s.pred, s.heap, s.place, s.seen = &work[0, 0], &work[1, 0], &work[2, 0], &work[3, 0], &work[4, 0]
    s.used = 0
    s.ways = <Way**>malloc(n * sizeof(Way*))
    s.first = <Way*>malloc(2 * edges * sizeof(Way))  # pages that are never written to cost nothing
    if s.ways == NULL or s.first == NULL:
        free(s.ways)
        free(s.first)
        raise MemoryError
    s.more = s.first + edges
    with nogil:
        _reduce_rows(&s)
        for i in range(n):
            if s.taken[i] == -1:
                _augment(&s, <int32_t>i)
    free(s.ways)
    free(s.first)
    alone_at = taken < 0
    paid[alone_at] = np.asarray(own)[alone_at]
    return taken, paid


def assign(
    const int64_t[::1] starts not None, const int32_t[::1] columns not None, const int64_t[::1] costs not None,
    Py_ssize_t width, alone=None,
):
    """The column of each row, int32 (n), -1 for a row left without: the cheapest assignment."""
    taken, _ = _solve(starts, columns, costs, width, alone)
    return np.maximum(taken, np.int32(UNMATCHED))


def bound(
    const int64_t[::1] starts not None, const int32_t[::1] columns not None, const int64_t[::1] costs not None,
    Py_ssize_t width, alone=None,
):
    """The sum that `assign` reaches, `alone` included."""
    taken, paid = _solve(starts, columns, costs, width, alone)
    return int((paid[taken >= 0] if alone is None else paid).sum())
