"""Crews' phones: the code that lets one in, the phones of a crew, and the end of one's session."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

import asyncpg
import msgspec

from dispatch_core.errors import Forbidden, NotFound, Unavailable
from dispatch_core.ids import CrewId, unix
from server.adapters.accounts import SESSION_DAYS, hash_secret
from server.adapters.clock import monotonic, system_now
from server.adapters.device_keys import DeviceKey
from server.adapters.pool import Pool
from server.adapters.vault import Vault

CODE_MINUTES = 10
CODE_DIGITS = 8
SELECTOR_DIGITS = 3
WRONG_A_CODE = 5
"""Wrong tries that name a living code's first digits, after which it is dead."""
WRONG_AN_ADDRESS, WITHIN_S = 20, 600.0
"""Wrong tries of one address in this process; crews behind one router share theirs."""
DRAWS = 100
OTHERS_MOST = 50
"""Phones of a crew that are looked through for the one that a word was made for."""


class NewCode(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time code, told in this answer alone; Unix seconds."""

    code: str
    expires_at: int


class CrewDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A phone of a crew; times are Unix seconds."""

    device: str
    name: str
    signed_in_at: int
    signed_in_by: str
    """Who gave the code, e.g. `person:wang`."""
    active: bool
    """Its session stands: neither revoked, nor signed out, nor run out."""
    revoked_at: int | None
    revoked_by: str | None


class Entered(NamedTuple):
    """A phone that has signed in."""

    secret: str
    """Of its session, for the cookie."""
    crew: CrewId
    device: str


class CrewDevices:
    """Codes and phones of every company."""

    def __init__(self, pool: Pool, vault: Vault) -> None:
        self._pool = pool
        self._vault = vault
        self._wrong: dict[str, list[float]] = {}

    async def make_code(self, company: int, crew: CrewId, by: str) -> NewCode:
        """A new code for one phone of the crew; one made before for it ends.

        Raises:
            Unavailable: `codes_exhausted`, too many codes are living at once.
        """
        until = system_now() + timedelta(minutes=CODE_MINUTES)
        async with self._pool.connection() as c:
            for _ in range(DRAWS):
                code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
                made = await c.fetchval(
                    "SELECT crew_code_make($1, $2, $3, $4, $5, $6)",
                    company, crew, _selector(code), self._vault.crew_code(code), by, until,
                )  # fmt: skip
                if made:
                    return NewCode(code=code, expires_at=unix(until))
        raise Unavailable(
            "codes_exhausted",
            "Too many sign-in codes are waiting to be used.",
            f"They end after {CODE_MINUTES} minutes: try again then.",
        )

    async def sign_in(self, code: str, key: DeviceKey, name: str, address: str) -> Entered:
        """Spend a code: the phone with this key is the crew's from now on, under a new session.

        Raises:
            Forbidden: `code_refused`; `too_many_attempts` from this address.
        """
        tried = self._count_try(address)
        secret = secrets.token_urlsafe(32)
        until = system_now() + timedelta(days=SESSION_DAYS)
        row = None
        if len(code) == CODE_DIGITS and code.isascii() and code.isdecimal():
            async with self._pool.connection() as c:
                row = await c.fetchrow(
                    "SELECT * FROM crew_sign_in($1, $2, $3, $4, $5, $6, $7, $8)",
                    _selector(code), self._vault.crew_code(code), WRONG_A_CODE, key.device, name,
                    key.point, hash_secret(secret), until,
                )  # fmt: skip
        if row is None:
            raise Forbidden(
                "code_refused",
                "This code is wrong, used up or older than ten minutes.",
                "Ask the desk for a new one.",
            )
        tries = self._wrong.get(address, [])
        if tried in tries:
            tries.remove(tried)
        return Entered(secret, CrewId(row["crew_id"]), key.device)

    def _count_try(self, address: str) -> float:
        """When it was made; it counts as wrong until it has proved right, so that many at once are
        no more than one after another."""
        now = monotonic()
        for who, times in list(self._wrong.items()):
            times[:] = [at for at in times if now - at < WITHIN_S]
            if not times:
                del self._wrong[who]
        tries = self._wrong.setdefault(address, [])
        if len(tries) >= WRONG_AN_ADDRESS:
            raise Forbidden(
                "too_many_attempts",
                "Too many wrong codes came from this address.",
                "Wait ten minutes, then use a new code from the desk.",
            )
        tries.append(now)
        return now

    async def devices(self, company: int, crew: CrewId) -> list[CrewDevice]:
        """Every phone that is or was the crew's, the latest first."""
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT *, revoked_at IS NULL AND expires_at > now() AS active FROM crew_device"
                " WHERE company_id = $1 AND crew_id = $2 ORDER BY signed_in_at DESC, device_id",
                company,
                crew,
            )
        return [
            CrewDevice(
                device=r["device_id"],
                name=r["name"],
                signed_in_at=unix(r["signed_in_at"]),
                signed_in_by=r["signed_in_by"],
                active=r["active"],
                revoked_at=_unix(r["revoked_at"]),
                revoked_by=r["revoked_by"],
            )
            for r in rows
        ]

    async def key_of(self, c: asyncpg.Connection, company: int, device: str) -> bytes:
        """The public key that a phone signed in with, 65 bytes uncompressed. Raises NotFound
        `no_such_device`."""
        point: bytes | None = await c.fetchval(
            "SELECT device_key FROM crew_device WHERE company_id = $1 AND device_id = $2",
            company,
            device,
        )
        if point is None:
            raise NotFound(
                "no_such_device", f"There is no phone {device}.", "Sign in again with a new code."
            )
        return bytes(point)

    async def others_of(self, company: int, device: str) -> list[str]:
        """Every other phone that is or was of the same crew: a key that was made anew makes a new
        phone of the one in the hand."""
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT o.device_id FROM crew_device d JOIN crew_device o"
                " ON o.company_id = d.company_id AND o.crew_id = d.crew_id"
                " WHERE d.company_id = $1 AND d.device_id = $2 AND o.device_id <> $2"
                " ORDER BY o.signed_in_at DESC LIMIT $3",
                company,
                device,
                OTHERS_MOST,
            )
        return [row[0] for row in rows]

    async def revoke(self, company: int, crew: CrewId, device: str, by: str) -> bytes:
        """End a phone's session for good; a phone that is revoked already stays so.
        Returns the hash of its session.

        Raises:
            NotFound: `no_such_device`.
        """
        async with self._pool.company(company) as c:
            session = await c.fetchval(
                "UPDATE crew_device SET revoked_at = coalesce(revoked_at, now()),"
                " revoked_by = coalesce(revoked_by, $4)"
                " WHERE company_id = $1 AND crew_id = $2 AND device_id = $3 RETURNING session_hash",
                company,
                crew,
                device,
                by,
            )
        if session is None:
            raise NotFound(
                "no_such_device", f"Crew {crew} has no phone {device}.", "Look at its phones again."
            )
        return bytes(session)


def _selector(code: str) -> int:
    return int(code[:SELECTOR_DIGITS])


def _unix(at: datetime | None) -> int | None:
    return None if at is None else unix(at)
