"""JPEG files for tests, made segment by segment, with EXIF by hand in either byte order."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

Entry = tuple[int, Sequence[int] | Sequence[tuple[int, int]] | bytes]
"""Type of a TIFF value, and the values: whole numbers, fractions or bytes."""
ASCII, SHORT, LONG, RATIONAL = 2, 3, 4, 5
FORMS = {SHORT: "H", LONG: "I", RATIONAL: "II"}
EXIF_POINTER, GPS_POINTER = 0x8769, 0x8825


def segment(marker: int, body: bytes) -> bytes:
    """One segment with its length."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def frame(width: int, height: int, marker: int = 0xC0) -> bytes:
    """A frame header of three components."""
    return segment(marker, struct.pack(">BHHB", 8, height, width, 3) + bytes(9))


SCAN = segment(0xDA, bytes(10)) + b"\x12\xff\x00\x34\xff\xd3\x56"
END = b"\xff\xd9"


def jpeg(*segments: bytes, width: int = 640, height: int = 480, after: bytes = b"") -> bytes:
    """A whole file with these segments before its frame."""
    return b"\xff\xd8" + b"".join(segments) + frame(width, height) + SCAN + END + after


def _directory(tags: Mapping[int, Entry], start: int, order: str) -> bytes:
    """One directory and, behind it, the values that do not fit into it."""
    entries, rest = b"", b""
    behind = start + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in sorted(tags.items()):
        if isinstance(values, bytes):
            count, body = len(values), values
        else:
            count = len(values)
            flat = [part for one in values for part in (one if isinstance(one, tuple) else (one,))]
            body = struct.pack(f"{order}{len(flat)}{FORMS[kind][0]}", *flat)
        entries += struct.pack(f"{order}HHI", tag, kind, count)
        if len(body) <= 4:
            entries += body.ljust(4, b"\0")
        else:
            entries += struct.pack(f"{order}I", behind + len(rest))
            rest += body
    return struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + rest


def exif(
    first: Mapping[int, Entry],
    photo: Mapping[int, Entry] | None = None,
    gps: Mapping[int, Entry] | None = None,
    order: str = "<",
) -> bytes:
    """An APP1 segment with up to three directories."""
    main = dict(first)
    for pointer, directory in ((EXIF_POINTER, photo), (GPS_POINTER, gps)):
        if directory is not None:
            main[pointer] = (LONG, [0])
    size, others = len(_directory(main, 8, order)), b""
    for pointer, directory in ((EXIF_POINTER, photo), (GPS_POINTER, gps)):
        if directory is not None:
            main[pointer] = (LONG, [8 + size + len(others)])
            others += _directory(directory, 8 + size + len(others), order)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return segment(0xE1, b"Exif\0\0" + head + _directory(main, 8, order) + others)
