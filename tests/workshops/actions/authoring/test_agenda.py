"""The agenda of a workshop is changed before and while it runs; every change can be taken back."""

from __future__ import annotations

import pytest

from polls.models import Instrument, Poll
from polls.types import Question
from polls.types.base import Option
from tests import factories as make
from workshops.actions import facilitation, log
from workshops.actions.authoring import agenda
from workshops.actions.authoring.workshops import CannotChange
from workshops.models import Prompt, Workshop

pytestmark = pytest.mark.django_db

WORDS = Question("words", "In a word: how does it feel?", settings={"max_entries": 3, "max_length": 40})
WHERE = Question("single_choice", "Where is it?", options=(Option("o1", "Here"), Option("o2", "There")))


@pytest.fixture
def workshop():
    """Welcome, a question, goodbye; not started."""
    made = make.workshop(started=False)
    made.agenda.update(position=1)
    for position, title in ((0, "Welcome"), (2, "Goodbye")):
        item = make.pause_item(made, title, 5)
        item.position = position
        item.save()
    return made


@pytest.fixture
def by(workshop):
    return make.staff(workshop.programme)


def titles(workshop, profile=False):
    return list(workshop.agenda.filter(profile=profile).values_list("title", flat=True))


def item(workshop, title):
    return workshop.agenda.get(title=title)


def take_back(workshop, by):
    log.undo(log.last_undoable(by, programme=workshop.programme, workshop=workshop), by)


CALM = make.YES_NO.text


# --- adding ---------------------------------------------------------------------------------------------


def test_a_new_question_comes_before_the_goodbye(workshop, by):
    (made,) = agenda.add_questions(workshop, by, [(WORDS, None)])
    assert titles(workshop) == ["Welcome", CALM, WORDS.text, "Goodbye"]
    assert (made.minutes, made.poll.state, made.poll.reveal) == (2, "draft", "after_close")
    assert made.poll.version.instrument.bank_id == workshop.programme.bank_id


def test_several_questions_come_in_their_order_after_a_chosen_step(workshop, by):
    after = item(workshop, "Welcome").pk
    agenda.add_questions(workshop, by, [(WORDS, 4), (WHERE, None)], after=after)
    assert titles(workshop) == ["Welcome", WORDS.text, WHERE.text, CALM, "Goodbye"]
    assert item(workshop, WORDS.text).minutes == 4


def test_all_that_was_added_at_once_is_taken_back_at_once(workshop, by):
    agenda.add_questions(workshop, by, [(WORDS, None), (WHERE, None)])
    take_back(workshop, by)
    assert titles(workshop) == ["Welcome", CALM, "Goodbye"]
    assert Instrument.objects.count() == Poll.objects.count() == 1


def test_what_was_added_can_be_taken_back_after_something_else_came_before_it(workshop, by):
    agenda.add_questions(workshop, by, [(WORDS, None)])
    entry = log.last_undoable(by, programme=workshop.programme, workshop=workshop)
    agenda.add_pause(workshop, by, "Tea", after=item(workshop, "Welcome").pk)
    log.undo(entry, by)
    assert titles(workshop) == ["Welcome", "Tea", CALM, "Goodbye"]


def test_an_unfinished_question_can_be_added(workshop, by):
    (made,) = agenda.add_questions(workshop, by, [(Question("single_choice", "Which?"), None)])
    assert made.poll.question.options == ()


def test_a_question_of_the_bank_is_asked_itself_and_once(workshop, by):
    instrument = make.poll(WHERE, bank=workshop.programme.bank).version.instrument
    made = agenda.add_known(workshop, by, instrument)
    assert made.poll.version.instrument == instrument
    with pytest.raises(CannotChange, match="on the agenda already"):
        agenda.add_known(workshop, by, instrument)


def test_a_question_of_another_programme_comes_as_a_copy_that_says_where_it_is_from(workshop, by):
    theirs = make.poll(WHERE, bank=make.programme().bank).version.instrument
    made = agenda.add_known(workshop, by, theirs)
    copy = made.poll.version.instrument
    assert (copy.origin, copy.bank_id) == (theirs, workshop.programme.bank_id)
    assert made.poll.question.options == WHERE.options


def test_a_prompt_is_added_with_its_minutes(workshop, by):
    prompt = Prompt.objects.create(programme=workshop.programme, key="p", text="Walk us in", minutes=12)
    made = agenda.add_known(workshop, by, prompt)
    assert (made.prompt, made.minutes, made.kind) == (prompt, 12, "prompt")
    theirs = Prompt.objects.create(programme=make.programme(), key="p", text="Walk us out", probes=["Why?"])
    copy = agenda.add_known(workshop, by, theirs).prompt
    assert (copy.origin, copy.probes) == (theirs, ["Why?"])


def test_something_new_to_talk_about_and_a_pause(workshop, by):
    talk = agenda.add_talk(workshop, by, "What would calm look like?")
    tea = agenda.add_pause(workshop, by, "Tea", minutes=15)
    assert (talk.prompt.text, talk.minutes, tea.minutes) == ("What would calm look like?", 10, 15)
    assert titles(workshop) == ["Welcome", CALM, talk.title, "Tea", "Goodbye"]


def test_a_question_about_people_stays_hidden_and_among_its_kind(workshop, by):
    (made,) = agenda.add_questions(workshop, by, [(WHERE, None)], profile=True)
    assert (made.profile, made.poll.reveal, made.minutes) == (True, "never", 0)
    assert workshop.agenda.first() == made
    facilitation.start(workshop.pk, None)
    with pytest.raises(CannotChange, match="joining already"):
        agenda.add_questions(workshop, by, [(WORDS, None)], profile=True)


def test_an_agenda_does_not_grow_without_end(workshop, by):
    with pytest.raises(CannotChange, match="up to 100 steps"):
        agenda.add_questions(workshop, by, [(WORDS, None)] * 98)
    assert len(titles(workshop)) == 3


# --- moving ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "to", "expected"),
    [
        ("Welcome", 1, [CALM, "Welcome", "Goodbye"]),
        ("Welcome", 2, [CALM, "Goodbye", "Welcome"]),
        ("Goodbye", 0, ["Goodbye", "Welcome", CALM]),
        ("Goodbye", 99, ["Welcome", CALM, "Goodbye"]),
        (CALM, 1, ["Welcome", CALM, "Goodbye"]),
    ],
)
def test_a_step_goes_where_it_is_put_and_comes_back(workshop, by, title, to, expected):
    before = titles(workshop)
    agenda.move_step(workshop, by, item(workshop, title).pk, to)
    assert titles(workshop) == expected
    entry = log.last_undoable(by, programme=workshop.programme, workshop=workshop)
    assert (entry is None) == (expected == before)
    if entry:
        log.undo(entry, by)
    assert titles(workshop) == before


def test_moves_may_follow_each_other_whatever_the_positions(workshop, by):
    workshop.agenda.update(position=0)
    for number in range(6):
        agenda.move_step(workshop, by, item(workshop, "Goodbye").pk, number % 3)
        assert titles(workshop).index("Goodbye") == number % 3


def test_of_two_who_reorder_at_once_the_second_is_told(workshop, by):
    seen = workshop.rev
    agenda.move_step(workshop, by, item(workshop, "Goodbye").pk, 0, seen)
    with pytest.raises(log.Stale):
        agenda.move_step(workshop, by, item(workshop, "Welcome").pk, 2, seen)
    workshop.refresh_from_db()
    agenda.move_step(workshop, by, item(workshop, "Welcome").pk, 2, workshop.rev)
    assert titles(workshop) == ["Goodbye", CALM, "Welcome"]


def test_undo_makes_an_older_page_stale_too(workshop, by):
    agenda.move_step(workshop, by, item(workshop, "Goodbye").pk, 0)
    workshop.refresh_from_db()
    seen = workshop.rev
    take_back(workshop, by)
    with pytest.raises(log.Stale):
        agenda.move_step(workshop, by, item(workshop, "Welcome").pk, 2, seen)


# --- copies, changes, removal -------------------------------------------------------------------------------


def test_a_copied_question_is_a_question_of_its_own(workshop, by):
    source = item(workshop, CALM)
    made = agenda.copy_step(workshop, by, source.pk)
    assert titles(workshop) == ["Welcome", CALM, CALM, "Goodbye"]
    assert made.poll.version.instrument != source.poll.version.instrument
    assert made.poll.question.options == source.poll.question.options


def test_a_copied_prompt_and_a_copied_pause(workshop, by):
    talk = make.prompt_item(workshop, "Walk us in")
    made = agenda.copy_step(workshop, by, talk.pk)
    assert (made.prompt.text, made.prompt != talk.prompt) == ("Walk us in", True)
    assert agenda.copy_step(workshop, by, item(workshop, "Welcome").pk).title == "Welcome"


def test_minutes_and_title_are_set_and_taken_back(workshop, by):
    pause = item(workshop, "Welcome")
    agenda.change_step(workshop, by, pause.pk, pause.rev, minutes=7, notes="Smile")
    pause.refresh_from_db()
    assert (pause.minutes, pause.notes, pause.rev) == (7, "Smile", 1)
    with pytest.raises(log.Stale):
        agenda.change_step(workshop, by, pause.pk, 0, minutes=8)
    take_back(workshop, by)
    pause.refresh_from_db()
    assert pause.minutes == 5


def test_saying_the_same_again_is_no_change(workshop, by):
    agenda.change_step(workshop, by, item(workshop, "Welcome").pk, 0, minutes=5)
    assert not workshop.log.exists()


def test_a_new_question_changes_its_type(workshop, by):
    (made,) = agenda.add_questions(workshop, by, [(Question("open_text", "Where is it?"), None)])
    agenda.change_type(workshop, by, made.pk, WHERE)
    made.refresh_from_db()
    assert (made.poll.question.type, made.poll.question.options) == ("single_choice", WHERE.options)


def test_a_question_that_was_asked_before_keeps_its_type(workshop, by):
    instrument = make.workshop(workshop.programme, WHERE).agenda.get().poll.version.instrument
    make.launched(instrument.versions.get().polls.get().agenda_item.workshop)
    made = agenda.add_known(workshop, by, instrument)
    with pytest.raises(CannotChange, match="asked this question before"):
        agenda.change_type(workshop, by, made.pk, WORDS)


def test_a_removed_step_leaves_its_question_in_the_bank_and_comes_back(workshop, by):
    source = item(workshop, CALM)
    agenda.remove_step(workshop, by, source.pk)
    assert titles(workshop) == ["Welcome", "Goodbye"]
    assert (Poll.objects.count(), Instrument.objects.count()) == (0, 1)
    take_back(workshop, by)
    assert titles(workshop) == ["Welcome", CALM, "Goodbye"]
    assert item(workshop, CALM).poll.question == source.poll.question


def test_a_step_that_is_gone_is_gone(workshop, by):
    gone = item(workshop, CALM).pk
    agenda.remove_step(workshop, by, gone)
    for action in (agenda.remove_step, agenda.copy_step):
        with pytest.raises(agenda.NotThere):
            action(workshop, by, gone)


# --- while it runs ---------------------------------------------------------------------------------------


def test_what_was_on_stage_stays_and_what_comes_next_can_be_changed(workshop, by):
    facilitation.start(workshop.pk, None)
    shown = item(workshop, CALM)
    facilitation.launch(workshop.pk, None, shown.pk)
    for change in (
        lambda: agenda.move_step(workshop, by, shown.pk, 2),
        lambda: agenda.remove_step(workshop, by, shown.pk),
        lambda: agenda.change_step(workshop, by, shown.pk, minutes=9),
        lambda: agenda.change_type(workshop, by, shown.pk, WORDS),
    ):
        with pytest.raises(CannotChange, match="on people's screens already"):
            change()
    agenda.move_step(workshop, by, item(workshop, "Goodbye").pk, 0)
    agenda.add_questions(workshop, by, [(WORDS, None)], after=item(workshop, "Welcome").pk)
    assert titles(workshop) == ["Welcome", CALM, WORDS.text, "Goodbye"]
    agenda.move_step(workshop, by, item(workshop, "Welcome").pk, 1)
    assert titles(workshop) == [CALM, "Welcome", WORDS.text, "Goodbye"]


def test_screens_hear_of_a_change(workshop, by, django_capture_on_commit_callbacks, monkeypatch):
    heard = []
    monkeypatch.setattr(
        "workshops.signals.announce._listeners", [lambda pk, names: heard.append((pk, "agenda" in names))]
    )
    with django_capture_on_commit_callbacks(execute=True):
        agenda.add_pause(workshop, by, "Tea")
    assert heard == [(workshop.pk, True)]


def test_after_the_end_the_agenda_stays(workshop, by):
    facilitation.start(workshop.pk, None)
    facilitation.end(workshop.pk, None)
    with pytest.raises(CannotChange, match="has ended"):
        agenda.add_pause(workshop, by, "Tea")


@pytest.mark.parametrize("title", ["Welcome", CALM, "Goodbye"])
@pytest.mark.parametrize("to", [0, 1, 2])
def test_any_move_of_a_dense_agenda_is_taken_back_whole(workshop, by, title, to):
    before = titles(workshop)
    agenda.move_step(workshop, by, item(workshop, title).pk, to)
    if entry := log.last_undoable(by, programme=workshop.programme, workshop=workshop):
        log.undo(entry, by)
    assert titles(workshop) == before


def test_moves_never_run_out_of_room(workshop, by):
    for number in range(40):
        agenda.move_step(workshop, by, item(workshop, "Goodbye" if number % 2 else "Welcome").pk, 1)
        assert len(set(workshop.agenda.values_list("position", flat=True))) == 3


def test_a_removed_step_does_not_come_back_after_the_end(workshop, by):
    agenda.remove_step(workshop, by, item(workshop, CALM).pk)
    entry = log.last_undoable(by, programme=workshop.programme, workshop=workshop)
    facilitation.start(workshop.pk, None)
    facilitation.end(workshop.pk, None)
    with pytest.raises(log.UndoRefused, match="has ended"):
        log.undo(entry, by)


def test_a_questionnaire_that_people_answer_stays_as_it_is(workshop, by):
    Workshop.objects.filter(pk=workshop.pk).update(mode="questionnaire", status="running")
    workshop.refresh_from_db()
    with pytest.raises(CannotChange, match="answering already"):
        agenda.add_pause(workshop, by, "Tea")
    with pytest.raises(CannotChange, match="stays as it is"):
        agenda.remove_step(workshop, by, item(workshop, CALM).pk)
