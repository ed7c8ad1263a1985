"""Pages that say what is added up over versions, in a real browser: accessible, no wider than a phone, by keyboard."""

from dataclasses import replace

import pytest

from polls.models import ComparabilityMark
from polls.types.base import Option
from visions.demo import synthetic
from workshops.models import Prompt

from ..visions.study import KEY, hold_workshop, load_programme, person
from .page_checks import assert_accessible, assert_fits, change_look
from .sign_in import sign_in

pytestmark = pytest.mark.once  # what a page does is the same on every stack

PROGRAMME = f"/programmes/{KEY}/"
LIST = f"{PROGRAMME}questions/"


@pytest.fixture
def owner(site, screens):
    """Open a page as an owner of a programme with an added option, a changed meaning and something removed."""
    programme = load_programme()
    synthetic.load(programme)
    user = person(programme, "owner")
    changed = {"outdoors": {"text": "How do babies get outdoors?"}, "ideal_group_size": {}, "priorities": {}}
    for key, words in changed.items():
        instrument = programme.bank.instruments.get(key=key)
        earlier = instrument.latest
        options = (
            earlier.question.options if words else (*earlier.question.options, Option("ages", "It depends"))
        )
        question = replace(earlier.question, options=options, **words)
        later = instrument.versions.create(number=2, definition=question.as_json())
        if not words:
            ComparabilityMark.objects.create(
                earlier=earlier, later=later, kind="option", reason="Three groups asked for it.", by=user
            )
    hold_workshop(
        programme,
        {
            "outdoors": ["free_flow"] * 12,
            "ideal_group_size": ["ages"] * 5 + ["n6_8"] * 7,
            "priorities": [["ages"]] * 12,
        },
    )
    Prompt.objects.create(programme=programme, key="gone", text="Walk us out", removed_at="2026-11-28T12:00Z")

    def open_page(url: str):
        page = screens(viewport={"width": 1440, "height": 900})
        sign_in(page, site, user)
        assert page.goto(url).status == 200
        return page

    return open_page


@pytest.mark.looks
def test_pages_of_versions_are_accessible_and_fit_every_screen(owner):
    page = owner(LIST)
    for url in (
        LIST,
        f"{LIST}?open=outdoors",
        f"{LIST}?open=ideal_group_size",
        f"{LIST}?tab=breakouts",
        f"{LIST}?tab=removed",
        PROGRAMME,
        f"{PROGRAMME}results/outdoors/",
        f"{PROGRAMME}results/outdoors/?version=1",
        f"{PROGRAMME}results/ideal_group_size/",
        f"{PROGRAMME}results/priorities/",
    ):
        for width, scheme in ((320, "light"), (1440, "dark")):
            change_look(page, width, scheme)
            assert page.goto(url).status == 200
            assert_fits(page)
            assert_accessible(page)


def test_versions_open_and_close_by_keyboard_at_their_question(owner):
    page = owner(LIST)
    link = page.locator("#outdoors a.pools")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**open=outdoors#outdoors")
    assert page.locator("ol.versions li").count() == 2
    page.locator("#outdoors a.pools").press("Enter")
    page.wait_for_url("**#outdoors")
    assert page.locator("ol.versions").count() == 0
