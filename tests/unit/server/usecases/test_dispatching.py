"""When a proposal that is out of date may still go ahead, and what a dispatch writes with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from dispatch_core import tickets
from dispatch_core.commands import Appoint, ReceiveRequest
from dispatch_core.crews import Crew
from dispatch_core.dispatch import Priced, Proposal
from dispatch_core.errors import Refused
from dispatch_core.events import Choice, Displacement, Price, TicketDispatched, Work
from dispatch_core.ids import Place
from dispatch_core.tickets import Ticket
from server.adapters.policies import SHIPPED, read_policy
from server.api.dispatch_confirm import as_good
from server.ports import Loaded, Seen
from server.usecases.dispatching import DispatchTicket, GivesWay, Stale, choice_in
from server.usecases.field import AgreeTicket

CITY = read_policy(SHIPPED / "harbin" / "default.toml", "2025-2026", "Asia/Shanghai")
AT = 1_768_363_200
NOW = datetime.fromtimestamp(AT, UTC)
SCORE = ("travel", "lateness", "level", "load", "continuity", "skill_margin", "parts", "impact",
         "churn")  # fmt: skip


def choice(crew: str, total: int, start: int = 600, **more: Any) -> Choice:
    facts = {"wait_s": start, "trade": "indoor", "visits_here": 0, "degree_hours_m": 0,
             "late_s": 0, "able": 3}  # fmt: skip
    return Choice(**(dict(  # noqa: C408 - reads as the call it stands for
        crew=crew, crew_name=crew, arrive_at=AT + start, start_at=AT + start,
        end_at=AT + start + 1800, sure_s=60, distance_m=900,
        score=dict.fromkeys(SCORE, 0) | {"travel": total}, total=total, facts=facts, after=None,
        displaced=[], newly_late=[], crew_version=1,
    ) | more))  # fmt: skip


def gone(ticket: str) -> Displacement:
    return Displacement(
        ticket=ticket, level="blue", address="和平路 3 号", was_at=AT, crew=None, start_at=None,
        late_s=0,
    )  # fmt: skip


def seen(*choices: Choice, plan: int = 4, made_at: int = AT, decision: str = "d1") -> Seen:
    proposal = Proposal(
        ticket="t1", ticket_version=2, plan=plan, made_at=made_at, choices=list(choices), rules=[],
        left_out={}, travel="great_circle", policy="p@1",
    )  # fmt: skip
    return Seen(
        decision=decision, ticket="t1", ticket_version=2, plan=plan, policy="p@1",
        made_at=made_at, proposal=proposal,
    )  # fmt: skip


def wish(crew: str = "A", **more: Any) -> DispatchTicket:
    given = {"decision": "d1"} | more
    return DispatchTicket(ticket="t1", version=2, crew=crew, by="person:li", **given)


BEST, NEXT = choice("A", 100), choice("B", 160)


@pytest.mark.parametrize(
    ("now", "crew", "good"),
    [
        (seen(BEST, NEXT), "A", True),
        (seen(choice("B", 90), choice("A", 200)), "A", True),  # 110 s dearer than the new best
        (seen(choice("B", 90), choice("A", 240)), "A", False),
        (seen(NEXT), "A", False),  # a rule leaves it out now
        (seen(choice("A", 100, 900), NEXT), "A", False),  # five minutes later than it was
        (seen(choice("A", 100, 900), NEXT, made_at=AT + 300), "A", True),  # as is the time
        (seen(choice("A", 100, newly_late=[gone("t9")]), NEXT), "A", False),
        (seen(choice("A", 100, displaced=[gone("t9")]), NEXT), "A", False),
        (seen(choice("A", 100, displaced=[gone("t8")]), NEXT), "A", True),  # named by the person
        (seen(choice("A", 100, with_crew="C"), NEXT), "A", False),
        (seen(BEST, choice("B", 200)), "B", True),
        (seen(BEST, choice("B", 300)), "B", False),
    ],
)
def test_a_crew_goes_ahead_while_it_is_as_good_as_it_was(now: Seen, crew: str, good: bool) -> None:
    asked = wish(crew, displace=[GivesWay("t8", 3)])
    assert as_good(seen(BEST, NEXT), now, asked, 120) is good


def crew_state(version: int = 1) -> Crew:
    return Crew(
        version=version, name="A", trades=["indoor"], certificates=[], members=2, vehicle="v",
        shift="00:00-00:00", on_duty=True,
    )  # fmt: skip


def loaded(was: Seen, *, plan: int = 4, crew: int = 1) -> Loaded:
    return Loaded(
        {"crew:A": (crew_state(crew), crew), "crew:B": (crew_state(crew), crew)},
        decisions={"d1": was}, plan=plan,
    )  # fmt: skip


@pytest.mark.parametrize(("plan", "crew"), [(5, 1), (4, 2)])
def test_what_moved_since_makes_it_stale(plan: int, crew: int) -> None:
    with pytest.raises(Stale):
        wish().decide(loaded(seen(BEST, NEXT), plan=plan, crew=crew), NOW)


def test_what_a_person_owes_is_said_before_it_is_scored_again() -> None:
    with pytest.raises(Refused) as refused:
        wish("B").decide(loaded(seen(BEST, NEXT), plan=9), NOW)
    assert refused.value.code == "reason_needed"
    dear = replace(BEST, displaced=[gone("t9")])
    with pytest.raises(Refused) as refused:
        wish().decide(loaded(seen(dear), plan=9), NOW)
    assert refused.value.code == "displacement_unseen"
    assert refused.value.extra["displaced"] == [{"ticket": "t9", "address": "和平路 3 号"}]


def test_a_decision_of_another_ticket_says_nothing_here() -> None:
    with pytest.raises(Refused) as refused:
        wish().decide(loaded(replace(seen(BEST), ticket="t2")), NOW)
    assert refused.value.code == "no_such_decision"


def accepted() -> Ticket:
    place = Place(building="b1", lon=126.6, lat=45.7, address="和平路 3 号", community=None,
                  district=None)  # fmt: skip
    received = ReceiveRequest(
        ticket="t1", kind="not_warm", level="blue", level_reason="as_given", source="phone",
        place=place, by="user:1", accepted=True,
    )  # fmt: skip
    ticket: Ticket | None = None
    for event in tickets.decide(ticket, received, NOW):
        ticket = tickets.apply(ticket, event, AT)
    assert ticket is not None
    return ticket


GIVEN = TicketDispatched(
    ticket=accepted().label, due=None, crew="C", crew_name="C", from_crew=None, by="person:li",
    reason_code=None, reason=None,
)  # fmt: skip


def both(mate: int = 1, **states: Any) -> Loaded:
    """A job for two crews that was scored on the second crew's first version."""
    ticket = accepted()
    pair = replace(BEST, with_crew="B", with_crew_version=1)
    heads: dict[str, tuple[Any, int]] = {
        "ticket:t1": (ticket, 2), "crew:A": (crew_state(), 1), "crew:B": (crew_state(mate), mate),
        "crew:C": (crew_state(), 1),
    }  # fmt: skip
    return Loaded(heads | states, decisions={"d1": seen(pair)}, plan=4)


def test_who_was_slower_is_told_so_and_nothing_is_scored_again() -> None:
    given_away = tickets.apply(accepted(), GIVEN, AT)
    with pytest.raises(Refused) as refused:
        wish().decide(both(mate=2, **{"ticket:t1": (given_away, 3)}), NOW)
    assert refused.value.code == "version_conflict"
    assert refused.value.extra["crew"] == "C"


def test_a_second_crew_that_moved_since_makes_it_stale_too() -> None:
    assert set(wish().decide(both(), NOW).appends) == {"ticket:t1", "crew:A", "crew:B"}
    with pytest.raises(Stale):
        wish().decide(both(mate=2), NOW)


def test_a_second_crew_of_ones_own_choice_is_scored_first() -> None:
    assert wish(with_crew="B").decide(both(), NOW)
    with pytest.raises(Refused) as refused:
        wish(with_crew="C").decide(both(), NOW)
    assert refused.value.code == "crew_not_scored"


def test_a_ticket_gives_way_once_and_not_to_itself() -> None:
    for given in ([GivesWay("t1", 2)], [GivesWay("t9", 4), GivesWay("t9", 4)]):
        with pytest.raises(Refused) as refused:
            wish(displace=given).decide(both(), NOW)
        assert refused.value.code == "bad_displacement"


@pytest.mark.parametrize(("most", "goes"), [(2, False), (3, True), (9, True)])
def test_a_crew_has_as_many_tickets_in_hand_as_the_citys_rules_say(most: int, goes: bool) -> None:
    busy = replace(crew_state(), tickets={"t7": "dispatched", "t8": "dispatched"})
    ours = replace(CITY.dispatch, rules=replace(CITY.dispatch.rules, in_hand_max=most))
    city = replace(CITY, dispatch=ours)
    asked = DispatchTicket(ticket="t1", version=2, crew="A", by="person:li", city=city)
    there = both(**{"crew:A": (busy, 1)})
    if goes:
        assert asked.decide(there, NOW).appends["crew:A"]
        return
    with pytest.raises(Refused) as refused:
        asked.decide(there, NOW)
    assert refused.value.code == "crew_full"


def test_a_visit_dropped_at_a_later_time_is_not_moved_to_an_earlier_one() -> None:
    later, sooner = choice("A", 100, 7200), choice("A", 100, 600)
    price = Priced(
        choice=later, price=Price(best="A", later_s=0, newly_late=[], displaced=[]),
        against=sooner, refused_by=None,
    )  # fmt: skip
    was = replace(seen(BEST), proposal=None, priced=price)
    assert as_good(was, seen(later), wish(), 120)
    assert not as_good(was, seen(sooner), wish(), 120)
    assert as_good(seen(later), seen(sooner), wish(), 120)


def test_the_best_crew_goes_ahead_as_second_within_the_tolerance() -> None:
    was, now = seen(BEST, NEXT), seen(choice("B", 90), choice("A", 200), plan=5, decision="d2")
    assert as_good(was, now, wish(), 120)
    there = {"crew:A": (crew_state(1), 1), "crew:B": (crew_state(1), 1)}
    with pytest.raises(Refused) as refused:
        wish().on("d2").decide(Loaded(there, decisions={"d2": now}, plan=5), NOW)
    assert refused.value.code == "no_such_ticket"  # no reason is asked for a second time


def test_a_crew_that_makes_safe_first_is_the_one_that_was_chosen() -> None:
    now = seen(choice("B", 90), choice("A", 400, 4045))
    assert now.proposal is not None
    proposal = replace(now.proposal, safe_first=choice("A", 900, 445))
    now = replace(now, proposal=proposal)
    at_once, later = choice_in(now, "A", safe=True), choice_in(now, "A")
    assert at_once is not None
    assert later is not None
    assert (at_once[0].start_at, at_once[1]) == (AT + 445, None)
    assert (later[0].start_at, later[1]) == (AT + 4045, 2)


def test_a_job_for_two_that_is_given_to_one_crew_by_hand_says_so() -> None:
    work = Work(trade="indoor", crews=2)
    ticket = replace(accepted(), work=work)
    there = Loaded({"ticket:t1": (ticket, 2), "crew:A": (crew_state(), 1)})
    decision = wish(city=CITY, decision=None).decide(there, NOW)
    assert decision.answer.warnings == ["second_crew"]
    assert "one is given" in decision.grounds
    both_crews = Loaded({**there.heads, "crew:B": (crew_state(), 1)})
    decision = wish(city=CITY, decision=None, with_crew="B").decide(both_crews, NOW)
    assert decision.answer.warnings == []


@pytest.mark.parametrize(
    ("hours", "agreed", "refused"),
    [((22, 23), False, True), ((22, 23), True, False), ((18, 23), False, False),
     ((6, 7), False, True), ((9, 11), False, False)],
)  # fmt: skip
def test_a_home_is_appointed_by_day_or_as_the_resident_agreed(
    hours: tuple[int, int], *, agreed: bool, refused: bool
) -> None:
    day = datetime(2026, 1, 15, tzinfo=ZoneInfo("Asia/Shanghai"))
    first, last = (int(day.replace(hour=hour).timestamp()) for hour in hours)
    home = replace(accepted(), work=Work(trade="indoor", home_visit=True, minutes=40))
    case = AgreeTicket(
        ticket="t1", city=CITY,
        command=Appoint(
            version=2, from_at=first, until_at=last, night_agreed=agreed, by="person:li"
        ),
    )  # fmt: skip
    there = Loaded({"ticket:t1": (home, 2)})
    if not refused:
        assert case.decide(there, NOW).appends
        return
    with pytest.raises(Refused) as said:
        case.decide(there, NOW)
    assert said.value.code == "night_not_agreed"
