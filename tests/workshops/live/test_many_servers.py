"""Several server processes serve one workshop: they share a database, and Redis carries names between them.

Runs on the database of the test run: on PostgreSQL in the first pass of `.ci/run`, on an SQLite file in the
second. Two real processes, real sockets, a Redis that is really killed.
"""

from __future__ import annotations

import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings

from workshops.actions import facilitation

from ... import factories, services
from ...browser.server import Server, start_server
from ...patience import PATIENCE, until
from ...socket_screens import Screen, console_on, cookie_of, observer_on, phone_on, wall_on
from .two_servers import BY_REDIS_ALONE, hears_the_other, shows_question

pytestmark = pytest.mark.stack


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


def test_a_vote_on_one_process_is_on_the_wall_of_another(two, private_redis, record_property):
    here, there = two(**BY_REDIS_ALONE)
    workshop = factories.workshop()
    people = [factories.participant(workshop) for _ in range(5)]
    poll = factories.launched(workshop)
    hears_the_other(here, there, workshop, private_redis)
    taken = []
    with wall_on(there, workshop) as wall:
        wall.until(lambda screen: screen.cast == 0)
        for number, who in enumerate(people, start=1):
            with phone_on(here, workshop, who) as phone:
                assert phone.vote(poll)["t"] == "ack"
                taken.append(wall.until(lambda screen, n=number: screen.cast == n))
    record_property("seconds from ack to the other process's wall", taken)
    print("ack here → wall there, ms:", [round(1000 * seconds) for seconds in taken])


def test_an_answer_on_one_process_is_on_the_same_persons_tab_of_another(two, private_redis):
    here, there = two(**BY_REDIS_ALONE)
    workshop = factories.workshop()
    who = factories.participant(workshop)
    poll = factories.launched(workshop)
    hears_the_other(here, there, workshop, private_redis)
    with phone_on(here, workshop, who) as phone, phone_on(there, workshop, who) as tab:
        for screen in (phone, tab):
            screen.until(lambda s: any(frame["t"] == "mine" for frame in s.heard))
        assert phone.vote(poll)["t"] == "ack"
        seconds = tab.until(lambda screen: own_answers(screen) == {poll.pk: "yes"})
        print(f"ack here → own paper there, ms: {1000 * seconds:.0f}")
        assert own_answers(phone) == {}, "who has been acknowledged need not be told again"


def own_answers(screen: Screen) -> dict[int, Any]:
    """What a screen has been told of its own papers, acknowledgements left out."""
    told = [paper for frame in screen.heard if frame["t"] == "mine" for paper in frame["papers"]]
    return {paper["poll"]: paper["fields"]["choice"][0] for paper in told}


def test_a_launch_on_one_process_reaches_the_phones_of_another(two, private_redis):
    here, there = two(**BY_REDIS_ALONE)
    workshop = factories.workshop()
    who = factories.participant(workshop)
    facilitator = factories.staff(workshop.programme)
    client_cookies = factories.signed_in(facilitator).cookies
    hears_the_other(here, there, workshop, private_redis)
    with phone_on(there, workshop, who) as phone:
        phone.until(lambda screen: "stage" in screen.html)
        assert factories.YES_NO.text not in phone.html["stage"]
        launch_by_http(here, workshop, client_cookies)
        print("launch here → phone there, ms:", round(1000 * phone.until(shows_question)))


def test_rights_that_end_on_one_process_end_the_sockets_of_another(two, private_redis):
    here, there = two(**BY_REDIS_ALONE)
    workshop = factories.workshop()
    who = factories.participant(workshop)
    client = factories.signed_in(factories.staff(workshop.programme))
    hears_the_other(here, there, workshop, private_redis)
    own = {name: morsel.value for name, morsel in client.cookies.items()}
    staff = f"{settings.SESSION_COOKIE_NAME}={own[settings.SESSION_COOKIE_NAME]}"
    with console_on(there, workshop, staff) as console, phone_on(there, workshop, who) as phone:
        for screen in (console, phone):
            screen.until(lambda s: "stage" in s.html)
        post(here, "/accounts/logout/", staff)
        post(here, f"/w/{workshop.code}/leave/", cookie_of(who))
        assert [screen.ended() for screen in (console, phone)] == [4401, 4401]


def test_who_listens_at_one_process_is_counted_on_the_console_of_another(two, private_redis):
    here, there = two(**BY_REDIS_ALONE)
    workshop = factories.workshop()
    client = factories.signed_in(factories.staff(workshop.programme))
    hears_the_other(here, there, workshop, private_redis)
    name = settings.SESSION_COOKIE_NAME
    with console_on(there, workshop, f"{name}={client.cookies[name].value}") as console:
        console.until(lambda screen: "room" in screen.html)
        assert "listen" not in console.html["room"]
        with observer_on(here, workshop), observer_on(there, workshop):
            console.until(lambda screen: "2 people listen" in screen.html["room"])


def launch_by_http(server: Server, workshop, cookies) -> None:
    """The facilitator's gesture, sent as the console's form sends it."""
    jar = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
    item = workshop.agenda.get(profile=False)
    post(server, f"/workshops/{workshop.code}/do/launch/", jar, item=item.pk)


def post(server: Server, address: str, cookie: str, **fields: Any) -> None:
    token = "a" * 32
    body = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **fields}).encode()
    headers = {"Cookie": f"csrf={token}; {cookie}", "Origin": server.url, "HX-Request": "true"}
    request = urllib.request.Request(f"{server.url}{address}", data=body, headers=headers)
    urllib.request.urlopen(request, timeout=PATIENCE).close()


def test_without_redis_screens_still_converge_and_heal_when_it_is_back(two, private_redis):
    here, there = two()
    workshop = factories.workshop()
    people = [factories.participant(workshop) for _ in range(2)]
    poll = factories.launched(workshop)
    hears_the_other(here, there, workshop, private_redis)
    with wall_on(there, workshop) as wall:
        wall.until(lambda screen: screen.cast == 0)
        private_redis.kill()
        with phone_on(here, workshop, people[0]) as phone:
            assert phone.vote(poll)["t"] == "ack"
        wall.until(lambda screen: screen.cast == 1)
        private_redis.start()
        until(lambda: private_redis.listeners == 2)
        with phone_on(here, workshop, people[1]) as phone:
            assert phone.vote(poll)["t"] == "ack"
        wall.until(lambda screen: screen.cast == 2)


def test_a_gesture_without_redis_reaches_the_other_process_too(two, private_redis):
    _here, there = two()
    workshop = factories.workshop()
    who = factories.participant(workshop)
    with phone_on(there, workshop, who) as phone:
        phone.until(lambda screen: "stage" in screen.html)
        private_redis.kill()
        # In this process no engine runs, as on a server whose announcement got lost.
        facilitation.launch(workshop.pk, None, workshop.agenda.get(profile=False).pk)
        phone.until(shows_question)
