"""A call looked up: the caller, the households behind a number, and what is going on there.

The one place that opens residents' names and phones for a seat; every look-up is written down.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta

import asyncpg
import msgspec

from dispatch_core.ids import OutageId
from dispatch_core.outages import Outage
from server.adapters import journal
from server.adapters.case_reads import cases_of_tickets
from server.adapters.doors import load_outages
from server.adapters.pool import Pool
from server.adapters.suspension_reads import load_applications
from server.adapters.ticket_reads import answer_of_row
from server.adapters.vault import PersonBody, Vault
from server.ports import CityPolicy
from server.usecases.cases import CaseAnswer
from server.usecases.outages import OutageAnswer
from server.usecases.outages import answer_of as outage_answer
from server.usecases.suspensions import ApplicationAnswer
from server.usecases.ticket_answer import TicketAnswer

RECENT = timedelta(days=30)
MOST_HOUSEHOLDS, MOST_TICKETS, MOST_PEOPLE, MOST_POINTS = 60, 100, 20, 8


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a call is looked up by: one of these."""

    phone: str | None = None
    name: str | None = None
    household: str | None = None
    building: str | None = None


class CallerCard(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls; the name as it was last told."""

    pseudonym: str
    name: str | None
    phone: str | None


class PointCard(msgspec.Struct, frozen=True, kw_only=True):
    """A room-temperature point of the flat and its last reading."""

    id: str
    celsius: float | None
    read_at: int | None


class HouseholdCard(msgspec.Struct, frozen=True, kw_only=True):
    """A flat with its owner and its contract, as a seat needs it during a call."""

    household: str
    building: str
    address: str
    lon: float
    lat: float
    unit: int
    floor: int
    flat: str
    owner_name: str | None
    owner_phone: str | None
    is_caller: bool
    green_channel: bool
    area_m2: float
    valve: bool
    risers: list[str]
    warranty_until: date | None
    unpaid_fen: int | None
    standing: str
    valve_state: str
    billing: str | None
    points: list[PointCard]


class CallAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a call needs at once."""

    caller: CallerCard | None
    households: list[HouseholdCard]
    more_households: bool
    """There are more than are shown."""
    tickets: list[TicketAnswer]
    outages: list[OutageAnswer]
    applications: list[ApplicationAnswer]
    cases: list[CaseAnswer]


class Calls:
    """Look-ups of one installation."""

    def __init__(self, pool: Pool, vault: Vault) -> None:
        self._pool = pool
        self._vault = vault

    async def look_up(
        self, company: int, by: str, asked: Asked, city: CityPolicy, now: datetime
    ) -> CallAnswer:
        """Who and what is behind a number, a name, a household or a building; `by` is written down
        with every resident whose data were opened. Raises Unavailable."""
        async with self._pool.company(company) as c:
            people = await self._people(c, company, asked)
            homes = await _households(c, company, asked, list(people), city.season)
            shown = homes[:MOST_HOUSEHOLDS]
            owners = await self._opened(c, company, {h["pseudonym"] for h in shown} - {*people})
            owners |= people
            points = await _points(c, company, [h["household_id"] for h in shown])
            names = [h["household_id"] for h in shown]
            tickets = await _tickets(c, company, asked, names, list(people), city, now)
            buildings = {h["building_id"] for h in shown} | {t.building for t in tickets}
            if asked.building is not None:
                buildings.add(asked.building)
            answer = CallAnswer(
                caller=self._caller(company, asked, people),
                households=[_card(h, owners, people, points) for h in shown],
                more_households=len(homes) > len(shown),
                tickets=tickets,
                outages=await _outages(c, company, {b for b in buildings if b}),
                applications=await _applications(c, company, names),
                cases=await cases_of_tickets(c, company, [t.id for t in tickets]),
            )
            await _remember(c, company, by, asked, sorted({*owners}))
        return answer

    async def _people(
        self, c: asyncpg.Connection, company: int, asked: Asked
    ) -> dict[str, PersonBody]:
        """The people of the phone or the name, opened."""
        if asked.phone is not None:
            column, blind = "phone_index", self._vault.blind_phone(company, asked.phone)
        elif asked.name is not None:
            column, blind = "name_index", self._vault.blind_name(company, asked.name)
        else:
            return {}
        rows = await c.fetch(
            f"SELECT pseudonym, body FROM person WHERE company_id = $1 AND {column} = $2"
            " ORDER BY pseudonym LIMIT $3",
            company,
            blind,
            MOST_PEOPLE,
        )
        return {r[0]: self._vault.open_person(company, r[0], r[1]) for r in rows}

    async def _opened(
        self, c: asyncpg.Connection, company: int, pseudonyms: Collection[str]
    ) -> dict[str, PersonBody]:
        if not pseudonyms:
            return {}
        rows = await c.fetch(
            "SELECT pseudonym, body FROM person"
            " WHERE company_id = $1 AND pseudonym = ANY($2::text[])",
            company,
            list(pseudonyms),
        )
        return {r[0]: self._vault.open_person(company, r[0], r[1]) for r in rows}

    def _caller(
        self, company: int, asked: Asked, people: Mapping[str, PersonBody]
    ) -> CallerCard | None:
        """Who calls by a phone, known or not; by a name only if one person bears it."""
        if asked.phone is not None:
            name = self._vault.person(company, None, asked.phone).pseudonym
            known = people.get(name) or next(iter(people.values()), None)
            told = known.name if known else None
            return CallerCard(pseudonym=name, name=told, phone=asked.phone)
        if len(people) == 1:
            [(pseudonym, body)] = people.items()
            return CallerCard(pseudonym=pseudonym, name=body.name, phone=body.phone)
        return None


async def _households(
    c: asyncpg.Connection, company: int, asked: Asked, people: Sequence[str], season: str
) -> list[asyncpg.Record]:
    """The flats asked for, those that the caller owns first; also where the caller called about."""
    rows: list[asyncpg.Record] = await c.fetch(
        "WITH wanted AS ("
        "  SELECT household_id FROM household WHERE company_id = $1 AND household_id = $2"
        "  UNION SELECT household_id FROM household WHERE company_id = $1 AND building_id = $3"
        "  UNION SELECT household_id FROM household"
        "   WHERE company_id = $1 AND pseudonym = ANY($4::text[])"
        "  UNION SELECT household_id FROM ticket"
        "   WHERE company_id = $1 AND resident = ANY($4::text[]) AND household_id IS NOT NULL)"
        " SELECT h.household_id, h.building_id, b.address, b.lon, b.lat, h.unit, h.floor, h.flat,"
        "  h.green_channel, h.area_m2, h.valve, h.riser_ids, h.pseudonym,"
        "  coalesce(h.warranty_until, b.warranty_until) AS warranty_until, a.unpaid_fen,"
        "  s.service, s.valve AS valve_state, s.billing,"
        "  h.pseudonym = ANY($4::text[]) AS is_caller"
        " FROM wanted w JOIN household h ON h.company_id = $1 AND h.household_id = w.household_id"
        " JOIN building b ON b.company_id = $1 AND b.building_id = h.building_id"
        " LEFT JOIN account_balance a ON a.company_id = $1 AND a.household_id = h.household_id"
        " LEFT JOIN household_standing s"
        "  ON s.company_id = $1 AND s.household_id = h.household_id AND s.season = $5"
        " ORDER BY is_caller DESC, h.building_id, h.unit, h.floor, h.flat LIMIT $6",
        company,
        asked.household,
        asked.building,
        list(people),
        season,
        MOST_HOUSEHOLDS + 1,
    )
    return rows


def _card(
    h: asyncpg.Record,
    owners: Mapping[str, PersonBody],
    people: Collection[str],
    points: Mapping[str, list[PointCard]],
) -> HouseholdCard:
    owner = owners.get(h["pseudonym"])
    return HouseholdCard(
        household=h["household_id"],
        building=h["building_id"],
        address=h["address"],
        lon=h["lon"],
        lat=h["lat"],
        unit=h["unit"],
        floor=h["floor"],
        flat=h["flat"],
        owner_name=owner.name if owner else None,
        owner_phone=owner.phone if owner else None,
        is_caller=h["pseudonym"] in people,
        green_channel=h["green_channel"],
        area_m2=h["area_m2"],
        valve=h["valve"],
        risers=list(h["riser_ids"]),
        warranty_until=h["warranty_until"],
        unpaid_fen=h["unpaid_fen"],
        standing=h["service"] or "heated",
        valve_state=h["valve_state"] or "unknown",
        billing=h["billing"],
        points=points.get(h["household_id"], []),
    )


async def _points(
    c: asyncpg.Connection, company: int, households: Sequence[str]
) -> dict[str, list[PointCard]]:
    """The first points of these flats with the last reading of two days."""
    rows = await c.fetch(
        "SELECT p.household_id, p.point_id, r.celsius, r.read_at FROM (SELECT * FROM point"
        "  WHERE company_id = $1 AND household_id = ANY($2::text[])"
        "  ORDER BY point_id LIMIT $3) p"
        " LEFT JOIN LATERAL (SELECT round(celsius::numeric, 2)::float8 AS celsius,"
        "   extract(epoch FROM read_at)::bigint AS read_at FROM room_reading"
        "  WHERE company_id = $1 AND point_id = p.point_id"
        "  AND received_at > now() - interval '2 days' ORDER BY read_at DESC LIMIT 1) r ON true",
        company,
        list(households),
        MOST_POINTS,
    )
    found: dict[str, list[PointCard]] = {}
    for r in rows:
        point = PointCard(id=r["point_id"], celsius=r["celsius"], read_at=r["read_at"])
        found.setdefault(r["household_id"], []).append(point)
    return found


async def _tickets(
    c: asyncpg.Connection,
    company: int,
    asked: Asked,
    households: Sequence[str],
    people: Sequence[str],
    city: CityPolicy,
    now: datetime,
) -> list[TicketAnswer]:
    """Tickets of the flats, the caller and the building asked for: open ones, then recent ones."""
    rows = await c.fetch(
        "SELECT t.ticket_id, h.state FROM (SELECT ticket_id, open, received_at FROM ticket"
        "  WHERE company_id = $1 AND household_id = ANY($2::text[])"
        "  UNION SELECT ticket_id, open, received_at FROM ticket"
        "   WHERE company_id = $1 AND resident = ANY($3::text[])"
        "  UNION SELECT ticket_id, open, received_at FROM ticket"
        "   WHERE company_id = $1 AND building_id = $4) t"
        " JOIN stream_head h ON h.company_id = $1 AND h.stream = 'ticket:' || t.ticket_id"
        " WHERE t.open OR t.received_at > $5"
        " ORDER BY t.open DESC, t.received_at DESC, t.ticket_id LIMIT $6",
        company,
        list(households),
        list(people),
        asked.building,
        now - RECENT,
        MOST_TICKETS,
    )
    return [answer_of_row(r, city) for r in rows]


async def _outages(
    c: asyncpg.Connection, company: int, buildings: Collection[str]
) -> list[OutageAnswer]:
    over = sorted({*(await load_outages(c, company, buildings)).values()})
    heads = await journal.load_heads(c, [f"outage:{name}" for name in over])
    states = {name: heads[f"outage:{name}"].state for name in over}
    return [
        outage_answer(OutageId(name), state)
        for name, state in states.items()
        if isinstance(state, Outage)
    ]


async def _applications(
    c: asyncpg.Connection, company: int, households: Sequence[str]
) -> list[ApplicationAnswer]:
    rows = await c.fetch(
        "SELECT application_id, household_id FROM application"
        " WHERE company_id = $1 AND household_id = ANY($2::text[])"
        " ORDER BY applied_at DESC, application_id LIMIT 60",
        company,
        list(households),
    )
    found = await load_applications(c, {r[0]: r[1] for r in rows})
    return [found[r[0]] for r in rows if r[0] in found]


async def _remember(
    c: asyncpg.Connection, company: int, by: str, asked: Asked, opened: Sequence[str]
) -> None:
    """Who looked, by what, and whose data were opened; never the phone or the name itself."""
    if asked.household is not None:
        what = f"look-up household {asked.household}"
    elif asked.building is not None:
        what = f"look-up building {asked.building}"
    else:
        what = "look-up by phone" if asked.phone is not None else "look-up by name"
    nobody: list[str | None] = [None]
    await c.execute(
        "INSERT INTO resident_access (company_id, by_whom, what, pseudonym)"
        " SELECT $1, $2, $3, * FROM unnest($4::text[])",
        company,
        by,
        what,
        [*opened] or nobody,
    )
