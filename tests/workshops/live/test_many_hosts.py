"""Several hosts serve one workshop: own addresses, own network, PostgreSQL and Redis reached over a wire.

Three network namespaces of this machine stand for three hosts: one with PostgreSQL and Redis, from which people come
too, and two with a server process each. That they share a processor is the only thing that is not as between real ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from ... import factories, network_hosts, own_database, services
from ...browser.server import Server, start_server
from ...socket_screens import phone_on, wall_on
from .two_servers import BY_REDIS_ALONE, hears_the_other, shows_question

pytestmark = pytest.mark.stack


@dataclass
class Two:
    """A server on each of two hosts."""

    here: Server
    there: Server
    first: network_hosts.Host
    second: network_hosts.Host
    redis: services.Redis


@pytest.fixture
def two(request, tmp_path, django_db_blocker) -> Iterator[Two]:
    with network_hosts.network(2) as (first, second), django_db_blocker.unblock():
        postgres, redis = services.Postgres(network_hosts.MIDDLE), services.Redis(network_hosts.MIDDLE)
        servers: list[Server] = []
        try:
            with services.or_skip():
                postgres.start()
                redis.start()
            address = postgres.create("ours")
            own_database.migrate(address)
            with own_database.standing_on(address):
                for host in (first, second):
                    with host.inside():
                        servers.append(_serve(request, tmp_path, host, address, redis))
                yield Two(*servers, first, second, redis)
            assert [server.errors for server in servers if server.errors] == []
        finally:
            for each in servers:
                each.stop()
            redis.close()
            postgres.close()


def _serve(request, place, host: network_hosts.Host, address: str, redis: services.Redis) -> Server:
    environment = {"DATABASE_URL": address, "REDIS_URL": redis.url, "ALLOWED_HOSTS": host.address}
    environment |= getattr(request, "param", {})
    return start_server(place, server="uvicorn", host=host.address, **environment)


@pytest.mark.parametrize("two", [BY_REDIS_ALONE], indirect=True, ids=["no look"])
def test_a_vote_on_one_host_is_on_the_wall_of_another(two, record_property):
    workshop = factories.workshop()
    people = [factories.participant(workshop) for _ in range(5)]
    poll = factories.launched(workshop)
    hears_the_other(two.here, two.there, workshop, two.redis)
    taken = []
    with wall_on(two.there, workshop) as wall:
        wall.until(lambda screen: screen.cast == 0)
        for number, who in enumerate(people, start=1):
            with phone_on(two.here, workshop, who) as phone:
                assert phone.vote(poll)["t"] == "ack"
                taken.append(wall.until(lambda screen, n=number: screen.cast == n))
    record_property("seconds from ack to the other host's wall", taken)
    print("ack on one host → wall of the other, ms:", [round(1000 * seconds) for seconds in taken])


def test_a_host_that_was_cut_off_shows_everything_again_and_the_other_never_noticed(two):
    workshop = factories.workshop()
    people = [factories.participant(workshop) for _ in range(2)]
    poll = factories.launched(workshop)
    hears_the_other(two.here, two.there, workshop, two.redis)
    with wall_on(two.there, workshop) as cut_off, wall_on(two.here, workshop) as wall:
        for screen in (cut_off, wall):
            screen.until(lambda s: s.cast == 0)
        two.second.cut()
        with phone_on(two.here, workshop, people[0]) as phone:
            assert phone.vote(poll)["t"] == "ack"
        wall.until(lambda screen: screen.cast == 1)
        two.second.mend()
        # The line itself takes a second or two to notice; then a look is at most three seconds away.
        print(f"back on the wall after {cut_off.until(lambda screen: screen.cast == 1):.1f} s")
        with phone_on(two.there, workshop, people[1]) as phone:
            phone.until(shows_question)
            assert phone.vote(poll, op="op2")["t"] == "ack"
        wall.until(lambda screen: screen.cast == 2)
