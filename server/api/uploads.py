"""A crew's photos on their way in: begun, sent in chunks, gone on with after any break."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.handlers import BaseRouteHandler

from dispatch_core.errors import Invalid, TooLarge
from dispatch_core.ids import PhotoId
from server.adapters.uploads import Held, name_of
from server.api.documents import body_hash, decode_body, described, raw_body
from server.api.gate import Gate, idempotency_key
from server.api.spots import to_wgs84
from server.api.upload_end import Parts, PhotoDone, UploadBody, UploadEnd

CHUNK_MOST = 1 << 20


class UploadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is; a whole one without `done` is ended by an empty chunk at its end."""

    upload: str
    have: int
    bytes: int
    done: PhotoDone | None


EXAMPLE = {
    "ticket": "260114-000123", "slot": "fault_point", "bytes": 1843200,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "media_type": "image/jpeg", "source": "camera", "captured_at_ms": 1768356000000,
    "sent_at_ms": 1768356004000,
    "visit": "5f0c1f0e-8f3b-4d5e-9a53-0d5c2a6c6b1e", "nonce": "0.491210.q0m3J4y0c5Nn8cD2x1yQ7A",
    "fix": {"lon": 126.63, "lat": 45.75, "datum": "wgs84", "accuracy_m": 8.0,
            "at_ms": 1768355999000},
}  # fmt: skip
ANSWER = {"upload": "vK0n1yq1m2v3b4n5c6x7zA", "have": 0, "bytes": 1843200, "done": None}


def create_handlers(gate: Gate, parts: Parts) -> list[BaseRouteHandler]:
    """`/api/crew/uploads`."""
    end, uploads = UploadEnd(parts), parts.uploads

    @post(
        "/api/crew/uploads",
        status_code=201,
        tags=["crew"],
        operation_class=described(UploadBody, EXAMPLE, UploadAnswer, ANSWER, status="201"),
    )
    async def begin(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Announce a photo; the same key and body again answers how far it is."""
        await gate.principal(request)
        key = idempotency_key(request)
        phone = await gate.crew(request)
        body = await request.body()
        asked = decode_body(body, UploadBody)
        company, now = phone.who.company, parts.clock.now()
        name, digest = name_of(company, phone.device, key), body_hash(body)
        begun = await uploads.begun(company, name, digest)
        if begun is not None:
            return _answer(begun, 200)
        city = await parts.policies.at(company, now)
        most = city.evidence.photos.bytes_most
        if asked.bytes > most:
            raise TooLarge(
                "photo_too_large", f"The photo has {asked.bytes:,} bytes.",
                f"Send at most {most:,}; the camera can make it smaller.",
            )  # fmt: skip
        if asked.fix is not None:
            to_wgs84(asked.fix, parts.datums)  # refused now, and not after the whole transfer
        await end.may_begin(phone, asked, city)
        ahead_ms = None if asked.sent_at_ms is None else asked.sent_at_ms - now.timestamp() * 1000
        new = Held(
            name, phone.crew, phone.device, PhotoId(asked.sha256), body, asked.bytes, 0, None,
            None if ahead_ms is None else round(ahead_ms / 1000),
        )  # fmt: skip
        held, made = await uploads.begin(company, asked.ticket, new, digest)
        return _answer(held, 201 if made else 200)

    @get("/api/crew/uploads/{upload:str}", tags=["crew"])
    async def how_far(request: Request[Any, Any, Any], upload: str) -> Response[bytes]:
        """How much of it is here, and the answer once it is done."""
        phone = await gate.crew(request)
        return _answer(await uploads.held(phone.who.company, phone.device, upload))

    @delete("/api/crew/uploads/{upload:str}", tags=["crew"], status_code=204)
    async def let_be(request: Request[Any, Any, Any], upload: str) -> None:
        """The phone does not go on with it; one that is finished or gone stays so."""
        phone = await gate.crew(request)
        await uploads.end(phone.who.company, phone.device, upload)

    @put(
        "/api/crew/uploads/{upload:str}",
        tags=["crew"],
        request_max_body_size=CHUNK_MOST,
        operation_class=raw_body(
            ["application/octet-stream"], "The bytes from ?at= on, 1 MiB at most"
        ),
    )
    async def chunk(request: Request[Any, Any, Any], upload: str) -> Response[bytes]:
        """The next bytes, from `?at=` on; the last ones end it, and are answered when the photo is
        a fact. 409 `wrong_offset` tells what is here."""
        phone = await gate.crew(request)
        at = request.query_params.get("at", "")
        if not at.isascii() or not at.isdecimal() or len(at) > 10:
            raise Invalid(
                "bad_offset", f"at={at!r} is no number of bytes.", "Say where the chunk begins."
            )
        data = await request.body()
        held = await uploads.append(phone.who.company, phone.device, upload, int(at), data)
        if held.done is None and held.have == held.size:
            held = held._replace(done=await end.take(phone, held))
        return _answer(held)

    return [begin, how_far, let_be, chunk]


def _answer(held: Held, status: int = 200) -> Response[bytes]:
    done = None if held.done is None else msgspec.json.decode(held.done, type=PhotoDone)
    answer = UploadAnswer(upload=held.upload, have=held.have, bytes=held.size, done=done)
    return Response(
        msgspec.json.encode(answer), status_code=status, media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )  # fmt: skip
