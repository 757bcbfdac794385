"""kill -9 of each part in the middle of a stream of commits: nothing acknowledged is lost, no
screen is left wrong."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime

import httpx
import psutil
import pytest
import redis
from chaos_checks import (
    check_intake,
    check_journal,
    check_layers,
    check_log,
    check_messages,
    check_screens,
)
from chaos_dispatch import beyond_all, check_dispatch, check_recovered, open_crews
from chaos_intake import fill_register
from chaos_ledger import Ledger
from chaos_traffic import Traffic
from installation import Installation, Process, apart, own_engines, wait_until

from server.adapters.clock import set_clock

pytestmark = pytest.mark.fault

AUGUST = datetime(2026, 8, 15, 2, tzinfo=UTC)
"""When households can still apply for a stop."""


class House:
    """The installation under fire, its ledger, and what can be done to it."""

    def __init__(self, installation: Installation, company: int, person: httpx.Client) -> None:
        self.at = installation
        self.company = company
        self.person = person
        self.book = Ledger()

    def leader(self) -> Process:
        """The core process that holds the lease."""

        def holder() -> list[Process]:
            (row,) = self.at.fetch("SELECT holder FROM lease WHERE name = 'core'")
            named = str(row["holder"]).rpartition("/")[2]
            return [core for core in self.at.cores if core.alive and str(core.pid) == named]

        return wait_until(holder, "somebody leads")[0]

    def generation(self) -> int:
        """The lease's generation."""
        (row,) = self.at.fetch("SELECT generation FROM lease WHERE name = 'core'")
        return int(row["generation"])

    def kill_leader(self) -> None:
        """kill -9 the leader: the standby takes over, the killed one comes back as a standby."""
        before = self.generation()
        leader = self.leader()
        leader.kill()
        time.sleep(1)
        leader.start()
        wait_until(lambda: self.generation() > before, "the standby leads")

    def stop_leader(self) -> None:
        """SIGSTOP the leader for 8 s: it wakes up deposed."""
        before = self.generation()
        leader = self.leader()
        leader.send(signal.SIGSTOP)
        try:
            time.sleep(8)
        finally:
            leader.send(signal.SIGCONT)
        assert self.generation() > before

    def kill_planners(self) -> None:
        """kill -9 every child that scores and plans, whatever it is at."""
        leader = psutil.Process(self.leader().pid)

        def alive() -> list[psutil.Process]:
            dead = psutil.STATUS_ZOMBIE
            return [
                child
                for child in leader.children()
                if child.status() != dead and "planner" in child.cmdline()
            ]

        for child in wait_until(alive, "children compute"):
            child.kill()

    def kill_web(self, number: int) -> None:
        """kill -9 a web; it is started again on the same port."""
        self.at.webs[number].kill()
        time.sleep(1)
        self.at.webs[number].start()
        self.at.ready(number)

    def kill_valkey(self) -> None:
        """kill -9 Valkey, which forgets everything."""
        pid = self.at.engines.valkey.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        time.sleep(2)
        wait_until(self.at.engines.restart_dead, "Valkey is back")

    def stop_valkey(self) -> None:
        """SIGSTOP Valkey for 5 s: it takes connections and never answers."""
        pid = self.at.engines.valkey.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(5)
        finally:
            os.kill(pid, signal.SIGCONT)

    def kill_postgres(self) -> None:
        """kill -9 the postmaster; its backends die behind it."""
        pid = self.at.engines.postgres.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        time.sleep(1)
        wait_until(self.at.engines.restart_dead, "PostgreSQL is back")

    def flush_redis(self) -> None:
        """Every key of Redis is gone."""
        with redis.Redis.from_url(self.at.redis_url) as client:
            client.flushall()


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with own_engines() as (engines, data):  # durability as shipped
        installation = Installation(engines, data, webs=2, cores=2, redis_db=0)
        company = installation.company("chaos", "混乱热力")
        fill_register(installation.database_url, company)
        apart(set_clock(installation.database_url, AUGUST, 1.0))
        try:
            installation.start()
            with closing(installation.sign_in("chaos")) as person:
                house = House(installation, company, person)
                open_crews(person, house.book)
                yield house
        finally:
            installation.stop()


def under_fire(house: House, *blows: Callable[[], None], pause: float, reds: int = 0) -> None:
    """Traffic before, between and after the blows; then everything is held to account. `reds`:
    tickets that nobody can take, of which the core tells during it."""
    began = len(house.book.keys)
    hopeless = [beyond_all(house.person, house.book) for _ in range(reds)]
    with Traffic(house.at.urls, dict(house.person.cookies), house.book) as traffic:
        time.sleep(3)
        for blow in blows:
            blow()
            time.sleep(pause)
        traffic.quiet()
        check_recovered(house.at, house.company, house.person, hopeless)
        check_screens(house.at, house.company, traffic.screens)
        screens = traffic.screens
        print(
            f"{len(house.book.keys) - began} commands acknowledged,"
            f" {house.book.retried} repeated in all;"
            f" {sum(s.connected for s in screens)} connections,"
            f" {sum(s.resumed for s in screens)} resumes,"
            f" {sum(s.snapshots for s in screens)} snapshots,"
            f" {sum(p.checked for s in screens for p in s.pictures.values())} hashes compared,"
            f" {sum(s.judged for s in screens)} times as_of was held to its word"
        )
        assert all(screen.judged for screen in screens)
    assert not house.book.surprises, house.book.surprises[:3]
    assert len(house.book.keys) - began > 50
    check_journal(house.at, house.company, house.book)
    check_dispatch(house.at, house.company, house.book)
    check_intake(house.at, house.company, house.book)
    check_messages(house.at, house.company, "chaos", house.book)
    check_layers(house.at, house.company)
    check_log(house.at, house.company)


def test_the_core_leader_is_killed(house: House) -> None:
    under_fire(house, house.kill_leader, house.kill_leader, pause=2, reds=2)


def test_what_computes_for_the_leader_is_killed(house: House) -> None:
    under_fire(house, house.kill_planners, house.kill_planners, pause=2, reds=1)


def test_the_core_leader_stands_still_for_eight_seconds(house: House) -> None:
    under_fire(house, house.stop_leader, pause=3, reds=2)


def test_a_web_process_is_killed(house: House) -> None:
    under_fire(house, lambda: house.kill_web(0), lambda: house.kill_web(1), pause=2)


def test_valkey_is_killed(house: House) -> None:
    under_fire(house, house.kill_valkey, house.kill_valkey, pause=3)


def test_valkey_hangs(house: House) -> None:
    under_fire(house, house.stop_valkey, pause=3)


def test_redis_is_wiped(house: House) -> None:
    under_fire(house, house.flush_redis, house.flush_redis, house.flush_redis, pause=3)


def test_postgres_is_killed(house: House) -> None:
    under_fire(house, house.kill_postgres, house.kill_postgres, pause=4)
