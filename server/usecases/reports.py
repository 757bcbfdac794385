"""Remarks on a frozen morning report; its figures stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from dispatch_core import reports
from dispatch_core.ids import unix
from dispatch_core.reports import Remark, Report
from server.ports import Decision, Loaded, SecretText, Wanted
from server.usecases.streams import named


class RemarkAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A report after a remark."""

    day: str
    version: int
    remarks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkReport:
    """Write a remark beside a day's figures."""

    day: str
    command: Remark
    text: SecretText

    def wanted(self) -> Wanted:
        """The report's stream."""
        return Wanted(streams=(named("report", self.day),))

    def more(self, loaded: Loaded, /) -> Wanted:
        """Nothing."""
        del loaded
        return Wanted()

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The remark."""
        stream = named("report", self.day)
        before: Report | None = loaded.state(stream)[0]
        (event,) = reports.decide(before, self.command, now)
        state = reports.apply(before, event, unix(now))
        return Decision(
            appends={stream: [event]},
            answer=RemarkAnswer(day=self.day, version=state.version, remarks=len(state.remarks)),
            grounds="a remark by hand",
            policy="reports-1",
            texts=(self.text,),
        )
