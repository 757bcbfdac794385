"""What may not be lost once work on site has begun: the photos that its round owes."""

from __future__ import annotations

from collections.abc import Sequence

from dispatch_core.errors import Conflict
from dispatch_core.evidence.standing import standing
from dispatch_core.evidence.state import SiteRecord
from dispatch_core.ids import Slot


def begun(record: SiteRecord | None, round_: int) -> bool:
    """Whether a crew checked in, or took a photo, in this round of the ticket."""
    if record is None:
        return False
    photos = any(photo.round == round_ for photo in record.photos.values())
    return photos or any(visit.round == round_ for visit in record.visits)


def check_kept(
    record: SiteRecord | None, before: Sequence[Slot], after: Sequence[Slot], round_: int
) -> None:
    """Whether a ticket may owe `after` where it owed `before`: none of its photos is lost, or all
    the evidence of the round is accepted or waived already.

    Raises Conflict `evidence_would_shrink` with the slots that nobody would owe any more.
    """
    lost = [slot for slot in before if slot not in after]
    if not lost or standing(record, before, round_).verdict == "accept":
        return
    raise Conflict(
        "evidence_would_shrink",
        f"These photos are owed by the work as it stands: {', '.join(lost)}.",
        "A manager can waive them with a written reason; then change it.",
        (record or SiteRecord()).present() | {"slots": lost},
    )
