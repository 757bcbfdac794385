"""A company's streets, communities and buildings in memory, to look addresses up in."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from dispatch_core.addresses import policy
from dispatch_core.addresses.institutions import abbreviations
from dispatch_core.addresses.names import Names
from dispatch_core.addresses.parts import brief_of
from dispatch_core.addresses.rows import house_number, name_parts, of_address, street_key
from dispatch_core.addresses.text import name_key

_BUILT_ENDS: Final = ("栋", "幢", "座", "楼", "#", "＃", "棟")
_AREA_END: Final = ("街道", "镇", "乡", "办事处")
NO: Final = -1


class BookRow(NamedTuple):
    """A building of the register. Words may be empty; degrees are WGS-84."""

    id: str
    name: str
    street: str
    house_number: str
    address: str
    community: str
    district: str
    lon: float
    lat: float


class Alias(NamedTuple):
    """A wording that a person taught, in the one writing."""

    alias: str
    kind: Literal["street", "community", "building"]
    means: str
    """A street's or community's name in the register, or a building's id."""


class Book:
    """Look-ups by (street, number), (community, building number) and name; build once, read often.

    Words are kept once each and numbers as keys, so that 500,000 buildings stay a few hundred
    megabytes.
    """

    def __init__(
        self, rows: Iterable[BookRow], aliases: Iterable[Alias] = (), *, city: str = ""
    ) -> None:
        self.city = name_key(city)
        self.ids: list[str] = []
        self.lon, self.lat = array("d"), array("d")
        self.streets: list[str] = []
        """Names as in the register; a building's `street` is an index here."""
        self.communities: list[str] = []
        self.districts: list[str] = []
        self.street, self.community, self.district = array("i"), array("i"), array("i")
        self.number: list[str] = []
        """Canonical house number, empty where there is none."""
        self.built: list[str] = []
        """Number within its community, empty where there is none."""
        self._street_of: dict[str, int] = {}
        self._community_of: dict[str, int] = {}
        self._district_of: dict[str, int] = {}
        self.at_number: list[dict[str, list[int]]] = []
        """street -> house number -> buildings"""
        self.in_community: list[dict[str, list[int]]] = []
        """community -> building number -> buildings; "" holds those without a number"""
        self.areas: set[int] = set()
        """Communities that are subdistricts: they say where, not which."""
        self.street_in: set[tuple[int, int]] = set()
        self.community_in: set[tuple[int, int]] = set()
        """(street or community, district) of every building."""
        self.taught: dict[str, list[int]] = {}
        """Whole wordings that mean a building."""
        named: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            self._take(row, named)
        self.named = {k: v for k, v in named.items() if len(k) >= 3}
        self._named_keys = list(self.named)
        self.names = Names()
        self._learn()
        self._teach(aliases)
        self.names.freeze()

    def named_buildings(self, target: int) -> Sequence[int]:
        """The buildings of a name found by `names`."""
        return self.named[self._named_keys[target]]

    def is_elsewhere(self, b: int, districts: Iterable[str]) -> bool:
        """Whether neither the street nor the community of a building is in these districts."""
        numbers = [n for d in districts if (n := self._district_of.get(d)) is not None]
        street, community = self.street[b], self.community[b]
        return bool(numbers) and not any(
            (street != NO and (street, n) in self.street_in)
            or (community != NO and (community, n) in self.community_in)
            for n in numbers
        )

    def find(self, id_: str) -> int | None:
        """The number of a building of the register; None for one that is not in the book."""
        try:
            return self.ids.index(id_)
        except ValueError:
            return None

    def middle(self, buildings: Iterable[int]) -> tuple[float, float] | None:
        """The mean place of some buildings."""
        chosen = list(buildings)
        if not chosen:
            return None
        n = len(chosen)
        return sum(self.lon[i] for i in chosen) / n, sum(self.lat[i] for i in chosen) / n

    # ---------------------------------------------------------------- building it
    def _take(self, row: BookRow, named: dict[str, list[int]]) -> None:
        i = len(self.ids)
        self.ids.append(row.id)
        self.lon.append(row.lon)
        self.lat.append(row.lat)
        city = self.city.removesuffix("市")
        street = street_key(row.street, row.district, city)
        number = house_number(row.house_number)
        base, built = name_parts(row.name)
        district = row.district
        at_end = not row.name and row.address.endswith(_BUILT_ENDS)
        if row.address and (at_end or not (number and district)):
            said = of_address(row.address, city=city)
            district = district or said.district
            if not number and said.number:
                street, number = said.street, said.number
            if not row.name:
                base, built = said.base, said.built
        self.district.append(self._index(district, self._district_of, self.districts))
        s = self._street_index(street)
        self.street.append(s)
        self.number.append(number)
        if s != NO and number:
            self.at_number[s].setdefault(number, []).append(i)
        community = name_key(row.community)
        c = self._community_index(community)
        if c != NO and community.endswith(_AREA_END):
            self.areas.add(c)
        group = self._community_index(base) if built and len(base) >= 2 else c
        home = group if group != NO and (c == NO or c in self.areas) else c
        self.community.append(home)
        self.street_in.add((s, self.district[i]))
        self.community_in.add((home, self.district[i]))
        self.built.append(built)
        for k in {home, group}:
            if k != NO:
                self.in_community[k].setdefault(built, []).append(i)
        if base and not built:
            named[base].append(i)

    @staticmethod
    def _index(name: str, of: dict[str, int], names: list[str]) -> int:
        if not name:
            return NO
        found = of.get(name)
        if found is None:
            found = of[name] = len(names)
            names.append(name)
        return found

    def _street_index(self, key: str) -> int:
        found = self._index(key, self._street_of, self.streets)
        if found == len(self.at_number):
            self.at_number.append({})
        return found

    def _community_index(self, key: str) -> int:
        found = self._index(key, self._community_of, self.communities)
        if found == len(self.in_community):
            self.in_community.append({})
        return found

    def _learn(self) -> None:
        for key, s in self._street_of.items():
            self.names.add(key, "street", s)
        short: dict[str, set[tuple[Literal["community", "building"], int]]] = defaultdict(set)
        for key, c in self._community_of.items():
            if c in self.areas:
                continue
            self.names.add(key, "community", c)
            for brief in abbreviations(key):
                short[brief].add(("community", c))
        for b, key in enumerate(self._named_keys):
            self.names.add(key, "building", b)
            if len(bare := self._without_city(key)) >= 3:
                self.names.add(bare, "building", b)
            for brief in abbreviations(key):
                short[brief].add(("building", b))
        for brief, meant in short.items():
            if len(meant) == 1 and len(brief) >= 3:
                ((kind, target),) = meant
                self.names.add(brief, kind, target, policy.ABBREVIATED)
        self._learn_briefs()

    def _learn_briefs(self) -> None:
        """振兴 for 振兴家园, where nothing else is called so."""
        meant: dict[str, set[int]] = defaultdict(set)
        for key, c in self._community_of.items():
            if c not in self.areas and (brief := brief_of(key)):
                meant[brief].add(c)
        for brief, many in meant.items():
            if len(many) == 1 and not self.names.has(brief):
                self.names.add(brief, "community", min(many), policy.ABBREVIATED, brief=True)

    def _without_city(self, key: str) -> str:
        """青年宫 of 哈尔滨青年宫, as the city is put aside in addresses too; empty for others."""
        city = self.city.removesuffix("市")
        if not city or not key.startswith(city):
            return ""
        return key[len(city) :].removeprefix("市")

    def _teach(self, aliases: Iterable[Alias]) -> None:
        taught = list(aliases)
        wanted = {a.means for a in taught if a.kind == "building"}
        building_of = {id_: i for i, id_ in enumerate(self.ids) if id_ in wanted}
        for alias in taught:
            wording = name_key(alias.alias)
            if alias.kind == "building":
                if (i := building_of.get(alias.means)) is not None:
                    self.taught.setdefault(wording, []).append(i)
                continue
            if alias.kind == "street":
                target = self._street_of.get(street_key(alias.means))
            else:
                target = self._community_of.get(name_key(alias.means))
            if target is not None:
                self.names.add(wording, alias.kind, target, policy.TAUGHT)
