"""What a picture file says of itself: its kind and size, read from its headers, never decoded."""

from __future__ import annotations

import re
from typing import NamedTuple

MOST_PARTS = 4096
"""Segments of a JPEG, boxes and sizes of a HEIC; a file with more is made to keep us busy."""
MOST_SIDE = 30_000
"""Pixels; a header that says more is broken or meant to break something."""


class Picture(NamedTuple):
    """Kind, and width and height in pixels."""

    media_type: str
    width: int
    height: int


def picture_of(data: bytes) -> Picture | None:
    """The picture that the bytes begin; None for what is no JPEG, PNG, WebP or HEIC, or is broken
    or cut off."""
    for read in (_jpeg, _png, _webp, _heic):
        found = read(data)
        if found is not None and all(0 < side <= MOST_SIDE for side in found[1:]):
            return found
    return None


_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_FILL = re.compile(rb"\xff+")


def _jpeg(data: bytes) -> Picture | None:
    """Marker by marker to the frame header; a whole file ends with EOI, padding aside."""
    if not data.startswith(b"\xff\xd8\xff") or b"\xff\xd9" not in data[-4096:]:
        return None
    at = 2
    for _ in range(MOST_PARTS):
        fill = _FILL.match(data, at)
        if fill is None or fill.end() + 3 > len(data):
            return None
        at = fill.end() - 1
        marker = data[at + 1]
        if marker in _ALONE:
            at += 2
        elif marker in _SIZES:
            if at + 9 > len(data):
                return None
            height, width = _be(data, at + 5, 2), _be(data, at + 7, 2)
            return Picture("image/jpeg", width, height)
        elif marker in {0xD9, 0xDA}:
            return None
        else:
            at += 2 + max(2, _be(data, at + 2, 2))
    return None


def _png(data: bytes) -> Picture | None:
    """IHDR first and IEND last, as every PNG has them."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or data[12:16] != b"IHDR":
        return None
    if len(data) < 45 or b"IEND" not in data[-4096:]:
        return None
    return Picture("image/png", _be(data, 16, 4), _be(data, 20, 4))


def _webp(data: bytes) -> Picture | None:
    """The RIFF's length must be there; VP8, VP8L or VP8X says the size."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        return None
    chunk = data[12:16]
    if chunk == b"VP8X":
        return Picture("image/webp", 1 + _le(data, 24, 3), 1 + _le(data, 27, 3))
    if chunk == b"VP8L" and data[20] == 0x2F:
        bits = _le(data, 21, 4)
        return Picture("image/webp", 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    if chunk == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        return Picture("image/webp", _le(data, 26, 2) & 0x3FFF, _le(data, 28, 2) & 0x3FFF)
    return None


_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


def _heic(data: bytes) -> Picture | None:
    """The largest `ispe` (image spatial extents) in the meta box; every box must fit the file."""
    if data[4:8] != b"ftyp" or data[8:12] not in _BRANDS:
        return None
    at, sizes, boxes = 0, [(0, 0)], 0
    while at + 8 <= len(data):
        boxes += 1
        length = _be(data, at, 4)
        if length == 1:
            length = _be(data, at + 8, 8)
        if length == 0:
            length = len(data) - at
        if length < 8 or at + length > len(data) or max(boxes, len(sizes)) > MOST_PARTS:
            return None
        if data[at + 4 : at + 8] == b"meta":
            sizes += _extents(data[at : at + length])
        at += length
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    return Picture("image/heic", width, height)


def _extents(meta: bytes) -> list[tuple[int, int]]:
    """Every `ispe` property: 20 bytes of box, version and flags, width, height."""
    found, at = [], meta.find(b"ispe")
    for _ in range(MOST_PARTS):
        if at == -1:
            break
        if at >= 4 and _be(meta, at - 4, 4) == 20 and at + 16 <= len(meta):
            found.append((_be(meta, at + 8, 4), _be(meta, at + 12, 4)))
        at = meta.find(b"ispe", at + 4)
    return found


def _be(data: bytes, at: int, n: int) -> int:
    return int.from_bytes(data[at : at + n], "big")


def _le(data: bytes, at: int, n: int) -> int:
    return int.from_bytes(data[at : at + n], "little")
