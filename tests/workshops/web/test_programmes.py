"""Make a programme in the browser: three doors, a file looked at first, and the demo."""

from __future__ import annotations

import random

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from workshops.actions.authoring import programmes
from workshops.actions.authoring.programme_file import load
from workshops.models import Membership, Programme, Role, Workshop
from workshops.operations import rehearsal
from workshops.programmes import templates
from workshops.programmes.file.format import parse
from workshops.programmes.file.io import export
from workshops.web.forms.programmes import FILE_LIMIT, pack, unpack

from ... import factories as make
from ..programmes.small_file import SMALL, change

pytestmark = pytest.mark.django_db
NEW, FILE = "/programmes/new/", "/programmes/new/file/"


@pytest.fixture
def person():
    return make.person("ada@example.org")


@pytest.fixture
def browser(person):
    return make.signed_in(person)


def test_nobody_makes_a_programme_without_an_account(client):
    for path in (NEW, FILE, "/demo/"):
        assert client.post(path, {"do": "title", "title": "A"}).url.startswith("/accounts/login/")
    assert not Programme.objects.exists()


def test_three_doors_and_a_demo_await_somebody_without_a_programme(browser):
    page = browser.get(NEW).content.decode()
    assert "Start your first programme" in page
    for words in ("Begin with a template", "Bring a programme file", "Just a title", "Look around first"):
        assert words in page
    assert page.count('<svg class="hour"') == len(templates.ABOUT)


@pytest.mark.parametrize("name", templates.ABOUT)
def test_a_template_becomes_ones_own_programme_and_lands_at_its_first_workshop(browser, person, name):
    answer = browser.post(NEW, {"do": "template", "template": name})
    programme = Programme.objects.get()
    workshop = programme.workshops.get()
    assert answer.url == reverse("prepare", args=[workshop.code])
    assert list(programme.memberships.values_list("user", "role", "workshop")) == [
        (person.pk, Role.OWNER, None)
    ]
    template = templates.template(name)
    assert programme.title == template.title
    assert workshop.agenda.count() == len(template.file.plan[0].profile) + len(template.file.plan[0].agenda)
    assert "# " in export(programme)  # the template's comments


def test_two_copies_of_a_template_have_keys_of_their_own(browser):
    for _number in range(2):
        browser.post(NEW, {"do": "template", "template": "our_own_baby_room"})
    assert list(Programme.objects.order_by("pk").values_list("key", flat=True)) == [
        "our-own-baby-room",
        "our-own-baby-room-2",
    ]


def test_a_template_that_is_none_is_not_found(browser):
    assert browser.post(NEW, {"do": "template", "template": "../settings"}).status_code == 404
    assert browser.post(NEW, {"do": "else"}).status_code == 404


def test_a_title_alone_makes_a_programme_with_a_sheet_that_asks_for_consent(browser):
    browser.post(NEW, {"do": "title", "title": "New"})
    programme = Programme.objects.get()
    assert (programme.title, programme.key) == ("New", "new-2")
    assert [item["required"] for item in programme.sheets.get().items] == [True, True, True, False]
    assert programme.workshops.get().agenda.count() == 0


def test_a_title_that_is_missing_or_too_long_is_said_at_its_field_and_stays_typed(browser):
    answer = browser.post(NEW, {"do": "title", "title": "x" * 201})
    assert answer.status_code == 422
    assert "A title can have up to 200 letters; this has 201." in answer.content.decode()
    assert "x" * 201 in answer.content.decode()
    assert "Give the programme a title." in browser.post(NEW, {"do": "title"}).content.decode()


def test_a_second_press_makes_no_second_programme(browser):
    sent = {"do": "title", "title": "Once", "once": "abc"}
    first, second = browser.post(NEW, sent), browser.post(NEW, sent)
    assert first.url == second.url
    assert Programme.objects.count() == 1


# --- a file ---------------------------------------------------------------------------------------------------


def upload(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("small.toml", text.encode())


def test_a_file_is_shown_and_nothing_is_made_before_the_person_says_so(browser, person):
    page = browser.post(NEW, {"do": "file", "file": upload(SMALL)})
    assert "Your file is in order" in page.content.decode()
    assert "How many babies?" in page.content.decode()
    assert not Programme.objects.exists()
    answer = browser.post(FILE, {"do": "make", "packed": page.context["packed"], "confirmed": "new"})
    programme = Programme.objects.get(key="small")
    assert answer.url == reverse("prepare", args=[programme.workshops.get().code])
    assert export(programme) == SMALL
    assert programme.memberships.get().user == person


def test_pasted_text_is_a_file_too(browser):
    assert "Your file is in order" in browser.post(NEW, {"do": "file", "text": SMALL}).content.decode()


WRONG = change('type = "single_choice"', 'type = "single_choise"').replace('poll = "size"', 'poll = "sise"')


def test_every_mistake_is_shown_with_its_line_at_once_and_plain_ones_are_mended_by_a_button(browser):
    page = browser.post(NEW, {"do": "file", "text": WRONG})
    words = page.content.decode()
    assert page.status_code == 422
    assert "2 things to mend in your file" in words
    assert [(each.line, each.source) for each in page.context["mistakes"]] == [
        (21, 'type = "single_choise"'),
        (41, '{ poll = "sise", minutes = 2 },'),
    ]
    assert not Programme.objects.exists()
    mended = browser.post(FILE, {"do": "mend", "packed": page.context["packed"]})
    assert "Your file is in order" in mended.content.decode()
    assert unpack(mended.context["packed"]) == SMALL


def test_what_is_not_plain_is_left_to_the_person_and_can_be_mended_here(browser):
    page = browser.post(NEW, {"do": "file", "text": change('{ prompt = "walk" }', '{ prompt = "sing" }')})
    assert page.context["mendable"] == 0
    again = browser.post(FILE, {"do": "again", "text": SMALL})
    assert "Your file is in order" in again.content.decode()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Choose a file, or paste it below."),
        ({"file": SimpleUploadedFile("a.toml", b"")}, "This file is empty."),
        ({"file": SimpleUploadedFile("a.toml", b"\xff\xfe")}, "This is not a text file in UTF-8."),
    ],
)
def test_what_is_no_file_is_said_at_the_field(browser, sent, words):
    answer = browser.post(NEW, {"do": "file", **sent})
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_a_file_too_large_for_a_page_is_said_to_be_so(browser):
    text = "# " + random.Random(1).randbytes(40_000).hex()
    assert (
        "This file is too large" in browser.post(NEW, {"do": "file", "file": upload(text)}).content.decode()
    )


def test_a_packed_file_that_was_damaged_makes_nothing(browser):
    for packed in ("", "%%%", "AAAA"):
        assert browser.post(FILE, {"do": "make", "packed": packed, "confirmed": "new"}).url == NEW
    assert not Programme.objects.exists()


def test_a_packed_file_never_grows_beyond_the_limit():
    with pytest.raises(ValueError):
        unpack("x")
    assert len(unpack(pack("a" * (3 * FILE_LIMIT)))) == FILE_LIMIT


def test_a_file_without_a_sheet_gets_the_short_one(browser):
    head, _, rest = SMALL.partition("[information]")
    text = head + rest[rest.index("[[domain]]") :]
    page = browser.post(NEW, {"do": "file", "text": text})
    browser.post(FILE, {"do": "make", "packed": page.context["packed"], "confirmed": "new"})
    assert "Do I have to take part?" in Programme.objects.get().sheets.get().text


def test_a_file_whose_key_somebody_else_has_gets_one_of_its_own_and_theirs_stays(browser):
    theirs = load(SMALL).programme
    page = browser.post(NEW, {"do": "file", "text": change("A small one", "Another")})
    assert "small-2" in page.content.decode()
    browser.post(FILE, {"do": "make", "packed": page.context["packed"], "confirmed": "new"})
    theirs.refresh_from_db()
    assert theirs.title == "A small one"
    assert Programme.objects.get(key="small-2").title == "Another"


# --- the file of a programme that is there ----------------------------------------------------------------------


@pytest.fixture
def small(person):
    programme = load(SMALL).programme
    Membership.objects.create(programme=programme, user=person, role=Role.OWNER)
    return programme


CHANGED = change("How many babies?", "How many babies are there?")


def test_an_owner_sees_what_would_change_and_takes_it_over(browser, small):
    page = browser.post(NEW, {"do": "file", "text": CHANGED})
    assert page.context["seen"].changes == ["question size"]
    assert [(each.place, each.now, each.then) for each in page.context["seen"].differences] == [
        ("question size, text", "How many babies?", "How many babies are there?")
    ]
    assert export(small) == SMALL
    answer = browser.post(
        FILE, {"do": "load", "packed": page.context["packed"], "confirmed": page.context["mark"]}
    )
    assert answer.url == "/programmes/small/settings/"
    small.refresh_from_db()
    assert export(small) == CHANGED


def test_where_an_editor_was_here_meanwhile_the_person_looks_again(browser, small, person):
    page = browser.post(NEW, {"do": "file", "text": CHANGED})
    programmes.change_settings(small, person, None, hue=7)
    answer = browser.post(
        FILE, {"do": "load", "packed": page.context["packed"], "confirmed": page.context["mark"]}
    )
    assert "Something was changed here meanwhile" in answer.content.decode()
    assert answer.context["seen"].kept == ["programme, hue"]
    small.refresh_from_db()
    assert "How many babies?" in export(small)
    whole = browser.post(FILE, {"do": "look", "packed": answer.context["packed"], "whole": "yes"})
    assert whole.context["seen"].changes == ["programme", "question size"]


def test_a_facilitator_does_not_load_a_file_over_a_programme(small):
    browser = make.signed_in(make.staff(small, Role.FACILITATOR))
    page = browser.post(NEW, {"do": "file", "text": CHANGED}, follow=True)
    assert "Only its owners can load it." in page.content.decode()


# --- the demo --------------------------------------------------------------------------------------------------


@pytest.fixture
def runs(monkeypatch):
    started = []
    monkeypatch.setattr(
        rehearsal, "start", lambda workshop, phones, _url: started.append((workshop.pk, phones))
    )
    return started


def test_the_demo_is_made_at_the_first_press_and_people_are_on_their_way(browser, person, runs):
    answer = browser.post("/demo/")
    programme = Programme.objects.get(demo=True)
    workshop = programme.workshops.get(status=Workshop.Status.RUNNING)
    assert answer.url == f"/workshops/{workshop.code}/console/"
    assert runs == [(workshop.pk, 22)]
    assert programme.memberships.get().user == person
    assert browser.post("/demo/").url == answer.url


def test_the_demo_is_made_anew_with_its_words_and_a_new_workshop(browser, person, runs):
    old = browser.post("/demo/").url
    programme = Programme.objects.get(demo=True)
    programmes.change_settings(programme, person, None, hue=3, title="Mine")
    Programme.objects.filter(pk=programme.pk).update(title="Demo: The Ideal Baby Room")
    new = browser.post("/demo/", {"do": "again"}).url
    programme.refresh_from_db()
    assert new != old
    assert programme.hue == parse(templates.template("ideal_baby_room").text).programme.hue
    assert programme.workshops.filter(removed_at=None).count() == 1


def test_the_demo_is_not_made_anew_while_somebody_is_in_it_with_their_phone(browser, runs):
    browser.post("/demo/")
    workshop = Programme.objects.get(demo=True).workshops.get(status=Workshop.Status.RUNNING)
    make.participant(workshop)
    answer = browser.post("/demo/", {"do": "again"}, follow=True)
    assert "Somebody is in the demo with their own phone." in answer.content.decode()
    workshop.refresh_from_db()
    assert workshop.is_running
