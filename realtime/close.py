"""Why a live connection is closed, and whether to come back: one table for server and screens."""

from __future__ import annotations

from typing import NamedTuple

from realtime.messages import Bye


class Close(NamedTuple):
    """A websocket close code and the farewell that goes before it."""

    code: int
    bye: Bye


SHUTDOWN = Close(1012, Bye(reason="shutdown", reconnect_after_ms=500))
SESSION_ENDED = Close(4001, Bye(reason="session_ended", reconnect_after_ms=None))
PASS_REFUSED = Close(4003, Bye(reason="pass_refused", reconnect_after_ms=2000))
PROTOCOL = Close(4002, Bye(reason="protocol", reconnect_after_ms=None))
