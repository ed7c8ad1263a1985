"""What is added up over the versions of a question, what stands side by side, and how pages and files say so."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from polls.models import ComparabilityMark, InstrumentVersion
from polls.types.base import Option
from visions.exports import results_csv
from visions.results import breakdown
from visions.results.aggregates import InstrumentResult, load_findings
from visions.summary import composing, publishing
from workshops.models import Programme

from .reading import browser, text_of
from .study import KEY, hold_workshop, person, programme_without_workshops

pytestmark = pytest.mark.django_db
PROGRAMME = f"/programmes/{KEY}/"
OUTDOORS = f"{PROGRAMME}results/outdoors/"


@pytest.fixture
def researcher(study):
    return browser(person(study, "researcher"))


def revised(programme: Programme, key: str, **changed: Any) -> tuple[InstrumentVersion, InstrumentVersion]:
    """The newest version of a question, and its next one, which was changed in this."""
    earlier = programme.bank.instruments.get(key=key).latest
    definition = replace(earlier.question, **changed).as_json()
    later = earlier.instrument.versions.create(number=earlier.number + 1, definition=definition)
    return earlier, later


def with_option(
    programme: Programme, key: str, option: Option
) -> tuple[InstrumentVersion, InstrumentVersion]:
    options = programme.bank.instruments.get(key=key).latest.question.options
    return revised(programme, key, options=(*options, option))


def result_of(programme: Programme, key: str) -> InstrumentResult:
    found = load_findings(programme).instrument(key)
    assert found
    return found


def rows(programme: Programme, key: str) -> list[dict[str, str]]:
    file = io.StringIO()
    results_csv.write(load_findings(programme), file)
    return [row for row in csv.DictReader(io.StringIO(file.getvalue())) if row["instrument"] == key]


# --- side by side -------------------------------------------------------------------------------------


def test_a_changed_meaning_begins_a_series_and_nothing_of_the_old_one_is_lost(study):
    before = result_of(study, "outdoors")
    revised(study, "outdoors", text="How do babies get outdoors?")
    hold_workshop(study, {"outdoors": ["free_flow"] * 7})
    newest = result_of(study, "outdoors")
    assert (newest.question.text, newest.answers.hits) == ("How do babies get outdoors?", 7)
    assert [meeting.number for meeting in newest.meetings] == [6]
    (older,) = newest.earlier
    assert older.question == before.question
    assert [(line.id, line.hits, line.valid, line.cells) for line in older.lines] == [
        (line.id, line.hits, line.valid, line.cells) for line in before.lines
    ]
    assert [meeting.number for meeting in older.meetings] == [1, 2, 3, 4, 5]
    assert (newest.name, older.name) == ("Version 2, workshop 6", "Version 1, workshops 1 to 5")


def test_side_by_side_each_ledger_begins_with_the_workshops_that_asked(study):
    joined = result_of(study, "outdoors").ledger["joined"]
    revised(study, "outdoors", text="How do babies get outdoors?")
    hold_workshop(study, {"outdoors": ["free_flow"] * 7})
    newest = result_of(study, "outdoors")
    assert (newest.ledger["joined"], newest.ledger["valid"]) == (7, 7)
    assert newest.earlier[0].ledger["joined"] == joined


def test_a_version_that_nobody_was_asked_yet_changes_nothing(study):
    before = result_of(study, "outdoors")
    revised(study, "outdoors", text="How do babies get outdoors?")
    after = result_of(study, "outdoors")
    assert (after.question, after.lines, after.earlier) == (before.question, before.lines, ())


def test_asked_in_two_meanings_in_one_workshop_both_count(study):
    workshop = hold_workshop(study, {"outdoors": ["free_flow"] * 7, "location": [["quiet"]] * 7})
    _earlier, later = revised(study, "outdoors", text="How do babies get outdoors?")
    again = workshop.agenda.get(poll__version__instrument__key="location").poll
    first = workshop.agenda.get(poll__version__instrument__key="outdoors").poll
    again.version, again.result = later, first.result
    again.save()
    newest = result_of(study, "outdoors")
    assert (newest.answers.hits, [meeting.number for meeting in newest.meetings]) == (7, [6])
    assert [meeting.number for meeting in newest.earlier[0].meetings] == [1, 2, 3, 4, 5, 6]


def test_both_series_stand_on_the_pages_and_say_that_they_are_not_added_up(study, researcher):
    old = result_of(study, "outdoors").question.text
    revised(study, "outdoors", text="How do babies get outdoors?")
    hold_workshop(study, {"outdoors": ["free_flow"] * 7})
    for url in (PROGRAMME, OUTDOORS):
        page = text_of(researcher.get(url))
        assert "How do babies get outdoors?" in page
        assert old in page
        assert "Side by side: the meaning changed" in page
        assert "Version 1, workshops 1 to 5" in page
    page = text_of(researcher.get(f"{OUTDOORS}?version=1"))
    assert "Version 1, workshops 1 to 5 Earlier" in page
    assert "Workshop 5 Synthetic" in page
    assert page.index(old) < page.index("How do babies get outdoors?")


@pytest.mark.parametrize("version", ["9", "nonsense", "", "99999999999999"])
def test_a_version_that_is_not_there_is_the_newest(study, researcher, version):
    assert "87 people answered" in text_of(researcher.get(f"{PROGRAMME}results/location/?version={version}"))


def test_the_file_has_every_series_in_rows_of_its_own(study):
    assert {row["versions"] for row in rows(study, "outdoors")} == {"1"}
    revised(study, "outdoors", text="How do babies get outdoors?")
    hold_workshop(study, {"outdoors": ["free_flow"] * 17})
    found = {(row["versions"], row["measure"]): row for row in rows(study, "outdoors")}
    assert found["2", "free_flow"]["valid"] == "17"
    assert int(found["1", "free_flow"]["valid"]) > 17
    assert next(iter(found))[0] == "2"  # the newest first


# --- added up -----------------------------------------------------------------------------------------


def added(study: Programme) -> ComparabilityMark:
    """An option added after five workshops, and a sixth that offers it."""
    earlier, later = with_option(study, "outdoors", Option("it_depends", "It depends"))
    hold_workshop(study, {"outdoors": ["it_depends"] * 5 + ["free_flow"] * 7})
    return ComparabilityMark.objects.create(
        earlier=earlier, later=later, kind="option", reason="Three groups asked for it.",
        by=person(study, "owner"),
    )  # fmt: skip


def test_an_added_option_counts_only_people_who_could_choose_it(study):
    before = result_of(study, "outdoors")
    added(study)
    after = result_of(study, "outdoors")
    new = after.line("option", "it_depends")
    assert (new.hits, new.valid, [cell.meeting.number for cell in new.cells]) == (5, 12, [6])
    old = after.line("option", "free_flow")
    assert old.valid == before.line("option", "free_flow").valid + 12
    assert (after.earlier, after.name) == ((), "Versions 1 and 2, workshops 1 to 6")
    assert {row["versions"] for row in rows(study, "outdoors")} == {"1+2"}


def test_pages_say_who_added_up_what_and_why(study, researcher):
    mark = added(study)
    for url in (PROGRAMME, OUTDOORS):
        page = text_of(researcher.get(url))
        assert "Added up, with a mark: option added Three groups asked for it. " + mark.by.email in page
        assert f"{mark.at:%Y}" in page
    page = text_of(researcher.get(f"{OUTDOORS}?figure=option:it_depends"))
    assert "5 of 12 people: It depends" in page
    assert "What only some versions offered counts only people who could choose it." in page


def test_a_breakdown_of_an_added_option_counts_only_people_who_could_choose_it(study):
    added(study)
    asked = result_of(study, "outdoors")
    groups = breakdown.by_profile(asked, asked.line("option", "it_depends"), minimum=0).subgroups
    assert (sum(group.hits for group in groups), sum(group.valid for group in groups)) == (5, 12)


def test_a_breakdown_leaves_out_workshops_that_asked_something_else_about_people(study):
    revised(study, "role", text="What do you do on most days?")
    role = study.bank.instruments.get(key="role").latest.question.keys[0]
    hold_workshop(study, {"role": [role] * 8, "outdoors": ["free_flow"] * 8})
    asked = result_of(study, "outdoors")
    groups = breakdown.by_profile(asked, asked.line("option", "free_flow"), minimum=0).subgroups
    assert [(group.hits, group.valid) for group in groups] == [(8, 8)]


# --- the summary --------------------------------------------------------------------------------------


@pytest.fixture
def link(study):
    summary = composing.summary_of(study)
    statement = composing.add_statement(summary, study.domains.first(), "Babies are out every day.")
    return composing.link(statement, load_findings(study), "outdoors", "option", "free_flow")


def test_a_figure_of_a_series_that_is_not_the_newest_is_stale_also_where_its_numbers_are_equal(study, link):
    assert not composing.is_stale(link, load_findings(study))
    question = result_of(study, "outdoors").question
    polls = [
        item.poll
        for workshop in study.workshops.all()
        for item in workshop.agenda.filter(poll__version__instrument__key="outdoors")
    ]
    _earlier, later = revised(study, "outdoors", text="How do babies get outdoors?")
    for poll in polls:
        poll.version = later
        poll.save()
    findings = load_findings(study)
    assert findings.line("outdoors", "option", "free_flow").hits == link.linked["hits"]
    assert findings.instrument("outdoors").question != question
    assert composing.needs_care(link, findings)


def test_a_figure_that_was_kept_is_published_with_the_question_that_it_answers(study, link, researcher):
    old = result_of(study, "outdoors").question.text
    revised(study, "outdoors", text="How do babies get outdoors?")
    hold_workshop(study, {"outdoors": ["free_flow"] * 12})
    page = text_of(researcher.get(f"{PROGRAMME}summary/"))
    assert "The question asks something else since, and the answers are not added up" in page
    findings = load_findings(study)
    composing.keep_evidence(link, composing.current_line(link, findings), "It is what we asked.")
    content = publishing.publish(composing.summary_of(study)).content
    (figure,) = content["domains"][0]["statements"][0]["figures"]
    assert (figure["question"], figure["valid"]) == (old, link.linked["valid"])
    composing.update_evidence(link, composing.current_line(link, findings))
    content = publishing.publish(composing.summary_of(study)).content
    (figure,) = content["domains"][0]["statements"][0]["figures"]
    assert (figure["question"], figure["valid"]) == ("How do babies get outdoors?", 12)


# --- how many queries ---------------------------------------------------------------------------------


def test_changed_questions_cost_two_queries_for_all_of_them():
    programme = programme_without_workshops()
    counted = []
    answers: dict[str, list[Any]] = {"location": [["quiet"]] * 3, "outdoors": ["free_flow"] * 3}
    hold_workshop(programme, answers)
    for keys in ((), ("outdoors",), ("outdoors", "location")):
        for key in keys:
            revised(programme, key, text=f"Changed {programme.workshops.count()} times?")
        hold_workshop(programme, answers)
        with CaptureQueriesContext(connection) as queries:
            load_findings(programme)
        counted.append(len(queries))
    assert counted == [7, 9, 9]
