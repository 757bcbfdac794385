"""The hash of a topic: a plain reference, its algebra, and vectors shared with the web client."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext import digest

VECTORS = json.loads((Path(__file__).parent / "digest_vectors.json").read_text(encoding="utf-8"))
MASK = 0xFFFFFFFF

keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
versions = st.integers(0, 2**53 - 1)
hashes = st.integers(0, 2**64 - 1)


def lane(seed: int, data: bytes) -> int:
    h = seed
    for byte in data:
        h = (h ^ byte) * 0x01000193 & MASK
    h ^= h >> 16
    h = h * 0x85EBCA6B & MASK
    h ^= h >> 13
    h = h * 0xC2B2AE35 & MASK
    return h ^ (h >> 16)


def reference(key: str, version: int) -> int:
    data = key.encode() + b"\0" + str(version).encode()
    return lane(0x811C9DC5, data) << 32 | lane(0x9E3779B9, data)


def lanes(value: int) -> tuple[int, int]:
    return value >> 32, value & MASK


@given(keys, versions)
def test_a_row_hashes_as_the_reference(key: str, version: int) -> None:
    assert digest.row_hash(key, version) == reference(key, version)


@given(hashes, hashes)
def test_add_and_sub_are_lane_wise(a: int, b: int) -> None:
    added, taken = lanes(digest.add(a, b)), lanes(digest.sub(a, b))
    for x, y, plus, minus in zip(lanes(a), lanes(b), added, taken, strict=True):
        assert plus == (x + y) & MASK
        assert minus == (x - y) & MASK


@given(hashes, hashes)
def test_what_went_in_comes_out(a: int, b: int) -> None:
    assert digest.sub(digest.add(a, b), b) == a


@given(st.dictionaries(keys, versions, max_size=30), st.randoms(use_true_random=False))
def test_the_sum_knows_no_order(rows: dict[str, int], random: object) -> None:
    total = digest.sum_rows(list(rows), list(rows.values()))
    shuffled = list(rows.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one_by_one = 0
    for key, version in shuffled:
        one_by_one = digest.add(one_by_one, digest.row_hash(key, version))
    assert one_by_one == total


@pytest.mark.parametrize("vector", VECTORS["rows"], ids=lambda v: f"{v['key']}-{v['version']}")
def test_row_vectors(vector: dict[str, object]) -> None:
    assert f"{digest.row_hash(vector['key'], vector['version']):016x}" == vector["hash"]  # type: ignore[arg-type]


@pytest.mark.parametrize("vector", VECTORS["topics"], ids=lambda v: str(len(v["rows"])))
def test_topic_vectors(vector: dict[str, list[dict[str, object]]]) -> None:
    rows = vector["rows"]
    total = digest.sum_rows([r["key"] for r in rows], [r["version"] for r in rows])  # type: ignore[misc]
    assert f"{total:016x}" == vector["hash"]


def test_refusals() -> None:
    with pytest.raises(OverflowError):
        digest.row_hash("a", -1)
    with pytest.raises(UnicodeEncodeError):
        digest.row_hash("\ud800", 1)
    with pytest.raises(ValueError, match="differ in length"):
        digest.sum_rows(["a"], [])
    assert digest.sum_rows([], []) == 0
