"""Messages that are to leave the house: stored with the facts that cause them, sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from server.adapters.clock import system_now
from server.adapters.columns import columns
from server.adapters.vault import Vault
from server.ports import OutMessage


async def save_messages(
    c: asyncpg.Connection, company: int, vault: Vault, now: datetime, messages: Sequence[OutMessage]
) -> None:
    """Write messages in the caller's transaction at business time `now`; a gateway carries them
    out from there, tried again by system time: a moved business clock delays no message."""
    if not messages:
        return
    rows = [
        (m.channel, m.target, m.kind, m.about, vault.seal_message(company, m.about,
                                                                   msgspec.json.encode(m.body)))
        for m in messages
    ]  # fmt: skip
    await c.execute(
        "INSERT INTO message (company_id, next_at, written_at, channel, target, kind, about, body)"
        " SELECT $1, $2, $3, * FROM unnest($4::text[], $5::text[], $6::text[], $7::text[],"
        " $8::bytea[])",
        company,
        system_now(),
        now,
        *columns(rows),
    )
