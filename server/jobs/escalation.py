"""Escalation: what is late, or what nobody can take, is carried to the duty manager, once each."""

from __future__ import annotations

from dispatch_core import levels, tickets
from dispatch_core.commands import Escalate
from dispatch_core.ids import Clock
from dispatch_core.tickets import Ticket
from server.adapters.engine_store import EngineTransaction
from server.ports import OutMessage


async def carry_up(tx: EngineTransaction, stream: str) -> int:
    """Carry up what is owed of a ticket that was loaded in this transaction, after the facts
    appended to it so far; the message leaves by the gateway of channel `duty`. Returns how many
    facts it appended."""
    said = 0
    for command in tickets.owed(tx.state(stream)):
        ticket: Ticket = tx.state(stream)
        events = tickets.decide(ticket, command, tx.now)
        if not events:
            continue
        tx.append(
            stream,
            events,
            grounds=_grounds(command.clock),
            policy=levels.POLICY.version,
        )
        await tx.send([_message(stream, ticket, command)])
        said += len(events)
    return said


def _grounds(clock: Clock | None) -> str:
    if clock is None:
        return "a red ticket without a crew to propose"
    return f"the deadline of the clock {clock} has passed"


def _message(stream: str, ticket: Ticket, command: Escalate) -> OutMessage:
    return OutMessage(
        channel="duty",
        target=command.to,
        kind="ticket_escalated",
        about=stream,
        body={
            "ticket": stream.removeprefix("ticket:"),
            "level": ticket.level,
            "kind": ticket.kind,
            "address": ticket.place.address,
            "clock": command.clock,
            "deadline": command.deadline,
            "crew": ticket.crew_name,
        },
    )
