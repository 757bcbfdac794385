"""What the demo hands over: the register of a company as plain records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

NodeKind = Literal["plant", "primary", "substation", "circuit", "entrance", "unit", "riser"]
Trade = Literal["plant", "primary", "substation", "secondary", "indoor"]


class AnyBuilding(Protocol):
    """What `fill` reads of a building, generated or imported."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def street(self) -> str | None: ...
    @property
    def house_number(self) -> str | None: ...
    @property
    def address(self) -> str: ...
    @property
    def lon(self) -> float: ...
    @property
    def lat(self) -> float: ...
    @property
    def outline_wkb(self) -> bytes: ...
    @property
    def levels(self) -> int | None: ...
    @property
    def use(self) -> str: ...
    @property
    def area_m2(self) -> float: ...
    @property
    def district(self) -> str | None: ...
    @property
    def community(self) -> str | None: ...


class AnyPlace(Protocol):
    """A named place of an imported city; `cls` in OpenStreetMap's words."""

    @property
    def name(self) -> str: ...
    @property
    def cls(self) -> str: ...
    @property
    def lon(self) -> float: ...
    @property
    def lat(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Home:
    """A building that may be heated, before it has a community and a substation."""

    id: str
    name: str
    street: str
    house_number: str
    address: str
    lon: float
    lat: float
    outline_wkb: bytes
    levels: int | None
    use: str
    area_m2: float
    district: str
    community: str
    """Name of the community; empty when the source knows none."""


@dataclass(frozen=True, slots=True)
class Community:
    """A 小区: buildings under one name."""

    id: str
    name: str
    district: str
    lon: float
    lat: float
    radius_m: float


@dataclass(frozen=True, slots=True)
class Building:
    """A heated building; `outline_wkb` is a polygon in WGS-84 degrees."""

    id: str
    name: str
    street: str
    house_number: str
    address: str
    lon: float
    lat: float
    outline_wkb: bytes
    levels: int
    use: str
    area_m2: float
    district: str
    community: str
    """Id of its community."""
    substation: str
    """Id of the node that feeds it."""
    warranty_until: date | None = None
    """New buildings: heating is not stopped before then."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the heat tree above the flat; `supply_low_c` where a reading has a bound."""

    id: str
    kind: NodeKind
    parent: str | None
    name: str
    lon: float | None = None
    lat: float | None = None
    supply_low_c: float | None = None


@dataclass(frozen=True, slots=True)
class Household:
    """A flat and who lives there. The owner is resident data: it belongs in `person` only."""

    id: str
    building: str
    unit: int
    floor: int
    flat: str
    risers: tuple[str, ...]
    """Riser nodes the flat hangs on, one or more."""
    area_m2: float
    gable: bool
    ground: bool
    top: bool
    has_valve: bool
    green_channel: str | None
    """elderly, alone, disabled or infant; None for most."""
    owner_name: str
    owner_phone: str
    """Begins with 100, which no phone in China does."""
    heated_m2: float
    """The area that is billed: measured inside, less than `area_m2`."""
    owner_certificate: str | None
    """Begins with 990, which is no region of China; None where the file never had it."""


@dataclass(frozen=True, slots=True)
class Point:
    """A room-temperature point: a sensor number in a flat."""

    id: str
    household: str
    building: str


@dataclass(frozen=True, slots=True)
class Crew:
    """Two or more people and a van. Shift in minutes after local midnight; it may end next day."""

    id: str
    name: str
    trades: tuple[Trade, ...]
    certificates: tuple[str, ...]
    skill: int
    """1 to 5."""
    members: int
    vehicle: str
    parts: dict[str, int]
    """What the van carries at the start of its shift, part -> pieces."""
    shift_start_min: int
    shift_end_min: int
    base_lon: float
    base_lat: float
    """Where the van stands at the start of its shift."""
    territory: tuple[str, ...] = ()
    """Districts it serves; empty: the whole city."""
    break_after_min: int = 0
    """Its meal is begun within the two hours from then on, minutes after midnight."""
    equipment: tuple[str, ...] = ()
    """What the van carries for good."""


@dataclass(frozen=True, slots=True)
class Store:
    """A spare-parts store and what lies there, part -> pieces."""

    id: str
    name: str
    lon: float
    lat: float
    parts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Account:
    """What a household owes for the winter, in fen, 0 or more."""

    household: str
    unpaid_fen: int


@dataclass(frozen=True, slots=True)
class UsualHour:
    """Requests that one local hour usually sees."""

    day_type: Literal["workday", "weekend"]
    hour: int
    low: int
    usual: int
    high: int


@dataclass(frozen=True, slots=True)
class Register:
    """A company's register, whole."""

    city: str
    seed: int
    communities: list[Community]
    buildings: list[Building]
    nodes: list[Node]
    households: list[Household]
    points: list[Point]
    crews: list[Crew]
    accounts: list[Account]
    usual_hours: list[UsualHour]
    stores: list[Store]


@dataclass(frozen=True, slots=True)
class Options:
    """How large the demo is."""

    communities: int = 40
    buildings: int = 900
    households: int = 60_000
    points: int = 2_400
    """Room-temperature points; 26,000 is the other size that was tried."""
    crews: int = 60
    substations: int = 34
