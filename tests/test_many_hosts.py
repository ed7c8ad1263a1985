"""Several hosts serve one workshop: own addresses, own network, PostgreSQL and Redis reached over a wire.

Three network namespaces of this machine stand for three hosts: one with PostgreSQL and Redis, from which people come
too, and two with a server process each. That they share a processor is the only thing that is not as between real ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from . import factories, grounds, hosts, services
from .browser.server import Server, start_server
from .test_many_servers import TICK, hears_the_other, shows_question
from .wire import phone_on, wall_on

pytestmark = pytest.mark.redis


@dataclass
class Two:
    """A server on each of two hosts."""

    here: Server
    there: Server
    first: hosts.Host
    second: hosts.Host


@pytest.fixture
def two(request, tmp_path, django_db_blocker) -> Iterator[Two]:
    with hosts.network(2) as (first, second), django_db_blocker.unblock():
        postgres, redis = services.Postgres(hosts.MIDDLE), services.Redis(hosts.MIDDLE)
        servers: list[Server] = []
        try:
            with services.or_skip():
                postgres.start()
                redis.start()
            address = postgres.create("ours")
            grounds.migrate(address)
            with grounds.standing_on(address):
                for host in (first, second):
                    with host.inside():
                        servers.append(_serve(request, tmp_path, host, address, redis))
                yield Two(*servers, first, second)
            assert [server.errors for server in servers if server.errors] == []
        finally:
            for each in servers:
                each.stop()
            redis.close()
            postgres.close()


def _serve(request, place, host: hosts.Host, address: str, redis: services.Redis) -> Server:
    environment = {"DATABASE_URL": address, "REDIS_URL": redis.url, "ALLOWED_HOSTS": host.address}
    environment |= getattr(request, "param", {})
    return start_server(place, server="uvicorn", host=host.address, **environment)


BY_REDIS_ALONE = pytest.mark.parametrize("two", [{"LIVE_LOOK_SECONDS": "60"}], indirect=True, ids=["no look"])


@BY_REDIS_ALONE
def test_a_vote_on_one_host_is_on_the_wall_of_another_within_two_ticks(two, record_property):
    workshop = factories.workshop()
    people = [factories.participant(workshop) for _ in range(5)]
    poll = factories.launched(workshop)
    hears_the_other(two.here, two.there, workshop)
    taken = []
    with wall_on(two.there, workshop) as wall:
        wall.until(lambda screen: screen.cast == 0)
        for number, who in enumerate(people, start=1):
            time.sleep(3 * TICK)
            with phone_on(two.here, workshop, who) as phone:
                assert phone.vote(poll)["t"] == "ack"
                taken.append(wall.until(lambda screen, n=number: screen.cast == n, 2.0))
    record_property("seconds from ack to the other host's wall", taken)
    print("ack on one host → wall of the other, ms:", [round(1000 * seconds) for seconds in taken])
    # Two ticks are promised; the median of five stays far below even on a machine that is busy with other tests.
    assert sorted(taken)[2] <= 2 * TICK + 0.1


def test_a_host_that_was_cut_off_shows_everything_again_and_the_other_never_noticed(two):
    workshop = factories.workshop()
    people = [factories.participant(workshop) for _ in range(2)]
    poll = factories.launched(workshop)
    hears_the_other(two.here, two.there, workshop)
    with wall_on(two.there, workshop) as cut_off, wall_on(two.here, workshop) as wall:
        for screen in (cut_off, wall):
            screen.until(lambda s: s.cast == 0)
        two.second.cut()
        with phone_on(two.here, workshop, people[0]) as phone:
            assert phone.vote(poll)["t"] == "ack"
        wall.until(lambda screen: screen.cast == 1, 1.0)
        two.second.mend()
        # The line itself takes a second or two to notice; then a look is at most three seconds away.
        print(f"back on the wall after {cut_off.until(lambda screen: screen.cast == 1, 10.0):.1f} s")
        with phone_on(two.there, workshop, people[1]) as phone:
            phone.until(shows_question)
            assert phone.vote(poll, op="op2")["t"] == "ack"
        wall.until(lambda screen: screen.cast == 2, 5.0)
