"""`ballot.js` and the poll types agree: what a form shows and sends, with the script and without."""

import json
from pathlib import Path

import pytest
from django.template.loader import render_to_string

from polls.types import POLL_TYPES, Question
from polls.types.base import Filled
from polls.types.order import shuffled
from tests.poll_samples import QUESTIONS

pytestmark = pytest.mark.once  # what a page does is the same on every stack

STATIC = Path(__file__).parents[2] / "workshops/static/workshops"

#: canonical answers of every sample question; `None` is a pass
ANSWERS = {
    "single": ["b", None],
    "single_other": ["b", {"other": "it depends"}, None],
    "multiple": [["a", "c"], ["d"], None],
    "multiple_two": [["a", "b"], None],
    "scale": [3, None],
    "scale_eleven": [11, None],
    "scale_block": [{"calm": 4}, {"calm": 1, "light": 5}, None],
    "ranking": [["c", "a", "d", "b"], ["b"], None],
    "ranking_top": [["d", "a"], None],
    "words": [["calm", "not noisy"], None],
    "open": ["Time off the floor", None],
    "number": [12, {"none": True}, None],
    "number_half": [1.25, None],
    "points": [{"a": 60, "c": 40}, None],
    "statement": [{"choice": "live_with"}, {"choice": "pass", "reason": "not sure"}, {"choice": "agree"}],
}
EVERY = [(name, answer) for name, answers in ANSWERS.items() for answer in answers]


@pytest.fixture(scope="module")
def page(browser):
    """One page for all these tests: they need no server and no cookies, and opening one takes long."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


@pytest.fixture
def paper(page):
    """Opens a ballot as a phone would show it."""
    errors = []
    listen = lambda error: errors.append(str(error))  # noqa: E731
    page.on("pageerror", listen)

    def opened(question, script=True, seed="", **filled):
        page.set_content(html(question, seed, filled))
        if script:
            page.add_script_tag(path=STATIC / "ballot.js")
            page.evaluate("Ballot.upgrade(document.forms[0])")
        return page

    yield opened
    page.remove_listener("pageerror", listen)
    assert errors == []


def html(question, seed, filled):
    known = {
        "poll_id": 7,
        "value": None,
        "typed": None,
        "error": "",
        "error_field": "",
        "heading": "h1",
        "seed": "",
    }
    instruction = POLL_TYPES[question.type].instruction(question)
    inner = render_to_string(
        f"polls/{question.type}/ballot.html",
        {**known, "question": question, "instruction": instruction, **filled},
    )
    css = (STATIC / "vision.css").read_text()
    return (
        f"<!doctype html><html lang=en><style>{css}</style><body class=phone data-seed='{seed}'><main>"
        f"<form class=ballot data-poll=7><input type=hidden name=poll value=7>{inner}</form>"
    )


def sent(page):
    """The fields that a plain submit would send."""
    return page.evaluate("[...new FormData(document.forms[0])]")


def from_plain_form(pairs, question):
    fields = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return POLL_TYPES[question.type].from_form(Filled(fields), question)


def read(page):
    return page.evaluate("Ballot.read(document.forms[0])")


def meant(fields, question):
    return POLL_TYPES[question.type].from_form(Filled(fields), question)


@pytest.mark.parametrize(("name", "answer"), EVERY)
def test_what_the_script_fills_in_it_reads_as_the_form_would_be_read(paper, name, answer):
    question = QUESTIONS[name]
    poll_type = POLL_TYPES[question.type]
    page = paper(question)
    page.evaluate("fields => Ballot.fill(document.forms[0], fields)", poll_type.to_form(answer, question))
    raw = meant(read(page), question)
    assert raw == from_plain_form(sent(page), question)
    assert poll_type.clean(raw, question) == answer
    assert page.locator("input[name=poll]").input_value() == "7"


@pytest.mark.parametrize(("name", "answer"), EVERY)
def test_a_ballot_from_the_server_is_read_with_and_without_the_script(paper, name, answer):
    question = QUESTIONS[name]
    poll_type = POLL_TYPES[question.type]
    plain = paper(question, script=False, value=answer, passed=answer is None)
    assert poll_type.clean(from_plain_form(sent(plain), question), question) == answer
    scripted = paper(question, value=answer, passed=answer is None)
    assert poll_type.clean(meant(read(scripted), question), question) == answer


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_empty_ballot_is_read_like_an_empty_form_and_can_be_put_back(paper, name):
    question = QUESTIONS[name]
    page = paper(question)
    fields = read(page)
    assert meant(fields, question) == from_plain_form(sent(page), question)
    page.evaluate("Ballot.fill(document.forms[0], Ballot.read(document.forms[0]))")
    assert read(page) == fields


def test_one_seed_gives_one_order_on_phone_and_server(paper):
    question = QUESTIONS["single_other"]
    for seed in ("seed", "5f3a", "é"):
        shown = (
            paper(question, seed=seed)
            .locator(".choice[data-key]")
            .evaluate_all("all => all.map(c => c.dataset.key)")
        )
        assert shown == [option.key for option in shuffled(question.options, seed)]


def test_a_ranking_is_made_by_tapping_and_swapped_with_arrows(paper):
    page = paper(QUESTIONS["ranking_top"])
    page.get_by_role("button", name="Garden").click()
    page.get_by_role("button", name="Quiet").click()
    assert meant(read(page), QUESTIONS["ranking_top"]) == ["c", "b"]
    page.get_by_role("button", name="Move Quiet up").click()
    assert meant(read(page), QUESTIONS["ranking_top"]) == ["b", "c"]
    assert page.locator(".visually-hidden[role=status]").inner_text() == "Quiet: now 1st place"
    page.get_by_role("button", name="Take Garden off my list").click()
    assert meant(read(page), QUESTIONS["ranking_top"]) == ["b"]
    assert page.evaluate("document.activeElement.textContent") == "GardenAdd as 2nd"


def test_a_ranking_by_keyboard_keeps_its_focus_on_what_moved(paper):
    page = paper(QUESTIONS["ranking"], value=["a", "b", "c"])
    down = page.get_by_role("button", name="Move Ground floor down")
    down.focus()
    page.keyboard.press("Enter")
    assert meant(read(page), QUESTIONS["ranking"]) == ["b", "a", "c"]
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Move Ground floor down"


def test_none_of_these_stands_alone_and_a_pass_clears_the_rest(paper):
    page = paper(QUESTIONS["multiple"])
    page.get_by_label("Ground floor").check()
    page.get_by_label("Quiet").check()
    assert page.locator("[data-chosen]").inner_text() == "2 chosen"
    page.get_by_label("None", exact=True).check()
    assert meant(read(page), QUESTIONS["multiple"]) == ["d"]
    page.get_by_label("Pass").check()
    assert meant(read(page), QUESTIONS["multiple"]) is None
    page.get_by_label("Garden").check()
    assert meant(read(page), QUESTIONS["multiple"]) == ["c"]


def test_what_remains_of_the_points_is_always_said(paper):
    page = paper(QUESTIONS["points"])
    remaining = page.locator(".remaining")
    assert remaining.inner_text() == "100 points left to give"
    page.get_by_role("button", name="More for Quiet").click()
    assert remaining.inner_text() == "95 points left to give"
    page.get_by_label("Garden", exact=True).fill("96")
    assert remaining.inner_text() == "1 point too many"
    page.get_by_label("Garden", exact=True).fill("95")
    assert remaining.inner_text() == "All points given"
    assert meant(read(page), QUESTIONS["points"]) == {"b": "5", "c": "95"}
    page.get_by_role("button", name="More for Quiet").click()
    assert meant(read(page), QUESTIONS["points"]) == {"b": "5", "c": "95"}


def test_an_unusual_number_is_asked_about_and_still_sent(paper):
    page = paper(QUESTIONS["number"])
    page.locator("[name=number]").fill("45")
    assert "45 is unusual" in page.locator("[data-sure]").inner_text()
    assert meant(read(page), QUESTIONS["number"]) == "45"
    page.get_by_label("No baby room").check()
    assert page.locator("[data-sure]").is_hidden()
    assert meant(read(page), QUESTIONS["number"]) == {"none": True}


def test_letters_left_are_counted(paper):
    page = paper(QUESTIONS["words"])
    first = page.locator("[name=word]").first
    first.fill("x" * 24)
    assert page.locator("[data-left]").first.inner_text() == "1 letter left"


def test_own_words_choose_the_other_answer(paper):
    page = paper(QUESTIONS["single_other"])
    page.get_by_label("Your own answer").fill("it depends")
    assert meant(read(page), QUESTIONS["single_other"]) == {"other": "it depends"}


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_control_of_a_ballot_is_large_enough_to_hit(paper, name):
    page = paper(QUESTIONS[name])
    small = page.evaluate(
        """() => [...document.querySelectorAll('form button, form select, form .input, form .choice, form .scale-points label')]
        .filter(e => e.offsetParent).map(e => [e.className, e.getBoundingClientRect()])
        .filter(([c, r]) => r.height < 48 || r.width < 48).map(([c, r]) => c + ' ' + r.width + 'x' + r.height)"""
    )
    assert small == []


def test_strings_of_the_script_come_from_templates():
    assert json.loads('{"one": "# letter left", "other": "# letters left"}') == json.loads(
        POLL_TYPES["open_text"].fields(Filled(), Question("open_text", "Why?"), [])["left"]
    )
