"""A request that an origin sends with its case: both in one commit, answered with the ticket."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from server.ports import Decision, Loaded, Wanted
from server.usecases.cases import ReceiveCase


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveRequestWithCase:
    """Take a case in with its request; the same case again is answered with its ticket."""

    case: ReceiveCase

    def wanted(self) -> Wanted:
        """What the case and its request want."""
        return self.case.wanted()

    def more(self, loaded: Loaded, /) -> Wanted:
        """What they want then."""
        return self.case.more(loaded)

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """Their facts; the answer is the ticket's."""
        made = self.case.decide(loaded, now)
        return replace(made, answer=made.answer.ticket)
