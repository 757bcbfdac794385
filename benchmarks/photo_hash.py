"""PDQ beside pdqhash on the same grey image, all eight beside one, and the reference's photos.

The baseline is pdqhash, the reference's C++ with a Python face. It takes three channels only: it is
given the grey image in each, and the time of turning them into one again, which is numpy's, is
taken off.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import imagehash
import numpy as np
import pdqhash
from numpy.typing import NDArray
from PIL import Image

from benchmarks._figure import figure
from ext.pdq import pdq_dihedral, pdq_hash

Grey = NDArray[np.uint8]
PHOTOS = Path(__file__).resolve().parents[2] / "shared/data/photo/pdq"
SIZES = {"small": (512, 384), "phone": (4000, 3000)}
ROUNDS = {"small": 25, "phone": 5}
REPEATS = {"small": 50, "phone": 1}


def microseconds(work: Callable[[], object], times: int) -> float:
    """Time of one of so many calls, of this thread alone."""
    start = time.thread_time()
    for _ in range(times):
        work()
    return (time.thread_time() - start) * 1e6 / times


def picture(width: int, height: int) -> Grey:
    """Coarse noise blown up, and fine noise on it."""
    random = np.random.default_rng(3)
    coarse = Image.fromarray(random.integers(0, 256, (24, 32), np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.int16)
    noise = random.integers(-12, 13, smooth.shape, np.int16)
    return np.clip(smooth + noise, 0, 255).astype(np.uint8)


def distance(a: bytes, b: bytes) -> int:
    """Bits that differ."""
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


def packed(bits: NDArray[np.int64]) -> bytes:
    """A hash of pdqhash as bytes."""
    return np.packbits(bits.astype(np.uint8)).tobytes()


def speed() -> None:
    """One hash, all eight, and the package's."""
    for name, size in SIZES.items():
        grey = picture(*size)
        colour = np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))
        whole = Image.fromarray(grey)

        def joined(colour: Grey = colour) -> NDArray[np.float32]:
            red, green, blue = (colour[:, :, channel] for channel in range(3))
            return (red * 0.299 + green * 0.587 + blue * 0.114).astype("float32")

        assert packed(pdqhash.compute(colour)[0]) == pdq_hash(grey)[0]
        works: tuple[tuple[Callable[[], object], int], ...] = (
            (lambda grey=grey: pdq_hash(grey), REPEATS[name]),
            (lambda grey=grey: pdq_dihedral(grey), REPEATS[name]),
            (lambda colour=colour: pdqhash.compute(colour), 1),
            (joined, 1),
            (lambda whole=whole: imagehash.phash(whole), 1),
        )
        runs = [[microseconds(*work) for work in works] for _ in range(ROUNDS[name])]
        one, eight, package, joining, other = (median(column) for column in zip(*runs, strict=True))
        theirs = package - joining
        pixels = f"{size[0]} x {size[1]}"
        figure(
            f"photo_hash.{name}", one, "us", baseline=theirs, ratio=theirs / one,
            target=">= 5 x", ok=theirs / one >= 5,
            note=f"{pixels} grey; the same bits; imagehash.phash takes {other:.0f} us",
        )  # fmt: skip
        figure(
            f"photo_hash.{name}_eight", eight, "us", baseline=one, ratio=eight / one,
            target="<= 1.3 x", ok=eight / one <= 1.3, note=f"{pixels}, all eight flips and turns",
        )  # fmt: skip


def grey_of(path: Path) -> Grey:
    """A photo in grey."""
    with Image.open(path) as photo:
        return np.ascontiguousarray(np.asarray(photo.convert("L")))


def alike() -> None:
    """How near the reference's own photos come to what its C++ says of them in colour."""
    if not PHOTOS.exists():
        for name in ("reference", "bridge"):
            figure(f"photo_hash.{name}", None, "bits", note="the reference's photos are not here")
        return
    worst, judged = 0, 0
    for path in sorted([*PHOTOS.glob("dih/*.jpg"), *PHOTOS.glob("labelme/*.jpg")]):
        with Image.open(path) as photo:
            theirs, quality = pdqhash.compute(np.asarray(photo.convert("RGB")))
        if quality >= 80:
            judged += 1
            worst = max(worst, distance(pdq_hash(grey_of(path))[0], packed(theirs)))
    figure(
        "photo_hash.reference", worst, "bits", target="<= 10", ok=worst <= 10,
        note=f"the worst of {judged} reference photos of quality 80 or more",
    )  # fmt: skip
    bridge, _ = pdq_hash(grey_of(PHOTOS / "bridge-mods/aaa-orig.jpg"))
    modified = sorted((PHOTOS / "bridge-mods").glob("*.jpg"))
    worst = max(distance(pdq_hash(grey_of(path))[0], bridge) for path in modified)
    figure(
        "photo_hash.bridge", worst, "bits", target="<= 31", ok=worst <= 31,
        note=f"the worst of {len(modified)} modifications of one photo",
    )  # fmt: skip


def main() -> None:
    """Print every figure."""
    speed()
    alike()


if __name__ == "__main__":
    main()
