"""How a name, a number or a flat is written wrong or otherwise, and whether a person could still
tell what was meant."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterable

from benchmarks._address_words import SAME_SHAPE, SAME_SOUND

KEEP = frozenset("一二三四五六七八九十头东西南北中前后新老大小上下左右第期街路道胡同区")
"""Characters whose slip would name another street; endings are dealt with apart."""
ENDING = re.compile(r"(大街|大道|街|路|道|胡同)$")
FULL_WIDTH = str.maketrans("0123456789-", "０１２３４５６７８９－")
DIGITS = "零一二三四五六七八九"


def _groups(words: Iterable[str]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for word in words:
        for c in word:
            found.setdefault(c, set()).update(word)
    return {c: frozenset(others) for c, others in found.items()}


SOUND, SHAPE = _groups(SAME_SOUND), _groups(SAME_SHAPE)


def stem(street: str) -> str:
    """A street's name without what kind of street it is."""
    return ENDING.sub("", street) or street


def distance(a: str, b: str) -> int:
    """Edits between two words; two neighbours in the wrong order are one edit."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        two_before, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, two_before[j - 2] + 1)
            row.append(best)
    return row[-1]


def still_meant(said: str, meant: str, names: Collection[str]) -> bool:
    """Whether `meant` alone of the names is nearest to what was said, its ending left aside."""
    short = stem(said)
    ours = min(distance(said, meant), distance(short, stem(meant)))
    for name in names:
        if name == meant or abs(len(name) - len(said)) > 3:
            continue
        if not set(stem(name)) & set(short):
            continue
        if min(distance(said, name), distance(short, stem(name))) <= ours:
            return False
    return True


def unmistakable(name: str, names: Collection[str]) -> bool:
    """Whether a name cannot be one of the names with a slip or another ending; another number or
    direction, as in 康宁三道街 and 康宁五道街, is no slip."""
    short = stem(name)
    for other in map(stem, names):
        if abs(len(other) - len(short)) > 1 or not set(other) & set(short):
            continue
        if distance(short, other) > 1:
            continue
        pairs = [p for p in zip(short, other, strict=False) if p[0] != p[1]]
        if len(other) != len(short) or len(pairs) != 1 or not KEEP.issuperset(pairs[0]):
            return False
    return True


def _alike(a: str, b: str, groups: dict[str, frozenset[str]]) -> bool:
    return len(a) == len(b) and all(
        x == y or y in groups.get(x, ()) for x, y in zip(a, b, strict=True)
    )


def slip(chance: random.Random, name: str, names: Collection[str]) -> tuple[str, str] | None:
    """The name with one typing error and what error it is; None when none was found that leaves
    clear which name is meant."""
    for _ in range(6):
        what = chance.choices(
            ("homophone", "lookalike", "missing", "swapped", "doubled"), (40, 25, 20, 10, 5)
        )[0]
        if said := _slipped(chance, name, what, names):
            return said, what
    return None


def _slipped(chance: random.Random, name: str, what: str, names: Collection[str]) -> str | None:
    places = [i for i, c in enumerate(name) if c not in KEEP]
    if not places:
        return None
    at = chance.choice(places)
    if what in {"homophone", "lookalike"}:
        groups = SOUND if what == "homophone" else SHAPE
        others = sorted(groups.get(name[at], frozenset()) - {name[at]})
        if not others:
            return None
        said = name[:at] + chance.choice(others) + name[at + 1 :]
        rivals = [n for n in names if n != name]
        clear = not any(_alike(stem(n), stem(said), groups) for n in rivals)
        return said if clear else None
    if what == "missing":
        said = name[:at] + name[at + 1 :]
        if len(stem(said)) < 2:
            return None
    elif what == "swapped":
        if at + 1 >= len(stem(name)) or name[at] == name[at + 1] or name[at + 1] in KEEP:
            return None
        said = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    else:
        said = name[: at + 1] + name[at:]
    return said if still_meant(said, name, names) else None


def in_chinese(number: int) -> str:
    """128 as 一百二十八."""
    text, zero = "", False
    for value, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // value % 10
        if digit:
            text += ("零" if zero and text else "") + DIGITS[digit] + unit
        zero = digit == 0
    return text.removeprefix("一") if 10 <= number < 20 else text


def digit_by_digit(number: str) -> str:
    """502 as 五零二."""
    return "".join(DIGITS[int(c)] for c in number)


def house_number(chance: random.Random, number: str) -> tuple[str, str | None]:
    """A house number as people write it, and the defect's name if it is one."""
    main, _, sub = number.partition("-")
    if sub:
        forms = (f"{number}号", f"{main}号-{sub}", f"{main}之{sub}号", f"{main}附{sub}号",
                 f"{main}-{sub}")  # fmt: skip
        form = chance.choice(forms)
        return form, None if form == forms[0] else "sub_number"
    roll = chance.random()
    if roll < 0.58:
        return f"{main}号", None
    if roll < 0.69:
        return main, "no_hao"
    if roll < 0.75:
        said = in_chinese(int(main)) if chance.random() < 0.8 else digit_by_digit(main)
        return f"{said}号", "chinese_numeral"
    if roll < 0.81:
        return f"{main.translate(FULL_WIDTH)}号", "full_width"
    if roll < 0.86:
        return f"{main}号楼" if chance.random() < 0.5 else f"{main}#", "other_mark"
    if roll < 0.89:
        return f"{main} 号", "blank"
    if roll < 0.95 and len(main) > 1 and set(main) & {"0", "1"}:
        return _misread(chance, main) + "号", "misread_digit"
    return f"{main}号院" if chance.random() < 0.3 else f"{main}号", None


def _misread(chance: random.Random, number: str) -> str:
    at = chance.choice([i for i, c in enumerate(number) if c in "01"])
    letter = "O" if number[at] == "0" else chance.choice("lI")
    return number[:at] + letter + number[at + 1 :]


def block(chance: random.Random, number: int) -> str:
    """A building of a community."""
    word = chance.choices(("栋", "号楼", "#", "幢", "座", "#楼", "号"), (36, 27, 12, 9, 5, 6, 5))[0]
    roll = chance.random()
    text = f"{number}"
    if roll < 0.08 and "#" not in word:
        text = in_chinese(number)
    elif roll < 0.14:
        text = text.translate(FULL_WIDTH)
    return text + word


Told = tuple[int | None, int | None, str | None]
"""Unit, floor and flat, as far as an address tells them."""


def unit_and_flat(
    chance: random.Random, unit: int, floor: int, flat: str
) -> tuple[str, Told, str | None]:
    """A home in its building: the words, what they tell of it, and the defect."""
    roll = chance.random()
    room = chance.choice(("", "室", "", "号"))
    if roll < 0.32:
        return f"{unit}单元{flat}{room}", (unit, floor, flat), None
    if roll < 0.40:
        return f"{unit}单元{floor}楼{flat}{room}", (unit, floor, flat), None
    if roll < 0.45:
        return f"{unit}单元{floor}层{flat}室", (unit, floor, flat), None
    if roll < 0.52:
        return f"{unit}门{flat}{room}", (unit, floor, flat), "gate_for_unit"
    if roll < 0.72:
        return f"{unit}-{flat}{room}", (unit, floor, flat), "dashes"
    if roll < 0.77:
        words = f"{in_chinese(unit)}单元{digit_by_digit(flat)}室"
        return words, (unit, floor, flat), "chinese_numeral"
    if roll < 0.82:
        return f"{in_chinese(unit)}单元{flat}", (unit, floor, flat), "chinese_numeral"
    if roll < 0.87:
        side = chance.choice(("左", "右", "左手", "中门", "东户", "西户"))
        gate = chance.choice(("门", "单元"))
        return f"{unit}{gate}{floor}楼{side}", (unit, floor, None), "side_for_flat"
    if roll < 0.92:
        return f"{unit}单元{floor}楼", (unit, floor, None), "no_flat"
    if roll < 0.96:
        return f"{unit}单元", (unit, None, None), "no_flat"
    return f"{flat}室", (None, floor, flat), "no_unit"
