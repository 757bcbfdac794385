"""Draws a photo again for people: small, without whatever its file said, faces blurred."""

from __future__ import annotations

import io

import msgspec
from PIL import Image, ImageOps

from dispatch_core.errors import Invalid
from server.adapters import image_reader
from server.adapters.faces import Faces
from server.adapters.image_reader import TooMuch, Unopened
from server.adapters.photo_views import THUMB, VIEW, Views
from server.jobs.photo_cell import enclose
from server.jobs.planner_child import serve

PIXELS_MOST = 60_000_000
MEMORY_MB = 3072
"""Of addresses: the net and its libraries take most of it, and use little."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip


def run_viewer(fd: int) -> None:
    """Answer over a socket until the other side is gone, shut in; the detector is read before."""
    draw = Drawing()
    enclose()
    serve(fd, {"draw": draw}, nice=5, memory_mb=MEMORY_MB)


class Drawing:
    """Draws with one detector."""

    def __init__(self) -> None:
        self._faces = Faces()

    def __call__(self, data: bytes) -> bytes:
        """`Views` of a file's bytes. Raises Refused `photo_unreadable`, `photo_too_much`."""
        try:
            picture, turned = image_reader.colour_of(data, PIXELS_MOST, VIEW)
        except Unopened:
            raise Invalid(
                "photo_unreadable", "This photo does not open.",
                "A manager can fetch the original; ask the crew for another photo.",
            ) from None  # fmt: skip
        except (TooMuch, MemoryError):
            raise Invalid(
                "photo_too_much", "Opening this photo takes too much memory.",
                "A manager can fetch the original.",
            ) from None  # fmt: skip
        turn = _TURNS.get(turned)
        upright = picture if turn is None else picture.transpose(turn)
        shown = self._faces.blurred(upright)
        thumb = ImageOps.contain(shown, (THUMB, THUMB), Image.Resampling.LANCZOS)
        return msgspec.msgpack.encode(
            Views(view=_jpeg(shown, 85), thumb=_jpeg(thumb, 80), turned=turned)
        )


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()
