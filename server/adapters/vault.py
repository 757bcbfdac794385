"""Residents' data at rest: AES-256-GCM under a key outside the database, keyed pseudonyms,
blind indexes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import unicodedata

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dispatch_core.ids import Words
from server.adapters.keys import Keys
from server.ports import SecretPerson, SecretText

_NONCE = 12


class PersonBody(msgspec.Struct, frozen=True):
    """What is encrypted of a person."""

    name: str | None
    phone: str | None


class Vault:
    """Encrypts and decrypts for one installation.
    The company and the row's id are bound in as associated data."""

    def __init__(self, keys: Keys) -> None:
        self._cipher = AESGCM(keys.get("person"))
        self._parts = hmac.digest(keys.get("person"), b"parts of uploads", "sha256")
        self._pseudonym = keys.get("pseudonym")
        self._index = keys.get("blind_index")

    def _seal(self, company: int, row: str, plain: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain, f"{company}/{row}".encode())

    def _open(self, company: int, row: str, body: bytes) -> bytes:
        return self._cipher.decrypt(body[:_NONCE], body[_NONCE:], f"{company}/{row}".encode())

    # ---------------------------------------------------------------- people
    def person(self, company: int, name: str | None, phone: str | None) -> SecretPerson:
        """A caller under a pseudonym: the same phone gives the same one, a caller without a phone,
        or with a withheld one, a new one each time."""
        if phone and is_phone(phone):
            tag = hmac.digest(
                self._pseudonym, f"{company}/{normal_phone(phone)}".encode(), "sha256"
            ).hex()[:20]
        else:
            tag = secrets.token_hex(10)
        return SecretPerson(pseudonym=f"p-{tag}", name=name, phone=phone)

    def namesake(self, company: int, name: str, phone: str) -> SecretPerson:
        """One of several people behind the same phone: a pseudonym of phone and name."""
        told = f"{company}/{normal_phone(phone)}/{name.strip()}".encode()
        tag = hmac.digest(self._pseudonym, told, "sha256").hex()[:20]
        return SecretPerson(pseudonym=f"p-{tag}", name=name, phone=phone)

    def seal_person(self, company: int, person: SecretPerson) -> bytes:
        """The encrypted body of a person's row."""
        return self._seal(
            company, person.pseudonym, msgspec.json.encode(PersonBody(person.name, person.phone))
        )

    def open_person(self, company: int, pseudonym: str, body: bytes) -> PersonBody:
        """The plain person; raises cryptography.exceptions.InvalidTag if the
        row was tampered with."""
        return msgspec.json.decode(self._open(company, pseudonym, body), type=PersonBody)

    def blind_name(self, company: int, name: str | None) -> bytes | None:
        """A keyed digest to look a name up by."""
        return self._blind(company, "name", (name or "").strip())

    def blind_phone(self, company: int, phone: str | None) -> bytes | None:
        """A keyed digest to look a phone up by, however it was written."""
        known = phone if phone and is_phone(phone) else ""
        return self._blind(company, "phone", normal_phone(known))

    def _blind(self, company: int, what: str, value: str) -> bytes | None:
        if not value:
            return None
        return hmac.digest(self._index, f"{company}/{what}/{value}".encode(), "sha256")[:16]

    def certificate(self, company: int, number: str) -> bytes:
        """A keyed digest of an identity number, however it was written: the number is not kept."""
        plain = "".join(number.split()).upper()
        return hmac.digest(self._index, f"{company}/certificate/{plain}".encode(), "sha256")[:16]

    def keyed(self, digest: bytes) -> bytes:
        """A body's digest as it is stored under its Idempotency-Key: keyed, since a body may hold a
        phone that could be guessed."""
        return hmac.digest(self._index, b"body/" + digest, "sha256")[:16]

    # ---------------------------------------------------------------- words
    def words(self, company: int, text: str, pseudonym: str | None = None) -> SecretText:
        """Free text under a new id, with the keyed digest that the journal may hold."""
        words_id = f"w-{secrets.token_hex(10)}"
        digest = hmac.new(
            self._pseudonym, f"{company}/{words_id}/".encode() + text.encode(), hashlib.sha256
        )
        return SecretText(Words(id=words_id, digest=digest.hexdigest()[:32]), text, pseudonym)

    def seal_words(self, company: int, secret: SecretText) -> bytes:
        """The encrypted body of a text's row."""
        return self._seal(company, secret.words.id, secret.text.encode())

    def open_words(self, company: int, words_id: str, body: bytes) -> str:
        """The plain text."""
        return self._open(company, words_id, body).decode()

    def said(self, company: int, who: str, text: str) -> str:
        """A keyed digest of who said what: the same call sent twice has the same, no other."""
        told = f"{company}/said/{who}/{' '.join(text.split())}".encode()
        return hmac.digest(self._pseudonym, told, "sha256").hex()[:24]

    # ---------------------------------------------------------------- photos
    def seal_photo(self, company: int, photo: str, picture: bytes) -> bytes:
        """The encrypted picture."""
        return self._seal(company, f"photo/{photo}", picture)

    def open_photo(self, company: int, photo: str, body: bytes) -> bytes:
        """The plain picture; raises cryptography.exceptions.InvalidTag if it was tampered with."""
        return self._open(company, f"photo/{photo}", body)

    def part_key(self, company: int, upload: str) -> bytes:
        """The key, 32 bytes, under which the parts of one upload lie until it is whole."""
        return hmac.digest(self._parts, f"{company}/upload/{upload}".encode(), "sha256")

    def photo_nonce(self, company: int, *bound: str | int) -> str:
        """A keyed digest of what a one-time word is good for, 128 bits."""
        told = "\0".join(["nonce", str(company), *map(str, bound)])
        tag = hmac.digest(self._pseudonym, told.encode(), "sha256")[:16]
        return base64.urlsafe_b64encode(tag).decode().rstrip("=")

    def link_token(self, company: int, ticket: str, key: str) -> str:
        """The secret of a resident's link, 128 bits: the same call sent twice has the same, so that
        it need not be stored."""
        told = f"{company}/link/{ticket}/{key}".encode()
        tag = hmac.digest(self._pseudonym, told, "sha256")[:16]
        return base64.urlsafe_b64encode(tag).decode().rstrip("=")

    def crew_code(self, code: str) -> bytes:
        """A keyed digest of a code by which a crew's phone signs in: eight digits are soon tried
        where the key is not known."""
        return hmac.digest(self._index, f"crew-code/{code}".encode(), "sha256")

    # ---------------------------------------------------------------- messages
    def seal_message(self, company: int, about: str, body: bytes) -> bytes:
        """The encrypted body of a message about a stream."""
        return self._seal(company, f"message/{about}", body)

    def open_message(self, company: int, about: str, body: bytes) -> bytes:
        """The plain body."""
        return self._open(company, f"message/{about}", body)


def normal_phone(phone: str) -> str:
    """ASCII digits only, without China's country code and the 0 dialled before a mobile."""
    plain = unicodedata.normalize("NFKC", phone)
    digits = "".join(ch for ch in plain if ch.isascii() and ch.isdigit())
    if len(digits) == 15 and digits.startswith("0086"):
        digits = digits[2:]
    if len(digits) == 13 and digits.startswith("86"):
        return digits[2:]
    return digits[1:] if len(digits) == 12 and digits.startswith("01") else digits


def is_phone(phone: str) -> bool:
    """Whether it tells one caller from another: 未知, 0 and 00000000000 stand for withheld."""
    digits = normal_phone(phone)
    return len(digits) >= 3 and len(set(digits)) > 1
