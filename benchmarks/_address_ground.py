"""The register that made addresses are asked of: real street names and districts of the city's
file, house numbers that run as real ones do, and communities along those streets."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks._address_words import CALLED, ENDINGS, OLD_STREETS
from server.sources.osm import read_osm
from server.sources.register import BuildingRecord, buildings_of, places_of, streets_of

STREET = re.compile(r"^[一-鿿]{2,8}(?:大街|街|路|大道|胡同)$")
NO_STREET = re.compile(r"规划|高架|立交|隧道|辅路|匝|快速|高速|下穿|上行|下行|桥|掉头|广场|岛")
COMMUNITY = re.compile(r"(?:小区|家园|花园|新村|苑|府邸|名邸|人家|桂园)$")
STREETS, TWICE = 900, 14
COMMUNITIES, PHASED = 150, 16
UNNUMBERED = 2_500
"""Buildings of the file that have no number: they stand in every imported register."""


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """A building of the register, as an import has it; empty words where it has none."""

    building: str
    name: str
    street: str
    house_number: str
    """Without 号: "128", "128-1"."""
    address: str
    district: str
    community: str
    units: int
    floors: int
    flats: int
    """Flats on each floor of a unit."""

    def homes(self) -> list[tuple[int, int, str]]:
        """Unit, floor and flat of every household."""
        return [
            (unit, floor, f"{floor}{n:02}")
            for unit in range(1, self.units + 1)
            for floor in range(1, self.floors + 1)
            for n in range(1, self.flats + 1)
        ]


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that people taught: `kind` is street, community or building, `means` that street's or
    community's name or that building's id."""

    alias: str
    kind: str
    means: str


@dataclass(slots=True)
class Ground:
    """The register, and what the generator asks of it."""

    rows: list[RegisterRow] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    all_streets: frozenset[str] = frozenset()
    """Every street name of the file, with numbers here or without."""
    by_door: dict[tuple[str, str], list[RegisterRow]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """Rows by street and number: one, or a community's, or two districts'."""
    twice: set[str] = field(default_factory=set)
    """Streets that two districts have, with the same numbers."""
    phases: dict[str, list[str]] = field(default_factory=dict)
    """Communities built in phases: the name without its phase, and those with."""
    blocks: dict[str, list[RegisterRow]] = field(default_factory=dict)
    """Buildings of each community."""
    gates: set[str] = field(default_factory=set)
    """Communities whose buildings share the number of one gate."""

    def add(self, row: RegisterRow) -> None:
        """One more building."""
        self.rows.append(row)
        if row.street and row.house_number:
            self.by_door[row.street, row.house_number].append(row)


def make_ground(chance: random.Random, pbf: Path) -> Ground:
    """A register over the streets of an OpenStreetMap file. Raises UserError as `read_osm`."""
    extract = read_osm(pbf, lambda _step, _done: None)
    records = buildings_of(extract, places_of(extract))
    names = {_plain(name) for name in streets_of(extract)}
    ground = Ground(all_streets=frozenset(names))
    lies = _districts(records)
    streets = sorted(n for n in names if STREET.match(n) and not NO_STREET.search(n) and n in lies)
    chance.shuffle(streets)
    streets = sorted(streets[:STREETS])
    ground.twice = set(chance.sample(streets, TWICE))
    for name in streets:
        _number_street(ground, chance, name, lies[name])
    known = sorted({t.name for t in extract.things if _is_community(t.layer, t.name)})
    _build_communities(ground, chance, known, streets, lies)
    taken = {*ground.blocks, *ground.phases}
    # a bare 3号楼 beside a street could be meant by that street's number 3
    plain = [
        r
        for r in records
        if not r.house_number and r.name not in taken and not re.match(r"\d", r.name or "")
    ]
    for record in chance.sample(plain, min(UNNUMBERED, len(plain))):
        ground.add(_as_imported(record))
    _teach(ground, chance, streets)
    return ground


def _plain(name: str) -> str:
    return re.split(r" - |[·•（(]", name)[0].strip()


def _is_community(layer: str, name: str) -> bool:
    return layer in {"building", "place"} and bool(
        COMMUNITY.search(name) and re.fullmatch(r"(?!哈尔滨)[一-鿿]{3,6}", name)
    )


def _districts(records: list[BuildingRecord]) -> dict[str, list[str]]:
    """The districts a street's buildings lie in, most first."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        if record.street and record.district:
            found[_plain(record.street)][record.district] += 1
    return {street: [d for d, _ in count.most_common()] for street, count in found.items()}


def _number_street(ground: Ground, chance: random.Random, street: str, lies: list[str]) -> None:
    """Odd numbers on one side, even ones on the other, with gaps; a few sub-numbers. A street of
    two districts starts anew in the second."""
    districts = lies[:1]
    if street in ground.twice:
        others = ("道里区", "道外区", "南岗区", "香坊区", "松北区")
        districts = [lies[0], chance.choice([d for d in others if d != lies[0]])]
    length = min(420, max(6, int(chance.lognormvariate(2.8, 0.8))))
    gap = chance.uniform(0.1, 0.45)
    numbers = [n for n in range(1, length + 1) if chance.random() > gap]
    for turn, district in enumerate(districts):
        for n in numbers:
            house = [f"{n}"]
            if chance.random() < 0.04:
                house += [f"{n}-{k}" for k in range(1, chance.randint(2, 4))]
            for number in house:
                name = f"B{len(ground.rows) + 1:05}"
                ground.add(
                    RegisterRow(
                        name, "", street, number, f"{district} {street} {number} 号", district, "",
                        *_size(chance),
                    )
                )  # fmt: skip
        if turn == 0:
            numbers = [n for n in numbers if chance.random() < 0.8]


def _size(chance: random.Random) -> tuple[int, int, int]:
    """Units, floors and flats on a floor: mostly walk-ups of seven floors, some towers."""
    if chance.random() < 0.2:
        return chance.randint(1, 3), chance.randint(11, 33), chance.randint(2, 4)
    return chance.randint(1, 8), chance.choice((5, 6, 7, 7, 7, 8, 9)), chance.randint(2, 3)


def _build_communities(
    ground: Ground,
    chance: random.Random,
    known: list[str],
    streets: list[str],
    lies: dict[str, list[str]],
) -> None:
    stems = sorted(s[:2] for s in streets if len(s) == 3)
    names = list(known)
    while len(names) < COMMUNITIES:
        name = chance.choice(stems) + chance.choice(ENDINGS)
        if name not in names:
            names.append(name)
    for base in names[:PHASED]:
        ground.phases[base] = [f"{base}一期", f"{base}二期"]
    quiet = [s for s in streets if s not in ground.twice]
    for base in names:
        street = chance.choice(quiet)
        for name in ground.phases.get(base, [base]):
            _build_community(ground, chance, name, street, lies[street][0])


def _build_community(
    ground: Ground, chance: random.Random, name: str, street: str, district: str
) -> None:
    word = chance.choice(("栋", "栋", "号楼"))
    count = chance.randint(3, 24)
    used = {number for known, number in ground.by_door if known == street}
    free = iter(n for n in range(chance.randint(1, 60), 2000) if f"{n}" not in used)
    gate = f"{next(free)}" if chance.random() < 0.5 else None
    if gate:
        ground.gates.add(name)
    ground.blocks[name] = []
    for k in range(1, count + 1):
        if chance.random() < 0.06:
            continue  # one that was never built
        number = gate or f"{next(free)}"
        row = RegisterRow(
            f"B{len(ground.rows) + 1:05}", f"{name} {k} {word}", street, number,
            f"{district} {street} {number} 号 {name} {k} {word}", district, name, *_size(chance),
        )  # fmt: skip
        ground.add(row)
        ground.blocks[name].append(row)


def _as_imported(record: BuildingRecord) -> RegisterRow:
    return RegisterRow(
        record.id, record.name or "", _plain(record.street or ""), "", record.address,
        record.district or "", "", 0, 0, 0,
    )  # fmt: skip


def _teach(ground: Ground, chance: random.Random, streets: list[str]) -> None:
    """What people taught before: old names of streets, short names of communities, and what a house
    is called."""
    there = set(streets)
    free = [(old, now) for old, now in OLD_STREETS.items() if now in there]
    ground.aliases += [Alias(o, "street", n) for o, n in free if o not in ground.all_streets]
    for name in chance.sample(sorted(set(ground.blocks) - _phased(ground)), 16):
        short = f"{name[:2]}大院"
        if short not in {a.alias for a in ground.aliases}:
            ground.aliases.append(Alias(short, "community", name))
    houses = [r for r in ground.rows if r.house_number and not r.community]
    for word, row in zip(CALLED, chance.sample(houses, len(CALLED)), strict=True):
        ground.aliases.append(Alias(word, "building", row.building))


def _phased(ground: Ground) -> set[str]:
    return {name for names in ground.phases.values() for name in names}
