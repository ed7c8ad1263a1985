"""What is past its time is removed by the nightly job, which says what it did; everything else stays as it is."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from polls import results, text_decisions, texts
from polls.ballot_box import Receipt, Refusal
from polls.models import Ballot, Poll, Text
from polls.types import Question
from polls.types.base import Option
from workshops.actions import facilitation, groups, log, moderation, transcripts
from workshops.actions.authoring import team
from workshops.actions.groups import notes
from workshops.actions.groups.requests import Add, Agree, Edit, TakeBack
from workshops.actions.retention import accounts, job, period
from workshops.models import (
    AccountNotice,
    Agreement,
    Contribution,
    Group,
    Invitation,
    Participant,
    Place,
    Role,
    Transcript,
)
from workshops.people import participant_cookie

from ... import factories

pytestmark = pytest.mark.django_db

WORDS = Question("words", "Calm is …", settings={"max_entries": 3})
OPEN = Question("open_text", "What would help?")
OTHER = Question(
    "single_choice", "What do you do?", options=(Option("a", "A"), Option("b", "B")), settings={"other": True}
)
AGREE = Question("statement", "Babies need calm.")


def applied(**options) -> str:
    out = io.StringIO()
    call_command("apply_retention", stdout=out, **options)
    return out.getvalue()


def later(**passed):
    return time_machine.travel(timezone.now() + timedelta(**passed))


@pytest.fixture
def programme():
    return factories.programme(title="Calm")


def end(workshop):
    facilitation.end(workshop.pk, None)
    workshop.refresh_from_db()


def said_in(programme) -> list[str]:
    return [log.sentence(entry) for entry in programme.log.filter(verb="applied_retention")]


# --- sessions and invitations -----------------------------------------------------------------------------------


def test_sessions_that_are_over_are_removed_and_others_stay():
    for days in (-1, 1):
        session = SessionStore()
        session["kept"] = days > 0
        session.set_expiry(timezone.now() + timedelta(days=days))
        session.save()
    assert "1 session that was over" in applied(dry_run=True)
    assert Session.objects.count() == 2
    assert applied() == "On this server: removed 1 session that was over.\n"
    assert Session.objects.get().get_decoded()["kept"] is True
    assert applied() == "There is nothing to remove.\n"


def invite(programme, by, email, once):
    return team.invite(programme, by, Role.RESEARCHER, once=once, link_of=lambda secret: "/x", email=email)


def test_invitations_that_were_used_or_have_expired_go_with_their_addresses(programme):
    owner = factories.staff(programme, Role.OWNER)
    used = invite(programme, owner, "used@example.org", "1")
    team.accept(used, factories.person())
    invite(programme, owner, "late@example.org", "2")
    with later(days=10):
        pending = invite(programme, owner, "soon@example.org", "3")
    with later(days=15):
        assert applied() == "Calm: removed 2 used or expired invitations.\n"
    assert list(Invitation.objects.all()) == [pending]
    assert said_in(programme) == ["Removed what was past its time: 2 used or expired invitations"]


# --- accounts without a role --------------------------------------------------------------------------------------


def account(email="ada@example.org", **fields) -> User:
    long_ago = timezone.now() - timedelta(days=400)
    return User.objects.create_user(email, email, date_joined=long_ago, last_login=long_ago, **fields)


def test_an_account_without_a_role_is_told_and_thirty_days_later_removed(settings):
    settings.PUBLIC_URL = "https://workshops.example.org"
    account()
    assert "1 person without a role is told" in applied(dry_run=True)
    assert not mail.outbox
    applied()
    [sent] = mail.outbox
    assert sent.to == ["ada@example.org"]
    assert "https://workshops.example.org/" in sent.body
    assert applied() == "There is nothing to remove.\n"
    with later(days=29):
        applied()
        assert User.objects.exists()
    with later(days=31):
        assert applied() == "On this server: removed 1 account without a role.\n"
    assert not User.objects.exists()
    assert len(mail.outbox) == 1


def test_signing_in_keeps_the_account_and_it_is_told_anew_before_it_goes():
    ada = account()
    applied()
    with later(days=20):
        factories.signed_in(ada)
    for days in (31, 49):
        with later(days=days):
            applied()
    assert User.objects.exists()
    assert len(mail.outbox) == 1
    with later(days=51):
        applied()
    assert len(mail.outbox) == 2
    with later(days=82):
        applied()
    assert not User.objects.exists()


def test_roles_superusers_and_safeguarding_leads_keep_their_accounts(programme):
    account("root@example.org", is_superuser=True)
    lead = account("lead@example.org")
    programme.safeguarding_lead = lead
    programme.save()
    factories.staff(programme)
    User.objects.update(last_login=timezone.now() - timedelta(days=400))
    applied()
    with later(days=31):
        applied()
    assert User.objects.count() == 3
    assert not mail.outbox


def test_somebody_who_gets_a_role_and_loses_it_again_is_told_again(programme):
    ada = account()
    applied()
    with later(days=10):
        member = programme.memberships.create(user=ada, role=Role.RESEARCHER)
        applied()
        assert not AccountNotice.objects.exists()
        member.delete()
    with later(days=40):
        applied()
        assert User.objects.exists()
    assert len(mail.outbox) == 2


def test_nobody_is_removed_whose_mail_was_not_sent(monkeypatch):
    account()

    def fails(**mail):
        raise OSError

    monkeypatch.setattr(accounts, "send_mail", fails)
    with pytest.raises(CommandError, match="1 mail could not be sent"):
        applied()
    with later(days=31), pytest.raises(CommandError):
        applied()
    assert User.objects.exists()


# --- transcripts, wordings, rehearsals -----------------------------------------------------------------------------


@pytest.fixture
def room(programme):
    """Three people in one group, at work on a prompt."""
    workshop = factories.workshop(programme)
    item = factories.prompt_item(workshop)
    people = [factories.participant(workshop) for _ in range(3)]
    facilitation.launch(workshop.pk, None, item.pk)
    groups.make(workshop.pk, None, "random", groups=1)
    groups.open_round(workshop.pk, None)
    return workshop, people


_ops = iter(range(1, 10_000))


def do(kind, who, *values):
    return notes.write([kind(who.workshop_id, who.voter, f"op{next(_ops)}", *values)])[0]


def note(who, words="Soft light") -> int:
    return do(Add, who, Group.objects.get(places__voter=who.voter).pk, words).note


def words_left() -> list[str]:
    return sorted(Text.objects.values_list("words", flat=True))


def test_a_transcript_that_nobody_kept_goes_after_a_day_and_a_kept_one_stays(room):
    group = Group.objects.get()
    cue = {"start": 0.0, "end": 1.0, "speaker": "Speaker 1", "text": "Soft light"}
    kept, _forgotten = (transcripts.add(group, [cue], factories.person()) for _ in range(2))
    transcripts.keep(kept, None)
    applied()
    assert Transcript.objects.count() == 2
    with later(hours=25):
        assert applied() == "Calm: removed 1 transcript that nobody kept.\n"
    assert list(Transcript.objects.all()) == [kept]
    assert words_left() == ["Soft light"]


def test_wordings_that_were_changed_or_lost_go_thirty_days_after_the_workshop(room):
    workshop, (ada, ben, _cy) = room
    first = note(ada, "Dim")
    do(Edit, ada, first, 1, "Soft")
    do(Edit, ada, first, 1, "Bright")  # of the wording that is gone
    do(TakeBack, ben, note(ben, "Ada shouts"))
    with later(days=40):
        applied()
        assert len(words_left()) == 4  # it runs
        end(workshop)
    with later(days=69):
        applied()
        assert len(words_left()) == 4
    with later(days=71):
        assert applied() == "Calm: removed 3 former wordings.\n"
        assert applied() == "There is nothing to remove.\n"
    assert words_left() == ["Soft"]


def test_a_wording_that_a_decision_or_a_quote_refers_to_stays_and_the_chain_of_revisions_holds(room):
    workshop, (ada, *_others) = room
    mine = note(ada, "One")
    for revision, words in enumerate(("Two", "Three", "Four", "Five"), start=1):
        do(Edit, ada, mine, revision, words)
    one, _two, three, _four, five = Text.objects.order_by("pk")
    text_decisions.decide([one.pk], text_decisions.SHOWN)
    texts.passage(three)
    end(workshop)
    with later(days=31):
        applied()
    assert words_left() == ["Five", "One", "Three"]
    five.refresh_from_db()
    assert (five.former.words, five.former.former.words) == ("Three", "One")


def test_changed_answers_keep_the_last_wording_alone(programme):
    workshop = factories.workshop(programme, OPEN)
    poll, ada = factories.launched(workshop), factories.participant(workshop)
    factories.vote(ada, poll, "First")
    factories.vote(ada, poll, "Second")
    end(workshop)
    with later(days=31):
        applied()
    assert words_left() == ["Second"]
    assert Ballot.objects.get().value == "Second"


def test_rehearsal_phones_go_with_all_they_sent_once_the_workshop_is_over(room):
    workshop, (ada, *_others) = room
    poll = factories.launched(workshop)
    tried = factories.participant(workshop, rehearsal=True)
    factories.vote(tried, poll, "yes")
    factories.vote(ada, poll, "no")
    Place.objects.create(round=Group.objects.get().round, group=Group.objects.get(), voter=tried.voter)
    applied()
    assert workshop.participants.filter(rehearsal=True).exists()
    end(workshop)
    assert applied() == "Calm: removed 1 rehearsal phone.\n"
    assert not workshop.participants.filter(rehearsal=True).exists()
    assert not Place.objects.filter(voter=tried.voter).exists()
    assert Ballot.objects.get().voter == ada.voter
    assert Place.objects.count() == 3


# --- the time that a programme keeps answers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ended", "months", "over"),
    [
        ((2026, 11, 29), 24, (2028, 11, 29)),
        ((2026, 8, 31), 6, (2027, 2, 28)),
        ((2026, 12, 31), 12, (2027, 12, 31)),
    ],
)
def test_the_period_is_counted_in_months_from_the_end_of_the_workshop(programme, ended, months, over):
    workshop = factories.workshop(programme)
    workshop.programme.keep_months = months
    workshop.ended_at = datetime(*ended, 12, tzinfo=UTC)
    assert period.end_of_period(workshop) == datetime(*over, 12, tzinfo=UTC)


@pytest.fixture
def talkative(programme):
    """A workshop that has ended: three people's words, some shown, one redacted, one hidden, one never looked at."""
    workshop = factories.workshop(programme, WORDS, OPEN, OTHER, AGREE)
    people = [factories.participant(workshop) for _ in range(3)]
    ada, ben, cy = people
    for place, answers in enumerate(
        (
            (["calm", "Ada"], ["calm"], ["rude"]),
            ("More light", "Ask Jo Smith", "Never read"),
            ({"other": "Cook"}, "a", "b"),
            ({"choice": "agree", "reason": "Because Jo"}, {"choice": "agree"}, {"choice": "disagree"}),
        )
    ):
        poll = factories.launched(workshop, place)
        for who, answer in zip((ada, ben, cy), answers, strict=True):
            assert isinstance(factories.vote(who, poll, answer, op=f"op-{place}-{who.pk}"), Receipt)
        facilitation.close(workshop.pk, None)
    for words, state, instead in (
        ("calm", "shown", ""), ("rude", "hidden", ""), ("More light", "shown", ""), ("Ask Jo Smith", "redacted", "Ask …"),
    ):  # fmt: skip
        found = list(Text.objects.filter(words=words).values_list("pk", flat=True))
        text_decisions.decide(found, state, replacement=instead)
    end(workshop)
    return workshop, people


def polls_of(workshop) -> list[Poll]:
    return [item.poll for item in workshop.agenda.select_related("poll__version").order_by("position")]


def test_before_the_period_is_over_nothing_changes(talkative):
    assert talkative
    kept = words_left()
    with later(days=700):
        assert applied() == "There is nothing to remove.\n"
    assert words_left() == kept


def test_words_that_were_not_shown_go_from_texts_answers_and_results_and_numbers_stay(talkative):
    workshop, _people = talkative
    before = [(poll.result["counts"], poll.result["tally"]["n"]) for poll in polls_of(workshop)]
    with later(days=740):
        assert applied() == ("Calm: removed 6 texts that were not shown and the keys of 3 people.\n")
        assert applied() == "There is nothing to remove.\n"
    assert words_left() == ["Ask …", "More light", "calm", "calm"]
    words, opened, other, agree = polls_of(workshop)
    assert [(poll.result["counts"], poll.result["tally"]["n"]) for poll in polls_of(workshop)] == before
    stored = str(list(Ballot.objects.values_list("value", flat=True))) + str(
        [p.result for p in polls_of(workshop)]
    )
    assert not [gone for gone in ("Ada", "rude", "Jo", "Never", "Cook") if gone in stored]
    assert list(words.result["tally"]["words"]) == ["calm"]
    assert opened.result["tally"]["texts"] == {"More light": 1, "Ask …": 1}
    assert results.read(other).tally["counts"] == {"a": 1, "b": 1}
    assert sum(results.read(other).tally["other"].values()) == 1
    assert results.read(agree).tally["counts"] == {"agree": 2, "live_with": 0, "disagree": 1}
    for poll in polls_of(workshop):
        assert results.count(poll).tally == poll.result["tally"]
    for poll in (words, opened):
        mine = results.for_researchers(poll, results.read(poll), results.moderation_of([poll]))
        assert mine.tally == poll.result["tally"]


def test_no_key_of_a_phone_leads_to_an_answer_and_one_persons_answers_stay_together(talkative):
    workshop, people = talkative
    old = {who.voter for who in people}
    with later(days=740):
        applied()
    assert not Participant.objects.filter(voter__in=old).exists()
    assert not Ballot.objects.filter(voter__in=old).exists()
    assert not Text.objects.filter(voter__in=old).exists()
    assert set(Ballot.objects.values_list("op", "seq")) == {("", 0)}
    now = set(workshop.participants.values_list("voter", flat=True))
    assert len(now) == 3
    assert [Ballot.objects.filter(voter=voter).count() for voter in now] == [4, 4, 4]
    assert set(Text.objects.values_list("voter", flat=True)) <= now
    assert {tuple(each.consent) for each in workshop.participants.all()} == {("read", "pooled", "quotes")}
    for who in people:
        assert participant_cookie.participant_of(factories.token_of(who)) is None
        assert isinstance(factories.vote(who, polls_of(workshop)[0], ["x"]), Refusal)
    moments = [*Ballot.objects.values_list("cast_at", flat=True), *Text.objects.values_list("at", flat=True)]
    assert {(at.minute, at.second, at.microsecond) for at in moments} == {(0, 0, 0)}


def test_in_groups_notes_that_were_not_shown_go_and_numbers_of_people_stay(room):
    workshop, (ada, ben, _cy) = room
    shown, pending = note(ada, "Soft light"), note(ben, "Ben is late")
    do(Agree, ben, shown, True)
    moderation.decide(workshop.pk, None, factories.note_ref(shown), "shown")
    talk = transcripts.add(
        Group.objects.get(),
        [{"start": 0.0, "end": 1.0, "speaker": "Speaker 1", "text": "We need light"}],
        factories.person(),
    )
    transcripts.keep(talk, None)
    end(workshop)
    with later(days=740):
        said = applied()
    assert "1 text that was not shown, 1 transcript and the keys of 3 people" in said.replace("texts", "text")
    assert words_left() == ["Soft light"]
    assert not Contribution.objects.filter(pk=pending).exists()
    kept = Contribution.objects.get(pk=shown)
    assert kept.author == kept.text.voter != ada.voter
    assert Participant.objects.filter(voter=kept.author).exists()
    assert Agreement.objects.get().voter not in (ada.voter, ben.voter)
    assert Place.objects.count() == 3
    assert not Place.objects.filter(voter__in=[ada.voter, ben.voter]).exists()


def test_words_that_the_room_saw_at_once_stay_unless_they_may_name_somebody(programme):
    workshop = factories.workshop(programme, OPEN)
    poll = factories.launched(workshop)
    moderation.words_at_once(workshop.pk, None, poll.pk, True)
    for words in ("More light", "Ask Jo Smith on 07700 900123"):
        factories.vote(factories.participant(workshop), poll, words)
    end(workshop)
    with later(days=740):
        applied()
    assert words_left() == ["More light"]


def test_a_quoted_text_stays_unless_it_was_hidden(programme):
    workshop = factories.workshop(programme, OPEN)
    poll = factories.launched(workshop)
    for words in ("Quoted", "Hidden since"):
        factories.vote(factories.participant(workshop), poll, words)
        texts.passage(factories.text(poll, words))
    moderation.decide(workshop.pk, None, factories.text(poll, "Hidden since").ref, "hidden")
    end(workshop)
    with later(days=740):
        applied()
    assert words_left() == ["Quoted"]


def test_invented_workshops_keep_theirs(talkative):
    workshop, _people = talkative
    workshop.synthetic = True
    workshop.save()
    with later(days=740):
        assert applied() == "There is nothing to remove.\n"


# --- the job itself ------------------------------------------------------------------------------------------------


def test_a_dry_run_says_the_same_numbers_and_changes_nothing(talkative):
    with later(days=740):
        would = applied(dry_run=True)
        assert would == "Calm: would remove 6 texts that were not shown and the keys of 3 people.\n"
        assert applied(dry_run=True) == would
        assert would.replace("would remove", "removed") == applied()


def test_interrupted_anywhere_it_goes_on_and_the_log_has_exactly_what_was_done(talkative, monkeypatch):
    workshop, people = talkative
    given = period._give_new_key

    def breaks(workshop, person, polls):
        if person.pk == people[-1].pk:
            raise KeyboardInterrupt
        given(workshop, person, polls)

    monkeypatch.setattr(period, "_give_new_key", breaks)
    monkeypatch.setattr(period, "KEYS_AT_ONCE", 1)
    with later(days=740):
        with pytest.raises(KeyboardInterrupt):
            applied()
        assert said_in(workshop.programme) == [
            "Removed what was past its time: 6 texts that were not shown and the keys of 2 people"
        ]
        monkeypatch.undo()
        assert applied() == "Calm: removed the key of 1 person.\n"
    assert len(set(Ballot.objects.values_list("voter", flat=True))) == 3


def test_each_step_is_a_short_transaction(programme, monkeypatch):
    workshop = factories.workshop(programme)
    for _ in range(5):
        factories.participant(workshop, rehearsal=True)
    end(workshop)
    sizes = []
    remove = job.Due

    def counting(kind, when, programme, batches, take):
        return remove(kind, when, programme, batches, lambda found: sizes.append(len(found)) or take(found))

    monkeypatch.setattr("workshops.actions.retention.leftovers.Due", counting)
    monkeypatch.setattr("workshops.actions.retention.due.BATCH", 2)
    assert applied() == "Calm: removed 5 rehearsal phones.\n"
    assert sizes == [2, 2, 1]
    assert len(said_in(programme)) == 1


def test_a_workshop_that_was_never_ended_is_named(programme):
    factories.workshop(programme)
    with later(days=31):
        assert applied() == (
            "Calm: The ideal baby room 1 began more than 30 days ago and was never ended: end it, or nothing of it is"
            " removed.\n"
        )


def test_two_programmes_of_one_name_have_their_own_numbers(programme):
    for mine, people in ((programme, 1), (factories.programme(title="Calm"), 2)):
        workshop = factories.workshop(mine)
        for _ in range(people):
            factories.participant(workshop, rehearsal=True)
        end(workshop)
    assert applied() == "Calm: removed 1 rehearsal phone.\nCalm: removed 2 rehearsal phones.\n"
    assert said_in(programme) == ["Removed what was past its time: 1 rehearsal phone"]


def test_owners_are_told_what_comes_next_and_when(talkative):
    workshop, _people = talkative
    coming = job.next_removal(workshop.programme)
    assert coming.what == "6 texts that were not shown and the keys of 3 people"
    assert coming.when == period.end_of_period(workshop)
    with later(days=740):
        assert job.next_removal(workshop.programme).when is None
        applied()
        assert job.next_removal(workshop.programme) is None


def test_another_programmes_things_are_not_told(talkative):
    assert job.next_removal(factories.programme()) is None
