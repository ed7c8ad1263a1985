"""What stays of the groups: who may read it, what never appears in it, and the files that people take home."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from docx import Document
from markdown_it import MarkdownIt

from polls import texts as texts_of_people
from polls.models import Poll, TextDecision
from polls.types.base import Question
from workshops.actions import facilitation, groups, participation
from workshops.actions.groups import notes as note_actions
from workshops.actions.groups.notes import Add, Agree, Pick
from workshops.actions.moderation import decide
from workshops.models import Contribution, Domain, Group, Participant, Role, TextMark, Workshop
from workshops.text import reports
from workshops.text.exports import markdown, notes_csv, notes_docx

from ... import factories
from ...factories import signed_in, staff

pytestmark = pytest.mark.django_db

QUOTE = {"key": "quote", "text": "My words may be quoted", "required": False}
_ops = iter(range(1, 10_000))


@pytest.fixture
def room() -> tuple[Workshop, list[Participant]]:
    """Four people in two groups, at work on a prompt of a domain; only the first lets their words be quoted."""
    workshop = factories.workshop()
    workshop.sheet = factories.sheet(workshop.programme, [*factories.SHEET_ITEMS[:2], QUOTE])
    workshop.save()
    item = factories.prompt_item(workshop)
    item.prompt.domain = Domain.objects.create(
        programme=workshop.programme, key="feel", title="Look and feel"
    )
    item.prompt.save()
    people = [
        factories.participant(
            workshop, ticked=["read", "pooled", *(["quote"] if n == 0 else [])], profiled=False
        )
        for n in range(4)
    ]
    facilitation.launch(workshop.pk, None, item.pk)
    groups.make(workshop.pk, None, "random", groups=2)
    groups.open_round(workshop.pk, None)
    return workshop, people


def group_of(who: Participant) -> Group:
    return Group.objects.filter(places__voter=who.voter).latest("pk")


def do(kind, who: Participant, *values) -> int:
    (done,) = note_actions.write([kind(who.workshop_id, who.voter, f"op{next(_ops)}", *values)])
    return done.note


def note(who: Participant, text: str = "Soft light") -> Contribution:
    return Contribution.objects.get(pk=do(Add, who, group_of(who).pk, text))


def mate(who: Participant, people: list[Participant]) -> Participant:
    return next(p for p in people if p != who and group_of(p) == group_of(who))


def texts(workshop: Workshop) -> list[str]:
    return [line.text for _round, _group, line in reports.of(workshop).lines]


def rows(workshop: Workshop) -> list[dict[str, str]]:
    file = io.StringIO()
    notes_csv.write(reports.of(workshop), file)
    return list(csv.DictReader(io.StringIO(file.getvalue())))


def document_text(workshop: Workshop) -> str:
    document = Document(io.BytesIO(notes_docx.write(reports.of(workshop))))
    return "\n".join(paragraph.text for paragraph in document.paragraphs)


def everywhere(workshop: Workshop, client: Client) -> str:
    """All that leaves the page and the files, as one text."""
    page = client.get(f"/workshops/{workshop.code}/notes/").content.decode()
    return "\n".join(
        [page, str(rows(workshop)), markdown.notes(reports.of(workshop)), document_text(workshop)]
    )


def facilitator(workshop: Workshop) -> Client:
    return signed_in(staff(workshop.programme))


# --- who may -----------------------------------------------------------------------------------------------

PLACES = ["notes/", "notes.csv", "notes.md", "notes.docx"]


@pytest.mark.parametrize("place", PLACES)
def test_everybody_of_the_programme_reads_notes_and_nobody_else(room, place):
    workshop, people = room
    note(people[0])
    url = f"/workshops/{workshop.code}/{place}"
    for role in Role:
        assert signed_in(staff(workshop.programme, role)).get(url).status_code == 200
    elsewhere = staff(factories.programme(), Role.OWNER)
    assert signed_in(elsewhere).get(url).status_code == 404
    assert factories.phone(people[0]).get(url).status_code == 302
    assert Client().get(url)["Location"].startswith("/accounts/login/")
    assert signed_in(staff(workshop.programme)).post(url).status_code == 405


def test_only_who_runs_workshops_decides_about_a_note(room):
    workshop, people = room
    made = note(people[0])
    url = f"/workshops/{workshop.code}/notes/decide/"
    send = {"do": "show", "ref": made.ref}
    assert signed_in(staff(workshop.programme, Role.RESEARCHER)).post(url, send).status_code == 403
    assert signed_in(staff(factories.programme())).post(url, send).status_code == 404
    assert Client().post(url, send).status_code == 302
    made.refresh_from_db()
    assert made.text.state == "pending"
    client = facilitator(workshop)
    assert client.get(url).status_code == 405
    for wrong in ({"do": "nonsense", "ref": made.ref}, {"do": "show"}, {"do": "show", "ref": str(made.pk)}):
        assert client.post(url, wrong).status_code == 404
    assert client.post(url, send)["Location"] == f"/workshops/{workshop.code}/notes/#{made.ref}"
    made.refresh_from_db()
    assert made.text.state == "shown"


def test_a_note_of_another_workshop_is_not_decided_about_here(room):
    _workshop, people = room
    made = note(people[0])
    own = factories.workshop()
    client, url = facilitator(own), f"/workshops/{own.code}/notes/decide/"
    for verb in ("show", "hide", "propose"):
        page = client.post(url, {"do": verb, "ref": made.ref}, follow=True).content.decode()
        assert "are not there any more." in page
    assert not TextMark.objects.exists()
    made.refresh_from_db()
    assert made.text.state == "pending"


def test_a_decision_made_afterwards_is_about_the_words_that_were_read(room):
    workshop, people = room
    made = note(people[0])
    page = facilitator(workshop)
    do(note_actions.Edit, people[0], made.pk, 1, "Soft light, says Anna")
    for verb in ("show", "hide", "propose"):
        answer = page.post(
            f"/workshops/{workshop.code}/notes/decide/", {"do": verb, "ref": made.ref}, follow=True
        )
        assert "These words were changed just now" in answer.content.decode()
    assert not TextMark.objects.exists()
    assert not TextDecision.objects.exists()


def test_a_note_is_brought_to_the_vision_after_the_end_and_held_back_again(room):
    workshop, people = room
    made = note(people[0])
    facilitation.end(workshop.pk, None)
    client, url = facilitator(workshop), f"/workshops/{workshop.code}/notes/decide/"
    for verb, brought in (("propose", [made.text]), ("hold_back", [])):
        assert client.post(url, {"do": verb, "ref": made.ref}).status_code == 302
        assert reports.brought_to_the_vision(workshop.programme) == brought


NAMES, WITHOUT = "I saw Anna Smith there", "I saw [name] there"


def named_note(room) -> tuple[Workshop, Contribution, Client, str]:
    workshop, people = room
    return workshop, note(people[0], NAMES), facilitator(workshop), f"/workshops/{workshop.code}/notes/"


def test_what_may_name_somebody_is_marked_for_whoever_decides_until_it_is_decided(room):
    workshop, made, client, url = named_note(room)
    page = client.get(url).content.decode()
    assert ("<mark>Anna Smith</mark>" in page, WITHOUT in page, "Show with names removed" in page) == (
        True,
    ) * 3
    read = signed_in(staff(workshop.programme, Role.RESEARCHER)).get(url).content.decode()
    assert ("<mark>" in read, "Show with names removed" in read, "Flag" in read) == (False,) * 3
    client.post(f"{url}decide/", {"do": "redact", "ref": made.ref})
    page = client.get(url).content.decode()
    assert ("Anna" in page, WITHOUT in page, "<mark>" in page) == (False, True, False)
    made.refresh_from_db()
    assert (made.text.state, made.text.replacement) == ("redacted", WITHOUT)


def test_words_are_written_anew_beside_the_note_and_stay_there_when_they_are_refused(room):
    _workshop, made, client, url = named_note(room)
    assert "<textarea" not in client.get(url).content.decode()
    page = client.get(f"{url}?reword={made.ref}").content.decode()
    assert (page.count("<textarea"), f">{WITHOUT}</textarea>" in page) == (1, True)
    long = "She sang " * 20
    answer = client.post(f"{url}decide/", {"do": "reword", "ref": made.ref, "words": long})
    assert answer.status_code == 422
    assert f">{long}</textarea>" in answer.content.decode()
    assert "Keep it about as short as what was written" in answer.content.decode()
    answer = client.post(f"{url}decide/", {"do": "reword", "ref": made.ref, "words": "I saw her"})
    assert answer["Location"] == f"{url}#{made.ref}"
    made.refresh_from_db()
    assert (made.text.state, made.text.replacement) == ("redacted", "I saw her")


def test_a_note_is_flagged_afterwards_and_gone_from_the_page(room):
    _workshop, made, client, url = named_note(room)
    page = client.post(f"{url}decide/", {"do": "flag", "ref": made.ref}, follow=True).content.decode()
    assert "Flagged for safeguarding. Only the safeguarding lead can read this now." in page
    assert "Anna" not in page
    made.refresh_from_db()
    assert made.text.is_flagged


def test_what_was_hidden_can_be_shown_again_afterwards(room):
    _workshop, made, client, url = named_note(room)
    for verb, state, offers in (("hide", "hidden", "show"), ("show", "shown", "hide")):
        client.post(f"{url}decide/", {"do": verb, "ref": made.ref})
        made.refresh_from_db()
        page = client.get(url).content.decode()
        assert (made.text.state, f'value="{offers}"' in page, f'value="{verb}"' in page) == (
            state,
            True,
            False,
        )


# --- what appears ------------------------------------------------------------------------------------------


def test_a_note_comes_with_its_group_prompt_order_and_offset(room):
    workshop, people = room
    made = note(people[0])
    note(people[0], "A sofa")
    do(Agree, mate(people[0], people), made.pk, True)
    do(Pick, people[0], made.pk, True)
    opened = timezone.now() - timedelta(minutes=23)
    Workshop.objects.filter(pk=workshop.pk).update(started_at=opened)
    Contribution.objects.filter(pk=made.pk).update(at=opened + timedelta(seconds=65))
    workshop.refresh_from_db()
    first = rows(workshop)[0]
    person = first.pop("person")
    group = group_of(people[0])
    assert first == {
        "workshop": str(workshop.number), "round": "1", "round_open": "1", "group": str(group.number),
        "group_name": group.name, "prompt": "What would calm look like?", "domain": "feel", "order": "1",
        "offset_seconds": "65", "text": "Soft light", "shared_back": "1", "agreeing": "1", "check": "pending",
        "may_be_quoted": "1", "source": "group", "people": "1", "answered": "", "question_open": "",
    }  # fmt: skip
    assert rows(workshop)[1]["order"] == "2"
    assert person != rows(workshop)[0]["person"]


def test_one_writer_has_one_name_within_a_file(room):
    workshop, people = room
    note(people[0])
    note(people[0], "A sofa")
    note(mate(people[0], people), "Toast")
    names = [row["person"] for row in rows(workshop)]
    assert names[0] == names[1] != names[2]


def test_nothing_says_who_wrote_or_at_what_time_of_day(room):
    workshop, people = room
    made = note(people[0])
    page = everywhere(workshop, facilitator(workshop))
    assert "Soft light" in page
    assert [p.voter for p in people if p.voter in page] == []
    assert timezone.localtime(made.at).strftime("%H:%M") not in str(rows(workshop))


@pytest.mark.parametrize(
    "away",
    [{}, {"taken_back_at": timezone.now()}, {"rehearsal": True}],
    ids=["for the safeguarding lead", "taken back", "of a rehearsal"],
)
def test_what_must_not_be_read_is_in_no_file_and_on_no_page(room, away):
    workshop, people = room
    made = note(people[0], "Never to be read")
    note(people[0], "A sofa")
    groups.propose(workshop.pk, None, made.ref)
    Contribution.objects.filter(pk=made.pk).update(**away)
    if not away:
        decide(workshop.pk, None, made.ref, "flagged")
    assert "Never to be read" not in everywhere(workshop, facilitator(workshop))
    assert [row["order"] for row in rows(workshop)] == ["1"]
    assert reports.origins(reports.brought_to_the_vision(workshop.programme)) == {}


def test_where_words_were_taken_out_only_what_is_left_appears(room):
    workshop, people = room
    made = note(people[0], "Ask Anna at Little Ducks")
    decide(workshop.pk, None, made.ref, "redacted", "Ask [name] at [setting]")
    page = everywhere(workshop, facilitator(workshop))
    assert "Anna" not in page
    assert "Ask [name] at [setting]" in rows(workshop)[0]["text"]


def test_earlier_wordings_do_not_leave(room):
    workshop, people = room
    made = note(people[0], "Anna is kind")
    do(note_actions.Edit, people[0], made.pk, 1, "People are kind")
    assert "Anna" not in everywhere(workshop, facilitator(workshop))


def test_agreements_of_a_rehearsal_do_not_count(room):
    workshop, people = room
    made = note(people[0])
    invented = mate(people[0], people)
    do(Agree, invented, made.pk, True)
    Participant.objects.filter(pk=invented.pk).update(rehearsal=True)
    assert rows(workshop)[0]["agreeing"] == "0"


def test_an_open_round_is_marked_open_until_it_is_closed(room):
    workshop, people = room
    note(people[0])
    client = facilitator(workshop)
    assert "Still open" in everywhere(workshop, client)
    assert "still open" in markdown.notes(reports.of(workshop))
    assert "still open" in document_text(workshop)
    groups.close_round(workshop.pk, None)
    assert "till open" not in everywhere(workshop, client)
    assert rows(workshop)[0]["round_open"] == "0"


def test_groups_that_were_never_sent_to_work_are_not_listed(room):
    workshop, _people = room
    groups.close_round(workshop.pk, None)
    groups.make(workshop.pk, None, "random", groups=2)
    assert len(reports.of(workshop).rounds) == 1


def test_a_workshop_without_groups_says_so():
    workshop = factories.workshop()
    assert "No group has written a note." in everywhere(workshop, facilitator(workshop))
    assert rows(workshop) == []


# --- words of the whole room -----------------------------------------------------------------------------------


TEXTS = Question("open_text", "What would you change?")


def asked(*answers, question=TEXTS) -> tuple[Workshop, Poll]:
    """A workshop with a question on stage, answered by one person each; only the first lets their words be quoted."""
    workshop = factories.workshop(None, question)
    workshop.sheet = factories.sheet(workshop.programme, [*factories.SHEET_ITEMS[:2], QUOTE])
    workshop.save()
    poll = factories.launched(workshop)
    for n, answer in enumerate(answers):
        who = participation.join(workshop, ["read", "pooled", *(["quote"] if n == 0 else [])])
        factories.vote(who, poll, answer)
    return workshop, poll


def test_words_of_the_whole_room_come_with_their_question_base_people_state_and_whole_minutes():
    workshop, poll = asked("Soft light", "A sofa", "A sofa")
    opened = timezone.now() - timedelta(minutes=23)
    Workshop.objects.filter(pk=workshop.pk).update(started_at=opened)
    poll.texts.update(at=opened + timedelta(seconds=185))
    domain = Domain.objects.create(programme=workshop.programme, key="feel", title="Look and feel")
    domain.instruments.add(poll.version.instrument)
    decide(workshop.pk, None, factories.text(poll, "A sofa").ref, "shown")
    workshop.refresh_from_db()
    found = {row["text"]: row for row in rows(workshop)}
    assert found["A sofa"] == {
        "workshop": str(workshop.number), "round": "", "round_open": "", "group": "", "group_name": "",
        "prompt": "What would you change?", "domain": "feel", "order": found["A sofa"]["order"],
        "offset_seconds": "180", "person": "", "text": "A sofa", "shared_back": "", "agreeing": "", "check": "shown",
        "may_be_quoted": "0", "source": "room", "people": "2", "answered": "3",
        "question_open": "1",
    }  # fmt: skip
    assert (found["Soft light"]["may_be_quoted"], found["Soft light"]["check"]) == ("1", "pending")
    assert sorted(row["order"] for row in found.values()) == ["1", "2"]
    said = everywhere(workshop, facilitator(workshop))
    assert said.count("3 people answered") == 3  # the page, Markdown, the document
    assert "3 people answered (still open)" in markdown.notes(reports.of(workshop))
    facilitation.close(workshop.pk, None)
    assert {row["question_open"] for row in rows(workshop)} == {"0"}
    assert "still open" not in markdown.notes(reports.of(workshop)) + document_text(workshop)
    assert "A sofa (0:03:00, 2 people)" in markdown.notes(reports.of(workshop))
    assert "Soft light (0:03:00, not checked)" in document_text(workshop)


def test_words_of_a_cloud_are_listed_with_most_people_first():
    workshop, _poll = asked(
        ["calm", "light"], ["Calm!"], question=Question("words", "In a word?", settings={"max_entries": 3})
    )
    assert [(row["text"].strip("!").lower(), row["people"]) for row in rows(workshop)] == [
        ("calm", "2"),
        ("light", "1"),
    ]


@pytest.mark.parametrize("away", ["flagged", "of a rehearsal", "destroyed"])
def test_words_of_the_room_that_must_not_be_read_are_in_no_file_and_on_no_page(away):
    workshop, poll = asked("Never to be read", "A sofa")
    groups.propose(workshop.pk, None, factories.text(poll, "Never to be read").ref)
    facilitation.close(workshop.pk, None)
    text = factories.text(poll, "Never to be read")
    if away == "flagged":
        decide(workshop.pk, None, text.ref, "flagged")
    elif away == "of a rehearsal":
        poll.texts.filter(pk=text.pk).update(rehearsal=True)
    else:
        texts_of_people.remove([text.pk])
    assert "Never to be read" not in everywhere(workshop, facilitator(workshop))
    assert [(row["order"], row["text"]) for row in rows(workshop)] == [("1", "A sofa")]
    assert reports.origins(reports.brought_to_the_vision(workshop.programme)) == {}


def test_where_words_of_the_room_were_taken_out_only_what_is_left_appears():
    workshop, poll = asked("Ask Anna at Little Ducks")
    decide(
        workshop.pk,
        None,
        factories.text(poll, "Ask Anna at Little Ducks").ref,
        "redacted",
        "Ask [name] at [setting]",
    )
    page = everywhere(workshop, facilitator(workshop))
    assert "Anna" not in page
    assert [(row["text"], row["check"]) for row in rows(workshop)] == [
        ("Ask [name] at [setting]", "redacted")
    ]


def test_questions_at_joining_that_nobody_asked_yet_or_without_words_are_not_listed():
    workshop, _poll = asked("A sofa")
    factories.poll_item(workshop, TEXTS, profile=True, key="about-you")
    factories.poll_item(workshop, TEXTS, key="later")
    facilitation.launch(workshop.pk, None, factories.poll_item(workshop, factories.YES_NO, key="yes-no").pk)
    assert [each.question for each in reports.of(workshop).asked] == ["What would you change?"]


def test_words_of_the_room_that_a_spreadsheet_or_markdown_would_run_stay_words():
    workshop, _poll = asked("=HYPERLINK(1)", "# Calm\n- quiet")
    assert {row["text"] for row in rows(workshop)} == {"'=HYPERLINK(1)", "# Calm\n- quiet"}
    assert "\\# Calm\n   \\- quiet" in markdown.notes(reports.of(workshop))


def test_a_facilitator_decides_about_words_of_the_room_afterwards_and_brings_them_to_the_vision():
    workshop, poll = asked("A sofa")
    facilitation.end(workshop.pk, None)
    client, ref = facilitator(workshop), factories.text(poll, "A sofa").ref
    url = f"/workshops/{workshop.code}/notes/decide/"
    for verb, says in (
        ("show", "For the vision"),
        ("propose", "Not for the vision"),
        ("hold_back", "A sofa"),
    ):
        answer = client.post(url, {"do": verb, "ref": ref})
        assert answer["Location"] == f"/workshops/{workshop.code}/notes/#{ref}"
        assert says in client.get(f"/workshops/{workshop.code}/notes/").content.decode()
    assert reports.brought_to_the_vision(workshop.programme) == []
    (line,) = reports.of(workshop).asked[0].texts
    assert (line.state, line.proposed) == ("shown", False)
    reader = signed_in(staff(workshop.programme, Role.RESEARCHER))
    assert reader.post(url, {"do": "hide", "ref": ref}).status_code == 403
    assert "Hide" not in reader.get(f"/workshops/{workshop.code}/notes/").content.decode()


def test_marked_words_of_the_room_are_decided_about_as_those_of_groups_are():
    workshop, poll = asked(NAMES)
    client, ref = facilitator(workshop), factories.text(poll, NAMES).ref
    url = f"/workshops/{workshop.code}/notes/"
    assert "<mark>Anna Smith</mark>" in client.get(url).content.decode()
    assert f">{WITHOUT}</textarea>" in client.get(f"{url}?reword={ref}").content.decode()
    client.post(f"{url}decide/", {"do": "redact", "ref": ref})
    assert [(row["text"], row["check"]) for row in rows(workshop)] == [(WITHOUT, "redacted")]
    client.post(f"{url}decide/", {"do": "flag", "ref": ref})
    assert rows(workshop) == []


def test_a_workshop_without_groups_has_its_words_and_ways_to_them():
    workshop, _poll = asked("A sofa")
    facilitation.end(workshop.pk, None)
    client = signed_in(staff(workshop.programme, Role.OWNER))
    link = f'href="/workshops/{workshop.code}/notes/"'
    for url in (
        "/workshops/",
        f"/workshops/{workshop.code}/console/",
        f"/programmes/{workshop.programme.key}/",
    ):
        assert link in client.get(url).content.decode(), url
    assert "Download CSV" in client.get(f"/workshops/{workshop.code}/notes/").content.decode()


def test_more_questions_and_words_cost_no_more_queries():
    workshop, _poll = asked("A sofa")
    client, url = facilitator(workshop), f"/workshops/{workshop.code}/notes/"
    few = queries(client, url)
    for number in range(2):
        item = factories.poll_item(workshop, TEXTS, key=f"more-{number}")
        facilitation.launch(workshop.pk, None, item.pk)
        for text in ("Soft light", "Toast"):
            factories.vote(factories.participant(workshop), item.poll, text)
    assert queries(client, url) == few


# --- files -------------------------------------------------------------------------------------------------


def test_words_that_a_spreadsheet_would_run_leave_escaped(room):
    workshop, people = room
    note(people[0], "=HYPERLINK(1)")
    note(people[0], "-3 babies")
    assert [row["text"] for row in rows(workshop)] == ["'=HYPERLINK(1)", "'-3 babies"]


@pytest.mark.parametrize(
    "text",
    [
        "# Calm", "1. Calm", "- Calm", "**Calm**", "<b>Calm</b> & quiet", "[Calm](https://example.org)", "`Calm`", "Calm\n===",
        "1) Calm", "+ Calm", "> Calm", "| a | b |", "Calm_and_quiet", "~~Calm~~", "![Calm](x)", "\\# Calm", "&amp;",
        "https://example.org", "12", "Calm\n- quiet\n2. soft",
    ],
)  # fmt: skip
def test_what_looks_like_markup_stays_words(text):
    (_open, inline, _close) = MarkdownIt().parse(markdown.plain(text))
    kinds = {child.type for child in inline.children or []}
    assert kinds <= {"text", "text_special", "softbreak"}
    said = "".join("\n" if child.type == "softbreak" else child.content for child in inline.children or [])
    assert said == text


def test_markdown_has_headings_notes_and_the_sentence_brought_back(room):
    workshop, people = room
    made = note(people[0])
    do(Pick, people[0], made.pk, True)
    groups.close_round(workshop.pk, None)
    text = markdown.notes(reports.of(workshop))
    assert text.startswith(f"# The ideal baby room, workshop {workshop.number}: notes and words\n")
    assert "\n## Group time 1\n\nWhat would calm look like?\n" in text
    assert "\n1. **Soft light** (0:00:00, brought to everybody)\n" in text
    assert "No notes." in text


def test_a_document_opens_and_names_no_person(room):
    workshop, people = room
    made = note(people[0], "Soft light & <calm>")
    do(Pick, people[0], made.pk, True)
    document = Document(io.BytesIO(notes_docx.write(reports.of(workshop))))
    assert [p.text for p in document.paragraphs if p.style.name == "Heading 2"] == ["Group 1", "Group 2"]
    assert [run.text for p in document.paragraphs for run in p.runs if run.bold] == ["Soft light & <calm>"]
    assert (document.core_properties.author, document.core_properties.last_modified_by) == ("", "")


def test_a_group_named_with_what_xml_cannot_carry_does_not_spoil_the_document(room):
    workshop, people = room
    note(people[0])
    Group.objects.update(name="A\x0bB\x01")
    assert "AB" in document_text(workshop)


def test_files_are_named_after_the_workshop_and_are_what_they_say(room):
    workshop, people = room
    note(people[0])
    client = facilitator(workshop)
    name = f"{workshop.programme.key}-workshop-{workshop.number}-notes"
    for kind, content_type in (
        ("csv", "text/csv"),
        ("md", "text/markdown"),
        ("docx", "application/vnd.open"),
    ):
        answer = client.get(f"/workshops/{workshop.code}/notes.{kind}")
        assert answer["Content-Type"].startswith(content_type)
        assert answer["Content-Disposition"] == f'attachment; filename="{name}.{kind}"'
        assert "no-store" in answer["Cache-Control"]


def test_synthetic_workshops_say_so_in_every_readable_file(room):
    workshop, people = room
    workshop.synthetic = True
    workshop.save()
    note(people[0])
    assert "Synthetic" in markdown.notes(reports.of(workshop))
    assert "Synthetic" in document_text(workshop)


# --- names that nobody has looked at -----------------------------------------------------------------------------

NAMED = "My hope: Sarah Jones at Little Acorns Nursery gets proper breaks"


def files(workshop: Workshop) -> str:
    return "\n".join([str(rows(workshop)), markdown.notes(reports.of(workshop)), document_text(workshop)])


@pytest.mark.parametrize("hidden", [False, True])
def test_no_file_has_a_name_in_a_note_until_somebody_has_let_it_through(room, hidden):
    workshop, people = room
    made = note(people[0], NAMED)
    if hidden:
        decide(workshop.pk, None, made.ref, "hidden")
    said = files(workshop)
    assert "Sarah" not in said
    assert "Acorns" not in said
    assert said.count("gets proper breaks") == 3
    decide(workshop.pk, None, made.ref, "shown")
    assert files(workshop).count(NAMED) == 3


def test_no_file_has_a_name_in_an_answer_until_somebody_has_let_it_through():
    workshop, poll = asked(NAMED)
    said = files(workshop)
    assert "Sarah" not in said
    assert said.count("gets proper breaks") == 3
    decide(workshop.pk, None, factories.text(poll, NAMED).ref, "shown")
    assert files(workshop).count(NAMED) == 3


# --- ways there, and cost ----------------------------------------------------------------------------------


def test_staff_find_the_notes_from_the_workshops_and_from_the_results(room):
    workshop, people = room
    note(people[0])
    facilitation.end(workshop.pk, None)
    link = f'href="/workshops/{workshop.code}/notes/"'
    owner: User = staff(workshop.programme, Role.OWNER)
    client = signed_in(owner)
    for url in (
        "/workshops/",
        f"/workshops/{workshop.code}/console/",
        f"/programmes/{workshop.programme.key}/",
    ):
        assert link in client.get(url).content.decode(), url


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


def test_more_notes_cost_no_more_queries(room):
    workshop, people = room
    client, url = facilitator(workshop), f"/workshops/{workshop.code}/notes/"
    note(people[0])
    few = queries(client, url)
    for who in people:
        note(who)
    groups.close_round(workshop.pk, None)
    groups.make(workshop.pk, None, "kept")
    groups.open_round(workshop.pk, None)
    note(people[0])
    assert queries(client, url) == few
