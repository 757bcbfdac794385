"""The same message to many websocket connections at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ext.fanout import send_all
from realtime.hub import Outbound
from server.api.outbound import Lines, RawOutbound, lines, server_header


class Audience(Collection[Outbound]):
    """Connections that get the same messages; kept from one message to the next, a set with order.

    What a delivery costs beside the send itself is one gather from `lines`; after a change of
    members the next message costs a walk over them. What is no RawOutbound may be in it too.
    """

    def __init__(self, members: Iterable[Outbound] = ()) -> None:
        self._members = dict.fromkeys(members)
        self._order: list[Outbound] = []
        self._slots: NDArray[np.intp] = np.empty(0, np.intp)
        self._results: NDArray[np.int32] = np.empty(0, np.int32)
        self._changed = True

    def add(self, out: Outbound) -> None:
        """Count it in; nothing happens if it is."""
        if out not in self._members:
            self._members[out] = None
            self._changed = True

    def discard(self, out: Outbound) -> None:
        """Count it out; nothing happens if it is not in."""
        if out in self._members:
            del self._members[out]
            self._changed = True

    @override
    def __contains__(self, out: object) -> bool:
        return out in self._members

    @override
    def __iter__(self) -> Iterator[Outbound]:
        return iter(self._members)

    @override
    def __len__(self) -> int:
        return len(self._members)

    def paused(self) -> list[Outbound]:
        """Members that do not keep up, found without a look at those that do."""
        late = np.flatnonzero(self._fds() < 0).tolist()
        return [self._order[i] for i in late if self._order[i].paused]

    def send(self, payload: bytes, *, binary: bool) -> None:
        """Queue the same message on every connection.

        The frame is made once. Where nothing waits it goes to the socket, in one loop that neither
        waits nor holds the interpreter's lock; elsewhere behind what waits.
        """
        fds = self._fds()
        frame = server_header(len(payload), binary=binary) + payload
        if not send_all(fds, frame, self._results):
            return
        for i in np.flatnonzero(self._results != len(frame)).tolist():
            out = self._order[i]
            if fds[i] >= 0 and isinstance(out, RawOutbound):
                out.finish(frame, int(self._results[i]))
            else:
                out.send(payload, binary=binary)

    def _fds(self) -> NDArray[np.int32]:
        if self._changed:
            self._order = list(self._members)
            slots = (
                out.slot if isinstance(out, RawOutbound) else Lines.NONE for out in self._order
            )
            self._slots = np.fromiter(slots, np.intp, len(self._order))
            self._results = np.empty(len(self._order), np.int32)
            self._changed = False
        return lines.fds[self._slots]
