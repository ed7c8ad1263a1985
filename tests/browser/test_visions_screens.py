"""The researcher's pages in a real browser: accessible, no wider than a phone, nothing against the policy."""

import pytest

from visions import demo_summary, synthetic

from ..visions_study import KEY, load_programme, person
from .entrance import sign_in
from .looks import assert_accessible, assert_fits


@pytest.fixture
def researcher(site, screens):
    """Open a page as a researcher, at a width and in a colour scheme."""
    programme = load_programme()
    synthetic.load(programme)
    demo_summary.write(programme)
    user = person(programme, "researcher")

    def open_page(url: str, width: int = 1440, scheme: str = "light"):
        page = screens(viewport={"width": width, "height": 900}, color_scheme=scheme)
        sign_in(page, site, user)
        assert page.goto(url).status == 200
        return page

    return open_page


def test_pages_are_accessible_and_fit_every_screen(researcher):
    base = f"/programmes/{KEY}/"
    for url in (base, f"{base}ideal_group_size/", f"{base}priorities/", f"{base}summary/", f"/vision/{KEY}/"):
        for width, scheme in ((320, "light"), (1440, "dark")):
            page = researcher(url, width, scheme)
            page.evaluate("() => document.querySelectorAll('details').forEach(each => each.open = true)")
            assert_fits(page)
            assert_accessible(page)


def test_plotly_draws_its_figure_within_the_policy(researcher):
    # A violation would be heard: `screens` fails on every error that a page logs.
    page = researcher(f"/programmes/{KEY}/ideal_group_size/")
    page.wait_for_selector("#chart .bars .point")
    assert page.locator("#chart .bars .point").count() == 7
    assert (
        page.evaluate("() => getComputedStyle(document.querySelector('#chart .main-svg')).position")
        == "absolute"
    )
