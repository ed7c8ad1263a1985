"""People in small groups: what they write is kept, once, whatever else happens; and nobody else's group hears of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from polls.ballot_box import Refusal
from polls.models import Text
from workshops.actions import batch as together
from workshops.actions import facilitation, groups, participation, stage
from workshops.actions.groups import membership
from workshops.actions.groups import notes as note_actions
from workshops.actions.groups.notes import (
    Add,
    Agree,
    Conflict,
    Done,
    Edit,
    Help,
    Move,
    Pick,
    Scribe,
    TakeBack,
)
from workshops.actions.moderation import decide
from workshops.actions.stage import GestureRejected
from workshops.groups import current_round, load_overview, load_pads, load_places
from workshops.models import Contribution, Group, Participant, Round
from workshops.signals.topics import Topic

from ... import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def room():
    """Six people in two groups, at work on a prompt."""
    workshop = factories.workshop()
    item = factories.prompt_item(workshop)
    people = [factories.participant(workshop) for _ in range(6)]
    facilitation.launch(workshop.pk, None, item.pk)
    groups.make(workshop.pk, None, "random", groups=2)
    groups.open_round(workshop.pk, None)
    return workshop, people


def group_of(who: Participant) -> Group:
    return Group.objects.get(places__voter=who.voter)


def mates(who: Participant) -> list[Participant]:
    voters = group_of(who).places.exclude(voter=who.voter).values_list("voter", flat=True)
    return list(Participant.objects.filter(voter__in=voters).order_by("pk"))


_ops = iter(range(1, 10_000))


def do(kind, who: Participant, *values, op: str = ""):
    return note_actions.write([kind(who.workshop_id, who.voter, op or f"op{next(_ops)}", *values)])[0]


def note(who: Participant, text: str = "Soft light") -> Done:
    done = do(Add, who, group_of(who).pk, text)
    assert isinstance(done, Done)
    return done


def code(outcome) -> str:
    assert isinstance(outcome, (Refusal, Conflict)), outcome
    return "conflict" if isinstance(outcome, Conflict) else outcome.code


def texts(who: Participant) -> list[str]:
    (pad,) = load_pads(who.workshop_id, [group_of(who).pk])
    return [one.text for one in pad.notes]


def test_everybody_here_has_one_place_and_groups_are_even(room):
    workshop, people = room
    sizes = sorted(group.places.count() for group in Group.objects.filter(round__workshop=workshop))
    assert sizes == [3, 3]
    assert sorted(p.voter for p in people) == sorted(
        Round.objects.get().places.values_list("voter", flat=True)
    )


def test_a_note_is_on_its_own_groups_pad_and_on_no_other(room):
    _workshop, people = room
    note(people[0])
    other = next(p for p in people if group_of(p) != group_of(people[0]))
    assert (texts(people[0]), texts(other)) == (["Soft light"], [])


def test_a_note_sent_twice_is_one_note(room):
    _workshop, people = room
    group = group_of(people[0]).pk
    first, again = (do(Add, people[0], group, "Soft light", op="same") for _ in range(2))
    assert first == again
    assert Contribution.objects.count() == 1


def test_nobody_writes_into_another_group(room):
    _workshop, people = room
    other = next(p for p in people if group_of(p) != group_of(people[0]))
    refused = do(Add, people[0], group_of(other).pk, "Hello")
    unknown = do(Add, people[0], 999_999, "Hello")
    assert (
        (refused.code, refused.message) == (unknown.code, unknown.message) == ("forbidden", refused.message)
    )


def test_an_author_edits_and_takes_back_their_own_and_nobody_elses(room):
    _workshop, people = room
    made = note(people[0])
    mate = mates(people[0])[0]
    assert code(do(Edit, mate, made.note, 1, "Harsh light")) == "forbidden"
    assert code(do(TakeBack, mate, made.note)) == "forbidden"
    assert do(Edit, people[0], made.note, 1, "Warm light").revision == 2
    assert texts(people[0]) == ["Warm light"]
    assert isinstance(do(TakeBack, people[0], made.note), Done)
    assert texts(people[0]) == []


def moved(who: Participant) -> Group:
    """To the other group; the one that they leave."""
    before = group_of(who)
    other = Group.objects.filter(round=before.round).exclude(pk=before.pk).get()
    seat = before.places.get(voter=who.voter)
    groups.move(who.workshop_id, None, [seat.pk], other.pk)
    return before


def place_of(who: Participant) -> dict:
    return load_places(who.workshop_id, who.voter).of(who.voter)


def test_who_is_moved_still_edits_and_takes_back_what_they_wrote_and_it_stays_where_it_was(room):
    workshop, people = room
    made = note(people[0])
    mate = mates(people[0])[0]
    before = moved(people[0])
    written = {"note": made.note, "rev": 1, "text": "Soft light", "of": before.name}
    assert place_of(people[0])["elsewhere"] == [written]
    assert load_places(workshop.pk).of(people[0].voter) == place_of(people[0])
    assert (texts(mate), texts(people[0])) == (["Soft light"], [])
    assert "elsewhere" not in place_of(mate)
    assert do(Edit, people[0], made.note, 1, "Warm light").revision == 2
    assert texts(mate) == ["Warm light"]
    assert [one["text"] for one in place_of(people[0])["elsewhere"]] == ["Warm light"]
    assert isinstance(do(TakeBack, people[0], made.note), Done)
    assert texts(mate) == []
    assert "elsewhere" not in place_of(people[0])


def test_who_is_moved_may_do_nothing_else_in_the_group_that_they_left(room):
    _workshop, people = room
    made, mates_note = note(people[0]), note(mates(people[0])[0], "A chair")
    before = moved(people[0])
    for kind, values in (
        (Add, (before.pk, "One more")), (Pick, (made.note, True)), (Move, (made.note, 0)), (Scribe, (before.pk, True)),
        (Agree, (mates_note.note, True)), (Edit, (mates_note.note, 1, "Mine")), (TakeBack, (mates_note.note,)),
    ):  # fmt: skip
        assert code(do(kind, people[0], *values)) == "forbidden", kind


def test_an_author_and_the_scribe_of_the_group_that_they_left_both_keep_their_words(room):
    _workshop, people = room
    made, scribe = note(people[0]), mates(people[0])[0]
    moved(people[0])
    do(Scribe, scribe, group_of(scribe).pk, True)
    do(Edit, scribe, made.note, 1, "Tidied")
    refused = do(Edit, people[0], made.note, 1, "My second thought")
    assert isinstance(refused, Conflict)
    assert do(Edit, people[0], made.note, refused.revision, "My second thought").revision == 3


def test_after_the_round_not_even_its_author_changes_a_note_of_the_group_that_they_left(room):
    workshop, people = room
    made = note(people[0])
    moved(people[0])
    groups.recall(workshop.pk, None)
    assert isinstance(do(Edit, people[0], made.note, 1, "One last word"), Done)
    groups.close_round(workshop.pk, None)
    assert code(do(Edit, people[0], made.note, 2, "too late")) == "closed"
    assert code(do(TakeBack, people[0], made.note)) == "closed"


def test_a_change_of_a_note_elsewhere_is_announced_to_its_authors_other_screens(room, monkeypatch):
    _workshop, people = room
    made = note(people[0])
    moved(people[0])
    announced = []
    monkeypatch.setattr(note_actions.announce, "changed", lambda _workshop, *names: announced.extend(names))
    do(Edit, people[0], made.note, 1, "Warm light")
    assert "places" in announced


def test_another_wording_of_the_groups_sentence_is_announced_to_the_consoles_main_button(room, monkeypatch):
    _workshop, people = room
    made = note(people[0])
    announced = []
    monkeypatch.setattr(note_actions.announce, "changed", lambda _workshop, *names: announced.extend(names))
    do(Edit, people[0], made.note, 1, "Warm light")
    assert Topic.STAGE not in announced
    do(Pick, people[0], made.note, True)
    announced.clear()
    do(Edit, people[0], made.note, 2, "Warm, soft light")
    assert Topic.STAGE in announced


def test_what_is_flagged_for_safeguarding_does_not_follow_its_author(room):
    workshop, people = room
    made = note(people[0])
    moved(people[0])
    decide(workshop.pk, None, factories.note_ref(made.note), "flagged")
    assert "elsewhere" not in place_of(people[0])
    assert code(do(Edit, people[0], made.note, 1, "Changed")) == "forbidden"


def test_two_who_edit_one_note_both_keep_their_words(room):
    _workshop, people = room
    made = note(people[0])
    scribe = mates(people[0])[0]
    do(Scribe, scribe, group_of(scribe).pk, True)
    do(Edit, scribe, made.note, 1, "Soft, warm light")
    refused = do(Edit, people[0], made.note, 1, "Soft light everywhere", op="mine")
    assert isinstance(refused, Conflict)
    assert (refused.revision, refused.text) == (2, "Soft, warm light")
    assert list(Text.objects.order_by("pk").values_list("words", "standing")) == [
        ("Soft light", "former"), ("Soft, warm light", "current"), ("Soft light everywhere", "lost"),
    ]  # fmt: skip
    assert isinstance(do(Edit, people[0], made.note, 1, "Soft light everywhere", op="mine"), Conflict)
    assert Text.objects.count() == 3


def test_two_who_make_the_same_change_do_not_stand_against_each_other(room):
    _workshop, people = room
    made = note(people[0])
    scribe = mates(people[0])[0]
    do(Scribe, scribe, group_of(scribe).pk, True)
    do(Edit, scribe, made.note, 1, "Warm light")
    agreed = do(Edit, people[0], made.note, 1, "Warm  light")
    assert isinstance(agreed, Done)
    assert (agreed.revision, texts(people[0])) == (2, ["Warm light"])
    assert do(Edit, people[0], made.note, agreed.revision, "Warm, soft light").revision == 3


def test_a_note_that_is_taken_back_is_not_what_its_group_brings_any_more(room):
    _workshop, people = room
    kept, picked = note(people[0], "Calm"), note(people[0])
    do(Pick, people[0], picked.note, True)
    do(TakeBack, people[0], kept.note)
    assert group_of(people[0]).pick_id == picked.note
    do(TakeBack, people[0], picked.note)
    assert group_of(people[0]).pick is None


def test_an_edit_sent_twice_is_one_edit(room):
    _workshop, people = room
    made = note(people[0])
    first, again = (do(Edit, people[0], made.note, 1, "Warm light", op="same") for _ in range(2))
    assert first == again
    assert Contribution.objects.get().text.revision == 2


def test_one_person_is_the_scribe_until_they_hand_over(room):
    _workshop, people = room
    one, two = people[0], mates(people[0])[0]
    group = group_of(one).pk
    assert isinstance(do(Scribe, one, group, True), Done)
    assert code(do(Scribe, two, group, True)) == "forbidden"
    do(Scribe, one, group, False)
    assert isinstance(do(Scribe, two, group, True), Done)
    assert group_of(one).scribe == two.voter


def test_the_scribe_puts_notes_in_order_and_nobody_else_does(room):
    _workshop, people = room
    made = [note(people[0], text) for text in ("one", "two", "three")]
    assert code(do(Move, people[0], made[2].note, 0)) == "forbidden"
    do(Scribe, people[0], group_of(people[0]).pk, True)
    do(Move, people[0], made[2].note, 0)
    assert texts(people[0]) == ["three", "one", "two"]


def test_agreeing_counts_once_a_person_and_can_be_taken_back(room):
    _workshop, people = room
    made = note(people[0])
    mate = mates(people[0])[0]
    for _ in range(3):
        do(Agree, mate, made.note, True)
    (pad,) = load_pads(people[0].workshop_id, [group_of(people[0]).pk])
    assert pad.notes[0].agreeing == 1
    do(Agree, mate, made.note, False)
    (pad,) = load_pads(people[0].workshop_id, [group_of(people[0]).pk])
    assert pad.notes[0].agreeing == 0
    assert code(do(Agree, people[0], made.note, True)) == "invalid"


def test_think_first_hides_others_notes_until_they_are_opened(room):
    workshop, people = room
    groups.close_round(workshop.pk, None)
    groups.make(workshop.pk, None, "kept")
    groups.open_round(workshop.pk, None, think_first=True)
    current = current_round(workshop.pk)
    group = Group.objects.get(round=current, places__voter=people[0].voter)
    note_actions.write([Add(workshop.pk, people[0].voter, "own", group.pk, "Soft light")])
    (pad,) = load_pads(workshop.pk, [group.pk])
    assert (pad.notes, pad.count) == ((), 1)
    place = load_places(workshop.pk, people[0].voter).of(people[0].voter)
    assert [own["text"] for own in place["own"]] == ["Soft light"]
    groups.share_notes(workshop.pk, None)
    (pad,) = load_pads(workshop.pk, [group.pk])
    assert [one.text for one in pad.notes] == ["Soft light"]


def test_while_people_think_first_not_even_the_scribe_touches_or_reads_what_others_wrote(room):
    workshop, people = room
    groups.close_round(workshop.pk, None)
    groups.make(workshop.pk, None, "kept")
    groups.open_round(workshop.pk, None, think_first=True)
    here = {"round__closed_at": None}
    group = Group.objects.get(places__voter=people[0].voter, **here)
    scribe = Participant.objects.filter(
        voter__in=group.places.exclude(voter=people[0].voter).values("voter")
    ).first()
    do(Scribe, scribe, group.pk, True)
    theirs = do(Add, people[0], group.pk, "For my eyes alone").note
    tries = [
        (Edit, (theirs, 0, "Mine now")), (Edit, (theirs, 1, "Mine now")),
        (Move, (theirs, 0)), (Pick, (theirs, True)), (Agree, (theirs, True)),
    ]  # fmt: skip
    for kind, values in tries:
        answer = do(kind, scribe, *values)
        assert code(answer) == "forbidden", kind
        assert "For my eyes alone" not in str(answer)
    assert do(Edit, people[0], theirs, 1, "Still my own").revision == 2
    groups.share_notes(workshop.pk, None)
    assert do(Edit, scribe, theirs, 2, "Tidied by the scribe").revision == 3


def test_a_call_for_help_waits_until_it_is_answered(room):
    workshop, people = room
    do(Help, people[0], group_of(people[0]).pk, True)
    assert [view.group for view in load_overview(workshop.pk).calls] == [group_of(people[0])]
    groups.answer_help(workshop.pk, None, group_of(people[0]).pk)
    assert load_overview(workshop.pk).calls == []


def test_a_latecomer_sits_down_in_the_smallest_group(room):
    workshop, people = room
    participation.leave(people[0])
    Round.objects.get().places.filter(voter=people[0].voter).delete()
    late = factories.participant(workshop)
    membership.place_latecomer(workshop.pk, late.voter)
    assert sorted(g.places.count() for g in Group.objects.all()) == [3, 3]
    assert group_of(late).places.count() == 3


def test_after_the_round_nothing_is_added_and_everything_is_there(room):
    workshop, people = room
    made = note(people[0])
    groups.close_round(workshop.pk, None)
    ended_long_ago()
    assert code(do(Add, people[0], group_of(people[0]).pk, "too late")) == "closed"
    assert code(do(Edit, people[0], made.note, 1, "too late")) == "closed"
    assert list(Contribution.objects.values_list("text__words", flat=True)) == ["Soft light"]


def ended_long_ago() -> None:
    Round.objects.update(closed_at=timezone.now() - note_actions.LATE - timedelta(seconds=1))


def test_a_note_that_waited_for_a_signal_is_kept_for_some_minutes_after_the_end(room):
    workshop, people = room
    group = group_of(people[0])
    groups.close_round(workshop.pk, None)
    assert isinstance(do(Add, people[0], group.pk, "Written in time"), Done)
    assert group.contributions.get().text.words == "Written in time"
    groups.make(workshop.pk, None, "random", groups=2)  # not into groups that never began
    Round.objects.filter(opened_at=None).update(closed_at=timezone.now())
    unborn = Round.objects.get(opened_at=None).places.get(voter=people[0].voter).group_id
    assert code(do(Add, people[0], unborn, "nowhere")) == "closed"


def test_while_people_think_for_themselves_the_room_is_not_asked_about_their_words(room):
    workshop, people = room
    Round.objects.update(think_first=True)
    made = note(people[0])
    with pytest.raises(stage.GestureRejected, match="think for themselves first"):
        groups.agreement_poll(workshop.pk, None, Contribution.objects.get(pk=made.note).ref)


def test_the_next_step_on_stage_ends_the_group_time(room):
    workshop, _people = room
    facilitation.launch(workshop.pk, None, factories.poll_item(workshop).pk)
    assert current_round(workshop.pk) is None


def test_a_groups_sentence_is_on_the_wall_only_once_the_facilitator_shows_it(room):
    workshop, people = room
    made = note(people[0])
    do(Pick, people[0], made.note, True)
    (view,) = [v for v in load_overview(workshop.pk).groups if v.pick]
    assert view.for_the_wall == ""
    groups.present(workshop.pk, None, view.group.pk)
    overview = load_overview(workshop.pk)
    assert overview.presenting.for_the_wall == "Soft light"


def test_words_changed_after_the_check_need_a_new_one(room):
    workshop, people = room
    made = note(people[0])
    decide(workshop.pk, None, factories.note_ref(made.note), "shown")
    do(Edit, people[0], made.note, 1, "Something else")
    assert Contribution.objects.get().for_the_wall == ""


def test_a_safeguarding_flag_hides_a_note_everywhere(room):
    workshop, people = room
    made = note(people[0])
    decide(workshop.pk, None, factories.note_ref(made.note), "flagged")
    assert texts(people[0]) == []
    assert Contribution.objects.get().for_the_wall == ""


def test_a_sentence_becomes_an_agreement_poll_with_one_gesture(room):
    workshop, people = room
    made = note(people[0])
    groups.agreement_poll(workshop.pk, None, Contribution.objects.get(pk=made.note).ref)
    workshop.refresh_from_db()
    poll = workshop.stage_item.poll
    assert (poll.is_open, poll.question.type, poll.question.text) == (True, "statement", "Soft light")


def test_groups_at_work_are_not_replaced_by_accident(room):
    workshop, _people = room
    with pytest.raises(GestureRejected):
        groups.make(workshop.pk, None, "random", groups=3)


def test_votes_and_notes_arrive_in_one_batch(room):
    workshop, people = room
    poll = factories.launched(factories.workshop())
    batch = [
        Add(workshop.pk, people[0].voter, "n1", group_of(people[0]).pk, "Soft light"),
        participation.Vote(workshop.pk, people[0].voter, poll.pk, "yes", "v1", 1),
        Add(workshop.pk, people[1].voter, "n2", group_of(people[1]).pk, "Calm"),
    ]
    outcomes = together.write(batch)
    assert [getattr(o, "op", "") for o in outcomes] == ["n1", "v1", "n2"]
    assert code(outcomes[1]) == "forbidden"


def test_reading_all_groups_costs_as_many_queries_for_two_as_for_six(django_assert_num_queries):
    counted = []
    for many in (2, 6):
        workshop = factories.workshop()
        item = factories.prompt_item(workshop)
        for _ in range(12):
            factories.participant(workshop)
        facilitation.launch(workshop.pk, None, item.pk)
        groups.make(workshop.pk, None, "random", groups=many)
        groups.open_round(workshop.pk, None)
        ids = list(Group.objects.filter(round__workshop=workshop).values_list("pk", flat=True))
        with django_assert_num_queries(5) as found:
            assert len(load_pads(workshop.pk, ids)) == many
        counted.append(len(found))
    assert counted[0] == counted[1]


# --- sharing back: from group to group, with questions in between ------------------------------------------


def picked(who: Participant, text: str) -> Done:
    made = note(who, text)
    do(Pick, who, made.note, True)
    return made


def test_a_question_asked_in_between_does_not_end_the_group_time(room):
    workshop, people = room
    made = picked(people[0], "Soft light")
    groups.recall(workshop.pk, None)
    groups.agreement_poll(workshop.pk, None, Contribution.objects.get(pk=made.note).ref)
    assert current_round(workshop.pk).recalled_at
    facilitation.launch(workshop.pk, None, factories.poll_item(workshop).pk)
    assert current_round(workshop.pk) is None


def test_after_a_question_in_between_the_next_group_is_shown_on_the_groups_own_step(room):
    workshop, people = room
    item = current_round(workshop.pk).item
    made = picked(people[0], "Soft light")
    other = next(p for p in people if group_of(p) != group_of(people[0]))
    picked(other, "Calm")
    groups.agreement_poll(workshop.pk, None, Contribution.objects.get(pk=made.note).ref)
    with pytest.raises(GestureRejected, match="A question is open"):
        groups.present(workshop.pk, None, group_of(other).pk)
    facilitation.close(workshop.pk, None)
    workshop.refresh_from_db()
    before = workshop.stage_rev
    groups.present(workshop.pk, None, group_of(other).pk)
    workshop.refresh_from_db()
    assert (workshop.stage_item, workshop.stage_item.done_at) == (item, None)
    assert workshop.stage_rev > before  # an older screen's buttons are void
    assert load_overview(workshop.pk).presenting.for_the_wall == "Calm"


def test_the_same_prompt_shown_again_keeps_its_groups_and_another_step_ends_them(room):
    workshop, _people = room
    item = current_round(workshop.pk).item
    facilitation.quick_poll(workshop.pk, None, "Tea or coffee?", "Tea\nCoffee")
    facilitation.launch(workshop.pk, None, item.pk)
    assert current_round(workshop.pk)
    facilitation.launch(workshop.pk, None, workshop.agenda.get(position=0).pk)
    assert current_round(workshop.pk) is None


@pytest.mark.parametrize("state", ["hidden", "flagged"])
def test_a_hidden_sentence_is_not_shown_by_walking_through_the_groups(room, state):
    workshop, people = room
    made = picked(people[0], "Soft light")
    decide(workshop.pk, None, factories.note_ref(made.note), state)
    assert load_overview(workshop.pk).to_show == []
    with pytest.raises(GestureRejected):
        groups.present(workshop.pk, None, group_of(people[0]).pk)


def test_several_people_are_moved_with_one_gesture_and_nobody_elses_people(room):
    workshop, _people = room
    one, two = Group.objects.filter(round__workshop=workshop)
    places = list(one.places.values_list("pk", flat=True))[:2]
    strange = Round.objects.create(workshop=factories.workshop(), number=1, made="random")
    elsewhere = Group.objects.create(round=strange, number=1, name="Theirs")
    theirs = elsewhere.places.create(round=strange, voter="somebody")
    groups.move(workshop.pk, None, [*places, theirs.pk], two.pk)
    assert (one.places.count(), two.places.count()) == (1, 5)
    assert elsewhere.places.count() == 1
    with pytest.raises(GestureRejected, match="Tick the people"):
        groups.move(workshop.pk, None, [theirs.pk], two.pk)
    with pytest.raises(GestureRejected, match="not there"):
        groups.move(workshop.pk, None, places, elsewhere.pk)
