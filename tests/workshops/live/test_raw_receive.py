"""What screens say, straight from the socket: the same words in the same order as the servers read them by themselves."""

from __future__ import annotations

import json
import random
import socket as sockets
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from polls.models import Ballot
from tests import factories as make
from tests.browser.server import start_server
from tests.patience import PATIENCE
from tests.socket_screens import cookie_of
from workshops.live.raw import receive
from workshops.live.raw.receive import LIMIT, ends_whole, whole_text

words = st.builds(
    Frame, st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.CONT]), st.binary(max_size=300), st.booleans()
)
control = st.builds(Frame, st.sampled_from([Opcode.PING, Opcode.PONG]), st.binary(max_size=125))
frames = words | control

pytestmark = pytest.mark.once  # sockets and bytes: the same whatever database stands behind


def masked(frame: Frame) -> bytes:
    return frame.serialize(mask=True)


@given(st.text(max_size=300) | st.sampled_from([125, 126, 127, LIMIT]).map(lambda length: "x" * length))
def test_a_whole_text_is_read_as_it_was_said(text):
    assert whole_text(masked(Frame(Opcode.TEXT, text.encode()))) == text


@given(frames)
def test_only_a_final_text_frame_is_heard_directly(frame):
    is_text = frame.opcode is Opcode.TEXT and frame.fin and _is_utf8(frame.data)
    assert (whole_text(masked(frame)) is not None) == is_text


def _is_utf8(data: bytes) -> bool:
    try:
        return data.decode() is not None
    except UnicodeDecodeError:
        return False


@given(st.text(max_size=200), st.data())
def test_a_piece_of_a_frame_and_two_at_once_are_not_heard_directly(text, data):
    wire = masked(Frame(Opcode.TEXT, text.encode()))
    assert whole_text(wire[: data.draw(st.integers(0, len(wire) - 1))]) is None
    assert whole_text(wire + wire) is None


@pytest.mark.parametrize(
    "wire",
    [
        Frame(Opcode.TEXT, b"{}").serialize(mask=False),
        masked(Frame(Opcode.TEXT, b"x" * (LIMIT + 1))),
        masked(Frame(Opcode.TEXT, b"x" * 70_000)),
        b"\xc1" + masked(Frame(Opcode.TEXT, b"x"))[1:],
        bytes((0x81, 0xFF)) + b"x" * 131,
    ],
    ids=["unmasked", "over the limit", "far over it", "compressed", "a length that is none"],
)
def test_what_only_the_server_may_judge_is_left_to_it(wire):
    assert whole_text(wire) is None


@given(st.lists(frames.filter(lambda frame: frame.fin), min_size=1, max_size=4), st.data())
def test_reads_of_whole_frames_leave_nothing_behind_and_others_do(said, data):
    wires = [masked(frame) for frame in said]
    wire, edges = b"".join(wires), {sum(map(len, wires[:n])) for n in range(len(wires) + 1)}
    end = data.draw(st.integers(1, len(wire)))
    assert ends_whole(wire[:end]) == (end in edges)


def test_a_server_that_we_do_not_know_reads_everything_itself():
    async def send(message):
        return None

    assert receive.start(send, print) is None


# --- before real servers ------------------------------------------------------------------------------------


@pytest.fixture(params=["daphne", "uvicorn"])
def served(request, transactional_db, tmp_path):
    servers = []

    def start(**environment):
        servers.append(start_server(tmp_path, server=request.param, **environment))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
    assert [server.errors for server in servers if server.errors] == []


def vote(poll, number: int) -> bytes:
    value = "yes" if number % 2 else "no"
    return json.dumps(
        {"t": "vote", "op": f"op{number}", "poll": poll.pk, "seq": number, "fields": {"choice": [value]}}
    ).encode()


def said_in_every_way(payload: bytes, rng: random.Random) -> bytes:
    """One text as one frame, or as two fragments, a ping of the server's kind before, between or after."""
    cut = rng.randrange(1, len(payload))
    ping = masked(Frame(Opcode.PING, b"p")) if rng.random() < 0.4 else b""
    if rng.random() < 0.7:
        return ping + masked(Frame(Opcode.TEXT, payload))
    begun = masked(Frame(Opcode.TEXT, payload[:cut], fin=False))
    return begun + ping + masked(Frame(Opcode.CONT, payload[cut:]))


@pytest.mark.parametrize("seed", range(3))
def test_however_a_network_cuts_what_is_said_it_is_taken_once_and_in_order(served, seed):
    room = make.workshop()
    poll, who, rng = make.launched(room), make.participant(room), random.Random(seed)
    server = served(LIVE_POLL_SECONDS="30")
    wire = b"".join(said_in_every_way(vote(poll, number), rng) for number in range(1, 31))
    with connect(
        f"{server.socket_url}/live/phone/{room.code}/", origin=server.url, compression=None,
        additional_headers={"Cookie": cookie_of(who)},
    ) as phone:  # fmt: skip
        phone.send('{"t": "hello"}')
        raw, at = phone.socket, 0
        raw.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
        while at < len(wire):
            some = rng.choice([1, 7, 60, 200, 700])
            raw.sendall(wire[at : at + some])
            at += some
            time.sleep(rng.choice([0, 0.002]))
        acked = []
        while len(acked) < 30:
            frame = json.loads(phone.recv(timeout=PATIENCE))
            assert frame["t"] != "nack", frame
            if frame["t"] == "ack":
                acked.append(frame["op"])
    assert acked == [f"op{number}" for number in range(1, 31)]
    (ballot,) = Ballot.objects.filter(poll=poll)
    assert (ballot.revision, ballot.seq, ballot.value) == (30, 30, "no")


@pytest.mark.parametrize("direct", ["true", "false"])
def test_votes_one_after_the_other_are_taken_with_the_lane_and_without(served, direct):
    room = make.workshop()
    poll, who = make.launched(room), make.participant(room)
    server = served(LIVE_RAW_SOCKETS=direct, LIVE_POLL_SECONDS="30")
    with connect(
        f"{server.socket_url}/live/phone/{room.code}/", origin=server.url, compression=None,
        additional_headers={"Cookie": cookie_of(who)},
    ) as phone:  # fmt: skip
        phone.send('{"t": "hello"}')
        for number in range(1, 6):
            phone.send(vote(poll, number).decode())
            while (frame := json.loads(phone.recv(timeout=PATIENCE)))["t"] != "ack":
                pass
            assert frame["op"] == f"op{number}"
        phone.send("{")
        while (frame := json.loads(phone.recv(timeout=PATIENCE)))["t"] != "nack":
            pass
        assert frame["code"] == "invalid"
