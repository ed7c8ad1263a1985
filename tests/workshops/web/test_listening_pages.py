"""Whether people may listen without being counted: off until somebody says so, and said where people decide."""

from __future__ import annotations

import pytest

from workshops.actions.authoring import plans, programme_file
from workshops.actions.authoring.workshops import change_facts, copy_workshop, plan_workshop
from workshops.models import Participant, Plan, Role
from workshops.operations import demo
from workshops.programmes.facts import fingerprint
from workshops.programmes.file import io as file_io

from ... import factories
from ...factories import phone

pytestmark = pytest.mark.django_db
LISTEN, WORDS = b'name="observe"', "People who are not counted may listen in this workshop."


def consent(workshop) -> str:
    return f"/w/{workshop.code}/consent/"


def test_a_workshop_lets_nobody_listen_until_somebody_says_so():
    programme = factories.programme()
    plan = plans.add_plan(programme, None, "One hour", minutes=60)
    assert plan_workshop(programme, plan).observers is False
    plans.change_plan(plan, None, None, observers=True)
    planned = plan_workshop(programme, plan)
    assert planned.observers is True
    assert copy_workshop(planned, None, starts_at=None).observers is True
    assert plans.keep_as_plan(planned, None, "Kept").observers is True
    assert plans.copy_plan(plan, None).observers is True


def test_a_programme_file_says_it_of_a_plan_and_an_export_says_it_again():
    text = """
[programme]
key = "nursery"
title = "Our nursery"

[[plan]]
key = "hour"
title = "One hour"
observers = true
agenda = [{ pause = "Tea" }]

[[plan]]
key = "quiet"
title = "Nobody listens"
agenda = [{ pause = "Tea" }]
"""
    programme_file.load(text, "nursery.toml")
    assert dict(Plan.objects.values_list("key", "observers")) == {"hour": True, "quiet": False}
    written = {plan.key: plan.observers for plan in file_io.as_file(Plan.objects.first().programme).plan}
    assert written == {"hour": True, "quiet": False}


def test_the_consent_page_offers_it_and_the_sheet_says_it_where_it_is_on(client):
    workshop = factories.workshop()
    page = client.get(consent(workshop)).content
    assert LISTEN in page
    assert WORDS in page.decode()


def test_where_it_is_off_nothing_is_offered_and_the_page_says_what_else_there_is(client):
    workshop = factories.workshop(observers=False)
    page = client.get(consent(workshop)).content
    assert LISTEN not in page
    assert WORDS not in page.decode()
    assert "you can follow along on the big screen" in page.decode()


def test_a_form_from_before_it_was_switched_off_gives_no_seat_and_says_why(client):
    workshop = factories.workshop()
    client.get(consent(workshop))
    change_facts(workshop, None, None, observers=False)
    answer = client.post(consent(workshop), {"observe": "yes"})
    assert answer.status_code == 422
    assert "Nobody can listen to this workshop without taking part any more." in answer.content.decode()
    assert not Participant.objects.exists()
    assert phone(observing=workshop).get(f"/w/{workshop.code}/").status_code == 403


def test_who_listened_can_still_take_part(client):
    workshop = factories.workshop()
    listened = phone(observing=workshop)
    change_facts(workshop, None, None, observers=False)
    assert consent(workshop) in listened.get(f"/w/{workshop.code}/").content.decode()
    joined = listened.post(consent(workshop), {"consent": [item["key"] for item in workshop.sheet.items]})
    assert joined.status_code == 302
    assert listened.get(f"/w/{workshop.code}/").status_code == 200
    assert Participant.objects.count() == 1


def test_an_observers_cookie_opens_no_questionnaire_that_lets_nobody_look():
    made = factories.questionnaire(observers=False)
    assert phone(observing=made).get(f"/w/{made.code}/").status_code == 403


@pytest.mark.parametrize("started", [False, True])
def test_a_facilitator_switches_it_on_the_facts_also_while_it_runs(started):
    workshop = factories.workshop(started=started, observers=False)
    desk = factories.signed_in(factories.staff(workshop.programme, Role.FACILITATOR))
    address = f"/workshops/{workshop.code}/facts/"
    assert 'name="observers"' in desk.get(address).content.decode()
    facts = {"title": workshop.title, "minutes": "60", "number": "1"}
    for on in (True, False):
        seen = {"seen": fingerprint(workshop)}
        answer = desk.post(address, facts | seen | ({"observers": "on"} if on else {}))
        assert answer.status_code == 302
        workshop.refresh_from_db()
        assert workshop.observers is on


def test_a_plan_is_switched_on_its_page():
    programme = factories.programme()
    plan = plans.add_plan(programme, None, "One hour", minutes=60)
    desk = factories.signed_in(factories.staff(programme, Role.OWNER))
    address = f"/programmes/{programme.key}/plans/{plan.key}/"
    fields = {"do": "facts", "rev": str(plan.rev), "title": plan.title, "minutes": "60", "observers": "on"}
    assert desk.post(address, fields).status_code == 302
    plan.refresh_from_db()
    assert plan.observers is True
    assert 'name="observers" checked' in desk.get(address).content.decode()


def test_the_demonstration_lets_people_listen():
    demo.load_programme("ideal_baby_room.toml")
    assert demo.ready_workshop().observers is True
