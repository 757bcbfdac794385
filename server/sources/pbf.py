"""Whether a file is a whole OpenStreetMap PBF file: its frame of blobs walked from end to end,
without unpacking them."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from server.settings import UserError

MAX_HEADER, MAX_BLOB = 64 * 1024, 32 * 1024 * 1024
"""Limits of the format itself."""
OLD_STAYS = "The city imported before stays."


def check_framing(path: Path) -> None:
    """Raises UserError: `city_file_not_pbf` (empty, or another kind of file) or
    `city_file_truncated` (its end is missing). Raises OSError when the file cannot be read."""
    size = path.stat().st_size
    if size == 0:
        raise not_pbf(path, "is empty")
    with path.open("rb") as file:
        blobs = 0
        while file.tell() < size:
            kind, length = _blob_header(file, path, first=blobs == 0)
            if blobs == 0 and kind != b"OSMHeader":
                raise not_pbf(path, "is not an OSM PBF file")
            if file.tell() + length > size:
                raise truncated(path)
            file.seek(length, 1)
            blobs += 1
    if blobs < 2:
        raise truncated(path)


def not_pbf(path: Path, what: str) -> UserError:
    """The refusal of a file that is something else."""
    return UserError(
        "city_file_not_pbf",
        f"{path.name} {what}.",
        "Give an OpenStreetMap extract in PBF, as `osmium extract` and the usual extract services "
        f"write it (.osm.pbf). {OLD_STAYS}",
    )


def truncated(path: Path) -> UserError:
    """The refusal of a file whose end is missing."""
    return UserError(
        "city_file_truncated",
        f"{path.name} is only part of a file.",
        "Copy or download it again and compare its size and checksum with the source's. "
        f"{OLD_STAYS}",
    )


def _blob_header(file: BinaryIO, path: Path, *, first: bool) -> tuple[bytes, int]:
    """Type and length of the blob that begins here: protobuf fields 1 (type) and 3 (datasize) of
    its BlobHeader."""
    raw = file.read(4)
    length = int.from_bytes(raw, "big")
    damaged = not_pbf(path, "is not an OSM PBF file") if first else truncated(path)
    if len(raw) < 4 and not first:
        raise truncated(path)
    if len(raw) < 4 or not 0 < length <= MAX_HEADER:
        raise damaged
    header = file.read(length)
    if len(header) < length:
        raise truncated(path) if header[2:11] == b"OSMHeader" or not first else damaged
    try:
        fields = dict(_fields(header))
    except IndexError:
        raise damaged from None
    kind, size = fields.get(1), fields.get(3)
    if not isinstance(kind, bytes) or not isinstance(size, int) or size > MAX_BLOB:
        raise damaged
    return kind, size


def _fields(message: bytes) -> list[tuple[int, int | bytes]]:
    """The varint and length-delimited fields of a protobuf message. Raises IndexError when it is
    none."""
    out: list[tuple[int, int | bytes]] = []
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        value, at = _varint(message, at)
        if tag & 7 == 0:
            out.append((tag >> 3, value))
        elif tag & 7 == 2 and at + value <= len(message):
            out.append((tag >> 3, message[at : at + value]))
            at += value
        else:
            raise IndexError
    return out


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
