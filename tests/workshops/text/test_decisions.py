"""People's words before the wall: nothing is shown that nobody has let through, and what is flagged is gone everywhere."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError
from django.utils import timezone

from polls import ballot_box, results
from polls.lifecycle import Reveal
from polls.models import Poll, Text, TextDecision
from polls.types import POLL_TYPES
from polls.types.base import Option, Question
from visions.exports import results_csv
from visions.results import aggregates, breakdown
from workshops import commands, screens
from workshops.actions import facilitation, groups, rehearsal
from workshops.actions.groups import notes
from workshops.actions.moderation import check_texts, decide, words_at_once
from workshops.actions.stage import GestureRejected
from workshops.groups import load_overview, load_places
from workshops.models import Contribution, GestureLog, Group, LogEntry, Membership, Role, TextMark
from workshops.signals.topics import SHOWN, Audience, Topic
from workshops.text import decisions as moderation
from workshops.text.decisions import flagged

from ... import factories as make
from ...poll_samples import QUESTIONS

pytestmark = pytest.mark.django_db

WORDS = Question("words", "In a word?", settings={"max_entries": 3})
TEXTS = Question("open_text", "Your hope?")
AT_ONCE = Question("words", "At once?", settings={"max_entries": 3, "check": False})
NAMES = "I saw Anna Smith there"
WITHOUT = "I saw [name] there"


def room(question=WORDS, *answers, reveal=Reveal.LIVE):
    """A workshop whose question is on stage, open and shown, with these answers."""
    workshop = make.workshop(None, question)
    Poll.objects.filter(agenda_item__workshop=workshop).update(reveal=reveal)
    poll = make.launched(workshop)
    for answer in answers:
        make.vote(make.participant(workshop), poll, answer)
    return workshop, poll


def seen(workshop, *audiences):
    """All that these screens show, first page and pictures alike."""
    scene = screens.Scene.load(workshop.pk)
    return "\n".join(
        screens.draw(scene, topic, audience)
        for audience in audiences or (Audience.WALL, Audience.PHONE, Audience.OBSERVER)
        for topic in SHOWN[audience]
    )


def text_of(poll, words, standing="current"):
    """The first text with these words; in another case they are the same to people."""
    return Text.objects.filter(poll=poll, words__iexact=words, standing=standing).order_by("pk").first()


def ref_of(poll, words):
    return text_of(poll, words).ref


def items(workshop):
    return {item.text: item for item in screens.Scene.load(workshop.pk).texts}


def on_the_wall(workshop):
    """`{text: people}` as the room may see it."""
    result = screens.Scene.load(workshop.pk).room_result
    return {text: n for _key, text, n in result.poll_type.texts(result.tally, result.question)}


# --- what nobody has looked at -----------------------------------------------------------------------------


def has_own_words(sample):
    return POLL_TYPES[QUESTIONS[sample].type].has_texts


#: the words of every kind of answer that people write themselves, whether its type checks them or never shows them
OWN_WORDS = {
    "words": ["zebra"],
    "open_text": "zebra crossing",
    "statement": {"choice": "disagree", "reason": "zebra"},
    "single_choice": {"other": "zebra"},
}


@pytest.mark.parametrize("kind", OWN_WORDS)
def test_words_that_nobody_has_checked_are_on_no_screen_of_the_room(kind):
    options = (Option("a", "A"), Option("b", "B")) if kind == "single_choice" else ()
    settings = {"other": True} if kind == "single_choice" else {}
    workshop, poll = room(Question(kind, "What?", options=options, settings=settings), OWN_WORDS[kind])
    assert poll.ballots.get().value == OWN_WORDS[kind]
    assert "zebra" not in seen(workshop)
    facilitation.close(workshop.pk, None)
    facilitation.show_result(workshop.pk, None, True)
    assert "zebra" not in seen(workshop)


def test_every_type_that_shows_peoples_words_is_among_those_tried():
    assert {name for name, kind in POLL_TYPES.items() if kind.has_texts} <= set(OWN_WORDS)


def test_a_question_that_shows_words_at_once_shows_them_until_somebody_hides_or_flags_them():
    workshop, poll = room(AT_ONCE, ["zebra", "calm", "rude"])
    assert on_the_wall(workshop) == {"zebra": 1, "calm": 1, "rude": 1}
    decide(workshop.pk, None, ref_of(poll, "rude"), "hidden")
    decide(workshop.pk, None, ref_of(poll, "zebra"), "flagged")
    assert on_the_wall(workshop) == {"calm": 1}
    assert "zebra" not in seen(workshop) + seen(workshop, Audience.CONSOLE)
    assert "rude" not in seen(workshop)


# --- one row a person ------------------------------------------------------------------------------------------


def test_equal_words_wait_together_and_one_press_decides_about_each_of_them():
    workshop, poll = room(WORDS, ["calm"], ["Calm!"], ["loud"])
    assert [(item.text, item.people) for item in screens.Scene.load(workshop.pk).texts] == [
        ("calm", 2),
        ("loud", 1),
    ]
    decide(workshop.pk, None, ref_of(poll, "calm"), "shown")
    decided = TextDecision.objects.values_list("text__words", "state").order_by("text")
    assert list(decided) == [("calm", "shown"), ("Calm!", "shown")]
    assert sum(on_the_wall(workshop).values()) == 2


def test_a_second_persons_equal_words_wait_for_their_own_decision():
    workshop, poll = room(WORDS, ["calm"])
    decide(workshop.pk, None, ref_of(poll, "calm"), "shown")
    make.vote(make.participant(workshop), poll, ["calm"])
    assert on_the_wall(workshop) == {"calm": 1}
    found = [
        (item.text, item.people, item.state, item.waits) for item in screens.Scene.load(workshop.pk).texts
    ]
    assert found == [("calm", 1, "shown", False), ("calm", 1, "pending", True)]
    decide(workshop.pk, None, screens.Scene.load(workshop.pk).waiting_texts[0].ref, "shown")
    assert on_the_wall(workshop) == {"calm": 2}
    assert [item.people for item in screens.Scene.load(workshop.pk).texts] == [2]


def test_equal_words_of_which_one_is_hidden_are_counted_over_those_that_may_stand():
    workshop, poll = room(WORDS, ["calm"])
    decide(workshop.pk, None, ref_of(poll, "calm"), "hidden")
    make.vote(make.participant(workshop), poll, ["calm"])
    decide(workshop.pk, None, screens.Scene.load(workshop.pk).waiting_texts[0].ref, "shown")
    assert on_the_wall(workshop) == {"calm": 1}
    scene = screens.Scene.load(workshop.pk)
    assert (scene.room_result.tally["n"], scene.staff_result.tally["words"]["calm"]["people"]) == (2, 2)


def test_a_changed_answer_is_a_new_revision_and_the_decision_stays_with_the_old():
    workshop, poll = room(TEXTS)
    ada = make.participant(workshop)
    make.vote(ada, poll, "Soft light")
    old = text_of(poll, "Soft light")
    decide(workshop.pk, None, old.ref, "shown")
    make.vote(ada, poll, "Loud music")
    new = text_of(poll, "Loud music")
    old.refresh_from_db()
    assert (new.revision, new.former, new.state) == (2, old, "pending")
    assert (old.words, old.state, old.standing) == ("Soft light", "shown", "former")
    assert on_the_wall(workshop) == {}
    with pytest.raises(GestureRejected, match="changed just now"):
        decide(workshop.pk, None, old.ref, "hidden")


def test_words_that_stay_in_a_changed_answer_keep_their_decision_wherever_they_stand_in_it():
    workshop, poll = room(WORDS)
    ada = make.participant(workshop)
    make.vote(ada, poll, ["calm", "warm"])
    check_texts(workshop.pk, None, [ref_of(poll, "calm"), ref_of(poll, "warm")], True)
    make.vote(ada, poll, ["new", "warm"])
    assert on_the_wall(workshop) == {"warm": 1}
    make.vote(ada, poll, ["warm"])
    assert on_the_wall(workshop) == {"warm": 1}
    make.vote(ada, poll, ["soft", "bright", "warm"])
    assert on_the_wall(workshop) == {"warm": 1}
    standing = Text.objects.filter(standing="current").values_list("field", "revision", "words")
    assert sorted(standing) == [("entry-1", 3, "soft"), ("entry-2", 1, "warm"), ("entry-3", 1, "bright")]


def test_a_person_who_takes_their_words_away_has_none_and_gets_a_new_revision_for_the_next():
    workshop, poll = room(TEXTS)
    ada = make.participant(workshop)
    for answer in ("one", None, "two"):
        make.vote(ada, poll, answer)
        assert list(on_the_wall(workshop)) == []
        assert [item.text for item in screens.Scene.load(workshop.pk).texts] == ([answer] if answer else [])
    assert list(Text.objects.order_by("revision").values_list("words", "revision", "standing")) == [
        ("one", 1, "former"), ("two", 2, "current"),
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "field"), [("statement", "reason"), ("single_choice", "other")])
def test_reasons_and_answers_in_ones_own_words_are_texts_as_well(kind, field):
    options = (Option("a", "A"), Option("b", "B")) if kind == "single_choice" else ()
    settings = {"other": True} if kind == "single_choice" else {}
    workshop, poll = room(Question(kind, "What?", options=options, settings=settings), OWN_WORDS[kind])
    text = Text.objects.get()
    assert (text.poll, text.field, text.words, text.revision) == (poll, field, "zebra", 1)
    decide(workshop.pk, None, text.ref, "flagged")
    assert [found.text for found in flagged(workshop.programme)] == ["zebra"]


def test_words_that_were_flagged_are_read_by_the_lead_also_after_their_writer_has_changed_them():
    workshop, poll = room(TEXTS)
    ada = make.participant(workshop)
    make.vote(ada, poll, "zebra")
    decide(workshop.pk, None, ref_of(poll, "zebra"), "flagged")
    make.vote(ada, poll, "lion")
    assert [found.text for found in flagged(workshop.programme)] == ["zebra"]
    decide(
        workshop.pk,
        make.staff(workshop.programme, Role.OWNER),
        text_of(poll, "zebra", "former").ref,
        "pending",
    )
    assert flagged(workshop.programme) == []


def test_every_decision_is_kept_with_whoever_made_it():
    workshop, poll = room(TEXTS, "zebra")
    ann, bob = make.staff(workshop.programme), make.staff(workshop.programme)
    decide(workshop.pk, ann, ref_of(poll, "zebra"), "shown")
    decide(workshop.pk, bob, ref_of(poll, "zebra"), "redacted", "a horse")
    text = Text.objects.get()
    assert list(text.decisions.values_list("state", "replacement", "by")) == [
        ("shown", "", ann.pk), ("redacted", "a horse", bob.pk),
    ]  # fmt: skip
    assert (text.state, text.words, text.for_the_wall) == ("redacted", "zebra", "a horse")


# --- one decision ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "shown"), [("shown", {NAMES: 2}), ("hidden", {}), ("redacted", {WITHOUT: 2})]
)
def test_a_text_is_shown_hidden_or_shown_without_the_marked_words_and_everybody_stays_counted(state, shown):
    workshop, poll = room(TEXTS, NAMES, NAMES, "calm")
    decide(workshop.pk, None, ref_of(poll, NAMES), state)
    assert on_the_wall(workshop) == shown
    scene = screens.Scene.load(workshop.pk)
    assert (scene.room_result.tally["n"], scene.room_result.counts.valid) == (3, 3)
    assert "3" in screens.draw(scene, Topic.TALLY, Audience.WALL)


def test_a_decision_can_be_taken_back_and_waits_again():
    workshop, poll = room(TEXTS, "calm")
    for state in ("shown", "hidden", "redacted"):
        decide(workshop.pk, None, ref_of(poll, "calm"), state, "other" if state == "redacted" else "")
        assert not items(workshop)["calm"].waits
        decide(workshop.pk, None, ref_of(poll, "calm"), "pending")
        assert items(workshop)["calm"].waits
        assert on_the_wall(workshop) == {}


def test_words_that_become_the_same_word_are_counted_over_people_not_over_entries():
    """One person wrote both: two rows that are added up would say that three people did."""
    workshop, poll = room(WORDS, ["calm Anna", "calm"], ["calm Ben"])
    check_texts(workshop.pk, None, [ref_of(poll, "calm")], True)
    for key in ("calm anna", "calm ben"):
        decide(workshop.pk, None, ref_of(poll, key), "redacted", "calm")
    assert on_the_wall(workshop) == {"calm": 2}
    facilitation.close(workshop.pk, None)
    assert on_the_wall(workshop) == {"calm": 2}


def test_a_word_that_was_hidden_is_not_counted_under_the_one_that_stands_for_another():
    workshop, poll = room(WORDS, ["calm"], ["calm Anna"])
    check_texts(workshop.pk, None, [ref_of(poll, "calm")], False)
    decide(workshop.pk, None, ref_of(poll, "calm anna"), "redacted", "calm")
    assert on_the_wall(workshop) == {"calm": 1}


def test_words_in_place_of_others_are_tidied_and_stay_about_as_short():
    workshop, poll = room(WORDS, ["calm"])
    ref = ref_of(poll, "calm")
    decide(workshop.pk, None, ref, "redacted", "  so \u202e calm ")
    assert on_the_wall(workshop) == {"so calm": 1}
    with pytest.raises(GestureRejected, match="up to 44 letters"):
        decide(workshop.pk, None, ref, "redacted", "x" * 45)
    with pytest.raises(GestureRejected, match="may show instead"):
        decide(workshop.pk, None, ref, "redacted", "")
    with pytest.raises(GestureRejected, match="may show instead"):
        decide(workshop.pk, None, ref, "redacted", "\u202e\u200b")


def test_words_of_another_workshop_and_words_nobody_wrote_are_refused():
    workshop, _poll = room(WORDS, ["calm"])
    _other, theirs = room(WORDS, ["calm"])
    for ref in (ref_of(theirs, "calm"), "text-999999"):
        with pytest.raises(GestureRejected):
            decide(workshop.pk, None, ref, "shown")
    assert TextDecision.objects.count() == 0
    with pytest.raises(commands.BadCommand):
        commands.staff_command("decide", {"ref": "calm", "state": "shown"})


def test_the_log_of_a_workshop_holds_no_words():
    workshop, poll = room(WORDS, ["zebra"])
    for state, words in (("shown", ""), ("redacted", "zebra crossing"), ("flagged", "")):
        decide(workshop.pk, None, ref_of(poll, "zebra"), state, words)
    logged = " ".join(GestureLog.objects.values_list("detail", flat=True))
    assert ref_of(poll, "zebra") in logged
    assert "zebra" not in logged


# --- several at once ---------------------------------------------------------------------------------------------


def test_what_may_have_to_be_hidden_is_never_shown_in_one_sweep_with_the_rest():
    workshop, poll = room(TEXTS, "calm", "cosy", NAMES, "ring 07700 900123", "write to anna@example.org")
    scene = screens.Scene.load(workshop.pk)
    assert {text.text for text in scene.harmless_texts} == {"calm", "cosy"}
    check_texts(workshop.pk, None, [text.ref for text in scene.texts], True)
    assert on_the_wall(workshop) == {"calm": 1, "cosy": 1}
    check_texts(workshop.pk, None, [ref_of(poll, NAMES)], True)  # looked at by itself
    assert on_the_wall(workshop)[NAMES] == 1


def test_marked_words_are_marked_in_the_queue_and_the_text_without_them_stands_beside():
    workshop, _poll = room(TEXTS, NAMES)
    queue = screens.draw(screens.Scene.load(workshop.pk), Topic.QUEUE, Audience.CONSOLE)
    assert "I saw <mark>Anna Smith</mark> there" in queue
    assert f'data-instead="{WITHOUT}"' in queue


# --- words at once: the facilitator's switch ---------------------------------------------------------------------


def test_words_are_shown_at_once_from_the_moment_a_facilitator_says_so_and_wait_again_afterwards():
    workshop, poll = room(WORDS, ["zebra", "calm"], ["rude", "secret"])
    decide(workshop.pk, None, ref_of(poll, "rude"), "hidden")
    decide(workshop.pk, None, ref_of(poll, "secret"), "flagged")
    assert on_the_wall(workshop) == {}
    words_at_once(workshop.pk, None, poll.pk, True)
    assert on_the_wall(workshop) == {"zebra": 1, "calm": 1}
    assert {text for text, item in items(workshop).items() if item.waits} == set()
    make.vote(make.participant(workshop), poll, ["new"])
    assert "new" in on_the_wall(workshop)
    assert "new" in seen(workshop, Audience.WALL)
    words_at_once(workshop.pk, None, poll.pk, False)
    assert on_the_wall(workshop) == {}
    assert {text for text, item in items(workshop).items() if item.waits} == {"zebra", "calm", "new"}


def test_the_authors_choice_holds_until_a_facilitator_says_otherwise():
    workshop, poll = room(AT_ONCE, ["zebra"])
    assert (poll.words_at_once, poll.shows_words_at_once) == (None, True)
    words_at_once(workshop.pk, None, poll.pk, False)
    assert on_the_wall(workshop) == {}
    facilitation.close(workshop.pk, None)
    facilitation.reopen(workshop.pk, None)
    assert on_the_wall(workshop) == {}


@pytest.mark.parametrize("by", ["the author", "the facilitator"])
def test_what_may_have_to_be_hidden_waits_for_a_look_also_where_words_are_shown_at_once(by):
    settings = {"check": False} if by == "the author" else {}
    workshop, poll = room(Question("open_text", "Your hope?", settings=settings), NAMES, "calm")
    if by == "the facilitator":
        words_at_once(workshop.pk, None, poll.pk, True)
    assert on_the_wall(workshop) == {"calm": 1}
    assert [text.text for text in screens.Scene.load(workshop.pk).waiting_texts] == [NAMES]
    decide(workshop.pk, None, ref_of(poll, NAMES), "redacted")
    assert on_the_wall(workshop) == {"calm": 1, WITHOUT: 1}


def test_a_thousand_letters_of_any_script_are_decided_about_like_any_text():
    chance = random.Random(7)  # so that no index can press it together
    text = "".join(chr(chance.randrange(0x4E00, 0x9FA0)) for _ in range(1000))
    workshop, _poll = room(TEXTS, text, "calm")
    item = items(workshop)[text]
    decide(workshop.pk, None, item.ref, "shown")
    assert on_the_wall(workshop) == {text: 1}
    decide(workshop.pk, None, item.ref, "redacted", "短")
    assert on_the_wall(workshop) == {"短": 1}
    decide(workshop.pk, None, item.ref, "flagged")
    assert [found.text for found in flagged(workshop.programme)] == [text]


def test_a_word_that_comes_while_a_picture_is_drawn_is_not_shown_with_those_that_may_be():
    workshop, poll = room(AT_ONCE, ["calm Anna"], ["calm"])
    decide(workshop.pk, None, ref_of(poll, "calm anna"), "redacted", "calm")
    decided, old = results.moderation_of([poll]), results.read(poll)
    make.vote(make.participant(workshop), poll, ["late"])
    shown = results.for_the_room(poll, old, decided, moderation.is_suspicious)
    assert [text for _key, text, _people in poll.poll_type.texts(shown.tally, poll.question)] == ["calm"]


def test_words_that_somebody_has_changed_while_a_picture_is_drawn_stand_in_it_for_nobody():
    workshop, poll = room(WORDS)
    ada = make.participant(workshop)
    make.vote(ada, poll, ["calm"])
    decide(workshop.pk, None, ref_of(poll, "calm"), "shown")
    decided = results.moderation_of([poll])
    make.vote(ada, poll, ["loud"])
    shown = results.for_the_room(poll, results.read(poll), decided, moderation.is_suspicious)
    assert poll.poll_type.texts(shown.tally, poll.question) == []


def test_a_question_that_only_a_rehearsal_has_answered_is_as_its_author_wrote_it_afterwards():
    workshop, poll = room(WORDS)
    words_at_once(workshop.pk, None, poll.pk, True)
    make.vote(make.participant(workshop, rehearsal=True), poll, ["calm"])
    rehearsal.clear_rehearsal(workshop.pk, None)
    poll.refresh_from_db()
    assert (poll.state, poll.words_at_once) == ("draft", None)


def test_the_switch_is_in_the_log_and_says_what_it_does_beside_the_queue():
    workshop, poll = room(WORDS, ["zebra"])
    client = make.signed_in(make.staff(workshop.programme))
    console, gesture = f"/workshops/{workshop.code}/console/", f"/workshops/{workshop.code}/do/words_at_once/"
    assert "New words then appear on the wall straight away" in client.get(console).content.decode()
    for on, says in (
        ("true", "unread words stand on the wall. Only"),
        ("false", "Show new words without checking"),
    ):
        page = client.post(gesture, {"poll": poll.pk, "on": on}, follow=True).content.decode()
        assert says in page
    logged = GestureLog.objects.filter(name="words_at_once").values_list("detail", "by", "item__poll")
    assert [(detail, poll_id) for detail, _by, poll_id in logged] == [("on", poll.pk), ("off", poll.pk)]
    assert all(by for _detail, by, _poll in logged)


def test_a_question_that_is_not_on_stage_or_has_no_words_cannot_be_switched():
    workshop, poll = room(WORDS, ["zebra"])
    other, theirs = room(WORDS, ["zebra"])
    plain, asked = room(make.YES_NO)
    facilitation.joining(workshop.pk, None)
    for here, which in ((workshop, poll), (plain, asked), (plain, theirs)):
        with pytest.raises(GestureRejected):
            words_at_once(here.pk, None, which.pk, True)
    assert set(Poll.objects.values_list("words_at_once", flat=True)) == {None}
    researcher = make.signed_in(make.staff(other.programme, Role.RESEARCHER))
    path = f"/workshops/{other.code}/do/words_at_once/"
    assert researcher.post(path, {"poll": theirs.pk, "on": "true"}).status_code == 403
    assert 'id="at-once"' not in screens.draw(screens.Scene.load(plain.pk), Topic.QUEUE, Audience.CONSOLE)


# --- asked about, and brought to the vision ------------------------------------------------------------------------


def test_a_text_becomes_a_question_to_the_room_with_one_gesture_and_is_shown_with_it():
    workshop, poll = room(TEXTS, "Soft light")
    groups.agreement_poll(workshop.pk, None, ref_of(poll, "Soft light"))
    workshop.refresh_from_db()
    asked = workshop.stage_item.poll
    assert (asked.is_open, asked.question.type, asked.question.text) == (True, "statement", "Soft light")
    assert text_of(poll, "Soft light").state == "shown"
    assert workshop.stage_item.text == text_of(poll, "Soft light")


def test_a_text_that_may_name_somebody_is_asked_about_only_as_it_may_stand_on_the_wall():
    workshop, poll = room(TEXTS, NAMES)
    with pytest.raises(GestureRejected, match="may name somebody"):
        groups.agreement_poll(workshop.pk, None, ref_of(poll, NAMES))
    decide(workshop.pk, None, ref_of(poll, NAMES), "redacted")
    groups.agreement_poll(workshop.pk, None, ref_of(poll, NAMES))
    workshop.refresh_from_db()
    assert workshop.stage_item.poll.question.text == WITHOUT


@pytest.mark.parametrize(("state", "why"), [("hidden", "are hidden"), ("flagged", "not there any more")])
def test_a_text_that_is_hidden_or_flagged_is_not_asked_about(state, why):
    workshop, poll = room(TEXTS, "Soft light")
    decide(workshop.pk, None, ref_of(poll, "Soft light"), state)
    with pytest.raises(GestureRejected, match=why):
        groups.agreement_poll(workshop.pk, None, ref_of(poll, "Soft light"))
    workshop.refresh_from_db()
    assert workshop.stage_item.poll == poll


def test_what_is_flagged_or_another_workshops_is_not_brought_to_the_vision():
    workshop, poll = room(TEXTS, "Soft light")
    _other, theirs = room(TEXTS, "Soft light")
    decide(workshop.pk, None, ref_of(poll, "Soft light"), "flagged")
    for ref in (ref_of(poll, "Soft light"), ref_of(theirs, "Soft light"), "text-999999"):
        with pytest.raises(GestureRejected):
            groups.propose(workshop.pk, None, ref)
    assert not TextMark.objects.exists()


def test_words_on_the_wall_have_both_buttons_and_what_was_brought_can_be_held_back_there():
    workshop, poll = room(TEXTS, "Soft light", "loud")
    ref = ref_of(poll, "Soft light")

    def queue():
        return screens.draw(screens.Scene.load(workshop.pk), Topic.QUEUE, Audience.CONSOLE)

    assert "For the vision" not in queue()  # nobody has let them through yet
    decide(workshop.pk, None, ref, "shown")
    decide(workshop.pk, None, ref_of(poll, "loud"), "hidden")
    assert ("Ask the room" in queue(), queue().count("For the vision")) == (
        False,
        1,
    )  # asking would close the question
    facilitation.close(workshop.pk, None)
    assert queue().count("Ask the room") == 1
    client = make.signed_in(make.staff(workshop.programme))
    gesture = f"/workshops/{workshop.code}/do/propose/"
    for sent, brought in (({"ref": ref}, True), ({"hold_back": ref}, False)):
        assert client.post(gesture, sent).status_code == 302
        assert ("Not for the vision" in queue(), TextMark.objects.exists()) == (brought,) * 2
    logged = list(GestureLog.objects.filter(name="propose").values_list("detail", flat=True))
    assert logged == [ref, f"{ref} off"]


# --- flags ---------------------------------------------------------------------------------------------------------


def asked_and_closed(*answers):
    workshop, poll = room(WORDS, *answers)
    role = make.poll_item(workshop, make.YES_NO, profile=True, key="role")
    ballot_box.open_poll(role.poll_id)
    facilitation.close(workshop.pk, None)
    return workshop, poll


def for_researchers(workshop, tmp_path):
    """All that the researcher's side says of the workshop's words."""
    found = aggregates.load_findings(workshop.programme)
    with (tmp_path / "results.csv").open("w+") as file:
        results_csv.write(found, file)
        file.seek(0)
        written = file.read()
    labels = [line.label for asked in found.instruments for line in asked.options]
    client = make.signed_in(make.staff(workshop.programme, Role.RESEARCHER))
    key = workshop.programme.key
    pages = [f"/programmes/{key}/", f"/programmes/{key}/results/{found.instruments[0].key}/"]
    return "\n".join([written, *labels, *(client.get(page).content.decode() for page in pages)])


def test_flagged_words_are_on_no_screen_in_no_result_and_in_no_file(tmp_path):
    workshop, poll = asked_and_closed(["zebra", "calm"], ["zebra"])
    check_texts(workshop.pk, None, [ref_of(poll, "zebra"), ref_of(poll, "calm")], True)
    assert "zebra" in seen(workshop)
    assert "zebra" in for_researchers(workshop, tmp_path)
    decide(workshop.pk, None, ref_of(poll, "zebra"), "flagged")
    everywhere = seen(workshop) + seen(workshop, Audience.CONSOLE) + for_researchers(workshop, tmp_path)
    assert "zebra" not in everywhere
    assert "calm" in everywhere
    console = make.signed_in(make.staff(workshop.programme)).get(f"/workshops/{workshop.code}/console/")
    assert "zebra" not in console.content.decode()
    asked = aggregates.load_findings(workshop.programme).instruments[0]
    assert (asked.pooled.tally["n"], asked.pooled.counts.valid) == (2, 2)


def test_researchers_read_words_with_names_taken_out_and_count_the_same_people(tmp_path):
    workshop, poll = asked_and_closed(["calm Anna"], ["calm"], ["hidden word"])
    decide(workshop.pk, None, ref_of(poll, "calm anna"), "redacted", "calm")
    check_texts(workshop.pk, None, [ref_of(poll, "hidden word")], False)
    told = for_researchers(workshop, tmp_path)
    assert "Anna" not in told
    asked = aggregates.load_findings(workshop.programme).instruments[0]
    assert {line.label: (line.hits, line.valid) for line in asked.options} == {
        "calm": (2, 3),
        "hidden word": (1, 3),  # kept off the wall; what people answered is not changed by that
    }


def test_a_rehearsals_words_are_on_the_wall_while_it_lasts_and_never_among_those_that_are_counted_anew():
    workshop, poll = room(WORDS, ["calm Anna"])
    make.vote(make.participant(workshop, rehearsal=True), poll, ["calm"])
    decide(workshop.pk, None, ref_of(poll, "calm"), "shown")
    decide(workshop.pk, None, ref_of(poll, "calm anna"), "redacted", "calm")
    assert on_the_wall(workshop) == {"calm": 2}
    facilitation.close(workshop.pk, None)
    (asked,) = aggregates.load_findings(workshop.programme).instruments
    assert {line.label: (line.hits, line.valid) for line in asked.options} == {"calm": (1, 1)}


def test_a_breakdown_counts_words_as_they_stand_after_the_decision():
    workshop, poll = asked_and_closed(["calm Anna"], ["calm"], ["calm"], ["calm"], ["calm"])
    decide(workshop.pk, None, ref_of(poll, "calm anna"), "redacted", "calm")
    asked = aggregates.load_findings(workshop.programme).instruments[0]
    counted = breakdown._grouped({}, [poll.pk], asked.question)
    assert [value for value, _n in counted[breakdown.NOT_STATED]] == [["calm"]] * 5


@pytest.mark.parametrize("state", ["shown", "hidden", "redacted"])
def test_nobody_but_the_lead_can_bring_flagged_words_back(state):
    workshop, poll = room(WORDS, ["zebra"])
    ann, bob = make.staff(workshop.programme), make.staff(workshop.programme)
    ref = ref_of(poll, "zebra")
    decide(workshop.pk, ann, ref, "flagged")
    for who, wanted in ((bob, "pending"), (bob, state), (ann, state), (None, "pending")):
        with pytest.raises(GestureRejected, match="Only the safeguarding lead"):
            decide(workshop.pk, who, ref, wanted, "words")
    check_texts(workshop.pk, bob, [ref_of(poll, "zebra")], True)
    assert text_of(poll, "zebra").is_flagged
    decide(workshop.pk, make.staff(workshop.programme, Role.OWNER), ref, "pending")
    assert items(workshop)["zebra"].waits


def test_whoever_flagged_by_mistake_can_undo_it_for_ten_minutes():
    workshop, poll = room(WORDS, ["zebra"], ["lion"])
    ann = make.staff(workshop.programme)
    for key in ("zebra", "lion"):
        decide(workshop.pk, ann, ref_of(poll, key), "flagged")
    decide(workshop.pk, ann, ref_of(poll, "zebra"), "pending")
    assert items(workshop)["zebra"].waits
    with time_machine.travel(timezone.now() + timedelta(minutes=11)), pytest.raises(GestureRejected):
        decide(workshop.pk, ann, ref_of(poll, "lion"), "pending")


# --- the lead ---------------------------------------------------------------------------------------------------------


def page(user, programme):
    return make.signed_in(user).get(f"/programmes/{programme.key}/safeguarding/")


def test_the_named_lead_alone_reads_what_is_flagged_and_owners_where_nobody_is_named():
    workshop, poll = room(WORDS, ["zebra"])
    programme = workshop.programme
    owner, lead = make.staff(programme, Role.OWNER), make.staff(programme)
    researcher = make.staff(programme, Role.RESEARCHER)
    decide(workshop.pk, lead, ref_of(poll, "zebra"), "flagged")
    assert "zebra" in page(owner, programme).content.decode()
    assert [page(who, programme).status_code for who in (lead, researcher)] == [403, 403]
    make.signed_in(owner).post(f"/programmes/{programme.key}/people/lead/", {"lead": lead.pk})
    programme.refresh_from_db()
    assert programme.safeguarding_lead == lead
    shown = page(lead, programme).content.decode()
    assert "zebra" in shown
    assert lead.email in shown
    assert [page(who, programme).status_code for who in (owner, researcher)] == [403, 403]
    assert page(make.staff(make.programme(), Role.OWNER), programme).status_code == 404


def test_a_lead_who_has_left_the_programme_reads_nothing_and_nor_does_anybody_by_that():
    programme = make.programme()
    owner, lead = make.staff(programme, Role.OWNER), make.staff(programme)
    programme.safeguarding_lead = lead
    programme.save()
    Membership.objects.filter(user=lead).delete()
    assert (page(owner, programme).status_code, page(lead, programme).status_code) == (403, 404)


def readings(programme):
    return list(programme.log.filter(verb="read_flagged").order_by("pk").values_list("by", flat=True))


def test_every_reading_of_flagged_words_is_in_the_log_once_and_without_the_words():
    workshop, poll = room(WORDS, ["zebra"], ["lion"])
    programme = workshop.programme
    owner, other = (make.staff(programme, Role.OWNER) for _ in range(2))
    page(owner, programme)
    assert readings(programme) == []  # there was nothing to read
    decide(workshop.pk, None, ref_of(poll, "zebra"), "flagged")
    for who in (owner, owner, other):
        page(who, programme)
    assert readings(programme) == [owner.pk, other.pk]
    decide(workshop.pk, None, ref_of(poll, "lion"), "flagged")
    page(owner, programme)
    assert readings(programme) == [owner.pk, other.pk, owner.pk]
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        page(owner, programme)
    assert len(readings(programme)) == 4
    assert page(make.staff(programme), programme).status_code == 403
    assert len(readings(programme)) == 4
    assert not programme.log.filter(about__contains="zebra").exists()


def test_no_reading_is_shown_whose_row_could_not_be_written(monkeypatch):
    workshop, poll = room(WORDS, ["zebra"])
    owner = make.signed_in(make.staff(workshop.programme, Role.OWNER))
    decide(workshop.pk, None, ref_of(poll, "zebra"), "flagged")

    def full(*_args, **_more):
        raise OperationalError("disk full")

    monkeypatch.setattr(LogEntry.objects, "create", full)
    owner.raise_request_exception = False
    answer = owner.get(f"/programmes/{workshop.programme.key}/safeguarding/")
    assert answer.status_code >= 500
    assert "zebra" not in answer.content.decode()


def test_only_somebody_of_the_programme_can_be_named():
    programme = make.programme()
    owner = make.signed_in(make.staff(programme, Role.OWNER))
    path = f"/programmes/{programme.key}/people/lead/"
    stranger = make.staff(make.programme())
    assert [owner.post(path, {"lead": who}).status_code for who in (stranger.pk, "x", 10**30)] == [404] * 3
    assert owner.post(path, {"lead": ""}).status_code == 302


def test_the_lead_takes_a_flag_off_and_the_words_wait_again():
    workshop, poll = room(WORDS, ["zebra"])
    decide(workshop.pk, None, ref_of(poll, "zebra"), "flagged")
    owner = make.signed_in(make.staff(workshop.programme, Role.OWNER))
    path = f"/programmes/{workshop.programme.key}/safeguarding/release/"
    assert owner.post(path, {"ref": "text-999999"}).status_code == 404
    answer = owner.post(path, {"ref": ref_of(poll, "zebra")}, follow=True)
    assert "Nothing is flagged." in answer.content.decode()
    assert items(workshop)["zebra"].waits


# --- notes of groups -----------------------------------------------------------------------------------------------------


@pytest.fixture
def at_work():
    """One group of three at work, with one note that it has picked."""
    workshop = make.workshop()
    item = make.prompt_item(workshop)
    people = [make.participant(workshop) for _ in range(3)]
    facilitation.launch(workshop.pk, None, item.pk)
    groups.make(workshop.pk, None, "random", groups=1)
    groups.open_round(workshop.pk, None)
    group = Group.objects.get()
    write(people[0], notes.Add, group.pk, "Soft light")
    write(people[1], notes.Add, group.pk, NAMES)
    return workshop, people


def write(who, kind, *values):
    write.ops += 1
    return notes.write([kind(who.workshop_id, who.voter, f"op{write.ops}", *values)])[0]


write.ops = 0


def pick(who, text):
    note = Contribution.objects.get(text__words=text)
    write(who, notes.Pick, note.pk, True)
    return Contribution.objects.get(pk=note.pk)


def test_only_a_note_that_its_group_has_picked_waits_because_no_other_reaches_the_wall(at_work):
    workshop, people = at_work
    assert items(workshop) == {}
    pick(people[0], "Soft light")
    assert [(item.text, item.group, item.waits) for item in items(workshop).values()] == [
        ("Soft light", Group.objects.get().name, True)
    ]


def test_a_note_reaches_the_wall_only_once_it_is_shown(at_work):
    workshop, people = at_work
    note = pick(people[0], "Soft light")
    current = Group.objects.get().round
    current.presenting = Group.objects.get()
    current.save()
    assert "Soft light" not in seen(workshop)
    decide(workshop.pk, None, note.ref, "shown")
    assert load_overview(workshop.pk).presenting.for_the_wall == "Soft light"
    decide(workshop.pk, None, note.ref, "redacted", "Light")
    assert load_overview(workshop.pk).presenting.for_the_wall == "Light"
    decide(workshop.pk, None, note.ref, "hidden")
    assert load_overview(workshop.pk).presenting.for_the_wall == ""
    assert "Soft light" not in seen(workshop)


def test_a_sentence_that_may_name_somebody_is_not_put_on_the_wall_by_showing_its_group(at_work):
    workshop, people = at_work
    note = pick(people[0], NAMES)
    for gesture in (
        lambda: groups.present(workshop.pk, None, note.group_id),
        lambda: groups.agreement_poll(workshop.pk, None, note.ref),
    ):
        with pytest.raises(GestureRejected, match="may name somebody"):
            gesture()
    decide(workshop.pk, None, note.ref, "redacted")
    groups.present(workshop.pk, None, note.group_id)
    assert load_overview(workshop.pk).presenting.for_the_wall == WITHOUT
    groups.agreement_poll(workshop.pk, None, note.ref)
    workshop.refresh_from_db()
    assert workshop.stage_item.poll.question.text == WITHOUT


def test_a_note_that_was_refused_as_a_question_waits_to_be_checked_and_is_asked_about_then(at_work):
    workshop, _people = at_work
    note = Contribution.objects.get(text__words=NAMES)
    client = make.signed_in(make.staff(workshop.programme))
    asks = f"/workshops/{workshop.code}/do/agreement_poll/"
    for _again in range(2):
        answer = client.post(asks, {"ref": note.ref})
        assert (answer.status_code, "may name somebody" in answer.content.decode()) == (422, True)
        assert [(text, item.waits) for text, item in items(workshop).items()] == [(NAMES, True)]
    groups.close_round(workshop.pk, None)  # it waits until somebody decides, also when the groups are over
    assert items(workshop)[NAMES].waits
    decide(workshop.pk, None, note.ref, "redacted")
    assert (items(workshop)[NAMES].state, items(workshop)[NAMES].waits) == ("redacted", False)
    assert client.post(asks, {"ref": note.ref}).status_code == 302
    workshop.refresh_from_db()
    assert workshop.stage_item.poll.question.text == WITHOUT


def test_a_note_that_is_asked_about_at_once_is_no_work_for_anybody(at_work):
    workshop, _people = at_work
    groups.agreement_poll(workshop.pk, None, Contribution.objects.get(text__words="Soft light").ref)
    assert items(workshop) == {}


def test_a_note_that_may_name_somebody_waits_once_it_is_brought_to_the_vision_and_no_other_does(at_work):
    workshop, people = at_work
    plain, named = (Contribution.objects.get(text__words=text) for text in ("Soft light", NAMES))
    groups.propose(workshop.pk, None, plain.ref)
    groups.propose(workshop.pk, None, named.ref)
    assert [(text, item.waits) for text, item in items(workshop).items()] == [(NAMES, True)]
    write(people[0], notes.Edit, plain.pk, 1, "Soft light, says Anna Smith")
    assert len(items(workshop)) == 2
    groups.propose(workshop.pk, None, named.ref, on=False)
    assert list(items(workshop)) == ["Soft light, says Anna Smith"]


def test_a_wanted_note_that_its_group_picks_stands_once_in_the_queue_and_one_taken_back_not_at_all(at_work):
    workshop, people = at_work
    note = pick(people[1], NAMES)
    with pytest.raises(GestureRejected):
        groups.agreement_poll(workshop.pk, None, note.ref)
    assert len(screens.Scene.load(workshop.pk).texts) == 1
    write(people[1], notes.TakeBack, note.pk)
    assert items(workshop) == {}


def test_another_workshops_wanted_notes_wait_there_alone(at_work):
    workshop, _people = at_work
    other = make.workshop()
    groups.propose(workshop.pk, None, Contribution.objects.get(text__words=NAMES).ref)
    assert items(other) == {}


def test_a_decision_is_about_the_wording_that_was_read(at_work):
    workshop, people = at_work
    note = pick(people[0], "Soft light")
    write(people[0], notes.Edit, note.pk, note.text.revision, "Soft light, says Anna")
    with pytest.raises(GestureRejected, match="changed just now"):
        decide(workshop.pk, None, note.ref, "shown")
    note.refresh_from_db()
    assert (note.text.words, note.text.state) == ("Soft light, says Anna", "pending")


def test_a_flagged_note_is_gone_for_its_group_its_author_and_every_console(at_work):
    workshop, people = at_work
    note = pick(people[0], "Soft light")
    decide(workshop.pk, None, note.ref, "flagged")
    drawn = [
        *screens.draw_pads(workshop.pk, [note.group_id]).values(),
        *screens.draw_desk_pads(workshop.pk, [note.group_id]).values(),
        seen(workshop),
        seen(workshop, Audience.CONSOLE),
        str(load_places(workshop.pk, people[0].voter)),
    ]
    assert [html for html in drawn if "Soft light" in html] == []
    for who in people:
        for kind, *values in (
            (notes.Edit, note.text.revision, "x"),
            (notes.Edit, note.text.revision + 5, "x"),
            (notes.TakeBack,),
            (notes.Agree, True),
            (notes.Pick, True),
        ):
            assert write(who, kind, note.pk, *values).code == "forbidden"
    for gesture in (
        lambda: groups.present(workshop.pk, None, note.group_id),
        lambda: groups.agreement_poll(workshop.pk, None, note.ref),
        lambda: groups.propose(workshop.pk, None, note.ref),
        lambda: decide(workshop.pk, None, note.ref, "shown"),
    ):
        with pytest.raises(GestureRejected):
            gesture()
    owner = make.staff(workshop.programme, Role.OWNER)
    assert "Soft light" in page(owner, workshop.programme).content.decode()
    assert [one.text for one in moderation.flagged(workshop.programme)] == ["Soft light"]
    decide(workshop.pk, owner, note.ref, "pending")
    assert items(workshop)["Soft light"].waits
