"""A questionnaire by plain pages and forms: begin, answer, skip, go back, stop, go on later, see the results."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from polls.models import Ballot
from polls.types import Question
from workshops.actions import moderation
from workshops.actions.authoring import questionnaires
from workshops.models import Participant, Workshop
from workshops.people import participant_cookie

from ... import factories
from ...factories import phone

pytestmark = pytest.mark.django_db

CALM = Question("scale", "How calm is it?", settings={"points": ["Never", "Often", "Always"]})
WORDS = Question("words", "In one word?", settings={"max_entries": 1})


@pytest.fixture
def made():
    return factories.questionnaire(None, factories.YES_NO, CALM, WORDS)


def page(response):
    return unescape(response.content.decode())


def heading(response):
    return re.search(r"<h1[^>]*>(.*?)</h1>", page(response))[1]


def door(made, asked=""):
    return f"/w/{made.code}/{asked}"


def form(response):
    """The fields of the ballot that stands on the page, and of no template."""
    html = page(response).split("<template")[0]
    own = re.search(r'<form data-own class="ballot".*?</form>', html, re.DOTALL)[0]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', own))


def answer(client, made, response, **fields):
    return client.post(f"/w/{made.code}/vote/", form(response) | fields, follow=True)


def ballots(who):
    return list(Ballot.objects.filter(voter=who.voter).order_by("poll_id").values_list("status", "value"))


def test_a_person_walks_from_the_link_to_the_end(made):
    client = Client(enforce_csrf_checks=False)
    welcome = page(client.get(door(made)))
    assert "3 questions, one after the other." in welcome
    assert "Open until" in welcome
    ticked = [item["key"] for item in made.sheet.items]
    shown = client.post(f"/w/{made.code}/consent/", {"consent": ticked, "once": "a" * 32}, follow=True)
    assert heading(shown) == "Is it calm?"
    assert "0 of 3 answered" in page(shown)
    shown = answer(client, made, shown, choice="yes")
    assert shown.redirect_chain == [(f"/w/{made.code}/?q=2&saved=1", 302)]
    assert heading(shown) == "How calm is it?"
    assert "Saved: Yes" in page(shown)
    assert "1 of 3 answered" in page(shown)
    shown = answer(client, made, shown, point="2")
    shown = answer(client, made, shown, word="warm")
    assert heading(shown) == "Thank you. Everything is answered."
    who = Participant.objects.get()
    assert [status for status, _value in ballots(who)] == ["cast"] * 3


def test_the_profile_is_asked_as_in_a_workshop():
    made = factories.questionnaire(opened=False)
    factories.poll_item(
        made, Question("single_choice", "Your role?", options=factories.YES_NO.options), profile=True
    )
    questionnaires.open_now(made.pk, None)
    client = Client()
    shown = client.post(
        f"/w/{made.code}/consent/", {"consent": [item["key"] for item in made.sheet.items]}, follow=True
    )
    assert heading(shown) == "A little about your work"
    shown = client.post(f"/w/{made.code}/profile/", {"skip": "1"}, follow=True)
    assert heading(shown) == "Is it calm?"


def test_skipping_answers_nothing_and_leads_to_the_next(made):
    who = factories.participant(made)
    client = phone(who)
    shown = client.get(door(made))
    assert '<a class="button is-plain" href="?q=2" data-go="2" data-skip>' in shown.content.decode()
    assert heading(client.get(door(made, "?q=2"))) == "How calm is it?"
    assert [status for status, _value in ballots(who)] == ["issued", "issued"]


def test_a_paper_is_issued_for_the_question_that_is_seen_and_for_no_other(made):
    who = factories.participant(made)
    phone(who).get(door(made, "?q=2"))
    assert list(Ballot.objects.values_list("poll__agenda_item__position", flat=True)) == [1]


def test_somebody_who_comes_back_goes_on_where_they_were(made):
    who = factories.participant(made)
    client = phone(who)
    answer(client, made, client.get(door(made)), choice="no")
    assert heading(phone(who).get(door(made))) == "How calm is it?"


def test_what_was_skipped_stands_on_the_last_page_and_can_be_answered(made):
    client = phone(factories.participant(made))
    client.get(door(made))
    shown = answer(client, made, client.get(door(made, "?q=3")), word="warm")
    assert heading(shown) == "That was the last question"
    assert "You answered 1 of 3" in page(shown)
    assert "Answer question 1" in page(shown)


def test_going_back_shows_the_saved_answer_with_a_way_to_change_it(made):
    who = factories.participant(made)
    client = phone(who)
    answer(client, made, client.get(door(made)), choice="no")
    shown = client.get(door(made, "?q=1"))
    assert "Saved: No" in page(shown)
    assert 'href="?q=1&change=1"' in page(shown)
    changing = client.get(door(made, "?q=1&change=1"))
    assert 'value="no" checked' in page(changing)
    answer(client, made, changing, choice="yes")
    assert ballots(who)[0] == ("cast", "yes")


def test_an_answer_that_cannot_be_changed_says_so():
    made = factories.questionnaire(
        None, Question("single_choice", "Calm?", options=factories.YES_NO.options, settings={"change": False})
    )
    client = phone(factories.participant(made))
    shown = answer(client, made, client.get(door(made)), choice="yes")
    assert "?q=1&change=1" not in page(shown)


def test_a_form_sent_twice_is_one_answer(made):
    who = factories.participant(made)
    client = phone(who)
    fields = form(client.get(door(made))) | {"choice": "yes"}
    for _press in range(2):
        client.post(f"/w/{made.code}/vote/", fields)
    assert Ballot.objects.get(voter=who.voter).revision == 1


def test_a_refused_answer_stays_with_its_sentence_and_what_was_chosen(made):
    client = phone(factories.participant(made))
    shown = client.get(door(made))
    again = client.post(f"/w/{made.code}/vote/", form(shown))
    assert again.status_code == 422
    assert heading(again) == "Is it calm?"
    assert "Choose one answer first." in page(again)


def test_an_answer_after_the_close_is_refused_with_the_sentence_and_kept_ones_stay(made):
    who = factories.participant(made)
    client = phone(who)
    second = answer(client, made, client.get(door(made)), choice="yes")
    questionnaires.close_now(made.pk, None)
    late = answer(client, made, second, point="2")
    assert "Closed before your answer arrived. It wasn’t counted this time." in page(late)
    assert heading(late) == "Thank you for taking part"
    assert ballots(who) == [("cast", "yes"), ("issued", None)]


def test_the_script_gets_the_same_receipt_and_the_same_refusal(made):
    who = factories.participant(made)
    client = phone(who)
    poll = made.agenda.get(position=0).poll_id
    frame = {"t": "vote", "op": "o" * 32, "poll": poll, "seq": 1, "fields": {"choice": ["yes"]}}

    def send(frame):
        return client.post(f"/w/{made.code}/vote/", json.dumps(frame), content_type="application/json").json()

    said = send(frame)
    assert (said["t"], said["said"]) == ("ack", "Yes")
    questionnaires.close_now(made.pk, None)
    refused = send(frame | {"op": "p" * 32, "seq": 2})
    assert (refused["t"], refused["code"]) == ("nack", "closed")


def test_after_the_close_everybody_sees_what_the_room_said_with_words_as_decided(made):
    who, other = factories.participant(made), factories.participant(made)
    first, _calm, words = (item.poll for item in made.agenda.select_related("poll").order_by("position"))
    factories.vote(who, first, "yes")
    for person, word in ((who, "sunny"), (other, "rushed")):
        factories.vote(person, words, [word])
    by = factories.staff(made.programme)
    moderation.decide(made.pk, by, factories.text(words, "sunny").ref, "shown")
    assert "sunny" not in page(phone(other).get(door(made, "?q=3")))
    questionnaires.close_now(made.pk, None)
    shown = page(phone(who).get(door(made)))
    assert "sunny" in shown
    assert "Your answer: Yes" in shown
    assert "rushed" not in page(phone(who).get(door(made)))


def test_a_result_that_is_never_revealed_is_not_shown():
    made = factories.questionnaire(opened=False)
    made.agenda.get().poll.__class__.objects.update(reveal="never")
    questionnaires.open_now(made.pk, None)
    who = factories.participant(made)
    questionnaires.close_now(made.pk, None)
    assert "Its results are not shown here." in page(phone(who).get(door(made)))


@pytest.mark.parametrize("questions", [1, 3])
def test_results_take_two_queries_more_for_each_question(questions, django_assert_max_num_queries):
    made = factories.questionnaire(None, *[factories.YES_NO] * questions)
    who = factories.participant(made)
    questionnaires.close_now(made.pk, None)
    with django_assert_max_num_queries(10 + 2 * questions):
        phone(who).get(door(made))


@pytest.mark.parametrize("questions", [1, 3])
def test_a_question_takes_the_same_queries_however_many_there_are(questions, django_assert_max_num_queries):
    made = factories.questionnaire(None, *[factories.YES_NO] * questions)
    client = phone(factories.participant(made))
    client.get(door(made))
    with django_assert_max_num_queries(6):
        client.get(door(made))


# --- before and after, and people without a seat ---------------------------------------------------------------------


def test_before_it_opens_the_link_says_when(made):
    Workshop.objects.filter(pk=made.pk).update(status="planned", opens_at=timezone.now() + timedelta(hours=2))
    shown = page(Client().get(door(made)))
    assert "It opens on" in shown
    assert "Begin" not in shown
    assert Client().get(f"/w/{made.code}/consent/").status_code == 302


def test_after_the_close_somebody_without_a_seat_reads_that_it_has_closed(made):
    questionnaires.close_now(made.pk, None)
    for path in (door(made), f"/w/{made.code}/consent/"):
        response = Client().get(path)
        assert response.status_code == 410
        assert heading(response) == "This questionnaire has closed"
        assert made.title not in page(response)


def test_who_looks_on_sees_the_questions_and_leaves_no_trace(made):
    shown = phone(observing=made).get(door(made))
    assert "How calm is it?" in page(shown)
    assert "<form" not in page(shown)
    assert Ballot.objects.count() == 0


# --- the seat --------------------------------------------------------------------------------------------------------


def test_the_seat_lives_until_the_results_have_been_read(made):
    shown = phone(factories.participant(made)).get(door(made))
    cookie = shown.cookies[f"{settings.PARTICIPANT_COOKIE_NAME}-{made.code}"]
    wanted = made.closes_at + participant_cookie.RESULTS_FOR - timezone.now()
    assert abs(cookie["max-age"] - wanted.total_seconds()) < 60


def test_joining_a_workshop_in_between_does_not_take_the_seat(made):
    live = factories.workshop(made.programme)
    client = Client()
    agreed = {"consent": [item["key"] for item in made.sheet.items]}
    for one in (made, live):
        client.post(f"/w/{one.code}/consent/", agreed)
    assert Participant.objects.count() == 2
    assert heading(client.get(door(made))) == "Is it calm?"
    assert "You’re in" in page(client.get(door(live)))
    poll = made.agenda.get(position=0).poll_id
    frame = {"t": "vote", "op": "o" * 32, "poll": poll, "seq": 1, "fields": {"choice": ["yes"]}}
    said = client.post(f"/w/{made.code}/vote/", json.dumps(frame), content_type="application/json").json()
    assert said["t"] == "ack"


def test_leaving_gives_up_this_seat_alone(made):
    live = factories.workshop(made.programme)
    client = Client()
    agreed = {"consent": [item["key"] for item in made.sheet.items]}
    for one in (made, live):
        client.post(f"/w/{one.code}/consent/", agreed)
    client.post(f"/w/{made.code}/leave/")
    assert "Begin" in page(client.get(door(made)))
    assert "You’re in" in page(client.get(door(live)))
