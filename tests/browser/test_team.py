"""People, the log and what was removed: on a phone and a desk, by keyboard alone, with and without a script."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests import factories as make
from workshops.actions.authoring import agenda
from workshops.actions.authoring.lead import name as name_lead
from workshops.models import Plan, Role
from workshops.people import invitations

from .page_checks import assert_accessible, assert_fits, every_look
from .sign_in import sign_in

pytestmark = pytest.mark.once  # what a page does is the same on every stack


@pytest.fixture
def workshop(transactional_db):
    made = make.workshop(started=False)
    make.pause_item(made, "Share back")
    programme = made.programme
    Plan.objects.create(programme=programme, key="p", title="Five questions", removed_at=timezone.now())
    invitations.add_member(programme, make.person("guest@example.org"), Role.FACILITATOR, made)
    make.staff(programme)
    return made


@pytest.fixture
def owner(workshop):
    return make.staff(workshop.programme, Role.OWNER)


@pytest.fixture
def office(desk, site, owner):
    def open_at(address: str, **screen: object) -> Page:
        page = desk(**screen)
        sign_in(page, site, owner)
        page.goto(address)
        return page

    return open_at


@pytest.mark.looks
@pytest.mark.parametrize("name", ["people", "log", "removed", "invite", "account"])
def test_every_page_of_the_team_is_accessible_at_every_width(office, workshop, owner, name):
    agenda.remove_step(workshop, owner, workshop.agenda.get(title="Share back").pk)
    programme = f"/programmes/{workshop.programme.key}"
    page = office({
        "people": f"{programme}/people/", "log": f"{programme}/log/", "removed": f"{programme}/removed/",
        "invite": f"/workshops/{workshop.code}/invite/", "account": "/account/",
    }[name])  # fmt: skip
    if name in ("people", "invite"):
        page.get_by_role("button", name="Invite", exact=True).click()
        expect(page.get_by_role("button", name="Copy", exact=True)).to_be_visible()
    for _look in every_look(page, 320, 390, 1440):
        assert_fits(page)
        assert_accessible(page)


def test_the_menu_of_a_phone_opens_by_keyboard(office, workshop):
    page = office(f"/programmes/{workshop.programme.key}/people/", viewport={"width": 390, "height": 800})
    menu = page.locator("details.menu")
    expect(menu.get_by_role("link", name="Your account")).to_be_hidden()
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(menu.get_by_role("link", name="Your account")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)


def test_a_guest_is_invited_by_keyboard_alone_and_without_a_script(office, workshop):
    page = office(f"/programmes/{workshop.programme.key}/people/", java_script_enabled=False)
    page.get_by_role("radio", name="Facilitator").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.get_by_label("Which workshop?").select_option(str(workshop.pk))
    page.get_by_role("button", name="Invite", exact=True).press("Enter")
    expect(page.get_by_label("Link for one guest, workshop 1")).to_have_value(re.compile("/invitation/"))


def test_ctrl_z_outside_a_field_takes_the_last_action_back(office, workshop, owner):
    agenda.remove_step(workshop, owner, workshop.agenda.get(title="Share back").pk)
    page = office(f"/workshops/{workshop.code}/")
    expect(page.locator(".undo")).to_contain_text("You removed “Share back” from the agenda.")
    page.keyboard.press("Control+z")
    expect(page.get_by_text("Took back: Removed “Share back” from the agenda")).to_be_visible()
    assert workshop.agenda.filter(title="Share back").exists()
    expect(page.locator(".undo")).to_have_count(0)


@pytest.fixture
def named(workshop, owner):
    """The owner is named, and the present lead has not answered yet; a second owner is too new to agree."""
    lead, programme = make.person("present.lead.of.the.programme@example.org"), workshop.programme
    invitations.add_member(programme, lead, Role.RESEARCHER)
    programme.safeguarding_lead = lead
    programme.save()
    name_lead(programme, owner, owner, link="https://example.org/")
    return lead


@pytest.mark.looks
def test_a_lead_who_is_named_is_accessible_at_every_width(office, desk, site, workshop, named, tmp_path):
    programme = f"/programmes/{workshop.programme.key}"
    second, present = desk(), desk()
    sign_in(second, site, make.staff(workshop.programme, Role.OWNER))
    second.goto(f"{programme}/people/")
    expect(second.get_by_text("You can agree once you have been an owner for a day.")).to_be_visible()
    sign_in(present, site, named)
    present.goto(f"{programme}/safeguarding/")
    for name, page in (("own", office(f"{programme}/people/")), ("second", second), ("present", present)):
        for look in every_look(page, 320, 390, 1440):
            assert_accessible(page)
            assert_fits(page)
            page.screenshot(path=tmp_path / f"{name}-{look}.png", full_page=True)


@pytest.mark.parametrize("script", [True, False])
def test_the_present_lead_agrees_by_keyboard(desk, site, workshop, owner, named, script):
    page = desk(java_script_enabled=script)
    sign_in(page, site, named)
    page.goto(f"/programmes/{workshop.programme.key}/safeguarding/")
    page.get_by_role("button", name="Agree").press("Enter")
    expect(page.get_by_text("Agreed. This is so from now on.")).to_be_visible()
    workshop.programme.refresh_from_db()
    assert workshop.programme.safeguarding_lead == owner
