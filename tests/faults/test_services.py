"""Processes and services fail under a real server with real phones on it: what was promised holds.

| fault | where |
|---|---|
| F08 SIGKILL with 500 votes in flight | `test_a_killed_server…`; the page itself: `tests/browser/test_outage.py` |
| F09 SIGTERM | `test_a_stopped_server…`; more votes under way: `tests/workshops/live/test_shutdown.py` |
| F10 Redis stopped | `test_without_redis…`; two processes: `tests/workshops/live/test_many_servers.py` |
| F11 Redis paused | `test_a_redis_that_answers_nothing…` |
| F13 database locked 3 s | `test_votes_wait_for_a_locked_database…`, `test_phones_hear_busy…` |
| F14 database down | `test_without_its_database…`, `test_a_database_that_restarts…`, `test_while_its_database_hangs…` |
| F15 disk full | `test_a_full_disk…` |
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import sqlite3
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest
from django.db import connection
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from polls import ballot_box
from polls.models import Ballot, Poll
from polls.types import Question
from workshops.models import Workshop

from .. import factories, own_database, services
from ..browser.server import Server, start_server
from ..patience import PATIENCE, until
from ..phone_crowd import Crowd
from ..socket_screens import Screen, console_on, cookie_of, phone_on, wall_on

pytestmark = pytest.mark.outage

PHONES, VOTES_EACH = 50, 10


# --- what the tests stand on ----------------------------------------------------------------------------


@dataclass
class Ground:
    """A fresh database with our tables. `postgres` is the server it is on, to stop and pause; none on SQLite."""

    address: str
    postgres: services.Postgres | None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Somebody else holds what a vote needs."""
        if self.postgres is None:
            with contextlib.closing(sqlite3.connect(self.address.removeprefix("sqlite:///"))) as other:
                other.execute("BEGIN EXCLUSIVE")
                yield
                other.rollback()
        else:
            with psycopg.connect(self.address) as other:
                other.execute("LOCK TABLE polls_ballot IN ACCESS EXCLUSIVE MODE")
                yield
                other.rollback()


@pytest.fixture(scope="session")
def _own_postgres() -> Iterator[services.Postgres]:
    """One server for this test process, with a database `ours` to copy; a test that stops it starts it again."""
    made = services.Postgres()
    try:
        with services.or_skip():
            made.start()
        own_database.migrate(made.create("ours"))
        yield made
    finally:
        made.close()


@pytest.fixture
def ground(request, tmp_path, django_db_blocker) -> Iterator[Ground]:
    """The database that the test asks for with `on("sqlite")` or `on("postgres")`."""
    with django_db_blocker.unblock():
        if request.param == "sqlite":
            path = tmp_path / "own.sqlite3"
            with contextlib.closing(sqlite3.connect(request.getfixturevalue("empty_sqlite"))) as ours:
                ours.execute("VACUUM INTO ?", [str(path)])
            made = Ground(own_database.sqlite_address(path), None)
            with own_database.standing_on(made.address):
                yield made
        else:
            postgres = request.getfixturevalue("_own_postgres")
            made = Ground(postgres.create("own", template="ours"), postgres)
            with own_database.standing_on(made.address):
                yield made
            if postgres.process is None:
                postgres.start()
            postgres.drop("own")


GROUNDS = {"sqlite": "sqlite", "postgres": pytest.param("postgres", marks=pytest.mark.stack)}


def on(*kinds: str):
    return pytest.mark.parametrize("ground", [GROUNDS[kind] for kind in kinds], indirect=True)


@pytest.fixture
def serve(ground, tmp_path) -> Iterator[Callable[..., Server]]:
    """Start a server on the test's database; it ends with the test."""
    running: list[Server] = []

    def start(server: str = "daphne", port: int = 0, **environment: str) -> Server:
        environment = {"DATABASE_URL": ground.address, "REDIS_URL": ""} | environment
        running.append(start_server(tmp_path, port, server, **environment))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def own_redis() -> Iterator[services.Redis]:
    made = services.Redis()
    try:
        with services.or_skip():
            made.start()
        yield made
    finally:
        made.close()


@dataclass
class Answer:
    """What a page said."""

    status: int
    headers: dict[str, str]
    text: str


def ask(server: Server, path: str, *, cookie: str = "", form: dict | None = None, target: str = "") -> Answer:
    """One request as a browser sends it; redirects are not followed."""
    wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    token = "a" * 32
    headers = {"Cookie": f"csrf={token}; {cookie}", "Origin": server.url, "Accept": "text/html"}
    try:
        if target:  # what htmx adds
            headers |= {"HX-Request": "true", "HX-Target": target}
        if form is None:
            wire.request("GET", path, headers=headers)
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode({"csrfmiddlewaretoken": token} | form, doseq=True)
            wire.request("POST", path, body, headers)
        answer = wire.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, headers, answer.read().decode())
    finally:
        wire.close()


def join(server: Server, workshop: Workshop) -> Answer:
    """Somebody reads the sheet, ticks what has to be ticked and presses."""
    return ask(server, f"/w/{workshop.code}/consent/", form={"consent": ["read", "pooled"]})


def is_calm(page: Answer) -> bool:
    """A page of ours that says: not now, try again by yourself in so many seconds."""
    return (
        page.status == 503
        and int(page.headers.get("retry-after", "0")) > 0
        and "<h1>" in page.text
        and "Traceback" not in page.text
        and "Error" not in page.text
    )


def several(count: int) -> tuple[Workshop, list[int]]:
    """A running workshop with so many questions open at once, so that one phone has many votes under way."""
    workshop = factories.workshop(None, *[factories.YES_NO] * count)
    polls = [item.poll_id for item in workshop.agenda.all()]
    for poll in polls:
        ballot_box.open_poll(poll)
    return workshop, polls


def value_of(number: int) -> str:
    return "yes" if number % 3 else "no"


def stored() -> dict[tuple[str, str], tuple[str, int]]:
    """Every ballot that was cast: `{(voter, operation): (value, how often it was written)}`."""
    cast = Ballot.objects.filter(status="cast").values_list("voter", "op", "value", "revision")
    return {(voter, op): (value, revision) for voter, op, value, revision in cast}


def state_of_the_stage() -> list:
    """Everything that gestures change."""
    return [
        list(Workshop.objects.order_by("pk").values()),
        list(Poll.objects.order_by("pk").values()),
    ]


async def send_all(crowd: Crowd, polls: list[int]) -> dict[tuple[str, str], tuple[str, int]]:
    """Everybody answers every question at once; returns what has to be stored in the end."""
    expected = {}
    for place, phone in enumerate(crowd.phones):
        for number, poll in enumerate(polls):
            value = value_of(place + number)
            phone.put(f"op{poll}", poll, value)
            expected[phone.voter, f"op{poll}"] = (value, 1)
    return expected


# --- F08, F09: the server's own process ---------------------------------------------------------------------


@pytest.mark.fault("F08")
@pytest.mark.parametrize(
    ("ground", "server"),
    [("sqlite", "daphne"), pytest.param("postgres", "uvicorn", marks=pytest.mark.stack)],
    indirect=["ground"],
)
def test_a_killed_server_loses_nothing_it_acknowledged_and_everybody_is_back(ground, server, serve):
    workshop, polls = several(VOTES_EACH)
    people = [factories.participant(workshop) for _ in range(PHONES)]
    before = state_of_the_stage()
    # Small batches, so that at any moment some votes are acknowledged, some stored and some only sent.
    first = serve(server, LIVE_BATCH_LIMIT="25")

    async def run() -> None:
        async with Crowd(first, workshop, people) as crowd:
            expected = await send_all(crowd, polls[1:])
            await crowd.until(lambda: len(crowd.acked) >= PHONES)
            expected |= await send_all(
                crowd, polls[:1]
            )  # the last of them on their way when nobody hears them
            first.process.kill()
            await crowd.until(lambda: crowd.connected == 0)
            acked, there = crowd.acked, await own_database.read(stored)
            print(f"{len(acked)} acked, {len(there)} stored, {crowd.unsaved} under way when it was killed")
            assert acked <= set(there)
            assert crowd.unsaved >= PHONES
            assert await own_database.read(state_of_the_stage) == before
            await asyncio.to_thread(serve, server, first.port)
            back = await crowd.until(lambda: crowd.connected == PHONES)
            saved = await crowd.until(lambda: not crowd.unsaved)
            print(f"back after {back:.1f} s, everything saved {saved:.1f} s later")
            assert crowd.refusals == []
            assert await own_database.read(stored) == expected

    asyncio.run(run())
    assert state_of_the_stage() == before
    assert all(Poll.objects.get(pk=poll).is_open for poll in polls)


@pytest.mark.fault("F09")
@on("postgres")
@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_stopped_server_says_so_and_what_it_did_not_take_is_stored_once_by_the_next(ground, server, serve):
    workshop, polls = several(VOTES_EACH)
    people = [factories.participant(workshop) for _ in range(10)]
    before = state_of_the_stage()
    first = serve(server, LIVE_BATCH_LIMIT="1")  # one that is being written, the others wait

    async def run() -> None:
        async with Crowd(first, workshop, people) as crowd:
            for phone in crowd.phones:
                phone.put("op0", polls[0], "yes")
            await crowd.until(lambda: not crowd.unsaved)
            with ground.locked():
                for number, poll in enumerate(polls[1:-1], start=1):
                    for phone in crowd.phones:
                        phone.put(f"op{number}", poll, "yes")
                ending = asyncio.ensure_future(asyncio.to_thread(first.stop))
                await crowd.until(lambda: all(phone.busy for phone in crowd.phones))
            for phone in crowd.phones:
                phone.put(f"op{VOTES_EACH - 1}", polls[-1], "yes")
            await ending
            await crowd.until(lambda: all(phone.closed for phone in crowd.phones))
            assert {phone.closed[0] for phone in crowd.phones} == {1012}
            print(f"{len(crowd.acked)} acked, {crowd.unsaved} kept")
            assert crowd.acked <= set(await own_database.read(stored))
            assert await own_database.read(state_of_the_stage) == before
            await asyncio.to_thread(serve, server, first.port)
            await crowd.until(lambda: not crowd.unsaved)
            assert crowd.refusals == []

    asyncio.run(run())
    everybody = {(who.voter, f"op{number}"): ("yes", 1) for who in people for number in range(VOTES_EACH)}
    assert stored() == everybody
    assert state_of_the_stage() == before
    assert first.errors == ""


# --- F10, F11: Redis ---------------------------------------------------------------------------------------


def says_that_processes_are_apart(screen) -> bool:
    return "note" in screen.html.get("health", "")


@pytest.mark.fault("F10")
@on("postgres")
def test_without_redis_people_join_and_vote_and_the_facilitator_is_told_until_it_is_back(
    ground, serve, own_redis
):
    server = serve(REDIS_URL=own_redis.url)
    workshop = factories.workshop()
    poll = factories.launched(workshop)
    who, later = factories.participant(workshop), factories.participant(workshop)
    facilitator = factories.signed_in(factories.staff(workshop.programme))
    address, cookie = f"/workshops/{workshop.code}/console/", session_of(facilitator)
    with console_on(server, workshop, cookie) as console, wall_on(server, workshop) as wall:
        console.until(lambda screen: "health" in screen.html)
        assert not says_that_processes_are_apart(console)
        own_redis.stop()
        told = console.until(says_that_processes_are_apart)
        assert f'<div role="status">{console.html["health"]}' in ask(server, address, cookie=cookie).text
        with phone_on(server, workshop, who) as phone:
            assert phone.vote(poll)["t"] == "ack"
        seen = wall.until(lambda screen: screen.cast == 1)
        assert join(server, workshop).status == 302
        assert sign_in(server).status == 200, "a wrong passphrase is told as ever"
        own_redis.start()
        healed = console.until(lambda screen: not says_that_processes_are_apart(screen))
        print(f"told after {told:.1f} s, wall after {seen:.1f} s, gone {healed:.1f} s after the start")
        with phone_on(server, workshop, later) as phone:
            assert phone.vote(poll)["t"] == "ack"
        wall.until(lambda screen: screen.cast == 2)
    assert server.errors == ""


def session_of(client) -> str:
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


def sign_in(server: Server) -> Answer:
    return ask(
        server, "/accounts/login/", form={"login": "nobody@example.org", "password": "not the right one"}
    )


@pytest.mark.fault("F11")
@on("postgres")
def test_an_acknowledgement_never_waits_for_a_redis_that_answers_nothing(ground, serve, own_redis):
    server = serve(REDIS_URL=own_redis.url)
    workshop = factories.workshop()
    poll = factories.launched(workshop)
    people = [factories.participant(workshop) for _ in range(3)]
    facilitator = session_of(factories.signed_in(factories.staff(workshop.programme)))
    with contextlib.ExitStack() as screens:
        console = screens.enter_context(console_on(server, workshop, facilitator))
        phones = [screens.enter_context(phone_on(server, workshop, who)) for who in people]
        console.until(lambda screen: "health" in screen.html)
        own_redis.pause()
        try:
            # Redis is waited for a second or two wherever it is. One vote after the other: if each waited so long,
            # they would not all be answered before patience ends.
            end = time.monotonic() + PATIENCE
            for number in range(2 * round(PATIENCE)):
                answer = phones[number % 3].vote(poll, value_of(number), f"op{number}", number + 1)
                assert answer["t"] == "ack"
                assert time.monotonic() < end, f"{number} answers so far"
            console.until(says_that_processes_are_apart)
            assert join(server, workshop).status == 302
            assert sign_in(server).status == 200
            assert phones[0].vote(poll, "yes", "last", 1000)["t"] == "ack"
        finally:
            own_redis.resume()
        console.until(lambda screen: not says_that_processes_are_apart(screen))
    assert server.errors == ""


# --- F13, F14, F15: the database -------------------------------------------------------------------------------


@pytest.mark.fault("F13")
@on("sqlite", "postgres")
def test_votes_wait_for_a_locked_database_and_are_stored(ground, serve):
    server = serve(DATABASE_BUSY_SECONDS="15")
    workshop = factories.workshop()
    poll = factories.launched(workshop)
    people = [factories.participant(workshop) for _ in range(10)]

    async def run() -> None:
        async with Crowd(server, workshop, people) as crowd:
            with ground.locked():
                for phone in crowd.phones:
                    phone.put("op1", poll.pk, "yes")
                await asyncio.sleep(3)
                assert crowd.acked == set()
            await crowd.until(lambda: not crowd.unsaved)
            assert [frame for phone in crowd.phones for frame in phone.busy] == []

    asyncio.run(run())
    assert stored() == {(who.voter, "op1"): ("yes", 1) for who in people}


@pytest.mark.fault("F13")
@on("sqlite", "postgres")
def test_phones_hear_busy_when_the_lock_outlasts_patience_and_nothing_is_lost(ground, serve):
    server = serve(DATABASE_BUSY_SECONDS="1")
    workshop = factories.workshop()
    poll = factories.launched(workshop)
    people = [factories.participant(workshop) for _ in range(10)]

    async def run() -> None:
        async with Crowd(server, workshop, people) as crowd:
            with ground.locked():
                for phone in crowd.phones:
                    phone.put("op1", poll.pk, "yes")
                await crowd.until(lambda: all(phone.busy for phone in crowd.phones))
                assert all(frame["retry_after"] > 0 for phone in crowd.phones for frame in phone.busy)
                assert crowd.acked == set()
            await crowd.until(lambda: not crowd.unsaved)
            assert {tuple(phone.closed) for phone in crowd.phones} == {()}, "nobody had to come back for it"
            assert crowd.refusals == []

    asyncio.run(run())
    assert stored() == {(who.voter, "op1"): ("yes", 1) for who in people}


@pytest.mark.fault("F14")
@on("postgres")
@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_without_its_database_a_server_says_so_and_goes_on_when_it_is_back(ground, server, serve):
    running = serve(server, DATABASE_BUSY_SECONDS="1")
    workshop = factories.workshop()
    poll = factories.launched(workshop)
    who, newcomer = factories.participant(workshop), factories.participant(workshop)
    staff = session_of(factories.signed_in(factories.staff(workshop.programme)))
    pages = [
        f"/w/{workshop.code}/",
        f"/wall/{workshop.wall_key}/",
        f"/workshops/{workshop.code}/console/",
        "/",
    ]
    with phone_on(running, workshop, who) as phone, wall_on(running, workshop) as wall:
        phone.until(lambda screen: "stage" in screen.html)
        wall.until(lambda screen: screen.cast == 0)
        assert ground.postgres
        connection.close()  # the test's own, which nobody looks after
        ground.postgres.stop()
        busy = phone.vote(poll)
        assert (busy["t"], busy["code"]) == ("nack", "busy")
        assert busy["retry_after"] > 0
        told = [ask(running, page, cookie=f"{staff}; {cookie_of(who)}") for page in pages[:-1]]
        assert [page for page in told if not is_calm(page)] == []
        assert is_calm(join(running, workshop))
        assert is_calm(vote_by_form(running, workshop, who, poll))
        assert ask(running, "/healthz").status == 200
        assert ask(running, "/readyz").status == 503
        gesture = ask(
            running, f"{pages[2].replace('console', 'do')}close/", cookie=staff, form={}, target="notice"
        )
        assert (gesture.status, 'role="alert"' in gesture.text) == (200, True), (
            "said where gestures are answered"
        )
        # A screen that comes now is sent away to come back by itself, not left without its pictures.
        assert [closed_with(running, f"/live/phone/{workshop.code}/", cookie_of(newcomer)),
                closed_with(running, f"/live/console/{workshop.code}/", staff)] == [1013, 1013]  # fmt: skip
        ground.postgres.start()
        until(lambda: is_acknowledged(phone, poll))
        wall.until(lambda screen: screen.cast == 1)
    together = in_parallel(lambda: [ask(running, page, cookie=staff).status for page in pages], 6)
    assert together == [[200] * len(pages)] * 6
    assert join(running, workshop).status == 302
    with phone_on(running, workshop, newcomer) as phone:
        phone.until(lambda screen: "stage" in screen.html)
        assert phone.vote(poll)["t"] == "ack"
    assert set(stored()) == {(who.voter, "op1"), (newcomer.voter, "op1")}
    assert running.process.poll() is None
    assert running.errors == "", "an outage is told in lines, not in tracebacks"


@pytest.mark.fault("F14")
@on("postgres")
def test_a_database_that_restarts_between_two_requests_is_not_noticed(ground, serve):
    running = serve()
    workshop = factories.workshop()
    poll = factories.launched(workshop)
    page = f"/w/{workshop.code}/"
    assert in_parallel(lambda: ask(running, page).status, 8) == [200] * 8  # the pool has its connections
    assert ground.postgres
    connection.close()  # the test's own, which nobody looks after
    ground.postgres.restart()
    assert in_parallel(lambda: ask(running, page).status, 8) == [200] * 8
    who = factories.participant(workshop)

    async def vote() -> None:
        # Where the hub looked just then, the phone is sent away for a moment, and comes back by itself.
        async with Crowd(running, workshop, [who]) as crowd:
            crowd.phones[0].put("op1", poll.pk, "yes")
            await crowd.until(lambda: not crowd.unsaved)

    asyncio.run(vote())
    assert stored() == {(who.voter, "op1"): ("yes", 1)}


@pytest.mark.fault("F14")
@on("postgres")
@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_while_its_database_hangs_phones_hear_busy_and_nothing_is_lost_or_doubled(ground, server, serve):
    running = serve(server, DATABASE_BUSY_SECONDS="1", LIVE_WRITE_SECONDS="1.5")
    workshop = factories.workshop()
    poll = factories.launched(workshop)
    who = factories.participant(workshop)
    assert ground.postgres
    with phone_on(running, workshop, who) as phone:
        phone.until(lambda screen: "stage" in screen.html)
        connection.close()
        ground.postgres.pause()
        try:
            # The second batch has a writer and a connection of its own, and hangs like the first.
            heard = [phone.vote(poll) for _try in range(2)]
        finally:
            ground.postgres.resume()
        assert [(answer["t"], answer["code"]) for answer in heard] == [("nack", "busy")] * 2
        until(lambda: is_acknowledged(phone, poll))
    assert stored() == {(who.voter, "op1"): ("yes", 1)}
    assert running.errors == "", "an outage is told in lines, not in tracebacks"


def is_acknowledged(phone: Screen, poll: Poll) -> bool:
    """Is it now? Waits as long as a phone does that is told to."""
    if (answer := phone.vote(poll))["t"] != "ack":
        time.sleep(answer["retry_after"] / 2)
    return answer["t"] == "ack"


def vote_by_form(server: Server, workshop: Workshop, who, poll: Poll) -> Answer:
    return ask(
        server, f"/w/{workshop.code}/vote/", cookie=cookie_of(who), form={"poll": poll.pk, "choice": "yes"}
    )


def closed_with(server: Server, path: str, cookie: str) -> int:
    """The code with which a new screen is sent away after its hello."""
    address = f"{server.socket_url}{path}"
    with connect(address, origin=server.url, additional_headers={"Cookie": cookie}) as wire:
        try:
            wire.send('{"t":"hello","seen":{}}')
            while True:
                wire.recv(timeout=PATIENCE)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 0


def in_parallel(do: Callable[[], object], times: int) -> list:
    """What each of several callers at once was answered."""
    answers: list = [None] * times

    def run(place: int) -> None:
        answers[place] = do()

    threads = [threading.Thread(target=run, args=[place]) for place in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


WORDS = Question("open_text", "What would calm look like?")


@pytest.mark.fault("F15")
@on("sqlite")
def test_a_full_disk_acknowledges_nothing_and_everything_can_still_be_read(ground, serve):
    workshop = factories.workshop(None, WORDS)
    poll = factories.launched(workshop)
    people = [factories.participant(workshop) for _ in range(60)]
    factories.vote(people[0], poll, "Quiet corners", "op1", 1)
    path = ground.address.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE filler AS SELECT zeroblob(1000000) AS bytes")
        other.execute("VACUUM")
    # For this server the disk ends where the file ends now.
    server = serve(TEST_SQLITE_INIT="PRAGMA max_page_count=1;", DATABASE_BUSY_SECONDS="2")
    answers: list[dict] = []
    refused: list[dict] = []
    for number, who in enumerate(people[1:]):  # some find room in what the file has
        answers.append(_say_on(server, workshop, who, poll, number))
        refused = [answer for answer in answers if answer["t"] == "nack"]
        if len(refused) == 3:
            break
    assert len(refused) == 3
    assert {answer["code"] for answer in refused} == {"busy"}
    assert all(answer["retry_after"] > 0 for answer in refused)
    acked = {who.voter for who, answer in zip(people[1:], answers, strict=False) if answer["t"] == "ack"}
    assert {voter for voter, _op in stored()} == acked | {people[0].voter}
    last = people[len(answers)]
    with wall_on(server, workshop) as wall:
        wall.until(lambda screen: screen.cast == len(acked) + 1)
    assert ask(server, f"/w/{workshop.code}/", cookie=cookie_of(last)).status == 200
    assert "Quiet corners" in ask(server, f"/w/{workshop.code}/", cookie=cookie_of(people[0])).text
    full = [join(server, workshop) for _ in range(5)]
    assert all(page.status == 302 or is_calm(page) for page in full)
    # Room is made, and the same server takes what it could not.
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE filler")
    assert _say_on(server, workshop, last, poll, 99)["t"] == "ack"
    assert join(server, workshop).status == 302


def _say_on(server: Server, workshop: Workshop, who, poll: Poll, number: int) -> dict:
    with phone_on(server, workshop, who) as phone:
        return phone.vote(poll, f"{number} " + "calm " * 30, field="text")
