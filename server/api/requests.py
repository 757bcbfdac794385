"""Taking a service request in, the front door of every ticket, and what it would become."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, NamedTuple

import msgspec
from litestar import Request, Response, post
from litestar.handlers import BaseRouteHandler

from dispatch_core.errors import Refused, TooLarge
from dispatch_core.ids import Level, RequestKind, TicketId
from dispatch_core.requests import Proposal, propose
from server.adapters.accounts import Principal
from server.adapters.address_book import AddressAnswer
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.numbers import Numbers
from server.adapters.policies import Policies
from server.adapters.previews import Previews
from server.api.documents import body_hash, decode_body, described
from server.api.gate import Gate, idempotency_key
from server.api.wishes import Caller, Name, ServiceRequest, Wishes, checked
from server.ports import Loaded
from server.usecases.ticket_answer import TicketAnswer

MOST_PASTED = 100_000
LONG = 5_000
"""From here on words are heard beside the loop."""
PREVIEWED = TicketId("preview")
"""The ticket of a preview: a name that no number can be."""


class WordsToHear(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a caller says, as typed, pasted or transcribed so far; who and where, if known."""

    words: str = ""
    kind: RequestKind | None = None
    household: Name | None = None
    building: Name | None = None
    address: Annotated[str, msgspec.Meta(max_length=300)] | None = None
    phone: Annotated[str, msgspec.Meta(max_length=40)] | None = None


class Reason(msgspec.Struct, kw_only=True):
    """What speaks for kind and level: a code, and the policy's word or figure."""

    code: str
    said: str


class DangerWord(msgspec.Struct, kw_only=True):
    """A word of danger that was meant."""

    word: str
    level: Level


class Attach(msgspec.Struct, kw_only=True):
    """The open ticket that the request would be counted on, as it is and as it would be."""

    ticket: TicketId
    kind: RequestKind
    level: Level
    reports: int
    level_after: Level
    reports_after: int


class ProposalAnswer(msgspec.Struct, kw_only=True):
    """What POST /api/requests would make of the same words; a person confirms it."""

    kind: RequestKind
    level: Level
    reasons: list[Reason]
    dangers: list[DangerWord]
    place: AddressAnswer | None
    attach: Attach | None


EXAMPLE = {
    "source": "phone",
    "household": "0451-01-000123",
    "caller": {"name": "王先生", "phone": "100-0000-0000"},
    "words": "立管漏水，楼道里都是",
    "accepted": True,
}
ANSWER_EXAMPLE = {
    "id": "260114-004711",
    "version": 2,
    "state": "accepted",
    "level": "yellow",
    "kind": "leak",
    "attached": False,
    "reasons": ["danger:漏水"],
}
PROPOSAL_EXAMPLE = {
    "kind": "leak",
    "level": "yellow",
    "reasons": [{"code": "danger", "said": "漏水"}],
    "dangers": [{"word": "漏水", "level": "yellow"}],
    "place": None,
    "attach": None,
}


class Intake(NamedTuple):
    """What taking requests in needs."""

    commits: Commits
    wishes: Wishes
    previews: Previews
    policies: Policies
    numbers: Numbers
    clock: BusinessClock

    async def propose(self, principal: Principal, asked: WordsToHear) -> ProposalAnswer:
        """Kind, level and place by the words, the household and its history.

        Raises:
            TooLarge: `words_too_long`. Invalid: `control_characters`. Unavailable.
        """
        if len(asked.words) > MOST_PASTED:
            raise TooLarge(
                "words_too_long", f"The words have {len(asked.words):,} characters.",
                f"Send at most {MOST_PASTED:,}.",
            )  # fmt: skip
        for what in ("household", "building", "address", "phone"):
            checked(getattr(asked, what), what)
        city = await self.policies.at(principal.company, self.clock.now())
        if len(asked.words) > LONG:
            heard = await asyncio.to_thread(propose, asked.words, city.requests, asked.kind)
        else:
            heard = propose(asked.words, city.requests, asked.kind)
        wish = ServiceRequest(
            kind=heard.kind, source="phone", household=asked.household, building=asked.building,
            address=asked.address, caller=Caller(phone=asked.phone) if asked.phone else None,
        )  # fmt: skip
        where = await self.wishes.where(principal.company, wish)
        place = where.found
        if place is None and asked.building is None:
            # also beside a known household: the caller may speak of another place
            place = await self.wishes.spoken(principal.company, asked.words)
        level, reasons, attach = heard.level, heard.reasons, None
        use_case = self.wishes.made(principal, wish, PREVIEWED, heard, city, where)
        try:
            loaded, decision = await self.previews.decide(principal.company, use_case)
        except Refused:
            pass  # no place yet, or an unknown one: the words alone speak
        else:
            ticket: TicketAnswer = decision.answer
            attach = _attach(loaded, ticket)
            if attach is None:
                level, reasons = ticket.level, tuple(ticket.reasons)
        return _answer(heard, level, reasons, place, attach)


def _attach(loaded: Loaded, answer: TicketAnswer) -> Attach | None:
    if not answer.attached:
        return None
    now: Any = loaded.state(f"ticket:{answer.id}")[0]
    return Attach(
        ticket=answer.id, kind=now.kind, level=now.level, reports=now.reports,
        level_after=answer.level, reports_after=answer.reports,
    )  # fmt: skip


def _answer(
    heard: Proposal,
    level: Level,
    reasons: tuple[str, ...],
    place: AddressAnswer | None,
    attach: Attach | None,
) -> ProposalAnswer:
    parts = [reason.partition(":") for reason in reasons]
    return ProposalAnswer(
        kind=heard.kind,
        level=level,
        reasons=[Reason(code=code, said=said) for code, _, said in parts],
        dangers=[DangerWord(word=d.word, level=d.level) for d in heard.dangers],
        place=place,
        attach=attach,
    )


def create_handlers(gate: Gate, intake: Intake) -> list[BaseRouteHandler]:
    """`POST /api/requests` and its preview."""

    @post(
        "/api/requests",
        status_code=201,
        tags=["tickets"],
        operation_class=described(
            ServiceRequest, EXAMPLE, TicketAnswer, ANSWER_EXAMPLE, status="201"
        ),
    )
    async def take_in(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Take in a service request; answered when it is durable. 200 with `attached` where it was
        counted on the open ticket of the same fault."""
        principal = await gate.principal(request)
        key = idempotency_key(request)
        body = await request.body()
        wish = decode_body(body, ServiceRequest)
        number = TicketId(await intake.numbers.next(principal.company, intake.clock.now()))
        answer = await intake.commits.submit(
            principal,
            "POST /api/requests",
            key,
            body_hash(body),
            await intake.wishes.command(principal, wish, number),
        )
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    @post(
        "/api/requests/propose",
        status_code=200,
        tags=["tickets"],
        operation_class=described(
            WordsToHear, {"words": "立管漏水"}, ProposalAnswer, PROPOSAL_EXAMPLE, keyed=False
        ),
    )
    async def hear(request: Request[Any, Any, Any]) -> Response[bytes]:
        """What the words speak for, before anything is taken in: kind, level, place, and whether
        the request would be counted on an open ticket. Writes nothing."""
        principal = await gate.principal(request)
        asked = decode_body(await request.body(), WordsToHear)
        answer = await intake.propose(principal, asked)
        return Response(msgspec.json.encode(answer), media_type="application/json")

    return [take_in, hear]
