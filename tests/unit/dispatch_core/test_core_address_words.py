"""The one writing of addresses, the readings of what follows a name, and slips."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_core.addresses.doors import doors
from dispatch_core.addresses.parts import community_parts, street_parts
from dispatch_core.addresses.rows import house_number, name_parts, street_key
from dispatch_core.addresses.slips import similarity
from dispatch_core.addresses.text import name_key, write


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("哈爾濱市 道里區中央大街１２８號", "哈尔滨市道里区中央大街128号"),
        ("一百二十八号", "128号"),
        ("壹佰贰拾捌号", "128号"),
        ("一百零二号", "102号"),
        ("一百二号", "120号"),
        ("二零三室", "203室"),
        ("二 十六号", "26号"),
        ("千山路十号", "千山路10号"),
        ("百货大楼", "百货大楼"),
        ("陆家街", "陆家街"),
        ("两单元", "2单元"),
        ("新一12三单元", "新1 12 3单元"),
        ("学府头道街", "学府1道街"),
        ("128号甲", "128A号"),
        ("128乙号", "128B号"),
        ("12.3", "12-3"),
        ("3－2—501", "3-2-501"),
        ("l28号", "128号"),
        ("5O2室", "502室"),
        ("128 2-502", "128 2-502"),
        ("王先生13812345678和平路1号", "和平路1号"),
        ("业主张三 和平路1号", "和平路1号"),
        ("138 1234 5678", ""),
        ("0451-82345678 和平路", "和平路"),
        ("A座12\u200b03", "A座1203"),
    ],
)
def test_one_writing(text: str, written: str) -> None:
    assert write(text).text == written


@given(st.text(max_size=80))
def test_writing_never_fails_and_keeps_no_phone(text: str) -> None:
    written = write(text + "13912345678")
    assert "13912345678" not in written.text
    assert all(0 <= cut <= len(written.text) for cut in written.cuts)


@given(st.text(alphabet="一二三四五六七八九十百千零两大街路号", max_size=12))
def test_a_names_key_is_its_own_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


def test_names_are_taken_apart() -> None:
    assert street_parts("中央大街") == ("中央", "大街")
    assert street_parts("大街") == ("大街", "")
    assert community_parts("民生家园") == ("民生家园", "", "")
    assert community_parts("和兴小区2期") == ("和兴", "小区", "2期")
    assert community_parts("恒大绿洲A区") == ("恒大绿洲", "", "A区")
    assert street_key("红军街 - Hongjun Street") == "红军街"
    assert street_key("（原）保健路") == "原保健路"


@pytest.mark.parametrize(
    ("number", "key"),
    [("66号", "66"), ("128-1", "128-1"), ("128号附1", "128-1"), ("128之1号", "128-1"),
     ("０１２", "12"), ("A3", "A3"), ("12甲", "12A"), ("", ""), ("附近", "")],
)  # fmt: skip
def test_house_numbers(number: str, key: str) -> None:
    assert house_number(number) == key


@pytest.mark.parametrize(
    ("name", "parts"),
    [("民生家园 3 栋", ("民生家园", "3")), ("3号楼", ("", "3")), ("B12", ("", "B12")),
     ("17", ("", "17")), ("A座", ("", "A")), ("图书馆", ("图书馆", "")), ("IKEA", ("IKEA", "")),
     ("恒大绿洲二期 07 号楼", ("恒大绿洲2期", "7")), ("", ("", ""))],
)  # fmt: skip
def test_numbers_in_the_names_of_buildings(name: str, parts: tuple[str, str]) -> None:
    assert name_parts(name) == parts


def first(tail: str, *, in_community: bool = False) -> dict[str, object]:
    door = doors(tail, in_community=in_community)[0]
    kept = {"number": door.number, "building": door.building, "unit": door.unit,
            "floor": door.floor, "flat": door.flat, "near": door.near or None}  # fmt: skip
    return {k: v for k, v in kept.items() if v is not None}


@pytest.mark.parametrize(
    ("tail", "door"),
    [
        ("128号2单元502室", {"number": "128", "unit": 2, "flat": "502"}),
        ("128号2-502", {"number": "128", "unit": 2, "flat": "502"}),
        ("128-2-502", {"number": "128", "unit": 2, "flat": "502"}),
        ("128-3-2-502", {"number": "128", "building": "3", "unit": 2, "flat": "502"}),
        ("128号附1号", {"number": "128-1"}),
        ("128号-1 2-502", {"number": "128-1", "unit": 2, "flat": "502"}),
        ("128号3号楼2单元5楼", {"number": "128", "building": "3", "unit": 2, "floor": 5}),
        ("128号2单元5楼1号", {"number": "128", "unit": 2, "floor": 5, "flat": "501"}),
        ("128#2门302", {"number": "128", "unit": 2, "flat": "302"}),
        ("128号旁边", {"number": "128", "near": True}),
        ("128号对面是超市", {"number": "128"}),
        ("128号 超市对面", {"number": "128"}),
        ("3点漏水", {}),
        ("和下1条街", {}),
        ("二道街", {}),
        ("", {}),
    ],
)
def test_behind_a_street(tail: str, door: dict[str, object]) -> None:
    assert first(tail) == door


@pytest.mark.parametrize(
    ("tail", "door"),
    [
        ("3-2-501", {"building": "3", "unit": 2, "flat": "501"}),
        ("3栋2单元501", {"building": "3", "unit": 2, "flat": "501"}),
        ("3楼2单元501", {"building": "3", "unit": 2, "flat": "501"}),
        ("16楼7-201", {"building": "16", "unit": 7, "flat": "201"}),
        ("3-501", {"building": "3", "flat": "501"}),
        ("A座1203", {"building": "A", "flat": "1203"}),
        ("3号", {"building": "3"}),
    ],
)
def test_behind_a_community(tail: str, door: dict[str, object]) -> None:
    assert first(tail, in_community=True) == door


def test_unclear_writings_have_several_readings() -> None:
    readings = doors("128-2-502", in_community=False)
    assert [(r.number, r.unit, r.building) for r in readings] == [
        ("128", 2, None), ("128-2", None, None), ("128", None, "2"),
    ]  # fmt: skip
    assert readings[0].weight > readings[1].weight


@given(
    st.text(alphabet="0123456789号栋单元楼室门-之附A甲 \ue000\ue001左旁", max_size=24),
    st.booleans(),
)
def test_any_tail_has_a_reading(tail: str, community: bool) -> None:
    readings = doors(tail, in_community=community)
    assert readings
    assert all(0 < r.weight <= 1 for r in readings)


@pytest.mark.parametrize(
    ("typed", "meant", "code"),
    [("靖雨", "靖宇", "sounds_alike"), ("冶河", "治河", "looks_alike"),
     ("宇靖", "靖宇", "characters_swapped"), ("果里", "果戈里", "character_missing"),
     ("靖靖宇", "靖宇", "character_doubled")],
)  # fmt: skip
def test_likely_slips(typed: str, meant: str, code: str) -> None:
    quality, why = similarity(typed, meant)
    assert quality >= 0.8
    assert why == code


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("东直", "西直"), ("直", "东直"), ("南17道", "南18道"), ("南17道", "南7道"), ("安宁", "安平"),
     ("新阳", "阳"), ("光明", "中央"), ("", "中央")],
)  # fmt: skip
def test_other_names_are_no_slips(typed: str, meant: str) -> None:
    assert similarity(typed, meant)[0] < 0.8
