"""A slip of the facilitator's hand does nothing: a key that is held, a click too many."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from polls.models import Poll
from tests import factories as make
from tests.poll_samples import QUESTIONS
from workshops.actions import facilitation
from workshops.models import Workshop

from ..patience import PATIENCE
from .page_checks import assert_accessible
from .sign_in import sign_in
from .steps import on_stage

pytestmark = pytest.mark.once  # what a page does is the same on every stack
SETTLING = re.compile(r"\bis-settling\b")


@pytest.fixture
def room(transactional_db):
    return make.workshop(None, QUESTIONS["single"], QUESTIONS["single"], QUESTIONS["single"])


@pytest.fixture
def sent(console) -> list[str]:
    """What the console has sent: a press that does something sends it in the same moment."""
    posts: list[str] = []
    console.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    return posts


def settled(page: Page) -> None:
    """Until presses count again."""
    expect(page.locator("html")).not_to_have_class(SETTLING)


def states(room) -> list[str]:
    return list(
        Poll.objects.filter(agenda_item__workshop=room)
        .order_by("agenda_item__position")
        .values_list("state", flat=True)
    )


def place_of(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_enter_that_is_held_presses_once(console, room, sent):
    button = console.locator("#main-button")
    expect(button).to_contain_text("Begin")
    button.focus()
    for _ in range(10):
        console.keyboard.down("Enter")  # the same key again, as a keyboard repeats it
    on_stage(console, "ballot")
    console.keyboard.down("Enter")
    settled(console)
    for _ in range(10):
        console.keyboard.down("Enter")
    console.keyboard.up("Enter")
    assert len(sent) == 1
    assert states(room) == ["open", "draft", "draft"]


def test_two_presses_of_enter_launch_and_do_not_close(console, room, sent):
    console.locator("#main-button").focus()
    console.keyboard.press("Enter")
    on_stage(console, "ballot")
    console.keyboard.press("Enter")
    settled(console)
    assert len(sent) == 1
    assert states(room) == ["open", "draft", "draft"]
    console.locator("#main-button").press("Enter")  # later, and meant
    on_stage(console, "closed")


def test_two_clicks_at_one_place_launch_and_do_not_close(console, room, sent):
    at = place_of(console, "#main-button")
    console.mouse.click(*at)
    on_stage(console, "ballot")
    console.mouse.click(*at)
    settled(console)
    assert len(sent) == 1
    assert states(room) == ["open", "draft", "draft"]


def test_what_ends_the_workshop_is_never_where_next_was(console, room, sent):
    for item in room.agenda.all():
        facilitation.launch(room.pk, None, item.pk)
    on_stage(console, "ballot")
    expect(console.locator("#stage")).not_to_contain_text("End workshop")
    expect(console.locator("#stage")).to_contain_text("This is the last step.")
    console.locator("#end").click()
    console.mouse.click(*place_of(console, "#end-yes"))  # at once: nobody has read the question
    settled(console)
    assert sent == []
    expect(console.locator("#end-yes")).to_be_visible()
    console.locator("#end-yes").click()
    on_stage(console, "ended")


def test_two_clicks_on_close_in_twenty_seconds_show_no_results(console, room, sent):
    facilitation.launch(room.pk, None, room.agenda.first().pk)
    on_stage(console, "ballot")
    settled(console)
    at = place_of(console, "#close-in")
    console.mouse.click(*at)
    expect(console.locator("#close-in")).to_be_hidden()
    console.mouse.click(*at)
    settled(console)
    console.mouse.click(*at)  # nothing has taken its place
    assert len(sent) == 1
    poll = Poll.objects.filter(agenda_item__workshop=room).order_by("agenda_item__position").first()
    assert poll.closes_at is not None
    assert poll.revealed_at is None
    assert states(room)[0] == "open"


# --- what was done by mistake is taken back -------------------------------------------------------------------


@pytest.fixture
def second(site, desk, room, console) -> Page:
    """Another facilitator's console."""
    page = desk()
    sign_in(page, site, make.staff(room.programme))
    page.goto(f"/workshops/{room.code}/console/")
    expect(page.locator("[data-signal]")).to_have_text("Connected")
    return page


def line(page: Page):
    return page.locator("#undo")


def test_every_console_says_what_was_done_and_either_takes_it_back(console, second, room):
    console.locator("#main-button").click()
    for page in (console, second):
        expect(line(page)).to_contain_text("Launched: Which?")
        assert_accessible(page)
    second.get_by_role("button", name="Undo").click()
    for page in (console, second):
        on_stage(page, "joining")
        expect(line(page)).to_have_text("")
    assert states(room) == ["draft", "draft", "draft"]


def test_the_line_moves_no_button_of_the_bar(console, room):
    long_ago(console, room)
    before = place_of(console, "#reveal")
    settled(console)
    console.locator("#reveal").click()
    expect(line(console)).to_contain_text("Results shown")
    assert place_of(console, "#reveal") == before


def long_ago(console: Page, room) -> None:
    """The first question was launched, too long ago to be undone."""
    facilitation.launch(room.pk, None, room.agenda.first().pk)
    Workshop.objects.filter(pk=room.pk).update(undo=None)
    console.reload()
    on_stage(console, "ballot")
    expect(line(console)).to_have_text("")


@pytest.mark.parametrize(
    ("press", "words", "after", "before"),
    [
        ("#main-button", "Voting closed", "closed", "ballot"),
        ("#next", "Launched: Which?", "ballot", "ballot"),
        ("#joining", "Joining screen shown", "joining", "ballot"),
    ],
)
def test_control_z_takes_it_back_and_the_keyboard_stays_where_it_is(
    console, room, press, words, after, before
):
    long_ago(console, room)
    was = states(room)
    console.locator(press).press("Enter")
    expect(line(console)).to_contain_text(words)
    on_stage(console, after)
    here = console.evaluate("document.activeElement.id")
    console.keyboard.press("Control+z")
    expect(line(console)).to_have_text("")
    on_stage(console, before)
    assert states(room) == was
    assert console.evaluate("document.activeElement.id") in (here, "main-button")


def test_an_end_by_mistake_is_taken_back(console, room):
    facilitation.launch(room.pk, None, room.agenda.first().pk)
    console.locator("#end").click()
    settled(console)
    console.locator("#end-yes").click()
    on_stage(console, "ended")
    expect(line(console)).to_contain_text("Workshop ended")
    assert_accessible(console)
    console.get_by_role("button", name="Undo").press("Enter")
    on_stage(console, "ballot")
    expect(console.get_by_role("heading", level=1)).to_be_focused()
    assert states(room)[0] == "open"


def test_undo_pressed_twice_is_one_undo(console, room, sent):
    facilitation.launch(room.pk, None, room.agenda.first().pk)
    on_stage(console, "ballot")
    console.locator("#undo-button").dblclick()
    on_stage(console, "joining")
    assert len(sent) == 1
    assert states(room) == ["draft", "draft", "draft"]


def test_of_two_who_undo_the_later_one_is_told(console, second, room):
    facilitation.launch(room.pk, None, room.agenda.first().pk)
    on_stage(console, "ballot")
    second.locator("#pause").click()  # their screen stays behind
    expect(second.locator("#undo-button")).to_be_visible()
    console.locator("#undo-button").click()
    on_stage(console, "joining")
    second.locator("#undo-button").click()
    expect(second.locator("#notice")).to_contain_text("undone already")
    assert states(room) == ["draft", "draft", "draft"]


@pytest.mark.slow
def test_the_line_goes_by_itself_and_takes_no_keyboard_with_it(console, room):
    facilitation.launch(room.pk, None, room.agenda.first().pk)
    on_stage(console, "ballot")
    console.locator("#undo-button").focus()
    expect(line(console)).to_have_text("", timeout=1000 * (PATIENCE + 8))
    expect(console.get_by_role("heading", level=1)).to_be_focused()


def test_without_a_script_the_line_is_a_form(site, desk, room):
    page = desk(java_script_enabled=False)
    sign_in(page, site, make.staff(room.programme))
    page.goto(f"/workshops/{room.code}/console/")
    page.locator("#main-button").click()
    on_stage(page, "ballot")
    page.locator("#undo-button").click()
    on_stage(page, "joining")
    assert states(room) == ["draft", "draft", "draft"]


# --- the clock ------------------------------------------------------------------------------------------------


def test_the_plan_runs_from_begin_and_its_minutes_are_changed_with_one_press(console, room):
    room.agenda.update(minutes=5)
    facilitation.head_count(room.pk, None, 3)  # the console draws its agenda anew
    expect(console.locator("#agenda")).not_to_contain_text("0 of 60 min")
    expect(console.locator("#main-button")).to_contain_text("the clock starts now")
    console.locator("#main-button").click()
    expect(console.locator("#agenda")).to_contain_text("0 of 60 min")
    clock = console.locator("#clock")
    for name, words in (
        ("+5 minutes", "10 minutes"),
        ("−1 minute", "9 minutes"),
        ("+1 minute", "10 minutes"),
    ):
        clock.get_by_role("button", name=name).press("Enter")
        expect(clock).to_contain_text(f"{words} planned")
        expect(clock.get_by_role("button", name=name)).to_be_focused()
    expect(console.locator("#agenda li").nth(1)).to_contain_text("at 10 min")
    assert_accessible(console)
