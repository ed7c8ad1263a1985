"""A facilitator's home and the planning page; and who may open which staff page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from workshops.actions.authoring.programme_file import load
from workshops.actions.authoring.workshops import plan_workshop
from workshops.models import Membership, Participant, Role, Workshop
from workshops.people.invitations import add_member, create_user
from workshops.web.moments import greeting, when

pytestmark = pytest.mark.django_db
PROGRAMMES = Path(__file__).parents[3] / "programmes"
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
        person = create_user(f"{role}@example.org", PASSWORD)
        add_member(programme, person, role)
        people[role] = Client()
        people[role].force_login(person)
    outsider = create_user("outsider@example.org", PASSWORD)
    add_member(other_programme, outsider, Role.OWNER)
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
    ("get", "/workshops/{code}/facts/", (200, 200, 403, 404, 302)),
    ("post", "/workshops/{code}/facts/", (200, 200, 403, 404, 302)),
    ("get", "/workshops/{code}/copy/", (200, 200, 403, 404, 302)),
    ("post", "/workshops/{code}/copy/", (302, 302, 403, 404, 302)),
    ("get", "/workshops/{code}/remove/", (405, 405, 405, 405, 302)),
    ("post", "/workshops/{code}/remove/", (404, 302, 403, 404, 302)),
    ("get", "/workshops/NOSUCH/facts/", (404, 404, 404, 404, 302)),
    ("get", "/programmes/{key}/people/", (200, 403, 403, 404, 302)),
    ("post", "/programmes/{key}/people/", (422, 403, 403, 404, 302)),
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
        code=plan_workshop(programme, programme.plans.get()).code,
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
    assert f'href="/workshops/{soon.code}/console/">Open console' in text
    assert f'href="/wall/{soon.wall_key}/">Open wall' in text
    assert f'href="/workshops/{soon.code}/">Prepare' in text
    assert f"/w/{soon.code}/" in text
    assert soon.spaced_code in text
    assert "26 people expected" in text
    assert "60 minutes. 8 questions, 3 breakouts." in text
    assert f'href="/workshops/{later.code}/">Prepare' in text


def test_a_researcher_finds_results_and_no_console(people, programme, plan):
    workshop = plan_workshop(programme, plan)
    held = plan_workshop(programme, plan)
    Workshop.objects.filter(pk=held.pk).update(status="ended")
    text = page(people["researcher"])
    assert "/console/" not in text
    assert workshop.wall_key not in text
    assert workshop.code not in text
    assert "Plan a workshop" not in text
    assert f'href="/workshops/{held.code}/results/">Results<span' in text


def test_held_workshops_count_the_people_who_took_part_and_no_rehearsal(facilitator, programme, plan):
    held = plan_workshop(programme, plan, synthetic=True)
    Workshop.objects.filter(pk=held.pk).update(status="ended", ended_at=timezone.now())
    sheet = programme.sheets.get()
    Participant.objects.bulk_create(
        [Participant(workshop=held, sheet=sheet, consent=["read"]) for _ in range(3)]
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
    context = facilitator.get("/workshops/").context
    assert [row.workshop for row in [context["next"], *context["coming"]]] == [running, dated, undated, gone]


def test_without_workshops_the_page_says_what_to_do(facilitator, programme):
    text = page(facilitator)
    assert "Nothing planned yet" in text
    assert f'href="/programmes/{programme.key}/plan/">Plan a workshop' in text


def test_without_a_programme_the_page_leads_to_a_new_one_and_says_whom_to_ask(client):
    client.force_login(create_user("lonely@example.org", PASSWORD))
    text = page(client)
    assert 'href="/programmes/new/">Make a programme' in text
    assert "Ask its owner to invite you" in text


def test_a_person_sees_every_programme_they_belong_to_and_no_other(people, programme, other_programme):
    text = page(people["owner"])
    assert programme.title in text
    assert other_programme.title not in text
    add_member(other_programme, programme.memberships.get(role="owner").user, Role.RESEARCHER)
    text = page(people["owner"])
    assert f'<h3 dir="auto">{programme.title}</h3>' in text
    assert f'<h3 dir="auto">{other_programme.title}</h3>' in text
    assert f"/programmes/{other_programme.key}/plan/" not in text


def test_the_page_takes_the_same_queries_for_one_workshop_and_for_three_of_each(
    facilitator, programme, plan, django_assert_num_queries
):
    for made in range(3):
        ended = plan_workshop(programme, plan)
        Workshop.objects.filter(pk=ended.pk).update(status="ended", ended_at=timezone.now())
        plan_workshop(programme, plan)
        if made != 1:
            with django_assert_num_queries(QUERIES_OF_HOME):
                page(facilitator)


#: session, person, memberships; two pages of two each; their rows; what can be undone; the menu's roles
QUERIES_OF_HOME = 10


def test_of_a_thousand_workshops_a_page_shows_some_in_the_same_queries(
    facilitator, programme, django_assert_num_queries
):
    def many(**more):
        first = programme.workshops.count() + 1
        return [Workshop(programme=programme, title="Again", number=first + n, **more) for n in range(500)]

    Workshop.objects.bulk_create(many())
    Workshop.objects.bulk_create(many(status="ended", place="Leeds", ended_at=timezone.now()))
    with django_assert_num_queries(QUERIES_OF_HOME):
        text = page(facilitator)
    assert text.count("<tr>") == 2 + 9 + 20
    assert "Page 1 of 25" in text
    with django_assert_num_queries(QUERIES_OF_HOME):
        text = page(facilitator, "/workshops/?held=25&coming=2&q=again")
    assert 'href="?held=24&amp;q=again#held"' in text
    assert "Page 2 of 50" in text


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("leeds", ["Hall"]),
        ("for managers", ["Hall"]),
        ("hall online", []),
        ("workshop", []),
        ("2", ["Call"]),
        ("{code}", ["Call"]),
        ("{spaced}", ["Call"]),
        ("%", []),
        ("", ["Hall", "Call"]),
    ],
)
def test_a_workshop_is_found_by_its_words_its_number_and_its_code(words, found, facilitator, programme):
    plan_workshop(programme, None, title="Hall", place="Leeds", intended_for="For managers", code="AAAAAA")
    call = plan_workshop(programme, None, title="Call", place="Online", code="CCCCCC")
    words = words.format(code=call.code.lower(), spaced=call.spaced_code)
    context = facilitator.get("/workshops/", {"q": words}).context
    rows = [context["next"], *context["coming"]]
    assert [row.workshop.title for row in rows if row] == found


def test_a_guest_sees_their_workshop_and_no_other(programme, plan):
    seen, unseen = (
        plan_workshop(programme, plan, title="Seen"),
        plan_workshop(programme, plan, title="Unseen"),
    )
    guest = create_user("guest@example.org", PASSWORD)
    Membership.objects.create(programme=programme, user=guest, role=Role.FACILITATOR, workshop=seen)
    client = Client()
    client.force_login(guest)
    text = page(client)
    assert f'href="/workshops/{seen.code}/console/">Open console' in text
    assert "Seen, workshop 1" in text
    assert "Unseen" not in text
    assert unseen.code not in text
    assert "/copy/" not in text
    assert "/plan/" not in text


def test_removed_workshops_and_programmes_are_on_no_list(facilitator, programme, plan):
    gone = plan_workshop(programme, plan, title="Gone")
    Workshop.objects.filter(pk=gone.pk).update(removed_at=timezone.now())
    assert "Gone" not in page(facilitator)
    plan_workshop(programme, plan, title="Kept")
    programme.removed_at = timezone.now()
    programme.save()
    assert "Kept" not in page(facilitator)


def test_a_demonstration_says_so(facilitator, programme, plan):
    programme.demo = True
    programme.save()
    plan_workshop(programme, plan)
    assert '<span class="tag">Demo</span>' in page(facilitator)


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
