"""Residents and their words written down, encrypted."""

from __future__ import annotations

from collections.abc import Collection

import asyncpg

from server.adapters.columns import columns
from server.adapters.vault import Vault
from server.ports import SecretPerson, SecretText


async def save_secrets(
    c: asyncpg.Connection,
    company: int,
    vault: Vault,
    persons: Collection[SecretPerson],
    texts: Collection[SecretText],
) -> None:
    """Write persons and texts in the same transaction as the facts that point at them."""
    if persons:
        rows = [
            (
                p.pseudonym,
                vault.seal_person(company, p),
                vault.blind_name(company, p.name),
                vault.blind_phone(company, p.phone),
            )
            for p in {p.pseudonym: p for p in persons}.values()
        ]
        await c.execute(
            "INSERT INTO person (company_id, pseudonym, body, name_index, phone_index)"
            " SELECT $1, * FROM unnest($2::text[], $3::bytea[], $4::bytea[], $5::bytea[])"
            " ON CONFLICT (company_id, pseudonym) DO UPDATE SET body = excluded.body,"
            " name_index = excluded.name_index WHERE excluded.name_index IS NOT NULL"
            # What the register says of an owner does not change by what somebody says on the phone.
            " AND NOT EXISTS (SELECT FROM household h WHERE h.company_id = excluded.company_id"
            "  AND h.pseudonym = excluded.pseudonym)",
            company,
            *columns(rows),
        )
    if texts:
        await c.execute(
            "INSERT INTO person_words (company_id, words_id, pseudonym, body)"
            " SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bytea[])",
            company,
            *columns([(t.words.id, t.pseudonym, vault.seal_words(company, t)) for t in texts]),
        )
