"""What the desk decides about evidence, and that nothing else closes what owes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from site_desk import CITY, SLOTS, SiteDesk, words

from dispatch_core import commands as c
from dispatch_core import evidence
from dispatch_core.errors import Refused
from server.usecases.evidence import DecideOnEvidence, OfCheckIn, OfPhoto, OfRound
from server.usecases.field import WorkTicket
from server.usecases.on_site import slots_owed
from server.usecases.tickets import StepTicket
from server.usecases.valves import TurnSiteValve


@pytest.fixture
def desk() -> SiteDesk:
    made = SiteDesk()
    made.given()
    made.arrive()
    for slot in SLOTS:
        made.photo(slot, slot)
    return made


def refused(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as found:
        act()
    return found.value.code


def say(desk: SiteDesk, about: Any, **more: Any) -> Any:
    told: dict[str, Any] = {"version": None, "reason_code": "known_good"} | more
    case = DecideOnEvidence(ticket="t1", city=CITY, by="person:manager", about=about, **told)
    return desk.carry(case)


def of_photo(to: Any, slot: Any = "fault_point", photo: Any = None) -> OfPhoto:
    return OfPhoto(slot=slot, photo=photo or slot, to=to)


def test_a_refused_photo_is_accepted_by_a_person_and_the_verdict_before_stays(
    desk: SiteDesk,
) -> None:
    desk.judged()
    desk.judged("block")
    seen = desk.record.version
    answer = say(desk, of_photo("accept"), version=seen, text=words("电话核实过"))
    assert answer["slots"]["fault_point"] == "accept"
    assert desk.last is not None
    (fact,) = desk.last.appends["evidence:t1"]
    assert (fact.was, fact.to) == ("block", "accept")  # type: ignore[union-attr]
    assert "电话" not in str(desk.last.appends) + desk.last.grounds
    assert refused(lambda: say(desk, of_photo("accept"), version=seen)) == "version_conflict"


def test_a_person_refuses_an_accepted_photo_and_wants_another(desk: SiteDesk) -> None:
    desk.judged()
    assert (
        refused(lambda: say(desk, of_photo("block"), reason_code="wrong_scene")) == "reason_needed"
    )
    answer = say(desk, of_photo("block"), reason_code="wrong_scene", text=words())
    assert (answer["verdict"], answer["slots"]["fault_point"]) == ("block", "block")
    answer = say(desk, of_photo("again"), reason_code="unreadable")
    assert (answer["slots"]["fault_point"], answer["missing"]) == ("again", ["fault_point"])
    desk.photo("fault_point", "better")
    stale = of_photo("accept", photo="fault_point")
    assert refused(lambda: say(desk, stale)) == "photo_replaced"


def test_a_doubtful_check_in_is_settled_by_a_person() -> None:
    desk = SiteDesk()
    desk.given()
    desk.arrive(verdict="uncertain")
    for slot in SLOTS:
        desk.photo(slot)
    desk.judged()
    assert say(desk, OfCheckIn(visit=1, to="in"))["verdict"] == "accept"
    assert refused(lambda: say(desk, OfCheckIn(visit=7, to="in"))) == "no_such_visit"
    assert refused(lambda: say(desk, OfCheckIn(visit=1, to="out"))) == "reason_needed"
    assert say(desk, OfCheckIn(visit=1, to="out"), text=words())["verdict"] == "missing"


def test_a_waiver_has_a_reason_in_words_and_holds_for_its_round(desk: SiteDesk) -> None:
    desk.judged("block")
    waived: dict[str, Any] = {"reason_code": "no_resident"}
    assert refused(lambda: say(desk, OfRound(), **waived)) == "reason_needed"
    assert say(desk, OfRound(), **waived, text=words())["verdict"] == "accept"
    evidence.check_close(desk.record, slots_owed(desk.ticket, CITY), 0)
    desk.done()
    desk.step(c.Close(version=desk.ticket.version, satisfied=True))
    assert refused(lambda: say(desk, of_photo("block"))) == "ticket_over"
    desk.step(c.Reopen(version=desk.ticket.version, reason_code="dissatisfied"))
    with pytest.raises(Refused) as missing:
        evidence.check_close(desk.record, slots_owed(desk.ticket, CITY), desk.ticket.reopened)
    assert missing.value.code == "evidence_missing"


@pytest.mark.parametrize(
    ("kind", "resident", "slots"),
    [
        ("leak", "p-1", SLOTS), ("repair", "p-1", SLOTS),
        ("repair", None, ("fault_point", "in_progress", "second_person")),
        ("not_warm", "p-1", ("room", "thermometer", "windows", "signature")),
        ("complaint", "p-1", ()), ("resume", None, ()),
    ],
)  # fmt: skip
def test_what_is_owed_goes_by_the_kind_of_work(kind: str, resident: Any, slots: Any) -> None:
    desk = SiteDesk()
    desk.receive(kind=kind, resident=resident)
    assert slots_owed(desk.ticket, CITY) == slots


def closing(desk: SiteDesk, command: Any) -> StepTicket:
    return StepTicket(ticket=desk.who()["ticket"], command=command, by="person:1", city=CITY)


def test_nobody_at_the_desk_gets_round_what_the_site_owes(desk: SiteDesk) -> None:
    version = desk.ticket.version
    say(desk, of_photo("again"), reason_code="unreadable")
    assert refused(lambda: desk.carry(closing(desk, c.Verify(version=version)))) == (
        "evidence_missing"
    )
    desk.photo("fault_point", "better")
    desk.carry(closing(desk, c.Verify(version=version)))
    close = closing(desk, c.Close(version=desk.ticket.version, satisfied=True))
    assert refused(lambda: desk.carry(close)) == "evidence_not_accepted"
    desk.judged("review")
    assert refused(lambda: desk.carry(close)) == "evidence_not_accepted"
    for slot in SLOTS:
        say(desk, of_photo("accept", slot, desk.record.photos[slot].photo))
    assert desk.carry(close)["state"] == "closed"


@pytest.mark.parametrize("says", ["desk", "crew"])
def test_no_ticket_closes_where_no_crew_ever_was(says: str) -> None:
    """The desk takes every step by itself: without photos or a waiver the work is not done."""
    desk = SiteDesk()
    desk.given()
    for step in (c.Confirm, c.Handle):
        desk.carry(closing(desk, step(version=desk.ticket.version)))
    if says == "crew":
        assert refused(desk.done) in {"evidence_missing", "not_checked_in"}
    verify = closing(desk, c.Verify(version=desk.ticket.version))
    assert refused(lambda: desk.carry(verify)) == "evidence_missing"
    say(desk, OfRound(), reason_code="not_applicable", text=words("电话里解决"))
    desk.carry(verify)
    close = closing(desk, c.Close(version=desk.ticket.version, satisfied=True))
    assert desk.carry(close)["state"] == "closed"
    desk.step(c.Reopen(version=desk.ticket.version, reason_code="dissatisfied"))
    desk.given()
    for step in (c.Confirm, c.Handle):
        desk.carry(closing(desk, step(version=desk.ticket.version)))
    verify = closing(desk, c.Verify(version=desk.ticket.version))
    assert refused(lambda: desk.carry(verify)) == "evidence_missing", "a waiver is of its round"


def test_a_shut_valve_keeps_a_ticket_open_that_owes_no_photo() -> None:
    desk = SiteDesk()
    desk.given(kind="complaint")
    desk.arrive()
    turned: dict[str, Any] = {"valve": "b1", "outage": "o1", "vented": True}
    desk.carry(TurnSiteValve(**desk.who(), to="closed", **turned))
    verify = closing(desk, c.Verify(version=desk.ticket.version))
    assert refused(lambda: desk.carry(verify)) == "valve_shut"
    desk.carry(TurnSiteValve(**desk.who(), to="open", **turned))
    assert desk.carry(verify)["state"] == "verifying"


def test_a_reopened_ticket_owes_its_photos_anew(desk: SiteDesk) -> None:
    desk.judged()
    desk.done()
    desk.carry(closing(desk, c.Close(version=desk.ticket.version, satisfied=True)))
    desk.carry(closing(desk, c.Reopen(version=desk.ticket.version, reason_code="dissatisfied")))
    desk.given()
    desk.arrive()
    verify = closing(desk, c.Verify(version=desk.ticket.version))
    assert refused(lambda: desk.carry(verify)) == "evidence_missing"


def test_another_trade_does_not_take_away_what_its_work_owes(desk: SiteDesk) -> None:
    by_trade = evidence.Policy(
        required=[evidence.Owed(name="network", trades=["secondary"], slots=list(SLOTS))]
    )
    city = replace(CITY, evidence=by_trade)
    indoor = WorkTicket(
        ticket=desk.who()["ticket"], city=city, version=desk.ticket.version,
        given={"trade": "indoor"}, by="person:1",
    )  # fmt: skip
    assert refused(lambda: desk.carry(indoor)) == "evidence_would_shrink"
    longer = WorkTicket(
        ticket=desk.who()["ticket"], city=city, version=desk.ticket.version,
        given={"minutes": 90}, by="person:1",
    )  # fmt: skip
    desk.carry(longer)
    desk.judged()
    again = WorkTicket(
        ticket=desk.who()["ticket"], city=city, version=desk.ticket.version,
        given={"trade": "indoor"}, by="person:1",
    )  # fmt: skip
    assert desk.carry(again)["work"]["trade"] == "indoor", "all of it was accepted"
