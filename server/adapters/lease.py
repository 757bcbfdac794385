"""Leadership: one row with a generation, moved by the leader and watched by standbys."""

from __future__ import annotations

import time

import asyncpg

TAKE_AFTER_S = 4.0
GAP_S = 1.5


class Lost(Exception):  # noqa: N818 - a verdict, like the core's Refused
    """The lease has another generation: somebody else leads now."""


class Watch:
    """Decides when an unchanged lease may be taken, on this process's own monotonic clock."""

    def __init__(self) -> None:
        self._seen: tuple[int, int] | None = None
        self._since = self._last = time.monotonic()

    def may_take(self, generation: int, beat: int) -> bool:
        """True when the lease is free, or has stood unchanged for 4 s
        without a gap in our own watching."""
        now = time.monotonic()
        if (generation, beat) != self._seen or now - self._last > GAP_S:
            self._seen, self._since = (generation, beat), now
        self._last = now
        return beat == 0 or now - self._since > TAKE_AFTER_S


async def read(connection: asyncpg.Connection, name: str = "core") -> tuple[int, int, int | None]:
    """(generation, beat, backend of the holder) of a lease: there is one for each thing that only
    one process may do."""
    row = await connection.fetchrow(
        "SELECT generation, beat, backend FROM lease WHERE name = $1", name
    )
    return row["generation"], row["beat"], row["backend"]


async def take(
    connection: asyncpg.Connection, generation: int, beat: int, holder: str, name: str = "core"
) -> int | None:
    """The new generation, or None if somebody was quicker.
    Terminates a holder that sits on the row's lock."""
    try:
        taken: int | None = await connection.fetchval(
            "UPDATE lease SET generation = generation + 1, beat = beat + 1,"
            " backend = pg_backend_pid(), holder = $3"
            " WHERE name = $4 AND generation = $1 AND beat = $2 RETURNING generation",
            generation,
            beat,
            holder,
            name,
        )
    except asyncpg.LockNotAvailableError:
        _, _, backend = await read(connection, name)
        if backend is not None:
            await connection.execute("SELECT pg_terminate_backend($1)", backend)
        return None
    return taken


async def resume(connection: asyncpg.Connection, generation: int, name: str = "core") -> bool:
    """A holder that lost only its connection goes on at once if its generation still stands."""
    return bool(
        await connection.fetchval(
            "UPDATE lease SET beat = beat + 1, backend = pg_backend_pid()"
            " WHERE name = $2 AND generation = $1 RETURNING true",
            generation,
            name,
        )
    )


async def renew(connection: asyncpg.Connection, generation: int, name: str) -> None:
    """One more beat of a holder that writes nothing else. Raises Lost."""
    moved = await connection.fetchval(
        "UPDATE lease SET beat = beat + 1 WHERE name = $2 AND generation = $1 RETURNING true",
        generation,
        name,
    )
    if not moved:
        raise Lost


async def announce(
    connection: asyncpg.Connection, generation: int, address: str, secret: str
) -> None:
    """Where the leader's engine listens, and what it wants to hear first."""
    await connection.execute(
        "UPDATE lease SET address = $2, secret = $3 WHERE name = 'core' AND generation = $1",
        generation,
        address,
        secret,
    )


async def engine(connection: asyncpg.Connection) -> tuple[str | None, str | None]:
    """Address and secret of the leader's engine; (None, None) before the first."""
    row = await connection.fetchrow("SELECT address, secret FROM lease WHERE name = 'core'")
    return row["address"], row["secret"]


async def release(connection: asyncpg.Connection, generation: int, name: str = "core") -> None:
    """A clean stop: beat 0 lets a standby take over at once."""
    await connection.execute(
        "UPDATE lease SET beat = 0, backend = NULL WHERE name = $2 AND generation = $1",
        generation,
        name,
    )
