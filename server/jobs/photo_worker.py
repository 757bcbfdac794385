"""What a photo worker does: it looks at one file, or compares points; nothing that it met is left
for the next."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from dispatch_core.errors import Invalid
from ext.jpeg_walk import JpegFacts
from server.adapters import image_reader, photo_features
from server.adapters.image_reader import Kind, TooMuch, Unopened
from server.adapters.photo_credentials import credentials_of
from server.adapters.photo_exif import exif_of
from server.jobs.photo_asks import Compare, Compared, Look
from server.jobs.photo_cell import enclose
from server.jobs.planner_child import serve

PIXELS_MOST = 60_000_000
MEMORY_MB = 1024
"""Of addresses, most of which are never memory: the libraries alone take half of it."""
ROOM: Mapping[Kind | None, int] = {"jpeg": 72 << 20, "png": 72 << 20, "heif": 256 << 20}
"""Bytes that opening a file may take beside it; HEIF cannot be made smaller while it is opened."""


def run_worker(fd: int) -> None:
    """Answer over a socket until the other side is gone, shut in."""
    enclose()
    serve(fd, {"look": look, "compare": compare}, nice=10, memory_mb=MEMORY_MB)


def look(data: bytes) -> bytes:
    """A `Look`. Raises Refused `photo_too_much`, for what a person must look at."""
    with _room(image_reader.kind_of(data), len(data)):
        try:
            seen = look_at(data)
        except (TooMuch, MemoryError):
            raise Invalid(
                "photo_too_much", "Opening this photo takes more memory than a worker has.",
                "A person looks at it.",
            ) from None  # fmt: skip
    return msgspec.msgpack.encode(seen)


def look_at(data: bytes) -> Look:
    """Everything that a file shows but its likeness to others. Raises TooMuch."""
    try:
        grey, facts = image_reader.grey_of(data, PIXELS_MOST)
    except Unopened as unopened:
        return Look(fault=unopened.fault)
    hashes, quality = photo_features.hashes_of(grey)
    sharpness, mean = photo_features.lit_of(grey)
    seen = Look(
        hashes=list(hashes), quality=quality, sharpness=sharpness, mean=mean,
        points=photo_features.points_of(grey),
        mirrored=photo_features.points_of(photo_features.mirrored(grey)),
    )  # fmt: skip
    return seen if facts is None else _with_headers(seen, facts, data)


def _with_headers(seen: Look, facts: JpegFacts, data: bytes) -> Look:
    wgs = facts.gps_datum.strip().upper() in {"", "WGS-84", "WGS84"}
    return msgspec.structs.replace(
        seen,
        fault="cut_off" if facts.code == "cut_off" else None,
        exif=exif_of(facts),
        taken_s=facts.taken_s if facts.taken_s is not None else facts.digitised_s,
        zone_s=facts.taken_zone_s if facts.taken_s is not None else facts.digitised_zone_s,
        gps_s=facts.gps_utc_s,
        lon=facts.longitude if wgs else None,
        lat=facts.latitude if wgs else None,
        credentials=credentials_of(data) if facts.content_credentials else "none",
    )


def compare(body: bytes) -> bytes:
    """A `Compared` for a `Compare`."""
    asked = msgspec.msgpack.decode(body, type=Compare)
    best, most = None, 0
    for number, other in enumerate(asked.others):
        for mine in (asked.points, asked.mirrored):
            found = photo_features.inliers(mine, other)
            if found > most:
                best, most = number, found
        if most >= asked.enough:
            break
    return msgspec.msgpack.encode(Compared(best=best, inliers=most))


@contextlib.contextmanager
def _room(kind: Kind | None, length: int) -> Iterator[None]:
    """From here on so much more memory and no more, until it is done."""
    pages = Path("/proc/self/statm")
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if not pages.exists():  # a system that cannot say: the limit of the whole holds
        yield
        return
    used = int(pages.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    most = used + length + ROOM.get(kind, 0)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
