"""Dispatchers under fire: they confirm proposals, lock, displace and take back, on crews that both
of them and the engine mean at the same time; and what must hold of it afterwards."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import httpx
import msgspec
from chaos_intake import LAT, LON, Command
from chaos_ledger import Acknowledged, Given, Ledger
from chaos_sender import Sender
from installation import Installation, key, wait_until
from typing_extensions import override

CREWS = [f"CX{n}" for n in range(5)]
OPEN = 9
"""Tickets that a dispatcher has under way."""
LOOK_S = 3.0
MAY = frozenset({
    "version_conflict", "wrong_state", "proposal_changed", "displacement_unseen", "locks_overlap",
    "no_such_decision", "crew_not_scored", "reason_needed", "too_many_displaced",
})  # fmt: skip
"""What a command may be refused with after the other dispatcher, or the plan, was quicker."""
MADE = {
    "accept": "ticket_accepted", "dispatch": "ticket_dispatched", "confirm": "ticket_confirmed",
    "pin": "ticket_pinned", "displace": "ticket_displaced", "cancel": "ticket_cancelled",
}  # fmt: skip
"""A command, and the fact that it makes of its ticket."""
ONCE = ("deadline_near", "deadline_passed", "ticket_escalated")


class Dispatcher(Sender):
    """Takes leaks in, which pipe crews can mend, and gives them to crews."""

    def __init__(self, number: int, urls: list[str], cookies: dict[str, str], book: Ledger) -> None:
        super().__init__(200 + number, urls, cookies, book, 6.0)
        self._mine: list[str] = []

    @override
    async def next(self, http: httpx.AsyncClient) -> Command | None:
        if len(self._mine) < OPEN:
            body = {
                "kind": "leak", "level": self._random.choice(["red", "yellow", "blue", "blue"]),
                "source": "phone", "separate": True,
                "coordinate": {"lon": LON + self._random.uniform(-0.02, 0.02), "lat": LAT,
                               "datum": "wgs84"},
            }  # fmt: skip
            return Command("/api/requests", body, self._taken)
        number = self._random.choice(self._mine)
        ticket = (await self._look(http, f"/api/tickets/{number}") or {}).get("ticket")
        if ticket is None:
            return None
        chance = self._random.random()
        match ticket["state"]:
            case "received":
                return self._step(ticket, "accept")
            case "accepted" if chance < 0.15 and ticket["pinned"] is None:
                return self._step(ticket, "pin", crew=self._random.choice(CREWS))
            case "accepted":
                return await self._confirm(http, ticket)
            case "dispatched" if chance < 0.3:
                return self._step(ticket, "confirm")
            case "dispatched" | "confirmed" if chance < 0.6:
                return self._step(ticket, "displace", reason_code="by_hand")
            case "dispatched" | "confirmed":
                self._book.ending.add(number)
                return self._step(ticket, "cancel", reason_code="test")
        self._mine.remove(number)
        return None

    async def _confirm(self, http: httpx.AsyncClient, ticket: Any) -> Command | None:
        """Mostly the best crew, with those who give way for it by name."""
        proposal = await self._look(http, f"/api/proposals/{ticket['id']}")
        if not proposal or not proposal["choices"]:
            return None
        rank = min(self._random.choice([0, 0, 0, 1]), len(proposal["choices"]) - 1)
        choice = proposal["choices"][rank]
        gone = []
        for one in choice["displaced"]:
            other = (await self._look(http, f"/api/tickets/{one['ticket']}") or {}).get("ticket")
            if other is None:
                return None
            gone.append(other)
        return self._step(
            ticket, "dispatch", crew=choice["crew"], decision=proposal["decision"],
            displace=[{"ticket": g["id"], "version": g["version"]} for g in gone],
            **({"reason_code": "knows_better"} if rank else {}),
        )  # fmt: skip

    async def _look(self, http: httpx.AsyncClient, path: str) -> Any:
        """What is there; None where nobody answers, or the engine is away."""
        try:
            answer = await http.get(self._random.choice(self._urls) + path, timeout=LOOK_S)
        except httpx.TransportError:
            return None
        if answer.status_code >= 500 and answer.status_code != 503:
            self._book.surprises.append(f"{path} {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.is_success else None

    def _taken(self, key_: str, told: dict[str, Any]) -> None:
        self._mine.append(told["id"])
        self._note(key_, told)

    def _step(self, ticket: Any, name: str, **more: Any) -> Command:
        made = [Given(ticket["id"], MADE[name])]

        def note(key_: str, told: dict[str, Any]) -> None:
            self._book.given.update(made)
            self._note(key_, told)

        body = {"version": ticket["version"], **more}
        return Command(f"/api/tickets/{ticket['id']}/{name}", body, note, MAY)

    def _note(self, key_: str, told: dict[str, Any]) -> None:
        entry = Acknowledged(time.time(), key_, told["id"], told["version"], own=False)
        self._book.acknowledged.append(entry)


def open_crews(person: httpx.Client, book: Ledger) -> None:
    """Crews for pipes that are at their base and on duty."""
    for n, crew in enumerate(CREWS):
        body = {
            "name": crew, "trades": ["secondary"], "certificates": [], "members": 2,
            "vehicle": crew, "shift": "00:00-00:00", "skill": 3,
            "base": {"lon": LON + 0.005 * n, "lat": LAT, "datum": "wgs84"},
        }  # fmt: skip
        once = key()
        person.post(f"/api/crews/{crew}", json=body, headers=once).raise_for_status()
        book.keys.append(once["Idempotency-Key"])


def beyond_all(person: httpx.Client, book: Ledger) -> str:
    """A red ticket that no crew has the skill for: the duty manager is to hear of it, once."""
    told = {"id": "", "version": 0}
    leak = {"kind": "leak", "level": "red", "source": "phone", "separate": True,
            "coordinate": {"lon": LON, "lat": LAT, "datum": "wgs84"}}  # fmt: skip
    for name in ("", "/work", "/accept"):
        body = leak if not name else {"version": told["version"]}
        body |= {"skill": 5} if name == "/work" else {}
        path = f"/api/tickets/{told['id']}{name}" if name else "/api/requests"
        once = key()
        answer = person.post(path, json=body, headers=once)
        answer.raise_for_status()
        told = answer.json()
        book.keys.append(once["Idempotency-Key"])
        book.acknowledged.append(
            Acknowledged(time.time(), book.keys[-1], told["id"], told["version"], own=False)
        )
    return str(told["id"])


def check_dispatch(at: Installation, company: int, book: Ledger) -> None:
    """Every answered command of a dispatcher is one fact; a ticket and its crews tell the same; and
    time's own facts are told once for each clock that ran out."""
    rows = at.fetch(
        "SELECT stream, kind, body, actor FROM journal"
        " WHERE company_id = $1 AND stream LIKE 'ticket:%' ORDER BY stream, version",
        company,
    )
    found: Counter[Given] = Counter()
    once: Counter[tuple[Any, ...]] = Counter()
    alarms: dict[str, list[str]] = {}
    for row in rows:
        ticket = row["stream"].removeprefix("ticket:")
        event = msgspec.json.decode(row["body"])
        if row["kind"] in ONCE:
            once[(ticket, row["kind"], event["clock"], event["deadline"])] += 1
        elif row["kind"] in {"ticket_unproposed", "ticket_proposed_again"}:
            alarms.setdefault(ticket, []).append(row["kind"])
        elif row["kind"] == "ticket_displaced" and event["because"] is not None:
            assert any(g.ticket == event["because"] for g in book.given), "displaced for nobody"
        else:
            found[Given(ticket, row["kind"])] += 1
    maybe = Counter(Given(*_named(c)) for c in book.doubtful.values())
    kinds = set(MADE.values()) - {"ticket_accepted", "ticket_cancelled"}
    for given in {g for g in found if g.kind in kinds} | set(book.given):
        assert book.given[given] <= found[given] <= book.given[given] + maybe[given], given
    assert max(once.values(), default=1) == 1, once.most_common(3)
    for ticket, told in alarms.items():
        assert told == (["ticket_unproposed", "ticket_proposed_again"] * len(told))[: len(told)], (
            ticket
        )
    _check_hands(at, company)
    confirmed = sum(n for g, n in book.given.items() if g.kind == "ticket_dispatched")
    gone = sum(r["kind"] == "ticket_displaced" for r in rows)
    print(f"{confirmed} confirmations, {gone} displaced, {len(alarms)} reds told of,"
          f" {len(book.doubtful)} in doubt")  # fmt: skip


def _named(command: Command) -> tuple[str, str]:
    ticket, _, name = command.path.removeprefix("/api/tickets/").partition("/")
    return ticket, MADE[name]


def _check_hands(at: Installation, company: int) -> None:
    """What crews have in hand is what tickets say that they have."""
    heads = at.fetch(
        "SELECT stream, state FROM stream_head"
        " WHERE company_id = $1 AND (stream LIKE 'ticket:%' OR stream LIKE 'crew:%')",
        company,
    )
    by_ticket, by_crew = set(), set()
    for head in heads:
        kind, _, name = head["stream"].partition(":")
        state = msgspec.json.decode(head["state"])
        if kind == "crew":
            by_crew |= {(name, ticket) for ticket in state.get("tickets", ())}
        elif state["state"] in {"dispatched", "confirmed", "handling"}:
            crews = {state.get("crew"), state.get("with_crew")} - {None}
            by_ticket |= {(crew, name) for crew in crews}
    assert by_crew == by_ticket


def check_recovered(at: Installation, company: int, person: httpx.Client, reds: list[str]) -> None:
    """The plan comes back, proposals are answered again, and each red ticket that nobody can take
    was told of."""
    before = _plan(at, company)
    wait_until(lambda: _plan(at, company) > before, "there is another plan", 120)
    for red in reds:
        found = wait_until(lambda red=red: _asked(person, red), f"{red} is scored again", 60)
        assert (found["choices"], found["left_out"].get("skill")) == ([], len(CREWS))
        wait_until(lambda red=red: _told(at, company, red), f"{red} was told of", 120)


def _plan(at: Installation, company: int) -> int:
    rows = at.fetch("SELECT version FROM plan_head WHERE company_id = $1", company)
    return int(rows[0]["version"]) if rows else 0


def _asked(person: httpx.Client, ticket: str) -> Any:
    try:
        answer = person.get(f"/api/proposals/{ticket}")
    except httpx.TransportError:
        return None
    return answer.json() if answer.is_success else None


def _told(at: Installation, company: int, ticket: str) -> bool:
    rows = at.fetch(
        "SELECT kind FROM journal WHERE company_id = $1 AND stream = $2 AND kind = ANY($3::text[])",
        company,
        f"ticket:{ticket}",
        ["ticket_unproposed", "ticket_escalated"],
    )
    return {r["kind"] for r in rows} == {"ticket_unproposed", "ticket_escalated"}
