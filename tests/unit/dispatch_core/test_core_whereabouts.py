"""Where a crew is that presses a button: in, out or uncertain, and which doubts are named."""

from __future__ import annotations

from typing import Any

import pytest

from dispatch_core import evidence
from dispatch_core.events import SiteFix
from dispatch_core.evidence import Fence, Measured

FIX = SiteFix(lon=126.63, lat=45.75, accuracy_m=9.0, at_ms=1_768_347_840_000)


@pytest.mark.parametrize(
    ("distance", "accuracy", "verdict"),
    [(0, 5, "in"), (60, 5, "in"), (70, 5, "out"), (70, 30, "uncertain"), (900, 149, "out"),
     (0, 200, "uncertain")],
)  # fmt: skip
def test_a_fix_is_in_out_or_uncertain_by_its_distance_and_accuracy(
    distance: float, accuracy: float, verdict: str
) -> None:
    fix = SiteFix(lon=126.6, lat=45.7, accuracy_m=accuracy, at_ms=0)
    found = evidence.whereabouts(fix, measured(distance_m=distance), Fence())
    assert found.verdict == verdict


def measured(**more: Any) -> Measured:
    return Measured(**({
        "distance_m": 0.0, "as_gcj_m": None, "speed_mps": None, "repeated": 1, "outlier": False,
        "skew_s": 0, "age_s": 0,
    } | more))  # fmt: skip


@pytest.mark.parametrize(
    ("more", "doubt"),
    [({"speed_mps": 90.0}, "too_fast"), ({"repeated": 9}, "repeated"),
     ({"outlier": True}, "outlier"), ({"skew_s": 4000}, "clock_skew"),
     ({"age_s": 3600}, "stale"), ({"mock": True}, "mock_location")],
)  # fmt: skip
def test_a_doubt_is_named_and_locks_nobody_out(more: dict[str, Any], doubt: str) -> None:
    found = evidence.whereabouts(FIX, measured(**more), Fence())
    assert (found.verdict, found.doubts, found.needs_review) == ("in", [doubt], True)


def test_a_fix_that_only_fits_as_gcj02_says_so() -> None:
    found = evidence.whereabouts(FIX, measured(distance_m=520.0, as_gcj_m=8.0), Fence())
    assert (found.verdict, found.doubts) == ("uncertain", ["datum_suspect"])
