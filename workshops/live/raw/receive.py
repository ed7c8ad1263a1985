"""Raw receive: text frames that screens send, read from the socket past the server's own parser.

Nearly all that a screen sends is one small text frame in one read. The servers pass it through a parser for every
case, a queue and a task that is woken up, together several times the work of a vote: of 2,500 votes in one instant
half are acknowledged after 140 ms instead of 210 (Uvicorn) or 265 (Daphne), for a third to two fifths less CPU a
vote. Here such a read goes to the session at once. Everything else (control frames, fragments, several frames or a
piece of one) is read by the server, and while something of it waits, all that follows too, so nothing overtakes
anything.

Guarded like `send`: where a part is not what this was written for, or with LIVE_RAW_SOCKETS=false, the server reads
everything.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from django.conf import settings
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import apply_mask  # type: ignore[attr-defined]  # in C where there is a compiler's

from .send import Send

log = logging.getLogger(__name__)

TEXT, LONGER, LONGEST = (
    0x81,
    126,
    127,
)  # a final text frame; what its second byte says of longer ones (RFC 6455 § 5.2)
LIMIT = 8 * 1024  # bytes; longer ones are the server's and the session's to refuse

Take = Callable[[str], None]


def start(send: Send, take: Take) -> Callable[[], None] | None:
    """Have what the socket behind this `send` says brought to `take`; what ends that, or `None` where it cannot be."""
    if not settings.LIVE_RAW_SOCKETS:
        return None
    for listen in (_daphne, _uvicorn):
        try:
            if end := listen(send, take):
                return end
        except Exception as error:  # another version than the one this was written for
            log.warning("not hearing directly (%s); the server reads", type(error).__name__)
    return None


def whole_text(data: bytes) -> str | None:
    """The text of a read that is exactly one final, masked text frame of at most `LIMIT` bytes."""
    if len(data) < 6 or data[0] != TEXT:
        return None
    length, start = data[1] - 0x80, 2  # below nought: not masked
    if length == LONGER:
        length, start = int.from_bytes(data[2:4], "big"), 4
    body = start + 4
    if not 0 <= length <= LIMIT or data[1] & 0x7F == LONGEST or len(data) != body + length:
        return None
    try:
        return apply_mask(data[body:], data[start:body]).decode()
    except UnicodeDecodeError:
        return None  # the server knows what to answer


def ends_whole(data: bytes) -> bool:
    """Does this read consist of whole, unfragmented frames, so that a parser keeps nothing of it?"""
    at = 0
    while at < len(data):
        if len(data) < at + 2 or not data[at] & 0x80:
            return False
        length, size = data[at + 1] & 0x7F, 2
        if length >= LONGER:
            size = 4 if length == LONGER else 10
            length = int.from_bytes(data[at + 2 : at + size], "big")
        at += size + 4 + length
    return at == len(data)


# --- Uvicorn ------------------------------------------------------------------------------------------------


class RawReceiveProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's WebSocket protocol with raw receive; `servers.uvicorn` has Uvicorn use it."""

    take: Take | None = None
    keeps_nothing = True  # of what it has read: a piece of a frame, once there, is never seen to end

    def data_received(self, data: bytes) -> None:
        if self.take and self.keeps_nothing and self.queue.empty() and (text := whole_text(data)) is not None:
            return self.take(text)
        if self.handshake_initiated:
            self.keeps_nothing = self.keeps_nothing and ends_whole(data)
        return super().data_received(data)


def _uvicorn(send: Send, take: Take) -> Callable[[], None] | None:
    protocol = getattr(send, "__self__", None)
    if not isinstance(protocol, RawReceiveProtocol) or protocol.conn.extensions:
        return None
    protocol.take = take

    def end() -> None:
        protocol.take = None

    return end


# --- Daphne -------------------------------------------------------------------------------------------------


def _daphne(send: Send, take: Take) -> Callable[[], None] | None:
    """Autobahn tells whether it is between two frames; Twisted asks a protocol for its reader at each read."""
    protocol = send.args[0] if isinstance(send, partial) and send.args else None
    if protocol is None:
        return None
    from daphne.ws_protocol import WebSocketProtocol

    if not isinstance(protocol, WebSocketProtocol):
        return None
    plain, queue = protocol.dataReceived, protocol.application_queue

    def hear(data: bytes) -> None:
        if _is_between_frames(protocol) and queue.empty() and (text := whole_text(data)) is not None:
            return take(text)
        return plain(data)

    def end() -> None:
        protocol.__dict__.pop("dataReceived", None)

    _is_between_frames(protocol)
    protocol.dataReceived = hear
    return end


def _is_between_frames(protocol) -> bool:
    return not (protocol.data or protocol.current_frame or protocol.inside_message or protocol.muted) and (
        protocol.state == protocol.STATE_OPEN
    )
