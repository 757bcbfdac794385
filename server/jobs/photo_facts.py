"""What a judge is told: the file's own account and the record's, in one time and one place."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dispatch_core.events import CheckedIn
from dispatch_core.evidence import PhotoFacts, SiteWindow
from geo.outlines import Outline
from server.adapters.evidence_jobs import Record
from server.jobs.photo_asks import Look

OFFLINE_MOST_MS = 12 * 3_600_000
"""So long a phone may have been without a signal and still be taken at its word about when."""


def facts_of(look: Look, record: Record) -> PhotoFacts:
    """The file beside what was sent with it."""
    taken = record.taken
    in_app = taken.nonce_holds is not None
    return PhotoFacts(
        file_fault=look.fault, decoded=look.decoded, quality=look.quality,
        sharpness=look.sharpness, mean=look.mean,
        exif="intact" if look.exif == "intact" else "edited" if look.exif == "edited" else "none",
        exif_at_ms=_camera_ms(look, record.policy.timezone),
        gps_at_ms=None if look.gps_s is None else look.gps_s * 1000,
        gps_distance_m=_off(record.outline, look.lon, look.lat),
        credentials=look.credentials,
        nonce_holds=taken.nonce_holds, signature_holds=taken.signature_holds,
        source=taken.source, session_at_ms=taken.captured_at_ms if in_app else None,
        session_skew_s=taken.session_skew_s, arrived_at_ms=record.taken_at_ms,
    )  # fmt: skip


def window_of(record: Record) -> SiteWindow:
    """When the crew was there, by its phone's clock where that was not ahead of the arrival: what
    waited on the phone arrives late and was no later for that."""
    entry = _visit(record)
    if entry is None:
        return SiteWindow()
    came, came_ms = entry
    left = record.outs.get(came.visit)
    fix = record.taken.fix
    captured = record.taken.captured_at_ms
    return SiteWindow(
        in_at_ms=_said_ms(came.at_device_ms, came_ms),
        out_at_ms=None if left is None else _said_ms(left[0].at_device_ms, left[1]),
        fix_distance_m=None if fix is None else _off(record.outline, fix.lon, fix.lat),
        fix_accuracy_m=None if fix is None else fix.accuracy_m,
        fix_age_s=None if fix is None or captured is None else abs(captured - fix.at_ms) // 1000,
        fix_made_up=fix is not None and fix.mock,
        other_phone=record.taken.device != came.device,
    )


def _visit(record: Record) -> tuple[CheckedIn, int] | None:
    """The visit that the photo names, else the crew's last one of the round: a photo may arrive
    before its check-in."""
    named = record.ins.get(record.taken.visit or 0)
    if named is not None:
        return named
    of_crew = [
        entry for entry in record.ins.values()
        if entry[0].crew == record.taken.crew and entry[0].round == record.taken.round
    ]  # fmt: skip
    return of_crew[-1] if of_crew else None


def _said_ms(by_phone: int, arrived: int) -> int:
    return by_phone if 0 <= arrived - by_phone <= OFFLINE_MOST_MS else arrived


def _camera_ms(look: Look, timezone: str) -> int | None:
    """The camera's clock in UTC, by its own zone or else the city's."""
    if look.taken_s is None:
        return None
    zone = look.zone_s
    if zone is None:
        there = datetime.fromtimestamp(look.taken_s, UTC).replace(tzinfo=ZoneInfo(timezone))
        offset = there.utcoffset()
        zone = 0 if offset is None else round(offset.total_seconds())
    return (look.taken_s - zone) * 1000


def _off(outline: Outline | None, lon: float | None, lat: float | None) -> float | None:
    """Metres from a place to where the work is, 0 inside it."""
    if outline is None or lon is None or lat is None:
        return None
    return outline.metres_to(lon, lat)
