"""The send loop on real sockets: whole, short, failed and passed over."""

import errno
import socket

import numpy as np
import pytest

from ext.fanout import send_all


def pair() -> tuple[socket.socket, socket.socket]:
    left, right = socket.socketpair()
    left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return left, right


def test_every_socket_gets_the_same_bytes() -> None:
    pairs = [pair() for _ in range(20)]
    fds = np.array([left.fileno() for left, _ in pairs], np.int32)
    results = np.empty(25, np.int32)
    assert send_all(fds, b"the frame", results) == 0
    assert results[:20].tolist() == [9] * 20
    for left, right in pairs:
        assert right.recv(100) == b"the frame"
        left.close()
        right.close()


def test_a_full_a_reset_a_passed_over_and_a_healthy_one() -> None:
    full, gone, well = pair(), pair(), pair()
    gone[1].close()
    fds = np.array([full[0].fileno(), gone[0].fileno(), -1, well[0].fileno()], np.int32)
    results = np.zeros(4, np.int32)
    frame = bytes(1_000_000)
    first = full[0].send(frame, socket.MSG_DONTWAIT)
    assert first < len(frame)
    assert send_all(fds, b"x", results) == 3
    assert -results[0] in {errno.EAGAIN, errno.EWOULDBLOCK}
    assert -results[1] in {errno.EPIPE, errno.ECONNRESET}
    assert results[2] == -errno.EBADF
    assert results[3] == 1
    assert send_all(fds[3:], frame, results) == 1
    assert 0 < results[0] < len(frame)
    for left, right in (full, gone, well):
        left.close()
        right.close()


def test_refusals() -> None:
    fds = np.array([-1, -1], np.int32)
    with pytest.raises(ValueError, match="shorter"):
        send_all(fds, b"x", np.zeros(1, np.int32))
    with pytest.raises(ValueError, match="from 1"):
        send_all(fds, b"", np.zeros(2, np.int32))
    assert send_all(fds[:0], b"x", np.zeros(0, np.int32)) == 0
