"""The second factor: set up, asked for, required where a programme says so, lost; and what the log says of it."""

from __future__ import annotations

import json
import re
import time

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client, TestCase
from django.utils import timezone

from workshops.actions import accounts
from workshops.actions.authoring.programme_file import load
from workshops.models import Role
from workshops.people import rights, second_factor, sessions
from workshops.people.invitations import add_member, create_user
from workshops.programmes.file.io import export

from ... import factories
from ..programmes.small_file import SMALL

pytestmark = pytest.mark.django_db
EMAIL, PASSWORD = "ada.lovelace@example.org", "four plain words together"
INDEX, APP = "/accounts/second-step/", "/accounts/second-step/app/"
CODE, CODES = "/accounts/second-step/code/", "/accounts/second-step/recovery-codes/"


@pytest.fixture(autouse=True)
def _one_half_minute():
    """A code is right for half a minute: the clock stands, so that no test is in two of them."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.fixture
def programme():
    return factories.programme()


@pytest.fixture
def ada(programme):
    person = create_user(EMAIL, PASSWORD)
    add_member(programme, person, Role.OWNER)
    return person


def code(secret, ahead=0):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + ahead))


def by_password(password=PASSWORD):
    browser = Client()
    browser.answer = browser.post("/accounts/login/", {"login": EMAIL, "password": password})
    return browser


def is_in(browser):
    return browser.get("/account/").status_code == 200


def set_up(browser):
    """An app, from a browser that is signed in; returns its secret and the recovery codes."""
    assert browser.get(APP).url.startswith("/accounts/reauthenticate/")
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    secret = re.search(r"<code[^>]*>(\w{32})<", browser.get(APP).content.decode())[1]
    with TestCase.captureOnCommitCallbacks(execute=True):  # allauth tells after the commit
        answer = browser.post(APP, {"code": code(secret)})
    assert answer.url == CODES
    return secret, re.findall(r"<li><code[^>]*>(\d{8})<", browser.get(CODES).content.decode())


def verbs(programme):
    return list(programme.log.order_by("pk").values_list("verb", flat=True))


# --- an account's own second step ---------------------------------------------------------------------------------


def test_a_password_alone_no_longer_lets_in(ada):
    secret, _codes = set_up(by_password())
    browser = by_password()
    assert browser.answer.url == CODE
    assert not is_in(browser)
    wrong = browser.post(CODE, {"code": code(secret, ahead=9)})
    assert "This code is not right, or its half minute is over." in wrong.content.decode()
    assert not is_in(browser)
    assert browser.post(CODE, {"code": code(secret)}).status_code == 302
    assert is_in(browser)


def test_a_code_works_once(ada):
    secret, _codes = set_up(by_password())
    by_password().post(CODE, {"code": code(secret)})
    again = by_password()
    again.post(CODE, {"code": code(secret)})
    assert not is_in(again)


def test_codes_are_guessed_five_times_at_most(ada):
    secret, _codes = set_up(by_password())
    browser = by_password()
    for _ in range(5):
        browser.post(CODE, {"code": code(secret, ahead=9)})
    assert "Too many tries." in browser.post(CODE, {"code": code(secret)}).content.decode()
    assert not is_in(browser)


def test_a_new_password_by_mail_does_not_go_past_it(ada, mailoutbox):
    set_up(by_password())
    browser = Client()
    browser.post("/accounts/password/reset/", {"email": EMAIL})
    link = re.search(r"http://testserver(\S+)", mailoutbox[-1].body)[1]
    form = browser.get(link).url
    words = "seven otters under the pier"
    assert browser.post(form, {"password1": words, "password2": words}).url == CODE
    assert not is_in(browser)


def test_each_recovery_code_lets_in_once_and_they_are_shown_once(ada):
    browser = by_password()
    _secret, codes = set_up(browser)
    assert len(codes) == 10
    shown_again = browser.get(CODES).content.decode()
    assert codes[0] not in shown_again
    assert "They were shown once. 10 are left." in shown_again
    for lets_in in (True, False):
        other = by_password()
        other.post(CODE, {"code": codes[0]})
        assert is_in(other) is lets_in


def test_new_codes_make_the_old_ones_worthless(ada):
    browser = by_password()
    _secret, codes = set_up(browser)
    assert browser.post(f"{CODES}new/").url == CODES
    assert codes[1] not in browser.get(CODES).content.decode()
    other = by_password()
    other.post(CODE, {"code": codes[1]})
    assert not is_in(other)


def test_setting_one_up_signs_out_every_session_that_had_a_password_only(ada):
    thief, owner = by_password(), by_password()
    assert is_in(thief)
    set_up(owner)
    assert is_in(owner)
    assert not is_in(thief)


def test_it_is_removed_with_the_password_and_its_codes_go_with_it(ada, programme):
    browser = by_password()
    set_up(browser)
    assert browser.post(f"{APP}remove/").url == INDEX
    assert not Authenticator.objects.exists()
    assert is_in(by_password())
    assert verbs(programme)[1:3] == ["second_factor_added", "second_factor_removed"]
    assert browser.post(f"{APP}remove/").url == INDEX, "pressed twice"


@pytest.mark.parametrize("address", [APP, f"{INDEX}passkeys/add/", f"{CODES}new/"])
def test_whoever_finds_an_open_screen_needs_the_password_to_change_it(ada, address):
    browser = factories.signed_in(ada)
    assert browser.get(address).url.startswith("/accounts/reauthenticate/")


def test_what_is_stored_gives_nobody_a_second_factor_without_the_servers_key(ada):
    secret, codes = set_up(by_password())
    stored = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    assert not [one for one in codes if one in stored]
    settings_key = settings.SECRET_KEY
    try:
        settings.SECRET_KEY = "another key, as after a careless move to a new server"
        browser = by_password()
        assert browser.post(CODE, {"code": code(secret)}).status_code == 200, "refused, in one sentence"
    finally:
        settings.SECRET_KEY = settings_key


def test_a_key_that_is_changed_with_the_former_one_as_fallback_keeps_it(settings):
    adapter = second_factor.SecondFactorAdapter()
    stored = adapter.encrypt("secret")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new key"
    assert adapter.decrypt(stored) == "secret"


@pytest.mark.parametrize("sent", [
    "", "x", "null", "[]", "{}", '"x"', "1", '{"id": 1}', '{"response": []}', '{"id": "a", "rawId": "a", "type": "x"}',
    '{"id": "YQ", "rawId": "YQ", "type": "public-key", "response": {"clientDataJSON": "e30", "attestationObject": "oA"}}',
    '{"id": "YQ", "rawId": "YQ", "type": "public-key", "response": {"clientDataJSON": "e30", "authenticatorData": "oA",'
    ' "signature": "oA"}}',
    '{"id": "é", "rawId": "\\u0000", "type": "public-key", "response": {}}', "[" * 5000,
])  # fmt: skip
def test_a_passkey_that_is_none_is_refused_in_one_sentence(ada, sent):
    browser = by_password()
    set_up(browser)
    answer = browser.post(f"{INDEX}passkeys/add/", {"name": "x", "credential": sent})
    assert answer.status_code == 200
    assert "This passkey was not accepted." in answer.content.decode()
    other = by_password()
    assert other.post(CODE, {"credential": sent}).status_code == 200
    assert not is_in(other)


def test_whoever_guesses_at_an_open_screen_is_in_the_log(ada, programme):
    browser = factories.signed_in(ada)
    browser.post("/accounts/reauthenticate/", {"password": "wrong"})
    assert verbs(programme) == ["wrong_password"]
    assert browser.get(APP).url.startswith("/accounts/reauthenticate/")


# --- a programme that asks for one --------------------------------------------------------------------------------


@pytest.fixture
def strict(programme):
    programme.second_factor = True
    programme.save()
    return factories.workshop(programme)


@pytest.mark.parametrize("role", [Role.OWNER, Role.RESEARCHER])
def test_owners_and_researchers_are_led_to_one_before_any_page_opens(strict, role):
    browser = factories.signed_in(factories.staff(strict.programme, role))
    for address in (f"/programmes/{strict.programme.key}/questions/", f"/workshops/{strict.code}/notes/"):
        answer = browser.get(address)
        assert answer.status_code == 403
        words = answer.content.decode()
        assert f"“{strict.programme.title}” asks its owners and researchers for more than a password" in words
        assert f'href="{INDEX}"' in words
    assert is_in(browser)
    assert browser.get(INDEX).status_code == 200
    assert browser.post("/accounts/logout/").status_code == 302


def test_facilitators_and_guests_are_not_asked(strict):
    guest = factories.person()
    add_member(strict.programme, guest, Role.FACILITATOR, strict)
    for person in (factories.staff(strict.programme), guest):
        assert factories.signed_in(person).get(f"/workshops/{strict.code}/").status_code == 200


def test_strangers_learn_no_more_than_before(strict):
    address = f"/programmes/{strict.programme.key}/questions/"
    assert factories.signed_in(factories.person()).get(address).status_code == 404


def test_once_it_is_set_up_the_page_that_was_asked_for_opens(ada, strict):
    browser, address = by_password(), f"/programmes/{strict.programme.key}/settings/"
    assert browser.get(address).status_code == 403
    set_up(browser)
    assert f'href="{address}"' in browser.get(INDEX).content.decode()
    assert browser.get(address).status_code == 200


@pytest.mark.parametrize("whole", ["", "yes"])
def test_a_file_does_not_go_past_it(whole):
    programme = load(SMALL).programme
    owner = factories.staff(programme, Role.OWNER)
    programme.second_factor = True
    programme.save()
    browser = factories.signed_in(owner)
    assert (
        browser.post("/programmes/new/file/", {"do": "again", "text": SMALL, "whole": whole}).status_code
        == 403
    )
    assert browser.post(f"/programmes/{programme.key}/back/").status_code == 403


def switch(browser, programme, on):
    programme.refresh_from_db()
    said = {"do": "about", "title": "Calm", "hue": 165, "keep_months": 24, "rev": programme.rev}
    return browser.post(
        f"/programmes/{programme.key}/settings/", said | ({"second_factor": "on"} if on else {})
    )


def test_an_owner_switches_it_on_once_they_have_one_and_can_always_switch_it_off(ada, programme):
    browser = by_password()
    refused = switch(browser, programme, on=True)
    assert refused.status_code == 422
    assert "Set up your own second step first" in refused.content.decode()
    set_up(browser)
    assert switch(browser, programme, on=True).status_code == 302
    programme.refresh_from_db()
    assert programme.second_factor
    browser.post(f"{APP}remove/")
    assert switch(browser, programme, on=False).status_code == 403
    set_up_again = browser
    set_up_again.post("/accounts/reauthenticate/", {"password": PASSWORD})
    secret = re.search(r"<code[^>]*>(\w{32})<", browser.get(APP).content.decode())[1]
    browser.post(APP, {"code": code(secret)})
    assert switch(browser, programme, on=False).status_code == 302
    programme.refresh_from_db()
    assert not programme.second_factor


def test_the_programmes_file_says_it():
    with_it = load(SMALL.replace('title = "A small one"', 'title = "A small one"\nsecond_factor = true', 1))
    assert with_it.programme.second_factor
    assert "second_factor = true" in export(with_it.programme)


def test_an_open_console_of_an_owner_without_one_ends(strict):
    owner, facilitator = factories.staff(strict.programme, Role.OWNER), factories.staff(strict.programme)
    tokens = {
        rights.StaffToken(one.pk, factories.signed_in(one).session.session_key)
        for one in (owner, facilitator)
    }
    lost = rights.lost(strict.pk, tokens, phones=False)
    assert {one.user_id for one in lost.staff} == {owner.pk}
    Authenticator.objects.create(user=owner, type=Authenticator.Type.TOTP, data={})
    assert not rights.lost(strict.pk, tokens, phones=False).staff


# --- lost, and logged ---------------------------------------------------------------------------------------------


def test_an_operator_takes_it_off_for_a_reason_and_every_session_ends(ada, programme, capsys):
    browser = by_password()
    set_up(browser)
    call_command("remove_second_factor", EMAIL, reason="Rang me, I know the voice")
    assert "is signed out everywhere" in capsys.readouterr().out
    assert not sessions.of(ada)
    assert not is_in(browser)
    assert is_in(by_password())
    row = programme.log.get(verb="second_factor_taken_off")
    assert (row.by, row.about) == (None, f"{EMAIL}: Rang me, I know the voice")


@pytest.mark.parametrize(
    ("email", "reason"), [("nobody@example.org", "I know the voice"), (EMAIL, "  lost ")]
)
def test_without_an_account_or_a_reason_nothing_is_taken_off(ada, email, reason):
    set_up(by_password())
    with pytest.raises(CommandError):
        call_command("remove_second_factor", email, reason=reason)
    assert second_factor.has_one(ada)


def test_the_log_of_every_programme_of_theirs_says_what_happened_to_an_account(ada, programme):
    other = factories.programme()
    add_member(other, ada, Role.RESEARCHER)
    stranger = factories.programme()
    secret, codes = set_up(by_password())
    browser = by_password()
    browser.post(CODE, {"code": code(secret, ahead=9)})
    browser.post(CODE, {"code": codes[0]})
    expected = ["signed_in", "second_factor_added", "wrong_code", "used_code", "signed_in"]
    assert verbs(programme) == verbs(other) == expected
    assert verbs(stranger) == []


def test_a_row_for_each_kind_of_refusal_in_ten_minutes(ada, programme):
    for _ in range(3):
        accounts.refused("wrong_password", EMAIL.upper())
    accounts.refused("too_many_tries", EMAIL)
    accounts.refused("wrong_password", "nobody@example.org")
    rows = list(programme.log.values_list("verb", "about", "by"))
    assert rows == [("too_many_tries", EMAIL, None), ("wrong_password", EMAIL, None)]
