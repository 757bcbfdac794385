"""What of a record waits for a person, and what never does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispatch_core.evidence import SiteRecord, SiteVisit, SlotPhoto, desk_view, standing
from dispatch_core.ids import CrewId, PhotoId, Slot

SLOTS: tuple[Slot, ...] = ("fault_point", "in_progress", "user_confirmation")
K = CrewId("K1")

photos = st.builds(
    SlotPhoto,
    photo=st.just(PhotoId("p")), round=st.integers(0, 1), crew=st.just(K), taken_at=st.just(1),
    trust=st.just("a"), verdict=st.sampled_from([None, "accept", "review", "block"]),
    unjudged=st.booleans(), overruled=st.booleans(), again=st.booleans(),
)  # fmt: skip
visits = st.builds(
    SiteVisit,
    visit=st.just(1), round=st.integers(0, 1), crew=st.just(K), crew_name=st.just("K"),
    in_at=st.just(1), verdict=st.sampled_from(["in", "out", "uncertain"]),
    needs_review=st.booleans(), settled=st.booleans(),
)  # fmt: skip
records = st.builds(
    SiteRecord,
    photos=st.dictionaries(st.sampled_from(SLOTS), photos),
    visits=st.lists(visits, max_size=3),
    waived_round=st.sampled_from([None, 0, 1]),
)


@given(record=records, round_=st.integers(0, 1))
def test_whoever_blocks_a_closing_is_waited_for_or_the_crew_is(
    record: SiteRecord, round_: int
) -> None:
    seen, now = desk_view(record, SLOTS, round_), standing(record, SLOTS, round_)
    assert (seen.verdict, seen.slots) == (now.verdict, now.slots)
    fresh = [
        p for slot, p in record.photos.items()
        if p.round == round_ and not p.again and not p.overruled
    ]  # fmt: skip
    blocked = any(p.verdict == "block" and not p.unjudged for p in fresh)
    doubted = any(p.verdict == "review" or p.unjudged for p in fresh)
    visit = any(v.needs_review and not v.refused for v in record.visits if v.round == round_)
    if record.waived_round == round_:
        assert (seen.needs, seen.unjudged) == (None, False)
    elif blocked:
        assert seen.needs == "block" or seen.unjudged
    else:
        assert (seen.needs is not None) == (doubted or visit)
    assert not seen.unjudged or seen.needs is not None
    if now.verdict == "accept":
        assert seen.needs is None


@given(record=records)
def test_work_that_owes_nothing_waits_for_nobody(record: SiteRecord) -> None:
    assert desk_view(record, (), 0).needs is None
