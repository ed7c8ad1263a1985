"""The people of a programme: one owner always, links that work once, a log of it all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.utils import timezone

from workshops.actions import log
from workshops.actions.authoring import team
from workshops.actions.authoring.team import LastOwner
from workshops.models import Membership, Role
from workshops.people import invitations
from workshops.people.invitations import InvitationGone

from .... import factories
from ....patience import PATIENCE

pytestmark = pytest.mark.django_db


@pytest.fixture
def programme():
    return factories.programme()


@pytest.fixture
def owner(programme):
    return factories.staff(programme, Role.OWNER)


def said(programme):
    return [log.sentence(entry) for entry in programme.log.all()]


def roles(programme, person):
    found = programme.memberships.filter(user=person)
    return [(one.role, one.workshop_id) for one in found.order_by("pk")]


def link(programme, by, role=Role.FACILITATOR, once="a", **more):
    return team.invite(programme, by, role, once=once, link_of=str, **more)


# --- roles ----------------------------------------------------------------------------------------------------


def test_a_role_is_changed_and_the_log_says_to_what(programme, owner):
    person = factories.staff(programme)
    member = programme.memberships.get(user=person)
    team.change_role(member, Role.RESEARCHER, owner)
    assert roles(programme, person) == [("researcher", None)]
    assert said(programme) == [f"Made {person.email} a researcher"]


def test_a_facilitator_becomes_a_guest_of_one_workshop_and_back(programme, owner):
    workshop = factories.workshop(programme)
    person = factories.staff(programme)
    team.change_role(programme.memberships.get(user=person), Role.FACILITATOR, owner, workshop=workshop)
    assert roles(programme, person) == [("facilitator", workshop.pk)]
    team.change_role(programme.memberships.get(user=person), Role.FACILITATOR, owner)
    assert roles(programme, person) == [("facilitator", None)]


def test_the_same_role_again_changes_nothing(programme, owner):
    team.change_role(programme.memberships.get(user=owner), Role.OWNER, owner)
    assert said(programme) == []


def test_of_two_roles_of_a_person_made_the_same_one_stays(programme, owner):
    person = factories.staff(programme)
    member = invitations.add_member(programme, person, Role.RESEARCHER)
    team.change_role(member, Role.FACILITATOR, owner)
    assert roles(programme, person) == [("facilitator", None)]


@pytest.mark.parametrize("go", [
    lambda member, by: team.change_role(member, Role.RESEARCHER, by), team.remove_role,
])  # fmt: skip
def test_the_last_owner_stays(programme, owner, go):
    with pytest.raises(LastOwner):
        go(programme.memberships.get(user=owner), owner)
    assert roles(programme, owner) == [("owner", None)]
    assert said(programme) == []


def test_taking_a_role_away_twice_is_taking_it_away(programme, owner):
    member = programme.memberships.get(user=factories.staff(programme))
    team.remove_role(member, owner)
    team.remove_role(member, owner)
    assert len(said(programme)) == 1


def test_nobody_takes_a_change_of_roles_back_from_the_log(programme, owner):
    person = factories.staff(programme, Role.OWNER)
    team.change_role(programme.memberships.get(user=owner), Role.FACILITATOR, person)
    with pytest.raises(log.UndoRefused, match="cannot be taken back"):
        log.undo(programme.log.get(), owner)


def test_links_of_somebody_who_lost_their_role_stop_working(programme, owner):
    other = factories.staff(programme, Role.OWNER)
    made = link(programme, other, Role.OWNER)
    team.remove_role(programme.memberships.get(user=other), owner)
    with pytest.raises(InvitationGone):
        team.accept(made, other)


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_remove_each_other_at_once_leave_one(programme, owner):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer")
    other = factories.staff(programme, Role.OWNER)
    pairs = [(owner, other), (other, owner)]
    ready = Barrier(2)

    def remove(pair):
        by, whom = pair
        with closing(connection):
            member = Membership.objects.get(programme=programme, user=whom)
            ready.wait(PATIENCE)
            try:
                team.remove_role(member, by)
            except LastOwner:
                return "refused"
            return "removed"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(remove, pairs)) == ["refused", "removed"]
    assert programme.memberships.filter(role=Role.OWNER).count() == 1


# --- invitations ----------------------------------------------------------------------------------------------


def test_a_link_makes_whoever_opens_it_a_member_once(programme, owner):
    made = link(programme, owner)
    assert mail.outbox == []
    person, late = factories.person(), factories.person()
    team.accept(made, person)
    assert roles(programme, person) == [("facilitator", None)]
    with pytest.raises(InvitationGone):
        team.accept(made, late)
    assert said(programme) == ["Joined as a facilitator", "Invited a facilitator"]


def test_a_guests_link_opens_one_workshop(programme, owner):
    workshop = factories.workshop(programme, started=False)
    person = factories.person()
    team.accept(link(programme, owner, workshop=workshop), person)
    assert roles(programme, person) == [("facilitator", workshop.pk)]
    assert [entry.workshop for entry in programme.log.all()] == [workshop, workshop]


def test_a_form_that_is_sent_twice_makes_one_invitation(programme, owner):
    assert link(programme, owner) == link(programme, owner)
    assert link(programme, owner, once="b") != link(programme, owner)
    mailed = {"email": "new@example.org", "once": "c"}
    assert link(programme, owner, **mailed) == link(programme, owner, **mailed)
    assert len(mail.outbox) == 1


def test_a_link_works_for_a_week(programme, owner):
    made = link(programme, owner)
    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23)):
        assert invitations.pending(programme).get() == made
    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1)):
        assert not invitations.pending(programme).exists()


def test_the_secret_cannot_be_made_by_somebody_else(programme, owner):
    secret = invitations.secret_of(programme, owner, "a")
    other = factories.staff(programme, Role.OWNER)
    assert invitations.secret_of(programme, other, "a") != secret
    assert invitations.secret_of(factories.programme(), owner, "a") != secret
    assert len(secret) == 43  # 256 bits


def test_a_link_of_a_removed_workshop_works_no_more(programme, owner):
    workshop = factories.workshop(programme, started=False)
    link(programme, owner, workshop=workshop)
    workshop.removed_at = timezone.now()
    workshop.save()
    assert not invitations.pending(programme).exists()


def test_a_link_taken_back_is_gone_and_the_log_names_nobody(programme, owner):
    made = link(programme, owner, email="new@example.org")
    team.take_back(made, owner)
    team.take_back(made, owner)
    assert said(programme) == ["Took an invitation back", "Invited a facilitator"]
