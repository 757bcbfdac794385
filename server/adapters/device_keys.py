"""The public key by which a crew's phone signs its photos: read from a JWK, held as a point."""

from __future__ import annotations

import base64
import hashlib
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dispatch_core.errors import Invalid


class Jwk(msgspec.Struct, frozen=True):
    """A public key as browsers export it (RFC 7517); what else stands in it is passed over."""

    kty: str
    crv: str
    x: str
    y: str
    d: str | None = None
    """The private part: a key that brings it is refused."""


class DeviceKey(NamedTuple):
    """A phone's public key on P-256."""

    device: str
    """The phone's name: the start of its key's thumbprint."""
    point: bytes
    """65 bytes, uncompressed (SEC 1)."""


def device_key(jwk: Jwk) -> DeviceKey:
    """The key of a phone.

    Raises:
        Invalid: `private_key`, `bad_device_key`.
    """
    if jwk.d is not None:
        raise Invalid(
            "private_key",
            "The key brings its private part along.",
            "Make a new, non-extractable key and send its public part alone.",
        )
    try:
        if (jwk.kty, jwk.crv) != ("EC", "P-256"):
            raise ValueError(jwk.crv)
        numbers = ec.EllipticCurvePublicNumbers(
            _coordinate(jwk.x), _coordinate(jwk.y), ec.SECP256R1()
        )
        point = numbers.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    except ValueError:
        raise Invalid(
            "bad_device_key",
            "The key is no public key on the curve P-256.",
            "Send the JWK of an ECDSA key pair on P-256.",
        ) from None
    tag = base64.urlsafe_b64encode(hashlib.sha256(point).digest()).decode()
    return DeviceKey(tag[:22], point)


def _coordinate(text: str) -> int:
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if len(raw) != 32:
        raise ValueError(len(raw))
    return int.from_bytes(raw)
