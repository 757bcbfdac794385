"""Files that were made to break whoever opens them: each alone within a photo worker's limits,
where any attempt at a socket ends the process on the spot.

Counted: workers that died, the longest answer, and the most memory that a worker ever held, its
libraries and the file in it.
"""

from __future__ import annotations

import os
import re
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks._figure import figure
from benchmarks._photo_changes import SHARED, jpeg, scene
from dispatch_core.errors import Refused
from server.jobs.photo_asks import Look
from server.jobs.photo_cell import enclose
from server.jobs.photo_worker import MEMORY_MB, look

ROOT = Path(__file__).resolve().parent.parent
WITHIN_S, MEMORY_MIB = 1.0, 128.0
CHILD = "--child"


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(width: int, height: int, *chunks: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join([_chunk(b"IHDR", head), *chunks, _chunk(b"IEND", b"")])


def _sized(data: bytes, width: int, height: int) -> bytes:
    """A JPEG whose header says another size."""
    at = re.search(rb"\xff[\xc0\xc2]\x00\x11\x08", data)
    assert at is not None
    return data[: at.end()] + struct.pack(">HH", height, width) + data[at.end() + 4 :]


def bombs() -> Iterator[tuple[str, bytes]]:
    """Made here."""
    plain = jpeg(scene(1, 640, 480))
    app = b"\xff\xe1\xff\xff" + b"\0" * 65533
    ifd = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x69\x87\x04\0\x01\0\0\0\x08\0\0\0" * 5000
    zeros = zlib.compress(b"\0" * 60_000_000)
    yield "jpeg 60,000 x 60,000", _sized(plain, 60_000, 60_000)
    yield "jpeg 7,700 x 7,700 of nothing", _sized(plain, 7_700, 7_700)
    yield "png 60,000 x 60,000", _png(60_000, 60_000, _chunk(b"IDAT", zeros))
    yield "png of 15 million equal pixels", _png(5_000, 3_000, _chunk(b"IDAT", zeros))
    yield "png with a text that grows", _png(
        64, 64, _chunk(b"zTXt", b"a\0\0" + zeros), _chunk(b"iTXt", b"a\0\1\0\0\0" + zeros),
        _chunk(b"IDAT", zlib.compress(b"\0" * 64 * 193)),
    )  # fmt: skip
    yield (
        "png with a profile that grows",
        _png(
            64,
            64,
            _chunk(b"iCCP", b"a\0\0" + zeros),
            _chunk(b"IDAT", zlib.compress(b"\0" * 12_352)),
        ),
    )
    yield "endless markers", b"\xff\xd8" + b"\xff\xe0\x00\x02" * 2_500_000
    yield "endless padding", b"\xff\xd8" + b"\xff" * 10_000_000
    yield "a photo after endless padding", plain[:2] + b"\xff" * 10_000_000 + plain[2:]
    yield "endless large markers", b"\xff\xd8" + app * 150
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    yield "a photo, then endless scans", plain[:-2] + scan * 900_000
    yield "zip in jpeg", plain + b"PK\x03\x04" + zeros * 20
    yield "an album without end", plain[:2] + _segment(b"\xe2", b"MPF\0" + ifd[6:]) + plain[2:]
    yield "tables that point at themselves", plain[:2] + _segment(b"\xe1", ifd[:65000]) + plain[2:]
    yield "credentials of noise", plain[:2] + _segment(b"\xeb", _jumbf()) * 50 + plain[2:]
    yield "heif of nothing", b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + b"\0\0\0\x08meta" * 400_000
    yield "svg", b"<svg xmlns:x='http://www.w3.org/1999/xlink'><image x:href='http://x/'/></svg>"
    yield "postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) run"
    yield "nothing", b""
    yield "two bytes", b"\xff\xd8"


def _segment(marker: bytes, body: bytes) -> bytes:
    return b"\xff" + marker + struct.pack(">H", len(body) + 2) + body


def _jumbf() -> bytes:
    box = struct.pack(">I4sI4s", 60_000, b"jumb", 33, b"jumd") + b"c2pa" + b"\x11" * 900
    return b"JP\x00\x01\x00\x00\x00\x01" + box


def files() -> Iterator[tuple[str, bytes]]:
    """Every broken file that is here, credentials with addresses in them, and the bombs."""
    for path in [*sorted(SHARED.glob("broken/*")), *sorted(SHARED.glob("c2pa/*.jpg"))]:
        yield path.name, path.read_bytes()
    yield from bombs()


def look_at_each() -> None:
    """In a child that has loaded what a worker loads: each named file in a process of its own, shut
    in as a worker is, but any attempt at a socket is the end."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _one(Path(line.strip()))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("end", status, flush=True)


def _one(path: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MB << 20, MEMORY_MB << 20))
    shut = enclose(kill=True)
    data = path.read_bytes()
    began = time.monotonic()
    try:
        seen = msgspec.msgpack.decode(look(data), type=Look)
        said = str(seen.fault or "judged")
    except Refused as refused:
        said = refused.code
    took = time.monotonic() - began
    told = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    most = int(told[1]) / 1024 if told else 0.0
    print(said, f"{took:.4f}", f"{most:.1f}", "shut" if shut else "open", flush=True)


def main() -> None:
    """Print every figure."""
    if CHILD in sys.argv:
        look_at_each()
        return
    died, slowest, largest, shut, count = [], 0.0, 0.0, True, 0
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for count, (name, data) in enumerate(files(), 1):
            Path(folder, str(count)).write_bytes(data)
            names.append(name)
        asked = "".join(f"{folder}/{number}\n" for number in range(1, count + 1))
        ran = subprocess.run(
            [sys.executable, "-m", "benchmarks.hostile", CHILD],
            cwd=ROOT, input=asked, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    lines = iter(ran.stdout.splitlines())
    for name in names:
        told = next(lines).split()
        if told[0] == "end":
            died.append(f"{name}: {told[1]}")
            continue
        if next(lines) != "end 0":
            died.append(name)
        if "--each" in sys.argv:
            print(name, *told)
        outcomes[told[0]] += 1
        slowest, largest = max(slowest, float(told[1])), max(largest, float(told[2]))
        shut = shut and told[3] == "shut"
    note = ", ".join(f"{n} {said}" for said, n in sorted(outcomes.items()))
    figure(
        "hostile.crashes", len(died), "files", target="0", ok=not died,
        note=f"of {count}: {note}" + (f"; {'; '.join(died[:5])}" if died else ""),
    )  # fmt: skip
    figure(
        "hostile.sockets", len(died) if shut else None, "sockets", target="0",
        ok=not died if shut else None,
        note="one would have ended the process" if shut else "nothing holds a process here",
    )  # fmt: skip
    figure("hostile.slowest", slowest, "s", target="<= 1 s", ok=slowest <= WITHIN_S)
    figure(
        "hostile.memory", largest, "MiB", target="<= 128 MiB", ok=largest <= MEMORY_MIB,
        note="a whole worker with its libraries",
    )  # fmt: skip


if __name__ == "__main__":
    main()
