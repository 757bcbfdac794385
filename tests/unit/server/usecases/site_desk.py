"""A desk and a crew whose streams are held in memory: one whole building, one ticket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from dispatch_core import commands as c
from dispatch_core import crews, evidence, outages, tickets
from dispatch_core.events import SiteFix, kind_of
from dispatch_core.evidence import SiteRecord, Whereabouts
from dispatch_core.ids import Place, Slot, Words, split_stream, unix
from server.adapters.policies import SHIPPED, read_policy
from server.ports import Decision, Loaded, Node, SecretText, UseCase
from server.usecases.on_site import Presence
from server.usecases.site import ArriveOnSite, FinishOnSite, TakeSitePhoto

T0 = datetime(2026, 1, 14, 7, 5, tzinfo=UTC)
CITY = read_policy(SHIPPED / "harbin" / "default.toml", "2025-2026", "Asia/Shanghai")
PLACE = Place(
    building="b1", lon=126.6, lat=45.7, address="道里区 经纬街 3号", community=None, district=None
)
NODES = {
    "b1": Node(id="b1", kind="building", name="道里区 经纬街 3号", lon=126.6, lat=45.7,
               buildings=["b1"], households=24),
    "s1": Node(id="s1", kind="substation", name="一号站", lon=126.6, lat=45.7,
               buildings=["b1", "b2"], households=60),
    "r1": Node(id="r1", kind="riser", name="三单元立管", lon=126.6, lat=45.7, buildings=[],
               households=0),
}  # fmt: skip
APPLY: dict[str, Callable[..., Any]] = {
    "ticket": tickets.apply, "crew": crews.apply, "outage": outages.apply,
    "evidence": evidence.apply,
}  # fmt: skip
SLOTS: tuple[Slot, ...] = ("fault_point", "in_progress", "user_confirmation")


def words(text: str = "见到的情况") -> SecretText:
    return SecretText(Words(id="w1", digest="d1"), text)


class SiteDesk:
    """Carries use cases out as the adapter does: all facts or none, on locked streams only."""

    def __init__(self) -> None:
        self.now = T0
        self.heads: dict[str, tuple[Any, int]] = {}
        self.under: dict[str, str] = {}
        self.last: Decision | None = None
        for crew in ("k1", "k2"):
            for command in (
                c.RegisterCrew(
                    crew=crew, name=f"{crew}班", trades=["indoor"], certificates=[], members=2,
                    vehicle="v", shift="00:00-00:00",
                ),
                c.StockCrew(parts={"闸阀": 2, "垫片": 5}, by="person:1"),
                c.StartShift(ends_at=unix(T0) + 10**7),
            ):  # fmt: skip
                state = self.heads.get(f"crew:{crew}", (None, 0))[0]
                self.write(f"crew:{crew}", crews.decide(state, command, T0))

    def write(self, stream: str, events: Any) -> None:
        state, version = self.heads.get(stream, (None, 0))
        for event in events:
            state = APPLY[split_stream(stream)[0]](state, event, unix(self.now))
            version += 1
        self.heads[stream] = (state, version)

    def carry(self, case: UseCase) -> Any:
        self.now += timedelta(seconds=20)
        wanted = case.wanted()
        nodes = {n: NODES[n] for n in wanted.nodes if n in NODES}
        asked = set(wanted.streams)
        first = Loaded({s: h for s, h in self.heads.items() if s in asked}, nodes=nodes)
        asked |= set(case.more(first).streams)
        under = {b: self.under[b] for b in wanted.buildings if b in self.under}
        loaded = Loaded(
            {s: h for s, h in self.heads.items() if s in asked}, nodes=nodes, outages=under
        )
        decision = case.decide(loaded, self.now)
        assert set(decision.appends) <= asked, "a stream that was not locked"
        self.last = decision
        for stream, events in decision.appends.items():
            assert events, "an append without facts"
            self.write(stream, events)
        return msgspec.json.decode(msgspec.json.encode(decision.answer))

    def kinds(self) -> dict[str, list[str]]:
        assert self.last is not None
        return {s: [kind_of(type(e)) for e in events] for s, events in self.last.appends.items()}

    # ---------------------------------------------------------------- what there is
    def step(self, command: Any) -> None:
        ticket = self.heads.get("ticket:t1", (None, 0))[0]
        self.write("ticket:t1", tickets.decide(ticket, command, self.now))

    def given(self, crew: str = "k1", **more: Any) -> None:
        """The ticket in the hands of a crew."""
        if "ticket:t1" not in self.heads:
            self.receive(**more)
        self.step(
            c.Dispatch(
                version=self.ticket.version,
                crew=crew,
                crew_name=f"{crew}班",
                by="person:1",
                reason_code="nearer_crew",
            )
        )
        state = self.heads[f"crew:{crew}"][0]
        self.write(f"crew:{crew}", crews.decide(state, c.AssignTicket(ticket="t1"), self.now))

    def receive(self, **more: Any) -> None:
        told: dict[str, Any] = {
            "ticket": "t1", "kind": "leak", "level": "yellow", "level_reason": "as_given",
            "source": "phone", "place": PLACE, "by": "person:1", "accepted": True,
            "resident": "p-1",
        } | more  # fmt: skip
        self.step(c.ReceiveRequest(**told))

    @property
    def ticket(self) -> tickets.Ticket:
        found: tickets.Ticket = self.heads["ticket:t1"][0]
        return found

    @property
    def record(self) -> SiteRecord:
        found: SiteRecord = self.heads["evidence:t1"][0]
        return found

    def crew(self, name: str = "k1") -> crews.Crew:
        found: crews.Crew = self.heads[f"crew:{name}"][0]
        return found

    # ---------------------------------------------------------------- what a crew does
    def who(self, crew: str = "k1") -> dict[str, Any]:
        return {"ticket": "t1", "city": CITY, "crew": crew, "by": f"crew:{crew}"}

    def presence(self, verdict: Any = "in", doubts: Any = ()) -> Presence:
        at_ms = unix(self.now) * 1000
        return Presence(
            device="d1", at_device_ms=at_ms,
            fix=SiteFix(lon=126.6, lat=45.7, accuracy_m=8, at_ms=at_ms),
            found=Whereabouts(verdict=verdict, distance_m=3.0, doubts=list(doubts)),
        )  # fmt: skip

    def arrive(self, crew: str = "k1", **more: Any) -> Any:
        return self.carry(ArriveOnSite(**self.who(crew), presence=self.presence(**more)))

    def photo(self, slot: Slot, photo: Any = None, crew: str = "k1") -> Any:
        return self.carry(
            TakeSitePhoto(
                **self.who(crew), slot=slot, photo=photo or f"{slot}-{unix(self.now)}", bytes=9,
                captured_at_ms=None, trust="a", nonce_holds=True, signature_holds=True,
                device="d1", fix=None,
            )
        )  # fmt: skip

    def done(self, crew: str = "k1", **more: Any) -> Any:
        return self.carry(FinishOnSite(**self.who(crew), presence=self.presence(), **more))

    def judged(self, verdict: Any = "accept") -> None:
        for slot, held in self.record.photos.items():
            told = c.JudgePhoto(
                ticket=self.ticket.label, by="photo", slot=slot, photo=held.photo,
                verdict=verdict, checks=[], twin=None, trust="a",
            )  # fmt: skip
            self.write("evidence:t1", evidence.decide(self.record, told, self.now))
