"""What a judge is told: one time, one place, and a phone taken at its word only so far."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dispatch_core.events import CheckedIn, CheckedOut, PhotoTaken, SiteFix, TicketLabel
from geo import shapes
from geo.outlines import Outline
from server.adapters.evidence_jobs import Record
from server.jobs.photo_asks import Look
from server.jobs.photo_facts import OFFLINE_MOST_MS, facts_of, window_of

AT = 1_768_383_120_000  # 2026-01-14 09:32:00 UTC
HOUR = 3_600_000
LABEL = TicketLabel(level="red", kind="leak", address="和平路 1 号")
RING = [(126.63, 45.75), (126.632, 45.75), (126.632, 45.752), (126.63, 45.752)]
OUTLINE = shapes.to_wkb(shapes.array([shapes.polygon([RING])]))[0]


def presence(kind: Any, visit: int, said: int, crew: str = "K1", **more: Any) -> Any:
    return kind(
        ticket=LABEL, visit=visit, crew=crew, crew_name=crew, device="d", at_device_ms=said,
        fix=None, verdict="in", distance_m=0.0, doubts=[], needs_review=False, by="crew", **more,
    )  # fmt: skip


def record(**changed: Any) -> Record:
    taken = {
        "ticket": LABEL, "visit": 1, "round": 0, "crew": "K1", "slot": "fault_point", "photo": "p",
        "bytes": 9, "captured_at_ms": AT, "trust": "a", "nonce_holds": True,
        "signature_holds": True, "device": "d", "fix": None, "by": "crew",
    }  # fmt: skip
    taken |= {name: changed.pop(name) for name in list(changed) if name in taken}
    given: dict[str, Any] = {
        "label": LABEL, "taken": PhotoTaken(**taken), "taken_at_ms": AT + 5000,
        "ins": {1: (presence(CheckedIn, 1, AT - 60_000, round=0), AT - 59_000)}, "outs": {},
        "outline": Outline.of_wkb(OUTLINE), "policy": SimpleNamespace(timezone="Asia/Shanghai"),
    }  # fmt: skip
    return Record(**{**given, **changed})


def test_a_cameras_clock_is_read_in_its_own_zone_or_the_citys() -> None:
    local = AT // 1000 + 8 * 3600
    assert facts_of(Look(taken_s=local), record()).exif_at_ms == AT
    assert facts_of(Look(taken_s=local, zone_s=8 * 3600), record()).exif_at_ms == AT
    assert facts_of(Look(taken_s=local - 3600, zone_s=7 * 3600), record()).exif_at_ms == AT
    assert facts_of(Look(), record()).exif_at_ms is None


def test_only_the_app_has_a_session_clock() -> None:
    assert facts_of(Look(), record()).session_at_ms == AT
    gallery = record(nonce_holds=None, signature_holds=None)
    assert facts_of(Look(), gallery).session_at_ms is None


def test_places_are_measured_to_the_outline() -> None:
    assert facts_of(Look(lon=126.631, lat=45.751), record()).gps_distance_m == 0.0
    away = facts_of(Look(lon=126.631, lat=45.753), record()).gps_distance_m
    assert away == pytest.approx(111.2, abs=0.5)
    fix = SiteFix(lon=126.631, lat=45.753, accuracy_m=12, at_ms=AT)
    window = window_of(record(fix=fix))
    assert window.fix_distance_m == pytest.approx(111.2, abs=0.5)
    assert window.fix_accuracy_m == 12
    assert window_of(record(fix=fix, outline=None)).fix_distance_m is None
    assert facts_of(Look(), record()).gps_distance_m is None


def test_a_check_in_that_waited_for_a_signal_counts_from_when_it_was_made() -> None:
    late = {1: (presence(CheckedIn, 1, AT - 2 * HOUR, round=0), AT)}
    assert window_of(record(ins=late)).in_at_ms == AT - 2 * HOUR


@pytest.mark.parametrize("off", [-HOUR, OFFLINE_MOST_MS + 1, 365 * 24 * HOUR])
def test_a_phones_clock_that_cannot_be_right_is_not_taken(off: int) -> None:
    turned = {1: (presence(CheckedIn, 1, AT - off, round=0), AT)}
    assert window_of(record(ins=turned)).in_at_ms == AT


def test_a_photo_that_came_before_its_check_in_belongs_to_the_crews_last_one() -> None:
    ins = {
        1: (presence(CheckedIn, 1, AT - 3 * HOUR, round=0), AT - 3 * HOUR),
        2: (presence(CheckedIn, 2, AT - HOUR, round=0), AT - HOUR),
        3: (presence(CheckedIn, 3, AT, "K2", round=0), AT),
    }
    outs = {2: (presence(CheckedOut, 2, AT, result="done"), AT + 1000)}
    window = window_of(record(visit=None, ins=ins, outs=outs))
    assert (window.in_at_ms, window.out_at_ms) == (AT - HOUR, AT)
    assert window_of(record(visit=None, ins={3: ins[3]})).in_at_ms is None
