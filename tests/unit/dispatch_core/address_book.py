"""A small town for the tests of addresses."""

from __future__ import annotations

from collections.abc import Iterable

from dispatch_core.addresses import Alias, Book, BookRow, Matcher

STREETS = {
    "中央大街": "道里区", "经纬街": "道里区", "经纬三道街": "道里区", "靖宇街": "道外区",
    "果戈里大街": "南岗区", "东大直街": "南岗区", "西大直街": "南岗区", "学府路": "南岗区",
    "学府三道街": "南岗区", "和兴路": "南岗区", "和平路": "香坊区", "红旗大街": "香坊区",
    "红旗街": "道外区", "安平街": "道里区", "安康街": "道里区", "霁虹街": "南岗区",
    "香坊大街": "香坊区", "井街": "道外区", "南十七道街": "道外区",
}  # fmt: skip
COMMUNITIES = {
    "民生家园": ("南岗区", "和兴路", 200), "和兴小区": ("南岗区", "和兴路", 300),
    "恒大绿洲一期": ("香坊区", "和平路", 200), "恒大绿洲二期": ("香坊区", "和平路", 300),
    "西城红场": ("南岗区", "学府路", 200),
}  # fmt: skip


def _rows() -> Iterable[BookRow]:
    for street, district in STREETS.items():
        for number in range(1, 41):
            yield BookRow(
                f"{street}{number}", "", street, f"{number}号", f"{district} {street} {number} 号",
                "", district, 126.6, 45.7,
            )  # fmt: skip
    for name, (district, street, first) in COMMUNITIES.items():
        for n in range(1, 13):
            yield BookRow(
                f"{name}{n}", f"{name} {n} 栋", street, str(first + n),
                f"{district} {street} {first + n} 号 {name} {n} 栋", name, district, 126.6, 45.7,
            )  # fmt: skip
    # one street's name in two districts, a court of three buildings, a part of a number
    for district in ("道里区", "香坊区"):
        yield BookRow(
            f"保健路8{district}", "", "保健路", "8", f"{district} 保健路 8 号", "", district, 0, 0
        )
    for n in (1, 2, 3):
        yield BookRow(
            f"安平街99-{n}", f"{n} 号楼", "安平街", "99", f"道里区 安平街 99 号 {n} 号楼", "",
            "道里区", 0, 0,
        )  # fmt: skip
    yield BookRow("安康街9-1", "", "安康街", "9-1", "道里区 安康街 9-1 号", "", "道里区", 0, 0)
    yield BookRow(
        "商厦", "松雷和平商业大厦", "和平路", "", "香坊区 和平路 附近 松雷和平商业大厦", "",
        "香坊区", 0, 0,
    )  # fmt: skip
    yield BookRow(
        "宿舍", "哈尔滨工业大学第三公寓", "", "", "南岗区 西大直街 附近", "", "南岗区", 0, 0
    )


ROWS = list(_rows())


def town(*aliases: Alias) -> Matcher:
    """The matcher of the town."""
    return Matcher(Book(ROWS, aliases, city="哈尔滨市"))
