"""A crowd's first looks are answered below the server: with the page that everybody gets, and nobody else's request."""

from __future__ import annotations

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import OperationalError

from workshops.actions import participation
from workshops.live.direct import doorstep
from workshops.models import Participant

from .test_overload import _fresh_counts, ask, consent_url, fill, held, post, running
from .test_socket import _quiet_engine, asked, seat

__all__ = ["_fresh_counts", "_quiet_engine", "asked", "held", "running"]

PAGE = b"HTTP/1.1 503 Service Unavailable\r\n\r\n"


def look(path: str = "/w/ABC234/", *headers: str, method: str = "GET", end: str = "\r\n\r\n") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost:8000", "Accept-Language: cy, en;q=0.5", *headers]
    return ("\r\n".join(lines) + end).encode()


@pytest.fixture
async def full():
    """A door at which everybody is turned away; what it was asked."""
    told: list[tuple[str, str, bool]] = []
    doorstep.keep(lambda *asked: told.append(asked) or PAGE)
    yield told
    doorstep._doors.clear()


@pytest.mark.parametrize("path", ["/", "/w/ABC234/", "/w/abc234/consent/"])
async def test_a_first_look_is_turned_away_with_its_address_and_language(full, path):
    assert doorstep.answer(look(path)) == PAGE
    assert full == [(path, "cy, en;q=0.5", False)]


@pytest.mark.parametrize(
    "data",
    [
        look(method="POST"), look(method="HEAD"), look("/w/ABC234/?change=1"), look("/w/ABC234/profile/"),
        look("/w/ABC234/<script>/"), look("/live/phone/ABC234/"), look("/healthz"), look("/workshops/"),
        look(end="\r\n"), look() + look(), look() + b"x", look("/w/ABC234/", f"X: {'x' * 5000}"),
        look("/w/ABC234/", f"Cookie: a=b; {settings.SEAT_COOKIE_NAME}=1.abc"), b"", b"\x16\x03\x01",
    ],
)  # fmt: skip
async def test_whoever_is_in_every_form_and_all_that_is_not_one_whole_look_is_left_to_the_server(full, data):
    assert doorstep.answer(data) is None
    assert full == []


async def test_the_plain_twin_turns_nobody_away(full, monkeypatch):
    monkeypatch.setattr(settings, "LIVE_DIRECT", False)
    assert doorstep.answer(look()) is None


@pytest.mark.parametrize("header", ["X-Forwarded-Proto: https", "x-forwarded-proto:https"])
async def test_https_is_believed_where_a_proxy_says_it_and_is_expected(full, monkeypatch, header):
    doorstep.answer(look("/w/ABC234/", header))
    monkeypatch.setattr(settings, "HTTPS", True)
    doorstep.answer(look("/w/ABC234/", header))
    assert [is_secure for *_, is_secure in full] == [False, True]


async def test_only_what_a_connection_says_first_is_looked_at(full):
    class Protocol:
        def __init__(self):
            self.read, self.written = [], []
            doorstep.before(self, self.written.append)

        def dataReceived(self, data):
            self.read.append(data)

    talks, looks = Protocol(), Protocol()
    talks.dataReceived(look("/healthz"))
    talks.dataReceived(look())
    looks.dataReceived(look())
    assert (talks.read, talks.written) == ([look("/healthz"), look()], [])
    assert (looks.read, looks.written) == ([], [PAGE])


# --- the page itself --------------------------------------------------------------------------------------------


def read(data: bytes) -> tuple[str, dict[str, str], str]:
    head, _, body = data.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    return first, {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines}, body


@pytest.mark.fault("F24")
async def test_the_page_on_the_doorstep_is_the_one_that_the_long_way_gives(running, held):
    workshop, _poll, who = running
    path = f"/w/{workshop.code}/"
    data = f"GET {path} HTTP/1.1\r\nHost: localhost:8000\r\n\r\n".encode()
    assert doorstep.answer(data) is None, "people may come in"
    joins = await fill(held, workshop)
    long = await ask(path)  # from the first of these it is known how such a page leaves the middlewares
    first, headers, body = read(doorstep.answer(data))
    assert (long.status, first) == (503, "HTTP/1.1 503 Service Unavailable")
    moment = {"retry-after", "expires", "content-length", "date", "connection"}
    same = lambda told: {name: text for name, text in told.items() if name not in moment}  # noqa: E731
    assert same(headers) == same(long.headers)
    assert (headers["connection"], int(headers["content-length"])) == ("close", len(body.encode()))
    assert 2 <= int(headers["retry-after"]) <= 72
    assert body.replace(headers["retry-after"], "…") == long.text.replace(long.headers["retry-after"], "…")
    assert (await ask(path, cookie=seat(who))).status == 200
    held[1].set()
    await asyncio.gather(*joins)


# --- joins are written by the one writer ------------------------------------------------------------------------


async def test_who_joins_is_written_with_the_votes_and_never_by_a_page(running, monkeypatch):
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
    assert set(threads) == {"intake"}
    assert await sync_to_async(Participant.objects.filter(workshop=workshop).count)() == 1 + 5


async def test_who_joins_while_the_database_takes_nothing_is_asked_to_wait_and_keeps_their_ticks(
    running, monkeypatch
):
    workshop, _poll, _who = running

    def locked(joins):
        raise OperationalError("database is locked")

    monkeypatch.setattr(participation, "_let_in", locked)
    answer = await post(consent_url(workshop), {"consent": ["read", "pooled"], "once": "mine"})
    assert (answer.status, int(answer.headers["retry-after"]) > 0) == (503, True)
    assert 'name="consent" value="pooled"' in answer.text
