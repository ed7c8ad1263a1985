"""Notes that are written together: each in its place, each once, and at the same cost however many they are."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from polls.ballot_box import Refusal
from polls.models import Text
from workshops import screens
from workshops.actions import facilitation, groups
from workshops.actions.groups import notes as note_actions
from workshops.actions.groups.notes import Add, Agree, Choose, Done, Edit, Scribe, TakeBack
from workshops.live.fragments import encode
from workshops.models import Agreement, Contribution, Group

from ... import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def group():
    """Three people in one group, at work."""
    workshop = factories.workshop()
    item = factories.prompt_item(workshop)
    people = [factories.participant(workshop) for _ in range(3)]
    facilitation.launch(workshop.pk, None, item.pk)
    groups.make(workshop.pk, None, "random", groups=1)
    groups.open_round(workshop.pk, None)
    return workshop, Group.objects.get(), [person.voter for person in people]


def adds(group, number: int, prefix: str = "op") -> list[Add]:
    workshop, made, voters = group
    return [Add(workshop.pk, voters[n % 3], f"{prefix}{n}", made.pk, f"{prefix} {n}") for n in range(number)]


def test_notes_of_one_batch_stand_in_the_order_in_which_they_came(group):
    note_actions.write(adds(group, 4, "early"))
    note_actions.write(adds(group, 2, "late"))
    kept = Contribution.objects.order_by("position").values_list("text__words", "position")
    texts = [*(f"early {n}" for n in range(4)), *(f"late {n}" for n in range(2))]
    assert list(kept) == [(text, place) for place, text in enumerate(texts, start=1)]


def test_a_note_that_is_twice_in_one_batch_is_one_note(group):
    (item,) = adds(group, 1)
    first, again = note_actions.write([item, item])
    assert first == again
    assert Contribution.objects.count() == Text.objects.count() == 1


def test_the_last_free_place_is_given_once(group, monkeypatch):
    monkeypatch.setattr(note_actions, "NOTES_LIMIT", 2)
    monkeypatch.setattr(note_actions, "NOTES_EACH", 0)
    outcomes = note_actions.write(adds(group, 3))
    assert [type(outcome) for outcome in outcomes] == [Done, Done, Refusal]


def large(people: int):
    """So many people in one group, at work."""
    workshop = factories.workshop()
    item = factories.prompt_item(workshop)
    voters = [factories.participant(workshop).voter for _ in range(people)]
    facilitation.launch(workshop.pk, None, item.pk)
    groups.make(workshop.pk, None, "random", groups=1)
    groups.open_round(workshop.pk, None)
    return workshop, Group.objects.get(round__workshop=workshop), voters


@pytest.mark.parametrize(("people", "notes"), [(3, 40), (10, 40), (30, 120)])
def test_a_group_has_room_for_forty_notes_or_four_a_person(people, notes):
    group = large(people)
    outcomes = note_actions.write(adds(group, notes + 1))
    assert [type(outcome) for outcome in outcomes] == [Done] * notes + [Refusal]
    assert "Take one of yours back, then try again." in outcomes[-1].message
    taken = TakeBack(group[0].pk, group[2][0], "back", outcomes[0].note)
    again = Add(group[0].pk, group[2][1], "again", group[1].pk, "It fits now")
    assert isinstance(note_actions.write([taken])[0], Done)
    assert isinstance(note_actions.write([again])[0], Done)


def long(group, number: int, text: str = "x" * 1000) -> list[Add]:
    workshop, made, voters = group
    return [Add(workshop.pk, voters[n % 3], f"long{n}", made.pk, text) for n in range(number)]


def test_forty_notes_always_fit_however_long_they_are_and_more_as_long_as_their_letters_do():
    group = large(30)
    outcomes = note_actions.write(long(group, 41))
    assert [type(outcome) for outcome in outcomes] == [Done] * 40 + [Refusal]
    workshop, _made, voters = group
    longer = Edit(workshop.pk, voters[0], "e1", outcomes[0].note, 1, "y" * 1000)
    shorter = Edit(workshop.pk, voters[0], "e2", outcomes[0].note, 2, "short")
    assert [type(outcome) for outcome in note_actions.write([longer, shorter])] == [Done, Done]


def test_a_note_does_not_grow_where_a_pad_is_full():
    group = large(30)
    note_actions.write(long(group, 39))
    workshop, made, voters = group
    (short,) = note_actions.write([Add(workshop.pk, voters[0], "short", made.pk, "x" * 500)])
    (more,) = note_actions.write([Add(workshop.pk, voters[1], "more", made.pk, "x" * 300)])
    (grown,) = note_actions.write([Edit(workshop.pk, voters[0], "grown", short.note, 1, "x" * 501)])
    assert (type(more), type(grown)) == (Done, Refusal)


def test_the_pictures_of_a_pad_that_is_full_stay_below_64_kib():
    for text, people in (("x" * 1000, 30), ("Soft light, everywhere", 100)):
        group = large(people)
        note_actions.write(long(group, 4 * people, text))
        workshop, made, voters = group
        notes = list(Contribution.objects.filter(group=made).values_list("pk", flat=True))
        Agreement.objects.bulk_create(Agreement(contribution_id=note, voter=voters[-1]) for note in notes)
        phone = screens.draw_pads(workshop.pk, [made.pk])[made.pk]
        desk = screens.draw_desk_pads(workshop.pk, [made.pk])[made.pk]
        sizes = [len(encode({"html": html})) for html in (phone, desk)]
        assert max(sizes) <= 64 * 1024, (len(notes), sizes)


def test_two_changes_of_one_note_in_one_batch_meet(group):
    workshop, _made, voters = group
    (made,) = note_actions.write(adds(group, 1))
    one, two = note_actions.write(
        [Edit(workshop.pk, voters[0], f"edit{n}", made.note, 1, f"edit {n}") for n in (1, 2)]
    )
    assert isinstance(one, Done)
    assert (two.revision, two.text) == (2, "edit 1")
    assert list(Text.objects.order_by("pk").values_list("words", "standing")) == [
        ("op 0", "former"), ("edit 1", "current"), ("edit 2", "lost"),
    ]  # fmt: skip


def test_a_note_that_was_taken_back_a_moment_ago_is_gone_for_the_next(group):
    workshop, _made, voters = group
    (made,) = note_actions.write(adds(group, 1))
    taken, refused = note_actions.write(
        [
            TakeBack(workshop.pk, voters[0], "a", made.note),
            Agree(workshop.pk, voters[1], "b", made.note, True),
        ]
    )
    assert isinstance(taken, Done)
    assert refused.code == "forbidden"


def test_who_becomes_the_scribe_may_act_as_one_at_once(group):
    workshop, made, voters = group
    (note,) = note_actions.write(adds(group, 1))
    outcomes = note_actions.write(
        [
            Scribe(workshop.pk, voters[1], "a", made.pk, True),
            Edit(workshop.pk, voters[1], "b", note.note, 1, "By the scribe"),
        ]
    )
    assert [type(outcome) for outcome in outcomes] == [Done, Done]


def test_who_chooses_a_group_may_write_there_at_once(group):
    workshop, _made, voters = group
    groups.close_round(workshop.pk, None)
    groups.make(workshop.pk, None, "self_chosen", groups=2)
    groups.open_round(workshop.pk, None)
    chosen = Group.objects.filter(round__closed_at=None).first()
    outcomes = note_actions.write(
        [
            Choose(workshop.pk, voters[0], "a", chosen.pk),
            Add(workshop.pk, voters[0], "b", chosen.pk, "Here I am"),
        ]
    )
    assert [type(outcome) for outcome in outcomes] == [Done, Done]


def test_agreeing_twice_in_one_batch_counts_once(group):
    workshop, _made, voters = group
    (note,) = note_actions.write(adds(group, 1))
    note_actions.write([Agree(workshop.pk, voters[1], f"a{n}", note.note, True) for n in range(2)])
    assert Agreement.objects.count() == 1


def test_reading_costs_the_same_for_one_note_as_for_nine(group):
    def reads(number: int, prefix: str) -> int:
        items = adds(group, number, prefix)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            note_actions.write(items)
        return sum(query["sql"].startswith("SELECT") for query in queries)

    assert reads(1, "one") == reads(9, "nine") <= 6
