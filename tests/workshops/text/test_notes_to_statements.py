"""From a group's note to a statement: taken up with one tap once it is checked, and quoted only with leave."""

from __future__ import annotations

import hashlib

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from polls import text_decisions
from polls import texts as texts_of_people
from polls.models import Text
from polls.types.base import Question
from visions.models import Adoption, Statement
from visions.results.aggregates import load_findings
from visions.summary import composing, publishing, quoting
from workshops.actions import facilitation, groups, moderation, participation
from workshops.actions.groups import notes
from workshops.actions.groups.notes import Add, Edit, TakeBack
from workshops.models import Contribution, Domain, Group, Role, TextMark, Workshop

from ... import factories
from ...factories import signed_in, staff

pytestmark = pytest.mark.django_db

SENTENCE = "A baby room smells of toast."
REFUSED = "These are somebody’s own words, and they may not be quoted."
_ops = iter(range(1, 10_000))


@pytest.fixture
def workshop() -> Workshop:
    """Two people in a group, at work on a prompt about look and feel."""
    made = factories.workshop()
    items = [
        *factories.SHEET_ITEMS[:2],
        {"key": "quote", "text": "My words may be quoted", "required": False},
    ]
    made.sheet = factories.sheet(made.programme, items)
    made.save()
    Domain.objects.create(programme=made.programme, key="place", title="Its place", position=0)
    feel = Domain.objects.create(programme=made.programme, key="feel", title="Look and feel", position=1)
    item = factories.prompt_item(made)
    item.prompt.domain = feel
    item.prompt.save()
    for quote in ("quote", "read"):
        participation.join(made, ["read", "pooled", quote])
    facilitation.launch(made.pk, None, item.pk)
    groups.make(made.pk, None, "random", groups=1)
    groups.open_round(made.pk, None)
    return made


def note(
    workshop: Workshop,
    text: str = SENTENCE,
    *,
    quotable: bool = True,
    state: str = "shown",
    instead: str = "",
) -> Contribution:
    """A note that was brought to the vision."""
    who = workshop.participants.order_by("pk")[0 if quotable else 1]
    group = Group.objects.get(places__voter=who.voter)
    (done,) = notes.write([Add(workshop.pk, who.voter, f"op{next(_ops)}", group.pk, text)])
    made = Contribution.objects.get(pk=done.note)
    groups.propose(workshop.pk, None, made.ref)
    if state != "pending":
        text_decisions.decide([made.text_id], state, replacement=instead)
    return Contribution.objects.get(pk=made.pk)


def adopted(made: Text, by=None) -> Statement:
    programme = TextMark.objects.get(text=made).workshop.programme
    summary = composing.summary_of(programme)
    origins = (each.origin for each in quoting.proposed(programme))
    return composing.adopt(summary, next(each for each in origins if each.text == made), by)


def composer(workshop: Workshop) -> str:
    return f"/programmes/{workshop.programme.key}/summary/"


def adopt_url(made: Text) -> str:
    return f"{composer(TextMark.objects.get(text=made).workshop)}texts/{made.pk}/"


def researcher(workshop: Workshop) -> Client:
    return signed_in(staff(workshop.programme, Role.RESEARCHER))


def may_be_published(statement: Statement) -> bool:
    summary = statement.summary
    reasons = publishing.reasons_against(summary, load_findings(summary.programme))
    return REFUSED not in " ".join(reason.text for reason in reasons if reason.statement == statement)


# --- who may -----------------------------------------------------------------------------------------------


def test_researchers_and_owners_take_notes_up_and_nobody_else(workshop):
    made = note(workshop)
    for client, status in (
        (signed_in(staff(workshop.programme, Role.FACILITATOR)), 403),
        (signed_in(staff(factories.programme(), Role.OWNER)), 404),
        (Client(), 302),
    ):
        assert client.post(adopt_url(made.text)).status_code == status
    assert not Statement.objects.exists()
    assert researcher(workshop).get(adopt_url(made.text)).status_code == 405
    assert signed_in(staff(workshop.programme, Role.OWNER)).post(adopt_url(made.text)).status_code == 302
    assert Statement.objects.count() == 1


def test_a_note_of_another_programme_is_not_found(workshop):
    made = note(workshop)
    other = factories.workshop()
    assert researcher(other).post(f"{composer(other)}texts/{made.text_id}/").status_code == 404
    assert not Adoption.objects.exists()


def test_a_note_that_nobody_brought_is_not_found(workshop):
    made = note(workshop)
    url = adopt_url(made.text)
    groups.propose(workshop.pk, None, made.ref, on=False)
    assert researcher(workshop).post(url).status_code == 404


# --- one tap -----------------------------------------------------------------------------------------------


def test_one_tap_makes_a_statement_in_the_prompts_domain_and_keeps_who_and_when(workshop):
    made = note(workshop)
    user = staff(workshop.programme, Role.RESEARCHER)
    client = signed_in(user)
    assert "Take it up" in client.get(composer(workshop)).content.decode()
    answer = client.post(adopt_url(made.text))
    statement = Statement.objects.get()
    assert (statement.text, statement.domain.key) == (SENTENCE, "feel")
    assert answer["Location"] == f"{composer(workshop)}?statement={statement.pk}"
    kept = Adoption.objects.get()
    assert (kept.statement, kept.passage.text, kept.by) == (statement, made.text, user)
    page = client.get(answer["Location"]).content.decode()
    assert "Taken up as a statement" in page
    assert f"Taken up by {user.email}" in page
    assert "Take it up" not in page


def test_two_taps_are_one_statement(workshop):
    made, client = note(workshop), researcher(workshop)
    for _ in range(2):
        client.post(adopt_url(made.text))
    assert Statement.objects.count() == 1
    with pytest.raises(composing.CannotAdopt, match="already"):
        adopted(made.text)


def test_a_statement_that_was_taken_out_frees_its_note_and_the_log_stays(workshop):
    made = note(workshop)
    composing.delete_statement(adopted(made.text), None)
    again = adopted(made.text)
    assert [a.statement for a in Adoption.objects.all()] == [None, again]


def test_a_note_that_is_not_checked_is_listed_and_not_taken_up(workshop):
    made, client = note(workshop, state="pending"), researcher(workshop)
    assert "Not checked yet" in client.get(composer(workshop)).content.decode()
    page = client.post(adopt_url(made.text), follow=True).content.decode()
    assert "This is not checked yet." in page
    assert not Statement.objects.exists()


@pytest.mark.parametrize("away", ["hidden", "flagged", "of a rehearsal", "taken back"])
def test_what_may_not_be_shown_is_not_even_listed(workshop, away):
    made, client = note(workshop), researcher(workshop)
    happen(away, made)
    assert SENTENCE not in client.get(composer(workshop)).content.decode()
    assert client.post(adopt_url(made.text)).status_code == 404


def happen(what: str, to: Contribution) -> None:
    """What becomes of a note that was shown."""
    workshop = to.group.round.workshop
    if what in ("hidden", "flagged", "redacted"):
        instead = "A [setting] smells of toast." if what == "redacted" else ""
        moderation.decide(workshop.pk, None, to.ref, what, instead)
    elif what == "of a rehearsal":
        Contribution.objects.filter(pk=to.pk).update(rehearsal=True)
    elif what == "taken back":
        notes.write([TakeBack(workshop.pk, to.author, f"op{next(_ops)}", to.pk)])
    else:
        assert what == "changed"
        words = "A baby room smells of bread."
        notes.write([Edit(workshop.pk, to.author, f"op{next(_ops)}", to.pk, 1, words)])


def test_where_words_were_taken_out_the_statement_begins_without_them(workshop):
    made = note(
        workshop, "Anna’s room smells of toast", state="redacted", instead="[name]’s room smells of toast"
    )
    page = researcher(workshop).get(composer(workshop)).content.decode()
    assert ("Anna" in page, "[name]’s room" in page) == (False, True)
    assert adopted(made.text).text == "[name]’s room smells of toast"


def test_a_long_note_begins_a_statement_that_fits(workshop):
    statement = adopted(note(workshop, "calm and quiet " * 60).text)
    assert len(statement.text) <= 200
    words = statement.text.removesuffix("…")
    assert ("calm and quiet " * 60).startswith(f"{words} ")
    assert len(words) > 180


def test_a_note_whose_prompt_has_no_domain_gets_the_chosen_one(workshop):
    Group.objects.update(prompt=None)
    made, client = note(workshop), researcher(workshop)
    assert "Choose the part of the vision" in client.post(adopt_url(made.text), follow=True).content.decode()
    elsewhere = Domain.objects.create(programme=factories.programme(), key="other", title="Other")
    for wrong in (elsewhere.pk, "x", "٣", "9" * 30):
        client.post(adopt_url(made.text), {"domain": wrong})
    assert not Statement.objects.exists()
    client.post(adopt_url(made.text), {"domain": Domain.objects.get(key="place").pk})
    assert Statement.objects.get().domain.key == "place"


# --- what may become public --------------------------------------------------------------------------------


def test_checked_words_of_somebody_who_agreed_may_be_published(workshop):
    assert may_be_published(adopted(note(workshop).text))


@pytest.mark.parametrize(
    "written",
    [
        "A baby room smells of toast",
        "“A BABY room – smells of toast!”",
        "For us, a baby room smells of toast and milk.",
        "A baby room smells of bread.",
    ],
)
def test_a_full_stop_or_one_other_word_makes_no_other_words(workshop, written):
    statement = adopted(note(workshop, quotable=False).text)
    composing.edit_statement(statement, text=written, why="", domain=statement.domain)
    assert not may_be_published(statement)
    composing.edit_statement(statement, text="Warm and homely.", why=written, domain=statement.domain)
    assert not may_be_published(statement)
    composing.edit_statement(statement, text="Warm and homely.", why="", domain=statement.domain)
    assert may_be_published(statement)


def test_words_of_somebody_who_did_not_agree_are_published_only_in_other_words(workshop):
    statement = adopted(note(workshop, quotable=False).text)
    assert not may_be_published(statement)
    composing.edit_statement(statement, text="The room smells like a home.", why="", domain=statement.domain)
    assert may_be_published(statement)


@pytest.mark.parametrize("since", ["hidden", "redacted", "flagged", "taken back", "changed"])
def test_words_that_may_no_longer_be_shown_may_not_be_published_either(workshop, since):
    made = note(workshop)
    statement = adopted(made.text)
    happen(since, made)
    assert not may_be_published(statement)
    page = researcher(workshop).get(f"{composer(workshop)}?statement={statement.pk}").content.decode()
    assert REFUSED in page


def test_a_note_that_was_changed_since_stays_brought_and_its_newer_words_can_be_taken_up_as_well(workshop):
    made = note(workshop)
    statement = adopted(made.text)
    happen("changed", made)
    newer = Contribution.objects.get(pk=made.pk).text
    assert [(each.origin.text, each.statement) for each in quoting.proposed(workshop.programme)] == [
        (newer, None)
    ]
    moderation.decide(workshop.pk, None, newer.ref, "shown")
    assert may_be_published(adopted(newer))
    assert not may_be_published(statement)


def test_a_statement_points_at_the_words_that_it_is_made_of(workshop):
    long = "calm and  quiet " * 60
    statement = adopted(note(workshop, long).text)
    passage = Adoption.objects.get(statement=statement).passage
    cut = passage.text.words[passage.start : passage.end]
    assert f"{' '.join(cut.split())}…" == statement.text
    assert passage.sha256 == hashlib.sha256(cut.encode()).hexdigest()


def test_a_note_that_is_gone_leaves_none_of_its_words_in_the_log(workshop):
    made = note(workshop)
    statement = adopted(made.text)
    texts_of_people.remove([made.text_id])
    kept = Adoption.objects.get()
    assert (kept.passage, kept.statement) == (None, statement)
    assert SENTENCE not in str(vars(kept))
    assert not may_be_published(statement)
    page = researcher(workshop).get(f"{composer(workshop)}?statement={statement.pk}").content.decode()
    assert "It came from words that are no longer there." in page


def test_a_published_page_says_nothing_of_notes_and_groups(workshop):
    statement = adopted(note(workshop).text)
    content = str(publishing.content(statement.summary, load_findings(workshop.programme)))
    assert SENTENCE in content
    assert ("Group 1" in content, "adoption" in content) == (False, False)


# --- what people wrote to a question -----------------------------------------------------------------------


def text(workshop: Workshop, *quotable: bool, words: str = SENTENCE, state: str = "shown") -> Text:
    """What people wrote to a question about look and feel, one each, brought to the vision."""
    item = factories.poll_item(workshop, Question("open_text", "What is it like?"), key=f"like-{next(_ops)}")
    item.poll.version.instrument.domains.add(Domain.objects.get(key="feel"))
    facilitation.launch(workshop.pk, None, item.pk)
    for may in quotable or (True,):
        who = participation.join(workshop, ["read", "pooled", "quote" if may else "read"])
        factories.vote(who, item.poll, words)
    made = factories.text(item.poll, words)
    groups.propose(workshop.pk, None, made.ref)
    if state != "pending":
        moderation.decide(workshop.pk, None, made.ref, state)
    facilitation.close(workshop.pk, None)
    return made


def test_a_text_of_the_whole_room_becomes_a_statement_with_one_tap_and_leads_back_to_its_question(workshop):
    made, user = text(workshop, True, True), staff(workshop.programme, Role.RESEARCHER)
    client = signed_in(user)
    listed = client.get(composer(workshop)).content.decode()
    assert ("Take it up" in listed, "2 people wrote it." in listed) == (True, True)
    for _ in range(2):
        answer = client.post(adopt_url(made))
    statement = Statement.objects.get()
    assert (statement.text, statement.domain.key) == (SENTENCE, "feel")
    kept = Adoption.objects.get()
    assert (kept.statement, kept.passage.text, kept.by) == (statement, made, user)
    page = client.get(f"{composer(workshop)}?statement={statement.pk}").content.decode()
    assert "From what 2 people wrote to “What is it like?” in workshop" in page
    assert f'href="/workshops/{workshop.code}/notes/#{made.ref}"' in page
    assert "Taken up as a statement" in page
    assert f'id="{made.ref}"' in client.get(f"/workshops/{workshop.code}/notes/").content.decode()
    composing.delete_statement(statement, None)
    answer = client.post(adopt_url(made))
    assert answer["Location"] == f"{composer(workshop)}?statement={Statement.objects.get().pk}"


def test_a_text_that_is_not_checked_waits_and_one_that_is_hidden_flagged_or_held_back_is_not_listed(workshop):
    made, client = text(workshop, state="pending"), researcher(workshop)
    assert "Not checked yet" in client.get(composer(workshop)).content.decode()
    assert "This is not checked yet." in client.post(adopt_url(made), follow=True).content.decode()
    moderation.decide(workshop.pk, None, made.ref, "hidden")
    assert client.post(adopt_url(made)).status_code == 404
    moderation.decide(workshop.pk, None, made.ref, "shown")
    url = adopt_url(made)
    groups.propose(workshop.pk, None, made.ref, on=False)
    assert client.post(url).status_code == 404
    groups.propose(workshop.pk, None, made.ref)
    moderation.decide(workshop.pk, None, made.ref, "flagged")
    assert client.post(adopt_url(made)).status_code == 404
    assert SENTENCE not in client.get(composer(workshop)).content.decode()
    assert not Statement.objects.exists()


def test_words_of_several_people_are_published_only_if_all_of_them_agreed(workshop):
    assert may_be_published(adopted(text(workshop, True, True)))
    assert not may_be_published(adopted(text(workshop, True, False, words="It smells of bread.")))


@pytest.mark.parametrize("since", ["hidden", "redacted", "flagged", "gone"])
def test_words_of_the_room_that_may_no_longer_be_shown_may_not_be_published_either(workshop, since):
    made = text(workshop)
    statement = adopted(made)
    if since == "gone":
        texts_of_people.remove([made.pk])
    else:
        moderation.decide(workshop.pk, None, made.ref, since, "It smells." if since == "redacted" else "")
    assert not may_be_published(statement)
    page = researcher(workshop).get(f"{composer(workshop)}?statement={statement.pk}").content.decode()
    assert REFUSED in page
    assert SENTENCE not in str(list(Adoption.objects.values())) + str(list(TextMark.objects.values()))


def test_a_text_of_another_programme_is_not_found(workshop):
    made = text(workshop)
    other = factories.workshop()
    assert researcher(other).post(f"{composer(other)}texts/{made.pk}/").status_code == 404
    assert not Adoption.objects.exists()


def test_more_texts_cost_the_composer_no_more_queries(workshop):
    adopted(text(workshop))
    text(workshop)
    few = queries(workshop)
    for _ in range(2):
        adopted(text(workshop))
        text(workshop)
    assert queries(workshop) == few


def queries(workshop: Workshop) -> int:
    client = researcher(workshop)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(composer(workshop)).status_code == 200
    return len(asked)


def test_more_notes_cost_the_composer_no_more_queries(workshop):
    adopted(note(workshop).text)
    note(workshop)
    few = queries(workshop)
    for _ in range(2):
        adopted(note(workshop).text)
        note(workshop)
    assert queries(workshop) == few


def test_the_same_words_are_the_same_mark_however_they_are_spaced():
    assert quoting.digest("calm  and\nquiet ") == quoting.digest("calm and quiet")
    assert quoting.digest("calm") != quoting.digest("Calm")
