"""All pieces of one decision's inputs as one row: whole, or only as far as they are other than
those of another row, which moments later is very little."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence

import msgspec

from server.adapters import decision_pieces
from server.adapters.decision_pieces import Missing

Parts = Mapping[str, Sequence[bytes]]
"""Field -> its pieces in order."""
_WINDOW = 32_768
"""Bytes that deflate looks back."""
_CHECK = 8
"""Bytes of a field's digest that stand in the row, to name the one that was changed; the digest of
the whole is the row's own name."""


class _Bundle(msgspec.Struct, frozen=True, array_like=True):
    checks: dict[str, bytes]
    parts: dict[str, list[bytes | None]]
    """None: as in the row that this one differs from."""


def parts_of(root: bytes, pieces: Mapping[bytes, bytes]) -> Parts:
    """The pieces in the order of their manifest. Raises Missing."""
    listed = decision_pieces.manifest(root, pieces).pieces
    return {
        name: [decision_pieces.one(pieces, name, digest) for digest in digests]
        for name, digests in listed.items()
    }


def packed(parts: Parts, base: Parts | None = None) -> bytes:
    """A row's body: whole, or what differs from `base`."""
    bundle = _Bundle(
        checks={name: _check(of) for name, of in parts.items()},
        parts={
            name: [
                None if base is not None and piece == like else deflated(piece, like)
                for piece, like in zip(of, _likes(of, name, base), strict=True)
            ]
            for name, of in parts.items()
        },
    )
    return msgspec.msgpack.encode(bundle)


def unpacked(body: bytes, base: Parts | None = None) -> Parts:
    """What was packed. Raises Missing, which names a field that is not what it was."""
    try:
        bundle = msgspec.msgpack.decode(body, type=_Bundle)
    except msgspec.DecodeError as error:
        raise Missing("manifest") from error
    found: dict[str, list[bytes]] = {}
    for name, of in bundle.parts.items():
        there = base.get(name, ()) if base is not None else ()
        pieces: list[bytes] = []
        for i, part in enumerate(of):
            like = there[i] if i < len(there) else b""
            if base is None and pieces:
                like = pieces[-1]
            try:
                pieces.append(like if part is None else inflated(part, like))
            except zlib.error as error:
                raise Missing(f"{name} (changed)") from error
        if _check(pieces) != bundle.checks.get(name):
            raise Missing(f"{name} (changed)")
        found[name] = pieces
    return found


def pieces_of(parts: Parts) -> tuple[bytes, dict[bytes, bytes]]:
    """The digest of the manifest, and every piece by its digest, as `decision_pieces.cut` gave
    them."""
    named = {name: [hashlib.sha256(piece).digest() for piece in of] for name, of in parts.items()}
    pieces = {
        digest: piece
        for name, of in parts.items()
        for digest, piece in zip(named[name], of, strict=True)
    }
    return decision_pieces.listed(named, pieces), pieces


def deflated(raw: bytes, like: bytes) -> bytes:
    """Compressed, by what is already known to be much alike."""
    made = zlib.compressobj(6, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY, like[-_WINDOW:])
    return made.compress(raw) + made.flush()


def inflated(body: bytes, like: bytes) -> bytes:
    """What was deflated by the same `like`. Raises zlib.error."""
    found = zlib.decompressobj(-15, like[-_WINDOW:])
    return found.decompress(body) + found.flush()


def _likes(of: Sequence[bytes], name: str, base: Parts | None) -> list[bytes]:
    """What each piece is compressed by: its like in the other row; without one, the piece before
    it."""
    if base is None:
        return [b"", *of[:-1]] if of else []
    there = base.get(name, ())
    return [there[i] if i < len(there) else b"" for i in range(len(of))]


def _check(pieces: Sequence[bytes]) -> bytes:
    return hashlib.sha256(b"".join(hashlib.sha256(p).digest() for p in pieces)).digest()[:_CHECK]
