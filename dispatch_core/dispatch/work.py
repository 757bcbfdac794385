"""What a ticket asks of a crew, as the policy says it from its kind, level, words and place."""

from __future__ import annotations

from collections.abc import Sequence

from dispatch_core.dispatch.policy import Job, Policy
from dispatch_core.events import Work
from dispatch_core.ids import Level, NodeKind, RequestKind

ANY_DANGER = "danger"


def work_of(
    kind: RequestKind,
    level: Level,
    place: NodeKind,
    reasons: Sequence[str],
    equipment: str | None,
    policy: Policy,
) -> Work:
    """The work of the first job in the policy's table that fits.

    Args:
        place: what stands there; a flat is in a building.
        reasons: codes of what was heard, as a ticket carries them, e.g. `danger:爆管`.
        equipment: the record of what it concerns, if there is one.
    """
    words = {reason.partition(":")[2] for reason in reasons}
    if in_danger(reasons):
        words.add(ANY_DANGER)
    job = next(
        j for j in policy.jobs
        if _fits(j, kind, level, place, words) and _concerns(j, equipment)
    )  # fmt: skip
    return Work(
        trade=job.trade, owner=job.owner, certificates=job.certificates, permits=job.permits,
        skill=job.skill, minutes=job.minutes, crews=job.crews, parts=job.parts,
        vehicle=job.vehicle, home_visit=job.home_visit, equipment=equipment,
    )  # fmt: skip


def in_danger(reasons: Sequence[str]) -> bool:
    """Whether words of danger were heard, or a person said so."""
    return any(reason.partition(":")[0] == ANY_DANGER for reason in reasons)


def _concerns(job: Job, equipment: str | None) -> bool:
    """Whether the job is one for this equipment; one that names none is for all."""
    record = (equipment or "").upper()
    return not job.equipment or any(record.startswith(e.upper()) for e in job.equipment)


def _fits(job: Job, kind: RequestKind, level: Level, place: NodeKind, words: set[str]) -> bool:
    return (
        (not job.kinds or kind in job.kinds)
        and (not job.levels or level in job.levels)
        and (not job.places or place in job.places)
        and (not job.words or not words.isdisjoint(job.words))
    )
