"""The sham report: what is counted, and how sure it says it is."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_core.events import (
    CheckedIn,
    CheckInOverruled,
    Event,
    EvidenceWaived,
    PhotoJudged,
    PhotoOverruled,
    PhotoTaken,
    TicketLabel,
)
from dispatch_core.evidence import sham
from dispatch_core.ids import CrewId, PhotoId, TicketId

LABEL = TicketLabel(level="red", kind="leak", address="a")
T = TicketId("260114-000001")


def there(verdict: str = "in", crew: str = "K1", visit: int = 1) -> Event:
    return CheckedIn(
        ticket=LABEL, visit=visit, crew=CrewId(crew), crew_name=f"{crew} 班", device="d",
        at_device_ms=0, fix=None, verdict=verdict, distance_m=None, doubts=[],
        needs_review=verdict != "in", by="crew", round=0,
    )  # fmt: skip


def taken(photo: str, crew: str = "K1") -> Event:
    return PhotoTaken(
        ticket=LABEL, visit=1, round=0, crew=CrewId(crew), slot="fault_point", photo=PhotoId(photo),
        bytes=1, captured_at_ms=None, trust="a", nonce_holds=None, signature_holds=None, device="d",
        fix=None, by="crew",
    )  # fmt: skip


def judged(photo: str, verdict: str) -> Event:
    return PhotoJudged(
        ticket=LABEL, slot="fault_point", photo=PhotoId(photo), verdict=verdict, checks=[],
        twin=None, trust="a",
    )  # fmt: skip


def overruled(photo: str, to: str) -> Event:
    return PhotoOverruled(
        ticket=LABEL, slot="fault_point", photo=PhotoId(photo), was="review", to=to,
        reason_code="known_good", reason=None, by="u",
    )  # fmt: skip


def waived() -> Event:
    return EvidenceWaived(
        ticket=LABEL, round=0, missing=[], reason_code="other", reason=None, by="u"
    )


def back(to: str) -> Event:
    return CheckInOverruled(
        ticket=LABEL, visit=1, was="out", to=to, reason_code="seen_by_phone", reason=None, by="u"
    )


@pytest.mark.parametrize(
    ("facts", "counts"),
    [
        ([there(), taken("a"), judged("a", "accept")], {}),
        ([there(), taken("a"), judged("a", "review")], {}),
        ([there(), taken("a"), judged("a", "block")], {"blocked": 1, "doubtful": 1}),
        ([there(), taken("a"), judged("a", "block"), overruled("a", "accept")],
         {"blocked": 1, "freed": 1}),
        ([there(), taken("a"), judged("a", "review"), overruled("a", "block")],
         {"refused": 1, "doubtful": 1}),
        ([there("out"), taken("a")], {"out": 1, "doubtful": 1}),
        ([there("out"), taken("a"), back("in")], {}),
        ([there(), taken("a"), waived()], {"waived": 1, "doubtful": 1}),
    ],
)  # fmt: skip
def test_what_a_ticket_counts(facts: list[Event], counts: dict[str, int]) -> None:
    found = sham.tallied({T: facts})
    expected = sham.Counts(**{"tickets": 1, "visits": 1, "photos": 1} | counts)
    in_doubt = [T] if expected.doubtful else []
    assert found == {CrewId("K1"): ("K1 班", expected, in_doubt)}


def test_each_crew_has_what_is_its_own() -> None:
    facts = [there(), there(crew="K2", visit=2), taken("a"), taken("b", "K2"), judged("b", "block")]
    found = sham.tallied({T: facts})
    assert (found[CrewId("K1")][1].doubtful, found[CrewId("K2")][1].doubtful) == (0, 1)
    assert {tally.counts.tickets for tally in found.values()} == {1}
    assert (found[CrewId("K1")].in_doubt, found[CrewId("K2")].in_doubt) == ([], [T])


@given(n=st.integers(1, 60), k=st.integers(0, 60), x=st.floats(0.001, 0.999))
def test_the_mass_below_is_that_of_the_binomial_tail(n: int, k: int, x: float) -> None:
    """Of whole shapes both are known exactly: I_x(k, n-k+1) = P(at least k of n)."""
    k = min(max(k, 1), n)
    tail = sum(comb(n, j) * x**j * (1 - x) ** (n - j) for j in range(k, n + 1))
    assert sham.below(x, k, n - k + 1) == pytest.approx(tail, abs=1e-9)


@given(a=st.floats(0.5, 500), b=st.floats(0.5, 500), share=st.floats(0.001, 0.999))
def test_a_quantile_has_its_share_below(a: float, b: float, share: float) -> None:
    assert sham.below(sham.quantile(share, a, b), a, b) == pytest.approx(share, abs=1e-6)


counted = st.integers(0, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(own=counted, rest=counted)
@settings(max_examples=60, deadline=None)
def test_one_is_above_the_other_or_the_other_way_round(
    own: tuple[int, int], rest: tuple[int, int]
) -> None:
    above = sham.probability_above(*own, *rest)
    assert 0 <= above <= 1
    assert above + sham.probability_above(*rest, *own) == pytest.approx(1, abs=2e-3)
    if own[0] < own[1]:
        assert sham.probability_above(own[0] + 1, own[1], *rest) >= above - 1e-9
    low, high = sham.interval(*own)
    assert 0 <= low <= (own[0] / own[1] if own[1] else 0.5) <= high <= 1


@given(k=st.integers(0, 20), more=st.integers(2, 30))
def test_more_tickets_make_it_surer(k: int, more: int) -> None:
    few, many = sham.interval(k, 2 * k + 2), sham.interval(k * more, (2 * k + 2) * more)
    assert many[1] - many[0] < few[1] - few[0]


def counts(doubtful: int, tickets: int) -> sham.Counts:
    return sham.Counts(tickets=tickets, doubtful=doubtful)


def test_few_tickets_are_too_few_to_say_and_many_are_not() -> None:
    many = [TicketId(f"T{n:03}") for n in reversed(range(300))]
    crews = {
        CrewId("few"): sham.Tally("少", counts(2, 2), []),
        CrewId("bad"): sham.Tally("坏", counts(30, 100), many),
        CrewId("good"): sham.Tally("好", counts(1, 400), []),
        CrewId("like"): sham.Tally("同", counts(8, 150), []),
    }
    found = {c.crew: c for c in sham.month(crews)}
    assert {crew: c.finding for crew, c in found.items()} == {
        "few": "too_few", "bad": "above", "good": "below", "like": "like"
    }  # fmt: skip
    assert found[CrewId("few")].zh == "工单太少，不能判断"
    assert found[CrewId("bad")].above > 0.999
    assert found[CrewId("bad")].in_doubt == many[: sham.TOLD]
    assert sham.month({}) == []
    (alone,) = sham.month({CrewId("bad"): sham.Tally("坏", counts(30, 100), [])})
    assert alone.finding == "too_few"


def test_the_figures_of_a_crew_are_as_draws_from_the_distributions_give_them() -> None:
    dice = np.random.default_rng(20260114)
    own, rest = dice.beta(3.5, 17.5, 400_000), dice.beta(10.5, 190.5, 400_000)
    assert sham.interval(3, 20) == pytest.approx(tuple(np.quantile(own, [0.05, 0.95])), abs=2e-3)
    assert sham.probability_above(3, 20, 10, 200) == pytest.approx((own > rest).mean(), abs=4e-3)
