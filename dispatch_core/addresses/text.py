"""One writing for all ways to type an address: width, script, numerals, marks, phones, titles."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

from dispatch_core.addresses.policy import LONGEST
from dispatch_core.addresses.traditional import SIMPLIFIED

_DIGITS: Final = {c: i for i, c in enumerate("零一二三四五六七八九")} | {
    "〇": 0, "幺": 1, "壹": 1, "贰": 2, "叁": 3, "肆": 4, "伍": 5, "陆": 6, "柒": 7, "捌": 8,
    "玖": 9,
}  # fmt: skip
_TENS: Final = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100}
_NUMERAL: Final = re.compile("[零〇幺一二三四五六七八九十百千壹贰叁肆伍陆柒捌玖拾佰]+")
_COUNTS: Final = "[零一二三四五六七八九十百壹贰叁肆柒捌玖拾佰]"
_SPLIT: Final = re.compile(f"(?<={_COUNTS}) (?={_COUNTS})")
"""A blank within a numeral."""
_SPACED: Final = re.compile(
    r"(?:(?<=[街路道巷同])\s*\d\s\d|(?<=[\u4e00-\u9fff])\d\s\d\s\d)(?:\s\d){0,3}(?=(?:-\d{1,2})?\s?号(?![楼栋门院座幢]))"
)
"""A house number with blanks between its digits: 经纬街1 2 8号."""
_FIRST: Final = re.compile("(?<![一二三四五六七八九十])头(?:道|[到倒捣盗通](?=街))")
_CAPITALS: Final = re.compile("[壹贰叁肆伍陆柒捌玖拾佰]")
_COUNTED: Final = re.compile(r"号|栋|幢|单元|-\d|[楼层](?![\u4e00-\u9fff])")
_TWO: Final = re.compile("两(?=个?(?:单元|门|栋|幢|楼|号))")
_HOUSEHOLD: Final = re.compile(
    r"(?:户号|用户号|用户编号|供热编号|卡号)\s*(?:是|为)?\s*([A-Z0-9][A-Z0-9-]{4,19})"
)
_BARE_NUMBER: Final = re.compile(r"[A-Z]{0,4}-?\d{5,18}")
_PHONE: Final = re.compile(
    r"(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)"
    r"|(?<![\d-])0\d{2,3}[ -]?\d{7,8}(?!\d)"
    r"|(?<![\d-])\d{3,4}[ -]\d{4}[ -]\d{4}(?![\d-])"
    r"|(?<!\d)\d{7,}(?!\d)"
)
SURNAMES: Final = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁"
    "魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎"
    "易常武乔贺赖龚文"
)
_TITLE: Final = (
    "先生|女士|小姐|师傅|大爷|大娘|大妈|大叔|大姐|阿姨|老师|奶奶|爷爷|同志|老人|经理|主任|医生|太太"
)
_PERSON: Final = re.compile(
    rf"(?:(?:联系人|业主|户主|房主|住户|姓名|报修人|租户|用户)(?:是|为|叫|姓)?[ ]*"
    rf"[{SURNAMES}][\u4e00-\u9fff]{{0,2}}?(?={_TITLE}|[ \d]|$)(?:{_TITLE})?"
    rf"|[{SURNAMES}][\u4e00-\u9fff]{{0,2}}?(?:{_TITLE})|(?:联系)?电话|手机号?码?|联系方式|联系人)"
)
_COMMA: Final = "\x1f"
"""Stands for a comma or a bracket until blanks are taken out."""
_MARKS: Final = str.maketrans(
    dict.fromkeys("－—–―‐‑‒−~～/\\_·•", "-")
    | dict.fromkeys(",，。;；、:：!！?？\"'“”‘’()（）[]【】<>《》{}「」|\n", _COMMA)
    | dict.fromkeys("\t\r*+=@&^$%`", " ")
    | {"＃": "#", "№": "#"}
)
_LETTER_BEHIND: Final = re.compile(r"(\d)号([甲乙丙丁])(?=$|[ \d楼栋单院-])")
_LETTER: Final = re.compile(r"(?<=\d)[甲乙丙丁](?=$|[ \d号楼栋单院-])|[甲乙丙丁](?=\d)")
_LETTERS_OF: Final = str.maketrans("甲乙丙丁", "ABCD")
_OCR_ZERO: Final = re.compile(
    r"(?<=\d)[O〇](?=\d|号|室|栋|-|$)|(?<=\d)[O](?=O\d)|(?<![A-Z])O(?=\d{1,3}(?:号|室))"
)
_OCR_ONE: Final = re.compile(
    r"(?<=\d)[IL](?=\d|号|室|栋|单|-|$)|(?<![A-Z])[IL](?=\d+(?: ?号|室|-|单|栋))"
)
_POINT: Final = re.compile(r"(?<=\d)\.(?=\d)")
_BLANK: Final = re.compile(r"[\s\x1f]+")
_WORD: Final = re.compile(r"[A-Z0-9]")
_LETTERS: Final = str.maketrans("", "", "\u200b\u200c\u200d\ufeff\u2060")


class Written(NamedTuple):
    """A text in the one writing."""

    text: str
    """Without blanks except for a comma and between two numbers; numerals are digits; Latin letters
    are large."""
    cuts: frozenset[int]
    """Where in `text` a blank or a comma stood."""
    household: str | None
    """A household number that was named as such, or that is all there is."""


def simplify(text: str) -> str:
    """Width, script and case made one; blanks and marks as they are."""
    plain = unicodedata.normalize("NFKC", text).upper().translate(_LETTERS)
    if not plain.isascii():
        plain = "".join(SIMPLIFIED.get(c, c) for c in plain)
    return plain


def write(text: str) -> Written:
    """The one writing of a text, phones and titled persons left out."""
    plain = simplify(text[:LONGEST]).translate(_MARKS).strip()
    household = None
    if named := _HOUSEHOLD.search(plain):
        household = named[1]
        plain = plain[: named.start()] + " " + plain[named.end() :]
    elif _BARE_NUMBER.fullmatch(plain):
        return Written("", frozenset(), plain)
    plain = _PHONE.sub(" ", plain)
    plain = _PERSON.sub(" ", plain)
    plain = _POINT.sub("-", plain)
    if "O" in plain:
        plain = _OCR_ZERO.sub("0", plain)
    if "I" in plain or "L" in plain:
        plain = _OCR_ONE.sub("1", plain)
    plain = _SPACED.sub(lambda found: "".join(found[0].split()), numerals(plain))
    return _closed(_lettered(plain), household)


@lru_cache(maxsize=50_000)
def name_key(name: str) -> str:
    """A name of the register in the same writing, without blanks."""
    return _lettered(_BLANK.sub("", numerals(simplify(name).translate(_MARKS))))


def _lettered(text: str) -> str:
    """128号甲 and 128甲号 as 128A号."""
    text = _LETTER_BEHIND.sub(r"\1\2号", text)
    return _LETTER.sub(lambda found: found[0].translate(_LETTERS_OF), text)


def _closed(plain: str, household: str | None) -> Written:
    """Blanks out, except for a comma and between two numbers; where they stood is remembered."""
    text = ""
    cuts: list[int] = []
    for clause in plain.split(_COMMA):
        for n, part in enumerate(clause.split()):
            if text:
                if n == 0 or (_WORD.match(text[-1]) and _WORD.match(part[0])):
                    text += " "
                cuts.append(len(text))
            text += part
    return Written(text, frozenset(cuts), household)


def numerals(text: str) -> str:
    """Chinese numerals as digits, 头道 as 1道; a digit before or behind stays apart by a blank."""
    if "两" in text:
        text = _TWO.sub("二", text)
    text = _FIRST.sub("1道", _SPLIT.sub("", text))

    def digits(found: re.Match[str]) -> str:
        run = found[0]
        value = _value(run, counted=_COUNTED.match(text, found.end()) is not None)
        if value is None:
            return run
        before = text[found.start() - 1 : found.start()]
        behind = text[found.end() : found.end() + 1]
        return (
            (" " if before.isdigit() and before.isascii() else "")
            + value
            + (" " if behind.isdigit() and behind.isascii() else "")
        )

    return _NUMERAL.sub(digits, text)


def _value(run: str, *, counted: bool = False) -> str | None:
    """The number a run of numerals says; None for one that says none, as 千 in 千山."""
    if len(run) == 1 and _CAPITALS.match(run) and not counted:
        return None  # 陆 and 伍 are names
    if not any(c in _TENS for c in run):
        return "".join(str(_DIGITS[c]) for c in run)
    total, digit, last = 0, -1, 10_000
    for c in run:
        if c in _TENS:
            unit = _TENS[c]
            if unit >= last or (digit < 0 and (unit != 10 or total)):
                return None
            total += (1 if digit < 0 else digit) * unit
            last, digit = unit, -1
        else:
            if digit > 0:
                return None
            digit = _DIGITS[c]
    if digit > 0:
        # 一百二 is 120, 一百零二 is 102, 二十二 is 22
        short = last > 10 and run[-2] in _TENS
        total += digit * (last // 10 if short else 1)
    return str(total)
