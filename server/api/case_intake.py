"""How a case comes in: alone or by the thousand, hung on a ticket in one commit with it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from litestar import Request, post
from litestar.handlers import BaseRouteHandler

from dispatch_core import cases
from dispatch_core.errors import Invalid, Refused, TooLarge
from dispatch_core.ids import RequestKind, TicketId
from server.adapters.accounts import Principal
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.idempotency import Answer
from server.adapters.numbers import Numbers
from server.adapters.policies import Policies
from server.adapters.vault import Vault
from server.api.documents import body_hash, decode_body, described
from server.api.gate import Gate, idempotency_key
from server.api.wishes import Caller, ServiceRequest, Spot, Wishes, checked
from server.usecases.cases import ReceiveCase

MOST_ITEMS = 1000
AT_ONCE = 64
DEFAULT_KIND: RequestKind = "complaint"
"""Of a case that comes without words to speak for one."""


class CaseBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A case of an origin of the policy, e.g. hotline_12345. `received_at`: when the origin took it
    in, from which its clocks run; left away: now. Without `ticket` it comes with its place, like a
    request, and hangs on the ticket which that request makes or is attached to."""

    origin: Annotated[str, msgspec.Meta(pattern="^[a-z0-9_]{1,40}$")]
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    received_at: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)] | None = None
    ticket: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] | None = None
    kind: RequestKind | None = None
    caller: Caller | None = None
    household: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] | None = None
    building: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] | None = None
    coordinate: Spot | None = None
    address: Annotated[str, msgspec.Meta(max_length=300)] | None = None
    words: Annotated[str, msgspec.Meta(max_length=10_000)] | None = None


class RefusedCase(msgspec.Struct, kw_only=True):
    """An item that was not taken in."""

    index: int
    code: str
    detail: str
    what_to_do: str


class TakenCase(msgspec.Struct, kw_only=True):
    """An item's case and ticket; `new`: it was not there before."""

    index: int
    case: str
    ticket: str
    new: bool


class CaseBatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Up to 1,000 cases, each as `POST /api/cases` takes it."""

    items: list[dict[str, Any]]


class _RawBatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    items: list[msgspec.Raw]


class CaseBatchAnswer(msgspec.Struct, kw_only=True):
    """What became of each item; a refused one changes nothing and hinders no other."""

    accepted: int
    taken: list[TakenCase]
    refused: list[RefusedCase]


class _CaseName(msgspec.Struct):
    id: str


class _Answered(msgspec.Struct):
    case: _CaseName
    ticket: _CaseName


CASE_EXAMPLE = {
    "origin": "hotline_12345",
    "number": "2601140815",
    "received_at": 1768352400,
    "kind": "not_warm",
    "building": "B01",
    "caller": {"name": "王先生", "phone": "100-0000-0000"},
    "words": "家里一直不热，多次反映无人处理",
}


class CaseIntake:
    """Takes cases in."""

    def __init__(
        self,
        commits: Commits,
        vault: Vault,
        policies: Policies,
        clock: BusinessClock,
        wishes: Wishes,
        numbers: Numbers,
    ) -> None:
        self._commits = commits
        self._vault = vault
        self._policies = policies
        self._clock = clock
        self._wishes = wishes
        self._numbers = numbers

    async def submit(
        self, principal: Principal, route: str, key: str, hashed: bytes, wish: CaseBody
    ) -> Answer:
        """One case, committed with its ticket. Raises Refused."""
        return await self._commits.submit(
            principal, route, key, hashed, await self._use_case(principal, wish)
        )

    async def _use_case(self, principal: Principal, wish: CaseBody) -> ReceiveCase:
        number = cases.plain_number(wish.number)
        if not number or not number.isprintable():
            raise Invalid(
                "bad_number",
                "The case's number is blank or has control characters.",
                "Send the number that the origin gave it.",
            )
        city = await self._policies.at(principal.company, self._clock.now())
        cases.origin_of(city.cases, wish.origin)
        checked(wish.words, "words")
        checked(wish.address, "address")
        told = "\n".join(text for text in (wish.words, wish.address) if text)
        request = None
        if wish.ticket is None:
            ticket = TicketId(await self._numbers.next(principal.company, self._clock.now()))
            request = await self._wishes.use_case(principal, _request_of(wish), ticket)
        return ReceiveCase(
            origin=wish.origin,
            number=number,
            received_at=wish.received_at,
            city=city,
            ticket=TicketId(wish.ticket) if wish.ticket else None,
            request=request,
            words=self._vault.words(principal.company, told) if told else None,
        )

    async def _item(
        self, principal: Principal, key: str, index: int, raw: msgspec.Raw
    ) -> TakenCase | RefusedCase:
        try:
            answer = await self.submit(
                principal,
                f"POST /api/batches/cases/{index}",
                key,
                body_hash(bytes(raw)),
                decode_body(bytes(raw), CaseBody),
            )
        except Refused as refused:
            return RefusedCase(
                index=index,
                code=refused.code,
                detail=refused.detail,
                what_to_do=refused.what_to_do,
            )
        made = msgspec.json.decode(answer.body, type=_Answered)
        return TakenCase(
            index=index, case=made.case.id, ticket=made.ticket.id, new=answer.status == 201
        )

    async def batch(self, principal: Principal, key: str, body: bytes) -> CaseBatchAnswer:
        """Many cases, each in a commit of its own under the batch's key and its index.

        Raises:
            Invalid: `bad_body`. TooLarge: `too_many_items`.
        """
        items = decode_body(body, _RawBatch).items
        if len(items) > MOST_ITEMS:
            raise TooLarge(
                "too_many_items", f"{len(items)} cases in one batch.", "Send at most 1,000."
            )
        room = asyncio.Semaphore(AT_ONCE)

        async def one(index: int, raw: msgspec.Raw) -> TakenCase | RefusedCase:
            async with room:
                return await self._item(principal, key, index, raw)

        made = await asyncio.gather(*(one(i, raw) for i, raw in enumerate(items)))
        taken = [m for m in made if isinstance(m, TakenCase)]
        return CaseBatchAnswer(
            accepted=len(taken),
            taken=taken,
            refused=[m for m in made if isinstance(m, RefusedCase)],
        )

    def handlers(self, gate: Gate) -> list[BaseRouteHandler]:
        """`POST /api/batches/cases`."""

        @post(
            "/api/batches/cases",
            status_code=200,
            tags=["batches"],
            operation_class=described(
                CaseBatch,
                {"items": [CASE_EXAMPLE]},
                CaseBatchAnswer,
                {"accepted": 1, "taken": [{"index": 0}], "refused": []},
            ),
        )
        async def case_batch(request: Request[Any, Any, Any]) -> CaseBatchAnswer:
            """Good cases are taken in, bad ones refused by index and code; the same batch again
            doubles nothing."""
            principal = await gate.principal(request)
            return await self.batch(principal, idempotency_key(request), await request.body())

        return [case_batch]


def _request_of(wish: CaseBody) -> ServiceRequest:
    return ServiceRequest(
        kind=wish.kind if wish.words else wish.kind or DEFAULT_KIND,
        source=wish.origin,
        household=wish.household,
        building=wish.building,
        coordinate=wish.coordinate,
        address=wish.address,
        caller=wish.caller,
        words=wish.words,
    )
