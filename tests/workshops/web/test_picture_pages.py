"""Uploading a picture: what is said at the field, what stays typed, what happens twice, who may."""

from __future__ import annotations

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from workshops.actions.authoring import pictures
from workshops.models import Picture, Role

from ... import factories
from ...factories import signed_in, staff

pytestmark = pytest.mark.django_db


def a_file(colour: str = "teal", name: str = "room.png") -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(out, "PNG")
    return SimpleUploadedFile(name, out.getvalue(), "image/png")


@pytest.fixture
def workshop():
    return factories.workshop(started=False)


@pytest.fixture
def instrument(workshop):
    return workshop.agenda.get(kind="poll").poll.version.instrument


@pytest.fixture
def pause(workshop):
    return factories.pause_item(workshop)


@pytest.fixture
def facilitator(workshop):
    return signed_in(staff(workshop.programme))


@pytest.fixture
def address(workshop, instrument):
    return f"/programmes/{workshop.programme.key}/questions/{instrument.key}/picture/"


def settings_of(instrument) -> dict:
    return instrument.versions.latest("number").question.settings


def field(page: str, name: str) -> str:
    return re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)[1]


def test_a_picture_with_words_is_saved_and_one_is_back_where_one_came_from(facilitator, instrument, address):
    back = "/programmes/x/questions/?tab=2"
    answer = facilitator.post(address, {"picture": a_file(), "alt": "A teal room", "was": "", "next": back})
    assert (answer.status_code, answer["Location"]) == (302, back)
    assert settings_of(instrument)["image_alt"] == "A teal room"
    page = facilitator.get(address).content.decode()
    assert Picture.objects.get().sha256 in page
    assert field(page, "alt") == "A teal room"


def test_nobody_is_led_to_another_site(facilitator, workshop, instrument, address):
    for elsewhere in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        answer = facilitator.post(address, {"picture": a_file(), "alt": "x", "next": elsewhere})
        assert answer["Location"] == f"/programmes/{workshop.programme.key}/questions/{instrument.key}/"


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"alt": "A room"}, "Choose a picture."),
        ({"picture": a_file, "alt": " "}, "Say in words what the picture shows, for people who cannot see it."),
        (
            {"picture": lambda: SimpleUploadedFile("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "alt": "A room"},
            "This is no picture that we can read. Choose a JPEG, PNG, WebP or GIF file.",
        ),
        ({"picture": lambda: SimpleUploadedFile("x.png", b""), "alt": "A room"}, "The submitted file is empty."),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(
    facilitator, instrument, address, sent, sentence
):
    made = {name: value() if callable(value) else value for name, value in sent.items()}
    answer = facilitator.post(address, made | {"was": ""})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert 'aria-invalid="true"' in page
    assert field(page, "alt") == made["alt"]
    assert settings_of(instrument) == {}
    assert not Picture.objects.exists()


def test_pressed_twice_it_is_saved_once(facilitator, workshop, instrument, address):
    for _twice in range(2):
        facilitator.post(address, {"picture": a_file(), "alt": "A room"})
    assert Picture.objects.count() == 1
    assert workshop.programme.log.filter(verb="set_picture").count() == 1


def test_taking_away_twice_is_no_mistake(facilitator, instrument, address):
    facilitator.post(address, {"picture": a_file(), "alt": "A room"})
    was = settings_of(instrument)["image"]
    assert facilitator.post(address, {"remove": "yes", "was": was}).status_code == 302
    assert settings_of(instrument) == {}
    assert facilitator.post(address, {"remove": "yes", "was": ""}).status_code == 302


def test_the_second_of_two_people_sees_the_others_picture_and_keeps_their_words(
    facilitator, workshop, instrument, address
):
    facilitator.post(address, {"picture": a_file("teal"), "alt": "Teal", "was": ""})
    answer = facilitator.post(address, {"picture": a_file("red"), "alt": "Red", "was": ""})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Somebody else has changed this picture." in page
    assert field(page, "alt") == "Red"
    assert field(page, "was") == settings_of(instrument)["image"]
    assert settings_of(instrument)["image_alt"] == "Teal"


def test_htmx_gets_the_form_alone_and_is_told_that_it_changed(facilitator, address):
    answer = facilitator.post(address, {"picture": a_file(), "alt": "A room"}, headers={"hx-request": "true"})
    page = answer.content.decode()
    assert (answer.status_code, answer["HX-Trigger"]) == (200, "picture-changed")
    assert page.lstrip().startswith('<section class="picture-card')
    assert "The picture is saved." in page
    wrong = facilitator.post(address, {"alt": ""}, headers={"hx-request": "true"})
    assert wrong.status_code == 200
    assert "Say in words" in wrong.content.decode()


def test_a_chosen_file_is_not_lost_when_only_its_words_are_missing(facilitator, address):
    def sent(**fields):
        return facilitator.post(address, fields, headers={"hx-request": "true"}).content.decode()

    assert 'id="picture-file" hx-preserve="true"' in sent(picture=a_file(), alt="")
    assert "hx-preserve" not in sent(picture=SimpleUploadedFile("x.png", b"x"), alt="A room")
    assert "hx-preserve" not in sent(picture=a_file(), alt="A room")


def test_a_pause_has_its_own_and_a_guest_of_the_workshop_may_change_it(workshop, pause):
    guest = factories.person()
    workshop.programme.memberships.create(user=guest, role=Role.FACILITATOR, workshop=workshop)
    address = f"/workshops/{workshop.code}/items/{pause.pk}/picture/"
    assert signed_in(guest).post(address, {"picture": a_file(), "alt": "A teapot"}).status_code == 302
    pause.refresh_from_db()
    assert pause.picture.alt == "A teapot"


def test_only_who_runs_the_programme_may_change_a_questions_picture(workshop, pause, address):
    guest = factories.person()
    workshop.programme.memberships.create(user=guest, role=Role.FACILITATOR, workshop=workshop)
    for of_pause in (False, True):
        path = f"/workshops/{workshop.code}/items/{pause.pk}/picture/" if of_pause else address
        assert Client().post(path, {}).status_code == 302
        assert signed_in(staff(workshop.programme, Role.RESEARCHER)).post(path, {}).status_code == 403
        assert signed_in(staff(factories.programme(), Role.OWNER)).post(path, {}).status_code == 404
    assert signed_in(guest).post(address, {}).status_code == 404


def test_a_question_that_was_removed_and_a_step_that_is_a_question_have_no_such_page(
    facilitator, workshop, instrument, address
):
    item = workshop.agenda.get(kind="poll")
    assert facilitator.get(f"/workshops/{workshop.code}/items/{item.pk}/picture/").status_code == 404
    instrument.removed_at = workshop.programme.log.model._meta.get_field("at").to_python("2026-01-01T00:00Z")
    instrument.save()
    assert facilitator.get(address).status_code == 404


def test_an_upload_is_read_up_to_its_limit_only(facilitator, address, monkeypatch):
    called = []
    monkeypatch.setattr(pictures, "set_question_picture", lambda *args, **kwargs: called.append(args))
    large = SimpleUploadedFile("large.png", b"\x89PNG" + b"\0" * (12 * 2**20))
    answer = facilitator.post(address, {"picture": large, "alt": "A room"})
    assert "too large: a picture may have 12 MB" in answer.content.decode()
    assert called == []
