"""The card as a form: opening it and saving it changes nothing, and what is typed is what is asked."""

from pathlib import Path

import pytest
from django.http import QueryDict

from polls.models import Measure
from polls.types import Question
from workshops.actions.authoring.programme_file import load
from workshops.programmes.cards import CardState
from workshops.programmes.problems import problems
from workshops.web.forms.card import CardForm

from ... import factories
from ...poll_samples import QUESTIONS

pytestmark = pytest.mark.django_db
FILES = sorted((Path(__file__).parents[3] / "programmes").glob("*.toml"))


def posted(form: CardForm, **changes) -> QueryDict:
    """What a browser sends of this form, as it stands on the page."""
    data = QueryDict(mutable=True)
    for name, value in ({**form.initial, **changes}).items():
        if isinstance(value, list):
            data.setlist(name, [str(each) for each in value])
        elif value is True:
            data[name] = "on"
        elif value is not None and value is not False:
            data[name] = str(value)
    for number, row in enumerate(form.sums(form.state.question, {})):
        data.appendlist("sum", str(number))
        data[f"sum-{number}-key"], data[f"sum-{number}-name"] = row.key, row.name
        data[f"sum-{number}-item"], data[f"sum-{number}-low"], data[f"sum-{number}-high"] = (
            row.item,
            row.low,
            row.high,
        )
        data.setlist(f"sum-{number}-member", list(row.ticked))
        if row.together:
            data[f"sum-{number}-together"] = "on"
    return data


def state_of(question, **fields):
    programme = factories.programme()
    instrument = factories.poll(question, bank=programme.bank).version.instrument
    for name, value in fields.items():
        setattr(instrument, name, value)
    return CardState(programme, instrument)


def saved(state, **changes):
    data = posted(CardForm(state), **{name.replace("__", "-"): value for name, value in changes.items()})
    form = CardForm(state, data)
    assert not form.errors
    return form.card()[0]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_opening_the_card_of_a_shipped_question_and_saving_it_changes_nothing(file):
    programme = load(file.read_text()).programme
    for instrument in programme.bank.instruments.all():
        state = CardState(programme, instrument)
        card, rows = CardForm(state, posted(CardForm(state))).card()
        assert card.question == state.question, instrument.key
        assert (card.name, set(card.domains), card.retired) == (instrument.name, set(state.domains), [])
        assert [(each.key, each.label, each.kind, each.definition) for each in card.sums] == [
            (m.key, m.label, m.kind, m.definition) for m in state.measures.values()
        ]
        assert not [row.error for row in rows if row.error]


@pytest.mark.parametrize("name", QUESTIONS)
def test_opening_the_card_of_any_question_and_saving_it_changes_nothing(name):
    assert saved(state_of(QUESTIONS[name])).question == QUESTIONS[name]


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("kind", ["single_choice", "scale", "words", "number", "statement"])
def test_any_question_can_become_one_of_another_type_and_back(name, kind):
    first = state_of(QUESTIONS[name])
    there = saved(first, type=kind).question
    assert there.type == kind
    assert there.text == QUESTIONS[name].text
    back = saved(state_of(there, retired=saved(first, type=kind).retired), type=QUESTIONS[name].type).question
    assert [option.key for option in back.options] == [option.key for option in QUESTIONS[name].options]


def test_options_become_points_of_a_scale_and_the_other_way():
    scale = saved(state_of(QUESTIONS["single"]), type="scale").question
    assert scale.settings["points"] == ["Ground floor", "Quiet", "Garden", "None"]
    assert not problems(scale)
    choice = saved(state_of(QUESTIONS["scale"]), type="single_choice").question
    assert [option.label for option in choice.options] == ["Not", "Slightly", "Rather", "Very"]


def test_a_field_that_cannot_be_read_keeps_what_was_there_and_says_so():
    state = state_of(QUESTIONS["number"])
    data = posted(CardForm(state), text="How many now?", **{"number-max": "lots"})
    form = CardForm(state, data)
    question = form.card()[0].question
    assert (question.text, question.settings["max"]) == ("How many now?", 60)
    assert form.errors["number-max"] == ["Write a number, like 12 or 0.5."]


def test_an_unfinished_question_can_be_read():
    card = saved(state_of(QUESTIONS["single"]), text="", options="Only one")
    assert problems(card.question) == ["Write the question first.", "Needs at least two options."]


def test_settings_of_the_type_are_written():
    question = saved(
        state_of(QUESTIONS["number"]), number__min="0,5", number__unit="hours", number__none__label=""
    ).question
    assert (question.settings["min"], question.settings["unit"]) == (0.5, "hours")
    assert "none_label" not in question.settings


# --- sums --------------------------------------------------------------------------------------------


def with_sum(state, **row):
    data = posted(CardForm(state))
    data.appendlist("sum", "7")
    for name, value in row.items():
        data.setlist(f"sum-7-{name}", value if isinstance(value, list) else [value])
    return CardForm(state, data).card()


@pytest.mark.parametrize(
    ("name", "row", "kind", "definition"),
    [
        ("single", {"member": ["b", "a"]}, "merge", {"members": ["a", "b"]}),
        ("multiple", {"member": ["a", "b"], "together": "on"}, "all_of", {"members": ["a", "b"]}),
        ("scale", {"member": ["3", "4"]}, "merge", {"members": ["3", "4"]}),
        ("scale_block", {"member": ["5"], "item": "calm"}, "merge", {"members": ["5"], "item": "calm"}),
        ("statement", {"member": ["agree"]}, "merge", {"members": ["agree"]}),
        ("number", {"low": "6", "high": "12"}, "band", {"low": 6, "high": 12}),
        ("number", {"low": "19"}, "band", {"low": 19}),
    ],
)  # fmt: skip
def test_a_sum_is_made_of_ticks_or_of_bounds(name, row, kind, definition):
    card, _rows = with_sum(state_of(QUESTIONS[name]), name="Mine", **row)
    assert [(each.label, each.kind, each.definition) for each in card.sums] == [("Mine", kind, definition)]


def test_a_sum_without_a_name_is_called_after_what_it_adds_up():
    card, _rows = with_sum(state_of(QUESTIONS["single"]), member=["a", "c"])
    assert card.sums[0].label == "Ground floor or Garden"


def test_a_sum_without_ticks_waits_and_says_so():
    card, rows = with_sum(state_of(QUESTIONS["single"]), name="Mine")
    assert card.sums == ()
    assert [row.error for row in rows] == ["Tick what belongs to it."]


def test_a_box_of_a_scale_stays_one_until_its_ticks_change():
    state = state_of(QUESTIONS["scale"])
    Measure.objects.create(
        instrument=state.instrument, key="top", label="Top", kind="top_box", definition={"boxes": 2}
    )
    (kept,) = CardForm(state, posted(CardForm(state))).card()[0].sums
    assert (kept.kind, kept.definition) == ("top_box", {"boxes": 2})
    data = posted(CardForm(state))
    data.setlist("sum-0-member", ["4"])
    (changed,) = CardForm(state, data).card()[0].sums
    assert (changed.key, changed.kind, changed.definition) == ("top", "merge", {"members": ["4"]})


def test_a_sum_can_be_dropped():
    state = state_of(QUESTIONS["single"])
    Measure.objects.create(
        instrument=state.instrument, key="one", label="One", kind="merge", definition={"members": ["a"]}
    )
    data = posted(CardForm(state))
    data["sum-0-drop"] = "on"
    assert CardForm(state, data).card()[0].dropped == {"one"}


def test_a_setting_that_a_file_wrote_at_its_default_stays_written():
    question = Question(
        "ranking", "Which?", options=QUESTIONS["ranking"].options, settings={"exact": False, "change": True}
    )
    assert saved(state_of(question)).question == question
