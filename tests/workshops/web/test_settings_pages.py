"""Settings of a programme and its information sheet, in the browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from workshops.actions import facilitation, log
from workshops.actions.authoring import programmes, questions
from workshops.actions.authoring.programme_file import load
from workshops.models import Domain, Membership, Programme, Role, Workshop
from workshops.programmes import colour
from workshops.programmes.file.io import export

from ... import factories as make
from ..programmes.small_file import SMALL, change

pytestmark = pytest.mark.django_db
PAGE, SHEET = "/programmes/small/settings/", "/programmes/small/settings/sheet/"


@pytest.fixture
def programme():
    return load(SMALL).programme


@pytest.fixture
def owner(programme):
    return make.staff(programme, Role.OWNER)


@pytest.fixture
def browser(owner):
    return make.signed_in(owner)


def about(programme, **values):
    programme.refresh_from_db()
    said = {name: getattr(programme, name) for name in programmes.SETTINGS}
    return {"do": "about", "rev": programme.rev} | said | values


@pytest.mark.parametrize(("role", "status"), [
    (Role.OWNER, 200), (Role.FACILITATOR, 403), (Role.RESEARCHER, 403), (None, 404),
])  # fmt: skip
@pytest.mark.parametrize("path", [PAGE, SHEET, PAGE + "programme.toml"])
def test_settings_are_for_owners_and_others_do_not_learn_that_they_exist(programme, path, role, status):
    person = make.staff(programme, role) if role else make.person()
    assert make.signed_in(person).get(path).status_code == status


def test_settings_are_saved_and_can_be_taken_back(browser, programme, owner):
    answer = browser.post(PAGE, about(programme, title="Larger", hue=20, contact="Ask Ada.", keep_months=6))
    assert answer.url == f"{PAGE}#about"
    programme.refresh_from_db()
    assert (programme.title, programme.hue, programme.contact, programme.keep_months) == (
        "Larger",
        20,
        "Ask Ada.",
        6,
    )
    assert programme.bank.title == "Larger"
    log.undo(log.last_undoable(owner, programme=programme), owner)
    programme.refresh_from_db()
    assert programme.title == "A small one"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"title": ""}, "Give the programme a title."),
        ({"hue": "360"}, "A colour is a number from 0 to 359."),
        ({"keep_months": "soon"}, "Write a whole number, like 24."),
        ({"team": "x" * 301}, "This has 301 letters; up to 300 fit here."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(browser, programme, values, words):
    answer = browser.post(PAGE, about(programme, closing="Typed and kept", **values))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert "Typed and kept" in answer.content.decode()
    assert export(Programme.objects.get()) == SMALL


def test_a_colour_that_not_everybody_can_read_is_refused(browser, programme, owner, monkeypatch):
    monkeypatch.setattr(colour, "is_readable", lambda hue: hue != 90)
    answer = browser.post(PAGE, about(programme, hue=90))
    assert "Not everybody could read text in this colour." in answer.content.decode()
    with pytest.raises(programmes.NotPossible):
        programmes.change_settings(programme, owner, None, hue=90)


def test_every_hue_passes_with_the_tokens_of_the_style_sheet():
    assert all(colour.is_readable(hue) for hue in range(360))
    assert min(colour.worst(hue) for hue in range(360)) >= 4.5


def test_of_two_editors_the_second_is_told_who_did_what_and_may_keep_theirs(browser, programme, owner):
    first, second = about(programme, hue=20), about(programme, hue=300)
    browser.post(PAGE, first)
    answer = browser.post(PAGE, second)
    assert answer.status_code == 409
    assert f"{owner.email} was here at" in answer.content.decode()
    assert 'value="300"' in answer.content.decode()
    browser.post(PAGE, second | {"rev": answer.context["programme"].rev})
    programme.refresh_from_db()
    assert programme.hue == 300


def test_a_second_press_on_save_changes_nothing_more(browser, programme):
    sent = about(programme, hue=20)
    browser.post(PAGE, sent)
    browser.post(PAGE, sent | {"rev": programme.rev + 1})
    assert programme.log.count() == 2  # made, changed


def test_an_editor_and_a_file_both_get_their_word(browser, programme, owner):
    browser.post(PAGE, about(programme, hue=20))
    load(SMALL.replace("A small one", "From the file"), by=owner)
    programme.refresh_from_db()
    assert (programme.title, programme.hue) == ("From the file", 20)
    answer = browser.post(PAGE, about(programme, hue=30) | {"rev": 1})
    assert "Loaded a programme file" in answer.content.decode()


# --- domains --------------------------------------------------------------------------------------------------


def domains(programme, *rows, **more):
    programme.refresh_from_db()
    pks, titles, words = zip(*rows, strict=True)
    return {"do": "domains", "rev": programme.rev, "pk": pks, "title": titles, "description": words} | more


def titles(programme):
    return list(programme.domains.values_list("key", "title", "position"))


def test_domains_are_added_renamed_and_put_in_order(browser, programme):
    room = programme.domains.get().pk
    browser.post(PAGE, domains(programme, (room, "Our room", ""), ("", "The day", "A baby’s day")))
    assert titles(programme) == [("room", "Our room", 0), ("the-day", "The day", 1)]
    day = programme.domains.get(key="the-day").pk
    browser.post(
        PAGE, domains(programme, (room, "Our room", ""), (day, "The day", ""), ("", "", ""), move="1:up")
    )
    assert titles(programme) == [("the-day", "The day", 0), ("room", "Our room", 1)]


def test_a_domain_in_use_is_not_removed_and_one_without_use_is(browser, programme):
    room = programme.domains.get().pk
    answer = browser.post(PAGE, domains(programme, (room, "The room", ""), remove=room))
    assert "“The room” is in use." in answer.content.decode()
    empty = Domain.objects.create(programme=programme, key="empty", title="Empty", position=1).pk
    browser.post(PAGE, domains(programme, (room, "The room", ""), (empty, "Empty", ""), remove=empty))
    assert titles(programme) == [("room", "The room", 0)]


def test_domains_with_one_title_or_none_are_refused_and_stay_typed(browser, programme):
    room = programme.domains.get().pk
    answer = browser.post(PAGE, domains(programme, (room, "Same", ""), ("", "same", "kept words")))
    assert "Two domains have the same title." in answer.content.decode()
    assert "kept words" in answer.content.decode()
    assert (
        "Give every domain a title" in browser.post(PAGE, domains(programme, (room, "", ""))).content.decode()
    )


def test_of_two_editors_of_domains_the_second_is_told(browser, programme):
    room = programme.domains.get().pk
    sent = domains(programme, (room, "One", ""))
    browser.post(PAGE, sent)
    answer = browser.post(PAGE, sent | {"title": ("Two",)})
    assert answer.status_code == 409
    assert "Two" in answer.content.decode()
    assert titles(programme) == [("room", "One", 0)]


# --- questions about people -------------------------------------------------------------------------------------


def test_questions_about_people_are_ticked_for_every_plan(browser, programme, owner):
    role = questions.add_question(programme, owner, make.YES_NO, name="Role")
    browser.post(PAGE, {"do": "profile", "rev": programme.rev, "profile": [role.key, "size", "nothing"]})
    # "size" stands in the agenda of the plan, so it is asked there
    assert programme.plans.get().profile == [role.key]
    programme.refresh_from_db()
    browser.post(PAGE, {"do": "profile", "rev": programme.rev})
    assert programme.plans.get().profile == []


# --- the information sheet ----------------------------------------------------------------------------------------


def sheet(programme, text="Read this.", items=(("read", "I have read it."),), required=("0",), **more):
    keys, lines = zip(*items, strict=True)
    seen = programme.sheets.last().sha256
    return {
        "seen": seen,
        "lead": "",
        "text": text,
        "item_key": keys,
        "item_text": lines,
        "required": required,
    } | more


def test_a_sheet_that_nobody_has_seen_is_changed_in_place(browser, programme):
    browser.post(SHEET, sheet(programme, "Read that.", (("read", "I have."), ("", "Words may be quoted."))))
    assert [(one.number, one.text) for one in programme.sheets.all()] == [(1, "Read that.")]
    assert programme.sheets.get().items == [
        {"key": "read", "text": "I have.", "required": True},
        {"key": "words-may-be-quoted", "text": "Words may be quoted.", "required": False},
    ]


def test_a_sheet_that_people_agreed_to_stays_and_says_how_many_they_are(browser, programme):
    running = make.workshop(programme, sheet=programme.sheets.get())
    for _number in range(3):
        make.participant(running)
    browser.post(SHEET, sheet(programme, "Read that."))
    assert [(one.number, one.text) for one in programme.sheets.all()] == [
        (1, "Read this."),
        (2, "Read that."),
    ]
    running.refresh_from_db()
    assert running.sheet.number == 1
    page = " ".join(browser.get(SHEET).content.decode().split())
    assert "Version 1, agreed to by 3 people in 1 workshop" in page
    assert "Version 2, nobody has agreed to it yet" in page


def test_a_planned_workshop_takes_the_newest_sheet_when_its_doors_open(programme):
    planned = make.workshop(programme, sheet=programme.sheets.get(), started=False)
    newest = make.sheet(programme)
    facilitation.start(planned.pk, None)
    assert Workshop.objects.get(pk=planned.pk).sheet == newest


def test_a_preview_saves_nothing_and_keeps_what_is_typed(browser, programme):
    page = browser.post(SHEET, sheet(programme, "Only a look.", look="yes")).content.decode()
    assert page.count("Only a look.") == 2  # typed, and on the phone
    assert export(programme) == SMALL


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"text": ""}, "Write what people should know"),
        ({"required": ()}, "At least one line must be one that people have to tick"),
        ({"items": (("read", "A"), ("read", "B"))}, "Two lines got mixed up"),
    ],
)
def test_a_sheet_that_lacks_something_says_what(browser, programme, values, words):
    answer = browser.post(SHEET, sheet(programme, **values))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert export(programme) == SMALL


def test_of_two_editors_of_a_sheet_the_second_is_told_and_loses_nothing(browser, programme):
    first, second = sheet(programme, "First."), sheet(programme, "Second.")
    browser.post(SHEET, first)
    answer = browser.post(SHEET, second)
    assert answer.status_code == 409
    assert "Second." in answer.content.decode()
    assert programme.sheets.get().text == "First."


def test_contact_and_retention_stand_on_the_sheet_that_people_read(browser, programme):
    browser.post(PAGE, about(programme, contact="Write to ada@example.org", keep_months=6))
    running = make.workshop(programme, sheet=programme.sheets.get())
    page = make.phone().get(f"/w/{running.code}/consent/").content.decode()
    assert "We keep your answers for 6 months after the workshop." in page
    assert "words that were not shown are deleted" in page
    assert "Write to ada@example.org" in page


def test_without_a_contact_the_sheet_says_whom_to_ask_and_preparing_it_says_what_is_missing(
    browser, programme
):
    running = make.workshop(programme, sheet=programme.sheets.get())
    page = make.phone().get(f"/w/{running.code}/consent/").content.decode()
    assert "Questions? Ask the person who runs your workshop." in page
    planned = make.workshop(programme, sheet=programme.sheets.get(), started=False)
    page = browser.get(f"/workshops/{planned.code}/").content.decode()
    assert "Who people can write to, on the information sheet" in page


def test_the_page_says_what_will_be_removed_next_and_when(browser, programme):
    assert "Nothing waits to be removed." in browser.get(PAGE).content.decode()
    workshop = make.workshop(programme, sheet=programme.sheets.get())
    make.participant(workshop)
    facilitation.end(workshop.pk, None)
    Workshop.objects.update(ended_at=datetime(2026, 3, 31, 12, tzinfo=UTC))
    Programme.objects.update(keep_months=240)
    page = browser.get(PAGE).content.decode()
    assert "Next, on 31 March 2046, these are removed: the key of 1 person." in page
    Programme.objects.update(keep_months=1)
    Workshop.objects.update(ended_at=timezone.now() - timedelta(days=60))
    page = browser.get(PAGE).content.decode()
    assert "In the next night these are removed: the key of 1 person." in page


# --- the file, and removing -----------------------------------------------------------------------------------------


def test_the_file_is_saved_and_a_changed_one_is_looked_at_first(browser, programme):
    answer = browser.get(PAGE + "programme.toml")
    assert answer.content.decode() == SMALL
    assert "small.toml" in answer["Content-Disposition"]
    changed = change("How many babies?", "How many babies are there?")
    page = browser.post(PAGE, {"do": "file", "file": SimpleUploadedFile("small.toml", changed.encode())})
    assert page.context["seen"].changes == ["question size"]
    assert export(programme) == SMALL
    assert "Choose a file" in browser.post(PAGE, {"do": "file"}).content.decode()


def test_a_programme_is_removed_with_its_title_typed_and_comes_back(browser, programme, owner):
    assert "Type the title" in browser.post(PAGE, {"do": "remove", "sure": "small"}).content.decode()
    assert browser.post(PAGE, {"do": "remove", "sure": "A small one"}).url == "/workshops/"
    assert browser.get(PAGE).status_code == 404
    assert "Bring back" in browser.get("/programmes/new/").content.decode()
    assert make.signed_in(make.person()).post("/programmes/small/back/").status_code == 404
    browser.post("/programmes/small/back/")
    assert browser.get(PAGE).status_code == 200


def test_a_programme_with_a_running_workshop_is_not_removed(browser, programme):
    make.workshop(programme, sheet=programme.sheets.get())
    answer = browser.post(PAGE, {"do": "remove", "sure": "A small one"})
    assert "A workshop of this programme is running." in answer.content.decode()
    assert Membership.objects.filter(programme__removed_at=None).exists()


def test_the_page_asks_the_database_no_more_often_with_more_rows(
    browser, programme, owner, django_assert_num_queries
):
    browser.get(PAGE)
    with CaptureQueriesContext(connection) as one:
        browser.get(PAGE)
    for number in range(3):
        Domain.objects.create(programme=programme, key=f"d{number}", title=f"D{number}")
        questions.add_question(programme, owner, make.YES_NO, name=f"Q{number}")
    with CaptureQueriesContext(connection) as more:
        browser.get(PAGE)
    assert len(more) <= len(one) + 1  # the last one's undo
