"""The work on site: what a record takes, what it refuses, and what lets a ticket close."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dispatch_core import commands as c
from dispatch_core import evidence
from dispatch_core.errors import Conflict, Invalid, Refused
from dispatch_core.events import SiteFix, TicketLabel
from dispatch_core.evidence import SiteRecord
from dispatch_core.ids import CrewId, PhotoId, Slot, ValveId, Words, unix

LABEL = TicketLabel(level="red", kind="leak", address="经纬街 128 号")
NOW = datetime(2026, 1, 14, 7, 44, tzinfo=UTC)
SLOTS: tuple[Slot, ...] = ("fault_point", "in_progress", "user_confirmation")
WORDS = Words(id="w1", digest="d1")
FIX = SiteFix(lon=126.63, lat=45.75, accuracy_m=9.0, at_ms=unix(NOW) * 1000)
PRESENCE: dict[str, Any] = {
    "ticket": LABEL, "crew": CrewId("C3"), "crew_name": "3 组", "device": "d1",
    "at_device_ms": FIX.at_ms, "fix": FIX, "verdict": "in", "distance_m": 9.0, "doubts": [],
    "needs_review": False, "by": "crew:C3",
}  # fmt: skip


def after(record: SiteRecord | None, *given: c.SiteCommand) -> SiteRecord:
    for command in given:
        for event in evidence.decide(record, command, NOW):
            record = evidence.apply(record, event, unix(NOW))
    assert record is not None
    return record


def check_in(round_: int = 0, **more: Any) -> c.CheckIn:
    return c.CheckIn(**(PRESENCE | {"round": round_} | more))


def check_out() -> c.CheckOut:
    return c.CheckOut(**(PRESENCE | {"result": "done"}))


def take(slot: Slot, photo: str, round_: int = 0) -> c.TakePhoto:
    return c.TakePhoto(
        ticket=LABEL, by="crew:C3", crew=CrewId("C3"), round=round_, slot=slot,
        photo=PhotoId(photo), bytes=100, captured_at_ms=FIX.at_ms, trust="a", nonce_holds=True,
        signature_holds=True, device="d1", fix=FIX,
    )  # fmt: skip


def judged(slot: Slot, photo: str, verdict: Any = "accept") -> c.JudgePhoto:
    return c.JudgePhoto(
        ticket=LABEL, by="core", slot=slot, photo=PhotoId(photo), verdict=verdict, checks=[],
        twin=None, trust="a",
    )  # fmt: skip


def whole(*, verdict: Any = "accept", round_: int = 0) -> SiteRecord:
    record = after(None, check_in(round_))
    for slot in SLOTS:
        record = after(record, take(slot, slot, round_), judged(slot, slot, verdict))
    return record


def refusal(record: SiteRecord | None, *, close: bool = True, round_: int = 0) -> str | None:
    check = evidence.check_close if close else evidence.check_done
    try:
        check(record, SLOTS, round_)
    except Conflict as refused:
        return refused.code
    return None


def valve(to: Any, *, vented: bool | None = None) -> c.TurnValve:
    return c.TurnValve(
        ticket=LABEL, by="crew:C3", crew=CrewId("C3"), valve=ValveId("V1"),
        name="3 单元立管", to=to, vented=vented, outage=None, fix=FIX,
    )  # fmt: skip


def waive(**more: Any) -> c.WaiveEvidence:
    return c.WaiveEvidence(**({
        "ticket": LABEL, "by": "person:manager", "version": None, "reason_code": "no_resident",
        "reason": WORDS, "round": 0, "slots": SLOTS,
    } | more))  # fmt: skip


def test_three_photos_that_are_accepted_close_a_ticket_and_nothing_less() -> None:
    assert refusal(None) == "evidence_missing"
    assert refusal(after(None, check_in(), take("fault_point", "a"))) == "evidence_missing"
    pending = after(whole(), take("in_progress", "another"))
    assert refusal(pending, close=False) is None  # the crew may go: the photos are there
    assert refusal(pending) == "evidence_not_accepted"
    assert refusal(whole()) is None
    assert refusal(whole(verdict="review")) == "evidence_not_accepted"
    assert refusal(whole(verdict="block")) == "evidence_not_accepted"


def test_photos_without_a_check_in_close_nothing() -> None:
    record = None
    for slot in SLOTS:
        record = after(record, take(slot, slot), judged(slot, slot))
    assert refusal(record) == "evidence_not_accepted"


def test_photos_of_an_earlier_round_do_not_count() -> None:
    assert refusal(whole(), round_=1) == "evidence_missing"
    again = after(whole(), check_out(), check_in(1))
    for slot in SLOTS:
        again = after(again, take(slot, f"{slot} 2", 1), judged(slot, f"{slot} 2"))
    assert refusal(again, round_=1) is None


def test_a_doubtful_check_in_goes_through_and_waits_for_a_person() -> None:
    record = after(None, check_in(verdict="uncertain", needs_review=True))
    for slot in SLOTS:
        record = after(record, take(slot, slot), judged(slot, slot))
    assert refusal(record) == "evidence_not_accepted"
    there = c.OverruleCheckIn(
        ticket=LABEL, by="person:seat", version=record.version, reason_code="seen_by_phone",
        reason=None, visit=1, to="in",
    )  # fmt: skip
    assert refusal(after(record, there)) is None


def test_a_person_overrules_with_a_reason_and_the_verdict_before_stays_in_the_trace() -> None:
    record = whole(verdict="block")
    wish: dict[str, Any] = {
        "ticket": LABEL, "by": "person:manager", "version": record.version, "reason": None,
        "slot": "fault_point", "photo": PhotoId("fault_point"), "to": "accept",
    }  # fmt: skip
    for code in ("other", "known_good"):
        with pytest.raises(Invalid, match="reason"):
            evidence.decide(record, c.OverrulePhoto(**wish, reason_code=code), NOW)
    wish["reason"] = WORDS
    (event,) = evidence.decide(record, c.OverrulePhoto(**wish, reason_code="known_good"), NOW)
    assert getattr(event, "was", None) == "block"
    wish["version"] = record.version - 1
    with pytest.raises(Conflict) as stale:
        evidence.decide(record, c.OverrulePhoto(**wish, reason_code="known_good"), NOW)
    assert stale.value.code == "version_conflict"


def overrule(slot: Slot, to: Any, **more: Any) -> c.OverrulePhoto:
    return c.OverrulePhoto(**({
        "ticket": LABEL, "by": "person:seat", "version": None, "reason_code": "known_good",
        "reason": None, "slot": slot, "photo": PhotoId(slot), "to": to,
    } | more))  # fmt: skip


def test_a_verdict_on_a_photo_that_was_replaced_or_overruled_changes_nothing() -> None:
    record = after(whole(), take("fault_point", "newer"))
    assert after(record, judged("fault_point", "fault_point", "block")).photos == record.photos
    kept = after(whole(verdict="review"), overrule("fault_point", "accept"))
    (late,) = evidence.decide(kept, judged("fault_point", "fault_point", "block"), NOW)
    assert getattr(late, "verdict", None) == "block"  # it stands in the trace all the same
    held = after(kept, judged("fault_point", "fault_point", "block")).photos["fault_point"]
    assert (held.verdict, held.overruled) == ("accept", True)
    given_up = c.GiveUpPhoto(
        ticket=LABEL, by="photo", slot="fault_point", photo=PhotoId("fault_point"), why="killed",
        tries=2,
    )  # fmt: skip
    held = after(kept, given_up).photos["fault_point"]
    assert (held.verdict, held.unjudged) == ("accept", False)
    assert evidence.decide(whole(), given_up, NOW) == []


def test_who_accepts_a_photo_before_its_verdict_writes_why() -> None:
    pending = after(None, check_in(), take("fault_point", "fault_point"))
    with pytest.raises(Invalid) as bare:
        after(pending, overrule("fault_point", "accept"))
    assert bare.value.code == "reason_needed"
    assert after(pending, overrule("fault_point", "block")).photos["fault_point"].verdict == "block"
    accepted = after(pending, overrule("fault_point", "accept", reason=WORDS))
    stands = after(accepted, judged("fault_point", "fault_point", "block"))
    assert stands.photos["fault_point"].verdict == "accept"
    given_up = after(pending, c.GiveUpPhoto(
        ticket=LABEL, by="photo", slot="fault_point", photo=PhotoId("fault_point"), why="killed",
        tries=2,
    ))  # fmt: skip
    assert after(given_up, overrule("fault_point", "accept")).photos["fault_point"].overruled


def settle(visit: int, to: Any) -> c.OverruleCheckIn:
    return c.OverruleCheckIn(
        ticket=LABEL, by="person:seat", version=None, reason_code="not_there", reason=WORDS,
        visit=visit, to=to,
    )  # fmt: skip


def test_a_check_in_that_a_person_refused_counts_as_none_and_the_crew_goes_on() -> None:
    record = after(whole(), settle(1, "out"))
    with pytest.raises(Conflict) as refused:
        evidence.check_close(record, SLOTS, 0)
    assert (refused.value.code, refused.value.detail) == (
        "evidence_not_accepted", "There is no check-in.",
    )  # fmt: skip
    assert evidence.standing(record, SLOTS, 0).slots["fault_point"] == "review"
    assert evidence.standing(record, SLOTS, 0).wants_crew
    assert not evidence.standing(whole(), SLOTS, 0).wants_crew
    assert evidence.desk_view(record, SLOTS, 0).needs == "review"
    with pytest.raises(Conflict) as gone:
        after(record, check_out())
    assert gone.value.code == "not_checked_in"
    record = after(record, check_in())
    assert evidence.desk_view(record, SLOTS, 0).needs == "review"  # what was taken before it
    assert refusal(record) == "evidence_not_accepted"
    for slot in SLOTS:
        record = after(record, take(slot, f"{slot} 2"), judged(slot, f"{slot} 2"))
    assert refusal(record) is None
    assert evidence.desk_view(record, SLOTS, 0).needs is None
    assert refusal(after(record, settle(1, "in"))) is None


def test_a_refused_visit_that_was_left_with_a_doubt_waits_for_nobody() -> None:
    record = after(None, check_in(), c.CheckOut(**(
        PRESENCE | {"result": "to_be_continued", "verdict": "out", "needs_review": True}
    )))  # fmt: skip
    assert evidence.desk_view(record, SLOTS, 0).needs == "review"
    assert evidence.desk_view(after(record, settle(1, "out")), SLOTS, 0).needs is None


def nobody(round_: int = 0, crew: str = "C3") -> c.DoorNotOpened:
    return c.DoorNotOpened(
        ticket=LABEL, by=f"crew:{crew}", crew=CrewId(crew), round=round_, called_at=[],
        notice_left=True, rebooked_from=None, rebooked_until=None, most=3,
    )  # fmt: skip


def test_nobody_opens_only_to_a_crew_that_is_there_with_a_photo_of_this_time() -> None:
    def code(record: SiteRecord | None, command: c.DoorNotOpened) -> str:
        with pytest.raises(Conflict) as refused:
            evidence.decide(record, command, NOW)
        return refused.value.code

    def asked(record: SiteRecord) -> str | None:
        return evidence.desk_view(record, (), 0).needs

    photographed = after(None, take("door", "a"))
    assert code(photographed, nobody()) == "not_checked_in"
    assert code(after(photographed, check_in(), settle(1, "out")), nobody()) == "not_checked_in"
    record = after(photographed, check_in(), nobody())
    assert (record.unanswered, record.doors) == (1, ["a"])
    record = after(record, check_out(), check_in(), take("door", "b"), nobody())
    record = after(record, check_out(), check_in(), take("door", "a"))
    assert code(record, nobody()) == "no_door_photo"
    assert code(record, nobody(1)) == "not_checked_in"
    assert code(after(record, check_in(1)), nobody(1)) == "no_door_photo"
    second = check_in(crew=CrewId("C4"), crew_name="4 组", by="crew:C4")
    assert code(after(record, second, take("door", "c")), nobody(crew="C4")) == "no_door_photo"
    assert asked(record) is None
    assert asked(after(record, judged("door", "a", "review"))) == "review"
    blocked = after(record, judged("door", "a", "block"))
    assert asked(blocked) == "block"
    assert evidence.desk_view(blocked, (), 1).needs is None
    notice = after(blocked, overrule("door", "accept", photo=PhotoId("a"), reason=WORDS))
    assert asked(notice) is None
    assert asked(after(notice, take("notice", "n"), judged("notice", "n", "block"))) == "block"


def test_no_repair_is_done_with_a_valve_shut_or_a_pipe_unvented() -> None:
    record = after(whole(), valve("closed"))
    assert refusal(record, close=False) == "valve_shut"
    record = after(record, valve("open", vented=False))
    assert refusal(record, close=False) == "not_vented"
    record = after(record, valve("open", vented=True))
    assert refusal(record) is None
    with pytest.raises(Conflict) as so:
        after(record, valve("open", vented=True))
    assert so.value.code == "valve_so"


def test_where_no_resident_is_the_second_person_has_a_name() -> None:
    slots: tuple[Slot, ...] = ("second_person",)
    record = after(None, check_in(), take("second_person", "a"), judged("second_person", "a"))
    with pytest.raises(Conflict) as refused:
        evidence.check_close(record, slots, 0)
    assert refused.value.code == "second_person_unnamed"
    name = c.NameSecondPerson(ticket=LABEL, by="crew:C3", crew=CrewId("C3"), name=WORDS, round=0)
    record = after(record, name)
    evidence.check_close(record, slots, 0)
    with pytest.raises(Conflict):
        evidence.check_done(record, slots, 1)


def test_two_crews_may_be_there_and_a_visit_left_open_ends_with_the_next() -> None:
    second = {"crew": CrewId("C4"), "crew_name": "4 组", "by": "crew:C4"}
    both = after(None, check_in(), check_in(**second), take("fault_point", "a"))
    assert [v.out_at is None for v in both.visits] == [True, True]
    assert both.photos["fault_point"].visit == 1
    with pytest.raises(Conflict, match="checked in"):
        after(both, check_in())
    left = after(both, check_out())
    assert [v.out_at is None for v in left.visits] == [False, True]
    again = after(both, check_in(1))
    assert [(v.crew, v.round, v.out_at is None) for v in again.visits] == [
        ("C3", 0, False), ("C4", 0, True), ("C3", 1, True),
    ]  # fmt: skip


def test_a_waiver_needs_words_and_holds_for_its_round_only() -> None:
    record = after(None, check_in())
    with pytest.raises(Invalid):
        after(record, waive(reason=None))
    record = after(record, waive())
    assert refusal(record) is None
    assert refusal(record, round_=1) == "evidence_missing"
    with pytest.raises(Conflict) as nothing:
        after(whole(), waive())
    assert nothing.value.code == "nothing_to_waive"


class Site(RuleBasedStateMachine):
    """Whatever crews, judges and people say in whatever order: the record stays sound, and what
    closes a ticket is there."""

    def __init__(self) -> None:
        super().__init__()
        self.record: SiteRecord | None = None
        self.now = NOW
        self.photos = 0

    def take(self, command: c.SiteCommand) -> bool:
        self.now += timedelta(seconds=30)
        try:
            events = evidence.decide(self.record, command, self.now)
        except Refused:
            return False
        for event in events:
            self.record = evidence.apply(self.record, event, unix(self.now))
        return True

    @rule(verdict=st.sampled_from(["in", "out", "uncertain"]))
    def comes(self, verdict: Any) -> None:
        there = self.record is not None and self.record.there is not None
        done = self.take(check_in(verdict=verdict, needs_review=verdict != "in"))
        assert done is not there

    @rule()
    def leaves(self) -> None:
        there = self.record is not None and self.record.there is not None
        assert self.take(check_out()) is there

    @precondition(lambda self: self.record is not None and self.record.visits)
    @rule(to=st.sampled_from(["in", "out"]), data=st.data())
    def settles(self, to: Any, data: st.DataObject) -> None:
        assert self.record is not None
        visit = data.draw(st.sampled_from(self.record.visits)).visit
        assert self.take(settle(visit, to))

    @rule(slot=st.sampled_from(SLOTS))
    def photo(self, slot: Slot) -> None:
        self.photos += 1
        assert self.take(take(slot, f"p{self.photos}"))

    @precondition(lambda self: self.record is not None and self.record.photos)
    @rule(slot=st.sampled_from(SLOTS), verdict=st.sampled_from(["accept", "review", "block"]))
    def verdict(self, slot: Slot, verdict: Any) -> None:
        assert self.record is not None
        held = self.record.photos.get(slot)
        if held is not None:
            self.take(judged(slot, held.photo, verdict))

    @rule(to=st.sampled_from(["closed", "open"]), vented=st.booleans())
    def valve(self, to: Any, *, vented: bool) -> None:
        self.take(valve(to, vented=vented))

    @invariant()
    def one_visit_at_a_time(self) -> None:
        if self.record is not None:
            assert sum(v.goes_on for v in self.record.visits) <= 1

    @invariant()
    def what_closes_is_there(self) -> None:
        if refusal(self.record) is None:
            assert self.record is not None
            assert all(self.record.photos[slot].verdict == "accept" for slot in SLOTS)
            assert not self.record.shut
            assert not self.record.unvented
            counted = [v for v in self.record.visits if not v.refused]
            assert counted
            assert all(v.verdict == "in" and not v.needs_review for v in counted)
            refused = {v.visit for v in self.record.visits if v.refused}
            assert not refused & {self.record.photos[slot].visit for slot in SLOTS}


TestSite = Site.TestCase
