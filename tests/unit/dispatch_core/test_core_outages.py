"""Outages: opened, extended, ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dispatch_core import commands as c
from dispatch_core import events as e
from dispatch_core import outages
from dispatch_core.errors import Refused
from dispatch_core.ids import unix

T0 = datetime(2026, 1, 14, 7, 5, tzinfo=UTC)
AT0 = unix(T0)


def opening(**changed: Any) -> c.OpenOutage:
    given: dict[str, Any] = {
        "outage": "o1", "name": "三号换热站", "node_kind": "substation", "node": "s3", "lon": 126.6,
        "lat": 45.7, "buildings": ["b1", "b2"], "households": 1400, "cause": "burst",
        "expected_end_at": AT0 + 7200,
    }  # fmt: skip
    return c.OpenOutage(**{**given, **changed})


def opened() -> outages.Outage:
    (event,) = outages.decide(None, opening(), T0)
    return outages.apply(None, event, AT0)


def test_an_outage_is_opened_extended_and_ended() -> None:
    outage = opened()
    assert (outage.version, outage.opened_at, outage.households) == (1, AT0, 1400)
    later = T0 + timedelta(hours=1)
    (event,) = outages.decide(outage, c.ExtendOutage(version=1, expected_end_at=AT0 + 9000), later)
    outage = outages.apply(outage, event, unix(later))
    assert outage.expected_end_at == AT0 + 9000
    (event,) = outages.decide(outage, c.EndOutage(version=2), later)
    assert event == e.OutageEnded(name="三号换热站", lasted_s=3600)
    outage = outages.apply(outage, event, unix(later))
    assert (outage.version, outage.ended_at) == (3, unix(later))


@pytest.mark.parametrize(
    ("has", "command", "code"),
    [
        (False, opening(expected_end_at=AT0), "bad_expected_end"),
        (False, opening(expected_end_at=AT0 + 7 * 86_400 + 1), "bad_expected_end"),
        (False, opening(buildings=[]), "nothing_behind_node"),
        (False, opening(cause="other"), "reason_needed"),
        (False, c.EndOutage(version=1), "no_such_outage"),
        (True, opening(), "already_exists"),
        (True, c.EndOutage(version=2), "version_conflict"),
        (True, c.ExtendOutage(version=0, expected_end_at=AT0 + 9), "version_conflict"),
        (True, c.ExtendOutage(version=1, expected_end_at=AT0), "bad_expected_end"),
        (True, c.ExtendOutage(version=1, expected_end_at=AT0 + 8 * 86_400), "bad_expected_end"),
    ],
)
def test_what_does_not_fit_is_refused(has: bool, command: Any, code: str) -> None:
    with pytest.raises(Refused) as refused:
        outages.decide(opened() if has else None, command, T0)
    assert refused.value.code == code


def test_an_ended_outage_stays_ended() -> None:
    outage = outages.apply(opened(), e.OutageEnded(name="x", lasted_s=1), AT0 + 1)
    with pytest.raises(Refused) as refused:
        outages.decide(outage, c.EndOutage(version=2), T0)
    assert refused.value.code == "outage_ended"
    assert refused.value.extra["state"] == "ended"


def test_facts_out_of_order_are_a_broken_journal() -> None:
    with pytest.raises(ValueError, match="cannot be the next"):
        outages.apply(None, e.OutageEnded(name="x", lasted_s=1), AT0)
