"""The screens that other browser tests stand on do what they promise."""

import signal

import pytest
from django.contrib.auth.models import User

from polls.models import Bank

from .page_checks import assert_accessible, assert_fits, sideways
from .sign_in import sign_in

pytestmark = pytest.mark.once  # what a page does is the same on every stack


@pytest.fixture(autouse=True)
def _a_page_that_is_always_there(console_errors_expected):
    """These tests stand on the page "not found", which Chromium reports as an error."""
    console_errors_expected.append("404")


def test_a_screen_shows_a_page_of_the_site(site, phone):
    page = phone()
    answer = page.goto("/nowhere/")
    assert answer.status == 404
    assert_fits(page)
    assert_accessible(page)


def test_a_server_and_its_test_share_a_database(serve):
    Bank.objects.create(key="seen", title="Seen")
    server = serve()
    assert server.errors == ""
    assert list(Bank.objects.values_list("key", flat=True)) == ["seen"]


def test_a_server_starts_again_where_it_was(serve):
    first = serve()
    first.stop(signal.SIGKILL)
    assert serve(port=first.port).url == first.url


def test_the_accessibility_check_sees_a_button_without_a_name(site, phone):
    page = phone()
    page.goto("/nowhere/")
    page.evaluate("() => document.querySelector('main').append(document.createElement('button'))")
    with pytest.raises(AssertionError, match="button-name"):
        assert_accessible(page)


def test_a_page_that_is_too_wide_is_seen(site, phone):
    page = phone()
    page.goto("/nowhere/")
    assert sideways(page) == 0
    page.evaluate("() => { document.querySelector('main').style.width = '900px' }")
    with pytest.raises(AssertionError, match="too wide"):
        assert_fits(page)


def test_an_error_in_the_console_is_heard(site, phone, console_errors_expected):
    console_errors_expected.append("a test's own error")
    page = phone()
    page.goto("/nowhere/")
    page.evaluate("() => console.error(`a test's own error`)")


def test_a_breach_of_the_content_security_policy_is_heard(site, phone, complaints):
    page = phone()
    page.goto("/nowhere/")
    complaints.clear()
    page.evaluate("() => document.body.setAttribute('style', 'color: red')")
    page.wait_for_timeout(100)
    heard = ["Content Security Policy" in complaint for complaint in complaints]
    complaints.clear()
    assert heard == [True]


def test_a_person_can_be_signed_in_without_typing(site, desk):
    page = desk()
    sign_in(page, site, User.objects.create_user("ada", "ada@example.org", "long enough for this"))
    assert page.goto("/accounts/login/").request.redirected_from is not None
