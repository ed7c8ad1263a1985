"""Which versions are one series, and what is said to have changed between two."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polls import comparison
from polls.models import ComparabilityMark, InstrumentVersion
from polls.types import POLL_TYPES, Question
from polls.types.base import Option

from .. import factories
from ..factories import YES_NO
from ..poll_samples import QUESTIONS

pytestmark = pytest.mark.django_db

CALM_ENOUGH = replace(YES_NO, text="Is it calm enough?")
QUIET = replace(YES_NO, text="Is it quiet?")
THREE = replace(YES_NO, options=(*YES_NO.options, Option("maybe", "Maybe")))


def versions_of(*questions: Question, draft: Question | None = None) -> list[InstrumentVersion]:
    first = factories.poll(questions[0]).version
    later = [
        first.instrument.versions.create(number=number, definition=question.as_json())
        for number, question in enumerate(questions[1:], 2)
    ]
    if draft:
        first.instrument.versions.create(number=len(later) + 2, definition=draft.as_json(), draft=True)
    return list(first.instrument.versions.all())


def mark(earlier: InstrumentVersion, later: InstrumentVersion, kind: str = "typo") -> ComparabilityMark:
    return ComparabilityMark.objects.create(earlier=earlier, later=later, kind=kind)


def series(versions: list[InstrumentVersion]) -> list[list[int]]:
    marks = comparison.marks_between([version.pk for version in versions])
    return [one.numbers for one in comparison.series_of(versions, marks)]


def test_a_changed_meaning_begins_a_series_and_the_newest_comes_first():
    assert series(versions_of(YES_NO, QUIET)) == [[2], [1]]


def test_a_question_that_was_changed_back_is_the_former_series_again():
    assert series(versions_of(YES_NO, QUIET, YES_NO)) == [[1, 3], [2]]


def test_a_mark_joins_two_series_whatever_lies_between():
    versions = versions_of(YES_NO, CALM_ENOUGH, QUIET, replace(CALM_ENOUGH, text="Is it calm now?"))
    mark(versions[0], versions[1])
    mark(versions[1], versions[3])
    assert series(versions) == [[1, 2, 4], [3]]


def test_a_draft_is_in_no_series():
    assert series(versions_of(YES_NO, draft=YES_NO)) == [[1]]


def test_a_mark_cannot_make_a_number_out_of_choices():
    versions = versions_of(YES_NO, QUESTIONS["number"])
    mark(*versions)
    assert series(versions) == [[2], [1]]


# --- what changed -------------------------------------------------------------------------------------


def said(earlier: Question, later: Question) -> list[str]:
    return [str(change) for change in comparison.changes(earlier, later)]


def test_equal_questions_have_no_changes():
    for question in QUESTIONS.values():
        assert said(question, question) == []


def test_options_are_named_as_added_removed_and_reworded():
    later = replace(YES_NO, options=(Option("yes", "Yes, always"), Option("maybe", "Maybe")))
    assert said(YES_NO, later) == [
        "Wording of an option: “Yes” became “Yes, always”",
        "Option added: Maybe",
        "Option removed: No",
    ]
    assert [change.kind for change in comparison.changes(YES_NO, later)] == ["reworded", "added", "removed"]


def test_the_wording_of_the_question_is_shown_before_and_after():
    assert said(YES_NO, replace(CALM_ENOUGH, help="Mornings")) == [
        "Wording of the question: “Is it calm?” became “Is it calm enough?”",
        "Hint: Mornings",
    ]


def test_spaces_are_no_change():
    assert said(YES_NO, replace(YES_NO, text=" Is it  calm? ")) == []


@pytest.mark.parametrize(
    ("earlier", "later", "words"),
    [
        (
            Question("number", "How long?", settings={"unit": "minutes"}),
            Question("number", "How long?", settings={"unit": "hours", "none_label": "Never"}),
            ["Option added: Never", "Unit: “minutes” became “hours”"],
        ),
        (
            Question("scale", "How true?", settings={"points": 3}),
            Question("scale", "How true?", settings={"points": ["Not", "", "Very"]}),
            ["Points of the scale: “1, 2, 3” became “Not, 2, Very”"],
        ),
        (
            Question("statement", "It is calm.", settings={"rule": {"agree": 75, "disagree": 15}}),
            Question("statement", "It is calm.", settings={"rule": {"agree": 80, "disagree": 15}}),
            ["Rule of agreement: “75, 15” became “80, 15”"],
        ),
        (
            replace(YES_NO, type="multiple_choice"),
            replace(YES_NO, type="multiple_choice", settings={"exclusive": ["no"], "max": 1}),
            ["Options that stand alone: No", "Largest allowed: 1"],
        ),
        (
            YES_NO,
            replace(YES_NO, settings={"reveal": "live"}, options=YES_NO.options[::-1]),
            ["How it looks or runs in the room"],
        ),
        (YES_NO, replace(YES_NO, settings={"other": True}), ["Option added: Other"]),
        (
            Question("words", "In a word?"),
            Question("words", "In a word?", settings={"max_entries": 3}),
            ["Number of words: 3"],
        ),
    ],
    ids=["unit", "points", "rule", "limits", "looks", "other", "words"],
)
def test_points_units_and_rules_are_named(earlier, later, words):
    assert said(earlier, later) == words


LINES = [{"key": "calm", "label": "Calm"}, {"key": "light", "label": "Light"}]


def test_the_order_of_lines_and_of_lone_options_changes_no_meaning():
    block = Question("scale", "How true?", settings={"points": 5, "items": LINES})
    turned = replace(block, settings={"points": 5, "items": [LINES[1], {"key": "calm", "label": " Calm "}]})
    assert comparison.asks_the_same(block, turned)
    assert said(block, turned) == ["How it looks or runs in the room"]
    alone = replace(THREE, type="multiple_choice", settings={"exclusive": ["no", "maybe"]})
    assert comparison.asks_the_same(alone, replace(alone, settings={"exclusive": ["maybe", "no"]}))


def test_a_change_of_meaning_that_has_no_name_is_said_all_the_same():
    spaced = [Question("scale", "How true?", settings={"points": [no, "", "Very"]}) for no in ("Not", "Not ")]
    assert not comparison.asks_the_same(*spaced)
    assert said(*spaced)


def test_what_is_off_is_as_if_it_were_not_there():
    assert comparison.asks_the_same(YES_NO, replace(YES_NO, settings={"other": False, "exclusive": []}))
    least = [Question("number", "How long?", settings=given) for given in ({"min": 0}, {})]
    assert not comparison.asks_the_same(*least)


def test_another_way_to_answer_is_said_alone():
    kinds = [change.kind for change in comparison.changes(YES_NO, replace(THREE, type="ranking"))]
    assert kinds == ["type"]


def test_whatever_changes_the_meaning_is_said():
    """No two questions of other meanings are without a change in words."""
    for earlier in QUESTIONS.values():
        for later in QUESTIONS.values():
            assert comparison.asks_the_same(earlier, later) or comparison.changes(earlier, later)


@pytest.mark.parametrize(
    ("earlier", "later", "kind"),
    [
        (YES_NO, THREE, "option"),
        (YES_NO, replace(YES_NO, settings={"other": True}), "option"),
        (YES_NO, replace(THREE, text="Is it quiet?"), ""),
        (THREE, YES_NO, ""),
        (YES_NO, CALM_ENOUGH, ""),
        (YES_NO, YES_NO, ""),
    ],
)
def test_an_added_option_is_seen_for_what_it_is(earlier, later, kind):
    assert comparison.suggested_mark(earlier, later) == kind


def test_the_combined_question_offers_what_any_version_offered():
    later = replace(
        QUIET, options=(Option("yes", "Yes!"), Option("often", "Often")), settings={"pass_label": "?"}
    )
    asked = comparison.combined([replace(YES_NO, settings={"other": True}), later])
    assert [(option.key, option.label) for option in asked.options] == [
        ("yes", "Yes!"),
        ("often", "Often"),
        ("no", "No"),
    ]
    assert (asked.text, asked.settings) == ("Is it quiet?", {"pass_label": "?", "other": True})


def test_what_a_type_offers_and_the_way_back_are_one():
    for question in QUESTIONS.values():
        kind = POLL_TYPES[question.type]
        assert kind.offering(question, kind.offered(question)) == question


# --- a list of versions -------------------------------------------------------------------------------


def test_the_history_says_of_every_version_what_follows_from_it():
    versions = versions_of(YES_NO, THREE, replace(THREE, help="Mornings"), QUIET, draft=CALM_ENOUGH)
    made = mark(versions[0], versions[1], "option")
    revisions = comparison.history(versions, [made])
    assert [(each.version.number, each.joins, each.mark) for each in revisions] == [
        (4, "apart", None),
        (3, "same", None),
        (2, "marked", made),
        (1, "first", None),
    ]
    assert [str(change) for change in revisions[2].changes] == ["Option added: Maybe"]
