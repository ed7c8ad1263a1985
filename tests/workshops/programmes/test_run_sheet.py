"""A run sheet says everything that the people who run a workshop need, word for word, as an accessible PDF."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime

import pypdf
import pytest
from django.test import Client
from hypothesis import example, given, settings
from hypothesis import strategies as st

from polls.types import Question
from polls.types.base import Option
from tests.every_type import QUESTIONS
from workshops.programmes import own_process, run_sheet, run_sheet_pdf
from workshops.programmes.own_process import ProcessFailed

from ... import factories
from ...factories import signed_in, staff

WORDS = {
    "notes": "Notes", "probes": "If the talk slows down", "options": "Options", "picture": "Picture:",
    "page": "Page", "of": "of", "rule": "The hour ends here",
}  # fmt: skip


def step(title: str, **more) -> dict:
    return {
        "time": "18:30", "minutes": "2 minutes", "over": False, "together": True, "title": title, "text": title,
        "kind": "", "notes": "", "picture": "", "options": [], "probes": [], **more,
    }  # fmt: skip


def sheet(*steps: dict, title: str = "A workshop") -> dict:
    return {
        "language": "en-gb", "title": title, "kind": "Run sheet, workshop 4", "programme": "A programme",
        "facts": [["When", "Thursday"]], "ready": {"title": "Have ready", "lines": ["A screen"]},
        "profile": {"title": "Asked", "questions": []}, "agenda": {"title": "Agenda", "sum": "2 of 60 minutes"},
        "steps": list(steps), "words": WORDS,
    }  # fmt: skip


def opened(data: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(data))


def words_of(data: bytes) -> str:
    """All text of a PDF without spaces, which a line's end or a font's kerning may add."""
    return re.sub(r"\s", "", "".join(page.extract_text() for page in opened(data).pages))


# --- what is typed stays what it is ---------------------------------------------------------------------------------

LETTERS = st.characters(
    min_codepoint=32, max_codepoint=0x17F, exclude_characters="\x7f\xad", exclude_categories=["Cc"]
)
LINES = st.text(LETTERS | st.just("\n"), min_size=1, max_size=60).map(str.strip).filter(bool)


@settings(max_examples=120, deadline=None)
@given(title=LINES, notes=LINES, option=LINES, probe=LINES)
@example(
    "#panic()",
    "= No heading\n- no list",
    "$x^2$ *bold* _it_ `raw` @label <tag>",
    '#include "x" \\ \\u{41} // gone',
)
@example('"; #sys.inputs', "/* gone */", "~ -- --- ... 'quotes' \"quotes\"", "https://example.org/#a[b](c)")
def test_whatever_is_typed_stands_there_word_for_word(title, notes, option, probe):
    data = run_sheet_pdf.compiled(
        json.dumps(sheet(step(title, text=title, notes=notes, options=[option], probes=[probe])))
    )
    found = words_of(data)
    for typed in (title, notes, option, probe):
        assert re.sub(r"\s", "", typed) in found


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.text(max_size=40))
@example("你好 🙂 שלום नमस्ते", "\ufffe\uffff\U0010ffff")
@example("\x00\x01\x1f\x7f\u2028", "\ue000")
def test_whatever_is_typed_makes_a_sheet(title, notes):
    data = run_sheet_pdf.compiled(json.dumps(sheet(step(title, notes=notes), title=title)))
    assert data.startswith(b"%PDF-")


def test_the_sheet_is_tagged_and_has_a_title_and_a_language():
    read = opened(run_sheet_pdf.pdf_of(sheet(step("Welcome"))))
    root = read.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert read.metadata.title == "A workshop, Run sheet, workshop 4"
    assert b"pdfuaid:part" in root["/Metadata"].get_data()


def test_a_long_step_is_broken_over_pages_and_loses_nothing():
    notes = "\n".join(f"Line {n}." for n in range(200))
    data = run_sheet_pdf.pdf_of(sheet(step("Long", notes=notes, together=False)))
    assert len(opened(data).pages) >= 4
    found = words_of(data)
    assert [n for n in range(200) if f"Line{n}." not in found] == []


def test_what_is_far_too_long_is_refused_before_any_work():
    with pytest.raises(run_sheet_pdf.SheetTooLong):
        run_sheet_pdf.pdf_of(sheet(step("x" * run_sheet_pdf.SIZE_LIMIT)))


# --- of a workshop --------------------------------------------------------------------------------------------------


@pytest.fixture
def workshop(db):
    made = factories.workshop(
        None, *QUESTIONS.values(), started=False, title="The ideal baby room", minutes=25, place="Online",
        region="England", intended_for="Room leaders", expected=22,
        starts_at=datetime(2026, 11, 26, 18, 30, tzinfo=UTC),
    )  # fmt: skip
    factories.poll_item(
        made, Question("single_choice", "Your role?", options=(Option("a", "Leader"),)), profile=True
    )
    prompt = factories.prompt_item(made, "What would calm look like?", minutes=20)
    prompt.prompt.probes = ["And for parents?"]
    prompt.prompt.save()
    pause = factories.pause_item(made, "Tea", minutes=10)
    pause.notes = "Wake the kettle"
    pause.save()
    factories.pause_item(made, "Goodbye")
    return made


def test_every_type_of_question_stands_on_the_sheet_with_its_options(workshop):
    found = run_sheet.sheet_of(workshop, "workshops.example")
    by_text = {step["text"]: step for step in found["steps"]}
    assert by_text["1?"]["options"] == ["11", "22", "33", "0"]
    assert by_text["1?"]["kind"] == "Choose one"
    assert by_text["3?"]["options"] == ["1", "2", "3", "Pass"]
    assert by_text["4?"]["kind"].endswith("Choose your top 2")
    assert by_text["6?"]["options"] == []
    assert by_text["9."]["options"][:3] == ["Agree", "Can live with it", "Disagree"]
    assert by_text["What would calm look like?"]["probes"] == ["And for parents?"]
    assert by_text["Tea"]["notes"] == "Wake the kettle"
    assert [question["text"] for question in found["profile"]["questions"]] == ["Your role?"]


def test_times_run_on_and_the_end_of_the_hour_is_marked_once(workshop):
    found = run_sheet.sheet_of(workshop, "workshops.example")
    last = [(step["time"], step["title"], step["over"]) for step in found["steps"][-3:]]
    assert last == [
        ("18:30", "What would calm look like?", False),
        ("18:50", "Tea", False),
        ("19:00", "Goodbye", True),
    ]
    assert found["agenda"]["sum"] == "40 of 25 minutes"
    assert dict(found["facts"])["For"] == "Room leaders, 22 people expected"


def test_without_a_day_times_count_from_the_beginning(workshop):
    workshop.starts_at = None
    found = run_sheet.sheet_of(workshop, "workshops.example")
    assert [step["time"] for step in found["steps"][-3:]] == ["0:00", "0:20", "0:30"]
    assert dict(found["facts"])["When"] == "No day yet"


def test_an_unfinished_question_is_on_the_sheet_as_far_as_it_is(db):
    workshop = factories.workshop(
        None, Question("ranking", "What first?", settings={"top": 9}), started=False
    )
    assert run_sheet.sheet_of(workshop, "x")["steps"][0]["text"] == "What first?"


def test_a_longer_agenda_costs_no_more_queries(django_assert_num_queries, db):
    short = factories.workshop(started=False)
    long = factories.workshop(None, *QUESTIONS.values(), started=False)
    for workshop in (short, long):
        with django_assert_num_queries(1):
            run_sheet.sheet_of(workshop, "x")


def test_the_page_hands_out_the_pdf_to_those_who_run_the_workshop(workshop):
    address = f"/workshops/{workshop.code}/run-sheet.pdf"
    answer = signed_in(staff(workshop.programme)).get(address)
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/pdf", "nosniff")
    assert "Wakethekettle" in words_of(answer.content)
    assert workshop.spaced_code.replace(" ", "") in words_of(answer.content)
    assert Client().get(address).status_code == 302
    assert signed_in(staff(workshop.programme, "researcher")).get(address).status_code == 403
    assert signed_in(staff(factories.programme())).get(address).status_code == 404


def test_a_sheet_that_cannot_be_made_is_a_sentence_on_the_page_one_came_from(workshop, monkeypatch):
    def failed(_module, _sent):
        raise ProcessFailed("took longer")

    monkeypatch.setattr(own_process, "run", failed)
    answer = signed_in(staff(workshop.programme)).get(f"/workshops/{workshop.code}/run-sheet.pdf")
    assert (answer.status_code, answer["Location"]) == (302, f"/workshops/{workshop.code}/")
