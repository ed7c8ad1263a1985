"""A new picture changes what the server says, and nothing of what somebody in front of the screen has done."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from polls.types.base import Question
from tests import factories as make
from workshops.actions import facilitation, groups
from workshops.actions.groups import membership
from workshops.models import Workshop

from .sign_in import sign_in
from .steps import join

pytestmark = pytest.mark.once  # what a page does is the same on every stack


@pytest.fixture
def room(transactional_db) -> Workshop:
    """A prompt on stage and six people in two groups that are not open yet."""
    room = make.workshop()
    item = make.prompt_item(room, "Walk us in: what do you see, hear and feel?")
    for _ in range(6):
        make.participant(room)
    facilitation.launch(room.pk, None, item.pk)
    groups.make(room.pk, None, "random", groups=2)
    return room


@pytest.fixture
def console(site, desk, room) -> Page:
    page = desk(viewport={"width": 1280, "height": 500})
    sign_in(page, site, make.staff(room.programme))
    page.goto(f"/workshops/{room.code}/console/")
    expect(page.locator("[data-signal]")).to_have_text("Connected")
    return page


SELECTED = "box => [box.selectionStart, box.selectionEnd, box.value]"


def test_details_ticks_selection_and_scroll_position_survive_what_others_do(console, room):
    console.get_by_text("Delete these groups").click()
    seats = console.locator("#breakouts").get_by_role("checkbox")
    seats.nth(1).check()
    seats.nth(4).check()
    ticked = [seats.nth(place).get_attribute("id") for place in (1, 4)]
    console.locator("summary", has_text="Quick poll").click()
    box = console.locator("#quick-text")
    box.fill("What would you keep?")
    box.evaluate("box => { box.focus(); box.setSelectionRange(5, 10); }")
    console.evaluate("() => { document.getElementById('main').scrollTop = 80; }")
    top = console.evaluate("() => document.getElementById('main').scrollTop")
    assert top > 0

    membership.place_latecomer(room.pk, make.participant(room).voter)
    expect(seats).to_have_count(7)
    assert box.evaluate(SELECTED) == [5, 10, "What would you keep?"]
    expect(box).to_be_focused()
    expect(console.get_by_role("button", name="Yes, end it now").first).to_be_visible()
    ticks = "all => all.filter(box => box.checked).map(box => box.id)"
    assert sorted(seats.evaluate_all(ticks)) == sorted(ticked)
    assert console.evaluate("() => document.getElementById('main').scrollTop") == top


BEFORE = """<section id="pushed"><ol>
  <li data-key="a"><details><summary id="more-a">More</summary>Words of a</details></li>
  <li data-key="b"><input type="checkbox" id="tick-b"> <b>1</b></li>
  <li data-key="c"><input id="words-c" value="as stored"></li>
  <li data-key="e"><select id="way"><option value="x">X</option><option value="y">Y</option></select></li>
</ol></section>"""
#: another order, one gone, one new, other figures, and the words of the field stored anew
AFTER = """<section id="pushed" aria-label="Answers"><p>News</p><ol>
  <li data-key="n">New</li>
  <li data-key="e"><select id="way"><option value="w">W</option><option value="x">X</option><option value="y">Y</option></select></li>
  <li data-key="c"><input id="words-c" value="stored by another"></li>
  <li data-key="a" class="is-first"><details><summary id="more-a">More of it</summary>Other words of a</details></li>
  <li><p><input type="checkbox" id="tick-b"> <b>2</b></p></li>
</ol></section>"""
#: a topic of the test's own, which no server has pictures of
PLACE = (
    "() => document.getElementById('main').insertAdjacentHTML('afterbegin', '<section id=pushed></section>')"
)
PUSH = "html => Live.show({ t: 'screen', topic: 'pushed', rev: html.length, html: html })"


def test_whatever_somebody_does_inside_a_picture_survives_the_next_one(console):
    console.evaluate(PLACE)
    console.evaluate(PUSH, BEFORE)
    console.locator("#more-a").click()
    console.locator("#tick-b").check()
    console.locator("#way").select_option("y")
    console.locator("#words-c").fill("half a sen")
    console.locator("#words-c").evaluate("box => box.setSelectionRange(2, 6)")

    console.evaluate(PUSH, AFTER)
    expect(console.locator("#words-c")).to_be_focused()
    assert console.locator("#words-c").evaluate(SELECTED) == [2, 6, "half a sen"]
    expect(console.locator("#tick-b")).to_be_checked()
    expect(console.locator("#way")).to_have_value("y")
    expect(console.locator("#pushed details")).to_have_attribute("open", "")
    drawn = console.evaluate(
        "html => { const holder = document.createElement('template'); holder.innerHTML = html;"
        " document.querySelector('#pushed details').removeAttribute('open');"
        " return holder.content.firstElementChild.outerHTML === document.getElementById('pushed').outerHTML; }",
        AFTER,
    )
    assert drawn, "what the server says stands there, letter for letter"


def test_a_box_that_was_scrolled_stays_where_it_is(console):
    console.evaluate(PLACE)
    lines = "".join(f"<p>{number}</p>" for number in range(200))
    console.evaluate(
        PUSH, f'<section id="pushed"><textarea id="box" rows="3">{lines}</textarea><i>1</i></section>'
    )
    console.locator("#box").evaluate("box => { box.scrollTop = 40; }")
    console.evaluate(
        PUSH, f'<section id="pushed"><b>2</b><textarea id="box" rows="3">{lines}</textarea></section>'
    )
    expect(console.locator("#pushed b")).to_have_text("2")
    assert console.locator("#box").evaluate("box => box.scrollTop") == 40


def test_a_ballot_half_filled_in_is_not_the_next_questions(site, phone, transactional_db):
    """Another question is another form: nothing of the last one stays in it; what was typed stands beside it."""
    room = make.workshop(
        None, Question("open_text", "What would you change?"), Question("open_text", "And why?")
    )
    make.launched(room)
    page = phone()
    join(page, room)
    page.get_by_role("textbox").fill("More light")
    make.participant(room)
    expect(page.get_by_role("textbox")).to_have_value("More light")
    make.launched(room, 1)
    expect(page.get_by_role("heading", name="And why?")).to_be_visible()
    expect(page.get_by_label("Not sent: the question has closed")).to_have_value("More light")
    expect(page.locator(".paper").get_by_role("textbox")).to_have_value("")
