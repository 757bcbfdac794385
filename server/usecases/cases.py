"""Commands on external cases: hung on a ticket in one commit with it, and carried to the reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from dispatch_core import cases
from dispatch_core.cases import Case, CaseStep
from dispatch_core.errors import Conflict, NotFound
from dispatch_core.events import Event
from dispatch_core.ids import CaseClock, CaseId, CaseState, TicketId, unix
from dispatch_core.tickets import Ticket
from server.ports import CityPolicy, Decision, Loaded, OutMessage, SecretText, UseCase, Wanted
from server.usecases.streams import named
from server.usecases.ticket_answer import TicketAnswer
from server.usecases.ticket_answer import answer_of as ticket_answer

TOLD: dict[type[CaseStep], cases.Status] = {
    cases.SignFor: "signed",
    cases.ContactCitizen: "contacted",
    cases.ExtendReply: "extended",
    cases.Reply: "replied",
}
"""Steps of which the origin is told, and what it is told."""


class CaseToldAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the origin's system has, by which way, since when."""

    status: cases.Status
    way: str
    at: int


class CaseAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A case as the API shows it; times are Unix seconds."""

    id: CaseId
    version: int
    origin: str
    number: str
    ticket: TicketId
    state: CaseState
    received_at: int
    clocks: dict[CaseClock, int]
    due_at: int | None
    due_clock: CaseClock | None
    near: bool
    overdue: bool
    extended: int
    returned: int
    satisfied: bool | None
    replied_at: int | None
    closed_at: int | None
    told: list[CaseToldAnswer]
    possible: tuple[str, ...]
    """The steps that its state allows."""


class CaseAndTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A case, and the ticket that it hangs on."""

    case: CaseAnswer
    ticket: TicketAnswer


def answer_of(case_id: CaseId, case: Case) -> CaseAnswer:
    """What a caller is told of a case."""
    due = case.due
    return CaseAnswer(
        id=case_id,
        version=case.version,
        origin=case.origin,
        number=case.number,
        ticket=case.ticket,
        state=case.state,
        received_at=case.received_at,
        clocks={
            "sign_for": case.clocks.sign_for,
            "contact": case.clocks.contact,
            "reply": case.clocks.reply,
        },
        due_at=due.at if due else None,
        due_clock=due.clock if due else None,
        near=due is not None and due.warned == "near",
        overdue=due is not None and due.warned == "passed",
        extended=case.extended,
        returned=case.returned,
        satisfied=case.satisfied,
        replied_at=case.replied_at,
        closed_at=case.closed_at,
        told=[CaseToldAnswer(status=t.status, way=t.way, at=t.at) for t in case.told],
        possible=cases.POSSIBLE[case.state],
    )


def _after(case: Case | None, events: Sequence[Event], now: datetime) -> Case:
    for event in events:
        case = cases.apply(case, event, unix(now))
    if case is None:
        raise ValueError("no fact, no case")
    return case


def moved_cases(
    loaded: Loaded, from_ticket: TicketId, into: TicketId, now: datetime
) -> Mapping[str, Sequence[Event]]:
    """The facts by which every case of a merged ticket goes along, whole: stream -> facts."""
    del now
    moved: dict[str, Sequence[Event]] = {}
    for stream in loaded.cases.get(from_ticket, ()):
        case: Case | None = loaded.state(stream)[0]
        if case is not None and case.ticket == from_ticket:
            moved[stream] = cases.move(case, into)
    return moved


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveCase:
    """Hang a case on `ticket`, else on the one that the intake `request` finds or makes.

    The same origin and number again is answered with the case that is there, and changes nothing.
    """

    origin: str
    number: str
    received_at: int | None
    city: CityPolicy
    ticket: TicketId | None = None
    request: UseCase | None = None
    """An intake, whose answer is a TicketAnswer; needed where no ticket is named."""
    words: SecretText | None = None

    @property
    def _id(self) -> CaseId:
        return cases.case_id(self.origin, self.number)

    def wanted(self) -> Wanted:
        """What the intake wants, and the streams of the case and of the named ticket."""
        streams = [named("case", self._id)]
        if self.ticket is not None:
            return Wanted(streams=(*streams, named("ticket", self.ticket)))
        inner = self._intake.wanted()
        return replace(inner, streams=(*inner.streams, *streams))

    def more(self, loaded: Loaded, /) -> Wanted:
        """The ticket of a case that is there already, else what the intake wants."""
        case: Case | None = loaded.state(named("case", self._id))[0]
        if case is not None:
            return Wanted(streams=(named("ticket", case.ticket),))
        return self._intake.more(loaded) if self.ticket is None else Wanted()

    @property
    def _intake(self) -> UseCase:
        if self.request is None:
            raise ValueError("a case without a named ticket comes with an intake")
        return self.request

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The case's fact beside those of its ticket."""
        stream = named("case", self._id)
        case: Case | None = loaded.state(stream)[0]
        if case is not None:
            return self._known(case, loaded)
        if self.ticket is not None:
            found = self._named_ticket(loaded)
            base = Decision(appends={}, answer=found, grounds="", policy=self.city.version)
        else:
            base = self._intake.decide(loaded, now)
        ticket: TicketAnswer = base.answer
        command = cases.ReceiveCase(
            origin=self.origin,
            number=cases.plain_number(self.number),
            ticket=ticket.id,
            received_at=unix(now) if self.received_at is None else self.received_at,
            words=self.words.words if self.words else None,
        )
        events = cases.decide(None, command, now, self.city.cases, self.city.version)
        answer = CaseAndTicket(case=answer_of(self._id, _after(None, events, now)), ticket=ticket)
        return replace(
            base,
            appends={**base.appends, stream: events},
            answer=answer,
            status=201,
            grounds=f"{base.grounds}; case {self.origin}".removeprefix("; "),
            texts=(*base.texts, *((self.words,) if self.words else ())),
        )

    def _known(self, case: Case, loaded: Loaded) -> Decision:
        ticket: Ticket | None = loaded.state(named("ticket", case.ticket))[0]
        if ticket is None:
            raise ValueError(f"case {self._id} hangs on no ticket: a broken journal")
        return Decision(
            appends={},
            answer=CaseAndTicket(
                case=answer_of(self._id, case), ticket=ticket_answer(case.ticket, ticket, self.city)
            ),
            grounds="the same case again",
            policy=self.city.version,
        )

    def _named_ticket(self, loaded: Loaded) -> TicketAnswer:
        assert self.ticket is not None  # noqa: S101 - the caller has looked
        ticket: Ticket | None = loaded.state(named("ticket", self.ticket))[0]
        if ticket is None:
            raise NotFound(
                "no_such_ticket", f"There is no ticket {self.ticket}.", "Check its number."
            )
        if ticket.merged_into is not None:
            raise Conflict(
                "ticket_merged",
                f"The ticket {self.ticket} was merged into {ticket.merged_into}.",
                f"Name {ticket.merged_into}.",
                ticket.present(),
            )
        if ticket.state == "cancelled":
            raise Conflict(
                "ticket_cancelled",
                f"The ticket {self.ticket} is cancelled; nobody works on it.",
                "Name an open ticket, or leave it away: then one is found or made.",
                ticket.present(),
            )
        return ticket_answer(self.ticket, ticket, self.city)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCase:
    """A step of a case; `words` is the sealed text behind the command's digest. What the origin
    must know is stored in the same commit."""

    case: CaseId
    command: CaseStep
    city: CityPolicy
    words: SecretText | None = None

    def wanted(self) -> Wanted:
        """The case's stream."""
        return Wanted(streams=(named("case", self.case),))

    def more(self, loaded: Loaded, /) -> Wanted:
        """Nothing."""
        del loaded
        return Wanted()

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The case's fact, and the message to its origin."""
        stream = named("case", self.case)
        case: Case | None = loaded.state(stream)[0]
        events = cases.decide(case, self.command, now, self.city.cases, self.city.version)
        after = _after(case, events, now)
        return Decision(
            appends={stream: events},
            answer=answer_of(self.case, after),
            grounds=self._grounds(after),
            policy=self.city.version,
            texts=(self.words,) if self.words else (),
            messages=self._messages(stream, after, now),
        )

    def _messages(self, stream: str, case: Case, now: datetime) -> Sequence[OutMessage]:
        status = TOLD.get(type(self.command))
        if status is None:
            return ()
        body: dict[str, object] = {
            "origin": case.origin,
            "number": case.number,
            "status": status,
            "at": unix(now),
        }
        if self.words is not None:
            body["words"] = self.words.text
        if status == "extended":
            body["reply_at"] = case.clocks.reply
        if status == "replied":
            body["satisfied"] = case.satisfied
        return (
            OutMessage(
                channel="case",
                target=case.origin,
                kind=f"case_{status}",
                about=stream,
                body=body,
            ),
        )

    def _grounds(self, case: Case) -> str:
        match self.command:
            case cases.SignFor():
                return "signed for"
            case cases.ContactCitizen():
                return "the citizen was spoken to"
            case cases.ExtendReply():
                return f"extension {case.extended}, for a reason"
            case cases.Reply():
                return "replied to the origin"
            case cases.ReturnForRework():
                return f"returned by the origin for the {case.returned}. time"
            case cases.CloseCase():
                return "the origin took the reply"
