"""What only a browser can see and only hard cases show: long answers, large text, forced colours, a code to scan."""

from __future__ import annotations

import base64

import pytest
import segno
from playwright.sync_api import Page, expect

from polls.types.base import Option, Question
from tests import factories as make
from tests.poll_samples import QUESTIONS
from workshops.actions import facilitation

from .page_checks import assert_accessible, assert_fits
from .sign_in import sign_in
from .steps import join, on_stage

pytestmark = pytest.mark.once  # what a page does is the same on every stack

LABELS = (
    "Smaller groups",
    "A calm and homely room, with somewhere soft for grown-ups to sit as well",
    "Time off the floor",
    "Key-person relationships",
    "Working with families and grandparents",
    "Baby-specific professional learning",
    "Connection with the wider nursery and its gardens",
    "Recognition and status",
)
OPTIONS = tuple(Option(f"o{place}", label) for place, label in enumerate(LABELS))
TITLE = "Which of these matter most to get right first in the rooms where babies spend their days?"
ITEMS = [{"key": f"i{place}", "label": label} for place, label in enumerate(LABELS[:6])]
HARD = {
    "ranking": (Question("ranking", TITLE, options=OPTIONS, settings={"top": 3}), ["o1", "o6", "o4"]),
    "points": (Question("points", TITLE, options=OPTIONS), {"o1": 60, "o6": 40}),
    "multiple": (Question("multiple_choice", TITLE, options=OPTIONS), ["o1", "o6"]),
    "block": (
        Question("scale", TITLE, settings={"points": 4, "items": ITEMS}),
        {item["key"]: 3 for item in ITEMS},
    ),
    "eleven": (Question("scale", "How likely?", settings={"points": 11}), 11),
}
OVERLAPS = """() => {
  const rows = [...document.querySelectorAll('.wall-result li[data-key], .wall-result .people-bars li')];
  const words = rows.map(row => row.firstElementChild.getBoundingClientRect());
  const base = document.querySelector('.wall-base').getBoundingClientRect().top;
  const low = [...document.querySelectorAll('.wall-result > *, .wall-result .finding')]
    .filter(part => part.getBoundingClientRect().bottom > base + 2).map(part => part.className);
  const over = words.slice(1).filter((box, place) => box.top < words[place].bottom - 2).length;
  return [rows.length, over, low];
}"""


@pytest.mark.parametrize("sample", HARD)
def test_rows_of_the_wall_never_run_into_each_other(sample, wall, site, transactional_db):
    question, value = HARD[sample]
    room = make.workshop(None, question)
    poll = make.launched(room)
    for _ in range(3):
        make.vote(make.participant(room), poll, value)
    facilitation.close(room.pk, None)
    screen = wall()
    screen.goto(f"/wall/{room.wall_key}/")
    for width, height in ((1920, 1080), (1280, 720)):
        screen.set_viewport_size({"width": width, "height": height})
        rows, overlapping, too_low = screen.evaluate(OVERLAPS)
        assert rows >= 6
        assert (overlapping, too_low) == (0, [])
        assert_accessible(screen)


SAMPLE = """async ({picture, size}) => {
  const image = new Image();
  image.src = picture;
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), {width: image.width, height: image.height});
  const pen = canvas.getContext('2d');
  pen.drawImage(image, 0, 0);
  const dark = (row, column) => pen.getImageData(
    (column + .5) * image.width / size, (row + .5) * image.height / size, 1, 1).data[1] < 128 ? 1 : 0;
  return [...Array(size)].map((_, row) => [...Array(size)].map((_, column) => dark(row, column)));
}"""


def test_the_code_on_the_wall_can_be_scanned(site, wall, room):
    """Every module of the picture is what a scanner expects: dark on light, with its white border."""
    screen = wall()
    screen.goto(f"/wall/{room.wall_key}/")
    code = segno.make(f"{site.url}/w/{room.code}/", error="m", micro=False)
    seen = _modules(screen, code.symbol_size(border=2)[0])
    assert seen == [list(row) for row in code.matrix_iter(border=2)]


def _modules(screen: Page, size: int) -> list[list[int]]:
    """Dark (1) and light (0) of every module of the pictured code, border included."""
    place = screen.evaluate(
        """() => {
        const qr = document.querySelector('svg.qr'), style = getComputedStyle(qr), box = qr.getBoundingClientRect();
        const pad = parseFloat(style.paddingLeft);
        return {x: box.x + pad, y: box.y + pad, width: box.width - 2 * pad, height: box.height - 2 * pad};
        }"""
    )
    picture = base64.b64encode(screen.screenshot(clip=place)).decode()
    page = screen.context.browser.new_page()
    modules = page.evaluate(SAMPLE, {"picture": f"data:image/png;base64,{picture}", "size": size})
    page.close()
    return modules


@pytest.fixture
def room(transactional_db):
    return make.workshop(None, QUESTIONS["single"])


@pytest.mark.parametrize("sample", ["single", "words", "scale_block", "points", "ranking_top"])
def test_a_small_phone_with_text_twice_as_large_needs_no_sideways_scroll(sample, phone, transactional_db):
    room = make.workshop(None, QUESTIONS[sample])
    page = join(phone(viewport={"width": 320, "height": 568}), room)
    make.launched(room)
    on_stage(page, "ballot")
    page.evaluate("() => { document.documentElement.style.fontSize = '200%' }")
    assert_fits(page)


def test_forced_colours_show_one_mark_and_only_where_it_is(phone, room):
    page = join(phone(forced_colors="active"), room)
    make.launched(room)
    on_stage(page, "ballot")
    page.get_by_label("Quiet").check()
    marks = page.evaluate(
        "() => [...document.querySelectorAll('.choice input')].map(one => getComputedStyle(one, '::before').content)"
    )
    assert set(marks) == {"none"}


def test_an_ended_workshop_cannot_be_ended_again(site, desk, room):
    console = desk()
    sign_in(console, site, make.staff(room.programme))
    console.goto(f"/workshops/{room.code}/console/")
    console.locator("#end").click()
    console.locator("#end-yes").click()
    on_stage(console, "ended")
    expect(console.locator("#end")).to_be_hidden()
    expect(console.locator("#end-yes")).to_be_hidden()


@pytest.mark.slow
def test_ears_hear_how_many_have_answered_and_not_with_every_answer(site, desk, room):
    console = desk()
    sign_in(console, site, make.staff(room.programme))
    console.goto(f"/workshops/{room.code}/console/")
    expect(console.locator("[data-signal]")).to_have_text("Connected")
    poll = make.launched(room)
    heard = console.locator("[data-announce]")
    on_stage(console, "ballot")
    expect(heard).to_contain_text("0 of 0 people have answered")
    for _ in range(2):
        make.vote(make.participant(room), poll, "a")
    expect(console.locator("#tally .figure")).to_contain_text("2 of 2")
    expect(heard).to_contain_text("0 of 0")
    expect(heard).to_contain_text("2 of 2")


@pytest.mark.parametrize("width", [390, 1024])
def test_long_answers_are_readable_on_a_narrow_console(width, site, desk, transactional_db):
    question, value = HARD["multiple"]
    room = make.workshop(None, question)
    poll = make.launched(room)
    make.vote(make.participant(room), poll, value)
    console = desk(viewport={"width": width, "height": 900})
    sign_in(console, site, make.staff(room.programme))
    console.goto(f"/workshops/{room.code}/console/")
    expect(console.locator("[data-signal]")).to_have_text("Connected")
    console.wait_for_timeout(300)
    widths = console.evaluate(
        "() => [...document.querySelectorAll('.stage-bars li > :first-child')].map(one => one.clientWidth)"
    )
    assert min(widths) > 90
    assert console.locator(".agenda li > :first-child").first.evaluate("one => one.clientWidth") > 90
    assert_fits(console)


def test_what_is_missing_on_a_long_sheet_comes_into_sight(site, phone, room, console_errors_expected):
    console_errors_expected.append("422")
    room.sheet.text = "\n\n".join(["Why we ask, and what becomes of it."] * 60)
    room.sheet.save()
    page = phone(viewport={"width": 320, "height": 568})
    page.goto(f"/w/{room.code}/consent/")
    page.get_by_label("My answers may be used").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("I have read it")).to_be_focused()
    expect(page.get_by_label("I have read it")).to_be_in_viewport()
    assert_fits(page)


def test_a_small_phone_shows_staff_pages_without_sideways_scroll(site, phone, room):
    page = phone(viewport={"width": 320, "height": 568})
    sign_in(page, site, make.staff(room.programme))
    page.goto("/workshops/")
    assert_fits(page)
    page.goto(f"/workshops/{room.code}/console/")
    assert_fits(page)


# How many words of the agenda's small lines stand on two lines.
_BROKEN = """() => [...document.querySelectorAll('#agenda small, #agenda .do .button')].flatMap(place => {
  const text = [...place.childNodes].find(node => node.nodeType === 3);
  return [...text.data.matchAll(/\\S+/g)].filter(word => {
    const range = document.createRange();
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1;
  }).map(word => word[0]);
})"""


def test_the_agenda_of_a_console_breaks_no_word(site, desk, transactional_db):
    room = make.workshop(
        None, Question("open_text", "What would you change?"), Question("open_text", "And keep?")
    )
    poll = make.launched(room)
    for number in range(11):
        make.vote(make.participant(room), poll, f"light {number}")
    facilitation.close(room.pk, None)
    make.launched(room, 1)
    page = desk()
    sign_in(page, site, make.staff(room.programme))
    page.goto(f"/workshops/{room.code}/console/")
    expect(page.locator("#agenda")).to_contain_text("11 answered")
    expect(page.locator("#agenda").get_by_role("button", name="Show again")).to_be_visible()
    for width in (1000, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(_BROKEN) == []
        assert_fits(page)
        assert page.locator("#agenda").evaluate("agenda => agenda.scrollWidth - agenda.clientWidth") == 0
