"""The cookie of a seat: what it carries, what the database has of it, and when it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.core.signing import Signer
from django.test import Client

from workshops.models import Participant
from workshops.people.participant_cookie import RESULTS_FOR, ParticipantToken

from ... import factories

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
KEY = "0123456789abcdef" * 2


def test_the_cookie_carries_a_key_and_the_database_its_hash_alone():
    token = ParticipantToken.for_key(7, KEY)
    assert len(token.voter) == len(KEY)
    assert KEY in token.as_cookie()
    assert token.voter not in token.as_cookie()
    assert KEY not in repr(token)


def test_who_reads_the_database_and_the_secret_key_has_nobodys_seat():
    """With the very signer: a cookie made of a voter key is another voter's."""
    voter = ParticipantToken.for_key(7, KEY).voter
    stolen = Signer(salt="workshops.participant").sign(f"7.{voter}..{2**40}")
    assert ParticipantToken.from_cookie(stolen).voter != voter
    with pytest.raises(ValueError, match="only its hash"):
        ParticipantToken(7, voter).as_cookie()


@pytest.mark.parametrize("token", [ParticipantToken.for_key(7, KEY), ParticipantToken.for_observer(7)])
def test_a_cookie_is_read_as_it_was_written_and_is_written_again(token):
    read = ParticipantToken.from_cookie(token.as_cookie())
    assert read == token
    assert ParticipantToken.from_cookie(read.as_cookie()) == token


def test_a_cookie_ends_whatever_the_browser_makes_of_it(settings):
    settings.PARTICIPANT_COOKIE_AGE = 3600
    with time_machine.travel(NOON, tick=False) as clock:
        cookie = ParticipantToken.for_key(7, KEY).as_cookie()
        clock.shift(3599)
        assert ParticipantToken.from_cookie(cookie)
        clock.shift(1)
        assert ParticipantToken.from_cookie(cookie) is None


@pytest.mark.parametrize("value", [None, "", "7", f"7.{KEY}..9", f"7.{KEY}..9:forged", "\udc80", "7..:x"])
def test_what_is_no_cookie_of_ours_is_nobodys(value):
    assert ParticipantToken.from_cookie(value) is None


@pytest.mark.parametrize("content", ["7", "7.voter", f"7.{KEY}..soon", f"x.{KEY}..{2**40}", "7.a.b.c.d"])
def test_a_signature_alone_is_not_enough(content):
    assert ParticipantToken.from_cookie(Signer(salt="workshops.participant").sign(content)) is None


def test_one_copy_of_the_form_is_one_person_and_two_are_two():
    one, again, other = (ParticipantToken.of_form(7, once) for once in ("a", "a", "b"))
    assert (one, one.key) == (again, again.key)
    assert one != other
    assert ParticipantToken.of_form(8, "a").key != one.key
    assert ParticipantToken.of_form(7, "") != ParticipantToken.of_form(7, "")


@pytest.mark.django_db
def test_a_double_tap_on_the_joining_form_is_one_person_with_one_seat():
    workshop = factories.workshop()
    agreed = {"consent": ["read", "pooled"], "once": "a"}
    seats = [Client().post(f"/w/{workshop.code}/consent/", agreed).cookies["participant"] for _ in range(2)]
    who = Participant.objects.get()
    assert {ParticipantToken.from_cookie(seat.value).voter for seat in seats} == {who.voter}
    assert who.voter not in "".join(seat.value for seat in seats)


@pytest.mark.django_db
def test_the_cookie_of_a_questionnaire_lasts_until_its_results_have_been_read():
    made = factories.questionnaire(closes_at=NOON + timedelta(days=3650))
    answer = Client().post(f"/w/{made.code}/consent/", {"consent": ["read", "pooled"]})
    cookie = answer.cookies[f"{settings.PARTICIPANT_COOKIE_NAME}-{made.code}"].value
    minute = timedelta(minutes=1)
    for after, is_in in ((timedelta(), True), (RESULTS_FOR - minute, True), (RESULTS_FOR + minute, False)):
        with time_machine.travel(made.closes_at + after, tick=False):
            assert bool(ParticipantToken.from_cookie(cookie)) == is_in
