"""A seeded set of made addresses with the truth: real streets of a city's file, the defects that
dispatch desks meet, and some 24 % that name no building of the register.

It knows nothing of how addresses are matched. A case is kept only where a person with the register
before them could tell the building; where two are meant alike the truth is none.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import _address_slips as slips
from benchmarks import _address_words as lexicon
from benchmarks._address_ground import (
    NO_STREET,
    STREET,
    Alias,
    Ground,
    RegisterRow,
    make_ground,
)

CITY = "哈尔滨市"
PLACES = frozenset({"哈尔滨", "道里", "道外", "南岗", "香坊", "松北", "太平", "平房", "呼兰"})
HARBIN = Path(__file__).parents[2] / "shared/data/city/harbin.osm.pbf"
"""OpenStreetMap extract; a benchmark or test that needs it skips, saying so, where it is absent."""


@dataclass(frozen=True, slots=True)
class Case:
    """One address as it was taken down, and what it means."""

    text: str
    building: str | None
    """Id of the building; None: no building may be matched."""
    unit: int | None
    floor: int | None
    flat: str | None
    """Unit, floor and flat as far as the text tells them."""
    defects: tuple[str, ...]
    """What is wrong with or unusual in the text; for no building, why: `none_...` first."""


@dataclass(frozen=True, slots=True)
class AddressSet:
    """The register, what people taught, and the addresses to match."""

    rows: list[RegisterRow]
    aliases: list[Alias]
    cases: list[Case]


def make_set(seed: int, n: int, pbf: Path = HARBIN) -> AddressSet:
    """A register over the file's streets and `n` addresses; the same for the same seed and file.

    Raises UserError as `server.sources.osm.read_osm`.
    """
    chance = random.Random(seed)
    ground = make_ground(chance, pbf)
    maker = _Maker(chance, ground)
    return AddressSet(ground.rows, ground.aliases, [maker.case() for _ in range(n)])


def _each_once(defects: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(defects))


class _Maker:
    """Makes one case after the other."""

    def __init__(self, chance: random.Random, ground: Ground) -> None:
        self.chance, self.ground = chance, ground
        self.houses = [r for r in ground.rows if r.house_number and not r.community]
        self.blocks = [r for rows in ground.blocks.values() for r in rows]
        self.names = sorted(ground.all_streets)
        self.communities = sorted(ground.blocks)
        self.streets = sorted({r.street for r in self.houses} - ground.twice)
        known = {r.street for r in ground.rows if r.house_number}
        self.others = sorted(
            s for s in ground.all_streets - known
            if STREET.match(s) and not NO_STREET.search(s) and slips.unmistakable(s, known)
        )  # fmt: skip
        self.free = [s for s in lexicon.NO_STREETS if self._unheard(s)]
        self.homes = {r.building: r for r in ground.rows if r.units}
        self.why: list[tuple[float, Callable[[], tuple[str, str]]]] = [
            (5.0, self._no_number), (2.2, self._no_street), (2.8, self._only_street),
            (2.0, self._only_community), (2.0, self._other_city), (2.0, self._nonsense),
            (1.7, self._two_districts), (1.5, self._two_phases), (1.2, self._only_gate),
            (0.8, self._opposite), (1.0, self._no_block), (1.8, self._not_ours),
        ]  # fmt: skip
        self.none_share = sum(weight for weight, _ in self.why) / 100

    def case(self) -> Case:
        """One address."""
        if self.chance.random() >= self.none_share:
            return self._door()
        makers = [make for _, make in self.why]
        text, why = self.chance.choices(makers, [weight for weight, _ in self.why])[0]()
        defects = ["none_" + why]
        if why != "nonsense":
            text = self._around(text, defects)
        return Case(text, None, None, None, None, _each_once(defects))

    # an address of a door

    def _door(self) -> Case:
        chance = self.chance
        if chance.random() < 0.02:
            return self._called()
        defects: list[str] = []
        if chance.random() < 0.62:
            row, layout = chance.choice(self.houses), "street"
        else:
            row = chance.choice(self.blocks)
            layout = chance.choices(("community", "both", "street"), (55, 32, 13))[0]
            if layout == "street" and row.community in self.ground.gates:
                layout = "both"
        words: list[str] = []
        if layout != "community":
            words.append(self._street(row.street, defects) + self._number(row, layout, defects))
        if layout != "street":
            number = int(row.name.split()[-2])
            dashed = layout == "community" and chance.random() < 0.22
            home = self._home(row, [f"{number}"] if dashed else None, defects)
            words.append(self._community(row.community, defects))
            words[-1] += home[0] if dashed else slips.block(chance, number)
            if layout == "both":
                defects.append("street_and_community")
                if chance.random() < 0.15:
                    words = [words[1], f"（{words[0]}）"]
                    defects.append("order")
            if not dashed:
                words.append(home[0])
        else:
            home = self._home(row, None, defects)
            words.append(home[0])
        sub = f"{row.house_number}-{home[1][0]}"
        plain = "-" not in row.house_number and (row.street, sub) not in self.ground.by_door
        text = self._join(words, defects, dash=plain)
        must = row.street in self.ground.twice and layout != "community"
        text = self._prefix(text, row.district, defects, must=must)
        text = self._around(text, defects)
        return Case(text, row.building, *home[1], _each_once(defects))

    def _called(self) -> Case:
        """A house by a name that was taught."""
        taught = [a for a in self.ground.aliases if a.kind == "building"]
        alias = self.chance.choice(taught)
        defects = ["alias"]
        home = self._home(self.homes[alias.means], None, defects)
        text = self._around(self._join([alias.alias, home[0]], defects, dash=False), defects)
        return Case(text, alias.means, *home[1], _each_once(defects))

    def _street(self, street: str, defects: list[str]) -> str:
        chance, said = self.chance, street
        old = [a.alias for a in self.ground.aliases if a.kind == "street" and a.means == street]
        if old and chance.random() < 0.4:
            defects.append("alias")
            return chance.choice(old)
        roll = chance.random()
        if said.endswith("大街") and roll < 0.5:
            said, what = said.removesuffix("大街") + "街", "short_ending"
        elif roll < 0.08 and self._can_drop(slips.stem(said)):
            said, what = slips.stem(said), "no_ending"
        elif roll < 0.12 and said[-1] in "街路" and not said.endswith("大街"):
            said, what = said[:-1] + ("路" if said[-1] == "街" else "街"), "other_ending"
        else:
            what = None
        if what is not None:
            if said not in self.ground.all_streets and slips.still_meant(said, street, self.names):
                defects.append(what)
                return said
            said = street
        if chance.random() < 0.2 and (slipped := slips.slip(chance, street, self.names)):
            defects.append(slipped[1])
            return slipped[0]
        return said

    @staticmethod
    def _can_drop(stem: str) -> bool:
        """Whether a stem alone is still no district, and runs into no number."""
        return len(stem) > 1 and stem not in PLACES and stem[-1] not in "一二三四五六七八九十"

    def _number(self, row: RegisterRow, layout: str, defects: list[str]) -> str:
        text, defect = slips.house_number(self.chance, row.house_number)
        if layout == "both" and defect in {"no_hao", "other_mark"}:
            # 12#3栋 and 12号楼3栋 would name a building of the community twice
            text, defect = f"{row.house_number}号", None
        if defect:
            defects.append(defect)
        return text

    def _community(self, name: str, defects: list[str]) -> str:
        taught = [a.alias for a in self.ground.aliases if a.kind == "community" and a.means == name]
        if taught and self.chance.random() < 0.4:
            defects.append("alias")
            return taught[0]
        if name.endswith("期"):
            if self.chance.random() < 0.4:
                defects.append("phase_digit")
                return name.replace("一期", "1期").replace("二期", "2期")
            return name
        if self.chance.random() < 0.12:
            slipped = slips.slip(self.chance, name, self.communities)
            if slipped and slips.still_meant(slipped[0], name, self.communities):
                defects.append(slipped[1])
                return slipped[0]
        return name

    def _home(
        self, row: RegisterRow, leading: list[str] | None, defects: list[str]
    ) -> tuple[str, slips.Told]:
        """Words for a home of the building, with its unit, floor and flat as told; after the
        `leading` number all three are joined by dashes."""
        chance = self.chance
        unit, floor, flat = chance.choice(row.homes())
        if leading:
            defects.append("dashes")
            return "-".join([*leading, f"{unit}", flat]), (unit, floor, flat)
        if chance.random() < 0.2:
            return "", (None, None, None)
        words, told, defect = slips.unit_and_flat(chance, unit, floor, flat)
        if defect:
            defects.append(defect)
        return words, told

    def _join(self, words: list[str], defects: list[str], *, dash: bool) -> str:
        """The parts with or without something between them; two numbers never touch. With `dash` a
        dash may part them: 12-3-501, where no house has the number 12-3."""
        between = self.chance.choices(("", " ", "，", "　", ","), (70, 18, 5, 4, 3))[0]
        if between:
            defects.append("marks")
        text = ""
        for word in filter(None, words):
            touching = text and text[-1].isalnum() and text[-1].isascii() and word[0].isalnum()
            if touching and not between:
                text += self.chance.choice((" ", "-") if dash else " ") + word
            else:
                text += (between if text else "") + word
        return text

    def _prefix(self, text: str, district: str, defects: list[str], *, must: bool) -> str:
        chance = self.chance
        short = district.removesuffix("区")
        roll = chance.random()
        if must:
            roll = roll * 0.5 + 0.5
        if roll < 0.44:
            defects.append("no_prefix")
            return text
        if roll < 0.5:
            defects.append("no_district")
            return chance.choice(("哈尔滨", "哈市", CITY)) + text
        if roll < 0.56:
            defects.append("prefix_order")
            before, after = f"{district}{CITY}{text}", f"{text} {district}"
            return chance.choice((before, after, f"{text}（{short}）"))
        if roll < 0.68:
            return f"{CITY}{district}{text}"
        if roll < 0.74:
            return f"黑龙江省{CITY}{district}{text}"
        if roll < 0.90:
            return district + text
        defects.append("short_prefix")
        return chance.choice((short, f"{short} ", f"哈市{short}", f"哈尔滨{short}区")) + text

    def _around(self, text: str, defects: list[str]) -> str:
        """What stands around an address: people, landmarks, words, marks, wide digits, blanks."""
        chance = self.chance
        if chance.random() < 0.05:
            mark = chance.choice(lexicon.LANDMARKS)
            text += chance.choice((f"（{mark}）", f"，{mark}"))
            defects.append("landmark")
        if chance.random() < 0.08:
            text += chance.choice(lexicon.AFTER)
            defects.append("words")
        if chance.random() < 0.08:
            text = chance.choice(lexicon.BEFORE) + text
            defects.append("words")
        if chance.random() < 0.07:
            who = self._person()
            text = chance.choice((f"{who} {text}", f"{text} {who}", f"{text}，{who}"))
            defects.append("person")
        if chance.random() < 0.04:
            text = text.translate(slips.FULL_WIDTH)
            defects.append("full_width")
        if chance.random() < 0.04:
            at = chance.randrange(len(text))
            if not (text[at - 1 : at].isascii() and text[at].isascii()):
                text = f"{text[:at]} {text[at:]}"
                defects.append("blank")
        return text

    def _person(self) -> str:
        chance = self.chance
        name = chance.choice(lexicon.SURNAMES) + chance.choice((*lexicon.TITLES, *lexicon.GIVEN))
        mobile = f"1{chance.choice('35789')}{chance.randrange(10**9):09}"
        phone = chance.choice((mobile, mobile, f"0451-8{chance.randrange(10**7):07}"))
        both = (f"{name}{phone}", f"{name} {phone}", f"{name}，电话{phone}")
        return chance.choice((*both, name, phone))

    # addresses of no door

    def _some_home(self) -> str:
        flat = f"{self.chance.randint(1, 7)}0{self.chance.randint(1, 3)}"
        return self.chance.choice(("", f"{self.chance.randint(1, 6)}单元{flat}室",
                                   f"{self.chance.randint(1, 6)}单元{flat}"))  # fmt: skip

    def _district_of(self, street: str) -> str:
        row = next(r for r in self.houses if r.street == street)
        return self.chance.choice(("", "", row.district, CITY + row.district))

    def _no_number(self) -> tuple[str, str]:
        street = self.chance.choice(self.streets)
        there = {int(r.house_number.partition("-")[0]) for r in self.houses if r.street == street}
        there |= {int(r.house_number) for r in self.blocks if r.street == street}
        beyond = max(there) + self.chance.randint(2, 120)
        gaps = [n for n in range(1, beyond + 1) if n not in there]
        number = self.chance.choice(gaps) if self.chance.random() < 0.6 else beyond
        text = f"{self._district_of(street)}{street}{number}号{self._some_home()}"
        return text, "no_such_number"

    def _block_numbers(self, community: str) -> set[int]:
        return {int(r.name.split()[-2]) for r in self.ground.blocks[community]}

    def _not_ours(self) -> tuple[str, str]:
        """A street of the city along which the company heats nothing."""
        street = self.chance.choice(self.others)
        return f"{street}{self.chance.randint(1, 60)}号{self._some_home()}", "street_not_ours"

    def _no_street(self) -> tuple[str, str]:
        street = self.chance.choice(self.free)
        return f"{street}{self.chance.randint(1, 180)}号{self._some_home()}", "no_such_street"

    def _unheard(self, street: str) -> bool:
        short = slips.stem(street)
        return all(slips.distance(short, slips.stem(name)) > 1 for name in self.names)

    def _only_street(self) -> tuple[str, str]:
        street = self.chance.choice(self.streets)
        rest = self.chance.choice(("", "附近", "上", "中段", "和下一条街交口", self._some_home()))
        return f"{self._district_of(street)}{street}{rest}", "only_street"

    def _only_community(self) -> tuple[str, str]:
        several = [c for c in self.communities if len(self.ground.blocks[c]) > 1]
        rest = self.chance.choice(("", "附近", "门口", "全小区", self._some_home()))
        return self.chance.choice(several) + rest, "only_community"

    def _other_city(self) -> tuple[str, str]:
        city, street = self.chance.choice(lexicon.OTHER_CITIES)
        here = [number for name, number in self.ground.by_door if name == street]
        number = self.chance.choice(here) if here else f"{self.chance.randint(1, 300)}"
        return f"{city}{street}{number}号{self._some_home()}", "other_city"

    def _nonsense(self) -> tuple[str, str]:
        return self.chance.choice(lexicon.NONSENSE), "nonsense"

    def _two_districts(self) -> tuple[str, str]:
        doors = sorted(
            door
            for door, rows in self.ground.by_door.items()
            if len({r.district for r in rows}) > 1
        )
        street, number = self.chance.choice(doors)
        return f"{street}{number}号{self._some_home()}", "two_districts"

    def _two_phases(self) -> tuple[str, str]:
        doors = [
            (base, number)
            for base, (first, second) in sorted(self.ground.phases.items())
            for number in sorted(self._block_numbers(first) & self._block_numbers(second))
        ]
        base, number = self.chance.choice(doors)
        return f"{base}{slips.block(self.chance, number)}{self._some_home()}", "two_phases"

    def _only_gate(self) -> tuple[str, str]:
        several = sorted(c for c in self.ground.gates if len(self.ground.blocks[c]) > 1)
        row = self.ground.blocks[self.chance.choice(several)][0]
        return f"{row.street}{row.house_number}号{self._some_home()}", "only_gate"

    def _opposite(self) -> tuple[str, str]:
        row = self.chance.choice([r for r in self.houses if r.street not in self.ground.twice])
        where = self.chance.choice(("对面", "对过", "后身那栋", "旁边的楼", "隔壁", "斜对面"))
        return f"{row.street}{row.house_number}号{where}", "beside_a_number"

    def _no_block(self) -> tuple[str, str]:
        name = self.chance.choice(self.communities)
        number = max(self._block_numbers(name))
        said = slips.block(self.chance, number + self.chance.randint(2, 60))
        return f"{name}{said}{self._some_home()}", "no_such_block"
