"""Whether a fix shows that a crew is where its ticket is, and why it is not taken at its word."""

from __future__ import annotations

import msgspec

from dispatch_core.events import SiteFix
from dispatch_core.evidence.policy import Fence
from dispatch_core.ids import FixDoubt, SiteVerdict


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What the ground and the fixes before say of a fix. Metres, seconds."""

    distance_m: float | None
    """To the building's outline, 0 inside; None: the place is not known so well."""
    as_gcj_m: float | None
    """The same if the fix were GCJ-02."""
    speed_mps: float | None
    """From the last good fix to this one; None: there is none of the last minutes."""
    repeated: int
    """So many of the latest fixes are equal to the last digit."""
    outlier: bool
    """The filter of the crew's fixes does not believe it."""
    skew_s: int
    """The phone's clock minus the server's, where it is known."""
    age_s: int
    """How old the fix was when the crew pressed the button."""
    mock: bool = False


class Whereabouts(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a check-in or check-out."""

    verdict: SiteVerdict
    distance_m: float | None
    doubts: list[FixDoubt]

    @property
    def needs_review(self) -> bool:
        """A person should look at it."""
        return self.verdict != "in" or bool(self.doubts)


NO_FIX = Whereabouts(verdict="uncertain", distance_m=None, doubts=["no_fix"])
"""Of a phone that has no fix."""


def whereabouts(fix: SiteFix, measured: Measured, fence: Fence) -> Whereabouts:
    """In where the fix is inside the fence around the outline, out where it lies outside even if it
    is as wrong as it may be, uncertain between."""
    doubts = _doubts(fix, measured, fence)
    distance = measured.distance_m
    if distance is None:
        return Whereabouts(verdict="uncertain", distance_m=None, doubts=["no_place", *doubts])
    accuracy = max(0.0, fix.accuracy_m)
    verdict: SiteVerdict = "uncertain"
    if accuracy <= fence.accuracy_most_m:
        if distance - accuracy > fence.within_m:
            verdict = "out"
        elif distance <= fence.within_m:
            verdict = "in"
    if verdict != "in" and measured.as_gcj_m is not None and measured.as_gcj_m <= fence.within_m:
        verdict = "uncertain"
        doubts = [*doubts, "datum_suspect"]
    return Whereabouts(verdict=verdict, distance_m=distance, doubts=doubts)


def _doubts(fix: SiteFix, measured: Measured, fence: Fence) -> list[FixDoubt]:
    found: dict[FixDoubt, bool] = {
        "zero_accuracy": fix.accuracy_m <= 0,
        "inaccurate": fix.accuracy_m > fence.accuracy_most_m,
        "repeated": measured.repeated >= fence.repeated_most,
        "too_fast": measured.speed_mps is not None and measured.speed_mps > fence.speed_most_mps,
        "outlier": measured.outlier,
        "clock_skew": abs(measured.skew_s) > fence.skew_most_s,
        "stale": measured.age_s > fence.stale_s,
        "mock_location": measured.mock,
    }
    return [doubt for doubt, there in found.items() if there]
