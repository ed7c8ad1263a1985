"""Forms that are answered with the next page itself: reloading and going back never send a form again."""

from __future__ import annotations

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests import factories as make
from workshops.actions import facilitation
from workshops.actions.authoring import programme_file
from workshops.actions.authoring.workshops import plan_workshop
from workshops.models import Participant, Programme, Workshop

pytestmark = pytest.mark.once  # what a page does is the same on every stack


@pytest.fixture
def asking(transactional_db) -> Workshop:
    path = settings.BASE_DIR / "programmes" / "ideal_baby_room.toml"
    programme_file.load(path.read_text(encoding="utf-8"), path.name)
    programme = Programme.objects.get(key="ideal-baby-room")
    workshop = plan_workshop(programme, programme.plans.first(), expected=2)
    facilitation.start(workshop.pk, None)
    make.launched(workshop, 1)
    return workshop


def agree(page: Page, workshop: Workshop) -> None:
    page.goto(f"/w/{workshop.code}/")
    page.get_by_role("link", name="Join this workshop").click()
    for key in ("read", "voluntary", "pooled"):
        page.check(f"input[value={key}]")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="A little about your work")).to_be_visible()


def test_a_phone_comes_in_without_a_redirect_and_every_page_has_its_own_address(site, phone, asking):
    page, there = phone(), f"{site.url}/w/{asking.code}/"
    asked: list[str] = []
    page.on(
        "request", lambda request: asked.append(request.method) if request.is_navigation_request() else None
    )
    agree(page, asking)
    expect(page).to_have_url(f"{there}profile/")
    page.get_by_label("Baby room educator").check()
    page.get_by_role("button", name="Go in").click()
    expect(page.locator("form.ballot")).to_be_visible()
    expect(page).to_have_url(there)
    assert asked == ["GET", "GET", "POST", "POST"]

    page.reload()
    expect(page.locator("form.ballot")).to_be_visible()
    assert asked[4:] == ["GET"]
    page.go_back()  # to the questions, which are answered: on to the stage again
    expect(page).to_have_url(there)
    expect(page.locator("form.ballot")).to_be_visible()
    assert "POST" not in asked[4:]
    assert Participant.objects.count() == 1


def test_the_questions_can_be_reloaded_before_they_are_answered(site, phone, asking):
    page = phone()
    agree(page, asking)
    methods: list[str] = []
    page.on("request", lambda r: methods.append(r.method) if r.is_navigation_request() else None)
    page.reload()
    expect(page.get_by_role("heading", name="A little about your work")).to_be_visible()
    assert methods == ["GET"]
    page.get_by_role("button", name="Skip these questions").click()
    expect(page.locator("form.ballot")).to_be_visible()
    assert Participant.objects.count() == 1
