"""What came out of a workshop, in a real browser: found from the ended console, read, taken home."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from polls.types.base import Option, Question
from workshops.actions import facilitation, groups
from workshops.actions.groups import notes
from workshops.actions.groups.notes import Add, Pick
from workshops.actions.moderation import decide
from workshops.models import Group, Workshop

from ..factories import launched, note_ref, participant, programme, prompt_item, refs, staff, vote
from ..factories import workshop as workshop_of
from .page_checks import assert_accessible, assert_fits, change_look
from .sign_in import sign_in

QUESTIONS = [
    Question(
        "single_choice",
        "Where in the nursery is the ideal baby room?",
        options=(
            Option("ground", "On the ground floor, with a door to its own garden"),
            Option("quiet", "In a quiet area"),
            Option("near", "Near the other rooms"),
        ),
    ),
    Question("words", "In a word or short phrase: how does it look and feel?", settings={"max_entries": 3}),
    Question("open_text", "What would you change tomorrow?"),
    Question("statement", "You can hear babies, not a radio."),
]
ANSWERS = [
    ["ground"] * 6 + ["quiet"] * 5 + ["near"],
    [["calm", "homely"], ["calm", "warm"], ["calm"]] * 4,
    [
        "A sofa, an actual sofa.",
        "Ask Sarah Jones at Little Acorns Nursery",
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbau",
    ]
    * 4,
    [{"choice": "agree"}] * 9 + [{"choice": "live_with"}] * 2 + [{"choice": "disagree"}],
]


@pytest.fixture
def held(transactional_db) -> Workshop:
    """A workshop with four closed questions and two groups, one sentence of which was brought to everybody."""
    made = workshop_of(programme(title="Baby rooms in England"), *QUESTIONS)
    people = [participant(made) for _ in range(12)]
    for place, answers in enumerate(ANSWERS):
        poll = launched(made, place)
        for who, answer in zip(people, answers, strict=True):
            vote(who, poll, answer)
        if place == 1:
            for ref in refs(poll, "calm", "homely", "warm"):
                decide(made.pk, None, ref, "shown")
        facilitation.close(made.pk, None)
    item = prompt_item(made, "Walk us in: what do you see, hear and feel?")
    facilitation.launch(made.pk, None, item.pk)
    groups.make(made.pk, None, "random", groups=2)
    groups.open_round(made.pk, None)
    group = Group.objects.get(places__voter=people[0].voter)
    words = [
        "First thing, it’s quiet, but not silent.",
        "Sarah Jones would keep the two faces every morning.",
    ]
    written = [
        notes.write([Add(made.pk, people[0].voter, f"op{n}", group.pk, text)])[0].note
        for n, text in enumerate(words)
    ]
    notes.write([Pick(made.pk, people[0].voter, "pick", written[0], True)])
    decide(made.pk, None, note_ref(written[0]), "shown")
    made.refresh_from_db()
    return made


@pytest.mark.once
@pytest.mark.looks
def test_a_facilitator_ends_the_workshop_and_reads_what_it_said(site, screens, held):
    page = screens(viewport={"width": 1440, "height": 900})
    sign_in(page, site, staff(held.programme))
    facilitation.end(held.pk, None)
    page.goto(f"/workshops/{held.code}/console/")
    page.get_by_role("link", name="See the results").click()
    expect(page.get_by_role("heading", name="What this workshop said")).to_be_visible()
    expect(page.get_by_role("heading", name="6 of 12 people chose On the ground floor")).to_be_visible()
    assert "Sarah" not in page.content()
    for width, scheme in ((320, "light"), (390, "dark"), (1440, "dark")):
        change_look(page, width, scheme)
        page.evaluate("() => document.querySelectorAll('details').forEach(each => each.open = true)")
        assert_fits(page)
        assert_accessible(page)
    page.get_by_role("link", name="Check them now").click()
    expect(page.get_by_role("heading", name="Notes and words")).to_be_visible()
