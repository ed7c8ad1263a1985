"""Groups that a facilitator fills, that people choose, or that were there before; and which of them is asked what."""

from __future__ import annotations

import re

import pytest

from workshops.actions import facilitation, groups, stage
from workshops.actions.groups import membership as membership_actions
from workshops.actions.groups import notes
from workshops.groups import Places, current_round, load_places, membership, setup_panel
from workshops.models import Contribution, Group, Participant, Place, Prompt, Round, Workshop
from workshops.signals.topics import Audience, Topic

from ... import factories
from ...factories import phone
from .console_desk import Desk, grown, sentence, with_roles, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def by_hand(desk) -> Desk:
    desk.done("make_groups", how="by_hand", number=3, of="groups")
    return desk


def sizes(desk: Desk) -> list[int]:
    return [group.places.count() for group in desk.groups]


def waiting(desk: Desk) -> list[str]:
    return [seat.label for seat in desk.scene().forming.waiting]


def seats_of(desk: Desk, number: int) -> list[str]:
    return [seat.label for seat in desk.scene().forming.seated[number][1]]


def places(desk: Desk, *labels: str) -> list[int]:
    forming = desk.scene().forming
    seats = [*forming.waiting, *(seat for _view, seated in forming.seated for seat in seated)]
    return [seat.place for label in labels for seat in seats if seat.label == label]


def page_of(desk: Desk, who: Participant) -> str:
    return words(phone(who).get(f"/w/{desk.workshop.code}/").content.decode())


def group_of(desk: Desk, who: Participant) -> Group | None:
    return Group.objects.filter(places__voter=who.voter, round=current(desk)).first()


def current(desk: Desk) -> Round:
    return Round.objects.get(workshop=desk.workshop, closed_at=None)


# --- by hand ------------------------------------------------------------------------------------------


def test_by_hand_groups_begin_empty_and_everybody_waits_in_a_list(by_hand):
    assert sizes(by_hand) == [0, 0, 0]
    assert waiting(by_hand) == [f"Person {n}" for n in range(1, 7)]
    said = words(by_hand.draw(Topic.BREAKOUTS))
    assert "Not in a group yet 6 Person 1" in said
    assert "3 groups, 0 people" in said


def test_who_is_ticked_moves_into_a_group_and_back_and_keeps_their_number(by_hand):
    one, two, _three = by_hand.groups
    by_hand.done("move_person", places=places(by_hand, "Person 2", "Person 5"), group=one.pk)
    assert (seats_of(by_hand, 0), waiting(by_hand)) == (
        ["Person 2", "Person 5"],
        ["Person 1", "Person 3", "Person 4", "Person 6"],
    )
    by_hand.done("move_person", places=places(by_hand, "Person 5", "Person 1"), group=two.pk)
    assert (seats_of(by_hand, 0), seats_of(by_hand, 1)) == (["Person 2"], ["Person 1", "Person 5"])
    by_hand.done("move_person", places=places(by_hand, "Person 5"), group=0)
    assert (seats_of(by_hand, 1), waiting(by_hand)) == (
        ["Person 1"],
        ["Person 3", "Person 4", "Person 5", "Person 6"],
    )


def test_nobody_is_put_out_of_groups_that_were_made_another_way(desk):
    desk.done("make_groups", how="random", number=2, of="groups")
    place = Place.objects.filter(group=desk.groups[0]).first()
    page = desk.refused("move_person", places=[place.pk], group=0)
    assert sentence(page) == "That group is not there any more."
    assert Place.objects.get(pk=place.pk).group_id == desk.groups[0].pk


def test_once_open_nobody_goes_back_into_the_list(by_hand):
    by_hand.done("open_groups")
    place = Place.objects.filter(group=by_hand.groups[0]).first()
    by_hand.refused("move_person", places=[place.pk], group=0)
    assert Place.objects.get(pk=place.pk).group_id == by_hand.groups[0].pk


def test_a_latecomer_waits_in_the_list_and_once_open_sits_in_the_smallest(by_hand):
    late, later = factories.participant(by_hand.workshop), factories.participant(by_hand.workshop)
    said = page_of(by_hand, late)
    assert "You will be given a group in a moment" in said
    assert waiting(by_hand)[-1] == "Person 7"
    by_hand.done("move_person", places=places(by_hand, *waiting(by_hand)), group=by_hand.groups[0].pk)
    by_hand.done("open_groups")
    assert sizes(by_hand) == [7, 1, 0]
    assert "You are in Group 2: 1 person" in page_of(by_hand, later)


def test_opening_gives_whoever_still_waits_a_place_in_the_smallest_group(by_hand):
    by_hand.done(
        "move_person", places=places(by_hand, "Person 1", "Person 2", "Person 3"), group=by_hand.groups[1].pk
    )
    by_hand.done("open_groups")
    assert sizes(by_hand) == [2, 3, 1]
    assert not Place.objects.filter(group=None).exists()
    assert by_hand.scene().breakouts.waiting == 0
    assert [page_of(by_hand, who).count("You are in Group") for who in by_hand.people] == [1] * 6


def test_a_phone_says_the_number_that_the_console_has_for_the_whole_round(by_hand):
    who = by_hand.people[3]
    order = list(current(by_hand).places.order_by("pk").values_list("voter", flat=True))
    number = order.index(who.voter) + 1
    assert f"Your number: {number}" in page_of(by_hand, who)
    by_hand.done("move_person", places=places(by_hand, f"Person {number}"), group=by_hand.groups[0].pk)
    said = page_of(by_hand, who)
    assert "You are in Group 1" in said
    assert f"Your number: {number}" in said
    everybody = load_places(by_hand.workshop.pk)
    assert {voter: everybody.of(voter)["number"] for voter in order} == {
        voter: place for place, voter in enumerate(order, start=1)
    }
    assert load_places(by_hand.workshop.pk, who.voter).of(who.voter)["number"] == number
    by_hand.done("open_groups")
    assert f"Your number: {number}" in page_of(by_hand, who)


@pytest.mark.parametrize(
    "how", ["random", "balanced", "by_role", "by_table", "self_chosen", "kept", "merged"]
)
def test_in_every_round_phones_and_the_console_say_the_same_number(desk, how):
    desk.at_work(2)
    desk.done("close_groups")
    desk.done("make_groups", how=how, number=2, of="groups")
    if how == "by_table":
        for who in desk.people:
            table(desk, who, 3)
    desk.done("open_groups")
    console = {
        Place.objects.get(pk=seat.place).voter: seat.label
        for seats in membership.seated(desk.workshop, current(desk)).values()
        for seat in seats
    }
    everybody = load_places(desk.workshop.pk)
    told = {who.voter: f"Person {everybody.of(who.voter)['number']}" for who in desk.people}
    assert console == told
    who = desk.people[2]
    assert load_places(desk.workshop.pk, who.voter).of(who.voter) == everybody.of(who.voter)
    assert told[who.voter].replace("Person", "Your number:") in page_of(desk, who)


def test_the_picture_of_those_who_wait_has_nobodys_number(by_hand):
    from workshops import screens

    drawn = screens.draw_pads(by_hand.workshop.pk, [-current(by_hand).pk])
    assert re.search(r"<p data-number hidden>", drawn[-current(by_hand).pk])


@pytest.mark.parametrize("how", ["by_hand", "self_chosen", "by_table", "random"])
def test_numbers_do_not_tell_who_came_first_nor_who_chose_first(how):
    orders = set()
    for _ in range(6):
        desk = Desk()
        desk.done("make_groups", how=how, number=2, of="groups")
        for who in desk.people:
            if how == "self_chosen":
                press(desk, who, f"choose:{desk.groups[0].pk}")
            elif how == "by_table":
                table(desk, who, 4)
        came = [who.voter for who in desk.people]
        seats = current(desk).places.order_by("pk").values_list("voter", flat=True)
        orders.add(tuple(came.index(voter) for voter in seats))
    assert len(orders) > 1


@pytest.mark.parametrize(("leaders", "said"), [(5, True), (2, False)])
def test_a_role_stands_beside_the_number_where_enough_people_share_it(leaders, said):
    desk = with_roles(6, leaders)
    desk.done("make_groups", how="by_hand", number=2, of="groups")
    labels = waiting(desk)
    assert [label.split(",")[0] for label in labels] == [f"Person {n}" for n in range(1, 7 + leaders)]
    assert any("Leader" in label for label in labels) is said


def test_a_long_list_shows_the_first_and_has_one_choice_of_group(by_hand, monkeypatch):
    monkeypatch.setattr(setup_panel, "MOST_CHIPS", 5)
    monkeypatch.setattr(setup_panel, "MOST_WAITING", 4)
    assert waiting(by_hand) == [f"Person {n}" for n in range(1, 5)]
    html = by_hand.draw(Topic.BREAKOUTS)
    assert "Not in a group yet 6" in words(html)
    assert "The others come up as these are moved." in words(html)
    assert f'<option value="{by_hand.groups[2].pk}">' in html
    by_hand.done("move_person", places=places(by_hand, "Person 1"), group=by_hand.groups[2].pk)
    assert waiting(by_hand) == [f"Person {n}" for n in range(2, 6)]


def test_who_has_left_is_not_seated_in_the_next_round(by_hand):
    by_hand.done("open_groups")
    by_hand.done("close_groups")
    Participant.objects.filter(pk=by_hand.people[0].pk).update(left_at=by_hand.workshop.started_at)
    by_hand.done("make_groups", how="by_hand", number=2, of="groups")
    assert len(waiting(by_hand)) == 5


@pytest.mark.parametrize(("made", "people"), [(20, 240), (30, 120), (50, 80), (60, 500), (200, 1000)])
def test_the_picture_of_groups_that_are_being_filled_stays_below_64_kib(made, people):
    desk = grown(made, people)
    for number in range(14):
        factories.prompt_item(desk.workshop, f"{number} " + "What would calm look like? " * 12)
    desk.done("make_groups", how="by_hand", number=made, of="groups")
    drawn = [desk.draw(Topic.BREAKOUTS)]
    membership_actions.assign_groups(
        current(desk),
        list(current(desk).places.order_by("pk").values_list("voter", flat=True)[: people // 2]),
    )
    drawn.append(desk.draw(Topic.BREAKOUTS))
    desk.done("make_groups", how="random", number=made, of="groups")
    drawn.append(desk.draw(Topic.BREAKOUTS))
    assert max(len(html.encode()) for html in drawn) < 60 * 1024, [len(html.encode()) for html in drawn]


# --- which group gets which prompt --------------------------------------------------------------------


@pytest.fixture
def asked(desk) -> tuple[Desk, list[Prompt]]:
    """Three groups, formed, and three prompts; the first is on stage."""
    more = [factories.prompt_item(desk.workshop, text).prompt for text in ("Loud?", "Soft?")]
    desk.done("make_groups", how="random", number=3, of="groups")
    return desk, [desk.item.prompt, *more]


def questions(desk: Desk) -> list[str]:
    return [group.question for group in desk.groups]


CALM = "What would calm look like?"


def test_a_group_gets_the_prompt_it_was_given_and_the_others_the_one_on_stage(asked):
    desk, (_calm, loud, _soft) = asked
    desk.done("give_prompts", prompts=[loud.pk], to=[desk.groups[1].pk])
    assert "1 group has one of its own" in words(desk.draw(Topic.BREAKOUTS))
    desk.done("open_groups")
    assert questions(desk) == [CALM, "Loud?", CALM]


def test_several_prompts_go_round_among_the_ticked_groups(asked):
    desk, (_calm, loud, soft) = asked
    desk.done("give_prompts", prompts=[loud.pk, soft.pk], to=[g.pk for g in desk.groups[1:]])
    desk.done("open_groups")
    assert questions(desk) == [CALM, "Loud?", "Soft?"]


def test_with_no_group_ticked_all_get_it(asked):
    desk, (_calm, loud, _soft) = asked
    desk.done("give_prompts", prompts=[loud.pk])
    desk.done("open_groups")
    assert questions(desk) == ["Loud?"] * 3


def test_a_group_is_given_the_prompt_on_stage_again(asked):
    desk, (_calm, loud, _soft) = asked
    desk.done("give_prompts", prompts=[loud.pk])
    desk.done("give_prompts", back="true", to=[desk.groups[0].pk])
    desk.done("open_groups")
    assert questions(desk) == [CALM, "Loud?", "Loud?"]


def test_what_was_given_stands_on_every_console_and_survives_a_new_page(asked):
    desk, (_calm, loud, _soft) = asked
    desk.done("give_prompts", prompts=[loud.pk], to=[desk.groups[2].pk])
    assert [(view.group.number, letter) for view, letter in desk.scene().forming.asked] == [
        (1, ""),
        (2, ""),
        (3, "B"),
    ]
    assert [choice.groups for choice in desk.scene().forming.choices] == [0, 1, 0]
    assert re.search(r'Group 3</span> <b class="letter">B</b>', desk.page())


def test_giving_without_a_prompt_or_one_of_another_programme_is_refused(asked):
    desk, _prompts = asked
    foreign = factories.prompt_item(factories.workshop(), "Theirs").prompt
    for prompts in ([], [foreign.pk]):
        page = desk.refused("give_prompts", prompts=prompts)
        assert sentence(page) == "Tick a prompt first, then press “Give”."
    desk.done("open_groups")
    assert questions(desk) == [CALM] * 3


def test_groups_of_another_workshop_are_given_nothing(asked):
    desk, (_calm, loud, _soft) = asked
    other = Desk()
    other.done("make_groups", how="random", number=2, of="groups")
    desk.done("give_prompts", prompts=[loud.pk], to=[other.groups[0].pk])
    assert Group.objects.filter(prompt__isnull=False).count() == 0


def test_groups_at_work_keep_what_they_were_asked(asked):
    desk, (_calm, loud, _soft) = asked
    desk.done("open_groups")
    page = desk.refused("give_prompts", prompts=[loud.pk])
    assert sentence(page) == "The groups are at work already."
    assert questions(desk) == [CALM] * 3


def test_without_a_prompt_on_stage_every_group_needs_one(desk):
    pause, loud = factories.pause_item(desk.workshop), factories.prompt_item(desk.workshop, "Loud?").prompt
    facilitation.launch(desk.workshop.pk, None, pause.pk)
    desk.done("make_groups", how="random", number=2, of="groups")
    desk.done("give_prompts", prompts=[loud.pk], to=[desk.groups[0].pk])
    page = desk.refused("open_groups", said_at="open-said")
    assert sentence(page) == "Put a prompt on stage first, or give every group one."
    assert current(desk).opened_at is None
    desk.done("give_prompts", prompts=[loud.pk])
    desk.done("open_groups")
    assert questions(desk) == ["Loud?", "Loud?"]


def test_the_wall_does_not_show_a_prompt_that_is_not_everybodys(asked):
    desk, (_calm, loud, _soft) = asked
    assert CALM in desk.wall()
    desk.done("give_prompts", prompts=[loud.pk], to=[desk.groups[0].pk])
    assert CALM not in desk.wall()
    assert "Find your group" in desk.wall()
    desk.done("open_groups")
    assert "Each group has a question of its own" in desk.wall()
    desk.done("recall")
    assert desk.wall().count("The groups share next.") == 1
    assert "Each group has" not in desk.wall()


def test_the_longest_time_of_the_prompts_counts(asked):
    desk, (_calm, loud, _soft) = asked
    Prompt.objects.filter(pk=loud.pk).update(minutes=25)
    desk.done("give_prompts", prompts=[loud.pk], to=[desk.groups[0].pk])
    desk.done("open_groups")
    assert Workshop.objects.get(pk=desk.workshop.pk).timer_seconds == 25 * 60


# --- people choose ---------------------------------------------------------------------------------------


@pytest.fixture
def chosen(desk) -> tuple[Desk, Participant]:
    """Two groups to choose from, and somebody who sits in the first."""
    desk.done("make_groups", how="self_chosen", number=2, of="groups")
    who = desk.people[0]
    press(desk, who, f"choose:{desk.groups[0].pk}")
    return desk, who


def press(desk: Desk, who: Participant, button: str):
    return phone(who).post(f"/w/{desk.workshop.code}/group/", {"op": f"p{next(_ops)}", "do": button})


_ops = iter(range(1, 10_000))


def test_people_think_again_before_and_after_the_groups_open(chosen):
    desk, who = chosen
    assert sizes(desk) == [1, 0]
    assert "Choose another group" in page_of(desk, who)
    assert press(desk, who, "stand_up").status_code == 302
    assert sizes(desk) == [0, 0]
    assert "Choose your group" in page_of(desk, who)
    press(desk, who, f"choose:{desk.groups[1].pk}")
    desk.done("open_groups")
    press(desk, who, "stand_up")
    assert "Choose your group" in page_of(desk, who)
    press(desk, who, f"choose:{desk.groups[0].pk}")
    assert group_of(desk, who) == desk.groups[0]


def test_who_has_not_chosen_when_the_groups_open_is_placed_and_can_still_choose_another(chosen):
    desk, who = chosen
    assert "6 people" not in words(desk.draw(Topic.BREAKOUTS, Audience.WALL))
    desk.done("open_groups")
    assert sizes(desk) == [3, 3]
    assert group_of(desk, who) == desk.groups[0]
    one = next(p for p in desk.people if group_of(desk, p) == desk.groups[1])
    assert "Choose another group" in page_of(desk, one)
    press(desk, one, f"choose:{desk.groups[0].pk}")
    assert sizes(desk) == [4, 2]


def test_who_chose_while_those_who_wait_were_given_groups_keeps_what_they_chose(chosen):
    desk, _who = chosen
    for late in desk.people[1:4]:
        press(desk, late, f"choose:{desk.groups[0].pk}")
    membership_actions.assign_groups(current(desk), [person.voter for person in desk.people])
    assert [group_of(desk, person) for person in desk.people[:4]] == [desk.groups[0]] * 4
    assert all(group_of(desk, person) for person in desk.people[4:])


def test_who_gave_up_their_group_before_the_call_back_can_still_choose_one(chosen):
    desk, who = chosen
    desk.done("open_groups")
    press(desk, who, "stand_up")
    desk.done("recall")
    press(desk, who, f"choose:{desk.groups[1].pk}")
    assert group_of(desk, who) == desk.groups[1]
    press(desk, who, f"choose:{desk.groups[0].pk}")
    assert group_of(desk, who) == desk.groups[1]


def test_where_people_choose_who_comes_late_is_in_the_smallest_group_at_once(chosen):
    desk, _who = chosen
    early = factories.participant(desk.workshop)
    assert "Choose your group" in page_of(desk, early)
    desk.done("open_groups")
    assert sizes(desk) == [4, 3]
    late = factories.participant(desk.workshop)
    assert "You are in Group 2: 4 people" in page_of(desk, late)
    assert "Choose another group" in page_of(desk, late)


def test_who_chooses_anew_while_groups_work_is_given_no_group_meanwhile(chosen):
    desk, who = chosen
    desk.done("open_groups")
    press(desk, who, "stand_up")
    for _look in range(2):
        assert "Choose your group" in page_of(desk, who)
        membership_actions.place_latecomer(desk.workshop.pk, who.voter)
    assert group_of(desk, who) is None
    desk.done("recall")
    assert "You are in Group" in page_of(desk, who)


def test_the_console_moves_people_who_have_not_chosen_yet(chosen):
    desk, _who = chosen
    assert len(waiting(desk)) == 5
    assert "They choose on their phones, or you move them." in words(desk.draw(Topic.BREAKOUTS))
    desk.done("move_person", places=places(desk, *waiting(desk)[:2]), group=desk.groups[1].pk)
    assert sizes(desk) == [1, 2]
    desk.done("move_person", places=places(desk, *seats_of(desk, 1)), group=0)
    assert sizes(desk) == [1, 0]


def test_once_called_back_people_stay_where_they_are_and_who_is_late_has_a_place(chosen):
    desk, who = chosen
    desk.done("open_groups")
    desk.done("recall")
    assert "Choose another group" not in page_of(desk, who)
    for button in ("stand_up", f"choose:{desk.groups[1].pk}"):
        answer = press(desk, who, button)
        assert answer.status_code == 422
        assert "Everybody was called back, so groups stay as they are." in answer.content.decode()
    assert sizes(desk) == [3, 3]
    assert "You are in Group 1: 4 people" in page_of(desk, factories.participant(desk.workshop))


def test_a_scribe_who_goes_is_scribe_no_more(chosen):
    desk, who = chosen
    desk.done("open_groups")
    press(desk, who, f"scribe:{desk.groups[0].pk}:1")
    assert desk.groups[0].scribe == who.voter
    press(desk, who, "stand_up")
    assert desk.groups[0].scribe == ""


def test_nobody_gives_up_a_place_that_the_facilitator_gave(desk):
    desk.at_work()
    answer = press(desk, desk.people[0], "stand_up")
    assert answer.status_code == 422
    assert "In this round the facilitator makes the groups." in answer.content.decode()
    assert sum(sizes(desk)) == 6
    assert "Choose another group" not in page_of(desk, desk.people[0])


# --- the same as before, and tables --------------------------------------------------------------------------


def test_the_same_groups_keep_their_video_rooms(desk):
    desk.done("make_groups", how="random", number=2, of="groups")
    desk.done("name_group", group=desk.groups[0].pk, name="Owls", link="https://video.example/1")
    desk.done("open_groups")
    desk.done("close_groups")
    desk.done("make_groups", how="kept")
    assert [(g.name, g.link) for g in desk.groups] == [
        ("Owls", "https://video.example/1"),
        ("Group 2", ""),
    ]


def test_the_same_as_before_are_those_that_were_at_work_not_those_given_up(desk):
    desk.at_work(2)
    before = [set(g.places.values_list("voter", flat=True)) for g in desk.groups]
    desk.done("close_groups")
    desk.done("make_groups", how="random", number=3, of="groups")
    desk.done("close_groups")
    desk.done("make_groups", how="kept")
    assert [set(g.places.values_list("voter", flat=True)) for g in desk.groups] == before


def table(desk: Desk, who: Participant, number: int) -> None:
    notes.write([notes.Table(desk.workshop.pk, who.voter, f"t{next(_ops)}", number)])


def test_a_table_is_the_same_group_in_the_next_round_whatever_its_number(desk):
    desk.done("make_groups", how="by_table")
    for who, number in zip(desk.people, (7, 7, 3, 3, 3, 7), strict=True):
        table(desk, who, number)
    desk.done("open_groups")
    desk.done("close_groups")
    desk.done("make_groups", how="by_table")
    assert [(g.name, g.places.count()) for g in desk.groups] == [("Table 3", 3), ("Table 7", 3)]
    table(desk, desk.people[0], 2)
    table(desk, desk.people[2], 7)
    assert [(g.name, g.places.count()) for g in desk.groups] == [
        ("Table 2", 1),
        ("Table 3", 2),
        ("Table 7", 3),
    ]


def test_a_table_that_comes_after_the_opening_is_asked_what_the_others_are_asked(desk):
    desk.done("make_groups", how="by_table")
    desk.done("open_groups")
    table(desk, desk.people[0], 5)
    table(desk, desk.people[1], 6)
    assert questions(desk) == [CALM, CALM]


def test_by_table_whoever_has_said_none_is_placed_when_the_groups_open_and_can_still_say_it(desk):
    desk.done("make_groups", how="by_table")
    for who, number in zip(desk.people[:5], (3, 3, 3, 7, 7), strict=True):
        table(desk, who, number)
    silent = desk.people[5]
    assert "Which table are you at?" in page_of(desk, silent)
    desk.done("open_groups")
    assert "You are in Table 7: 3 people" in page_of(desk, silent)
    assert "I sit at another table" in page_of(desk, silent)
    press(desk, silent, "stand_up")
    assert "Which table are you at?" in page_of(desk, silent)
    assert phone(silent).post(
        f"/w/{desk.workshop.code}/group/", {"do": "table", "table": "3", "op": "t-silent"}
    ).status_code == 302  # fmt: skip
    assert "You are in Table 3: 4 people" in page_of(desk, silent)


def test_by_table_who_comes_late_sits_in_the_smallest_group_or_at_the_table_they_have_said(desk):
    desk.done("make_groups", how="by_table")
    for who, number in zip(desk.people, (3, 3, 3, 3, 7, 7), strict=True):
        table(desk, who, number)
    desk.done("open_groups")
    late, back = (factories.participant(desk.workshop) for _ in range(2))
    Participant.objects.filter(pk=back.pk).update(table=3)
    assert "You are in Table 7: 3 people" in page_of(desk, late)
    assert "You are in Table 3: 5 people" in page_of(desk, back)
    new = factories.participant(desk.workshop)
    Participant.objects.filter(pk=new.pk).update(table=9)
    assert "You are in Table 9: 1 person" in page_of(desk, new)
    assert set(questions(desk)) == {CALM}


def test_once_called_back_nobody_moves_to_another_table(desk):
    desk.done("make_groups", how="by_table")
    for who, number in zip(desk.people, (3, 3, 3, 7, 7, 7), strict=True):
        table(desk, who, number)
    desk.done("open_groups")
    desk.done("recall")
    for number in (7, 9):  # a table that is there, and one that is not
        table(desk, desk.people[0], number)
        assert sizes(desk) == [3, 3]
        assert Participant.objects.get(pk=desk.people[0].pk).table == 3


def test_a_table_whose_first_person_sits_down_as_groups_open_is_asked_what_the_others_are_asked(desk):
    desk.done("make_groups", how="by_table")
    table(desk, desk.people[0], 5)
    Participant.objects.filter(pk=desk.people[1].pk).update(table=8)
    desk.done("open_groups")
    assert questions(desk) == [CALM, CALM]


# --- two by two --------------------------------------------------------------------------------------------------


def members(desk: Desk) -> list[set[str]]:
    return [set(group.places.values_list("voter", flat=True)) for group in desk.groups]


@pytest.mark.parametrize(("people", "made"), [(8, [4, 4]), (10, [4, 6]), (6, [6]), (2, [2])])
def test_pairs_become_fours_and_a_last_odd_pair_joins_the_two_before_it(people, made):
    desk = grown(1, people)
    desk.done("make_groups", how="random", number=2, of="size")
    pairs = members(desk)
    desk.done("open_groups", think_first="true")
    desk.done("share_notes")
    desk.done("close_groups")
    desk.done("make_groups", how="merged", number="4", of="groups")
    fours = members(desk)
    assert [len(four) for four in fours] == made
    assert all(any(pair <= four for four in fours) for pair in pairs)
    assert {voter for four in fours for voter in four} == {voter for pair in pairs for voter in pair}
    if people == 8:
        assert [group.name for group in desk.groups] == ["Group 1 + Group 2", "Group 3 + Group 4"]
    desk.done("open_groups")
    desk.done("close_groups")
    desk.done("make_groups", how="merged")
    assert [len(all_) for all_ in members(desk)] == [people]


def test_two_by_two_who_is_new_sits_in_the_smallest_and_groups_that_nobody_is_in_any_more_do_not_count(desk):
    desk.done("make_groups", how="random", number=3, of="groups")
    desk.done("open_groups")
    gone = list(desk.groups[1].places.values_list("voter", flat=True))
    desk.done("close_groups")
    Participant.objects.filter(voter__in=gone).update(left_at=desk.workshop.started_at)
    new = factories.participant(desk.workshop)
    desk.done("make_groups", how="merged")
    assert [group.name for group in desk.groups] == ["Group 1 + Group 3"]
    assert sizes(desk) == [5]
    assert group_of(desk, new) == desk.groups[0]


def test_two_by_two_the_video_room_of_either_group_is_kept(desk):
    desk.done("make_groups", how="random", number=2, of="groups")
    desk.groups[1].__class__.objects.filter(pk=desk.groups[1].pk).update(link="https://meet.example/2")
    desk.done("open_groups")
    desk.done("close_groups")
    desk.done("make_groups", how="merged")
    assert [group.link for group in desk.groups] == ["https://meet.example/2"]


def test_two_by_two_of_groups_that_nobody_is_in_any_more_makes_none(desk):
    desk.done("make_groups", how="random", number=2, of="groups")
    desk.done("open_groups")
    desk.done("close_groups")
    Participant.objects.filter(workshop=desk.workshop).update(left_at=desk.workshop.started_at)
    factories.participant(desk.workshop)
    said = sentence(desk.refused("make_groups", how="merged"))
    assert said == "Nobody of those groups is here any more. Make new ones."


def test_without_groups_before_none_can_be_joined(desk):
    assert sentence(desk.refused("make_groups", how="merged")) == "There were no groups before."


# --- the clock ---------------------------------------------------------------------------------------------------


def seconds(desk: Desk) -> int:
    return Workshop.objects.get(pk=desk.workshop.pk).timer_seconds


def test_the_time_to_talk_begins_when_the_groups_open_and_ends_when_they_are_called_back(desk):
    assert seconds(desk) == 600  # a prompt for the whole room begins at once
    desk.done("make_groups", how="random", number=2, of="groups")
    assert seconds(desk) == 0
    desk.done("open_groups", minutes="4")
    assert seconds(desk) == 240
    desk.done("add_time", seconds=300)
    assert seconds(desk) == 540
    desk.done("recall")
    assert seconds(desk) == 0


def test_the_end_of_group_time_stops_its_own_clock_and_no_other(desk):
    desk.at_work()
    desk.done("close_groups")
    assert seconds(desk) == 0
    desk.at_work()
    desk.done("recall")
    desk.done("timer", seconds=120)  # for sharing back
    desk.done("close_groups")
    assert seconds(desk) == 120
    desk.done("make_groups", how="random", number=2, of="groups")
    desk.done("timer", seconds=90)
    desk.done("close_groups")  # groups that never opened
    assert seconds(desk) == 90


def test_a_prompt_that_finds_groups_made_starts_no_clock(desk):
    pause = factories.pause_item(desk.workshop)
    facilitation.launch(desk.workshop.pk, None, pause.pk)
    desk.done("make_groups", how="random", number=2, of="groups")
    facilitation.launch(desk.workshop.pk, None, desk.item.pk)
    assert seconds(desk) == 0


# --- sharing back where the plan has a step for it ----------------------------------------------------------------


def test_called_back_groups_bring_their_sentences_to_a_step_for_sharing_and_then_end(desk):
    sharing = factories.pause_item(desk.workshop, "Share back")
    tea = factories.pause_item(desk.workshop, "Tea")
    desk.at_work()
    first = desk.write("Soft light", 0, pick=True)
    desk.write("Calm", 1, pick=True)
    desk.done("recall")
    facilitation.launch(desk.workshop.pk, None, sharing.pk)
    assert "The groups share next." in desk.wall()
    desk.done("present", group=desk.groups[0].pk)
    assert "Soft light" in desk.wall()
    assert Workshop.objects.get(pk=desk.workshop.pk).stage_item_id == sharing.pk
    desk.done("agreement_poll", ref=Contribution.objects.get(pk=first).ref)
    desk.done("close")
    desk.done("present", group=desk.groups[1].pk)
    assert "Calm" in desk.wall()
    facilitation.launch(desk.workshop.pk, None, tea.pk)
    assert current_round(desk.workshop.pk) is None
    assert "Calm" not in desk.wall()


def test_a_step_for_all_together_calls_groups_back_and_their_sentences_can_still_be_shown(desk):
    sharing = factories.pause_item(desk.workshop, "Share back")
    desk.at_work()
    desk.write("Soft light", 0, pick=True)
    facilitation.launch(desk.workshop.pk, None, sharing.pk)
    assert current_round(desk.workshop.pk).recalled_at
    desk.done("present", group=desk.groups[0].pk)
    assert "Soft light" in desk.wall()


def test_a_sentence_that_is_chosen_only_when_all_are_together_can_be_shown(desk):
    sharing = factories.pause_item(desk.workshop, "Share back")
    desk.at_work()
    desk.done("recall")
    facilitation.launch(desk.workshop.pk, None, sharing.pk)
    desk.write("Soft light", 0, pick=True)
    desk.done("present", group=desk.groups[0].pk)
    assert "Soft light" in desk.wall()


def test_groups_end_with_the_next_question(desk):
    question = factories.poll_item(desk.workshop)
    desk.at_work()
    desk.write("Soft light", 0, pick=True)
    facilitation.launch(desk.workshop.pk, None, question.pk)
    assert current_round(desk.workshop.pk) is None


def test_groups_that_open_during_a_pause_belong_to_no_step_and_are_ended_by_hand(desk):
    pause, question = factories.pause_item(desk.workshop), factories.poll_item(desk.workshop)
    facilitation.launch(desk.workshop.pk, None, pause.pk)
    desk.done("make_groups", how="random", number=2, of="groups")
    desk.done("give_prompts", prompts=[desk.item.prompt_id])
    desk.done("open_groups")
    facilitation.launch(desk.workshop.pk, None, question.pk)
    assert current_round(desk.workshop.pk).is_open
    desk.done("close")
    desk.done("recall")
    desk.done("close_groups")
    assert current_round(desk.workshop.pk) is None


def test_the_joining_screen_does_not_end_the_group_time(desk):
    desk.at_work()
    with pytest.raises(stage.GestureRejected, match="People are in groups just now"):
        facilitation.joining(desk.workshop.pk, None)
    assert current_round(desk.workshop.pk).is_open


# --- observers -----------------------------------------------------------------------------------------------------


def observed(desk: Desk, query: str = "") -> str:
    return phone(observing=desk.workshop).get(f"/w/{desk.workshop.code}/{query}").content.decode()


def group_shown(html: str) -> int:
    return int(re.search(r'id="group" class="pad" data-group="(-?\d+)"', html).group(1))


def test_an_observer_stays_with_their_group_while_it_is_there():
    here = Places(round=1, sizes={11: 3, 12: 2, 13: 2})
    beside = {12: 1}.get
    watching = lambda group: beside(group, 0)  # noqa: E731
    assert here.of("", watching) == {"group": 13}
    assert here.of("", watching, 12) == {"group": 12}
    assert here.of("", watching, 11) == {"group": 11}
    assert here.of("", watching, 99) == {"group": 13}
    assert Places().of("", watching, 12) == {"group": 0}


def test_an_observers_page_says_which_group_it_is_and_leads_to_the_next(desk):
    desk.at_work(3)
    numbers = [group.pk for group in desk.groups]
    assert group_shown(observed(desk)) == numbers[0]
    page = observed(desk, f"?listen={numbers[2]}")
    assert group_shown(page) == numbers[2]
    assert f'href="?listen=after-{numbers[2]}"' in page
    client = phone(observing=desk.workshop)
    followed = [
        client.get(f"/w/{desk.workshop.code}/?listen=after-{number}")["Location"].partition("=")[2]
        for number in [*numbers, "x", 10**20]
    ]
    assert followed == [
        str(number) for number in [numbers[1], numbers[2], numbers[0], numbers[0], numbers[0]]
    ]


@pytest.mark.parametrize("asked_for", ["0", "x", "-1", "²", "9" * 30])
def test_an_address_that_names_no_group_leads_to_the_smallest(desk, asked_for):
    desk.at_work(2)
    late = factories.participant(desk.workshop)
    page_of(desk, late)  # sits down in the first
    assert group_shown(observed(desk, f"?listen={asked_for}")) == desk.groups[1].pk


def test_another_workshops_group_is_not_listened_to(desk):
    desk.at_work()
    other = Desk().at_work()
    other.write("Theirs alone")
    page = observed(desk, f"?listen={other.groups[0].pk}")
    assert "Theirs alone" not in page
    assert group_shown(page) == desk.groups[0].pk


def test_somebody_who_takes_part_sits_in_their_own_group_whatever_the_address_says(desk):
    desk.at_work(2)
    who = desk.people[0]
    mine = Place.objects.get(voter=who.voter).group_id
    (theirs,) = [group.pk for group in desk.groups if group.pk != mine]
    for query in (f"?listen={theirs}", f"?listen=after-{mine}"):
        assert group_shown(phone(who).get(f"/w/{desk.workshop.code}/{query}").content.decode()) == mine


def test_nothing_is_stored_of_an_observer(desk):
    desk.at_work(2)
    before = Participant.objects.count(), Place.objects.count()
    observed(desk)
    observed(desk, f"?listen=after-{desk.groups[0].pk}")
    assert (Participant.objects.count(), Place.objects.count()) == before


# --- the console says what people's phones say ------------------------------------------------------------------------


def test_the_words_on_the_console_name_the_button_that_phones_have(desk):
    desk.at_work()
    desk.write("Soft light")
    desk.done("recall")
    (button,) = set(re.findall(r"press “([^”]+)”", words(desk.draw(Topic.BREAKOUTS))))
    assert f">{button}</button>" in phone(desk.people[0]).get(f"/w/{desk.workshop.code}/").content.decode()


def test_the_wall_says_how_people_come_to_a_group_by_hand(by_hand):
    assert "Your facilitator gives everybody a group." in words(by_hand.draw(Topic.STAGE, Audience.WALL))
    groups.open_round(by_hand.workshop.pk, None)
    assert "Your phone says which group is yours." in words(by_hand.draw(Topic.STAGE, Audience.WALL))
