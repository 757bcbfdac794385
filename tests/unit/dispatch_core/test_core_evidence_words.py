"""Every check, doubt and slot has its sentence in both languages, with what was measured."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_core.events import PhotoCheck
from dispatch_core.evidence import words
from dispatch_core.ids import (
    CheckOutcome,
    FixDoubt,
    PhotoCheckCode,
    SiteVerdict,
    Slot,
    UnjudgedReason,
)

CODES = get_args(PhotoCheckCode)
OUTCOMES = get_args(CheckOutcome)
CHINESE = re.compile("[\u4e00-\u9fff]")
MEASURES = {
    "seen_eye": "bit", "three_scenes": "bit", "seen_site": "point", "in_window": "s",
    "clocks_agree": "s", "in_fence": "m",
}  # fmt: skip


def whole(said: words.Said) -> None:
    assert CHINESE.search(said.zh)
    assert not CHINESE.search(said.en)
    assert said.zh.endswith("。")
    assert said.en.endswith(".")
    for text in (said.zh, said.en):
        assert "{" not in text
        assert "None" not in text


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("code", CODES)
def test_every_check_and_outcome_has_a_sentence(
    code: PhotoCheckCode, outcome: CheckOutcome
) -> None:
    unit = MEASURES.get(code)
    bare = words.check_words(PhotoCheck(code=code, outcome=outcome))
    full = words.check_words(
        PhotoCheck(code=code, outcome=outcome, value=97, threshold=40, measure=unit)
    )
    no_bound = words.check_words(PhotoCheck(code=code, outcome=outcome, value=97, measure=unit))
    for said in (bare, full, no_bound):
        whole(said)


def test_sentences_of_one_check_differ_by_outcome() -> None:
    for code in CODES:
        told = [
            words.check_words(
                PhotoCheck(code=code, outcome=outcome, value=97, threshold=40,
                           measure=MEASURES.get(code))
            ).en
            for outcome in OUTCOMES
        ]  # fmt: skip
        assert len(set(told)) == len(OUTCOMES), code


@pytest.mark.parametrize(
    ("check", "zh", "en"),
    [
        (
            PhotoCheck(code="in_fence", outcome="fail", value=212.0, threshold=150.0, measure="m"),
            "扣除定位自报误差，拍摄地点距楼 212 米；只允许 150 米。",
            (
                "Less the error that the position states, the picture was taken 212 m from the"
                " building; only 150 m are allowed."
            ),
        ),
        (
            PhotoCheck(code="clocks_agree", outcome="fail", value=7503, threshold=300, measure="s"),
            "时钟相差 2小时5分，远超允许的 5分。",
            "The clocks are 2 h 5 min apart, far more than the 5 min that are allowed.",
        ),
        (
            PhotoCheck(code="seen_bytes", outcome="fail", value="250114-000017"),
            "同一文件已在工单 250114-000017 用过。",
            "This very file was used for ticket 250114-000017.",
        ),
        (
            PhotoCheck(code="in_window", outcome="fail", value="no_check_in"),
            "拍摄班组没有签到。",
            "The crew never checked in.",
        ),
        (
            PhotoCheck(code="file_whole", outcome="fail", value="cut_off"),
            "文件被截断，不完整。",
            "The file is cut off.",
        ),
        (
            PhotoCheck(code="sharp", outcome="warn", value=12.5, threshold=60.0),
            "照片模糊：清晰度 12.5，至少应为 60。",
            "The picture is blurred: sharpness 12.5, at least 60 is wanted.",
        ),
    ],
)
def test_it_says_what_was_measured_against_what(check: PhotoCheck, zh: str, en: str) -> None:
    assert words.check_words(check) == words.Said(zh, en)
    said = words.said_of(check)
    assert (said.code, said.value, said.zh, said.en) == (check.code, check.value, zh, en)
    assert said.name_zh
    assert said.name_en


def test_doubts_slots_and_verdicts_are_all_named() -> None:
    assert set(words.DOUBTS) == set(get_args(FixDoubt))
    assert set(words.SLOTS) == set(get_args(Slot))
    assert set(words.SITE) == set(get_args(SiteVerdict))
    assert set(words.UNJUDGED) == set(get_args(UnjudgedReason))
    assert set(words.CHECKS) == set(CODES)
    for doubt in [*words.DOUBTS.values(), *words.UNJUDGED.values()]:
        whole(doubt)
    for named in [*words.SLOTS.values(), *words.SITE.values(), *words.CHECKS.values()]:
        assert CHINESE.search(named.zh)
        assert not CHINESE.search(named.en)


@given(seconds=st.integers(0, 400 * 86_400))
def test_a_span_is_never_longer_than_what_it_tells_and_close_to_it(seconds: int) -> None:
    check = PhotoCheck(
        code="in_window", outcome="fail", value=seconds, threshold=60, measure="s"
    )  # fmt: skip
    told = words.check_words(check).en.split("taken ")[1].split(" outside")[0]
    size = {"d": 86_400, "h": 3600, "min": 60, "s": 1}
    total = sum(int(n) * size[unit] for n, unit in re.findall(r"(\d+) (d|h|min|s)", told))
    assert total <= seconds
    assert seconds - total < max(1, seconds // 24)
