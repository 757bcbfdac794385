"""Policies as data: TOML files per city and season, read again when they change.

The first found wins: `<data>/policies/<company>/<season>.toml`, `.../default.toml`, then the
product's `server/policies/<policy>/<season>.toml`, `.../default.toml`, then `default/default.toml`.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from dispatch_core import campaigns, cases, dispatch, evidence, requests, suspensions
from dispatch_core.errors import Unavailable
from geo.travel_policy import TravelPolicy
from server.adapters.clock import monotonic
from server.adapters.policy_faults import Fault, fault_of
from server.adapters.pool import Pool
from server.ports import CityPolicy

SHIPPED = Path(__file__).resolve().parent.parent / "policies"
LOOK_AGAIN_S = 5.0
SEASON_BEGINS = (7, 1)
"""From this local day on, what is asked for belongs to the season of the coming winter."""
_DAYS = ("applications_from", "deadline", "season_from", "season_until", "resume_until")
_MONTH_DAY = re.compile(r"\d\d-\d\d")


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    city: str
    requests: requests.Policy
    suspension: suspensions.Policy
    cases: cases.Policy
    reminders: campaigns.Policy
    dispatch: dispatch.Policy
    evidence: evidence.Policy
    travel: TravelPolicy = TravelPolicy()


def season_of(day: date) -> str:
    """The season that a local day belongs to, e.g. `2026-2027`."""
    first = day.year if (day.month, day.day) >= SEASON_BEGINS else day.year - 1
    return f"{first}-{first + 1}"


def read_policy(file: Path, season: str, timezone: str) -> CityPolicy:
    """A policy file as the rules of a season.

    Raises:
        Unavailable: `bad_policy`, with the place in the file that does not fit.
    """
    try:
        raw = file.read_bytes()
        found = msgspec.toml.decode(raw, type=_File)
        dates = {name: _dated(getattr(found.suspension, name), season) for name in _DAYS}
        rules = msgspec.structs.replace(found.suspension, **dates)
        suspensions.check_texts(rules)
        suspensions.check_order(rules)
        dispatch.check(found.dispatch)
        evidence.check(found.evidence)
    except (OSError, msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Unavailable(
            "bad_policy", f"The policy file {file.name} cannot be used: {error}.", "Mend the file."
        ) from None
    return CityPolicy(
        version=f"{found.city}/{season}@{hashlib.sha256(raw).hexdigest()[:8]}",
        season=season,
        timezone=timezone,
        requests=found.requests,
        suspension=rules,
        cases=found.cases,
        reminders=found.reminders,
        dispatch=found.dispatch,
        evidence=found.evidence,
        travel=found.travel,
    )


def _dated(day: str, season: str) -> str:
    """A day of the season: `MM-DD` gets its year. Raises ValueError."""
    if _MONTH_DAY.fullmatch(day):
        first, last = season.split("-")
        month, number = (int(part) for part in day.split("-"))
        day = f"{first if (month, number) >= SEASON_BEGINS else last}-{day}"
    return date.fromisoformat(day).isoformat()


class Policies:
    """The rules of every company, kept for seconds; a file that became unusable keeps its last good
    version in force."""

    def __init__(self, pool: Pool, folder: Path) -> None:
        self._pool = pool
        self._folder = folder
        self._known: dict[tuple[int, str], tuple[float, CityPolicy, Path]] = {}
        self._companies: dict[int, tuple[float, tuple[str, str, str]]] = {}
        self._faults: dict[tuple[int, str], Fault] = {}

    async def at(self, company: int, now: datetime) -> CityPolicy:
        """The rules that hold for a company at a business time.

        Raises:
            Unavailable: `bad_policy`, and no good version was read before.
        """
        code, policy, timezone = await self._company(company)
        return self._of(company, code, policy, season_of(now.astimezone(ZoneInfo(timezone)).date()),
                        timezone)  # fmt: skip

    async def of_season(self, company: int, season: str) -> CityPolicy:
        """The rules of a named season."""
        code, policy, timezone = await self._company(company)
        return self._of(company, code, policy, season, timezone)

    async def with_origin(self, company: int, now: datetime) -> tuple[CityPolicy, str]:
        """The rules in force and the file they were read from: `own/...` in the data folder, or the
        product's `<policy>/...`."""
        found = await self.at(company, now)
        file = self._known[company, found.season][2]
        own = file.is_relative_to(self._folder)
        return found, f"own/{file.name}" if own else f"{file.parent.name}/{file.name}"

    def fault(self, company: int, season: str) -> Fault | None:
        """What is wrong with the file as it is now, where the rules before it stay in force."""
        return self._faults.get((company, season))

    async def _company(self, company: int) -> tuple[str, str, str]:
        known = self._companies.get(company)
        if known is not None and monotonic() - known[0] < LOOK_AGAIN_S:
            return known[1]
        async with self._pool.company(company, readonly=True) as c:
            row = await c.fetchrow(
                "SELECT code, policy, timezone FROM company WHERE company_id = $1", company
            )
        found = (row[0], row[1], row[2])
        self._companies[company] = (monotonic(), found)
        return found

    def _of(self, company: int, code: str, policy: str, season: str, timezone: str) -> CityPolicy:
        known = self._known.get((company, season))
        if known is not None and monotonic() - known[0] < LOOK_AGAIN_S:
            return known[1]
        file = self._file(code, policy, season)
        try:
            found = read_policy(file, season, timezone)
            self._faults.pop((company, season), None)
        except Unavailable as error:
            if known is None:
                raise
            self._faults[company, season] = fault_of(file, error.detail)
            _, found, file = known
        self._known[company, season] = (monotonic(), found, file)
        return found

    def _file(self, code: str, policy: str, season: str) -> Path:
        for folder in (self._folder / code, SHIPPED / policy, SHIPPED / "default"):
            for name in (f"{season}.toml", "default.toml"):
                if (folder / name).is_file():
                    return folder / name
        return SHIPPED / "default" / "default.toml"


async def choose_policy(owner_dsn: str, company: int, name: str | None) -> str:
    """The policy that holds for a company, after a change to `name` if one is given."""
    connection = await asyncpg.connect(owner_dsn, timeout=5)
    try:
        chosen: str = await connection.fetchval(
            "UPDATE company SET policy = coalesce($2, policy) WHERE company_id = $1"
            " RETURNING policy",
            company,
            name,
        )
    finally:
        await connection.close(timeout=5)
    return chosen
