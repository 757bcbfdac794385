"""What a JPEG says of itself: files made by hand, genuine ones beside Pillow, anything at all."""

from __future__ import annotations

import struct
from calendar import timegm
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jpeg_maker import (
    ASCII,
    END,
    LONG,
    RATIONAL,
    SCAN,
    SHORT,
    exif,
    frame,
    jpeg,
    segment,
)  # fmt: skip
from PIL import Image

from ext.jpeg_walk import CODES, EXIF_CODES, JpegFacts, walk

SHARED = Path(__file__).parents[4] / "shared/data/photo"
FIRST = {
    0x010F: (ASCII, "华为 HUAWEI\0".encode()), 0x0110: (ASCII, b"P40\0"), 0x0112: (SHORT, [6]),
    0x0131: (ASCII, b"edit\x07or\0hidden"), 0x0132: (ASCII, b"2024:02:29 23:59:58\0"),
}  # fmt: skip
PHOTO = {
    0x9003: (ASCII, b"2024:02:29 08:15:00\0"), 0x9004: (ASCII, b"1969:12:31 23:59:59\0"),
    0x9010: (ASCII, b"Z\0"), 0x9011: (ASCII, b"+08:00\0"), 0x9012: (ASCII, b"-05:30\0"),
}  # fmt: skip
GPS = {
    1: (ASCII, b"N\0"), 2: (RATIONAL, [(45, 1), (48, 1), (3600, 100)]),
    3: (ASCII, b"W\0"), 4: (RATIONAL, [(126, 1), (30, 1), (0, 0)]),
    7: (RATIONAL, [(0, 1), (15, 1), (2999, 1000)]), 0x12: (ASCII, b"WGS-84\0"),
    0x1D: (ASCII, b"2024:02:29\0"), 0x1F: (RATIONAL, [(65, 10)]),
}  # fmt: skip
JUMBF = b"JP\0\1\0\0\0\1" + struct.pack(">I4sI8s", 60, b"jumb", 40, b"jumdc2pa") + bytes(40)


def everything(facts: JpegFacts) -> dict[str, object]:
    """All that was read, each of its own type and none beyond its bounds."""
    read = {name: getattr(facts, name) for name in dir(facts) if not name.startswith("_")}
    assert read["code"] in CODES
    assert read["exif"] in EXIF_CODES
    assert 0 <= facts.width <= 65535
    assert 0 <= facts.height <= 65535
    assert facts.orientation in range(9)
    assert (facts.latitude is None) == (facts.longitude is None)
    if facts.latitude is not None and facts.longitude is not None:
        assert -90 <= facts.latitude <= 90
        assert -180 <= facts.longitude <= 180
    for text in (facts.make, facts.model, facts.software, facts.gps_datum):
        assert len(text) <= 128
        assert text.isprintable()
    return read


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_photo_tells_its_camera_clocks_and_place(order: str) -> None:
    facts = walk(jpeg(exif(FIRST, PHOTO, GPS, order), width=4000, height=3000))
    everything(facts)
    assert (facts.code, facts.exif) == ("whole", "read")
    assert (facts.width, facts.height, facts.components, facts.frames) == (4000, 3000, 3, 1)
    assert (facts.make, facts.model, facts.software) == ("华为 HUAWEI", "P40", "editor")
    assert facts.orientation == 6
    assert facts.changed_s == timegm((2024, 2, 29, 23, 59, 58))
    assert facts.taken_s == timegm((2024, 2, 29, 8, 15, 0))
    assert facts.digitised_s == -1
    assert (facts.changed_zone_s, facts.taken_zone_s) == (0, 8 * 3600)
    assert facts.digitised_zone_s == -(5 * 3600 + 30 * 60)
    assert facts.latitude == pytest.approx(45.81)
    assert facts.longitude == pytest.approx(-126.5)
    assert (facts.gps_datum, facts.gps_error_m) == ("WGS-84", 6.5)
    assert facts.gps_utc_s == timegm((2024, 2, 29, 0, 15, 2))
    assert not facts.content_credentials
    assert (facts.stray, facts.after_end, facts.segments) == (0, 0, 3)


def test_without_exif_nothing_is_said_and_nothing_is_wrong() -> None:
    facts = walk(jpeg())
    assert (facts.code, facts.exif) == ("whole", "none")
    assert (facts.make, facts.orientation, facts.taken_s, facts.latitude) == ("", 0, None, None)
    assert (facts.gps_utc_s, facts.gps_error_m, facts.taken_zone_s) == (None, None, None)


def test_bytes_after_the_end_are_counted_and_not_read() -> None:
    facts = walk(jpeg(after=jpeg(exif(FIRST), width=9, height=9)))
    assert (facts.code, facts.width, facts.exif) == ("whole", 640, "none")
    assert facts.after_end == len(jpeg(exif(FIRST)))


def test_content_credentials_are_seen_by_their_box() -> None:
    assert walk(jpeg(segment(0xEB, JUMBF))).content_credentials
    assert not walk(jpeg(segment(0xEB, JUMBF.replace(b"c2pa", b"c2pb")))).content_credentials
    assert not walk(jpeg(segment(0xE2, JUMBF))).content_credentials


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_jpeg"),
        (b"\xff\xd8", "not_jpeg"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "not_jpeg"),
        (b"PK\3\4" + jpeg(), "not_jpeg"),
        (jpeg()[:-2], "cut_off"),
        (jpeg()[:30], "cut_off"),
        (b"\xff\xd8\xff\xe1\xff", "cut_off"),
        (b"\xff\xd8" + b"\xff" * 5000, "cut_off"),
        (b"\xff\xd8" + END, "no_picture"),
        (b"\xff\xd8" + frame(5, 5) + END, "no_picture"),
        (b"\xff\xd8" + SCAN + END, "no_picture"),
        (b"\xff\xd8\xff\xe0\0\1" + END, "bad_segment"),
        (b"\xff\xd8" + segment(0xC0, bytes(5)) + SCAN + END, "bad_segment"),
        (b"\xff\xd8" + segment(0xFE, b"") * 5000 + END, "too_many_segments"),
    ],
)
def test_a_broken_file_says_how(data: bytes, code: str) -> None:
    assert walk(data).code == code


def test_fill_bytes_strays_and_a_second_frame_are_passed() -> None:
    facts = walk(
        b"\xff\xd8"
        + segment(0xFE, b"")
        + b"junk"
        + b"\xff\xff"
        + frame(7, 8)
        + frame(9, 9, 0xC2)
        + SCAN
        + SCAN
        + END
    )
    assert (facts.code, facts.width, facts.height, facts.frames) == ("whole", 7, 8, 2)
    assert facts.stray == 4
    assert not facts.progressive
    assert walk(b"\xff\xd8" + frame(9, 9, 0xC2) + SCAN + END).progressive


def test_a_bomb_is_known_by_its_header() -> None:
    facts = walk(jpeg(width=60_000, height=60_000))
    assert (facts.width, facts.height) == (60_000, 60_000)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "damaged"),
        (b"II*\0", "damaged"),
        (b"XX*\0\x08\0\0\0" + bytes(20), "damaged"),
        (b"II*\0\xff\xff\xff\xff", "damaged"),
        (b"II*\0\x08\0\0\0\2\0" + bytes(12), "damaged"),
        (b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x010F, 2, 2**32 - 1, 8), "damaged"),
        (b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x010F, 99, 1, 8), "damaged"),
        (b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x8769, 4, 1, 8), "read"),
        (b"II*\0\x08\0\0\0\xff\xff" + bytes(12 * 5000), "too_many_entries"),
    ],
)
def test_broken_exif_says_so_and_spoils_nothing_else(body: bytes, said: str) -> None:
    facts = walk(jpeg(segment(0xE1, b"Exif\0\0" + body)))
    everything(facts)
    assert (facts.code, facts.exif, facts.width, facts.make) == ("whole", said, 640, "")


@pytest.mark.parametrize(
    "date",
    [
        b"0000:00:00 00:00:00", b"2023:02:29 10:00:00", b"2024:13:01 10:00:00",
        b"2024:04:31 10:00:00",
        b"2024:01:01 24:00:00", b"2024:01:01 10:60:00", b"    :  :     :  :  ", b"2024:01:01",
        b"1900:02:29 10:00:00", b"20240101T100000Zxxx",
    ],
)  # fmt: skip
def test_a_date_that_is_none_is_not_made_one(date: bytes) -> None:
    assert walk(jpeg(exif({}, {0x9003: (ASCII, date + b"\0")}))).taken_s is None


@given(st.datetimes())
def test_any_date_is_the_seconds_that_it_is(moment) -> None:  # type: ignore[no-untyped-def]
    written = f"{moment:%m:%d %H:%M:%S}"
    data = jpeg(exif({}, {0x9003: (ASCII, f"{moment.year:04}:{written}\0".encode())}))
    assert walk(data).taken_s == timegm(moment.timetuple())


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (1, (ASCII, b"X\0")), (3, (ASCII, b"\0")), (2, (RATIONAL, [(91, 1), (0, 1), (0, 1)])),
        (4, (RATIONAL, [(1, 0), (0, 1), (0, 1)])), (2, (ASCII, b"45.81\0")),
        (4, (LONG, [126, 30, 0])),
    ],
)  # fmt: skip
def test_a_place_that_makes_no_sense_is_none(tag: int, value: tuple[int, object]) -> None:
    facts = walk(jpeg(exif({}, None, {**GPS, tag: value})))  # type: ignore[dict-item]
    assert (facts.latitude, facts.longitude) == (None, None)
    assert facts.gps_utc_s is not None


def photo_of_pillow() -> bytes:
    kept = BytesIO()
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 50, 3), np.uint8))
    details = Image.Exif()
    details[0x010F], details[0x0112] = "Maker", 8
    details.get_ifd(0x8769)[0x9003] = "2020:05:06 07:08:09"
    picture.save(kept, "JPEG", quality=80, exif=details)
    return kept.getvalue()


WHOLE = photo_of_pillow()
RICH = jpeg(exif(FIRST, PHOTO, GPS), segment(0xEB, JUMBF), after=b"tail")


def test_what_pillow_writes_is_read() -> None:
    facts = walk(WHOLE)
    assert (facts.code, facts.exif, facts.width, facts.height) == ("whole", "read", 50, 40)
    assert (facts.make, facts.orientation) == ("Maker", 8)
    assert facts.taken_s == timegm((2020, 5, 6, 7, 8, 9))


@settings(max_examples=400)
@given(
    st.sampled_from([WHOLE, RICH, jpeg(exif(FIRST, PHOTO, GPS, ">"))]),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=12),
    st.integers(0, 4000),
    st.binary(max_size=40),
)
def test_whatever_is_changed_cut_off_or_added_is_read_without_harm(
    whole: bytes, changes: list[tuple[int, int]], length: int, more: bytes
) -> None:
    data = bytearray(whole)
    for place, value in changes:
        data[place % len(data)] = value
    piece = bytes(data[:length]) + more
    # at the very end of what may be read: a byte beyond is another object's
    assert everything(walk(piece)) == everything(walk(bytearray(piece)))


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_anything_at_all_is_read_without_harm(noise: bytes) -> None:
    for data in (
        noise,
        b"\xff\xd8\xff" + noise,
        jpeg(segment(0xE1, b"Exif\0\0" + noise)),
        jpeg(segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0" + noise)),
        jpeg(segment(0xEB, b"JP" + noise)),
    ):
        everything(walk(data))


def test_a_long_file_of_markers_takes_linear_time() -> None:
    """Every byte is passed at most twice, whatever stands in it: these would not end otherwise."""
    million = 3_000_000
    for filling in (b"\xff\x00", b"\xff\xd0", b"\xff\xff", b"\xff\x01", b"\x00\xff"):
        assert walk(b"\xff\xd8\xff" + filling * million).code == "cut_off"
        assert walk(b"\xff\xd8" + frame(8, 8) + SCAN + filling * million).code == "cut_off"


@pytest.fixture(scope="module")
def shared() -> Path:
    if not SHARED.exists():
        pytest.skip("the photos of others are not here")
    return SHARED


def test_genuine_photos_say_what_pillow_reads(shared: Path) -> None:
    paths = sorted([*(shared / "exif").glob("*.jp*g"), *(shared / "c2pa").glob("*.jpg")])
    assert len(paths) > 70
    for path in paths:
        data = path.read_bytes()
        facts = walk(data)
        everything(facts)
        assert facts.code == "whole", path.name
        with Image.open(path) as photo:
            assert photo.size == (facts.width, facts.height), path.name
            if facts.exif == "none":
                continue
            details = photo.getexif()
        for tag, found in ((0x010F, facts.make), (0x0110, facts.model)):
            assert str(details.get(tag, "")).split("\0")[0].strip() == found, path.name
        if facts.orientation:
            assert details.get(0x0112) == facts.orientation, path.name
        place = details.get_ifd(0x8825)
        assert (2 in place) == (facts.latitude is not None), path.name
        if facts.latitude is not None:
            degrees = [float(part) for part in place[2]]
            expected = degrees[0] + degrees[1] / 60 + degrees[2] / 3600
            assert abs(facts.latitude) == pytest.approx(expected), path.name
    signed = {path.name for path in paths if walk(path.read_bytes()).content_credentials}
    assert {"CA.jpg", "E-sig-CA.jpg", "XCA.jpg"} <= signed
    assert "unsigned_A.jpg" not in signed


def test_every_broken_file_is_read_without_harm(shared: Path) -> None:
    paths = sorted((shared / "broken").iterdir())
    assert len(paths) > 100
    assert {str(everything(walk(path.read_bytes()))["code"]) for path in paths} > {"cut_off"}
