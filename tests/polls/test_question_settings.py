"""What an author may say about a question, and what happens to a misspelt word."""

from __future__ import annotations

import pytest

from polls import ballot_box, results
from polls.models import ComparabilityMark
from polls.types import POLL_TYPES, InvalidQuestion, Question
from polls.types.base import Option
from workshops.programmes.file import checks as file_checks
from workshops.programmes.file import format as file_format

from .. import factories

SOME = tuple(Option(key, key.upper()) for key in "abc")


def asked(kind: str, **settings: object) -> Question:
    needed = {"points": 5} if kind == "scale" else {}
    options = SOME if POLL_TYPES[kind].has_options else ()
    return Question(kind, "What?", options=options, settings=needed | settings)


@pytest.mark.parametrize("kind", POLL_TYPES)
def test_a_misspelt_setting_is_refused_with_the_nearest_known_one(kind):
    with pytest.raises(InvalidQuestion) as refused:
        POLL_TYPES[kind].check(asked(kind, pas_label="Not sure"))
    assert str(refused.value) == "settings: unknown 'pas_label', did you mean 'pass_label'?"


def test_a_setting_of_another_type_is_refused_with_all_known_ones():
    with pytest.raises(InvalidQuestion) as refused:
        POLL_TYPES["statement"].check(asked("statement", budget=100))
    known = "allow_pass, change, check, image, image_alt, image_size, pass_label, reveal, rule"
    assert str(refused.value) == f"settings: unknown 'budget', expected one of {known}"


@pytest.mark.parametrize("kind", POLL_TYPES)
def test_every_question_may_have_the_common_settings(kind):
    common = {
        "allow_pass": True, "pass_label": "Not sure", "change": False, "check": True,
        "image": "workshops/room.webp", "image_alt": "A room", "reveal": "live",
    }  # fmt: skip
    POLL_TYPES[kind].check(asked(kind, **common))


@pytest.mark.parametrize(
    ("setting", "value", "named"),
    [
        ("change", "no", "change: expected true or false"),
        ("allow_pass", 0, "allow_pass: expected true or false"),
        ("shuffle", "yes", "shuffle: expected true or false"),
        ("pass_label", " ", "pass_label: expected 1 to 100 characters"),
        ("pass_label", 5, "pass_label: expected 1 to 100 characters"),
        ("reveal", "later", "reveal: expected one of after_close"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(setting, value, named):
    with pytest.raises(InvalidQuestion, match=f"^{named}"):
        POLL_TYPES["single_choice"].check(asked("single_choice", **{setting: value}))


def test_a_programme_file_names_the_instrument_and_the_nearest_setting():
    text = """
        [programme]
        key = "p"
        title = "P"
        [[instrument]]
        key = "calm"
        type = "single_choice"
        text = "Is it calm?"
        [instrument.options]
        yes = "Yes"
        no = "No"
        [instrument.settings]
        shufle = true
    """
    with pytest.raises(file_checks.ProgrammeFileError) as refused:
        file_format.parse(text)
    assert str(refused.value).endswith(
        "instrument 1 (calm), settings: unknown 'shufle', did you mean 'shuffle'?"
    )


# --- what adds up ------------------------------------------------------------------------------------------

ITEMS = [{"key": "calm", "label": "Calm"}, {"key": "light", "label": "Light"}]


def closed(instrument, number: int, question: Question):
    version = instrument.versions.create(number=number, definition=question.as_json())
    poll = version.polls.create()
    ballot_box.open_poll(poll.pk)
    return ballot_box.close_poll(poll.pk)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("points", {"budget": 100}, {"budget": 10}),
        ("number", {"unit": "minutes"}, {"unit": "hours"}),
        ("scale", {"points": 5}, {"points": 7}),
        ("scale", {"items": ITEMS}, {"items": ITEMS[:1]}),
    ],
)
def test_versions_that_measure_on_something_else_do_not_add_up(kind, first, second):
    instrument = factories.poll().version.instrument
    polls = [closed(instrument, n, asked(kind, **said)) for n, said in enumerate([first, second], 2)]
    with pytest.raises(results.NotComparable):
        results.pool(polls)


@pytest.mark.django_db
def test_versions_whose_lines_are_worded_anew_add_up_when_somebody_says_so():
    instrument = factories.poll().version.instrument
    reworded = [item | {"label": item["label"] + " enough"} for item in ITEMS]
    polls = [
        closed(instrument, n, asked("scale", items=items)) for n, items in enumerate([ITEMS, reworded], 2)
    ]
    with pytest.raises(results.NotComparable):
        results.pool(polls)
    earlier, later = (poll.version for poll in polls)
    ComparabilityMark.objects.create(earlier=earlier, later=later, kind="typo")
    assert results.pool(polls).tally["n"] == 0
