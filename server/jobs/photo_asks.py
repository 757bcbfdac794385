"""What a photo worker is asked, and what it answers."""

from __future__ import annotations

import msgspec

from dispatch_core.evidence.checks import Credentials, FileFault


class Look(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one file shows of itself. Without a picture only `fault` and what its headers say."""

    fault: FileFault | None = None
    hashes: list[bytes] = msgspec.field(default_factory=list)
    """Of all eight flips and turns; the first is the picture's as it is."""
    quality: int = 0
    sharpness: float | None = None
    mean: float | None = None
    points: bytes = b""
    mirrored: bytes = b""
    """The points of the picture as in a mirror."""
    exif: str = "none"
    """none, intact or edited."""
    taken_s: int | None = None
    """Seconds since 1970 on the camera's own clock."""
    zone_s: int | None = None
    """Seconds east of UTC; None: the file does not say."""
    gps_s: int | None = None
    """By the satellites, UTC."""
    lon: float | None = None
    lat: float | None = None
    credentials: Credentials = "none"

    @property
    def decoded(self) -> bool:
        """Whether there is a picture."""
        return bool(self.hashes)


class Compare(msgspec.Struct, frozen=True, kw_only=True):
    """The points of one photo, and those of others that it may show again."""

    points: bytes
    mirrored: bytes
    others: list[bytes]
    enough: int
    """So many agreeing points are a twin: those after it are not asked."""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """The best of the others, by its place among them, and how many points agree."""

    best: int | None
    inliers: int
