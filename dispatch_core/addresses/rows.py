"""What a row of the register says, read from its fields or, where they are empty, its address."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from dispatch_core.addresses.places import COUNTRY, NO_DISTRICT, SUBDISTRICT, districts_of
from dispatch_core.addresses.text import name_key

_HOUSE_NUMBER: Final = re.compile(r"([A-Z]?\d+[A-Z]?)(?:号|院|栋|楼)*((?:[-之附号]+\d+[A-Z]?)*)")
_BUILT: Final = re.compile(
    r"(?P<base>.*?)-?(?P<number>[A-Z]?\d{1,4}[A-Z]?|[A-Z])(?:号楼|号栋|栋|幢|座|#楼|#|号|楼)?$"
)
_USUALLY_BUILT: Final = re.compile(r"([\u4e00-\u9fff]*) ?(\d{1,4}) ?(?:号楼|栋|幢|座)")
"""How most registers write it: read without the detour of the one writing."""
_IN_ADDRESS: Final = re.compile(
    r"(?P<street>[\u4e00-\u9fff\d]{1,12}?(?:大街|大道|胡同|街|路|道|巷))(?:[A-Z-]{4,}(?=\d))?"
    r"(?P<number>[A-Z]?\d+[A-Z]?(?:-\d+)*(?:号?[附之]\d+)?)"
    r"(?:号(?!楼|栋|幢|座)(?:院(?!\d))?|(?=$|[\u4e00-\u9fff]{2}))"
)
_BUILT_AT_END: Final = re.compile(
    r"(?P<base>.*?)第?(?P<number>[A-Z]?\d{1,4}[A-Z]?|[A-Z](?=座|栋))(?:号楼|栋|幢|座|#楼|#)$"
)
"""A building's number at the end of an address, where the register has no name."""
_DISTRICT: Final = re.compile(r"(?P<base>[\u4e00-\u9fff]{2,3})[区县](?!$|小区|[街路])")
_NEAR: Final = "附近"
_FOREIGN: Final = re.compile(r"[A-Z][A-Z .'-]{3,}")


class Said(NamedTuple):
    """What an address says, in the one writing; empty where it says nothing."""

    district: str
    street: str
    number: str
    base: str
    """The community or name before the building's number."""
    built: str


def of_address(address: str, *, city: str) -> Said:
    """The parts of a register's address: 哈尔滨市道里区 经纬街 128 号 群力家园 5 栋."""
    district, key = without_places(name_key(address), city)
    if subdistrict := SUBDISTRICT.match(key):
        key = key[subdistrict.end() :]
    street = number = ""
    if _NEAR not in key and (door := _IN_ADDRESS.match(key)):
        street, number = street_key(door["street"]), house_number(door["number"])
        key = key[door.end() :]
    built = _BUILT_AT_END.match(key)
    if built is None or _NEAR in built["base"]:
        return Said(district, street, number, "", "")
    return Said(district, street, number, built["base"], built["number"].lstrip("0") or "0")


def without_places(key: str, city: str) -> tuple[str, str]:
    """(district, the rest) of a key that begins with province, city or district."""
    if country := COUNTRY.match(key):
        key = key[country.end() :]
    if city and key.startswith(f"{city}市"):
        key = key[len(city) + 1 :]
    bare = len(city) if city and key.startswith(city) else 0
    if (found := _DISTRICT.match(key, bare)) and (
        found["base"] in districts_of(city)
        or not (NO_DISTRICT.search(found["base"]) or key[found.end()].isdigit())
    ):
        return found[0], key[found.end() :]
    return "", key


@lru_cache(maxsize=50_000)
def street_key(street: str, district: str = "", city: str = "") -> str:
    """A street's name in the one writing, without places before it or a translation behind it."""
    key = name_key(street)
    before, rest = without_places(key, city) if district or city else ("", key)
    if rest and before in {district, *(f"{d}区" for d in districts_of(city))}:
        key = rest
    shorter = _FOREIGN.sub("", key.replace("(", "").replace(")", "")).strip("- ")
    return shorter or key


@lru_cache(maxsize=50_000)
def house_number(number: str) -> str:
    """`128`, `128-1`, `A3` of 128号, 128号附1, 128之1号; empty if it is no number."""
    found = _HOUSE_NUMBER.match(name_key(number).replace(" ", ""))
    if found is None:
        return ""
    subs = re.findall(r"\d+[A-Z]?", found[2])
    return "-".join([found[1].lstrip("0") or "0", *(s.lstrip("0") or "0" for s in subs)])


def name_parts(name: str) -> tuple[str, str]:
    """(name without its number, number) of a building: 民生家园 3 栋 -> 民生家园, 3."""
    if usual := _USUALLY_BUILT.fullmatch(name):
        return name_key(usual[1]), usual[2].lstrip("0") or "0"
    key = name_key(name)
    found = _BUILT.match(key)
    if found is None:
        return key, ""
    number = found["number"]
    if number.isalpha() and (key == number or key[-1] not in "座栋幢楼#"):
        return key, ""  # a name in Latin letters
    return found["base"].removesuffix("-"), number.lstrip("0") or "0"
