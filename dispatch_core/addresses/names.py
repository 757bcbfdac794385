"""Names of streets, communities and buildings: found in a text as written, or nearly so."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from dispatch_core.addresses import policy
from dispatch_core.addresses.parts import PHASE, STREET_END, community_parts, street_parts
from dispatch_core.addresses.slips import lead, similarity
from dispatch_core.addresses.sounds import EAR

Kind = Literal["street", "community", "building"]

_SUFFIX: Final = re.compile("大街|大道|胡同|街|路|道|巷")
_GENERIC: Final = re.compile("(?:住宅)?小区|社区|家属[院区]|住宅区|大院")
_KIN: Final = ({"街", "大街"}, {"道", "大道"}, {"胡同", "巷"})
_TOO_COMMON: Final = re.compile("家园|花园|公寓|新村|新城|广场|国际|[\u4e00-\u9fff]{2,3}[区县市]")
"""花园小区, 松北区小区: nothing of its own without the last word."""
_HEARD_ENDS: Final = {
    "街": "接阶界结节介衔", "路": "陆录鹿露潞", "道": "到倒", "巷": "港向", "区": "曲",
}  # fmt: skip
_ENDS: Final = {wrong: right for right, many in _HEARD_ENDS.items() for wrong in many}
_NUMBERED: Final = re.compile(
    r"[A-Z]?\d{1,5}[A-Z]?(?:号|栋|幢|座|单元|#|[-之附 \ue002]|楼(?!\d)|$)|[A-Z][座栋]"
)
"""What must stand behind a name that is written without its 街 or 小区."""
_STREET_NUMBER: Final = re.compile(
    r" ?[A-Z]?\d{1,5}[A-Z]?(?:号(?![栋楼座幢])|单元|#(?!楼)|[-之附 \ue002]|$)"
)
_BUILDING_NUMBER: Final = re.compile(r"第?\d{1,3}(?:号楼|栋|幢|座|#楼)")
_ONLY_NUMBER: Final = re.compile(r"\d{1,5}号(?![栋楼座幢])")
_WINDOW: Final = 12
_TRIED: Final = 160


class Name(NamedTuple):
    """A name as it is looked for."""

    core: str
    """Without 街, 路, 小区."""
    suffix: str
    kind: Kind
    target: int
    """Number of the street, community or building in its book."""
    phase: str
    """`2期` of a community of several phases."""
    weight: float
    brief: bool = False
    """Without its 家园 or 花园: meant only right before a building's number."""


class Hit(NamedTuple):
    """A name found in a text."""

    start: int
    end: int
    quality: float
    reasons: tuple[str, ...]
    kind: Kind
    target: int
    bare: bool
    """Written without its 街 or 小区."""
    full: bool = False
    """Written with its own 街 or 小区."""


class Names:
    """All names of a book, frozen after `freeze`."""

    def __init__(self) -> None:
        self._all: list[Name] = []
        self._by_core: dict[str, list[int]] = defaultdict(list)
        self._lengths: dict[str, tuple[int, ...]] = {}
        self._heard: dict[str, list[int]] = defaultdict(list)
        self._cores: list[str] = []
        self._least = array("H")
        """How many characters of each core must be heard in what was typed."""

    def has(self, core: str) -> bool:
        """Whether a name is called so, its 街 or 小区 left away."""
        return core in self._by_core

    def add(
        self, key: str, kind: Kind, target: int, weight: float = 1.0, *, brief: bool = False
    ) -> None:
        """Look for `key` from now on."""
        if kind == "street":
            core, suffix = street_parts(key)
            name = Name(core, suffix, kind, target, "", weight)
        elif kind == "community":
            core, suffix, phase = community_parts(key)
            name = Name(core, suffix, kind, target, phase, weight, brief)
        else:
            name = Name(key, "", kind, target, "", weight)
        if len(name.core) >= (1 if name.suffix else 2):
            self._by_core[name.core].append(len(self._all))
            self._all.append(name)

    def freeze(self) -> None:
        """Build what look-ups need; call once after the last `add`."""
        lengths: dict[str, set[int]] = defaultdict(set)
        for core in self._by_core:
            lengths[core[0]].add(len(core))
        self._lengths = {c: tuple(sorted(n, reverse=True)) for c, n in lengths.items()}
        self._cores = sorted(self._by_core)
        heard: dict[str, list[int]] = defaultdict(list)
        for i, core in enumerate(self._cores):
            for syllable in {s for c in core for s in EAR.get(c, (c,))}:
                heard[syllable].append(i)
        self._heard = heard
        self._least = array(
            "H", (max(1, len({EAR.get(one, (one,))[0] for one in c}) - 1) for c in self._cores)
        )

    # ---------------------------------------------------------------- as written
    def find(self, text: str) -> list[Hit]:
        """Every name in `text`, longest first at each place; none lies inside another."""
        hits: list[Hit] = []
        reach = 0
        for start, first in enumerate(text):
            sizes = self._lengths.get(first)
            if (
                sizes is None
                or start < reach
                or (first.isdigit() and start and text[start - 1].isdigit())
            ):
                continue
            found = [
                hit
                for size in sizes
                if start + size <= len(text)
                and (numbers := self._by_core.get(text[start : start + size]))
                and not _goes_on(text, start + size)
                for hit in self._hits(text, start, start + size, numbers)
            ]
            if found:
                reach = max(h.end for h in found)
                hits += [h for h in found if h.end == reach]
        return hits

    def reach(self, text: str, start: int) -> int:
        """Where the longest name ends that stands in full at `start`; 0 if there is none."""
        sizes = self._lengths.get(text[start : start + 1], ())
        return max(
            (
                hit.end
                for size in sizes
                if (numbers := self._by_core.get(text[start : start + size]))
                for hit in self._hits(text, start, start + size, numbers)
                if hit.kind != "building" and not hit.bare and hit.quality >= policy.SUFFIX_KIN
            ),
            default=0,
        )

    def _hits(self, text: str, start: int, end: int, numbers: Sequence[int]) -> list[Hit]:
        typed = _SUFFIX.match(text, end)
        generic = _GENERIC.match(text, end)
        found: list[Hit] = []
        for number in numbers:
            name = self._all[number]
            if name.kind == "street":
                hit = _street_hit(text, start, end, name, typed[0] if typed else "")
            elif name.kind == "community":
                hit = _community_hit(text, start, end, name, generic)
            else:
                hit = Hit(start, end, name.weight, (), name.kind, name.target, bare=False)
            if hit is not None:
                found.append(hit)
        for kind in ("street", "community"):
            if any(h.kind == kind and h.full for h in found):
                # 红旗街 and 红旗大街 are two: who wrote one of them in full meant that one
                found = [
                    h._replace(quality=h.quality * policy.OTHER_TYPE_THERE)
                    if h.kind == kind and not h.full
                    else h
                    for h in found
                ]
        return found

    def starting(self, words: str, most: int) -> list[Name]:
        """Names that begin with `words`, in their order."""
        found: list[Name] = []
        i = bisect_left(self._cores, words)
        while i < len(self._cores) and self._cores[i].startswith(words) and len(found) < most:
            found += [self._all[n] for n in self._by_core[self._cores[i]]]
            i += 1
        return found[:most]

    # ---------------------------------------------------------------- nearly so
    def nearly(
        self, token: str, start: int, free: frozenset[int], kinds: frozenset[Kind]
    ) -> list[Hit]:
        """Names that `token`, which stands at `start` of a text, may be meant to be.

        `free`: places of the text where a word may begin.
        """
        token, start = token[-_WINDOW:], start + max(0, len(token) - _WINDOW)
        best: dict[tuple[Kind, int], Hit] = {}
        for reading in _readings(token):
            typed, suffix, phase, cost = reading.core, reading.suffix, reading.phase, reading.cost
            for number, quality, begin, code in self._similar(typed, start, free):
                name = self._all[number]
                if name.kind not in kinds:
                    continue
                loss = cost * name.weight
                reasons = [code] if code else []
                if name.kind == "street":
                    if reading.generic or (suffix == "" and len(name.core) < 2):
                        continue
                    kin, reason = _suffix_loss(suffix, name.suffix)
                    loss *= kin * (
                        policy.BOTH_DIFFER if code and kin == policy.SUFFIX_OTHER else 1.0
                    )
                elif name.kind == "community":
                    if name.brief or not _may_be(reading, name):
                        continue
                    kin, reason = _phase_loss(phase, name.phase)
                    loss *= kin * _bare_loss(reading, name, code)
                else:
                    if suffix or phase or len(name.core) < 4:
                        continue
                    reason = ""
                if reason:
                    reasons.append(reason)
                hit = Hit(
                    begin, start + len(token), quality * loss, tuple(reasons), name.kind,
                    name.target, bare=not suffix, full=not code and begin in free,
                )  # fmt: skip
                key = (name.kind, name.target)
                if key not in best or best[key].quality < hit.quality:
                    best[key] = hit
        exact = [h for h in best.values() if h.full]
        return exact or sorted(best.values(), key=lambda h: -h.quality)

    def _similar(
        self, typed: str, start: int, free: frozenset[int]
    ) -> Iterable[tuple[int, float, int, str]]:
        if not typed:
            return
        counts: Counter[int] = Counter()
        for syllable in {s for c in typed for s in EAR.get(c, (c,))}:
            counts.update(self._heard.get(syllable, ()))
        likely = [i for i, count in counts.items() if count >= self._least[i]]
        if len(likely) > _TRIED:
            likely = sorted(likely, key=counts.__getitem__, reverse=True)[:_TRIED]
        for i in likely:
            core = self._cores[i]
            best = (0.0, 0, "")
            for size in (len(core), len(core) - 1, len(core) + 1):
                if not 1 <= size <= len(typed) or 1 == size < len(typed):
                    continue
                quality, code = similarity(typed[-size:], core)
                begin = start + len(typed) - size
                if quality and size < len(typed) and begin not in free:
                    quality *= lead(typed[: len(typed) - size], core)
                if quality > best[0]:
                    best = (quality, begin, code)
            if best[0] >= policy.LIKELY_AT:
                for number in self._by_core[core]:
                    yield number, *best


def _goes_on(text: str, end: int) -> bool:
    """Whether a numeral at the end of a name is only the beginning of a longer number."""
    return text[end - 1].isdigit() and text[end : end + 1].isdigit()


def _street_hit(text: str, start: int, end: int, name: Name, typed: str) -> Hit | None:
    behind = end + len(typed)
    if not typed:
        if name.suffix and (len(name.core) < 2 or not _STREET_NUMBER.match(text, end)):
            return None
        if not name.suffix:
            return Hit(start, end, name.weight, (), name.kind, name.target, bare=False)
    elif len(name.core) < 2 and typed != name.suffix:
        return None
    if (
        typed
        and text[behind : behind + 1] == "道"
        and text[behind + 1 : behind + 2] not in {"里", "外"}
    ):
        return None  # 安静街道 is a subdistrict
    loss, reason = _suffix_loss(typed, name.suffix)
    reasons = (reason,) if reason else ()
    return Hit(
        start, behind, name.weight * loss, reasons, name.kind, name.target, not typed,
        full=typed == name.suffix,
    )  # fmt: skip


def _suffix_loss(typed: str, suffix: str) -> tuple[float, str]:
    if typed == suffix:
        return 1.0, ""
    if not typed:
        return policy.SUFFIX_LEFT_AWAY, "street_type_left_away"
    if any(typed in kin and suffix in kin for kin in _KIN):
        return policy.SUFFIX_KIN, "street_type_differs"
    return policy.SUFFIX_OTHER, "street_type_differs"


def _community_hit(
    text: str, start: int, end: int, name: Name, generic: re.Match[str] | None
) -> Hit | None:
    if name.brief and not _BUILDING_NUMBER.match(text, end):
        return None
    if generic is not None:
        end = generic.end()
    elif _TOO_COMMON.fullmatch(name.core):
        return None
    typed = ""
    if phase := PHASE.match(text, end):
        typed, end = phase[1] + phase[2], phase.end()
        if late := _GENERIC.match(text, end):
            end = late.end()
    if _SUFFIX.match(text, end) and generic is None and not typed:
        return None  # 和兴 in 和兴路 is the street's
    if len(name.core) < 3 and generic is None and not typed and not _NUMBERED.match(text, end):
        return None
    loss, reason = _phase_loss(typed, name.phase)
    reasons = (reason,) if reason else ()
    bare = generic is None and name.suffix != "" and not typed
    if bare and _ONLY_NUMBER.match(text, end):
        loss *= policy.RATHER_A_STREET
    return Hit(
        start, end, name.weight * loss, reasons, name.kind, name.target, bare,
        full=generic is not None and generic[0] == name.suffix and not reason,
    )  # fmt: skip


def _phase_loss(typed: str, phase: str) -> tuple[float, str]:
    if typed == phase:
        return 1.0, ""
    if not typed:
        return policy.PHASE_LEFT_AWAY, "phase_left_away"
    return (policy.PHASE_UNKNOWN if not phase else policy.NUMBER_ONLY), "phase_differs"


class _Reading(NamedTuple):
    core: str
    suffix: str
    phase: str
    generic: bool
    """It says itself that it is a community."""
    cost: float


def _may_be(reading: _Reading, name: Name) -> bool:
    """Whether words may be a community's at all: no street's, and more than 花园."""
    return STREET_END.fullmatch(reading.suffix) is None and (
        reading.generic or not _TOO_COMMON.fullmatch(name.core)
    )


def _bare_loss(reading: _Reading, name: Name, code: str) -> float:
    short = name.suffix and len(name.core) < 3 and not reading.generic
    return policy.SHORT_AND_BARE if code and short else 1.0


def _readings(token: str) -> list[_Reading]:
    """How a run of characters may be taken apart."""
    if end := STREET_END.search(token):
        found = [_Reading(token[: end.start()], end[0], "", generic=False, cost=1.0)]
        if end[0] in {"大街", "大道"}:
            found.append(_Reading(token[:-1], end[0][-1], "", generic=False, cost=0.99))
        return found
    core, generic, phase = community_parts(token)
    found = [_Reading(core, "", phase, generic=bool(generic or phase), cost=1.0)]
    right = _ENDS.get(token[-1])
    if right and right != "区" and not generic and len(token) > 2:
        found.append(_Reading(token[:-1], right, "", generic=False, cost=policy.SAME_SOUND))
    return found
