"""The ground that every step on site stands on: the ticket, its evidence and its crews, and what is
gathered to be written in one commit."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from dispatch_core import crews, evidence, tickets
from dispatch_core.commands import CrewCommand, SiteCommand, TicketStep
from dispatch_core.crews import Crew
from dispatch_core.errors import Conflict, Forbidden, Invalid, NotFound
from dispatch_core.events import Event, SiteFix, TicketLabel
from dispatch_core.evidence import SiteRecord, SiteVisit, SlotState, Standing
from dispatch_core.ids import (
    CrewId,
    EvidenceVerdict,
    OutageId,
    Slot,
    TicketId,
    TicketState,
    Trust,
    Words,
    unix,
)
from dispatch_core.tickets import Ticket
from server.ports import CityPolicy, Decision, Loaded, OutMessage, SecretText, Wanted
from server.usecases.hands import crew_streams
from server.usecases.streams import named
from server.usecases.ticket_answer import TicketAnswer, answer_of
from server.usecases.work import work_for

AT_WORK: frozenset[TicketState] = frozenset({"handling", "verifying"})
"""A crew is on site, or has finished there."""


class SiteAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket and the work on its site, after a step; nothing of a resident."""

    ticket: TicketAnswer
    version: int
    """Of the record of the work on site."""
    visit: SiteVisit | None
    """The last one of the ticket's present round."""
    verdict: EvidenceVerdict
    slots: dict[Slot, SlotState]
    missing: list[Slot]
    shut: list[str]
    unvented: list[str]
    unanswered: int
    outage: OutageId | None = None
    """The outage that a valve opened or ended."""
    trust: Trust | None = None
    """Of the photo that was taken in."""
    warnings: list[str] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Where and when a crew says that it is: as its phone told it, and what came of it."""

    device: str
    at_device_ms: int
    fix: SiteFix | None
    found: evidence.Whereabouts
    key: str | None = None
    """The digest of the key under which the phone says so."""


def check_in_of(key: str) -> str:
    """The name of the check-in that a phone sends under an Idempotency-Key."""
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def slots_owed(ticket: Ticket, city: CityPolicy) -> tuple[Slot, ...]:
    """The photos that a ticket owes, as it stands now."""
    resident = ticket.household is not None or ticket.resident is not None
    trade = work_for(ticket, city).trade
    return evidence.owed_by(city.evidence, ticket.kind, trade, resident=resident)[1]


def evidence_of(loaded: Loaded, ticket: TicketId) -> SiteRecord | None:
    """The record of the work on site; None before anything was said of it."""
    record: SiteRecord | None = loaded.state(named("evidence", ticket))[0]
    return record


def check_site(
    loaded: Loaded, ticket_id: TicketId, ticket: Ticket, city: CityPolicy, *, closes: bool
) -> None:
    """Whether the work on site lets the ticket be called done, or close, whoever says so and
    whether or not a crew was there: by its photos, or a person's waiver, and by its valves.

    Raises Conflict as `evidence.check_done` and `evidence.check_close` do.
    """
    check = evidence.check_close if closes else evidence.check_done
    check(evidence_of(loaded, ticket_id), slots_owed(ticket, city), ticket.reopened)


def check_owed(
    loaded: Loaded, ticket_id: TicketId, before: Ticket, after: Ticket, city: CityPolicy
) -> None:
    """Whether a person may make of a ticket what owes other photos: not once its work has begun,
    unless all the evidence of its round is accepted or waived.

    Raises Conflict `evidence_would_shrink`.
    """
    record = evidence_of(loaded, ticket_id)
    if before.state in AT_WORK or evidence.begun(record, before.reopened):
        owed = slots_owed(before, city)
        evidence.check_kept(record, owed, slots_owed(after, city), before.reopened)


def check_end(
    loaded: Loaded, ticket_id: TicketId, ticket: Ticket, by: str, reason: Words | None
) -> None:
    """Whether a ticket may end without its work: with no valve shut or unvented; and where a crew
    was on site in this round, by a person and with a written reason.

    Raises Conflict `valve_shut`, `not_vented`; Forbidden `role_needed`; Invalid `reason_needed`.
    """
    record = evidence_of(loaded, ticket_id)
    evidence.check_valves(record)
    if not evidence.begun(record, ticket.reopened):
        return
    if by.startswith("source:"):
        raise Forbidden(
            "role_needed",
            "A crew was on site for this ticket; a source does not end it.",
            "Have a person at the desk end it, with a written reason.",
        )
    if reason is None:
        raise Invalid(
            "reason_needed",
            "A crew was on site for this ticket: ending it needs a reason in words.",
            "Write the reason in a few words.",
        )


@dataclass(slots=True)
class Site:
    """One step: each fact stands on those before it, and all are written or none."""

    id: TicketId
    city: CityPolicy
    loaded: Loaded
    now: datetime
    ticket: Ticket
    record: SiteRecord | None
    appends: dict[str, list[Event]] = field(default_factory=dict)
    messages: list[OutMessage] = field(default_factory=list)
    source: str | None = None
    """The topic whose source has spoken by this step."""
    _crews: dict[CrewId, Crew | None] = field(default_factory=dict)

    @classmethod
    def of(cls, ticket_id: TicketId, city: CityPolicy, loaded: Loaded, now: datetime) -> Site:
        """Raises NotFound `no_such_ticket`."""
        ticket: Ticket | None = loaded.state(named("ticket", ticket_id))[0]
        if ticket is None:
            raise NotFound("no_such_ticket", "There is no such ticket.", "Check its number.")
        record = evidence_of(loaded, ticket_id)
        return cls(ticket_id, city, loaded, now, ticket, record)

    @property
    def label(self) -> TicketLabel:
        """What one line about the ticket needs."""
        return self.ticket.label

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The photos that it owes."""
        return slots_owed(self.ticket, self.city)

    @property
    def standing(self) -> Standing:
        """How its evidence stands."""
        return evidence.standing(self.record, self.slots, self.ticket.reopened)

    def crew(self, crew: CrewId) -> Crew:
        """A crew as it is after what was said so far. Raises NotFound `no_such_crew`."""
        known = self._crews.get(crew) or self.loaded.state(named("crew", crew))[0]
        if known is None:
            raise NotFound("no_such_crew", f"There is no crew {crew}.", "Choose one that is.")
        found: Crew = known
        return found

    def must_have(self, crew: CrewId, *, was_there: bool = False) -> None:
        """Raises Conflict `not_your_ticket`; `was_there`: a crew that visited it in this round may
        still speak of it."""
        there = self.record.visits if self.record is not None and was_there else []
        if crew in self.ticket.crews or any(
            v.crew == crew and v.round == self.ticket.reopened for v in there
        ):
            return
        has = self.ticket.crew_name
        raise Conflict(
            "not_your_ticket",
            f"{has} has this ticket now." if has else "This ticket is with no crew now.",
            "Look at today's visits again; ask the desk if you are at work on it.",
            self.ticket.present(),
        )

    def say(self, command: SiteCommand) -> list[Event]:
        """A fact of the work on site."""
        made = evidence.decide(self.record, command, self.now)
        for event in made:
            self.record = evidence.apply(self.record, event, unix(self.now))
        self.write(named("evidence", self.id), made)
        return made

    def step(self, command: TicketStep) -> None:
        """A step of the ticket."""
        made = tickets.decide(self.ticket, command, self.now)
        for event in made:
            self.ticket = tickets.apply(self.ticket, event, unix(self.now))
        self.write(named("ticket", self.id), made)

    def crews_do(self, ids: Sequence[CrewId], command: CrewCommand) -> None:
        """The same of each crew."""
        for crew in ids:
            made = crews.decide(self.crew(crew), command, self.now)
            for event in made:
                self._crews[crew] = crews.apply(self.crew(crew), event, unix(self.now))
            self.write(named("crew", crew), made)

    def write(self, stream: str, events: Sequence[Event]) -> None:
        """More facts of a stream."""
        if events:
            self.appends.setdefault(stream, []).extend(events)

    def decision(self, grounds: str, texts: Sequence[SecretText] = (), **more: Any) -> Decision:  # noqa: ANN401
        """What is to be written and answered; `more`: fields of the answer."""
        now = self.standing
        answer = SiteAnswer(
            ticket=answer_of(self.id, self.ticket, self.city),
            version=self.record.version if self.record else 0,
            visit=now.visit, verdict=now.verdict, slots=now.slots, missing=now.missing,
            shut=now.shut, unvented=now.unvented,
            unanswered=self.record.unanswered if self.record else 0, **more,
        )  # fmt: skip
        return Decision(
            appends=self.appends, answer=answer, grounds=grounds, policy=self.city.version,
            texts=texts, messages=self.messages, source=self.source,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OnSite:
    """What every step of a crew on site has; `text` is the sealed text behind a digest."""

    ticket: TicketId
    city: CityPolicy
    crew: CrewId
    by: str
    text: SecretText | None = None

    def wanted(self) -> Wanted:
        """The ticket, its evidence and the crew."""
        return Wanted(
            streams=(
                named("ticket", self.ticket),
                named("evidence", self.ticket),
                named("crew", self.crew),
            )
        )

    def more(self, loaded: Loaded, /) -> Wanted:
        """The crews that have the ticket."""
        return Wanted(streams=crew_streams(loaded.state(named("ticket", self.ticket))[0]))

    def _site(self, loaded: Loaded, now: datetime, *, was_there: bool = False) -> Site:
        site = Site.of(self.ticket, self.city, loaded, now)
        site.crew(self.crew)
        site.must_have(self.crew, was_there=was_there)
        return site

    def _texts(self) -> tuple[SecretText, ...]:
        return (self.text,) if self.text else ()
