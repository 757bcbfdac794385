"""Random days on one site: the ticket, its evidence, its crews and the outages always agree."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from site_desk import CITY, SLOTS, SiteDesk, words

from dispatch_core import commands as c
from dispatch_core import crews, evidence, tickets
from dispatch_core.errors import Refused
from dispatch_core.ids import unix
from server.ports import UseCase
from server.usecases.evidence import DecideOnEvidence, OfCheckIn, OfPhoto, OfRound
from server.usecases.on_site import slots_owed
from server.usecases.site import (
    ArriveOnSite,
    BuildIn,
    FinishOnSite,
    GiveBack,
    LeaveSite,
    MeetHazard,
    NobodyOpened,
    TakeOn,
    TakeSitePhoto,
)
from server.usecases.tickets import StepTicket
from server.usecases.valves import TurnSiteValve

STAGES = {"dispatched": "dispatched", "confirmed": "en_route", "handling": "on_site"}
one_crew = st.sampled_from(("k1", "k1", "k1", "k2"))
verdicts = st.sampled_from(("in", "out", "uncertain"))
some_slots = st.sampled_from((*SLOTS, "door"))


class SiteDays(RuleBasedStateMachine):
    """Every use case of crews and desk, right and wrong, in any order and of any crew."""

    @initialize()
    def morning(self) -> None:
        self.desk = SiteDesk()
        self.desk.receive()
        self.photos = 0

    def carry(self, case: UseCase) -> bool:
        before = dict(self.desk.heads)
        try:
            self.desk.carry(case)
        except Refused:
            assert self.desk.heads == before, "a refusal that wrote something"
            return False
        return True

    def there(self, crew: str, verdict: Any = "in") -> dict[str, Any]:
        return self.desk.who(crew) | {"presence": self.desk.presence(verdict)}

    @rule(crew=one_crew)
    def given(self, crew: str) -> None:
        if "dispatch" in self.possible and self.desk.ticket.crew != crew:
            for old in self.desk.ticket.crews:
                self.desk.write(f"crew:{old}", _release(self.desk, old))
            self.desk.given(crew)

    @property
    def possible(self) -> tuple[str, ...]:
        return tickets.POSSIBLE[self.desk.ticket.state]

    @rule(crew=one_crew)
    def takes_on(self, crew: str) -> None:
        mine = crew in self.desk.ticket.crews
        assert self.carry(TakeOn(**self.desk.who(crew))) is mine

    @rule(crew=one_crew, verdict=verdicts)
    def arrives(self, crew: str, verdict: Any) -> None:
        self.carry(ArriveOnSite(**self.there(crew, verdict)))

    @rule(crew=one_crew)
    def leaves(self, crew: str) -> None:
        self.carry(LeaveSite(**self.there(crew)))

    @rule(crew=one_crew, slot=some_slots)
    def photo(self, crew: str, slot: Any) -> None:
        self.photos += 1
        self.carry(
            TakeSitePhoto(
                **self.desk.who(crew), slot=slot, photo=f"p{self.photos}", bytes=1,
                captured_at_ms=None, trust="a", nonce_holds=True, signature_holds=True,
                device="d", fix=None,
            )
        )  # fmt: skip

    @rule(verdict=st.sampled_from(("accept", "review", "block")))
    def judged(self, verdict: Any) -> None:
        if "evidence:t1" in self.desk.heads:
            self.desk.judged(verdict)

    @rule(crew=one_crew)
    def done(self, crew: str) -> None:
        before = self.desk.heads.get("evidence:t1", (None, 0))[0]
        if self.carry(FinishOnSite(**self.there(crew))):
            ticket = self.desk.ticket
            now = evidence.standing(before, slots_owed(ticket, CITY), ticket.reopened)
            waived = before is not None and before.waived_round == ticket.reopened
            assert waived or not now.missing
            assert not now.shut
            assert not now.unvented

    @rule(crew=one_crew, photos=st.integers(0, 3), valves=st.sampled_from(("", "c", "co", "cO")))
    def straight_way(self, crew: str, photos: int, valves: str) -> None:
        """Most of a day's work goes in order; where it stops is what matters."""
        self.given(crew)
        self.arrives(crew, "in")
        for slot in SLOTS[:photos]:
            self.photo(crew, slot)
        for turn in valves:
            self.valve(crew, "closed" if turn == "c" else "open", "b1", vented=turn == "O")
        self.done(crew)

    @rule(crew=one_crew, rebook=st.booleans())
    def nobody_opens(self, crew: str, *, rebook: bool) -> None:
        first = unix(self.desk.now) + 3600 if rebook else None
        self.carry(
            NobodyOpened(
                **self.there(crew), called_at=[], notice_left=True, rebooked_from=first,
                rebooked_until=first + 7200 if first else None, night_agreed=True,
            )
        )  # fmt: skip

    @rule(crew=one_crew, safe=st.booleans())
    def given_back(self, crew: str, *, safe: bool) -> None:
        self.carry(GiveBack(**self.there(crew), reason_code="too_far", made_safe=safe))

    @rule(
        crew=one_crew, to=st.sampled_from(("closed", "open")), vented=st.booleans(),
        valve=st.sampled_from(("b1", "s1", "r1")),
    )  # fmt: skip
    def valve(self, crew: str, to: Any, valve: Any, *, vented: bool) -> None:
        outage: Any = f"o{unix(self.desk.now)}"
        turned = TurnSiteValve(
            **self.desk.who(crew), valve=valve, to=to, outage=outage, vented=vented
        )
        self.carry(turned)

    @rule(crew=one_crew, hazard=st.sampled_from(("gas", "dog")))
    def danger(self, crew: str, hazard: Any) -> None:
        if self.carry(MeetHazard(**self.desk.who(crew), hazard=hazard, fix=None)):
            assert hazard == "dog" or self.desk.ticket.level == "red" or not self.possible

    @rule(crew=one_crew, pieces=st.integers(0, 3))
    def parts(self, crew: str, pieces: int) -> None:
        self.carry(BuildIn(**self.desk.who(crew), parts={"闸阀": pieces}))

    @rule(what=st.sampled_from(("accept", "block", "again", "in", "waive")), slot=some_slots)
    def decided(self, what: Any, slot: Any) -> None:
        held = self.desk.heads.get("evidence:t1", (None, 0))[0]
        photo = held.photos[slot].photo if held and slot in held.photos else "none"
        about: Any = OfPhoto(slot=slot, photo=photo, to=what)
        if what == "in":
            about = OfCheckIn(visit=1, to="in")
        elif what == "waive":
            about = OfRound()
        self.carry(
            DecideOnEvidence(
                ticket=self.desk.who()["ticket"], city=CITY, by="person:1", about=about,
                version=None, reason_code="known_good", text=words(),
            )
        )  # fmt: skip

    @rule(satisfied=st.booleans())
    def called_back(self, *, satisfied: bool) -> None:
        if self.desk.ticket.state != "verifying":
            return
        version = self.desk.ticket.version
        command: c.Close | c.Reopen = c.Reopen(version=version, reason_code="dissatisfied")
        if satisfied:
            command = c.Close(version=version, satisfied=True)
        ticket_id = self.desk.who()["ticket"]
        step = StepTicket(ticket=ticket_id, command=command, by="person:1", city=CITY)
        if self.carry(step) and satisfied:
            record, ticket = self.desk.record, self.desk.ticket
            now = evidence.standing(record, slots_owed(ticket, CITY), ticket.reopened)
            assert now.verdict == "accept"
            assert not now.shut

    @invariant()
    def crews_and_ticket_agree(self) -> None:
        ticket = self.desk.ticket
        for crew in ("k1", "k2"):
            stage = self.desk.crew(crew).tickets.get(self.desk.who()["ticket"])
            has = crew in ticket.crews and ticket.state in STAGES
            assert stage == (STAGES[ticket.state] if has else None)

    @invariant()
    def outages_follow_the_valves(self) -> None:
        record = self.desk.heads.get("evidence:t1", (None, 0))[0]
        shut = {v.outage for v in record.valves.values() if v.closed} if record else set()
        still = {
            stream.removeprefix("outage:")
            for stream, (outage, _) in self.desk.heads.items()
            if stream.startswith("outage:") and outage.ended_at is None
        }
        assert still == shut - {None}

    @invariant()
    def a_crew_is_there_once(self) -> None:
        record = self.desk.heads.get("evidence:t1", (None, 0))[0]
        open_visits = [v.crew for v in record.visits if v.out_at is None] if record else []
        assert len(open_visits) == len(set(open_visits))

    @invariant()
    def vans_never_go_below_none(self) -> None:
        assert all(
            n > 0 for crew in ("k1", "k2") for n in (self.desk.crew(crew).parts or {}).values()
        )


def _release(desk: SiteDesk, crew: str) -> list[Any]:
    return crews.decide(desk.crew(crew), c.ReleaseTicket(ticket=desk.who()["ticket"]), desk.now)


SiteDays.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestSiteDays = SiteDays.TestCase
