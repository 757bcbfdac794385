"""A child process that computes for the core: asked over a socket, killed when it is late."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec

from server.adapters import frames
from server.engines.children import spawn
from server.settings import CHECKOUT

LONGEST_DELAY = 10.0
START_WITHIN_S = 60.0
"""Until a new child can be asked: a fraction of a second, much more where the machine has no time.
No part of the time that work may take, or a child that is slow to start would never be there."""


LATE = "no answer in time"
MUCH = "it took more CPU than it may"


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a child is asked: which computation, with what, and the CPU that it may take."""

    what: str
    body: bytes
    cpu_s: float


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What it answers. `failed` names a defect of ours, `refused` a refusal."""

    body: bytes = b""
    cpu_ms: int = 0
    refused: frames.Refusal | None = None
    failed: str | None = None


class Died(Exception):  # noqa: N818 - an outcome, not a defect
    """The child ended, or was killed because it was late: the work is lost and may be asked
    again."""

    def __init__(self, said: str, *, slow: bool = False) -> None:
        super().__init__(said)
        self.slow = slow
        """It took more time or CPU than it may."""


@dataclass(eq=False)
class _Turn:
    work: Work
    within_s: float
    begun: bool = False


class Worker:
    """One child, started when it is first asked or before that, and again after each death. It ends
    with us."""

    def __init__(
        self, name: str, *, nice: int = 0, memory_mb: int = 0, part: str = "planner"
    ) -> None:
        """`part`: the command that it runs; a photo worker knows its own limits."""
        self._name = name
        self._part = part
        limits = ["--nice", str(nice), "--memory-mb", str(memory_mb)]
        self._arguments = limits if part == "planner" else []
        self._process: subprocess.Popen[bytes] | None = None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._one = asyncio.Lock()
        self._asked: set[asyncio.Future[Done]] = set()
        self._deaths = 0
        self._not_before = 0.0

    @property
    def pid(self) -> int | None:
        """The child that lives, if one does."""
        return self._process.pid if self._process else None

    async def begin(self) -> None:
        """Start the child, so that the first question finds it there. One that does not come up is
        started when it is asked."""
        async with self._one:
            with contextlib.suppress(Died):
                await self._there()

    async def ask(self, what: str, body: bytes, *, cpu_s: float, within_s: float) -> Done:
        """The answer to one piece of work; one at a time. A caller that gives up takes nothing from
        the child: what has begun goes on to its end, and what has not is left out.

        Raises:
            Died: it did not answer within `within_s` of beginning, took more CPU or memory than it
            may, or was killed. Refused: by the computation.
        """
        turn = _Turn(Work(what=what, body=body, cpu_s=cpu_s), within_s)
        asked = asyncio.ensure_future(self._in_turn(turn))
        self._asked.add(asked)
        asked.add_done_callback(self._over)
        try:
            done = await asyncio.shield(asked)
        except asyncio.CancelledError:
            if not turn.begun:
                asked.cancel()
            raise
        if done.refused is not None:
            raise done.refused.error()
        if done.failed is not None:
            raise RuntimeError(f"{self._name}: {what}: {done.failed}")
        return done

    def _over(self, asked: asyncio.Future[Done]) -> None:
        self._asked.discard(asked)
        if not asked.cancelled():
            asked.exception()  # whoever waited has heard of it, and nobody else needs to

    async def _in_turn(self, turn: _Turn) -> Done:
        async with self._one:
            turn.begun = True
            reader, writer = await self._there()
            limits = f"{turn.work.what}, with {turn.work.cpu_s:g} s of CPU and {turn.within_s:g} s"
            async with self._unless_it_dies(limits), asyncio.timeout(turn.within_s):
                writer.write(frames.framed(turn.work))
                await writer.drain()
                done = frames.decode(await frames.read(reader), Done)
            self._deaths = 0
            return done

    @contextlib.asynccontextmanager
    async def _unless_it_dies(self, what: str) -> AsyncIterator[None]:
        try:
            yield
        except (frames.Broken, OSError, TimeoutError) as error:
            self._deaths += 1
            delay = min(LONGEST_DELAY, 0.2 * 2**self._deaths) if self._deaths > 1 else 0.0
            self._not_before = time.monotonic() + delay
            ended = await self._end(gone=isinstance(error, frames.Broken))
            slow = ended in {LATE, MUCH}
            raise Died(f"{self._name}: {what}: {ended}", slow=slow) from error
        except asyncio.CancelledError:
            await self._end()  # an answer to a question that nobody asks any more
            raise

    async def _there(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The way to a child that can be asked. Raises Died."""
        if self._process is not None and self._process.poll() is not None:
            await self._end()
        if self._streams is None:
            await asyncio.sleep(max(0.0, self._not_before - time.monotonic()))
            async with self._unless_it_dies("start"), asyncio.timeout(START_WITHIN_S):
                self._streams = await self._start()
                await frames.read(self._streams[0])
        assert self._streams is not None  # noqa: S101
        return self._streams

    async def _start(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = spawn(
                [sys.executable, "-m", "server", self._part, "--fd", str(theirs.fileno()),
                 *self._arguments],
                death_signal=signal.SIGKILL,
                folder=CHECKOUT,  # where `-m server` is ours
                pass_fds=[theirs.fileno()],
            )  # fmt: skip
        return await asyncio.open_unix_connection(sock=ours)

    async def _end(self, *, gone: bool = False) -> str:
        """The child's end, if it has not come yet, and how it came; `gone`: by itself, just now."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
        process, self._process = self._process, None
        if process is None:
            return "it did not start"
        code = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = await asyncio.to_thread(process.wait, 1.0 if gone else 0.0)
        if code is None:
            process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(process.wait, 5)
        return _said(code)

    async def close(self) -> None:
        """The child's end, and that of all that it was asked."""
        for asked in list(self._asked):
            asked.cancel()
        await asyncio.gather(*self._asked, return_exceptions=True)
        await self._end()


def _said(code: int | None) -> str:
    """How a child ended, for whoever reads the log. None: it had to be ended."""
    if code is None:
        return LATE
    if code == -signal.SIGXCPU:
        return MUCH
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
