"""The line with "Undo", and the log of a programme as owners read it."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core.management import call_command
from django.db import connection
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from workshops.actions import facilitation, log
from workshops.actions.log import last_undoable, logged
from workshops.models import Membership, Plan, Role

from ... import factories
from ...factories import signed_in, staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def verbs(monkeypatch):
    monkeypatch.setattr(log, "SENTENCES", log.SENTENCES | {"renamed": "Renamed “%(about)s”"})


@pytest.fixture
def workshop():
    return factories.workshop(title="Old", started=False)


@pytest.fixture
def programme(workshop):
    return workshop.programme


@pytest.fixture
def person(programme):
    return staff(programme)


def renamed(workshop, person):
    with logged(workshop.programme, person, "renamed", about="Old", workshop=workshop) as journal:
        journal.update(workshop, title="New")
    return workshop.log.first()


def press(person, entry, following="/workshops/?x=1", programme=None):
    address = f"/programmes/{(programme or entry.programme).key}/log/{entry.pk}/undo/"
    return signed_in(person).post(address, {"next": following})


def guest_of(workshop):
    user = factories.person()
    Membership.objects.create(
        programme=workshop.programme, user=user, role=Role.FACILITATOR, workshop=workshop
    )
    return user


# --- the line -------------------------------------------------------------------------------------------------


def test_the_line_says_what_was_done_and_takes_it_back(workshop, person):
    renamed(workshop, person)
    entry = last_undoable(person, programme=workshop.programme, workshop=workshop)
    context = {"entry": entry, "request": RequestFactory().get("/workshops/?x=1")}
    html = render_to_string("workshops/authoring/_undo.html", context)
    assert "<span>You renamed “Old”.</span>" in html
    assert f'action="/programmes/{workshop.programme.key}/log/{entry.pk}/undo/"' in html
    assert 'name="next" value="/workshops/?x=1"' in html


def test_there_is_no_line_without_an_action():
    assert not render_to_string("workshops/authoring/_undo.html", {"entry": None}).strip()


def test_undo_leads_back_to_where_it_was_pressed_and_says_what_it_did(workshop, person):
    response = press(person, renamed(workshop, person))
    assert (response.status_code, response.url) == (302, "/workshops/?x=1")
    assert said(response) == ["Took back: Renamed “Old”."]
    workshop.refresh_from_db()
    assert workshop.title == "Old"


def test_a_second_press_is_told_so_in_one_sentence(workshop, person):
    entry = renamed(workshop, person)
    press(person, entry)
    assert said(press(person, entry)) == ["This was taken back already."]


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_undo_never_leads_to_another_site(workshop, person, address):
    assert press(person, renamed(workshop, person), address).url == "/workshops/"


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


# --- who may take what back -----------------------------------------------------------------------------------


def test_others_actions_are_taken_back_by_owners_only(workshop, programme, person):
    entry = renamed(workshop, person)
    assert press(staff(programme), entry).status_code == 403
    assert press(staff(programme, Role.OWNER), entry).status_code == 302
    workshop.refresh_from_db()
    assert workshop.title == "Old"


def test_who_may_no_longer_run_takes_nothing_back(workshop, programme, person):
    entry = renamed(workshop, person)
    person.memberships.update(role=Role.RESEARCHER)
    assert press(person, entry).status_code == 403
    person.memberships.all().delete()
    assert press(person, entry).status_code == 404


def test_guests_take_back_what_they_did_in_their_workshop(workshop, programme):
    guest = guest_of(workshop)
    other = factories.workshop(programme, title="Old", started=False)
    assert press(guest, renamed(other, guest)).status_code == 404
    assert press(guest, renamed(workshop, guest)).status_code == 302
    workshop.refresh_from_db()
    assert press(guest, renamed(workshop, staff(programme))).status_code == 403


def test_an_entry_is_found_in_its_own_programme_only(workshop, person):
    foreign = factories.programme()
    assert press(staff(foreign, Role.OWNER), renamed(workshop, person), programme=foreign).status_code == 404


# --- the log --------------------------------------------------------------------------------------------------


def owner_of(programme):
    return signed_in(staff(programme, Role.OWNER))


def page(client, programme, asked=""):
    return client.get(f"/programmes/{programme.key}/log/{asked}")


def shown(response):
    return [(day, [log.sentence(line.entry) for line in lines]) for day, lines in response.context["days"]]


def test_the_log_stands_by_day_newest_first(programme):
    with time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC), tick=False):
        log.note(programme, None, "invited_guest")
    with time_machine.travel(datetime(2026, 11, 29, 12, tzinfo=UTC), tick=False):
        log.note(programme, None, "invited_owner")
        log.note(programme, None, "invited_researcher")
        assert shown(page(owner_of(programme), programme)) == [
            ("Today", ["Invited a researcher", "Invited an owner"]),
            ("Tue 24 Nov", ["Invited a guest"]),
        ]


def test_opening_and_ending_a_workshop_are_in_the_log(programme, workshop, person):
    facilitation.start(workshop.pk, person)
    facilitation.end(workshop.pk, person)
    entries = programme.log.values_list("verb", "by", "workshop")
    assert list(entries) == [
        ("ended_workshop", person.pk, workshop.pk), ("opened_doors", person.pk, workshop.pk),
    ]  # fmt: skip


def test_the_log_is_filtered_by_person_subject_and_day(programme, workshop, person):
    renamed(workshop, person)
    with time_machine.travel(timezone.now() - timedelta(days=3)):
        log.note(programme, None, "invited_guest")
    client = owner_of(programme)
    since = timezone.localdate() - timedelta(days=1)
    for asked, sentences in [
        (f"?who={person.pk}", ["Renamed “Old”"]),
        ("?what=people", ["Invited a guest"]),
        ("?what=questions", []),
        (f"?since={since}", ["Renamed “Old”"]),
        (f"?what=people&since={since}", []),
    ]:
        found = [sentence for _day, day in shown(page(client, programme, asked)) for sentence in day]
        assert found == sentences, asked


def test_a_filter_that_cannot_be_read_is_told_and_filters_nothing(programme, workshop, person):
    renamed(workshop, person)
    response = page(owner_of(programme), programme, "?since=yesterday&who=x&what=y&after=z")
    assert response.status_code == 200
    assert "We could not read this day." in response.content.decode()
    assert len(shown(response)) == 1


def test_older_entries_follow_the_last_one_shown(programme, monkeypatch):
    monkeypatch.setattr("workshops.web.views.log.ENTRIES_A_PAGE", 2)
    for verb in ("invited_owner", "invited_guest", "invited_researcher"):
        log.note(programme, None, verb)
    client = owner_of(programme)
    first = page(client, programme, "?what=people")
    assert f'href="?{first.context["older"].replace("&", "&amp;")}"' in first.content.decode()
    assert "what=people" in first.context["older"]
    second = page(client, programme, f"?{first.context['older']}")
    assert [words for _day, words in shown(second)] == [["Invited an owner"]]
    assert second.context["older"] == ""


def test_undo_stands_where_it_can_still_be_done(programme, workshop, person):
    entry = renamed(workshop, person)
    client = owner_of(programme)
    button = f'action="/programmes/{programme.key}/log/{entry.pk}/undo/"'
    assert button in page(client, programme).content.decode()
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert button not in page(client, programme).content.decode()
    log.undo(entry, person)
    text = page(client, programme).content.decode()
    assert button not in text
    assert "Taken back" in text


def test_the_log_as_a_table_holds_the_same_and_no_formula(programme, workshop, person):
    log.note(programme, None, "invited_guest", workshop=workshop)
    with logged(programme, person, "renamed", about="x") as journal:
        journal.update(programme, title="New")
    User.objects.filter(pk=person.pk).update(email="=cmd@example.org")
    client = owner_of(programme)
    response = client.get(f"/programmes/{programme.key}/log.csv")
    rows = list(csv.reader(io.StringIO(response.getvalue().decode())))
    assert rows[0] == ["time", "who", "what", "workshop", "taken_back"]
    assert [row[1:] for row in rows[1:]] == [
        [rows[1][1], f"Downloaded {programme.key}-log.csv", "", "0"],  # this one
        ["'=cmd@example.org", "Renamed “x”", "", "0"],
        ["", "Invited a guest", str(workshop.number), "0"],
    ]
    filtered = client.get(f"/programmes/{programme.key}/log.csv?what=people").getvalue().decode()
    assert len(filtered.splitlines()) == 2


DOWNLOADS = {
    "notes.csv": "/workshops/{code}/notes.csv",
    "notes.md": "/workshops/{code}/notes.md",
    "notes.docx": "/workshops/{code}/notes.docx",
    "results.docx": "/workshops/{code}/results.docx",
    "log.csv": "/programmes/{key}/log.csv",
    ".toml": "/programmes/{key}/settings/programme.toml",
    "results.csv": "/programmes/{key}/results.csv",
}


@pytest.mark.parametrize("ending", DOWNLOADS)
def test_every_download_is_in_the_log_with_the_name_of_its_file(programme, workshop, ending):
    person = staff(programme, Role.OWNER)
    response = signed_in(person).get(DOWNLOADS[ending].format(code=workshop.code, key=programme.key))
    [entry] = programme.log.filter(verb="exported")
    assert entry.by == person
    assert entry.workshop == (workshop if "{code}" in DOWNLOADS[ending] else None)
    assert entry.about.endswith(ending)
    assert f'filename="{entry.about}"' in response["Content-Disposition"]


@pytest.mark.parametrize("command", ["export_programme", "export_results"])
def test_what_an_operator_takes_out_in_a_terminal_is_in_the_log_too(programme, command, tmp_path):
    call_command(command, programme.key, output=tmp_path / "file", stdout=io.StringIO(), stderr=io.StringIO())
    assert programme.log.get().verb == "exported"


def test_an_owner_who_is_made_in_a_terminal_is_in_the_log_once(programme):
    factories.person("new@example.org")
    for _ in range(2):
        call_command("create_owner", "new@example.org", programme=[programme.key], stdout=io.StringIO())
    assert [log.sentence(entry) for entry in programme.log.all()] == ["Made new@example.org an owner"]


def test_who_may_not_download_leaves_no_row(programme):
    assert signed_in(staff(programme)).get(f"/programmes/{programme.key}/log.csv").status_code == 403
    assert not programme.log.exists()


def test_readings_downloads_and_the_summary_are_subjects_of_their_own(programme, person):
    for verb in ("read_flagged", "exported", "published_summary", "withdrew_version", "lead_refused"):
        log.note(programme, person, verb)
    client = owner_of(programme)

    def found(subject):
        return [words for _day, day in shown(page(client, programme, f"?what={subject}")) for words in day]

    assert len(found("reading")) == len(found("summary")) == 2
    assert len(found("people")) == 1
    assert found("questions") == found("workshops") == []


def test_a_nomination_that_is_due_stands_in_the_log_when_it_is_opened(programme):
    client, person = owner_of(programme), staff(programme)
    programme.lead_nominee, programme.lead_named_at = person, timezone.now() - timedelta(days=1)
    programme.save()
    sentence = f"From now on reads what is flagged for safeguarding: {person.email}"
    assert shown(page(client, programme)) == [("Today", [sentence])]


def test_a_longer_log_asks_the_database_no_more(programme, workshop, person, django_assert_num_queries):
    client = owner_of(programme)
    renamed(workshop, person)
    with CaptureQueriesContext(connection) as queries:
        page(client, programme)
    for title in ("Newer", "Newest"):
        with logged(programme, staff(programme), "renamed", about=title, workshop=workshop) as journal:
            journal.update(workshop, title=title)
    with django_assert_num_queries(len(queries)):
        page(client, programme)


# --- removed --------------------------------------------------------------------------------------------------


def test_what_was_removed_comes_back_by_a_button(programme, person):
    plan = Plan.objects.create(programme=programme, key="p", title="Five", removed_at=timezone.now())
    client = signed_in(person)
    text = client.get(f"/programmes/{programme.key}/removed/").content.decode()
    address = f"/programmes/{programme.key}/removed/plan/{plan.pk}/restore/"
    assert f'action="{address}"' in text
    assert said(client.post(address)) == ["“Five” is back."]
    assert said(client.post(address))[-1] == "“Five” is back."
    plan.refresh_from_db()
    assert plan.removed_at is None
    assert "Nothing was removed" in client.get(f"/programmes/{programme.key}/removed/").content.decode()


@pytest.mark.parametrize("what", ["king/1", "plan/99999", "step/99999"])
def test_what_is_not_there_does_not_come_back(programme, person, what):
    client = signed_in(person)
    assert client.post(f"/programmes/{programme.key}/removed/{what}/restore/").status_code == 404


def test_an_entry_that_removed_no_step_is_not_undone_from_there(programme, workshop, person):
    entry = renamed(workshop, person)
    client = signed_in(staff(programme))
    address = f"/programmes/{programme.key}/removed/step/{entry.pk}/restore/"
    assert client.post(address).status_code == 404
