"""One screen that never reads among 20 of a whole installation: what the others get, what it costs
the web process and the kernel, and when it is sent away."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks._clients import Loop, Wall
from benchmarks._figure import figure
from benchmarks._stack import HALF_DEG, LAT, LON, Stack, stack

OTHERS = 19
CREWS = 130
"""Their positions make a batch of about 16 KB."""
RING_BYTES = 4 << 20
"""What the web process keeps of a topic's batches: full before anything is measured."""
STALLED_S = 8.0
"""Shorter than the 10 s after which a screen that does not read is sent away."""
WITHIN_S = 30.0


class Positions:
    """Crews that all move at once: one POST is one batch on the screens."""

    def __init__(self, running: Stack) -> None:
        self._running = running
        self._bearer = {"Authorization": f"Bearer {running.token}"}
        self._moves = 0
        self._first_at = int(time.time()) - 3600
        for number in range(CREWS):
            body = {
                "name": f"{number} 班", "trades": ["secondary"], "members": 2,
                "vehicle": f"暖抢-{number:03d}", "shift": "00:00-23:59",
            }  # fmt: skip
            self._post(f"/api/crews/C{number:03d}", body)

    def _post(self, path: str, body: object) -> object:
        headers = {**self._bearer, "Idempotency-Key": secrets.token_hex(12)}
        status, answer, _ = self._running.post(path, body, headers)
        if status >= 300:
            sys.exit(f"{path} was answered {status}: {answer}")
        return answer

    def move(self) -> None:
        """Every crew has a new position."""
        self._moves += 1
        items = [
            {
                "crew": f"C{number:03d}", "fixed_at": self._first_at + self._moves,
                "lon": LON + HALF_DEG * number / CREWS, "lat": LAT + self._moves * 1e-6,
                "datum": "wgs84", "accuracy_m": 5.0, "heading_deg": 90.0, "speed_mps": 8.5,
            }
            for number in range(CREWS)
        ]  # fmt: skip
        answer = self._post("/api/batches/crew-positions", {"items": items})
        if answer != {"accepted": CREWS, "refused": []}:
            sys.exit(f"positions were refused: {str(answer)[:300]}")


def send_queue(server_port: int, client_port: int) -> int | None:
    """Bytes in the kernel's send queue of the server's end of a connection over loopback;
    None when the server has dropped it."""
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        local, remote, state, queues = line.split()[1:5]
        ports = (int(local[-4:], 16), int(remote[-4:], 16))
        if ports == (server_port, client_port) and state == "01":  # established
            return int(queues.split(":")[0], 16)
    return None


def carry(loop: Loop, walls: list[Wall], crews: Positions, seconds: float, batches: int) -> int:
    """Batches one after the other, each shown everywhere before the next, until both the seconds
    and the number are reached; how many they were."""
    began, sent = time.monotonic(), 0
    while time.monotonic() - began < seconds or sent < batches:
        goal = walls[0].at["positions"] + 1
        crews.move()
        sent += 1
        deadline = time.monotonic() + WITHIN_S
        while any(wall.at["positions"] < goal for wall in walls):
            loop.turn(0.05)
            if time.monotonic() > deadline:
                sys.exit("a batch did not come to every screen")
    return sent


def growth_of(running: Stack, work: Callable[[], int]) -> tuple[float, int]:
    """KiB by which the web process has grown after some work, and what the work returns."""
    before = running.web.memory_info().rss
    done = work()
    return (running.web.memory_info().rss - before) / 1024, done


def main() -> None:
    """Print every figure."""
    with stack() as running:
        crews, loop = Positions(running), Loop()

        def shown(_keys: list[str], _at: float) -> None:
            pass

        walls = [
            Wall(running.port, running.live_pass(), ["positions"], shown) for _ in range(OTHERS)
        ]
        for wall in walls:
            loop.add(wall)
        while not all(wall.ready for wall in walls):
            loop.turn(0.1)
        carry(loop, walls, crews, 0, 3)
        size = walls[0].last_bytes
        carry(loop, walls, crews, 0, RING_BYTES // size + 20)
        usual = growth_of(running, lambda: carry(loop, walls, crews, STALLED_S, 1))[0]
        stalled = Wall(running.port, running.live_pass(), ["positions"], shown, receive_buffer=4096)
        at = stalled.socket.getsockname()[1]
        frames = [wall.frames for wall in walls]
        began = time.monotonic()
        growth, sent = growth_of(running, lambda: carry(loop, walls, crews, STALLED_S, 1))
        queue = send_queue(running.port, at)
        if queue is None:
            sys.exit("the screen that never reads was sent away before it was measured")
        while send_queue(running.port, at) is not None and time.monotonic() < began + WITHIN_S:
            loop.turn(0.1)
        away = time.monotonic() - began
        got = sum(wall.frames - had for wall, had in zip(walls, frames, strict=True))
        merged = sum(wall.merged for wall in walls)
        loop.close()
        stalled.socket.close()
    share = 100 * got / (sent * OTHERS)
    figure(
        "stall.others_received", share, "%", target="100",
        ok=share == 100 and not merged, note=f"{sent} batches of {size / 1024:.1f} KB each",
    )  # fmt: skip
    figure(
        "stall.process_growth", growth, "KiB", baseline=usual, target="<= 256",
        ok=growth <= 256, note="the baseline is the same stretch without the one that never reads",
    )  # fmt: skip
    figure("stall.kernel_send_queue", queue / 1024, "KiB")
    figure("stall.sent_away_after", away, "s", target="<= 15", ok=away <= 15)


if __name__ == "__main__":
    main()
