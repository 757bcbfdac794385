"""One core leads: the next one takes over, and the last one cannot seal any more."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest
from path_house import House, NewHouse, eventually, run
from path_screen import Screen, converge
from path_work import receive

from dispatch_core.events import SourceHeartbeat
from server.adapters.clock import BusinessClock
from server.adapters.engine_store import Beside, EngineStore
from server.adapters.lease import Lost
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.vault import Vault


@pytest.fixture(scope="module")
def pair(new_house: NewHouse) -> Iterator[House]:
    with new_house(cores=2) as house:
        yield house


def lease(house: House) -> tuple[int, int]:
    """(generation, pid of the leader)."""
    row = house.sql("SELECT generation, holder FROM lease WHERE name = 'core'")[0]
    return row["generation"], int(row["holder"].rpartition("/")[2])


def successor(house: House, generation: int, what: str) -> tuple[int, int]:
    return eventually(lambda: (now := lease(house))[0] > generation and now, what)


def shown(house: House, wall: Screen, what: str) -> str:
    ticket = receive(house.person)
    wall.until(lambda: ticket["id"] in wall.rows("tickets"), what)
    return str(ticket["id"])


def check_log(house: House) -> None:
    """Each sequence was sealed once, and no generation sealed after a later one had begun."""
    rows = house.sql(
        "SELECT topic, epoch, seq, generation FROM feed_log WHERE kind = 'batch'"
        " ORDER BY topic, epoch, seq"
    )
    places = [(r["topic"], r["epoch"], r["seq"]) for r in rows]
    assert len(places) == len(set(places))
    by_topic: dict[str, list[int]] = {}
    for row in rows:
        by_topic.setdefault(row["topic"], []).append(row["generation"])
    for topic, generations in by_topic.items():
        assert generations == sorted(generations), topic


def test_one_of_two_leads(pair: House) -> None:
    pids = {core.popen.pid for core in pair.cores}
    _, leader = eventually(lambda: lease(pair)[0] > 0 and lease(pair), "one leads")
    assert leader in pids
    beats = set()
    for _ in range(4):
        beats.add(pair.sql("SELECT generation, beat FROM lease WHERE name = 'core'")[0])
        time.sleep(0.6)
    assert len({b["generation"] for b in beats}) == 1
    assert len(beats) > 1, "the lease is renewed"


def test_after_a_kill_the_other_leads(pair: House) -> None:
    wall = Screen(pair.person.http).open(pair.url).loaded()
    generation, leader = lease(pair)
    shown(pair, wall, "a ticket under the first leader")
    os.kill(leader, signal.SIGKILL)
    late = receive(pair.person)
    new = successor(pair, generation, "the standby takes over")
    assert new[0] == generation + 1
    assert new[1] != leader
    wall.until(lambda: late["id"] in wall.rows("tickets"), "what was committed meanwhile is shown")
    fresh = Screen(pair.person.http).open(pair.url).loaded()
    converge([wall, fresh], "after the kill")
    check_log(pair)
    next(c for c in pair.cores if c.popen.pid == leader).popen.wait()
    pair.core()
    wall.close()
    fresh.close()


def test_a_frozen_leader_cannot_seal_after_it_wakes(pair: House) -> None:
    wall = Screen(pair.person.http).open(pair.url).loaded()
    for freeze in range(2):
        generation, leader = lease(pair)
        os.kill(leader, signal.SIGSTOP)
        late = receive(pair.person)
        new = successor(pair, generation, "another takes over from the frozen one")
        assert new[0] == generation + 1
        wall.until(lambda t=late["id"]: t in wall.rows("tickets"), f"the feed goes on, {freeze}")
        os.kill(leader, signal.SIGCONT)
        for n in range(5):
            shown(pair, wall, f"ticket {n} after it woke")
        frozen = next(c for c in pair.cores if c.popen.pid == leader)
        eventually(
            lambda f=frozen: "no longer leading" in f.log(), "it knows that it does not lead"
        )
        assert frozen.popen.poll() is None, frozen.log()
        assert lease(pair) == new, "the new one still leads"
    fresh = Screen(pair.person.http).open(pair.url).loaded()
    converge([wall, fresh], "after both freezes")
    check_log(pair)
    wall.close()
    fresh.close()


def test_a_leader_that_stops_hands_over_at_once(pair: House) -> None:
    wall = Screen(pair.person.http).open(pair.url).loaded()
    generation, leader = lease(pair)
    began = time.monotonic()
    next(c for c in pair.cores if c.popen.pid == leader).stop()
    assert successor(pair, generation, "the hand-over")[0] == generation + 1
    shown(pair, wall, f"a ticket under the next leader, {time.monotonic() - began:.1f} s")
    wall.close()


def test_a_leader_that_loses_only_its_connection_goes_on(pair: House) -> None:
    wall = Screen(pair.person.http).open(pair.url).loaded()
    generation, leader = lease(pair)
    ended = pair.sql(
        "SELECT pg_terminate_backend(backend) FROM lease"
        " WHERE name = 'core' AND backend IS NOT NULL"
    )
    assert ended[0][0]
    shown(pair, wall, "a ticket after the connection was cut")
    assert lease(pair) == (generation, leader)
    wall.close()
    check_log(pair)


def test_what_an_old_generation_decided_is_not_committed(pair: House) -> None:
    """A core that slept decides from an old memory: its transactions end with its leadership."""

    async def as_generation(generation: int) -> None:
        pool = Pool(pair.app_url, size=1, name="test-engine")
        beside = Beside(Vault(pair.keys), Policies(pool, pair.data / "policies"))
        store = EngineStore(pool, BusinessClock(), pair.keys.get("journal"), generation, beside)
        try:
            async with store.company(pair.company) as tx:
                await tx.tell(
                    [("figure:test", SourceHeartbeat(source="t", topics=[], cadence_s=9))]
                )
        finally:
            await pool.close()

    run(as_generation(lease(pair)[0]))
    before = pair.sql("SELECT last_value FROM outbox_id_seq")[0][0]
    with pytest.raises(Lost):
        run(as_generation(lease(pair)[0] - 1))
    assert pair.sql("SELECT last_value FROM outbox_id_seq")[0][0] > before, "it had written"
    assert (
        pair.sql("SELECT count(*) FROM outbox WHERE stream = 'figure:test' AND id > $1", before)[0][
            0
        ]
        == 0
    )
