"""What was published can be taken back: a version, or words out of every copy."""

from __future__ import annotations

import pytest
from django.test import Client

from visions.models import EvidenceLink, Snapshot
from visions.results.aggregates import load_findings
from visions.summary import composing, publishing, withdrawal
from visions.summary.withdrawal import TOMBSTONE, CannotWithdraw
from workshops.models import Role

from .. import factories

pytestmark = pytest.mark.django_db

BECAUSE = "Somebody is named in it."


@pytest.fixture
def owner(study):
    return factories.staff(study, Role.OWNER)


@pytest.fixture
def summary(study):
    made = composing.summary_of(study)
    statement = composing.add_statement(
        made, study.domains.first(), "Ruth Miller keeps it small.", "Ask ruth miller."
    )
    composing.link(
        statement,
        load_findings(study),
        "ideal_group_size",
        "measure",
        "ideal_6_12",
        caption="As Ruth Miller says",
    )
    return made


@pytest.fixture
def published(summary, owner):
    return publishing.publish(summary, owner)


def page(address):
    return Client().get(f"/vision/{address}/")


def test_a_version_that_was_withdrawn_says_so_with_number_date_reason_and_checksum(published, owner):
    checksum = published.sha256
    withdrawal.withdraw(published, owner, BECAUSE)
    answer = page(f"{published.summary.key}/{published.number}")
    assert answer.status_code == 410
    text = answer.content.decode()
    assert checksum in text
    assert BECAUSE in text
    assert "Version 1" in text
    assert "Ruth" not in text


def test_nothing_of_its_content_is_left_in_the_database(published, owner):
    withdrawal.withdraw(published, owner, BECAUSE)
    row = Snapshot.objects.get(pk=published.pk)
    assert row.content == {}
    assert row.is_intact


def test_withdrawing_twice_is_refused_and_logged_once(published, owner):
    withdrawal.withdraw(published, owner, BECAUSE)
    with pytest.raises(CannotWithdraw, match="already"):
        withdrawal.withdraw(published, owner, "Again.")
    assert Snapshot.objects.get(pk=published.pk).withdrawn_because == BECAUSE
    assert [row.verb for row in published.summary.programme.log.all()][:2] == [
        "withdrew_version",
        "published_summary",
    ]


def test_the_address_without_a_number_leads_to_the_newest_version_that_stands(published, summary, owner):
    second = publishing.publish(summary, owner)
    withdrawal.withdraw(second, owner, BECAUSE)
    assert page(summary.key).status_code == 200
    withdrawal.withdraw(published, owner, BECAUSE)
    assert page(summary.key).status_code == 410


def test_words_are_taken_out_of_every_version_and_of_the_draft(published, summary, owner):
    second = publishing.publish(summary, owner)
    successor = withdrawal.take_out(summary, ["ruth MILLER"], owner, BECAUSE)
    assert successor
    assert successor.number == 3
    assert [page(f"{summary.key}/{number}").status_code for number in (1, 2, 3)] == [410, 410, 200]
    assert "uth" not in str([*Snapshot.objects.values_list("content", flat=True)]).replace("truth", "")
    statement = summary.statements.get()
    assert (statement.text, statement.why) == (f"{TOMBSTONE} keeps it small.", f"Ask {TOMBSTONE}.")
    assert EvidenceLink.objects.get().caption == f"As {TOMBSTONE} says"
    assert second.is_intact


def test_words_that_are_nowhere_change_nothing(published, summary, owner):
    with pytest.raises(CannotWithdraw, match="in no version"):
        withdrawal.take_out(summary, ["Somebody Else"], owner, BECAUSE)
    assert Snapshot.objects.filter(withdrawn_at=None).count() == 1


def test_only_an_owner_withdraws_and_twice_pressed_is_told(published, study, owner):
    address = f"/programmes/{study.key}/summary/versions/1/withdraw/"
    researcher = factories.signed_in(factories.staff(study, Role.RESEARCHER))
    assert researcher.post(address, {"because": BECAUSE}).status_code == 403
    browser = factories.signed_in(owner)
    assert browser.get(address).status_code == 200
    assert browser.post(address, {"because": ""}).status_code == 422
    assert browser.post(address, {"because": BECAUSE}).status_code == 302
    again = browser.post(address, {"because": BECAUSE})
    assert again.status_code == 422
    assert "already" in again.content.decode()
