"""The kinds of tables: their fields, what the columns are called in the wild, and how a row is put
together."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from dispatch_core.events import Pause
from geo.datums import Coordinate, DatumRefused, Datums
from geo.outlines import Outline
from server.adapters.imports import accounts, heat_tree, stores
from server.adapters.imports.rows import ImportKind
from server.adapters.imports.runs import Mark
from server.sources.tables import cells
from server.sources.tables.cells import BadCell, Read, identifier, many, number, one_of, whole


class Place(NamedTuple):
    """Where and when a file is read."""

    now: datetime
    zone: ZoneInfo
    season: str
    datums: Datums


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a kind; `names` are the columns that are taken for it."""

    name: str
    read: Read
    names: tuple[str, ...] = ()
    unit: bool = False
    """What stands in brackets in the column's name matters, e.g. 欠费(元)."""


Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of table. `key` and `mark` read finished values."""

    name: ImportKind
    fields: tuple[Field, ...]
    needs: tuple[str, ...]
    """Fields without which no row can be read: their columns must be there."""
    finish: Callable[[Values, Place], Values]
    key: Callable[[Values], str]
    mark: Callable[[Values], Mark] = lambda _: Mark()


def _placed(values: Values, place: Place) -> Values:
    """The coordinate in WGS-84; lon and lat stand together, and never without a datum."""
    lon, lat, datum = (values.pop(n, None) for n in ("lon", "lat", "datum"))
    if lon is None and lat is None:
        return values
    if lon is None or lat is None:
        raise BadCell("bad_coordinate", "Half of the coordinate is missing.", "Give both halves.")
    if lon == 0 == lat:
        raise BadCell(
            "bad_coordinate", "0, 0 is in the sea: the place was not known.",
            "Fill in the place, or leave it empty.",
        )  # fmt: skip
    try:
        point = place.datums.to_wgs84(Coordinate(lon, lat, datum or ""))
    except DatumRefused as refused:
        raise BadCell(refused.code, refused.detail, refused.what_to_do) from None
    return {**values, "lon": point.lon, "lat": point.lat}


_PLACE = (
    Field("lon", number(-math.inf, math.inf), ("lng", "longitude", "经度", "东经", "easting")),
    Field("lat", number(-math.inf, math.inf), ("latitude", "纬度", "北纬", "northing")),
    Field("datum", cells.text(40), ("坐标系", "坐标系统", "crs")),
)
_NAME = cells.text(100)
_FLAT = cells.text(20)


def _flat(cell: str) -> str:
    return str(_FLAT(cell)).removesuffix("室").removesuffix("号").strip() or cell


def _keyed(field: str) -> Callable[[Values], str]:
    return lambda values: str(values[field])


# ---------------------------------------------------------------- households
def _door(values: Values) -> Mark:
    told = all(n in values for n in ("building", "unit", "flat"))
    return Mark(None, *((values["building"], f"{values['unit']}/{values['flat']}") if told else ()))


HOUSEHOLDS = Kind(
    "households",
    (
        Field("household", identifier(), ("household_id", "户号", "用户编号", "用户号", "客户编号",
                                          "用热户号", "供热户号")),
        Field("building", identifier(), ("building_id", "楼栋编号", "楼栋号", "建筑编号")),
        Field("address", cells.text(300), ("地址", "用热地址", "详细地址", "房屋地址", "住址")),
        Field("unit", whole(0, 99, "单元门"), ("单元", "单元号")),
        Field("floor", whole(-5, 200, "楼层"), ("楼层", "层", "所在楼层")),
        Field("flat", _flat, ("室", "房号", "门牌", "室号", "户室号", "房间号", "door")),
        Field("risers", many(identifier()), ("riser_ids", "立管", "立管编号")),
        Field("area_m2", number(0.1, 1e6), ("area", "建筑面积", "面积", "收费面积")),
        Field("heated_area_m2", number(0, 1e6), ("heated_area", "供热面积", "用热面积",
                                                 "使用面积", "采暖面积")),
        Field("gable", cells.yes_no, ("冷山", "把山", "山墙户")),
        Field("ground_floor", cells.yes_no, ("ground", "底层", "首层")),
        Field("top_floor", cells.yes_no, ("top", "顶层")),
        Field("valve", cells.yes_no, ("household_valve", "户阀", "分户阀", "入户阀门")),
        Field("green_channel", cells.yes_no, ("绿色通道", "特殊户", "重点户")),
        Field("warranty_until", cells.day, ("保修期至", "质保期至", "质保到期", "保修到期")),
        *_PLACE,
        Field("owner_name", cells.text(100), ("owner", "业主", "户主", "业主姓名", "户主姓名",
                                              "姓名", "用户姓名")),
        Field("owner_phone", identifier(40), ("phone", "电话", "联系电话", "手机", "手机号",
                                              "业主电话")),
        Field("certificate", identifier(40), ("identity_number", "身份证", "身份证号",
                                              "证件号码", "证件号")),
    ),
    ("household",),
    _placed,
    _keyed("household"),
    _door,
)  # fmt: skip


# ---------------------------------------------------------------- heat tree
NODE_KINDS = {
    "community": "community", "小区": "community", "社区": "community",
    "plant": "plant", "热源厂": "plant", "热源": "plant", "热电厂": "plant",
    "primary": "primary", "一次网": "primary", "一次管网": "primary", "一级网": "primary",
    "substation": "substation", "换热站": "substation", "热力站": "substation",
    "circuit": "circuit", "环路": "circuit", "分区": "circuit", "机组": "circuit",
    "entrance": "entrance", "热力入口": "entrance", "楼栋入口": "entrance", "入口": "entrance",
    "unit": "unit", "单元": "unit",
    "riser": "riser", "立管": "riser",
    "building": "building", "楼栋": "building", "楼": "building", "建筑": "building",
}  # fmt: skip


def _outline(cell: str) -> bytes:
    try:
        wkb = bytes.fromhex(cell)
    except ValueError:
        wkb = b""
    if Outline.of_wkb(wkb) is None:
        raise BadCell(
            "bad_outline", "The outline is no area as well-known binary in hexadecimal digits.",
            "Leave it empty: the building is then measured by its place.",
        )  # fmt: skip
    return wkb


HEAT_TREE = Kind(
    "heat_tree",
    (
        Field("node", identifier(), ("node_id", "节点", "节点编号", "编号", "id")),
        Field("kind", one_of(NODE_KINDS), ("type", "类型", "节点类型")),
        Field("parent", identifier(), ("parent_id", "上级", "上级编号", "上级节点", "父节点",
                                       "substation", "换热站", "所属换热站")),
        Field("name", _NAME, ("名称", "节点名称")),
        *_PLACE,
        Field("supply_low_c", number(0, 200), ("供温下限", "供水温度下限")),
        Field("address", cells.text(200), ("地址",)),
        Field("street", _NAME, ("街道", "路名")),
        Field("house_number", cells.text(40), ("门牌", "门牌号")),
        Field("district", _NAME, ("区", "行政区")),
        Field("community", _NAME, ("community_id", "小区", "所属小区")),
        Field("radius_m", number(1, 50_000), ("半径",)),
        Field("levels", whole(1, 200, "层"), ("层数", "楼层数", "总层数")),
        Field("area_m2", number(0.1, 1e6), ("area", "占地面积")),
        Field("use", cells.text(40), ("用途",)),
        Field("warranty_until", cells.day, ("保修期至", "质保期至")),
        Field("outline", _outline, ("轮廓",)),
    ),
    ("node", "kind"),
    _placed,
    lambda values: heat_tree.key_of(values["kind"], values["node"]),
)  # fmt: skip


# ---------------------------------------------------------------- crews
_TRADES = {
    "plant": "plant", "热源": "plant", "primary": "primary", "一次网": "primary",
    "substation": "substation", "换热站": "substation", "secondary": "secondary",
    "二次网": "secondary", "indoor": "indoor", "室内": "indoor", "户内": "indoor",
}  # fmt: skip


_BREAK = re.compile(
    r"((?:[01]?[0-9]|2[0-3]):[0-5][0-9])[-~—]((?:[01]?[0-9]|2[0-3]):[0-5][0-9])/(\d{1,3})"
)


def _shift(cell: str) -> str:
    said = cell.replace("：", ":").replace("—", "-").replace("~", "-").replace(" ", "")
    try:
        first, last = (time.fromisoformat(p.zfill(5)) for p in said.split("-"))
    except ValueError:
        raise BadCell(
            "bad_shift", f"{cells.shown(cell)} is no shift.", "Write it as 06:00-18:00."
        ) from None
    return f"{first:%H:%M}-{last:%H:%M}"


def _break(cell: str) -> Pause:
    found = _BREAK.fullmatch(cell.replace("：", ":").replace(" ", ""))
    if found is None:
        raise BadCell(
            "bad_break", f"{cells.shown(cell)} is no break.", "Write it as 11:00-13:00/40."
        )
    return Pause(after=found[1].zfill(5), before=found[2].zfill(5), minutes=int(found[3]))


def _stocked(values: Values, place: Place) -> Values:
    """A row with pieces says of what; a part without a number is not there."""
    if "pieces" in values and "part" not in values:
        raise BadCell("missing_field", "The row has pieces and no part.", "Name the part.")
    if "part" in values and "pieces" not in values:
        raise BadCell("missing_field", "The row has a part and no pieces.", "Write 0 for none.")
    return _placed(values, place)


CREWS = Kind(
    "crews",
    (
        Field("crew", identifier(40), ("crew_id", "班组", "班组编号", "编号", "id")),
        Field("name", cells.text(80), ("名称", "班组名称")),
        Field("trades", many(one_of(_TRADES)), ("trade", "工种")),
        Field("certificates", many(identifier(80)), ("证书", "资质", "持证")),
        Field("members", whole(2, 20, "人"), ("人数", "成员数")),
        Field("vehicle", cells.text(80), ("车辆", "车牌", "抢修车")),
        Field("shift", _shift, ("班次", "当班时间")),
        Field("skill", whole(1, 5, "级"), ("技能等级", "技能级别", "等级")),
        Field("territory", many(identifier(80)), ("责任区", "片区", "辖区", "districts")),
        *_PLACE,
        Field("breaks", many(_break, 4), ("休息", "休息时间")),
        Field("equipment", many(identifier(80)), ("随车设备", "随车装备", "设备")),
        Field("parts", cells.pieces, ("随车备件", "车载备件", "备件")),
    ),
    ("crew",),
    _placed,
    _keyed("crew"),
)


# ---------------------------------------------------------------- stores
STORES = Kind(
    "stores",
    (
        Field("store", identifier(40), ("store_id", "warehouse", "仓库", "库房", "备件库",
                                        "仓库编号")),
        Field("name", cells.text(80), ("名称", "仓库名称", "库房名称")),
        *_PLACE,
        Field("part", cells.text(80), ("备件", "备件名称", "物料", "物料名称", "规格型号")),
        Field("pieces", whole(0, 1_000_000, "个件只套台"), ("数量", "库存", "库存数量", "件数",
                                                        "qty", "quantity")),
    ),
    ("store",),
    _stocked,
    lambda values: stores.key_of(values["store"], values.get("part")),
)  # fmt: skip


# ---------------------------------------------------------------- points
POINTS = Kind(
    "points",
    (
        Field("point", identifier(), ("point_id", "sensor", "测点", "测点编号", "传感器编号",
                                      "设备编号", "室温点编号")),
        Field("household", identifier(), ("household_id", "户号", "用户编号")),
        Field("building", identifier(), ("building_id", "楼栋编号", "楼栋号")),
    ),
    ("point",),
    lambda values, _: values,
    _keyed("point"),
)  # fmt: skip


# ---------------------------------------------------------------- accounts
def _season(cell: str) -> str:
    first, _, last = cell.replace("/", "-").partition("-")
    if not (len(first) == 4 == len(last) and (first + last).isascii() and (first + last).isdigit()
            and int(last) == int(first) + 1):  # fmt: skip
        raise BadCell("bad_season", f"{cells.shown(cell)} is no season.", "Write it as 2026-2027.")
    return f"{first}-{last}"


def _account(values: Values, place: Place) -> Values:
    """One amount of each kind, and the time of each thing that is told."""
    out = dict(values)
    for amount in ("unpaid", "billed"):
        told = [out.pop(n) for n in (f"{amount}_yuan", f"{amount}_fen") if n in out]
        if len(told) == 2 and told[0] != told[1]:
            raise BadCell(
                "amounts_differ", f"{amount} is told in yuan and in fen, and they differ.",
                "Leave one of them empty.",
            )  # fmt: skip
        if told:
            out[f"{amount}_fen"] = told[0]
    at = out.pop("at", None)
    for thing, when in (("unpaid_fen", "balance_at"), ("network", "network_at"),
                        ("valve", "valve_at"), ("billing", "billed_at")):  # fmt: skip
        if thing not in out:
            out.pop(when, None)
        elif when not in out and at is not None:
            out[when] = at
    out.setdefault("season", place.season)
    return out


def account_fields(place: Place) -> tuple[Field, ...]:
    """The fields of accounts; their times are read by the company's clock."""
    at = cells.moment(place.zone, place.now)
    return (
        Field("household", identifier(), ("household_id", "户号", "用户编号", "用户号")),
        Field("season", _season, ("采暖季", "供暖季", "采暖期")),
        Field("unpaid_yuan", cells.yuan, ("欠费(元)", "欠费金额(元)", "欠款(元)"), unit=True),
        Field("unpaid_fen", cells.fen, ("欠费(分)", "欠费金额(分)", "欠费分"), unit=True),
        Field("billing", one_of({
            "full": "full", "全额": "full", "全费": "full", "base": "base", "基础热费": "base",
            "基础费": "base", "none": "none", "不收": "none", "免收": "none",
        }), ("计费方式", "收费方式")),
        Field("billed_yuan", cells.yuan, ("应收(元)", "应收金额(元)", "应收热费(元)"), unit=True),
        Field("billed_fen", cells.fen, ("应收(分)", "应收金额(分)"), unit=True),
        Field("network", one_of({
            "connected": "connected", "在网": "connected", "已接入": "connected",
            "disconnected": "disconnected", "脱网": "disconnected", "断开": "disconnected",
        }), ("入网状态", "在网状态", "管网状态")),
        Field("valve", one_of({
            "open": "open", "开": "open", "开启": "open", "closed": "closed", "关": "closed",
            "关闭": "closed", "sealed": "sealed", "铅封": "sealed", "已封": "sealed",
            "unknown": "unknown", "未知": "unknown",
        }), ("阀门", "阀门状态")),
        Field("at", at, ("截止时间", "截止日期", "统计时间", "as_of")),
        Field("balance_at", at, ("欠费截止时间",)),
        Field("network_at", at),
        Field("valve_at", at),
        Field("billed_at", at),
    )  # fmt: skip


def kind_of(name: str, place: Place) -> Kind:
    """A kind by its name. Raises KeyError for one that is not read row by row."""
    if name == "accounts":
        return Kind(
            "accounts", account_fields(place), ("household",), _account,
            lambda v: accounts.key_of(v["season"], v["household"]),
        )  # fmt: skip
    return _KINDS[name]


_KINDS: Mapping[str, Kind] = {k.name: k for k in (HOUSEHOLDS, HEAT_TREE, CREWS, STORES, POINTS)}
