"""Another safeguarding lead takes over with a witness, or after a day, and never unseen."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from workshops.actions import log
from workshops.actions.authoring import lead, team
from workshops.models import Membership, Role
from workshops.people import access, invitations

from .... import factories

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def programme():
    return factories.programme(title="Calm rooms")


@pytest.fixture
def owner(programme):
    return factories.staff(programme, Role.OWNER)


@pytest.fixture
def present(programme):
    """A lead who is no owner."""
    found = factories.staff(programme)
    programme.safeguarding_lead = found
    programme.save()
    return found


def second_owner(programme, since=DAY):
    found = factories.staff(programme, Role.OWNER)
    Membership.objects.filter(user=found).update(joined_at=timezone.now() - since)
    return found


def name(programme, person, by):
    return lead.name(programme, person, by, link="https://example.org/safeguarding/")


def agree(programme, by):
    lead.agree(programme, by, lead.nomination(programme, by).stamp)


def refuse(programme, by):
    lead.refuse(programme, by, lead.nomination(programme, by).stamp)


def readers(programme, *people):
    programme.refresh_from_db()
    return [person for person in people if access.is_lead(person, programme)]


def said(programme):
    return [log.sentence(entry) for entry in programme.log.all()]


# --- waiting --------------------------------------------------------------------------------------------------


def test_an_owner_who_names_themselves_reads_nothing_until_a_day_has_gone(programme, owner, present):
    assert not name(programme, owner, owner)
    assert readers(programme, owner, present) == [present]
    with time_machine.travel(timezone.now() + DAY - timedelta(minutes=1)):
        assert readers(programme, owner, present) == [present]
    with time_machine.travel(timezone.now() + DAY):
        assert readers(programme, owner, present) == [owner]


def test_what_is_due_is_written_into_the_log_once(programme, owner, present):
    name(programme, owner, owner)
    lead.settle(programme)
    assert len(said(programme)) == 1
    with time_machine.travel(timezone.now() + DAY):
        for _ in range(2):
            programme.refresh_from_db()
            lead.settle(programme)
    assert programme.safeguarding_lead == owner
    assert said(programme) == [
        f"From now on reads what is flagged for safeguarding: {owner.email}",
        f"Named to read what is flagged for safeguarding: {owner.email}",
    ]
    assert [entry.by for entry in programme.log.all()] == [None, owner]


def test_the_present_lead_is_told_by_mail_where_to_answer(programme, owner, present):
    name(programme, owner, owner)
    [sent] = mail.outbox
    assert sent.to == [present.email]
    assert sent.subject == "Safeguarding of Calm rooms"
    for words in (
        f"{owner.email} has named {owner.email}",
        "or by itself on",
        "https://example.org/safeguarding/",
    ):
        assert words in sent.body


def test_nobody_is_named_where_the_lead_could_not_be_told(programme, owner, present, monkeypatch):
    def down(*_args, **_more):
        raise OSError

    monkeypatch.setattr(lead, "send_mail", down)
    with pytest.raises(lead.LeadNotTold):
        name(programme, owner, owner)
    with time_machine.travel(timezone.now() + DAY):
        assert readers(programme, owner, present) == [present]


def test_leaving_it_to_the_owners_waits_as_well(programme, owner, present):
    assert not name(programme, None, owner)
    assert readers(programme, owner, present) == [present]
    assert "wants all owners to read" in mail.outbox[0].body
    with time_machine.travel(timezone.now() + DAY):
        assert readers(programme, owner, present) == [owner]


def test_naming_the_same_again_does_not_begin_the_day_anew(programme, owner, present):
    name(programme, owner, owner)
    with time_machine.travel(timezone.now() + timedelta(hours=23)):
        assert not name(programme, owner, owner)
    assert len(mail.outbox) == len(said(programme)) == 1
    with time_machine.travel(timezone.now() + DAY):
        assert readers(programme, owner, present) == [owner]


def test_a_waiting_nomination_is_not_replaced_by_another(programme, owner, present):
    name(programme, owner, owner)
    with pytest.raises(lead.NominationWaits):
        name(programme, factories.staff(programme), owner)


# --- agreeing and refusing ------------------------------------------------------------------------------------


def test_the_present_lead_agrees_and_it_is_so_at_once(programme, owner, present):
    name(programme, owner, owner)
    agree(programme, present)
    assert readers(programme, owner, present) == [owner]
    assert [entry.verb for entry in programme.log.all()] == ["lead_took_effect", "lead_agreed", "lead_named"]


def test_a_second_owner_of_a_day_agrees(programme, owner, present):
    second = second_owner(programme)
    name(programme, owner, owner)
    agree(programme, second)
    assert readers(programme, owner, second, present) == [owner]


def test_a_second_self_who_was_just_invited_does_not_count(programme, owner, present):
    second = second_owner(programme, since=DAY - timedelta(minutes=1))
    name(programme, owner, owner)
    assert lead.nomination(programme, second).is_too_new
    with pytest.raises(lead.MayNotAgree):
        agree(programme, second)
    assert readers(programme, owner, second, present) == [present]


def test_a_facilitator_of_long_who_was_just_made_an_owner_does_not_count(programme, owner, present):
    second = factories.staff(programme)
    Membership.objects.filter(user=second).update(joined_at=timezone.now() - 30 * DAY)
    team.change_role(programme.memberships.get(user=second), Role.OWNER, owner)
    name(programme, owner, owner)
    with pytest.raises(lead.MayNotAgree):
        agree(programme, second)


@pytest.mark.parametrize("role", [Role.FACILITATOR, Role.RESEARCHER])
def test_neither_the_one_who_named_nor_another_role_agrees(programme, owner, present, role):
    Membership.objects.filter(user=owner).update(joined_at=timezone.now() - 30 * DAY)
    nominee = factories.staff(programme, role)
    name(programme, nominee, owner)
    for person in (owner, nominee):
        with pytest.raises(lead.MayNotAgree):
            agree(programme, person)


def test_the_present_lead_refuses_and_all_stays(programme, owner, present):
    name(programme, owner, owner)
    refuse(programme, present)
    with time_machine.travel(timezone.now() + DAY):
        assert readers(programme, owner, present) == [present]
    assert said(programme)[0] == f"Refused who was named for safeguarding: {owner.email}"


def test_an_owner_takes_their_nomination_back(programme, owner, present):
    name(programme, owner, owner)
    refuse(programme, owner)
    assert said(programme)[0] == f"Took back who was named for safeguarding: {owner.email}"
    assert not name(programme, owner, owner)


def test_an_answer_is_for_the_nomination_that_was_read_and_no_other(programme, owner, present):
    name(programme, factories.staff(programme), owner)
    stamp = lead.nomination(programme, present).stamp
    refuse(programme, owner)
    for _ in range(2):
        with pytest.raises(lead.NothingToAnswer):
            lead.agree(programme, present, stamp)
        name(programme, owner, owner)
    with pytest.raises(lead.NothingToAnswer):
        lead.agree(programme, present, "")


def test_an_answer_that_comes_too_late_changes_nothing(programme, owner, present):
    name(programme, owner, owner)
    stamp = lead.nomination(programme, present).stamp
    with time_machine.travel(timezone.now() + DAY):
        with pytest.raises(lead.NothingToAnswer):
            lead.refuse(programme, present, stamp)
        assert readers(programme, owner, present) == [owner]


# --- where nothing is taken from anybody ----------------------------------------------------------------------


def test_a_sole_owner_names_a_first_lead_at_once(programme, owner):
    person = factories.staff(programme)
    assert name(programme, person, owner)
    assert readers(programme, owner, person) == [person]
    assert mail.outbox == []
    assert [entry.verb for entry in programme.log.all()] == ["lead_took_effect", "lead_named"]


def test_among_several_owners_a_first_lead_waits_for_a_second_who_is_told(programme, owner):
    second = second_owner(programme)
    person = factories.staff(programme)
    assert not name(programme, person, owner)
    assert [sent.to for sent in mail.outbox] == [[second.email]]
    assert readers(programme, owner, second, person) == [owner, second]
    agree(programme, second)
    assert readers(programme, owner, second, person) == [person]


def test_a_lead_who_is_an_owner_hands_over_at_once(programme, owner):
    second_owner(programme)
    programme.safeguarding_lead = owner
    programme.save()
    person = factories.staff(programme)
    assert name(programme, person, owner)
    assert readers(programme, owner, person) == [person]


def test_naming_the_present_lead_changes_nothing(programme, owner, present):
    assert name(programme, present, owner)
    assert said(programme) == []


# --- roles that are lost --------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["removed", "made a guest"])
def test_who_takes_the_leads_role_away_reads_nothing_for_a_day(
    programme, owner, present, how, django_capture_on_commit_callbacks
):
    member = programme.memberships.get(user=present)
    with django_capture_on_commit_callbacks(execute=True):
        if how == "removed":
            team.remove_role(member, owner)
        else:
            team.change_role(member, Role.FACILITATOR, owner, workshop=factories.workshop(programme))
    assert readers(programme, owner, present) == []
    assert [sent.to for sent in mail.outbox] == [[present.email]]
    assert "has taken away your role" in mail.outbox[0].body
    with time_machine.travel(timezone.now() + DAY):
        assert readers(programme, owner, present) == [owner]


def test_a_lead_whose_role_is_taken_is_removed_though_the_mail_does_not_leave(
    programme, owner, present, monkeypatch, django_capture_on_commit_callbacks
):
    def down(*_args, **_more):
        raise OSError

    monkeypatch.setattr(lead, "send_mail", down)
    with django_capture_on_commit_callbacks(execute=True):
        team.remove_role(programme.memberships.get(user=present), owner)
    assert not programme.memberships.filter(user=present).exists()


def test_a_removed_lead_neither_agrees_nor_comes_between(programme, owner, present):
    team.remove_role(programme.memberships.get(user=present), owner)
    programme.refresh_from_db()
    with pytest.raises(lead.MayNotAgree):
        agree(programme, present)


def test_another_role_of_the_lead_in_the_programme_keeps_them_lead(programme, owner, present):
    invitations.add_member(programme, present, Role.RESEARCHER)
    team.remove_role(programme.memberships.get(user=present, role=Role.FACILITATOR), owner)
    assert readers(programme, owner, present) == [present]
    team.change_role(programme.memberships.get(user=present), Role.FACILITATOR, owner)
    assert readers(programme, owner, present) == [present]


def test_a_lead_who_goes_by_their_own_hand_leaves_it_to_the_owners(programme, owner):
    going = second_owner(programme)
    programme.safeguarding_lead = going
    programme.save()
    team.remove_role(programme.memberships.get(user=going), going)
    assert readers(programme, owner, going) == [owner]


def test_a_nomination_lapses_with_the_role_of_who_named_or_was_named(programme, owner, present):
    second = second_owner(programme)
    nominee = factories.staff(programme)
    for gone in (nominee, second):
        name(programme, nominee if gone is nominee else owner, second)
        team.remove_role(programme.memberships.get(user=gone), owner)
        programme.refresh_from_db()
        assert lead.nomination(programme, owner) is None
        assert said(programme)[0].startswith("Took back who was named")
    assert readers(programme, owner, present) == [present]
