"""The autumn: applications by the policy, loops that are closed, a chain that holds."""

import itertools
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from office import POLICY

from dispatch_core import contradictions, trace
from dispatch_core.contradictions import Records
from dispatch_core.suspensions import Heating, Visit
from server.adapters.keys import Keys
from server.adapters.vault import Vault
from server.demo.autumn import DEADLINE, OPENED, Autumn
from server.demo.run import HISTORY_S, OPENING_AT
from server.demo.standings import BILLED, CONNECTED, MARKED, OPEN, reports
from server.demo.weather import CITY_OFFSET_S, DAY, local
from server.work.autumn import Ground, live_autumn

BEGIN = OPENING_AT - HISTORY_S


@pytest.fixture(scope="module")
def plan(small):
    return Autumn(small, 7)


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    keys = Keys(tmp_path_factory.mktemp("autumn") / "keys")
    keys.ensure()
    return Ground(
        company=1, policy=POLICY, vault=Vault(keys), journal_key=keys.get("journal"),
        actor="source:demo", photos=["a" * 64, "b" * 64], numbers=itertools.count(1),
    )  # fmt: skip


@pytest.fixture(scope="module")
def lived(small, plan, ground):
    return live_autumn(small, plan.wishes, replace(ground, numbers=itertools.count(1)), BEGIN)


def heatings(lived):
    return {n: h.state for n, h in lived.past.heads.items() if isinstance(h.state, Heating)}


def test_nine_tenths_come_in_the_last_fortnight_and_most_on_the_last_day(small, plan):
    days = Counter(
        (w.at + CITY_OFFSET_S) // DAY for w in plan.wishes if w.action == "suspension"
    )  # fmt: skip
    assert min(days) >= OPENED
    in_time = {day: n for day, n in days.items() if day <= DEADLINE}
    last = [in_time.get(DEADLINE - k, 0) for k in range(15)]
    assert sum(last) > 0.85 * sum(in_time.values())
    assert 3 < max(last) / (sum(last) / 15) < 5.5
    assert 0.06 < sum(in_time.values()) / len(small.households) < 0.1
    assert all(7 <= local(w.at)[1] <= 21 for w in plan.wishes)


def test_the_policy_answers_every_one_and_the_loops_are_closed(small, lived):
    last = [h.applications[-1] for h in heatings(lived).values()]
    states = Counter(a.state for a in last)
    assert set(states) - {"approved", "completed"} == {"closed", "refused", "withdrawn"}
    assert states["approved"] + states["completed"] < 0.02 * states["closed"]
    assert 0.06 < len(lived.stopped) / len(small.households) < 0.085
    refused = {code for a in last if a.state == "refused" for code in a.because}
    assert {"deadline", "valve", "gable"} <= refused
    assert all(a.base_fee_fen and a.base_fee_fen > 0 for a in last if a.state == "closed")
    visits = [h.state for h in lived.past.heads.values() if isinstance(h.state, Visit)]
    assert visits
    made = [v for v in visits if v.made_at is not None]
    assert all(v.planned_at < v.made_at <= v.due_at for v in made)
    assert all(v.due_at > BEGIN for v in visits if v.made_at is None)
    assert any(len(v.calls) > 1 for v in visits)


def test_no_clock_of_it_has_run_out_when_the_history_begins(lived):
    for heating in heatings(lived).values():
        for a in heating.applications:
            assert a.applied_at < BEGIN
            assert a.check_at is None or a.check_at > BEGIN


def test_the_chain_of_every_stream_holds(lived, ground):
    streams = {}
    for *row, at in lived.past.facts:
        stream, version, kind, v, actor, lon, lat, grounds, policy, body, prev, digest = row
        record = trace.Record(
            company=1, stream=stream, version=version, kind=kind, v=v, actor=actor,
            business_at=at, system_at=lived.past.system_at,
            place=None if lon is None else trace.Spot(lon=lon, lat=lat), grounds=grounds,
            policy_version=policy, body=body.encode(),
        )  # fmt: skip
        streams.setdefault(stream, []).append(trace.Sealed(record=record, prev=prev, hash=digest))
    assert set(streams) == set(lived.past.heads)
    for stream, facts in streams.items():
        assert trace.verify(
            ground.journal_key, 1, stream, facts, lived.past.heads[stream].version
        ).holds
        times = [f.record.business_at for f in facts]
        assert times == sorted(times)
        assert times[-1] < datetime.fromtimestamp(BEGIN, UTC)


def test_the_same_seed_lives_the_same_autumn(small, plan, ground, lived):
    again = live_autumn(small, plan.wishes, replace(ground, numbers=itertools.count(1)), BEGIN)
    assert again.stopped == lived.stopped
    assert [f[:4] for f in again.past.facts] == [f[:4] for f in lived.past.facts]


def test_the_departments_are_wrong_about_a_handful_of_each_kind(small, lived):
    stopped = {s.household for s in lived.stopped}
    heated = [h for h in small.households if f"heating:{h.id}" not in lived.past.heads]
    records = {}
    for heating in heatings(lived).values():
        a = heating.applications[-1]
        if heating.household in stopped:
            records[heating.household] = {
                "service": heating.standings[a.season].standing, "application": a.id,
                "action": a.action, "state": a.state, "known_by": a.known_by,
                "valve": heating.valve, "valve_at": heating.valve_at,
            }  # fmt: skip
    for item in reports(lived.stopped, heated, 7, BEGIN):
        assert item["at"] <= BEGIN
        record = records.setdefault(item["household"], {})
        if "valve" in item:
            assert item["at"] > record["valve_at"]
        record |= {k: v for k, v in item.items() if k in {"network", "billing", "valve"}}
    found = Counter(
        kind for r in records.values() for kind in contradictions.find(Records(**r), BEGIN)
    )
    assert found == {
        "suspended_yet_connected": CONNECTED, "suspended_yet_billed": BILLED, "valve_open": OPEN,
        "marked_without_application": MARKED,
    }  # fmt: skip
