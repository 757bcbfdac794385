"""Pictures that applicants of the demo show: made-up papers, a few to go round."""

from __future__ import annotations

import hashlib
import struct
import zlib

from server.demo import chance

WIDTH, HEIGHT = 480, 320
HOW_MANY = 6


def proofs() -> list[tuple[str, bytes]]:
    """(the photo's id, a PNG) of each paper; always the same."""
    made = [_paper(n) for n in range(HOW_MANY)]
    return [(hashlib.sha256(picture).hexdigest(), picture) for picture in made]


def _paper(n: int) -> bytes:
    """Black on white: a frame, lines of writing, a stamp. Stored uncompressed, so that its bytes
    depend on no version of a compressor."""
    rows = bytearray()
    for y in range(HEIGHT):
        rows.append(0)
        line, low = divmod(y - 40, 22)
        ends = 60 + int(chance.unit("line", n, line) * 260) + 120
        for x0 in range(0, WIDTH, 8):
            byte = 0
            for x in range(x0, x0 + 8):
                framed = min(x, y, WIDTH - 1 - x, HEIGHT - 1 - y) in {10, 11}
                written = low < 9 and 0 <= line < 11 and 40 < x < ends and (x * 7 + y * 3) % 5
                far = (x - 380) ** 2 + (y - 240) ** 2
                stamped = 40**2 < far < 44**2
                byte = byte << 1 | (not (framed or written or stamped))
            rows.append(byte)
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(rows), 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
