"""The names and addresses under which others reach this machine."""

from __future__ import annotations

import ipaddress
import re
import socket
from contextlib import closing, suppress
from pathlib import Path

_LOCAL = re.compile(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL")
FIB_TRIE, IF_INET6 = Path("/proc/net/fib_trie"), Path("/proc/net/if_inet6")
_DOCUMENTED = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that nobody has; asking for the way to them sends nothing."""
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?")


def host_names() -> list[str]:
    """This machine's own names; `.local` is what phones find in the same network."""
    name = socket.gethostname().rstrip(".")
    if not is_host_name(name):
        return ["localhost"]
    return ["localhost", name, *([] if "." in name else [f"{name}.local"])]


def addresses() -> list[str]:
    """Every address of this machine, the one that others most likely use first; link-local ones
    are left out. Where the kernel has no list (not Linux) only the likely ones."""
    found = [*_ways_out(), *_of_the_name(), *_listed()]
    usable = [a for a in found if not ipaddress.ip_address(a).is_link_local]
    return list(dict.fromkeys([*usable, "127.0.0.1", "::1"]))


def is_host_name(name: str) -> bool:
    """Whether a certificate can name it: letters, digits and hyphens between dots."""
    return 0 < len(name) <= 253 and all(
        len(label) <= 63 and _LABEL.fullmatch(label) for label in name.split(".")
    )


def _ways_out() -> list[str]:
    found = []
    for family, nobody in _DOCUMENTED:
        with suppress(OSError), closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
            probe.connect((nobody, 9))
            found.append(str(probe.getsockname()[0]))
    return found


def _of_the_name() -> list[str]:
    try:
        known = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(entry[4][0]).partition("%")[0] for entry in known]


def _listed() -> list[str]:
    with suppress(OSError):
        six = [
            str(ipaddress.IPv6Address(int(line.split()[0], 16)))
            for line in IF_INET6.read_text("ascii").splitlines()
        ]
        return _LOCAL.findall(FIB_TRIE.read_text("ascii")) + six
    return []
