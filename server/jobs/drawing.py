"""Asks a child to draw photos again, and says what became of it."""

from __future__ import annotations

import msgspec

from dispatch_core.errors import Unavailable
from server.adapters.photo_views import Draw, Views
from server.jobs.worker import Died, Worker

CPU_S, WITHIN_S = 8.0, 20.0


def drawn_by(viewer: Worker) -> Draw:
    """The way to a photo viewer: one picture at a time."""

    async def draw(data: bytes) -> Views:
        """Raises Unavailable `photo_not_drawn`, beside what the viewer refuses."""
        try:
            done = await viewer.ask("draw", data, cpu_s=CPU_S, within_s=WITHIN_S)
        except Died:
            raise Unavailable(
                "photo_not_drawn", "This photo could not be drawn just now.",
                "Try again; a manager can fetch the original.",
            ) from None  # fmt: skip
        return msgspec.msgpack.decode(done.body, type=Views)

    return draw
