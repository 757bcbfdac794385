"""What a fold is given: one event with where it stands in the journal."""

from __future__ import annotations

import msgspec

from dispatch_core.events import Event


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a company. `at` is its business time in Unix seconds.

    `version` counts the facts of the stream; telemetry has no journal, only a number that grows.
    """

    company: int
    stream: str
    version: int
    at: int
    event: Event

    @property
    def name(self) -> str:
        """The stream's name without its kind, e.g. the ticket's id; it may hold colons."""
        return self.stream.partition(":")[2]
