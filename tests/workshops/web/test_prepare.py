"""The page that prepares a workshop: agenda, one box, what is missing, the doors; with and without a script."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from polls.models import Instrument
from polls.types import POLL_TYPES, Question
from polls.types.base import Option
from tests import factories as make
from workshops.actions import facilitation
from workshops.models import Membership, Role

pytestmark = pytest.mark.django_db

UNFINISHED = Question("single_choice", "What would help most?")
PASTED = "What would help most?\n- A mentor\n- A course"
CALM = make.YES_NO.text


@pytest.fixture
def workshop():
    made = make.workshop(started=False, starts_at=datetime(2026, 11, 26, 18, 30, tzinfo=UTC))
    made.agenda.update(minutes=50)
    make.pause_item(made, "Goodbye", 15)
    return made


@pytest.fixture
def user(workshop):
    return make.staff(workshop.programme)


@pytest.fixture
def client(user):
    return make.signed_in(user)


def page(client, workshop, status=200):
    response = client.get(f"/workshops/{workshop.code}/")
    assert response.status_code == status
    return response.content.decode()


def post(client, workshop, path, htmx=False, **fields):
    headers = {"HX-Request": "true"} if htmx else {}
    return client.post(f"/workshops/{workshop.code}/{path}", fields, headers=headers)


def change(client, workshop, item, htmx=False, **fields):
    return post(client, workshop, f"steps/{item.pk}/", htmx, **fields)


def titles(workshop):
    return list(workshop.agenda.filter(profile=False).values_list("title", flat=True))


# --- the page ----------------------------------------------------------------------------------------------


def test_the_agenda_runs_against_the_hour(client, workshop):
    html = page(client, workshop)
    assert re.findall(r'class="at">([^<]*)<', html) == ["", "18:30", "19:20"]
    assert "<b>65</b> of 60 minutes" in html
    assert "The hour ends here. 5 minutes over" in html
    assert "Choose one of 2. Answers show when you say" in html


def test_without_a_day_the_clock_begins_at_nothing(client, workshop):
    workshop.starts_at = None
    workshop.save()
    assert re.findall(r'class="at">([^<]*)<', page(client, workshop)) == ["", "0:00", "0:50"]


def test_the_planned_end_stands_before_the_first_step_that_is_too_late(client, workshop):
    late = make.pause_item(workshop, "Too late", 1)
    html = page(client, workshop)
    assert html.index("The hour ends here") < html.index(f'id="step-{late.pk}"')
    assert html.count("The hour ends here") == 1


@pytest.mark.parametrize("steps", [1, 30])
def test_the_number_of_queries_does_not_grow_with_the_agenda(
    client, workshop, steps, django_assert_max_num_queries
):
    for _ in range(steps):
        make.poll_item(workshop)
        make.prompt_item(workshop)
    with django_assert_max_num_queries(18):
        page(client, workshop)


def test_thirty_steps_stay_a_small_page(client, workshop):
    many = Question(
        "multiple_choice", "Which?", options=tuple(Option(f"o{n}", f"Option {n}") for n in range(20))
    )
    for _ in range(30):
        make.poll_item(workshop, many)
    assert len(page(client, workshop)) < 250_000


@pytest.mark.parametrize("name", sorted(POLL_TYPES))
def test_every_type_has_its_picture_finished_or_not(client, workshop, name):
    make.poll_item(workshop, Question(name, "What now?"))
    make.poll_item(workshop, Question(name, ""))
    html = page(client, workshop)
    assert html.count('class="thumb"') == 3


def test_strangers_and_researchers_see_nothing(workshop):
    assert make.signed_in(make.person()).get(f"/workshops/{workshop.code}/").status_code == 404
    reader = make.staff(workshop.programme, Role.RESEARCHER)
    page(make.signed_in(reader), workshop, 403)


def test_a_guest_prepares_the_one_workshop(workshop):
    guest = make.person()
    Membership.objects.create(
        programme=workshop.programme, user=guest, role=Role.FACILITATOR, workshop=workshop
    )
    client = make.signed_in(guest)
    assert post(client, workshop, "add/", do="pause", text="Tea").status_code == 302
    page(client, make.workshop(workshop.programme, started=False), 404)


# --- what is missing, and the doors --------------------------------------------------------------------------


def test_unfinished_questions_keep_the_doors_shut_and_are_said_at_their_card(client, workshop):
    item = make.poll_item(workshop, UNFINISHED)
    html = page(client, workshop)
    assert "2 things missing" in html
    assert f'href="/workshops/{workshop.code}/#step-{item.pk}"' in html
    refused = post(client, workshop, "open/")
    assert refused.status_code == 422
    assert "Needs at least two options: “What would help most?”" in refused.content.decode()
    workshop.refresh_from_db()
    assert workshop.is_planned


def test_advice_does_not_keep_the_doors_shut(client, workshop):
    workshop.agenda.all().delete()
    html = page(client, workshop)
    for words in ("Who people can write to", "the agenda is empty"):
        assert words in html
    assert post(client, workshop, "open/").url == f"/workshops/{workshop.code}/console/"
    workshop.refresh_from_db()
    assert workshop.is_running


@pytest.mark.parametrize(
    ("items", "words"),
    [
        (None, "An information sheet, so that people know what they agree to"),
        ([], "Something on the information sheet that people have to agree to"),
        (make.SHEET_ITEMS[2:], "Something on the information sheet that people have to agree to"),
    ],
)
def test_the_doors_stay_shut_while_there_is_nothing_to_agree_to(client, workshop, items, words):
    workshop.sheet = None
    workshop.save()
    workshop.programme.sheets.all().delete()
    if items is not None:
        make.sheet(workshop.programme, items)
    assert words in page(client, workshop)
    refused = post(client, workshop, "open/")
    assert refused.status_code == 422
    assert f"Something has to be finished before the doors open. {words}." in refused.content.decode()
    workshop.refresh_from_db()
    assert workshop.is_planned


def test_the_wall_gets_another_address_after_a_question_and_only_once(client, workshop):
    ask = f"/workshops/{workshop.code}/wall-address/"
    assert f'href="{ask}"' in page(client, workshop)
    old = workshop.wall_key
    html = client.get(ask).content.decode()
    assert "The old address cannot be brought back." in html
    assert old in html
    answer = client.post(ask, {"key": old}, follow=True)
    assert "The wall has a new address. The old one leads nowhere." in answer.content.decode()
    workshop.refresh_from_db()
    new = workshop.wall_key
    assert new != old
    assert (client.get(f"/wall/{old}/").status_code, client.get(f"/wall/{new}/").status_code) == (404, 200)
    client.post(ask, {"key": old})  # pressed twice
    workshop.refresh_from_db()
    assert workshop.wall_key == new
    entry = workshop.log.get()
    assert (entry.verb, entry.changes) == ("changed_wall_key", [])
    assert new not in f"{entry.about} {entry.path}"


def test_what_only_owners_can_mend_is_no_link_for_others(client, workshop):
    words = f'<a href="/programmes/{workshop.programme.key}/settings/">Who people can write to'
    assert words not in page(client, workshop)
    assert words in page(make.signed_in(make.staff(workshop.programme, Role.OWNER)), workshop)


def test_nothing_missing_is_not_spoken_of(client, workshop):
    workshop.programme.contact = "study@example.org"
    workshop.programme.save()
    assert "missing-title" not in page(client, workshop)


def test_opening_twice_opens_once(client, workshop):
    post(client, workshop, "open/")
    assert post(client, workshop, "open/").url == f"/workshops/{workshop.code}/console/"


def test_the_console_refuses_in_the_same_words(client, workshop):
    make.poll_item(workshop, UNFINISHED)
    answer = client.post(f"/workshops/{workshop.code}/do/start/", headers={"HX-Request": "true"})
    assert "Needs at least two options" in answer.content.decode()


# --- cards ---------------------------------------------------------------------------------------------------


def test_buttons_move_copy_and_remove(client, workshop):
    goodbye = workshop.agenda.get(title="Goodbye")
    assert change(client, workshop, goodbye, do="move", to=0).status_code == 302
    assert titles(workshop) == ["Goodbye", CALM]
    change(client, workshop, goodbye, do="copy")
    assert titles(workshop) == ["Goodbye", "Goodbye", CALM]
    change(client, workshop, goodbye, do="remove")
    assert titles(workshop) == ["Goodbye", CALM]
    assert "You removed “Goodbye” from the agenda" in page(client, workshop)


def test_with_a_script_the_answer_is_the_agenda_and_what_stands_around_it(client, workshop):
    answer = change(client, workshop, workshop.agenda.get(title="Goodbye"), True, do="move", to=0)
    html = answer.content.decode()
    assert html.lstrip().startswith('<div id="agenda-now"')
    assert 'id="saved" role="status" hx-swap-oob="true"' in html
    assert 'id="missing"' in html
    assert f'name="next" value="/workshops/{workshop.code}/"' in html
    assert 'id="one"' not in html


def test_minutes_are_saved_and_what_cannot_be_is_kept_and_said(client, workshop):
    goodbye = workshop.agenda.get(title="Goodbye")
    change(client, workshop, goodbye, do="minutes", minutes=" 7 ", rev=0)
    goodbye.refresh_from_db()
    assert goodbye.minutes == 7
    for typed in ("many", "601", "-1", "²", "9" * 5000, ""):
        wrong = change(client, workshop, goodbye, do="minutes", minutes=typed, rev=1)
        assert wrong.status_code == 422
        assert f'value="{typed}"' in wrong.content.decode()
        assert "Write the minutes as a whole number" in wrong.content.decode()


def test_of_two_who_set_minutes_the_second_decides(client, workshop):
    other = make.staff(workshop.programme)
    goodbye = workshop.agenda.get(title="Goodbye")
    change(make.signed_in(other), workshop, goodbye, do="minutes", minutes=7, rev=0)
    html = change(client, workshop, goodbye, True, do="minutes", minutes=9, rev=0).content.decode()
    assert f"{other.email} changed this step meanwhile; it has 7 minutes now" in html
    assert 'value="9"' in html
    change(client, workshop, goodbye, True, do="minutes", minutes=9, rev=1)
    goodbye.refresh_from_db()
    assert goodbye.minutes == 9


def test_of_two_who_reorder_the_second_is_told(client, workshop):
    other = make.staff(workshop.programme)
    goodbye = workshop.agenda.get(title="Goodbye")
    change(make.signed_in(other), workshop, goodbye, do="move", to=0, rev=0)
    html = change(client, workshop, goodbye, True, do="move", to=1, rev=0).content.decode()
    assert f"{other.email} changed the agenda meanwhile" in html
    assert titles(workshop) == ["Goodbye", CALM]


def test_a_step_that_somebody_removed_is_said(client, workshop):
    goodbye = workshop.agenda.get(title="Goodbye")
    change(client, workshop, goodbye, do="remove")
    html = change(client, workshop, goodbye, True, do="remove").content.decode()
    assert "somebody has removed it" in html
    assert change(client, workshop, goodbye, do="dance").status_code == 404


def test_while_it_runs_what_was_shown_has_no_buttons(client, workshop):
    facilitation.start(workshop.pk, None)
    poll = make.launched(workshop)
    html = page(client, workshop)
    shown, coming = poll.agenda_item, workshop.agenda.get(title="Goodbye")
    assert f'id="menu-{shown.pk}"' not in html
    assert f'id="menu-{coming.pk}"' in html
    assert "On stage now" in html
    facilitation.end(workshop.pk, None)
    html = page(client, workshop)
    assert 'id="menu-' not in html
    assert 'id="one"' not in html


# --- the one box ----------------------------------------------------------------------------------------------


def test_the_box_offers_questions_prompts_and_new_ones(client, workshop, user):
    other = make.programme(title="Our own baby room")
    Membership.objects.create(programme=other, user=user, role=Role.RESEARCHER)
    make.poll(Question("number", "How calm is it, in minutes?"), bank=other.bank)
    make.poll(Question("open_text", "Calm, but how?"), bank=workshop.programme.bank)
    html = client.get(f"/workshops/{workshop.code}/found/", {"text": "calm"}).content.decode()
    assert "Already in this agenda, at 18:30" in html
    assert "<u>Calm</u>, but how?" in html
    assert "In Our own baby room. Comes as a copy" in html
    assert "Make “calm” a new question" in html
    assert "Make “calm” a talk or a pause" in html


def test_banks_of_programmes_without_a_role_are_closed(client, workshop, user):
    other = make.programme()
    secret = make.poll(Question("open_text", "A calm secret?"), bank=other.bank).version.instrument
    guest_of = make.workshop(other, started=False)
    Membership.objects.create(programme=other, user=user, role=Role.FACILITATOR, workshop=guest_of)
    assert "secret" not in client.get(f"/workshops/{workshop.code}/found/", {"text": "calm"}).content.decode()
    post(client, workshop, "add/", do="known", ref=f"question-{secret.pk}")
    assert titles(workshop) == [CALM, "Goodbye"]


@pytest.mark.parametrize("ref", ["question-999999", "prompt-x", "", "question-", "dance-1", "question-²"])
def test_a_reference_to_nothing_adds_nothing(client, workshop, ref):
    html = post(client, workshop, "add/", True, do="known", ref=ref).content.decode()
    assert "gone. Search again" in html


def test_pasted_lines_are_looked_at_before_they_are_added(client, workshop):
    html = post(client, workshop, "add/", do="look", text=PASTED).content.decode()
    assert '<h3 id="becomes" dir="auto">What would help most?</h3>' in html
    assert "Our guess is “Choose one”" in html
    assert "It goes before “Goodbye”, at 19:20. With 2 minutes for it, the agenda is 7 minutes over." in html
    assert "Make 3 questions instead" in html
    assert "phone-small" in html
    assert titles(workshop) == [CALM, "Goodbye"]


def test_pasted_lines_become_a_question_of_any_type(client, workshop):
    for name in POLL_TYPES:
        post(client, workshop, "add/", do="question", text=PASTED, type=name)
    added = [item.poll.question for item in workshop.agenda.filter(poll__isnull=False)][1:]
    assert [question.type for question in added] == list(POLL_TYPES)
    assert {question.text for question in added} == {"What would help most?"}


def test_several_blocks_become_several_questions_at_once(client, workshop):
    answer = post(client, workshop, "add/", True, do="question", text=f"{PASTED}\n\nHow many babies?\n\nWhy?")
    assert titles(workshop) == [CALM, "What would help most?", "How many babies?", "Why?", "Goodbye"]
    assert answer["X-Added"] == str(workshop.agenda.get(title="Why?").pk)
    assert "Added 3 questions" in answer.content.decode()


def test_lines_can_be_questions_instead(client, workshop):
    html = post(
        client, workshop, "add/", **{"do": "look", "text": "Who\nWhere", "as": "lines"}
    ).content.decode()
    assert "Make one question of it instead" in html
    post(client, workshop, "add/", **{"do": "question", "text": "Who\nWhere", "as": "lines"})
    assert titles(workshop) == [CALM, "Who", "Where", "Goodbye"]


def test_the_type_of_what_was_just_added_changes_with_one_tap_and_finds_its_options(client, workshop):
    answer = post(client, workshop, "add/", True, do="question", text=PASTED)
    assert 'id="type-ranking"' in answer.content.decode()
    item = workshop.agenda.get(title="What would help most?")
    for name in ("number", "ranking"):
        html = change(client, workshop, item, True, do="type", type=name, lines=PASTED).content.decode()
        assert 'id="type-ranking"' in html
    item.refresh_from_db()
    assert (item.poll.question.type, len(item.poll.question.options)) == ("ranking", 2)


def test_the_same_words_ask_the_banks_question_again(client, workshop):
    bank = make.poll(Question("words", "In a word?"), bank=workshop.programme.bank).version.instrument
    post(client, workshop, "add/", do="question", text="in a word?")
    assert workshop.agenda.get(title="In a word?").poll.version.instrument == bank
    assert Instrument.objects.filter(bank=workshop.programme.bank).count() == 2


def test_a_step_is_added_below_another(client, workshop):
    first = workshop.agenda.get(title=CALM)
    assert "below" in client.get(f"/workshops/{workshop.code}/?after={first.pk}").content.decode()
    post(client, workshop, "add/", do="pause", text="Tea (10 min)", after=first.pk)
    post(client, workshop, "add/", do="talk", text="What would calm look like?", after="x")
    assert titles(workshop) == [CALM, "Tea", "What would calm look like?", "Goodbye"]
    assert workshop.agenda.get(title="Tea").minutes == 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Write a question first"),
        ("\x00 \u202e", "Write a question first"),
        ("x" * 2001, "longer than the 2,000 letters"),
        ("Who?\n" + "y" * 256, "more than 255 letters"),
        ("Who?\n" + "\n".join(map(str, range(21))), "more than 20 options"),
    ],
)
def test_what_cannot_be_added_is_said_and_stays_in_the_box(client, workshop, text, words):
    answer = post(client, workshop, "add/", do="question", text=text)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert words in html
    assert text[:100].strip("\x00 \u202e") in html
    assert post(client, workshop, "add/", True, do="question", text=text)["HX-Retarget"] == "#becomes-place"
    assert titles(workshop) == [CALM, "Goodbye"]


# --- questions about people ---------------------------------------------------------------------------------


def test_questions_about_people_have_a_list_of_their_own(client, workshop):
    page_url = reverse("prepare-about", args=[workshop.code])
    assert "Nothing is asked about people" in client.get(page_url).content.decode()
    assert post(client, workshop, "add/", do="question", text=PASTED, profile="1").url == page_url
    item = workshop.agenda.get(profile=True)
    assert item.poll.reveal == "never"
    assert "1 short question when people join" in page(client, workshop)
    assert change(client, workshop, item, do="remove", **{"from": "about"}).url == page_url
    assert not workshop.agenda.filter(profile=True).exists()


def test_questions_that_other_workshops_ask_at_joining_are_offered(client, workshop):
    other = make.workshop(workshop.programme, started=False)
    item = make.poll_item(
        other, Question("single_choice", "Your role?", options=make.YES_NO.options), profile=True
    )
    page_url = reverse("prepare-about", args=[workshop.code])
    assert "Asked in other workshops" in client.get(page_url).content.decode()
    ref = f"question-{item.poll.version.instrument_id}"
    post(client, workshop, "add/", do="known", ref=ref, profile="1")
    assert "Asked in other workshops" not in client.get(page_url).content.decode()


def test_saved_says_when(client, workshop):
    post(client, workshop, "add/", do="pause", text="Tea")
    assert f"Saved {timezone.localtime():%H:}" in page(client, workshop)
