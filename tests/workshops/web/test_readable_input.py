"""Input that cannot be stored or trusted: characters are lost, addresses lead nowhere, cookies are none; never a 500."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core import mail

from workshops.models import Plan, Role

from ... import factories
from ...factories import phone, signed_in, staff
from .. import asgi
from ..asgi import observer, seat

pytestmark = pytest.mark.django_db

LONG = ["9" * 20, "9" * 30, "9" * 5000]
MULTIPART = "multipart/form-data; boundary=x"


def part(name: str, value: str) -> bytes:
    return f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n--x--\r\n'.encode()


# --- cookies --------------------------------------------------------------------------------------------------------

BROKEN_COOKIES = ['"abcdefgh\\000x"', "abc\x00def", '"\\033[2J"', "é\x9f", '"\\', "=;=", "a" * 5000]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("quiet_engine", "fresh_counts")
async def test_a_broken_cookie_is_none():
    names = ["staff", "csrf", "messages", "participant", "sessionid"]
    got = {
        (name, value, address): (await asgi.ask(address, cookie=f"{name}={value}")).status
        for name in names
        for value in BROKEN_COOKIES
        for address in ("/", "/accounts/login/", "/workshops/", "/wall/abc/")
    }
    assert {asked: status for asked, status in got.items() if status not in (200, 302, 404)} == {}
    await asgi.end_engine()


@pytest.mark.usefixtures("quiet_engine", "fresh_counts")
async def test_a_broken_cookie_takes_no_place_from_those_beside_it(asked, room):
    workshop, _poll, who = asked
    screen = await room(f"/live/phone/{workshop.code}/", cookie=f'a="\\000"; {seat(who)}; staff="\\001"')
    await screen.say({"t": "ping"})
    assert await screen.hear() == {"t": "pong"}


@pytest.mark.usefixtures("quiet_engine", "fresh_counts")
async def test_a_broken_session_opens_no_console_and_is_told_so(asked, room):
    workshop, _poll, _who = asked
    for value in BROKEN_COOKIES:
        cookie = f"{settings.SESSION_COOKIE_NAME}={value}"
        screen = await room(f"/live/console/{workshop.code}/", cookie=cookie)
        assert await screen.ended() == 4401


# --- addresses and queries ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", ["\x00", "a\x00b", "a\u202eb", "a\x1bb", "\r\n"])
@pytest.mark.parametrize("path", ["/{}/", "/static/{}", "/programmes/{}/", "/w/{}/", "/invitation/{}/"])
def test_an_address_with_unreadable_characters_leads_nowhere(client, path, odd):
    response = client.get(path.format(quote(odd)))
    assert response.status_code == 404
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("number", LONG)
def test_a_number_beyond_all_rows_is_no_row(number):
    workshop = factories.workshop()
    client = signed_in(staff(workshop.programme, Role.OWNER))
    code, key = workshop.code, workshop.programme.key
    assert client.get(f"/workshops/{code}/console/?group={number}").status_code == 200
    done = client.post(f"/workshops/{code}/do/joining/", {"look": number, "said_at": "all-said", "rev": "x"})
    assert done.status_code == 422
    assert client.get(f"/workshops/{code}/items/{number}/").status_code == 404
    assert client.get(f"/workshops/{code}/?after={number}").status_code == 200
    assert client.get(f"/programmes/{key}/log/?after={number}&who={number}").status_code == 200
    assert client.get(f"/programmes/{key}/questions/?page={number}").status_code == 200


@pytest.mark.parametrize("number", LONG)
def test_a_form_with_a_number_beyond_all_rows_finds_none(number):
    workshop = factories.workshop(started=False)
    programme = workshop.programme
    plan = Plan.objects.create(programme=programme, key="hour", title="An hour")
    client = signed_in(staff(programme, Role.OWNER))
    bring = client.post(f"/programmes/{programme.key}/plans/{plan.key}/bring/", {"workshop": number})
    assert bring.status_code in (200, 302, 422)
    known = {"do": "known", "ref": f"question-{number}", "after": number}
    assert client.post(f"/workshops/{workshop.code}/add/", known).status_code in (200, 302, 422)
    domains = {"do": "domains", "pk": number, "title": "Air", "description": "", "move": f"{number}:up"}
    assert client.post(f"/programmes/{programme.key}/settings/", domains).status_code < 500


# --- forms ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"nonsense", "multipart/form-data"),
        (b"nonsense", MULTIPART),
        (b"--x\r\nContent-Disposition: form-data", MULTIPART),
        (b"code=%80&code=\xff", "application/x-www-form-urlencoded"),
        (b"code=\xff\xfe", "application/x-www-form-urlencoded; charset=utf-16"),
        (part("code", "+2AA-"), f"{MULTIPART}; charset=utf-7"),
        (part("code", "00"), f"{MULTIPART}; charset=hex"),
        (part("code", "a"), f"{MULTIPART}; charset=no-such"),
        (b"code=a", "text/plain"),
        (b"{", "application/json"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/accounts/login/"])
def test_a_form_that_cannot_be_taken_apart_is_answered_in_a_sentence(client, path, body, kind):
    response = client.generic("POST", path, body, content_type=kind)
    assert response.status_code in (200, 400, 404)
    assert "<h1>" in response.content.decode()


def test_what_browsers_cannot_send_is_answered_with_a_plain_page(client):
    response = client.generic("POST", "/accounts/login/", b"nonsense", "multipart/form-data")
    assert response.status_code == 400
    assert "This could not be read" in response.content.decode()


def test_too_many_fields_are_answered_with_a_plain_page(client):
    body = b"&".join(b"a=1" for _ in range(2000))
    response = client.post("/accounts/login/", body, content_type="application/x-www-form-urlencoded")
    assert (response.status_code, "This could not be read" in response.content.decode()) == (400, True)


# --- what staff type ------------------------------------------------------------------------------------------------

ODD = "W\x00ar\u202em\u2066\x07 a\x1bnd\ud800 calm"


def post(client, path, fields):
    """As a browser that breaks the rules: lone surrogates are sent as they are."""
    pairs = "&".join(
        f"{name}={quote(value.encode('utf-8', 'surrogatepass'))}" for name, value in fields.items()
    )
    return client.post(path, pairs, content_type="application/x-www-form-urlencoded")


def test_staff_lose_controls_and_overrides_of_direction_and_keep_their_words():
    workshop = factories.workshop(started=False)
    client = signed_in(staff(workshop.programme, Role.OWNER))
    response = post(client, f"/workshops/{workshop.code}/keep-as-plan/", {"title": ODD})
    assert response.status_code == 302
    assert Plan.objects.get().title == "Warm and\ufffd\ufffd\ufffd calm"


def test_lines_and_indents_of_a_long_text_stay():
    programme = factories.workshop(started=False).programme
    client = signed_in(staff(programme, Role.OWNER))
    text = "One\r\n\r\n  two\x00\n\tthree"
    post(client, f"/programmes/{programme.key}/settings/sheet/", {"text": text, "lead": "", "save": "1"})
    typed = client.post(f"/programmes/{programme.key}/settings/sheet/", {"text": text}).content.decode()
    assert "\x00" not in typed
    assert "  two" in typed


def test_a_message_to_all_groups_is_stored_without_them():
    workshop = factories.workshop()
    client = signed_in(staff(workshop.programme))
    response = post(
        client, f"/workshops/{workshop.code}/do/quick_poll/", {"text": ODD, "options": "A\x00\nB"}
    )
    assert response.status_code == 302
    assert workshop.agenda.latest("pk").title == "Warm and\ufffd\ufffd\ufffd calm"


def test_a_carriage_return_in_a_title_breaks_no_mail():
    programme = factories.programme(title="Ours\r\nBcc: x@example.org\rand\nmore")
    client = signed_in(staff(programme, Role.OWNER))
    form = {"email": "new@example.org", "role": Role.RESEARCHER, "do": "invite", "once": "a" * 32}
    assert client.post(f"/programmes/{programme.key}/people/", form).status_code == 302
    assert mail.outbox[0].subject == "You are invited to Ours Bcc: x@example.org and more"


# --- what was done is said from the session -------------------------------------------------------------------------


def test_no_cookie_carries_what_was_said():
    programme = factories.programme()
    client = signed_in(staff(programme, Role.OWNER))
    form = {"email": "new@example.org", "role": Role.RESEARCHER, "once": "a" * 32}
    response = client.post(f"/programmes/{programme.key}/people/", form)
    assert "new@example.org" not in "".join(cookie.value for cookie in response.cookies.values())
    assert "messages" not in response.cookies
    assert "new@example.org" in client.get(f"/programmes/{programme.key}/people/").content.decode()


async def test_an_observer_without_a_poll_is_answered(asked, quiet_engine, fresh_counts):
    workshop, _poll, _who = asked
    cookie = await sync_to_async(observer)(workshop)
    answer = await asgi.ask(f"/w/{workshop.code}/?listen=after-{'9' * 5000}", cookie=cookie)
    assert answer.status in (200, 302)
    await asgi.end_engine()


def test_a_phone_is_told_that_its_form_could_not_be_read():
    workshop = factories.workshop()
    client = phone(factories.participant(workshop))
    response = client.generic("POST", f"/w/{workshop.code}/vote/", b"nonsense", "multipart/form-data")
    assert response.status_code == 400
