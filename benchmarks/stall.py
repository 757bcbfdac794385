"""One client that never reads among 20: what the others get, what it costs us and the kernel."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks._fanout import ROOT, allow_open_files, application, compiled, run_client
from benchmarks._figure import figure
from benchmarks.fanout import handshake

PLAN = (19, 500, 8000, 16384)
"""Clients that read, messages, microseconds between two, payload bytes: 8 MB for each client."""


def send_queue(server_port: int, client_port: int) -> int:
    """Bytes in the kernel's send queue of the server's end of a connection over loopback."""
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        local, remote, _, queues = line.split()[1:5]
        if (int(local[-4:], 16), int(remote[-4:], 16)) == (server_port, client_port):
            return int(queues.split(":")[0], 16)
    raise RuntimeError("the server has dropped the connection of the client that never reads")


def main() -> None:
    """Print every figure."""
    allow_open_files()
    with tempfile.TemporaryDirectory() as name, application() as (port, pid):
        client = compiled(ROOT / "benchmarks" / "native" / "client.c", Path(name), "client")
        run_client(client, port, "/raw", PLAN, pid)  # buffers and caches grow to their size
        with handshake(port) as stalled:
            run = run_client(client, port, "/raw", PLAN, pid)
            queue = send_queue(port, stalled.getsockname()[1]) / 1024
    share = 100 * run["got"] / run["want"]
    before, after = run["rss_kib"]
    figure("stall.others_received", share, "%", target="100", ok=run["got"] == run["want"])
    figure("stall.process_growth", after - before, "KiB", target="<= 256", ok=after - before <= 256)
    figure("stall.kernel_send_queue", queue, "KiB")


if __name__ == "__main__":
    main()
