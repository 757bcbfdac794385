"""The layers over HTTP: a snapshot as JSON or GeoJSON, compressed once, with an ETag."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any, Literal

import msgspec
from litestar import Request, Response, get
from litestar.handlers import BaseRouteHandler

from dispatch_core.errors import NotFound, Unavailable
from realtime.hub import Hub
from realtime.messages import Put
from realtime.picture import Picture
from server.api.gate import Gate

Form = Literal["json", "geojson"]
_decode = msgspec.msgpack.Decoder().decode


class LayerRow(msgspec.Struct):
    """One row of a layer with its key and version."""

    key: str
    version: int
    row: dict[str, Any]


class LayerView(msgspec.Struct):
    """A layer at one position of its sequence."""

    topic: str
    epoch: int
    seq: int
    hash: str
    as_of: float
    source_at: float | None
    cadence_s: float | None
    rows: list[LayerRow]


def _head(picture: Picture) -> LayerView:
    return LayerView(
        topic=picture.topic,
        epoch=picture.epoch,
        seq=picture.seq,
        hash=picture.hash,
        as_of=picture.as_of,
        source_at=picture.source_at,
        cadence_s=picture.cadence_s,
        rows=[],
    )


def _packed(head: LayerView, puts: list[Put], form: Form) -> bytes:
    """The whole answer, compressed; runs beside the event loop."""
    if form == "geojson":
        return gzip.compress(_geojson(puts), 5)
    head.rows = [LayerRow(p.key, p.version, _decode(p.row)) for p in puts]
    return gzip.compress(msgspec.json.encode(head), 5)


def _geojson(puts: list[Put]) -> bytes:
    features = []
    for put in puts:
        row = _decode(put.row)
        if "west" in row:
            w, s, e, n = row["west"], row["south"], row["east"], row["north"]
            geometry: dict[str, Any] | None = {
                "type": "Polygon",
                "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]],
            }
        elif row.get("located") is False:
            geometry = None
        elif "lon" in row:
            geometry = {"type": "Point", "coordinates": [row["lon"], row["lat"]]}
        else:
            continue
        features.append({"type": "Feature", "id": put.key, "geometry": geometry, "properties": row})
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})


def create_handlers(hub: Hub, gate: Gate) -> list[BaseRouteHandler]:
    """Snapshots over HTTP."""
    cache: dict[tuple[int, str, Form], tuple[str, bytes]] = {}

    async def answer(request: Request[Any, Any, Any], topic: str, form: Form) -> Response[bytes]:
        principal = await gate.principal(request)
        picture = hub.pictures.get((principal.company, topic))
        if picture is None:
            raise NotFound(
                "unknown_topic", f"There is no layer {topic!r}.", "The layers are listed at /docs."
            )
        if not picture.loaded:
            raise Unavailable(
                "not_ready", "The layer has no picture yet.", "Ask again in a second."
            )
        # How fresh it is belongs to the answer: a quiet layer must not look dead.
        etag = f'"{picture.epoch}-{picture.seq}-{int(picture.as_of)}-{form}"'
        headers = {
            "ETag": etag,
            "Cache-Control": "private, no-cache",
            "Vary": "Accept-Encoding, Cookie, Authorization",
        }
        if etag in [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]:
            return Response(b"", status_code=304, headers=headers)
        at = (principal.company, topic, form)
        if cache.get(at, ("",))[0] != etag:
            puts = list(picture.rows.values())
            cache[at] = (etag, await asyncio.to_thread(_packed, _head(picture), puts, form))
        body = cache[at][1]
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
        else:
            body = gzip.decompress(body)
        media = "application/json" if form == "json" else "application/geo+json"
        return Response(body, media_type=media, headers=headers)

    @get("/api/layers/{name:str}", tags=["layers"])
    async def layer(request: Request[Any, Any, Any], name: str) -> Response[bytes]:
        """A layer as it stands: `/api/layers/tickets` as JSON,
        `/api/layers/tickets.geojson` as GeoJSON.

        Layers: tickets, crews, positions, rooms, arrears, sentiment, outages,
        network, figures, happenings.
        """
        if name.endswith(".geojson"):
            return await answer(request, name.removesuffix(".geojson"), "geojson")
        return await answer(request, name, "json")

    return [layer]
