"""The protocol of a minimal WebSocket client (RFC 6455, no extensions), and parsing of our servers' frames. Pure.

A library's connection object per phone would cost more than the phone's own work; 5,000 phones have to fit one core.
"""

from __future__ import annotations

import base64
import re
import secrets

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA

#: prefixes by which our frames are told apart; the server fixes the order of keys
ACK, NACK, HELLO, MINE = b'{"t":"ack"', b'{"t":"nack"', b'{"t":"hello"', b'{"t":"mine"'
TALLY, STAGE = b'{"t":"screen","topic":"tally"', b'{"t":"screen","topic":"stage"'
PLACE, PAD = b'{"t":"place"', b'{"t":"screen","topic":"group"'
BREAKOUTS = b'{"t":"screen","topic":"breakouts"'

_STAGE = re.compile(rb'data-state=\\"(\w+)\\" data-poll=\\"(\d*)\\"')
_CHOICE = re.compile(rb'name=\\"choice\\" value=\\"([^"\\~][^"\\]*)\\"')
_WALL_COUNT = re.compile(rb"<b>(\d+)</b>")
_PHONE_COUNT = re.compile(rb"(\d+) of \d+ people have answered")


def handshake(host: str, path: str, origin: str, cookie: str = "") -> bytes:
    """The HTTP request that opens a WebSocket."""
    lines = [
        f"GET {path} HTTP/1.1", f"Host: {host}", f"Origin: {origin}", "Upgrade: websocket",
        "Connection: Upgrade", f"Sec-WebSocket-Key: {base64.b64encode(secrets.token_bytes(16)).decode()}",
        "Sec-WebSocket-Version: 13", *([f"Cookie: {cookie}"] if cookie else []),
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode()


def masked(payload: bytes, opcode: int = TEXT) -> bytes:
    """A client's frame, masked: one XOR of the whole payload as a big integer is the fastest way in plain Python."""
    size, key = len(payload), secrets.token_bytes(4)
    head = (
        bytes([0x80 | opcode, 0x80 | size])
        if size < 126
        else bytes([0x80 | opcode, 0xFE]) + size.to_bytes(2, "big")
    )
    stream = (key * (size // 4 + 1))[:size]
    body = (int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")
    return head + key + body


def read(data: bytes, at: int) -> tuple[int, bytes, int] | None:
    """Parse the server's frame at offset `at`: opcode, payload, offset of the next. `None` while it is incomplete."""
    if len(data) < at + 2:
        return None
    size, start = data[at + 1], at + 2
    if size == 126:
        size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
    elif size == 127:
        size, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
    end = start + size
    if len(data) < end or len(data) < start:
        return None
    return data[at] & 0x0F, data[start:end], end


def ballot_on_stage(payload: bytes) -> int:
    """The id of the poll in a stage fragment, 0 without an open poll."""
    match = _STAGE.search(payload)
    return int(match[2]) if match and match[1] == b"ballot" else 0


def choices(payload: bytes) -> list[str]:
    """The option keys of a ballot, without the reserved ones that begin with a tilde (other, pass)."""
    return [key.decode() for key in _CHOICE.findall(payload)]


def total(payload: bytes) -> int:
    """The number of answers in a tally fragment of the wall or of a phone; -1 without one."""
    match = _WALL_COUNT.search(payload) or _PHONE_COUNT.search(payload)
    return int(match[1]) if match else -1
