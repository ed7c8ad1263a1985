"""The facilitator's side of small groups, through the doors that facilitators use; and what the wall shows of them."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from workshops import screens
from workshops.actions import facilitation
from workshops.actions.groups import notes
from workshops.actions.moderation import decide
from workshops.groups import current_round, membership, setup_panel
from workshops.models import Call, Contribution, Group, Round, Workshop
from workshops.signals.topics import Audience, Topic

from ... import factories
from .console_desk import Desk, grown, sentence, with_roles, words

pytestmark = pytest.mark.django_db


def main_button(html: str) -> str:
    (found,) = re.findall(r'<button[^>]*id="main-button".*?</button>', html, re.S)
    return words(found)


# --- the main button leads through a round -------------------------------------------------------------


def test_the_main_button_says_what_comes_next_through_a_whole_round(desk):
    factories.pause_item(desk.workshop, "Tea")
    said = []

    def look():
        said.append(main_button(desk.draw(Topic.STAGE)))

    look()
    desk.done("make_groups", how="balanced", number=2, of="groups")
    look()
    desk.done("open_groups")
    look()
    for number, text in enumerate(("Soft light", "Calm")):
        desk.write(text, number, pick=True)
    desk.done("recall")
    look()
    desk.done("present", group=desk.groups[0].pk)
    look()
    desk.done("present", group=desk.groups[1].pk)
    look()
    assert said == [
        "Make groups as chosen below",
        "Open the groups the prompt is on every phone",
        "Call everybody back notes can still be finished",
        "Show Group 1 on the wall the sentence that it brings",
        "Show Group 2 on the wall the sentence that it brings",
        "Next: Tea",
    ]


def test_after_a_question_in_between_the_walk_goes_on_where_it_was(desk):
    desk.at_work()
    first = desk.write("Soft light", 0, pick=True)
    desk.write("Calm", 1, pick=True)
    desk.done("recall")
    desk.done("present", group=desk.groups[0].pk)
    desk.done("agreement_poll", ref=Contribution.objects.get(pk=first).ref)
    assert main_button(desk.draw(Topic.STAGE)).startswith("Close voting")
    assert "Does this ring true?" in desk.wall()
    desk.done("close")
    assert main_button(desk.draw(Topic.STAGE)).startswith("Show Group 2 on the wall")
    desk.done("present", group=desk.groups[1].pk)
    assert "Calm" in desk.wall()
    assert "Soft light" not in desk.wall()


def test_the_room_can_be_asked_about_every_sentence_on_the_wall_also_the_last_groups(desk):
    factories.pause_item(desk.workshop, "Tea")
    desk.at_work()
    for number, text in enumerate(("Soft light", "Calm")):
        desk.write(text, number, pick=True)
    desk.done("recall")
    for group, text in zip(desk.groups, ("Soft light", "Calm"), strict=True):
        desk.done("present", group=group.pk)
        page = desk.page(f"?group={group.pk}")
        ids = re.findall(r' id="([^"]+)"', page)
        assert sorted(ids) == sorted(set(ids))
        (form,) = re.findall(r'<form((?:(?!</form>|<form).)*?id="ask-room".*?)</form>', page, re.S)
        assert "Ask the room" in form
        assert f'action="/workshops/{desk.workshop.code}/do/agreement_poll/"' in form
        fields = dict(re.findall(r'type="hidden" name="(rev|ref)" value="([^"]*)"', form))
        assert set(fields) == {"rev", "ref"}
        desk.done("agreement_poll", **fields)
        assert text in desk.wall()
        assert "Does this ring true?" in desk.wall()
        desk.done("close")


def test_words_that_came_after_those_on_the_console_do_not_reach_the_wall_unread(desk):
    desk.at_work(1)
    note = desk.write("Calm", pick=True)
    desk.done("recall")
    read = Contribution.objects.get(pk=note).ref
    assert f'name="ref" value="{read}"' in desk.draw(Topic.STAGE)
    author = Contribution.objects.get(pk=note).author
    notes.write([notes.Edit(desk.workshop.pk, author, "edit", note, 1, "Ask Mrs Miller")])
    for gesture, fields in (
        ("present", {"group": desk.groups[0].pk, "ref": read}),
        ("agreement_poll", {"ref": read}),
    ):
        assert "changed just now" in desk.refused(gesture, **fields)
    assert Contribution.objects.get(pk=note).text.state == "pending"
    assert "Miller" not in desk.wall()


def test_groups_without_a_sentence_are_passed_over(desk):
    desk.at_work(3)
    desk.write("Calm", 2, pick=True)
    desk.done("recall")
    assert main_button(desk.draw(Topic.STAGE)).startswith("Show Group 3 on the wall")


def test_group_time_that_was_ended_by_hand_goes_on_with_the_agenda(desk):
    factories.pause_item(desk.workshop, "Tea")
    desk.at_work()
    desk.done("close_groups")
    assert main_button(desk.draw(Topic.STAGE)) == "Next: Tea"


def test_the_clock_of_groups_that_are_ended_early_ends_with_them(desk):
    desk.at_work()
    desk.workshop.refresh_from_db()
    assert desk.workshop.timer_ends_at
    desk.done("close_groups")
    desk.workshop.refresh_from_db()
    assert desk.workshop.timer_ends_at is None


def test_the_clock_of_a_question_in_between_outlives_the_groups(desk):
    desk.at_work()
    desk.done("quick_poll", text="Ready to go on?", options="Yes\nNo")
    desk.done("close_in", seconds=60)
    desk.done("close_groups")
    desk.workshop.refresh_from_db()
    assert desk.workshop.timer_ends_at


# --- making groups ------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["random", "balanced", "by_hand", "self_chosen"])
def test_groups_are_made_by_number_or_by_size(desk, how):
    desk.done("make_groups", how=how, number="3", of="groups")
    assert len(desk.groups) == 3
    desk.done("make_groups", how=how, number="3", of="size")
    assert len(desk.groups) == 2
    placed = Round.objects.get(closed_at=None).places.filter(group__isnull=False).count()
    assert placed == {"self_chosen": 0, "by_hand": 0}.get(how, 6)


@pytest.mark.parametrize(
    ("number", "of", "sizes"), [("2", "groups", [3, 3]), ("4", "groups", [2, 2, 2]), ("2", "size", [2, 2, 2])]
)
def test_a_large_role_has_as_many_groups_as_the_number_asks_for(desk, number, of, sizes):
    desk.done(
        "make_groups", how="by_role", number=number, of=of
    )  # nobody has said a role here: one role, six people
    assert [group.places.count() for group in desk.groups] == sizes


def test_the_same_groups_again_keep_their_names_and_people(desk):
    desk.at_work()
    desk.done("name_group", group=desk.groups[0].pk, name="Owls")
    before = {g.name: set(g.places.values_list("voter", flat=True)) for g in desk.groups}
    desk.done("close_groups")
    desk.done("make_groups", how="kept", number="4", of="groups")
    assert {g.name: set(g.places.values_list("voter", flat=True)) for g in desk.groups} == before


def test_by_table_a_group_appears_with_its_first_person(desk):
    desk.done("make_groups", how="by_table", number="4", of="groups")
    assert "A group appears for every table" in words(desk.draw(Topic.BREAKOUTS))
    notes.write([notes.Table(desk.workshop.pk, desk.people[0].voter, "t1", 7)])
    assert "Table 7" in words(desk.draw(Topic.BREAKOUTS))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"how": "random", "number": "many", "of": "groups"}, "Give a number of groups, from 1 to 200."),
        (
            {"how": "random", "number": "1", "of": "size"},
            "Give a number of people in each group, from 2 to 100.",
        ),
        (
            {"how": "random", "number": "", "of": "groups"},
            "Give the size of a group, from 2, or the number of groups.",
        ),
        ({"how": "kept", "number": "4", "of": "groups"}, "There were no groups before."),
    ],
)
def test_a_wrong_number_is_said_beside_the_form_and_what_was_typed_stays(desk, fields, said):
    page = desk.refused("make_groups", said_at="make-said", **fields)
    assert re.search(rf'<p id="make-said" role="alert"[^>]*>{said}</p>', page)
    assert sentence(page) == said
    assert f'name="number" inputmode="numeric" value="{fields["number"] or 4}"' in page
    assert f'<option value="{fields["how"]}" selected>' in page


def test_by_htmx_a_refusal_goes_to_the_same_place_and_success_empties_it(desk):
    fields = {"how": "random", "number": "many", "of": "groups", "said_at": "make-said"}
    address = f"/workshops/{desk.workshop.code}/do/make_groups/"
    refused = desk.client.post(address, fields, headers={"HX-Request": "true"}).content.decode()
    assert refused.strip().startswith('<p id="make-said" role="alert"')
    done = desk.client.post(
        address, fields | {"number": "2"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert done.strip() == '<p id="make-said" role="status"></p>'


def test_a_place_that_is_no_forms_own_is_not_made_up(desk):
    page = desk.refused("recall", said_at='x" onclick="y')
    assert 'id="notice" role="alert"' in page


# --- people have no names ----------------------------------------------------------------------------------


def labels(desk: Desk) -> list[str]:
    return sorted(seat.label for _view, seats in desk.scene().forming.seated for seat in seats)


def test_a_role_is_said_beside_the_number_where_enough_people_share_it(desk):
    desk = with_roles(6, 5)
    desk.done("make_groups", how="balanced", number=2, of="groups")
    said = [label.split(", ") for label in labels(desk)]
    assert sorted(number for number, _role in said) == sorted(f"Person {n}" for n in range(1, 12))
    assert sorted(role for _number, role in said) == ["Educator"] * 6 + ["Leader"] * 5


def test_a_role_that_few_have_is_a_number_and_cannot_be_told_from_the_rest(desk):
    desk = with_roles(6, 2)
    desk.done("make_groups", how="balanced", number=2, of="groups")
    assert labels(desk) == [f"Person {n}" for n in range(1, 9)]
    assert "Leader" not in desk.draw(Topic.BREAKOUTS)


def test_people_are_moved_by_ticking_them_and_keep_their_number(desk):
    desk.done("make_groups", how="random", number=2, of="groups")
    one, two = desk.groups
    (moving, other) = desk.scene().forming.seated[0][1][:2]
    desk.done("move_person", places=[moving.place, other.place], group=two.pk)
    assert (one.places.count(), two.places.count()) == (1, 5)
    assert {moving, other} <= set(desk.scene().forming.seated[1][1])
    assert sentence(desk.refused("move_person", group=one.pk)) == (
        "Tick the people first, then press “Move here”."
    )


def test_a_group_at_work_gives_people_away_too(desk):
    desk.at_work()
    pad = desk.pad()
    assert pad.count('name="places"') == 3
    assert f'<option value="{desk.groups[1].pk}">' in pad


def test_so_many_people_that_a_list_would_be_endless_are_moved_group_by_group(desk, monkeypatch):
    monkeypatch.setattr(setup_panel, "MOST_CHIPS", 5)
    desk.done("make_groups", how="random", number=2, of="groups")
    assert desk.scene().forming.seated == []
    assert "To move people, open their group." in words(desk.draw(Topic.BREAKOUTS))


# --- names, links, prompts, words -----------------------------------------------------------------------------


def test_a_group_has_a_name_and_a_link(desk):
    desk.done("make_groups", how="random", number=2, of="groups")
    group = desk.groups[0]
    desk.done("name_group", group=group.pk, name=" The  owls ", link="https://video.example/1")
    group.refresh_from_db()
    assert (group.name, group.link) == ("The owls", "https://video.example/1")
    page = desk.refused(
        "name_group", group=group.pk, name="Owls!", link="javascript:x", said_at="name-said", look=group.pk
    )
    assert sentence(page) == "A link begins with https://."
    assert 'value="Owls!"' in page
    assert 'value="javascript:x"' in page
    assert 'href="javascript:' not in page


def test_different_prompts_go_round(desk):
    others = [
        factories.prompt_item(desk.workshop, text).prompt for text in ("What is loud?", "What is soft?")
    ]
    desk.done("make_groups", how="random", number=3, of="groups")
    desk.done("give_prompts", prompts=[p.pk for p in others])
    desk.done("open_groups", minutes="7,5", think_first="true")
    assert [g.question for g in desk.groups] == ["What is loud?", "What is soft?", "What is loud?"]
    workshop = Workshop.objects.get(pk=desk.workshop.pk)
    assert workshop.timer_seconds == 450
    assert Round.objects.get(closed_at=None).think_first
    assert "Each group has a question of its own" in desk.wall()
    assert "Open the notes" in words(desk.draw(Topic.STAGE))
    desk.done("share_notes")
    assert "Open the notes" not in words(desk.draw(Topic.STAGE))


def test_minutes_that_are_none_are_refused_and_the_other_choices_stay(desk):
    desk.done("make_groups", how="random", number=2, of="groups")
    page = desk.refused("open_groups", minutes="soon", think_first="true", said_at="open-said")
    assert sentence(page) == "Give a time from 5 seconds to 4 hours."
    assert 'value="soon"' in page
    assert 'name="think_first" value="true" checked' in page


def test_a_prompts_follow_up_questions_are_sent_one_by_one(desk):
    desk.at_work()
    assert desk.scene().probes_left == ["And hear?", "And feel?"]
    desk.done("probe", text="And hear?")
    assert desk.scene().probes_left == ["And feel?"]
    assert "And hear?" not in words(re.search(r"Next follow-up.*?</form>", desk.pad(), re.S).group())
    desk.done("probe", text="And feel?", group=desk.groups[0].pk)
    assert desk.scene().probes_left == ["And feel?"]  # the others have not had it
    assert "Next follow-up" not in desk.pad(0)
    assert "Next follow-up" in desk.pad(1)


@pytest.mark.parametrize("kind", ["probe", "message"])
def test_words_are_typed_to_one_group_or_to_all_and_a_refusal_keeps_them(desk, kind):
    desk.at_work()
    desk.done(kind, text="Look at the door, too", group=desk.groups[1].pk, said_at="group-said")
    desk.done(kind, text="Nearly there", said_at="all-said", **{"as": kind})
    assert list(Call.objects.values_list("kind", "group", "text")) == [
        (kind, desk.groups[1].pk, "Look at the door, too"),
        (kind, None, "Nearly there"),
    ]
    assert sentence(desk.refused(kind, text=" ", said_at="all-said")) == "Write a few words first."
    page = desk.refused(kind, text="long" * 200, said_at="all-said")
    assert sentence(page) == "This can have up to 500 letters."
    assert page.count("long" * 200) == 1  # in its own box, and not in the quick poll's


def test_words_before_the_groups_are_open_are_refused(desk):
    desk.done("make_groups", how="random", number=2, of="groups")
    page = desk.refused("message", text="Hello", said_at="all-said")
    assert sentence(page) == "The groups have not started yet."


# --- help -----------------------------------------------------------------------------------------------------


def test_who_waits_longest_for_help_stands_first_and_an_answer_takes_the_call_away(desk):
    desk.at_work(3)
    desk.help(2)
    desk.help(0)
    html = desk.draw(Topic.HELP)
    assert re.findall(r'id="answer-(\d+)"', html) == [str(desk.groups[n].pk) for n in (2, 0)]
    assert re.search(r'data-calls="Group 1 calls you|data-calls="Group 3 calls you', html)
    assert html.count("data-since=") == 2
    desk.done("answer_help", group=desk.groups[2].pk)
    assert re.findall(r'id="answer-(\d+)"', desk.draw(Topic.HELP)) == [str(desk.groups[0].pk)]
    assert "This group calls you" in words(desk.pad(0))


# --- a group's pad on the console ----------------------------------------------------------------------------------


def test_a_pad_opens_without_a_script_and_its_forms_have_a_token(desk):
    desk.at_work()
    desk.write("Soft light")
    page = desk.page(f"?group={desk.groups[0].pk}")
    assert "Soft light" in page
    assert page.count("<form") == page.count("csrfmiddlewaretoken")
    assert "Soft light" not in desk.page()
    assert "csrfmiddlewaretoken" not in desk.pad()


@pytest.mark.parametrize("query", ["?group=0", "?group=x", "?group=999999999", "?group=²", "?group=-1"])
def test_a_group_that_is_none_opens_nothing(desk, query):
    desk.at_work()
    assert '<section id="group" hidden></section>' in desk.page(query)


def test_another_workshops_group_opens_nothing(desk):
    other = Desk().at_work()
    other.write("Theirs alone")
    page = desk.page(f"?group={other.groups[0].pk}")
    assert "Theirs alone" not in page
    assert '<section id="group" hidden></section>' in page


def test_no_page_has_an_id_twice_or_a_style_inside(desk):
    desk.at_work()
    first = desk.write("Soft light", pick=True)
    desk.help()
    desk.done("recall")
    desk.done("present", group=desk.groups[0].pk)
    for page in (desk.page(f"?group={desk.groups[0].pk}"), desk.page()):
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert sorted(ids) == sorted(set(ids))
        assert not re.search(r"\sstyle\s*=|\son[a-z]+\s*=\s*\"", page)
        assert page.count("<h1") == 1
    assert Contribution.objects.get(pk=first).text.state == "shown"


def test_a_note_is_asked_about_or_brought_to_the_vision_with_one_button(desk):
    desk.at_work()
    note = desk.write("Soft light")
    assert f'id="propose-{note}"' in desk.pad()
    desk.done("propose", ref=Contribution.objects.get(pk=note).ref)
    assert Contribution.objects.get(pk=note).text.marks.get().kind == "vision"
    assert f'id="propose-{note}"' not in desk.pad()
    desk.done("decide", ref=Contribution.objects.get(pk=note).ref, state="hidden")
    assert f'id="ask-{note}"' not in desk.pad()


def test_a_pads_words_are_words_and_no_markup(desk):
    desk.at_work()
    desk.write("<b>loud</b>", pick=True)
    desk.done("recall")
    assert "<b>loud" not in desk.pad() + desk.draw(Topic.BREAKOUTS)
    desk.done("present", group=desk.groups[0].pk)
    assert "<b>loud" not in desk.draw(Topic.BREAKOUTS, Audience.WALL)
    assert "&lt;b&gt;loud" in desk.draw(Topic.BREAKOUTS, Audience.WALL)


# --- who may -----------------------------------------------------------------------------------------------------------

GESTURES = {
    "make_groups": {"how": "random", "number": 2, "of": "groups"},
    "move_person": {"places": [1], "group": 1},
    "name_group": {"group": 1, "name": "x"},
    "give_prompts": {"prompts": [1]},
    "open_groups": {},
    "share_notes": {},
    "probe": {"text": "x"},
    "message": {"text": "x"},
    "recall": {},
    "close_groups": {},
    "answer_help": {"group": 1},
    "free_scribe": {"group": 1},
    "present": {"group": 1},
    "propose": {"ref": "text-1"},
    "agreement_poll": {"ref": "text-1"},
}


@pytest.mark.parametrize("name", GESTURES)
def test_only_those_who_run_the_workshop_may(desk, name):
    address = f"/workshops/{desk.workshop.code}/do/{name}/"
    stranger = factories.signed_in(factories.staff(factories.programme()))
    assert stranger.post(address, GESTURES[name]).status_code == 404
    researcher = factories.signed_in(factories.staff(desk.workshop.programme, "researcher"))
    assert researcher.post(address, GESTURES[name]).status_code in (403, 404)
    person = factories.phone(desk.people[0]).post(address, GESTURES[name])
    assert (person.status_code, "/login/" in person["Location"]) == (302, True)
    assert Round.objects.count() == 0


@pytest.mark.parametrize("name", [n for n, fields in GESTURES.items() if {"group", "ref"} & fields.keys()])
def test_another_workshops_groups_and_notes_are_out_of_reach(desk, name):
    other = Desk().at_work()
    note = other.write("Theirs", pick=True)
    before = list(Group.objects.order_by("pk").values()), list(Contribution.objects.order_by("pk").values())
    desk.at_work()
    mine = [g.pk for g in desk.groups]
    fields = GESTURES[name] | {
        k: v
        for k, v in {"group": other.groups[0].pk, "ref": factories.note_ref(note)}.items()
        if k in GESTURES[name]
    }
    assert "not there any more" in sentence(desk.refused(name, **fields))
    after = Group.objects.exclude(pk__in=mine).order_by("pk"), Contribution.objects.order_by("pk")
    assert tuple(list(found.values()) for found in after) == before


# --- the wall ----------------------------------------------------------------------------------------------------------


def test_the_wall_says_who_sits_where_and_how_to_find_ones_group(desk):
    desk.done("make_groups", how="random", number=2, of="groups")
    said = desk.wall()
    assert "Group 1 3 people Group 2 3 people" in said
    assert "Your phone says which group is yours." in said
    assert "What would calm look like?" in said
    desk.done("make_groups", how="self_chosen", number=2, of="groups")
    assert "Choose your group on your phone." in desk.wall()


def test_the_wall_counts_notes_and_says_nothing_of_their_words_or_of_calls(desk):
    desk.at_work()
    desk.write("Soft light", pick=True)
    desk.write("Calm")
    before = desk.wall()
    assert "2 notes so far" in before
    desk.help()
    assert desk.wall() == before
    assert "Soft light" not in before + desk.client.get(f"/wall/{desk.workshop.wall_key}/").content.decode()


def test_one_groups_sentence_stands_on_the_wall_with_how_many_agree(desk):
    desk.at_work()
    note = desk.write("Soft light", pick=True)
    group = desk.groups[0]
    for place in group.places.exclude(voter=Contribution.objects.get(pk=note).author):
        notes.write([notes.Agree(desk.workshop.pk, place.voter, f"a{place.pk}", note, True)])
    desk.done("recall")
    assert "Soft light" not in desk.wall()
    desk.done("present", group=group.pk)
    said = desk.wall()
    assert "Group 1" in said
    assert "Soft light 2 others in this group agree" in said
    desk.done("present")
    assert "Soft light" not in desk.wall()
    assert "The groups share next." in desk.wall()


@pytest.mark.parametrize("fate", ["changed", "taken back", "hidden", "flagged"])
def test_words_that_are_not_checked_any_more_leave_the_wall_at_once(desk, fate):
    desk.at_work()
    note = desk.write("Soft light", pick=True)
    author = Contribution.objects.get(pk=note).author
    desk.done("present", group=desk.groups[0].pk)
    assert "Soft light" in desk.wall()
    if fate == "changed":
        notes.write([notes.Edit(desk.workshop.pk, author, "e1", note, 1, "Sunny Lane")])
    elif fate == "taken back":
        notes.write([notes.TakeBack(desk.workshop.pk, author, "e1", note)])
    else:
        decide(desk.workshop.pk, None, Contribution.objects.get(pk=note).ref, fate)
    page = desk.client.get(f"/wall/{desk.workshop.wall_key}/").content.decode()
    for said in (desk.wall(), page):
        assert "Soft light" not in said
        assert "Sunny Lane" not in said


def test_a_redacted_sentence_is_shown_without_the_words_taken_out(desk):
    desk.at_work()
    note = desk.write("Like Sunny Lane, calm", pick=True)
    ref = Contribution.objects.get(pk=note).ref
    desk.done("decide", ref=ref, state="redacted", words="Like […], calm")
    desk.done("present", group=desk.groups[0].pk)
    assert "Like […], calm" in desk.wall()
    assert "Sunny" not in desk.wall()


def test_the_list_of_what_groups_bring_has_the_words_that_the_wall_will_show(desk):
    desk.at_work()
    note = desk.write("Anna Smith sings too loud", pick=True)
    desk.done("recall")
    assert "Anna Smith" in words(desk.draw(Topic.BREAKOUTS))  # somebody has to read it first
    decide(desk.workshop.pk, None, Contribution.objects.get(pk=note).ref, "redacted", "[name] sings too loud")
    listed = words(desk.draw(Topic.BREAKOUTS))
    assert ("[name] sings too loud" in listed, "Anna Smith" in listed) == (True, False)


def test_what_is_asked_and_what_to_do_are_two_sentences_with_one_mark_each(desk):
    desk.at_work()
    note = desk.write("Soft light")
    desk.done("agreement_poll", ref=Contribution.objects.get(pk=note).ref)
    assert "Do you agree? Does this ring true?" in desk.wall()
    assert "Do you agree? The room sees how many" in words(desk.draw(Topic.STAGE))


def test_the_walls_page_and_its_pictures_have_the_same_look(desk):
    looks = []
    for gesture, fields in (("make_groups", GESTURES["make_groups"]), ("open_groups", {}), ("recall", {})):
        desk.done(gesture, **fields)
        page = desk.client.get(f"/wall/{desk.workshop.wall_key}/").content.decode()
        body = re.search(r'<body class="([^"]*)"', page).group(1)
        assert body.split() == re.search(r'data-body="([^"]*)"', page).group(1).split()
        looks.append(body.strip())
    desk.write("Calm", pick=True)
    desk.done("present", group=desk.groups[0].pk)
    assert looks == ["wall is-deep is-breakout is-groups"] * 3
    assert "wall is-deep is-breakout is-sharing" in desk.draw(Topic.STAGE, Audience.WALL)


@pytest.mark.parametrize(("number", "listed"), [(24, True), (25, True), (60, True), (61, False)])
def test_the_wall_lists_up_to_sixty_groups_and_says_of_more_how_many_there_are(number, listed):
    desk = grown(number, 2 * number)
    desk.done("make_groups", how="random", number=number, of="groups")
    drawn = desk.draw(Topic.BREAKOUTS, Audience.WALL)
    assert drawn.count("<li>") == (number if listed else 0)
    assert (f"<b>{2 * number}</b> people in {number} groups" in drawn) == (number > 24)
    assert "Your phone says which group is yours." in desk.draw(Topic.STAGE, Audience.WALL)
    assert len(drawn.encode()) < 32 * 1024


def test_of_very_many_notes_the_console_shows_those_that_fit_and_where_all_of_them_are(monkeypatch):
    desk = Desk().at_work()
    for text in ("Soft light", "A chair", "Calm"):
        desk.write(text)
    assert "read them all" not in desk.pad()
    monkeypatch.setattr(screens.drawing, "PAD_BUDGET", 2000)
    pad = desk.pad()
    assert ("Soft light" in pad, "A chair" in pad, "Calm" in pad) == (True, True, False)
    assert f'and 1 more note: <a href="/workshops/{desk.workshop.code}/notes/">read them all</a>' in pad


# --- cost ----------------------------------------------------------------------------------------------------------------


def test_console_and_wall_read_twenty_groups_with_as_many_queries_as_two():
    counted = {}
    for number in (2, 20):
        desk = grown(number, 60)
        desk.done("make_groups", how="random", number=number, of="groups")
        for state in ("formed", "open", "sharing"):
            if state == "open":
                desk.done("open_groups")
                for group in range(number):
                    desk.write("Calm", group, pick=True)
            if state == "sharing":
                desk.done("recall")
                desk.done("present", group=desk.groups[0].pk)
            for audience in (Audience.CONSOLE, Audience.WALL):
                scene = desk.scene()
                with CaptureQueriesContext(
                    connection,
                ) as found:
                    screens.draw(scene, Topic.BREAKOUTS, audience)
                counted[number, state, audience] = len(found)
        group = desk.groups[0].pk
        with CaptureQueriesContext(connection) as found:
            screens.draw_desk_pads(desk.workshop.pk, [group])
        counted[number, "pad", ""] = len(found)
    assert {key[1:]: n for key, n in counted.items() if key[0] == 2} == {
        key[1:]: n for key, n in counted.items() if key[0] == 20
    }
    assert max(counted.values()) <= 14


@pytest.mark.parametrize(("groups_made", "people"), [(100, 240), (200, 1000)])
def test_the_picture_of_all_groups_stays_below_64_kib(groups_made, people):
    desk = grown(groups_made, people)
    desk.done("make_groups", how="random", number=groups_made, of="groups")
    sizes = [len(desk.draw(Topic.BREAKOUTS).encode())]
    desk.done("open_groups")
    for number in range(20):
        desk.write("ä" * 1000, number, pick=True)
    desk.done("recall")
    desk.done("present", group=desk.groups[0].pk)
    sizes += [
        len(desk.draw(Topic.BREAKOUTS, audience).encode()) for audience in (Audience.CONSOLE, Audience.WALL)
    ]
    assert max(sizes) < 60 * 1024, sizes


def test_had_groups_speaks_of_the_prompt_on_stage_alone(desk):
    assert not membership.had_groups(Workshop.objects.get(pk=desk.workshop.pk))
    desk.at_work()
    assert membership.had_groups(Workshop.objects.get(pk=desk.workshop.pk))
    other = factories.prompt_item(desk.workshop, "Another")
    facilitation.launch(desk.workshop.pk, None, other.pk)
    assert not membership.had_groups(Workshop.objects.get(pk=desk.workshop.pk))
    assert current_round(desk.workshop.pk) is None
