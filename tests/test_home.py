"""A facilitator's home and the planning page; and who may open which staff page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from workshops.accounts import create_person, join
from workshops.models import Participant, Role, Workshop
from workshops.planning import plan_workshop
from workshops.programme_file import load
from workshops.views.home import greeting, when

pytestmark = pytest.mark.django_db
PROGRAMMES = Path(__file__).parent.parent / "programmes"
PASSWORD = "four plain words together"


@pytest.fixture
def programme():
    return load((PROGRAMMES / "ideal_baby_room.toml").read_text()).programme


@pytest.fixture
def other_programme():
    return load((PROGRAMMES / "our_own_baby_room.toml").read_text()).programme


@pytest.fixture
def people(programme, other_programme):
    """Role → a signed-in browser; None for somebody who has not signed in."""
    people = {"nobody": Client()}
    for role in Role.values:
        person = create_person(f"{role}@example.org", PASSWORD)
        join(programme, person, role)
        people[role] = Client()
        people[role].force_login(person)
    outsider = create_person("outsider@example.org", PASSWORD)
    join(other_programme, outsider, Role.OWNER)
    people["outsider"] = Client()
    people["outsider"].force_login(outsider)
    return people


@pytest.fixture
def facilitator(people):
    return people["facilitator"]


@pytest.fixture
def plan(programme):
    return programme.plans.get()


# --- who may ----------------------------------------------------------------------------------------

WHO = ("owner", "facilitator", "researcher", "outsider", "nobody")
PAGES = [
    # method, path, status per person in WHO
    ("get", "/workshops/", (200, 200, 200, 200, 302)),
    ("post", "/workshops/", (405, 405, 405, 405, 302)),
    ("get", "/programmes/{key}/plan/", (200, 200, 403, 404, 302)),
    ("post", "/programmes/{key}/plan/", (200, 200, 403, 404, 302)),
    ("get", "/programmes/no-such/plan/", (404, 404, 404, 404, 302)),
    ("get", "/programmes/{key}/people/", (200, 403, 403, 404, 302)),
    ("post", "/programmes/{key}/people/", (200, 403, 403, 404, 302)),
    ("get", "/programmes/no-such/people/", (404, 404, 404, 404, 302)),
    ("post", "/programmes/{key}/people/lead/", (302, 403, 403, 404, 302)),
    ("get", "/programmes/{key}/safeguarding/", (200, 403, 403, 404, 302)),
    ("post", "/programmes/{key}/safeguarding/release/", (404, 403, 403, 404, 302)),
    ("get", "/programmes/{key}/people/{member}/remove/", (200, 403, 403, 404, 302)),
    ("post", "/programmes/{key}/people/{member}/remove/", (302, 403, 403, 404, 302)),
    ("get", "/programmes/{key}/people/{foreign_member}/remove/", (404, 403, 403, 404, 302)),
    ("post", "/programmes/{key}/people/{foreign_member}/remove/", (404, 403, 403, 404, 302)),
    ("get", "/programmes/{key}/people/invitations/{invitation}/revoke/", (405, 405, 405, 405, 302)),
    ("post", "/programmes/{key}/people/invitations/{invitation}/revoke/", (302, 403, 403, 404, 302)),
    ("post", "/programmes/{key}/people/invitations/{foreign_invitation}/revoke/", (404, 403, 403, 404, 302)),
    ("get", "/invitation/no-such-secret/", (404, 404, 404, 404, 404)),
    ("post", "/invitation/no-such-secret/", (404, 404, 404, 404, 404)),
    ("get", "/accounts/login/", (302, 302, 302, 302, 200)),
    ("get", "/accounts/signup/", (302, 302, 302, 302, 200)),
    ("get", "/accounts/logout/", (200, 200, 200, 200, 302)),
    ("get", "/accounts/password/change/", (200, 200, 200, 200, 302)),
    ("get", "/accounts/password/reset/", (200, 200, 200, 200, 200)),
    ("get", "/accounts/password/reset/done/", (200, 200, 200, 200, 200)),
    ("get", "/accounts/password/reset/key/done/", (200, 200, 200, 200, 200)),
    ("get", "/accounts/password/reset/key/1-wrong/", (200, 200, 200, 200, 200)),
    ("get", "/accounts/inactive/", (200, 200, 200, 200, 200)),
    ("get", "/accounts/email/", (404, 404, 404, 404, 404)),
]


@pytest.mark.parametrize(
    ("method", "path", "statuses"), PAGES, ids=[f"{method} {path}" for method, path, _ in PAGES]
)
def test_every_page_opens_to_exactly_those_who_may(
    method, path, statuses, programme, other_programme, people
):
    def invitation(of):
        return of.invitations.create(
            email="new@example.org",
            role=Role.RESEARCHER,
            secret_hash=of.key,
            expires_at=timezone.now() + timedelta(1),
        ).pk

    address = path.format(
        key=programme.key,
        member=programme.memberships.get(role=Role.RESEARCHER).pk,
        foreign_member=other_programme.memberships.get().pk,
        invitation=invitation(programme),
        foreign_invitation=invitation(other_programme),
    )
    # Those without the right come first: what the owner does must not change what they see.
    found = {who: getattr(people[who], method)(address).status_code for who in reversed(WHO)}
    assert found == dict(zip(WHO, statuses, strict=True))


def test_who_is_not_signed_in_goes_to_the_sign_in_page_and_back(people, programme):
    response = people["nobody"].get(f"/programmes/{programme.key}/plan/")
    assert response.url == f"/accounts/login/?next=/programmes/{programme.key}/plan/"


# --- home -------------------------------------------------------------------------------------------


def page(client: Client, path: str = "/workshops/") -> str:
    return client.get(path).content.decode()


def test_a_facilitator_finds_console_and_wall_of_the_next_workshop(facilitator, programme, plan):
    later = plan_workshop(programme, plan, starts_at=timezone.now() + timedelta(days=2))
    soon = plan_workshop(programme, plan, starts_at=timezone.now() + timedelta(days=1), expected=26)
    text = page(facilitator)
    assert f'href="/workshops/{soon.code}/console/">Open the console' in text
    assert f'href="/wall/{soon.wall_key}/">Show the join screen' in text
    assert soon.spaced_code in text
    assert "26 people expected" in text
    assert "60 minutes. 8 questions, 3 breakouts." in text
    assert f'href="/workshops/{later.code}/console/">Prepare' in text


def test_a_researcher_finds_results_and_no_console(people, programme, plan):
    workshop = plan_workshop(programme, plan)
    held = plan_workshop(programme, plan)
    Workshop.objects.filter(pk=held.pk).update(status="ended")
    text = page(people["researcher"])
    assert "/console/" not in text
    assert workshop.wall_key not in text
    assert workshop.code not in text
    assert "Plan a workshop" not in text
    assert f'href="/programmes/{programme.key}/">Results<span' in text


def test_held_workshops_count_the_people_who_took_part_and_no_rehearsal(facilitator, programme, plan):
    held = plan_workshop(programme, plan, synthetic=True)
    Workshop.objects.filter(pk=held.pk).update(status="ended", ended_at=timezone.now())
    Participant.objects.bulk_create(
        [Participant(workshop=held) for _ in range(3)]
        + [Participant(workshop=held, rehearsal=True) for _ in range(9)]
    )
    text = page(facilitator)
    assert '<span class="num">3 people</span>' in text
    assert '<span class="tag">Synthetic</span>' in text


def test_a_running_workshop_comes_first_and_one_without_a_day_after_those_with_one(
    facilitator, programme, plan
):
    now = timezone.now()
    gone = plan_workshop(programme, plan, starts_at=now - timedelta(days=9))
    undated = plan_workshop(programme, plan)
    dated = plan_workshop(programme, plan, starts_at=now + timedelta(days=3))
    running = plan_workshop(programme, plan, starts_at=now + timedelta(days=9))
    Workshop.objects.filter(pk=running.pk).update(status="running")
    [section] = facilitator.get("/workshops/").context["sections"]
    assert [section.next, *section.coming] == [running, dated, undated, gone]


def test_without_workshops_the_page_says_what_to_do(facilitator):
    assert "Nothing is planned. Plan a workshop" in page(facilitator)


def test_without_a_programme_the_page_says_whom_to_ask(client):
    client.force_login(create_person("lonely@example.org", PASSWORD))
    assert "You do not belong to a programme yet." in page(client)


def test_a_person_sees_every_programme_they_belong_to_and_no_other(people, programme, other_programme):
    text = page(people["owner"])
    assert programme.title in text
    assert other_programme.title not in text
    join(other_programme, programme.memberships.get(role="owner").user, Role.RESEARCHER)
    text = page(people["owner"])
    assert f'<h2 id="programme-{programme.pk}">{programme.title}' in text
    assert f'<h2 id="programme-{other_programme.pk}">{other_programme.title}' in text
    assert f"/programmes/{other_programme.key}/plan/" not in text


def test_the_page_takes_the_same_queries_for_one_workshop_and_for_three(
    facilitator, programme, plan, django_assert_num_queries
):
    plan_workshop(programme, plan)
    with django_assert_num_queries(5):
        page(facilitator)
    plan_workshop(programme, plan)
    plan_workshop(programme, plan)
    with django_assert_num_queries(5):
        page(facilitator)


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 11, 23, 13, 0, tzinfo=UTC), "Today, 13:00"),
        (datetime(2026, 11, 24, 10, 0, tzinfo=UTC), "Tomorrow, 10:00"),
        (datetime(2026, 11, 26, 18, 30, tzinfo=UTC), "Thu 26 Nov, 18:30"),
        (datetime(2027, 7, 1, 9, 0, tzinfo=UTC), "Thu 1 Jul 2027, 10:00"),
        (None, ""),
    ],
)
def test_a_moment_is_said_as_people_say_it(moment, words):
    assert when(moment, timezone.localtime(datetime(2026, 11, 23, 8, 0, tzinfo=UTC))) == words


@pytest.mark.parametrize(
    ("hour", "words"), [(0, "Good morning"), (12, "Good afternoon"), (18, "Good evening")]
)
def test_the_greeting_knows_the_hour(hour, words):
    assert greeting(datetime(2026, 11, 23, hour, tzinfo=UTC)) == words


# --- planning ---------------------------------------------------------------------------------------


def test_a_workshop_is_planned_from_the_page(facilitator, programme, plan):
    day = timezone.localdate() + timedelta(days=3)
    said = {
        "plan": plan.pk,
        "title": "For managers",
        "date": day.isoformat(),
        "time": "18:30",
        "expected": "22",
    }
    response = facilitator.post(f"/programmes/{programme.key}/plan/", said)
    assert response.url == "/workshops/"
    workshop = Workshop.objects.get()
    assert (workshop.title, workshop.expected, workshop.agenda.count()) == ("For managers", 22, 22)
    assert timezone.localtime(workshop.starts_at).strftime("%Y-%m-%d %H:%M") == f"{day} 18:30"
    assert f"Workshop 1 is planned. Its code is {workshop.spaced_code}." in page(facilitator)


def test_day_start_and_number_can_stay_empty(facilitator, programme, plan):
    facilitator.post(f"/programmes/{programme.key}/plan/", {"plan": plan.pk, "title": programme.title})
    assert Workshop.objects.get().starts_at is None


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"plan": ""}, "Choose a plan."),
        ({"plan": "{foreign}"}, "This plan is not in the programme. Choose one of these."),
        ({"title": " "}, "Give the workshop a title."),
        ({"title": "x" * 201}, "A title can have up to 200 letters; this has 201."),
        ({"date": "soon"}, "We could not read this day. Write it like 26/11/2026."),
        ({"date": "2020-01-01"}, "This day is over. Choose today or a day to come."),
        ({"date": ""}, "Say on which day, or leave the start empty too."),
        ({"time": "late"}, "We could not read this time. Write it like 18:30."),
        ({"time": ""}, "Say when it starts, or leave the day empty too."),
        ({"date": "2027-03-28", "time": "01:30"}, "The clocks change in this hour. Choose another start."),
        ({"expected": "many"}, "Write a whole number, like 24."),
        ({"expected": "0"}, "Write a number of at least 1, or leave it empty."),
        ({"expected": "10001"}, "A workshop can have up to 10,000 people."),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    wrong, sentence, facilitator, programme, other_programme, plan
):
    foreign = str(other_programme.plans.first().pk)
    said = {
        "plan": plan.pk,
        "title": "For managers",
        "date": "2027-06-01",
        "time": "18:30",
        "expected": "22",
    } | wrong
    said = {name: foreign if value == "{foreign}" else value for name, value in said.items()}
    text = facilitator.post(f"/programmes/{programme.key}/plan/", said).content.decode()
    [field] = wrong if len(wrong) == 1 else ["time"]
    error = text.partition(f'id="id_{field}-error"')[2].partition("</p>")[0]
    assert f"<span>{sentence}</span>" in error
    assert text.count('role="alert"') == 1
    for name, value in said.items():
        if name != "plan" and value.strip():
            assert f'value="{value}"' in text
    assert not Workshop.objects.exists()
