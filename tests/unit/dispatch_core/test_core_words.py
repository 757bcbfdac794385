"""The small words: times, levels and refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_core import errors, levels
from dispatch_core.events import Clocks, Due
from dispatch_core.ids import EPOCH, micros, unix


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001
def test_microseconds_are_exact_in_every_zone(naive: datetime) -> None:
    at = naive.replace(tzinfo=UTC)
    assert EPOCH + timedelta(microseconds=micros(at)) == at
    assert micros(at.astimezone(timezone(timedelta(hours=8)))) == micros(at)
    assert unix(at) * 1_000_000 <= micros(at) < (unix(at) + 1) * 1_000_000
    with pytest.raises(ValueError, match="zone"):
        unix(naive)


def test_which_clocks_run_follows_from_the_state() -> None:
    clocks = Clocks(first_contact=30, respond=20, on_site=None, solved=90)
    assert levels.running("received", clocks) == [
        (20, "respond"), (30, "first_contact"), (90, "solved"),
    ]  # fmt: skip
    assert levels.running("confirmed", clocks) == [(90, "solved")]
    assert levels.running("closed", clocks) == []
    due = levels.due("received", clocks, {"respond": "near"})
    assert due == Due(clock="respond", at=20, warned="near")
    assert levels.due("verifying", clocks, {}) is None


def test_a_refusal_says_what_to_do() -> None:
    kinds = {
        "invalid": errors.Invalid, "not_found": errors.NotFound, "conflict": errors.Conflict,
        "forbidden": errors.Forbidden, "too_large": errors.TooLarge,
        "unavailable": errors.Unavailable,
    }  # fmt: skip
    for kind, refusal in kinds.items():
        refused = refusal("a_code", "What is wrong.", "What to do.", {"state": "closed"})
        assert isinstance(refused, errors.Refused)
        assert refused.kind == kind
        assert (refused.code, refused.what_to_do) == ("a_code", "What to do.")
        assert refused.extra == {"state": "closed"}
        assert str(refused) == "a_code: What is wrong."
