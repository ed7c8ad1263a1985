"""The presenter's tools on the wall: there when they are wanted, and over nothing when they are not."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from polls.lifecycle import Reveal
from polls.models import Poll
from tests import factories as make
from workshops.actions import facilitation

from .steps import BABIES

pytestmark = pytest.mark.once  # what a page does is the same on every stack


@pytest.fixture
def result(site, wall, transactional_db) -> Page:
    """A wall that shows a result, under which the table of its numbers is one of the tools."""
    room = make.workshop(make.programme(), BABIES)
    Poll.objects.filter(agenda_item__workshop=room).update(reveal=Reveal.AFTER_CLOSE)
    make.vote(make.participant(room), make.launched(room), "n6_8")
    facilitation.close(room.pk, None)
    page = wall()
    page.goto(f"/wall/{room.wall_key}/")
    expect(page.locator(".wall-tools")).to_have_count(2)
    return page


def shown(page: Page, opacity: str) -> None:
    for tools in page.locator(".wall-tools").all():
        expect(tools).to_have_css("opacity", opacity)


@pytest.mark.slow
def test_tools_come_with_the_pointer_and_go_when_it_rests_even_on_them(result):
    shown(result, "0")
    result.mouse.move(900, 700)
    shown(result, "1")
    result.mouse.move(30, 30)
    shown(result, "0")


def test_tools_come_with_the_keyboard_and_stay_while_their_table_is_open(result):
    result.keyboard.press("Tab")
    shown(result, "1")
    result.get_by_text("See the numbers as a table").click()
    expect(result.get_by_role("table")).to_be_visible()
    expect(result.locator(".wall-tools.is-numbers")).to_have_css("opacity", "1")
