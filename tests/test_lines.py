"""The direct lane to a socket: the same bytes as the server's own, on both servers, and a way back when it is slow."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
import time

import pytest
from autobahn.exception import Disconnected
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame as TheirFrame
from websockets.frames import Opcode
from websockets.sync.client import connect

from tests import factories as make
from tests.browser.server import start_server
from workshops.actions import facilitation
from workshops.live import lines
from workshops.live.connections import Connection
from workshops.live.lines import Frame
from workshops.live.topics import Audience

SERVERS = ("daphne", "uvicorn")


@given(st.text(max_size=200) | st.sampled_from([125, 126, 65_535, 65_536]).map(lambda length: "x" * length))
def test_a_frame_is_what_the_websocket_library_would_have_built(text):
    payload = text.encode()
    assert Frame(payload).wire == TheirFrame(Opcode.TEXT, payload).serialize(mask=False)


def test_a_server_that_we_do_not_know_gets_no_lane():
    async def send(message):
        return None

    assert lines.direct(send) is None


@pytest.mark.parametrize(("error", "lines_logged"), [(Disconnected(), 0), (OSError(), 0), (ValueError(), 1)])
async def test_a_screen_that_leaves_while_it_is_written_to_is_no_error(error, lines_logged, caplog):
    async def send(message):
        raise error

    screen = Connection(Audience.CONSOLE)
    screen.tell(b"{}")
    with pytest.raises(type(error)):
        await asyncio.wait_for(screen.write(send), 5)
    assert screen.closing == 1011
    assert len(caplog.records) == lines_logged


@pytest.fixture(params=SERVERS)
def served(request, transactional_db, tmp_path):
    """A workshop with an open question, before a real server of either kind, with and without the lane."""
    servers = []

    def start(**environment):
        servers.append(start_server(tmp_path, server=request.param, **environment))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
    assert [server.errors for server in servers if server.errors] == []


def wall(server, room):
    address = f"{server.socket_url}/live/wall/{room.wall_key}/"
    return connect(address, origin=server.url, compression=None)


def until(socket, test, seconds=8.0):
    end = time.monotonic() + seconds
    while True:
        frame = json.loads(socket.recv(timeout=max(0.1, end - time.monotonic())))
        if test(frame):
            return frame


@pytest.mark.parametrize("direct", ["true", "false"])
def test_pictures_and_answers_arrive_with_the_lane_and_without(served, direct):
    room = make.workshop()
    poll = make.launched(room)
    server = served(LIVE_DIRECT=direct, LIVE_LOOK_SECONDS="0.5")
    with wall(server, room) as screen:
        screen.send(json.dumps({"t": "hello", "seen": {}}))
        until(screen, lambda frame: frame.get("topic") == "tally")
        make.vote(make.participant(room), poll, "yes")
        until(
            screen,
            lambda frame: (
                (frame.get("topic") == "tally" and "<b>1</b>" in frame["html"])
                or "1" in frame.get("html", "")
            ),
        )
        screen.send(json.dumps({"t": "ping"}))
        assert until(screen, lambda frame: frame["t"] == "pong")


def test_a_screen_that_stops_reading_holds_up_nobody_and_gets_only_the_newest(served):
    room = make.workshop()
    poll = make.launched(room)
    server = served(LIVE_LOOK_SECONDS="0.2")
    deaf = sockets.create_connection(("127.0.0.1", server.port))
    deaf.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    deaf.sendall(
        f"GET /live/wall/{room.wall_key}/ HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nOrigin: {server.url}\r\nSec-WebSocket-Key: {key}\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert b"101" in deaf.recv(200)
    hello = bytes(json.dumps({"t": "hello", "seen": {}}), "ascii")
    deaf.sendall(bytes((0x81, 0x80 | len(hello), 0, 0, 0, 0)) + hello)
    with wall(server, room) as screen:
        screen.send(json.dumps({"t": "hello", "seen": {}}))
        for number in range(1, 6):
            make.vote(make.participant(room), poll, "yes")
            until(screen, lambda frame, n=number: frame.get("topic") == "tally" and f"{n}" in frame["html"])
        facilitation.close(room.pk, None)
        until(screen, lambda frame: frame.get("topic") == "stage")
    deaf.close()


async def test_a_lane_with_a_backlog_is_left_for_the_slots_and_the_newest_picture(monkeypatch):
    from workshops.live import connections
    from workshops.live.topics import Audience, Topic

    taken, waiting, sent = [], 0, []

    async def send(message):
        sent.append(message.get("text"))

    monkeypatch.setattr(lines, "direct", lambda _send: lines.Lane(taken.append, lambda: waiting))
    connection = connections.Connection(Audience.PHONE)
    writer = asyncio.ensure_future(connection.write(send))
    await asyncio.sleep(0)
    connection.show(Topic.TALLY, Frame(b"1"))
    assert [wire[2:] for wire in taken] == [b"1"]
    waiting = connections.BACKLOG_LIMIT
    for picture in (b"2", b"3", b"4"):
        connection.show(Topic.TALLY, Frame(picture))
    connection.tell(b"own")
    await asyncio.sleep(0.1)
    assert (len(taken), sent) == (1, [])
    waiting = 0
    await asyncio.sleep(0.1)
    assert sent == ["own", "4"]
    connection.show(Topic.TALLY, Frame(b"5"))
    assert [wire[2:] for wire in taken] == [b"1", b"5"]
    writer.cancel()
