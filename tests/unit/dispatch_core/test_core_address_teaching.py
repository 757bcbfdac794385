"""What a person's choice teaches, and what is suggested while typing."""

from __future__ import annotations

import pytest
from address_book import ROWS, town

from dispatch_core.addresses import Alias, Matcher, lessons, suggest
from dispatch_core.addresses.book import Book

TOWN = town()


def learnt(text: str, building: str, matcher: Matcher = TOWN) -> list[Alias]:
    number = matcher.book.find(building)
    assert number is not None
    return lessons(matcher, text, number)


@pytest.mark.parametrize(
    ("text", "building", "alias"),
    [
        ("老机务段大街12号2单元", "和平路12", Alias("老机务段大街", "street", "和平路")),
        ("我家住在老机务段12号", "和平路12", Alias("老机务段", "street", "和平路")),
        ("铁路新村4栋2-501", "民生家园4", Alias("铁路新村", "community", "民生家园")),
        ("红砖楼2单元301", "靖宇街5", Alias("红砖楼", "building", "靖宇街5")),
        ("刘女士13812345678 红砖楼", "靖宇街5", Alias("红砖楼", "building", "靖宇街5")),
        ("道外区红砖楼3栋", "靖宇街5", Alias("红砖楼3栋", "building", "靖宇街5")),
        ("中央大街128号", "中央大街28", Alias("中央大街128号", "building", "中央大街28")),
    ],
)
def test_a_choice_teaches_what_differed(text: str, building: str, alias: Alias) -> None:
    assert learnt(text, building) == [alias]
    wiser = Matcher(Book(ROWS, [alias], city="哈尔滨市"))
    found = wiser.match(text)
    assert found.building is not None
    assert wiser.book.ids[found.building] == building
    assert learnt(text, building, wiser) == []


@pytest.mark.parametrize(
    ("text", "building"),
    [
        ("中央大街28号", "中央大街28"),  # known already
        ("保健路8号", "保健路8香坊区"),  # fits another building as well
        ("民生家园", "民生家园3"),  # a whole community is no building
        ("中央大街", "中央大街3"),
        ("13812345678", "中央大街3"),
        ("张秀兰家", "中央大街3"),
        ("马建国", "中央大街3"),
        ("12号", "中央大街12"),
        ("", "中央大街12"),
        *(
            (text, "中央大街12")  # words that are said of every place
            for text in (
                "我们小区12号", "大街12号", "老街12号", "1号楼", "12号楼3单元", "沈阳市",
                "学校对面", "这个小区", "老房子那边", "楼上邻居", "医院旁边", "我妈家楼下",
                "小区门口超市",
            )
        ),
    ],
)  # fmt: skip
def test_nothing_is_learnt_that_would_mislead(text: str, building: str) -> None:
    assert learnt(text, building) == []


def test_no_name_or_phone_is_kept() -> None:
    for said in ("张大爷 13812345678 老车间 2单元", "联系人王芳 老车间 电话0451-82345678"):
        [alias] = learnt(said, "靖宇街5")
        assert alias.alias == "老车间"


def shown(words: str) -> list[str]:
    return [TOWN.book.ids[b] for b, _ in suggest(TOWN, words, 8)]


def test_suggestions_grow_with_the_words() -> None:
    assert {"中央大街1", "中央大街2"} <= set(shown("中央"))
    assert {"中央大街1", "中央大街2"} <= set(shown("中央大街"))
    assert {"中央大街2", "中央大街20"} <= set(shown("中央大街2"))
    assert shown("中央大街28号")[0] == "中央大街28"
    assert {"民生家园1", "民生家园2"} <= set(shown("民生家"))
    assert {"民生家园1", "民生家园10"} <= set(shown("民生家园1"))
    assert shown("松雷和平") == ["商厦"]
    assert len(shown("安")) <= 8
    assert shown("") == []
