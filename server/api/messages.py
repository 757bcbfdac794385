"""Messages that left the house or wait to: what became of each, never what it says."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import Parameter

from server.adapters.idempotency import Key
from server.adapters.message_reads import (
    MessageFilter,
    MessagePage,
    Messages,
    MessageView,
    Report,
)
from server.adapters.message_store import State
from server.api.documents import body_hash, decode_body, described
from server.api.gate import Gate, idempotency_key
from server.api.wishes import checked


class ReportBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whether a message arrived, and by what that is known, e.g. a receipt's number."""

    delivered: bool
    proof: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None


class Again(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Nothing more than which message: `{}`."""


def create_handlers(gate: Gate, messages: Messages) -> list[BaseRouteHandler]:
    """The list, the report of a gateway or receiver, and another try."""

    @get("/api/messages", tags=["messages"])
    async def listed(
        request: Request[Any, Any, Any],
        *,
        about: str | None = None,
        in_state: Annotated[State | None, Parameter(query="state")] = None,
        channel: str | None = None,
        target: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> MessagePage:
        """Messages, newest first: on what they are, which way they went, with what proof."""
        principal = await gate.principal(request)
        wanted = MessageFilter(
            about=about, state=in_state, channel=channel, target=target, limit=limit, after=after
        )
        return await messages.page(principal.company, wanted)

    @post(
        "/api/messages/{message_id:str}/delivered",
        status_code=200,
        tags=["messages"],
        operation_class=described(
            ReportBody,
            {"delivered": True, "proof": "receipt 778"},
            MessageView,
            {"id": 17, "state": "delivered"},
        ),
    )
    async def report(request: Request[Any, Any, Any], message_id: str) -> Response[bytes]:
        """A gateway or receiver says whether a message arrived; the same again changes nothing."""
        principal = await gate.principal(request)
        key = Key(
            principal.actor, f"POST /api/messages/{message_id}/delivered", idempotency_key(request)
        )
        body = await request.body()
        said = decode_body(body, ReportBody)
        checked(said.proof, "proof")
        answer = await messages.report(
            principal,
            key,
            body_hash(body),
            Report(message=message_id, delivered=said.delivered, proof=said.proof),
        )
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    @post(
        "/api/messages/{message_id:str}/again",
        status_code=200,
        tags=["messages"],
        operation_class=described(Again, {}, MessageView, {"id": 17, "state": "waiting"}),
    )
    async def again(request: Request[Any, Any, Any], message_id: str) -> Response[bytes]:
        """A message that failed is sent again, once what stood in its way is mended."""
        principal = await gate.person(request, "administrator", "manager", "seat")
        key = Key(
            principal.actor, f"POST /api/messages/{message_id}/again", idempotency_key(request)
        )
        body = await request.body()
        decode_body(body, Again)
        answer = await messages.again(principal, key, body_hash(body), message_id)
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    return [listed, report, again]
