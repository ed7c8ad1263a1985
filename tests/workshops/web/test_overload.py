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
from collections import Counter
from pathlib import Path

import pytest
from allauth.account.views import LoginView
from allauth.core.internal import ratelimit
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.db import OperationalError
from django.test import AsyncClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from polls.models import Ballot
from workshops.actions import facilitation, participation
from workshops.live import engine, rate_limit, socket, writer_priority
from workshops.live import hub as hubs
from workshops.models import Participant, Role
from workshops.people.participant_cookie import ParticipantToken
from workshops.web.admission import (
    code_guess_throttle,
    handler,
    page_threads,
    queue,
    retry_later_page,
    staff_pages,
)
from workshops.web.admission.queue import AdmissionQueue, QueueFull

from ... import factories
from ...browser.server import start_server
from ...socket_screens import cookie_of, phone_on
from ..asgi import (
    ask,
    end_engine,
    is_strict,
    observer,
    path,
    post,
    seat,
    vote,
)

pytestmark = pytest.mark.usefixtures("quiet_engine", "fresh_counts")


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
    monkeypatch.setattr(rate_limit, "time", made)
    return made


@pytest.fixture
async def running(asked):
    """A workshop with an open question, behind the real application; its engine ends with the test."""
    yield asked
    await end_engine()


def consent_url(workshop):
    return f"/w/{workshop.code}/consent/"


def hidden(text):
    """What a waiting page would send again."""
    return [
        (html.unescape(name), html.unescape(value))
        for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text)
    ]


# --- the admission queue ------------------------------------------------------------------------------------


class Crowd:
    """People who take a slot and keep it until `go`."""

    def __init__(self, queue):
        self.queue, self.inside, self.most, self.sent_away = queue, 0, 0, []
        self.go = asyncio.Event()

    async def person(self):
        try:
            async with self.queue.slot():
                self.inside += 1
                self.most = max(self.most, self.inside)
                await self.go.wait()
                self.inside -= 1
        except QueueFull as full:
            self.sent_away.append(full.retry_after)

    async def come(self, people):
        tasks = [asyncio.ensure_future(self.person()) for _ in range(people)]
        for _ in range(20):
            await asyncio.sleep(0)
        return tasks


async def test_so_many_are_in_work_so_many_wait_and_the_rest_is_sent_away():
    crowd = Crowd(AdmissionQueue("full", slots=2, room=3))
    tasks = await crowd.come(10)
    assert (crowd.inside, crowd.queue.waiting, len(crowd.sent_away)) == (2, 3, 5)
    crowd.go.set()
    await asyncio.gather(*tasks)
    assert (crowd.most, crowd.inside, crowd.queue.waiting) == (2, 0, 0)


async def test_nobody_waits_longer_than_patience_and_no_slot_is_lost():
    crowd = Crowd(AdmissionQueue("full", slots=1, room=9, patience=0.05))
    tasks = await crowd.come(4)
    await asyncio.wait(tasks[1:])
    assert len(crowd.sent_away) == 3
    crowd.go.set()
    await asyncio.gather(*tasks, *await crowd.come(1))
    assert len(crowd.sent_away) == 3


async def test_appointments_lie_one_after_another_and_none_is_far_away():
    full = AdmissionQueue("full", slots=1, room=0)
    crowd = Crowd(full)
    tasks = await crowd.come(5000)
    pace = 1 / 0.05 * queue.GIVEN_AWAY  # what is given away of what it believes it can do
    assert min(crowd.sent_away) >= queue.SOONEST
    assert max(crowd.sent_away) <= queue.LATEST * 1.2
    early = [seconds for seconds in crowd.sent_away if seconds < 20]
    assert 100 <= len(early) <= 20 * pace  # not all of them in the first seconds
    crowd.go.set()
    await asyncio.gather(*tasks)


async def test_a_crowd_is_let_in_one_by_one_between_batches_and_people_on_their_way_go_first():
    turns, order = writer_priority.Turns(), []

    async def person(name, first):
        await turns.take(first=first)
        order.append(name)

    with writer_priority.writing():
        coming = [asyncio.ensure_future(person(f"new {n}", False)) for n in range(2)]
        coming += [asyncio.ensure_future(person(f"seated {n}", True)) for n in range(2)]
        await asyncio.sleep(0.01)
        assert order == [], "votes are being written"
    await asyncio.gather(*coming)
    assert order == ["seated 0", "seated 1", "new 0", "new 1"]


async def test_a_database_that_does_not_answer_keeps_nobody_out_for_good():
    turns = writer_priority.Turns()
    with writer_priority.writing():
        await turns.take()


# --- joins (F24) ----------------------------------------------------------------------------------------------


@pytest.fixture
def held(monkeypatch):
    """Every join stays in its slot until the test lets go; nobody may wait."""
    monkeypatch.setattr(settings, "PARTICIPANT_QUEUE", 0)
    inside, going = asyncio.Semaphore(0), asyncio.Event()
    write = engine.write

    async def slow(item):
        if isinstance(item, participation.Join):
            inside.release()
            await going.wait()
        return await write(item)

    monkeypatch.setattr(engine, "write", slow)
    yield inside, going
    going.set()


async def fill(held, workshop):
    """As many joins in work as there are slots; their tasks."""
    inside, _going = held
    form = {"consent": ["read", "pooled"]}
    await ask(f"/w/{workshop.code}/")  # from now on the code is known
    joins = []
    for number in range(handler.AT_ONCE):
        joins.append(asyncio.ensure_future(post(consent_url(workshop), form | {"once": f"o{number}"})))
        await inside.acquire()
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
    assert kept == [("consent", "read"), ("consent", "pooled"), ("consent", "quotes"), ("once", "mine")]
    held[1].set()
    assert {answer.status for answer in await asyncio.gather(*joins)} == {302}
    again = {name: [value for key, value in kept if key == name] for name, _value in kept}
    for _ in range(2):
        assert (await post(consent_url(workshop), again)).status == 302
    people = await sync_to_async(Participant.objects.filter(workshop=workshop).count)()
    assert people == 1 + len(joins) + 1


@pytest.mark.fault("F24")
async def test_people_who_are_in_vote_and_see_their_page_while_newcomers_are_sent_away(running, held):
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


@pytest.mark.fault("F24")
async def test_people_who_join_are_written_with_the_votes_and_never_by_a_page(running, monkeypatch):
    """SQLite has one lock for all that is written: a page that held it would hold up every vote."""
    workshop, _poll, _who = running
    threads = []
    let_in = participation._let_in

    def watched(joins):
        threads.append(threading.current_thread().name.partition("_")[0])
        return let_in(joins)

    monkeypatch.setattr(participation, "_let_in", watched)
    form = {"consent": ["read", "pooled"]}
    answers = await asyncio.gather(
        *(post(consent_url(workshop), form | {"once": f"o{number % 5}"}) for number in range(10))
    )
    assert {answer.status for answer in answers} == {302}
    assert set(threads) == {"batcher"}
    assert await sync_to_async(Participant.objects.filter(workshop=workshop).count)() == 1 + 5


async def test_a_join_that_the_database_does_not_take_is_asked_to_wait_and_keeps_its_ticks(
    running, monkeypatch
):
    workshop, _poll, _who = running

    def locked(joins):
        raise OperationalError("database is locked")

    monkeypatch.setattr(participation, "_let_in", locked)
    answer = await post(consent_url(workshop), {"consent": ["read", "pooled"], "once": "mine"})
    assert (answer.status, int(answer.headers["retry-after"]) > 0) == (503, True)
    assert 'name="consent" value="pooled"' in answer.text


async def test_a_crowd_of_wrong_codes_never_has_more_threads_than_newcomers_have(running, monkeypatch):
    _workshop, _poll, _who = running
    monkeypatch.setattr(settings, "PARTICIPANT_QUEUE", 20)
    answers = await asyncio.gather(*(ask(f"/w/AAAA{number:02}/") for number in range(200)))
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) == {404, 503}
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("page-new")]
    assert 1 <= len(threads) <= max(1, settings.PARTICIPANT_THREADS // page_threads.NEWCOMERS_PART)


@pytest.mark.outage
async def test_a_body_that_is_never_sent_takes_no_slot_and_too_much_is_not_read(running, monkeypatch):
    from config.asgi import application

    workshop, _poll, _who = running
    monkeypatch.setattr(settings, "PARTICIPANT_QUEUE", 0)
    scope = {
        "type": "http", "method": "POST", "path": consent_url(workshop), "query_string": b"", "headers": []
    }  # fmt: skip
    slow = [ApplicationCommunicator(application, scope) for _ in range(handler.AT_ONCE + 1)]
    for wire in slow:
        await wire.send_input({"type": "http.request", "body": b"", "more_body": True})
        assert await wire.receive_nothing()
    assert (await ask(f"/w/{workshop.code}/")).status == 200
    for wire in slow:
        await wire.send_input({"type": "http.disconnect"})
        await wire.wait(timeout=20)
    monkeypatch.setattr(handler, "BODY_SECONDS", 0.05)
    for sent, status in ((b"", 408), (b"x" * (handler.BODY_LIMIT + 1), 413)):
        wire = ApplicationCommunicator(application, scope)
        await wire.send_input({"type": "http.request", "body": sent, "more_body": True})
        assert (await wire.receive_output(timeout=20))["status"] == status


# --- visitors at the pages of staff -----------------------------------------------------------------------------


@pytest.fixture
async def crowded(running, monkeypatch):
    """Every slot of visitors is taken by a sign-in page that takes its time; nobody may wait."""
    monkeypatch.setattr(settings, "PARTICIPANT_QUEUE", 0)
    inside, go = threading.Semaphore(0), threading.Event()
    show = LoginView.get

    def slow(*args, **kwargs):
        inside.release()
        assert go.wait(20)
        return show(*args, **kwargs)

    monkeypatch.setattr(LoginView, "get", slow)
    looking = []
    for _ in range(settings.PARTICIPANT_THREADS // 2):
        looking.append(asyncio.ensure_future(ask("/accounts/login/")))
        assert await asyncio.to_thread(inside.acquire, timeout=20)
    yield running
    go.set()
    assert {answer.status for answer in await asyncio.gather(*looking)} == {200}


@pytest.mark.fault("F24")
async def test_a_visitor_too_many_at_the_sign_in_page_waits_on_a_page_that_keeps_no_passphrase(crowded):
    typed = {"login": "ann@example.org", "password": "a long secret of mine"}
    for answer in (await post("/accounts/login/", typed), await ask("/accounts/login/?next=/workshops/")):
        assert (answer.status, is_strict(answer.headers["content-security-policy"])) == (503, True)
        assert int(answer.headers["retry-after"]) >= 2
        assert 'method="get" action="/accounts/login/"' in answer.text
        assert "secret" not in answer.text
        assert "ann@example.org" not in answer.text
    assert hidden(answer.text) == [("next", "/workshops/")]


@pytest.mark.fault("F24")
async def test_a_cookie_that_only_looks_like_a_session_is_a_visitors(crowded):
    for cookie in ("staff=x", f"staff={'a' * 32}"):
        assert (await ask("/accounts/login/", cookie=cookie)).status == 503


@pytest.mark.fault("F24")
async def test_phones_vote_and_come_in_while_visitors_crowd_the_sign_in_page(crowded):
    workshop, poll, who = crowded
    address = f"/w/{workshop.code}/vote/"
    assert (await post(address, frame=vote(poll), cookie=seat(who))).status == 200
    assert (await ask(f"/w/{workshop.code}/")).status == 200


@pytest.mark.fault("F24")
async def test_people_with_a_session_and_walls_are_shown_their_pages_while_visitors_crowd_the_sign_in_page(
    crowded,
):
    workshop, _poll, _who = crowded
    facilitator = await sync_to_async(lambda: factories.signed_in(factories.staff(workshop.programme)))()
    session = f"{settings.SESSION_COOKIE_NAME}={facilitator.cookies[settings.SESSION_COOKIE_NAME].value}"
    assert (await ask(f"/workshops/{workshop.code}/console/", cookie=session)).status == 200
    assert (await ask(f"/wall/{workshop.wall_key}/")).status == 200
    assert (await ask("/wall/nobody-knows-this/")).status == 503


async def test_no_more_pages_of_staff_are_drawn_at_once_than_have_a_slot(running, monkeypatch):
    workshop, _poll, _who = running
    facilitator = await sync_to_async(lambda: factories.signed_in(factories.staff(workshop.programme)))()
    session = f"{settings.SESSION_COOKIE_NAME}={facilitator.cookies[settings.SESSION_COOKIE_NAME].value}"
    drawn, most, lock = 0, 0, threading.Lock()
    full, go = threading.Event(), threading.Event()
    show = LoginView.dispatch

    def counted(*args, **kwargs):
        nonlocal drawn, most
        with lock:
            drawn += 1
            most = max(most, drawn)
            if drawn == staff_pages.AT_ONCE:
                full.set()
        assert go.wait(20)
        with lock:
            drawn -= 1
        return show(*args, **kwargs)

    monkeypatch.setattr(LoginView, "dispatch", counted)
    asking = [asyncio.ensure_future(ask("/accounts/login/", cookie=session)) for _ in range(40)]
    assert await asyncio.to_thread(full.wait, 20)
    go.set()
    assert {answer.status for answer in await asyncio.gather(*asking)} == {302}
    assert most == staff_pages.AT_ONCE


# --- the page that waits --------------------------------------------------------------------------------------


def test_the_waiting_page_escapes_all_that_was_sent(rf):
    evil = {'"><script>': "</form>[[waiting:fields]]", "submit": "x", "consent": ["a", "b"]}
    answer = retry_later_page.retry_later_page(
        rf.post("/w/A/?x=[[waiting:fields]]", evil), retry_later_page.FULL, 2.1
    )
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
    text = retry_later_page.retry_later_page(
        rf.get("/w/A/?change=1"), retry_later_page.GUESSES, 3
    ).content.decode()
    assert '<form method="get" action="/w/A/" data-again="3">' in text
    assert hidden(text) == [("change", "1")]


# --- one seat (F28) -------------------------------------------------------------------------------------------


def test_who_hangs_up_and_comes_back_finds_the_bucket_as_it_was(clock):
    for _ in range(int(rate_limit.AT_ONCE)):
        assert rate_limit.of("a").take()
    assert not rate_limit.of("a").take()
    assert rate_limit.of("b").take()
    clock.now += 1
    assert sum(rate_limit.of("a").take() for _ in range(100)) == rate_limit.PER_SECOND


def test_a_bucket_that_a_socket_holds_stays_the_only_one_of_its_seat(clock, monkeypatch):
    monkeypatch.setattr(rate_limit, "KEPT", 1)
    held = rate_limit.of("a")
    rate_limit.of("b"), rate_limit.of("c")  # full ones are forgotten to make room
    assert rate_limit.of("a") is held


def test_a_rest_is_forgiven(clock):
    for _ in range(2000):
        rate_limit.of("a").take()
    assert rate_limit.of("a").is_exhausted
    clock.now += rate_limit.AT_ONCE / rate_limit.PER_SECOND
    assert rate_limit.of("a").take()
    assert not rate_limit.of("a").is_exhausted


def test_full_buckets_are_forgotten(clock, monkeypatch):
    monkeypatch.setattr(rate_limit, "KEPT", 10)
    for number in range(10):
        rate_limit.of(f"early{number}").take()
    clock.now += 10
    for number in range(3):
        rate_limit.of(f"late{number}").take()
    assert sorted(rate_limit._kept) == ["late0", "late1", "late2"]


@pytest.mark.fault("F28")
@pytest.mark.parametrize("kind", ["voter", "observer"])
async def test_a_flood_over_two_sockets_of_one_seat_is_one_flood_and_harms_nobody_else(
    asked, room, kind, clock
):
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
        if not any(isinstance(arg, ParticipantToken) for arg in args):  # the hub's own
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
    monkeypatch.setattr(settings, "FIRST_BYTE_TIMEOUT", 0.1)
    assert await (await room(path(workshop), cookie=seat(who))).ended() == 4408


async def test_who_has_spoken_may_be_silent_for_longer(asked, room, monkeypatch):
    workshop, _poll, who = asked
    phone = await room(path(workshop), cookie=seat(who))
    monkeypatch.setattr(settings, "FIRST_BYTE_TIMEOUT", 0.05)
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


@pytest.mark.slow
@pytest.mark.fault("F27")
@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_500_silent_connections_are_ended_and_a_phone_comes_in_beside_them(serve, server, opened):
    """They connect and say nothing, or half a handshake; a socket that never says hello is ended as well."""
    workshop = factories.workshop()
    poll, who = factories.launched(workshop), factories.participant(workshop)
    site = serve(server=server, FIRST_BYTE_TIMEOUT="2")
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
    return f'{{"t":"vote","op":"a","poll":{poll},"seq":1,"fields":{{"choice":[{value}]}}}}'


HOSTILE = (
    st.builds(json.dumps, values)
    | st.builds(lambda depth: "[" * depth, st.integers(1, 9000))
    | st.builds(lambda depth: vote_text("[" * depth + "]" * depth), st.integers(1, 4000))
    | st.builds(lambda value: vote_text(json.dumps(value)), values)
    | st.builds(
        lambda fields: json.dumps({"t": "vote", "op": "a", "poll": 1, "seq": 1, "fields": fields}),
        st.dictionaries(st.text(max_size=120), st.lists(st.text(max_size=20), max_size=4) | values, max_size=4),
    )
    | st.builds(lambda word: vote_text(poll=word), st.sampled_from([*NUMBERS, "true", '"1"', "null"]))
    | st.builds(vote_text, st.sampled_from([*NUMBERS, r'"\ud800"', r'"\u0000"']))
    | st.sampled_from([
        '{"t":"vote","t":"ping"}', '{"t":"ping","t":"vote"}', '{"t":"vote","poll":1,"poll":2,"op":"a","seq":1,"fields":{}}',
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

    def send(self, payload):
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


class Generous(rate_limit.TokenBucket):
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
            door.ran[0], (socket.Hello, socket.Ping, socket.commands.Vote, socket.commands.MarkSeen)
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


@pytest.mark.slow
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


def guess(request, times=1):
    """So many wrong codes of this request's address are counted; is it past its limit?"""
    for _ in range(times):
        past = code_guess_throttle.is_past_limit(request, count=True)
    return past


def test_wrong_codes_are_counted_by_address_for_all_processes_and_no_address_is_kept(rf, settings):
    settings.CODE_FAILURES_LIMIT = 5
    here, there = rf.get("/", REMOTE_ADDR="192.0.2.1"), rf.get("/", REMOTE_ADDR="192.0.2.2")
    assert (guess(here, 5), guess(here)) == (False, True)
    assert not code_guess_throttle.is_past_limit(there)
    assert code_guess_throttle.is_past_limit(rf.post("/", REMOTE_ADDR="192.0.2.1"))
    rate = ratelimit.parse_rate("5/10m/ip")
    assert "192.0.2" not in ratelimit.get_cache_key(here, app="workshops", action="wrong_code", rate=rate)


@pytest.fixture
def guessed(monkeypatch, rf):
    """192.0.2.1 has typed too many wrong codes; an answer to another takes a second instead of ten."""
    monkeypatch.setattr(code_guess_throttle, "WRONG_SECONDS", 1.0)
    monkeypatch.setattr(settings, "CODE_FAILURES_LIMIT", 5)
    guess(rf.get("/", REMOTE_ADDR="192.0.2.1"), 5)


@pytest.mark.fault("F29")
async def test_one_device_guesses_and_the_nursery_behind_the_same_address_gets_in(running, guessed):
    workshop, _poll, _who = running
    guessing = [asyncio.ensure_future(ask("/w/AAAAAA/")) for _ in range(6)]  # as many as a browser has
    for _ in range(5):
        assert (await ask(f"/w/{workshop.code}/")).status == 200
        assert (await post("/", {"code": workshop.code})).status == 302
    assert {answer.status for answer in await asyncio.gather(*guessing)} == {404}


@pytest.mark.fault("F29")
async def test_a_storm_of_guesses_is_told_to_wait_whatever_the_codes(running, guessed, monkeypatch):
    monkeypatch.setattr(code_guess_throttle, "ROOM", 0)
    workshop, _poll, _who = running
    answers = await asyncio.gather(*(ask("/w/AAAAAA/") for _ in range(200)))
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) == {404, 429}
    assert statuses[404] <= code_guess_throttle.SLOTS
    refused = next(answer for answer in answers if answer.status == 429)
    assert int(refused.headers["retry-after"]) >= 2
    assert (await ask(f"/w/{workshop.code}/", peer="192.0.2.77")).status == 200


@pytest.mark.fault("F29")
async def test_a_code_that_is_known_to_be_right_is_never_slowed(running, guessed, monkeypatch):
    """Somebody of the workshop came before; then guesses beside it take every slot there is."""
    monkeypatch.setattr(code_guess_throttle, "ROOM", 0)
    workshop, _poll, _who = running
    assert (await ask(f"/w/{workshop.code}/", peer="192.0.2.77")).status == 200
    storm = [asyncio.ensure_future(ask("/w/AAAAAA/")) for _ in range(200)]
    assert (await ask(f"/w/{workshop.code}/consent/")).status == 200
    await asyncio.gather(*storm)


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
    """A page without what differs by itself: the code that was asked for."""
    return text.replace(f"{code[:3]} {code[3:]}", "…").replace(code, "…")


@pytest.mark.fault("F29")
async def test_a_seat_of_another_workshop_guesses_like_a_stranger(running, rf, monkeypatch):
    """By pages and by the start page: every wrong code counts, whatever cookie comes with it."""
    monkeypatch.setattr(settings, "CODE_FAILURES_LIMIT", 2)
    _workshop, _poll, who = running
    assert (await ask("/w/AAAAAA/", cookie=seat(who))).status == 404
    assert not code_guess_throttle.is_past_limit(rf.get("/", REMOTE_ADDR="192.0.2.1"))
    assert (await post("/", {"code": "AAAAAB"}, cookie=seat(who))).status == 404
    assert code_guess_throttle.is_past_limit(rf.get("/", REMOTE_ADDR="192.0.2.1"))


@pytest.mark.fault("F29")
@pytest.mark.parametrize("page", ["", "consent/", "profile/", "leave/", "pictures/"])
async def test_a_wrong_code_counts_at_every_page(running, rf, monkeypatch, page):
    monkeypatch.setattr(settings, "CODE_FAILURES_LIMIT", 1)
    assert (await ask(f"/w/AAAAAA/{page}")).status == 404
    assert code_guess_throttle.is_past_limit(rf.get("/", REMOTE_ADDR="192.0.2.1"))


@pytest.mark.fault("F29")
async def test_an_unknown_address_of_a_wall_counts_as_a_wrong_code_and_the_right_one_is_never_slowed(
    running, rf, monkeypatch
):
    monkeypatch.setattr(settings, "CODE_FAILURES_LIMIT", 2)
    monkeypatch.setattr(code_guess_throttle, "WRONG_SECONDS", 1.0)
    monkeypatch.setattr(code_guess_throttle, "ROOM", 0)
    workshop, _poll, _who = running
    for number, is_past in ((0, False), (1, True)):
        assert (await ask(f"/wall/{number:032}/")).status == 404
        assert code_guess_throttle.is_past_limit(rf.get("/", REMOTE_ADDR="192.0.2.1")) == is_past
    guessing = [asyncio.ensure_future(ask(f"/wall/{number:032}/")) for number in range(60)]
    assert (await ask(f"/wall/{workshop.wall_key}/")).status == 200
    assert {answer.status for answer in await asyncio.gather(*guessing)} == {404, 429}


@pytest.mark.fault("F29")
async def test_a_vote_or_a_socket_looks_up_no_code_that_is_not_the_seats(running, room, monkeypatch):
    workshop, poll, who = running
    other = await sync_to_async(factories.workshop)()
    assert (await post(f"/w/{workshop.code}/vote/", frame=vote(poll), cookie=seat(who))).status == 200
    answers = []
    with monkeypatch.context() as no_query:
        no_query.setattr(socket, "read_at_the_door", None)
        for code in (other.code, "AAAAAA"):
            answer = await post(f"/w/{code}/vote/", frame=vote(poll), cookie=seat(who))
            answers.append((answer.status, answer.text))
            assert await (await room(f"/live/phone/{code}/", cookie=seat(who))).ended() == 4401
    assert answers[0] == answers[1]
    assert answers[0][0] == 401


# --- the short way (trust and speed) -------------------------------------------------------------------------------


async def test_pages_of_phones_are_as_well_protected_as_all_others(running):
    workshop, _poll, who = running
    full = AsyncClient()
    full.cookies[settings.PARTICIPANT_COOKIE_NAME] = seat(who).split("=", 1)[1]
    for address in ("/", f"/w/{workshop.code}/", "/w/AAAAAA/", f"/w/{workshop.code}"):
        short = await ask(address, cookie=seat(who))
        long = await full.get(address)
        assert short.status == long.status_code
        names = {"content-security-policy", "x-frame-options", "x-content-type-options", "referrer-policy"}
        names |= {"cross-origin-opener-policy", "cache-control", "location", "content-language"}
        told = {name: re.sub(r"nonce-[^']+", "", short.headers.get(name, "")) for name in names}
        assert told == {name: re.sub(r"nonce-[^']+", "", long.headers.get(name, "")) for name in names}


@pytest.mark.parametrize("origin", ["", "null", "http://evil.example", "https://localhost:8000"])
async def test_a_form_or_frame_of_another_site_is_refused_on_the_short_way(running, origin):
    workshop, poll, who = running
    address = f"/w/{workshop.code}/vote/"
    answer = await post(address, frame=vote(poll), cookie=seat(who), origin=origin)
    assert answer.status == 403
    assert (await post(consent_url(workshop), {"observe": "yes"}, origin=origin)).status == 403
    assert await sync_to_async(Ballot.objects.filter(poll=poll, status="cast").count)() == 0
