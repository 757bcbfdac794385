"""When a proposal that is out of date may still go ahead, and what a dispatch writes with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from dispatch_core.crews import Crew
from dispatch_core.dispatch import Proposal
from dispatch_core.errors import Refused
from dispatch_core.events import Choice, Displacement
from server.api.dispatch_confirm import as_good
from server.ports import Loaded, Seen
from server.usecases.dispatching import DispatchTicket, GivesWay, Stale

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
    return DispatchTicket(ticket="t1", version=2, crew=crew, by="person:li", decision="d1", **more)


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
