"""No public field of a summary has words of people who did not agree to be quoted, unless somebody says they are ours."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from polls import text_decisions, texts
from polls.models import Text
from polls.types import Question
from polls.types.base import Option
from visions.models import EvidenceLink, OwnWords, Snapshot
from visions.results.aggregates import load_findings
from visions.summary import composing, publishing, quoting
from visions.summary.places import NAMES, Place
from visions.summary.publishing import CannotPublish
from workshops.actions import facilitation, transcripts
from workshops.models import Domain, Group, Participant, Role, Round

from .. import factories

pytestmark = pytest.mark.django_db

SAID = "My manager shouts at the babies when they cry"
ALMOST = "My manager shouts at the babies when they cry."
NEAR = "near to words of people who did not agree to be quoted"
HOPE = Question("open_text", "Your hope?")


@pytest.fixture
def workshop():
    """Twelve people said that it is calm; one of them said more, in a text that nobody has checked."""
    made = factories.workshop(None, factories.YES_NO, HOPE)
    Domain.objects.create(programme=made.programme, key="look", title="Look")
    people = [factories.participant(made) for _ in range(12)]
    calm = factories.launched(made)
    for person in people:
        factories.vote(person, calm, "yes")
    facilitation.close(made.pk, None)
    factories.vote(people[0], factories.launched(made, 1), SAID)
    facilitation.end(made.pk, None)
    return made


@pytest.fixture
def summary(workshop):
    """Ready to be published."""
    programme = workshop.programme
    made = composing.summary_of(programme)
    composing.edit_summary(made, title="Our room", lead="", opening="")
    statement = composing.add_statement(made, programme.domains.get(), "It is calm.")
    findings = load_findings(programme)
    composing.link(statement, findings, findings.instruments[0].key, "option", "yes")
    assert reasons(made) == []
    return made


def reasons(summary) -> list[str]:
    return [each.text for each in publishing.reasons_against(summary, load_findings(summary.programme))]


def put(summary, kind: str, field: str, words: str) -> None:
    """Write words into a field, wherever it is written."""
    statement = summary.statements.get()
    link = EvidenceLink.objects.get()
    row = {
        "summary": summary, "statement": statement, "link": link, "domain": statement.domain,
        "programme": summary.programme,
    }[kind]  # fmt: skip
    if field == "benchmarks":
        words = [{"instrument": "x", "label": words, "unit": "", "source": ""}]
    if field == "label":
        field, words = "linked", {**link.linked, "label": words}
    if field == "question":
        version = link.instrument.versions.get()
        field, row = "definition", version
        words = {**version.definition, "text": words}
    type(row).objects.filter(pk=row.pk).update(**{field: words})
    summary.refresh_from_db()


@pytest.mark.parametrize(("kind", "field"), list(NAMES))
def test_every_public_field_is_compared_and_the_reason_names_it(summary, kind, field):
    put(summary, kind, field, ALMOST)
    (reason,) = reasons(summary)
    assert NEAR in reason
    assert reason.startswith(f"{NAMES[kind, field]}: ")
    with pytest.raises(CannotPublish, match="near to words"):
        publishing.publish(summary)
    assert not Snapshot.objects.exists()


def test_words_of_somebody_who_agreed_are_compared_too_until_they_are_checked_and_shown(summary):
    put(summary, "summary", "lead", ALMOST)
    Participant.objects.update(consent=["read", "pooled", "quote"])
    assert len(reasons(summary)) == 1
    text_decisions.decide([Text.objects.get().pk], text_decisions.SHOWN)
    assert reasons(summary) == []


def test_words_with_what_was_redacted_are_refused_and_those_without_are_not(summary):
    Participant.objects.update(consent=["read", "pooled", "quote"])
    text = Text.objects.get()
    text_decisions.decide([text.pk], text_decisions.REDACTED, replacement=SAID.replace("manager", "[role]"))
    put(summary, "summary", "lead", ALMOST)
    assert len(reasons(summary)) == 1
    put(summary, "summary", "lead", ALMOST.replace("manager", "[role]"))
    assert reasons(summary) == []


def test_what_somebody_said_in_a_transcript_is_nobodys_to_quote(summary, workshop):
    made = Round.objects.create(workshop=workshop, number=1, made="random")
    group = Group.objects.create(round=made, number=1, name="Group 1")
    spoken = "We never have time to eat our own lunch"
    transcripts.add(group, [{"start": 0.0, "end": 1.0, "speaker": "", "text": spoken}], None)
    put(summary, "summary", "opening", f"{spoken}!")
    assert len(reasons(summary)) == 1


def test_notes_are_compared_also_when_their_people_have_been_given_other_keys(summary, workshop):
    Text.objects.all().delete()
    person = factories.participant(workshop)
    Text.objects.create(voter=person.voter, field="note", words=SAID, at=timezone.now(), op="")
    put(summary, "summary", "lead", ALMOST)
    assert len(reasons(summary)) == 1


def test_words_of_another_programme_and_of_a_rehearsal_are_not_compared(summary, workshop):
    Text.objects.update(rehearsal=True)
    other = factories.workshop(None, HOPE)
    factories.vote(factories.participant(other), factories.launched(other), SAID)
    put(summary, "summary", "lead", ALMOST)
    assert reasons(summary) == []


def test_a_short_label_that_staff_wrote_is_no_quote():
    question = Question("single_choice", "Where?", options=(Option("g", "Ground floor"), Option("u", "Up")))
    workshop = factories.workshop(None, question, HOPE)
    Domain.objects.create(programme=workshop.programme, key="look", title="Look")
    people = [factories.participant(workshop) for _ in range(12)]
    poll = factories.launched(workshop)
    for person in people:
        factories.vote(person, poll, "g")
    facilitation.close(workshop.pk, None)
    factories.vote(people[0], factories.launched(workshop, 1), "Ground floor")
    facilitation.end(workshop.pk, None)
    made = composing.summary_of(workshop.programme)
    statement = composing.add_statement(made, workshop.programme.domains.get(), "It is low.")
    findings = load_findings(workshop.programme)
    composing.link(statement, findings, findings.instruments[0].key, "option", "g")
    assert reasons(made) == []


# --- these are our own words ---------------------------------------------------------------------------------


@pytest.fixture
def browser(summary):
    return factories.signed_in(factories.staff(summary.programme, Role.RESEARCHER))


def address(summary, rest: str = "") -> str:
    return f"/programmes/{summary.programme.key}/summary/{rest}"


def saved(browser, summary, **fields) -> str:
    """The composer after its words were saved."""
    typed = {"title": summary.title, "lead": summary.lead, "opening": summary.opening, **fields}
    answer = browser.post(address(summary, "words/"), typed, follow=True)
    assert answer.status_code == 200
    summary.refresh_from_db()
    return answer.content.decode()


def test_a_field_that_is_near_is_saved_and_says_so_with_a_tick(browser, summary):
    page = saved(browser, summary, lead=ALMOST)
    assert summary.lead == ALMOST
    assert page.count(NEAR) == 2  # at the field, and before publishing
    assert f'name="own" value="{quoting.digest(ALMOST)}"' in page
    assert "These are our own words" in page


def test_whoever_ticks_publishes_and_stands_in_the_log_without_the_words(browser, summary):
    page = saved(browser, summary, lead=ALMOST, own=quoting.digest(ALMOST))
    assert NEAR not in page
    said = OwnWords.objects.get()
    assert f"{said.by.email} said that these are our own" in page
    entry = summary.programme.log.first()
    assert (entry.verb, entry.by, entry.about) == ("said_own_words", said.by, "One sentence under the title")
    publishing.publish(summary)
    assert SAID in str(Snapshot.objects.get().content)


def test_a_second_tick_changes_nothing(browser, summary):
    for _ in range(2):
        saved(browser, summary, lead=ALMOST, own=quoting.digest(ALMOST))
    assert OwnWords.objects.count() == 1
    assert summary.programme.log.filter(verb="said_own_words").count() == 1


def test_a_tick_holds_for_the_words_that_were_ticked_and_not_after_a_change(browser, summary):
    saved(browser, summary, lead=ALMOST, own=quoting.digest(ALMOST))
    assert NEAR in saved(browser, summary, lead=f"{ALMOST} Really.", own=quoting.digest(ALMOST))
    assert NEAR in saved(browser, summary, lead=ALMOST)
    assert not OwnWords.objects.exists()


def test_a_tick_for_words_that_are_near_to_nothing_is_not_kept(browser, summary):
    saved(browser, summary, lead="It is ours.", own=quoting.digest("It is ours."))
    assert not OwnWords.objects.exists()


def test_every_form_of_the_composer_takes_the_tick(browser, summary):
    statement, link = summary.statements.get(), EvidenceLink.objects.get()
    ticked = {"own": quoting.digest(ALMOST)}
    fields = {"text": "It is calm.", "why": ALMOST, "domain": statement.domain_id}
    page = browser.post(address(summary, f"{statement.pk}/"), fields, follow=True).content.decode()
    assert 'id="why-near"' in page
    browser.post(address(summary, f"{statement.pk}/"), fields | ticked)
    assert reasons(summary) == []
    browser.post(address(summary, f"{statement.pk}/"), fields | {"why": ""})
    at = address(summary, f"{statement.pk}/evidence/{link.pk}/")
    fields = {"do": "describe", "relation": "supports", "caption": "", "note": ALMOST}
    page = browser.post(at, fields, follow=True).content.decode()
    assert f'id="note-{link.pk}-near"' in page
    browser.post(at, fields | ticked)
    assert reasons(summary) == []


def test_what_is_written_elsewhere_is_said_to_be_ours_beside_the_reason(browser, summary):
    put(summary, "domain", "description", ALMOST)
    page = browser.get(address(summary)).content.decode()
    assert f"{NAMES['domain', 'description']}: " in page
    browser.post(address(summary, "own/"), {"own": quoting.digest(ALMOST)})
    assert reasons(summary) == []


def test_nobody_says_of_an_adopted_statement_that_it_is_ours(browser, summary):
    statement, text = summary.statements.get(), Text.objects.get()
    passage = texts.passage(text)
    passage.adoptions.create(statement=statement, mark=quoting.digest(SAID))
    put(summary, "statement", "text", ALMOST)
    page = browser.get(address(summary)).content.decode()
    assert quoting.digest(ALMOST) not in page
    browser.post(address(summary, "own/"), {"own": quoting.digest(ALMOST)})
    assert not OwnWords.objects.exists()


def test_a_decision_that_comes_after_the_tick_asks_anew(browser, summary):
    saved(browser, summary, lead=ALMOST, own=quoting.digest(ALMOST))
    text_decisions.decide([Text.objects.get().pk], text_decisions.HIDDEN)
    assert len(reasons(summary)) == 1


# --- what is not drawn -----------------------------------------------------------------------------------------


PLACES = [
    ("summary", "lead"),
    ("statement", "text"),
    ("statement", "why"),
    ("link", "caption"),
    ("link", "note"),
]


@pytest.mark.parametrize(("kind", "field"), PLACES)
@pytest.mark.parametrize("state", ["flagged", "hidden"])
def test_composer_and_preview_draw_no_words_that_are_away_at_their_source(
    browser, summary, kind, field, state
):
    put(summary, kind, field, ALMOST)
    assert SAID in browser.get(address(summary)).content.decode()
    text_decisions.decide([Text.objects.get().pk], state)
    for page in ("", "preview/"):
        drawn = browser.get(address(summary, page)).content.decode()
        assert SAID not in drawn
        assert "[under review]" in drawn
    refused = browser.post(address(summary, "publish/"))
    assert refused.status_code == 422
    assert SAID not in refused.content.decode()


def test_a_field_that_was_not_drawn_keeps_its_words_when_its_form_is_saved(browser, summary):
    put(summary, "summary", "lead", ALMOST)
    text_decisions.decide([Text.objects.get().pk], text_decisions.FLAGGED)
    saved(browser, summary, title="Another title", lead="[under review]")
    assert (summary.title, summary.lead) == ("Another title", ALMOST)


def test_flagged_words_are_nobodys_to_tick(browser, summary):
    text_decisions.decide([Text.objects.get().pk], text_decisions.FLAGGED)
    page = saved(browser, summary, lead=ALMOST, own=quoting.digest(ALMOST))
    assert not OwnWords.objects.exists()
    assert quoting.digest(ALMOST) not in page
    assert "being looked at" in page


def test_more_words_ask_the_database_no_more(browser, summary, workshop):
    put(summary, "summary", "lead", ALMOST)

    def asked() -> int:
        browser.get(address(summary))
        with CaptureQueriesContext(connection) as queries:
            browser.get(address(summary))
        return len(queries)

    before = asked()
    statement = composing.add_statement(summary, workshop.programme.domains.get(), SAID)
    composing.edit_statement(statement, text=SAID, why=SAID, domain=statement.domain)
    poll = Text.objects.get().poll
    Text.objects.bulk_create(
        Text(poll=poll, voter=f"{n:032x}", field="answer", words=f"{SAID} {n}", at=poll.opened_at)
        for n in range(20)
    )
    assert asked() == before <= 30


def test_a_place_is_named_by_its_row_and_field():
    assert Place("statement", 5, "why").name == "What stands behind it"
