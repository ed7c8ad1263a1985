"""Who is sent away at the gate gets the page that everybody else gets, for less work; nothing is let past a check."""

from __future__ import annotations

import asyncio
import threading

import pytest
from allauth.account.views import LoginView
from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpResponse

from config.asgi import application
from workshops import waiting
from workshops.live import pages
from workshops.live.gate import KINDS_KEPT, Gate

from . import factories
from .test_overload import (
    TOKEN,
    _fresh_counts,
    ask,
    consent_url,
    fill,
    held,
    hidden,
    is_strict,
    post,
    running,
)  # fmt: skip
from .test_socket import _quiet_engine, asked, seat, vote

__all__ = ["_fresh_counts", "_quiet_engine", "asked", "held", "running"]

ENGLISH = {"HTTP_ACCEPT_LANGUAGE": "en"}
POLICY = "Content-Security-Policy"


def five() -> float:
    return 5.0


@pytest.fixture
def passed(rf):
    """A page that waits, as it left the middlewares."""
    response = waiting.page(rf.get("/w/A/", **ENGLISH), waiting.FULL, 5)
    for name, value in {
        "Content-Language": "en-gb",
        POLICY: "default-src 'none'",
        "Content-Length": "9",
    }.items():
        response.headers[name] = value
    return response


@pytest.fixture
def gate(rf, passed):
    made = Gate()
    made.learn(rf.get("/w/A/", **ENGLISH), passed)
    return made


def test_the_page_at_the_gate_has_the_headers_of_the_one_before_and_what_was_sent_itself(rf, gate, passed):
    sent = {"consent": ["read", "pooled"], "once": "<mine>"}
    answer = gate.send_away(
        rf.post("/w/A/consent/", sent, HTTP_ORIGIN="http://testserver", **ENGLISH), waiting.FULL, lambda: 7.2
    )
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "8")
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert sorted(answer.headers) == sorted(passed.headers)
    assert answer.headers[POLICY] == passed.headers[POLICY]
    assert hidden(answer.content.decode()) == [("consent", "read"), ("consent", "pooled"), ("once", "<mine>")]


@pytest.mark.parametrize(
    "other",
    [{"HTTP_ORIGIN": "http://evil.example"}, {"HTTP_HOST": "evil.example"}, {"HTTP_ACCEPT_LANGUAGE": "cy"}],
)
def test_a_form_of_another_site_another_address_and_another_language_go_the_long_way(rf, gate, other):
    assert gate.send_away(rf.post("/w/A/consent/", {}, **(ENGLISH | other)), waiting.FULL, five) is None
    assert gate.send_away(rf.get("/w/A/", secure=True, **ENGLISH), waiting.FULL, five) is None


def test_nothing_is_learnt_from_a_page_that_is_for_one_person_or_says_something_else(rf, passed):
    asking, made = rf.get("/w/A/", **ENGLISH), Gate()
    made.learn(asking, HttpResponse(status=503))
    made.learn(asking, HttpResponse(headers=dict(passed.headers)))
    passed.headers[POLICY] = "script-src 'nonce-abc'"
    made.learn(asking, passed)
    passed.headers[POLICY] = "default-src 'none'"
    passed.set_cookie("mine", "1")
    made.learn(asking, passed)
    assert made.send_away(asking, waiting.FULL, five) is None


@pytest.mark.fault("F24")
async def test_everybody_at_a_full_door_gets_the_same_page_and_who_is_in_gets_in(running, held):
    workshop, _poll, who = running
    joins = await fill(held, workshop)
    answers = [await post(consent_url(workshop), {"consent": "read", "once": f"o{n}"}) for n in range(3)]
    assert [answer.status for answer in answers] == [503, 503, 503]
    differ = ("retry-after", "expires")  # the moment, and a wait that is nobody else's
    told = [{name: text for name, text in answer.headers.items() if name not in differ} for answer in answers]
    assert told[0] == told[1] == told[2]
    assert is_strict(told[2]["content-security-policy"])
    assert [hidden(answer.text) for answer in answers] == [
        [("csrfmiddlewaretoken", TOKEN), ("consent", "read"), ("once", f"o{n}")] for n in range(3)
    ]
    assert (await ask(f"/w/{workshop.code}/", cookie=seat(who))).status == 200
    held[1].set()
    await asyncio.gather(*joins)


def test_a_form_that_cannot_be_read_is_left_to_the_long_way_which_refuses_it(rf, gate):
    broken = rf.post("/w/A/", b"x", content_type="multipart/form-data", **ENGLISH)
    many = rf.get("/w/A/?" + "a=1&" * (settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1), **ENGLISH)
    assert gate.send_away(broken, waiting.FULL, five) is None
    assert gate.send_away(many, waiting.FULL, five) is None


def test_odd_languages_push_the_oldest_out_and_keep_nobody_out(rf, gate, passed):
    for number in range(KINDS_KEPT + 5):
        gate.learn(rf.get("/w/A/", HTTP_ACCEPT_LANGUAGE=f"x-{number}"), passed)
    newest = rf.get("/w/A/", HTTP_ACCEPT_LANGUAGE=f"x-{KINDS_KEPT + 4}")
    assert gate.send_away(newest, waiting.FULL, five).status_code == 503
    assert len(gate._kept) == KINDS_KEPT


# --- strangers at the doors of staff ----------------------------------------------------------------------------


@pytest.fixture
async def crowded(running, monkeypatch):
    """Every place of strangers is taken by a sign-in page that takes its time; nobody may wait."""
    monkeypatch.setattr(settings, "PAGES_WAITING", 0)
    inside, go = threading.Semaphore(0), threading.Event()
    show = LoginView.get

    def slow(*args, **kwargs):
        inside.release()
        assert go.wait(20)
        return show(*args, **kwargs)

    monkeypatch.setattr(LoginView, "get", slow)
    looking = [asyncio.ensure_future(ask("/accounts/login/")) for _ in range(settings.PAGES_AT_ONCE // 2)]
    assert await asyncio.to_thread(inside.acquire, timeout=20)
    yield running, go
    go.set()
    assert {answer.status for answer in await asyncio.gather(*looking)} == {200}


@pytest.mark.fault("F24")
async def test_a_stranger_too_many_at_the_sign_in_page_waits_on_a_page_that_keeps_no_passphrase(crowded):
    typed = {"login": "ann@example.org", "password": "a long secret of mine"}
    for answer in (await post("/accounts/login/", typed), await ask("/accounts/login/?next=/workshops/")):
        assert (answer.status, is_strict(answer.headers["content-security-policy"])) == (503, True)
        assert int(answer.headers["retry-after"]) >= 2
        assert 'method="get" action="/accounts/login/"' in answer.text
        assert "secret" not in answer.text
        assert "ann@example.org" not in answer.text
    assert hidden(answer.text) == [("next", "/workshops/")]


@pytest.mark.fault("F24")
async def test_phones_vote_and_come_in_while_strangers_crowd_the_sign_in_page(crowded):
    (workshop, poll, who), _go = crowded
    address = f"/w/{workshop.code}/vote/"
    assert (await post(address, frame=vote(poll), cookie=seat(who))).status == 200
    assert (await ask(f"/w/{workshop.code}/")).status == 200


@pytest.mark.fault("F24")
async def test_who_has_a_session_is_no_stranger(crowded):
    (workshop, _poll, _who), go = crowded
    facilitator = await sync_to_async(lambda: factories.signed_in(factories.staff(workshop.programme)))()
    session = f"{settings.SESSION_COOKIE_NAME}={facilitator.cookies[settings.SESSION_COOKIE_NAME].value}"
    console = asyncio.ensure_future(ask(f"/workshops/{workshop.code}/console/", cookie=session))
    await asyncio.sleep(0)
    go.set()
    assert (await console).status == 200


@pytest.mark.fault("F24")
async def test_a_wall_is_no_stranger(crowded):
    (workshop, _poll, _who), go = crowded
    wall = asyncio.ensure_future(ask(f"/wall/{workshop.wall_key}/"))
    await asyncio.sleep(0)
    go.set()
    assert (await wall).status == 200


@pytest.mark.fault("F24")
async def test_a_stranger_who_sends_slowly_holds_no_place(running, monkeypatch):
    monkeypatch.setattr(settings, "PAGES_WAITING", 0)
    slow = [asyncio.Event() for _ in range(settings.PAGES_AT_ONCE)]
    answers: list[int] = []

    async def trickle(event):
        told: list[bool] = []

        async def receive():
            await event.wait()
            if told:
                await asyncio.Event().wait()
            told.append(True)
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            if message["type"] == "http.response.start":
                answers.append(message["status"])

        headers = [(b"host", b"localhost:8000"), (b"content-length", b"9")]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/accounts/login/",
            "query_string": b"",
            "headers": headers,
        }
        await application(scope | {"client": ("192.0.2.9", 1), "root_path": ""}, receive, send)

    sending = [asyncio.ensure_future(trickle(event)) for event in slow]
    await asyncio.sleep(0.05)
    assert (await ask("/accounts/login/")).status == 200
    for event in slow:
        event.set()
    await asyncio.gather(*sending)
    assert len(answers) == len(slow)
    assert pages.BODY_SECONDS < 60
