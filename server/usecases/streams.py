"""The stream of a thing that a caller names."""

from __future__ import annotations

from dispatch_core.errors import NotFound
from dispatch_core.ids import StreamKind, stream_of


def named(kind: StreamKind, name: str) -> str:
    """The journal stream of what the caller names.

    Raises NotFound `no_such_<kind>` for a name that nothing can have.
    """
    try:
        return stream_of(kind, name)
    except ValueError:
        raise NotFound(
            f"no_such_{kind}", f"There is no {kind} with this name.", "Check its identifier."
        ) from None
