"""Owners of households on their way into `person`: who they are, and which of them are new."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import asyncpg

from server.adapters.columns import columns
from server.adapters.vault import PersonBody, Vault
from server.ports import SecretPerson


class _Known(NamedTuple):
    name: bytes | None
    phone: bytes | None
    body: bytes


class Owners:
    """The owners that some rows speak of, in one transaction."""

    def __init__(self, vault: Vault, company: int) -> None:
        self._vault = vault
        self._company = company
        self._known: dict[str, _Known] = {}
        self._homes: dict[str, set[str]] = {}
        self._new: dict[str, tuple[Any, ...]] = {}

    async def load(self, c: asyncpg.Connection, pseudonyms: Collection[str]) -> None:
        """What stands of these people, and which households are theirs."""
        wanted = list(pseudonyms)
        for r in await c.fetch(
            "SELECT pseudonym, name_index, phone_index, body FROM person"
            " WHERE company_id = $1 AND pseudonym = ANY($2::text[])",
            self._company,
            wanted,
        ):
            self._known[r[0]] = _Known(r[1], r[2], r[3])
        for r in await c.fetch(
            "SELECT pseudonym, household_id FROM household"
            " WHERE company_id = $1 AND pseudonym = ANY($2::text[])",
            self._company,
            wanted,
        ):
            self._homes.setdefault(r[0], set()).add(r[1])

    def of(
        self, household: str, present: str | None, name: str | None, phone: str | None
    ) -> tuple[str, bool]:
        """(pseudonym of the household's owner, whether the person's data change).

        `present`: its owner so far. A phone is a person; two names behind one phone are two, so
        that neither owner is lost. Without a phone the person so far stays who they are.
        """
        if present is not None and present in self._known:
            name, phone = self._completed(present, name, phone)
        named, reached = self._indexes(name, phone)
        if present is not None and self._same(present, named, reached):
            return present, False
        if phone:
            person = self._vault.person(self._company, name, phone)
            if name is None and person.pseudonym in self._known:
                self._move(household, present, person.pseudonym)
                return person.pseudonym, False
            if name and self._is_others(person.pseudonym, household, named):
                person = self._vault.namesake(self._company, name, phone)
        elif present is not None and self._homes.get(present, set()) <= {household}:
            person = SecretPerson(pseudonym=present, name=name, phone=None)
        else:
            person = self._vault.person(self._company, name, None)
        self._move(household, present, person.pseudonym)
        if (name is None and phone is None) or self._same(person.pseudonym, named, reached):
            return person.pseudonym, False
        body = self._vault.seal_person(self._company, person)
        self._known[person.pseudonym] = _Known(named, reached, body)
        self._new[person.pseudonym] = (person.pseudonym, body, named, reached)
        return person.pseudonym, True

    def _move(self, household: str, from_: str | None, to: str) -> None:
        if from_ is not None:
            self._homes.get(from_, set()).discard(household)
        self._homes.setdefault(to, set()).add(household)

    def _completed(
        self, present: str, name: str | None, phone: str | None
    ) -> tuple[str | None, str | None]:
        """What a row leaves out stays as it is."""
        if name is not None and phone is not None:
            return name, phone
        known = self._known[present]
        if (name is None and known.name is None) or (phone is None and known.phone is None):
            return name, phone
        person: PersonBody = self._vault.open_person(self._company, present, known.body)
        return name if name is not None else person.name, (
            phone if phone is not None else person.phone
        )

    def _indexes(self, name: str | None, phone: str | None) -> tuple[bytes | None, bytes | None]:
        return (
            self._vault.blind_name(self._company, name),
            self._vault.blind_phone(self._company, phone),
        )

    def _same(self, pseudonym: str, named: bytes | None, reached: bytes | None) -> bool:
        known = self._known.get(pseudonym)
        return known is not None and (known.name, known.phone) == (named, reached)

    def _is_others(self, pseudonym: str, household: str, named: bytes | None) -> bool:
        known = self._known.get(pseudonym)
        return (
            known is not None
            and known.name not in {None, named}
            and bool(self._homes.get(pseudonym, set()) - {household})
        )

    async def save(self, c: asyncpg.Connection) -> None:
        """Write the people that are new or changed."""
        if self._new:
            await c.execute(
                "INSERT INTO person (company_id, pseudonym, body, name_index, phone_index)"
                " SELECT $1, * FROM unnest($2::text[], $3::bytea[], $4::bytea[], $5::bytea[])"
                " ON CONFLICT (company_id, pseudonym) DO UPDATE SET body = excluded.body,"
                " name_index = excluded.name_index, phone_index = excluded.phone_index",
                self._company,
                *columns(list(self._new.values())),
            )
