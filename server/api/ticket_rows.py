"""Rows of a file taken in as requests, by the very use case of `POST /api/requests`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from dispatch_core.errors import Refused, Unavailable
from dispatch_core.ids import TicketId
from server.adapters.accounts import Principal
from server.adapters.imports.rows import Refusal, Send, Taken, TicketRow
from server.api.documents import body_hash
from server.api.requests import Intake
from server.api.wishes import ServiceRequest

AGAIN_S = 1.0
TRIES = 60
_OF_STATUS: dict[int, Taken] = {200: "changed", 201: "added"}


class TicketRows:
    """Takes rows in; `commits.run` must be running while a sender is used."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def sender(self, principal: Principal, dry: bool) -> Send:  # noqa: FBT001 - a Callable's
        """Takes rows in for a principal, side by side; `dry`: says only what would become of
        them."""

        async def send(rows: Sequence[TicketRow]) -> list[Refusal | Taken]:
            return list(await asyncio.gather(*(self._one(principal, r, dry=dry) for r in rows)))

        return send

    async def _one(self, principal: Principal, row: TicketRow, *, dry: bool) -> Refusal | Taken:
        try:
            wish = msgspec.convert(row.body, ServiceRequest)
        except msgspec.ValidationError as error:
            return Refusal("bad_row", str(error), "Mend the row and import the file again.")
        hashed = body_hash(msgspec.json.encode(row.body))
        for tries in range(1, TRIES + 1):
            try:
                return await self._taken(principal, row, wish, hashed, dry=dry)
            except Unavailable:
                if tries == TRIES:
                    raise
                await asyncio.sleep(AGAIN_S)
            except Refused as refused:
                return Refusal(refused.code, refused.detail, refused.what_to_do)
        raise AssertionError("the last try returns or raises")

    async def _taken(
        self,
        principal: Principal,
        row: TicketRow,
        wish: ServiceRequest,
        hashed: bytes,
        *,
        dry: bool,
    ) -> Taken:
        number = TicketId(
            await self._intake.numbers.next(principal.company, self._intake.clock.now())
        )
        use_case = await self._intake.wishes.use_case(principal, wish, number)
        if dry:
            _, decision = await self._intake.previews.decide(principal.company, use_case)
            return _OF_STATUS[decision.status]
        answer = await self._intake.commits.submit(
            principal, "POST /api/requests", row.key, hashed, use_case
        )
        return "unchanged" if answer.stored else _OF_STATUS[answer.status]
