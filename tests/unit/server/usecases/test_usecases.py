"""Use cases: load, decide, and what is to be written, on streams held in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from dispatch_core import commands as c
from dispatch_core import crews, evidence, outages, tickets
from dispatch_core.errors import Conflict, Invalid, NotFound, Refused
from dispatch_core.events import kind_of
from dispatch_core.ids import Words, split_stream, unix
from dispatch_core.requests import propose
from server.adapters.policies import SHIPPED, read_policy
from server.ports import Building, Decision, Loaded, Node, SecretPerson, SecretText, UseCase
from server.usecases.crews import ChangeCrew
from server.usecases.intake import ReceiveRequest
from server.usecases.outages import ChangeOutage, OpenOutage
from server.usecases.places import of_spot
from server.usecases.tickets import DispatchTicket, StepTicket

T0 = datetime(2026, 1, 14, 7, 5, tzinfo=UTC)
AT0 = unix(T0)
CITY = msgspec.structs.replace(
    read_policy(SHIPPED / "harbin" / "default.toml", "2025-2026", "Asia/Shanghai"),
    evidence=evidence.POLICY,
)
"""Work here owes no photos."""
BUILDING = Building(
    id="b1", lon=126.6, lat=45.7, address="道里区 经纬街 3号", community="c1",
    community_name="经纬小区", district="道里区", substation="s1",
)  # fmt: skip
NODES = {
    "s1": Node(
        id="s1", kind="substation", name="一号站", lon=126.6, lat=45.7,
        buildings=["b1"], households=60,
    ),
    "r1": Node(id="r1", kind="riser", name="立管", lon=1, lat=1, buildings=["b1"], households=9),
    "s0": Node(id="s0", kind="substation", name="空站", lon=1, lat=1, buildings=[], households=0),
}  # fmt: skip
APPLY: dict[str, Callable[..., Any]] = {
    "ticket": tickets.apply, "crew": crews.apply, "outage": outages.apply,
}  # fmt: skip


class Desk:
    """Carries use cases out as the adapter does: two rounds of loading, then all facts or none."""

    def __init__(self) -> None:
        self.heads: dict[str, tuple[Any, int]] = {}
        self.now = T0
        self.last: Decision | None = None

    def load(self, case: UseCase) -> Loaded:
        wanted = case.wanted()
        streams = set(wanted.streams)
        buildings = {b: BUILDING for b in wanted.buildings if b == "b1"}
        nodes = {n: NODES[n] for n in wanted.nodes if n in NODES}
        first = Loaded(self.only(streams), buildings, nodes)
        streams |= set(case.more(first).streams)
        return Loaded(self.only(streams), buildings, nodes)

    def only(self, streams: set[str]) -> dict[str, tuple[Any, int]]:
        return {s: head for s, head in self.heads.items() if s in streams}

    def carry(self, case: UseCase) -> Any:
        decision = case.decide(self.load(case), self.now)
        self.last = decision
        for stream, events in decision.appends.items():
            assert events, "an append without facts"
            state, version = self.heads.get(stream, (None, 0))
            for event in events:
                state = APPLY[split_stream(stream)[0]](state, event, unix(self.now))
                version += 1
            self.heads[stream] = (state, version)
        return msgspec.json.decode(msgspec.json.encode(decision.answer))

    def kinds(self) -> dict[str, list[str]]:
        assert self.last is not None
        return {
            stream: [kind_of(type(event)) for event in events]
            for stream, events in self.last.appends.items()
        }


def crew_on_duty(desk: Desk, name: str) -> None:
    desk.carry(
        ChangeCrew(
            crew=name,
            command=c.RegisterCrew(
                crew=name, name=f"{name}班", trades=["indoor"], certificates=[], members=2,
                vehicle="v", shift="day",
            ),
        )
    )  # fmt: skip
    desk.carry(ChangeCrew(crew=name, command=c.StartShift(ends_at=AT0 + 86400)))


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    crew_on_duty(made, "k1")
    crew_on_duty(made, "k2")
    return made


def intake(**more: Any) -> ReceiveRequest:
    given: dict[str, Any] = {
        "ticket": "t1", "proposal": propose("", CITY.requests, "leak"), "city": CITY,
        "level": "red", "source": "phone", "by": "user:1", "building": "b1", "accepted": True,
    }  # fmt: skip
    return ReceiveRequest(**{**given, **more})


def step(command: Any, **more: Any) -> StepTicket:
    return StepTicket(ticket="t1", command=command, by="person:1", city=CITY, **more)


def secret(text: str) -> SecretText:
    return SecretText(Words(id="w1", digest="d1"), text)


def test_a_request_becomes_a_ticket_at_its_building(desk: Desk) -> None:
    caller = SecretPerson(pseudonym="p-1", name="王某", phone="19900000000")
    answer = desk.carry(intake(caller=caller, words=secret("王某家跑水")))
    assert desk.last is not None
    assert desk.last.status == 201
    assert desk.last.source == "tickets"
    assert desk.kinds() == {"ticket:t1": ["ticket_received", "ticket_accepted"]}
    assert (answer["id"], answer["version"], answer["state"]) == ("t1", 2, "accepted")
    assert answer["address"] == "道里区 经纬街 3号"
    assert (answer["due_clock"], answer["due_at"]) == ("respond", AT0 + 1800)
    assert desk.last.persons == (caller,)
    told = msgspec.json.encode([desk.last.answer, desk.last.grounds, dict(desk.last.appends)])
    assert b"\xe7\x8e\x8b" not in told  # the caller's name is in the sealed parts alone
    assert b"19900000000" not in told


def test_a_coordinate_is_named_by_what_is_near_and_never_by_what_was_typed(desk: Desk) -> None:
    answer = desk.carry(intake(building=None, spot=(126.6, 45.7), area="MANHATTAN 10002"))
    assert (answer["address"], answer["building"]) == ("MANHATTAN 10002", None)
    desk.heads.pop("ticket:t1")
    answer = desk.carry(intake(building=None, spot=(126.6, 45.7)))
    assert answer["address"] == "45.7000, 126.6000"
    near = Building(
        id="b1", lon=126.6, lat=45.7, address="道里区 经纬街 3号", community="c1",
        community_name="经纬", district="道里区", substation=None,
    )  # fmt: skip
    place = of_spot((126.6001, 45.7), near, None)
    assert (place.address, place.building, place.community) == ("≈ 道里区 经纬街 3号", None, "c1")


@pytest.mark.parametrize(
    ("more", "code", "kind"),
    [
        ({"building": "b9"}, "no_such_building", NotFound),
        ({"building": None}, "no_place", Invalid),
        ({"building": None, "area": "道里区"}, "no_place", Invalid),
        ({"building": None, "node": "n9"}, "no_such_node", NotFound),
        ({"outage": "o9"}, "no_such_outage", NotFound),
        ({"reports": 0}, "bad_reports", Invalid),
    ],
)
def test_a_request_that_cannot_be_placed_is_refused(
    desk: Desk, more: dict[str, Any], code: str, kind: type[Refused]
) -> None:
    before = dict(desk.heads)
    with pytest.raises(kind) as refused:
        desk.carry(intake(**more))
    assert refused.value.code == code
    assert refused.value.what_to_do
    assert desk.heads == before


def test_a_ticket_goes_through_its_steps_with_its_crew(desk: Desk) -> None:
    desk.carry(intake())
    answer = desk.carry(DispatchTicket(ticket="t1", version=2, crew="k1", by="user:1"))
    assert (answer["state"], answer["crew_name"], answer["version"]) == ("dispatched", "k1班", 3)
    assert desk.kinds() == {"ticket:t1": ["ticket_dispatched"], "crew:k1": ["crew_assigned"]}
    for command, kinds in [
        (c.Confirm(version=3), ["ticket_confirmed", "crew_en_route"]),
        (c.Handle(version=4), ["ticket_handling", "crew_on_site"]),
        (c.Verify(version=5), ["ticket_verifying", "crew_released"]),
        (c.Close(version=6, satisfied=True), ["ticket_closed"]),
    ]:
        desk.now += timedelta(minutes=10)
        answer = desk.carry(step(command))
        assert [kind for made in desk.kinds().values() for kind in made] == kinds
    assert answer["state"] == "closed"
    assert answer["possible"] == ["reopen"]
    assert desk.heads["crew:k1"][0].doing == ("free", None)
    assert desk.last is not None
    assert desk.last.grounds == "call-back: the resident is satisfied"


def test_another_crew_takes_over_and_the_first_is_free(desk: Desk) -> None:
    desk.carry(intake())
    desk.carry(DispatchTicket(ticket="t1", version=2, crew="k1", by="user:1"))
    why = secret("一班车坏了")
    desk.carry(
        DispatchTicket(
            ticket="t1", version=3, crew="k2", by="user:1", reason_code="other", reason=why
        )
    )
    assert desk.kinds() == {
        "ticket:t1": ["ticket_dispatched"],
        "crew:k2": ["crew_assigned"],
        "crew:k1": ["crew_released"],
    }
    assert desk.last is not None
    assert desk.last.texts == (why,)
    assert desk.heads["crew:k1"][0].doing == ("free", None)
    assert desk.heads["crew:k2"][0].doing == ("dispatched", "t1")


def test_a_cancelled_ticket_frees_its_crew_and_a_lost_one_is_regained(desk: Desk) -> None:
    desk.carry(intake())
    desk.carry(DispatchTicket(ticket="t1", version=2, crew="k1", by="user:1"))
    desk.now += timedelta(hours=1)
    state, version = desk.heads["ticket:t1"]
    for event in tickets.watch(state, desk.now):
        state, version = tickets.apply(state, event, unix(desk.now)), version + 1
    desk.heads["ticket:t1"] = (state, version)
    assert state.lost_contact
    answer = desk.carry(step(c.Confirm(version=3)))
    assert desk.kinds()["ticket:t1"] == ["contact_regained", "ticket_confirmed"]
    desk.carry(step(c.Cancel(version=answer["version"], reason_code="caller_withdrew")))
    assert desk.kinds() == {"ticket:t1": ["ticket_cancelled"], "crew:k1": ["crew_released"]}


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (DispatchTicket(ticket="t1", version=2, crew="k9", by="u"), "no_such_crew"),
        (DispatchTicket(ticket="t9", version=2, crew="k1", by="u"), "no_such_ticket"),
        (DispatchTicket(ticket="t1", version=1, crew="k1", by="u"), "version_conflict"),
        (DispatchTicket(ticket="t1", version=2, crew="k3", by="u"), "crew_off_duty"),
        (step(c.Confirm(version=2)), "wrong_state"),
        (
            StepTicket(ticket="t9", command=c.Confirm(version=1), by="person:1", city=CITY),
            "no_such_ticket",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_writes_nothing(
    desk: Desk, case: UseCase, code: str
) -> None:
    desk.carry(intake())
    crew_on_duty(desk, "k3")
    desk.carry(ChangeCrew(crew="k3", command=c.EndShift()))
    before = dict(desk.heads)
    with pytest.raises(Refused) as refused:
        desk.carry(case)
    assert refused.value.code == code
    assert desk.heads == before


def test_a_stale_caller_is_told_the_present_state(desk: Desk) -> None:
    desk.carry(intake())
    desk.carry(DispatchTicket(ticket="t1", version=2, crew="k1", by="user:1"))
    with pytest.raises(Conflict) as refused:
        desk.carry(DispatchTicket(ticket="t1", version=2, crew="k2", by="user:2"))
    assert refused.value.extra == {
        "state": "dispatched", "version": 3, "level": "red", "crew": "k1", "due_at": AT0 + 1800,
        "possible": list(tickets.POSSIBLE["dispatched"]),
    }  # fmt: skip


def test_level_reopen_and_accept_are_steps(desk: Desk) -> None:
    desk.carry(intake(accepted=False, level="blue"))
    assert desk.carry(step(c.Accept(version=1, by="user:1")))["state"] == "accepted"
    answer = desk.carry(step(c.ChangeLevel(version=2, level="red", reason_code="danger")))
    assert answer["level"] == "red"
    assert desk.last is not None
    assert desk.last.grounds == "level red: danger"
    desk.carry(DispatchTicket(ticket="t1", version=3, crew="k1", by="user:1"))
    for version, command in enumerate((c.Confirm, c.Handle, c.Verify), 4):
        desk.carry(step(command(version=version)))
    answer = desk.carry(step(c.Reopen(version=7, reason_code="dissatisfied")))
    assert (answer["state"], answer["crew"]) == ("accepted", None)
    assert list(desk.kinds()) == ["ticket:t1"]


def test_a_crew_that_is_as_it_should_be_writes_nothing(desk: Desk) -> None:
    register = c.RegisterCrew(
        crew="k1", name="k1班", trades=["indoor"], certificates=[], members=2, vehicle="v",
        shift="day",
    )  # fmt: skip
    answer = desk.carry(ChangeCrew(crew="k1", command=register))
    assert desk.kinds() == {}
    assert (answer["version"], answer["state"]) == (2, "free")
    answer = desk.carry(ChangeCrew(crew="k1", command=c.EndShift()))
    assert answer["state"] == "off"
    assert desk.kinds() == {"crew:k1": ["crew_shift_ended"]}


def test_an_outage_is_opened_at_a_node_extended_and_ended(desk: Desk) -> None:
    why = secret("三号阀")
    answer = desk.carry(
        OpenOutage(outage="o1", node="s1", cause="burst", expected_end_at=AT0 + 7200, reason=why)
    )
    assert desk.last is not None
    assert (desk.last.status, desk.last.source, desk.last.texts) == (201, "outages", (why,))
    assert (answer["name"], answer["buildings"], answer["households"]) == ("一号站", 1, 60)
    assert desk.carry(intake(outage="o1"))["outage"] == "o1"
    command: Any = c.ExtendOutage(version=1, expected_end_at=AT0 + 9000)
    assert desk.carry(ChangeOutage(outage="o1", command=command))["expected_end_at"] == AT0 + 9000
    answer = desk.carry(ChangeOutage(outage="o1", command=c.EndOutage(version=2)))
    assert (answer["version"], answer["ended_at"]) == (3, AT0)
    with pytest.raises(NotFound, match="no_such_outage"):
        desk.carry(intake(ticket="t2", outage="o1"))


@pytest.mark.parametrize(
    ("node", "code"),
    [("s9", "no_such_node"), ("r1", "wrong_node"), ("s0", "nothing_behind_node")],
)
def test_an_outage_needs_a_node_that_feeds_buildings(desk: Desk, node: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        desk.carry(OpenOutage(outage="o1", node=node, cause="pump", expected_end_at=AT0 + 60))
    assert refused.value.code == code
