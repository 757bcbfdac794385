"""One-time words under which a crew's phone takes photos: made without being stored, spent once."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg

from server.adapters.vault import Vault

EVERY_S = 3600
"""Words are made for a business hour, so that asking twice gives the same ones."""
AHEAD = 3
"""So many words a slot lie ahead of those that are spent."""


class Bound(NamedTuple):
    """What a word is good for: one slot of one ticket, taken by one phone of one crew."""

    company: int
    ticket: str
    slot: str
    crew: str
    device: str


class Nonces:
    """Makes words and tells its own from others."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def words(self, bound: Bound, spent: int, now: datetime) -> list[str]:
        """The next ones, `spent` having been used."""
        hour = _hour(now)
        return [self._word(bound, n, hour) for n in range(spent, spent + AHEAD)]

    def holds(self, word: str, bound: Bound, now: datetime, valid_s: int) -> bool | None:
        """Whether it was made for this, by us; None: it was, but too long ago."""
        number, _, rest = word.partition(".")
        hour, _, _ = rest.partition(".")
        if not all(part.isascii() and part.isdecimal() for part in (number, hour)):
            return False
        if len(number) > 6 or len(hour) > 9 or int(hour) > _hour(now):
            return False
        ours = self._word(bound, int(number), int(hour))
        if not hmac.compare_digest(ours.encode(), word.encode()):
            return False
        return True if _hour(now) - int(hour) <= -(-valid_s // EVERY_S) else None

    def _word(self, bound: Bound, number: int, hour: int) -> str:
        return f"{number}.{hour}.{self._vault.photo_nonce(bound.company, *bound[1:], number, hour)}"


async def spend(c: asyncpg.Connection, bound: Bound, word: str, photo: str) -> bool:
    """The word, which holds, is this photo's from now on, however often that is sent; False where
    it is another's."""
    await c.execute(
        "INSERT INTO photo_nonce (company_id, nonce, ticket_id, slot, device_id, number, photo_id)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        bound.company, word, bound.ticket, bound.slot, bound.device,
        int(word.partition(".")[0]), photo,
    )  # fmt: skip
    owner: str = await c.fetchval(
        "SELECT photo_id FROM photo_nonce WHERE company_id = $1 AND nonce = $2",
        bound.company,
        word,
    )
    return owner == photo


async def spent(
    c: asyncpg.Connection, company: int, device: str, tickets: Sequence[str]
) -> Mapping[tuple[str, str], int]:
    """(ticket, slot) -> the number of the first of its words that a phone has not used."""
    rows = await c.fetch(
        "SELECT ticket_id, slot, max(number) + 1 FROM photo_nonce WHERE company_id = $1"
        " AND ticket_id = ANY($2::text[]) AND device_id = $3 GROUP BY 1, 2",
        company,
        list(tickets),
        device,
    )
    return {(row[0], row[1]): row[2] for row in rows}


def _hour(now: datetime) -> int:
    return int(now.timestamp()) // EVERY_S
