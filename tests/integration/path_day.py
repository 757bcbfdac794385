"""A random legal day of a company:
every layer is touched, by the API and by the engines' own transactions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
from path_house import COMMUNITIES, HOUSEHOLDS, NODES, POINTS, House, fetch, run
from path_residents import photo
from path_work import batch, fix, receive, register_crew, waive

from dispatch_core import events
from realtime.facts import Fact
from realtime.layers import LAYERS
from server.adapters.clock import BusinessClock, set_clock
from server.adapters.engine_store import Beside, EngineStore
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.jobs import watches

JOURNALLED = ("tickets", "crews", "rooms", "arrears", "sentiment", "outages")
"""Topics whose rows follow from the journal alone."""
JOBS = (
    watches.shifts, watches.ticket_warnings, watches.stops_over, watches.lost_positions,
    watches.moods, watches.arrears_round,
)  # fmt: skip
LEVELS = ("red", "yellow", "blue")
KINDS = ("leak", "not_warm", "repair", "question")
PART = "闸阀 DN80"
_numbers = itertools.count(1)


async def engine_round(house: House) -> int:
    """Every watch of the core once, each in its own transaction, beside the core that runs."""
    pool, clock = Pool(house.app_url, size=2, name="test-engine"), BusinessClock()
    lease = await fetch(house.database_url, "SELECT generation FROM lease WHERE name = 'core'")
    beside = Beside(Vault(house.keys), Policies(pool, house.data / "policies"))
    store = EngineStore(pool, clock, house.keys.get("journal"), lease[0]["generation"], beside)
    said = 0
    try:
        await store.reload_clock()
        for job in JOBS:
            async with store.company(house.company) as tx:
                made = await job(tx)
                if made:
                    await tx.flush()
                said += made
    finally:
        await pool.close()
    return said


@dataclass
class Day:
    """One company's day. Every act takes a random number that settles all its choices."""

    house: House
    crews: list[str] = field(default_factory=list)
    tickets: dict[str, Any] = field(default_factory=dict)
    outages: dict[str, Any] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    photo: str = ""

    def now(self) -> int:
        return int(self.house.business_now().timestamp())

    def begin(self) -> None:
        """Crews on duty and some tickets, so that later acts have something to act on."""
        self.crews = [f"D{n}" for n in range(1, 5)]
        for crew in self.crews:
            register_crew(self.house.source, crew)
        place = {"name": "库", "lon": 126.63, "lat": 45.75, "datum": "wgs84"}
        self.house.source.ok("/api/stores/D-W", place | {"parts": {PART: 40}})
        run(engine_round(self.house))
        sent = self.house.person.http.post("/api/photos", content=photo())
        self.photo = sent.json()["id"]
        for n in range(4):
            self.request(n)

    # ---------------------------------------------------------------- acts
    def request(self, n: int) -> None:
        more: dict[str, Any] = {"level": LEVELS[n % 3], "kind": KINDS[n % 4], "accepted": n % 5 < 2}
        if n % 3 == 0:
            spot = {"lon": 126.6 + n % 50 / 1000, "lat": 45.7 + n % 40 / 1000, "datum": "wgs84"}
            more |= {"building": None, "coordinate": spot, "address": f"和平路 {n % 90} 号"}
        else:
            more |= {"building": f"B{n % 12 + 1:02d}", "caller": {"phone": f"139{n % 10**8:08d}"}}
        open_outages = sorted(self.outages)
        if open_outages and n % 7 == 0:
            more["outage"] = open_outages[0]
        ticket = receive(self.house.person, **more)
        self.tickets[ticket["id"]] = ticket
        self.acknowledged.add(ticket["id"])

    def step(self, n: int) -> None:
        """A step that the ticket's state allows; the core may have warned of it meanwhile."""
        alive = sorted(t for t, ticket in self.tickets.items() if ticket["possible"])
        if not alive:
            return self.request(n)
        ticket = self.tickets[alive[n % len(alive)]]
        choices = [p for p in ticket["possible"] if p != "cancel" or n % 6 == 0]
        name = choices[n // 7 % len(choices)]
        if name == "verify" and n % 5:
            waive(self.house.person, ticket["id"])
        door, more = self.wish(name, ticket, n)
        body = {"version": ticket["version"]} | more
        answer = self.house.person.post(f"/api/tickets/{ticket['id']}/{door}", body)
        # merging changes the other one too, a link is answered by itself
        if answer.status_code == 200 and name not in {"merge", "link"}:
            self.tickets[ticket["id"]] = answer.json()
            return None
        # the same level, the same crew, a crew full or off duty: a refusal changes nothing
        assert answer.status_code in {200, 409, 422}, answer.text
        if name == "merge":
            self.tickets[body["into"]] = self.known(body["into"])
        self.tickets[ticket["id"]] = self.known(ticket["id"])
        return None

    def wish(self, name: str, ticket: Any, n: int) -> tuple[str, dict[str, Any]]:
        """(door, what a step or amendment needs beside the version)."""
        match name:
            case "dispatch":
                crew = self.crews[n % len(self.crews)]
                again = {"reason_code": "nearer_crew"} if ticket["crew"] else {}
                second = {"with_crew": self.crews[(n + 1) % 4]} if n % 3 == 0 else {}
                return name, {"crew": crew} | again | second
            case "close":
                return name, {"satisfied": True if n % 2 else None}
            case "cancel":
                return name, {"reason_code": "duplicate"}
            case "reopen":
                return name, {"reason_code": "fault_returned"}
            case "change_level":
                return "level", {"level": LEVELS[n % 3], "reason_code": "danger"}
            case "change_kind":
                return "kind", {"kind": KINDS[n % 4], "reason_code": "caller_corrected"}
            case "change_owner":
                return "owner", {"owner": "admin"}
            case "change_place":
                return "place", {"building": f"B{n % 12 + 1:02d}"}
            case "merge":
                return name, {"into": sorted(self.tickets)[n // 3 % len(self.tickets)]}
            case "add_photos":
                return "photos", {"photos": [self.photo]}
        return self.visit(name, n)

    def visit(self, name: str, n: int) -> tuple[str, dict[str, Any]]:
        """The same for what the visit is."""
        later = self.now() + 2 + n % 9000
        match name:
            case "set_work":
                return "work", {"minutes": 20 + n % 60, "crews": 1 + n % 2}
            case "appoint":
                window = {"from_at": later, "until_at": later + 3600}
                return name, window if n % 4 else dict.fromkeys(window)
            case "permit":
                return name, {"permit": "hot_work", "number": f"P{n}", "valid_until": later}
            case "await_parts":
                store = "D-W" if n % 2 else None
                return "parts", {"parts": {PART: 1 + n % 3}, "expected_at": later, "store": store}
            case "parts_ready":
                return "parts-ready", {}
            case "pin":
                return name, {"crew": self.crews[n % 4], "start_at": later if n % 3 else None}
            case "displace":
                return name, {"reason_code": "by_hand", "made_safe": n % 5 > 0}
        return name, {}

    def known(self, ticket: str) -> Any:
        """The ticket as it is."""
        return self.house.person.get(f"/api/tickets/{ticket}")["ticket"]

    def crew(self, n: int) -> None:
        """Its data, its van, or that it can take no work for a while."""
        crew = self.crews[n % 4]
        source = self.house.source
        match n // 4 % 4:
            case 0:
                until = self.now() + 2 + n % 60
                source.ok(f"/api/crews/{crew}/stop", {"reason_code": "sick", "until_at": until})
            case 1:
                source.ok(f"/api/crews/{crew}/back")
            case 2:
                source.ok(f"/api/crews/{crew}/stock", {"parts": {PART: n % 7}})
            case _:
                more = {"members": 2 + n % 5, "vehicle": f"暖抢-{n % 9}", "skill": 1 + n % 5}
                register_crew(source, crew, **more)

    def positions(self, n: int) -> None:
        at = self.now()
        batch(
            self.house.source,
            "crew-positions",
            *(
                fix(c, at - n % 40 * i, lon=126.6 + (n + i) % 90 / 200_000)
                for i, c in enumerate(self.crews)
            ),
        )

    def rooms(self, n: int) -> None:
        at = self.now()
        batch(
            self.house.source,
            "room-readings",
            *(
                {"point": p, "read_at": at, "celsius": 15 + (n // (i + 1)) % 70 / 10}
                for i, p in enumerate(POINTS)
            ),
        )

    def network(self, n: int) -> None:
        at = self.now()
        batch(
            self.house.source,
            "network-readings",
            *(
                {"node": s, "read_at": at, "supply_c": 55 + (n + 3 * i) % 20, "return_c": 40}
                for i, s in enumerate(NODES)
            ),
        )

    def weather(self, n: int) -> None:
        batch(self.house.source, "weather", {"observed_at": self.now(), "outdoor_c": -(n % 35)})

    def balances(self, n: int) -> None:
        at = self.now()
        batch(
            self.house.source,
            "account-balances",
            *(
                {"household": h, "balance_at": at, "unpaid_fen": 100 * ((n + i) % 3)}
                for i, h in enumerate(HOUSEHOLDS)
            ),
        )
        self.time(16 * 60)

    def mentions(self, n: int) -> None:
        at = self.now()
        batch(
            self.house.source,
            "mentions",
            *(
                {
                    "id": f"d{next(_numbers)}",
                    "said_at": at,
                    "value": -0.9 + (n + i) % 5 / 10,
                    "topic": "not_warm",
                    "channel": "weibo",
                    "community": COMMUNITIES[n % 2],
                }
                for i in range(n % 11)
            ),
        )
        run(engine_round(self.house))

    def outage(self, n: int) -> None:
        ends = self.now() + 3600 + n % 3600
        if not self.outages or n % 3 == 0:
            node = (*NODES, "B03", "B04")[n % 5]
            body: dict[str, Any] = {"node": node, "cause": "pump", "expected_end_at": ends}
            opened = self.house.person.ok("/api/outages", body)
            self.outages[opened["id"]] = opened
            return
        name = sorted(self.outages)[n % len(self.outages)]
        body = {"version": self.outages[name]["version"]}
        if n % 3 == 1:
            body["expected_end_at"] = ends
            self.outages[name] = self.house.person.ok(f"/api/outages/{name}/extend", body)
        else:
            self.house.person.ok(f"/api/outages/{name}/end", body)
            del self.outages[name]

    def time(self, n: int) -> None:
        """Up to 40 minutes pass; the engines see what that makes true."""
        at = self.house.business_now() + timedelta(seconds=n % 2400)
        run(set_clock(self.house.database_url, at, 1.0))
        run(engine_round(self.house))

    def heartbeat(self, n: int) -> None:
        topic = ("rooms", "network", "positions")[n % 3]
        self.house.source.ok(f"/api/sources/{topic}/heartbeat", {"cadence_s": 30 + n % 60})

    @property
    def acts(self) -> dict[str, Callable[[int], None]]:
        return {
            "request": self.request, "step": self.step, "crew": self.crew,
            "positions": self.positions, "rooms": self.rooms, "network": self.network,
            "weather": self.weather, "balances": self.balances, "mentions": self.mentions,
            "outage": self.outage, "time": self.time, "heartbeat": self.heartbeat,
        }  # fmt: skip


async def _rows_of_journal(house: House) -> dict[str, dict[str, tuple[int, Any]]]:
    found: dict[str, dict[str, tuple[int, Any]]] = {topic: {} for topic in JOURNALLED}
    journal = await fetch(
        house.database_url,
        "SELECT stream, version, kind, v, body, extract(epoch FROM business_at)::bigint AS at"
        " FROM journal"
        " WHERE company_id = $1 ORDER BY stream, version",
        house.company,
    )
    for r in journal:
        event = events.decode(r["kind"], r["v"], r["body"].encode())
        if event is None:
            continue
        fact = Fact(
            company=house.company, stream=r["stream"], version=r["version"], at=r["at"], event=event
        )
        for topic in JOURNALLED:
            rows, layer = found[topic], LAYERS[topic]
            for key in layer.touches(fact):
                before = rows[key][1] if key in rows else None
                after = layer.fold(key, before, fact)
                if after is None:
                    rows.pop(key, None)
                elif after != before:
                    rows[key] = (fact.version, after)
    return found


def journal_picture(house: House) -> dict[str, dict[str, tuple[int, Any]]]:
    """Topic -> key -> (version, row), folded anew from every fact there is."""
    rows = run(_rows_of_journal(house))
    return {
        topic: {key: (version, msgspec.to_builtins(row)) for key, (version, row) in of.items()}
        for topic, of in rows.items()
    }


def stored_picture(house: House) -> dict[str, dict[str, tuple[int, Any]]]:
    """Topic -> key -> (version, row), as layer_row holds it."""
    found: dict[str, dict[str, tuple[int, Any]]] = {}
    for r in house.sql(
        "SELECT topic, key, row_version, body FROM layer_row WHERE company_id = $1", house.company
    ):
        found.setdefault(r["topic"], {})[r["key"]] = (
            r["row_version"],
            msgspec.msgpack.decode(r["body"]),
        )
    return found
