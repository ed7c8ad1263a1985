"""Small groups on real phones: what is written is with the others by itself, and nothing that is typed is lost."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from polls.models import Text
from tests import factories as make
from tests.workshops.groups.people import group_of, mate_of, stranger_to
from workshops.actions import facilitation, groups
from workshops.actions.groups import notes as note_actions
from workshops.models import Contribution, Group, Round

from .group_steps import OFFLINE, add, do, note_of, notes, press, right, said, seated
from .page_checks import assert_fits, every_look

# --- two people write ---------------------------------------------------------------------------------------


def test_what_one_writes_the_other_reads_by_itself_and_the_other_group_never(pair, site, phone, two_groups):
    (one, ada), (_mate, bea) = pair
    other = seated(phone(), site, stranger_to(one))
    expect(ada.locator("#group h1")).to_have_text("Walk us in: what do you see, hear and feel?")
    expect(ada.locator("#group .prompt")).to_contain_text("You are in Group")
    expect(ada.locator("#stage")).to_be_hidden()
    right(ada)
    ada.get_by_label("Add a note for the group").fill("Soft light")
    ada.get_by_role("button", name="Add note").click()
    expect(notes(bea)).to_have_text(["Soft light"])
    expect(notes(ada)).to_have_text(["Soft light"])
    expect(ada.locator("#unsent li")).to_have_count(0)
    said(ada, "Saved. Your note is with the group.")
    expect(notes(other)).to_have_count(0)

    press(bea, "Soft light", "I agree")
    expect(bea.get_by_role("button", name="I agree")).to_have_attribute("aria-pressed", "true")
    expect(ada.locator("#notes .marks")).to_have_text("1 person agrees")
    expect(ada.get_by_role("button", name="I agree")).to_have_count(0)
    bea.reload()
    expect(bea.get_by_role("button", name="I agree")).to_have_attribute("aria-pressed", "true")
    press(bea, "Soft light", "Share with the room")
    expect(ada.locator("#notes li.is-picked")).to_have_count(1)

    press(ada, "Soft light", "Edit")
    expect(ada.get_by_label("Change this note")).to_be_focused()
    ada.get_by_label("Change this note").fill("Soft, warm light")
    right(ada)
    ada.get_by_role("button", name="Save the change").click()
    expect(notes(bea)).to_have_text(["Soft, warm light"])
    expect(ada.locator("#editor")).to_be_hidden()
    press(ada, "Soft, warm light", "Take back")
    expect(notes(bea)).to_have_count(0)
    right(ada, bea, other)


def test_the_scribe_orders_and_hands_over_with_one_tap(pair):
    (_one, ada), (_mate, bea) = pair
    for text in ("one", "two"):
        add(ada, text)
    expect(notes(bea)).to_have_text(["one", "two"])
    bea.get_by_role("button", name="I’ll take notes").click()
    expect(ada.get_by_text("Your group has a scribe")).to_be_visible()
    expect(bea.get_by_role("button", name="Hand over")).to_be_visible()
    press(bea, "two", "Move up")
    expect(notes(ada)).to_have_text(["two", "one"])
    expect(bea.locator("#notes > li", has_text="one").get_by_role("button", name="Edit")).to_be_visible()
    right(ada, bea)
    bea.get_by_role("button", name="Hand over").click()
    expect(ada.get_by_role("button", name="I’ll take notes")).to_be_visible()


def test_calling_the_facilitator_shows_on_every_phone_of_the_group_until_it_is_answered(pair, two_groups):
    (one, ada), (_mate, bea) = pair
    ada.get_by_role("button", name="Call the facilitator").click()
    for page in (ada, bea):
        expect(page.locator("#group [data-news=help]")).to_contain_text("knows that you are calling")
        expect(page.get_by_role("button", name="We no longer need the facilitator")).to_be_visible()
    right(ada)
    groups.answer_help(two_groups[0].pk, None, group_of(one).pk)
    for page in (ada, bea):
        expect(page.locator("#group [data-news=help]")).to_have_count(0)
        expect(page.get_by_role("button", name="Call the facilitator")).to_be_visible()
    said(bea, "From the facilitator: I am on my way to you.")


def test_a_call_that_the_group_takes_back_is_said_to_be_so(pair, two_groups):
    (_one, ada), (_mate, bea) = pair
    ada.get_by_role("button", name="Call the facilitator").click()
    bea.get_by_role("button", name="We no longer need the facilitator").click()
    said(ada, "Your group has taken its call back.")


def test_probes_messages_and_the_call_back_arrive_and_are_said(pair, two_groups):
    (one, ada), (_mate, bea) = pair
    workshop = two_groups[0]
    groups.call(workshop.pk, None, "message", "Tea is ready", group_of(one).pk)
    said(ada, "Tea is ready")
    groups.call(workshop.pk, None, "probe", "What gets in the way now?")
    said(bea, "What gets in the way now?")
    ada.locator("#group").get_by_text("If the talk slows down").click()
    expect(ada.locator("#group").get_by_text("What would a baby notice first?")).to_be_visible()
    expect(ada.locator("#group").get_by_text("And a parent at drop-off?")).to_be_hidden()
    groups.recall(workshop.pk, None)
    said(ada, "Come back together.")
    expect(
        ada.locator("#group").get_by_text("What would a baby notice first?")
    ).to_be_visible()  # still open in the new picture
    add(ada, "One last note")
    expect(notes(bea)).to_have_text(["One last note"])
    right(ada, bea)
    groups.close_round(workshop.pk, None)
    expect(ada.locator("#desk")).to_be_hidden()
    expect(ada.locator("#group")).to_be_hidden()
    expect(ada.locator("#stage")).to_be_visible()


def ahead(page: Page, seconds: float) -> None:
    """The server's clock is so much further, as far as this page knows."""
    page.evaluate("seconds => Live.tell('hello', { now: Date.now() + 1000 * seconds })", seconds)


def soon(page: Page):
    return page.locator("#clock [data-soon]:visible")


@pytest.mark.slow
def test_what_is_left_stands_in_every_clock_until_it_changes_and_is_said_once(
    pair, two_groups, site, phone, wall
):
    (_one, ada), (_mate, bea) = pair
    workshop = two_groups[0]
    screen = wall()
    screen.goto(f"/wall/{workshop.wall_key}/")
    expect(screen.locator("[data-signal]")).to_have_text("Connected")
    facilitation.start_timer(workshop.pk, None, 180)
    for page, before in ((ada, "Time left to talk"), (bea, "Time left to talk"), (screen, "minutes left")):
        expect(page.locator("#clock [data-ends]").first).to_be_visible()
        expect(soon(page)).to_have_text(before)
        if page is not screen:  # how much time there is at all is no news
            page.wait_for_timeout(1500)
            expect(page.locator("#said")).to_have_text("")
        ahead(page, 65)
        expect(soon(page)).to_have_text("2 minutes left")
        right(page)
    said(ada, "2 minutes left")
    said(bea, "2 minutes left")
    bea.evaluate("document.getElementById('said').textContent = ''")
    bea.wait_for_timeout(1500)
    assert bea.locator("#said").inner_text() == ""

    # As long as it is true, and no longer: somebody adds a minute.
    expect(soon(ada)).to_have_text("2 minutes left")
    facilitation.add_time(workshop.pk, None, 60)
    for page, before, after in (
        (ada, "Time left to talk", "Time is up. Finish your sentence."),
        (screen, "minutes left", "Time is up"),
    ):
        expect(soon(page)).to_have_text(before)
        ahead(page, 185)
        expect(soon(page)).to_have_text("1 minute left")
        ahead(page, 245)
        expect(soon(page)).to_have_text(after)
        right(page)
    said(ada, "Time is up. Finish your sentence.")


def test_who_opens_the_page_late_reads_what_is_left_with_a_script_and_without(two_groups, site, phone):
    workshop, people = two_groups
    facilitation.start_timer(workshop.pk, None, 180)
    workshop.refresh_from_db()
    workshop.timer_ends_at -= timedelta(seconds=65)
    workshop.save(update_fields=["timer_ends_at"])
    for options in ({}, {"java_script_enabled": False}):
        page = seated(phone(**options), site, people[0], connected=not options)
        expect(soon(page)).to_have_text("2 minutes left")


# --- nothing that is typed is lost ----------------------------------------------------------------------------------


def test_what_is_being_typed_stays_while_others_write_and_stays_where_it_is(pair):
    (_one, ada), (_mate, bea) = pair
    box = ada.get_by_label("Add a note for the group")
    box.click()
    box.press_sequentially("Half a sen")
    before = box.bounding_box()["y"]
    for text in ("one", "two", "three"):
        add(bea, text)
        expect(notes(ada).last).to_have_text(text)
    expect(box).to_be_focused()
    box.press_sequentially("tence")
    expect(box).to_have_value("Half a sentence")
    assert abs(box.bounding_box()["y"] - before) < 3


def test_a_draft_and_a_change_that_is_begun_survive_a_reload(pair):
    (_one, ada), _bea = pair
    add(ada, "Soft light")
    expect(notes(ada)).to_have_text(["Soft light"])
    press(ada, "Soft light", "Edit")
    ada.get_by_label("Change this note").fill("Soft light at nap")
    ada.get_by_label("Add a note for the group").fill("A chair where a par")
    ada.reload()
    expect(ada.get_by_label("Add a note for the group")).to_have_value("A chair where a par")
    expect(ada.get_by_label("Change this note")).to_have_value("Soft light at nap")
    ada.get_by_role("button", name="Save the change").click()
    expect(notes(ada)).to_have_text(["Soft light at nap"])
    ada.get_by_role("button", name="Add note").click()
    expect(notes(ada)).to_have_text(["Soft light at nap", "A chair where a par"])
    ada.reload()
    expect(ada.get_by_label("Add a note for the group")).to_have_value("")
    expect(ada.locator("#editor")).to_be_hidden()


def test_offline_for_a_while_everything_waits_in_order_and_is_merged_on_return(pair, console_errors_expected):
    console_errors_expected += OFFLINE
    (_one, ada), (_mate, bea) = pair
    add(bea, "Before")
    expect(notes(ada)).to_have_text(["Before"])
    ada.context.set_offline(True)
    expect(ada.locator("[data-signal]")).to_have_text("No signal")
    for text in ("First without a network", "Second without a network"):
        add(ada, text)
    press(ada, "Before", "I agree")
    expect(ada.locator("#unsent li")).to_have_count(2)
    for line in ada.locator("#unsent li").all():
        expect(line).to_contain_text("Not saved yet, trying again")
    right(ada)
    add(bea, "Meanwhile")
    expect(notes(bea)).to_have_text(["Before", "Meanwhile"])
    ada.context.set_offline(False)
    together = ["Before", "Meanwhile", "First without a network", "Second without a network"]
    for page in (ada, bea):
        expect(notes(page)).to_have_text(together)
    expect(ada.locator("#unsent li")).to_have_count(0)
    expect(bea.locator("#notes > li").first).to_contain_text("1 person agrees")
    assert Contribution.objects.count() == 4


def test_what_was_saved_before_the_signal_went_is_not_said_of_what_waits(pair, console_errors_expected):
    console_errors_expected += OFFLINE
    (_one, ada), _bea = pair
    add(ada, "Saved in time")
    said(ada, "Saved. Your note is with the group.")
    ada.context.set_offline(True)
    add(ada, "Too late for the train")
    said(ada, "Not saved yet, trying again")
    ada.context.set_offline(False)
    said(ada, "Saved. Your note is with the group.")


def test_what_waits_survives_a_reload_and_where_no_socket_gets_through_it_goes_by_post(
    pair, console_errors_expected
):
    console_errors_expected += [*OFFLINE, "ERR_FAILED"]
    (_one, ada), (_mate, bea) = pair
    ada.context.route(re.compile("/(vote|group|pictures)/$"), lambda route: route.abort())
    ada.context.route_web_socket(re.compile("/live/"), lambda ws: ws.close())
    ada.reload()
    add(ada, "Kept over the reload")
    expect(ada.locator("#unsent li")).to_contain_text("Not saved yet")
    ada.reload()
    expect(ada.locator("#unsent li")).to_contain_text("Kept over the reload")
    ada.context.unroute_all()
    ada.context.route_web_socket(re.compile("/live/"), lambda ws: ws.close())
    expect(notes(bea)).to_have_text(["Kept over the reload"])
    expect(notes(ada)).to_have_text(["Kept over the reload"])  # by the slow poll
    expect(ada.locator("#unsent li")).to_have_count(0)


def test_a_note_that_comes_too_late_says_so_and_keeps_its_words(pair, two_groups, console_errors_expected):
    console_errors_expected += OFFLINE
    (_one, ada), _bea = pair
    ada.context.set_offline(True)
    add(ada, "Too late, but here")
    expect(ada.locator("#unsent li")).to_contain_text("Not saved yet")
    groups.close_round(two_groups[0].pk, None)
    Round.objects.update(closed_at=timezone.now() - note_actions.LATE - timedelta(seconds=1))
    ada.context.set_offline(False)
    expect(ada.locator("#unsent li [role=alert]")).to_contain_text("The group time is over")
    expect(ada.locator("#unsent li")).to_contain_text("Too late, but here")
    right(ada)
    ada.reload()
    expect(ada.locator("#unsent li")).to_contain_text("Too late, but here")
    ada.get_by_role("button", name="Throw away").click()
    expect(ada.locator("#unsent li")).to_have_count(0)


@pytest.mark.parametrize(
    ("choice", "there"),
    [
        ("Keep both", ["Soft, warm light", "Soft light everywhere"]),
        ("Use mine", ["Soft light everywhere"]),
        ("Keep theirs", ["Soft, warm light"]),
    ],
)
def test_two_who_change_one_note_choose_and_both_wordings_are_kept(two_groups, site, phone, choice, there):
    _workshop, people = two_groups
    one, mate = people[0], mate_of(people[0])
    page = seated(phone(), site, one)
    add(page, "Soft light")
    expect(notes(page)).to_have_text(["Soft light"])
    press(page, "Soft light", "Edit")
    page.get_by_label("Change this note").fill("Soft light everywhere")
    note = note_of("Soft light")
    do(note_actions.Scribe, mate, group_of(mate).pk, True)
    do(note_actions.Edit, mate, note.pk, 1, "Soft, warm light")
    expect(notes(page)).to_have_text(["Soft, warm light"])
    expect(page.get_by_label("Change this note")).to_have_value("Soft light everywhere")
    page.get_by_role("button", name="Save the change").click()
    expect(page.get_by_text("Somebody changed this note meanwhile")).to_be_in_viewport()
    expect(page.locator("#unsent > li")).to_be_focused()
    said(page, "Two of you changed this note. Choose which words stay.")
    right(page)
    page.reload()  # in the middle of it
    expect(page.locator("#unsent [data-mine]")).to_have_text("Soft light everywhere")
    expect(page.locator("#unsent [data-theirs]")).to_have_text("Soft, warm light")
    page.get_by_role("button", name=choice).click()
    expect(notes(page)).to_have_text(there)
    expect(page.locator("#unsent li")).to_have_count(0)
    assert {"Soft light everywhere", "Soft, warm light"} <= set(Text.objects.values_list("words", flat=True))


def test_a_text_that_is_too_long_is_counted_and_not_sent(two_groups, site, phone):
    page = seated(phone(), site, two_groups[1][0])
    box = page.get_by_label("Add a note for the group")
    box.fill("x" * 799)
    expect(page.locator("#note-count")).to_be_hidden()
    box.fill("x" * 900)
    expect(page.locator("#note-count")).to_have_text("Letters left: 100")
    box.fill("x" * 1001)
    expect(page.locator("#note-count")).to_have_text("Letters too many: 1")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#composer [role=alert]")).to_have_text(
        "A note can have up to 1,000 letters; write two."
    )
    expect(page.locator("#note-count")).to_be_hidden()  # one sentence is enough, until somebody types
    expect(box).to_be_focused()
    expect(box).to_have_value("x" * 1001)
    right(page)
    box.fill("")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#composer [role=alert]")).to_have_text("Write a few words first.")


# --- other ways of being in a group --------------------------------------------------------------------------------------


def test_think_first_shows_ones_own_notes_until_they_open_together(site, phone, transactional_db):
    workshop = make.workshop()
    item = make.prompt_item(workshop)
    one, mate = (make.participant(workshop) for _ in range(2))
    facilitation.launch(workshop.pk, None, item.pk)
    groups.make(workshop.pk, None, "random", groups=1)
    groups.open_round(workshop.pk, None, think_first=True)
    ada, bea = seated(phone(), site, one), seated(phone(), site, mate)
    add(ada, "Mine")
    add(bea, "Known to Bea")
    said(ada, "Saved. Your group does not see it yet.")
    expect(ada.get_by_role("button", name="I’ll take notes")).to_have_count(
        0
    )  # there is nothing to put in order
    expect(notes(ada)).to_have_text(["Mine"])
    expect(ada.locator("#group")).to_contain_text("2 notes in your group so far.")
    expect(notes(ada)).to_have_text(["Mine"])
    assert "Known to Bea" not in ada.content()
    press(ada, "Mine", "Edit")
    ada.get_by_label("Change this note").fill("Mine, better")
    ada.get_by_role("button", name="Save the change").click()
    expect(notes(ada)).to_have_text(["Mine, better"])
    right(ada)
    ada.reload()
    expect(notes(ada)).to_have_text(["Mine, better"])
    groups.share_notes(workshop.pk, None)
    for page in (ada, bea):
        expect(notes(page)).to_have_text(["Mine, better", "Known to Bea"])


def test_people_choose_a_group_or_say_their_table(site, phone, transactional_db):
    workshop = make.workshop()
    one = make.participant(workshop)
    page = seated(phone(), site, one)
    groups.make(workshop.pk, None, "self_chosen", groups=3)
    expect(page.get_by_role("heading", name="Choose your group")).to_be_visible()
    right(page)
    page.get_by_role("button", name="Group 2").click()
    expect(page.locator("#group .prompt")).to_contain_text("You are in Group 2: 1 person")
    right(page)
    groups.make(workshop.pk, None, "by_table")
    expect(page.get_by_role("heading", name="Which table are you at?")).to_be_visible()
    right(page)
    page.get_by_role("button", name="Join this table").click()
    expect(page.get_by_role("alert")).to_have_text("Write the number that stands on your table.")
    right(page)
    page.get_by_label("The number of your table").fill("7")
    page.get_by_role("button", name="Join this table").click()
    expect(page.locator("#group .prompt")).to_contain_text("You are in Table 7")


def test_a_latecomer_and_an_observer_find_a_group_by_themselves(site, phone, two_groups):
    workshop, people = two_groups
    late = make.participant(workshop)
    page = seated(phone(), site, late)
    expect(page.locator("#group .prompt")).to_contain_text("You are in Group")
    assert Group.objects.filter(places__voter=late.voter).count() == 1
    watching = phone()
    watching.goto(f"/w/{workshop.code}/consent/")
    watching.locator("[name=observe]").click()
    expect(watching.locator("[data-signal]")).to_have_text("Connected")
    for who in people:
        do(note_actions.Add, who, group_of(who).pk, f"Note of {who.pk}")
    expect(notes(watching)).not_to_have_count(0)
    expect(watching.get_by_role("button", name="I’ll take notes")).to_be_hidden()
    assert watching.locator("#desk").count() == 0
    right(watching)


def test_somebody_who_is_moved_sees_the_new_pad_and_no_longer_the_old(pair, two_groups):
    (one, ada), _bea = pair
    workshop = two_groups[0]
    add(ada, "Of the first group")
    expect(notes(ada)).to_have_text(["Of the first group"])
    ada.get_by_label("Add a note for the group").fill("Half a thought")
    other = Group.objects.exclude(pk=group_of(one).pk).get()
    place = group_of(one).places.get(voter=one.voter)
    groups.move(workshop.pk, None, [place.pk], other.pk)
    expect(ada.locator("#group")).to_have_attribute("data-group", str(other.pk))
    said(ada, f"You are in {other.name}")
    expect(notes(ada)).to_have_count(0)
    expect(ada.get_by_label("Add a note for the group")).to_have_value("Half a thought")
    ada.get_by_role("button", name="Add note").click()
    expect(notes(ada)).to_have_text(["Half a thought"])
    assert note_of("Half a thought").group_id == other.pk


def test_who_is_moved_changes_and_takes_back_what_they_wrote_before_below_the_new_pad(pair, two_groups):
    (one, ada), (_mate, bea) = pair
    for text in ("Soft light", "A chair"):
        add(ada, text)
    expect(notes(bea)).to_have_text(["Soft light", "A chair"])
    before = group_of(one)
    other = Group.objects.exclude(pk=before.pk).get()
    groups.move(two_groups[0].pk, None, [before.places.get(voter=one.voter).pk], other.pk)
    elsewhere = ada.get_by_role("region", name="Your notes in other groups")
    expect(elsewhere.locator(".words")).to_have_text(["Soft light", "A chair"])
    expect(elsewhere.locator(".marks")).to_have_text([before.name] * 2)
    expect(elsewhere.get_by_role("button", name="Share with the room")).to_have_count(0)
    expect(notes(ada)).to_have_count(0)
    right(ada)

    press(ada, "Soft light", "Edit")
    ada.get_by_label("Change this note").fill("Soft, warm light")
    ada.get_by_role("button", name="Save the change").click()
    expect(notes(bea)).to_have_text(["Soft, warm light", "A chair"])
    expect(elsewhere.locator(".words")).to_have_text(["Soft, warm light", "A chair"])
    press(ada, "A chair", "Take back")
    expect(notes(bea)).to_have_text(["Soft, warm light"])
    expect(elsewhere.locator(".words")).to_have_text(["Soft, warm light"])

    # The scribe of the old group was quicker: both wordings, and a choice.
    press(ada, "Soft, warm light", "Edit")
    do(note_actions.Scribe, _mate, before.pk, True)
    do(note_actions.Edit, _mate, note_of("Soft, warm light").pk, 2, "Tidied by the scribe")
    ada.get_by_label("Change this note").fill("My second thought")
    ada.get_by_role("button", name="Save the change").click()
    expect(ada.locator("#unsent [data-theirs]")).to_have_text("Tidied by the scribe")
    ada.get_by_role("button", name="Use mine").click()
    expect(notes(bea)).to_have_text(["My second thought"])
    ada.reload()
    expect(elsewhere.locator(".words")).to_have_text(["My second thought"])
    groups.close_round(two_groups[0].pk, None)
    expect(elsewhere).to_be_hidden()


def test_who_comes_late_to_tables_at_work_has_a_group_and_says_their_table(site, phone, transactional_db):
    workshop = make.workshop()
    item = make.prompt_item(workshop)
    sitting = [make.participant(workshop) for _ in range(4)]
    facilitation.launch(workshop.pk, None, item.pk)
    groups.make(workshop.pk, None, "by_table")
    for who, number in zip(sitting, (3, 3, 7, 7), strict=True):
        do(note_actions.Table, who, number)
    groups.open_round(workshop.pk, None)
    page = seated(phone(), site, make.participant(workshop))
    expect(page.locator("#group .prompt")).to_contain_text("You are in Table 3: 3 people")
    expect(page.locator("#group .prompt")).to_contain_text("Your number: 5")
    right(page)
    page.get_by_role("button", name="I sit at another table").click()
    page.get_by_label("The number of your table").fill("7")
    right(page)
    page.get_by_role("button", name="Join this table").click()
    expect(page.locator("#group .prompt")).to_contain_text("You are in Table 7: 3 people")


def test_everything_is_done_with_the_keyboard_alone(pair):
    (_one, ada), (_mate, bea) = pair
    add(bea, "Soft light")
    expect(notes(ada)).to_have_text(["Soft light"])

    def go_to(name: str, then: str = "Enter") -> None:
        for _ in range(60):
            ada.keyboard.press("Tab")
            focused = ada.evaluate(
                "() => { const e = document.activeElement; return (e.labels && e.labels[0] || e).textContent.trim(); }"
            )
            if focused == name:
                return ada.keyboard.press(then) if then else None
        raise AssertionError(f"no {name} on the way of the Tab key")

    go_to("I agree", "Space")
    expect(ada.get_by_role("button", name="I agree")).to_be_focused()
    expect(bea.locator("#notes .marks")).to_have_text("1 person agrees")
    expect(ada.locator("#notes .marks")).to_have_text("1 person agrees")
    expect(ada.get_by_role("button", name="I agree")).to_be_focused()  # though the picture is new
    go_to("More")
    go_to("Share with the room")
    expect(bea.locator("#notes li.is-picked")).to_have_count(1)
    go_to("I’ll take notes")
    expect(bea.get_by_text("Your group has a scribe")).to_be_visible()
    go_to("Add a note for the group", "")
    ada.keyboard.type("By keyboard")
    go_to("Add note")
    expect(notes(bea)).to_have_text(["Soft light", "By keyboard"])
    go_to("Call the facilitator")
    expect(bea.locator("#group [data-news=help]")).to_be_visible()
    expect(ada.get_by_role("button", name="We no longer need the facilitator")).to_be_focused()
    right(ada)


def test_without_a_script_a_group_works_with_forms(site, phone, two_groups):
    _workshop, people = two_groups
    one, mate = people[0], mate_of(people[0])
    page = seated(
        phone(java_script_enabled=False, viewport={"width": 320, "height": 640}), site, one, connected=False
    )
    add(page, "Soft light")
    expect(notes(page)).to_have_text(["Soft light"])
    do(note_actions.Add, mate, group_of(mate).pk, "The same two faces")
    page.reload()
    press(page, "The same two faces", "I agree")
    expect(page.get_by_role("button", name="I agree")).to_have_attribute("aria-pressed", "true")
    press(page, "Soft light", "Edit")
    page.get_by_label("Change this note").fill("Soft, warm light")
    page.get_by_role("button", name="Save the change").click()
    expect(notes(page)).to_have_text(["Soft, warm light", "The same two faces"])
    page.get_by_role("button", name="Call the facilitator").click()
    expect(page.get_by_text("The facilitator knows that you are calling")).to_be_visible()
    assert_fits(page)


@pytest.mark.looks
@pytest.mark.once
def test_a_busy_pad_looks_right_at_every_width(site, phone, two_groups, tmp_path):
    workshop, people = two_groups
    one, mate = people[0], mate_of(people[0])
    group = group_of(one)
    groups.name_group(
        workshop.pk, None, group.pk, "Group of the morning sun", "https://video.example/rooms/morning-sun"
    )
    for who, text in (
        (one, "Soft light, no big strip lights. You can hear babies, not a radio."),
        (mate, "A chair where a parent can sit for ten minutes at drop-off."),
        (mate, "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung"),
    ):
        do(note_actions.Add, who, group.pk, text)
    first = group.contributions.first()
    do(note_actions.Agree, mate, first.pk, True)
    do(note_actions.Pick, mate, first.pk, True)
    do(note_actions.Scribe, one, group.pk, True)
    do(note_actions.Help, mate, group.pk, True)
    groups.call(workshop.pk, None, "message", "Ten minutes more, take your time.")
    groups.call(workshop.pk, None, "probe", "What gets in the way now?")
    page = seated(phone(), site, one)
    page.locator("#notes > li").first.get_by_text("More").click()
    page.get_by_label("Add a note for the group").fill("x" * 850)
    expect(page.locator("#notes > li").first.get_by_role("button", name="Take back")).to_be_visible()
    for look in every_look(page, 320, 390, 1440, height=844):
        right(page)
        small = page.evaluate(
            """() => [...document.querySelectorAll("main :is(button, a, summary, textarea, input)")]
              .filter(one => one.offsetParent && one.getBoundingClientRect().height < 47.5)
              .map(one => one.outerHTML.slice(0, 80))"""
        )
        assert small == []
        page.screenshot(path=tmp_path / f"pad-{look}.png", full_page=True)


# --- a question for everybody, while a group is together ---------------------------------------------------------


def test_a_question_for_everybody_stands_above_the_groups_notes(pair, two_groups):
    (_one, ada), (_mate, bea) = pair
    add(ada, "Calm")
    expect(notes(bea)).to_have_text(["Calm"])
    bea.evaluate("document.activeElement.blur(); window.scrollTo(0, document.body.scrollHeight)")
    ask_what_they_think_of_it(two_groups[0])
    expect(bea.locator("form.ballot")).to_be_in_viewport()
    assert top(bea, "form.ballot") < top(bea, "#notes")
    right(bea)


def test_whoever_types_when_a_question_is_asked_keeps_their_place_and_hears_of_it(pair, two_groups):
    (_one, ada), (_mate, bea) = pair
    add(bea, "Calm")
    expect(notes(ada)).to_have_text(["Calm"])
    field = ada.get_by_label("Add a note for the group")
    field.fill("Half a th")
    groups.recall(two_groups[0].pk, None)
    expect(ada.get_by_text("Come back together").first).to_be_visible()
    before = top(ada, "#note-text")
    ask_what_they_think_of_it(two_groups[0])
    said(ada, "There is a question for everybody at the top of this page.")
    assert abs(top(ada, "#note-text") - before) < 3
    field.press_sequentially("ought")
    expect(field).to_have_value("Half a thought")
    ada.get_by_role("button", name="Add note").click()
    expect(notes(ada)).to_have_text(["Calm", "Half a thought"])


def test_whoever_types_when_the_next_step_ends_the_group_time_still_sees_their_words(pair, two_groups):
    (_one, ada), _bea = pair
    field = ada.get_by_label("Add a note for the group")
    field.fill("Half a th")
    facilitation.launch(two_groups[0].pk, None, make.poll_item(two_groups[0]).pk)
    said(ada, "There is a question for everybody at the top of this page.")
    field.press_sequentially("ought")
    expect(field).to_have_value("Half a thought")
    ada.get_by_role("button", name="Add note").click()
    said(ada, "Saved. Your note is with the group.")
    assert Contribution.objects.get().text.words == "Half a thought"
    right(ada)


def test_a_note_written_in_time_is_with_the_group_when_its_signal_comes_back_after_the_end(
    pair, two_groups, console_errors_expected
):
    console_errors_expected += OFFLINE
    (_one, ada), _bea = pair
    ada.context.set_offline(True)
    add(ada, "Written in time")
    expect(ada.locator("#unsent li")).to_contain_text("Not saved yet")
    groups.close_round(two_groups[0].pk, None)
    ada.context.set_offline(False)
    said(ada, "Saved. Your note is with the group.")
    assert Contribution.objects.get().text.words == "Written in time"


def test_the_groups_own_question_is_not_told_twice(pair):
    (_one, ada), _bea = pair
    asked = ada.get_by_text("Walk us in: what do you see, hear and feel?")
    expect(asked.locator("visible=true")).to_have_count(1)


def ask_what_they_think_of_it(workshop) -> None:
    """The facilitator turns a group's note into a quick agreement poll."""
    groups.agreement_poll(workshop.pk, None, Contribution.objects.get().ref)


def top(page: Page, selector: str) -> float:
    return page.locator(selector).evaluate("part => part.getBoundingClientRect().top")
