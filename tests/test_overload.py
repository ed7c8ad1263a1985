"""More than a server can take at once: people who are in stay quick, who comes waits, who floods is slowed alone."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import html
import json
import os
import re
import socket as sockets
import threading
import time
import tracemalloc
import urllib.parse
from collections import Counter
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.test import AsyncClient, RequestFactory
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from polls.models import Ballot
from workshops import guesses, waiting
from workshops.actions import facilitation, participation
from workshops.live import allowance, pages, socket, turnstile
from workshops.live import hub as hubs
from workshops.models import Participant, Role
from workshops.seats import Seat

from . import factories
from .browser.server import start_server
from .test_socket import _end_engine, _quiet_engine, asked, observer, path, room, seat, vote
from .wire import cookie_of, phone_on

__all__ = ["_quiet_engine", "asked", "room"]

TOKEN = "t" * 32


@pytest.fixture(autouse=True)
def _fresh_counts():
    """Buckets and failures of one test must not meet the next."""
    yield
    allowance._kept.clear()
    guesses._sources.clear()


class Clock:
    """A clock that goes when the test says so."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def time(self):
        return 1_700_000_000 + self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(allowance, "time", made)
    monkeypatch.setattr(guesses, "time", made)
    return made


class Answer:
    """A response over the real ASGI application."""

    def __init__(self, start, body):
        self.status = start["status"]
        self.headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        self.text = body.decode()


async def ask(address, *, method="GET", cookie="", data=None, frame=None, peer="192.0.2.1", token=TOKEN):
    """One request through the project's own ASGI application; a POST carries its form token."""
    from config.asgi import application

    body, kind = b"", b"application/x-www-form-urlencoded"
    if method == "POST":
        cookie = f"csrf={TOKEN}; {cookie}"
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **(data or {})}, doseq=True).encode()
    if frame is not None:
        body, kind = json.dumps(frame).encode(), b"application/json"
    plain, _, query = address.partition("?")
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "root_path": "",
        "path": urllib.parse.unquote(plain), "raw_path": plain.encode(), "query_string": query.encode(),
        "server": ("localhost", 8000), "client": (peer, 5000),
        "headers": [
            (b"host", b"localhost:8000"), (b"cookie", cookie.encode()), (b"content-type", kind),
            (b"origin", b"http://localhost:8000"), (b"x-csrftoken", token.encode()),
            (b"content-length", str(len(body)).encode()),
        ],
    }  # fmt: skip
    if method == "GET":
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
    wire = ApplicationCommunicator(application, scope)
    await wire.send_input({"type": "http.request", "body": body})
    start = await wire.receive_output(timeout=20)
    answer = Answer(start, (await wire.receive_output(timeout=20))["body"])
    await wire.wait(timeout=20)
    return answer


async def post(address, data=None, **options):
    return await ask(address, method="POST", data=data, **options)


@pytest.fixture
async def running(asked):
    """A workshop with an open question, behind the real application; its engine ends with the test."""
    yield asked
    await _end_engine()


def consent_url(workshop):
    return f"/w/{workshop.code}/consent/"


def hidden(text):
    """What a waiting page would send again."""
    return [
        (html.unescape(name), html.unescape(value))
        for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text)
    ]


def is_strict(policy):
    return "default-src 'none'" in policy and "unsafe" not in policy


# --- the turnstile ------------------------------------------------------------------------------------------


class Crowd:
    """People who go through a turnstile and stay until `let_go`."""

    def __init__(self, gate):
        self.gate, self.inside, self.most, self.sent_away = gate, 0, 0, []
        self.go = asyncio.Event()

    async def person(self, share=1.0):
        try:
            async with self.gate.place(share):
                self.inside += 1
                self.most = max(self.most, self.inside)
                await self.go.wait()
                self.inside -= 1
        except turnstile.Full as full:
            self.sent_away.append(full.seconds)

    async def come(self, people, share=1.0):
        tasks = [asyncio.ensure_future(self.person(share)) for _ in range(people)]
        for _ in range(5):
            await asyncio.sleep(0)
        return tasks


async def test_so_many_are_inside_so_many_wait_and_the_rest_is_sent_away():
    crowd = Crowd(turnstile.Turnstile(places=2, queue=3, patience=30))
    tasks = await crowd.come(10)
    assert (crowd.inside, crowd.gate.waiting, len(crowd.sent_away)) == (2, 3, 5)
    crowd.go.set()
    await asyncio.gather(*tasks)
    assert (crowd.most, crowd.inside, crowd.gate.waiting) == (2, 0, 0)


async def test_a_first_look_leaves_the_end_of_the_queue_to_forms():
    crowd = Crowd(turnstile.Turnstile(places=1, queue=4, patience=30))
    looks = await crowd.come(10, share=0.5)
    forms = await crowd.come(2)
    assert (crowd.gate.waiting, len(crowd.sent_away)) == (4, 7)
    crowd.go.set()
    await asyncio.gather(*looks, *forms)


async def test_nobody_waits_longer_than_patience():
    crowd = Crowd(turnstile.Turnstile(places=1, queue=9, patience=0.05))
    tasks = await crowd.come(4)
    await asyncio.wait(tasks[1:])
    assert len(crowd.sent_away) == 3
    crowd.go.set()
    await asyncio.gather(*tasks)


async def test_appointments_lie_one_after_another_and_none_is_far_away():
    gate = turnstile.Turnstile(places=1, queue=0, patience=1)
    crowd = Crowd(gate)
    tasks = await crowd.come(5000)
    pace = 1 / 0.05 * turnstile.HURRY  # what is given away of what it believes it can do
    assert min(crowd.sent_away) >= turnstile.SOON
    assert max(crowd.sent_away) <= turnstile.LATE * 1.2
    early = [seconds for seconds in crowd.sent_away if seconds < 20]
    assert 100 <= len(early) <= 20 * pace  # not all of them in the first seconds
    crowd.go.set()
    await asyncio.gather(*tasks)


# --- joins (F24) ----------------------------------------------------------------------------------------------


@pytest.fixture
def held(monkeypatch):
    """Every join stays in its thread until the test lets go; one at a time, and nobody may wait."""
    monkeypatch.setattr(settings, "PAGES_WAITING", 0)
    going = threading.Event()
    inside = threading.Semaphore(0)
    joining = participation.joining

    def slow(*args, **kwargs):
        inside.release()
        assert going.wait(20)
        return joining(*args, **kwargs)

    monkeypatch.setattr(participation, "joining", slow)
    yield inside, going
    going.set()


async def fill(held, workshop):
    """As many joins in work as there are places; their tasks."""
    inside, _going = held
    form = {"consent": ["read", "pooled"]}
    joins = [
        asyncio.ensure_future(post(consent_url(workshop), form | {"once": f"o{number}"}))
        for number in range(settings.PAGES_AT_ONCE // pages.NEWCOMERS_PART)
    ]
    for _ in joins:
        assert await asyncio.to_thread(inside.acquire, timeout=20)
    return joins


@pytest.mark.fault("F24")
async def test_a_join_too_many_waits_on_a_page_that_keeps_every_tick_and_is_one_person(running, held):
    workshop, _poll, _who = running
    joins = await fill(held, workshop)
    form = {"consent": ["read", "pooled", "quotes"], "once": "mine"}
    refused = await post(consent_url(workshop), form)
    assert (refused.status, is_strict(refused.headers["content-security-policy"])) == (503, True)
    assert 2 <= int(refused.headers["retry-after"]) <= 72
    kept = hidden(refused.text)
    assert kept == [
        ("csrfmiddlewaretoken", TOKEN), ("consent", "read"), ("consent", "pooled"), ("consent", "quotes"),
        ("once", "mine"),
    ]  # fmt: skip
    held[1].set()
    assert {answer.status for answer in await asyncio.gather(*joins)} == {302}
    again = {name: [value for key, value in kept if key == name] for name, _value in kept}
    for _ in range(2):
        assert (await post(consent_url(workshop), again)).status == 302
    people = await sync_to_async(Participant.objects.filter(workshop=workshop).count)()
    assert people == 1 + len(joins) + 1


@pytest.mark.fault("F24")
async def test_people_who_are_in_vote_and_see_their_page_while_the_door_is_full(running, held):
    workshop, poll, who = running
    joins = await fill(held, workshop)
    assert (await ask(f"/w/{workshop.code}/")).status == 503
    address = f"/w/{workshop.code}/vote/"
    answer = await post(address, frame=vote(poll), cookie=seat(who))
    assert (answer.status, json.loads(answer.text)["t"]) == (200, "ack")
    assert (await ask(f"/w/{workshop.code}/", cookie=seat(who))).status == 200
    form = await post(address, {"poll": poll.pk, "choice": "no"}, cookie=seat(who))
    assert form.status == 302
    held[1].set()
    await asyncio.gather(*joins)


async def test_a_crowd_never_has_more_threads_than_pages_have(running, monkeypatch):
    workshop, _poll, _who = running
    monkeypatch.setattr(settings, "PAGES_WAITING", 20)
    answers = await asyncio.gather(*(ask(f"/w/{workshop.code}/") for _ in range(300)))
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) == {200, 503}
    assert statuses[200] >= 10
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("page")]
    assert 1 <= len(threads) <= settings.PAGES_AT_ONCE


async def test_what_is_never_sent_takes_no_place_and_too_much_is_not_read(running, monkeypatch):
    from config.asgi import application

    workshop, _poll, _who = running
    monkeypatch.setattr(pages, "BODY_SECONDS", 0.05)
    scope = {
        "type": "http", "method": "POST", "path": consent_url(workshop), "query_string": b"", "headers": []
    }  # fmt: skip
    for sent, status in ((b"", 408), (b"x" * (pages.BODY_LIMIT + 1), 413)):
        wire = ApplicationCommunicator(application, scope)
        await wire.send_input({"type": "http.request", "body": sent, "more_body": True})
        assert (await wire.receive_output(timeout=20))["status"] == status


# --- the page that waits --------------------------------------------------------------------------------------


def test_the_waiting_page_escapes_all_that_was_sent(rf):
    evil = {'"><script>': "</form>[[waiting:fields]]", "submit": "x", "consent": ["a", "b"]}
    answer = waiting.page(rf.post("/w/A/?x=[[waiting:fields]]", evil), waiting.FULL, 2.1)
    text = answer.content.decode()
    assert (answer.status_code, answer.headers["Retry-After"], "no-store" in answer.headers["Cache-Control"]) == (
        503, "3", True,
    )  # fmt: skip
    assert "<script>" not in text
    assert text.count("</form>") == 1
    assert hidden(text) == [
        ('"><script>', "</form>[[waiting:fields]]"), ("submit", "x"), ("consent", "a"), ("consent", "b")
    ]  # fmt: skip


def test_a_page_that_was_only_looked_at_is_asked_for_again_with_its_question(rf):
    text = waiting.page(rf.get("/w/A/?change=1"), waiting.GUESSES, 3).content.decode()
    assert '<form method="get" action="/w/A/" data-again="3">' in text
    assert hidden(text) == [("change", "1")]


# --- one seat (F28) -------------------------------------------------------------------------------------------


def test_who_hangs_up_and_comes_back_finds_the_bucket_as_it_was(clock):
    for _ in range(int(allowance.AT_ONCE)):
        assert allowance.of("a").take()
    assert not allowance.of("a").take()
    assert allowance.of("b").take()
    clock.now += 1
    assert sum(allowance.of("a").take() for _ in range(100)) == allowance.PER_SECOND


def test_a_bucket_that_a_socket_holds_stays_the_only_one_of_its_seat(clock, monkeypatch):
    monkeypatch.setattr(allowance, "KEPT", 1)
    held = allowance.of("a")
    allowance.of("b"), allowance.of("c")  # full ones are forgotten to make room
    assert allowance.of("a") is held


def test_a_rest_is_forgiven(clock):
    for _ in range(2000):
        allowance.of("a").take()
    assert allowance.of("a").is_exhausted
    clock.now += allowance.AT_ONCE / allowance.PER_SECOND
    assert allowance.of("a").take()
    assert not allowance.of("a").is_exhausted


def test_full_buckets_are_forgotten(clock, monkeypatch):
    monkeypatch.setattr(allowance, "KEPT", 10)
    for number in range(10):
        allowance.of(f"early{number}").take()
    clock.now += 10
    for number in range(3):
        allowance.of(f"late{number}").take()
    assert sorted(allowance._kept) == ["late0", "late1", "late2"]


@pytest.mark.fault("F28")
@pytest.mark.parametrize("kind", ["voter", "observer"])
async def test_a_flood_over_two_sockets_of_one_seat_is_one_flood_and_harms_nobody_else(asked, room, kind):
    workshop, poll, who = asked
    other = await sync_to_async(factories.participant)(workshop)
    cookie = seat(who) if kind == "voter" else observer(workshop)
    first, second = [await room(path(workshop), cookie=cookie) for _ in range(2)]
    calm = await room(path(workshop), cookie=seat(other))
    looking_on = await room(path(workshop), cookie=observer(workshop))
    for _ in range(1000):
        await first.say("{}")
        await second.say("{}")
    assert (await first.ended(), await second.ended()) == (4429, 4429)
    assert await (await room(path(workshop), cookie=cookie)).ended() == 4429
    await calm.say(vote(poll))
    assert (await calm.until("ack", "nack"))["t"] == "ack"
    await looking_on.say('{"t":"ping"}')
    assert (await looking_on.until("pong", "nack"))["t"] == "pong"


@pytest.mark.fault("F28")
async def test_a_facilitators_screens_share_one_bucket_and_a_wall_has_one_of_its_own(asked, room):
    workshop, _poll, _who = asked

    def cookie(role):
        client = factories.signed_in(factories.staff(workshop.programme, role))
        return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"

    console = f"/live/console/{workshop.code}/"
    own, others = [await sync_to_async(cookie)(role) for role in (Role.OWNER, Role.FACILITATOR)]
    first, second = [await room(console, cookie=own) for _ in range(2)]
    calm = await room(console, cookie=others)
    walls = [await room(f"/live/wall/{workshop.wall_key}/") for _ in range(2)]
    for _ in range(1000):
        for one in (first, second, walls[0]):
            await one.say("{}")
    assert [await one.ended() for one in (first, second, walls[0])] == [4429] * 3
    for one in (calm, walls[1]):
        await one.say('{"t":"ping"}')
        assert (await one.until("pong", "nack"))["t"] == "pong"


async def test_posts_and_frames_of_one_seat_come_out_of_one_bucket(running):
    workshop, poll, who = running
    other = await sync_to_async(factories.participant)(workshop)
    address = f"/w/{workshop.code}/vote/"
    answers = [
        await post(address, frame=vote(poll, op=f"o{n}", seq=n), cookie=seat(who)) for n in range(1, 200)
    ]
    refused = next(answer for answer in answers if answer.status != 200)
    nack = json.loads(refused.text)
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")
    assert (nack["code"], nack["poll"], nack["retry_after"]) == ("rate", poll.pk, 1.0)
    form = await post(address, {"poll": poll.pk, "choice": "no"}, cookie=seat(who))
    assert (form.status, ("choice", "no") in hidden(form.text)) == (429, True)
    assert (await post(address, frame=vote(poll), cookie=seat(other))).status == 200
    assert (await ask(f"/w/{workshop.code}/", cookie=seat(other))).status == 200


# --- handshakes (F25, F27) ------------------------------------------------------------------------------------


@pytest.mark.fault("F25")
async def test_a_crowd_that_comes_back_reads_a_few_at_a_time(asked, room, monkeypatch):
    workshop, _poll, _who = asked
    people = await sync_to_async(lambda: [factories.participant(workshop) for _ in range(40)])()
    reading, most = 0, 0
    read = hubs.read

    async def counted(work, *args):
        nonlocal reading, most
        if not any(isinstance(arg, Seat) for arg in args):  # the hub's own
            return await read(work, *args)
        reading += 1
        most = max(most, reading)
        try:
            return await read(work, *args)
        finally:
            reading -= 1

    phones = [await room(path(workshop), cookie=seat(who)) for who in people]
    monkeypatch.setattr(hubs, "read", counted)
    for phone in phones:
        await phone.say({"t": "hello"})
    for phone in phones:
        await phone.until("mine")
    assert 1 <= most <= socket.AT_THE_DOOR


async def test_who_never_says_hello_is_ended(asked, room, monkeypatch):
    workshop, _poll, who = asked
    monkeypatch.setattr(settings, "SILENT_SECONDS", 0.1)
    assert await (await room(path(workshop), cookie=seat(who))).ended() == 4408


async def test_who_has_spoken_may_be_silent_for_longer(asked, room, monkeypatch):
    workshop, _poll, who = asked
    phone = await room(path(workshop), cookie=seat(who))
    monkeypatch.setattr(settings, "SILENT_SECONDS", 0.05)
    await phone.say({"t": "ping"})
    await phone.until("pong")
    assert await phone.wire.receive_nothing(timeout=0.3)


async def test_without_a_seat_no_code_is_looked_up(asked, room):
    workshop, _poll, _who = asked
    for code in (workshop.code, "AAAAAA"):
        assert await (await room(f"/live/phone/{code}/")).ended() == 4401
    assert socket._known == {}


# --- over a real network connection -----------------------------------------------------------------------------


@pytest.fixture
def serve(transactional_db, tmp_path):
    """Start servers; all end with the test, and none may have logged an error."""
    servers = []

    def start(**options):
        servers.append(start_server(tmp_path, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
    assert [server.errors for server in servers if server.errors] == []


@pytest.fixture
def opened():
    """What a test opens by hundreds; closed with it."""
    with contextlib.ExitStack() as stack:
        yield stack


def memory(server):
    """MiB that a server process holds."""
    pages = Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def code_of(wire):
    """The code that the other side closes with, after whatever it still says; 0 where the line just broke."""
    try:
        while True:
            wire.recv(timeout=30)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 0


def is_ended(connection, by):
    """Whether the other side has closed it by then, whatever it still said."""
    with contextlib.suppress(ConnectionResetError):
        while True:
            connection.settimeout(max(0.01, by - time.monotonic()))
            try:
                if not connection.recv(4096):
                    return True
            except TimeoutError:
                return False
    return True


@pytest.mark.fault("F27")
@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_500_silent_connections_are_ended_and_a_phone_comes_in_beside_them(serve, server, opened):
    """They connect and say nothing, or half a handshake; a socket that never says hello is ended as well."""
    workshop = factories.workshop()
    poll, who = factories.launched(workshop), factories.participant(workshop)
    site = serve(server=server, SILENT_SECONDS="2")
    silent = [opened.enter_context(sockets.create_connection(("127.0.0.1", site.port))) for _ in range(500)]
    for one in silent[::2]:
        one.sendall(f"GET /live/phone/{workshop.code}/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: webs".encode())
    address, cookie = f"{site.socket_url}/live/phone/{workshop.code}/", {"Cookie": cookie_of(who)}
    with connect(address, origin=site.url, additional_headers=cookie) as speechless:
        with phone_on(site, workshop, who) as phone:
            assert phone.vote(poll)["t"] == "ack"
        end = time.monotonic() + 60
        assert [number for number, one in enumerate(silent) if not is_ended(one, end)] == []
        assert code_of(speechless) == 4408


# --- hostile frames (F26) ---------------------------------------------------------------------------------------

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)
BIG = 10**400
NUMBERS = ["NaN", "Infinity", "-Infinity", "-0", "1e999", "1.0", str(BIG), str(-BIG)]


def vote_text(value="1", poll="1"):
    """The text of a vote in which any two words can stand, also those that no JSON writer would write."""
    return f'{{"t":"vote","op":"a","poll":{poll},"seq":1,"value":{value}}}'


HOSTILE = (
    st.builds(json.dumps, values)
    | st.builds(lambda depth: "[" * depth, st.integers(1, 9000))
    | st.builds(lambda depth: vote_text("[" * depth + "]" * depth), st.integers(1, 4000))
    | st.builds(lambda value: vote_text(json.dumps(value)), values)
    | st.builds(lambda word: vote_text(poll=word), st.sampled_from([*NUMBERS, "true", '"1"', "null"]))
    | st.builds(vote_text, st.sampled_from([*NUMBERS, r'"\ud800"', r'"\u0000"']))
    | st.sampled_from([
        '{"t":"vote","t":"ping"}', '{"t":"ping","t":"vote"}', '{"t":"vote","poll":1,"poll":2,"op":"a","seq":1}',
        '{"t":"hello","seen":{"a":1}}', '{"t":"launch","item":1}', '{"t":"ping","more":1}', "", "\x00", "\ufeff{}",
    ])
    | st.text(max_size=200)
    | st.builds(lambda size: "x" * size, st.integers(8100, 8300))
    | st.binary(max_size=300)
    | st.builds(lambda size: b"x" * size, st.integers(8100, 8300))
)  # fmt: skip


class FrameDoor:
    """The real session of a phone, without a server around it: what it says goes to a list."""

    def __init__(self):
        self.said, self.ran = [], []
        self.session = socket._Session.__new__(socket._Session)
        self.session.connection = self
        self.session.seat = None
        self.session._allowance = Generous()
        self.session._tasks = set()
        self.session._listening, self.session._has_spoken = None, False
        self.session._heard_at = time.monotonic()
        self.closed = 0

    @property
    def closing(self):
        return bool(self.closed)

    def tell(self, payload):
        self.said.append(json.loads(payload))

    def close(self, code):
        self.closed = code

    async def take(self, frame):
        kind = "bytes" if isinstance(frame, bytes) else "text"
        self.session._answer = lambda decoded: self.ran.append(decoded)
        messages = iter([{"type": "websocket.receive", kind: frame}, {"type": "websocket.disconnect"}])

        async def receive():
            return next(messages)

        await self.session._listen(receive)


class Generous(allowance.Allowance):
    def take(self, cost=1.0):
        return True


@pytest.mark.fault("F26")
@hypothesis_settings(max_examples=1500, suppress_health_check=list(HealthCheck))
@given(frame=HOSTILE)
def test_a_hostile_frame_is_refused_in_words_ends_the_socket_or_has_the_shape_of_a_command(frame):
    door = FrameDoor()
    asyncio.run(door.take(frame))
    size = len(frame) if isinstance(frame, bytes) else len(frame.encode(errors="replace"))
    if size > socket.FRAME_LIMIT:
        assert (door.closed, door.said, door.ran) == (1009, [], [])
    elif door.ran:
        assert isinstance(
            door.ran[0], (socket.Hello, socket.Ping, socket.commands.Vote, socket.commands.Shown)
        )
    else:
        assert ([answer["code"] for answer in door.said], door.closed) == (["invalid"], 0)


@pytest.mark.fault("F26")
async def test_hostile_frames_leave_nothing_in_memory():
    frames = [
        "[" * 8000,
        "NaN",
        "\x00",
        b"\xff" * 300,
        '{"t":"vote","t":"vote"}',
        vote_text(str(BIG)),
    ]

    async def storm(rounds):
        for _ in range(rounds):
            door = FrameDoor()
            for frame in frames:
                await door.take(frame)
            await asyncio.sleep(0)  # the loop forgets what was timed

    await storm(50)
    gc.collect()
    tracemalloc.start()
    await storm(100)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    await storm(1500)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 64 * 1024


@pytest.mark.fault("F26")
@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_real_server_outlives_hostile_frames(serve, server):
    workshop = factories.workshop()
    poll, who = factories.launched(workshop), factories.participant(workshop)
    enemies = [factories.participant(workshop) for _ in range(200)]  # one alone would be slowed soon
    site = serve(server=server)
    words = [
        "[" * 8000, vote_text(poll=str(BIG)), "NaN", '{"t":"ping","t":"vote"}', b"\xff\xfe",
        vote_text(r'"\ud800"'), "\x00",
    ]  # fmt: skip
    raw = bytes((0x81, 0x84)) + b"\0\0\0\0" + b"\xff\xfe\xfd\xfc"  # a text frame that is not UTF-8
    address = f"{site.socket_url}/live/phone/{workshop.code}/"

    def storm(people):
        """Each says forty-nine frames that cannot be read, and one that ends the socket; what they heard."""
        heard = Counter()
        for number, enemy in enumerate(people):
            cookie = {"Cookie": cookie_of(enemy)}
            with connect(address, origin=site.url, additional_headers=cookie) as wire:
                for frame in range(49):
                    wire.send(words[frame % len(words)])
                for _ in range(49):
                    heard[json.loads(wire.recv(timeout=30)).get("code")] += 1
                if number % 3:
                    wire.send(["x" * 9000, b"x" * 200_000][number % 3 - 1])
                else:
                    wire.socket.sendall(raw)
                heard[code_of(wire)] += 1
        return heard

    heard = storm(enemies[:100])
    before = memory(site)
    heard += storm(enemies[100:])
    assert heard.pop("invalid") == 200 * 49
    # What is not read to its end, or no text, may cost the goodbye: then the line just breaks.
    assert sum(heard.values()) == 200  # ten thousand in all
    assert {1009} <= set(heard) <= {1009, 1007, 0}
    assert memory(site) - before < 10
    with phone_on(site, workshop, who) as phone:
        assert phone.vote(poll)["t"] == "ack"


# --- codes (F29) ------------------------------------------------------------------------------------------------


def test_a_source_has_no_address_in_it_and_is_another_one_tomorrow(rf, clock):
    ask_from = lambda address: guesses.source_of(rf.get("/", REMOTE_ADDR=address))  # noqa: E731
    today = ask_from("192.0.2.1")
    assert "192" not in today
    assert re.fullmatch(r"[0-9a-f]{24}", today)
    assert (ask_from("192.0.2.1"), ask_from("192.0.2.2") == today) == (today, False)
    assert ask_from("2001:db8::1") == ask_from("2001:db8::ffff")
    assert ask_from("2001:db8::1") != ask_from("2001:db8:0:1::1")
    clock.now += 86400
    assert ask_from("192.0.2.1") != today


def test_failures_slow_a_source_and_then_hold_it_and_time_forgives(clock):
    limit = settings.CODE_FAILURES_LIMIT
    delays = []
    for _ in range(limit):
        delays.append(guesses.delay("here"))
        guesses.was_wrong("here")
    assert delays == [0.0] * (limit // 10) + [guesses.SLOW_SECONDS] * (limit - limit // 10)
    assert guesses.delay("here") == guesses.BLOCK_SECONDS
    assert guesses.delay("there") == 0.0
    with contextlib.ExitStack() as inside:
        looks = [inside.enter_context(guesses.looking("here")) for _ in range(guesses.INSIDE_LIMIT + 5)]
    assert looks == [True] * guesses.INSIDE_LIMIT + [False] * 5
    with guesses.looking("here") as may_look:
        assert may_look
    clock.now += guesses.WINDOW + 1
    assert guesses.delay("here") == 0.0


def test_failures_of_all_processes_count_together(clock):
    for _ in range(settings.CODE_FAILURES_LIMIT):
        guesses.was_wrong("here")
    guesses._sources.clear()  # another process, which has not seen any of it
    assert guesses.delay("here") == 0.0
    guesses.was_wrong("here")
    assert guesses.delay("here") == guesses.BLOCK_SECONDS


def test_sources_that_a_process_remembers_are_bounded(monkeypatch):
    monkeypatch.setattr(guesses, "KEPT", 100)
    for number in range(1000):
        guesses.was_wrong(f"s{number}")
    assert len(guesses._sources) <= 100


@pytest.fixture
def blocked(monkeypatch):
    """A source that has failed too often; an answer to a wrong code takes a second instead of ten."""
    monkeypatch.setattr(guesses, "BLOCK_SECONDS", 1.0)
    monkeypatch.setattr(settings, "CODE_FAILURES_LIMIT", 20)


@pytest.mark.fault("F29")
async def test_one_device_guesses_and_the_nursery_behind_the_same_address_gets_in(running, blocked):
    workshop, _poll, _who = running
    for _ in range(20):
        await in_the_cache("192.0.2.1")
    guessing = [asyncio.ensure_future(ask("/w/AAAAAA/")) for _ in range(6)]  # as many as a browser has
    since = time.monotonic()
    for _ in range(5):
        assert (await ask(f"/w/{workshop.code}/")).status == 200
        assert (await post("/", {"code": workshop.code})).status == 302
    quick = time.monotonic() - since
    answers = await asyncio.gather(*guessing)
    assert {answer.status for answer in answers} == {404}
    assert time.monotonic() - since >= 1.0
    assert quick < 5.0


async def in_the_cache(peer):
    """A failure of this address, as another request would have left it."""
    request = RequestFactory().get("/", REMOTE_ADDR=peer)
    await sync_to_async(guesses.was_wrong)(guesses.source_of(request))


@pytest.mark.fault("F29")
def test_of_ten_thousand_codes_tried_at_once_a_few_hundred_are_looked_at(clock):
    with contextlib.ExitStack() as in_work:
        looked = 0
        for _ in range(10_000):
            if in_work.enter_context(guesses.looking("here")):
                looked += 1
                guesses.was_wrong("here")
        assert looked == settings.CODE_FAILURES_LIMIT + guesses.INSIDE_LIMIT
        assert in_work.enter_context(guesses.looking("there"))


@pytest.mark.fault("F29")
async def test_a_storm_of_guesses_is_told_to_wait_whatever_the_codes(running, blocked):
    workshop, _poll, _who = running
    for _ in range(20):
        await in_the_cache("192.0.2.1")
    storm = [asyncio.ensure_future(ask("/w/AAAAAA/")) for _ in range(200)]
    answers = await asyncio.gather(*storm)
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) == {404, 429}
    assert statuses[404] <= guesses.INSIDE_LIMIT
    refused = next(answer for answer in answers if answer.status == 429)
    assert int(refused.headers["retry-after"]) >= 3
    assert (await ask(f"/w/{workshop.code}/", peer="192.0.2.77")).status == 200


@pytest.mark.fault("F29")
async def test_an_unknown_code_and_one_that_is_over_get_the_same_answer(running):
    workshop, _poll, _who = running
    await sync_to_async(facilitation.end)(workshop.pk, None)
    unknown = "AAAAAA"
    for make in (
        lambda code: ask(f"/w/{code}/"),
        lambda code: ask(f"/w/{code}/consent/"),
        lambda code: post("/", {"code": code}),
    ):
        one, other = await make(workshop.code), await make(unknown)
        assert (one.status, other.status) == (404, 404)
        assert bare(one.text, workshop.code) == bare(other.text, unknown)
    vote_on = lambda code: post(f"/w/{code}/vote/", frame={"t": "shown", "poll": 1})  # noqa: E731
    answers = [await vote_on(code) for code in (workshop.code, unknown)]
    assert {(answer.status, answer.text) for answer in answers} == {(401, answers[0].text)}


def bare(text, code):
    """A page without what differs by itself: the code that was asked for, the form's token."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", text)
    return text.replace(f"{code[:3]} {code[3:]}", "…").replace(code, "…")


# --- the short way (trust and speed) -------------------------------------------------------------------------------


async def test_pages_of_phones_are_as_well_protected_as_all_others(running):
    workshop, _poll, who = running
    full = AsyncClient()
    full.cookies[settings.SEAT_COOKIE_NAME] = seat(who).split("=", 1)[1]
    for address in ("/", f"/w/{workshop.code}/", "/w/AAAAAA/", f"/w/{workshop.code}"):
        short = await ask(address, cookie=seat(who))
        long = await full.get(address)
        assert short.status == long.status_code
        names = {"content-security-policy", "x-frame-options", "x-content-type-options", "referrer-policy"}
        names |= {"cross-origin-opener-policy", "cache-control", "location", "content-language"}
        told = {name: re.sub(r"nonce-[^']+", "", short.headers.get(name, "")) for name in names}
        assert told == {name: re.sub(r"nonce-[^']+", "", long.headers.get(name, "")) for name in names}


async def test_a_form_or_frame_without_its_token_is_refused_on_the_short_way(running):
    workshop, poll, who = running
    for token in ("", "x" * 32):
        address = f"/w/{workshop.code}/vote/"
        answer = await post(address, frame=vote(poll), cookie=seat(who), token=token)
        assert answer.status == 403
        assert (await post(consent_url(workshop), {"observe": "yes"}, token=token)).status == 403
    assert await sync_to_async(Ballot.objects.filter(poll=poll, status="cast").count)() == 0
