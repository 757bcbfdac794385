"""Pictures are known by their headers, and what is cut off or pretends is not taken."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.adapters.pictures import Picture, picture_of


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    idat = chunk(b"IDAT", zlib.compress(b"x"))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + idat + chunk(b"IEND", b"")


def jpeg(width: int, height: int, sof: int = 0xC0) -> bytes:
    app0 = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + bytes(9)
    thumbnail = b"\xff\xe1" + struct.pack(">H", 30) + b"Exif\0\0" + b"\xff\xc0" + bytes(20)
    frame = b"\xff" + bytes([sof]) + struct.pack(">HBHH", 17, 8, height, width) + bytes(10)
    return b"\xff\xd8" + app0 + thumbnail + frame + b"\xff\xda" + bytes(40) + b"\xff\xd9"


def riff(chunk: bytes, payload: bytes) -> bytes:
    body = b"WEBP" + chunk + struct.pack("<I", len(payload)) + payload
    return b"RIFF" + struct.pack("<I", len(body)) + body


def heic(width: int, height: int) -> bytes:
    def box(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", 8 + len(data)) + kind + data

    def ispe(w: int, h: int) -> bytes:
        return box(b"ispe", struct.pack(">III", 0, w, h))

    inside = box(b"iprp", box(b"ipco", ispe(320, 240) + ispe(width, height)))
    return (
        box(b"ftyp", b"heic" + bytes(4) + b"mif1heic") + box(b"meta", bytes(4) + inside)
        + box(b"mdat", bytes(64))
    )  # fmt: skip


WHOLE = [
    (png(640, 480), Picture("image/png", 640, 480)),
    (jpeg(4000, 3000), Picture("image/jpeg", 4000, 3000)),
    (jpeg(800, 600, 0xC2), Picture("image/jpeg", 800, 600)),
    (jpeg(800, 600) + bytes(100), Picture("image/jpeg", 800, 600)),
    (
        riff(b"VP8 ", bytes(3) + b"\x9d\x01\x2a" + struct.pack("<HH", 321, 123) + bytes(9)),
        Picture("image/webp", 321, 123),
    ),
    (
        riff(b"VP8L", b"\x2f" + struct.pack("<I", (640 - 1) | (480 - 1) << 14) + bytes(9)),
        Picture("image/webp", 640, 480),
    ),
    (
        riff(b"VP8X", bytes(4) + (1919).to_bytes(3, "little") + (1079).to_bytes(3, "little")),
        Picture("image/webp", 1920, 1080),
    ),
    (heic(4032, 3024), Picture("image/heic", 4032, 3024)),
]


@pytest.mark.parametrize(("data", "picture"), WHOLE)
def test_a_whole_picture_says_what_it_is(data: bytes, picture: Picture) -> None:
    assert picture_of(data) == picture


@pytest.mark.parametrize("data", [data for data, _ in WHOLE])
def test_half_a_picture_is_none(data: bytes) -> None:
    assert picture_of(data[: len(data) // 2]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff\xd8\xff", b"GIF89a" + bytes(40), b"<html>", b"%PDF-1.7",
        png(0, 10), png(10, 60_000), jpeg(0, 0), heic(99_000, 9),
        b"\xff\xd8\xff\xe0" + bytes(60) + b"\xff\xd9",
    ],
)  # fmt: skip
def test_what_is_none_or_has_no_size_is_refused(data: bytes) -> None:
    assert picture_of(data) is None


@given(
    start=st.sampled_from([d[:n] for d, _ in WHOLE for n in (4, 12, 20)]),
    rest=st.binary(max_size=99),
)
def test_any_bytes_are_survived(start: bytes, rest: bytes) -> None:
    found = picture_of(start + rest)
    assert found is None or (found.width > 0 and found.height > 0)
