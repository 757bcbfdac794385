"""External cases in the core: warnings of their clocks, and what their origin was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from dispatch_core import cases
from dispatch_core.events import CaseStatusSent
from server.adapters.case_reads import cases_to_check
from server.adapters.engine_store import EngineTransaction
from server.adapters.message_store import NotNow, Told

STATUS: Mapping[str, cases.Status] = {
    "case_signed": "signed",
    "case_contacted": "contacted",
    "case_extended": "extended",
    "case_replied": "replied",
}
"""What a message of a case said, by its kind."""


async def warnings(tx: EngineTransaction) -> int:
    """Near and passed clocks of every case whose time has come; returns how many facts."""
    due = await cases_to_check(tx.connection, tx.company, tx.now)
    if not due:
        return 0
    version = (await tx.policy()).version
    said = 0
    for stream, case in (await tx.heads(due)).items():
        events = cases.watch(case, tx.now) if case is not None else []
        if events:
            tx.append(stream, events, grounds="a clock reached its time", policy=version)
            said += len(events)
    return said


async def delivered(tx: EngineTransaction, messages: Sequence[Told]) -> int:
    """What an origin's system has becomes a fact of its case, once for each message.

    Raises NotNow while a case is in use.
    """
    news = [m for m in messages if m.was in {None, "failed"} and m.state != "failed"]
    told = [(m, STATUS[m.kind]) for m in news if m.kind in STATUS]
    heads = await tx.heads({m.about for m, _ in told})
    if len(heads) < len({m.about for m, _ in told}):
        raise NotNow
    version = (await tx.policy()).version if told else ""
    for message, status in told:
        case: cases.Case | None = heads[message.about]
        if case is None:
            raise ValueError(f"{message.about} has no facts: a message about nothing")
        way: Literal["webhook", "file"] = "file" if message.way == "file" else "webhook"
        event = CaseStatusSent(
            origin=case.origin, number=case.number, state=case.state, told=status, way=way
        )
        tx.append(message.about, [event], grounds=f"message {message.message_id}", policy=version)
    return len(told)
