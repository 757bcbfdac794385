"""What must hold when the dust has settled, read from the tables as the owner."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import msgspec
from chaos_ledger import Ledger
from chaos_picture import hash_of
from chaos_screen import Screen
from installation import Installation, Rows, wait_until

from dispatch_core import events
from realtime.facts import Fact
from realtime.layers import LAYERS

JOURNAL = (
    "SELECT stream, version, kind, v, body, extract(epoch FROM business_at)::bigint AS at"
    " FROM journal WHERE company_id = $1 ORDER BY stream, version"
)
STORED = "SELECT topic, key, row_version, body FROM layer_row WHERE company_id = $1"

decode = msgspec.msgpack.decode
encode = msgspec.msgpack.encode


def check_journal(at: Installation, company: int, book: Ledger) -> None:
    """Every acknowledged command is in the journal exactly once, and nothing else is."""
    facts = at.fetch(
        "SELECT stream, version, actor FROM journal"
        " WHERE company_id = $1 AND stream LIKE 'ticket:%'",
        company,
    )
    written = {(row["stream"], row["version"]) for row in facts}
    by_time = {(row["stream"], row["version"]) for row in facts if row["actor"] == "system:core"}
    wanted = Counter((f"ticket:{a.ticket}", a.version) for a in book.acknowledged if a.own)
    shared = {f"ticket:{a.ticket}" for a in book.acknowledged if not a.own}
    lost = sorted(wanted.keys() - written)
    unasked = written - wanted.keys() - by_time
    extra = sorted(fact for fact in unasked if fact[0] not in shared)
    assert not lost, f"{len(lost)} acknowledged commands are not in the journal: {lost[:5]}"
    assert not extra, f"{len(extra)} facts that nobody was answered for: {extra[:5]}"
    twice = [at for at, count in wanted.items() if count > 1]
    assert not twice, f"two keys were answered with the same fact: {twice[:5]}"
    stored = at.fetch("SELECT key, status FROM idempotency WHERE company_id = $1", company)
    keys = Counter(row["key"] for row in stored if row["status"] < 400)
    kept = {row["key"] for row in stored if row["status"] >= 400}
    assert kept <= book.refused, "a refusal is kept that nobody was told"
    answered = Counter(book.keys)
    assert not answered - keys, "an answered key is not stored"
    assert (keys - answered).keys() <= book.doubtful.keys(), "a key that nobody was answered for"


def check_intake(at: Installation, company: int, book: Ledger) -> None:
    """One open ticket per door that called, with every answered call; one open application per
    household, with every answered repeat; one case per number, on a ticket of its own or counted
    on another's."""
    assert _calls(at, company, "C-%") == dict.fromkeys(book.calls, 1), "one ticket a door"
    assert _reports(at, company, "C-%") == dict(book.calls)
    assert sum(_reports(at, company, "H-%").values()) == len(book.cases)

    rows = at.fetch("SELECT * FROM application WHERE company_id = $1", company)
    answered = Counter(a.application for a in book.applied)
    assert {row["application_id"]: row["times"] for row in rows} == answered
    new = Counter(a.application for a in book.applied if not a.duplicate)
    assert new == Counter(answered.keys()), "each is new once"
    known = {row["application_id"]: row for row in rows}
    for a in book.applied:
        assert known[a.application]["household_id"] == a.household
    open_ones = Counter(row["household_id"] for row in rows if row["state"] == "referred")
    assert not open_ones or max(open_ones.values()) == 1
    states = {row["application_id"] for row in rows if row["state"] == "withdrawn"}
    assert states == book.withdrawn
    assert states | {r["application_id"] for r in rows if r["state"] == "referred"} == set(known)

    cases = at.fetch("SELECT case_id, number FROM external_case WHERE company_id = $1", company)
    assert {row["number"]: [row["case_id"]] for row in cases} == {
        number: sorted(set(ids)) for number, ids in book.cases.items()
    }
    streams = at.fetch(
        "SELECT stream FROM journal WHERE company_id = $1 AND kind = 'case_received'", company
    )
    assert sorted(r["stream"] for r in streams) == sorted(f"case:{r['case_id']}" for r in cases)
    print(
        f"{book.calls.total()} calls at {len(book.calls)} doors; {len(book.applied)} answers for"
        f" {len(rows)} applications, {len(states)} withdrawn; {len(cases)} cases of"
        f" {sum(map(len, book.cases.values()))} answers, {len(book.signed)} signed for"
    )


def check_messages(at: Installation, company: int, code: str, book: Ledger) -> None:
    """Every signed case has its one message, and the file gateway has every message at least
    once and none that was never written. A killed core's messages come due again after 30 s."""
    wait_until(
        lambda: (
            not at.fetch(
                "SELECT 1 FROM message WHERE company_id = $1 AND state = 'waiting'", company
            )
        ),
        "every message has left the house",
        90,
    )
    rows = at.fetch("SELECT message_id, kind, about FROM message WHERE company_id = $1", company)
    signed = Counter(row["about"] for row in rows if row["kind"] == "case_signed")
    assert signed == Counter(f"case:{case}" for case in book.signed)
    files = sorted((at.data / "gateway" / code).glob("*.jsonl"))
    lines = [line for file in files for line in file.read_bytes().split(b"\n")]
    left = [found for line in lines if line and (found := _message_of(line)) is not None]
    assert set(left) == {row["message_id"] for row in rows}
    print(f"{len(rows)} messages, {len(left) - len(rows)} carried twice")


def _message_of(line: bytes) -> int | None:
    """A line's message; None for half a line of a process that was killed while it wrote."""
    try:
        return int(msgspec.json.decode(line)["message_id"])
    except msgspec.DecodeError:
        return None


def _reports(at: Installation, company: int, households: str) -> dict[str, int]:
    return _per_household(at, company, households, "sum((h.state::json->>'reports')::int)")


def _calls(at: Installation, company: int, households: str) -> dict[str, int]:
    return _per_household(at, company, households, "count(*) FILTER (WHERE t.open)")


def _per_household(at: Installation, company: int, households: str, what: str) -> dict[str, int]:
    """A figure of the tickets of households, from the folded streams."""
    rows = at.fetch(
        f"SELECT t.household_id, {what}::int AS n FROM ticket t JOIN stream_head h"
        " ON h.company_id = t.company_id AND h.stream = 'ticket:' || t.ticket_id"
        " WHERE t.company_id = $1 AND t.household_id LIKE $2 GROUP BY 1",
        company,
        households,
    )
    return {row["household_id"]: row["n"] for row in rows}


def check_layers(at: Installation, company: int) -> None:
    """At a moment at which the outbox is empty, the rows are the fold of the journal, and the
    heads' hashes are theirs."""
    read: list[Rows] = []

    def at_rest() -> bool:
        read[:] = at.fetch_together(
            ("SELECT 1 FROM outbox LIMIT 1",),
            (JOURNAL, company),
            (STORED, company),
            ("SELECT topic, hash FROM feed_head WHERE company_id = $1", company),
        )
        return not read[0]

    wait_until(at_rest, "the outbox is empty", every=0.1)
    _, facts, rows, heads = read
    folded: dict[str, tuple[int, bytes]] = {}
    layer = LAYERS["tickets"]
    for row in facts:
        event = events.decode(row["kind"], row["v"], row["body"].encode())
        fact = Fact(
            company=company, stream=row["stream"], version=row["version"], at=row["at"], event=event
        )
        for key in layer.touches(fact):
            before = folded.get(key)
            now = layer.fold(key, layer.decode(before[1]) if before else None, fact)
            if now is None:
                folded.pop(key, None)
            elif before is None or encode(now) != before[1]:
                folded[key] = (fact.version, encode(now))
    stored = by_topic(rows)
    told = {key: (version, decode(body)) for key, (version, body) in folded.items()}
    assert stored["tickets"] == told
    for head in heads:
        versions = {key: version for key, (version, _) in stored.get(head["topic"], {}).items()}
        assert head["hash"] == hash_of(versions), head["topic"]


def check_log(at: Installation, company: int) -> None:
    """No hole in a topic's sealed batches within an epoch, and no generation seals after a newer
    one."""
    rows = at.fetch(
        "SELECT topic, epoch, seq, generation FROM feed_log WHERE company_id = $1"
        " AND kind = 'batch' ORDER BY topic, epoch, seq",
        company,
    )
    for before, after in pairwise(rows):
        if before["topic"] == after["topic"]:
            assert before["generation"] <= after["generation"], (before, after)
            if before["epoch"] == after["epoch"]:
                assert after["seq"] == before["seq"] + 1, (before, after)


def check_screens(at: Installation, company: int, screens: list[Screen]) -> None:
    """Every screen ends with the stored picture, and was never shown anything untrue."""
    compared: list[tuple[str, Any, Any]] = []

    def settled() -> bool:
        """Everybody stands where the feed stands, and it stood there while both were read: figures
        go on being sealed, so what is stored and what is shown must be of one position."""
        if at.fetch("SELECT 1 FROM outbox WHERE company_id = $1 LIMIT 1", company):
            return False
        before = heads_of(at, company)
        stored = rows_of(at, company)
        compared.clear()
        for screen in screens:
            for topic, picture in screen.pictures.items():
                stood = (picture.epoch, picture.seq)
                compared.append((picture.at, dict(picture.rows), stored.get(topic, {})))
                if not stood == (picture.epoch, picture.seq) == before[topic]:
                    return False
        return heads_of(at, company) == before

    wait_until(settled, "every screen has caught up", every=0.1)
    for where, shown, stored in compared:
        assert shown == stored, f"{where} is not what is stored"
    for screen in screens:
        for picture in screen.pictures.values():
            assert not picture.wrong, picture.wrong[:3]
            assert not picture.back, picture.back[:3]
        assert not screen.lies, screen.lies[:3]


def heads_of(at: Installation, company: int) -> dict[str, tuple[int, int]]:
    """Where the feed stands in every topic: (epoch, seq)."""
    rows = at.fetch("SELECT topic, epoch, seq FROM feed_head WHERE company_id = $1", company)
    return {row["topic"]: (row["epoch"], row["seq"]) for row in rows}


def rows_of(at: Installation, company: int) -> dict[str, dict[str, tuple[int, Any]]]:
    """Every stored row by topic and key: (version, decoded body)."""
    return by_topic(at.fetch(STORED, company))


def by_topic(rows: Rows) -> dict[str, dict[str, tuple[int, Any]]]:
    """Rows that `STORED` found, decoded."""
    found: dict[str, dict[str, tuple[int, Any]]] = {}
    for row in rows:
        found.setdefault(row["topic"], {})[row["key"]] = (row["row_version"], decode(row["body"]))
    return found
