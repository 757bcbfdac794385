"""A decision's inputs in pieces named by their content, so that decisions made minutes apart share
nearly all of them."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import Any

import msgspec

from dispatch_core.dispatch import Inputs

_LISTS = {"teams": ("crew", 8), "tasks": ("ticket", 32), "held": ("crew", 8)}
"""Fields that are cut up: what names an item, and into how many pieces. A crew or ticket always
lies in the same piece; one that moves changes that piece alone."""
_ALONE = ("policy", "stores")
"""Fields that are a piece each, since they seldom change."""
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class Missing(LookupError):  # noqa: N818 - a verdict, told with its name
    """A piece is not there, or is not what its name says: args[0] names it."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Which pieces make up the inputs: field -> SHA-256 of each, in order."""

    pieces: dict[str, list[bytes]]


def cut(inputs: Inputs) -> tuple[bytes, dict[bytes, bytes]]:
    """The digest of the manifest, and every piece, the manifest too, by its digest. Travel times
    that can be found again are left out: only what they must be is kept."""
    inputs = msgspec.structs.replace(inputs, travel=inputs.travel.slim())
    pieces: dict[bytes, bytes] = {}
    named: dict[str, list[bytes]] = {}
    rest: dict[str, Any] = {}
    for name in inputs.__struct_fields__:
        value = getattr(inputs, name)
        if name in _LISTS:
            named[name] = [_piece(pieces, part) for part in _parts(name, value)]
        elif name in _ALONE:
            named[name] = [_piece(pieces, value)]
        else:
            rest[name] = value
    named[""] = [_piece(pieces, rest)]
    return listed(named, pieces), pieces


def listed(named: dict[str, list[bytes]], pieces: dict[bytes, bytes]) -> bytes:
    """The digest of the manifest, which is put among the pieces."""
    return _piece(pieces, Manifest(pieces=named))


def join(root: bytes, pieces: Mapping[bytes, bytes]) -> Inputs:
    """The inputs that were cut; travel times on roads are still to be found again. Raises
    Missing."""
    found: dict[str, Any] = dict(msgspec.msgpack.decode(one(pieces, "inputs", manifest(
        root, pieces).pieces[""][0])))  # fmt: skip
    for name, digests in manifest(root, pieces).pieces.items():
        if not name:
            continue
        values = [msgspec.msgpack.decode(one(pieces, name, digest)) for digest in digests]
        if name in _LISTS:
            key = _LISTS[name][0]
            found[name] = sorted((x for part in values for x in part), key=lambda x: str(x[key]))
        else:
            found[name] = values[0]
    try:
        return msgspec.convert(found, Inputs, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise Missing(f"inputs ({error})") from error


def manifest(root: bytes, pieces: Mapping[bytes, bytes]) -> Manifest:
    """The list of pieces. Raises Missing."""
    try:
        return msgspec.msgpack.decode(one(pieces, "manifest", root), type=Manifest)
    except msgspec.DecodeError as error:
        raise Missing("manifest") from error


def one(pieces: Mapping[bytes, bytes], name: str, digest: bytes) -> bytes:
    """A piece that is what its name says. Raises Missing."""
    body = pieces.get(digest)
    if body is None:
        raise Missing(f"{name} (gone)")
    if hashlib.sha256(body).digest() != digest:
        raise Missing(f"{name} (changed)")
    return body


def _parts(name: str, items: list[Any]) -> list[list[Any]]:
    key, count = _LISTS[name]
    parts: list[list[Any]] = [[] for _ in range(count)]
    for item in items:
        parts[zlib.crc32(str(getattr(item, key)).encode()) % count].append(item)
    return parts


def _piece(pieces: dict[bytes, bytes], value: object) -> bytes:
    body = _encode(value)
    digest = hashlib.sha256(body).digest()
    pieces[digest] = body
    return digest
