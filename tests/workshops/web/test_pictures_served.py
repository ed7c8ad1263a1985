"""An uploaded picture is served to whoever has its address: from memory, for good, and as nothing but a picture."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.testing import ApplicationCommunicator
from django.db import OperationalError
from django.test import Client

from workshops.models import Picture
from workshops.web import picture_cache

from ... import factories
from ...patience import PATIENCE
from ..asgi import end_engine

pytestmark = pytest.mark.usefixtures("quiet_engine", "fresh_counts")
SHA = "0123456789abcdef" * 4
DATA = b"RIFF\x04\0\0\0WEBP"


@pytest.fixture(autouse=True)
def nothing_kept():
    picture_cache._kept.clear()
    yield
    picture_cache._kept.clear()


@pytest.fixture
def picture(transactional_db):
    return Picture.objects.create(
        programme=factories.programme(), sha256=SHA, data=DATA, width=4, height=3, alt="A room"
    )


@pytest.fixture
async def room():
    yield
    await end_engine()


async def get(path: str, method: str = "GET"):
    """Status, headers and body over the real ASGI application."""
    from config.asgi import application

    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
    wire = ApplicationCommunicator(application, scope)
    await wire.send_input({"type": "http.request", "body": b"", "more_body": False})
    start = await wire.receive_output(timeout=PATIENCE)
    body = b""
    while True:
        part = await wire.receive_output(timeout=PATIENCE)
        body += part.get("body", b"")
        if not part.get("more_body"):
            break
    headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return start["status"], headers, body


async def test_a_picture_may_be_kept_for_good_and_is_nothing_but_a_picture(picture, room):
    status, headers, body = await get(f"/pictures/{SHA}.webp")
    assert (status, body) == (200, DATA)
    assert headers["content-type"] == "image/webp"
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "set-cookie" not in headers


async def test_a_hall_that_asks_for_one_asks_the_database_once(picture, room, monkeypatch):
    loads = []
    load = picture_cache.load
    monkeypatch.setattr(picture_cache, "load", lambda sha: loads.append(sha) or load(sha))
    await get(f"/pictures/{SHA}.webp")
    answers = await asyncio.gather(*(get(f"/pictures/{SHA}.webp") for _ in range(50)))
    assert {status for status, _headers, _body in answers} == {200}
    assert loads == [SHA]


async def test_a_head_has_the_length_and_no_body(picture, room):
    status, headers, body = await get(f"/pictures/{SHA}.webp", "HEAD")
    assert (status, headers["content-length"], body) == (200, str(len(DATA)), b"")


async def test_what_is_not_there_is_not_found_and_nothing_can_be_posted(picture, room):
    assert (await get(f"/pictures/{'f' * 64}.webp"))[0] == 404
    assert (await get(f"/pictures/{SHA}.webp", "POST"))[0] == 405


async def test_a_database_that_is_away_is_a_try_later(picture, room, monkeypatch):
    def away(_sha):
        raise OperationalError

    monkeypatch.setattr(picture_cache, "load", away)
    status, headers, _body = await get(f"/pictures/{SHA}.webp")
    assert (status, headers["retry-after"]) == (503, "8")


def test_django_alone_serves_it_with_the_same_headers(picture):
    answer = Client().get(f"/pictures/{SHA}.webp")
    assert (answer.status_code, answer.content) == (200, DATA)
    assert {name: answer[name] for name in picture_cache.HEADERS} == picture_cache.HEADERS
    assert Client().get(f"/pictures/{'f' * 64}.webp").status_code == 404


@pytest.mark.django_db
def test_memory_is_bounded_and_what_was_asked_for_last_stays(monkeypatch):
    monkeypatch.setattr(picture_cache, "KEPT_BYTES", 25)
    programme = factories.programme()
    names = [letter * 64 for letter in "abc"]
    for name in names:
        Picture.objects.create(programme=programme, sha256=name, data=b"x" * 10, width=1, height=1, alt="x")
        picture_cache.load(names[0])
        picture_cache.load(name)
    assert [picture_cache.kept(name) is not None for name in names] == [True, False, True]
