"""Evidence photos as people see them: views, the points that two share, and audited originals."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.handlers import BaseRouteHandler

from server.adapters.photo_views import Match, PhotoViews, Size
from server.api.evidence import DESK, MANAGERS
from server.api.gate import Gate

_HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


def create_handlers(gate: Gate, views: PhotoViews) -> list[BaseRouteHandler]:
    """`/api/evidence/{ticket}/photos/{photo}`, `.../original` and `/api/evidence/{ticket}/match`.
    None of them is for a wall."""

    @get("/api/evidence/{ticket_id:str}/photos/{photo:str}", tags=["evidence"])
    async def view(
        request: Request[Any, Any, Any], ticket_id: str, photo: str, size: Size = "view"
    ) -> Response[bytes]:
        """The photo drawn again as JPEG: at most 1600 or 320 pixels a side, without metadata,
        faces blurred."""
        principal = await gate.person(request, *DESK)
        body = await views.view(principal.company, ticket_id, photo, size)
        headers = _HEADERS | {"Content-Disposition": "inline"}
        return Response(body, media_type="image/jpeg", headers=headers)

    @get("/api/evidence/{ticket_id:str}/photos/{photo:str}/original", tags=["evidence"])
    async def original(
        request: Request[Any, Any, Any], ticket_id: str, photo: str
    ) -> Response[bytes]:
        """The file as the phone sent it; who fetched it is written down before."""
        principal = await gate.person(request, *MANAGERS)
        found = await views.original(principal.company, ticket_id, photo, principal.actor)
        headers = _HEADERS | {"Content-Disposition": f'attachment; filename="{photo[:16]}"'}
        return Response(found.data, media_type=found.media_type, headers=headers)

    @get("/api/evidence/{ticket_id:str}/match/{photo:str}/{twin:str}", tags=["evidence"])
    async def match(
        request: Request[Any, Any, Any], ticket_id: str, photo: str, twin: str
    ) -> Match:
        """The points on which a photo and another one agree, in shares of their views."""
        principal = await gate.person(request, *DESK)
        return await views.match(principal.company, ticket_id, photo, twin)

    return [view, original, match]
