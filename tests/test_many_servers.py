"""Several server processes serve one workshop: they share a database, and Redis carries names between them.

Runs on the database of the test run: on PostgreSQL in the first pass of `.ci/run`, on an SQLite file in the
second. Two real processes, real sockets, a Redis that is really killed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from workshops.actions import facilitation

from . import factories, services
from .browser.server import Server, start_server
from .wire import Screen, phone_on, wall_on

pytestmark = pytest.mark.redis

TICK = 0.1  # seconds: the wall's window


@pytest.fixture
def private_redis() -> Iterator[services.Redis]:
    made = services.Redis()
    try:
        with services.or_skip():
            made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def two(transactional_db, tmp_path, private_redis) -> Iterator[Callable[..., tuple[Server, Server]]]:
    """Start two servers on one database and one Redis; both end with the test and logged no error."""
    servers: list[Server] = []

    def start(**environment: str) -> tuple[Server, Server]:
        for _number in range(2):
            servers.append(start_server(tmp_path, REDIS_URL=private_redis.url, **environment))
        return servers[0], servers[1]

    yield start
    for server in servers:
        server.stop()
    assert [server.errors for server in servers if server.errors] == []


def hears_the_other(here: Server, there: Server, workshop) -> None:
    """Wait until both processes listen to the layer: a new process subscribes with its first visitor."""
    with wall_on(here, workshop) as one, wall_on(there, workshop) as other:
        for screen in (one, other):
            screen.until(lambda s: "tally" in s.html)
    time.sleep(0.3)


def test_a_vote_on_one_process_is_on_the_wall_of_another_within_two_ticks(two, record_property):
    # Looking by itself is switched off, so what is seen came by Redis.
    here, there = two(LIVE_LOOK_SECONDS="60")
    workshop = factories.workshop()
    people = [factories.participant(workshop) for _ in range(5)]
    poll = factories.launched(workshop)
    hears_the_other(here, there, workshop)
    taken = []
    with wall_on(there, workshop) as wall:
        wall.until(lambda screen: screen.cast == 0)
        for number, who in enumerate(people, start=1):
            time.sleep(3 * TICK)
            with phone_on(here, workshop, who) as phone:
                assert phone.vote(poll)["t"] == "ack"
                taken.append(wall.until(lambda screen, n=number: screen.cast == n, 2.0))
    record_property("seconds from ack to the other process's wall", taken)
    print("ack here → wall there, ms:", [round(1000 * seconds) for seconds in taken])
    # Two ticks are promised; the median of five stays far below even on a machine that is busy with other tests.
    assert sorted(taken)[2] <= 2 * TICK + 0.1


def test_an_answer_on_one_process_is_on_the_same_persons_tab_of_another_within_two_seconds(two):
    # Looking by itself is switched off, so what is told came by Redis.
    here, there = two(LIVE_LOOK_SECONDS="60")
    workshop = factories.workshop()
    who = factories.participant(workshop)
    poll = factories.launched(workshop)
    hears_the_other(here, there, workshop)
    with phone_on(here, workshop, who) as phone, phone_on(there, workshop, who) as tab:
        for screen in (phone, tab):
            screen.until(lambda s: any(frame["t"] == "mine" for frame in s.heard))
        assert phone.vote(poll)["t"] == "ack"
        seconds = tab.until(lambda screen: own_answers(screen) == {poll.pk: "yes"}, 4.0)
        print(f"ack here → own paper there, ms: {1000 * seconds:.0f}")
        assert seconds < 2.0 + 0.5  # a second of rest, and a busy machine
        assert own_answers(phone) == {}, "who has been acknowledged need not be told again"


def own_answers(screen: Screen) -> dict[int, Any]:
    """What a screen has been told of its own papers, acknowledgements left out."""
    told = [paper for frame in screen.heard if frame["t"] == "mine" for paper in frame["papers"]]
    return {paper["poll"]: paper["value"] for paper in told}


def test_a_launch_on_one_process_reaches_the_phones_of_another(two):
    here, there = two(LIVE_LOOK_SECONDS="60")
    workshop = factories.workshop()
    who = factories.participant(workshop)
    facilitator = factories.staff(workshop.programme)
    client_cookies = factories.signed_in(facilitator).cookies
    hears_the_other(here, there, workshop)
    with phone_on(there, workshop, who) as phone:
        phone.until(lambda screen: "stage" in screen.html)
        assert factories.YES_NO.text not in phone.html["stage"]
        launch_by_http(here, workshop, client_cookies)
        print("launch here → phone there, ms:", round(1000 * phone.until(shows_question, 2.0)))


def shows_question(screen: Screen) -> bool:
    return factories.YES_NO.text in screen.html.get("stage", "")


def launch_by_http(server: Server, workshop, cookies) -> None:
    """The facilitator's gesture, sent as the console's form sends it."""
    import urllib.parse
    import urllib.request

    token = "a" * 32
    jar = "; ".join([f"csrf={token}", *(f"{name}={morsel.value}" for name, morsel in cookies.items())])
    item = workshop.agenda.get(profile=False)
    fields = urllib.parse.urlencode({"csrfmiddlewaretoken": token, "item": item.pk}).encode()
    request = urllib.request.Request(f"{server.url}/workshops/{workshop.code}/do/launch/", data=fields)
    for name, value in {"Cookie": jar, "Origin": server.url, "HX-Request": "true"}.items():
        request.add_header(name, value)
    urllib.request.urlopen(request, timeout=10).close()


def test_without_redis_screens_still_converge_within_five_seconds_and_heal_when_it_is_back(
    two, private_redis
):
    here, there = two()
    workshop = factories.workshop()
    people = [factories.participant(workshop) for _ in range(3)]
    poll = factories.launched(workshop)
    hears_the_other(here, there, workshop)
    with wall_on(there, workshop) as wall:
        wall.until(lambda screen: screen.cast == 0)
        private_redis.kill()
        with phone_on(here, workshop, people[0]) as phone:
            started = time.monotonic()
            assert phone.vote(poll)["t"] == "ack"
            acked = time.monotonic() - started
        seen = wall.until(lambda screen: screen.cast == 1, 5.0)
        print(f"without Redis: ack {1000 * acked:.0f} ms, wall there {1000 * seen:.0f} ms")
        assert acked < 1.0, "announcing is off the way of an acknowledgement"
        private_redis.start()
        time.sleep(4)  # listening again is tried every second; the next look is at most three away
        fastest = [
            _seconds_to_wall(here, wall, workshop, who, poll, n) for n, who in enumerate(people[1:], start=2)
        ]
        print("healed, ms:", [round(1000 * seconds) for seconds in fastest])
        assert min(fastest) <= 2 * TICK + 0.2


def _seconds_to_wall(here: Server, wall: Screen, workshop, who, poll, expected: int) -> float:
    with phone_on(here, workshop, who) as phone:
        assert phone.vote(poll)["t"] == "ack"
        return wall.until(lambda screen: screen.cast == expected, 5.0)


def test_a_gesture_without_redis_reaches_the_other_process_too(two, private_redis):
    _here, there = two()
    workshop = factories.workshop()
    who = factories.participant(workshop)
    with phone_on(there, workshop, who) as phone:
        phone.until(lambda screen: "stage" in screen.html)
        private_redis.kill()
        # In this process no engine runs, as on a server whose announcement got lost.
        facilitation.launch(workshop.pk, None, workshop.agenda.get(profile=False).pk)
        phone.until(shows_question, 5.0)
