"""Inputs as content-addressed pieces: stored once, joined again, compared."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from dispatch_core.dispatch.inputs import Inputs

_ENCODER = msgspec.msgpack.Encoder(order="sorted")
_LISTED = {"teams": "crew", "tasks": "ticket", "stores": "store", "held": "crew"}
"""Lists whose members are told apart by a name."""


def pieces(inputs: Inputs) -> dict[str, bytes]:
    """Each part of the inputs as canonical MessagePack: those that did not change between two
    decisions are the same bytes. The travel table is stored without what follows from its model."""
    stored = msgspec.structs.replace(inputs, travel=inputs.travel.stored())
    return {name: _ENCODER.encode(getattr(stored, name)) for name in Inputs.__struct_fields__}


def joined(parts: Mapping[str, bytes]) -> Inputs:
    """The inputs of their pieces. Raises msgspec.DecodeError for bytes that are no such piece."""
    decode = msgspec.msgpack.decode
    return msgspec.convert(
        {name: decode(raw) for name, raw in parts.items()}, Inputs, builtin_types=(bytes,)
    )


def address(raw: bytes) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


def digest(inputs: Inputs) -> str:
    """The address of all the inputs: that of the addresses of their pieces."""
    return address(_ENCODER.encode({n: address(raw) for n, raw in pieces(inputs).items()}))


def compare(one: Inputs, other: Inputs) -> list[str]:
    """What differs between two inputs, e.g. `at`, `tasks.260114-000123.level`, `teams.C07`."""
    found: list[str] = []
    for name in Inputs.__struct_fields__:
        a, b = (msgspec.to_builtins(getattr(i, name), order="sorted") for i in (one, other))
        key = _LISTED.get(name)
        if key is not None:
            a, b = ({item[key]: item for item in items} for items in (a, b))
        found += _differing(name, a, b, 2 if key else 1)
    return found


def _differing(path: str, a: object, b: object, depth: int) -> list[str]:
    """The paths below which two values differ, to a depth."""
    if a == b:
        return []
    if depth == 0 or not isinstance(a, dict) or not isinstance(b, dict):
        return [path]
    found: list[str] = []
    for key in sorted(set(a) | set(b)):
        if (key in a) != (key in b):
            found.append(f"{path}.{key}")
        elif key in a:
            found += _differing(f"{path}.{key}", a[key], b[key], depth - 1)
    return found
