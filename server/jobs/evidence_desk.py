"""Tells how the evidence of tickets stands, as it changes: what the desk's layer and queue show."""

from __future__ import annotations

from datetime import datetime

from dispatch_core.events import Event, EvidenceSettled, EvidenceStands
from dispatch_core.evidence import Asked, SiteRecord, desk_view
from dispatch_core.ids import stream_of, unix
from dispatch_core.tickets import OPEN, Ticket
from server.adapters import evidence_standing, journal
from server.adapters.engine_store import EngineTransaction
from server.adapters.evidence_standing import Told, Untold
from server.ports import CityPolicy
from server.usecases.on_site import slots_owed

MOST = 200
RANKS = {"red": 0, "yellow": 1, "blue": 2}


async def stand(tx: EngineTransaction) -> int:
    """A bounded round; nothing is journalled."""
    city = await tx.policy()
    due = await evidence_standing.untold(tx.connection, tx.company, city.version, MOST)
    if not due:
        return 0
    names = [stream_of(kind, row.ticket) for row in due for kind in ("ticket", "evidence")]
    heads = await journal.load_heads(tx.connection, names)
    told: list[tuple[str, Event]] = []
    rows: list[Told] = []
    for row in due:
        ticket: Ticket = heads[f"ticket:{row.ticket}"].state
        record: SiteRecord = heads[f"evidence:{row.ticket}"].state
        stands, event = _stands(row, ticket, record, city, tx.now)
        rows.append(stands)
        if event is not None:
            told.append((stream_of("evidence", row.ticket), event))
    await evidence_standing.save(tx.connection, tx.company, rows)
    await tx.tell(told)
    return 0


def _stands(
    row: Untold, ticket: Ticket, record: SiteRecord, city: CityPolicy, now: datetime
) -> tuple[Told, Event | None]:
    """What is to be kept, and the word for the screens."""
    seen = desk_view(record, slots_owed(ticket, city), ticket.reopened)
    open_ = ticket.state in OPEN
    needs = seen.needs if open_ else None
    since = None if needs is None else row.since or now
    crew = record.visits[-1].crew if record.visits else ticket.crew
    told = Told(
        ticket=row.ticket, version=record.version, ticket_version=ticket.version,
        policy=city.version, open=open_, needs=needs, unjudged=open_ and seen.unjudged,
        rank=RANKS[ticket.level], since=since, crew=crew,
    )  # fmt: skip
    if not open_:
        return told, EvidenceSettled()
    asked = _asked(record, ticket)
    return told, EvidenceStands(
        ticket=ticket.label, verdict=seen.verdict, slots=seen.slots, needs=needs,
        unjudged=seen.unjudged, since=None if since is None else unix(since),
        asks=asked.what if asked else None, asks_since=asked.at if asked else None,
        unanswered=record.unanswered, to_desk=_to_desk(record, ticket, city),
    )  # fmt: skip


def _asked(record: SiteRecord, ticket: Ticket) -> Asked | None:
    """What a crew that has the ticket waits for; a second crew once there is none yet."""
    asked = record.asked
    if asked is None or asked.crew not in ticket.crews or ticket.state == "verifying":
        return None
    return None if asked.what == "second_crew" and len(ticket.crews) > 1 else asked


def _to_desk(record: SiteRecord, ticket: Ticket, city: CityPolicy) -> bool:
    """Nobody has agreed a time with the resident since, and no crew was sent again."""
    often = record.unanswered >= city.evidence.no_answer_most
    return often and ticket.state == "accepted" and ticket.appointed is None
