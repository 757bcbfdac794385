"""A system of somebody else's that receives messages: a real HTTP server on a loopback port."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

SECRET = "a secret of the receiver's"


@dataclass(frozen=True)
class Letter:
    """One POST as it came."""

    path: str
    key: str
    signature: str
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


@dataclass
class Receiver:
    """What came, and how it is answered: the first of `answers[path]` once, the last for ever."""

    url: str
    letters: list[Letter] = field(default_factory=list)
    answers: dict[str, list[int]] = field(default_factory=dict)
    hold: threading.Event = field(default_factory=threading.Event)
    """Answers of `/slow` wait for it."""

    def at(self, path: str) -> list[Letter]:
        return [letter for letter in self.letters if letter.path == path]

    def rule(self, path: str, channel: str = "case", **more: Any) -> str:
        """A `[[gateway]]` to this path."""
        values = {"channel": channel, "url": self.url + path, "secret": SECRET} | more
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        return "\n".join(["[[gateway]]", *lines, ""])


@contextmanager
def opened_receiver() -> Iterator[Receiver]:
    receiver = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.letters.append(
                Letter(
                    self.path, self.headers["Idempotency-Key"],
                    self.headers["X-Heatops-Signature"], raw,
                )
            )  # fmt: skip
            if self.path == "/slow":
                receiver.hold.wait(30)
            codes = receiver.answers.get(self.path, [200])
            code = codes.pop(0) if len(codes) > 1 else codes[0]
            answer = b'{"taken": true}'
            try:
                self.send_response(code)
                if code in {301, 302, 307}:
                    self.send_header("Location", f"{receiver.url}/elsewhere")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
            except OSError:
                self.close_connection = True  # the sender was killed

        @override
        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.hold.set()
            server.shutdown()
            thread.join()
