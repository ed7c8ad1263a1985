"""Where somebody is signed in: the list, signing out there, the idle end; nothing in it that names a device."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from workshops.models import Role
from workshops.people import sessions
from workshops.people.invitations import add_member, create_user

from ... import factories

pytestmark = pytest.mark.django_db
EMAIL, PASSWORD, PAGE = "ada.lovelace@example.org", "four plain words together", "/accounts/sessions/"
PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"


@pytest.fixture
def ada():
    person = create_user(EMAIL, PASSWORD)
    add_member(factories.programme(), person, Role.OWNER)
    return person


def sign_in(user_agent=LAPTOP, source="192.0.2.77", password=PASSWORD):
    browser = Client(headers={"user-agent": user_agent}, REMOTE_ADDR=source)
    browser.post("/accounts/login/", {"login": EMAIL, "password": password})
    return browser


def is_in(browser):
    return browser.get("/account/").status_code == 200


def test_the_page_lists_ones_own_sessions_in_plain_words(ada):
    laptop, _phone = sign_in(), sign_in(PHONE)
    factories.signed_in(factories.person())
    page = laptop.get(PAGE).content.decode()
    assert re.findall(r"<li><span><b>(.*?)</b>", page) == ["Firefox on Linux", "Chrome on Android"]
    assert page.count("This one") == 1
    assert page.count('name="session"') == 1


@pytest.mark.parametrize(("said", "words"), [
    (PHONE, "Chrome on Android"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
    ("Mozilla/5.0 (Windows NT 10.0) Chrome/126.0 Safari/537.36 Edg/126.0", "Edge on Windows"),
    ("curl/8.5", "A browser that we do not know"),
    ("", "A browser that we do not know"),
])  # fmt: skip
def test_a_browser_has_a_name_where_we_know_it(ada, said, words):
    sign_in(said)
    assert [one.browser for one in sessions.of(ada)] == [words]


def test_no_address_and_no_user_agent_is_in_the_database(ada):
    browser = sign_in(PHONE)
    browser.get(PAGE)
    for row in Session.objects.all():
        stored = str(row.get_decoded())
        assert "192.0.2" not in stored
        assert "Pixel" not in stored
        assert "Mozilla" not in stored
    columns = {
        f"{table}.{column.name}"
        for table in connection.introspection.table_names()
        for column in connection.introspection.get_table_description(connection.cursor(), table)
    }
    assert not [name for name in columns if re.search(r"[._]ip(_|$)|user_agent|ip_address", name)]


def test_signing_out_there_ends_that_session_and_no_other(ada):
    here, there, third = sign_in(), sign_in(PHONE), sign_in(PHONE)
    name = next(one.name for one in sessions.of(ada) if one.row.session_key == there.session.session_key)
    for _pressed_twice in range(2):
        assert here.post(PAGE, {"session": name}).url == PAGE
    assert (is_in(here), is_in(there), is_in(third)) == (True, False, True)


def test_signing_out_everywhere_else_leaves_this_one(ada):
    here, *others = [sign_in() for _ in range(3)]
    stranger = factories.signed_in(factories.person())
    here.post(PAGE, {})
    assert "Signed out in 2 places." in here.get(PAGE).content.decode()
    assert is_in(here)
    assert is_in(stranger)
    assert not [one for one in others if is_in(one)]
    programme = ada.memberships.get().programme
    assert programme.log.filter(verb="signed_out_elsewhere", by=ada).count() == 1


def test_nobody_ends_somebody_elses_session(ada):
    theirs = sign_in()
    name = sessions.of(ada)[0].name
    factories.signed_in(factories.person()).post(PAGE, {"session": name})
    assert is_in(theirs)


def test_no_page_holds_the_key_of_a_session(ada):
    here, there = sign_in(), sign_in()
    assert there.session.session_key not in here.get(PAGE).content.decode()


def test_a_session_that_is_not_used_ends_after_half_a_day(ada):
    assert settings.SESSION_COOKIE_AGE == 12 * 3600
    with time_machine.travel(timezone.now(), tick=False) as clock:
        browser = sign_in()
        for _ in range(3):
            clock.shift(timedelta(hours=8))
            assert is_in(browser), "it is used"
        clock.shift(timedelta(hours=12, minutes=1))
        assert not is_in(browser)
        assert sessions.of(ada) == []


def test_a_session_ends_after_fourteen_days_however_much_it_is_used(ada):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        browser = sign_in()
        for _ in range(2 * 14):
            clock.shift(timedelta(hours=11, minutes=59))
            assert is_in(browser)
        clock.shift(timedelta(hours=1))
        assert not is_in(browser)


def test_a_session_is_saved_once_in_five_minutes(ada):
    browser = sign_in()
    browser.get("/account/")
    before = Session.objects.get(pk=browser.session.session_key).session_data
    browser.get("/account/")
    assert Session.objects.get(pk=browser.session.session_key).session_data == before


def test_sessions_that_are_over_are_cleared_with_all_that_they_held(ada):
    with time_machine.travel(timezone.now() - timedelta(days=1)):
        sign_in()
    sign_in()
    call_command("clearsessions")
    assert Session.objects.count() == 1


def test_a_new_password_ends_the_other_sessions_and_is_in_the_log(ada):
    here, there = sign_in(), sign_in()
    words = "seven otters under the pier"
    here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": words, "password2": words})
    assert (is_in(here), is_in(there)) == (True, False)
    assert len(sessions.of(ada) or sessions.of(type(ada).objects.get())) == 1
    assert ada.memberships.get().programme.log.filter(verb="changed_passphrase").count() == 1
