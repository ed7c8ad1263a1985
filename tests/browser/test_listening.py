"""Somebody who listens without being counted, and everybody else who sees that they do."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests import factories as make

from .group_steps import seated
from .page_checks import assert_accessible, assert_fits
from .sign_in import sign_in

pytestmark = pytest.mark.once  # what a page does is the same on every stack


def listening(phone, workshop) -> Page:
    page = phone()
    page.goto(f"/w/{workshop.code}/consent/")
    page.get_by_role("button", name="Watch only").click()
    expect(page.locator("[data-signal]")).to_have_text("Connected")
    return page


def test_who_listens_is_seen_and_goes_when_a_facilitator_switches_it_off(
    site, phone, desk, two_groups, console_errors_expected
):
    console_errors_expected.append("403")  # the page that says so
    workshop, people = two_groups
    member, console = seated(phone(), site, people[0]), desk()
    sign_in(console, site, make.staff(workshop.programme))
    console.goto(f"/workshops/{workshop.code}/console/")
    expect(console.locator("#room")).not_to_contain_text("listen")
    watching = listening(phone, workshop)
    listening(phone, workshop)
    expect(console.locator("#room")).to_contain_text("2 people listen")
    expect(member.locator("#group")).to_contain_text("2 people listen without being counted.")
    assert_accessible(member)
    assert_fits(member)
    console.goto(f"/workshops/{workshop.code}/facts/")
    assert_accessible(console)
    console.get_by_label("People may listen without being counted").uncheck()
    console.get_by_role("button", name="Save").click()
    expect(watching.get_by_role("heading", name="Listening has ended")).to_be_visible()
    expect(watching.locator("main")).not_to_contain_text("Walk us in")
    assert_accessible(watching)
    assert_fits(watching)
    expect(member.locator("#group")).not_to_contain_text("listen")


def test_where_nobody_may_listen_the_page_says_what_else_there_is(site, phone):
    workshop = make.workshop(observers=False)
    page = phone()
    page.goto(f"/w/{workshop.code}/consent/")
    expect(page.get_by_role("button", name="Watch only")).to_have_count(0)
    expect(page.get_by_text("you can follow along on the big screen")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
