"""Words that wait for a check: however many there are, the console's picture stays small and reaches it."""

from __future__ import annotations

import json

import pytest
from websockets.sync.client import connect

from polls.types.base import Question
from tests import factories as make
from tests.browser.server import start_server
from tests.browser.sign_in import session_of
from tests.patience import PATIENCE
from workshops import screens
from workshops.actions import facilitation
from workshops.signals.topics import Audience, Topic

WORDS = Question("words", "In a word?", settings={"max_entries": 3})
TEXTS = Question("open_text", "Your hope?")
LARGEST = 64 * 1024  # bytes out, by the phone's protocol


def fill(room, poll, texts):
    for text in texts:
        make.vote(make.participant(room), poll, text)


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        (WORDS, [[f"word {number}", f"thing {number}"] for number in range(150)]),
        (TEXTS, [f"{number} " + "x" * 990 for number in range(30)]),
    ],
)
def test_a_queue_of_any_length_is_a_small_picture_and_its_words_move_up(db, question, texts):
    room = make.workshop(None, question)
    poll = make.launched(room)
    fill(room, poll, texts)
    scene = screens.Scene.load(room.pk)
    html = screens.draw(scene, Topic.QUEUE, Audience.CONSOLE)
    assert len(html.encode()) < LARGEST
    seen = [text.ref for text in scene.next_texts]
    assert 0 < len(seen) < len(scene.waiting_texts)
    client = make.signed_in(make.staff(room.programme))
    client.post(f"/workshops/{room.code}/do/check_texts/", {"refs": seen, "shown": "true"})
    after = screens.Scene.load(room.pk)
    assert [text.ref for text in after.decided_texts][: len(seen)] == seen
    assert after.next_texts[0].ref == scene.waiting_texts[len(seen)].ref
    facilitation.close(room.pk, None)  # each of those on the wall can be asked about now
    closed = screens.draw(screens.Scene.load(room.pk), Topic.QUEUE, Audience.CONSOLE)
    assert len(closed.encode()) < LARGEST


def test_one_words_own_button_decides_that_word_alone(db):
    room = make.workshop(None, WORDS)
    poll = make.launched(room)
    fill(room, poll, [["calm", "loud"]])
    client = make.signed_in(make.staff(room.programme))
    path = f"/workshops/{room.code}/do/decide/"
    client.post(path, {"as_hidden": make.text(poll, "loud").ref})
    client.post(path, {"as_shown": make.text(poll, "calm").ref})
    assert [make.text(poll, word).state for word in ("calm", "loud")] == ["shown", "hidden"]


def test_a_large_picture_reaches_a_console_through_the_real_server(transactional_db, tmp_path):
    """A server that refuses to send what it would refuse to receive leaves the console standing still."""
    room = make.workshop(None, WORDS)
    poll = make.launched(room)
    fill(room, poll, [[f"a rather long word {number}", f"a thing {number}"] for number in range(60)])
    server = start_server(tmp_path)
    try:
        cookie = session_of(make.staff(room.programme))
        address = f"{server.socket_url}/live/console/{room.code}/"
        with connect(
            address, origin=server.url, additional_headers={"Cookie": cookie}, compression=None
        ) as socket:
            socket.send(json.dumps({"t": "hello", "seen": {}}))
            sizes = {}
            while "queue" not in sizes:
                text = socket.recv(timeout=PATIENCE)
                sizes[json.loads(text).get("topic")] = len(text)
            assert 16 * 1024 < sizes["queue"] < LARGEST
            socket.send(json.dumps({"t": "ping"}))
            while json.loads(socket.recv(timeout=PATIENCE))["t"] != "pong":
                pass
    finally:
        server.stop()
    assert server.errors == ""
