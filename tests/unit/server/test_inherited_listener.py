"""The socket that web processes inherit."""

from __future__ import annotations

import socket

from server.api.rawws import send_at_once


def test_an_answer_in_two_pieces_waits_for_no_acknowledgement() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        send_at_once(listener.fileno())
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_local_socket_is_left_as_it_is() -> None:
    one, other = socket.socketpair()
    with one, other:
        send_at_once(one.fileno())
        one.sendall(b"x")
        assert other.recv(1) == b"x"
