"""The raw sender to a socket: the same bytes as the server's own, on both servers, and a way back when it is slow."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
import time

import pytest
import uvicorn
from autobahn.exception import Disconnected
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame as TheirFrame
from websockets.frames import Opcode
from websockets.sync.client import connect

from tests import factories as make
from tests.browser.server import start_server
from tests.patience import PATIENCE, eventually, idle
from workshops.actions import facilitation
from workshops.live.connection import Connection, hand_out
from workshops.live.raw import send as raw_send
from workshops.live.raw.send import Frame
from workshops.signals.topics import Audience, Topic

pytestmark = pytest.mark.once  # sockets and bytes: the same whatever database stands behind

SERVERS = ("daphne", "uvicorn")


@given(st.text(max_size=200) | st.sampled_from([125, 126, 65_535, 65_536]).map(lambda length: "x" * length))
def test_a_frame_is_what_the_websocket_library_would_have_built(text):
    payload = text.encode()
    assert Frame(payload).wire == TheirFrame(Opcode.TEXT, payload).serialize(mask=False)


def test_a_server_that_we_do_not_know_gets_no_raw_sender():
    async def send(message):
        return None

    assert raw_send.find_sender(send, lambda: None) is None


@pytest.mark.parametrize(("error", "lines_logged"), [(Disconnected(), 0), (OSError(), 0), (ValueError(), 1)])
async def test_a_screen_that_leaves_while_it_is_written_to_is_no_error(error, lines_logged, caplog):
    async def send(message):
        raise error

    screen = Connection(Audience.CONSOLE)
    screen.send(b"{}")
    with pytest.raises(type(error)):
        await asyncio.wait_for(screen.write(send), PATIENCE)
    assert screen.closing == 1011
    assert len(caplog.records) == lines_logged


@pytest.fixture(params=SERVERS)
def served(request, transactional_db, tmp_path):
    """A workshop with an open question, before a real server of either kind, with and without it."""
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


def until(socket, test, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while True:
        frame = json.loads(socket.recv(timeout=max(0.1, end - time.monotonic())))
        if test(frame):
            return frame


@pytest.mark.parametrize("direct", ["true", "false"])
def test_pictures_and_answers_arrive_with_the_lane_and_without(served, direct):
    room = make.workshop()
    poll = make.launched(room)
    server = served(LIVE_RAW_SOCKETS=direct, LIVE_POLL_SECONDS="0.5")
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
    server = served(LIVE_POLL_SECONDS="0.2")
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


def test_frames_are_tried_before_they_are_sent_and_nothing_is_direct_where_they_are_not_sound(monkeypatch):
    assert raw_send.are_frames_sound()
    monkeypatch.setattr(raw_send, "_reads_back", lambda payload: len(payload) < 65_536)
    raw_send.are_frames_sound.cache_clear()
    try:
        assert not raw_send.are_frames_sound()
        assert raw_send.find_sender(print, print) is None
    finally:
        raw_send.are_frames_sound.cache_clear()


async def test_a_full_lane_is_left_for_the_slots_and_the_newest_picture(monkeypatch):
    connection, lane = Connection(Audience.PHONE), FakeLane()
    sent = await lane.written_by(connection, monkeypatch)
    connection.set_fragment(Topic.TALLY, Frame(b"1"))
    lane.fill()
    for picture in (b"2", b"3", b"4"):
        connection.set_fragment(Topic.TALLY, Frame(picture))
    connection.send(b"own")
    await idle()
    assert (lane.words, sent) == ([b"1"], [])
    lane.full = False
    await eventually(lambda: sent == ["own", "4"])
    connection.set_fragment(Topic.TALLY, Frame(b"5"))
    assert lane.words == [b"1", b"5"]


async def test_a_lane_that_the_servers_own_way_has_filled_is_not_pushed_into(monkeypatch):
    connection, lane = Connection(Audience.PHONE), FakeLane()
    sent = await lane.written_by(connection, monkeypatch)
    lane.fill()
    connection.set_fragment(Topic.TALLY, Frame(b"1"))
    await idle()
    assert sent == []
    lane.full, lane.fills = False, True  # the picture that leaves now is one too many
    await eventually(lambda: (sent, lane.full) == (["1"], True))
    for picture in (b"2", b"3"):
        connection.set_fragment(Topic.TALLY, Frame(picture))
    await idle()
    assert (lane.words, sent) == ([], ["1"])
    lane.full = lane.fills = False
    await eventually(lambda: sent == ["1", "3"])


async def test_a_socket_that_breaks_off_under_a_picture_costs_the_others_nothing(monkeypatch):
    broken, well = Connection(Audience.PHONE), Connection(Audience.PHONE)
    lost, lane = FakeLane(OSError()), FakeLane()
    await lost.written_by(broken, monkeypatch)
    await lane.written_by(well, monkeypatch)
    for picture in (b"1", b"2"):
        await hand_out([broken, well], Topic.TALLY, Frame(picture))
    broken.send(b"own")
    assert lane.words == [b"1", b"2"]
    assert not broken.closing  # its session ends with its socket


async def test_a_lane_that_is_not_what_it_was_taken_for_is_left_for_the_servers_own_way(monkeypatch):
    connection, lane = Connection(Audience.PHONE), FakeLane(AttributeError("another version"))
    sent = await lane.written_by(connection, monkeypatch)
    connection.send(b"own")
    await eventually(lambda: sent == ["own"])
    await hand_out([connection], Topic.TALLY, Frame(b"1"))
    await eventually(lambda: sent == ["own", "1"])
    assert not connection.closing


async def test_uvicorn_says_when_a_socket_takes_no_more_and_when_it_has_room_again():
    said, told = [], asyncio.Event()

    async def app(scope, receive, send):
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        lane = raw_send.find_sender(send, lambda: said.append("full"))
        while not lane.is_full():  # more than the kernel keeps for somebody who does not read
            lane.push(Frame(b"x" * 60_000).wire)
        said.append("waits")
        told.set()
        await eventually(lambda: not lane.is_full())
        said.append("room")
        await send({"type": "websocket.close"})

    config = uvicorn.Config(
        app, port=0, ws="websockets-sansio", ws_per_message_deflate=False, lifespan="off", log_level="error"
    )
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve())
    await eventually(lambda: server.started)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.servers[0].sockets[0].getsockname()[1])
    writer.write(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    async with asyncio.timeout(PATIENCE):
        await told.wait()
        while "room" not in said:
            await reader.read(1 << 20)
    assert said == ["full", "waits", "room"]
    writer.close()
    server.should_exit = True
    await serving


class FakeLane:
    """What has been pushed; can be full, and can raise `error` as a socket does that is gone."""

    def __init__(self, error: Exception | None = None) -> None:
        self.wires, self.full, self.error = [], False, error
        self.fills = False  # what goes through the server fills it

    async def written_by(self, connection, monkeypatch):
        """Let a connection write over this lane; what goes through the server instead."""
        sent = []

        async def send(message):
            sent.append(message.get("text"))
            if self.fills:
                self.fill()

        monkeypatch.setattr(raw_send, "find_sender", self._found)
        self.writer = asyncio.ensure_future(connection.write(send))
        await asyncio.sleep(0)
        return sent

    def _found(self, _send, when_full):
        self.when_full = when_full
        return raw_send.RawSender(self.push, lambda: self.full)

    def push(self, wire):
        if self.error:
            raise self.error
        self.wires.append(wire)

    def fill(self):
        self.full = True
        self.when_full()

    @property
    def words(self):
        return [wire[2:] for wire in self.wires]
