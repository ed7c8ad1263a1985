"""Raw send: fragments written to the socket, past the server's own framing.

A picture goes to thousands of sockets as the same bytes, so its websocket frame is built once (`Frame.wire`) and
these bytes are handed to the socket itself: no coroutine, no framing, no wake-up a socket. This reaches into
Daphne and Uvicorn where their public interface ends, so it is guarded: `find_sender` finds one only where every
part is what it was tested with, and nothing otherwise, or with LIVE_RAW_SOCKETS=false. Its plain twin is ASGI's own
`send` in `connections.Connection.write`; whoever is slow is served by it too.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any

from django.conf import settings
from websockets.frames import Frame as Read
from websockets.frames import Opcode
from websockets.streams import StreamReader

log = logging.getLogger(__name__)

PLAIN_BUDGET = 10_000  # pictures a second through the server's own `send`
BACKLOG_LIMIT = 128 * 1024  # bytes a socket has not taken: from here on only the newest pictures wait for it

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Frame:
    """A text with its websocket frame, built when first needed and then shared by all sockets."""

    def __init__(self, payload: bytes) -> None:
        self.payload = payload

    @cached_property
    def text(self) -> str:
        return self.payload.decode()

    @cached_property
    def wire(self) -> bytes:
        """One final, unmasked text frame (RFC 6455 § 5.2), as a server sends it."""
        length = len(self.payload)
        if length < 126:
            head = bytes((0x81, length))
        elif length < 65_536:
            head = b"\x81\x7e" + length.to_bytes(2, "big")
        else:
            head = b"\x81\x7f" + length.to_bytes(8, "big")
        return head + self.payload


@dataclass(frozen=True, slots=True)
class RawSender:
    """`push` takes a whole frame and never waits; it may raise once the socket is gone. `is_full` says that the other
    side has not taken `BACKLOG_LIMIT` bytes: nothing is pushed then."""

    push: Callable[[bytes], None]
    is_full: Callable[[], bool]
    #: pictures a second that a process can hand out this way and still have time for votes (docs/performance.md)
    budget: int = PLAIN_BUDGET


def find_sender(send: Send, when_full: Callable[[], None]) -> RawSender | None:
    """The raw sender to the socket behind this `send`, where the server is known. `when_full` is called at the push
    that fills it, so that nobody has to ask before every other."""
    if not settings.LIVE_RAW_SOCKETS or not are_frames_sound():
        return None
    for find in (_daphne, _uvicorn):
        try:
            if sender := find(send, when_full):
                return sender
        except Exception as error:  # another version than the one this was written for
            log.warning("no raw sender (%s); sending through the server", type(error).__name__)
    return None


@cache
def are_frames_sound() -> bool:
    """Does a websocket library read our frames as what they say, at every kind of length? Tried as a server starts."""
    try:
        return all(_reads_back(b"x" * length) for length in (0, 125, 126, 65_535, 65_536))
    except Exception as error:
        log.warning("frames could not be tried (%s); sending through the server", type(error).__name__)
        return False


def _reads_back(payload: bytes) -> bool:
    reader = StreamReader()
    reader.feed_data(Frame(payload).wire)
    try:
        next(Read.parse(reader.read_exact, mask=False))
    except StopIteration as whole:
        read = whole.value
        return (read.opcode, read.fin, bytes(read.data)) == (Opcode.TEXT, True, payload)
    return False  # it waits for more


def is_gone(error: Exception) -> bool:
    """Did the other side leave while it was written to? Daphne's word for it and Uvicorn's; no fault of ours."""
    from autobahn.exception import Disconnected

    return isinstance(error, Disconnected | OSError)


def _daphne(send: Send, when_full: Callable[[], None]) -> RawSender | None:
    """Daphne: an autobahn protocol on a plain Twisted TCP transport (4.2)."""
    protocol = send.args[0] if isinstance(send, partial) and send.args else None
    if protocol is None:
        return None
    from daphne.ws_protocol import WebSocketProtocol
    from twisted.internet.tcp import Connection

    if not isinstance(protocol, WebSocketProtocol):
        return None
    transport = protocol.transport
    if not isinstance(transport, Connection) or getattr(transport, "TLS", False):
        return None

    def backlog() -> int:
        return len(transport.dataBuffer) - transport.offset + transport._tempDataLen

    write, is_open = transport.socket.send, protocol.STATE_OPEN

    def push(wire: bytes) -> None:
        if protocol.state != is_open or transport.disconnecting or not transport.connected:
            return
        sent = 0
        if not backlog():
            try:  # noqa: SIM105 - thousands of times a second, and `suppress` costs as much as all around it
                sent = write(wire)
            except OSError:
                pass  # full, or gone: Twisted finds out by itself
        if sent < len(wire):
            transport.write(wire[sent:])
            if is_full():
                when_full()

    def is_full() -> bool:
        return backlog() >= BACKLOG_LIMIT

    is_full()
    return RawSender(push, is_full, 20_000)


def _uvicorn(send: Send, when_full: Callable[[], None]) -> RawSender | None:
    """Uvicorn with its sans-I/O websockets: an asyncio transport, which tells its protocol when it is full."""
    protocol = getattr(send, "__self__", None)
    if protocol is None:
        return None
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    if not isinstance(protocol, WebSocketsSansIOProtocol) or protocol.conn.extensions:
        return None
    transport, pause, writable = protocol.transport, protocol.pause_writing, protocol.writable

    def pause_writing() -> None:
        pause()
        when_full()

    transport.set_write_buffer_limits(high=BACKLOG_LIMIT)
    protocol.pause_writing = pause_writing  # type: ignore[method-assign]
    return RawSender(transport.write, lambda: not writable.is_set(), 36_000)
