"""A refusal that is kept as the answer to its request: no other try of it is carried out after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.ports import Decision, Loaded, Wanted


@dataclass(frozen=True, slots=True)
class Refuse:
    """Writes nothing but the answer. What another try has done stands: then that is the answer."""

    answer: Any
    """JSON-ready, as a refusal is told."""
    status: int

    def wanted(self) -> Wanted:
        """Nothing."""
        return Wanted()

    def more(self, _loaded: Loaded, /) -> Wanted:
        """Nothing."""
        return Wanted()

    def decide(self, _loaded: Loaded, _now: datetime, /) -> Decision:
        """The answer."""
        return Decision(
            appends={}, answer=self.answer, status=self.status, grounds="", policy=""
        )  # fmt: skip
