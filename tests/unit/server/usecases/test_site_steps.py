"""What a crew does on site: both records move in one commit, or neither."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from site_desk import SLOTS, SiteDesk, words

from dispatch_core import commands as c
from dispatch_core.errors import Refused
from dispatch_core.ids import Slot, unix
from server.usecases.site import (
    BuildIn,
    CallForHelp,
    GiveBack,
    LeaveSite,
    MeetHazard,
    NobodyOpened,
    TakeOn,
)


@pytest.fixture
def desk() -> SiteDesk:
    made = SiteDesk()
    made.given()
    return made


def refused(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as found:
        act()
    assert found.value.detail
    assert found.value.what_to_do
    return found.value.code


def test_the_crew_takes_the_ticket_and_saying_so_again_writes_nothing(desk: SiteDesk) -> None:
    assert desk.carry(TakeOn(**desk.who()))["ticket"]["state"] == "confirmed"
    assert desk.kinds() == {"ticket:t1": ["ticket_confirmed"], "crew:k1": ["crew_en_route"]}
    assert desk.carry(TakeOn(**desk.who()))["ticket"]["state"] == "confirmed"
    assert desk.kinds() == {}


def test_a_check_in_is_the_ticket_handled_in_one_commit(desk: SiteDesk) -> None:
    answer = desk.arrive()
    assert desk.kinds() == {
        "evidence:t1": ["checked_in"],
        "ticket:t1": ["ticket_confirmed", "ticket_handling"],
        "crew:k1": ["crew_en_route", "crew_on_site"],
    }
    assert (answer["ticket"]["state"], answer["verdict"]) == ("handling", "missing")
    assert answer["missing"] == list(SLOTS)
    assert refused(desk.arrive) == "checked_in"


def test_a_doubtful_check_in_goes_through(desk: SiteDesk) -> None:
    answer = desk.arrive(verdict="out", doubts=["too_fast"])
    assert (answer["ticket"]["state"], answer["visit"]["needs_review"]) == ("handling", True)


def test_another_crew_is_refused_whatever_it_says(desk: SiteDesk) -> None:
    desk.given("k2")
    desk.carry(TakeOn(**desk.who("k2")))
    for act in (
        desk.arrive, desk.done, lambda: desk.photo("fault_point"),
        lambda: desk.carry(TakeOn(**desk.who())),
        lambda: desk.carry(MeetHazard(**desk.who(), hazard="gas", fix=None)),
    ):  # fmt: skip
        assert refused(act) == "not_your_ticket"


def test_done_needs_the_photos_and_releases_the_crew(desk: SiteDesk) -> None:
    desk.arrive()
    assert refused(desk.done) == "evidence_missing"
    for slot in SLOTS:
        desk.photo(slot)
    answer = desk.done()
    assert desk.kinds() == {
        "evidence:t1": ["checked_out"], "ticket:t1": ["ticket_verifying"],
        "crew:k1": ["crew_released"],
    }  # fmt: skip
    assert (answer["ticket"]["state"], answer["verdict"]) == ("verifying", "pending")
    assert desk.record.visits[0].result == "done"


def test_photos_that_come_before_their_check_in_count(desk: SiteDesk) -> None:
    for slot in SLOTS:
        desk.photo(slot)
    assert refused(desk.done) == "not_checked_in"
    desk.arrive()
    assert desk.done()["ticket"]["state"] == "verifying"


def test_the_same_photo_in_the_same_slot_is_told_so(desk: SiteDesk) -> None:
    desk.photo("fault_point", "a")
    assert refused(lambda: desk.photo("fault_point", "a")) == "photo_held"


def test_a_crew_that_left_to_come_back_goes_on(desk: SiteDesk) -> None:
    desk.arrive()
    assert refused(lambda: desk.carry(leave(desk, "k2"))) == "not_your_ticket"
    assert desk.carry(leave(desk))["ticket"]["state"] == "handling"
    assert refused(lambda: desk.carry(leave(desk))) == "not_checked_in"
    desk.arrive()
    assert desk.kinds() == {"evidence:t1": ["checked_in"]}
    assert [v.result for v in desk.record.visits] == ["to_be_continued", None]


def leave(desk: SiteDesk, crew: str = "k1") -> LeaveSite:
    return LeaveSite(**desk.who(crew), presence=desk.presence())


def test_a_photo_is_taken_again_after_the_work_was_done(desk: SiteDesk) -> None:
    desk.arrive()
    for slot in SLOTS:
        desk.photo(slot)
    desk.done()
    desk.arrive()
    desk.photo("fault_point")
    assert desk.done()["ticket"]["state"] == "verifying"
    assert desk.kinds() == {"evidence:t1": ["checked_out"]}
    desk.judged()
    desk.step(c.Close(version=desk.ticket.version, satisfied=True))
    assert refused(lambda: desk.photo("fault_point")) == "ticket_over"


def test_where_no_resident_is_the_second_person_is_named() -> None:
    desk = SiteDesk()
    desk.given(resident=None)
    desk.arrive()
    slots: tuple[Slot, ...] = ("fault_point", "in_progress", "second_person")
    for slot in slots:
        desk.photo(slot)
    assert refused(desk.done) == "second_person_unnamed"
    assert desk.done(text=words("李师傅"))["ticket"]["state"] == "verifying"
    assert desk.last is not None
    assert [text.text for text in desk.last.texts] == ["李师傅"]
    assert "李师傅" not in str(desk.last.appends)


def nobody(desk: SiteDesk, **more: Any) -> Any:
    return desk.carry(
        NobodyOpened(
            **desk.who(), presence=desk.presence(), called_at=[unix(desk.now)], notice_left=True,
            **more,
        )
    )  # fmt: skip


def test_nobody_opened_and_another_window_was_agreed(desk: SiteDesk) -> None:
    desk.photo("door", "door-0")
    assert refused(lambda: nobody(desk)) == "not_checked_in"
    desk.arrive()
    desk.photo("door", "door-1")
    desk.photo("door", "door-0")
    desk.carry(leave(desk))
    desk.arrive()
    nobody(desk)
    desk.given()
    desk.arrive()
    assert refused(lambda: nobody(desk)) == "no_door_photo"
    desk.photo("door", "door-1")
    first = unix(desk.now) + 3600
    answer = nobody(desk, rebooked_from=first, rebooked_until=first + 7200)
    assert desk.kinds() == {
        "evidence:t1": ["door_unanswered", "checked_out"],
        "ticket:t1": ["ticket_displaced", "ticket_appointed"],
        "crew:k1": ["crew_released"],
    }
    assert (answer["ticket"]["state"], answer["ticket"]["crew"]) == ("accepted", None)
    assert answer["ticket"]["appointed"]["from_at"] == first
    assert answer["unanswered"] == 2
    assert desk.record.visits[-1].result == "no_answer"


def test_the_third_time_nobody_opens_the_desk_takes_over(desk: SiteDesk) -> None:
    for time in (1, 2, 3):
        desk.arrive()
        if time > 1:
            assert refused(lambda: nobody(desk)) == "no_door_photo", "the last visit's photo"
        desk.photo("door", f"door-{time}")
        first = unix(desk.now) + 3600
        answer = nobody(desk, rebooked_from=first, rebooked_until=first + 7200)
        assert answer["unanswered"] == time
        assert (answer["ticket"]["appointed"] is None) is (time == 3)
        if time < 3:
            desk.given()
    assert desk.ticket.state == "accepted"


def test_a_window_that_does_not_lie_ahead_is_refused_whole(desk: SiteDesk) -> None:
    desk.arrive()
    desk.photo("door")
    before = dict(desk.heads)
    assert refused(lambda: nobody(desk, rebooked_from=5, rebooked_until=9)) == "bad_window"
    assert desk.heads == before


def test_a_window_that_passed_while_the_word_waited_costs_nothing_else(desk: SiteDesk) -> None:
    desk.arrive()
    desk.photo("door")
    first = unix(desk.now) + 3600
    said = desk.presence()
    desk.now += timedelta(hours=5)
    answer = desk.carry(
        NobodyOpened(
            **desk.who(), presence=said, called_at=[], notice_left=True,
            rebooked_from=first, rebooked_until=first + 7200,
        )
    )  # fmt: skip
    assert (answer["unanswered"], answer["warnings"]) == (1, ["window_passed"])
    assert (answer["ticket"]["state"], answer["ticket"]["appointed"]) == ("accepted", None)


def give_back(desk: SiteDesk, **more: Any) -> GiveBack:
    return GiveBack(
        **(desk.who() | {"presence": desk.presence(), "reason_code": "no_parts"} | more)
    )


def test_a_crew_gives_a_ticket_back_with_its_reason(desk: SiteDesk) -> None:
    assert refused(lambda: desk.carry(give_back(desk, reason_code="other"))) == "reason_needed"
    answer = desk.carry(give_back(desk))
    assert desk.kinds() == {
        "evidence:t1": ["visit_declined"], "ticket:t1": ["ticket_displaced"],
        "crew:k1": ["crew_released"],
    }  # fmt: skip
    assert (answer["ticket"]["state"], desk.record.declined) == ("accepted", ["k1"])
    assert refused(lambda: desk.carry(give_back(desk))) == "not_your_ticket"


def test_from_the_site_a_ticket_is_given_back_only_once_it_is_safe(desk: SiteDesk) -> None:
    desk.arrive()
    assert refused(lambda: desk.carry(give_back(desk))) == "on_site"
    desk.carry(give_back(desk, made_safe=True))
    assert desk.record.visits[0].result == "given_back"


@pytest.mark.parametrize(
    ("hazard", "level"), [("gas", "red"), ("electric", "red"), ("dog", "yellow")]
)
def test_danger_makes_it_red_and_the_duty_manager_has_word(
    desk: SiteDesk, hazard: Any, level: str
) -> None:
    desk.arrive()
    case = MeetHazard(**desk.who(), hazard=hazard, fix=None, text=words("闻到煤气"))
    assert desk.carry(case)["ticket"]["level"] == level
    assert desk.last is not None
    (message,) = desk.last.messages
    assert (message.channel, message.body["hazard"]) == ("duty", hazard)
    assert "煤气" not in str(message.body)


def test_help_is_asked_for(desk: SiteDesk) -> None:
    desk.carry(CallForHelp(**desk.who(), what="second_crew"))
    assert desk.kinds() == {"evidence:t1": ["support_asked"]}


def test_parts_built_in_leave_the_van_and_never_less_than_none(desk: SiteDesk) -> None:
    answer = desk.carry(BuildIn(**desk.who(), parts={"闸阀": 1, "螺栓": 4}))
    assert desk.kinds() == {"evidence:t1": ["parts_used"], "crew:k1": ["crew_stocked"]}
    assert desk.crew().parts == {"闸阀": 1, "垫片": 5}
    assert answer["warnings"] == ["not_on_van:螺栓"]
    desk.carry(BuildIn(**desk.who(), parts={"闸阀": 9}))
    assert desk.crew().parts == {"垫片": 5}
    assert refused(lambda: desk.carry(BuildIn(**desk.who(), parts={"闸阀": 0}))) == "bad_parts"
