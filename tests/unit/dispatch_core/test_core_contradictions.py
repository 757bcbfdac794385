"""The rules of contradictions: each kind, its grace, and what only looks like one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_core import contradictions
from dispatch_core.contradictions import KINDS, Records, explain, find, marked_by, told

NOW = 1_800_000_000
DAY = 86_400
STOPPED: dict[str, Any] = {
    "service": "suspended", "application": "A-1", "action": "suspension", "state": "closed",
    "known_by": NOW - 1, "network": "disconnected", "valve": "sealed", "billing": "base",
}  # fmt: skip
RESUMED = STOPPED | {"service": "heated", "action": "resume", "network": "connected",
                     "valve": "open", "billing": "full"}  # fmt: skip


def kinds(base: dict[str, Any], **more: Any) -> list[str]:
    return list(find(Records(**(base | more)), NOW))


def test_a_loop_that_is_closed_everywhere_contradicts_nothing() -> None:
    assert kinds(STOPPED) == kinds(RESUMED) == kinds({}) == []
    assert kinds({}, network="connected", valve="open", billing="full") == []


def test_each_kind_alone() -> None:
    assert kinds(STOPPED, network="connected") == ["suspended_yet_connected"]
    assert kinds(STOPPED, billing="full") == ["suspended_yet_billed"]
    assert kinds(STOPPED, valve="open") == ["valve_open"]
    for mark in (
        {"service": "suspended"}, {"service": "temporary_stop"}, {"network": "disconnected"},
        {"valve": "sealed"}, {"billing": "base"}, {"billing": "none"},
    ):  # fmt: skip
        assert kinds({}, **mark) == ["marked_without_application"], mark


def test_all_of_a_stop_at_once() -> None:
    assert kinds(STOPPED, network="connected", billing="full", valve="open") == [
        "suspended_yet_connected", "suspended_yet_billed", "valve_open",
    ]  # fmt: skip


def test_departments_have_until_known_by_and_an_open_valve_has_no_grace() -> None:
    told_late = {"network": "connected", "billing": "full", "valve": "open"}
    assert kinds(STOPPED, known_by=NOW, **told_late) == ["valve_open"]
    assert kinds(STOPPED, known_by=NOW + DAY, **told_late) == ["valve_open"]
    assert len(kinds(STOPPED, known_by=NOW - 1, **told_late)) == 3


def test_a_loop_under_way_contradicts_nothing() -> None:
    under_way = {"network": "connected", "billing": "full", "valve": "open", "known_by": None}
    assert kinds(STOPPED, state="approved", **under_way) == []
    assert kinds(STOPPED, action="resume", state="approved", **under_way) == []


def test_a_closed_valve_is_no_mark() -> None:
    assert kinds({}, valve="closed") == []


def test_a_flat_that_is_heated_again_must_not_stay_shut() -> None:
    assert kinds(RESUMED, network="disconnected") == ["marked_without_application"]
    assert kinds(RESUMED, valve="sealed") == ["marked_without_application"]
    assert kinds(RESUMED, network="disconnected", known_by=NOW + 1) == []
    assert kinds(RESUMED, billing="base") == []
    finding = explain(
        "marked_without_application", Records(**(RESUMED | {"network": "disconnected"})), NOW
    )
    assert [m.action for m in finding.mends] == ["unmark"]
    assert "A-1" in finding.why_zh
    assert "A-1" in finding.why_en


def test_a_mark_is_taken_back_by_those_who_hold_it() -> None:
    records = Records(service="suspended", network="disconnected", billing="none")
    assert told("unmark", records, NOW) == ["service", "operations", "finance"]
    assert told("unmark", Records(billing="base"), NOW) == ["finance"]
    assert told("ask_for_application", records, NOW) == ["service"]
    assert told("tell_finance", records, NOW) == ["finance"]


@pytest.mark.parametrize(
    ("kind", "more", "zh", "en"),
    [
        ("suspended_yet_connected", {"network": "connected"}, "在网", "on the network"),
        ("suspended_yet_billed", {"billing": "full", "billed_fen": 306_550}, "3065.50 元",
         "3065.50 yuan"),
        ("suspended_yet_billed", {"billing": "full"}, "全额计费。", "in full."),
        ("valve_open", {"valve": "open"}, "开启", "open"),
    ],
)  # fmt: skip
def test_why_is_said_with_the_records(kind: Any, more: dict[str, Any], zh: str, en: str) -> None:
    finding = explain(kind, Records(**(STOPPED | more)), NOW)
    assert zh in finding.why_zh
    assert en in finding.why_en
    assert "A-1" in finding.why_zh


records = st.builds(
    Records,
    service=st.sampled_from(["heated", "suspended", "temporary_stop"]),
    application=st.sampled_from([None, "A-1"]),
    action=st.sampled_from(["suspension", "temporary_stop", "resume"]),
    state=st.sampled_from(["approved", "completed", "closed"]),
    known_by=st.sampled_from([None, NOW - 1, NOW, NOW + 1]),
    network=st.sampled_from([None, "connected", "disconnected"]),
    valve=st.sampled_from(["open", "closed", "sealed", "unknown"]),
    billing=st.sampled_from([None, "full", "base", "none"]),
).map(
    lambda r: (
        r if r.application else msgspec.structs.replace(r, action=None, state=None, known_by=None)
    )
)


@given(records)
def test_what_is_found_can_be_explained_and_mended(given_records: Records) -> None:
    found = find(given_records, NOW)
    assert found == [k for k in KINDS if k in found]
    assert ("marked_without_application" in found) == bool(marked_by(given_records, NOW))
    # a mark without a grant and a stop in force exclude one another
    assert "marked_without_application" not in found or len(found) == 1
    assert len(find(given_records, NOW + DAY)) >= len(found)  # time alone mends nothing
    for kind in found:
        finding = explain(kind, given_records, NOW)
        assert finding.why_zh.endswith("。")
        assert finding.why_en.endswith(".")
        for mend in finding.mends:
            assert told(mend.action, given_records, NOW)


def test_every_mend_that_exists_is_offered_for_something() -> None:
    offered = {
        mend.action
        for kind in KINDS
        for mend in explain(kind, Records(service="suspended"), NOW).mends
    }
    assert offered == set(contradictions.MendAction.__args__)  # type: ignore[attr-defined]
