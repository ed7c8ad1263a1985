"""The proxy of bad weather itself: every fault that it promises truly happens."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from .. import network_faults
from ..patience import PATIENCE

pytestmark = pytest.mark.slow

NOTHING = 0.3  # seconds in which something that must not come would have come long ago


@pytest.fixture
async def echo():
    """A server that sends back what it hears, and keeps its sockets for the test to look at."""
    writers = []

    async def answer(reader, writer):
        writers.append(writer)
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    server.port, server.writers = server.sockets[0].getsockname()[1], writers
    yield server
    server.close()
    for writer in writers:
        writer.transport.abort()


@pytest.fixture
async def proxy(echo):
    async with network_faults.Proxy("127.0.0.1", echo.port, seed=7) as made:
        yield made


async def visit(proxy):
    return await asyncio.wait_for(asyncio.open_connection("127.0.0.1", proxy.port), PATIENCE)


async def goes_round(connection, said=b"hello"):
    reader, writer = connection
    writer.write(said)
    return await asyncio.wait_for(reader.readexactly(len(said)), PATIENCE)


async def leave(*connections):
    for _reader, writer in connections:
        writer.transport.abort()


async def until(is_so):
    async with asyncio.timeout(PATIENCE):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_in_fair_weather_every_byte_passes_both_ways_in_order(proxy):
    connection = await visit(proxy)
    said = bytes(range(256)) * 2000
    assert await goes_round(connection, said) == said
    assert proxy.passed == {"up": len(said), "down": len(said)}
    connection[1].write_eof()
    assert await asyncio.wait_for(connection[0].read(), PATIENCE) == b""
    await until(lambda: not proxy.present)
    await leave(connection)


async def test_latency_is_met_twice_on_the_way_there_and_back(proxy):
    connection = await visit(proxy)
    proxy.weather = network_faults.Weather(latency=0.1, jitter=0.05)
    start = time.monotonic()
    await goes_round(connection)
    assert time.monotonic() - start >= 0.2
    await leave(connection)


async def test_latency_costs_no_throughput(proxy):
    connection = await visit(proxy)
    proxy.weather = network_faults.Weather(latency=0.4)
    for number in range(200):
        connection[1].write(b"%4d" % number)
        await asyncio.sleep(0.001)
    # One after the other they would take 160 seconds.
    await asyncio.wait_for(connection[0].readexactly(800), PATIENCE)
    await leave(connection)


async def test_better_weather_reaches_what_is_already_on_its_way(proxy):
    connection = await visit(proxy)
    proxy.weather = network_faults.Weather(latency=600)
    connection[1].write(b"hello")
    await asyncio.sleep(0.05)
    proxy.weather = network_faults.Weather()
    assert await asyncio.wait_for(connection[0].readexactly(5), PATIENCE) == b"hello"
    await leave(connection)


async def test_a_narrow_line_takes_its_time(proxy):
    connection = await visit(proxy)
    proxy.weather = network_faults.Weather(bytes_per_second=10_000)
    start = time.monotonic()
    await goes_round(connection, b"x" * 4000)
    assert time.monotonic() - start >= 0.35
    await leave(connection)


async def test_slices_arrive_one_by_one():
    sizes = []

    async def note(reader, writer):
        while data := await reader.read(4096):
            sizes.append(len(data))
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    async with server, network_faults.Proxy("127.0.0.1", server.sockets[0].getsockname()[1]) as proxy:
        proxy.weather = network_faults.Weather(slice=3)
        connection = await visit(proxy)
        connection[1].write(b"x" * 60)
        await until(lambda: sum(sizes) == 60)
        await leave(connection)
    assert len(sizes) >= 10  # a busy reader may find two slices at once, never all of them


async def test_a_cut_resets_who_is_there_refuses_who_comes_and_heals(proxy, echo):
    connection = await visit(proxy)
    await goes_round(connection)
    await proxy.cut()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(connection[0].read(), PATIENCE)
    await until(lambda: echo.writers[0].transport.is_closing())
    with pytest.raises(ConnectionRefusedError):
        await visit(proxy)
    proxy.mend()
    again = await visit(proxy)
    assert await goes_round(again) == b"hello"
    await leave(connection, again)


async def test_a_half_open_connection_is_silent_both_ways_and_new_ones_work(proxy, echo):
    lost = await visit(proxy)
    await goes_round(lost)
    proxy.half_open()
    lost[1].write(b"anybody?")
    echo.writers[0].write(b"anybody?")
    new = await visit(proxy)
    assert await goes_round(new) == b"hello"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(lost[0].read(1), NOTHING)
    assert proxy.passed == {"up": 10, "down": 10}
    # Not even the server's leaving is told, however it leaves.
    echo.writers[0].transport.abort()
    await until(lambda: proxy.ended["down"] == 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(lost[0].read(1), NOTHING)
    await leave(lost, new)


async def test_a_hold_stops_one_way_alone_until_it_is_released(proxy, echo):
    connection = await visit(proxy)
    await goes_round(connection)
    proxy.hold(network_faults.DOWN)
    connection[1].write(b"more")
    await until(lambda: proxy.passed["up"] == 9)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(connection[0].read(1), NOTHING)
    proxy.release(network_faults.DOWN)
    assert await asyncio.wait_for(connection[0].readexactly(4), PATIENCE) == b"more"
    await leave(connection)


async def test_who_sends_into_a_hold_feels_it(proxy, echo):
    connection = await visit(proxy)
    await goes_round(connection)
    proxy.hold(network_faults.DOWN)
    echo.writers[0].write(b"x" * 2_000_000)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(echo.writers[0].drain(), NOTHING)
    held = 2_000_000 - echo.writers[0].transport.get_write_buffer_size()
    print("bytes between a sender and a hold:", held)
    assert held < 1_000_000
    await leave(connection)


async def _who_is_reset(port, seed):
    async with network_faults.Proxy("127.0.0.1", port, seed=seed) as proxy:
        connections = []
        for _ in range(10):  # one after the other, so that each has the same number every time
            connections.append(await visit(proxy))
            await goes_round(connections[-1])
        assert await proxy.reset_some(0.4) == 4
        await until(lambda: len(proxy.present) == 6)
        gone = []
        for number, (reader, _writer) in enumerate(connections):
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                await asyncio.wait_for(reader.read(1), 0.02)
            if reader.exception():
                gone.append(number)
        await leave(*connections)
        return gone


async def test_the_seed_says_which_connections_are_reset(echo):
    first, again, other = [await _who_is_reset(echo.port, seed) for seed in (7, 7, 8)]
    assert len(first) == 4
    assert first == again != other


# --- websocket messages in another order -------------------------------------------------------------------------------


@pytest.fixture
async def room():
    """A websocket server that writes down what it hears, in order."""
    heard = []

    async def listen(wire):
        async for message in wire:
            heard.append(message)
        heard.append(wire.close_code)

    async with serve(listen, "127.0.0.1", 0, compression=None) as server:
        server.heard, server.port = heard, next(iter(server.sockets)).getsockname()[1]
        yield server


async def _says(room, messages, *, window, seed=7, **weather):
    async with network_faults.Proxy("127.0.0.1", room.port, seed=seed) as proxy:
        proxy.weather = network_faults.Weather(**weather)
        async with connect(f"ws://127.0.0.1:{proxy.port}", compression=None) as wire:
            proxy.reorder_frames(window, PATIENCE)
            for message in messages:
                await wire.send(message)
            await (await wire.ping())
        await until(lambda: room.heard and room.heard[-1] == 1000)
        return proxy.shuffled


LONG = "long " * 20_000  # has a header with eight bytes of length


@pytest.mark.parametrize("slice", [None, 7])
async def test_messages_leave_in_another_order_and_whole(room, slice):
    messages = ["one", "two", "three", "x" * 300, "four", "five"]
    shuffled = await _says(room, messages, window=3, slice=slice)
    *heard, closed = room.heard
    assert closed == 1000
    assert sorted(heard[:3]) == sorted(messages[:3])
    assert sorted(heard[3:]) == sorted(messages[3:])
    assert heard[:3] != messages[:3]
    assert heard[3:] != messages[3:]
    assert [heard[:3], heard[3:]] == [
        [messages[place + 3 * number] for place in places] for number, places in enumerate(shuffled)
    ]


async def test_long_and_fragmented_messages_stay_whole(room):
    async def fragments():
        for part in ("a", "b", "c"):
            yield part

    await _says(room, [LONG, fragments(), "short"], window=3)
    assert sorted(room.heard[:3]) == sorted([LONG, "abc", "short"])
    assert room.heard[:3] != [LONG, "abc", "short"]


async def test_a_window_that_does_not_fill_goes_on_after_a_quiet_moment_and_before_the_close(room):
    async with network_faults.Proxy("127.0.0.1", room.port) as proxy:
        async with connect(f"ws://127.0.0.1:{proxy.port}", compression=None) as wire:
            proxy.reorder_frames(100)
            await wire.send("alone")
            await until(lambda: room.heard == ["alone"])
            await wire.send("last words")
        await until(lambda: len(room.heard) == 3)
    assert room.heard == ["alone", "last words", 1000]


async def test_the_seed_says_the_new_order(room):
    messages = [str(number) for number in range(12)]
    orders = [await _says(room, messages, window=6, seed=seed) for seed in (7, 7, 8)]
    assert orders[0] == orders[1] != orders[2]


async def test_compressed_messages_are_not_shuffled_but_refused():
    async def listen(wire):
        async for _message in wire:
            pass

    async def talk(port):
        async with network_faults.Proxy("127.0.0.1", port) as proxy:
            proxy.reorder_frames(2)
            wire = await connect(f"ws://127.0.0.1:{proxy.port}")
            await wire.send("a" * 100)
            await wire.wait_closed()

    async with serve(listen, "127.0.0.1", 0) as server:
        with pytest.raises(ExceptionGroup) as found:
            await talk(next(iter(server.sockets)).getsockname()[1])
    assert found.group_contains(ValueError, match="Compressed")


# --- from another thread --------------------------------------------------------------------------------------------------


def test_a_test_without_an_event_loop_makes_the_same_gestures():
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, network_faults.between("127.0.0.1", listener.getsockname()[1]) as net:
        client = socket.create_connection(("127.0.0.1", net.port), timeout=PATIENCE)
        server, _address = listener.accept()
        server.settimeout(PATIENCE)
        client.sendall(b"hello")
        assert server.recv(5) == b"hello"
        net.weather(latency=0.2)
        start = time.monotonic()
        server.sendall(b"you")
        assert client.recv(3) == b"you"
        assert time.monotonic() - start >= 0.2
        net.cut()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", net.port), timeout=PATIENCE)
        net.mend()
        socket.create_connection(("127.0.0.1", net.port), timeout=PATIENCE).close()
        client.close()
        server.close()
