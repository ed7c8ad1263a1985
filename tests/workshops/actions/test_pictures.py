"""Pictures of questions and pauses are set, changed and taken away, with undo; every screen shows them."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from polls.models import Poll
from workshops import screens
from workshops.actions import facilitation, log
from workshops.actions.authoring import pictures, plans, questions, workshops
from workshops.actions.authoring.programme_file import load
from workshops.actions.log import Stale
from workshops.models import Picture
from workshops.programmes.file import io as file_io
from workshops.programmes.picture_encoding import Encoded, encoded
from workshops.signals.topics import Audience, Topic

from ... import factories

pytestmark = pytest.mark.django_db


def a_picture(colour: str = "teal", size: tuple[int, int] = (40, 30)) -> Encoded:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return encoded(out.getvalue())


@pytest.fixture
def workshop():
    return factories.workshop(started=False)


@pytest.fixture
def someone(workshop):
    return factories.staff(workshop.programme)


@pytest.fixture
def item(workshop):
    return workshop.agenda.get()


@pytest.fixture
def instrument(item):
    return item.poll.version.instrument


def settings_of(instrument) -> dict:
    return instrument.versions.latest("number").question.settings


def stage(workshop, audience: Audience) -> str:
    scene = screens.Scene.load(workshop.pk)
    return screens.draw(scene, Topic.STAGE, audience)


def test_a_question_gets_its_picture_with_words_and_size(workshop, someone, instrument):
    encoded = a_picture()
    pictures.set_question_picture(workshop.programme, someone, instrument, encoded, "A teal room")
    assert settings_of(instrument) == {
        "image": f"/pictures/{encoded.sha256}.webp", "image_alt": "A teal room", "image_size": [40, 30],
    }  # fmt: skip
    question = instrument.versions.latest("number").question
    instrument.latest.poll_type.check(question)
    assert bytes(Picture.objects.get().data) == encoded.data


def test_undo_takes_the_picture_from_the_question_and_keeps_its_row(workshop, someone, instrument):
    pictures.set_question_picture(workshop.programme, someone, instrument, a_picture("teal"), "Teal")
    pictures.set_question_picture(workshop.programme, someone, instrument, a_picture("red"), "Red")
    log.undo(log.last_undoable(someone, programme=workshop.programme), someone)
    assert settings_of(instrument)["image_alt"] == "Teal"
    log.undo(workshop.programme.log.get(about=str(instrument), verb="set_picture", undone_by=None), someone)
    assert settings_of(instrument) == {}
    assert Picture.objects.count() == 2


def test_taking_a_picture_away_can_be_undone(workshop, someone, instrument):
    pictures.set_question_picture(workshop.programme, someone, instrument, a_picture(), "Teal")
    before = settings_of(instrument)
    pictures.remove_question_picture(workshop.programme, someone, instrument)
    assert settings_of(instrument) == {}
    log.undo(log.last_undoable(someone, programme=workshop.programme), someone)
    assert settings_of(instrument) == before


def test_the_same_picture_again_is_one_row_and_no_action(workshop, someone, instrument):
    for _twice in range(2):
        pictures.set_question_picture(workshop.programme, someone, instrument, a_picture(), "Teal")
    assert Picture.objects.count() == 1
    assert [entry.verb for entry in workshop.programme.log.all()] == ["set_picture"]


def test_words_alone_can_be_changed(workshop, someone, instrument):
    pictures.set_question_picture(workshop.programme, someone, instrument, a_picture(), "Teal")
    pictures.set_question_picture(workshop.programme, someone, instrument, None, "A teal room")
    assert settings_of(instrument)["image_alt"] == "A teal room"


def test_a_picture_changes_nothing_that_answers_mean(workshop, someone, instrument):
    before = instrument.latest.meaning
    pictures.set_question_picture(workshop.programme, someone, instrument, a_picture(), "Teal")
    assert instrument.versions.latest("number").meaning == before


def test_a_question_that_was_asked_gets_its_picture_in_the_draft_of_its_next_version(
    workshop, someone, instrument
):
    facilitation.start(workshop.pk, None)
    factories.launched(workshop)
    pictures.set_question_picture(workshop.programme, someone, instrument, a_picture(), "Teal")
    assert instrument.latest.question.settings == {}
    assert instrument.versions.get(draft=True).question.settings["image_alt"] == "Teal"


def test_the_second_of_two_people_is_told(workshop, someone, instrument):
    pictures.set_question_picture(workshop.programme, someone, instrument, a_picture("teal"), "Teal", was="")
    with pytest.raises(Stale):
        pictures.set_question_picture(workshop.programme, None, instrument, a_picture("red"), "Red", was="")
    with pytest.raises(Stale):
        pictures.remove_question_picture(workshop.programme, None, instrument, was="")
    assert settings_of(instrument)["image_alt"] == "Teal"


def test_a_pause_gets_its_picture_and_loses_it(workshop, someone):
    pause = factories.pause_item(workshop)
    pictures.set_pause_picture(someone, pause, a_picture(), "A teapot", was="")
    assert (pause.picture.alt, pause.picture.width) == ("A teapot", 40)
    with pytest.raises(Stale):
        pictures.set_pause_picture(someone, pause, a_picture("red"), "Red", was="")
    pictures.set_pause_picture(someone, pause, None, "A blue teapot")
    assert pause.picture.alt == "A blue teapot"
    pictures.remove_pause_picture(someone, pause)
    assert pause.picture is None
    log.undo(log.last_undoable(someone, programme=workshop.programme), someone)
    pause.refresh_from_db()
    assert pause.picture.alt == "A blue teapot"


IMG = '<img class="{css}" src="/pictures/{sha}.webp" alt="Teal &lt;&amp;&gt;" width="40" height="30" loading="lazy" decoding="async">'


@pytest.mark.parametrize(
    ("audience", "css"),
    [
        (Audience.PHONE, "paper-picture"),
        (Audience.OBSERVER, "paper-picture"),
        (Audience.WALL, "wall-picture"),
        (Audience.CONSOLE, "stage-picture"),
    ],
)
def test_every_screen_shows_the_picture_of_a_question(workshop, someone, instrument, audience, css):
    picture = a_picture()
    pictures.set_question_picture(workshop.programme, someone, instrument, picture, "Teal <&>")
    facilitation.start(workshop.pk, None)
    factories.launched(workshop)
    assert IMG.format(css=css, sha=picture.sha256) in stage(workshop, audience)


@pytest.mark.parametrize(
    ("audience", "css"),
    [
        (Audience.PHONE, "paper-picture"),
        (Audience.WALL, "wall-picture is-large"),
        (Audience.CONSOLE, "stage-picture"),
    ],
)
def test_every_screen_shows_the_picture_of_a_pause_and_its_newest_words(
    workshop, someone, audience, css, django_assert_num_queries
):
    pause, picture = factories.pause_item(workshop), a_picture()
    facilitation.start(workshop.pk, None)
    facilitation.launch(workshop.pk, None, pause.pk)
    assert "<img" not in stage(workshop, audience)
    pictures.set_pause_picture(someone, pause, picture, "Green")
    assert 'alt="Green"' in stage(workshop, audience)
    pictures.set_pause_picture(someone, pause, None, "Teal <&>")
    assert IMG.format(css=css, sha=picture.sha256) in stage(workshop, audience)


def test_a_poll_that_waits_shows_the_picture_that_came_later(workshop, someone, instrument, item):
    pictures.set_question_picture(workshop.programme, someone, instrument, a_picture(), "Teal")
    assert Poll.objects.get(pk=item.poll_id).question.settings["image_alt"] == "Teal"


# --- in a programme file ----------------------------------------------------------------------------------------


FILE = """
[programme]
key = "{key}"
title = "A programme"

[[instrument]]
key = "room"
type = "open_text"
text = "What do you see?"
settings = {{ image = "/pictures/{sha}.webp", image_alt = "A room", image_size = [40, 30] }}
"""


def test_a_file_names_a_picture_by_its_hash_and_finds_it_again(workshop, someone):
    picture = a_picture()
    pictures.set_pause_picture(someone, factories.pause_item(workshop), picture, "A room")
    loaded = load(FILE.format(key="elsewhere", sha=picture.sha256))
    question = loaded.programme.bank.instruments.get().latest.question
    assert question.settings["image"] == f"/pictures/{picture.sha256}.webp"
    assert loaded.left_out == []
    assert bytes(loaded.programme.pictures.get().data) == picture.data
    text = file_io.export(loaded.programme)
    assert f"/pictures/{picture.sha256}.webp" in text
    assert load(text).is_unchanged


@pytest.mark.django_db
def test_a_picture_that_is_not_on_this_server_is_left_out_and_somebody_is_told():
    sha = "ab" * 32
    loaded = load(FILE.format(key="elsewhere", sha=sha))
    assert loaded.programme.bank.instruments.get().latest.question.settings == {}
    assert loaded.left_out == ["the picture of question room, which is not on this server"]
    assert load(FILE.format(key="elsewhere", sha=sha)).is_unchanged


def test_a_plan_keeps_the_picture_of_a_pause_and_brings_it_to_workshops_and_files(workshop, someone):
    pause, picture = factories.pause_item(workshop), a_picture()
    pictures.set_pause_picture(someone, pause, picture, "A teapot")
    plan = plans.keep_as_plan(workshop, someone, "With tea")
    made = workshops.plan_workshop(workshop.programme, plan)
    assert made.agenda.get(kind="pause").picture.alt == "A teapot"
    text = file_io.export(workshop.programme)
    assert f'picture = "{picture.sha256}"' in text
    load(text)
    plan.refresh_from_db()
    assert plan.agenda[-1]["picture"] == picture.sha256
    elsewhere = text.replace(f'key = "{workshop.programme.key}"', 'key = "elsewhere"')
    Picture.objects.all().delete()
    assert load(elsewhere).left_out == [
        f"the picture of “Tea” in plan {plan.key}, which is not on this server"
    ]


def test_a_planned_workshop_takes_over_the_picture_that_its_plan_lost(workshop, someone):
    pictures.set_pause_picture(someone, factories.pause_item(workshop), a_picture(), "A teapot")
    plan = plans.keep_as_plan(workshop, someone, "With tea")
    plain = [{name: value for name, value in entry.items() if name != "picture"} for entry in plan.agenda]
    plans.change_plan(plan, someone, plan.rev, agenda=plain)
    seen = plans.agenda_seen(workshop, workshops.steps_with_polls(workshop))
    plans.bring_along(plan, someone, plan.rev, {workshop.pk: seen})
    assert workshop.agenda.get(kind="pause").picture is None


def test_a_copied_question_brings_its_picture_to_its_new_programme(workshop, someone, instrument):
    picture, elsewhere = a_picture(), factories.programme()
    pictures.set_question_picture(workshop.programme, someone, instrument, picture, "A room")
    copy = questions.copy_question(elsewhere, None, instrument)
    assert settings_of(copy)["image"] == f"/pictures/{picture.sha256}.webp"
    assert bytes(elsewhere.pictures.get().data) == picture.data
