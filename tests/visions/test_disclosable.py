"""Nothing becomes public without its writers' consent, a decision, and enough people."""

from __future__ import annotations

import pytest

from polls import text_decisions
from polls.models import Text
from visions.models import Statement
from visions.results.aggregates import load_findings
from visions.summary import composing, publishing
from visions.summary.composing import NotToBePublished
from visions.summary.publishing import CannotPublish
from workshops.actions import facilitation, moderation
from workshops.models import Domain, Participant, Role

from .. import factories
from .quoted import SAID, held, linked, polled

pytestmark = pytest.mark.django_db


def test_words_that_ten_people_wrote_agreed_to_and_were_shown_are_published():
    summary = linked(*held(["calm"]))
    publishing.publish(summary)


@pytest.mark.parametrize("state", ["", text_decisions.HIDDEN, text_decisions.FLAGGED])
def test_words_that_nobody_has_shown_cannot_be_linked(state):
    programme, poll = held(["calm"], state=state)
    with pytest.raises((NotToBePublished, composing.NoSuchFigure)):
        linked(programme, poll)


def test_words_of_one_person_who_did_not_agree_cannot_be_linked():
    programme, poll = held(["calm"])
    Participant.objects.filter(pk=Participant.objects.first().pk).update(consent=["read", "pooled"])
    with pytest.raises(NotToBePublished, match="agreed to be quoted"):
        linked(programme, poll)


def test_words_of_nine_people_cannot_be_linked():
    with pytest.raises(NotToBePublished, match="fewer than 10 people"):
        linked(*held(["calm"], people=9))


def test_a_question_that_nine_people_answered_cannot_be_linked():
    programme, poll = held("yes", people=9, question=factories.YES_NO, state="")
    with pytest.raises(NotToBePublished, match="fewer than 10 people"):
        linked(programme, poll, "yes")


def test_what_one_to_four_people_chose_cannot_be_linked_and_what_nobody_or_everybody_chose_can():
    workshop = factories.workshop()
    Domain.objects.create(programme=workshop.programme, key="look", title="Look")
    poll = factories.launched(workshop)
    people = [factories.participant(workshop) for _ in range(14)]
    for n, person in enumerate(people):
        factories.vote(person, poll, "no" if n < 4 else "yes")
    facilitation.end(workshop.pk, None)
    with pytest.raises(NotToBePublished, match="fewer than 5 people chose"):
        linked(workshop.programme, poll, "no")
    Statement.objects.all().delete()
    publishing.publish(linked(workshop.programme, poll, "yes"))


def test_a_decision_that_comes_after_the_link_is_asked_for_again_when_it_is_published():
    summary = linked(*held(["calm"]))
    text_decisions.decide([Text.objects.first().pk], text_decisions.HIDDEN)
    with pytest.raises(CannotPublish, match="checked and shown"):
        publishing.publish(summary)


def test_the_composer_says_why_at_the_figure():
    programme, poll = held(["Bullied by Mary Jones"], people=1, quotable=False, state="")
    summary = composing.summary_of(programme)
    statement = composing.add_statement(summary, programme.domains.get(), "It is calm.")
    browser = factories.signed_in(factories.staff(programme, Role.OWNER))
    (line,) = list(load_findings(programme).instruments[0].options)
    answer = browser.post(
        f"/programmes/{programme.key}/summary/{statement.pk}/evidence/",
        {"figure": f"{poll.version.instrument.key}|option:{line.key}", "relation": "supports"},
    )
    assert answer.status_code == 422
    assert "everybody who wrote it agreed to be quoted" in answer.content.decode()
    assert not statement.evidence.exists()


def test_a_redacted_word_is_published_as_redacted_if_all_agreed_and_not_if_one_did_not():
    programme, poll = held(["calm Mary"], state="")
    for text in Text.objects.all():
        text_decisions.decide([text.pk], text_decisions.REDACTED, replacement="calm somebody")
    summary = linked(programme, poll, "calm somebody")
    publishing.publish(summary)
    Participant.objects.filter(pk=Participant.objects.first().pk).update(consent=["read", "pooled"])
    with pytest.raises(CannotPublish, match="agreed to be quoted"):
        publishing.publish(summary)


# --- a poll that asks about somebody's words ------------------------------------------------------------------


@pytest.mark.parametrize("note", [False, True])
def test_a_poll_about_words_of_somebody_who_agreed_is_linked_and_published_with_them(note):
    programme, poll, _text = polled(note=note)
    snapshot = publishing.publish(linked(programme, poll, "agree"))
    assert snapshot.content["domains"][0]["statements"][0]["figures"][0]["question"] == SAID


@pytest.mark.parametrize("note", [False, True])
def test_a_poll_about_words_of_somebody_who_did_not_agree_is_not_linked(note):
    programme, poll, _text = polled(quotable=False, note=note)
    with pytest.raises(NotToBePublished, match="made of somebody’s words"):
        linked(programme, poll, "agree")


def test_a_poll_about_words_that_one_of_two_writers_agreed_to_is_not_linked():
    programme, poll, text = polled()
    same = Text.objects.get(pk=text.pk)
    same.pk, same.voter = None, factories.participant(programme.workshops.get()).voter
    same.save()
    with pytest.raises(NotToBePublished, match="made of somebody’s words"):
        linked(programme, poll, "agree")


@pytest.mark.parametrize("state", ["hidden", "flagged", "pending"])
def test_a_poll_about_words_that_are_not_shown_is_not_linked(state):
    programme, poll, text = polled()
    moderation.decide(programme.workshops.get().pk, None, text.ref, state)
    with pytest.raises(NotToBePublished, match="made of somebody’s words"):
        linked(programme, poll, "agree")


def test_a_poll_about_words_that_nine_people_answered_is_not_linked():
    programme, poll, _text = polled(people=9)
    with pytest.raises(NotToBePublished, match="fewer than 10 people"):
        linked(programme, poll, "agree")


@pytest.mark.parametrize("state", ["hidden", "flagged"])
def test_a_decision_about_the_source_after_the_link_stops_publishing_and_is_drawn_nowhere(state):
    programme, poll, text = polled()
    summary = linked(programme, poll, "agree")
    browser = factories.signed_in(factories.staff(programme, Role.OWNER))
    address = f"/programmes/{programme.key}/summary/"
    assert SAID in browser.get(f"{address}preview/").content.decode()
    moderation.decide(programme.workshops.get().pk, None, text.ref, state)
    with pytest.raises(CannotPublish, match="made of somebody’s words"):
        publishing.publish(summary)
    for page in ("", "preview/"):
        assert SAID not in browser.get(f"{address}{page}").content.decode()


def test_a_label_that_was_flagged_after_the_link_is_drawn_nowhere():
    programme, poll = held(["sacked by Mary Quennell"])
    linked(programme, poll, "sacked by mary quennell")
    browser = factories.signed_in(factories.staff(programme, Role.OWNER))
    address = f"/programmes/{programme.key}/summary/"
    text_decisions.decide(list(Text.objects.values_list("pk", flat=True)), text_decisions.FLAGGED)
    for page in ("", "preview/"):
        drawn = browser.get(f"{address}{page}").content.decode()
        assert "Quennell" not in drawn
        assert "[under review]" in drawn
    assert "Quennell" not in browser.post(f"{address}publish/").content.decode()
