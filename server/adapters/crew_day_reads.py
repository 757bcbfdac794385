"""A crew's day as its phone lives on it, also without a signal: its own tickets alone, with whom to
call, and what was said and shown of each so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, cast
from zoneinfo import ZoneInfo

import asyncpg

from dispatch_core import evidence
from dispatch_core.events import (
    HazardReported,
    PhotoAskedAgain,
    PhotoJudged,
    PhotoOverruled,
    PhotoUnjudged,
    PlannedVisit,
    TicketReceived,
    TicketRepeated,
    decode,
)
from dispatch_core.evidence import SiteRecord
from dispatch_core.ids import CrewId, Hazard, Slot, TicketId
from realtime.layers import plan as plan_layer
from server.adapters import photo_nonces, streams
from server.adapters.columns import columns
from server.adapters.crew_day import (
    Beside,
    CrewDay,
    DayVisit,
    Earlier,
    Flat,
    Node,
    Resident,
    Said,
    day_of,
    valves_of,
    visit_of,
)
from server.adapters.homes import Homes
from server.adapters.photo_nonces import Bound, Nonces
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.ports import CityPolicy
from server.usecases.on_site import slots_owed

HISTORY = 5
"""Earlier tickets of the household or building that are told."""
_UNANSWERED: Final[tuple[Slot, ...]] = ("door", "notice")
"""What a crew shows where nobody opened: owed by no rule, and proved like what is."""
_KINDS = {
    "ticket_received": TicketReceived, "ticket_repeated": TicketRepeated,
    "photo_judged": PhotoJudged, "photo_unjudged": PhotoUnjudged,
    "photo_overruled": PhotoOverruled, "photo_asked_again": PhotoAskedAgain,
    "hazard_reported": HazardReported,
}  # fmt: skip
_VISITS = (
    "SELECT t.ticket_id, t.household_id, t.building_id, tk.state AS ticket, ev.state AS site,"
    " h.unit, h.floor, h.flat, b.substation_id, b.address AS building, b.lon AS b_lon,"
    " b.lat AS b_lat, p.pseudonym, p.body FROM ticket t"
    " JOIN stream_head tk ON tk.company_id = $1 AND tk.stream = 'ticket:' || t.ticket_id"
    " LEFT JOIN stream_head ev ON ev.company_id = $1 AND ev.stream = 'evidence:' || t.ticket_id"
    " LEFT JOIN household h ON h.company_id = $1 AND h.household_id = t.household_id"
    " LEFT JOIN building b ON b.company_id = $1 AND b.building_id = t.building_id"
    " LEFT JOIN person p ON p.company_id = $1 AND p.pseudonym = coalesce(t.resident, h.pseudonym)"
    " WHERE t.company_id = $1 AND t.open AND $2 IN (t.crew_id, t.with_crew_id)"
    " ORDER BY t.ticket_id"
)
_NODES = (
    "WITH RECURSIVE up AS (SELECT node_id, kind, parent_id, name, lon, lat, node_id AS below,"
    " 1 AS n"
    " FROM node WHERE company_id = $1 AND node_id = ANY($2::text[])"
    " UNION ALL SELECT p.node_id, p.kind, p.parent_id, p.name, p.lon, p.lat, up.below, up.n + 1"
    " FROM node p JOIN up ON p.company_id = $1 AND p.node_id = up.parent_id WHERE up.n < 8)"
    " SELECT * FROM up ORDER BY below, n"
)
_HISTORY = (
    "SELECT m.ticket_id AS of, o.* FROM unnest($2::text[], $3::text[], $4::text[])"
    " AS m(ticket_id, household, building) CROSS JOIN LATERAL (SELECT o.ticket_id, o.kind, o.state,"
    " o.crew_id, extract(epoch FROM o.received_at)::bigint AS received_at,"
    " extract(epoch FROM o.closed_at)::bigint AS closed_at,"
    " o.household_id IS NOT DISTINCT FROM m.household AND m.household IS NOT NULL AS same_flat"
    " FROM ticket o WHERE o.company_id = $1 AND o.building_id = m.building AND NOT o.open"
    " ORDER BY same_flat DESC, o.received_at DESC LIMIT $5) o"
)


class Opened(NamedTuple):
    """A day, and whose data it shows: ticket -> pseudonym."""

    day: CrewDay
    residents: dict[TicketId, str]


class CrewDayReads:
    """Days of one installation's crews."""

    def __init__(self, pool: Pool, vault: Vault, nonces: Nonces) -> None:
        self._pool = pool
        self._vault = vault
        self._nonces = nonces
        self._homes = Homes()
        self._noted: set[tuple[int, str, str]] = set()

    async def day(
        self, company: int, crew: CrewId, device: str, city: CityPolicy, now: datetime
    ) -> CrewDay | None:
        """The day for one phone; None if there is no such crew. Each resident that it shows is
        written down first, once a ticket, day and phone. Raises Unavailable."""
        readonly = self._pool.company(company, isolation="repeatable_read", readonly=True)
        async with readonly as c:
            opened = await self._read(c, company, crew, device, city, now)
        if opened is None:
            return None
        today = now.astimezone(ZoneInfo(city.timezone)).date().isoformat()
        await self._note(company, crew, device, today, opened.residents)
        return opened.day

    async def _note(
        self, company: int, crew: CrewId, device: str, today: str, shown: Mapping[TicketId, str]
    ) -> None:
        looks = {
            f"today {today} ticket:{ticket} phone:{device}": who for ticket, who in shown.items()
        }
        new = [what for what in looks if (company, crew, what) not in self._noted]
        if not new:
            return
        async with self._pool.company(company) as c:
            await c.execute(
                "INSERT INTO resident_access (company_id, by_whom, what, pseudonym)"
                " SELECT $1, $2, * FROM unnest($3::text[], $4::text[]) ON CONFLICT DO NOTHING",
                company,
                f"crew:{crew}",
                new,
                [looks[what] for what in new],
            )
        if len(self._noted) > 20_000:
            self._noted.clear()
        self._noted.update((company, crew, what) for what in new)

    async def _read(
        self, c: asyncpg.Connection, company: int, crew: CrewId, device: str, city: CityPolicy,
        now: datetime,
    ) -> Opened | None:  # fmt: skip
        state = await c.fetchval(
            "SELECT state FROM stream_head WHERE company_id = $1 AND stream = $2",
            company,
            f"crew:{crew}",
        )
        if state is None:
            return None
        who: Any = streams.decode_state(f"crew:{crew}", state)
        rows = await c.fetch(_VISITS, company, crew)
        planned = await _planned(c, company, crew)
        names = [TicketId(r["ticket_id"]) for r in rows]
        nodes = await _nodes(c, company, [r["substation_id"] for r in rows])
        fed = {r["building_id"] for r in rows if r["building"] is not None}
        homes = await self._homes.behind(
            c, company, fed | {node.id for above in nodes.values() for node in above}
        )
        sites: dict[TicketId, SiteRecord] = {
            name: cast("Any", streams.decode_state(f"evidence:{name}", row["site"] or "{}"))
            for name, row in zip(names, rows, strict=True)
        }
        ends = await _ends(c, company, sites.values())
        history = await _history(c, company, rows)
        said, dangers = await self._said(c, company, names, history)
        spent = await photo_nonces.spent(c, company, device, names)
        visits: list[DayVisit] = []
        residents: dict[TicketId, str] = {}
        for row in rows:
            name = TicketId(row["ticket_id"])
            ticket: Any = streams.decode_state(f"ticket:{name}", row["ticket"])
            site = sites[name]
            stands = evidence.standing(site, slots_owed(ticket, city), ticket.reopened)
            resident = None
            if row["body"] is not None and (ticket.state != "verifying" or stands.wants_crew):
                person = self._vault.open_person(company, row["pseudonym"], row["body"])
                resident = Resident(name=person.name, phone=person.phone)
                residents[name] = row["pseudonym"]
            owed = (slot for slot, stage in stands.slots.items() if stage != "accept")
            words = {
                slot: self._nonces.words(
                    Bound(company, name, slot, crew, device), spent.get((name, slot), 0), now
                )
                for slot in (*owed, *_UNANSWERED)
            }
            beside = Beside(
                _flat(row), resident, planned.get(name),
                valves_of(
                    _building(row), nodes.get(row["substation_id"], ()), site, homes, ends
                ),
                said.get(name, Said([], {})), dangers.get(name, []), words, history.get(name, []),
            )  # fmt: skip
            visits.append(visit_of(name, ticket, site, stands, city, crew, beside))
        theirs = {name: visit for name, visit in planned.items() if name not in names}
        return Opened(day_of(crew, who, visits, theirs), residents)

    async def _said(
        self, c: asyncpg.Connection, company: int, tickets: Sequence[TicketId],
        history: Mapping[TicketId, Sequence[Earlier]],
    ) -> tuple[dict[TicketId, Said], dict[TicketId, list[Hazard]]]:  # fmt: skip
        """What stands in the journal of these tickets and in no state."""
        of = {name: [name, *(e.ticket for e in history.get(name, ()))] for name in tickets}
        every = sorted({name for names in of.values() for name in names})
        rows = await c.fetch(
            "SELECT stream, kind, v, body FROM journal WHERE company_id = $1"
            " AND stream = ANY($2::text[]) AND kind = ANY($3::text[]) ORDER BY stream, version",
            company,
            [f"{kind}:{name}" for name in every for kind in ("ticket", "evidence")],
            list(_KINDS),
        )
        said: dict[TicketId, Said] = {}
        met: dict[TicketId, list[Hazard]] = {}
        texts: dict[str, str] = await self._texts(c, company, rows, tickets)
        for row in rows:
            name = TicketId(row["stream"].partition(":")[2])
            event = decode(row["kind"], row["v"], row["body"].encode())
            mine = said.setdefault(name, Said([], {}))
            match event:
                case HazardReported():
                    met.setdefault(name, []).append(event.hazard)
                case TicketReceived() | TicketRepeated():
                    text = event.words and texts.get(event.words.id)
                    if text:
                        mine.words.append(text)
                case PhotoJudged():
                    bad = [k.code for k in event.checks if k.outcome in {"fail", "warn"}]
                    mine.why[event.slot, event.photo] = list(bad)
                case PhotoUnjudged():
                    mine.why[event.slot, event.photo] = [event.why]
                case PhotoOverruled() | PhotoAskedAgain():
                    mine.why[event.slot, event.photo] = [event.reason_code]
                case _:
                    continue
        dangers = {
            name: list(dict.fromkeys(h for other in names for h in met.get(other, ())))
            for name, names in of.items()
        }
        return said, dangers

    async def _texts(
        self, c: asyncpg.Connection, company: int, rows: Sequence[asyncpg.Record],
        tickets: Sequence[TicketId],
    ) -> dict[str, str]:  # fmt: skip
        """The words of these tickets, opened; not those of earlier ones."""
        mine = {f"ticket:{name}" for name in tickets}
        ids = []
        for row in rows:
            if row["stream"] in mine:
                event = decode(row["kind"], row["v"], row["body"].encode())
                if isinstance(event, TicketReceived | TicketRepeated) and event.words:
                    ids.append(event.words.id)
        if not ids:
            return {}
        found = await c.fetch(
            "SELECT words_id, body FROM person_words"
            " WHERE company_id = $1 AND words_id = ANY($2::text[])",
            company,
            ids,
        )
        return {r[0]: self._vault.open_words(company, r[0], r[1]) for r in found}


async def _planned(
    c: asyncpg.Connection, company: int, crew: CrewId
) -> dict[TicketId, PlannedVisit]:
    """Ticket -> the visit that the plan has it in."""
    body = await c.fetchval(
        "SELECT body FROM layer_row WHERE company_id = $1 AND topic = $2 AND key = $3",
        company,
        plan_layer.TOPIC,
        crew,
    )
    if body is None:
        return {}
    return {name: visit for visit in plan_layer.decode(body).visits for name in visit.tickets}


async def _nodes(
    c: asyncpg.Connection, company: int, substations: Sequence[str | None]
) -> dict[str | None, list[Node]]:
    """Substation -> it and what feeds it, upwards."""
    wanted = sorted({s for s in substations if s is not None})
    found: dict[str | None, list[Node]] = {}
    for r in await c.fetch(_NODES, company, wanted) if wanted else ():
        node = Node(r["node_id"], r["kind"], r["name"], r["lon"], r["lat"])
        found.setdefault(r["below"], []).append(node)
    return found


async def _ends(c: asyncpg.Connection, company: int, sites: Iterable[SiteRecord]) -> dict[str, int]:
    """Outage -> its expected end, of those that shut valves opened."""
    known = {held.outage for site in sites for held in site.shut.values() if held.outage}
    if not known:
        return {}
    rows = await c.fetch(
        "SELECT stream, state FROM stream_head WHERE company_id = $1 AND stream = ANY($2::text[])",
        company,
        [f"outage:{name}" for name in known],
    )
    outages: dict[str, Any] = {s: streams.decode_state(s, state) for s, state in rows}
    return {s.partition(":")[2]: outage.expected_end_at for s, outage in outages.items()}


async def _history(
    c: asyncpg.Connection, company: int, rows: Sequence[asyncpg.Record]
) -> dict[TicketId, list[Earlier]]:
    found: dict[TicketId, list[Earlier]] = {}
    at = [(r["ticket_id"], r["household_id"], r["building_id"]) for r in rows if r["building_id"]]
    for r in await c.fetch(_HISTORY, company, *columns(at), HISTORY) if at else ():
        found.setdefault(TicketId(r["of"]), []).append(
            Earlier(
                ticket=TicketId(r["ticket_id"]), kind=r["kind"], state=r["state"],
                received_at=r["received_at"], closed_at=r["closed_at"], same_flat=r["same_flat"],
            )
        )  # fmt: skip
    return found


def _flat(row: asyncpg.Record) -> Flat | None:
    if row["flat"] is None:
        return None
    return Flat(
        household=row["household_id"], unit=row["unit"], floor=row["floor"], flat=row["flat"]
    )


def _building(row: asyncpg.Record) -> Node | None:
    if row["building"] is None:
        return None
    return Node(row["building_id"], "building", row["building"], row["b_lon"], row["b_lat"])
