"""What all the evidence of a ticket comes to, what is missing, and whether it may close."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from dispatch_core.errors import Conflict
from dispatch_core.evidence.state import SiteRecord, SiteVisit
from dispatch_core.ids import EvidenceVerdict, Slot

SlotState = Literal["owed", "again", "pending", "accept", "review", "block"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence of the ticket's present round, held against what its work owes."""

    verdict: EvidenceVerdict
    slots: dict[Slot, SlotState]
    visit: SiteVisit | None
    """The last one of this round that a person has not refused."""
    site_review: bool
    """A person must say whether the crew was there."""
    shut: list[str]
    unvented: list[str]
    unnamed: bool
    """Nobody has said who the second person was."""

    @property
    def missing(self) -> list[Slot]:
        """Slots without a photo that counts."""
        return [slot for slot, state in self.slots.items() if state in {"owed", "again"}]

    @property
    def wants_crew(self) -> bool:
        """A crew must come for a photo, since one is owed, asked for again or refused, or for a
        check-in that counts."""
        if self.verdict in {"accept", "not_owed"}:
            return False
        return bool(self.missing) or self.verdict in {"missing", "block"}


def standing(record: SiteRecord | None, slots: Sequence[Slot], round_: int) -> Standing:
    """How the evidence stands; `round_`: how often the ticket was reopened."""
    record = record or SiteRecord()
    states = {slot: slot_state(record, slot, round_) for slot in slots}
    visits = [v for v in record.visits if v.round == round_ and not v.refused]
    visit = visits[-1] if visits else None
    doubted = any(v.needs_review or v.verdict == "out" for v in visits)
    return Standing(
        verdict=_verdict(states, visit, doubted=doubted, waived=record.waived_round == round_),
        slots=states, visit=visit, site_review=bool(slots) and doubted,
        shut=[valve.name for valve in record.shut.values()],
        unvented=[valve.name for valve in record.unvented.values()],
        unnamed="second_person" in slots and record.second_person_round != round_,
    )  # fmt: skip


def slot_state(record: SiteRecord, slot: Slot, round_: int) -> SlotState:
    """How the photo of a slot stands. What was taken on a visit that a person has refused goes to a
    person, too."""
    photo = record.photos.get(slot)
    if photo is None or photo.round != round_:
        return "owed"
    if photo.again:
        return "again"
    nowhere = any(v.refused and v.visit == photo.visit for v in record.visits)
    if photo.unjudged or (photo.verdict == "accept" and nowhere and not photo.overruled):
        return "review"
    return photo.verdict or "pending"


def _verdict(
    states: dict[Slot, SlotState], visit: SiteVisit | None, *, doubted: bool, waived: bool
) -> EvidenceVerdict:
    if not states:
        return "not_owed"
    if waived:
        return "accept"
    present = set(states.values())
    if "block" in present:
        return "block"
    if present & {"owed", "again"} or visit is None:
        return "missing"
    if "pending" in present:
        return "pending"
    return "review" if "review" in present or doubted else "accept"


def check_done(record: SiteRecord | None, slots: Sequence[Slot], round_: int) -> None:
    """Whether the work on site may be called done: its photos are there, and whatever was owed, its
    valves are open and vented.

    Raises Conflict `evidence_missing`, `second_person_unnamed`, `valve_shut`, `not_vented`, each
    naming what is missing.
    """
    now = standing(record, slots, round_)
    present = (record or SiteRecord()).present()
    waived = record is not None and record.waived_round == round_
    if now.missing and not waived:
        raise Conflict(
            "evidence_missing",
            f"Photos are missing: {', '.join(now.missing)}.",
            "Take them, or have a manager waive them with a written reason.",
            present | {"missing": now.missing},
        )
    if now.unnamed and not waived:
        raise Conflict(
            "second_person_unnamed",
            "No resident is here, and nobody has said who the second person was.",
            "Say the second person's name.",
            present,
        )
    check_valves(record)


def check_valves(record: SiteRecord | None) -> None:
    """Whether the ticket may be let go: what was shut is open again, and vented. Raises Conflict
    `valve_shut`, `not_vented`, each naming the valves."""
    if record is None:
        return
    if record.shut:
        shut = ", ".join(valve.name for valve in record.shut.values())
        raise Conflict(
            "valve_shut",
            f"A valve is still shut: {shut}.",
            "Open it and say so first.",
            record.present(),
        )
    if record.unvented:
        unvented = ", ".join(valve.name for valve in record.unvented.values())
        raise Conflict(
            "not_vented",
            f"The pipe behind a valve was not vented: {unvented}.",
            "Vent it and say so first.",
            record.present(),
        )


def check_close(record: SiteRecord | None, slots: Sequence[Slot], round_: int) -> None:
    """Whether the ticket may close. Raises what `check_done` does, and Conflict
    `evidence_not_accepted` with the state of every slot."""
    check_done(record, slots, round_)
    now = standing(record, slots, round_)
    if now.verdict in {"not_owed", "accept"}:
        return
    told = {
        "missing": ("There is no check-in.", "The crew checks in on site."),
        "pending": ("The photos are being judged.", "Wait for the verdict; it takes seconds."),
        "review": ("A person must look at the evidence.", "Look at it on the desk and decide."),
        "block": ("A photo was refused.", "Look at the reason on the desk; ask for another photo."),
    }[now.verdict]
    present = (record or SiteRecord()).present()
    raise Conflict(
        "evidence_not_accepted", told[0], told[1],
        present | {"verdict": now.verdict, "slots": now.slots, "site_review": now.site_review},
    )  # fmt: skip
