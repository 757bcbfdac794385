"""Tables that mirror the state of streams, for queries and clocks: written with the facts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from dispatch_core import campaigns, cases, tickets
from dispatch_core.cases import Case
from dispatch_core.evidence import SiteRecord
from dispatch_core.ids import StreamKind, split_stream
from dispatch_core.outages import Outage
from dispatch_core.suspensions import Heating, Visit
from dispatch_core.tickets import Ticket
from server.adapters.columns import columns

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Projection:
    """A table, and how a stream's state becomes its rows (mostly one, none to write nothing).

    `columns` are (name, type) in the order of a row's values; `key` are those that identify a row
    beside the company; `fixed` never change after the first write.
    """

    table: str
    columns: Sequence[tuple[str, str]]
    key: Collection[str]
    rows: Callable[[str, Any], Sequence[Row]]
    """(the stream's name without its kind, its state) -> rows"""
    fixed: Collection[str] = ()
    newest: str | None = None
    """A column of times: the columns `newest_of` are also reported by others, and the later word
    counts; theirs within one second."""
    newest_of: Collection[str] = ()

    def statement(self) -> str:
        """Insert or update many rows: $1 the company, then one array per column."""
        names = ", ".join(name for name, _ in self.columns)
        # unnest would flatten an array of arrays: a list comes as its literal.
        arrays = ", ".join(
            f"${i}::{'text' if kind == 'text[]' else kind}[]"
            for i, (_, kind) in enumerate(self.columns, 2)
        )
        values = ", ".join(f"u.{n}::text[]" if k == "text[]" else f"u.{n}" for n, k in self.columns)
        kept = {*self.key, *self.fixed}
        changed = ", ".join(f"{n} = {self._new(n)}" for n, _ in self.columns if n not in kept)
        return (
            f"INSERT INTO {self.table} (company_id, {names})"
            f" SELECT $1, {values} FROM unnest({arrays}) AS u({names})"
            f" ON CONFLICT (company_id, {', '.join(self.key)}) DO UPDATE SET {changed}"
        )

    def _new(self, name: str) -> str:
        if name not in self.newest_of:
            return f"excluded.{name}"
        at = f"{self.table}.{self.newest}"
        later = f"excluded.{self.newest} > coalesce({at}, '-infinity')"
        return f"CASE WHEN {later} THEN excluded.{name} ELSE {self.table}.{name} END"


def time(at: int | None) -> datetime | None:
    """Unix seconds as PostgreSQL wants them."""
    return None if at is None else datetime.fromtimestamp(at, UTC)


def _ticket_rows(ticket_id: str, t: Ticket) -> Sequence[Row]:
    due = t.due
    overdue = due is not None and due.warned == "passed"
    return [(
        ticket_id, t.version, t.state, t.state in tickets.OPEN, t.level, t.kind, t.source,
        t.place.building, t.place.community, t.place.district, t.place.lon, t.place.lat,
        t.place.address, t.crew, t.reports, due is not None and due.warned == "near", overdue,
        t.lost_contact, time(t.received_at), time(due.at if due else None),
        time(tickets.next_look(t)), time(t.clocks.solved), time(t.closed_at),
        t.household, t.resident, t.owner, t.green_channel, t.with_crew,
        t.pinned.crew if t.pinned else None, t.reopened, t.link,
    )]  # fmt: skip


_TICKET = Projection(
    "ticket",
    (
        ("ticket_id", "text"), ("version", "int"), ("state", "text"), ("open", "bool"),
        ("level", "text"), ("kind", "text"), ("source", "text"), ("building_id", "text"),
        ("community_id", "text"), ("district", "text"), ("lon", "float8"), ("lat", "float8"),
        ("address", "text"), ("crew_id", "text"), ("reports", "int"), ("near", "bool"),
        ("overdue", "bool"), ("lost_contact", "bool"), ("received_at", "timestamptz"),
        ("due_at", "timestamptz"), ("check_at", "timestamptz"), ("solved_due_at", "timestamptz"),
        ("closed_at", "timestamptz"), ("household_id", "text"), ("resident", "text"),
        ("owner", "text"), ("green", "bool"), ("with_crew_id", "text"),
        ("pinned_crew_id", "text"), ("reopened", "int"), ("link_digest", "text"),
    ),
    ("ticket_id",),
    _ticket_rows,
    ("source", "resident", "received_at"),
)  # fmt: skip


def _case_rows(case_id: str, case: Case) -> Sequence[Row]:
    due, clocks = case.due, case.clocks
    return [(
        case_id, case.origin, case.number, case.ticket, case.state, case.state != "closed",
        time(case.received_at), time(clocks.sign_for), time(clocks.contact), time(clocks.reply),
        time(due.at if due else None), time(cases.next_look(case)),
        due is not None and due.warned == "passed", case.extended, case.returned,
    )]  # fmt: skip


_CASE = Projection(
    "external_case",
    (
        ("case_id", "text"), ("origin", "text"), ("number", "text"), ("ticket_id", "text"),
        ("state", "text"), ("open", "bool"), ("received_at", "timestamptz"),
        ("sign_for_at", "timestamptz"), ("contact_at", "timestamptz"),
        ("reply_at", "timestamptz"), ("due_at", "timestamptz"), ("check_at", "timestamptz"),
        ("overdue", "bool"), ("extended", "int"), ("returned", "int"),
    ),
    ("case_id",),
    _case_rows,
    ("origin", "number", "received_at"),
)  # fmt: skip


def _campaign_rows(campaign_id: str, campaign: campaigns.Campaign) -> Sequence[Row]:
    return [(
        campaign_id, campaign.purpose, campaign.season, campaign.days_before,
        campaign.recipients or 0, campaign.without_phone, campaign.sent, campaign.delivered,
        campaign.failed, campaign.never_reached, time(campaign.started_at),
        time(campaign.ended_at),
    )]  # fmt: skip


_CAMPAIGN = Projection(
    "campaign",
    (
        ("campaign_id", "text"), ("purpose", "text"), ("season", "text"), ("days_before", "int"),
        ("recipients", "int"), ("without_phone", "int"), ("sent", "int"), ("delivered", "int"),
        ("failed", "int"), ("never_reached", "int"), ("started_at", "timestamptz"),
        ("ended_at", "timestamptz"),
    ),
    ("campaign_id",),
    _campaign_rows,
    ("purpose", "season", "days_before", "started_at"),
)  # fmt: skip


def _literal(names: Sequence[str]) -> str:
    """A list as PostgreSQL writes a text[]."""
    quoted = (n.replace("\\", r"\\").replace('"', r"\"") for n in names)
    return "{" + ",".join(f'"{n}"' for n in quoted) + "}"


def _application_rows(household: str, heating: Heating) -> Sequence[Row]:
    return [
        (
            a.id, household, heating.place.building, a.season, a.action, a.state, a.source,
            heating.place.address, a.times, _literal(a.because), time(a.applied_at),
            time(a.answered_at), a.answered_by, time(a.visit_from), time(a.visit_due_at), a.visit,
            time(a.completed_at), time(a.known_by), _literal(a.known), time(a.closed_at),
            time(a.stop_until), a.late is not None, time(a.check_at),
        )
        for a in heating.applications
    ]  # fmt: skip


_APPLICATION = Projection(
    "application",
    (
        ("application_id", "text"), ("household_id", "text"), ("building_id", "text"),
        ("season", "text"), ("action", "text"), ("state", "text"), ("source", "text"),
        ("address", "text"), ("times", "int"), ("because", "text[]"),
        ("applied_at", "timestamptz"), ("answered_at", "timestamptz"), ("answered_by", "text"),
        ("visit_from", "timestamptz"), ("visit_due_at", "timestamptz"), ("visit_id", "text"),
        ("completed_at", "timestamptz"), ("known_by", "timestamptz"), ("known", "text[]"),
        ("closed_at", "timestamptz"), ("stop_until", "timestamptz"), ("late", "bool"),
        ("check_at", "timestamptz"),
    ),
    ("application_id",),
    _application_rows,
    ("household_id", "season", "action", "source", "applied_at", "stop_until"),
)  # fmt: skip


def _standing_rows(household: str, heating: Heating) -> Sequence[Row]:
    """Seasons in which an application that is still kept has set the valve."""
    seasons = {a.season for a in heating.applications if a.completed_at is not None}
    return [
        (season, household, s.standing, s.application, heating.valve, time(heating.valve_at))
        for season, s in heating.standings.items()
        if season in seasons
    ]


_STANDING = Projection(
    "household_standing",
    (
        ("season", "text"), ("household_id", "text"), ("service", "text"),
        ("application_id", "text"), ("valve", "text"), ("valve_at", "timestamptz"),
    ),
    ("season", "household_id"),
    _standing_rows,
    newest="valve_at",
    newest_of=("valve", "valve_at"),
)  # fmt: skip


def _visit_rows(visit_id: str, visit: Visit) -> Sequence[Row]:
    states = [c.state for c in visit.calls]
    return [(
        visit_id, visit.action, visit.place.building, _literal(visit.risers), visit.place.address,
        len(states) - states.count("left"), states.count("done"), visit.made_at is None,
        time(visit.planned_at), time(visit.due_at), time(visit.made_at),
    )]  # fmt: skip


_VISIT = Projection(
    "visit",
    (
        ("visit_id", "text"), ("action", "text"), ("building_id", "text"), ("risers", "text[]"),
        ("address", "text"), ("households", "int"), ("done", "int"), ("open", "bool"),
        ("planned_at", "timestamptz"), ("due_at", "timestamptz"), ("made_at", "timestamptz"),
    ),
    ("visit_id",),
    _visit_rows,
    ("action", "building_id", "planned_at"),
)  # fmt: skip


def _outage_rows(outage_id: str, outage: Outage) -> Sequence[Row]:
    opened = time(outage.opened_at)
    return [(outage_id, _literal(outage.buildings), outage.ended_at is None, opened)]


_OUTAGE = Projection(
    "outage",
    (
        ("outage_id", "text"), ("buildings", "text[]"), ("open", "bool"),
        ("opened_at", "timestamptz"),
    ),
    ("outage_id",),
    _outage_rows,
    ("buildings", "opened_at"),
)  # fmt: skip


def _photo_rows(ticket_id: str, record: SiteRecord) -> Sequence[Row]:
    return [
        (ticket_id, slot, p.photo, time(p.taken_at), p.round, p.crew, p.verdict, p.unjudged)
        for slot, p in record.photos.items()
    ]


_PHOTO = Projection(
    "evidence_job",
    (
        ("ticket_id", "text"), ("slot", "text"), ("photo_id", "text"), ("taken_at", "timestamptz"),
        ("round", "int"), ("crew_id", "text"), ("verdict", "text"), ("unjudged", "bool"),
    ),
    ("ticket_id", "slot", "photo_id", "taken_at"),
    _photo_rows,
    ("round", "crew_id"),
)  # fmt: skip

_EVIDENCE = Projection(
    "evidence_standing",
    (("ticket_id", "text"), ("version", "int"), ("held", "bool")),
    ("ticket_id",),
    lambda ticket_id, record: [(ticket_id, record.version, record.held)],
)

PROJECTIONS: dict[StreamKind, Sequence[Projection]] = {
    "heating": (_APPLICATION, _STANDING),
    "visit": (_VISIT,),
    "ticket": (_TICKET,),
    "case": (_CASE,),
    "campaign": (_CAMPAIGN,),
    "outage": (_OUTAGE,),
    "evidence": (_PHOTO, _EVIDENCE),
}
_STATEMENTS = {id(p): p.statement() for group in PROJECTIONS.values() for p in group}


async def save(c: asyncpg.Connection, company: int, states: Mapping[str, Any]) -> None:
    """Write the rows of changed streams: stream -> state."""
    rows: dict[int, tuple[Projection, list[Row]]] = {}
    for stream, state in states.items():
        kind, name = split_stream(stream)
        for projection in PROJECTIONS.get(kind, ()):
            made = rows.setdefault(id(projection), (projection, []))[1]
            made.extend(projection.rows(name, state))
    for key, (_, values) in rows.items():
        if values:
            await c.execute(_STATEMENTS[key], company, *columns(values))
