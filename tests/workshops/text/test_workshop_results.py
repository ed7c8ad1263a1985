"""What came out of one workshop: who reads it, what counts, which words stand in it, and what it costs."""

from __future__ import annotations

import html
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from docx import Document

from polls import forgetting
from polls.models import Poll
from polls.types.base import Option, Question
from workshops.actions import facilitation, groups, rehearsal
from workshops.actions.groups import notes as note_actions
from workshops.actions.groups.notes import Add, Pick
from workshops.actions.moderation import decide
from workshops.models import Contribution, Group, Participant, Role, Workshop
from workshops.people import invitations
from workshops.text import workshop_results

from ... import factories
from ...factories import signed_in, staff

pytestmark = pytest.mark.django_db

WHERE = Question(
    "single_choice", "Where is it?", options=(Option("up", "Upstairs"), Option("down", "Downstairs"))
)
CHANGE = Question("open_text", "What would you change?")
FEEL = Question("words", "In a word?", settings={"max_entries": 3})
NAMED = "Ask Sarah Jones at Little Acorns Nursery"


def address(workshop: Workshop) -> str:
    return f"/workshops/{workshop.code}/results/"


def page(workshop: Workshop, client: Client | None = None) -> str:
    """What the page says, without its markup's entities."""
    answer = (client or signed_in(staff(workshop.programme))).get(address(workshop))
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def asked(workshop: Workshop, place: int, *answers) -> Poll:
    """The question at this place, asked, answered by a new person each, and closed."""
    poll = factories.launched(workshop, place)
    for answer in answers:
        factories.vote(factories.participant(workshop), poll, answer)
    facilitation.close(workshop.pk, None)
    return poll


def grouped(workshop: Workshop, *words: str) -> list[Contribution]:
    """Two groups at work on a prompt; one person writes all the notes."""
    people = [factories.participant(workshop) for _ in range(4)]
    item = factories.prompt_item(workshop)
    facilitation.launch(workshop.pk, None, item.pk)
    groups.make(workshop.pk, None, "random", groups=2)
    groups.open_round(workshop.pk, None)
    return [written(people[0], text, n) for n, text in enumerate(words)]


def written(who: Participant, text: str, n: int) -> Contribution:
    group = Group.objects.get(places__voter=who.voter)
    (done,) = note_actions.write([Add(who.workshop_id, who.voter, f"note-{n}", group.pk, text)])
    return Contribution.objects.select_related("group").get(pk=done.note)


# --- who, and the ways there ---------------------------------------------------------------------------------------


def test_whoever_may_run_or_read_a_workshop_sees_its_results_and_nobody_else():
    workshop = factories.workshop()
    asked(workshop, 0, "yes")
    for role in Role:
        assert signed_in(staff(workshop.programme, role)).get(address(workshop)).status_code == 200
    guest, elsewhere = factories.person(), factories.workshop(workshop.programme)
    invitations.add_member(workshop.programme, guest, Role.FACILITATOR, workshop)
    assert signed_in(guest).get(address(workshop)).status_code == 200
    assert signed_in(guest).get(address(elsewhere)).status_code == 404
    assert signed_in(staff(factories.programme(), Role.OWNER)).get(address(workshop)).status_code == 404
    assert Client().get(address(workshop))["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("role", [Role.FACILITATOR, Role.OWNER])
def test_the_ended_console_and_the_home_page_lead_to_the_results_of_this_workshop(role):
    workshop = factories.workshop()
    asked(workshop, 0, "yes")
    facilitation.end(workshop.pk, None)
    client = signed_in(staff(workshop.programme, role))
    for url in (f"/workshops/{workshop.code}/console/", "/workshops/"):
        assert f'href="{address(workshop)}"' in client.get(url).content.decode(), url
    assert client.get(address(workshop)).status_code == 200


def test_only_readers_are_led_to_all_workshops_together():
    workshop = factories.workshop()
    asked(workshop, 0, "yes")
    assert "All workshops together" not in page(workshop)
    assert "All workshops together" in page(workshop, signed_in(staff(workshop.programme, Role.OWNER)))


# --- what counts ---------------------------------------------------------------------------------------------------


def test_every_closed_question_stands_in_the_order_of_the_agenda_with_finding_base_and_table():
    workshop = factories.workshop(None, WHERE, factories.YES_NO, CHANGE)
    asked(workshop, 1, "yes", "no", "yes")
    asked(workshop, 0, "up", "up", "down")
    said = page(workshop)
    assert said.index("Where is it?") < said.index("Is it calm?")
    assert [each.finding for each in workshop_results.of(workshop).answered] == [
        "2 of 3 people chose Upstairs",
        "2 of 3 people chose Yes",
    ]
    assert "2 of 3 people chose Upstairs" in said
    assert said.count("3 of the 3 people who saw the question answered.") == 2
    assert said.count("<table") == 2
    assert "6 people took part." in said
    assert "What would you change?" not in said  # nobody was asked


def test_a_workshop_that_still_runs_shows_closed_questions_alone_and_says_so():
    workshop = factories.workshop(None, WHERE, factories.YES_NO)
    asked(workshop, 0, "up")
    factories.vote(factories.participant(workshop), factories.launched(workshop, 1), "yes")
    said = page(workshop)
    assert "Where is it?" in said
    assert "Is it calm?" not in said
    assert "This workshop is still running." in said
    facilitation.end(workshop.pk, None)
    assert "This workshop is still running." not in page(workshop)
    assert "Is it calm?" in page(workshop)


def test_answers_and_notes_of_a_rehearsal_never_count():
    workshop = factories.workshop(None, WHERE)
    poll = factories.launched(workshop)
    factories.vote(factories.participant(workshop), poll, "up")
    factories.vote(factories.participant(workshop, rehearsal=True), poll, "down")
    facilitation.close(workshop.pk, None)
    said = page(workshop)
    assert "1 person took part." in said
    assert "1 of the 1 person who saw the question answered." in said
    rehearsal.clear_rehearsal(workshop.pk, None)
    assert "1 of the 1 person who saw the question answered." in page(workshop)


def test_questions_about_people_are_not_among_the_results():
    workshop = factories.workshop(None, WHERE)
    factories.poll_item(
        workshop, Question("single_choice", "Who are you?", options=WHERE.options), profile=True
    )
    asked(workshop, 0, "up")
    facilitation.end(workshop.pk, None)
    assert "Who are you?" not in page(workshop)


def test_a_question_that_nobody_answered_says_so():
    workshop = factories.workshop(None, WHERE)
    asked(workshop, 0)
    assert "Nobody answered." in page(workshop)


def test_a_workshop_without_anything_teaches_how_results_come():
    workshop = factories.workshop(started=False)
    assert "When you have asked a question and closed the voting, its result stands here." in page(workshop)
    facilitation.start(workshop.pk, None)
    facilitation.end(workshop.pk, None)
    assert "No question was asked in this workshop" in page(workshop)


# --- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("question", "answer"), [(CHANGE, NAMED), (FEEL, ["Sarah Jones"])])
def test_words_that_nobody_has_checked_stand_without_what_may_name_somebody(question, answer):
    workshop = factories.workshop(None, question)
    poll = asked(workshop, 0, answer)
    said = page(workshop)
    assert "Sarah" not in said
    assert "[name]" in said
    assert "1 text was not checked yet." in said
    decide(workshop.pk, None, poll.texts.get().ref, "shown")
    said = page(workshop)
    assert "Sarah Jones" in said
    assert "not checked yet" not in said


@pytest.mark.parametrize("state", ["hidden", "flagged", "redacted", "destroyed"])
def test_words_stand_as_decided(state):
    workshop = factories.workshop(None, CHANGE)
    poll = asked(workshop, 0, "Never to be read", "A sofa")
    text = factories.text(poll, "Never to be read")
    if state == "destroyed":
        forgetting.take_words_out(poll.pk, {text.pk: ""})
    else:
        decide(workshop.pk, None, text.ref, state, "Left over" if state == "redacted" else "")
    said = page(workshop)
    assert "Never to be read" not in said
    assert ("Left over" in said) == (state == "redacted")
    assert "A sofa" in said


def test_notes_of_groups_stand_as_decided_with_the_sentence_that_was_brought_to_everybody():
    workshop = factories.workshop(None, WHERE)
    soft, named, hidden = grouped(workshop, "Soft light", NAMED, "Never to be read")
    note_actions.write([Pick(workshop.pk, soft.author, "pick", soft.pk, True)])
    decide(workshop.pk, None, hidden.ref, "hidden")
    said = page(workshop)
    assert "Group time 1" in said
    assert "What would calm look like?" in said
    assert "Soft light" in said
    assert "Brought to everybody" in said
    assert "Never to be read" not in said
    assert "Sarah" not in said
    decide(workshop.pk, None, named.ref, "shown")
    assert NAMED in page(workshop)


def test_what_the_room_decided_about_a_sentence_stands_apart_with_the_verdict():
    sentence = Question("statement", "You can hear babies, not a radio.")
    workshop = factories.workshop(None, WHERE, sentence)
    asked(workshop, 0, "up")
    asked(workshop, 1, *[{"choice": "agree"}] * 11)
    said = page(workshop)
    assert said.index("Where is it?") < said.index("What the room decided about sentences")
    assert said.index("What the room decided about sentences") < said.index(
        "You can hear babies, not a radio."
    )
    assert "is-consensus" in said


# --- the document ---------------------------------------------------------------------------------------------------


def document(workshop: Workshop) -> tuple[list[str], list[list[str]]]:
    """Its paragraphs, and the rows of its tables."""
    answer = signed_in(staff(workshop.programme)).get(f"/workshops/{workshop.code}/results.docx")
    name = f"{workshop.programme.key}-workshop-{workshop.number}-results.docx"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer["Content-Type"].startswith("application/vnd.openxml")
    opened = Document(io.BytesIO(answer.content))
    assert (opened.core_properties.author, opened.core_properties.comments) == ("", "")
    rows = [[cell.text for cell in row.cells] for table in opened.tables for row in table.rows]
    return [paragraph.text for paragraph in opened.paragraphs], rows


def test_the_document_has_questions_with_base_and_table_sentences_with_verdict_and_groups_with_notes():
    sentence = Question("statement", "You can hear babies, not a radio.")
    workshop = factories.workshop(None, WHERE, sentence)
    asked(workshop, 0, "up", "up", "down", "down", "up")
    asked(workshop, 1, *[{"choice": "agree"}] * 11)
    soft, _named, hidden = grouped(workshop, "Soft light", NAMED, "Never to be read")
    note_actions.write([Pick(workshop.pk, soft.author, "pick", soft.pk, True)])
    decide(workshop.pk, None, hidden.ref, "hidden")
    said, rows = document(workshop)
    for words in (
        "3 of 5 people chose Upstairs",
        "Where is it?",
        "5 of the 5 people who saw the question answered.",
        "You can hear babies, not a radio.",
        "We agree",
        "Group time 1 (still open)",
        "What would calm look like?",
    ):
        assert words in said, words
    assert ["Upstairs", "3"] in rows
    assert any(line.startswith("1. Soft light (") for line in said)
    assert "Sarah" not in "".join(said)
    assert "Never to be read" not in "".join(said)


def test_words_that_nobody_has_checked_stand_in_the_document_without_what_may_name_somebody():
    workshop = factories.workshop(None, CHANGE)
    poll = asked(workshop, 0, NAMED)
    said, rows = document(workshop)
    assert "Sarah" not in str(rows)
    assert any("1 text was not checked yet." in line for line in said)
    decide(workshop.pk, None, poll.texts.get().ref, "shown")
    assert [NAMED, "1"] in document(workshop)[1]


def test_the_document_of_a_workshop_in_which_nothing_was_asked_or_answered_opens():
    workshop = factories.workshop(None, WHERE, synthetic=True)
    assert "Synthetic: invented for a demonstration." in document(workshop)[0]
    asked(workshop, 0)
    assert "Nobody answered." in document(workshop)[0]


# --- what it costs -------------------------------------------------------------------------------------------------


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as made:
        assert client.get(url).status_code == 200
    return len(made)


def test_three_questions_cost_as_many_queries_as_one():
    workshop = factories.workshop(None, CHANGE)
    client = signed_in(staff(workshop.programme))
    asked(workshop, 0, "A sofa")
    few = queries(client, address(workshop))
    for number in (1, 2):
        factories.poll_item(workshop, CHANGE)
        poll = asked(workshop, number, "Soft light", "Toast")
        decide(workshop.pk, None, factories.text(poll, "Toast").ref, "shown")
    assert queries(client, address(workshop)) == few
