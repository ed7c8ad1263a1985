"""Bad weather between phones and a real server: a TCP proxy on loopback whose faults a test turns on and off.

    async with chaos.Proxy(host, port, seed=7) as proxy:     # connect to 127.0.0.1:proxy.port instead
        proxy.weather = chaos.Weather(latency=0.05, jitter=0.02)
        await proxy.cut()

    with chaos.between(host, port, seed=7) as net:           # the same without an event loop of one's own:
        net.cut()                                            # browsers, `websockets.sync`, Django's ORM

| gesture | what the two sides see |
|---|---|
| `weather = Weather(…)` | bytes come later, slower or in small pieces, in their order; also those already on their way |
| `cut()` … `mend()` | present connections are reset (RST), new ones refused (ECONNREFUSED), until mended |
| `half_open()` | present connections look open to both sides and carry nothing ever again; new ones work |
| `hold(way)` … `release(way)` | nothing passes one way; what is sent meanwhile waits and fills the sender's buffers |
| `reset_some(share)` | a random share of the present connections is reset |
| `reorder_frames(window)` | a websocket client's messages leave in another order than they came |

A `way` is `UP` (to the server) or `DOWN` (to the phones). What is drawn by chance follows from the seed and the
connection's number alone, so the same connections meet the same faults; how the kernel cuts a stream into reads is
its own affair. Nothing here grows: a connection holds about `WAITING` bytes each way and then stops reading.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from .patience import PATIENCE

UP, DOWN = "up", "down"
WAYS = (UP, DOWN)

CHUNK = 16 * 1024  # bytes read at once
WAITING = 64 * 1024  # bytes of one connection and way that wait in the proxy
# What the kernel holds is small, as on a phone's line and unlike loopback, so that a hold is soon felt by who sends.
KERNEL = 32 * 1024  # bytes of a receive buffer
SEGMENT = 1400  # bytes of a packet; the kernel measures the sender's buffer by it
QUIET = 0.05  # seconds: a window of messages that does not fill goes on as it is after this
BETWEEN_SLICES = 0.001  # seconds: so that the other side really reads slice by slice

HEAD_LIMIT = 32 * 1024  # bytes of an HTTP head; in a longer one no websocket is looked for
FINAL, COMPRESSED, CONTROL, CLOSE = (
    0x80,
    0x40,
    0x08,
    0x08,
)  # bits of a frame's first byte; the opcode of a close


@dataclass(frozen=True)
class Weather:
    """How bytes travel, the same each way.

    latency, jitter: seconds; a chunk is late by `latency` and by chance up to `jitter` more, and overtakes none.
    bytes_per_second: of each connection and way. slice: the most bytes that are written at once.
    """

    latency: float = 0.0
    jitter: float = 0.0
    bytes_per_second: float | None = None
    slice: int | None = None

    @property
    def piece(self) -> int:
        """Bytes to write at once; a slow line trickles, about twenty pieces a second."""
        paced = int(self.bytes_per_second / 20) if self.bytes_per_second else CHUNK
        return max(1, min(self.slice or CHUNK, paced))


class Proxy:
    """The proxy; its gestures belong into the event loop that entered it."""

    def __init__(self, host: str, port: int, *, seed: int = 0) -> None:
        self.server, self.seed = (host, port), seed
        self.port = 0
        self.met = 0  # connections ever taken
        self.present: set[_Link] = set()
        self.passed = dict.fromkeys(WAYS, 0)  # bytes handed on
        self.ended = dict.fromkeys(WAYS, 0)  # streams that their sender ended, also where nobody is told
        self.shuffled: list[list[int]] = []  # the new order of every window of messages, by their old places
        self.window, self.quiet = 0, QUIET
        self.ways = {way: asyncio.Event() for way in WAYS}  # set: free
        self._weather, self._change = Weather(), asyncio.Event()
        self._chance = random.Random(f"{seed} proxy")
        self._listener: socket.socket | None = None
        self._wrong: list[BaseException] = []

    async def __aenter__(self) -> Proxy:
        for way in WAYS:
            self.release(way)
        # Bound, never listening: keeps the port's number ours while nobody listens on it.
        self._place = _bound(0)
        self.port = self._place.getsockname()[1]
        self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()
        self._place.close()
        if self._wrong:
            raise self._wrong[0]

    # -- gestures ----------------------------------------------------------------------------------------------

    @property
    def weather(self) -> Weather:
        return self._weather

    @weather.setter
    def weather(self, weather: Weather) -> None:
        self._weather = weather
        self._change.set()
        self._change = asyncio.Event()

    async def cut(self) -> None:
        """The network is gone. What came before is reset when this returns."""
        if self._listener:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        await self._reset(self.present)

    def mend(self) -> None:
        """The network is back for new connections; those that were cut stay so. Harmless where nothing was."""
        if self._listener is None:
            self._listener = _bound(self.port)
            self._listener.listen(1024)
            asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def half_open(self) -> None:
        """Present connections carry nothing any more, and neither side is told, not even that the other has left."""
        for link in self.present:
            link.is_lost = True

    def hold(self, way: str) -> None:
        """Nothing passes this way, on present and new connections, until `release`."""
        self.ways[way].clear()

    def release(self, way: str) -> None:
        self.ways[way].set()

    async def reset_some(self, share: float) -> int:
        """Reset this share (0 … 1) of the present connections. Returns how many that were."""
        links = sorted(self.present, key=lambda link: link.number)
        chosen = self._chance.sample(links, round(share * len(links)))
        await self._reset(chosen)
        return len(chosen)

    def reorder_frames(self, window: int, quiet: float = QUIET) -> None:
        """Messages of websocket clients leave in another order, `window` of them at a time; 0 ends it.

        From the next message on, on present connections too. Two or more that wait together never keep their
        order. Pings pass by; a close comes after what was said before it. A window that does not fill goes on
        after `quiet` seconds. Messages must not be compressed: those depend on their order.
        """
        self.window, self.quiet = window, quiet

    # -- connections -------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            client, _address = self._listener.accept()
            client.setblocking(False)
            self.met += 1
            self.present.add(_Link(self, self.met, client))

    async def _reset(self, links: set[_Link] | list[_Link]) -> None:
        tasks = [link.task for link in links]
        for link in links:
            link.ends_with_reset = True
            link.task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # until what follows their end has happened too

    def forget(self, link: _Link, error: BaseException | None) -> None:
        """A connection has ended. An error that is no weather is told when the proxy ends."""
        self.present.discard(link)
        if error:
            self._wrong.append(error)

    async def pause(self, until: float) -> None:
        """Wait until this moment of the loop's clock, or until the weather changes."""
        seconds = until - asyncio.get_running_loop().time()
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._change.wait()


class _Link:
    """One connection: a phone's socket, one to the server, and what is on its way between them."""

    def __init__(self, proxy: Proxy, number: int, client: socket.socket) -> None:
        self.proxy, self.number, self.client = proxy, number, client
        self.is_lost = False
        self.ends_with_reset = False
        self.upstream = _socket()
        self.task = asyncio.ensure_future(self._run())
        self.task.add_done_callback(self._over)  # also runs for one that is cancelled before it began

    async def _run(self) -> None:
        try:
            await asyncio.get_running_loop().sock_connect(self.upstream, self.proxy.server)
            ways = [_Way(self, UP, self.client, self.upstream), _Way(self, DOWN, self.upstream, self.client)]
            async with asyncio.TaskGroup() as tasks:
                for way in ways:
                    tasks.create_task(way.read())
                    tasks.create_task(way.write())
        except* OSError:  # one side reset it, or the server is not there: the other side learns that
            self.ends_with_reset = True

    def _over(self, task: asyncio.Task[None]) -> None:
        for one in (self.client, self.upstream):
            _close(one, reset=self.ends_with_reset)
        self.proxy.forget(self, None if task.cancelled() else task.exception())


class _Late(NamedTuple):
    """Bytes on their way; `None` is the end of the stream. `draw` is their share of the jitter."""

    data: bytes | None
    came: float
    draw: float


class _Way:
    """One direction of a connection: reads and writes by themselves, so that latency costs no throughput."""

    def __init__(self, link: _Link, way: str, source: socket.socket, target: socket.socket) -> None:
        self.link, self.proxy, self.way = link, link.proxy, way
        self.source, self.target = source, target
        self._chance = random.Random(f"{link.proxy.seed} {link.number} {way}")
        self._shuffler = _Shuffler(link.proxy, self._chance)
        self._queue: deque[_Late] = deque()
        self._size = 0
        self._more, self._less = asyncio.Event(), asyncio.Event()

    async def read(self) -> None:
        while True:
            await self.proxy.ways[self.way].wait()
            await self._until_there_is_room()
            data = await self._receive()
            if data and self.link.is_lost:
                continue
            for part in self._in_order(data):
                self._put(part)
            if data == b"":
                self.proxy.ended[self.way] += 1
                return self._put(None)

    async def _receive(self) -> bytes | None:
        """What came; empty at the stream's end, `None` when it is time to hand on a window that did not fill."""
        receiving = asyncio.get_running_loop().sock_recv(self.source, CHUNK)
        try:
            return await asyncio.wait_for(receiving, self.proxy.quiet if self._shuffler.waits else None)
        except TimeoutError:
            return None
        except OSError:
            if self.link.is_lost:
                return b""
            raise

    def _in_order(self, data: bytes | None) -> list[bytes]:
        if self.way == DOWN:
            return [data] if data else []
        return self._shuffler.feed(data) if data else self._shuffler.flush()

    async def _until_there_is_room(self) -> None:
        while self._size >= WAITING:
            self._less.clear()
            await self._less.wait()

    def _put(self, data: bytes | None) -> None:
        now = asyncio.get_running_loop().time()
        self._queue.append(_Late(data, now, self._chance.random()))
        self._size += len(data or b"")
        self._more.set()

    async def write(self) -> None:
        while True:
            while not self._queue:
                self._more.clear()
                await self._more.wait()
            late = self._queue.popleft()
            await self._until_it_is_due(late)
            if late.data is None:
                return self._end()
            await self._hand_on(late.data)
            self._size -= len(late.data)
            self._less.set()

    async def _until_it_is_due(self, late: _Late) -> None:
        while not self.link.is_lost:
            due = late.came + self.proxy.weather.latency + self.proxy.weather.jitter * late.draw
            if due <= asyncio.get_running_loop().time():
                return
            await self.proxy.pause(due)

    async def _hand_on(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        while data:
            await self.proxy.ways[self.way].wait()
            if self.link.is_lost:
                return
            weather = self.proxy.weather
            piece, data = data[: weather.piece], data[weather.piece :]
            try:
                await loop.sock_sendall(self.target, piece)
            except OSError:
                if self.link.is_lost:
                    return
                raise
            self.proxy.passed[self.way] += len(piece)
            if weather.bytes_per_second:
                await self.proxy.pause(loop.time() + len(piece) / weather.bytes_per_second)
            elif data and weather.slice:
                await asyncio.sleep(BETWEEN_SLICES)

    def _end(self) -> None:
        if not self.link.is_lost:
            with contextlib.suppress(OSError):  # the other side has gone already
                self.target.shutdown(socket.SHUT_WR)


# --- messages in another order -------------------------------------------------------------------------------


class _Shuffler:
    """Hands on a client's bytes as they come, or whole messages in another order while a window is asked for."""

    def __init__(self, proxy: Proxy, chance: random.Random) -> None:
        self.proxy, self._chance = proxy, chance
        self._cutter = _Cutter()
        self._is_passing = False  # in the middle of a message whose beginning has gone already
        self._message = b""
        self._window: list[bytes] = []

    @property
    def waits(self) -> bool:
        return bool(self._window)

    def feed(self, data: bytes) -> list[bytes]:
        return [part for piece in self._cutter.feed(data) for part in self._take(piece)]

    def flush(self) -> list[bytes]:
        """What waits, in another order."""
        window, self._window = self._window, []
        places = list(range(len(window)))
        while len(window) > 1 and places == sorted(places):
            self._chance.shuffle(places)
        if len(window) > 1:
            self.proxy.shuffled.append(places)
        return [window[place] for place in places]

    def _take(self, piece: _Piece) -> list[bytes]:
        is_ours = piece.is_frame and (self.proxy.window or self._window or self._message)
        if not is_ours or self._is_passing:
            self._is_passing = piece.is_frame and not piece.ends
            return [piece.data]
        self._message += piece.data
        if not piece.ends:
            return []
        message, self._message = self._message, b""
        if message[0] & CONTROL:
            return [*self.flush(), message] if message[0] & 0x0F == CLOSE else [message]
        if message[0] & COMPRESSED:
            raise ValueError("Compressed messages cannot change their order: switch compression off.")
        self._window.append(message)
        return self.flush() if len(self._window) >= self.proxy.window else []


class _Piece(NamedTuple):
    data: bytes
    is_frame: bool  # of a websocket; everything else is HTTP
    ends: bool  # a message, or a control frame of its own


class _Cutter:
    """Cuts the stream of one client at the ends of its websocket messages, however it arrives."""

    def __init__(self) -> None:
        self._head = b""
        self._is_websocket: bool | None = None
        self._header = bytearray()  # of the present frame
        self._left = -1  # bytes of its body still to come; -1: its header is not whole yet

    def feed(self, data: bytes) -> Iterator[_Piece]:
        if self._is_websocket is None:
            head, data = self._through_the_head(data)
            yield _Piece(head, False, False)
        while data and self._is_websocket:
            piece = self._next(data)
            yield piece
            data = data[len(piece.data) :]
        if data:
            yield _Piece(data, False, False)

    def _through_the_head(self, data: bytes) -> tuple[bytes, bytes]:
        known = len(self._head)
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            self._is_websocket = None if len(self._head) < HEAD_LIMIT else False
            return data, b""
        self._is_websocket = b"upgrade: websocket" in self._head[:end].lower()
        return data[: end + 4 - known], data[end + 4 - known :]

    def _next(self, data: bytes) -> _Piece:
        """What of these bytes belongs to the present frame."""
        took = 0
        while self._left < 0 and took < len(data):
            self._header.append(data[took])
            took += 1
            self._left = _body_size(self._header)
        if self._left < 0:
            return _Piece(data, True, False)
        body = min(self._left, len(data) - took)
        self._left -= body
        ends = False
        if self._left == 0:
            ends = bool(self._header[0] & (FINAL | CONTROL))
            self._header.clear()
            self._left = -1
        return _Piece(data[: took + body], True, ends)


def _body_size(header: bytearray) -> int:
    """Bytes that follow this frame header (RFC 6455, 5.2); -1 while it is not whole."""
    if len(header) < 2:
        return -1
    short = header[1] & 0x7F
    extended = {126: 2, 127: 8}.get(short, 0)
    masked = 4 if header[1] & 0x80 else 0
    if len(header) < 2 + extended + masked:
        return -1
    return int.from_bytes(header[2 : 2 + extended], "big") if extended else short


# --- sockets ------------------------------------------------------------------------------------------------------


def _socket() -> socket.socket:
    made = socket.socket()
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
    return made


def _bound(port: int) -> socket.socket:
    made = _socket()  # what it accepts inherits the small buffer
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made


def _close(one: socket.socket, *, reset: bool) -> None:
    if reset:
        with contextlib.suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()


# --- for tests without an event loop of their own -----------------------------------------------------------------


class Remote:
    """A proxy in a thread of its own; every gesture has happened when it returns."""

    def __init__(self, proxy: Proxy, loop: asyncio.AbstractEventLoop) -> None:
        self._proxy, self._loop = proxy, loop
        self.port = proxy.port
        self.url, self.socket_url = f"http://127.0.0.1:{proxy.port}", f"ws://127.0.0.1:{proxy.port}"

    def do(self, gesture: Callable[[Proxy], Awaitable[Any] | Any]) -> Any:
        """Something with the proxy, in its loop: `net.do(lambda proxy: len(proxy.present))`."""

        async def run() -> Any:
            found = gesture(self._proxy)
            return await found if isinstance(found, Awaitable) else found

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(PATIENCE)

    def weather(self, **weather: Any) -> None:
        self.do(lambda proxy: setattr(proxy, "weather", Weather(**weather)))

    def cut(self) -> None:
        self.do(Proxy.cut)

    def mend(self) -> None:
        self.do(Proxy.mend)

    def half_open(self) -> None:
        self.do(Proxy.half_open)

    def hold(self, way: str) -> None:
        self.do(lambda proxy: proxy.hold(way))

    def release(self, way: str) -> None:
        self.do(lambda proxy: proxy.release(way))

    def reset_some(self, share: float) -> int:
        return self.do(lambda proxy: proxy.reset_some(share))

    def reorder_frames(self, window: int, quiet: float = QUIET) -> None:
        self.do(lambda proxy: proxy.reorder_frames(window, quiet))


@contextlib.contextmanager
def between(host: str, port: int, *, seed: int = 0) -> Iterator[Remote]:
    """A proxy before this server, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="chaos", daemon=True)
    thread.start()

    def wait_for(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(PATIENCE)

    try:
        proxy = Proxy(host, port, seed=seed)
        wait_for(proxy.__aenter__())
        try:
            yield Remote(proxy, loop)
        finally:
            wait_for(proxy.__aexit__())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()
