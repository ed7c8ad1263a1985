"""What every registered poll type keeps, whatever it asks."""

import ast
import copy
import json
import random
import sys
from collections.abc import Mapping
from pathlib import Path

import plotly.graph_objects
import pytest
from django.template.loader import render_to_string
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polls.types import POLL_TYPES, InvalidBallot, InvalidQuestion, Question
from polls.types.base import Filled, add
from tests.poll_samples import QUESTIONS, ballots

every_question = pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())
quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)

json_leaves = (
    st.none() | st.booleans() | st.integers() | st.integers(10**300, 10**310) | st.floats() | st.text()
    | st.sampled_from(["a", "b", "d", "agree", "pass", "12", "~pass", "~other", "", "\ud800", "\u202egnirts"])
)  # fmt: skip
json_keys = st.text() | st.sampled_from(["a", "other", "choice", "reason", "none", "calm", "places", "value"])
json_values = st.recursive(
    json_leaves, lambda inner: st.lists(inner) | st.dictionaries(json_keys, inner), max_leaves=8
)


def leaves(tally):
    for value in tally.values():
        yield from leaves(value) if isinstance(value, Mapping) else [value]


def counted(draw, question, least=0):
    values = draw(st.lists(ballots(question), min_size=least, max_size=8))
    return [(value, draw(st.integers(1, 9))) for value in values]


def of_many(question, people):
    """A tally of so many people; the same every time."""
    poll_type = POLL_TYPES[question.type]
    rng = random.Random(people)
    values = [sample(question, rng) for _person in range(people)]
    return poll_type.tally([(poll_type.clean(value, question), 1) for value in values], question)


def sample(question, rng):
    keys, found = list(question.keys), question.settings
    match question.type:
        case "single_choice":
            return (
                {"other": "it depends"} if found.get("other") and rng.random() < 0.1 else rng.choice(keys[:3])
            )
        case "multiple_choice":
            return rng.sample(keys[:3], 2)
        case "scale":
            k = found["points"] if isinstance(found["points"], int) else len(found["points"])
            return {"calm": rng.randint(1, k)} if "items" in found else rng.randint(1, k)
        case "ranking":
            return rng.sample(keys, found.get("top", len(keys)))
        case "words":
            return rng.sample(["calm", "Calm!", "homely", "warm", "not noisy", "<b>loud</b>"], 2)
        case "open_text":
            return rng.choice(["Hope.", "Time off the floor\nfor everyone", "<script>alert(1)</script>"])
        case "number":
            return {"none": True} if "none_label" in found and rng.random() < 0.2 else rng.randint(0, 24)
        case "points":
            first = rng.randint(0, 100)
            return {keys[0]: first, keys[1]: 100 - first}
        case _:
            return {"choice": rng.choice(["agree", "live_with", "disagree"])}


def test_every_type_is_asked_here():
    assert {question.type for question in QUESTIONS.values()} == set(POLL_TYPES)


@every_question
def test_the_sample_questions_can_be_asked(question):
    POLL_TYPES[question.type].check(question)


@every_question
@given(data=st.data())
@quick
def test_whatever_a_client_sends_is_cleaned_or_refused_in_one_sentence(question, data):
    poll_type, value = POLL_TYPES[question.type], data.draw(json_values)
    try:
        clean = poll_type.clean(copy.deepcopy(value), question)
    except InvalidBallot as refused:
        assert_one_sentence(str(refused.message))
    else:
        assert_canonical(clean, question)


@every_question
@given(data=st.data())
@quick
def test_cleaned_ballots_survive_json_and_cleaning(question, data):
    assert_canonical(data.draw(ballots(question)), question)


def assert_one_sentence(message):
    assert message.endswith(".")
    assert "\n" not in message


def assert_canonical(value, question):
    poll_type = POLL_TYPES[question.type]
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    text.encode()  # no lone surrogates, which no database takes
    assert "\x00" not in text
    assert json.loads(text) == value
    assert type(poll_type.clean(json.loads(text), question)) is type(value)
    assert poll_type.clean(json.loads(text), question) == value
    assert isinstance(poll_type.say(value, question), str)


@every_question
@given(data=st.data())
@quick
def test_a_form_filled_with_a_ballot_sends_that_ballot(question, data):
    poll_type, value = POLL_TYPES[question.type], data.draw(ballots(question))
    assert (
        poll_type.clean(poll_type.from_form(Filled(poll_type.to_form(value, question)), question), question)
        == value
    )


@every_question
def test_a_pass_goes_through_form_and_cleaning(question):
    poll_type = POLL_TYPES[question.type]
    passed = poll_type.clean(
        poll_type.from_form(Filled(poll_type.to_form(None, question)), question), question
    )
    assert poll_type.is_pass(passed)
    assert poll_type.clean(None, question) is None
    assert poll_type.say(passed, question) == "Pass"


@every_question
def test_a_question_without_pass_refuses_it(question):
    strict = Question(**{**fields(question), "settings": {**question.settings, "allow_pass": False}})
    with pytest.raises(InvalidBallot):
        POLL_TYPES[question.type].clean(None, strict)


@every_question
def test_an_empty_form_is_refused(question):
    poll_type = POLL_TYPES[question.type]
    with pytest.raises(InvalidBallot):
        poll_type.clean(poll_type.from_form(Filled(), question), question)


@every_question
@given(data=st.data())
@quick
def test_a_tally_ignores_order_and_adds_up_over_splits(question, data):
    poll_type, pairs = POLL_TYPES[question.type], counted(data.draw, question)
    whole = poll_type.tally(pairs, question)
    cut = data.draw(st.integers(0, len(pairs)))
    assert poll_type.tally(pairs[::-1], question) == whole
    assert add(poll_type.tally(pairs[:cut], question), poll_type.tally(pairs[cut:], question)) == whole
    assert whole["n"] == sum(people for _value, people in pairs)
    assert all(type(leaf) is int for leaf in leaves(whole))
    assert json.loads(json.dumps(whole)) == whole


@every_question
@given(data=st.data())
@quick
def test_figures_are_people_of_a_base(question, data):
    poll_type = POLL_TYPES[question.type]
    tally = poll_type.tally(counted(data.draw, question), question)
    figures = poll_type.figures(tally, question)
    assert all(0 <= figure.hits <= figure.valid <= tally["n"] for figure in figures)
    assert len({figure.key for figure in figures}) == len(figures)


@every_question
@pytest.mark.parametrize("people", [0, 1, 5, 19, 20, 120])
def test_the_chart_is_a_plotly_figure(question, people):
    chart = POLL_TYPES[question.type].chart(of_many(question, people), question)
    plotly.graph_objects.Figure(chart)
    json.dumps(chart, allow_nan=False)


@every_question
@pytest.mark.parametrize("people", [0, 1, 5, 19, 20, 120])
def test_a_table_has_a_cell_under_every_heading(question, people):
    headings, rows = POLL_TYPES[question.type].table(of_many(question, people), question)
    assert {len(row) for row in rows} <= {len(headings)}


@every_question
@pytest.mark.parametrize("people", [0, 5, 120])
@pytest.mark.parametrize("audience", ["phone", "observer", "wall", "console", "page"])
def test_results_render_for_every_audience(question, people, audience):
    html = result(question, of_many(question, people), audience)
    assert "style=" not in html
    assert "<script>alert" not in html
    assert ("<details" in html) == (audience != "wall" and question.type != "open_text")


def result(question, tally, audience):
    poll_type, n = POLL_TYPES[question.type], tally["n"]
    context = {
        "question": question,
        "poll_id": 7,
        "picture": poll_type.picture(tally, question),
        "finding": poll_type.finding(tally, question),
        "table": poll_type.table(tally, question),
        "counts": {"joined": n + 3, "issued": n + 2, "cast": n + 1, "passed": 1, "valid": n},
        "audience": audience,
    }
    return render_to_string(f"polls/{question.type}/result.html", context)


@every_question
@pytest.mark.parametrize("people", [1, 5, 19, 20, 120])
def test_no_percentage_is_told_below_20_answers(question, people):
    tally = of_many(question, people)
    poll_type = POLL_TYPES[question.type]
    told = result(question, tally, "phone") + poll_type.finding(tally, question)
    told = told.replace("more than 100\u00a0%", "")
    if people < 20:
        assert "%" not in told


@every_question
@pytest.mark.parametrize("heading", ["h1", "h2"])
def test_a_fresh_ballot_renders(question, heading):
    html = ballot(question, heading=heading)
    assert f"<{heading}" in html
    assert "style=" not in html
    assert "checked" not in html


@every_question
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_a_ballot_renders_filled_and_after_an_error(question, data):
    poll_type, value = POLL_TYPES[question.type], data.draw(ballots(question))
    ballot(question, value=value)
    html = ballot(
        question, typed=Filled(poll_type.to_form(value, question)), error="Choose one.", error_field=""
    )
    assert "Choose one." in html


def ballot(question, **context):
    known = {
        "poll_id": 7,
        "value": None,
        "typed": None,
        "error": "",
        "error_field": "",
        "step": "",
        "heading": "h1",
    }
    instruction = POLL_TYPES[question.type].instruction(question)
    return render_to_string(
        f"polls/{question.type}/ballot.html",
        {**known, "question": question, "instruction": instruction, **context},
    )


@every_question
def test_a_picture_needs_its_words(question):
    pictured = {**question.settings, "image": "workshops/room.png"}
    with pytest.raises(InvalidQuestion, match=r"^image_alt"):
        POLL_TYPES[question.type].check(Question(**{**fields(question), "settings": pictured}))
    described = Question(**{**fields(question), "settings": {**pictured, "image_alt": "A calm room"}})
    POLL_TYPES[question.type].check(described)
    assert 'alt="A calm room"' in ballot(described)


@every_question
@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
def test_a_question_has_words_and_not_too_many(question, text):
    with pytest.raises(InvalidQuestion, match=r"^text"):
        POLL_TYPES[question.type].check(Question(**{**fields(question), "text": text}))


def fields(question):
    return {name: getattr(question, name) for name in Question.__dataclass_fields__}


@every_question
def test_the_words_of_a_tally_are_those_of_its_ballots_and_make_the_same_tally(question):
    poll_type, tally = POLL_TYPES[question.type], of_many(question, 30)
    assert bool(poll_type.texts(tally, question)) == bool(poll_type.spellings(tally)) == poll_type.has_texts
    if poll_type.has_texts:
        answers = [(poll_type.answer_with([words]), n) for words, n in poll_type.spellings(tally).items()]
        assert poll_type.tally(answers, question) | {"n": 30} == tally
        assert poll_type.tally([(poll_type.answer_with([]), 30)], question)["n"] == 30


@every_question
@given(data=st.data())
@quick
def test_every_field_of_a_ballot_says_its_own_words_once_and_a_pass_none_of_an_answer(question, data):
    poll_type, value = POLL_TYPES[question.type], data.draw(ballots(question))
    own = poll_type.texts_of(value, question)
    assert len({text.field for text in own}) == len(own)
    assert all(text.words and 0 < len(text.key) <= 64 and len(text.field) <= 40 for text in own)
    if poll_type.has_texts:
        assert poll_type.answer_with([text.words for text in own]) == (value or poll_type.answer_with([]))
    assert not poll_type.texts_of(None, question)


PURE = [*Path("polls/types").glob("*.py"), Path("polls/measures.py"), Path("polls/lifecycle.py")]


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.stem)
def test_types_know_plain_values_only(path):
    """They import the standard library, each other, and Django's words for translation."""
    tree = ast.parse((Path(__file__).parents[2] / path).read_text())
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        for name in names:
            assert name.split(".")[0] in sys.stdlib_module_names or name.startswith("django.utils"), name


@every_question
@given(data=st.data())
@quick
def test_an_answer_without_its_words_has_none_and_counts_as_it_did(question, data):
    kind, value = POLL_TYPES[question.type], data.draw(ballots(question))
    words = [own.words for own in kind.texts_of(value, question)]
    without = kind.reworded(value, dict.fromkeys(words, ""))
    assert [own.words for own in kind.texts_of(without, question) if own.words] == []
    assert kind.reworded(value, {}) == value
    if not kind.is_pass(value):
        assert kind.tally([(without, 3)], question)["n"] == kind.tally([(value, 3)], question)["n"]
        assert json.loads(json.dumps(without)) == without
