"""What a photo worker sees in a file, what it refuses, and that it cannot get out."""

from __future__ import annotations

import asyncio
import io
import struct
import subprocess
import sys
import zlib

import msgspec
import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photo_house import jpeg, scene
from PIL import Image, ImageDraw, ImageOps

from dispatch_core.errors import Refused
from server.adapters.photo_features import agreeing, inliers
from server.jobs.photo_asks import Compare, Compared, Look
from server.jobs.photo_worker import compare, look, look_at
from server.jobs.worker import Worker
from server.settings import CHECKOUT

PHONE = {271: "HUAWEI", 272: "PLR-AL30", 306: "2026:01:14 09:32:00", 305: "PLR-AL30 4.0.0"}


def with_exif(taken: str = "2026:01:14 09:32:00", **tags: str) -> bytes:
    exif = Image.Exif()
    for tag, value in {**PHONE, **{int(k[1:]): v for k, v in tags.items()}}.items():
        exif[tag] = value
    exif.get_ifd(0x8769)[36867] = taken
    out = io.BytesIO()
    scene(1).save(out, "JPEG", exif=exif)
    return out.getvalue()


def seen(data: bytes) -> Look:
    return msgspec.msgpack.decode(look(data), type=Look)


def differ(a: bytes, b: bytes) -> int:
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


def test_the_same_scene_in_any_format_is_the_same_to_the_eye() -> None:
    picture = scene(3)
    files = [jpeg(picture)]
    for kind, options in (("PNG", {}), ("HEIF", {"quality": 80}), ("JPEG", {"progressive": True})):
        out = io.BytesIO()
        if kind == "HEIF":
            pillow_heif.from_pillow(picture).save(out, **options)
        else:
            picture.save(out, kind, **options)
        files.append(out.getvalue())
    first, *others = [seen(data) for data in files]
    assert first.quality >= 80
    for other in others:
        assert other.fault is None
        assert differ(first.hashes[0], other.hashes[0]) <= 8
        assert inliers(first.points, other.points) >= 100


def test_a_turned_or_mirrored_part_is_found_by_its_points_and_another_scene_is_not() -> None:
    whole = seen(jpeg(scene(5)))
    part = scene(5).crop((200, 150, 1100, 800)).rotate(20, expand=True)
    turned, mirror = seen(jpeg(part, 60)), seen(jpeg(ImageOps.mirror(part), 60))
    assert inliers(turned.points, whole.points) >= 20
    assert inliers(mirror.points, whole.points) < 20 <= inliers(mirror.mirrored, whole.points)
    here, there = agreeing(turned.points, whole.points)
    assert here.shape == there.shape
    assert here.min() >= 0 <= there.max() <= 512
    other = seen(jpeg(scene(6)))
    assert inliers(other.points, whole.points) == 0
    asked = Compare(
        points=mirror.points, mirrored=mirror.mirrored, others=[other.points, b"", whole.points],
        enough=40,
    )  # fmt: skip
    found = msgspec.msgpack.decode(compare(msgspec.msgpack.encode(asked)), type=Compared)
    assert found.best == 2


def test_what_a_watermark_camera_prints_on_two_scenes_makes_them_no_twins() -> None:
    stamp = scene(9, 420, 130)
    stamped = []
    for seed in (10, 11):
        picture = scene(seed)
        picture.paste(stamp, (30, 740))
        stamped.append(seen(jpeg(picture)))
    assert inliers(stamped[0].points, stamped[1].points) == 0


@pytest.mark.parametrize(("one", "other"), [(6, 43), (13, 35), (52, 56)])
def test_the_same_printed_words_on_two_scenes_make_them_no_twins(one: int, other: int) -> None:
    """Pairs of which also some points beside the print agree by chance."""
    a, b = (seen(jpeg(printed(scene(seed)))) for seed in (one, other))
    assert inliers(a.points, b.points) == 0


def printed(picture: Image.Image) -> Image.Image:
    """With the box and the words of a watermark camera."""
    w, h = picture.size
    draw = ImageDraw.Draw(picture, "RGBA")
    draw.rectangle((0.03 * w, 0.74 * h, 0.56 * w, 0.96 * h), fill=(20, 80, 200, 190))
    for line in range(4):
        words = f"2026-01-15 09:32 34.75N 113.62E line {line}"
        draw.text((0.05 * w, (0.76 + 0.05 * line) * h), words, fill="white", font_size=h // 28)
    return picture


def test_the_cameras_own_account_is_intact_edited_or_not_there() -> None:
    assert seen(with_exif()).exif == "intact"
    assert seen(with_exif()).taken_s == 1_768_383_120
    assert seen(with_exif(t306="2026:01:14 11:00:00")).exif == "edited"
    assert seen(with_exif(t305="Adobe Photoshop 25.1")).exif == "edited"
    assert seen(with_exif(t271="", t272="")).exif == "none"
    assert seen(jpeg(scene(1))).exif == "none"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + b"".join([head, *chunks, chunk(b"IEND", b"")])


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (png(60_000, 60_000, chunk(b"IDAT", zlib.compress(b"\0" * 1000))), "too_large"),
        (png(64, 64, chunk(b"IDAT", zlib.compress(b"\0" * 1000))), "cut_off"),
        (png(64, 64, chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 9_000_000))), "broken"),
        (b"\xff\xd8" + b"\xff\xe0\x00\x02" * 100_000, "broken"),
        (jpeg(scene(1))[:9000], "cut_off"),
        (b"GIF89a" + b"\0" * 100, "not_a_photo"),
        (b"%!PS-Adobe-3.0", "not_a_photo"),
        (b"", "not_a_photo"),
    ],
)  # fmt: skip
def test_what_is_no_whole_photo_is_named(data: bytes, fault: str) -> None:
    found = seen(data)
    assert (found.fault, found.decoded) == (fault, False)


def test_what_takes_more_than_a_worker_has_goes_to_a_person() -> None:
    plain = jpeg(scene(1))
    for data in (
        png(5_000, 5_000, chunk(b"IDAT", zlib.compress(b"\0" * 1000))),
        plain[:2] + b"\xff" * 300_000 + plain[2:],
    ):
        with pytest.raises(Refused) as refused:
            look(data)
        assert refused.value.code == "photo_too_much"


@given(st.binary(max_size=300), st.integers(0, 20_000), st.sampled_from([b"", b"\xff\xd9"]))
@settings(deadline=None)
def test_no_bytes_bring_it_down(noise: bytes, at: int, end: bytes) -> None:
    whole = jpeg(scene(2, 320, 240))
    at %= len(whole)
    found = look_at(whole[:at] + noise + whole[at + len(noise) :] + end)
    assert found.decoded or found.fault is not None


def test_a_worker_is_asked_over_its_socket_and_holds_little() -> None:
    async def use() -> None:
        worker = Worker("test", part="photo-worker")
        try:
            for data in (jpeg(scene(1)), b"", jpeg(scene(2))):
                done = await worker.ask("look", data, cpu_s=5, within_s=60)
                assert msgspec.msgpack.decode(done.body, type=Look).decoded == bool(data)
        finally:
            await worker.close()

    asyncio.run(use())


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's walls are Linux's")
def test_nothing_gets_out_of_a_worker() -> None:
    told = subprocess.run(
        [sys.executable, "-c", _ATTEMPTS], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["True", "socket", "inet6", "unix", "exec", "pair"]


_ATTEMPTS = """
import os, socket
from server.jobs.photo_cell import enclose
print(enclose())
families = {"socket": "AF_INET", "inet6": "AF_INET6", "unix": "AF_UNIX"}
for name, family in families.items():
    try:
        socket.socket(getattr(socket, family))
    except PermissionError:
        print(name)
try:
    os.execv("/bin/true", ["true"])
except PermissionError:
    print("exec")
a, b = socket.socketpair()
a.send(b"pair")
print(b.recv(9).decode())
"""


def test_points_lie_all_over_the_picture() -> None:
    picture = np.asarray(scene(7)).astype(np.float32)
    picture[:, 700:] = 128 + 0.4 * (picture[:, 700:] - 128)  # in the shade
    picture = picture.astype(np.uint8)
    found = seen(jpeg(Image.fromarray(picture)))
    rows = np.frombuffer(found.points, np.uint8).reshape(-1, 36)
    across = np.ascontiguousarray(rows[:, :2]).view("<u2").ravel() / 64
    assert len(rows) == 500
    assert (across > 512 * 0.6).sum() >= 50
