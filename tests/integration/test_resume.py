"""Resuming: on another web process, without Redis, from the log, after another PostgreSQL;
slow screens; never a part."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import psutil
import pytest
import redis
from path_house import House, NewHouse, eventually
from path_screen import TOPICS, Ended, Screen, converge
from path_work import at_once, batch, fix, receive, register_crew, step


@pytest.fixture(scope="module")
def city(new_house: NewHouse) -> Iterator[House]:
    """Two web processes and one core."""
    with new_house(webs=2) as house:
        yield house


@pytest.fixture
def fresh(city: House) -> Any:
    """Opens screens that are closed after the test."""
    opened: list[Screen] = []

    def make(web: int = 0, **options: Any) -> Screen:
        screen = Screen(city.person.http)
        opened.append(screen)
        return screen.open(city.webs[web].url, **options).loaded()

    yield make
    for screen in opened:
        screen.close()


def tickets(city: House, count: int) -> list[str]:
    return [receive(city.person)["id"] for _ in range(count)]


def seqs(city: House, topic: str) -> tuple[int, int]:
    row = city.sql(
        "SELECT epoch, seq FROM feed_head WHERE company_id = $1 AND topic = $2", city.company, topic
    )[0]
    return row["epoch"], row["seq"]


def sealed_up_to(city: House, topic: str, more: int) -> None:
    """So many more batches of a topic, each sealed by itself."""
    target = seqs(city, topic)[1] + more
    while seqs(city, topic)[1] < target:
        receive(city.person)
        time.sleep(0.11)


def test_every_process_resumes_every_screen(city: House, fresh: Any) -> None:
    screen = fresh(0)
    for round_ in range(4):
        screen.close()
        made = tickets(city, 3)
        snaps = screen.got["snap"]
        screen.open(city.webs[(round_ + 1) % 2].url)
        screen.until(lambda m=made[-1]: m in screen.rows("tickets"), f"resumed, round {round_}")
        screen.until(
            lambda n=round_: screen.got["resumed"] == len(TOPICS) * (n + 1),
            "every topic is resumed",
        )
        assert screen.got["snap"] == snaps, (
            "whole pictures were sent although the ring reaches back"
        )
    assert screen.got["resumed"] == 4 * len(TOPICS)
    assert screen.got["again"] == 0
    converge([screen, fresh(0), fresh(1)], "after four moves")


def test_a_position_of_long_ago_is_resumed_from_the_log(city: House, fresh: Any) -> None:
    screen = fresh(0)
    screen.close()
    sealed_up_to(city, "tickets", 12)
    late = city.web()  # its ring begins now
    late.wait()
    snaps = screen.got["snap"]
    screen.open(late.url).loaded()
    converge([screen, fresh(0)], "resumed by a process that never saw those batches")
    assert screen.got["snap"] == snaps
    assert screen.got["again"] == 0
    screen.close()
    late.stop()
    city.webs.remove(late)


def test_a_hole_in_the_log_is_never_bridged(city: House, fresh: Any) -> None:
    screen = fresh(0)
    screen.close()
    _, have = screen.views["tickets"].position
    sealed_up_to(city, "tickets", 6)
    eventually(lambda: not city.sql("SELECT 1 FROM outbox LIMIT 1"), "all is sealed")
    late = city.web()
    late.wait()
    city.sql("DELETE FROM feed_log WHERE topic = 'tickets' AND seq = $1", have + 3)
    snaps = screen.got["snap"]
    screen.open(late.url)
    screen.until(lambda: screen.got["snap"] > snaps, "a whole picture instead")
    converge([screen, fresh(0)], "after the hole")
    screen.close()
    late.stop()
    city.webs.remove(late)


def test_screens_ahead_and_behind_and_of_another_epoch(city: House, fresh: Any) -> None:
    truth = fresh(0)
    epoch, seq = truth.views["tickets"].position
    for since, answer in (
        ({"epoch": epoch, "seq": seq}, "resumed"),
        ({"epoch": epoch - 1, "seq": seq}, "snap"),
        ({"epoch": epoch + 1, "seq": seq}, "snap"),
        ({"epoch": epoch + 1, "seq": 0}, "snap"),
        ({"epoch": 0, "seq": 0}, "snap"),
        ({"epoch": epoch, "seq": -1}, "snap"),
    ):
        screen = Screen(city.person.http, ["tickets"])
        view = screen.views["tickets"]
        view.epoch, view.seq = since["epoch"], max(since["seq"], 0)
        if answer == "resumed":
            view.rows = dict(truth.views["tickets"].rows)
        screen.open(city.url, resume=False)
        screen.until(lambda s=screen: s.got["snap"] == 1, "first picture")
        view.epoch, view.seq = since["epoch"], since["seq"]
        screen.send({"t": "sub", "topic": "tickets", "since": since})
        screen.until(
            lambda s=screen, a=answer: s.got[a] >= (2 if a == "snap" else 1), f"{since}: {answer}"
        )
        made = tickets(city, 1)[0]
        screen.until(lambda s=screen, m=made: m in s.rows("tickets"), "and it goes on")
        assert screen.views["tickets"].epoch == epoch
        screen.close()


def test_a_screen_far_ahead_gets_no_false_promise(city: House, fresh: Any) -> None:
    """A position that was never sealed cannot be resumed: no later batch would ever be taken."""
    screen = Screen(city.person.http, ["tickets"]).open(city.url).loaded()
    _, seq = screen.views["tickets"].position
    screen.views["tickets"].seq = seq + 10**6
    screen.subscribe("tickets")
    made = tickets(city, 1)[0]
    screen.until(lambda: made in screen.rows("tickets"), "it is brought back to the truth")
    screen.close()


def test_a_screen_ahead_of_a_process_that_lags(city: House, fresh: Any) -> None:
    """The other web process may know more: what it sealed is neither lost nor taken twice."""
    screen = fresh(1)
    os.kill(city.webs[0].popen.pid, signal.SIGSTOP)
    made = tickets_at(city, 1, 4)
    screen.until(lambda: made[-1] in screen.rows("tickets"), "the other process has them")
    screen.close()
    os.kill(city.webs[0].popen.pid, signal.SIGCONT)
    screen.open(city.webs[0].url)
    more = tickets(city, 2)
    screen.until(lambda: more[-1] in screen.rows("tickets"), "and the one that lagged goes on")
    converge([screen, fresh(1)], "ahead of a process that lagged")


def tickets_at(city: House, web: int, count: int) -> list[str]:
    made = []
    for _ in range(count):
        answer = httpx.post(
            f"{city.webs[web].url}/api/requests",
            json={"kind": "leak", "level": "red", "source": "phone", "building": "B01"},
            headers={"Authorization": f"Bearer {city.token}", "Idempotency-Key": str(uuid.uuid4())},
            timeout=30,
        )
        assert answer.status_code == 201, answer.text
        made.append(answer.json()["id"])
    return made


def test_the_same_key_at_two_processes_makes_one_ticket(city: House) -> None:
    body = {"kind": "leak", "level": "red", "source": "two_webs", "building": "B01"}
    key = str(uuid.uuid4())
    headers = {"Authorization": f"Bearer {city.token}", "Idempotency-Key": key}

    def ask(url: str) -> httpx.Response:
        return httpx.post(f"{url}/api/requests", json=body, headers=headers, timeout=30)

    answers = at_once([lambda w=web: ask(w.url) for web in city.webs] * 5)
    assert {a.status_code for a in answers} <= {201, 409}
    assert len({a.content for a in answers if a.status_code == 201}) == 1
    assert city.sql("SELECT count(*) FROM ticket WHERE source = 'two_webs'")[0][0] == 1


# ---------------------------------------------------------------- Redis wiped and away


def test_a_wiped_redis_changes_nothing(city: House, fresh: Any) -> None:
    here, gone = fresh(0), fresh(1)
    gone.close()
    for round_ in range(3):
        tickets(city, 2)
        city.valkey.command("FLUSHALL")
        made = tickets(city, 2)
        here.until(lambda m=made[-1]: m in here.rows("tickets"), f"shown after wipe {round_}")
    snaps = gone.got["snap"]
    gone.open(city.webs[0].url)
    converge([here, gone, fresh(1)], "after three wipes")
    assert gone.got["snap"] == snaps, "resumed, not reloaded"
    assert len({v.epoch for v in here.views.values()}) == 1


def test_without_redis_the_feed_is_read_from_postgresql(city: House, fresh: Any) -> None:
    here, gone = fresh(0), fresh(1)
    city.valkey.stop()
    made = tickets(city, 3)
    here.until(lambda: made[-1] in here.rows("tickets"), "shown without Redis")
    gone.close()
    tickets(city, 2)
    snaps = gone.got["snap"]
    gone.open(city.webs[0].url)
    converge([here, gone, fresh(1)], "resumed and fresh without Redis")
    assert gone.got["snap"] == snaps
    here.got["tick"] = 0
    here.until(lambda: here.got["tick"] >= 3, "ticks")
    late = here.last_tick["server_time"] - min(
        t["as_of"] for t in here.last_tick["topics"].values()
    )
    print(f"as_of is {late:.2f} s old without Redis")
    assert late < 10
    city.valkey.start()
    made = tickets(city, 3)
    here.until(lambda: made[-1] in here.rows("tickets"), "shown with Redis again")
    eventually(
        lambda: b"feed:tickets" in city.valkey.command("KEYS *feed*"), "Redis is filled again"
    )
    converge([here, gone, fresh(0)], "with Redis again")


# ---------------------------------------------------------------- another PostgreSQL, another past


def test_another_postgresql_begins_a_new_epoch(city: House, fresh: Any) -> None:
    here, gone = fresh(0), fresh(1)
    gone.close()
    old, _ = seqs(city, "tickets")
    city.sql("UPDATE feed_origin SET origin = 'restored from elsewhere'")
    city.cores[-1].stop()
    waiting = tickets(city, 2)
    city.core()
    here.until(
        lambda: waiting[-1] in here.rows("tickets"), "what waited is shown under the new epoch"
    )
    new, _ = seqs(city, "tickets")
    assert new > old
    here.until(lambda: {v.epoch for v in here.views.values()} == {new}, "every topic is there")
    gone.open(city.webs[0].url)
    gone.until(lambda: waiting[-1] in gone.rows("tickets"), "who was away gets a whole picture")
    converge([here, gone, fresh(1)], "under the new epoch")


def test_garbage_in_redis_is_passed_over(city: House, fresh: Any) -> None:
    """Whatever else writes there: the truth is in PostgreSQL."""
    here = fresh(0)
    epoch, seq = seqs(city, "tickets")
    key = f"{{{city.company}}}:feed:tickets"
    assert city.valkey.command("XADD", key, f"{epoch}-{seq + 3}", "b", "garbage").startswith(b"$")
    assert city.valkey.command("XADD", f"{{{city.company}}}:beat", "*", "b", "garbage").startswith(
        b"$"
    )
    made = tickets(city, 5)
    here.until(lambda: made[-1] in here.rows("tickets"), "shown all the same")
    here.got["tick"] = 0
    here.until(lambda: here.got["tick"] >= 2, "and the process lives")
    converge([here, fresh(0), fresh(1)], "after garbage")


def test_another_past_in_redis_begins_a_new_epoch(city: House, fresh: Any) -> None:
    """As after restoring an older volume:
    Redis holds other bytes under ids that PostgreSQL goes on to use."""
    here = fresh(0)
    epoch, seq = seqs(city, "tickets")
    key = f"{{{city.company}}}:feed:tickets"
    past = msgspec.msgpack.encode(
        {
            "t": "batch", "topic": "tickets", "epoch": epoch, "seq_from": seq + 2,
            "seq_to": seq + 3, "put": [], "drop": ["260101-000001"], "hash": "0" * 16,
            "as_of": time.time(),
        }
    )  # fmt: skip
    with redis.Redis(unix_socket_path=city.valkey.url.removeprefix("unix://")) as r:
        r.xadd(key, {"b": past}, id=f"{epoch}-{seq + 3}")
    made = tickets(city, 1)
    here.until(lambda: made[-1] in here.rows("tickets"), "shown all the same")
    eventually(lambda: seqs(city, "tickets")[0] > epoch, "a new epoch")
    made = tickets(city, 2)
    here.until(lambda: made[-1] in here.rows("tickets"), "shown under the new epoch")
    converge([here, fresh(0), fresh(1)], "after another past")


# ---------------------------------------------------------------- slow screens


CREWS = [f"SLOW{n:03d}" for n in range(150)]


@pytest.fixture(scope="module")
def fleet(city: House) -> list[str]:
    for crew in CREWS:
        register_crew(city.source, crew)
    return CREWS


def move(city: House, n: int) -> None:
    at = int(time.time()) + n
    batch(
        city.source,
        "crew-positions",
        *(fix(c, at, lon=126.5 + n / 5000 + i % 99 / 1000) for i, c in enumerate(CREWS)),
    )


def test_a_screen_that_stops_reading_is_caught_up_and_disturbs_nobody(
    city: House, fleet: list[str], fresh: Any
) -> None:
    door = socket.create_connection(("127.0.0.1", city.webs[0].port))
    door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow = fresh(0, sock=door, max_queue=1)
    other = fresh(0)
    other.got.clear()
    began = time.monotonic()
    for n in range(60):  # 60 x 20 KB: more than the kernel and the 64 KiB pause mark take
        move(city, n)
        other.pump(0.05)
    made = tickets(city, 1)[0]
    other.until(lambda: made in other.rows("tickets"), "the other screen has it all")
    print(f"slow for {time.monotonic() - began:.1f} s; the other got {dict(other.got)}")
    assert (other.got["merged"], other.got["snap"], other.got["again"]) == (0, 0, 0)
    slow.got.clear()
    slow.until(lambda: made in slow.rows("tickets"), "the slow one has caught up")
    print(dict(slow.got))
    assert slow.got["merged"] + slow.got["snap"] >= 1, "it was never behind: the test shows nothing"
    assert slow.got["batch"] < other.got["batch"]
    assert slow.got["again"] == 0
    converge([slow, other, fresh(1)], "after a pause")


def test_a_screen_that_never_reads_is_dropped(city: House, fleet: list[str], fresh: Any) -> None:
    door = socket.create_connection(("127.0.0.1", city.webs[0].port))
    door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck = fresh(0, sock=door, max_queue=1)
    other = fresh(0)
    ours = door.getsockname()[1]
    server = psutil.Process(city.webs[0].popen.pid)

    def connected() -> bool:
        return any(c.raddr and c.raddr.port == ours for c in server.net_connections())

    for n in range(100, 140):
        move(city, n)
        other.pump(0.05)
    assert connected()
    began = time.monotonic()
    while connected():
        assert time.monotonic() - began < 30, "it is still connected"
        other.pump(0.2)
    print(f"dropped {time.monotonic() - began:.1f} s later")
    with pytest.raises(Ended):
        stuck.until(lambda: False, "its end")
    made = tickets(city, 1)[0]
    other.until(lambda: made in other.rows("tickets"), "the other goes on")
    stuck.open(city.webs[1].url)
    converge([stuck, other], "the dropped one came back")


def test_a_batch_is_whole_or_not_at_all(city: House, fresh: Any) -> None:
    """One commit that touches three topics and many rows is one batch in each of them."""
    screen = fresh(0)
    ticket = step(city.person, receive(city.person), "accept")
    screen.until(
        lambda: screen.rows("tickets").get(ticket["id"], {}).get("state") == "accepted", "accepted"
    )
    before = screen.views["positions"].seq
    move(city, 290)
    screen.until(lambda: screen.views["positions"].seq > before, "the batch of positions")
    assert screen.views["positions"].seq == before + 1
    places = {row["fixed_at"] for row in screen.rows("positions").values()}
    assert len(places) == 1, "half of the batch's rows"
    assert json.dumps(screen.rows("positions"))
