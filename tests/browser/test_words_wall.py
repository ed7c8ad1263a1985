"""Words on the wall: every word of the cloud is whole, however many there are and however long the question is."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from polls.lifecycle import Reveal
from polls.models import Poll
from polls.types.base import Question
from tests import factories as make

pytestmark = pytest.mark.once  # what a page does is the same on every stack

SHORT = "How does it feel?"
LONG = "In a word or short phrase: how does the ideal baby room look and feel to you, on a rainy Monday in winter?"
FEW = {"calm": 11, "nurturing": 9, "homely": 8, "welcoming": 6, "like someone’s home": 2}
SEVERAL = FEW | {f"a soft corner number {n}": 1 for n in range(11)}
MANY = {f"{word} {n}": 1 + n % 4 for n, word in enumerate(["calm", "warm light", "familiar faces"] * 10)}
SAME = {"calm": 30}

# The letters of a word may be a little higher than its line; a word that is cut loses far more.
CUT = """() => { const box = document.querySelector("#tally .cloud"), edge = box.getBoundingClientRect();
  return [...box.children].filter(word => { const one = word.getBoundingClientRect();
    return one.bottom > edge.bottom + 2 || one.top < edge.top - 2 || one.right > edge.right + 2; })
    .map(word => word.textContent); }"""


@pytest.mark.parametrize("asked", [SHORT, LONG])
@pytest.mark.parametrize("words", [FEW, SEVERAL, MANY, SAME], ids=["few", "several", "many", "same"])
def test_no_word_of_the_cloud_is_cut(site, wall, transactional_db, asked, words):
    room = make.workshop(None, Question("words", asked, settings={"check": False}))
    Poll.objects.filter(agenda_item__workshop=room).update(reveal=Reveal.LIVE)
    poll = make.launched(room)
    for word, people in words.items():
        for _ in range(people):
            make.vote(make.participant(room), poll, [word])
    page = wall()
    page.goto(f"/wall/{room.wall_key}/")
    expect(page.locator("#tally .cloud li")).not_to_have_count(0)
    page.evaluate("document.fonts.ready")
    assert page.evaluate(CUT) == []
