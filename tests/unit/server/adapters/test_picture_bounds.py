"""A file that is made to be walked through for ever is left after so many parts."""

from __future__ import annotations

import struct

import pytest
from test_pictures import heic, jpeg

from server.adapters import pictures
from server.adapters.pictures import MOST_PARTS, Picture, picture_of

COMMENT = b"\xff\xfe\x00\x02"


def after_start(data: bytes, more: bytes) -> bytes:
    return data[:2] + more + data[2:]


def test_fill_bytes_cost_nothing_however_many_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are passed in one step of the walk."""
    monkeypatch.setattr(pictures, "MOST_PARTS", 8)
    padded = after_start(jpeg(640, 480), b"\xff" * 200_000)
    assert picture_of(padded) == Picture("image/jpeg", 640, 480)
    assert picture_of(b"\xff\xd8" + b"\xff" * 200_000 + b"\xff\xd9") is None


@pytest.mark.parametrize("part", [COMMENT, b"\xff\xd0"])
def test_a_jpeg_of_too_many_segments_is_none(part: bytes) -> None:
    assert picture_of(after_start(jpeg(640, 480), part * 100)) is not None
    assert picture_of(after_start(jpeg(640, 480), part * MOST_PARTS)) is None


def test_a_heic_of_too_many_boxes_or_sizes_is_none() -> None:
    whole = heic(640, 480)
    free = struct.pack(">I", 8) + b"free"
    assert picture_of(whole + free * 100) == Picture("image/heic", 640, 480)
    assert picture_of(whole + free * MOST_PARTS) is None
    size = struct.pack(">I4sIII", 20, b"ispe", 0, 64, 48)
    meta = size * (2 * MOST_PARTS)
    many = whole + struct.pack(">I", 8 + len(meta)) + b"meta" + meta
    assert picture_of(many + free) is None
