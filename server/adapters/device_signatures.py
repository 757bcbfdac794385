"""What a phone signed when it took a photo, checked against the key that it signed in with."""

from __future__ import annotations

import base64
import binascii
from decimal import Decimal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

SIDE = 32


def signed_text(*told: str | int | None, spot: tuple[float, float, float] | None) -> bytes:
    """The lines that a phone signs: one-time word, digest, time, ticket, slot, check-in; last the
    place as it was sent, numbers as JavaScript writes them."""
    place = ["", "", ""] if spot is None else [as_script(number) for number in spot]
    lines = ["heatops-photo-1", *("" if one is None else str(one) for one in told), ",".join(place)]
    return "\n".join(lines).encode()


def as_script(number: float) -> str:
    """A number of everyday size as String(number) gives it in a browser."""
    if number == int(number):
        return str(int(number))
    return format(Decimal(repr(number)), "f")


def holds(point: bytes, signature: str, text: bytes) -> bool:
    """Whether a signature (ECDSA P-256 over SHA-256, raw r and s, base64url) is this key's over
    the text. `point`: 65 bytes, uncompressed."""
    try:
        padded = signature + "=" * (-len(signature) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        if len(raw) != 2 * SIDE:
            return False
        told = encode_dss_signature(int.from_bytes(raw[:SIDE]), int.from_bytes(raw[SIDE:]))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        key.verify(told, text, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True
