"""The search of hashes against looking at every one with numpy: recall is exactly 100 %."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from numpy.typing import NDArray

from ext.hamming import RADIUS, HashIndex

Hashes = NDArray[np.uint8]
Answer = list[tuple[int, int]]


def uniform(random: np.random.Generator, n: int) -> Hashes:
    return random.integers(0, 256, (n, 32), np.uint8)


def near(random: np.random.Generator, one: Hashes, bits: int) -> Hashes:
    """The hash with so many bits turned."""
    turned = np.unpackbits(one)
    turned[random.choice(256, bits, replace=False)] ^= 1
    return np.packbits(turned)


def plainly(
    hashes: Hashes, query: Hashes, radius: int, gone: frozenset[int] = frozenset()
) -> Answer:
    distances = np.bitwise_count(hashes ^ query).sum(axis=1, dtype=np.int64)
    numbers = [int(i) for i in np.flatnonzero(distances <= radius) if int(i) not in gone]
    return sorted((int(distances[i]), i) for i in numbers)


def found(index: HashIndex, query: Hashes | bytes, radius: int = RADIUS) -> Answer:
    numbers, distances = index.search(query, radius)
    assert numbers.dtype == np.int64
    assert distances.dtype == np.int32
    return list(zip(distances.tolist(), numbers.tolist(), strict=True))


def built(hashes: Hashes) -> HashIndex:
    index = HashIndex()
    assert index.add(hashes) == 0
    index.rebuild()
    assert (len(index), index.tail) == (len(hashes), 0)
    return index


def crowd(random: np.random.Generator, kind: str, n: int) -> Hashes:
    """Hashes as they come: anything, near-duplicates, words that repeat, all alike, few bits."""
    if kind == "uniform":
        return uniform(random, n)
    if kind == "clusters":
        centres = uniform(random, 5)
        return np.array(
            [near(random, centres[i % 5], int(random.integers(0, 30))) for i in range(n)]
        )
    if kind == "repeated words":
        return uniform(random, 20)[random.integers(0, 20, (n, 16))[:, :], :2].reshape(n, 32)
    if kind == "alike":
        return np.repeat(uniform(random, 1), n, axis=0)
    return np.packbits(random.random((n, 256)) < 0.06, axis=1)


KINDS = ["uniform", "clusters", "repeated words", "alike", "sparse"]


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(KINDS), st.integers(1, 400), st.integers(0, 2**32 - 1), st.integers(0, RADIUS)
)
def test_it_finds_exactly_what_looking_at_every_hash_finds(
    kind: str, n: int, seed: int, radius: int
) -> None:
    random = np.random.default_rng(seed)
    hashes = np.ascontiguousarray(crowd(random, kind, n))
    index = built(hashes)
    for bits in (0, radius, min(radius + 1, 256), 60):
        query = near(random, hashes[random.integers(n)], bits)
        assert found(index, query, radius) == plainly(hashes, query, radius)


@pytest.mark.parametrize("kind", ["uniform", "clusters", "sparse"])
def test_of_many_hashes_none_within_reach_is_missed(kind: str) -> None:
    random = np.random.default_rng(5)
    hashes = np.ascontiguousarray(
        np.concatenate([crowd(random, kind, 3000), uniform(random, 60_000)])
    )
    index = built(hashes)
    for number in random.choice(3000, 40):
        query = near(random, hashes[number], int(random.integers(0, 32)))
        assert found(index, query) == plainly(hashes, query, RADIUS)


def test_bits_dealt_two_to_every_band_but_one_are_found() -> None:
    """The worst that the bands allow: one band with one bit, the others with two."""
    random = np.random.default_rng(9)
    hashes = uniform(random, 2000)
    index = built(hashes)
    for band in range(16):
        turned = np.unpackbits(hashes[band], bitorder="little").reshape(16, 16)
        for other in range(16):
            for k in range(1 if other == band else 2):  # band b is bit b + i of word i
                turned[3 * k + 1, (other + 3 * k + 1) % 16] ^= 1
        query = np.packbits(turned.ravel(), bitorder="little")
        assert plainly(hashes, query, 31)[0] == (31, band)
        assert found(index, query)[0] == (31, band)


def test_equally_near_ones_come_by_number_and_bytes_will_do_for_a_query() -> None:
    random = np.random.default_rng(3)
    one = uniform(random, 1)
    index = built(np.repeat(one, 300, axis=0))
    assert found(index, one[0].tobytes(), 0) == [(0, i) for i in range(300)]


class Index(RuleBasedStateMachine):
    """Adding, removing and rebuilding in any order, beside a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.index = HashIndex()
        self.hashes = np.empty((0, 32), np.uint8)
        self.gone: frozenset[int] = frozenset()
        self.random = np.random.default_rng(1)
        self.few = uniform(self.random, 3)

    @rule(n=st.integers(0, 40), bits=st.integers(0, 20))
    def add(self, n: int, bits: int) -> None:
        more = [near(self.random, self.few[i % 3], bits) for i in range(n)]
        block = np.array(more, np.uint8).reshape(n, 32)
        assert self.index.add(block) == len(self.hashes)
        self.hashes = np.concatenate([self.hashes, block])

    @precondition(lambda self: len(self.gone) < len(self.hashes))
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        left = sorted(set(range(len(self.hashes))) - self.gone)
        number = data.draw(st.sampled_from(left))
        self.index.remove(number)
        self.gone |= {number}
        with pytest.raises(KeyError):
            self.index.remove(number)

    @rule()
    def rebuild(self) -> None:
        self.index.rebuild()
        assert self.index.tail == 0

    @invariant()
    def it_answers_as_the_list_does(self) -> None:
        assert len(self.index) == len(self.hashes) - len(self.gone)
        for one in self.few:
            assert found(self.index, one, 18) == plainly(self.hashes, one, 18, self.gone)


TestIndex = Index.TestCase
TestIndex.settings = settings(deadline=None, max_examples=25, stateful_step_count=15)


def test_others_search_while_it_is_rebuilt_and_added_to() -> None:
    random = np.random.default_rng(2)
    hashes = uniform(random, 20_000)
    index = built(hashes)
    expected = [plainly(hashes, one, RADIUS) for one in hashes[:50]]
    wrong: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            wrong.extend(i for i in range(50) if found(index, hashes[i]) != expected[i])

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(8):
        index.add(uniform(random, 2500))
        index.rebuild()
    over.set()
    looking.join()
    assert not wrong
    assert len(index) == 40_000


def test_memory_is_told_and_an_empty_index_finds_nothing() -> None:
    index = HashIndex()
    assert found(index, bytes(32)) == []
    index.rebuild()
    assert (len(index), index.tail) == (0, 0)
    index.add(uniform(np.random.default_rng(4), 10_000))
    index.rebuild()
    assert 161 * 10_000 <= index.nbytes <= 161 * 10_000 + 2**23


def test_what_is_no_hash_is_refused() -> None:
    index = HashIndex()
    with pytest.raises(ValueError, match="32 bytes"):
        index.add(np.zeros((2, 31), np.uint8))
    with pytest.raises(ValueError, match="32 bytes"):
        index.search(bytes(33))
    for radius in (-1, 32):
        with pytest.raises(ValueError, match="0 to 31"):
            index.search(bytes(32), radius)
    for number in (-1, 0):
        with pytest.raises(KeyError):
            index.remove(number)
