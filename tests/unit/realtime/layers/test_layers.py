"""Every layer: rows follow from the facts alone, however these are cut into batches."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_world import World

from dispatch_core import arrears, crews, outages, rooms, sentiment, tickets
from dispatch_core import events as e
from realtime.facts import Fact
from realtime.layers import LAYERS, happenings
from realtime.layers.rows import TOPICS, Row

Rows = dict[tuple[str, str], Row]


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
        "with_crew": t.with_crew, "displaced_by": t.displaced_by,
        "pinned": t.pinned.crew if t.pinned else None,
        "pinned_at": t.pinned.start_at if t.pinned else None,
        "appointed_from": t.appointed.from_at if t.appointed else None,
        "appointed_until": t.appointed.until_at if t.appointed else None,
        "parts_expected_at": t.parts_wait.expected_at if t.parts_wait else None,
        "unproposed_since": t.unproposed_since,
    }  # fmt: skip


def crew_row(k: crews.Crew) -> tuple[str, Any]:
    return "crews", {
        "name": k.name, "members": k.members, "state": k.doing[0], "ticket": k.doing[1],
        "position_lost": k.position_lost_since is not None,
        "position_lost_since": k.position_lost_since, "shift_ends_at": k.shift_ends_at,
        "skill": k.skill, "certificates": k.certificates, "tickets": list(k.tickets),
        "stopped": k.stopped is not None,
        "stopped_until": k.stopped.until_at if k.stopped else None,
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
    """Facts of residents' contracts, cases, campaigns, stores, the desk's own papers and the work
    on site stand on no wall: of the latter the core tells how it stands."""
    site = issubclass(struct, e.SiteFact) and struct is not e.EvidenceStands
    return (
        site
        or issubclass(struct, e.StopFact | e.CaseFact)
        or struct.__name__.startswith(("Visit", "Campaign", "Handover", "Report", "Store", "Parts"))
    )


def test_the_histories_reach_every_layer_and_every_line() -> None:
    facts = [fact for seed in range(120) for fact in history(seed, 150).facts]
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
