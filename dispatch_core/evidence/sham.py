"""How much sham work a crew's month shows, and how sure that is.

A crew's true share of doubtful tickets, and that of the rest of the company, each have a binomial
likelihood and Jeffreys' prior Beta(1/2, 1/2), so that each posterior is a Beta distribution (Brown,
Cai and DasGupta: Interval estimation for a binomial proportion, Statistical Science 16, 2001).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import asin, cos, exp, lgamma, log, sin, sqrt
from typing import Literal, NamedTuple

import msgspec

from dispatch_core.events import (
    CheckedIn,
    CheckInOverruled,
    Event,
    EvidenceWaived,
    PhotoJudged,
    PhotoOverruled,
    PhotoTaken,
)
from dispatch_core.evidence.sentences import Said
from dispatch_core.ids import CrewId, PhotoId, SiteVerdict, Slot, TicketId

PRIOR = 0.5
LEVEL = 0.90
WIDE = 0.30
"""An interval that is wider than this says too little."""
SURE = 0.95
TOLD = 200
"""So many tickets are named."""
Finding = Literal["above", "below", "like", "too_few"]
FINDINGS: Mapping[Finding, Said] = {
    "above": Said("明显高于公司其他班组", "Clearly above the rest of the company"),
    "below": Said("明显低于公司其他班组", "Clearly below the rest of the company"),
    "like": Said("与公司其他班组相近", "Like the rest of the company"),
    "too_few": Said("工单太少，不能判断", "Too few tickets to say"),
}


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What a crew's month holds."""

    tickets: int = 0
    visits: int = 0
    photos: int = 0
    blocked: int = 0
    """Photos that their checks blocked."""
    freed: int = 0
    """Photos that a person accepted against their checks."""
    refused: int = 0
    """Photos that a person refused though their checks had not blocked them."""
    waived: int = 0
    """Rounds that a person let close without their photos."""
    out: int = 0
    """Check-ins outside the fence, as they stand."""
    doubtful: int = 0
    """Tickets with a photo that is blocked or refused, a check-in that stands as out, or a
    waiver."""


class CrewMonth(Counts, frozen=True, kw_only=True):
    """A crew's month, and what it says."""

    crew: CrewId
    crew_name: str
    share: float | None
    """Of its tickets that are doubtful; None without any."""
    low: float
    high: float
    """Its true share lies between with a probability of 90 %."""
    above: float
    """The probability that it lies above that of the rest of the company."""
    finding: Finding
    zh: str
    en: str
    in_doubt: list[TicketId]
    """Its doubtful tickets, the newest first; at most 200."""


class Tally(NamedTuple):
    """A crew's month as it was counted."""

    name: str
    counts: Counts
    in_doubt: list[TicketId]


def tallied(tickets: Mapping[TicketId, Sequence[Event]]) -> dict[CrewId, Tally]:
    """Crew -> what was counted of it, of the facts of each ticket's work on site in order. What a
    ticket's photos and check-ins show is their crew's; a waiver is that of the crew before it."""
    names: dict[CrewId, str] = {}
    found: defaultdict[CrewId, list[Counts]] = defaultdict(list)
    doubts: defaultdict[CrewId, list[TicketId]] = defaultdict(list)
    for ticket, facts in tickets.items():
        for crew, counts in _ticket(facts, names).items():
            found[crew].append(counts)
            if counts.doubtful:
                doubts[crew].append(ticket)
    return {
        crew: Tally(names.get(crew, crew), _sum(counts), sorted(doubts[crew], reverse=True))
        for crew, counts in found.items()
    }


class _Photo(msgspec.Struct):
    crew: CrewId
    judged: str | None = None
    decided: str | None = None


def _ticket(facts: Sequence[Event], names: dict[CrewId, str]) -> dict[CrewId, Counts]:
    visits: dict[int, tuple[CrewId, SiteVerdict]] = {}
    photos: dict[tuple[Slot, PhotoId], _Photo] = {}
    waivers: dict[int, CrewId] = {}
    last: CrewId | None = None
    for event in facts:
        match event:
            case CheckedIn():
                names[event.crew], last = event.crew_name, event.crew
                visits[event.visit] = event.crew, event.verdict
            case CheckInOverruled() if event.visit in visits:
                visits[event.visit] = visits[event.visit][0], event.to
            case PhotoTaken():
                last = event.crew
                photos[event.slot, event.photo] = _Photo(event.crew)
            case PhotoJudged() if (event.slot, event.photo) in photos:
                photos[event.slot, event.photo].judged = event.verdict
            case PhotoOverruled() if (event.slot, event.photo) in photos:
                photos[event.slot, event.photo].decided = event.to
            case EvidenceWaived() if last is not None:
                waivers[event.round] = last
            case _:
                pass
    crews = {c for c, _ in visits.values()} | {p.crew for p in photos.values()}
    return {
        crew: _of_crew(
            [verdict for of, verdict in visits.values() if of == crew],
            [photo for photo in photos.values() if photo.crew == crew],
            sum(of == crew for of in waivers.values()),
        )
        for crew in crews
    }


def _of_crew(visits: Sequence[SiteVerdict], photos: Sequence[_Photo], waived: int) -> Counts:
    out = sum(verdict == "out" for verdict in visits)
    stands = any((p.decided or p.judged) == "block" for p in photos)
    return Counts(
        tickets=1, visits=len(visits), photos=len(photos),
        blocked=sum(p.judged == "block" for p in photos),
        freed=sum(p.decided == "accept" and p.judged != "accept" for p in photos),
        refused=sum(p.decided == "block" and p.judged != "block" for p in photos),
        waived=waived, out=out, doubtful=int(stands or out > 0 or waived > 0),
    )  # fmt: skip


def _sum(counts: Iterable[Counts]) -> Counts:
    held = list(counts)
    names = Counts.__struct_fields__
    return Counts(**{name: sum(getattr(c, name) for c in held) for name in names})


def month(crews: Mapping[CrewId, Tally]) -> list[CrewMonth]:
    """Every crew against the rest of the company, the likeliest to stand above it first."""
    whole = _sum(tally.counts for tally in crews.values())
    found = []
    for crew, (name, own, in_doubt) in crews.items():
        low, high = interval(own.doubtful, own.tickets)
        above = probability_above(
            own.doubtful, own.tickets, whole.doubtful - own.doubtful, whole.tickets - own.tickets
        )
        finding = _finding(high - low, above, alone=whole.tickets == own.tickets)
        said = FINDINGS[finding]
        fields = {field: getattr(own, field) for field in Counts.__struct_fields__}
        share = own.doubtful / own.tickets if own.tickets else None
        found.append(
            CrewMonth(
                **fields, crew=crew, crew_name=name, share=share, low=low, high=high, above=above,
                finding=finding, zh=said.zh, en=said.en, in_doubt=in_doubt[:TOLD],
            )
        )  # fmt: skip
    return sorted(found, key=lambda c: (-c.above, c.crew))


def _finding(width: float, above: float, *, alone: bool) -> Finding:
    if width > WIDE or alone:
        return "too_few"
    if above >= SURE:
        return "above"
    return "below" if above <= 1 - SURE else "like"


def interval(doubtful: int, tickets: int) -> tuple[float, float]:
    """The share's equal-tailed 90 % interval; it reaches 0 or 1 where none or all are doubtful."""
    a, b = doubtful + PRIOR, tickets - doubtful + PRIOR
    tail = (1 - LEVEL) / 2
    low = 0.0 if doubtful == 0 else quantile(tail, a, b)
    high = 1.0 if doubtful == tickets else quantile(1 - tail, a, b)
    return low, high


def probability_above(doubtful: int, tickets: int, others: int, of_others: int) -> float:
    """P(the crew's share > the others' share), both unknown.

    The integral of the one's density times the other's distribution, over t with x = sin(t)^2,
    where Jeffreys' prior has no poles; Simpson's rule.
    """
    a, b = doubtful + PRIOR, tickets - doubtful + PRIOR
    c, d = others + PRIOR, of_others - others + PRIOR
    tiny = 1e-9
    first, last = (asin(sqrt(quantile(q, a, b))) for q in (tiny, 1 - tiny))
    steps = 400
    h = (last - first) / steps
    scale = log(2.0) + lgamma(a + b) - lgamma(a) - lgamma(b)
    total = mass = 0.0
    for n in range(steps + 1):
        t = first + h * n
        s, k = max(sin(t), 1e-300), max(cos(t), 1e-300)
        density = exp(scale + (2 * a - 1) * log(s) + (2 * b - 1) * log(k))
        weight = density * (1 if n in {0, steps} else 4 if n % 2 else 2)
        mass += weight
        total += weight * below(s * s, c, d)
    return min(1.0, max(0.0, total / mass))


def quantile(share: float, a: float, b: float) -> float:
    """Where Beta(a, b) has `share` of its mass below; by halving."""
    low, high = 0.0, 1.0
    for _ in range(80):
        middle = (low + high) / 2
        if below(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def below(x: float, a: float, b: float) -> float:
    """The mass of Beta(a, b) below x: the regularised incomplete beta function, by its continued
    fraction (DLMF 8.17.22)."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - below(1.0 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1.0 - x)) / a
    return front / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d1 / (1 + d2 / (1 + ...)), by Lentz's method."""
    value = c = 1.0
    d = 0.0
    for n in range(1, 2000):
        m = n // 2
        if n % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 / _off_zero(1.0 + term * d)
        c = _off_zero(1.0 + term / c)
        value *= c * d
        if abs(c * d - 1.0) < 1e-13:
            break
    return value


def _off_zero(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300
