"""Random days of a desk: the crews, the store and the tickets always agree on who has what."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dispatch_core import commands as c
from dispatch_core import crews, evidence, stores, tickets
from dispatch_core.errors import Refused
from dispatch_core.ids import Place, split_stream, unix
from server.adapters.policies import SHIPPED, read_policy
from server.ports import Loaded, UseCase
from server.usecases.dispatching import DispatchTicket, GivesWay
from server.usecases.field import DisplaceTicket, PartsTicket, PinTicket
from server.usecases.merging import MergeTicket
from server.usecases.stores import IssueStoreParts
from server.usecases.tickets import StepTicket

CITY = msgspec.structs.replace(
    read_policy(SHIPPED / "harbin" / "default.toml", "2025-2026", "Asia/Shanghai"),
    evidence=evidence.POLICY,
)
"""Work here owes no photos."""
T0 = datetime(2026, 1, 14, 7, 5, tzinfo=UTC)
TICKETS = ("t1", "t2", "t3")
CREWS = ("k1", "k2", "k3")
PLACE = Place(building="b1", lon=126.6, lat=45.7, address="x", community=None, district=None)
APPLY: dict[str, Any] = {"ticket": tickets.apply, "crew": crews.apply, "store": stores.apply}
IN_HAND = {"dispatched": "dispatched", "confirmed": "en_route", "handling": "on_site"}
"""State of a ticket -> how far its crews are with it."""
one_ticket, one_crew = st.sampled_from(TICKETS), st.sampled_from(CREWS)


class Desk(RuleBasedStateMachine):
    """Every use case that moves a ticket between hands, right and wrong, in any order."""

    @initialize()
    def morning(self) -> None:
        self.now = T0
        self.heads: dict[str, tuple[Any, int]] = {}
        for crew in CREWS:
            entry = c.RegisterCrew(
                crew=crew, name=crew, trades=["indoor"], certificates=[], members=2, vehicle="v",
                shift="00:00-00:00",
            )  # fmt: skip
            for command in (entry, c.StartShift(ends_at=unix(T0) + 10**7)):
                state = self.heads.get(f"crew:{crew}", (None, 0))[0]
                self.write(f"crew:{crew}", crews.decide(state, command, T0))
        for name in TICKETS:
            self.write(f"ticket:{name}", tickets.decide(None, self.received(name), T0))
        shelf = c.StockStore(name="W", lon=1.0, lat=1.0, parts={"p": 3})
        self.write("store:W", stores.decide(None, shelf))

    @staticmethod
    def received(name: str) -> c.ReceiveRequest:
        return c.ReceiveRequest(
            ticket=name, kind="leak", level="yellow", level_reason="as_given", source="phone",
            place=PLACE, by="person:1", accepted=True,
        )  # fmt: skip

    def write(self, stream: str, events: Any) -> None:
        state, version = self.heads.get(stream, (None, 0))
        for event in events:
            state = APPLY[split_stream(stream)[0]](state, event, unix(self.now))
            version += 1
        self.heads[stream] = (state, version)

    def carry(self, case: UseCase) -> bool:
        """All of its facts or none; everything is loaded."""
        self.now += timedelta(minutes=1)
        loaded = Loaded(self.heads)
        asked = {*case.wanted().streams, *case.more(loaded).streams}
        try:
            decision = case.decide(loaded, self.now)
        except Refused:
            return False
        assert set(decision.appends) <= asked, "a stream that was not locked"
        for stream, events in decision.appends.items():
            self.write(stream, events)
        return True

    def ticket(self, name: str) -> tickets.Ticket:
        found: tickets.Ticket = self.heads[f"ticket:{name}"][0]
        return found

    @rule(
        name=one_ticket, crew=one_crew, second=st.sampled_from([None, *CREWS]),
        gone=st.sampled_from([None, None, None, *TICKETS]),
    )  # fmt: skip
    def dispatch(self, name: str, crew: str, second: Any, gone: Any) -> None:
        version = self.ticket(name).version
        away = (GivesWay(gone, self.ticket(gone).version),) if gone and gone != name else ()
        self.carry(DispatchTicket(
            ticket=name, version=version, crew=crew, with_crew=second, by="person:1", city=CITY,
            reason_code="nearer_crew", displace=away, made_safe=True,
        ))  # fmt: skip

    @rule(name=one_ticket, crew=one_crew, after=st.integers(0, 3))
    def whole_job(self, name: str, crew: str, after: int) -> None:
        """Two crews go the straight way, some of it."""
        second = CREWS[CREWS.index(crew) - 1]
        self.dispatch(name, crew, second, None)
        for what in ("confirm", "handle", "verify")[:after]:
            self.step(name, what)

    @rule(name=one_ticket, what=st.sampled_from(
        ["confirm", "handle", "verify", "close", "cancel", "reopen"]
    ))  # fmt: skip
    def step(self, name: str, what: str) -> None:
        version = self.ticket(name).version
        command: Any = {
            "confirm": c.Confirm(version=version), "handle": c.Handle(version=version),
            "verify": c.Verify(version=version),
            "close": c.Close(version=version, satisfied=True),
            "cancel": c.Cancel(version=version, reason_code="not_ours"),
            "reopen": c.Reopen(version=version, reason_code="dissatisfied"),
        }[what]  # fmt: skip
        may = what in tickets.POSSIBLE[self.ticket(name).state]
        assert self.carry(StepTicket(ticket=name, command=command, by="u", city=CITY)) == may

    @rule(name=one_ticket, safe=st.booleans(), by=st.sampled_from(["person:1", "system:core"]))
    def displace(self, name: str, safe: bool, by: str) -> None:
        ticket = self.ticket(name)
        gone = self.carry(DisplaceTicket(
            ticket=name, city=CITY, version=ticket.version, reason_code="by_hand", by=by,
            made_safe=safe,
        ))  # fmt: skip
        at_work = ticket.state == "handling" and not (safe and by == "person:1")
        assert gone == (ticket.state in IN_HAND and not at_work)

    @rule(name=one_ticket, into=one_ticket)
    def merge(self, name: str, into: str) -> None:
        version = self.ticket(name).version
        self.carry(MergeTicket(ticket=name, into=into, version=version, by="u", city=CITY))

    @rule(
        name=one_ticket, pieces=st.integers(1, 3), kept=st.booleans(),
        end=st.sampled_from([None, "cancel", "verify"]),
    )  # fmt: skip
    def wait(self, name: str, pieces: int, kept: bool, end: Any) -> None:
        """Parts that are awaited, and perhaps the ticket's end."""
        command = c.AwaitParts(
            version=self.ticket(name).version, parts={"p": pieces}, by="u",
            expected_at=unix(self.now) + 7200, store="W" if kept else None,
        )  # fmt: skip
        self.carry(PartsTicket(ticket=name, city=CITY, command=command))
        if end == "verify":
            self.whole_job(name, CREWS[0], 3)
            self.step(name, "reopen")
        elif end is not None:
            self.step(name, end)

    @rule(name=st.sampled_from([None, *TICKETS]), crew=one_crew)
    def fetch(self, name: Any, crew: str) -> None:
        command = c.IssueParts(crew=crew, parts={"p": 1}, ticket=name)
        self.carry(IssueStoreParts(store="W", command=command, by="u"))

    @rule(pair=st.permutations(TICKETS), crew=one_crew, halves=st.lists(st.integers(0, 2)))
    def pin(self, pair: list[str], crew: str, halves: list[int]) -> None:
        """Locks of one crew, half an hour apart."""
        for name, half in zip(pair, halves, strict=False):
            at = unix(T0) + 10**6 + 1800 * half
            version = self.ticket(name).version
            self.carry(PinTicket(
                ticket=name, city=CITY, version=version, crew=crew, by="u", start_at=at
            ))  # fmt: skip

    @invariant()
    def crews_and_tickets_agree(self) -> None:
        heads = getattr(self, "heads", {})
        has = {crew: dict(heads[f"crew:{crew}"][0].tickets) for crew in CREWS if heads}
        owed: dict[str, dict[str, str]] = {crew: {} for crew in has}
        for name in TICKETS if heads else ():
            ticket = self.ticket(name)
            for crew in ticket.crews if ticket.state in IN_HAND else ():
                owed[crew][name] = IN_HAND[ticket.state]
        assert {k: set(v) for k, v in has.items()} == {k: set(v) for k, v in owed.items()}
        for crew, mine in owed.items():
            for name, stage in mine.items():
                # a crew that is given the ticket once more, with a second one, stays as far
                assert has[crew][name] == stage or self.ticket(name).state == "dispatched"

    @invariant()
    def the_store_keeps_nothing_for_what_is_over(self) -> None:
        if not getattr(self, "heads", {}):
            return
        store: stores.Store = self.heads["store:W"][0]
        for name in TICKETS:
            ticket = self.ticket(name)
            if name in store.reserved:
                assert ticket.state in tickets.OPEN
                assert ticket.reserved == "W"
        assert sum(parts["p"] for parts in store.reserved.values()) <= store.parts.get("p", 0)

    @invariant()
    def no_crew_is_locked_to_two_starts_at_once(self) -> None:
        if not getattr(self, "heads", {}):
            return
        held = [(t.pinned, t.state) for t in map(self.ticket, TICKETS)]
        for crew in CREWS:
            starts = sorted(
                lock.start_at
                for lock, state in held
                if lock and lock.crew == crew and lock.start_at and state in tickets.OPEN
            )
            work = 60 * 60  # a leak takes an hour by this policy
            assert all(b - a >= work for a, b in itertools.pairwise(starts))


Desk.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestDesk = Desk.TestCase
