"""How each kind of stream keeps its state: which struct it is and how a fact moves it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from dispatch_core import (
    campaigns,
    cases,
    crews,
    evidence,
    handovers,
    outages,
    reports,
    rooms,
    sentiment,
    stores,
    suspensions,
    tickets,
)
from dispatch_core.events import CellPublished, Event
from dispatch_core.ids import StreamKind, split_stream


class CellState(msgspec.Struct, frozen=True):
    """A cell of the arrears grid: the band it shows, None while it is hidden.
    What decides stands in the looks."""

    band: int | None


def _cell(state: CellState | None, event: Event, at: int) -> CellState:
    del state, at
    return CellState(event.band if isinstance(event, CellPublished) else None)


State = (
    tickets.Ticket | crews.Crew | rooms.Point | CellState | sentiment.Community | outages.Outage
    | cases.Case | campaigns.Campaign | suspensions.Heating | suspensions.Visit
    | handovers.Handover | reports.Report | stores.Store
    | evidence.SiteRecord
)  # fmt: skip
"""What a stream has come to."""

_KINDS: dict[StreamKind, tuple[type[State], Callable[..., State]]] = {
    "ticket": (tickets.Ticket, tickets.apply),
    "crew": (crews.Crew, crews.apply),
    "point": (rooms.Point, rooms.apply),
    "cell": (CellState, _cell),
    "community": (sentiment.Community, sentiment.apply),
    "outage": (outages.Outage, outages.apply),
    "case": (cases.Case, cases.apply),
    "campaign": (campaigns.Campaign, campaigns.apply),
    "heating": (suspensions.Heating, suspensions.apply),
    "visit": (suspensions.Visit, suspensions.visits.apply),
    "handover": (handovers.Handover, handovers.apply),
    "store": (stores.Store, stores.apply),
    "report": (reports.Report, reports.apply),
    "evidence": (evidence.SiteRecord, evidence.apply),
}
_DECODERS: dict[StreamKind, msgspec.json.Decoder[State]] = {
    kind: msgspec.json.Decoder(struct) for kind, (struct, _) in _KINDS.items()
}
_encode = msgspec.json.Encoder().encode


def decode_state(stream: str, text: str) -> State:
    """The state stored for a stream."""
    return _DECODERS[split_stream(stream)[0]].decode(text)


def encode_state(state: State) -> str:
    """A state as stored."""
    return _encode(state).decode()


def apply(stream: str, state: State | None, event: Event, at: int) -> State:
    """The state after one more fact."""
    return _KINDS[split_stream(stream)[0]][1](state, event, at)
