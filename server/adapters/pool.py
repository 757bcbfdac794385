"""Connections of the web processes and jobs:
a pool, a company per transaction, and one name for a database that is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from dispatch_core.errors import Invalid, Unavailable

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,  # too many connections, a full disk, no memory
    asyncpg.QueryCanceledError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
"""What a PostgreSQL that is away, stopping, starting, too slow or out of room raises."""


def unavailable(error: BaseException) -> Unavailable:
    """The refusal for a database that does not answer, or cannot write."""
    if isinstance(error, asyncpg.DiskFullError):
        return Unavailable(
            "database_disk_full",
            "The disk of the database is full.",
            "Free some space there, then send the same request again with the same"
            " Idempotency-Key.",
        )
    return Unavailable(
        "database_unavailable",
        "The database does not answer just now.",
        "Send the same request again with the same Idempotency-Key in a few seconds.",
    )


async def _as_it_is(_: asyncpg.Connection) -> None:
    """Locks and settings here end with their transaction: asyncpg's RESET ALL, CLOSE ALL and
    UNLISTEN would be one more round trip for each. (It still rolls back what was left open.)"""


class Pool:
    """asyncpg's pool, opened late and reopened by itself; every transaction names its company."""

    def __init__(self, dsn: str, *, size: int = 8, name: str = "heatops-web") -> None:
        self._dsn = dsn
        self._size = size
        self._name = name
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def _open(self) -> asyncpg.Pool:
        """One pool, however many ask first. Raises what asyncpg raises when the server is away."""
        async with self._opening:
            if self._pool is None:
                self._pool = await self._connect()
            return self._pool

    async def _connect(self) -> asyncpg.Pool:
        return await asyncpg.create_pool(
            self._dsn,
            min_size=1,
            max_size=self._size,
            timeout=5,
            command_timeout=20,
            reset=_as_it_is,
            server_settings={
                "application_name": self._name,
                "statement_timeout": "20000",
                "idle_in_transaction_session_timeout": "10000",
                "jit": "off",
                "timezone": "UTC",
            },
        )

    async def close(self) -> None:
        """Drop every connection at once."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection outside a company, for look-ups through the SECURITY DEFINER doors.

        Raises:
            Unavailable: the database does not answer.
            Invalid: `control_characters`, a text that is asked for or written has a NUL.
        """
        try:
            pool = self._pool or await self._open()
            async with pool.acquire(timeout=5) as connection:
                yield connection
        except AWAY as error:
            raise unavailable(error) from error
        except asyncpg.CharacterNotInRepertoireError:
            raise Invalid(
                "control_characters",
                "A name or text holds a character that cannot be stored.",
                "Send plain text.",
            ) from None

    @asynccontextmanager
    async def company(
        self, company: int, *, isolation: str = "read_committed", readonly: bool = False
    ) -> AsyncIterator[asyncpg.Connection]:
        """A transaction that sees and writes one company only.

        Raises:
            Unavailable: the database does not answer; nothing was committed, or the
                answer was lost on the way.
        """
        async with (
            self.connection() as connection,
            connection.transaction(isolation=isolation, readonly=readonly),
        ):
            await connection.execute("SELECT set_config('heatops.company', $1, true)", str(company))
            yield connection
