"""A programme file: loaded, exported, loaded again; and what it says when something is wrong."""

from __future__ import annotations

import io
import tomllib
from functools import reduce
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from django.apps import apps
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from polls import ballot_box
from polls.models import Instrument, InstrumentVersion, Poll
from polls.types import POLL_TYPES, Question
from polls.types.base import Option
from workshops.actions import log
from workshops.actions.authoring import plans, questions
from workshops.actions.authoring.programme_file import load, preview
from workshops.actions.authoring.workshops import plan_workshop
from workshops.models import Membership, Plan, Programme
from workshops.programmes.file.checks import ProgrammeFileError, mended
from workshops.programmes.file.format import dump, parse
from workshops.programmes.file.io import export
from workshops.programmes.file.schema import ProgrammeFile

from ... import factories
from .small_file import SMALL, change

FILES = sorted((Path(__file__).parents[3] / "programmes").glob("*.toml"))
BEFORE = next(file for file in FILES if file.stem == "before_the_workshop")
pytestmark = pytest.mark.django_db


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of the apps that a programme file writes to."""
    models = chain(apps.get_app_config("polls").get_models(include_auto_created=True),
                   apps.get_app_config("workshops").get_models(include_auto_created=True))  # fmt: skip
    return {model._meta.label: list(model.objects.order_by("pk").values()) for model in models}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_file_loads_and_loading_it_twice_changes_no_row(file):
    text = file.read_text()
    first = load(text, file.name)
    before = everything()

    second = load(text, file.name)

    assert not first.is_unchanged
    assert second.is_unchanged
    assert everything() == before


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_exported_loads_to_the_same_programme(file):
    programme = load(file.read_text(), file.name).programme
    before = everything()
    text = export(programme)

    assert load(text).is_unchanged
    assert everything() == before


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_exported_loads_to_the_same_programme_elsewhere(file):
    text = export(load(file.read_text(), file.name).programme)
    Programme.objects.all().delete()
    load(SMALL)

    programme = load(text).programme

    assert export(programme) == text


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_exported_file_brings_a_changed_programme_back(file):
    programme = load(file.read_text(), file.name).programme
    text = export(programme)
    programme.domains.filter(position=0).delete()
    programme.bank.instruments.filter(position=len(programme.bank.instruments.all()) - 1).delete()
    programme.bank.instruments.create(key="stray", position=99).versions.create(
        number=1, definition={"type": "open_text", "text": "?"}
    )
    programme.prompts.update(text="Something else")
    Programme.objects.update(hue=1, benchmarks=[])

    assert export(load(text, whole=True).programme) == text


def test_text_and_values_stay_the_same_through_the_writer():
    text = change('text = "Read this."', 'text = "One \\"two\\"\\n\\nthree \\\\ é – 👶"')
    assert parse(dump(parse(text))) == parse(text)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_minutes_of_every_shipped_agenda_fill_its_plan(file):
    for plan in parse(file.read_text()).plan:
        assert sum((entry.minutes or 0) for entry in plan.agenda) == plan.minutes


def test_the_small_team_file_asks_in_many_ways():
    file = parse(next(file for file in FILES if file.stem == "our_own_baby_room").read_text())
    assert {instrument.type for instrument in file.instrument} == set(POLL_TYPES)
    assert [plan.minutes for plan in file.plan] == [20, 20, 20]


# --- versions ---------------------------------------------------------------------------------------


def versions() -> list[tuple[int, str]]:
    return list(InstrumentVersion.objects.order_by("number").values_list("number", "definition__text"))


def test_a_changed_question_that_nobody_asked_is_changed_in_place():
    load(SMALL)
    load(change("How many babies?", "How many?"))
    assert versions() == [(1, "How many?")]


def test_a_changed_question_that_a_poll_asked_gets_a_next_version():
    load(SMALL)
    ballot_box.open_poll(Poll.objects.create(version=InstrumentVersion.objects.get()).pk)
    load(change("How many babies?", "How many?"))
    assert versions() == [(1, "How many babies?"), (2, "How many?")]
    assert load(change("How many babies?", "How many?")).is_unchanged


def test_a_changed_measure_that_a_result_holds_gets_the_next_number():
    programme = load(SMALL).programme
    frozen = {"measures": [{"key": "any", "number": 1}]}
    Poll.objects.create(version=InstrumentVersion.objects.get(), opened_at=timezone.now(), result=frozen)
    load(change('label = "Few or many"', 'label = "Any number"'))
    measures = programme.bank.instruments.get().measures.order_by("number")
    assert [(one.number, one.label) for one in measures] == [(1, "Few or many"), (2, "Any number")]
    assert 'label = "Any number"' in export(programme)


def test_a_changed_information_sheet_is_the_next_one_once_people_have_seen_it():
    programme = load(SMALL).programme
    load(change("Read this.", "Read these."))
    assert [(one.number, one.text) for one in programme.sheets.all()] == [(1, "Read these.")]
    load(SMALL)
    factories.workshop(programme, sheet=programme.sheets.get())
    load(change("Read this.", "Read that."))
    assert [(one.number, one.text) for one in programme.sheets.all()] == [
        (1, "Read this."),
        (2, "Read that."),
    ]


def without_the_question() -> str:
    head, _, rest = SMALL.partition("[[instrument]]")
    _, _, tail = rest.partition("[[prompt]]")
    text = change('  { poll = "size", minutes = 2 },\n', "", f"{head}[[prompt]]{tail}")
    return text.partition("[[benchmark]]")[0]


def test_what_the_file_drops_is_removed_and_said_and_comes_back_with_it():
    programme = load(SMALL).programme
    poll = Poll.objects.create(version=InstrumentVersion.objects.get())
    assert load(without_the_question()).removed == ["question size"]
    poll.refresh_from_db()
    assert not Instrument.objects.filter(removed_at=None).exists()
    assert load(without_the_question()).is_unchanged
    assert "question size" in load(SMALL).changes
    programme.refresh_from_db()
    assert export(programme) == SMALL


def test_a_prompt_that_a_workshop_uses_stays_in_the_workshop_when_the_file_drops_it():
    programme = load(SMALL).programme
    workshop = plan_workshop(programme, Plan.objects.get())
    text = change('[[prompt]]\nkey = "walk"\ndomain = "room"\ntext = "Walk us in."\n', "")
    assert load(change('  { prompt = "walk" },\n', "", text)).removed == ["prompt walk"]
    assert workshop.agenda.filter(prompt__key="walk").exists()


# --- a file and the browser -------------------------------------------------------------------------


def edited_here() -> Programme:
    """The small programme with a question of its own, one changed, one removed, another colour."""
    programme = load(SMALL).programme
    by = factories.staff(programme)
    mine = questions.add_question(programme, by, factories.YES_NO, name="Mine")
    assert mine.key == "mine"
    Programme.objects.filter(pk=programme.pk).update(hue=20)
    return Programme.objects.get(pk=programme.pk)


def test_the_same_file_again_takes_nothing_that_was_made_in_the_browser():
    edited_here()
    before = everything()
    loaded = load(SMALL)
    assert (loaded.is_unchanged, loaded.kept) == (True, ["programme, hue", "question mine"])
    assert everything() == before


def test_what_only_the_file_changed_is_taken_and_what_only_the_browser_changed_stays():
    edited_here()
    load(change("A small one", "A smaller one"))
    programme = Programme.objects.get()
    assert (programme.title, programme.hue) == ("A smaller one", 20)
    assert Instrument.objects.filter(key="mine", removed_at=None).exists()


def test_what_both_changed_is_as_the_file_says():
    edited_here()
    load(change('title = "A small one"', 'title = "A small one"\nhue = 300'))
    assert Programme.objects.get().hue == 300


def test_the_whole_file_can_be_taken_and_then_the_rest_is_removed():
    edited_here()
    loaded = load(SMALL, whole=True)
    assert loaded.removed == ["question mine"]
    assert Programme.objects.get().hue == 165
    assert export(Programme.objects.get()) == SMALL


def test_an_exported_file_is_the_last_one_with_what_was_made_since_and_loads_as_it_is():
    programme = edited_here()
    text = export(programme)
    assert "hue = 20\n" in text
    assert [line for line in SMALL.splitlines() if line not in text.splitlines()] == []
    before = everything()
    assert load(text).is_unchanged
    assert {**everything(), "workshops.Programme": 0, "workshops.LogEntry": 0} == {
        **before, "workshops.Programme": 0, "workshops.LogEntry": 0,
    }  # fmt: skip
    assert export(Programme.objects.get()) == text


def test_a_question_begun_in_the_browser_is_exported_and_loaded_unfinished():
    programme = load(SMALL).programme
    unfinished = Question(type="single_choice", text="", options=(Option("a", "One"),))
    questions.add_question(programme, None, unfinished, name="Begun")
    text = export(programme)
    assert "unfinished = true" in text
    assert load(text).is_unchanged


def test_a_load_is_in_the_log_and_can_be_taken_back():
    programme = load(SMALL).programme
    by = factories.staff(programme)
    load(without_the_question().replace("Read this.", "Read that."), by=by)
    entry = log.last_undoable(by, programme=programme)
    assert log.sentence(entry) == "Loaded a programme file of “A small one”"
    log.undo(entry, by)
    programme.refresh_from_db()
    assert export(programme) == SMALL
    assert programme.sheets.count() == 1


def test_a_preview_says_what_a_load_would_do_and_does_nothing():
    load(SMALL)
    before = everything()
    seen = preview(without_the_question())
    assert everything() == before
    loaded = load(without_the_question())
    assert (seen.changes, seen.removed, seen.kept) == (loaded.changes, loaded.removed, loaded.kept)


def test_a_file_of_another_programme_is_refused():
    programme = load(SMALL).programme
    with pytest.raises(ProgrammeFileError, match="this is the file of “other”, expected that of “small”"):
        load(change('key = "small"', 'key = "other"'), into=programme)


# --- errors -----------------------------------------------------------------------------------------

WRONG = [
    ('key = "small"', 'key = "Small One"', "programme, key: expected a key of 1 to 60 small letters"),
    ('title = "A small one"', "", "programme: expected “title”, which is missing"),
    ('title = "A small one"', "title = 3", "programme, title: expected text in quotation marks, found a whole number"),
    ('title = "A small one"', 'titel = "A"', "programme: unknown name “titel”, did you mean “title”?"),
    ("required = true", "required = false", "information, consent: expected at least one item with required = true"),
    ('text = "I have read it."', "", "information, consent 1 (read): expected “text”, which is missing"),
    ('key = "size"', 'key = "new"', "instrument 1 (new): this key is the name of a page"),
    ('key = "small"', 'key = "new"', "programme: this key is the name of a page"),
    ('few = "Few", many = "Many"', 'few = "Few", many = 3', "instrument 1 (size), option “many”: expected words"),
    ('few = "Few", many = "Many"', 'few = "Few"', "instrument 1 (size), options: expected 2 to 20, found 1"),
    ('type = "single_choice"', 'type = "single_choise"', "type: unknown type “single_choise”, did you mean “single_choice”?"),
    ('name = "How many"', 'nam = "How many"', "instrument 1 (size): unknown name “nam”, did you mean “name”?"),
    ('name = "How many"', 'reveal = "live_now"', "instrument 1 (size), reveal: unknown value “live_now”"),
    ('name = "How many"', "settings = { day = 2026-01-01 }", "instrument 1 (size), settings, day: expected text"),
    ('name = "How many"', "settings = { far = inf }", "instrument 1 (size), settings, far: expected text"),
    ('domain = "room"\ntype', 'domain = "rooms"\ntype', "instrument 1 (size), domain: unknown domain “rooms”, did you mean “room”?"),
    ('{ poll = "size", minutes = 2 }', '{ poll = "sizes" }', "plan 1 (hour), agenda 2, poll: unknown poll “sizes”, did you mean “size”?"),
    ('{ prompt = "walk" }', '{ prompt = "run" }', "plan 1 (hour), agenda 3, prompt: unknown prompt “run”, expected one of: walk"),
    ('{ prompt = "walk" }', "{ minutes = 1 }", "plan 1 (hour), agenda 3: expected exactly one of: poll, prompt, pause"),
    ('{ prompt = "walk" }', '{ prompt = "walk", minute = 1 }', "plan 1 (hour), agenda 3: unknown name “minute”, did you mean “minutes”?"),
    ("profile = []", 'profile = ["size"]', "plan 1 (hour): poll “size” stands twice"),
    ("percent = 15", "percent = 150", "benchmark 1, percent: expected a"),
    ("percent = 15", "", "benchmark 1: expected a figure"),
    ('measure = "any"', 'measure = "all"', "benchmark 1, measure: unknown measure “all”"),
    ('[[domain]]\nkey = "room"', '[[domain]]\nkey = "room"\ntitle = "A"\n[[domain]]\nkey = "room"', "domain 2: key “room” already stands at domain 1"),
    ('members = ["few", "many"]', 'members = ["none"]', "instrument 1 (size), measure 1 (any)"),
    ('kind = "merge"', 'kind = "blend"', "instrument 1 (size), measure 1 (any)"),
    ("[[prompt]]", "[[prompts]]", "unknown name “prompts”, did you mean “prompt”?"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "sentence"), WRONG, ids=[new[:40] for _, new, _ in WRONG])
def test_an_error_names_its_place_and_nothing_is_loaded(old, new, sentence):
    with pytest.raises(ProgrammeFileError) as error:
        load(change(old, new), "small.toml")
    assert f"small.toml: {sentence}" in str(error.value) or sentence in str(error.value)
    assert str(error.value).startswith("small.toml: ")
    assert not any(everything().values())


def test_a_syntax_error_names_its_line():
    with pytest.raises(ProgrammeFileError, match=r"small\.toml: line 4: "):
        load(change('title = "A small one"', "title = A small one"), "small.toml")


def test_a_character_that_no_database_keeps_is_refused_with_its_line():
    with pytest.raises(ProgrammeFileError, match=r"small\.toml: line 4: the character"):
        load(change('title = "A small one"', 'title = "A\\u0000"'), "small.toml")


def test_a_file_that_fails_half_way_leaves_everything_as_it_was(monkeypatch):
    load(SMALL)
    before = everything()
    monkeypatch.setattr(
        "workshops.actions.authoring.programme_file._Loader._domain_members", lambda *_: 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        load(change("How many babies?", "How many?"))
    assert everything() == before


def leaves(data: Any, path: tuple = ()) -> list[tuple]:
    """The path of every value in the file, tables and lists too."""
    below = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(leaf for key, value in below for leaf in leaves(value, (*path, key)))]


PLACES = [path for file in [SMALL, *(file.read_text() for file in FILES)] for path in
          [(file, leaf) for leaf in leaves(tomllib.loads(file))[1:]]]  # fmt: skip
# "$" and "`" are how the library below says places and types: in a sentence they would be a leak.
WORDS = st.text(st.characters(exclude_characters="$`", exclude_categories=["Cs"]), max_size=20)
VALUES = st.one_of(
    st.none(),  # left out
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    WORDS,
    st.dates(),
    st.lists(st.one_of(st.integers(0, 9), WORDS, st.just({}), st.just([])), max_size=3),
    st.dictionaries(WORDS, st.one_of(st.integers(0, 9), WORDS), max_size=3),
)


@given(place=st.sampled_from(PLACES), value=VALUES)
@settings(max_examples=200, deadline=None)
def test_whatever_stands_in_a_file_it_is_understood_or_refused_in_one_sentence(place, value):
    text, path = place
    data = tomllib.loads(text)
    table = reduce(lambda part, key: part[key], path[:-1], data)
    if value is None:
        del table[path[-1]]
    else:
        table[path[-1]] = value
    said = understood(tomli_w.dumps(data))
    if isinstance(said, str):
        assert said.startswith("x.toml: ")
        assert "`" not in said
        assert "$" not in said
    else:
        assert parse(dump(said)) == said


def understood(text: str) -> ProgrammeFile | str:
    """The file, or the sentence that refuses it."""
    try:
        return parse(text, "x.toml")
    except ProgrammeFileError as error:
        return str(error)


# --- commands ---------------------------------------------------------------------------------------


def test_the_commands_load_and_export(tmp_path):
    file, out = tmp_path / "small.toml", io.StringIO()
    file.write_text(SMALL)
    call_command("load_programme", str(file), stdout=out)
    call_command("load_programme", str(file), stdout=out)
    assert "“A small one” is loaded:" in out.getvalue()
    assert out.getvalue().endswith("“A small one” is already as the file says. Nothing changed.\n")

    call_command("export_programme", "small", output=tmp_path / "again.toml", stderr=io.StringIO())
    assert parse((tmp_path / "again.toml").read_text()) == parse(SMALL)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["load_programme", "/nowhere.toml"], "/nowhere.toml: No such file or directory."),
        (["export_programme", "none"], "There is no programme yet"),
    ],
)
def test_a_command_says_in_one_sentence_what_is_wrong(command, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command(*command)
    assert not Membership.objects.exists()


# --- how people take part -------------------------------------------------------------------------------


def test_the_shipped_questionnaires_load_and_their_workshops_are_questionnaires():
    text = BEFORE.read_text()
    programme = load(text).programme
    made = [plan_workshop(programme, plan) for plan in programme.plans.all()]
    assert [workshop.is_questionnaire for workshop in made] == [True, True]


def test_a_plan_keeps_its_mode_over_export_and_load():
    text = BEFORE.read_text()
    programme = load(text).programme
    again = load(export(programme))
    assert again.is_unchanged
    assert {plan.mode for plan in again.programme.plans.all()} == {"questionnaire"}


def test_an_unknown_mode_is_named_with_those_there_are():
    text = BEFORE.read_text()
    with pytest.raises(
        ProgrammeFileError, match=r"plan 1 .*mode.*“questionaire”, did you mean “questionnaire”"
    ):
        load(text.replace('mode = "questionnaire"', 'mode = "questionaire"', 1))


def test_a_plan_that_was_kept_from_a_workshop_loads_as_it_is(db):
    workshop = factories.workshop(started=False)
    factories.pause_item(workshop, "Tea", 0)
    factories.prompt_item(workshop, "As long as ever")
    factories.prompt_item(workshop, "No time of its own", 0)
    plans.keep_as_plan(workshop, factories.person(), "Kept")
    text = export(workshop.programme)
    assert "mode" not in text
    assert [change for change in load(text).changes if "plan" in change] == []


@pytest.mark.parametrize(
    ("written", "named", "mended_to"),
    [
        ('"A \\u202Esmall one"', "U+202E", '"A small one"'),
        ('"A \u2066small one"', "U+2066", '"A small one"'),
        ('"A \\u0007small \\fone"', "U+0007", '"A small one"'),
        ('"A \x85small \\\\u202e one"', "U+0085", '"A small \\\\u202e one"'),
    ],
)
def test_a_character_that_cannot_be_seen_is_said_with_its_place_and_taken_out(written, named, mended_to):
    text = change('title = "A small one"', f"title = {written}")
    with pytest.raises(ProgrammeFileError) as refused:
        load(text, "small.toml")
    (mistake,) = refused.value.mistakes
    assert str(mistake) == (
        f"line 4: programme, title: a character that cannot be seen ({named}), expected it to be left out"
    )
    whole = mended(text, refused.value.mistakes)
    assert whole == change('title = "A small one"', f"title = {mended_to}")
    assert not load(whole).is_unchanged


def test_a_character_that_cannot_be_seen_is_found_however_deep_it_stands():
    text = change('{ few = "Few", many = "Many" }', '{ few = "Few", many = "Ma\\u202Any" }')
    text = change("profile = []", 'profile = ["si\\u2069ze"]', text)
    with pytest.raises(ProgrammeFileError) as refused:
        load(text)
    said = [str(mistake) for mistake in refused.value.mistakes]
    assert [line for line in said if "cannot be seen (U+202A)" in line and "instrument 1 (size)" in line]
    assert [line for line in said if "cannot be seen (U+2069)" in line and "plan 1 (hour)" in line]
