"""Home, planning and plans in a real browser: two presses for last week's again, five dates in one form."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests import factories as make
from workshops.actions.authoring import plans
from workshops.actions.authoring.programme_file import load
from workshops.actions.authoring.workshops import plan_workshop
from workshops.models import Membership, Role, Workshop

from .page_checks import assert_accessible, assert_fits, change_look
from .sign_in import sign_in

pytestmark = pytest.mark.once  # what a page does is the same on every stack
PROGRAMMES = Path(__file__).parents[2] / "programmes"


@pytest.fixture
def programme(transactional_db):
    return load((PROGRAMMES / "ideal_baby_room.toml").read_text()).programme


@pytest.fixture
def plan(programme):
    return programme.plans.get()


@pytest.fixture
def at_home(site, screens, programme):
    """Open a screen of the programme's facilitator at home."""
    user = make.person("facilitator@example.org")
    Membership.objects.create(programme=programme, user=user, role=Role.FACILITATOR)

    def open_page(**settings):
        page = screens(**({"viewport": {"width": 1440, "height": 900}} | settings))
        sign_in(page, site, user)
        page.goto("/workshops/")
        return page

    return open_page


@pytest.fixture
def last_week(programme, plan):
    """Held six days ago."""
    made = plan_workshop(
        programme, plan, title="For managers", place="Online", region="England", intended_for="Nursery managers",
        expected=22, starts_at=timezone.now() - timedelta(days=6),
    )  # fmt: skip
    Workshop.objects.filter(pk=made.pk).update(status="ended", ended_at=timezone.now() - timedelta(days=6))
    return made


def test_last_weeks_workshop_is_copied_with_two_presses(at_home, last_week):
    page = at_home()
    page.get_by_role("link", name=re.compile("Copy.*workshop 1")).click()
    expect(page.get_by_label("Day")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Workshop 2 is planned.")).to_be_visible()
    copy = Workshop.objects.get(number=2)
    assert page.url.endswith(f"/workshops/{copy.code}/")
    assert copy.starts_at - last_week.starts_at.replace(second=0, microsecond=0) == timedelta(weeks=1)


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
def test_five_workshops_with_five_dates_are_planned_in_one_form(script, at_home, programme, plan):
    page = at_home(java_script_enabled=script)
    page.get_by_role("link", name="Plan a workshop").first.click()
    page.get_by_label("Title").fill("Spring")
    page.get_by_label("Day", exact=True).first.fill("2027-06-01")
    page.get_by_label("Start", exact=True).first.fill("18:30")
    page.get_by_label("How many workshops?").fill("5")
    if script:
        page.get_by_label("How often?").select_option("2")  # leaving the number is enough for the rows
    else:
        page.get_by_label("How often?").select_option("2")
        page.get_by_role("button", name="Plan").click()
    expect(page.locator(".htmx-request")).to_have_count(0)
    fourth = page.get_by_role("group", name="Workshop 4")
    expect(fourth.get_by_label("Day")).to_have_value("2027-07-13")
    fourth.get_by_label("Day").fill("2027-07-14")
    page.get_by_role("button", name="Plan").click()
    expect(page.get_by_text("Workshops 1 to 5 are planned.")).to_be_visible()
    days = [f"{timezone.localtime(one.starts_at):%d.%m.}" for one in Workshop.objects.order_by("number")]
    assert days == ["01.06.", "15.06.", "29.06.", "14.07.", "27.07."]


def test_facts_are_changed_in_place_of_their_bar(at_home, programme, plan):
    workshop = plan_workshop(programme, plan, title="For managers")
    page = at_home()
    page.goto(f"/workshops/{workshop.code}/")
    page.get_by_role("link", name="Change these facts").click()
    page.get_by_label("Where", exact=True).fill("Community hall, Leeds")
    page.get_by_label("Day", exact=True).fill("2027-06-01")
    page.get_by_label("Start", exact=True).fill("09:00")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#facts dl")).to_contain_text("Community hall, Leeds")
    expect(page.locator(".step .at", has_text="09:00").first).to_be_visible()
    assert page.url.endswith(f"/workshops/{workshop.code}/")


def test_a_plan_is_edited_and_planned_workshops_come_along(at_home, programme, plan):
    workshop = plan_workshop(programme, plan)
    page = at_home()
    page.goto(f"/programmes/{programme.key}/plans/{plan.key}/")
    page.get_by_role("textbox", name="Add to the agenda").fill("Tea (15 min)")
    page.get_by_role("button", name="A talk or a pause").click()
    expect(page.locator("#step-pause-tea")).to_be_visible()
    page.get_by_role("textbox", name="Add to the agenda").fill("Shall we go on?")
    page.keyboard.press("Enter")
    expect(page.locator("#step-poll-shall-we-go-on")).to_be_visible()
    page.locator("#menu-pause-tea").click()
    page.locator("#up-pause-tea").click()
    expect(page.locator("ol.steps > li").nth(-3)).to_have_id("step-pause-tea")
    page.get_by_role("link", name="Bring them along").click()
    page.get_by_role("button", name="Give the ticked ones this agenda").click()
    expect(page.get_by_text("1 workshop has the plan's agenda now.")).to_be_visible()
    assert workshop.agenda.filter(title="Tea", minutes=15).exists()


def test_minutes_typed_one_after_the_other_are_all_kept(at_home, programme, plan):
    page = at_home()
    page.goto(f"/programmes/{programme.key}/plans/{plan.key}/")
    page.get_by_role("textbox", name="Add to the agenda").fill("Half a th")
    for place in (0, 3, 5):
        field = page.locator(".minutes .input").nth(place)
        field.click()
        field.press("Control+A")
        page.keyboard.type(str(20 + place))
        page.keyboard.press("Tab")
    expect(page.locator(".agenda-head b")).to_have_text("118")
    expect(page.get_by_role("textbox", name="Add to the agenda")).to_have_value("Half a th")
    plan.refresh_from_db()
    assert [plan.agenda[place]["minutes"] for place in (0, 3, 5)] == [20, 23, 25]


@pytest.mark.looks
def test_every_page_is_accessible_and_fits_every_screen(at_home, programme, plan, last_week, tmp_path):
    for days in range(1, 4):
        plan_workshop(
            programme, plan, title="For managers", place="Community hall, Leeds", expected=22,
            starts_at=timezone.now() + timedelta(days=days),
        )  # fmt: skip
    plans.change_plan(plan, None, None, agenda=[*plan.agenda, {"pause": "Tea", "minutes": 5}])
    code, base = last_week.code, f"/programmes/{programme.key}/"
    page = at_home()
    for url in (
        "/workshops/",
        "/workshops/?q=nowhere",
        f"{base}plan/",
        f"/workshops/{code}/copy/",
        f"/workshops/{code}/facts/",
        f"/workshops/{code}/keep-as-plan/",
        f"{base}plans/",
        f"{base}plans/{plan.key}/?text=room",
        f"{base}plans/{plan.key}/?edit=poll-location",
        f"{base}plans/{plan.key}/bring/",
    ):
        for width, scheme in ((320, "light"), (1440, "dark")):
            change_look(page, width, scheme)
            assert page.goto(url).status == 200
            page.evaluate(
                "() => document.querySelectorAll('details.more').forEach((one, n) => one.open = !n)"
            )
            assert_fits(page)
            assert_accessible(page)
