"""Nobody takes part without having agreed: at the form, in the batch that writes, and in the database."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from polls.ballot_box import Refusal
from polls.models import Ballot
from workshops.actions import participation
from workshops.actions.participation import ConsentMissing, Join, JoinAccepted
from workshops.models import Participant, Workshop, new_key

from ... import factories

pytestmark = pytest.mark.django_db

BOTH = ("read", "pooled")


def join(workshop, *consent, sheet=True, rehearsal=False):
    sheet_id = workshop.sheet_id if sheet is True else sheet
    return Join(workshop.pk, new_key(), sheet_id, consent, rehearsal)


def test_of_a_batch_only_those_are_let_in_who_agreed_to_all_that_is_required():
    workshop = factories.workshop()
    optional = factories.sheet(workshop.programme, factories.SHEET_ITEMS[2:])
    good, more = join(workshop, *BOTH), join(workshop, *BOTH, "quotes")
    without = [
        join(workshop, *BOTH, sheet=None),
        join(workshop, *BOTH, sheet=2**31),  # there is no such sheet
        join(workshop),
        join(workshop, "read"),
        join(workshop, "quotes", sheet=optional.pk),  # which asks for nothing
    ]
    outcomes = participation.write([without[0], good, *without[1:], more])
    assert [type(outcome) for outcome in outcomes] == [Refusal, JoinAccepted, *[Refusal] * 4, JoinAccepted]
    assert {outcome.code for outcome in outcomes if isinstance(outcome, Refusal)} == {"consent"}
    assert set(Participant.objects.values_list("voter", flat=True)) == {good.voter, more.voter}


def test_votes_that_come_with_a_refused_join_are_not_cast_and_others_are():
    workshop = factories.workshop()
    poll, who = factories.launched(workshop), factories.participant(workshop)
    stranger = join(workshop)
    votes = [participation.Vote(workshop.pk, voter, poll.pk, "yes") for voter in (stranger.voter, who.voter)]
    refused, first, second = participation.write([stranger, *votes])
    assert (refused.code, first.code, second.said) == ("consent", "consent", "Yes")
    assert Ballot.objects.get().voter == who.voter


@pytest.mark.parametrize(
    "fields", [{}, {"consent": ["read"]}, {"sheet": True}, {"sheet": True, "consent": []}]
)
def test_the_database_takes_no_participant_without_a_sheet_and_consent(fields):
    workshop = factories.workshop()
    fields = fields | ({"sheet": workshop.sheet} if "sheet" in fields else {})
    with pytest.raises(IntegrityError, match="people_have_agreed"), transaction.atomic():
        Participant.objects.create(workshop=workshop, **fields)
    Participant.objects.create(workshop=workshop, rehearsal=True, **fields)  # no person


def test_the_database_lets_nobodys_consent_be_taken_away():
    factories.participant(factories.workshop())
    with pytest.raises(IntegrityError, match="people_have_agreed"), transaction.atomic():
        Participant.objects.update(consent=[])


def test_a_rehearsal_phone_has_nothing_to_agree_to():
    workshop = factories.workshop()
    assert isinstance(participation.write([join(workshop, rehearsal=True)])[0], JoinAccepted)


@pytest.fixture
def bare():
    """A workshop whose doors were opened before there had to be a sheet."""
    workshop = factories.workshop()
    Workshop.objects.update(sheet=None)
    workshop.refresh_from_db()
    return workshop


def test_where_there_is_nothing_to_agree_to_nobody_joins_and_the_page_says_why(bare):
    with pytest.raises(ConsentMissing):
        participation.join(bare, ["read"])
    address = f"/w/{bare.code}/consent/"
    for answer, status in ((Client().get(address), 200), (Client().post(address, {}), 422)):
        html = answer.content.decode()
        assert answer.status_code == status
        assert "There is nothing to agree to yet, so nobody can be counted." in html
        assert ">Continue<" not in html
    assert Participant.objects.count() == 0
    watches = Client()
    assert watches.post(address, {"observe": "yes"}).status_code == 302
    assert watches.get(f"/w/{bare.code}/").status_code == 200
