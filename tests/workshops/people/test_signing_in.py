"""Signing in: what a passphrase may not be, whom wrong ones stop, and what a reset tells."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client

from workshops.people.invitations import create_user

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
