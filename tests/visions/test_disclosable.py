"""Nothing becomes public without its writers' consent, a decision, and enough people."""

from __future__ import annotations

import pytest

from polls import text_decisions
from polls.models import Text
from polls.types import Question
from visions.results.aggregates import load_findings
from visions.summary import publishing
from visions.summary.publishing import CannotPublish, NotToBePublished
from workshops.actions import facilitation
from workshops.models import Domain, Participant, Role

from .. import factories

pytestmark = pytest.mark.django_db

WORDS = Question("words", "In a word?", settings={"max_entries": 3, "max_length": 40})


def held(words, *, people=12, quotable=True, question=WORDS, state=text_decisions.SHOWN):
    """A workshop in which so many people gave this answer, decided about, and over."""
    workshop = factories.workshop(None, question)
    Domain.objects.create(programme=workshop.programme, key="look", title="Look")
    poll = factories.launched(workshop)
    for _ in range(people):
        factories.vote(factories.participant(workshop), poll, words)
    consent = ["read", "pooled", *(["quote"] if quotable else [])]
    Participant.objects.filter(workshop=workshop).update(consent=consent)
    if state:
        text_decisions.decide(list(Text.objects.values_list("pk", flat=True)), state)
    facilitation.end(workshop.pk, None)
    return workshop.programme, poll


def linked(programme, poll, key="calm"):
    summary = publishing.summary_of(programme)
    statement = publishing.add_statement(summary, programme.domains.get(), "It is calm.")
    publishing.link(statement, load_findings(programme), poll.version.instrument.key, "option", key)
    return summary


def test_words_that_ten_people_wrote_agreed_to_and_were_shown_are_published():
    summary = linked(*held(["calm"]))
    publishing.publish(summary)


@pytest.mark.parametrize("state", ["", text_decisions.HIDDEN, text_decisions.FLAGGED])
def test_words_that_nobody_has_shown_cannot_be_linked(state):
    programme, poll = held(["calm"], state=state)
    with pytest.raises((NotToBePublished, publishing.NoSuchFigure)):
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


def test_a_decision_that_comes_after_the_link_is_asked_for_again_when_it_is_published():
    summary = linked(*held(["calm"]))
    text_decisions.decide([Text.objects.first().pk], text_decisions.HIDDEN)
    with pytest.raises(CannotPublish, match="checked and shown"):
        publishing.publish(summary)


def test_the_composer_says_why_at_the_figure():
    programme, poll = held(["Bullied by Mary Jones"], people=1, quotable=False, state="")
    summary = publishing.summary_of(programme)
    statement = publishing.add_statement(summary, programme.domains.get(), "It is calm.")
    browser = factories.signed_in(factories.staff(programme, Role.OWNER))
    (line,) = list(load_findings(programme).instruments[0].options)
    answer = browser.post(
        f"/programmes/{programme.key}/summary/{statement.pk}/evidence/",
        {"figure": f"{poll.version.instrument.key}|option:{line.key}", "relation": "supports"},
    )
    assert answer.status_code == 422
    assert "everybody who wrote it agreed to be quoted" in answer.content.decode()
    assert not statement.evidence.exists()
