"""Every message whole and in order on real sockets, whoever reads and however slowly."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from fanout_house import RawReader, Run, check_all_sizes, joined, message, served
from websockets.frames import Opcode

from server.api.audience import Audience
from server.api.outbound import Outbound, RawOutbound, lines


def test_all_sizes_whole_and_in_order(run: Run) -> None:
    async def test() -> None:
        async with served() as house, joined(house) as one, joined(house) as two:
            assert all(isinstance(out, RawOutbound) for out in await house.arrived(2))
            await check_all_sizes(house, one, two)

    run(test)


def test_a_slow_reader_gets_everything_later_and_holds_up_nobody(run: Run) -> None:
    async def test() -> None:
        async with served() as house, joined(house) as healthy:
            slow = RawReader(house.port)
            _, out = await house.arrived(2)
            await slow.opened()
            audience = Audience(house.outs)
            sent = [message(n, 4096) for n in range(200)]
            for number, payload in enumerate(sent):
                audience.send(payload, binary=True)
                if number == 150:
                    # An answer to the client itself and uvicorn's pong take their places in line.
                    slow.protocol.send_text(b"echo")
                    slow.protocol.send_ping(b"are you there")
                    slow.sock.sendall(b"".join(slow.protocol.data_to_send()))
                    await asyncio.sleep(0.1)
            assert [await healthy.recv() for _ in sent] == sent
            assert out.paused
            assert audience.paused() == [out]
            assert out.buffered > 200_000
            await come_to_rest(out)
            assert out.stalled_s(100.0) == 0.0
            assert out.stalled_s(105.0) == 5.0
            assert out.stalled_s(110.0) == 10.0
            frames = await slow.read(202)
            assert [f.data for f in frames if f.opcode is Opcode.BINARY] == sent
            assert [f.data for f in frames if f.opcode is Opcode.TEXT] == [b"echo"]
            assert [f.data for f in frames if f.opcode is Opcode.PONG] == [b"are you there"]
            assert frames[151].opcode in {Opcode.TEXT, Opcode.PONG}
            assert out.stalled_s(111.0) == 0.0
            assert out.buffered == 0
            assert audience.paused() == []
            # The next message finds it idle again, the one after that goes to the socket.
            for number in range(3):
                audience.send(message(number, 100), binary=True)
                assert lines.fds[out.slot] >= 0
            assert [f.data for f in await slow.read(3)] == [message(n, 100) for n in range(3)]
            slow.reset()

    run(test)


async def come_to_rest(out: Outbound) -> None:
    """Wait until nothing more is on its way to a client that does not read."""
    seen = -1
    while seen != (seen := out.in_kernel):
        await asyncio.sleep(0.5)


def test_who_reads_a_little_has_not_stalled(run: Run) -> None:
    """The kernel asks for more only once a good part of its own buffer has gone: over a thin line
    that takes longer than a screen may stand still."""

    async def test() -> None:
        async with served() as house:
            thin = RawReader(house.port)
            (out,) = await house.arrived(1)
            await thin.opened()
            for number in range(100):
                out.send(message(number, 4096), binary=True)
            waiting = out.buffered
            await come_to_rest(out)
            assert [out.stalled_s(t) for t in (100.0, 105.0, 110.0)] == [0.0, 5.0, 10.0]
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(30):
                while out.stalled_s(111.0) > 0.0:
                    thin.take(await loop.sock_recv(thin.sock, 1024))
                    await asyncio.sleep(0.02)
            assert out.buffered == waiting
            await come_to_rest(out)
            since = 112.0 - out.stalled_s(112.0)
            assert since >= 111.0
            assert out.stalled_s(123.0) == 123.0 - since
            thin.reset()

    run(test)


def test_a_reset_in_the_middle_ends_one_and_no_other(run: Run) -> None:
    async def test() -> None:
        async with served() as house, joined(house) as one, joined(house) as two:
            reader = RawReader(house.port)
            outs = list(await house.arrived(3))
            audience = Audience(outs)
            sent = [message(n, 20_000) for n in range(60)]
            for number, payload in enumerate(sent):
                if number == 20:
                    reader.reset()
                audience.send(payload, binary=True)
                await asyncio.sleep(0)
            for client in (one, two):
                assert [await client.recv() for _ in sent] == sent
            await house.gone(1)
            assert outs[2].closed
            assert lines.fds[outs[2].slot] == -1
            outs[2].send(b"to nobody", binary=True)

    run(test)


def test_a_descriptor_taken_over_by_a_stranger_gets_nothing(run: Run) -> None:
    async def test() -> None:
        async with served() as house:
            readers = [RawReader(house.port) for _ in range(5)]
            audience = Audience(await house.arrived(5))
            before = {int(lines.fds[out.slot]) for out in audience}
            for reader in readers:
                reader.reset()
            await house.gone(5)
            async with AsyncExitStack() as stack:
                strangers = [await stack.enter_async_context(joined(house)) for _ in range(8)]
                outs = (await house.arrived(13))[5:]
                assert {int(lines.fds[out.slot]) for out in outs} & before
                audience.send(b"for those who left", binary=True)
                Audience(outs).send(b"for those who came", binary=True)
                assert {await one.recv() for one in strangers} == {b"for those who came"}

    run(test)


def test_a_slot_is_not_another_connections_while_anyone_holds_it() -> None:
    taken = [lines.take() for _ in range(300)]
    assert len(set(taken)) == 300
    assert lines.NONE not in taken
    assert (lines.fds[taken] == -1).all()
    for slot in taken:
        lines.give_back(slot)
    assert lines.fds[lines.NONE] == -1


def test_pings_of_both_sides_in_between(run: Run) -> None:
    async def test() -> None:
        options = {"ws_ping_interval": 0.02, "ws_ping_timeout": 20}
        async with served(**options) as house, joined(house, ping_interval=None) as client:
            audience = Audience(await house.arrived(1))
            sent = [message(n, 30_000) for n in range(100)]

            async def publish() -> None:
                for payload in sent:
                    audience.send(payload, binary=True)
                    await asyncio.sleep(0.002)

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(publish())
                for payload in sent:
                    pong = await client.ping()
                    assert await client.recv() == payload
                    await pong

    run(test)
