"""The cheapest assignment, against trying everything and against a plain Hungarian method."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ext import assignment, matching

Rows = list[dict[int, int]]


def sparse(rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    starts = np.cumsum([0, *(len(row) for row in rows)])
    columns = [j for row in rows for j in row]
    costs = [cost for row in rows for cost in row.values()]
    return np.array(starts, np.int64), np.array(columns, np.int32), np.array(costs, np.int64)


def everything(rows: Rows, alone: list[int] | None) -> tuple[int, int]:
    """Rows matched (0 with `alone`) and cost of the best of all assignments."""
    best: tuple[int, int] | None = None
    for choice in itertools.product(*([None, *row] for row in rows)):
        taken = [j for j in choice if j is not None]
        if len(set(taken)) < len(taken):
            continue
        cost = sum(
            (alone[i] if alone else 0) if j is None else rows[i][j] for i, j in enumerate(choice)
        )
        key = (0 if alone else -len(taken), cost)
        best = key if best is None else min(best, key)
    assert best is not None
    return -best[0], best[1]


def hungarian(cost: list[list[int]]) -> int:
    """Cost of a cheapest full assignment, rows <= columns: the O(n^2 m) method with potentials."""
    n, m = len(cost), len(cost[0])
    u, v, owner = [0] * (n + 1), [0] * (m + 1), [0] * (m + 1)
    for i in range(1, n + 1):
        owner[0], j0 = i, 0
        least, way, used = [1 << 62] * (m + 1), [0] * (m + 1), [False] * (m + 1)
        while owner[j0]:
            used[j0] = True
            delta, j1 = 1 << 62, 0
            for j in range(1, m + 1):
                if used[j]:
                    continue
                reduced = cost[owner[j0] - 1][j - 1] - u[owner[j0]] - v[j]
                if reduced < least[j]:
                    least[j], way[j] = reduced, j0
                if least[j] < delta:
                    delta, j1 = least[j], j
            for j in range(m + 1):
                if used[j]:
                    u[owner[j]] += delta
                    v[j] -= delta
                else:
                    least[j] -= delta
            j0 = j1
        while j0:
            owner[j0], j0 = owner[way[j0]], way[j0]
    return -v[0]


def judge(rows: Rows, found: NDArray[np.int32], alone: list[int] | None) -> tuple[int, int]:
    taken = [int(j) for j in found if j >= 0]
    assert len(set(taken)) == len(taken)
    cost = 0
    for i, j in enumerate(found.tolist()):
        cost += rows[i][j] if j >= 0 else (alone[i] if alone else 0)
    return (0 if alone else len(taken)), cost


row = st.dictionaries(st.integers(0, 4), st.integers(-9, 9), max_size=5)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(row, max_size=5), st.booleans(), st.lists(st.integers(-9, 20), min_size=5, max_size=5)
)
def test_it_is_the_best_of_all(rows: Rows, with_alone: bool, prices: list[int]) -> None:
    alone = prices[: len(rows)] if with_alone else None
    own = np.array(alone, np.int64) if alone is not None else None
    found = matching.assign(*sparse(rows), 5, own)
    best = everything(rows, alone)
    assert judge(rows, found, alone) == best
    assert matching.bound(*sparse(rows), 5, own) == best[1]


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 2**32), st.integers(1, 60), st.integers(0, 60), st.sampled_from([0.1, 0.4, 1.0]),
    st.sampled_from([3, 1000, 2**40]),
)  # fmt: skip
def test_larger_ones_cost_what_the_hungarian_method_says(
    seed: int, n: int, more: int, density: float, spread: int
) -> None:
    r = np.random.default_rng(seed)
    m = n + more
    cost = r.integers(-spread, spread, (n, m))
    given_ = r.random((n, m)) < density
    rows = [{int(j): int(cost[i, j]) for j in r.permutation(m) if given_[i, j]} for i in range(n)]
    dear = 4 * spread * n
    square = [[rows[i].get(j, dear) for j in range(m)] + [dear] * n for i in range(n)]
    least = hungarian(square)
    found = matching.assign(*sparse(rows), m)
    matched, total = judge(rows, found, None)
    assert total + (n - matched) * dear == least
    assert np.array_equal(found, matching.assign(*sparse(rows), m))
    alone = [int(x) for x in r.integers(-spread, 2 * spread, n)]
    apart = [
        [rows[i].get(j, dear) for j in range(m)] + [alone[i] if i == k else dear for k in range(n)]
        for i in range(n)
    ]
    least = hungarian(apart)
    own = np.array(alone, np.int64)
    assert matching.bound(*sparse(rows), m, own) == least
    assert judge(rows, matching.assign(*sparse(rows), m, own), alone)[1] == least


def test_the_order_of_a_row_does_not_matter() -> None:
    r = np.random.default_rng(5)
    rows = [{int(j): int(r.integers(0, 4)) for j in r.permutation(300)} for _ in range(100)]
    turned = [dict(reversed(row.items())) for row in rows]
    assert np.array_equal(
        matching.assign(*sparse(rows), 300), matching.assign(*sparse(turned), 300)
    )


def test_empty_questions_have_empty_answers() -> None:
    assert matching.assign(*sparse([]), 0).tolist() == []
    assert matching.assign(*sparse([{}, {}]), 3).tolist() == [-1, -1]
    assert matching.bound(*sparse([{}, {}]), 0, np.array([3, 4], np.int64)) == 7
    assert assignment.assign(*sparse([{1: 5}]), 2).tolist() == [1]
    assert matching.UNMATCHED == -1


@pytest.mark.parametrize(
    ("starts", "columns", "costs", "width", "alone", "says"),
    [
        ([], [], [], 1, None, "starts"),
        ([1], [], [], 1, None, "starts"),
        ([0, 2], [0], [1], 1, None, "starts"),
        ([0, 1], [0], [1, 2], 1, None, "starts"),
        ([0, 2, 1, 2], [0, 1], [1, 2], 2, None, "never falls"),
        ([0, 1], [1], [1], 1, None, "a column is"),
        ([0, 1], [-1], [1], 1, None, "a column is"),
        ([0, 2], [0, 0], [1, 2], 1, None, "twice"),
        ([0, 3], [0, 9, 1], [1, 2, 3], 3, None, "a column is"),
        ([0, 3], [2, 0, 2], [1, 2, 3], 3, None, "twice"),
        ([0, 1], [0], [2**60], 1, None, "too large"),
        ([0, 1], [0], [1], 1, [2**59], "too large"),
        ([0, 1], [0], [1], 1, [1, 2], "one cost per row"),
        ([0, 0], [], [], -1, None, "rows and columns"),
    ],
)
def test_malformed_rows_are_refused(
    starts: list[int], columns: list[int], costs: list[int], width: int, alone: list[int] | None,
    says: str,
) -> None:  # fmt: skip
    with pytest.raises(ValueError, match=says):
        matching.assign(
            np.array(starts, np.int64), np.array(columns, np.int32), np.array(costs, np.int64),
            width, None if alone is None else np.array(alone, np.int64),
        )  # fmt: skip


def test_the_columns_of_a_row_may_stand_in_any_order() -> None:
    r = np.random.default_rng(3)
    starts = np.arange(0, 41 * 30, 30, dtype=np.int64)
    columns = np.concatenate([r.permutation(60)[:30] for _ in range(40)]).astype(np.int32)
    costs = r.integers(0, 900, columns.size)
    rows = np.repeat(np.arange(40), 30)
    order = np.lexsort((columns, rows))
    assert matching.bound(starts, columns, costs, 60) == matching.bound(
        starts, columns[order], costs[order], 60
    )
