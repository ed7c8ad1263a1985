"""Which screen opens to whom: every address of a websocket, every kind of person, their own workshop and a foreign one.

A new address fails here until `WHO_MAY` says for whom it is. The matrix of pages is `tests/project/test_who_may.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings

from workshops.models import Role, Workshop
from workshops.people import invitations
from workshops.routing import websocket_urlpatterns

from ... import factories
from ..asgi import observer, seat

pytestmark = pytest.mark.usefixtures("quiet_engine", "fresh_counts")

#: by the address's pattern: who is let in to their own workshop
WHO_MAY: dict[str, frozenset[str]] = {
    "live/phone/<slug:code>/": frozenset({"participant", "observer"}),
    # its address is its key
    "live/wall/<slug:key>/": frozenset(
        ("nobody", "stranger", "participant", "observer", "owner", "facilitator", "guest", "researcher")
    ),
    "live/console/<slug:code>/": frozenset({"owner", "facilitator", "guest"}),
    "^.*$": frozenset(),
}
#: a wall's key is the right to it, whoever has it
FOREIGN = {"live/wall/<slug:key>/": WHO_MAY["live/wall/<slug:key>/"]}


@dataclass
class World:
    own: Workshop
    #: of the same programme, and of another one
    other: Workshop
    foreign: Workshop
    cookies: dict[str, str]


@pytest.fixture
def world(transactional_db) -> World:
    own = factories.workshop()
    cookies = {
        "nobody": "",
        "stranger": session(factories.person()),
        "participant": seat(factories.participant(own)),
        "observer": observer(own),
        "guest": factories.person(),
    }
    for role in Role:
        cookies[str(role)] = session(factories.staff(own.programme, role))
    invitations.add_member(own.programme, cookies["guest"], Role.FACILITATOR, own)
    cookies["guest"] = session(cookies["guest"])
    return World(own, factories.workshop(own.programme), factories.workshop(), cookies)


def session(user) -> str:
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={factories.signed_in(user).cookies[name].value}"


def address(pattern: str, of: Workshop) -> str:
    written = pattern.replace("<slug:code>", of.code).replace("<slug:key>", of.wall_key)
    return "/live/nowhere/" if pattern.startswith("^") else f"/{written}"


async def is_let_in(room, path: str, cookie: str) -> bool:
    screen = await room(path, cookie=cookie)
    await screen.say({"t": "ping"})
    message = await screen.wire.receive_output(timeout=60)
    return message["type"] == "websocket.send"


def patterns() -> list[str]:
    return [str(route.pattern) for route in websocket_urlpatterns]


def test_the_table_names_every_address_of_a_socket_and_no_other():
    assert sorted(patterns()) == sorted(WHO_MAY)


async def test_every_socket_opens_to_exactly_those_who_may(world, room):
    for pattern in patterns():
        let_in = {
            kind
            for kind, cookie in world.cookies.items()
            if await is_let_in(room, address(pattern, world.own), cookie)
        }
        assert let_in == WHO_MAY[pattern], pattern


@pytest.mark.parametrize("whose", ["foreign", "other"])
async def test_a_foreign_workshops_sockets_open_to_nobody(world, room, whose):
    runs_all = {"owner", "facilitator"} if whose == "other" else set()
    for pattern in patterns():
        let_in = {
            kind
            for kind, cookie in world.cookies.items()
            if await is_let_in(room, address(pattern, getattr(world, whose)), cookie)
        }
        assert let_in == FOREIGN.get(pattern, WHO_MAY[pattern] & runs_all), pattern


async def test_an_observers_socket_opens_only_where_people_may_listen(world, room):
    await sync_to_async(Workshop.objects.filter(pk=world.own.pk).update)(observers=False)
    path = address("live/phone/<slug:code>/", world.own)
    assert not await is_let_in(room, path, world.cookies["observer"])
    assert await is_let_in(room, path, world.cookies["participant"])
