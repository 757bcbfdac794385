"""What residents say on the phone and type into forms: words of the field, addresses with their
usual defects."""

from __future__ import annotations

from server.demo import chance
from server.demo.records import Building, Household

Words = tuple[str, ...]

SAID: tuple[tuple[float, str, Words], ...] = (
    (0.022, "leak", (
        "暖气立管跑水，楼下已经漏了，关不住", "主管爆管往外喷水，楼道里全是汽",
        "地沟往外冒热水，有人烫着了",
        "分水器跑水，屋里淹了半截",
    )),
    (0.012, "repair", ("入户井盖破了，里面冒汽", "楼道管井里冒汽，看不清路")),
    (0.10, "leak", (
        "暖气阀门一直滴水，用盆接着", "分水器接头渗水", "暖气片有砂眼，往外渗水",
        "楼上往下漏水，像是暖气管",
    )),
    (0.50, "not_warm", (
        "不热，屋里 16 度多", "暖气冰凉，从昨晚开始", "一点不热，孩子冻醒了",
        "冷山房，卧室不热，只有 15 度",
        "整个单元都不热", "温吞的，手摸着不烫", "只有一半热，可能串气了", "把山这屋冷，别的屋还行",
        "顶楼末端不太热，想让人看看", "客厅还行，小屋冰凉", "家里有新生儿，屋里不热",
        "独居老人，家里 14 度，太冷了",
        "半夜开始凉的，早上更冷", "进水管热，回水管冰凉",
    )),
    (0.08, "repair", (
        "阀门拧不动，想换一个", "暖气管道有响声，半夜睡不着", "放气阀坏了，放不出气",
        "串气，暖气片上半截不热",
    )),
    (0.04, "complaint", (
        "投诉，打了三次电话没人管", "昨天说上门，等了一天没等到，态度还不好，我要投诉",
    )),
    (0.09, "question", (
        "请问师傅几点能到", "请问停热以后还要交多少钱", "咨询一下测温怎么预约", "请问热费在哪儿交",
    )),
    (0.015, "refund", ("交重了，问问怎么退费", "报停的钱多收了，要退费")),
    (0.02, "temperature_adjustment", ("屋里太热了 27 度，能不能调小点", "太热，想调温")),
    (0.014, "change_of_data", ("房子卖了，要过户", "想改电话，原来的号不用了")),
    (0.011, "new_connection", ("新房想办入网", "门市要新装暖气，怎么开户")),
    (0.05, "not_warm", ("没有漏水，就是不热", "暖气不响了，也不热")),
)  # fmt: skip
"""Share of calls, the kind that a seat hears in them, and the words."""
AGAIN: dict[str, Words] = {
    "not_warm": (
        "早上报过了，还是不热", "又打一次，暖气还是冰凉", "来人看过了，还是温吞的",
        "怎么还没人来，屋里越来越冷",
    ),
    "leak": ("报过漏水的，还在滴水", "渗水比刚才大了，催一下"),
    "repair": ("报修的阀门还没人来，催一下", "响声更大了，什么时候来修理"),
}  # fmt: skip
"""Of those who call once more about the same fault."""
NEEDY = ("新生儿", "老人", "孩子")
"""Who a seat puts first, whatever the words alone are worth."""
_LANDMARKS = (
    "老机械厂", "菜市场", "二十三中", "铁路俱乐部", "原纺织厂", "老邮局", "锅炉房", "供销社",
    "粮库", "人民浴池", "汽车队", "第三小学",
)  # fmt: skip
_BESIDE = (
    "家属楼",
    "对面红砖楼",
    "后身那栋黄楼",
    "旁边六层楼",
    "宿舍",
    "对过进院第一栋",
    "北头把道口的楼",
)
_DOORS = ("", "2单元", "三门洞", "4楼西门", "5楼左手", "1单元301", "中间门 602")
"""Addresses as people give them that no register has."""
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_NUMBERS = "零一二三四五六七八九"
_HEARD_AS = dict(zip("民阳江和锦康雅祥安园家", "明杨姜合绵糠亚详按圆佳", strict=True))
"""Characters that sound alike, as they are typed in haste."""


def spoken(dice: float) -> tuple[str, Words]:
    """The kind that a call is about, and what may be said, for a number in [0, 1)."""
    for share, kind, words in SAID:
        dice -= share
        if dice < 0:
            return kind, words
    return SAID[3][1], SAID[3][2]


def typed(h: Household, b: Building, *name: object) -> str:
    """A flat's address as its resident types it: shortened, in other figures, misspelt."""
    community, _, number = b.name.rpartition(" ")[0].rpartition(" ")
    street = f"{b.street}{b.house_number}号"
    if not (community and number.isdigit() and b.street and b.house_number):
        return f"{b.address}{h.unit}单元{h.flat}"
    way = chance.unit(*name, "way")
    ways = (
        (0.22, f"{community}{number}号楼{h.unit}单元{h.flat}"),
        (0.40, f"{community}{number}栋{h.unit}-{h.flat}"),
        (0.52, f"{street}{h.unit}单元{h.flat}室"),
        (0.66, f"{b.district}{street}{community}{number}栋{h.unit}单元{h.floor}楼{h.flat}"),
        (0.76, f"{community}{_chinese(number)}号楼{_chinese(str(h.unit))}单元{h.flat}"),
        (0.86, f"{community} {number} 号楼 {h.unit} 单元 {h.flat}".translate(_FULL_WIDTH)),
        (0.94, f"{_misheard(community)}{number}号楼{h.unit}单元{h.flat}"),
        (1.00, f"{community}{number}号{h.unit}单元"),
    )
    return next(text for share, text in ways if way < share)


def nowhere(*name: object) -> str:
    """An address by what everybody around knows."""
    parts = (chance.pick(c, *name, n) for n, c in enumerate((_LANDMARKS, _BESIDE, _DOORS)))
    return "".join(parts)


def half(b: Building, *name: object) -> str:
    """An address that names the community and no building that stands there."""
    community, _, number = b.name.rpartition(" ")[0].rpartition(" ")
    if not community or not number.isdigit():
        return f"{b.street}北头"
    return chance.pick(
        (
            f"{community}靠里那栋2单元",
            f"{community}{int(number) + 57}号楼{1 + int(chance.unit(*name) * 4)}单元302",
            f"{community}物业对面", f"{community}北门进去第二栋",
        ),
        *name, "half",
    )  # fmt: skip


def _misheard(name: str) -> str:
    """The name with one character as it sounds."""
    heard = next((c for c in name if c in _HEARD_AS), "")
    return name.replace(heard, _HEARD_AS[heard], 1) if heard else name


def _chinese(number: str) -> str:
    """1 to 99 as it is written out."""
    tens, ones = divmod(int(number), 10)
    if not 0 < tens < 10:
        return "".join(_NUMBERS[int(d)] for d in number)
    return ("" if tens == 1 else _NUMBERS[tens]) + "十" + (_NUMBERS[ones] if ones else "")
