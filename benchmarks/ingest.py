"""What taking something in costs: CPU of a full durable POST in a burst,
and a batch of 26,000 readings."""

from __future__ import annotations

import http.client
import json
import secrets
import sys
import time

from benchmarks._clients import Loop, Sender, Wall
from benchmarks._figure import figure
from benchmarks._stack import Stack, rss_mib, stack

WARM_UP = 600
BURST = 4000
IN_FLIGHT = 128
IDLE = 150
POINTS = 26_000
COLD = 40
WITHIN_S = 40.0


class Burst:
    """Sends numbered requests over many connections and waits until the feed shows every ticket."""

    def __init__(self, running: Stack, loop: Loop) -> None:
        self._running = running
        self._loop = loop
        self._open: dict[str, float] = {}
        """Tickets that were answered and are not on the feed yet."""
        self._early: set[str] = set()
        self.lag: list[float] = []
        self.answered_in: list[float] = []
        self._sent: dict[int, float] = {}
        self._free: list[Sender] = []
        self._by_number: dict[int, Sender] = {}

    def connect(self, count: int) -> None:
        """Open this many connections."""
        for _ in range(count):
            sender = Sender(self._running.port, self._answered)
            self._loop.add(sender)
            self._free.append(sender)

    def shown(self, keys: list[str], at: float) -> None:
        """The feed has brought these tickets."""
        for key in keys:
            answered = self._open.pop(key, None)
            if answered is None:
                self._early.add(key)
            else:
                self.lag.append(at - answered)

    def _answered(self, number: int, status: int, body: bytes, at: float) -> None:
        if status != 201:
            sys.exit(f"request {number} was answered {status}: {body[:300]!r}")
        self.answered_in.append(at - self._sent.pop(number))
        self._free.append(self._by_number.pop(number))
        ticket = json.loads(body)["id"]
        if ticket in self._early:
            self._early.discard(ticket)
            self.lag.append(0.0)
        else:
            self._open[ticket] = at

    def run(self, numbers: range, in_flight: int) -> tuple[float, float]:
        """Seconds until all are answered, and until all are on the feed."""
        requests = [
            (n, self._running.request(f"{n}-{secrets.token_hex(8)}", n)) for n in reversed(numbers)
        ]
        self.lag.clear()
        self.answered_in.clear()
        self.connect(in_flight)
        began = time.time()
        done = 0.0
        while requests or self._sent or self._open:
            while requests and self._free and len(self._sent) < in_flight:
                number, data = requests.pop()
                sender = self._by_number[number] = self._free.pop()
                self._sent[number] = time.time()
                sender.send(number, data)
            self._loop.turn(1.0)
            if not done and not requests and not self._sent:
                done = time.time() - began
            if time.time() - began > WITHIN_S:
                sys.exit(f"{len(self._sent)} unanswered, {len(self._open)} not on the feed")
        while self._free:  # an idle connection is closed by the server after 5 s
            self._loop.drop(self._free.pop())
        return done, time.time() - began


def quantile(values: list[float], q: float) -> float:
    """The q-quantile, 0 to 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def cpu_ms(running: Stack, burst: Burst, numbers: range, in_flight: int) -> dict[str, float]:
    """CPU-ms per request of every part and in `all`, and the burst's rate."""
    before = running.cpu_s()
    answered, shown = burst.run(numbers, in_flight)
    after = running.cpu_s()
    each = {name: (after[name] - before[name]) * 1000 / len(numbers) for name in after}
    return {**each, "all": sum(each.values()), "rate": len(numbers) / answered, "shown": shown}


def requests(running: Stack) -> None:
    """The cost of a POST, in a burst and alone."""
    loop = Loop()
    burst = Burst(running, loop)
    wall = Wall(running.port, running.live_pass(), ["tickets"], burst.shown)
    loop.add(wall)
    while not wall.ready:
        loop.turn(0.1)
    burst.run(range(WARM_UP), IN_FLIGHT)
    idle = cpu_ms(running, burst, range(WARM_UP, WARM_UP + IDLE), 1)
    alone = quantile(burst.answered_in, 0.5)
    small = {"web": rss_mib(running.web), "core": rss_mib(running.core)}
    busy = cpu_ms(running, burst, range(10_000, 10_000 + BURST), IN_FLIGHT)
    figure(
        "ingest.burst_request",
        busy["all"],
        "CPU-ms",
        baseline=idle["all"],
        ratio=busy["all"] / idle["all"],
        target="<= 1.0",
        ok=busy["all"] <= 1.0,
    )
    for part in ("web", "core", "postgres", "valkey"):
        figure(f"ingest.burst_request_{part}", busy[part], "CPU-ms", baseline=idle[part])
    figure("ingest.single_request", idle["all"], "CPU-ms")
    figure("ingest.single_request_answered", alone, "s")
    figure("ingest.burst_rate", busy["rate"], "requests/s")
    figure("ingest.burst_answer_p99", quantile(burst.answered_in, 0.99), "s")
    figure("ingest.burst_answer_to_feed_p99", quantile(burst.lag, 0.99), "s")
    figure(
        "ingest.web_memory_growth",
        rss_mib(running.web) - small["web"],
        "MiB",
        baseline=small["web"],
    )
    figure(
        "ingest.core_memory_growth",
        rss_mib(running.core) - small["core"],
        "MiB",
        baseline=small["core"],
    )
    loop.close()


def readings(running: Stack) -> None:
    """A batch of a whole city's readings: answered when durable, then its first cold room."""
    loop = Loop()
    shown: list[tuple[str, float]] = []
    wall = Wall(
        running.port,
        running.live_pass(),
        ["rooms"],
        lambda keys, at: shown.extend((k, at) for k in keys),
    )
    loop.add(wall)
    while not wall.ready:
        loop.turn(0.1)
    answers, firsts, costs = [], [], []
    # The first batch finds the register unread; each has other cold rooms.
    for turn in range(4):
        cold = range(turn * COLD, turn * COLD + COLD)
        at = int(time.time()) - 10 + turn  # later than the batch before, also within a second
        body = json.dumps(
            {
                "items": [
                    {
                        "point": f"RT-{p:05d}",
                        "read_at": at,
                        "celsius": 15.5 if p in cold else 20.0 + p % 30 / 10,
                    }
                    for p in range(POINTS)
                ]
            }
        )
        headers = {
            "Authorization": f"Bearer {running.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": secrets.token_hex(12),
        }
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
        connection.connect()
        shown.clear()
        before = running.cpu_s()
        began = time.time()
        connection.request("POST", "/api/batches/room-readings", body, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        answered = time.time()
        connection.close()
        if told != {"accepted": POINTS, "refused": []}:
            sys.exit(f"the batch was answered {answer.status}: {str(told)[:300]}")
        names = {f"RT-{p:05d}" for p in cold}
        while not any(key in names for key, _ in shown):
            loop.turn(0.2)
            if time.time() - answered > WITHIN_S:
                sys.exit("no cold room came to the feed")
        first = next(when for key, when in shown if key in names)
        time.sleep(0.5)
        after = running.cpu_s()
        answers.append(answered - began)
        firsts.append(max(0.0, first - answered))
        costs.append(sum(after.values()) - sum(before.values()))
    figure(
        "ingest.batch_26000_answered_register_unread",
        answers[0],
        "s",
        target="<= 0.3",
        ok=answers[0] <= 0.3,
    )
    figure(
        "ingest.batch_26000_answered",
        max(answers[1:]),
        "s",
        target="<= 0.3",
        ok=max(answers[1:]) <= 0.3,
    )
    figure("ingest.first_cold_room", max(firsts), "s", target="<= 1", ok=max(firsts) <= 1)
    figure("ingest.batch_26000_cpu", max(costs[1:]), "CPU-s")
    loop.close()


def main() -> None:
    """Print every figure."""
    with stack(points=POINTS) as running:
        requests(running)
        readings(running)


if __name__ == "__main__":
    main()
