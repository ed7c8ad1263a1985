"""Sharing in a real browser: a press copies, paper has its size, a picture reaches phone and wall."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests import factories as make
from workshops.actions import facilitation
from workshops.models import Picture

from .page_checks import assert_accessible, assert_fits, change_look, every_look
from .sign_in import sign_in

pytestmark = pytest.mark.once  # what a page does is the same on every stack


@pytest.fixture
def workshop(transactional_db):
    return make.workshop(started=False, title="The ideal baby room")


@pytest.fixture
def facilitator(workshop, site, desk):
    """A laptop on which somebody has signed in who runs this workshop."""
    user = make.staff(workshop.programme)

    def opened(**settings):
        page = desk(**settings)
        sign_in(page, site, user)
        return page

    return opened


def a_picture() -> dict:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((800, 400)).convert("RGB").save(out, "PNG")
    return {"name": "room.png", "mimeType": "image/png", "buffer": out.getvalue()}


def test_a_press_copies_link_and_code_and_says_so(facilitator, workshop, site):
    page = facilitator(permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"/workshops/{workshop.code}/console/")
    for _twice in range(2):
        page.get_by_role("button", name="Copy link").click()
        expect(page.locator(".copy-link [role=status]")).to_have_text("Copied")
    assert page.evaluate("() => navigator.clipboard.readText()").split("\n") == [
        f"Join “The ideal baby room”: {site.url}/w/{workshop.code}/",
        f"Or go to {site.url.split('//')[1]} and type the code {workshop.spaced_code}.",
    ]


def test_where_a_page_may_not_copy_the_link_is_marked_to_be_copied_by_hand(facilitator, workshop, site):
    page = facilitator()
    page.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined}); document.execCommand = () => false"
    )
    page.goto(f"/workshops/{workshop.code}/console/")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("copy it with Ctrl+C")).to_be_visible()
    assert page.evaluate("() => String(getSelection())") == f"{site.url}/w/{workshop.code}/"


def test_without_scripts_the_link_itself_stands_there_and_no_button_that_does_nothing(
    facilitator, workshop, site
):
    page = facilitator(java_script_enabled=False)
    page.goto(f"/workshops/{workshop.code}/console/")
    expect(page.get_by_role("link", name=f"{site.url}/w/{workshop.code}/")).to_be_visible()
    expect(page.get_by_role("button", name="Copy link")).to_have_count(0)
    page.goto(f"/workshops/{workshop.code}/joining-sheet/")
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.get_by_text("Print it with your browser’s menu.")).to_be_visible()


@pytest.mark.looks
def test_the_joining_sheet_is_one_page_of_a4_light_accessible_and_fits_a_phone(facilitator, workshop):
    page = facilitator(reduced_motion="reduce")
    page.goto(f"/workshops/{workshop.code}/joining-sheet/")
    for width, scheme in ((320, "light"), (320, "dark"), (1440, "dark")):
        change_look(page, width, scheme)
        assert_fits(page)
        assert_accessible(page)
        background = page.evaluate("() => getComputedStyle(document.querySelector('.sheet')).backgroundColor")
        assert background == "rgb(255, 255, 255)"
    printed = page.pdf(prefer_css_page_size=True)
    assert printed.count(b"/Type /Page\n") == 1
    assert b"/MediaBox [0 0 594.95996 841.91998]" in printed


def test_a_picture_goes_from_the_card_to_phone_and_wall_and_nothing_jumps(
    facilitator, workshop, site, phone, wall
):
    question = workshop.agenda.get().poll.version.instrument
    page = facilitator()
    page.goto(f"/programmes/{workshop.programme.key}/questions/{question.key}/")
    page.set_input_files("#picture-file", a_picture())
    page.get_by_role("button", name="Save the picture").click()
    expect(page.get_by_text("Say in words what the picture shows")).to_be_visible()
    assert page.evaluate("() => document.querySelector('#picture-file').files.length") == 1
    page.get_by_label("The picture in words").fill("A long bright room")
    page.get_by_role("button", name="Save the picture").click()
    expect(page.get_by_text("The picture is saved.")).to_be_visible()
    assert_accessible(page)

    facilitation.start(workshop.pk, None)
    who = make.participant(workshop)
    make.launched(workshop)
    address = Picture.objects.get().settings["image"]
    their = phone()
    name, value = make.phone(who).cookies.popitem()
    their.context.add_cookies([{"name": name, "value": value.value, "url": site.url}])
    their.goto(f"/w/{workshop.code}/")
    big = wall()
    big.goto(f"/wall/{workshop.wall_key}/")
    for screen in (their, big):
        image = screen.get_by_role("img", name="A long bright room")
        expect(image).to_have_attribute("src", address)
        expect(image).to_have_js_property("naturalWidth", 800)
        size = image.bounding_box()
        assert size["width"] / size["height"] == pytest.approx(2, rel=0.02)
        assert_fits(screen)
        assert_accessible(screen)


def test_a_wall_whose_address_got_about_gets_another_and_the_old_one_shows_nothing(
    facilitator, workshop, site, desk, console_errors_expected
):
    console_errors_expected.append("404 (Not Found)")  # the wall looks again, at an address that is gone
    facilitation.start(workshop.pk, None)
    page, wall = facilitator(), desk(viewport={"width": 1280, "height": 720})
    wall.goto(f"/wall/{workshop.wall_key}/")
    expect(wall.locator(".join-code").first).to_be_visible()
    page.goto(f"/workshops/{workshop.code}/")
    page.get_by_role("link", name="New address of the wall").click()
    for _look in every_look(page, 320, 1440):
        assert_fits(page)
        assert_accessible(page)
    page.get_by_role("button", name="Give it a new address").click()
    expect(page.get_by_text("The wall has a new address.")).to_be_visible()
    expect(wall.locator(".join-code")).to_have_count(0)
    for _look in every_look(page, 320, 1440):
        assert_fits(page)
    workshop.refresh_from_db()
    wall.goto(f"/wall/{workshop.wall_key}/")
    expect(wall.locator(".join-code").first).to_be_visible()
