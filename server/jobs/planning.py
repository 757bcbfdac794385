"""How the core's child processes compute what they are asked: pure functions of the inputs.

Replay asks the same functions, so that a stored decision is computed again by the very same way.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import EllipsisType

import msgspec

from dispatch_core import dispatch
from dispatch_core.dispatch import Desk, Inputs
from dispatch_core.ids import TicketId
from server.adapters.engine_calls import PriceOf
from server.jobs.planner_child import Compute
from server.jobs.planning_asks import (
    AskPlan,
    AskPrice,
    AskProposals,
    AskWhatIf,
    Planned,
    Scored,
)

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
STEP = 500
"""Iterations between two looks at the processor's time."""


def price(desk: Desk, of: PriceOf) -> dispatch.Priced:
    """One price, as a decision stores it."""
    after: TicketId | EllipsisType | None = ... if of.after is msgspec.UNSET else of.after
    return desk.price(of.ticket, of.crew, with_crew=of.with_crew, after=after, start_at=of.start_at)


def plan(inputs: Inputs, iterations: int, cpu_s: float | None) -> Planned:
    """A plan; its iterations are what makes it again."""
    began = time.process_time()
    planner = dispatch.Planner(inputs)
    done = 0
    while done < iterations and (cpu_s is None or time.process_time() - began < cpu_s):
        step = min(STEP, iterations - done)
        planner.improve(step)
        done += step
    made = planner.plan()
    return Planned(plan=made, held=dispatch.in_force(made), iterations=done)


class _Desks:
    """The last inputs, made ready once for all that is asked of them."""

    def __init__(self) -> None:
        self._raw = b""
        self._desk: Desk | None = None

    def on(self, raw: msgspec.Raw) -> Desk:
        body = bytes(raw)
        if self._desk is None or body != self._raw:
            self._desk = Desk(inputs_of(body))
            self._raw = body
        return self._desk


def inputs_of(body: bytes) -> Inputs:
    """Inputs as they travel."""
    return msgspec.msgpack.decode(body, type=Inputs)


def computations() -> Mapping[str, Compute]:
    """Name -> computation, for a child."""
    desks = _Desks()

    def proposals(body: bytes) -> bytes:
        asked = msgspec.msgpack.decode(body, type=AskProposals)
        desk = desks.on(asked.inputs)
        found = []
        for ticket in asked.tickets:
            proposal = desk.propose(ticket)
            auto = dispatch.may_confirm_itself(desk.inputs, proposal)
            found.append(Scored(proposal=proposal, auto=auto))
        return _encode(found)

    def priced(body: bytes) -> bytes:
        asked = msgspec.msgpack.decode(body, type=AskPrice)
        return _encode(price(desks.on(asked.inputs), asked.of))

    def planned(body: bytes) -> bytes:
        asked = msgspec.msgpack.decode(body, type=AskPlan)
        return _encode(plan(inputs_of(bytes(asked.inputs)), asked.iterations, asked.cpu_s))

    def what_if(body: bytes) -> bytes:
        asked = msgspec.msgpack.decode(body, type=AskWhatIf)
        inputs = inputs_of(bytes(asked.inputs))
        return _encode(dispatch.what_if(inputs, asked.change, asked.iterations))

    return {"proposals": proposals, "price": priced, "plan": planned, "what_if": what_if}
