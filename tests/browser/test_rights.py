"""What somebody sees whose right to a console has gone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests import factories as make

from .sign_in import sign_in

pytestmark = pytest.mark.once  # what a page does is the same on every stack


def test_a_console_gives_way_to_signing_in_and_says_why_when_its_person_signs_out(site, desk):
    workshop = make.workshop()
    console = desk()
    sign_in(console, site, make.staff(workshop.programme))
    console.goto(f"/workshops/{workshop.code}/console/")
    expect(console.locator("[data-signal=connected]").first).to_be_attached()
    other = console.context.new_page()
    other.goto(f"{site.url}/accounts/logout/")
    other.get_by_role("button", name="Sign out").click()
    expect(console.get_by_text("Your page was closed because you signed out")).to_be_visible()
    assert f"next=/workshops/{workshop.code}/console/" in console.url
