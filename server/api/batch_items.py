"""The items of batches: what each kind must look like, how it is checked, and its row."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from dispatch_core.events import WeatherObserved
from dispatch_core.ids import Valve
from geo.datums import Coordinate, DatumRefused, Datums
from server.adapters import telemetry
from server.adapters.accounts import Principal
from server.adapters.fix_checks import Row
from server.adapters.vault import Vault
from server.ports import SecretText

FUTURE_S = 600
OLD_S = 60 * 86400
STANDING_OLD_S = 4 * 366 * 86400
"""What was true long ago may stand still: a flat off the network for years."""
_SEASON = re.compile(r"\d{4}-\d{4}", re.ASCII)


class RoomReading(msgspec.Struct, kw_only=True, gc=False):
    """A room temperature in degrees Celsius, read at a Unix second of business time."""

    point: str
    read_at: int
    celsius: float


class NetworkReading(msgspec.Struct, kw_only=True):
    """What a plant or substation measures: degrees Celsius, cubic metres an hour, kilopascal."""

    node: str
    read_at: int
    supply_c: float | None = None
    return_c: float | None = None
    flow_m3h: float | None = None
    makeup_m3h: float | None = None
    pressure_kpa: float | None = None


class WeatherReading(msgspec.Struct, kw_only=True):
    """The weather at the city's station: degrees Celsius, metres a second, degrees from north."""

    observed_at: int
    outdoor_c: Annotated[float, msgspec.Meta(ge=-70, le=60)]
    feels_c: Annotated[float, msgspec.Meta(ge=-100, le=60)] | None = None
    wind_mps: Annotated[float, msgspec.Meta(ge=0, le=120)] | None = None
    wind_from_deg: Annotated[float, msgspec.Meta(ge=0, le=360)] | None = None


class CrewPosition(msgspec.Struct, kw_only=True):
    """A crew's fix with its datum."""

    crew: str
    fixed_at: int
    lon: float
    lat: float
    datum: str = ""
    """Refused when it is missing."""
    accuracy_m: Annotated[float, msgspec.Meta(ge=0, le=100_000)]
    heading_deg: Annotated[float, msgspec.Meta(ge=0, le=360)] | None = None
    speed_mps: Annotated[float, msgspec.Meta(ge=0, le=120)] | None = None
    battery_pct: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    """What is left in the phone's battery."""


class AccountBalance(msgspec.Struct, kw_only=True):
    """What a household owes, in fen (1/100 yuan)."""

    household: str
    balance_at: int
    unpaid_fen: Annotated[int, msgspec.Meta(ge=0, le=10**12)]


class HouseholdStanding(msgspec.Struct, kw_only=True):
    """What operations (network, valve) or finance (billing) hold true of a household in a season;
    `at` is when it was so, now if it is left out."""

    household: str
    season: str | None = None
    network: Literal["connected", "disconnected"] | None = None
    valve: Valve | None = None
    billing: Literal["full", "base", "none"] | None = None
    billed_fen: Annotated[int, msgspec.Meta(ge=0, le=10**12)] | None = None
    at: int | None = None


class Mention(msgspec.Struct, kw_only=True):
    """Something said in public, with the sentiment value that its source gave it."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    said_at: int
    value: Annotated[float, msgspec.Meta(ge=-1, le=1)]
    topic: Literal["not_warm", "billing", "leak", "attitude", "praise", "other"]
    channel: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    community: str | None = None
    words: Annotated[str, msgspec.Meta(max_length=10_000)] | None = None


class RefusedItem(msgspec.Struct, kw_only=True):
    """An item that was not taken, and why."""

    index: int
    code: str
    detail: str


class _Bad(Exception):  # noqa: N818 - an item's refusal
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class Checking:
    """One batch while it is checked."""

    def __init__(
        self,
        principal: Principal,
        now: int,
        known: set[str],
        vault: Vault,
        season: str,
        datums: Datums,
    ) -> None:
        self.principal = principal
        self.now = now
        self.season = season
        self.known = known
        self.vault = vault
        self.datums = datums
        self.unknown = 0
        self._times: dict[int, datetime] = {}
        self.weather: WeatherObserved | None = None
        self.texts: list[SecretText] = []

    def time(self, at: int, old_s: int = OLD_S) -> datetime:
        """A time that can be meant; a batch holds few different ones."""
        known = self._times.get(at)
        if known is not None:
            return known
        if at > self.now + FUTURE_S:
            raise _Bad("future_time", f"The time {at} lies {at - self.now} s in the future.")
        if at < self.now - old_s:
            raise _Bad("too_old", f"The time {at} is more than {old_s // 86400} days ago.")
        time = self._times[at] = datetime.fromtimestamp(at, UTC)
        return time

    def must_know(self, what: str, name: str) -> str:
        """An identifier of the register."""
        if name not in self.known:
            self.unknown += 1
            raise _Bad(f"unknown_{what}", f"The register has no {what} {name[:60]!r}.")
        return name


def _within(name: str, value: float | None, low: float, high: float) -> float | None:
    if value is not None and not low <= value <= high:
        raise _Bad("impossible_value", f"{name} is {value}, outside {low} to {high}.")
    return value


def _room(r: RoomReading, x: Checking) -> tuple[Any, ...]:
    if r.point not in x.known:
        x.must_know("point", r.point)
    if not -100.0 <= r.celsius <= 200.0:
        raise _Bad("impossible_value", f"celsius is {r.celsius}, outside -100 to 200.")
    return r.point, x.time(r.read_at), r.celsius


def _network(r: NetworkReading, x: Checking) -> tuple[Any, ...]:
    return (
        x.must_know("node", r.node), x.time(r.read_at), _within("supply_c", r.supply_c, -40, 200),
        _within("return_c", r.return_c, -40, 200), _within("flow_m3h", r.flow_m3h, 0, 100_000),
        _within("makeup_m3h", r.makeup_m3h, 0, 10_000),
        _within("pressure_kpa", r.pressure_kpa, -100, 10_000),
    )  # fmt: skip


def _weather(r: WeatherReading, x: Checking) -> tuple[Any, ...]:
    at = x.time(r.observed_at)
    if x.weather is None or r.observed_at > x.weather.observed_at:
        x.weather = WeatherObserved(
            outdoor_c=r.outdoor_c, feels_c=r.feels_c, wind_mps=r.wind_mps,
            wind_from_deg=r.wind_from_deg, observed_at=r.observed_at,
        )  # fmt: skip
    return at, r.outdoor_c, r.feels_c, r.wind_mps, r.wind_from_deg


def _position(r: CrewPosition, x: Checking) -> tuple[Any, ...]:
    crew, at = x.must_know("crew", r.crew), x.time(r.fixed_at)
    try:
        point = x.datums.to_wgs84(Coordinate(r.lon, r.lat, r.datum))
    except DatumRefused as refused:
        raise _Bad(refused.code, refused.detail) from None
    return Row(
        crew, at, point.lon, point.lat, r.datum, r.accuracy_m, r.heading_deg, r.speed_mps,
        r.battery_pct,
    )  # fmt: skip


def _balance(r: AccountBalance, x: Checking) -> tuple[Any, ...]:
    return x.must_know("household", r.household), r.unpaid_fen, x.time(r.balance_at)


def _season(season: str, x: Checking) -> str:
    """A season near the one that runs. Two consecutive years, e.g. `2026-2027`."""
    first, _, last = season.partition("-")
    if not _SEASON.fullmatch(season) or int(last) != int(first) + 1:
        raise _Bad("bad_season", f"{season[:40]!r} is no season: these read 2026-2027.")
    if not -3 <= int(first) - int(x.season[:4]) <= 1:
        raise _Bad("unknown_season", f"The season {season} is far from the present {x.season}.")
    return season


def _standing(r: HouseholdStanding, x: Checking) -> tuple[Any, ...]:
    household = x.must_know("household", r.household)
    if r.network is None and r.valve is None and r.billing is None:
        raise _Bad("nothing_reported", "Neither network, valve nor billing is given.")
    if r.billed_fen is not None and r.billing is None:
        raise _Bad("billing_missing", "An amount is given, and not what for: full, base or none.")
    season = x.season if r.season is None else _season(r.season, x)
    at = x.time(x.now if r.at is None else r.at, STANDING_OLD_S)
    return household, season, r.network, r.valve, r.billing, r.billed_fen, at


def _mention(r: Mention, x: Checking) -> tuple[Any, ...]:
    community = x.must_know("community", r.community) if r.community is not None else None
    at = x.time(r.said_at)
    words = None
    if r.words:
        text = x.vault.words(x.principal.company, r.words)
        x.texts.append(text)
        words = text.words.id
    return r.id, at, r.value, r.topic, community, r.channel, words


Check = Callable[[Any, Checking], tuple[Any, ...]]


class Kind(NamedTuple):
    """One kind of batch: the topic it feeds if any, its table, the register that knows its
    items."""

    topic: str | None
    table: telemetry.Table
    register: str | None
    struct: type
    check: Check
    summary: str
    example: dict[str, Any]
    seasonal: bool = False
    """Its items belong to a season; if they name none, to that of the business date."""


def checked(
    items: list[msgspec.Raw], of: Kind, x: Checking
) -> tuple[list[tuple[Any, ...]], list[RefusedItem]]:
    """The rows of the good items, and the refusals of the bad ones."""
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(of.struct)
    decode, check = decoder.decode, of.check
    rows: list[tuple[Any, ...]] = []
    bad: list[RefusedItem] = []
    for index, raw in enumerate(items):
        try:
            rows.append(check(decode(raw), x))
        except _Bad as refused:
            bad.append(RefusedItem(index=index, code=refused.code, detail=refused.detail))
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            bad.append(RefusedItem(index=index, code="bad_item", detail=str(error)))
    return rows, bad


KINDS: dict[str, Kind] = {
    "room-readings": Kind(
        "rooms", telemetry.ROOM, "point", RoomReading, _room, "Room temperatures, degrees Celsius",
        {"items": [{"point": "RT-00017", "read_at": 1768345200, "celsius": 17.4}],
         "cadence_s": 120},
    ),
    "network-readings": Kind(
        "network", telemetry.NETWORK, "node", NetworkReading, _network,
        "Readings of plants and substations",
        {"items": [{"node": "S-07", "read_at": 1768345200, "supply_c": 71.0, "return_c": 43.5,
                    "makeup_m3h": 1.2}]},
    ),
    "weather": Kind(
        "figures", telemetry.WEATHER, None, WeatherReading, _weather,
        "The weather at the city's station",
        {"items": [{"observed_at": 1768345200, "outdoor_c": -27.4, "wind_mps": 6.1,
                    "wind_from_deg": 315}]},
    ),
    "crew-positions": Kind(
        "positions", telemetry.FIX, "crew", CrewPosition, _position,
        "Fixes of crews, each with its datum",
        {"items": [{"crew": "C-03", "fixed_at": 1768345200, "lon": 126.63, "lat": 45.75,
                    "datum": "wgs84", "accuracy_m": 8, "heading_deg": 90, "speed_mps": 6.5}]},
    ),
    "account-balances": Kind(
        "arrears", telemetry.BALANCE, "household", AccountBalance, _balance,
        "What households owe, in fen",
        {"items": [{"household": "H-000123", "balance_at": 1768345200, "unpaid_fen": 183255}]},
    ),
    "household-standings": Kind(
        None, telemetry.STANDING, "household", HouseholdStanding, _standing,
        "What operations and finance hold true of households",
        {"items": [{"household": "H-000123", "network": "disconnected", "valve": "sealed",
                    "at": 1768345200},
                   {"household": "H-000124", "billing": "base", "billed_fen": 91968}]},
        seasonal=True,
    ),
    "mentions": Kind(
        "sentiment", telemetry.MENTION, "community", Mention, _mention,
        "What is said in public, with its value",
        {"items": [{"id": "wb-1", "said_at": 1768345200, "value": -0.7, "topic": "not_warm",
                    "channel": "weibo", "community": "K-12"}]},
    ),
}  # fmt: skip
