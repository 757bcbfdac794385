"""Registers of other shapes: only an address, places in the street, names that are addresses."""

from __future__ import annotations

import pytest

from dispatch_core.addresses import Book, BookRow, Matcher
from dispatch_core.addresses.rows import Said, of_address, street_key


def row(
    id_: str, *, name: str = "", street: str = "", number: str = "", address: str = "",
    community: str = "", district: str = "",
) -> BookRow:  # fmt: skip
    return BookRow(id_, name, street, number, address, community, district, 126.6, 45.7)


def matcher(*rows: BookRow) -> Matcher:
    return Matcher(Book(rows, city="哈尔滨市"))


def door(of: Matcher, text: str) -> tuple[str | None, int | None, str | None]:
    found = of.match(text)
    return (
        of.book.ids[found.building] if found.building is not None else None,
        found.unit,
        found.flat,
    )


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("道里区 经纬街 128 号", Said("道里区", "经纬街", "128", "", "")),
        ("哈尔滨市道里区经纬街128号", Said("道里区", "经纬街", "128", "", "")),
        ("黑龙江省哈尔滨市南岗区和兴路12号3栋", Said("南岗区", "和兴路", "12", "", "3")),
        ("和兴路12号附3", Said("", "和兴路", "12-3", "", "")),
        ("和兴路12-1号", Said("", "和兴路", "12-1", "", "")),
        ("香坊区六合街66号院", Said("香坊区", "6合街", "66", "", "")),
        ("道外区八区一巷7号", Said("道外区", "8区1巷", "7", "", "")),
        ("哈尔滨大街5号", Said("", "哈尔滨大街", "5", "", "")),
        ("西大直街 - Xidazhi Street 66号", Said("", "西大直街", "66", "", "")),
        ("道里区经纬街128号群力家园5栋", Said("道里区", "经纬街", "128", "群力家园", "5")),
        ("群力家园 5 号楼", Said("", "", "", "群力家园", "5")),
        ("哈尔滨软件园小区 18 栋", Said("", "", "", "哈尔滨软件园小区", "18")),
        ("道里区 经纬街 附近", Said("道里区", "", "", "", "")),
    ],
)
def test_an_address_is_taken_apart(address: str, said: Said) -> None:
    assert of_address(address, city="哈尔滨") == said


def test_places_before_a_street_are_put_aside() -> None:
    assert street_key("道里区经纬街", "道里区", "哈尔滨") == "经纬街"
    assert street_key("哈尔滨市道里区经纬街", "", "哈尔滨") == "经纬街"
    assert street_key("新区街", "道里区", "哈尔滨") == "新区街"


@pytest.mark.parametrize("shape", ["spaced", "compact", "street", "named", "whole"])
def test_every_shape_of_a_register_answers_alike(shape: str) -> None:
    def shaped(id_: str, street: str, number: str) -> BookRow:
        plain = f"{street}{number}号"
        match shape:
            case "spaced":
                return row(id_, address=f"道里区 {street} {number} 号")
            case "compact":
                return row(id_, address=f"哈尔滨市道里区{plain}", district="道里区")
            case "street":
                return row(id_, street=f"道里区{street}", number=number, district="道里区")
            case "named":
                return row(id_, name=plain, address=f"道里区{plain}", district="道里区")
            case _:
                return row(id_, street=plain, address=f"道里区{plain}", district="道里区")

    of = matcher(
        shaped("a", "经纬街", "12"), shaped("b", "经纬街", "14"), shaped("c", "新阳路", "12")
    )
    assert door(of, "哈市道里经纬街12号2单元502") == ("a", 2, "502")
    assert door(of, "经伟街十四号") == ("b", None, None)
    assert door(of, "新阳12号") == ("c", None, None)
    assert door(of, "道里区经纬街16号")[0] is None


ESTATES = matcher(
    *(row(f"花园{n}", address=f"花园小区 {n} 栋") for n in (3, 5)),
    *(row(f"松北{n}", address=f"松北区小区 {n} 栋") for n in (3, 5)),
    *(row(f"怡兴{n}", address=f"怡兴花园 {n} 栋") for n in (3, 5)),
    *(row(f"好民居{n}", address=f"好民居滨江新城 {n} 栋") for n in (3, 5)),
    row("城市5", address="公滨城市花园 5 栋"),
    row("玫瑰5", address="玫瑰湾小区 5 栋"),
    row("沙曼5", address="沙曼小区 5 栋"),
    row("名石街9", street="名石街", number="9", address="名石街9号"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "building"),
    [
        ("花园小区5栋", "花园5"),
        ("松北区小区5栋", "松北5"),
        ("哈尔滨香坊怡兴花园3栋", "怡兴3"),
        ("怡兴5号楼", "怡兴5"),
        ("哈尔滨道外公滨城市花园5栋", "城市5"),
        ("王府井花园5栋", None),
        ("枫叶家园3栋", None),
        ("松北区听涛小区5号楼", None),
        ("怡兴小区5号楼", None),
        ("玫瑰湾5栋", "玫瑰5"),
        ("玫瑰小区5栋", None),
        ("沙曼小区5栋", "沙曼5"),
        ("沙曼小区龙方名苑5栋", None),
        ("好民居滨江新城（第三中学后面）", None),
        ("好民居滨江新城和学生三公寓交口", None),
        ("好民居滨江新城5栋（第三中学后面）", "好民居5"),
    ],
)
def test_common_words_name_no_community(text: str, building: str | None) -> None:
    assert door(ESTATES, text)[0] == building


STREETS = matcher(
    *(
        row(f"{s}{n}", street=s, number=str(n), address=f"南岗区{s}{n}号", district="南岗区")
        for s in ("西宁南路", "南七道街", "北马路", "新一头道街", "八元街", "变兴路", "民胜街")
        for n in (1, 2, 5, 33, 128)
    )
)


@pytest.mark.parametrize(
    ("text", "building"),
    [
        ("西宁南33号", "西宁南路33"),
        ("沈阳八元33号2栋", None),
        ("沈阳市八元街33号", None),
        ("大润发超市楼上，北马路33号", "北马路33"),
        ("新一头道街33号", "新一头道街33"),
        ("南七通街33号", "南七道街33"),
        ("变星路，33号", "变兴路33"),
        ("变兴路贰号2单元", "变兴路2"),
        ("变兴路1 2 8号", "变兴路128"),
        ("北马路3 3号", "北马路33"),
        ("北马路1 2-702号", "北马路1"),
        ("民生五通街", None),
    ],
)
def test_streets_of_strangers(text: str, building: str | None) -> None:
    assert door(STREETS, text)[0] == building


def test_a_flat_stays_before_a_landmark_and_a_unit_before_its_mark() -> None:
    assert door(STREETS, "北马路33号701家乐福对面") == ("北马路33", None, "701")
    assert door(ESTATES, "怡兴花园3栋2#501") == ("怡兴3", 2, "501")


def test_a_wrong_district_is_the_only_slip_that_is_forgiven() -> None:
    of = matcher(
        row("a", street="经纬街", number="12", community="群力家园", name="5栋", district="道里区"),
        row("b", street="和兴路", number="7", community="和兴小区", name="1栋", district="南岗区"),
    )
    assert door(of, "南岗区经纬街12号群力家园5栋")[0] == "a"
    assert "district_differs" in of.match("南岗区经纬街12号群力家园5栋").reasons
    assert door(of, "南岗区经纬街12号")[0] == "a", "there is one street of the name"
    assert door(of, "南岗区经伟街12号")[0] is None, "two slips: a person decides"
