"""The one box finds questions and prompts by their words, own ones first, in few queries."""

from __future__ import annotations

import pytest
from django.utils import timezone

from polls.types import Question
from polls.types.base import Option
from tests import factories as make
from workshops.programmes.search import mark, search

pytestmark = pytest.mark.django_db

OUTDOORS = Question(
    "single_choice",
    "How does the room meet the outdoors?",
    options=(Option("yes", "Yes"), Option("no", "No")),
)
PLACE = Question(
    "multiple_choice",
    "Where is it?",
    options=(Option("own", "With its own outdoor space"), Option("cafe", "Near the café")),
)
ABOUT = Question("words", "What is it about?", settings={"max_entries": 3})


@pytest.fixture
def workshop():
    return make.workshop(None, OUTDOORS, started=False)


def bank(of, *questions):
    return [make.poll(question, bank=of.bank).version.instrument for question in questions]


def texts(hits):
    return [hit.text for hit in hits]


def test_words_of_a_question_find_it_and_letters_inside_a_word_do_not(workshop):
    bank(workshop.programme, ABOUT, PLACE)
    assert texts(search(workshop, "out").own) == [OUTDOORS.text, PLACE.text]


def test_all_words_have_to_be_there_in_any_order_and_case(workshop):
    assert texts(search(workshop, "outDOORS room").own) == [OUTDOORS.text]
    assert search(workshop, "outdoors kitchen").is_empty
    assert search(workshop, "  ").is_empty


def test_an_option_that_matches_is_named(workshop):
    bank(workshop.programme, PLACE)
    found = {hit.text: hit.option for hit in search(workshop, "out").own}
    assert found == {OUTDOORS.text: "", PLACE.text: "With its own outdoor space"}
    assert texts(search(workshop, "café").own) == [PLACE.text]


def test_a_text_that_begins_with_the_words_comes_first(workshop):
    bank(workshop.programme, Question("open_text", "Outdoors, what do you see?"))
    assert texts(search(workshop, "outdoors").own) == ["Outdoors, what do you see?", OUTDOORS.text]


def test_a_prompt_is_found_with_the_step_that_has_it_already(workshop):
    item = make.prompt_item(workshop, "Who comes in and out?")
    hits = search(workshop, "out").own
    assert {hit.text: hit.step for hit in hits} == {
        OUTDOORS.text: workshop.agenda.get(poll__isnull=False),
        item.title: item,
    }


def test_a_question_says_which_workshops_have_asked_it(workshop):
    other = make.workshop(workshop.programme, PLACE)
    make.launched(other)
    (hit,) = search(workshop, "where").own
    assert (hit.asked_in, hit.step) == ((other.number,), None)


def test_other_programmes_come_after_ones_own_and_only_those_that_are_given(workshop):
    other = make.programme()
    bank(other, OUTDOORS)
    make.prompt_item(make.workshop(other, started=False), "Out and about?")
    assert search(workshop, "out").others == []
    found = search(workshop, "out", [workshop.programme, other])
    assert texts(found.others) == ["Out and about?", OUTDOORS.text]
    assert {hit.programme for hit in found.others} == {other}
    assert texts(found.own) == [OUTDOORS.text]


def test_what_was_removed_is_not_offered(workshop):
    (instrument,) = bank(workshop.programme, PLACE)
    instrument.removed_at = timezone.now()
    instrument.save()
    assert search(workshop, "where").is_empty


def test_the_newest_version_counts_and_a_draft_does_not(workshop):
    (instrument,) = bank(workshop.programme, PLACE)
    for number, text, draft in ((2, "Where exactly is it?", False), (3, "Whereabouts?", True)):
        definition = {**PLACE.as_json(), "text": text}
        instrument.versions.create(number=number, definition=definition, draft=draft)
    assert texts(search(workshop, "where").own) == ["Where exactly is it?"]


@pytest.mark.parametrize("questions", [1, 30])
def test_the_number_of_queries_does_not_grow(workshop, questions, django_assert_max_num_queries):
    others = [make.programme(), make.programme()]
    for programme in (workshop.programme, *others):
        bank(programme, *[OUTDOORS] * questions)
    with django_assert_max_num_queries(6):
        found = search(workshop, "out", others)
    assert len(found.own) == min(questions + 1, 6)


def test_found_words_are_underlined_and_everything_is_escaped():
    assert mark("Go out <b>, about", ["out", "<b"]) == "Go <u>out</u> <u>&lt;b</u>&gt;, about"
    assert mark("Go out", []) == "Go out"
