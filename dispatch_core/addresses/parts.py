"""A name taken apart: what is its own, and the words that every street or community has."""

from __future__ import annotations

import re
from typing import Final

STREET_END: Final = re.compile("(?:大街|大道|胡同|街|路|道|巷)$")
_GENERIC_END: Final = re.compile("(?:住宅小区|小区|社区|家属院|家属区|住宅区|大院)$")
PHASE: Final = re.compile(r"第?(\d{1,2}|[A-Z]|[东西南北中])(期|区|组团|[园苑](?![\u4e00-\u9fff]))")
_PHASE_END: Final = re.compile(PHASE.pattern.replace(r"(?![\u4e00-\u9fff])", "") + "$")
_BRIEF_END: Final = re.compile("(?:家园|花园|公寓|新城|名苑|嘉园|新村|家属楼|佳园|家苑)$")


def street_parts(key: str) -> tuple[str, str]:
    """(core, suffix) of a street's key."""
    found = STREET_END.search(key)
    if found is None or found.start() == 0:
        return key, ""
    return key[: found.start()], found[0]


def community_parts(key: str) -> tuple[str, str, str]:
    """(core, generic word, phase) of a community's key."""
    phase = generic = ""
    for _ in range(2):
        if (last := _GENERIC_END.search(key)) and last.start() >= 2:
            generic, key = last[0], key[: last.start()]
        if not phase and (found := _PHASE_END.search(key)) and found.start() >= 2:
            phase, key = found[1] + found[2], key[: found.start()]
    return key, generic, phase


def brief_of(key: str) -> str:
    """What people call a community for short; empty where its name has no usual ending."""
    core, _, phase = community_parts(key)
    end = _BRIEF_END.search(core)
    return core[: end.start()] if end and end.start() >= 2 and not phase else ""
