"""Addresses as people type them, against a small town: the right door, or none."""

from __future__ import annotations

import pytest
from address_book import ROWS, town
from hypothesis import given
from hypothesis import strategies as st

from dispatch_core.addresses import Alias, Match

TOWN = town()


def means(text: str, matcher: object = None) -> str | None:
    del matcher
    match = TOWN.match(text)
    return TOWN.book.ids[match.building] if match.building is not None else None


def match_of(text: str) -> Match:
    return TOWN.match(text)


@pytest.mark.parametrize(
    ("text", "building"),
    [
        ("哈尔滨市道里区中央大街28号", "中央大街28"),
        ("黑龙江省哈尔滨市道里区中央大街28号", "中央大街28"),
        ("哈市道里 中央大街28号", "中央大街28"),
        ("中央大街28号（道里区）", "中央大街28"),
        ("中央街28号", "中央大街28"),
        ("中央大街２８號", "中央大街28"),
        ("哈爾濱市道里區中央大街28號", "中央大街28"),
        ("中 央 大 街 28 号", "中央大街28"),
        ("中央大街二十八号", "中央大街28"),
        ("中央大街28", "中央大街28"),
        ("中央28号", "中央大街28"),
        ("中央大街28#", "中央大街28"),
        ("中央大街28号楼", "中央大街28"),
        ("中央大街2O号", "中央大街20"),
        ("我家住在中央大街28号，暖气不热", "中央大街28"),
        ("王先生 13812345678 中央大街28号", "中央大街28"),
        ("和兴路12号（华联超市对面）", "和兴路12"),
        ("和兴路12号门市", "和兴路12"),
        ("和兴路12号门口漏水", "和兴路12"),
        ("和兴路12号家里不热", "和兴路12"),
        ("经纬三道街11号", "经纬三道街11"),
        ("经纬3道街11号", "经纬三道街11"),
        ("经纬街11号", "经纬街11"),
        ("经纬11号", "经纬街11"),
        ("南17道街5号", "南十七道街5"),
        ("井街7号", "井街7"),
        ("红旗街3号", "红旗街3"),
        ("红旗大街3号", "红旗大街3"),
        ("香坊大街9号", "香坊大街9"),
        ("安康街9号附1", "安康街9-1"),
        ("安康街9-1号", "安康街9-1"),
        ("安康街9之1号", "安康街9-1"),
        ("安康街9号", "安康街9"),
        ("安平街99号2号楼", "安平街99-2"),
        ("安平街99号3栋1单元", "安平街99-3"),
        ("保健路8号 香坊区", "保健路8香坊区"),
        ("民生家园3栋", "民生家园3"),
        ("民生家园3号楼2单元501", "民生家园3"),
        ("民生家园 3-2-501", "民生家园3"),
        ("民生家园小区3#2-501", "民生家园3"),
        ("和兴小区3幢", "和兴小区3"),
        ("和兴3栋", "和兴小区3"),
        ("和兴3号", "和兴路3"),
        ("恒大绿洲2期7号楼", "恒大绿洲二期7"),
        ("和平路303号恒大绿洲二期3栋", "恒大绿洲二期3"),
        ("民生家园3栋（和兴路203号）2-501", "民生家园3"),
        ("松雷和平商业大厦", "商厦"),
        ("哈工大第三公寓", "宿舍"),
        ("工大第三公寓", "宿舍"),
    ],
)
def test_the_right_building(text: str, building: str) -> None:
    assert means(text) == building, match_of(text)


@pytest.mark.parametrize(
    ("text", "building", "reason"),
    [
        ("靖雨街17号", "靖宇街17", "sounds_alike"),
        ("静宇街17号", "靖宇街17", "sounds_alike"),
        ("果戈理大街17号", "果戈里大街17", "sounds_alike"),
        ("经伟三道街17号", "经纬三道街17", "sounds_alike"),
        ("果里大街17号", "果戈里大街17", "character_missing"),
        ("果果戈里大街17号", "果戈里大街17", "character_doubled"),
        ("宇靖街17号", "靖宇街17", "characters_swapped"),
        ("字府路17号", "学府路17", ""),
        ("民声家园7栋", "民生家园7", "sounds_alike"),
        ("西成红场7栋", "西城红场7", "sounds_alike"),
    ],
)
def test_slips_of_the_pen(text: str, building: str, reason: str) -> None:
    match = match_of(text)
    if reason:
        assert means(text) == building, match
        assert reason in match.reasons
    else:
        assert means(text) in {building, None}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("中央大街128号", "number_unknown"),
        ("中央大街", "nothing_known"),
        ("民生家园", "building_number_missing"),
        ("民生家园88栋", "building_number_unknown"),
        ("大直街12号", "part_left_away"),
        ("保健路8号", "several_fit"),
        ("安平街99号", "several_fit"),
        ("恒大绿洲3栋", "phase_left_away"),
        ("恒大绿洲三期3栋", "phase_differs"),
        ("平房区中央大街28号", "district_unknown"),
        ("沈阳市和平区中央大街28号", "other_city"),
        ("五常市中央大街28号", "other_city"),
        ("中央大街28号对面", "near_only"),
        ("和兴路12号旁边的楼", "near_only"),
        ("新和平路28号", "words_before"),
        ("太平安平街28号", "words_before"),
        ("光明大街12号", "nothing_known"),
        ("南三道街5号", "named_otherwise"),
        ("松雷和平商业大厦3号", "building_name"),
        ("和兴路203号和兴小区3栋", "several_fit"),
        ("楼头户，没人管", "nothing_known"),
        ("", "empty"),
        ("。。。", "empty"),
    ],
)
def test_no_guess(text: str, reason: str) -> None:
    match = match_of(text)
    assert match.verdict != "matched", match
    assert match.building is None
    if reason not in {"nothing_known", "named_otherwise", "several_fit"}:
        assert reason in match.reasons, match


@pytest.mark.parametrize(
    "said",
    [
        "家里才28度", "28岁", "28多度", "28°C", "28℃", "3口人28平米", "28小时了", "28块钱",
        "28号线", "28号下午来的", "11月28号", "28号报修的", "28遍了", "28元", "28路公交站",
    ],
)  # fmt: skip
def test_numbers_of_things_are_no_house_numbers(said: str) -> None:
    assert means("中央大街28号") == "中央大街28"
    for text in (f"中央大街{said}", f"中央大街 {said}", f"中央大街，{said}"):
        assert means(text) is None, text
    assert means(f"中央大街20号，{said}") == "中央大街20"


@pytest.mark.parametrize(
    "text",
    [
        "不是中央大街28号，是20号", "从中央大街28号搬到20号了", "中央大街20号和28号之间",
        "中央大街20号到28号都停暖了", "民生家园3栋或4栋", "中央大街28弄5号",
    ],
)  # fmt: skip
def test_several_places_are_left_to_a_person(text: str) -> None:
    match = match_of(text)
    assert (match.verdict, match.building) == ("ambiguous", None)
    assert "several_places" in match.reasons
    assert match.candidates


def test_a_wrong_number_shows_its_neighbours() -> None:
    match = match_of("中央大街42号")
    shown = [TOWN.book.ids[c.building] for c in match.candidates]
    assert shown[:2] == ["中央大街40", "中央大街39"]
    assert all("number_differs" in c.reasons for c in match.candidates)
    assert (match.precision, TOWN.book.streets[match.street or 0]) == ("street", "中央大街")


@pytest.mark.parametrize(
    ("text", "unit", "floor", "flat", "precision"),
    [
        ("中央大街28号2单元502室", 2, 5, "502", "flat"),
        ("中央大街28号2单元5楼502", 2, 5, "502", "flat"),
        ("中央大街28号二单元五零二", 2, 5, "502", "flat"),
        ("中央大街28号2-502", 2, 5, "502", "flat"),
        ("中央大街28-2-502", 2, 5, "502", "flat"),
        ("中央大街28号2门5楼1号", 2, 5, "501", "flat"),
        ("中央大街28号2门5楼左手", 2, 5, None, "unit"),
        ("中央大街28号502", None, 5, "502", "flat"),
        ("中央大街28号2单元", 2, None, None, "unit"),
        ("中央大街28号", None, None, None, "building"),
        ("民生家园3-2-1203", 2, 12, "1203", "flat"),
        ("民生家园3栋2-5-1", 2, 5, "501", "flat"),
        ("安康街9-1 2-501", 2, 5, "501", "flat"),
        ("2单元502，和兴路12号", 2, 5, "502", "flat"),
        ("502室2单元和平路28号", 2, 5, "502", "flat"),
    ],
)
def test_unit_floor_and_flat(
    text: str, unit: int | None, floor: int | None, flat: str | None, precision: str
) -> None:
    match = match_of(text)
    assert (match.unit, match.floor, match.flat, match.precision) == (unit, floor, flat, precision)


def test_a_floor_that_contradicts_the_flat_lowers_to_the_building() -> None:
    match = match_of("中央大街28号2单元5楼602室")
    assert (match.verdict, match.precision, match.flat) == ("matched", "building", None)
    assert "floor_flat_conflict" in match.reasons


def test_household_numbers() -> None:
    assert match_of("户号：1000012345").household == "1000012345"
    assert match_of("1000012345").household == "1000012345"
    with_address = match_of("中央大街28号 户号 1000012345")
    assert (with_address.household, with_address.verdict) == ("1000012345", "matched")


def test_buildings_near_a_street_are_not_matched_by_it() -> None:
    assert match_of("和平路附近").building is None
    assert match_of("西大直街").building is None


def test_taught_wordings() -> None:
    taught = town(
        Alias("中国大街", "street", "中央大街"),
        Alias("铁路新村", "community", "民生家园"),
        Alias("红砖楼", "building", "靖宇街5"),
        Alias("消失的楼", "building", "没有"),
    )

    def building(text: str) -> str | None:
        found = taught.match(text).building
        return taught.book.ids[found] if found is not None else None

    assert building("道里区中国大街12号2单元") == "中央大街12"
    assert building("铁路新村4栋") == "民生家园4"
    assert building("道外区红砖楼2单元302") == "靖宇街5"
    assert taught.match("红砖楼2单元302").flat == "302"
    assert building("消失的楼") is None
    assert building("道里区红砖楼2单元") is None, "it is in another district"


def test_a_long_text_is_read_no_further_than_an_address_goes() -> None:
    match = match_of("中央大街28号" + "暖气不热" * 25_000)
    assert (match.verdict, means("中央大街28号" + "漏水" * 50_000)) == ("matched", "中央大街28")


@given(st.text(max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    match = TOWN.match(text)
    assert 0.0 <= match.score <= 1.0
    assert (match.verdict == "matched") == (match.building is not None)


@given(st.sampled_from(ROWS))
def test_the_registers_own_wording_is_matched_or_shown(row: object) -> None:
    address = row.address  # type: ignore[attr-defined]
    match = TOWN.match(address)
    shown = [TOWN.book.ids[c.building] for c in match.candidates]
    if "附近" not in address:
        assert row.id in shown  # type: ignore[attr-defined]
        assert match.building is None or TOWN.book.ids[match.building] == row.id  # type: ignore[attr-defined]


@given(
    st.sampled_from(["中央大街", "和兴路", "靖宇街", "红旗街"]),
    st.integers(min_value=41, max_value=9999),
)
def test_a_number_is_never_put_right(street: str, number: int) -> None:
    match = TOWN.match(f"{street}{number}号")
    if match.building is not None:
        assert ROWS[match.building].house_number == str(number)
