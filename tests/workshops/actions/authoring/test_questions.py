"""Questions and prompts are written, copied, changed, published, removed; every verb can be taken back."""

from dataclasses import replace

import pytest

from polls import ballot_box, bank
from polls.models import ComparabilityMark, Poll
from polls.types import Question
from workshops.actions import log
from workshops.actions.authoring import questions
from workshops.actions.authoring.questions import Card, Step, Sum
from workshops.actions.log import Stale

from .... import factories

pytestmark = pytest.mark.django_db
QUESTION = factories.YES_NO


@pytest.fixture
def programme():
    made = factories.programme()
    made.domains.create(key="room", title="The room")
    made.domains.create(key="day", title="The day")
    return made


@pytest.fixture
def person():
    return factories.person("owner@example.org")


@pytest.fixture
def instrument(programme, person):
    return questions.add_question(programme, person, QUESTION)


def card(instrument, **changes):
    question = bank.published_and_draft(instrument)[0].question
    values = {"question": question, "name": instrument.name, "domains": frozenset()}
    return Card(**{**values, **changes})


def test_a_question_gets_a_key_from_its_words_that_nobody_else_has(programme, person):
    made = [questions.add_question(programme, person, QUESTION) for _ in range(3)]
    assert [each.key for each in made] == ["is-it-calm", "is-it-calm-2", "is-it-calm-3"]
    assert made[1].latest.question.key == "is-it-calm-2"
    assert [each.position for each in made] == [0, 1, 2]


def test_a_question_without_letters_and_one_called_as_a_page_get_keys_too(programme, person):
    keys = [
        questions.add_question(programme, person, Question("words", text)).key for text in ("", "??", "New")
    ]
    assert keys == ["question", "question-2", "new-2"]


def test_adding_is_one_entry_of_the_log_or_none_where_it_is_part_of_another_action(programme, person):
    questions.add_question(programme, person, QUESTION)
    with log.logged(programme, person, "added_prompt") as journal:
        questions.add_question(programme, person, QUESTION, journal=journal)
    assert [entry.verb for entry in programme.log.all()] == ["added_prompt", "added_question"]


def test_adding_is_taken_back(programme, person, instrument):
    log.undo(programme.log.first(), person)
    assert not programme.bank.instruments.exists()


def test_a_copy_from_another_programme_remembers_where_it_is_from(programme, person, instrument):
    instrument.measures.create(key="calm", label="Calm", kind="merge", definition={"members": ["yes"]})
    programme.domains.first().instruments.add(instrument)
    other = factories.programme()
    other.domains.create(key="room", title="Our room")
    copy = questions.copy_question(other, person, instrument)
    assert (copy.origin, copy.key, copy.bank) == (instrument, instrument.key, other.bank)
    assert copy.latest.question == instrument.latest.question
    assert [measure.label for measure in copy.measures.all()] == ["Calm"]
    assert [domain.title for domain in copy.domains.all()] == ["Our room"]


def test_a_card_is_kept_whole_and_taken_back_whole(programme, person, instrument):
    new = replace(instrument.latest.question, text="Is it quiet?")
    room = programme.domains.first()
    sums = (Sum("", "Quiet", "merge", {"members": ["yes"]}),)
    questions.save_card(
        programme,
        person,
        instrument,
        card(instrument, question=new, name="Quiet", domains={room.pk}, sums=sums),
    )
    assert (instrument.name, instrument.rev, instrument.latest.question.text) == ("Quiet", 1, "Is it quiet?")
    assert [measure.key for measure in instrument.measures.all()] == ["quiet"]
    log.undo(programme.log.first(), person)
    instrument.refresh_from_db()
    assert (instrument.name, instrument.latest.question.text) == ("", "Is it calm?")
    assert not instrument.measures.exists()
    assert not instrument.domains.exists()


def test_a_card_saved_as_it_was_changes_nothing(programme, person, instrument):
    entries = programme.log.count()
    questions.save_card(programme, person, instrument, card(instrument))
    assert (programme.log.count(), instrument.rev) == (entries, 0)


def test_the_second_of_two_editors_is_told(programme, person, instrument):
    questions.save_card(programme, person, instrument, card(instrument, name="First"), rev=0)
    with pytest.raises(Stale):
        questions.save_card(programme, person, instrument, card(instrument, name="Second"), rev=0)
    instrument.refresh_from_db()
    assert instrument.name == "First"


def test_autosaves_of_one_card_are_one_entry(programme, person, instrument):
    entries = programme.log.count()
    for text in ("Is it q", "Is it qui", "Is it quiet?"):
        new = replace(instrument.latest.question, text=text)
        questions.save_card(programme, person, instrument, card(instrument, question=new), path="/card/")
    assert programme.log.count() == entries + 1
    log.undo(programme.log.first(), person)
    assert instrument.latest.question.text == "Is it calm?"


# --- agendas ---------------------------------------------------------------------------------------


@pytest.fixture
def workshop(programme):
    made = factories.workshop(programme, started=False)
    programme.bank.instruments.update(name="")
    return made


@pytest.fixture
def item(workshop):
    return workshop.agenda.get()


def of(item):
    return item.poll.version.instrument


def test_a_step_to_come_follows_its_question_in_title_and_reveal(programme, person, item):
    instrument = of(item)
    new = replace(QUESTION, text="Is it quiet?", settings={"reveal": "live"})
    questions.save_card(programme, person, instrument, card(instrument, question=new))
    item.refresh_from_db()
    assert (item.title, item.required_poll.reveal) == ("Is it quiet?", "live")


def test_a_step_keeps_a_title_and_a_reveal_of_its_own(programme, person, item):
    item.title = "Warm up"
    item.save()
    Poll.objects.update(reveal="never")
    instrument = of(item)
    new = replace(QUESTION, text="Is it quiet?", settings={"reveal": "live"})
    questions.save_card(programme, person, instrument, card(instrument, question=new))
    item.refresh_from_db()
    assert (item.title, item.required_poll.reveal) == ("Warm up", "never")


def test_the_card_of_a_step_keeps_its_minutes_notes_and_reveal(programme, person, item):
    instrument = of(item)
    new = replace(QUESTION, text="Is it quiet?")
    questions.save_card(
        programme, person, instrument, card(instrument, question=new), item=item, item_rev=0,
        step=Step(4, "Ask twice.", reveal="live"),
    )  # fmt: skip
    assert (item.title, item.minutes, item.notes, item.rev) == ("Is it quiet?", 4, "Ask twice.", 1)
    assert item.required_poll.reveal == "live"
    log.undo(programme.log.first(), person)
    item.refresh_from_db()
    assert (item.title, item.minutes, item.notes) == ("Is it calm?", 0, "")


def test_autosaves_of_a_step_are_one_entry_too(programme, person, item):
    instrument = of(item)
    for text in ("Is it q", "Is it quiet?"):
        new = replace(QUESTION, text=text)
        questions.save_card(
            programme,
            person,
            instrument,
            card(instrument, question=new),
            item=item,
            step=Step(len(text), ""),
            path="/card/",
        )
    assert programme.log.count() == 1


# --- versions --------------------------------------------------------------------------------------


@pytest.fixture
def asked(programme, person, item):
    """A question that has been asked, with a changed draft, and a step of another workshop to come."""
    instrument = of(item)
    ballot_box.open_poll(item.poll_id)
    other = factories.workshop(programme, started=False)
    poll = other.agenda.get().poll
    poll.version = item.poll.version
    poll.save()
    other.agenda.update(title="Is it calm?")
    new = replace(QUESTION, text="Is it quiet?")
    questions.save_card(programme, person, instrument, card(instrument, question=new))
    return instrument, other


@pytest.mark.parametrize(("kind", "mark"), [("typo", "typo"), ("option", "option"), ("meaning", None)])
def test_publishing_says_what_was_changed_and_workshops_to_come_ask_it(programme, person, asked, kind, mark):
    instrument, other = asked
    made = questions.publish_version(programme, person, instrument, kind=kind, reason="Asked for")
    step = other.agenda.get()
    assert (step.poll.version, step.title) == (made, "Is it quiet?")
    assert list(ComparabilityMark.objects.values_list("kind", "by")) == ([(mark, person.pk)] if mark else [])


def test_a_draft_is_not_what_workshops_to_come_ask(asked):
    _instrument, other = asked
    assert other.agenda.get().poll.question.text == "Is it calm?"
    assert other.agenda.get().title == "Is it calm?"


def test_keeping_the_version_drops_the_draft(programme, person, asked):
    instrument, _other = asked
    questions.keep_version(programme, person, instrument)
    assert instrument.versions.count() == 1


def test_publishing_twice_is_refused_and_keeping_twice_is_nothing(programme, person, asked):
    instrument, _other = asked
    questions.publish_version(programme, person, instrument, kind="typo")
    with pytest.raises(bank.NoDraft):
        questions.publish_version(programme, person, instrument, kind="typo")
    entries = programme.log.count()
    questions.keep_version(programme, person, instrument)
    assert programme.log.count() == entries


# --- prompts, pauses, removing -----------------------------------------------------------------------


def test_a_prompt_is_added_copied_and_changed_and_its_steps_follow(programme, person, workshop):
    prompt = questions.add_prompt(programme, person, "What is calm?", probes=["Where?"], minutes=8)
    step = factories.prompt_item(workshop, "What is calm?")
    step.prompt = prompt
    step.save()
    questions.save_prompt(programme, person, prompt, text="What is quiet?", probes=[], domain=None, rev=0)
    step.refresh_from_db()
    assert (prompt.key, prompt.rev, step.title) == ("what-is-calm", 1, "What is quiet?")
    copy = questions.copy_prompt(factories.programme(), person, prompt)
    assert (copy.text, copy.minutes, copy.origin) == ("What is quiet?", 8, prompt)


def test_a_pause_has_words_minutes_and_notes(programme, person, workshop):
    pause = factories.pause_item(workshop)
    questions.save_step(programme, person, pause, Step(5, "Fetch cups", title="Coffee"), rev=0)
    assert (pause.title, pause.minutes, pause.notes, pause.rev) == ("Coffee", 5, "Fetch cups", 1)
    with pytest.raises(Stale):
        questions.save_step(programme, person, pause, Step(6, "", title="Tea"), rev=0)


def test_a_removed_question_comes_back_and_removing_twice_is_removing_once(programme, person, instrument):
    for _ in range(2):
        questions.remove_question(programme, person, instrument)
    assert instrument.removed_at is not None
    assert [entry.verb for entry in programme.log.all()] == ["removed_question", "added_question"]
    for _ in range(2):
        questions.restore_question(programme, person, instrument)
    assert instrument.removed_at is None
