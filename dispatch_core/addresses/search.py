"""One text looked up in a book: names, numbers, slips of the pen, and the verdict."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from dispatch_core.addresses import policy
from dispatch_core.addresses.book import NO, Book
from dispatch_core.addresses.doors import COMMUNITY, STREET, Door, doors, with_inner_ahead
from dispatch_core.addresses.found import (
    NOTHING,
    Found,
    Match,
)
from dispatch_core.addresses.names import Hit, Kind
from dispatch_core.addresses.places import Placed, opening, without_subdistricts
from dispatch_core.addresses.slips import TELLING, is_apart
from dispatch_core.addresses.text import Written
from dispatch_core.addresses.verdict import decide

_LEADS: Final = frozenset(
    "在住家于址是到的去来看修查报为叫从回们面边近侧旁口处生士姐叔婶爷奶姨哥嫂傅师市区县省镇村"
)
"""Characters that end a word before an address."""
_MARKS: Final = frozenset("号院楼室栋幢座元门层户")
"""Do so behind a number: 3号楼和兴路."""
_BUILT_AHEAD: Final = re.compile(r"([A-Z]?\d{1,3})(?:号楼|栋|幢|座|#)[^\d]*$")
"""A building's number before the street: 致理新村6栋(建设街44号)."""
TOKEN: Final = re.compile(
    r"(?:[\u4e00-\u9fff]|(?<![\dA-Z-])\d{1,3}(?=[^\W\d_A-Z号栋幢座单门楼层室户附之院]))+"
    r"(?= ?[A-Z]?\d|[A-Z][座栋])"
)
"""Words before a number, with the numbers inside them: 南区第7公寓, 经纬3道街."""
MARK_FIRST: Final = re.compile(r"(?:号楼|号院|号|栋|幢|座|单元|门|楼|层|室|户)+")
_AGREE: Final = frozenset({"community_agrees", "street_agrees"})
"""Street and community name the same building: then the district may be the slip."""
_WEAK_END: Final = "的上那第门牌在"
_NEAR: Final = re.compile(
    r"斜?对面|对过|旁|附近|隔壁|后身|[后前]面|[后前]边|门[前口]|边上|路口|[北南东西左右]侧|周边|一带"
)
_DOORISH: Final = re.compile(r"$|[\d\ue000-\ue002A-Z#-]|[号栋幢座单门楼层室户]|院内")


class Search:
    """One text."""

    def __init__(
        self,
        book: Book,
        taught: Callable[[str, int], tuple[list[int], int] | None],
        written: Written,
        placed: Placed,
    ) -> None:
        self._book = book
        self._taught = taught
        self._cuts = written.cuts
        self._placed = placed
        self._text = without_subdistricts(placed.text)
        self._found: dict[int, Found] = {}
        self._notes: list[str] = []
        self._hits: list[Hit] = []

    def run(self) -> Match:
        """What the text means."""
        if self._placed.other_city:
            return NOTHING._replace(reasons=("other_city",))
        self._by_taught()
        if not self._found:
            hits = [self._led(h) for h in self._book.names.find(self._text)]
            self._hits = [h for h in hits if not self._landmark(h)]
            self._by_hits(self._hits)
            if self._best() < policy.MATCH_AT and not self._sure_street():
                self._nearly()
        return decide(self._found, self._notes, self._hits)

    def _best(self) -> float:
        return max((f.score for f in self._found.values()), default=0.0)

    # ---------------------------------------------------------------- what is written
    def _by_taught(self) -> None:
        if not self._book.taught:
            return
        text = self._placed.text
        for start in sorted({opening(text), *self._cuts}):
            if taught := self._taught(text, start):
                buildings, size = taught
                door = doors(text[start + size :], in_community=False, known=True)[0]
                for b in buildings:
                    self._add(b, policy.TAUGHT, ("taught",), door)
                return

    def _led(self, hit: Hit) -> Hit:
        """A name that does not begin where a word begins may be the end of a longer one."""
        run = self._run_before(hit.start)
        if run == 0:
            return hit
        before, first = self._text[hit.start - 1], self._text[hit.start]
        if before in TELLING or before == "第" or (first in TELLING and not first.isdigit()):
            cost = policy.LED_BY_DIRECTION
        elif hit.bare or hit.reasons or not is_apart(self._text[hit.start - run : hit.start]):
            cost = policy.LED_BY_ONE
        else:
            cost = policy.LED_BY_WORDS
        return hit._replace(quality=hit.quality * cost, reasons=(*hit.reasons, "words_before"))

    def _run_before(self, start: int) -> int:
        """Characters of an unknown word that stand right before `start`."""
        i = start
        while not self._begins(i):
            i -= 1
        return start - i

    def _begins(self, i: int) -> bool:
        """Whether a word may begin at `i`."""
        if i == 0 or i in self._cuts:
            return True
        c = self._text[i - 1]
        if c == "家" and self._text[i : i + 1] == "园":
            return False
        if c in _LEADS or not "\u4e00" <= c <= "\u9fff":
            return True
        two = self._text[i - 2 : i - 1]
        return c in _MARKS and (two.isdigit() or two in {"单", "号"})

    def _landmark(self, hit: Hit) -> bool:
        """民生家园旁边 names what is near; a street is never passed over."""
        return hit.kind != "street" and _NEAR.match(self._text, hit.end) is not None

    def _sure_street(self) -> bool:
        """A street was written in full before a number: the number is wrong, not the street."""
        return "number_unknown" in self._notes and any(
            h.kind == "street"
            and h.quality >= policy.SUFFIX_LEFT_AWAY
            and not h.bare
            and "words_before" not in h.reasons
            for h in self._hits
        )

    def _by_hits(self, hits: Sequence[Hit]) -> None:
        communities = _spans(h for h in hits if h.kind == "community")
        # beside a community that stands there in full a street hardly alike is its next word
        sure = any(h.kind == "community" and h.full for h in hits)
        least = policy.NUMBER_DIFFERS if sure else 0.0
        streets = _spans(h for h in hits if h.kind == "street" and h.quality >= least)
        for street in streets or [[]]:
            for community in communities or [[]]:
                if street and community and street[0].start < community[0].end and (
                    community[0].start < street[0].end
                ):  # fmt: skip
                    self._by_names(street, [], streets)
                    self._by_names([], community, streets)
                elif street or community:
                    self._by_names(street, community, streets)
        if self._best() < policy.MATCH_AT:
            for hit in hits:
                if hit.kind == "building":
                    self._by_name(hit, with_street=bool(streets))

    def _by_names(
        self, street: Sequence[Hit], community: Sequence[Hit], streets: Sequence[Sequence[Hit]]
    ) -> None:
        tail, in_community = self._tail(street, community, streets)
        ahead = None
        if street and not community:
            ahead = _BUILT_AHEAD.search(self._text, 0, street[0].start)
        before = self._text[: min(h[0].start for h in (street, community) if h)]
        for reading in doors(tail, in_community=in_community):
            door = with_inner_ahead(reading, before)
            if ahead and door.building is None:
                door = door._replace(building=ahead[1].lstrip("0"))
            self._by_door(street, community, door)

    def _tail(
        self, street: Sequence[Hit], community: Sequence[Hit], streets: Sequence[Sequence[Hit]]
    ) -> tuple[str, bool]:
        """The text from the first name on, names as marks, up to another street."""
        own = [
            (h[0].start, h[0].end, mark)
            for h, mark in ((street, STREET), (community, COMMUNITY))
            if h
        ]
        own.sort()
        end = min(
            (s[0].start for s in streets if s is not street and s[0].start >= own[-1][1]),
            default=len(self._text),
        )
        tail, at = "", own[0][1]
        for start, stop, mark in own[1:]:
            tail += self._text[at:start] + mark
            at = stop
        return tail + self._text[at:end], own[0][2] == COMMUNITY

    # ---------------------------------------------------------------- look-ups
    def _by_door(self, street: Sequence[Hit], community: Sequence[Hit], door: Door) -> None:
        if street and door.number:
            self._by_number(street, community, door)
        if community and (door.building or not street):
            self._by_building(street, community, door)

    def _by_number(self, street: Sequence[Hit], community: Sequence[Hit], door: Door) -> None:
        assert door.number  # noqa: S101 - the caller has looked
        top = max(h.quality for h in street)
        missing = True
        for hit in sorted(street, key=lambda h: -h.quality):
            there = self._book.at_number[hit.target].get(door.number, ())
            same_tier = hit.quality >= top - policy.SAME_TIER
            quality = hit.quality * door.weight
            if there and same_tier:
                missing = False
            if not same_tier and missing:
                quality = min(quality, policy.NUMBER_DIFFERS)
            for b in there:
                factor, reasons = self._inside(b, len(there), community, door)
                self._add(b, quality * factor, (*hit.reasons, *reasons), door)
        if missing and door.weight == 1.0:
            self._note("number_unknown")
            best = max(street, key=lambda h: h.quality)
            for n, b in enumerate(neighbours(self._book, best.target, door.number)):
                nearness = policy.NUMBER_ONLY - n / 100
                self._add(b, nearness * best.quality, ("number_differs",), door)

    def _inside(
        self, b: int, fellows: int, community: Sequence[Hit], door: Door
    ) -> tuple[float, list[str]]:
        """How well building number and community fit a building found by its street's number."""
        book = self._book
        factor, reasons = 1.0, []
        if door.building is not None:
            if book.built[b] == door.building:
                reasons.append("building_number")
            elif book.built[b]:
                factor *= policy.BUILDING_DIFFERS
                reasons.append("building_number_differs")
            else:
                factor *= policy.BUILDING_UNKNOWN
                reasons.append("building_number_unknown")
        elif fellows > 1:
            reasons.append("building_number_missing")
        if community and book.community[b] != NO and book.community[b] not in book.areas:
            if any(h.target == book.community[b] for h in community):
                reasons.append("community_agrees")
            elif max(h.quality for h in community) >= policy.MATCH_AT:
                factor *= policy.COMMUNITY_DIFFERS
                reasons.append("community_differs")
        return factor, reasons

    def _by_building(self, street: Sequence[Hit], community: Sequence[Hit], door: Door) -> None:
        book = self._book
        for hit in community:
            inside = book.in_community[hit.target]
            if not door.building:
                self._note("building_number_missing")
                some = [b for many in inside.values() for b in many][: policy.CANDIDATES + 1]
                only = policy.ONLY_ONE_THERE if len(some) == 1 else policy.NUMBER_ONLY
                for b in some[: policy.CANDIDATES]:
                    self._add(b, hit.quality * only, ("building_number_missing",), door)
                continue
            there = inside.get(door.building, ())
            if not there:
                self._note("building_number_unknown")
            for b in there:
                factor, reasons = self._around(b, street, door)
                quality = hit.quality * door.weight * factor
                self._add(b, quality, (*hit.reasons, *reasons), door)

    def _around(self, b: int, street: Sequence[Hit], door: Door) -> tuple[float, list[str]]:
        """How well street and house number fit a building found by its community."""
        book = self._book
        if not street or max(h.quality for h in street) < policy.MATCH_AT:
            return 1.0, []
        if any(h.target == book.street[b] for h in street):
            if door.number and book.number[b] and book.number[b] != door.number:
                return policy.NUMBER_DIFFERS, ["number_differs"]
            return 1.0, ["street_agrees"]
        if door.number and book.number[b]:
            return policy.COMMUNITY_DIFFERS, ["street_differs"]
        return policy.STREET_DIFFERS, ["street_differs"]

    def _by_name(self, hit: Hit, *, with_street: bool) -> None:
        book = self._book
        there = book.named_buildings(hit.target)
        short = hit.end - hit.start < policy.NAMED_FROM
        said = doors(self._text[hit.end :], in_community=True)[0]
        clear = _DOORISH.match(self._text, hit.end) is not None and not short
        quality = hit.quality * (policy.NAMED if clear else policy.NAMED_LANDMARK)
        if "number_unknown" in self._notes and with_street:
            quality *= policy.NUMBER_DIFFERS
        if said.building is not None:
            quality *= policy.BUILDING_UNKNOWN  # one of several: the name alone is another one
        door = doors(self._text[hit.end :], in_community=False, known=True)[0]
        for b in there[: policy.CANDIDATES]:
            self._add(b, quality, (*hit.reasons, "building_name"), door)

    def _add(self, b: int, score: float, reasons: Iterable[str], door: Door) -> None:
        said = tuple(reasons)
        district = self._book.district[b]
        if self._placed.districts and district != NO and (
            self._book.districts[district] not in self._placed.districts
        ):  # fmt: skip
            no_slip = score >= policy.NO_SLIP and "taught" not in said
            sure = no_slip or not _AGREE.isdisjoint(said)
            mistaken = sure and self._book.is_elsewhere(b, self._placed.districts)
            score *= policy.DISTRICT_MISTAKEN if mistaken else policy.DISTRICT_DIFFERS
            said = (*said, "district_differs")
        elif self._placed.unknown_district:
            score *= policy.DISTRICT_UNKNOWN
            said = (*said, "district_unknown")
        if door.near:
            score = min(score, policy.NEAR_ONLY)
            said = (*said, "near_only")
        known = self._found.get(b)
        if known is None or known.score < score:
            self._found[b] = Found(min(score, 1.0), said, door)

    def _note(self, reason: str) -> None:
        if reason not in self._notes:
            self._notes.append(reason)

    # ---------------------------------------------------------------- nearly
    def _nearly(self) -> None:
        """Slips of the pen: words before a number that are no name as they stand."""
        kinds: frozenset[Kind] = frozenset({"street", "community", "building"})
        new: list[Hit] = []
        for token in TOKEN.finditer(self._text):
            start, end = token.span()
            if mark := MARK_FIRST.match(self._text, start, end):
                start = mark.end() if start and self._text[start - 1].isalnum() else start
            behind = [
                h.end
                for h in self._hits
                if start < h.end <= end and not h.bare and "words_before" not in h.reasons
            ]
            start = max([start, *behind])
            while end > start and self._text[end - 1] in _WEAK_END:
                end -= 1
            if end - start < 2:
                continue
            free = frozenset(
                i
                for i in range(start, end)
                if i == start or (self._begins(i) and not self._text[i - 1].isdigit())
            )
            new += self._book.names.nearly(self._text[start:end], start, free, kinds)[:12]
        if new:
            self._hits = _merged([*self._hits, *new])
            self._by_hits(self._hits)


def neighbours(book: Book, street: int, number: str) -> list[int]:
    """Buildings of the nearest house numbers of a street, for a person to choose from."""
    if not (digits := re.match(r"\d+", number)):
        return []
    wanted = int(digits[0])
    near = sorted(
        (abs(int(own[0]) - wanted), key)
        for key in book.at_number[street]
        if (own := re.match(r"\d+", key))
    )
    return [b for _, key in near[:4] for b in book.at_number[street][key][:2]]


def _spans(hits: Iterable[Hit]) -> list[list[Hit]]:
    """Hits that stand at the same place, place by place."""
    found: dict[int, list[Hit]] = {}
    for hit in hits:
        found.setdefault(hit.end, []).append(hit)
    return [found[end] for end in sorted(found)][:4]


def _merged(hits: Sequence[Hit]) -> list[Hit]:
    """The best hit of each name at each place."""
    best: dict[tuple[int, Kind, int], Hit] = {}
    for hit in hits:
        key = (hit.end, hit.kind, hit.target)
        if key not in best or best[key].quality < hit.quality:
            best[key] = hit
    return sorted(best.values(), key=lambda h: (h.start, -h.quality))
