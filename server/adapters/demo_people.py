"""The demo's own dispatchers: accounts that nobody can sign in to, and a session for each."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from server.adapters.accounts import hash_secret
from server.adapters.clock import system_now

SESSION_DAYS = 400


async def sessions(owner_dsn: str, company: int, names: Sequence[str]) -> dict[str, str]:
    """A new session of a seat for each name in a company, name -> secret; earlier ones end.

    Where somebody of that name has an account of their own, the demo's is called after the
    company, too. Raises what asyncpg raises when the database is away.
    """
    made: dict[str, str] = {}
    until = system_now() + timedelta(days=SESSION_DAYS)
    connection = await asyncpg.connect(owner_dsn, timeout=5)
    try:
        async with connection.transaction():
            for name in names:
                account = await _account(connection, name)
                if account is None:
                    account = await _account(connection, f"{name}·{company}")
                await connection.execute(
                    "INSERT INTO membership (company_id, account_id, role) VALUES ($1, $2, 'seat')"
                    " ON CONFLICT (company_id, account_id) DO NOTHING",
                    company,
                    account,
                )
                await connection.execute(
                    "DELETE FROM session WHERE company_id = $1 AND account_id = $2",
                    company,
                    account,
                )
                made[name] = secrets.token_urlsafe(32)
                await connection.execute(
                    "INSERT INTO session (company_id, token_hash, account_id, expires_at)"
                    " VALUES ($1, $2, $3, $4)",
                    company,
                    hash_secret(made[name]),
                    account,
                    until,
                )
    finally:
        await connection.close(timeout=5)
    return made


async def _account(connection: asyncpg.Connection, name: str) -> int | None:
    """The id of the account without a password; None where a real one has the name."""
    await connection.execute(
        "INSERT INTO account (name, password_hash) VALUES ($1, '') ON CONFLICT DO NOTHING", name
    )
    found: int | None = await connection.fetchval(
        "SELECT account_id FROM account WHERE name = $1 AND password_hash = ''", name
    )
    return found
