"""The listening socket of `heatops up`: bound once, inherited by every web process."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence

from server.settings import UserError

ATTEMPTS = 50
BACKLOG = 2048


def listen(host: str, port: int, option: str = "--port") -> socket.socket:
    """A listening TCP socket on `port`, or on the next free one. Port 0 takes any. `option`: where
    the port is chosen.

    Raises:
        UserError: `bad_host`, `port_refused`, `ports_taken`.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise _bad_host(host, error) from None
    for number in range(port, min(port + ATTEMPTS, 65536)):
        listener = socket.socket(family, kind, protocol)
        try:
            # Without it a restart would wait for the connections of the last run to fade.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address[0], number, *address[2:]))
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE:
                continue
            if error.errno == errno.EACCES:
                raise UserError(
                    "port_refused",
                    f"This user may not listen on port {number}.",
                    f"Choose a port from 1024 on with {option}.",
                ) from None
            raise _bad_host(host, error) from None
        else:
            return listener
    raise UserError(
        "ports_taken",
        f"Port {port} and the {ATTEMPTS - 1} after it are taken.",
        f"Choose another with {option}.",
    )


def urls(listener: socket.socket) -> list[str]:
    """Where a browser finds it: this machine first, then by the machine's name when it listens
    everywhere."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return [f"http://127.0.0.1:{port}", f"http://{socket.gethostname()}:{port}"]
    return [f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"]


def crew_urls(listener: socket.socket, names: Sequence[str], address: str) -> list[str]:
    """Where phones find the crew's app: by the names that were given, else by the address listened
    on, or by `address` of this machine when it listens everywhere."""
    host, port = listener.getsockname()[:2]
    everywhere = host in {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
    hosts = list(names) or [address if everywhere else host]
    return [f"https://[{h}]:{port}/crew" if ":" in h else f"https://{h}:{port}/crew" for h in hosts]


def _bad_host(host: str, error: Exception) -> UserError:
    reason = getattr(error, "strerror", None) or str(error)
    return UserError(
        "bad_host",
        f"This machine cannot listen on {host}: {reason}.",
        "Give an address of this machine with --host: 127.0.0.1 for itself alone, 0.0.0.0 for all.",
    )
