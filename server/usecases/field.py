"""Commands about a ticket's visit: work, appointment, permits, parts, locks, displacement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace
from typing_extensions import override

from dispatch_core import commands, crews, dispatch, stores, tickets
from dispatch_core.commands import Appoint, AwaitParts, PartsReady, Permit, ReserveParts, Unpin
from dispatch_core.errors import Conflict, Invalid, NotFound
from dispatch_core.events import Event, Work
from dispatch_core.ids import CrewId, DisplaceReason, TicketId
from dispatch_core.tickets import Ticket
from server.ports import CityPolicy, Decision, Loaded, SecretText, Wanted
from server.usecases.hands import (
    Facts,
    crew_streams,
    of_crews,
    parts_released,
    store_stream,
)
from server.usecases.on_site import check_owed
from server.usecases.streams import named
from server.usecases.ticket_answer import after, answer_of
from server.usecases.work import work_for


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfTicket:
    """What every command about the visit has."""

    ticket: TicketId
    city: CityPolicy

    @property
    def _stream(self) -> str:
        return named("ticket", self.ticket)

    def _state(self, loaded: Loaded) -> Ticket | None:
        ticket: Ticket | None = loaded.state(self._stream)[0]
        return ticket

    def wanted(self) -> Wanted:
        """The ticket's stream."""
        return Wanted(streams=(self._stream,))

    def more(self, loaded: Loaded, /) -> Wanted:
        """Nothing."""
        del loaded
        return Wanted()

    def _decision(
        self,
        ticket: Ticket | None,
        events: list[Event],
        now: datetime,
        grounds: str,
        *,
        beside: Facts | None = None,
        warnings: Sequence[str] = (),
        reason: SecretText | None = None,
    ) -> Decision:
        answer = answer_of(self.ticket, after(ticket, events, now), self.city)
        return Decision(
            appends={self._stream: events, **(beside or {})},
            answer=replace(answer, warnings=list(warnings)),
            grounds=grounds,
            policy=self.city.version,
            texts=(reason,) if reason else (),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreeTicket(_OfTicket):
    """An appointment, a permit, parts that came, or a lock taken off."""

    command: Appoint | Permit | PartsReady | Unpin

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The ticket's fact."""
        ticket = self._state(loaded)
        events = tickets.decide(ticket, self.command, now)
        if ticket is not None and isinstance(self.command, Appoint):
            check_hours(ticket, self.command, self.city)
        return self._decision(ticket, events, now, self._grounds())

    def _grounds(self) -> str:
        match self.command:
            case Appoint():
                return "a visit agreed" if self.command.from_at else "the visit called off"
            case Permit():
                return f"permit {self.command.permit} written"
            case PartsReady():
                return "the parts are there"
            case Unpin():
                return "the lock is off"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTicket(_OfTicket):
    """A person says what the work is: what is not `given` stays as it holds."""

    version: int
    given: Mapping[str, Any]
    by: str

    @override
    def wanted(self) -> Wanted:
        """The ticket's stream, the work on site, and what anybody stocks."""
        return Wanted(streams=(self._stream, named("evidence", self.ticket)), stock=True)

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The ticket's fact. Raises Invalid `impossible_work`, `same_work`; Conflict
        `evidence_would_shrink`."""
        ticket = self._state(loaded)
        if ticket is None:
            raise NotFound("no_such_ticket", "There is no such ticket.", "Check its number.")
        if not self.given:
            raise Invalid("same_work", "Nothing is said of the work.", "Give what changes.")
        work = self._work(work_for(ticket, self.city, self.given.get("equipment")))
        command = commands.SetWork(version=self.version, work=work, by=self.by)
        events = tickets.decide(ticket, command, now)
        check_owed(loaded, self.ticket, ticket, after(ticket, events, now), self.city)
        said = f"work said: {', '.join(self.given)}"
        return self._decision(
            ticket, events, now, said, warnings=_nobody_stocks(loaded, work.parts)
        )

    def _work(self, now: Work) -> Work:
        try:
            return msgspec.convert({**msgspec.to_builtins(now), **self.given}, Work)
        except msgspec.ValidationError as error:
            raise Invalid(
                "impossible_work", f"No crew can do this: {error}.", "Correct the work."
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsTicket(_OfTicket):
    """The work waits for parts; where a store has them they are kept there in the same commit."""

    command: AwaitParts

    @override
    def wanted(self) -> Wanted:
        """The ticket, the store, and what anybody stocks."""
        store = (named("store", self.command.store),) if self.command.store else ()
        return Wanted(streams=(self._stream, *store), stock=True)

    @override
    def more(self, loaded: Loaded, /) -> Wanted:
        """The store that has kept parts for it so far."""
        return Wanted(streams=store_stream(self._state(loaded)))

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The facts of the ticket and of the stores. Raises Conflict `not_in_store`."""
        ticket = self._state(loaded)
        events = tickets.decide(ticket, self.command, now)
        store = self.command.store
        beside: Facts = {}
        if ticket is not None and ticket.reserved != store:
            beside.update(parts_released(loaded, self.ticket, ticket))
        if store is not None:
            stream = named("store", store)
            reserve = ReserveParts(ticket=self.ticket, parts=self.command.parts)
            kept = stores.decide(loaded.state(stream)[0], reserve)
            if kept:
                beside[stream] = kept
        where = f"kept in store {store}" if store else "on order"
        return self._decision(
            ticket, events, now, f"waits for parts, {where}", beside=beside,
            warnings=_nobody_stocks(loaded, self.command.parts),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PinTicket(_OfTicket):
    """Lock the visit to a crew, and to a start if one is given."""

    version: int
    crew: CrewId
    by: str
    start_at: int | None = None

    @override
    def wanted(self) -> Wanted:
        """The ticket, the crew, and which tickets are locked to it."""
        return Wanted(streams=(self._stream, named("crew", self.crew)), pinned_to=(self.crew,))

    @override
    def more(self, loaded: Loaded, /) -> Wanted:
        """The streams of those tickets."""
        locked = loaded.pinned.get(self.crew, ())
        return Wanted(streams=[named("ticket", ticket) for ticket in locked])

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The ticket's fact. Raises NotFound `no_such_crew`; Conflict `locks_overlap`."""
        ticket = self._state(loaded)
        crew: crews.Crew | None = loaded.state(named("crew", self.crew))[0]
        if crew is None:
            raise NotFound(
                "no_such_crew", f"There is no crew {self.crew}.", "Choose a crew of the register."
            )
        command = commands.Pin(
            version=self.version, crew=self.crew, crew_name=crew.name, start_at=self.start_at,
            by=self.by,
        )  # fmt: skip
        events = tickets.decide(ticket, command, now)
        if ticket is not None and self.start_at is not None:
            self._check_locks(loaded, ticket, self.start_at)
        start = ", its start too" if self.start_at else ""
        return self._decision(ticket, events, now, f"locked to {crew.name}{start}")

    def _check_locks(self, loaded: Loaded, ticket: Ticket, start: int) -> None:
        """Among all that is loaded: a lock set earlier in the same group counts too."""
        minutes = work_for(ticket, self.city).minutes
        for stream in sorted(loaded.heads):
            other = loaded.state(stream)[0]
            if stream == self._stream or not isinstance(other, Ticket) or other.pinned is None:
                continue
            lock = other.pinned
            if lock.crew != self.crew or lock.start_at is None or other.state not in tickets.OPEN:
                continue
            theirs = work_for(other, self.city).minutes
            if tickets.overlap(start, minutes, lock.start_at, theirs):
                name = stream.removeprefix("ticket:")
                raise Conflict(
                    "locks_overlap",
                    f"{lock.crew_name} is locked to ticket {name} at this time.",
                    "Choose another start or crew, or take the other lock off.",
                    {"ticket": name, "start_at": lock.start_at, "minutes": theirs},
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplaceTicket(_OfTicket):
    """The ticket waits again; the crews that had it are released."""

    version: int
    reason_code: DisplaceReason
    by: str
    made_safe: bool = False
    reason: SecretText | None = None

    @override
    def more(self, loaded: Loaded, /) -> Wanted:
        """Its crews."""
        return Wanted(streams=crew_streams(self._state(loaded)))

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The facts of the ticket and of its crews. Raises Conflict `on_site`."""
        ticket = self._state(loaded)
        command = commands.Displace(
            version=self.version, reason_code=self.reason_code, by=self.by,
            made_safe=self.made_safe, reason=self.reason.words if self.reason else None,
        )  # fmt: skip
        events = tickets.decide(ticket, command, now)
        release = commands.ReleaseTicket(ticket=self.ticket)
        beside = of_crews(loaded, ticket.crews if ticket else (), release, now)
        return self._decision(
            ticket, events, now, f"taken from its crew by hand; reason: {self.reason_code}",
            beside=beside, reason=self.reason,
        )  # fmt: skip


def check_hours(ticket: Ticket, agreed: Appoint, city: CityPolicy) -> None:
    """A home is entered by day, or as the resident agreed; what is red goes first anyway.

    Raises Invalid `night_not_agreed`.
    """
    work, rules = work_for(ticket, city), city.dispatch.rules
    first, last = agreed.from_at, agreed.until_at
    by_day = work.home_visit and not agreed.night_agreed and ticket.level != "red"
    if not by_day or first is None or last is None:
        return
    at = datetime.fromtimestamp(first, ZoneInfo(city.timezone))
    offset = int((at.utcoffset() or timedelta()).total_seconds())
    hours = dispatch.next_window(
        first, offset, rules.home_from, rules.home_until, work.minutes * 60
    )
    if hours.begins > last:
        raise Invalid(
            "night_not_agreed",
            f"A home is visited {rules.home_from}-{rules.home_until};"
            f" {work.minutes} minutes of work do not fit into this window by day.",
            "Agree another window, or say that the resident agreed to the night.",
        )


def _nobody_stocks(loaded: Loaded, parts: Iterable[str]) -> list[str]:
    """Parts that lie in no store and on no van: worth a look, no reason to refuse."""
    return [f"nobody_stocks:{part}" for part in parts if part not in loaded.stocked]
