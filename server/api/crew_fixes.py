"""The fixes of a crew's phone: sent in lots, also long after they were taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, post
from litestar.handlers import BaseRouteHandler

from geo.datums import Coordinate, DatumRefused, Datums
from server.adapters.clock import BusinessClock
from server.adapters.fix_checks import Row
from server.adapters.policies import Policies
from server.adapters.telemetry import FIX, Incoming, Telemetry
from server.api.batch_items import KINDS, RefusedItem
from server.api.batches import BatchAnswer
from server.api.documents import body_hash, decode_body, described
from server.api.gate import Gate, idempotency_key

KIND = "crew-positions"
OLD = timedelta(days=60)
"""No phone keeps its queue for longer."""


class PhoneFix(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One fix with its datum. What is doubtful in it is no reason to refuse it: it is kept with a
    verdict."""

    lon: float
    lat: float
    datum: Annotated[str, msgspec.Meta(max_length=40)]
    accuracy_m: Annotated[float, msgspec.Meta(ge=0, le=10_000_000)]
    at_ms: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_000)]
    """By the phone's clock."""
    heading_deg: Annotated[float, msgspec.Meta(ge=0, le=360)] | None = None
    speed_mps: Annotated[float, msgspec.Meta(ge=0, le=1_000)] | None = None
    battery_pct: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None


class PhoneFixes(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Up to 500 fixes, in any order."""

    items: Annotated[list[PhoneFix], msgspec.Meta(max_length=500)]


EXAMPLE = {
    "items": [{"lon": 126.63, "lat": 45.75, "datum": "wgs84", "accuracy_m": 8,
               "at_ms": 1768345200000, "speed_mps": 6.5, "battery_pct": 71}],
}  # fmt: skip


def create_handlers(
    gate: Gate, store: Telemetry, clock: BusinessClock, policies: Policies, datums: Datums
) -> list[BaseRouteHandler]:
    """The one POST."""

    @post(
        "/api/crew/fixes",
        status_code=200,
        tags=["crew"],
        operation_class=described(PhoneFixes, EXAMPLE, BatchAnswer, {"accepted": 1, "refused": []}),
    )
    async def fixes(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Every fix is kept with what the checks made of it; the phone is not told what that is,
        since it would teach how to deceive them."""
        await gate.principal(request)
        key = idempotency_key(request)
        phone = await gate.crew(request)
        body = await request.body()
        items = decode_body(body, PhoneFixes).items
        now = clock.now()
        rows: list[tuple[Any, ...]] = []
        refused: list[RefusedItem] = []
        for index, item in enumerate(items):
            taken = _row(phone.crew, item, now, datums)
            if isinstance(taken, Row):
                rows.append(taken)
            else:
                refused.append(RefusedItem(index=index, code=taken[0], detail=taken[1]))
        incoming = Incoming(
            kind=KIND,
            topic=KINDS[KIND].topic,
            table=FIX,
            rows=rows,
            answer=BatchAnswer(accepted=len(rows), refused=refused),
            fence=(await policies.at(phone.who.company, now)).evidence.fence,
        )
        answer = await store.store(
            phone.who, "POST /api/crew/fixes", key, body_hash(body), incoming
        )
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    return [fixes]


def _row(crew: str, item: PhoneFix, now: datetime, datums: Datums) -> Row | tuple[str, str]:
    """The fix as it is stored, or why it is no place and time at all: code and detail."""
    try:
        point = datums.to_wgs84(Coordinate(item.lon, item.lat, item.datum))
    except DatumRefused as bad:
        return bad.code, bad.detail
    at = datetime.fromtimestamp(item.at_ms / 1000, UTC)
    if at < now - OLD:
        return "too_old", f"The time {item.at_ms} is more than {OLD.days} days ago."
    return Row(
        crew, at, point.lon, point.lat, item.datum, item.accuracy_m, item.heading_deg,
        item.speed_mps, item.battery_pct,
    )  # fmt: skip
