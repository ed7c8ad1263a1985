"""What somebody reads who declined, watched or left: sentences that are true for them, and a way to take part."""

from __future__ import annotations

import html

import pytest

from workshops.actions import facilitation, groups
from workshops.actions.authoring import questionnaires
from workshops.models import Workshop

from ... import factories
from ...factories import phone

pytestmark = pytest.mark.django_db

CLOSING = "What you said today is added up with the other workshops."


@pytest.fixture
def workshop() -> Workshop:
    return factories.workshop(factories.programme(closing=CLOSING))


def page(of: Workshop, client, more: str = "") -> str:
    answer = client.get(f"/w/{of.code}/{more}", follow=True)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def test_who_watched_does_not_read_that_what_they_said_is_added_up(workshop):
    watching, taking_part = phone(observing=workshop), phone(factories.participant(workshop))
    facilitation.end(workshop.pk, None)
    assert CLOSING in page(workshop, taking_part)
    said = page(workshop, watching)
    assert CLOSING not in said
    assert "Thank you for watching" in said
    assert "You watched, so nothing of yours was counted or kept." in said


def test_an_observer_of_a_group_is_not_told_to_be_in_it_or_to_write_in_it(workshop):
    item = factories.prompt_item(workshop)
    member, _other = factories.participant(workshop), factories.participant(workshop)
    facilitation.launch(workshop.pk, None, item.pk)
    groups.make(workshop.pk, None, "random", groups=1)
    groups.open_round(workshop.pk, None)
    assert "You are in Group 1: 2 people" in page(workshop, phone(member))
    said = page(workshop, phone(observing=workshop))
    assert "You are watching Group 1: 2 people" in said
    for words in ("You are in Group", "Add the first one", "Our shared notes", "A scribe can change"):
        assert words not in said, words


@pytest.mark.parametrize("on_stage", ["joining", "question", "closed", "prompt", "pause"])
def test_who_watches_can_change_their_mind_while_doors_are_open(workshop, on_stage):
    watching = phone(observing=workshop)
    if on_stage in ("question", "closed"):
        factories.launched(workshop)
    if on_stage == "closed":
        facilitation.close(workshop.pk, None)
    if on_stage in ("prompt", "pause"):
        make = factories.prompt_item if on_stage == "prompt" else factories.pause_item
        facilitation.launch(workshop.pk, None, make(workshop).pk)
    link = f'href="/w/{workshop.code}/consent/"'
    assert link in page(workshop, watching)
    assert link not in page(workshop, phone(factories.participant(workshop)))
    ticked = [item["key"] for item in workshop.sheet.items]
    watching.post(f"/w/{workshop.code}/consent/", {"consent": ticked})
    assert link not in page(workshop, watching)
    facilitation.end(workshop.pk, None)
    assert link not in page(workshop, phone(observing=workshop))


def test_who_leaves_is_told_what_is_true_and_can_come_back_while_doors_are_open(workshop):
    watching, taking_part = phone(observing=workshop), phone(factories.participant(workshop))
    assert "What you have answered stays counted." in page(workshop, taking_part, "leave/")
    said = page(workshop, watching, "leave/")
    assert "stays counted" not in said
    assert "You are watching, so nothing of yours is kept." in said
    left = watching.post(f"/w/{workshop.code}/leave/").content.decode()
    assert "Changed your mind? Join again" in left
    facilitation.end(workshop.pk, None)
    left = taking_part.post(f"/w/{workshop.code}/leave/").content.decode()
    assert "Join again" not in left


def test_who_looks_on_at_a_questionnaire_reads_what_is_true_and_can_take_part():
    made = factories.questionnaire(factories.programme(closing=CLOSING))
    watching = phone(observing=made)
    assert f'href="/w/{made.code}/consent/"' in page(made, watching)
    questionnaires.close_now(made.pk, None)
    said = page(made, watching)
    assert CLOSING not in said
    assert "You looked on, so nothing of yours was counted or kept." in said
