"""How one name is written for another: by ear, by eye, by hand."""

from __future__ import annotations

import re
from typing import Final

from dispatch_core.addresses import policy
from dispatch_core.addresses.shapes import ALIKE
from dispatch_core.addresses.sounds import EAR, READINGS
from dispatch_core.addresses.text import SURNAMES

TELLING: Final = frozenset(
    "东西南北中上下前后左右内外大小新老旧副辅0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)
"""Characters that tell one street from its neighbour: none of them is ever put right."""
_COMMON_END: Final = re.compile(
    "(?:家园|花园|新村|公寓|新城|名苑|名城|华庭|华府|嘉园|庄园|大厦|广场|新居|山庄|国际|雅苑|"
    "丽景|佳园|家苑|小镇|[苑园城里庭居府湾])$"
)
"""Endings that many communities share."""


def similarity(typed: str, core: str) -> tuple[float, str]:
    """How likely `typed` is `core` written wrongly once or twice, 0 to 1, and how."""
    if typed == core:
        return 1.0, ""
    match len(typed) - len(core):
        case 0:
            return _replaced(typed, core)
        case -1:
            return _left_out(typed, core)
        case 1:
            return _put_in(typed, core)
        case _:
            return 0.0, ""


def _own(core: str) -> list[int]:
    """Places of the characters that make a name this one: not 三道, not 家园."""
    end = _COMMON_END.search(core)
    stop = end.start() if end and end.start() > 0 else len(core)
    return [i for i, c in enumerate(core[:stop]) if c not in TELLING and c not in "道第"]


def _replaced(typed: str, core: str) -> tuple[float, str]:
    at = [i for i, c in enumerate(core) if typed[i] != c]
    if len(at) > 2:
        return 0.0, ""
    if len(at) == 2 and at[1] == at[0] + 1:
        i, j = at
        if typed[i] == core[j] and typed[j] == core[i]:
            return policy.SWAPPED, "characters_swapped"
    quality, code, others = 1.0, "", 0
    for i in at:
        one, code, other = _character(typed[i], core[i])
        if one == policy.NUMBERED_OTHERWISE:
            return (one if len(at) == 1 else 0.0), code
        quality *= one
        others += other
    if others and len(at) > 1:
        return 0.0, ""
    kept = [i for i in _own(core) if i not in at]
    between = len(at) == 1 and core[at[0]] == "道" and core[at[0] - 1].isdigit()
    if others:
        quality = policy.OTHER_CHARACTER if len(kept) >= 2 or between else policy.OTHER_OF_TWO
    elif len(at) > 1:
        quality *= policy.TWO_SLIPS
    if not kept and len(core) > len(at) and not between:
        quality *= policy.NOTHING_KEPT
    return quality, code


def _character(typed: str, meant: str) -> tuple[float, str, int]:
    if (typed in TELLING and meant in TELLING) or typed.isdigit() or meant.isdigit():
        return policy.NUMBERED_OTHERWISE, "named_otherwise", 1
    if set(READINGS.get(typed, ())) & set(READINGS.get(meant, (typed,))):
        return policy.SAME_SOUND, "sounds_alike", 0
    if typed + meant in ALIKE:
        return policy.ALIKE, "looks_alike", 0
    if set(EAR.get(typed, ())) & set(EAR.get(meant, (typed,))):
        return policy.NEAR_SOUND, "sounds_alike", 0
    return policy.OTHER_CHARACTER, "character_differs", 1


def _left_out(typed: str, core: str) -> tuple[float, str]:
    for i, c in enumerate(core):
        if typed == core[:i] + core[i + 1 :]:
            if c in TELLING:
                return policy.NUMBERED_OTHERWISE, "part_left_away"
            end = _COMMON_END.search(core)
            if end and len(end[0]) == 1 and end.start() == i:
                return policy.NUMBERED_OTHERWISE, "part_left_away"  # 玫瑰 of 玫瑰湾
            own = _own(core)
            if own == [i]:
                return 0.0, ""
            short = len(own) < 3
            return (policy.MISSING_OF_TWO if short else policy.MISSING), "character_missing"
    return 0.0, ""


def _put_in(typed: str, core: str) -> tuple[float, str]:
    for i, c in enumerate(typed):
        if core == typed[:i] + typed[i + 1 :]:
            if typed[i - 1 : i] == c or typed[i + 1 : i + 2] == c:
                return policy.DOUBLED, "character_doubled"
            if c in TELLING or i == 0 or len(_own(core)) < 2:
                return policy.NUMBERED_OTHERWISE, "part_added"
            return policy.ADDED, "character_added"
    return 0.0, ""


def lead(before: str, core: str) -> float:
    """What a name loses that begins behind other characters of the same word."""
    if before[-1] in TELLING or (core[0] in TELLING and not core[0].isdigit()):
        return policy.LED_BY_DIRECTION
    if is_apart(before):
        return policy.INSIDE
    return policy.LED_BY_ONE


def is_apart(before: str) -> bool:
    """Whether an unknown word before a name is rather a person or talk than the first part of a
    longer name."""
    return len(before) > 3 or (len(before) > 1 and before[0] in SURNAMES)
