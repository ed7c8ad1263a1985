"""Signing in: what a passphrase may not be, whom wrong ones stop, and what a reset tells."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail.backends.locmem import EmailBackend
from django.db import OperationalError
from django.http.response import HttpResponseBase
from django.test import Client

from workshops.actions import accounts
from workshops.models import Role
from workshops.people.invitations import add_member, create_user

from ... import factories

pytestmark = pytest.mark.django_db
PASSWORD = "four plain words together"
EMAIL = "ada.lovelace@example.org"


@pytest.fixture
def ada():
    return create_user(EMAIL, PASSWORD)


def sign_in(browser, password=PASSWORD, source="192.0.2.1"):
    return browser.post("/accounts/login/", {"login": EMAIL, "password": password}, REMOTE_ADDR=source)


@pytest.mark.parametrize("password", [
    "passwordpassword", "123456789012", "aaaaaaaaaaaa", "letmeinletmein", "visionworkshops", "abababababab",
    "qwertyuiop12", "Vision-Workshops!!", "ada.lovelace@example.org", "lovelace-ada-1",
])  # fmt: skip
def test_a_passphrase_that_is_easy_to_guess_is_refused(ada, password):
    with pytest.raises(ValidationError):
        validate_password(password, ada)


@pytest.mark.parametrize("password", [PASSWORD, "seven otters under the pier", "x7Tq9-mm2Lp-Zz41"])
def test_words_in_a_row_and_random_letters_are_accepted(ada, password):
    validate_password(password, ada)


@pytest.mark.once
def test_passwords_are_hashed_with_argon2():
    source = (settings.BASE_DIR / "config" / "settings.py").read_text()
    assert re.search(r"PASSWORD_HASHERS = \[\s+\"[\w.]+\.(\w+)\"", source)[1] == "Argon2PasswordHasher"


def test_wrong_passwords_from_elsewhere_lock_nobody_out(ada):
    for _ in range(6):
        stopped = sign_in(Client(), "wrong", source="198.51.100.9")
    assert "Too many tries." in stopped.content.decode()
    assert sign_in(Client(), source="198.51.100.9").status_code == 200, "the guesser is stopped"
    assert sign_in(Client()).status_code == 302


def test_a_device_that_has_signed_in_before_has_a_count_of_its_own(ada):
    known = Client()
    sign_in(known)
    del known.cookies[settings.SESSION_COOKIE_NAME]
    for _ in range(6):
        sign_in(Client(), "wrong")
    assert sign_in(Client()).status_code == 200, "the same source, a device that nobody knows"
    assert sign_in(known).status_code == 302
    forged = Client()
    for name in known.cookies:
        if name.startswith(settings.DEVICE_COOKIE_PREFIX):
            forged.cookies[name] = "made-up:forged:cookie"
            assert EMAIL not in name + known.cookies[name].value
    assert sign_in(forged).status_code == 200


@pytest.fixture
def _few_from_everywhere(settings):
    settings.SIGN_IN_FAILURES_EVERYWHERE = "10/h/key"


@pytest.mark.usefixtures("_few_from_everywhere")
def test_a_guess_from_many_sources_is_slowed_down_and_a_known_device_is_not(ada):
    known = Client()
    sign_in(known)
    del known.cookies[settings.SESSION_COOKIE_NAME]
    for number in range(11):
        stopped = sign_in(Client(), "wrong", source=f"198.51.100.{number}")
    assert "Too many tries." in stopped.content.decode()
    assert sign_in(Client(), source="203.0.113.1").status_code == 200, "the right password, a new device"
    assert sign_in(known).status_code == 302


@pytest.mark.usefixtures("_few_from_everywhere")
def test_right_passwords_do_not_count_as_guesses(ada):
    for number in range(12):
        assert sign_in(Client(), source=f"198.51.100.{number}").status_code == 302


@pytest.mark.usefixtures("_few_from_everywhere")
def test_tries_that_were_stopped_at_one_source_do_not_count_for_the_others(ada):
    for _ in range(30):
        sign_in(Client(), "wrong", source="198.51.100.9")
    assert sign_in(Client()).status_code == 302


def test_a_room_full_of_guessers_does_not_stop_the_facilitators_own_device(ada):
    known = Client()
    sign_in(known)
    del known.cookies[settings.SESSION_COOKIE_NAME]
    for number in range(40):
        Client().post("/accounts/login/", {"login": f"{number}@example.org", "password": "wrong"})
        sign_in(Client(), "wrong")
    assert sign_in(Client()).status_code != 302
    assert sign_in(known).status_code == 302


def test_refusals_are_logged_once_the_answer_was_sent(ada, monkeypatch):
    programme = factories.programme()
    add_member(programme, ada, Role.OWNER)
    order = []
    refused = accounts.refused
    monkeypatch.setattr(accounts, "refused", lambda *said: (order.append("logged"), refused(*said)))
    monkeypatch.setattr(HttpResponseBase, "close", _noting(HttpResponseBase.close, order))
    for _ in range(7):
        sign_in(Client(), "wrong")
    assert order[:2] == ["answered", "logged"]
    assert list(programme.log.values_list("verb", "by")) == [
        ("too_many_tries", None),
        ("wrong_password", None),
    ]
    sign_in(Client(), source="192.0.2.2")
    entry = programme.log.first()
    assert (entry.verb, entry.by) == ("signed_in", ada)


def _noting(close, order):
    def noted(response):
        order.append("answered")
        close(response)

    return noted


def test_a_log_that_cannot_be_written_stops_nobody(ada, monkeypatch, caplog):
    def fails(*_said):
        raise OperationalError(EMAIL)

    monkeypatch.setattr(accounts, "refused", fails)
    assert sign_in(Client(), "wrong").status_code == 200
    assert "could not be logged" in caplog.text
    assert EMAIL not in caplog.text


def ask_for_a_reset(email, **more):
    return Client().post("/accounts/password/reset/", {"email": email}, **more)


def test_the_link_of_a_reset_leads_to_the_public_address(ada, settings):
    settings.PUBLIC_URL = "https://workshops.example.org"
    ask_for_a_reset(EMAIL, headers={"host": "127.0.0.1:6666"})
    assert "https://workshops.example.org/accounts/password/reset/key/" in mail.outbox[-1].body


class Slow(EmailBackend):
    """Notes whether the answer was ready when the mail was sent, or has no server to send it to."""

    down = False

    def send_messages(self, messages):
        if Slow.down:
            raise ConnectionRefusedError(f"cannot reach the server for {messages[0].to}")
        return super().send_messages(messages)


def test_a_mail_server_that_is_down_tells_nobody_who_has_an_account(ada, settings, monkeypatch, caplog):
    settings.EMAIL_BACKEND = f"{__name__}.Slow"
    monkeypatch.setattr(Slow, "down", True)
    known, unknown = ask_for_a_reset(EMAIL), ask_for_a_reset("nobody@example.org")
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url) == (302, unknown.url)
    assert "could not be sent" in caplog.text
    assert EMAIL not in caplog.text


def test_a_reset_is_mailed_after_the_answer(ada, rf):
    from workshops.web.views.accounts import AnswerFirst

    order = []
    answer = AnswerFirst("/", lambda: order.append("mailed"))
    order.append("answered")
    answer.close()
    answer.close()
    assert order == ["answered", "mailed"]
