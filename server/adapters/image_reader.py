"""Opens a photo that somebody sent: one grey picture, at most 512 pixels a side, or why there is
none."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Final, Literal, TypeVar

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from ext.jpeg_walk import JpegFacts, walk

SIDE: Final = 512
"""Pixels of the longer side of what is looked at."""
SCANS_MOST: Final = 64
"""Proper files have one scan, progressive ones about ten; thumbnails and previews add theirs."""
FILLS_MOST: Final = 100_000
"""Pairs of fill bytes: they may stand between segments, and a decoder reads them one by one."""
COEFFICIENTS_MOST: Final = 48 << 20
"""Bytes: a JPEG in several scans is held whole before the first line of it comes."""
PLAIN_MOST: Final = 16 << 20
"""Pixels of what cannot be made smaller while it is opened."""
HEIF_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
)

Grey = NDArray[np.uint8]
Kind = Literal["jpeg", "png", "heif"]
T = TypeVar("T")
Fault = Literal["not_a_photo", "cut_off", "broken", "too_large"]

# What a PNG may say in words, and how large that may grow: nobody here reads it.
PngImagePlugin.MAX_TEXT_CHUNK = 1 << 16
PngImagePlugin.MAX_TEXT_MEMORY = 1 << 18
Image.MAX_IMAGE_PIXELS = None  # our own bounds come first, and say what they are


class Unopened(Exception):  # noqa: N818 - an outcome, not a defect
    """The bytes give no picture; `fault` says in what way."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


class TooMuch(Exception):  # noqa: N818
    """It may well be a photo, but opening it takes more than a worker has: a person must look."""


def kind_of(data: bytes) -> Kind | None:
    """What the first bytes say it is."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS:
        return "heif"
    return None


def grey_of(data: bytes, pixels_most: int) -> tuple[Grey, JpegFacts | None]:
    """The grey picture, its longer side at most 512 pixels, and what a JPEG's markers say.
    Orientation is not applied: whoever compares looks at all eight.

    Raises:
        Unopened: these bytes are no whole photo. TooMuch: to a person.
    """
    return _opened(data, pixels_most, _small, "L", SIDE)


def colour_of(data: bytes, pixels_most: int, side: int) -> tuple[Image.Image, int]:
    """The picture in colours, its longer side at most `side` pixels, and how its camera was held:
    the EXIF orientation, 1 to 8, not applied. Raises as `grey_of` does."""
    picture, facts = _opened(data, pixels_most, lambda image: _fitted(image, side), "RGB", side)
    turned = 1 if facts is None else facts.orientation
    return picture, turned if 1 <= turned <= 8 else 1


def _opened(
    data: bytes, pixels_most: int, make: Callable[[Image.Image], T], mode: str, side: int
) -> tuple[T, JpegFacts | None]:
    kind = kind_of(data)
    if kind is None:
        raise Unopened("not_a_photo")
    facts = walk(data) if kind == "jpeg" else None
    if facts is not None:
        _walked(facts, pixels_most)
        if data.count(b"\xff\xff") > FILLS_MOST:
            raise TooMuch
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged EXIF, which is not what is opened here
            if kind == "heif":
                picture = make(_heif(data, pixels_most))
            else:
                picture = _open(data, pixels_most, make, mode, side)
    except MemoryError:
        raise TooMuch from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError,
            AttributeError, RuntimeError, OverflowError, ArithmeticError) as error:  # fmt: skip
        # a decoder met with bytes that were made to break it raises whatever it likes
        if "memory" in str(error).lower():
            raise TooMuch from None
        cut = facts is not None and facts.code == "cut_off"
        raise Unopened("cut_off" if cut or "truncated" in str(error) else "broken") from None
    return picture, facts


def _walked(facts: JpegFacts, pixels_most: int) -> None:
    """Raises Unopened for markers that no proper file has: a decoder is not asked at all."""
    if facts.code in {"too_many_segments", "no_picture"}:
        raise Unopened("broken")
    if facts.frames == 0:
        raise Unopened("cut_off" if facts.code == "cut_off" else "broken")
    if facts.width * facts.height > pixels_most:
        raise Unopened("too_large")


def _open(
    data: bytes, pixels_most: int, make: Callable[[Image.Image], T], mode: str, side: int
) -> T:
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
        width, height = image.size
        if width * height > pixels_most:
            raise Unopened("too_large")
        if image.format == "PNG":
            if width * height > PLAIN_MOST:
                raise TooMuch
        else:
            _bounded(image, data)
            image.draft(mode, (side, side))
        return make(image)


def _bounded(image: Image.Image, data: bytes) -> None:
    """Several scans take the memory of the whole and the time of each."""
    if data.count(b"\xff\xda") > SCANS_MOST:
        raise Unopened("broken")
    if "progressive" not in image.info:
        return
    layers: list[tuple[int, int, int, int]] = getattr(image, "layer", [])
    most = max((h * v for _, h, v, _ in layers), default=1)
    share = sum(h * v for _, h, v, _ in layers) / most
    if image.width * image.height * 2 * share > COEFFICIENTS_MOST:
        raise TooMuch


def _heif(data: bytes, pixels_most: int) -> Image.Image:
    opened = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    width, height = opened.size
    if width * height > pixels_most:
        raise Unopened("too_large")
    if width * height > PLAIN_MOST:
        raise TooMuch
    mode = opened.mode if opened.mode in {"L", "RGB", "RGBA"} else "RGB"
    return Image.frombuffer(mode, opened.size, bytes(opened.data), "raw", mode, opened.stride, 1)


def _fitted(image: Image.Image, side: int) -> Image.Image:
    """A picture of its own, without whatever else its file held."""
    image.load()
    plain = image.convert("RGB")
    plain.thumbnail((side, side), Image.Resampling.BOX)
    bare = Image.new("RGB", plain.size)
    bare.paste(plain)
    return bare


def _small(image: Image.Image) -> Grey:
    """Made smaller first where it has colours, since that leaves less to turn grey."""
    image.load()
    if image.mode in {"P", "PA", "1", "I", "F", "I;16", "LA", "RGBA"}:
        image = image.convert("L")
    image.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    grey = np.asarray(image.convert("L"))
    if min(grey.shape) < 8:
        raise Unopened("broken")
    return np.ascontiguousarray(grey)
