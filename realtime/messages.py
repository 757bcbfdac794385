"""Every message of the `/live` websocket, subprotocol `heatops.v1`.

Control messages are JSON text frames. `snap` and `batch` are MessagePack binary frames, so that the
same sealed bytes serve the journal of the feed, Redis and every screen. The rows inside are the
structs of realtime.layers.rows.
"""

from __future__ import annotations

from typing import Literal

import msgspec

SUBPROTOCOL = "heatops.v1"


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """A position in a topic's sequence."""

    epoch: int
    seq: int


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="hello"):
    """Client: the single-use pass from POST /api/live-passes, sent first."""

    pass_: str = msgspec.field(name="pass")


class Sub(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="sub"):
    """Client: wants a topic, from a known position if it has one."""

    topic: str
    since: Since | None = None


class Unsub(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="unsub"):
    """Client: no longer wants a topic."""

    topic: str


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """One row as it now stands. `version` is the server's row_version, at most 2**53 - 1."""

    key: str
    version: int
    row: msgspec.Raw


class Snap(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="snap"):
    """Server: a whole topic at one sequence."""

    topic: str
    epoch: int
    seq: int
    hash: str
    as_of: float
    source_at: float | None
    cadence_s: float | None
    rows: list[Put]


class Resumed(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="resumed"):
    """Server: the client's position stands; every later batch follows, none is missing."""

    topic: str
    epoch: int
    seq: int


class Batch(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="batch"):
    """Server: a sealed batch. Apply whole if epoch matches and seq_from <= have < seq_to;
    ignore if seq_to <= have; otherwise subscribe again."""

    topic: str
    epoch: int
    seq_from: int
    seq_to: int
    put: list[Put]
    drop: list[str]
    hash: str
    as_of: float


class TopicTick(msgspec.Struct, frozen=True, kw_only=True):
    """Where one topic stands."""

    epoch: int
    seq: int
    hash: str
    as_of: float
    """System time, Unix seconds: everything committed before it is shown."""
    source_at: float | None
    """System time of the latest word from the topic's source;
    None when no source has written yet."""
    cadence_s: float | None
    """The source is late when it is silent for longer than this; None when it promises nothing."""


class BusinessTime(msgspec.Struct, frozen=True, kw_only=True):
    """The injected business clock: `at` Unix seconds now, moving at `rate` seconds a second."""

    at: float
    rate: float


class Tick(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="tick"):
    """Server, every second: time and the state of every topic the client has."""

    company: str
    """Code of the company whose topics these are."""
    server_time: float
    business: BusinessTime
    topics: dict[str, TopicTick]


class Bye(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="bye"):
    """Server: the connection ends; reconnect after this long, or not at all (None)."""

    reason: Literal["shutdown", "session_ended", "pass_refused", "protocol"]
    reconnect_after_ms: int | None


class LiveError(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="error"):
    """Server: a request on this connection was refused; the connection stays."""

    code: Literal["unknown_topic", "not_ready", "bad_message", "too_many_messages"]
    topic: str | None


ClientMessage = Hello | Sub | Unsub
ServerMessage = Snap | Resumed | Batch | Tick | Bye | LiveError
