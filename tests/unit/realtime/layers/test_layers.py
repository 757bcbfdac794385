"""Every layer: rows follow from the facts alone, however these are cut into batches."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_core import arrears, crews, network, outages, rooms, sentiment, tickets
from dispatch_core import commands as c
from dispatch_core import events as e
from dispatch_core.errors import Refused
from dispatch_core.ids import Place
from realtime.facts import Fact
from realtime.layers import LAYERS, happenings
from realtime.layers.rows import TOPICS, Row

T0 = 1_768_345_500
Rows = dict[tuple[str, str], Row]


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
                *steps, *steps[:1] * 5, "watch", "watch", "close", "repeat", "absorb",
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
        }
        return commands.get(name)

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
            c.ReleaseTicket(ticket=ticket), None, None,
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
        ):
            if event is not None:
                self.take("telemetry:told", [event], None)


def place(name: str) -> Place:
    """Some are known by their street only."""
    precision: Any = "street" if name == "k1" else "building"
    return Place(
        building=None if name == "k1" else "b1", lon=1.5, lat=2.5, address=name, community="c1",
        district="d1", precision=precision,
    )  # fmt: skip


def fold(rows: Rows, facts: Sequence[Fact]) -> Rows:
    """As the feed does it: rows go through their stored bytes between batches."""
    rows = {at: LAYERS[at[0]].decode(msgspec.msgpack.encode(row)) for at, row in rows.items()}
    for fact in facts:
        for topic, layer in LAYERS.items():
            for key in layer.touches(fact):
                row = layer.fold(key, rows.get((topic, key)), fact)
                if row is None:
                    rows.pop((topic, key), None)
                else:
                    assert isinstance(row, TOPICS[topic])
                    rows[topic, key] = row
    return rows


def history(seed: int, steps: int) -> World:
    world = World(seed)
    for _ in range(steps):
        world.step()
    return world


@given(seed=st.integers(0, 10**9), steps=st.integers(1, 150), cuts=st.lists(st.integers(0, 400)))
@settings(max_examples=60, deadline=None)
def test_batches_and_snapshots_give_what_single_facts_give(
    seed: int, steps: int, cuts: list[int]
) -> None:
    facts = history(seed, steps).facts
    whole = fold({}, facts)
    one_by_one: Rows = {}
    for fact in facts:
        one_by_one = fold(one_by_one, [fact])
    in_batches: Rows = {}
    edges = sorted({0, len(facts), *(cut for cut in cuts if cut < len(facts))})
    for start, end in itertools.pairwise(edges):
        in_batches = fold(in_batches, facts[start:end])
    assert one_by_one == whole
    assert in_batches == whole


@given(seed=st.integers(0, 10**9), steps=st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_rows_say_what_the_core_knows(seed: int, steps: int) -> None:
    world = history(seed, steps)
    rows = fold({}, world.facts)
    seen: dict[tuple[str, str], Any] = {}
    for stream, state in world.states.items():
        kind, name = stream.split(":", 1)
        topic, row = KNOWN[kind](state)
        if row is not None:
            seen[topic, name] = row
    got = {
        at: {field: getattr(row, field) for field in seen[at]} if at in seen else row
        for at, row in rows.items()
        if at[0] in {"tickets", "crews", "rooms", "sentiment", "outages"}
    }
    assert got == seen
    shown = {cell.name(): arrears.band(world.looks[cell]) for cell in arrears.shown(world.looks)}
    assert {key: row.band for (topic, key), row in rows.items() if topic == "arrears"} == shown
    assert {key for topic, key in rows if topic == "network"} == set(world.nodes)
    for node, state in world.nodes.items():
        row = rows["network", node]
        assert {f: getattr(row, f) for f in row.__struct_fields__} == {
            f: getattr(state, f) for f in row.__struct_fields__
        }


def ticket_row(t: tickets.Ticket) -> tuple[str, Any]:
    due = t.due
    if t.state not in tickets.OPEN:
        return "tickets", None
    return "tickets", {
        "kind": t.kind, "level": t.level, "state": t.state, "address": t.place.address,
        "reports": t.reports, "located": t.place.precision == "building",
        "building": t.place.building,
        "received_at": t.received_at, "due_at": due.at if due else None,
        "due_clock": due.clock if due else None,
        "near": bool(due and due.warned == "near"), "overdue": bool(due and due.warned == "passed"),
        "lost_contact": t.lost_contact, "crew": t.crew, "crew_name": t.crew_name,
        "crew_confirmed": t.state in ("confirmed", "handling", "verifying"),
    }  # fmt: skip


def crew_row(k: crews.Crew) -> tuple[str, Any]:
    return "crews", {
        "name": k.name, "members": k.members, "state": k.doing[0], "ticket": k.doing[1],
        "position_lost": k.position_lost_since is not None,
        "position_lost_since": k.position_lost_since, "shift_ends_at": k.shift_ends_at,
    }  # fmt: skip


def room_row(p: rooms.Point) -> tuple[str, Any]:
    alarm = {"celsius": p.told_c, "since": p.alarm_since, "read_at": p.read_at}
    return "rooms", alarm if p.alarm_since is not None else None


def community_row(m: sentiment.Community) -> tuple[str, Any]:
    spoken = m.mood is not None and (m.mood.mentions > 0 or m.spike_since is not None)
    row = {"spike": m.spike_since is not None, "spike_since": m.spike_since}
    return "sentiment", row if spoken else None


def outage_row(o: outages.Outage) -> tuple[str, Any]:
    row = {"opened_at": o.opened_at, "expected_end_at": o.expected_end_at, "buildings": 3}
    return "outages", row if o.ended_at is None else None


KNOWN: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "ticket": ticket_row, "crew": crew_row, "point": room_row,
    "community": community_row, "outage": outage_row,
}  # fmt: skip


def unseen(struct: type) -> bool:
    """Facts of residents' contracts, of cases and of campaigns stand on no wall."""
    return issubclass(struct, e.StopFact | e.CaseFact) or struct.__name__.startswith(
        ("Visit", "Campaign")
    )


def test_the_histories_reach_every_layer_and_every_line() -> None:
    facts = [fact for seed in range(40) for fact in history(seed, 150).facts]
    touched = {topic for fact in facts for topic, layer in LAYERS.items() if layer.touches(fact)}
    assert touched == set(LAYERS) == set(TOPICS) - {"happenings"}
    made = {e.kind_of(type(fact.event)) for fact in facts}
    assert made == {kind for kind, entry in e.CATALOGUE.items() if not unseen(entry.struct)}
    lines = {line.what for fact in facts if (line := happenings.line(fact))}
    assert lines == happenings.WHAT


@given(seed=st.integers(0, 10**9), batch=st.integers(1, 9))
@settings(max_examples=20, deadline=None)
def test_the_ring_holds_the_last_lines(seed: int, batch: int) -> None:
    lines = [line for fact in history(seed, 200).facts if (line := happenings.line(fact))]
    ring: dict[str, Any] = {}
    n = 0
    for start in range(0, len(lines), batch):
        for line in lines[start : start + batch]:
            ring[happenings.slot(n)] = line
            n += 1
    last = range(max(0, n - happenings.SLOTS), n)
    assert ring == {happenings.slot(i): lines[i] for i in last}
