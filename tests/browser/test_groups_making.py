"""Groups while they are made: people put into them with buttons and by dragging, prompts given, places changed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import factories as make
from workshops.actions import facilitation, groups
from workshops.actions.groups import membership, notes
from workshops.models import Group, Participant, Round, Workshop

from .group_steps import seated
from .page_checks import assert_accessible, assert_fits, every_look
from .sign_in import sign_in

pytestmark = pytest.mark.once  # what a page does is the same on every stack

BY_HAND = "Not in a group yet"


@pytest.fixture
def room(transactional_db) -> Workshop:
    """A prompt on stage, another one in the programme, and six people."""
    room = make.workshop()
    item = make.prompt_item(room, "Walk us in: what do you see, hear and feel?")
    make.prompt_item(room, "Who comes in and out?")
    for _ in range(6):
        make.participant(room)
    facilitation.launch(room.pk, None, item.pk)
    return room


@pytest.fixture
def console(site, desk, room) -> Callable[..., Page]:
    def open_console(**options) -> Page:
        page = desk(**options)
        sign_in(page, site, make.staff(room.programme))
        page.goto(f"/workshops/{room.code}/console/")
        if options.get("java_script_enabled", True):
            expect(page.locator("[data-signal]")).to_have_text("Connected")
        return page

    return open_console


def looks_right(page: Page) -> None:
    assert_fits(page)
    assert_accessible(page)


def sizes() -> list[int]:
    return [group.places.count() for group in Group.objects.filter(round__closed_at=None).order_by("number")]


def waiting(page: Page) -> Locator:
    return page.get_by_role("group", name=re.compile(BY_HAND))


def chip(page: Page, number: int) -> Locator:
    return page.locator("#breakouts .person", has_text=re.compile(rf"^Person {number}$"))


def of_group(page: Page, number: int) -> Locator:
    return page.locator("#breakouts [data-drop]").nth(number)  # the first is the list of those who wait


def people_in(page: Page, number: int, *labels: str) -> None:
    expect(of_group(page, number).locator(".person")).to_have_text(list(labels))


# --- with buttons ------------------------------------------------------------------------------------


def test_a_facilitator_fills_groups_by_hand_and_phones_follow(site, room, console, phone):
    who = room.participants.order_by("pk")[0]
    page, mine = console(), seated(phone(), site, who)
    page.get_by_label("How", exact=True).select_option("by_hand")
    page.get_by_label("Number").fill("2")
    page.locator("#main-button").click()
    expect(waiting(page).locator(".person")).to_have_count(6)
    looks_right(page)

    order = list(Round.objects.get().places.order_by("pk").values_list("voter", flat=True))
    number = order.index(who.voter) + 1
    expect(mine.locator("#group")).to_contain_text("You will be given a group in a moment")
    expect(mine.locator("#group")).to_contain_text(f"Your number: {number}")
    assert_accessible(mine)

    chip(page, number).locator("input").check()
    of_group(page, 2).get_by_role("button", name=re.compile("Move here")).click()
    people_in(page, 2, f"Person {number}")
    expect(mine.locator("#group")).to_contain_text("You are in Group 2: 1 person")
    expect(mine.locator("#group")).to_contain_text(f"Your number: {number}")
    expect(mine.get_by_label("Add a note for the group")).to_be_hidden()

    late = make.participant(room)
    membership.place_latecomer(room.pk, late.voter)
    expect(chip(page, 7)).to_be_visible()
    page.locator("#main-button").click()
    expect(page.locator("#breakouts")).to_contain_text("At work")
    assert sorted(sizes()) == [3, 4]
    expect(mine.locator("#group")).to_contain_text(f"Your number: {number}")
    expect(mine.get_by_label("Add a note for the group")).to_be_visible()


def test_without_a_script_people_are_moved_by_plain_forms(room, console):
    groups.make(room.pk, None, "by_hand", groups=2)
    page = console(java_script_enabled=False)
    expect(page.get_by_text("You can also drag them.")).to_be_hidden()
    for number in (1, 2):
        chip(page, number).locator("input").check()
    of_group(page, 1).get_by_role("button", name=re.compile("Move here")).click()
    people_in(page, 1, "Person 1", "Person 2")
    chip(page, 2).locator("input").check()
    of_group(page, 0).get_by_role("button", name=re.compile("Move here")).click()
    people_in(page, 1, "Person 1")
    assert sizes() == [1, 0]


def test_with_the_keyboard_alone_somebody_is_moved(room, console):
    groups.make(room.pk, None, "by_hand", groups=2)
    page = console()
    chip(page, 3).locator("input").focus()
    page.keyboard.press("Space")
    of_group(page, 1).get_by_role("button", name=re.compile("Move here")).focus()
    page.keyboard.press("Enter")
    people_in(page, 1, "Person 3")


# --- by dragging ----------------------------------------------------------------------------------------


WHERE = """(element) => {
  element.scrollIntoView({ block: "nearest" });
  const box = element.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}"""


def middle(part: Locator) -> tuple[float, float]:
    """Where it is, brought into sight. A new picture may replace it at any moment: what is not on the page is at 0."""
    for _ in range(100):
        x, y = part.evaluate(WHERE)
        if x and y:
            return x, y
    raise AssertionError("it is not on the page")


def take(page: Page, part: Locator) -> None:
    page.mouse.move(*middle(part))
    page.mouse.down()


def drag(page: Page, part: Locator, to: Locator) -> None:
    target = middle(to)
    take(page, part)
    page.mouse.move(*target, steps=8)
    expect(page.locator(".drag-ghost")).to_be_visible()
    page.mouse.up()
    expect(page.locator(".drag-ghost")).to_have_count(0)


@pytest.fixture
def filling(room, console) -> Page:
    """A tall console with two empty groups."""
    groups.make(room.pk, None, "by_hand", groups=2)
    return console(viewport={"width": 1440, "height": 1800})


def test_people_are_dragged_into_a_group_one_or_all_that_are_ticked(filling):
    expect(filling.get_by_text("You can also drag them.")).to_be_visible()
    drag(filling, chip(filling, 2), of_group(filling, 1))
    people_in(filling, 1, "Person 2")
    for number in (3, 5):
        chip(filling, number).locator("input").check()
    drag(filling, chip(filling, 5), of_group(filling, 2))
    people_in(filling, 2, "Person 3", "Person 5")
    expect(filling.locator("#breakouts").get_by_role("checkbox", checked=True)).to_have_count(0)
    drag(filling, chip(filling, 3), of_group(filling, 1))
    people_in(filling, 1, "Person 2", "Person 3")
    drag(filling, chip(filling, 2), of_group(filling, 0))
    people_in(filling, 1, "Person 3")
    assert sizes() == [1, 1]


def test_who_is_not_ticked_is_dragged_alone_whoever_else_is(filling):
    chip(filling, 6).locator("input").check()
    drag(filling, chip(filling, 1), of_group(filling, 1))
    people_in(filling, 1, "Person 1")
    assert sizes() == [1, 0]


@pytest.mark.parametrize("end", ["outside", "where they were", "escape"])
def test_a_drag_that_leads_nowhere_moves_and_ticks_nobody(filling, end):
    take(filling, chip(filling, 1))
    x, y = middle(of_group(filling, 1) if end == "escape" else chip(filling, 4))
    filling.mouse.move(*((x, y) if end != "outside" else (5, 5)), steps=6)
    expect(filling.locator(".drag-ghost")).to_be_visible()
    if end == "escape":
        filling.keyboard.press("Escape")
    filling.mouse.up()
    expect(filling.locator(".drag-ghost")).to_have_count(0)
    expect(filling.locator("#breakouts").get_by_role("checkbox", checked=True)).to_have_count(0)
    chip(filling, 2).click()  # and a click is a click again
    expect(chip(filling, 2).locator("input")).to_be_checked()
    assert sizes() == [0, 0]


def test_a_new_picture_in_the_middle_of_a_drag_harms_nothing(filling, room):
    target = middle(of_group(filling, 1))
    take(filling, chip(filling, 4))
    filling.mouse.move(*target, steps=6)
    late = make.participant(room)
    membership.place_latecomer(room.pk, late.voter)
    expect(chip(filling, 7)).to_be_visible()
    filling.mouse.move(*middle(of_group(filling, 2)), steps=3)
    filling.mouse.up()
    people_in(filling, 2, "Person 4")


class Finger:
    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)

    def _say(self, kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": x, "y": y} for x, y in points]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    def down(self, x: float, y: float) -> None:
        self._say("touchStart", (x, y))

    def move(self, x: float, y: float) -> None:
        self._say("touchMove", (x, y))

    def up(self) -> None:
        self._say("touchEnd")


def test_with_a_finger_people_are_dragged_after_a_hold_and_a_swipe_scrolls(room, console):
    groups.make(room.pk, None, "by_hand", groups=2)
    page = console(viewport={"width": 820, "height": 1600}, has_touch=True)
    finger = Finger(page)
    x, y = middle(chip(page, 1))
    finger.down(x, y)
    for step in range(1, 6):
        finger.move(x, y - 12 * step)
    expect(page.locator(".drag-ghost")).to_have_count(0)
    finger.up()
    page.wait_for_timeout(1000)  # a swipe glides on
    assert sizes() == [0, 0]

    goal = middle(of_group(page, 1))
    x, y = middle(chip(page, 1))
    finger.down(x, y)
    expect(page.locator(".drag-ghost")).to_be_visible()
    for step in range(1, 9):
        finger.move(x + (goal[0] - x) * step / 8, y + (goal[1] - y) * step / 8)
    finger.up()
    people_in(page, 1, "Person 1")
    assert sizes() == [1, 0]


# --- prompts -----------------------------------------------------------------------------------------------


def test_groups_are_given_prompts_and_the_desk_says_which(room, console):
    groups.make(room.pk, None, "random", groups=3)
    page = console()
    page.get_by_text("Prompts: all groups get the one on stage").click()
    now = page.locator("#breakouts")
    now.get_by_label(re.compile("Who comes in and out?")).check()
    now.locator("label.person", has_text="Group 2").locator("[name=to]").check()
    looks_right(page)
    page.locator("#give-now").click()
    expect(now.get_by_text("Prompts: 1 group has one of its own")).to_be_visible()
    expect(page.locator("#give-now")).to_be_visible()  # it stays open for the next
    expect(now.locator("label.person", has_text="Group 2").locator(".letter")).to_have_text("B")
    expect(now.get_by_role("checkbox", checked=True)).to_have_count(0)
    page.locator("#main-button").click()
    expect(now).to_contain_text("At work")
    assert list(Group.objects.order_by("number").values_list("question", flat=True)) == [
        "Walk us in: what do you see, hear and feel?",
        "Who comes in and out?",
        "Walk us in: what do you see, hear and feel?",
    ]


@pytest.mark.looks
@pytest.mark.once
def test_what_is_needed_to_make_groups_fits_in_both_schemes(room, console):
    groups.make(room.pk, None, "by_hand", groups=3)
    round_ = Round.objects.get()
    groups.move(room.pk, None, round_.places.values_list("pk", flat=True)[:2], round_.groups.first().pk)
    page = console()
    page.locator("#own-prompts").click()
    for _look in every_look(page, 320, 390, 1440):
        page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
        looks_right(page)


# --- help ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [390, 1440])
def test_a_call_for_help_stays_in_sight_however_far_down_one_reads(room, console, width):
    groups.make(room.pk, None, "random", groups=2)
    groups.open_round(room.pk, None)
    page = console(viewport={"width": width, "height": 800})
    page.evaluate(
        "() => [document.scrollingElement, document.getElementById('main')].forEach((p) => p.scrollTop = 900)"
    )
    group = Group.objects.order_by("number")[1]
    notes.write([notes.Help(room.pk, group.places.first().voter, "h1", group.pk, True)])
    answer = page.get_by_role("button", name=re.compile("I’m on my way.*Group 2"))
    expect(answer).to_be_in_viewport()
    looks_right(page)
    answer.click()
    expect(page.locator("#help")).to_be_hidden()


# --- on phones ---------------------------------------------------------------------------------------------------


def test_somebody_who_chose_a_group_chooses_another(site, phone, room):
    who = room.participants.first()
    groups.make(room.pk, None, "self_chosen", groups=3)
    page = seated(phone(), site, who)
    page.get_by_role("button", name="Group 2").click()
    expect(page.locator("#group")).to_contain_text("You are in Group 2")
    page.get_by_role("button", name="Choose another group").click()
    expect(page.get_by_role("heading", name="Choose your group")).to_be_visible()
    looks_right(page)
    page.get_by_role("button", name="Group 3").click()
    expect(page.locator("#group")).to_contain_text("You are in Group 3")
    looks_right(page)
    assert sizes() == [0, 0, 1]


def test_without_a_script_somebody_chooses_another_group(site, phone, room):
    who: Participant = room.participants.first()
    groups.make(room.pk, None, "self_chosen", groups=2)
    page = seated(phone(java_script_enabled=False), site, who, connected=False)
    page.get_by_role("button", name="Group 1").click()
    page.get_by_role("button", name="Choose another group").click()
    page.get_by_role("button", name="Group 2").click()
    expect(page.locator("#group")).to_contain_text("You are in Group 2")
    assert sizes() == [0, 1]


def test_an_observer_stays_with_a_group_and_goes_to_the_next_by_themselves(phone, room):
    page = phone()
    page.goto(f"/w/{room.code}/consent/")
    page.locator("[name=observe]").click()
    expect(page.locator("[data-signal]")).to_have_text("Connected")
    groups.make(room.pk, None, "random", groups=2)
    groups.open_round(room.pk, None)
    pad = page.locator("#group.pad")
    expect(pad).to_be_visible()
    first, second = list(Group.objects.order_by("number"))
    if pad.get_attribute("data-group") == str(second.pk):
        first, second = second, first

    def stays_with(group: Group, words: str) -> None:
        """Somebody comes, so that everybody is told their place anew, and then a note of this group is here."""
        membership.place_latecomer(room.pk, make.participant(room).voter)
        notes.write([notes.Add(room.pk, group.places.first().voter, words, group.pk, words)])
        expect(pad).to_contain_text(words)
        expect(pad).to_have_attribute("data-group", str(group.pk))

    stays_with(first, "Soft light")
    stays_with(first, "A chair")
    page.reload()
    expect(page.locator("[data-signal]")).to_have_text("Connected")
    expect(pad).to_have_attribute("data-group", str(first.pk))
    looks_right(page)
    page.get_by_role("link", name="Watch the next group").click()
    expect(page.locator("[data-signal]")).to_have_text("Connected")
    expect(pad).to_have_attribute("data-group", str(second.pk))
    stays_with(second, "Two faces")
