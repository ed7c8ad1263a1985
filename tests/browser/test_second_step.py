"""The second step in a browser: an app by keyboard and without a script, a passkey, how every page of it looks."""

from __future__ import annotations

import re
import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page, expect

from tests import factories as make
from workshops.models import Role
from workshops.people import invitations, second_factor

from .page_checks import assert_accessible, assert_fits, every_look

pytestmark = pytest.mark.once  # what a page does is the same on every stack
EMAIL, PASSWORD = "ada.lovelace@example.org", "four plain words together"


@pytest.fixture
def programme(transactional_db):
    made = make.programme(second_factor=True)
    invitations.add_member(made, invitations.create_user(EMAIL, PASSWORD), Role.OWNER)
    return made


def code(secret: str) -> str:
    """The code of now; near the end of its half minute the one of the next, once that has begun."""
    if time.time() % 30 > 20:
        time.sleep(31 - time.time() % 30)
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def sign_in(page: Page, address: str = "/accounts/login/") -> None:
    page.goto(address)
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).press("Enter")


def confirm(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


def looks_right(page: Page, *widths: int) -> None:
    for _look in every_look(page, *(widths or (320, 390, 1440))):
        assert_fits(page)
        assert_accessible(page)


@pytest.mark.parametrize("script", [True, False])
def test_an_app_is_set_up_and_asked_for_by_keyboard_alone(desk, programme, console_errors_expected, script):
    console_errors_expected.append("403")  # the page of a programme that asks for a second step
    page, there = desk(java_script_enabled=script), f"/programmes/{programme.key}/questions/"
    sign_in(page, f"/accounts/login/?next={there}")
    expect(page.get_by_role("heading", name="Set up a second step first")).to_be_visible()
    page.get_by_role("link", name="Set it up").press("Enter")
    page.get_by_role("link", name=re.compile("Set up ?: an app")).press("Enter")
    confirm(page)
    expect(page.get_by_role("img", name=re.compile("QR code"))).to_be_visible()
    secret = page.locator("code.is-key").inner_text()
    page.get_by_label("The code that the app shows now").fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This code is not right")
    assert page.locator("code.is-key").inner_text() == secret
    page.get_by_label("The code that the app shows now").fill(code(secret))
    page.keyboard.press("Enter")
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    page.get_by_role("link", name="I have them, go on").press("Enter")
    page.wait_for_url(f"**{there}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()

    other = desk(java_script_enabled=script)
    sign_in(other, f"/accounts/login/?next={there}")
    other.get_by_label("Code", exact=True).fill(code(secret))
    other.keyboard.press("Enter")
    other.wait_for_url(f"**{there}")


def with_a_key(page: Page) -> None:
    """A passkey of the device, as Chromium pretends one for tests."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_is_set_up_and_lets_in_after_the_password(browser, site, programme):
    named = site.url.replace("127.0.0.1", "localhost")  # browsers know passkeys of names, not of numbers
    page = browser.new_context(base_url=named, locale="en-GB").new_page()
    with_a_key(page)
    sign_in(page, "/accounts/login/?next=/accounts/second-step/")
    page.get_by_role("link", name=re.compile("Set up ?: a passkey")).click()
    confirm(page)
    expect(page.get_by_role("heading", name="Set up a passkey")).to_be_visible()
    looks_right(page, 320)
    page.get_by_label("Name").fill("My laptop")
    page.get_by_role("button", name="Set it up").press("Enter")
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    page.goto("/accounts/second-step/passkeys/")
    expect(page.get_by_text("My laptop").first).to_be_visible()
    looks_right(page, 320)
    page.context.clear_cookies()
    sign_in(page, "/accounts/login/")
    page.get_by_role("button", name="Use a passkey").press("Enter")
    page.wait_for_url("**/workshops/")


def test_a_passkey_that_is_not_given_is_said_so(desk, programme):
    page = desk()
    sign_in(page, "/accounts/login/?next=/accounts/second-step/passkeys/add/")
    confirm(page)
    page.get_by_role("button", name="Set it up").click()  # at an address of numbers: refused by the browser
    expect(page.get_by_role("alert")).to_contain_text("That did not work, or was called off.")
    looks_right(page, 390)


@pytest.mark.looks
def test_every_page_of_the_second_step_is_accessible_at_every_width(desk, programme, console_errors_expected):
    console_errors_expected.append("403")
    page = desk()
    sign_in(page, f"/accounts/login/?next=/programmes/{programme.key}/questions/")
    expect(page.get_by_role("heading", name="Set up a second step first")).to_be_visible()
    looks_right(page)
    page.get_by_role("link", name="Set it up").click()
    expect(page.get_by_role("heading", name="A second step when you sign in")).to_be_visible()
    looks_right(page)
    page.get_by_role("link", name=re.compile("Set up ?: an app")).click()
    confirm(page)
    expect(page.locator("code.is-key")).to_be_visible()
    looks_right(page)
    secret = page.locator("code.is-key").inner_text()
    page.get_by_label("The code that the app shows now").fill(code(secret))
    page.keyboard.press("Enter")
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    looks_right(page)
    for address in ("", "app/remove/", "recovery-codes/new/", "recovery-codes/"):
        page.goto(f"/accounts/second-step/{address}")
        looks_right(page)
    assert second_factor.has_one(programme.memberships.get().user)

    other = desk()
    sign_in(other)
    expect(other.get_by_role("heading", name="One more step")).to_be_visible()
    looks_right(other)
    page.goto("/accounts/sessions/")
    looks_right(page)
