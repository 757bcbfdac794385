"""What of a record a person at the desk must look at."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dispatch_core.evidence.standing import SlotState, slot_state, standing
from dispatch_core.evidence.state import SiteRecord
from dispatch_core.ids import EvidenceNeed, EvidenceVerdict, Slot

UNOPENED: tuple[Slot, ...] = ("door", "notice")
"""Photos of a door that nobody opened: no work owes them, and they close no ticket."""


class DeskView(msgspec.Struct, frozen=True, kw_only=True):
    """How the evidence stands, and why it waits for a person."""

    verdict: EvidenceVerdict
    slots: dict[Slot, SlotState]
    needs: EvidenceNeed | None
    """`block`: a photo was blocked by its checks; `review`: a photo or a check-in is in doubt;
    None: nobody is waited for, or the crew is."""
    unjudged: bool
    """The checks could not judge one of the photos."""


def desk_view(record: SiteRecord, slots: Sequence[Slot], round_: int) -> DeskView:
    """The record's present round for the desk; what a person has decided needs nobody. Whatever is
    owed, the door that nobody opened and its notice are looked at, too."""
    now = standing(record, slots, round_)
    waived = record.waived_round == round_
    beside = {slot: slot_state(record, slot, round_) for slot in UNOPENED if slot not in now.slots}
    open_ = {
        slot: record.photos[slot]
        for slot, state in (now.slots | beside).items()
        if state in {"block", "review"} and not record.photos[slot].overruled
    }
    doubted = bool(slots) and any(
        v.needs_review and not v.refused for v in record.visits if v.round == round_
    )
    needs: EvidenceNeed | None = None
    if any(photo.verdict == "block" for photo in open_.values()):
        needs = "block"
    elif open_ or doubted:
        needs = "review"
    return DeskView(
        verdict=now.verdict,
        slots=now.slots,
        needs=None if waived else needs,
        unjudged=not waived and any(photo.unjudged for photo in open_.values()),
    )
