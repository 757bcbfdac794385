"""PDQ against the method written out with numpy, the reference's hashes, and its eight views."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from ext.pdq import DIHEDRAL, pdq_dihedral, pdq_hash

Grey = NDArray[np.uint8]
Floats = NDArray[np.float64]
PHOTOS = Path(__file__).parents[4] / "shared/data/photo/pdq"
GOLDEN = [
    "42c2fd3da59ed861728add3966d7aca006b9d155bf712eb62165ca49d96a3610",
    "0a47ef47a147104fde4f6edea2de905cde5866dc3a18bfd805d870d88ad88a58",
    "6b93b33b6674e64bccb2b327ccf3ffe7065600200000fc001fff00bffe0007ff",
    "5f1244edf412bae58b1ac464f50b3af60b0dcc76674d1572500dda72df8d28f2",
    "3ec6199133314ce199e7198d9ba6775d530baa8a555556aa4aaaaa15ab55ad55",
    "0a4711b8a147efb0de4f9131a3de6fa3de5899233a18612705d88f278ad87da7",
    "5f12bb12f512451a8b1a3b9bf58bc5098b0d33896f4dea8d500d258ddf8dd70d",
    "6b934cc4667419b4ccb34cd8cef36018065effdf000007ff1fffff40fe00f800",
    "3e46e66e3321b31e99c7e67299a68ab2510355755555a9554aaa55eaab5552aa",
]
REFERENCE = {  # from the README and the tests of facebook/ThreatExchange
    "1-original": "f8f8f0cce0f4e84d0e370a22028f67f0b36e2ed596623e1d33e6339c4e9c9b22",
    "2-rotate-90": "b0a10efd71cc3f429413d48d0ffffe12e34e0e17ada952a9d29684210aa9e5af",
    "3-rotate-180": "adad5a64b5a142e55362a09057dacd5ae63b847fc23794b766b319361fc93188",
    "4-rotate-270": "a5f4a457a48995e8c9065c275aaa5498b61ba4bdf8fcf80387c32f8b0bfc4f05",
    "5-flipx": "f8f80f31e0f417b00e37f5cd028f980fb36ed02a9662c1e233e6cc634e9c64dd",
    "6-flipy": "8dad2599b1a1bd1853625f6553da32a1e63b7280c2374b4866b366c91bc9ce77",
    "7-flip-plus-1": "f0a1f102f1dcc0bd9c5309720fff018de34ef1e8ada9a956d2967ade0ea91a50",
    "8-flip-minus-1": "a5f05ba8a4896a17c106a3da5aaaab07b61b5b42f8fc07fc83c3d0740bfcb0fa",
    "q0003": "54a977c221d14c1c43ba5e6e21d4a13989a3553f1462611cbb85fda7be83b677",
    "q0004": "992d44af36d69e6ca6b812585928bac11def254ef5398c6d07466c9abcc65b92",
    "q0122": "cfb2009ddd21c6dab0046a7745b5984757a8a4535b3377aea2591d32b33ff940",
    "q0291": "a0fe94f1e5cc1cc8dd855948498dc9243f7ca27336f036d7f212b74bc103c9a7",
    "q0746": "1049d96239e24d4dca2c55512b8bdb77425f4dbcf575a0a95555aaab5554aaaa",
    "q1050": "489db672e9190276d452aeab41eba20f02375fe4092d88defdf491a5c55c5f70",
    "q2821": "b150231ffae4710ffcf4f18bb574b109a576f14bb8543189f8743289f174b109",
}
TURNS = (
    lambda grey: grey,
    lambda grey: np.rot90(grey, 1),
    lambda grey: np.rot90(grey, 2),
    lambda grey: np.rot90(grey, 3),
    lambda grey: grey[::-1],
    lambda grey: grey[:, ::-1],
    lambda grey: grey.T,
    lambda grey: np.rot90(grey, 2).T,
)


def distance(a: bytes, b: bytes) -> int:
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


def box(values: Floats, window: int) -> Floats:
    """Means along the first axis over a window cut off at both ends."""
    ahead = (window + 2) // 2 - 1
    behind = window - 1 - ahead
    n = len(values)
    return np.array([values[max(0, i - behind) : i + ahead + 1].mean(axis=0) for i in range(n)])


def plainly(grey: Grey) -> tuple[Floats, int, int]:
    """The whole image through the filter twice, 64 x 64 of it, its transform less the median; the
    quality at the least and at the most, where a step all but equals a whole number."""
    image = grey.astype(np.float64)
    height, width = image.shape
    for _ in range(2):
        image = box(image.T, (width + 127) // 128).T
        image = box(image, (height + 127) // 128)
    half = np.arange(64) + 0.5
    small = image[np.ix_((half * height / 64).astype(int), (half * width / 64).astype(int))]
    steps = np.concatenate([np.diff(small, axis=0).ravel(), np.diff(small, axis=1).ravel()])
    size = np.abs(steps) * 100 / 255
    least, most = (
        min(100, int(np.floor(np.maximum(size + s, 0)).sum()) // 90) for s in (-1e-4, 1e-4)
    )
    frequency = np.arange(1, 17)[:, None]
    matrix = np.sqrt(2 / 64) * np.cos(np.pi / 128 * frequency * (2 * np.arange(64) + 1))
    band = (matrix @ small @ matrix.T).ravel()
    return band - np.sort(band)[127], least, most


def waves(height: int, width: int) -> Grey:
    """A picture made of whole numbers alone."""
    y, x = np.mgrid[:height, :width]
    return ((x * x // 7 + 3 * y * y // 5 + x * y // 3) % 251).astype(np.uint8)


@settings(deadline=None, max_examples=40)
@given(st.integers(5, 300), st.integers(5, 300), st.integers(0, 2**32 - 1))
def test_it_is_the_method_as_written(height: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (9, 9), np.uint8)
    grey = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    found, quality = pdq_hash(grey)
    above, least, most = plainly(grey)
    bits = np.unpackbits(np.frombuffer(found, np.uint8))[::-1].astype(bool)
    clear = np.abs(above) > 0.05  # others all but equal the median; of frequencies up to thousands
    assert np.array_equal(bits[clear], above[clear] > 0)
    assert least <= quality <= most


@pytest.mark.parametrize("view", range(8), ids=DIHEDRAL)
@pytest.mark.parametrize("side", [64, 320])
def test_a_turned_picture_has_the_hash_of_that_turn(view: int, side: int) -> None:
    coarse = np.random.default_rng(view).integers(0, 256, (11, 11), np.uint8)
    grey = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))
    turned = np.ascontiguousarray(TURNS[view](grey))
    hashes, quality = pdq_dihedral(grey)
    alone, turned_quality = pdq_hash(turned)
    # at these sides the filter is the same from both ends; windows of even size are not
    assert distance(hashes[view], alone) <= 4
    assert min(distance(hashes[other], alone) for other in range(8) if other != view) > 60
    assert abs(quality - turned_quality) <= 2
    assert hashes[0] == pdq_hash(grey)[0]


def test_every_machine_computes_the_same_bits() -> None:
    assert pdq_hash(waves(300, 401)) == (bytes.fromhex(GOLDEN[0]), 100)
    assert [one.hex() for one in pdq_dihedral(waves(97, 64))[0]] == GOLDEN[1:]


def test_a_plain_picture_has_no_quality() -> None:
    found, quality = pdq_hash(np.full((80, 90), 77, np.uint8))
    assert quality == 0
    assert len(found) == 32


def test_half_of_the_frequencies_are_above_their_median() -> None:
    for one in pdq_dihedral(waves(120, 333))[0]:
        assert int.from_bytes(one).bit_count() == 128


def test_a_read_only_picture_will_do_and_a_tiny_or_torn_one_will_not() -> None:
    grey = waves(64, 64)
    grey.setflags(write=False)
    assert pdq_hash(grey)[1] == 100
    for tiny in (np.zeros((4, 64), np.uint8), np.zeros((64, 4), np.uint8)):
        with pytest.raises(ValueError, match="5 x 5"):
            pdq_hash(tiny)
        with pytest.raises(ValueError, match="5 x 5"):
            pdq_dihedral(tiny)
    with pytest.raises(ValueError, match="contiguous"):
        pdq_hash(waves(64, 64)[:, ::2])


@pytest.fixture(scope="module")
def photos() -> Path:
    if not PHOTOS.exists():
        pytest.skip("the reference's photos are not here")
    return PHOTOS


def grey_of(path: Path) -> Grey:
    with Image.open(path) as photo:
        return np.ascontiguousarray(np.asarray(photo.convert("L")))


def path_of(name: str) -> str:
    return f"labelme/{name}.jpg" if name.startswith("q") else f"dih/bridge-{name}.jpg"


def test_the_reference_photos_have_the_reference_hashes(photos: Path) -> None:
    judged = 0
    for name, expected in REFERENCE.items():
        found, quality = pdq_hash(grey_of(photos / path_of(name)))
        if quality >= 80:
            judged += 1
            assert distance(found, bytes.fromhex(expected)) <= 10, name
    assert judged == 13


def test_one_transform_gives_the_reference_hashes_of_all_eight_views(photos: Path) -> None:
    hashes, _ = pdq_dihedral(grey_of(photos / "dih/bridge-1-original.jpg"))
    views = [name for name in REFERENCE if not name.startswith("q")]
    for name, found in zip(views, hashes, strict=True):
        assert distance(found, bytes.fromhex(REFERENCE[name])) <= 10, name


def test_what_is_done_to_the_bridge_keeps_it_within_reach(photos: Path) -> None:
    original, _ = pdq_hash(grey_of(photos / "bridge-mods/aaa-orig.jpg"))
    modified = sorted((photos / "bridge-mods").glob("*.jpg"))
    assert len(modified) == 12
    for path in modified:
        assert distance(pdq_hash(grey_of(path))[0], original) <= 31, path.name
