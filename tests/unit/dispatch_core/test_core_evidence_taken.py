"""What a photo is taken in as: so many of a slot a round, and under the check-in that it names."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from test_core_evidence import LABEL, NOW, after, check_in

from dispatch_core import commands as c
from dispatch_core import evidence
from dispatch_core.errors import Conflict
from dispatch_core.events import CheckedIn, PhotoTaken, decode, kind_of
from dispatch_core.evidence import Policy, SiteRecord
from dispatch_core.evidence.policy import Photos, check
from dispatch_core.ids import CrewId, PhotoId

GONE: dict[str, Any] = {
    "ticket": LABEL, "by": "crew:C3", "crew": CrewId("C3"), "crew_name": "3 组", "device": "d1",
    "at_device_ms": 0, "fix": None, "verdict": "in", "distance_m": None, "doubts": [],
    "needs_review": False,
}  # fmt: skip


def take(photo: str, round_: int = 0, **more: Any) -> c.TakePhoto:
    told: dict[str, Any] = {
        "ticket": LABEL, "by": "crew:C3", "crew": CrewId("C3"), "round": round_, "slot": "room",
        "photo": PhotoId(photo), "bytes": 9, "captured_at_ms": None, "trust": "a",
        "nonce_holds": True, "signature_holds": True, "device": "d1", "fix": None,
    }  # fmt: skip
    return c.TakePhoto(**(told | more))


def taken(record: SiteRecord | None, command: c.TakePhoto) -> PhotoTaken:
    (fact,) = evidence.decide(record, command, NOW)
    assert isinstance(fact, PhotoTaken)
    return fact


def test_a_slot_takes_so_many_photos_in_a_round_unless_one_is_asked_for() -> None:
    record = after(None, check_in(), *(take(f"p{n}", most=3) for n in range(3)))
    with pytest.raises(Conflict) as refused:
        evidence.decide(record, take("p3", most=3), NOW)
    assert refused.value.code == "too_many_photos"
    assert taken(record, take("p3", most=3, slot="windows"))
    assert taken(record, take("p3", 1, most=3)), "another round counts anew"
    ask = c.AskPhotoAgain(
        ticket=LABEL, by="person:wang", version=None, reason_code="unreadable", reason=None,
        slot="room", photo=PhotoId("p2"),
    )  # fmt: skip
    asked = after(record, ask)
    assert after(asked, take("p3", most=3)).photos["room"].photo == "p3"


def test_a_photo_belongs_to_the_check_in_that_it_names() -> None:
    out = c.CheckOut(**GONE, result="to_be_continued")
    record = after(None, check_in(key="k1"), out, check_in(key="k2"))
    late = taken(record, take("p", visit_key="k1"))
    assert (late.visit, late.signature_holds, late.trust) == (1, True, "a")
    assert taken(record, take("p", visit_key="k2")).visit == 2
    assert taken(record, take("p")).visit == 2, "it names none"
    other = taken(record, take("p", visit_key="k9"))
    assert (other.visit, other.signature_holds, other.trust) == (2, None, "c")
    forged = taken(record, take("p", visit_key="k9", signature_holds=False, trust="c"))
    assert forged.signature_holds is False


@pytest.mark.parametrize("record", [None, after(None, check_in())])
def test_a_check_in_that_is_on_its_way_or_was_written_without_a_name_is_no_doubt(
    record: SiteRecord | None,
) -> None:
    fact = taken(record, take("p", visit_key="k1"))
    assert (fact.signature_holds, fact.trust) == (True, "a")


def test_facts_that_say_nothing_of_it_are_still_read() -> None:
    (there,) = evidence.decide(None, check_in(key="k1"), NOW)
    photo = taken(None, take("p", session_skew_s=7))
    for fact, fields in ((there, ("key",)), (photo, ("session_skew_s", "source"))):
        told = msgspec.to_builtins(fact)
        old = msgspec.convert({k: v for k, v in told.items() if k not in fields}, type(fact))
        assert isinstance(old, CheckedIn | PhotoTaken)
        assert all(getattr(old, name) is None for name in fields)


def test_a_photo_says_where_it_was_picked_and_an_older_fact_that_it_is_not_known() -> None:
    fact = taken(None, take("p", source="gallery"))
    told = msgspec.to_builtins(fact)
    assert told.pop("source") == "gallery"
    older = decode(kind_of(type(fact)), 1, msgspec.json.encode(told))
    assert getattr(older, "source", "") is None


@pytest.mark.parametrize("photos", [Photos(bytes_most=(64 << 20) + 1), Photos(a_slot=0)])
def test_no_policy_takes_photos_without_bounds(photos: Photos) -> None:
    check(Policy(required=[], photos=Photos(bytes_most=64 << 20, a_slot=1)))
    with pytest.raises(ValueError, match=r"evidence\.photos"):
        check(Policy(required=[], photos=photos))
