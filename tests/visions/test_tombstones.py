"""Words that are flagged, hidden, redacted or taken back after they were published are gone from public pages at once."""

from __future__ import annotations

import copy

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from polls import text_decisions
from polls.models import Text
from visions.models import QuotedText, Snapshot
from visions.summary import composing, publishing, withdrawal
from workshops.actions import moderation
from workshops.actions.groups import notes
from workshops.models import Contribution, Role

from .. import factories
from .quoted import SAID, held, linked, polled

pytestmark = pytest.mark.django_db


@pytest.fixture
def published():
    """A version with somebody's sentence as the question of its figure, and as its lead; the text."""
    programme, poll, text = polled(note=True)
    summary = linked(programme, poll, "agree")
    composing.edit_summary(summary, title="Our room", lead=f"{SAID}.", opening="")
    return publishing.publish(summary), text


def pages(snapshot) -> list[str]:
    key = snapshot.summary.key
    answers = [Client().get(f"/vision/{key}/"), Client().get(f"/vision/{key}/{snapshot.number}/")]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.content.decode() for answer in answers]


def decided(text, state: str) -> None:
    workshop = Contribution.objects.get(text=text).group.round.workshop
    instead = "Babies sleep" if state == "redacted" else ""
    moderation.decide(workshop.pk, factories.staff(workshop.programme), text.ref, state, instead)


@pytest.mark.parametrize("state", ["flagged", "hidden", "redacted", "pending"])
def test_a_decision_after_publishing_takes_the_words_off_the_public_page_at_once(published, state):
    snapshot, text = published
    assert all(page.count(SAID) == 2 for page in pages(snapshot))
    decided(text, state)
    for page in pages(snapshot):
        assert SAID not in page
        assert page.count("[…]") == 3  # in both places, and in the line that says so
        assert f"2 passages were taken out of this page, the last on {timezone.now():%-d %B %Y}" in page
        assert snapshot.sha256 in page


def test_words_that_are_taken_back_are_gone_at_once(published):
    snapshot, text = published
    note = Contribution.objects.get(text=text)
    notes.write([notes.TakeBack(note.group.round.workshop_id, note.author, "op9", note.pk)])
    Contribution.objects.filter(pk=note.pk).update(taken_back_at=timezone.now())
    assert all(SAID not in page for page in pages(snapshot))


def test_a_decision_about_a_later_wording_takes_the_earlier_one_with_it(published):
    snapshot, text = published
    newer = Text.objects.create(
        voter=text.voter, field="note", revision=2, former=text, words="Other words", at=timezone.now()
    )
    text_decisions.decide([newer.pk], text_decisions.FLAGGED)
    assert all(SAID not in page for page in pages(snapshot))


def test_the_version_stays_as_it_was_frozen(published):
    snapshot, text = published
    before = copy.deepcopy(Snapshot.objects.get().content)
    decided(text, "flagged")
    pages(snapshot)
    assert Snapshot.objects.get().content == before
    assert Snapshot.objects.get().is_intact


def test_words_that_are_shown_again_stand_there_again(published):
    snapshot, text = published
    decided(text, "hidden")
    decided(text, "shown")
    assert all(page.count(SAID) == 2 and "taken out of this page" not in page for page in pages(snapshot))


def test_a_label_of_people_who_were_flagged_since_is_gone():
    snapshot = publishing.publish(linked(*held(["sacked by Mary Quennell"]), "sacked by mary quennell"))
    text_decisions.decide([Text.objects.first().pk], text_decisions.FLAGGED)
    assert all("Quennell" not in page for page in pages(snapshot))


def test_a_text_that_is_gone_from_the_database_is_gone_from_the_page(published):
    snapshot, text = published
    QuotedText.objects.filter(text=text).update(text=None)
    assert all(SAID not in page and "2 passages were taken out" in page for page in pages(snapshot))


def test_former_wordings_that_are_cleared_away_leave_the_page_whole():
    programme, poll, text = polled(note=True)
    Text.objects.create(
        voter=text.voter,
        field="note",
        former=text,
        words=SAID,
        at=timezone.now(),
        standing=Text.Standing.LOST,
    )
    summary = linked(programme, poll, "agree")
    composing.edit_summary(summary, title="Our room", lead=f"{SAID}.", opening="")
    snapshot = publishing.publish(summary)
    Text.objects.filter(standing=Text.Standing.LOST).delete()
    assert all(page.count(SAID) == 2 for page in pages(snapshot))


def test_flagged_words_that_are_deleted_when_their_time_is_over_do_not_come_back(published):
    snapshot, text = published
    decided(text, "flagged")
    Contribution.objects.get(text=text).delete()
    Text.objects.filter(pk=text.pk).delete()
    assert all(SAID not in page for page in pages(snapshot))


def test_a_page_that_quotes_nobody_costs_one_query_more_than_its_version(published):
    snapshot, _text = published
    QuotedText.objects.all().delete()
    with CaptureQueriesContext(connection) as queries:
        Client().get(f"/vision/{snapshot.summary.key}/")
    assert len(queries) <= 3


# --- what an owner is told and can do --------------------------------------------------------------------------


def test_the_summarys_page_says_which_version_has_such_words_and_leads_an_owner_to_withdrawing_it(published):
    snapshot, text = published
    programme = snapshot.summary.programme
    address = f"/programmes/{programme.key}/summary/"
    owner = factories.signed_in(factories.staff(programme, Role.OWNER))
    said = "Words in version 1 were flagged, hidden or taken back since."
    assert said not in owner.get(address).content.decode()
    decided(text, "flagged")
    page = owner.get(address).content.decode()
    assert said in page
    assert page.count(f'href="{address}versions/1/withdraw/"') == 2
    researcher = (
        factories.signed_in(factories.staff(programme, Role.RESEARCHER)).get(address).content.decode()
    )
    assert said in researcher
    assert "An owner can withdraw it" in researcher


def test_an_owner_takes_them_out_without_seeing_or_typing_them(published):
    snapshot, text = published
    programme = snapshot.summary.programme
    owner = factories.signed_in(factories.staff(programme, Role.OWNER))
    address = f"/programmes/{programme.key}/summary/versions/1/withdraw/"
    assert 'name="gone"' not in owner.get(address).content.decode()
    decided(text, "flagged")
    page = owner.get(address).content.decode()
    assert 'name="gone"' in page
    assert SAID not in page
    for _ in range(2):
        owner.post(address, {"because": "Flagged since.", "gone": "on"})
    first, second = Snapshot.objects.order_by("number")
    assert first.withdrawn_at
    assert not first.quoted.exists()
    assert SAID not in str(second.content)
    assert second.is_intact
    assert Client().get(f"/vision/{programme.key}/1/").status_code == 410
    assert Client().get(f"/vision/{programme.key}/").status_code == 200


def test_taking_out_where_nothing_is_away_is_refused_in_words(published):
    snapshot, _text = published
    programme = snapshot.summary.programme
    owner = factories.signed_in(factories.staff(programme, Role.OWNER))
    answer = owner.post(
        f"/programmes/{programme.key}/summary/versions/1/withdraw/", {"because": "So.", "gone": "on"}
    )
    assert answer.status_code == 422
    assert "Nothing was flagged" in answer.content.decode()


def test_a_successor_has_none_of_the_words_that_were_away_and_follows_its_sources_on(published):
    snapshot, text = published
    owner = factories.staff(snapshot.summary.programme, Role.OWNER)
    composing.edit_summary(snapshot.summary, title="Mary’s room", lead=f"{SAID}.", opening="")
    second = publishing.publish(snapshot.summary)
    third = withdrawal.take_out(snapshot.summary, ["Mary’s"], owner, "A name.")
    assert third
    assert third.quoted.count() == second.quoted.count() or not second.quoted.exists()
    assert SAID in str(third.content)
    decided(text, "flagged")
    assert SAID not in Client().get(f"/vision/{snapshot.summary.key}/").content.decode()
    fourth = withdrawal.take_out(snapshot.summary, ["room"], owner, "So.")
    assert fourth
    assert SAID not in str(fourth.content)
