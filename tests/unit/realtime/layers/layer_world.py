"""Random days of a company: commands to the real core over many streams, and what is told."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from dispatch_core import arrears, crews, network, outages, rooms, sentiment, tickets
from dispatch_core import commands as c
from dispatch_core import events as e
from dispatch_core.errors import Refused
from dispatch_core.ids import Place
from realtime.facts import Fact

T0 = 1_768_345_500


class World:
    """Random commands to the real core over many streams; what it refuses makes no fact."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.at = T0
        self.facts: list[Fact] = []
        self.states: dict[str, Any] = {}
        self.versions: dict[str, int] = {}
        self.looks: dict[arrears.Cell, arrears.Look] = {}
        self.nodes: dict[str, e.NetworkState] = {}

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    def take(self, stream: str, made: Sequence[e.Event], apply: Callable[..., Any] | None) -> None:
        for event in made:
            version = self.versions[stream] = self.versions.get(stream, 0) + 1
            if apply is not None:
                self.states[stream] = apply(self.states.get(stream), event, self.at)
            self.facts.append(
                Fact(company=1, stream=stream, version=version, at=self.at, event=event)
            )

    def step(self) -> None:
        self.at += self.dice.choice([0, 1, 60, 60, 900, 4000])
        kind = self.dice.choice(
            ["ticket"] * 14 + ["crew"] * 9 + ["point"] * 3 + ["cells"] + ["community"] * 2
            + ["outage"] * 2 + ["told"] * 3
        )  # fmt: skip
        with contextlib.suppress(Refused):
            getattr(self, kind)()

    def ticket(self) -> None:
        name = f"t{self.dice.randrange(3)}"
        stream = f"ticket:{name}"
        state = self.states.get(stream)
        level: Any = self.dice.choice(["red", "yellow", "blue"])
        if state is None or self.dice.random() < 0.02:
            command: Any = c.ReceiveRequest(
                ticket=name, kind="leak", level=level, level_reason="danger", source="phone",
                by="u1", place=place(name), accepted=self.dice.random() < 0.5,
            )  # fmt: skip
        else:
            steps = tickets.POSSIBLE[state.state]
            name = self.dice.choice([
                *steps, *steps[:1] * 5, "watch", "watch", "close", "repeat", "absorb", "escalate",
                "unproposed", "unproposed", "proposed_again",
            ])  # fmt: skip
            command = self.step_of(name, state.version)
        made = (
            tickets.decide(state, command, self.now) if command else tickets.watch(state, self.now)
        )
        self.take(stream, made, tickets.apply)

    def step_of(self, name: str, v: int) -> Any:
        crew = f"k{self.dice.randrange(3)}"
        commands = {
            "accept": c.Accept(version=v, by="u1"),
            "dispatch": c.Dispatch(
                version=v, crew=crew, crew_name=crew, by="u1", reason_code="no_answer"
            ),
            "confirm": c.Confirm(version=v),
            "handle": c.Handle(version=v),
            "verify": c.Verify(version=v),
            "close": c.Close(version=v, satisfied=None),
            "cancel": c.Cancel(version=v, reason_code="test"),
            "reopen": c.Reopen(version=v, reason_code="dissatisfied"),
            "change_level": c.ChangeLevel(
                version=v, level=self.dice.choice(["red", "blue"]), reason_code="danger"
            ),
            "change_kind": c.ChangeKind(
                version=v,
                kind=self.dice.choice(["leak", "repair"]),
                by="u1",
                reason_code="misheard",
            ),
            "change_owner": c.ChangeOwner(version=v, owner=f"u{self.dice.randrange(9)}", by="u1"),
            "change_place": c.ChangePlace(version=v, place=place(crew), by="u1"),
            "merge": c.Merge(version=v, into="t9", by="u1"),
            "add_photos": c.AddPhotos(version=v, photos=[f"f{v}"], by="u1"),
            "repeat": c.Repeat(source="phone", by="u1", raise_to=self.dice.choice(["red", None])),
            "absorb": c.Absorb(other="t9", reports=2),
        } | self.field_steps(v, crew)
        return commands.get(name)

    def field_steps(self, v: int, crew: str) -> dict[str, Any]:
        """What is agreed and locked about the visit, and what the core says of it."""
        later = self.at + 7200
        limits = c.GasLimits(
            oxygen_min_pct=19.5, oxygen_max_pct=23.5, lel_max_pct=10, co_max_ppm=24,
            h2s_max_ppm=6.6, valid_s=1800,
        )  # fmt: skip
        work = e.Work(trade="indoor", minutes=30 + v % 9)
        return {
            "set_work": c.SetWork(version=v, work=work, by="u1"),
            "appoint": c.Appoint(version=v, from_at=later, until_at=later + 3600, by="u1"),
            "permit": c.Permit(
                version=v, permit="hot_work", number="D-1", valid_until=later, by="u1",
                limits=limits,
            ),
            "await_parts": c.AwaitParts(
                version=v, parts={"DN25": 1}, expected_at=self.at + 60, by="u1"
            ),
            "parts_ready": c.PartsReady(version=v, by="u1"),
            "pin": c.Pin(version=v, crew=crew, crew_name=crew, by="u1"),
            "unpin": c.Unpin(version=v, by="u1"),
            "displace": c.Displace(
                version=v, reason_code="red", by="u1", because="t9", made_safe=True
            ),
            "link": c.Link(version=v, digest=f"d{v}", by="u1"),
            "escalate": c.Escalate(clock="respond", deadline=1, to="manager"),
            "unproposed": c.MarkUnproposed(since=self.at, rules={"trade": 2}),
            "proposed_again": c.ProposedAgain(),
        }  # fmt: skip

    def crew(self) -> None:
        name = f"k{self.dice.randrange(2)}"
        stream, ticket = f"crew:{name}", f"t{self.dice.randrange(2)}"
        state = self.states.get(stream)
        command = self.dice.choice([
            c.RegisterCrew(
                crew=name, name=name, trades=["indoor"], certificates=[], vehicle="v", shift="day",
                members=self.dice.choice([2, 3]),
            ),
            c.StartShift(ends_at=self.at + 9999), c.EndShift(), c.AssignTicket(ticket=ticket),
            c.TakeTicket(ticket=ticket), c.ArriveAtTicket(ticket=ticket),
            c.ReleaseTicket(ticket=ticket), c.StockCrew(parts={"DN25": 2}, by="u1"),
            c.StopCrew(reason_code="breakdown", by="u1"), c.CrewBackToWork(by="u1"), None, None,
        ])  # fmt: skip
        if command is None and state is not None:
            made = crews.watch(state, self.at - self.dice.choice([0, 0, 500]), self.now)
        elif command is not None:
            made = crews.decide(state, command, self.now)
        else:
            return
        self.take(stream, made, crews.apply)

    def point(self) -> None:
        stream = f"point:p{self.dice.randrange(4)}"
        site = rooms.Site(
            building="b1", lon=1.0, lat=2.0, address="a", community=None, substation=None,
            substation_name=None, substation_lon=None, substation_lat=None,
        )  # fmt: skip
        celsius = self.dice.choice([15.0, 17.9, 18.2, 18.5, 22.0, 99.0])
        at = self.at - self.dice.choice([0, 0, 5000])
        outcome = rooms.decide(self.states.get(stream), celsius, at, site)
        self.take(stream, [outcome.event] if outcome.event else [], rooms.apply)

    def cells(self) -> None:
        corners = [arrears.Cell(100, x, y) for x in range(3) for y in range(3)]
        leaves = {s: (self.dice.randrange(20), self.dice.randrange(9)) for s in corners}
        changed = {s: self.dice.randrange(9) for leaf in corners for s in arrears.lineage(leaf)}
        bounds = arrears.Bounds(west=0, south=0, east=1, north=1)
        done = arrears.publish(leaves, self.looks, changed, self.at, lambda _: bounds)
        self.looks = done.looks
        for cell, event in done.events:
            self.take(f"cell:{cell.name()}", [event], None)

    def community(self) -> None:
        stream = f"community:c{self.dice.randrange(2)}"
        n = self.dice.choice([0, 2, 9, 30])
        window = sentiment.Window(
            mentions=n, negative=n, mean_value=-0.5 if n else 0.0, topics={"leak": n},
            negative_topics={"leak": n},
        )  # fmt: skip
        site = sentiment.Site(name="小区", lon=1, lat=2, radius_m=300)
        made = sentiment.decide(self.states.get(stream), site, window, 1.0, self.now)
        self.take(stream, made, sentiment.apply)

    def outage(self) -> None:
        name = f"o{self.dice.randrange(3)}"
        state = self.states.get(f"outage:{name}")
        v = state.version if state else 0
        command = self.dice.choice([
            c.OpenOutage(
                outage=name, name=name, node_kind="plant", node="n", lon=1, lat=2,
                buildings=["b1", "b2", "b3"],
                households=99, cause="pump", expected_end_at=self.at + 60,
            ),
            c.ExtendOutage(version=v, expected_end_at=self.at + 900), c.EndOutage(version=v),
        ])  # fmt: skip
        self.take(f"outage:{name}", outages.decide(state, command, self.now), outages.apply)

    def told(self) -> None:
        late = self.at - self.dice.choice([0, 0, 3000])
        node = network.Node(
            node=f"s{self.dice.randrange(2)}", name="站", node_kind="substation", lon=1, lat=2,
            supply_low_c=45,
        )  # fmt: skip
        reading = network.decide(
            self.nodes.get(node.node), node, self.dice.choice([40.0, 50.0, None]), 35.0, late
        )
        if reading:
            self.nodes[node.node] = reading
        fixes = [
            e.Fix(
                crew=f"k{self.dice.randrange(3)}", lon=self.dice.random(), lat=2, accuracy_m=5,
                heading_deg=None, speed_mps=None, fixed_at=late - i,
            )
            for i in range(3)
        ]  # fmt: skip
        n = self.dice.randrange(9)
        hour = e.HourUsual(hour_at=late, count=n, usual_low=1, usual=2, usual_high=3)
        for event in (
            reading,
            e.CrewPositions(fixes=fixes),
            e.WeatherObserved(
                outdoor_c=-n, feels_c=None, wind_mps=n, wind_from_deg=None, observed_at=late
            ),
            e.RequestsCounted(this_hour=n, per_hour=n, usual_per_hour=None, hours=[hour]),
            e.ClosingCounted(due=9, closed=n, closed_today=n, received_today=n, target_pct=98),
            e.RoomsCounted(
                points=9, online=n, below=1, new_10min=0, bound_c=18, flood_limit_10min=10
            ),
            network.supply(self.nodes.values(), self.at, 600),
            e.SourceHeartbeat(source="sensors", topics=["rooms"], cadence_s=60),
            e.PlanFigures(
                plan=n,
                made_at=late,
                visits=n,
                unplanned=0,
                late=0,
                changed=0,
                cap=9,
                travel="roads",
                travel_because=None,
                cpu_ms=7,
                iterations=100,
            ),
        ):
            if event is not None:
                self.take("telemetry:told", [event], None)
        self.planned(n)

    def planned(self, n: int) -> None:
        """The plan of a crew's day, and a proposal that comes or goes."""
        crew, ticket = f"k{self.dice.randrange(2)}", f"t{self.dice.randrange(3)}"
        visit = e.PlannedVisit(
            tickets=[ticket], level="red", kind="leak", address="a", leave_at=self.at,
            start_at=self.at + 60, end_at=self.at + 600, state="planned", frozen=False, late_s=0,
        )  # fmt: skip
        day = e.CrewDayPlanned(plan=n, visits=[visit] * (n % 3), breaks=[])
        proposed: e.Event = e.TicketProposed(
            plan=n, ticket_version=1, decision="d", made_at=self.at, choices=[], left_out={},
            travel="roads", policy="p",
        )  # fmt: skip
        told = self.dice.choice([proposed, proposed, e.ProposalWithdrawn()])
        self.take(f"crew:{crew}", [day, *[e.RoundChanged()] * (n % 2)], None)
        self.take(f"ticket:{ticket}", [told], None)
        stands: e.Event = e.EvidenceStands(
            ticket=e.TicketLabel(level="red", kind="leak", address="a"), verdict="review",
            slots={"fault_point": self.dice.choice(["review", "accept"])}, unjudged=False,
            needs=self.dice.choice(["review", None]), since=self.at,
        )  # fmt: skip
        over = self.dice.choice([stands, stands, e.EvidenceSettled()])
        self.take(f"evidence:{ticket}", [over], None)


def place(name: str) -> Place:
    """Some are known by their street only."""
    precision: Any = "street" if name == "k1" else "building"
    return Place(
        building=None if name == "k1" else "b1", lon=1.5, lat=2.5, address=name, community="c1",
        district="d1", precision=precision,
    )  # fmt: skip
