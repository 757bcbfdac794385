"""Photos of faults and proofs: sent as they are, attached by their id, shown to people only."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler

from dispatch_core.errors import Forbidden
from server.adapters.photos import MOST_BYTES, PhotoAnswer, Photos
from server.api.calls import SEATS
from server.api.documents import raw_body
from server.api.gate import Gate

MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp", "image/heic")


def create_handlers(gate: Gate, photos: Photos) -> list[BaseRouteHandler]:
    """`POST /api/photos` and `GET /api/photos/{id}`."""

    @post(
        "/api/photos",
        status_code=201,
        tags=["tickets"],
        request_max_body_size=MOST_BYTES + 1,
        operation_class=raw_body(MEDIA_TYPES, "The picture as the camera wrote it"),
    )
    async def take_in(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Send a picture as the raw body (JPEG, PNG, WebP or HEIC, at most 10 MB); the answer's id
        is what is attached. The same picture again has the same id."""
        principal = await gate.principal(request)
        kept = await photos.take_in(principal.company, principal.actor, await request.body())
        return _json(kept)

    @get("/api/photos/{photo:str}", tags=["tickets"])
    async def show(request: Request[Any, Any, Any], photo: str) -> Response[bytes]:
        """The picture."""
        principal = await gate.person(request, *SEATS)
        if await photos.is_evidence(principal.company, photo):
            raise Forbidden(
                "evidence_photo", "This photo is evidence of a ticket.",
                "Look at it with the ticket's evidence.",
            )  # fmt: skip
        found = await photos.read(principal.company, photo)
        headers = {
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": "inline",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return Response(found.data, media_type=found.media_type, headers=headers)

    return [take_in, show]


def _json(kept: PhotoAnswer) -> Response[bytes]:
    return Response(msgspec.json.encode(kept), status_code=201, media_type="application/json")
