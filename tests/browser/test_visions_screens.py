"""The researcher's pages in a real browser: accessible, no wider than a phone, nothing against the policy."""

import pytest

from visions.demo import summary, synthetic
from visions.summary import composing, publishing
from workshops.actions.moderation import decide

from ..visions.quoted import SAID, linked, polled
from ..visions.study import KEY, load_programme, person
from .page_checks import assert_accessible, assert_fits, change_look
from .sign_in import sign_in

pytestmark = pytest.mark.once  # what a page does is the same on every stack


@pytest.fixture
def researcher(site, screens):
    """Open a page as a researcher."""
    programme = load_programme()
    synthetic.load(programme)
    summary.write(programme)
    user = person(programme, "researcher")

    def open_page(url: str):
        page = screens(viewport={"width": 1440, "height": 900})
        sign_in(page, site, user)
        assert page.goto(url).status == 200
        return page

    return open_page


@pytest.mark.looks
def test_pages_are_accessible_and_fit_every_screen(researcher):
    base = f"/programmes/{KEY}/"
    page = researcher(base)
    for url in (
        base,
        f"{base}results/ideal_group_size/",
        f"{base}results/priorities/",
        f"{base}summary/",
        f"/vision/{KEY}/",
    ):
        for width, scheme in ((320, "light"), (1440, "dark")):
            change_look(page, width, scheme)
            assert page.goto(url).status == 200
            page.evaluate("() => document.querySelectorAll('details').forEach(each => each.open = true)")
            assert_fits(page)
            assert_accessible(page)


@pytest.mark.looks
def test_pages_about_words_of_people_are_accessible_and_fit_every_screen(site, screens):
    programme, poll, text = polled(note=True)
    summary = linked(programme, poll, "agree")
    publishing.publish(summary)
    composing.edit_summary(summary, title="Our room", lead=f"{SAID}.", opening="")
    publishing.publish(summary)
    decide(programme.workshops.get().pk, None, text.ref, "hidden")
    base = f"/programmes/{programme.key}/summary/"
    page = screens(viewport={"width": 1440, "height": 900})
    sign_in(page, site, person(programme, "owner"))
    for url in (base, f"{base}preview/", f"{base}versions/2/withdraw/", f"/vision/{programme.key}/"):
        for width, scheme in ((320, "light"), (390, "dark"), (1440, "light")):
            change_look(page, width, scheme)
            assert page.goto(url).status == 200
            page.evaluate("() => document.querySelectorAll('details').forEach(each => each.open = true)")
            page.screenshot(
                path=f"/tmp/shots/{url.strip('/').replace('/', '-')}-{width}-{scheme}.png", full_page=True
            )
            assert_fits(page)
            assert_accessible(page)


def test_plotly_draws_its_figure_within_the_policy(researcher):
    # A violation would be heard: `screens` fails on every error that a page logs.
    page = researcher(f"/programmes/{KEY}/results/ideal_group_size/")
    page.wait_for_selector("#chart .bars .point")
    assert page.locator("#chart .bars .point").count() == 7
    assert (
        page.evaluate("() => getComputedStyle(document.querySelector('#chart .main-svg')).position")
        == "absolute"
    )
