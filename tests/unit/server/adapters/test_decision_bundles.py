"""One decision's inputs as a row: the same bytes again, little where little differs, and a change
is found and named."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.adapters import decision_bundles, decision_pieces
from server.adapters.decision_bundles import packed, pieces_of, unpacked
from server.adapters.decision_pieces import Missing

FIELDS = st.sampled_from(["teams", "tasks", "held", "policy", ""])
PARTS = st.dictionaries(FIELDS, st.lists(st.binary(max_size=60), max_size=4), max_size=5)


def crews(n: int, age: int) -> list[bytes]:
    """Pieces much like those of a city's crews."""
    made = [{"crew": f"C{i:03d}", "name": f"{i} 班", "skill": 3, "age_s": age + i * 7 % 90,
             "trades": ["indoor", "secondary"], "parts": {"DN25": i, "DN80": 2}}
            for i in range(n)]  # fmt: skip
    return [msgspec.msgpack.encode(made[i::8]) for i in range(8)]


@given(PARTS, PARTS, PARTS)
def test_a_row_of_differences_gives_the_same_bytes(
    whole: dict[str, list[bytes]], middle: dict[str, list[bytes]], last: dict[str, list[bytes]]
) -> None:
    """Whatever came, went, grew or shrank in between."""
    first = unpacked(packed(whole))
    second = unpacked(packed(middle, first), first)
    assert (first, second) == (whole, middle)
    assert unpacked(packed(last, second), second) == last


def test_what_is_nearly_the_same_takes_nearly_no_room() -> None:
    before = {"teams": crews(200, 10), "policy": [b"rules" * 500]}
    after = {"teams": crews(200, 40), "policy": [b"rules" * 500]}
    raw = sum(map(len, before["teams"]))
    assert len(packed(before)) < raw / 3
    assert len(packed(before, before)) < 200
    assert len(packed(after, before)) < raw / 12  # every crew has another age


def test_pieces_have_the_names_that_they_were_cut_under() -> None:
    parts = {"teams": crews(9, 1), "": [b"rest"]}
    root, pieces = pieces_of(parts)
    assert decision_bundles.parts_of(root, pieces) == parts
    assert set(decision_pieces.manifest(root, pieces).pieces) == {"teams", ""}


@pytest.mark.parametrize("name", ["teams", "policy"])
def test_a_field_that_was_changed_is_named(name: str) -> None:
    base = {"teams": crews(9, 1), "policy": [b"rules"]}
    other = {"teams": crews(9, 5), "policy": [b"rules"]}
    row = packed(other, base)
    forged = {**base, name: [piece + b"\x00" for piece in base[name]]}
    with pytest.raises(Missing, match=rf"{name} \(changed\)"):
        unpacked(row, forged)
    with pytest.raises(Missing, match="manifest"):
        unpacked(b"\xc1", base)
    with pytest.raises(Missing, match="changed"):
        unpacked(row, None)
