"""The walls around a photo worker: no way to any network, no other program, no memory on disk."""

from __future__ import annotations

import ctypes
import errno
import platform
import resource
import struct
import sys

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CALLS = {
    # socket, connect, io_uring_setup (which opens sockets by itself), execve, execveat
    "x86_64": (41, 42, 425, 59, 322),
    "aarch64": (198, 203, 425, 221, 281),
}
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EACCES, 0x80000000
_X32 = 0x40000000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def enclose(*, kill: bool = False) -> bool:
    """Shut this process in for good; its open sockets stay. Refused calls fail with EACCES, or end
    the process at once. Returns whether the kernel holds it: Linux on x86-64 and ARM64."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _CALLS:
        return False
    code = _program(_ARCHITECTURES[machine], _CALLS[machine], _KILL if kill else _REFUSE)
    room = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(room, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    held: int = libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)
    return held == 0


def _program(architecture: int, calls: tuple[int, ...], refuse: int) -> bytes:
    """Berkeley packet filter over (call number at 0, architecture at 4): another architecture and
    the listed calls are refused."""
    n = len(calls)
    # allowed falls through to ALLOW; what is refused jumps over it
    steps = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 0, n + 3, architecture),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, n + 1, 0, _X32),
        *((_EQUAL, n - i, 0, call) for i, call in enumerate(calls)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, refuse),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
