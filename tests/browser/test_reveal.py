"""When the people who vote see the result: after the close, after their own vote, live, never."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from polls.lifecycle import Reveal
from polls.models import Ballot, Poll, RevealMoment
from tests import factories as make
from workshops.actions import facilitation
from workshops.models import Workshop

from .steps import BABIES, join, on_stage


@pytest.fixture
def ask(transactional_db):
    """A workshop whose one question has this reveal policy, with one answer of somebody else."""

    def ask(reveal: str) -> tuple[Workshop, Poll]:
        room = make.workshop(make.programme(), BABIES)
        Poll.objects.filter(agenda_item__workshop=room).update(reveal=reveal)
        return room, Poll.objects.get(agenda_item__workshop=room)

    return ask


def answer(page) -> None:
    page.get_by_label("6 to 8").check()
    page.get_by_role("button", name="Send my answer").click()
    expect(page.locator("#receipt")).to_contain_text("Saved: 6 to 8")


def start(ask, reveal, page, wall):
    room, poll = ask(reveal)
    join(page, room)
    wall.goto(f"/wall/{room.wall_key}/")
    make.launched(room)
    on_stage(page, "ballot")
    make.vote(make.participant(room), poll, "n9_12")
    return room, poll


def test_live_results_are_seen_before_and_while_voting(ask, phone, wall):
    page, screen = phone(), wall()
    _room, poll = start(ask, Reveal.LIVE, page, screen)
    for place in (page, screen):
        expect(place.locator("#tally [data-key=n9_12]")).to_contain_text("1")
    answer(page)
    for place in (page, screen):
        expect(place.locator("#tally [data-key=n6_8]")).to_contain_text("1")
    assert set(Ballot.objects.filter(poll=poll).values_list("after_reveal", flat=True)) == {True}
    assert list(RevealMoment.objects.values_list("shown", "why")) == [(True, "policy")]


def test_after_my_own_vote_i_see_the_result_and_the_wall_does_not(ask, phone, wall):
    page, screen = phone(), wall()
    _room, poll = start(ask, Reveal.AFTER_VOTE, page, screen)
    expect(page.locator("#tally [data-key=n9_12]")).to_be_hidden()
    answer(page)
    expect(page.locator("#tally [data-key=n9_12]")).to_be_visible()
    expect(page.locator("#tally [data-key=n6_8]")).to_contain_text("1")
    page.reload()
    expect(page.locator("#tally [data-key=n9_12]")).to_be_visible()
    assert screen.locator("#tally [data-key]").count() == 0
    page.get_by_role("link", name="Change my answer").click()
    page.get_by_label("9 to 12").check()
    page.get_by_role("button", name="Send my answer").click()
    expect(page.locator("#receipt")).to_contain_text("Saved: 9 to 12")
    seen = Ballot.objects.filter(poll=poll).order_by("revision").values_list("revision", "after_reveal")
    assert list(seen) == [(1, False), (2, True)]


def test_a_result_that_is_never_revealed_stays_with_the_facilitator_until_shown_by_hand(ask, phone, wall):
    page, screen = phone(), wall()
    room, _poll = start(ask, Reveal.NEVER, page, screen)
    answer(page)
    facilitation.close(room.pk, None)
    on_stage(page, "closed")
    expect(page.locator("#receipt")).to_contain_text("Your answer, 6 to 8, was counted.")
    assert page.locator("#tally [data-key]").count() == screen.locator("#tally [data-key]").count() == 0
    facilitation.show_result(room.pk, None, True)
    for place in (page, screen):
        expect(place.locator("#tally [data-key=n9_12]")).to_contain_text("1")
    facilitation.show_result(room.pk, None, False)
    for place in (page, screen):
        expect(place.locator("#tally [data-key=n9_12]")).to_have_count(0)
