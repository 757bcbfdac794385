"""What a JPEG file says of itself, marker by marker, without decoding it."""

from typing import Final, final

import numpy as np
from numpy.typing import NDArray

CODES: Final[tuple[str, ...]]
EXIF_CODES: Final[tuple[str, ...]]

@final
class JpegFacts:
    code: Final[str]
    """whole; or why the walk ended: not_jpeg, cut_off (no end marker), no_picture (an end, but no
    frame or no scan before it), bad_segment, too_many_segments."""
    width: Final[int]
    """Of the first frame, as stored; orientation is not applied."""
    height: Final[int]
    """0 also where the file gives it only after the first scan."""
    components: Final[int]
    frames: Final[int]
    """1 in a proper file."""
    progressive: Final[bool]
    segments: Final[int]
    stray: Final[int]
    """Bytes between segments that belong to none."""
    after_end: Final[int]
    """Bytes after the end marker: previews, depth maps, a short film; normal in phones' photos."""
    content_credentials: Final[bool]
    """There is a C2PA store; whether it is valid is not asked."""
    exif: Final[str]
    """none, read, damaged (something wanted lies outside or makes no sense; the rest is read) or
    too_many_entries."""
    make: Final[str]
    model: Final[str]
    software: Final[str]
    orientation: Final[int]
    """1 to 8 as in EXIF; 0: not said."""
    changed_s: Final[int | None]
    """Seconds since 1970 on the camera's own clock, whatever its zone: UTC is this less the zone.
    DateTime."""
    taken_s: Final[int | None]
    """DateTimeOriginal, as above."""
    digitised_s: Final[int | None]
    """DateTimeDigitized, as above."""
    changed_zone_s: Final[int | None]
    """Seconds east of UTC, from OffsetTime; None: the zone is not known."""
    taken_zone_s: Final[int | None]
    """OffsetTimeOriginal, as above."""
    digitised_zone_s: Final[int | None]
    """OffsetTimeDigitized, as above."""
    latitude: Final[float | None]
    """Degrees north in gps_datum; None where latitude or longitude is missing or makes no sense."""
    longitude: Final[float | None]
    gps_error_m: Final[float | None]
    gps_datum: Final[str]
    gps_utc_s: Final[int | None]
    """Seconds since 1970 in UTC, by the satellites."""

def walk(data: bytes | bytearray | memoryview | NDArray[np.uint8]) -> JpegFacts: ...
