"""How people shorten the names of universities and hospitals: 哈工大 for 哈尔滨工业大学."""

from __future__ import annotations

import re
from typing import Final

_WHOLE: Final = re.compile(
    r"^(?P<place>哈尔滨|齐齐哈尔|牡丹江|佳木斯|[\u4e00-\u9fff]{2}|黑龙江|内蒙古)"
    r"(?P<field>[\u4e00-\u9fff]{0,4}?)(?P<end>大学|学院|医院)(?P<rest>.*)$"
)


def abbreviations(key: str) -> list[str]:
    """Short forms of an institution's name with whatever stands behind it; empty for others."""
    found = _WHOLE.match(key)
    if found is None:
        return []
    place, field, end, rest = found["place"], found["field"], found["end"], found["rest"]
    if end != "大学":
        return [f"{place[0]}{field}{end}{rest}"] if field else []
    if not field:
        return [f"{place[0]}大{rest}"]
    return [
        f"{place[0]}{field[0]}大{rest}", f"{field[0]}大{rest}", f"{place[0]}{field}大学{rest}",
        f"{field}大学{rest}", f"{field}大{rest}",
    ]  # fmt: skip
