"""A form that says that its browser can is answered with the next page itself: one wait less on a slow line."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client

from polls.models import Ballot
from workshops import planning, programme_file
from workshops.actions import facilitation
from workshops.models import Participant, Programme
from workshops.seats import Seat
from workshops.views import straight

from . import factories

pytestmark = pytest.mark.django_db

AGREED = {"consent": ["read", "voluntary", "pooled"], "once": "a" * 32}
STRAIGHT = {"straight": "1"}
SCRIPT = re.compile(r'<script src="[^"]*straight')


@pytest.fixture
def baby_room():
    """The first programme's workshop, which asks people two things about themselves; its first question is open."""
    path = settings.BASE_DIR / "programmes" / "ideal_baby_room.toml"
    programme_file.load(path.read_text(encoding="utf-8"), path.name)
    programme = Programme.objects.get(key="ideal-baby-room")
    workshop = planning.plan_workshop(programme, programme.plans.first(), expected=2)
    facilitation.start(workshop.pk, None)
    factories.launched(workshop, 1)
    return workshop


def post(client, workshop, rest, fields, *, straight=True):
    return client.post(f"/w/{workshop.code}/{rest}", fields | (STRAIGHT if straight else {}))


def words(response):
    return response.content.decode()


def test_without_a_script_each_form_leads_on_by_a_redirect(baby_room, client):
    there = f"/w/{baby_room.code}/"
    assert post(client, baby_room, "consent/", AGREED, straight=False)["Location"] == f"{there}profile/"
    assert post(client, baby_room, "profile/", {"skip": "1"}, straight=False)["Location"] == there
    for rest in ("", "profile/", "consent/"):
        assert "data-moved" not in words(client.get(f"{there}{rest}", follow=True))


def test_consent_is_answered_with_the_questions_and_these_with_the_stage(baby_room, client):
    there = f"/w/{baby_room.code}/"
    questions = post(client, baby_room, "consent/", AGREED)
    assert (questions.status_code, "A little about your work" in words(questions)) == (200, True)
    assert f'data-moved="{there}profile/"' in words(questions)
    assert f'action="{there}profile/"' in words(questions), (
        "until the script has run the address is the form's"
    )
    stage = post(client, baby_room, "profile/", {"skip": "1"})
    assert (stage.status_code, f'data-moved="{there}"' in words(stage)) == (200, True)
    assert SCRIPT.search(words(stage))
    assert 'class="ballot' in words(stage)


def test_a_next_page_that_cannot_be_drawn_is_asked_for_and_the_seat_is_not_lost(
    baby_room, client, monkeypatch, caplog
):
    monkeypatch.setattr(straight, "_page", lambda *args: 1 / 0)
    response = post(client, baby_room, "consent/", AGREED)
    assert response["Location"] == f"/w/{baby_room.code}/profile/"
    assert settings.SEAT_COOKIE_NAME in response.cookies
    assert "could not be drawn" in caplog.text


def test_the_seat_that_was_given_on_the_way_is_kept_and_already_counts(baby_room, client):
    response = post(client, baby_room, "consent/", AGREED)
    who = Participant.objects.get()
    cookie = response.cookies[settings.SEAT_COOKIE_NAME]
    assert Seat.from_cookie(cookie.value) == Seat(baby_room.pk, who.voter)
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (
        True,
        "Lax",
        settings.SEAT_COOKIE_AGE,
    )
    # The papers of the questions about people's work were handed out to them, as on a page of its own.
    assert set(Ballot.objects.values_list("voter", flat=True)) == {who.voter}


def test_a_page_that_came_straight_is_the_page_at_its_address(baby_room, client):
    """But for what names its way, and what is drawn anew each time."""
    post(client, baby_room, "consent/", AGREED)
    pages = [post(client, baby_room, "profile/", {"skip": "1"}), client.get(f"/w/{baby_room.code}/")]
    way = r' data-moved="[^"]*"|<script src="[^"]*straight[^>]*></script>'
    anew = r'(csrfmiddlewaretoken" value|data-(now|token)|name="op" value)="[^"]*"'
    one, other = (re.sub(f"{way}|{anew}", "", words(page)) for page in pages)
    assert one == other
    assert pages[0].headers["Cache-Control"] == pages[1].headers["Cache-Control"]


def test_the_forms_token_of_a_page_that_came_straight_is_good_for_its_own_form(baby_room):
    client = Client(enforce_csrf_checks=True)
    page = client.get(f"/w/{baby_room.code}/consent/")
    for rest, fields in (("consent/", AGREED), ("profile/", {"skip": "1"})):
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', words(page))
        page = post(client, baby_room, rest, fields | {"csrfmiddlewaretoken": token[1]})
        assert page.status_code == 200


def test_an_observer_comes_straight_to_the_stage_and_leaves_no_row(baby_room, client):
    response = post(client, baby_room, "consent/", {"observe": "yes"})
    assert (response.status_code, "You are here as an observer" in words(response)) == (200, True)
    assert (Participant.objects.count(), Ballot.objects.count()) == (0, 0)


def test_what_is_missing_is_said_as_ever(baby_room, client):
    response = post(client, baby_room, "consent/", {"consent": ["pooled"]})
    assert (response.status_code, "data-moved" in words(response)) == (422, False)


def test_the_same_form_sent_twice_makes_one_person(baby_room):
    for _time in range(2):  # the answer of the first never came
        assert post(Client(), baby_room, "consent/", AGREED).status_code == 200
    assert Participant.objects.count() == 1
