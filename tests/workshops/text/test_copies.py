"""What is decided about somebody's words holds for the question that was made of them, on every screen and in every file."""

from __future__ import annotations

import pytest

from polls.models import InstrumentVersion, Text
from polls.types.base import Question
from visions.results.aggregates import load_findings
from workshops import screens
from workshops.actions import facilitation, groups
from workshops.actions.authoring import agenda
from workshops.actions.groups import notes
from workshops.actions.moderation import check_texts, decide
from workshops.actions.stage import GestureRejected
from workshops.models import AgendaItem, Contribution, Group, Role
from workshops.signals.topics import SHOWN, Audience

from ... import factories as make

pytestmark = pytest.mark.django_db

SAID = "Bullied by Mary Quennell"
STANDS = "These words are being looked at."


@pytest.fixture
def asked():
    """A room that was asked about somebody's answer: the workshop, the text, the step that asks."""
    workshop = make.workshop(None, Question("open_text", "Your hope?"))
    poll = make.launched(workshop)
    make.vote(make.participant(workshop), poll, SAID)
    text = Text.objects.get(words=SAID)
    decide(workshop.pk, None, text.ref, "shown")
    groups.agreement_poll(workshop.pk, None, text.ref)
    workshop.refresh_from_db()
    make.vote(make.participant(workshop), workshop.stage_item.poll, {"choice": "agree"})
    return workshop, text, workshop.stage_item


def screens_of(workshop) -> str:
    scene = screens.Scene.load(workshop.pk)
    return "\n".join(
        screens.draw(scene, topic, audience)
        for audience in (Audience.WALL, Audience.PHONE, Audience.OBSERVER)
        for topic in SHOWN[audience]
    )


def pages_of(workshop) -> str:
    """The pages of staff that list or draw a question: console, agenda, card, questions, results, files."""
    owner = make.signed_in(make.staff(workshop.programme, Role.OWNER))
    code, programme = workshop.code, workshop.programme.key
    step = workshop.agenda.get(quick=True)
    paths = (
        f"/workshops/{code}/",
        f"/workshops/{code}/items/{step.pk}/",
        f"/programmes/{programme}/",
        f"/programmes/{programme}/results.csv",
        f"/programmes/{programme}/questions/",
    )
    answers = [owner.get(path) for path in paths]
    assert {answer.status_code for answer in answers} == {200}
    return "\n".join(answer.getvalue().decode() for answer in answers)


@pytest.mark.parametrize("state", ["flagged", "hidden"])
def test_a_question_on_stage_is_gone_from_every_screen_once_its_words_are_flagged_or_hidden(asked, state):
    workshop, text, item = asked
    assert SAID in screens_of(workshop)
    revision = workshop.stage_rev
    decide(workshop.pk, None, text.ref, state)
    workshop.refresh_from_db()
    item.refresh_from_db()
    assert workshop.stage_item is None
    assert workshop.stage_rev > revision
    assert item.poll.is_closed
    assert SAID not in screens_of(workshop)
    scene = screens.Scene.load(workshop.pk)
    console = [screens.draw(scene, topic, Audience.CONSOLE) for topic in SHOWN[Audience.CONSOLE]]
    assert STANDS in "\n".join(console)


def test_no_row_of_the_question_keeps_flagged_words_and_no_page_or_file_has_them(asked):
    workshop, text, item = asked
    assert SAID in pages_of(workshop)
    decide(workshop.pk, None, text.ref, "flagged")
    item.refresh_from_db()
    version = InstrumentVersion.objects.select_related("instrument").get(pk=item.poll.version_id)
    assert (item.title, version.instrument.name, version.question.text) == (STANDS, STANDS, STANDS)
    assert SAID not in str(version.definition)
    said = load_findings(workshop.programme)
    assert SAID not in repr(said)
    assert SAID[:12] not in pages_of(workshop)


def test_a_redaction_puts_its_replacement_into_the_question(asked):
    workshop, text, item = asked
    decide(workshop.pk, None, text.ref, "redacted", "Bullied by somebody")
    item.refresh_from_db()
    workshop.refresh_from_db()
    assert (item.title, item.poll.question.text) == ("Bullied by somebody", "Bullied by somebody")
    assert workshop.stage_item == item
    assert "Bullied by somebody" in screens_of(workshop)
    assert SAID not in screens_of(workshop)


def test_a_flag_that_is_taken_off_gives_the_question_its_words_again(asked):
    workshop, text, item = asked
    by = make.staff(workshop.programme)
    decide(workshop.pk, by, text.ref, "flagged")
    decide(workshop.pk, by, text.ref, "pending")
    decide(workshop.pk, by, text.ref, "shown")
    item.refresh_from_db()
    assert (item.title, item.poll.question.text) == (SAID, SAID)


def test_hiding_several_texts_at_once_reaches_their_questions(asked):
    workshop, text, item = asked
    check_texts(workshop.pk, None, [text.ref], shown=False)
    item.refresh_from_db()
    assert item.title == STANDS
    assert SAID not in screens_of(workshop)


def test_a_question_whose_words_are_looked_at_is_not_launched(asked):
    workshop, text, item = asked
    decide(workshop.pk, None, text.ref, "flagged")
    with pytest.raises(GestureRejected, match="being looked at"):
        facilitation.launch(workshop.pk, None, item.pk)


def test_a_copied_step_keeps_whose_words_it_asks_about(asked):
    workshop, text, item = asked
    copied = agenda.copy_step(workshop, None, item.pk)
    decide(workshop.pk, None, text.ref, "flagged")
    copied.refresh_from_db()
    assert (copied.title, AgendaItem.objects.get(pk=copied.pk).poll.question.text) == (STANDS, STANDS)


def test_a_flag_on_a_note_reaches_the_question_that_was_made_of_an_earlier_wording():
    workshop, who, note = noted()
    groups.agreement_poll(workshop.pk, None, note.ref)
    notes.write([notes.Edit(workshop.pk, who.voter, "op2", note.pk, 1, f"{SAID} again")])
    note = Contribution.objects.get(pk=note.pk)
    decide(workshop.pk, None, note.ref, "flagged")
    assert SAID not in screens_of(workshop)
    assert workshop.agenda.get(quick=True).title == STANDS


def test_a_note_that_is_taken_back_is_taken_out_of_its_question():
    workshop, who, note = noted()
    groups.agreement_poll(workshop.pk, None, note.ref)
    notes.write([notes.TakeBack(workshop.pk, who.voter, "op3", note.pk)])
    assert SAID not in screens_of(workshop)
    assert "taken back" in workshop.agenda.get(quick=True).poll.question.text


def noted():
    workshop = make.workshop()
    who = make.participant(workshop)
    facilitation.launch(workshop.pk, None, make.prompt_item(workshop).pk)
    groups.make(workshop.pk, None, "random", groups=1)
    groups.open_round(workshop.pk, None)
    (done,) = notes.write([notes.Add(workshop.pk, who.voter, "op1", Group.objects.get().pk, SAID)])
    note = Contribution.objects.get(pk=done.note)
    decide(workshop.pk, None, note.ref, "shown")
    return workshop, who, note
