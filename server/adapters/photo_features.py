"""What one photo looks like, as it is kept: perceptual hashes, exposure, and points that are found
again on another photo of the same scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ext.exposure import exposure
from ext.pdq import pdq_dihedral
from server.adapters.image_reader import SIDE, Grey

POINTS_MOST: Final = 500
CELLS: Final = 10
"""The picture is cut into so many columns and rows for that."""
POINT: Final = 36
"""Bytes of a point: x and y in 1/64 pixel, then its descriptor of 256 bits."""
RATIO: Final = 0.75
"""A match counts where the next best is so much worse (Lowe's ratio test)."""
REACH: Final = 4.0
"""Pixels by which a point may miss the place that the transformation gives it."""
TILT_MOST: Final = 1.5
"""How much nearer one side may come: a photo of a screen is held somewhat askew, no more."""
INNER: Final = 0.85
"""Share of the agreeing points that tells how far they reach: some agree by chance anywhere."""
SPREAD_LEAST: Final = 0.12
"""Share of a picture over which agreeing points lie at least on one of the two: what a watermark
camera prints on every photo is found again on all of them, and no scene."""
SPREAD_IN_PLACE: Final = 0.27
"""The same where nothing moved: a print stays in its place, and so would a whole scene."""
STILL: Final = 2.0
"""Pixels up to which a point has not moved."""

_SPOTS = 64.0
Pairs = NDArray[np.float32]

cv2.setNumThreads(1)
_orb = cv2.ORB.create(nfeatures=3 * POINTS_MOST, fastThreshold=12)
_faint = cv2.ORB.create(nfeatures=3 * POINTS_MOST, fastThreshold=5)


def hashes_of(grey: Grey) -> tuple[tuple[bytes, ...], int]:
    """The hashes of all eight flips and turns, as it is first, and their quality 0 to 100."""
    return pdq_dihedral(grey)


def lit_of(grey: Grey) -> tuple[float, float]:
    """(variance of the Laplacian, mean)."""
    sharpness, mean, _, _ = exposure(grey)
    return sharpness, mean


def points_of(grey: Grey) -> bytes:
    """At most 500 points (ORB) from all over the picture, as they are stored: the best alone would
    lie where it is busiest, and be gone with one corner of it."""
    found = _orb.detect(grey, None)
    if len(found) < POINTS_MOST:  # a plain wall, a dark cellar: fainter corners count too
        found = _faint.detect(grey, None)
    if not found:
        return b""
    chosen, descriptors = _orb.compute(grey, [found[n] for n in _spread_out(found, grey)])
    if not chosen:
        return b""
    rows = np.empty((len(chosen), POINT), np.uint8)
    spots = np.asarray([point.pt for point in chosen], np.float32) * _SPOTS
    rows[:, :4] = np.rint(spots).astype("<u2").view(np.uint8).reshape(-1, 4)
    rows[:, 4:] = descriptors
    return rows.tobytes()


def _spread_out(found: Sequence[cv2.KeyPoint], grey: Grey) -> NDArray[np.intp]:
    """The first of every cell and size, then the second of each, until there are enough."""
    height, width = grey.shape
    told = np.asarray([(p.pt[0], p.pt[1], p.octave, p.response) for p in found])
    cells = (told[:, 0] * CELLS // width) * CELLS + told[:, 1] * CELLS // height
    cells = cells * 64 + told[:, 2]
    order = np.lexsort((-told[:, 3], cells))
    begins = np.flatnonzero(np.diff(cells[order], prepend=-1.0))
    lengths = np.diff(begins, append=len(order))
    ranks = np.empty(len(order), np.intp)
    ranks[order] = np.arange(len(order)) - np.repeat(begins, lengths)
    return np.lexsort((-told[:, 3], ranks))[:POINTS_MOST]


def mirrored(grey: Grey) -> Grey:
    """The picture as in a mirror: its points are others, while those of a turned one are not."""
    return np.ascontiguousarray(grey[:, ::-1])


def inliers(mine: bytes, theirs: bytes) -> int:
    """How many points of two photos agree on one transformation; 0 where they lie too close
    together to be a scene."""
    return len(agreeing(mine, theirs)[0])


def agreeing(mine: bytes, theirs: bytes) -> tuple[Pairs, Pairs]:
    """The agreeing points: (x, y) on the first photo and on the second, in pixels of what is
    512 pixels on its longer side; none where nothing agrees."""
    none = np.empty((0, 2), np.float32)
    a, b = _points(mine), _points(theirs)
    if min(len(a[0]), len(b[0])) < 8:
        return none, none
    apart, nearest = cv2.batchDistance(a[1], b[1], cv2.CV_32S, normType=cv2.NORM_HAMMING, K=2)
    good = apart[:, 0] < RATIO * apart[:, 1]
    if good.sum() < 8:
        return none, none
    here, there = a[0][good], b[0][nearest[good, 0]]
    cv2.setRNGSeed(1)  # the same two photos always agree alike
    moved, mask = cv2.findHomography(here, there, cv2.RANSAC, REACH)
    if np.shape(moved) != (3, 3) or not _plain(np.asarray(moved, np.float64)):
        return none, none
    held = np.asarray(mask).ravel().astype(bool)
    here, there = _apart(here[held], there[held])
    if len(here) < 4:
        return none, none
    still = np.median(np.linalg.norm(here - there, axis=1)) < STILL
    spread = max(_spread(here, a[0]), _spread(there, b[0]))
    if spread < (SPREAD_IN_PLACE if still else SPREAD_LEAST):
        return none, none
    return here, there


def _points(stored: bytes) -> tuple[Pairs, NDArray[np.uint8]]:
    rows = np.frombuffer(stored, np.uint8).reshape(-1, POINT)
    spots = np.ascontiguousarray(rows[:, :4]).view("<u2").astype(np.float32) / _SPOTS
    return spots, np.ascontiguousarray(rows[:, 4:])


def _plain(moved: NDArray[np.float64]) -> bool:
    """Whether a flat picture can have been moved so by a camera: not turned inside out, not grown
    or shrunk beyond measure, not seen from the side."""
    size = np.linalg.det(moved[:2, :2])
    if not 0.02 < size < 50.0:
        return False
    tilt = SIDE * np.abs(moved[2, :2])
    return bool(tilt.max() < TILT_MOST)


def _apart(here: Pairs, there: Pairs) -> tuple[Pairs, Pairs]:
    """One corner found at several sizes is one."""
    spots = np.concatenate([here, there], axis=1) // 3.0
    _, first = np.unique(spots, axis=0, return_index=True)
    first.sort()
    return here[first], there[first]


def _spread(spots: Pairs, everything: Pairs) -> float:
    """Share of the picture that the points span, without those farthest out; of the part of it
    that has points at all."""
    whole = np.ptp(everything, axis=0).prod()
    out = np.linalg.norm(spots - np.median(spots, axis=0), axis=1)
    inner = spots[np.argsort(out, kind="stable")[: max(4, round(INNER * len(spots)))]]
    hull = cv2.contourArea(cv2.convexHull(inner))
    return float(hull / max(whole, 1.0))
