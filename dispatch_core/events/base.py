"""What every event is: a struct whose kind is its name in snake case."""

from __future__ import annotations

import re

import msgspec


def _kind(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


class Body(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=_kind):
    """An event; its kind is its name in snake case, e.g. TicketReceived is `ticket_received`."""
