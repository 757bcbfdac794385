"""Who is asking: accounts, sessions, one-time links, live passes and the tokens of sources.
Secrets are stored as hashes only."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from datetime import timedelta
from typing import Literal, NamedTuple

import argon2
import asyncpg

from dispatch_core.errors import Forbidden, Invalid
from dispatch_core.ids import CrewId
from server.adapters.clock import monotonic, system_now
from server.adapters.pool import Pool

SESSION_DAYS = 270
"""A wall is signed in once a season, and Harbin's lasts half a year."""
LINK_HOURS = 24
MIN_PASSWORD = 10
ATTEMPTS, ATTEMPTS_WITHIN_S = 5, 60.0

_hasher = argon2.PasswordHasher()


Role = Literal["administrator", "manager", "seat", "wall", "crew"]
"""An account is one of the first four; a crew has none, its phones sign in with a code."""


class Principal(NamedTuple):
    """A person's session, a crew's phone, or a source's token."""

    company: int
    name: str
    """The person's, the source's, or the crew's id."""
    kind: Literal["person", "source", "crew"]
    secret_hash: bytes
    role: Role | None = None
    """What the person is in this company; None for a source."""
    crew: CrewId | None = None
    device: str | None = None
    """The crew's phone that asks."""

    @property
    def actor(self) -> str:
        """As it stands in the journal, e.g. `person:admin`."""
        return f"{self.kind}:{self.name}"


class Pass(NamedTuple):
    """A live pass that was spent."""

    company: int
    session_hash: bytes
    crew: CrewId | None = None
    """Whose phone's it was; None for a person's."""


class Person(NamedTuple):
    """A person of a company."""

    name: str
    role: Role


class CompanyName(NamedTuple):
    """A company an account may see."""

    company: int
    code: str
    name: str


def hash_secret(secret: str) -> bytes:
    """Secrets of 32 random bytes need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


async def new_link(owner_dsn: str) -> str:
    """A one-time sign-in token for whoever can start the installation."""
    token = secrets.token_urlsafe(32)
    connection = await asyncpg.connect(owner_dsn, timeout=5)
    try:
        await connection.execute("DELETE FROM sign_in_link WHERE expires_at < now()")
        await connection.execute(
            "INSERT INTO sign_in_link VALUES ($1, $2)",
            hash_secret(token),
            system_now() + timedelta(hours=LINK_HOURS),
        )
    finally:
        await connection.close(timeout=5)
    return token


async def new_source_token(owner_dsn: str, company: str, name: str) -> str:
    """A bearer token for a source of a company; an earlier token of the same name ends."""
    token = secrets.token_urlsafe(32)
    connection = await asyncpg.connect(owner_dsn, timeout=5)
    try:
        await connection.execute(
            "INSERT INTO source_token (company_id, token_hash, name) SELECT company_id, $2, $3"
            " FROM company WHERE code = $1"
            " ON CONFLICT (company_id, name) DO UPDATE SET token_hash = excluded.token_hash",
            company,
            hash_secret(token),
            name,
        )
    finally:
        await connection.close(timeout=5)
    return token


async def ensure_company(
    owner_dsn: str, code: str, name: str, *, demo: bool = False, timezone: str = "Asia/Shanghai"
) -> int:
    """The company's id; made if missing, and open to every administrator."""
    connection = await asyncpg.connect(owner_dsn, timeout=5)
    try:
        async with connection.transaction():
            company: int = await connection.fetchval(
                "INSERT INTO company (code, name, demo, timezone) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT (code) DO UPDATE SET code = excluded.code RETURNING company_id",
                code,
                name,
                demo,
                timezone,
            )
            await connection.execute(
                "INSERT INTO membership (company_id, account_id) SELECT $1, a.account_id"
                " FROM account a WHERE NOT EXISTS (SELECT FROM membership m"
                "  WHERE m.account_id = a.account_id AND m.role <> 'administrator')"
                " ON CONFLICT DO NOTHING",
                company,
            )
    finally:
        await connection.close(timeout=5)
    return company


async def company_codes(owner_dsn: str) -> list[str]:
    """Codes of all companies, oldest first."""
    connection = await asyncpg.connect(owner_dsn, timeout=5)
    try:
        return [
            r[0] for r in await connection.fetch("SELECT code FROM company ORDER BY company_id")
        ]
    finally:
        await connection.close(timeout=5)


async def first_company(owner_dsn: str, *, demo: bool) -> None:
    """An installation without any company gets one, so that its administrator has where to look."""
    if not await company_codes(owner_dsn):
        code, name = ("demo", "暖城热力") if demo else ("main", "供热公司")
        await ensure_company(owner_dsn, code, name, demo=demo)


async def add_account(dsn: str, company: int, name: str, role: Role, password: str | None) -> bool:
    """Let a person into a company, or give another role; True if the account is new.

    Without a password the account must be there already; with one its password is set anew.

    Raises:
        Invalid: `password_length`, `password_needed`, `bad_name`.
    """
    if not 1 <= len(name) <= 60 or not name.isprintable() or name != name.strip():
        raise Invalid("bad_name", f"{name!r} is no user name.", "Choose 1 to 60 plain characters.")
    hashed = None
    if password is not None:
        _check_password(password)
        hashed = await asyncio.to_thread(_hasher.hash, password)
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        async with connection.transaction():
            known = await connection.fetchval("SELECT true FROM account WHERE name = $1", name)
            if not known and hashed is None:
                raise Invalid(
                    "password_needed", f"There is no account {name} yet.", "Give it a password."
                )
            account = await connection.fetchval(
                "INSERT INTO account (name, password_hash) VALUES ($1, coalesce($2, ''))"
                " ON CONFLICT (name) DO UPDATE"
                " SET password_hash = coalesce($2, account.password_hash) RETURNING account_id",
                name,
                hashed,
            )
            await connection.execute(
                "INSERT INTO membership (company_id, account_id, role) VALUES ($1, $2, $3)"
                " ON CONFLICT (company_id, account_id) DO UPDATE SET role = excluded.role",
                company,
                account,
                role,
            )
    finally:
        await connection.close(timeout=5)
    return not known


async def list_accounts(dsn: str) -> list[tuple[str, str, str]]:
    """(account, company's code, role) of everybody, by name and company."""
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        rows = await connection.fetch(
            "SELECT a.name, c.code, m.role FROM account a JOIN membership m USING (account_id)"
            " JOIN company c USING (company_id) ORDER BY a.name, c.code"
        )
    finally:
        await connection.close(timeout=5)
    return [(r[0], r[1], r[2]) for r in rows]


def _check_password(password: str) -> None:
    if len(password) < MIN_PASSWORD or len(password) > 200:
        raise Invalid(
            "password_length",
            f"The password has {len(password)} characters.",
            f"Choose one of {MIN_PASSWORD} to 200 characters.",
        )


class Accounts:
    """Sign-in and look-up, through the database's doors."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._failures: dict[str, list[float]] = {}

    async def spend_link(self, token: str, user: str | None, password: str | None) -> str:
        """Spend a one-time link; the first makes the administrator. Returns a session secret.

        Raises:
            Forbidden: `link_unknown`. Invalid: `first_administrator` (user and password are
                needed), `password_length`.
        """
        hashed: str | None = None
        if password is not None:
            _check_password(password)
            hashed = await asyncio.to_thread(_hasher.hash, password)
        async with self._pool.connection() as c:
            row = await c.fetchrow(
                "SELECT * FROM link_spend($1, $2, $3)", hash_secret(token), user or None, hashed
            )
        if row["outcome"] == "unknown":
            raise Forbidden(
                "link_unknown",
                "This sign-in link is used up or older than a day.",
                "Start heatops again: it prints a new one. Or sign in with user and password.",
            )
        if row["outcome"] == "first":
            raise Invalid(
                "first_administrator",
                "There is no administrator yet.",
                "Choose a user name and a password of at least 10 characters.",
            )
        return await self._open(row["account_id"])

    async def sign_in(self, user: str, password: str) -> str:
        """A session secret for the right password.

        Raises:
            Forbidden: `sign_in_refused`, without saying which of the two was wrong;
                `too_many_attempts`, five wrong ones within a minute.
        """
        self._check_attempts(user)
        async with self._pool.connection() as c:
            row = await c.fetchrow("SELECT * FROM account_lookup($1)", user)
        known = (
            row["password_hash"]
            if row
            else await asyncio.to_thread(_hasher.hash, secrets.token_hex(8))
        )
        try:
            await asyncio.to_thread(_hasher.verify, known, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            row = None
        if row is None:
            self._failures.setdefault(user, []).append(monotonic())
            raise Forbidden(
                "sign_in_refused",
                "User or password is wrong.",
                "Check both, mind upper and lower case.",
            )
        self._failures.pop(user, None)
        return await self._open(row["account_id"])

    def _check_attempts(self, user: str) -> None:
        """Guessing is slowed down per user name and process."""
        now = monotonic()
        self._failures = {
            name: recent
            for name, times in self._failures.items()
            if (recent := [at for at in times if now - at < ATTEMPTS_WITHIN_S])
        }
        if len(self._failures.get(user, ())) >= ATTEMPTS:
            raise Forbidden(
                "too_many_attempts",
                "Five wrong passwords for this user within a minute.",
                "Wait a minute, or start heatops again and use its one-time link.",
            )

    async def _open(self, account: int) -> str:
        secret = secrets.token_urlsafe(32)
        until = system_now() + timedelta(days=SESSION_DAYS)
        async with self._pool.connection() as c:
            companies = await c.fetch("SELECT * FROM account_companies($1)", account)
            if not companies:
                raise Forbidden(
                    "no_company",
                    "This account belongs to no company yet.",
                    "Ask an administrator to add it.",
                )
            await c.fetchval(
                "SELECT session_open($1, $2, $3, $4)",
                hash_secret(secret),
                account,
                companies[0][0],
                until,
            )
        return secret

    async def sign_out(self, secret: str) -> None:
        """End a session."""
        async with self._pool.connection() as c:
            await c.execute("SELECT session_close($1)", hash_secret(secret))

    async def by_session(self, secret_hash: bytes) -> tuple[Principal, int | None] | None:
        """(principal, account id) of a living session; a crew's phone has no account."""
        async with self._pool.connection() as c:
            row = await c.fetchrow("SELECT * FROM session_lookup($1)", secret_hash)
        if row is None:
            return None
        who = Principal(
            row["company_id"],
            row["account"],
            "crew" if row["crew_id"] else "person",
            secret_hash,
            row["role"],
            row["crew_id"],
            row["device_id"],
        )
        return who, row["account_id"]

    async def revoked(self, secret_hash: bytes) -> bool:
        """Whether the session was that of a crew's phone which the desk has revoked."""
        async with self._pool.connection() as c:
            return bool(await c.fetchval("SELECT crew_device_revoked($1)", secret_hash))

    async def people(self, company: int) -> list[Person]:
        """Everybody who belongs to a company, by name."""
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch("SELECT * FROM company_people($1)", company)
        return [Person(r[0], r[1]) for r in rows]

    async def by_token(self, token: str) -> Principal | None:
        """The source that holds this token."""
        hashed = hash_secret(token)
        async with self._pool.connection() as c:
            row = await c.fetchrow("SELECT * FROM source_lookup($1)", hashed)
        return Principal(row["company_id"], row["name"], "source", hashed) if row else None

    async def companies(self, account: int) -> list[CompanyName]:
        """What the account may see."""
        async with self._pool.connection() as c:
            rows = await c.fetch("SELECT * FROM account_companies($1)", account)
        return [CompanyName(r[0], r[1], r[2]) for r in rows]

    async def move(self, secret_hash: bytes, code: str) -> bool:
        """Change the session's company. False: not a member."""
        async with self._pool.connection() as c:
            return bool(await c.fetchval("SELECT session_move($1, $2)", secret_hash, code))

    async def make_pass(self, secret_hash: bytes) -> str | None:
        """A live pass for a living session."""
        secret = secrets.token_urlsafe(24)
        async with self._pool.connection() as c:
            made = await c.fetchval(
                "SELECT live_pass_make($1, $2)", hash_secret(secret), secret_hash
            )
        return secret if made else None

    async def spend_pass(self, secret: str) -> Pass | None:
        """Whom a pass was made for; it works once."""
        async with self._pool.connection() as c:
            row = await c.fetchrow("SELECT * FROM live_pass_spend($1)", hash_secret(secret))
        return Pass(row["company_id"], row["session_hash"], row["crew_id"]) if row else None
