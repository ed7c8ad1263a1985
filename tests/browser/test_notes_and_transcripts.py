"""Notes, a transcript and a statement made of a note, in a real browser: read, pasted, kept; accessible, and they fit."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from workshops.actions import facilitation, groups, participation, transcripts
from workshops.actions.groups import notes
from workshops.actions.groups.notes import Add, Pick
from workshops.actions.moderation import decide
from workshops.models import Domain, Group, Role, Transcript, Workshop

from ..factories import SHEET_ITEMS, note_ref, programme, prompt_item, staff
from ..factories import sheet as sheet_of
from ..factories import workshop as workshop_of
from .page_checks import assert_accessible, assert_fits, change_look
from .sign_in import sign_in

NOTES = [
    "First thing, it’s quiet, but not silent. You can hear babies, not a radio.",
    "A sofa, an actual sofa, and a rug that didn’t come out of a catalogue.",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaftsraum",
    "The same two faces every morning.",
]
TALK = "\n".join(
    f"[00:{n // 60:02d}:{n % 60:02d}] {'Anna Smith' if n % 4 else 'Bruno Keller'}: The room is calm, says Anna."
    for n in range(0, 3000, 2)
)

# A page that is about to be left answers no questions: what it said last is written down for later.
REMEMBER = """() => document.querySelector("form[data-pasted]").addEventListener("submit", event =>
  sessionStorage.setItem("meanwhile", event.target.querySelector("[data-meanwhile]").textContent))"""


@pytest.fixture
def held(transactional_db) -> Workshop:
    """An ended workshop whose two groups wrote; one sentence was shared back, one note hidden, one brought on."""
    made = workshop_of(programme(title="Baby rooms in England"))
    quote = {"key": "quote", "text": "Quote me", "required": False}
    made.sheet = sheet_of(made.programme, [*SHEET_ITEMS[:2], quote])
    made.save()
    item = prompt_item(made, "Walk us in: what do you see, hear and feel?")
    item.prompt.domain = Domain.objects.create(programme=made.programme, key="feel", title="Look and feel")
    item.prompt.save()
    people = [participation.join(made, ["read", "pooled", "quote"]) for _ in range(4)]
    facilitation.launch(made.pk, None, item.pk)
    groups.make(made.pk, None, "random", groups=2)
    groups.open_round(made.pk, None)
    written = [note(who, text, n) for n, (who, text) in enumerate(zip(people, NOTES, strict=True))]
    pick = Pick(made.pk, people[0].voter, "pick", written[0], True)
    notes.write([pick])
    groups.propose(made.pk, None, note_ref(written[0]))
    decide(made.pk, None, note_ref(written[0]), "shown")
    decide(made.pk, None, note_ref(written[1]), "hidden")
    facilitation.end(made.pk, None)
    made.refresh_from_db()
    return made


def note(who, text: str, number: int) -> int:
    group = Group.objects.get(places__voter=who.voter)
    return notes.write([Add(who.workshop_id, who.voter, f"op{number}", group.pk, text)])[0].note


@pytest.fixture
def owner(site, screens, held):
    """Open a page as an owner, at a width."""
    user = staff(held.programme, Role.OWNER)

    def open_page(url: str, width: int = 1440):
        page = screens(viewport={"width": width, "height": 900})
        sign_in(page, site, user)
        assert page.goto(url).status == 200
        return page

    return open_page


@pytest.mark.looks
@pytest.mark.once
def test_pages_are_accessible_and_fit_every_screen(owner, held):
    group = Group.objects.first()
    cues = [
        {"start": 1.0, "end": 3.0, "speaker": "Speaker 1", "text": NOTES[2]},
        {"start": 3.0, "end": None, "speaker": "", "text": "Words"},
    ]
    person = held.programme.memberships.get(role=Role.OWNER).user
    new, kept = (transcripts.add(group, cues, person) for _ in range(2))
    transcripts.keep(kept, None)
    base = f"/workshops/{held.code}/"
    page = owner(f"{base}notes/")
    for url in (
        f"{base}notes/",
        f"{base}groups/{group.pk}/transcript/",
        f"{base}transcripts/{new.pk}/",
        f"{base}transcripts/{kept.pk}/",
        f"/programmes/{held.programme.key}/summary/",
    ):
        for width, scheme in ((320, "light"), (1440, "dark")):
            change_look(page, width, scheme)
            assert page.goto(url).status == 200
            page.evaluate("() => document.querySelectorAll('details').forEach(each => each.open = true)")
            assert_fits(page)
            assert_accessible(page)


def test_a_long_pasted_transcript_is_shown_without_names_and_kept(owner, held):
    page = owner(f"/workshops/{held.code}/notes/")
    page.get_by_role("link", name="Add a transcript").first.click()
    assert len(TALK.encode()) > 64 * 1024  # more than a form's field may carry
    page.fill("textarea", TALK)
    page.evaluate(REMEMBER)
    page.get_by_role("button", name="Take names out and show it").click(no_wait_after=True)
    expect(page.get_by_role("heading", name="Look at it before it is kept")).to_be_visible()
    meanwhile = page.evaluate("() => sessionStorage.getItem('meanwhile')")
    assert meanwhile == "Names are being taken out. Please keep this page open."
    assert "Speaker 2" in page.content()
    assert [name for name in ("Anna", "Bruno") if name in page.content()] == []
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("link", name="Download WebVTT")).to_be_visible()
    assert Transcript.objects.get().kept_at is not None


def test_pasted_words_that_cannot_be_read_stay_on_the_page(owner, held, console_errors_expected):
    console_errors_expected.append("422")
    page = owner(f"/workshops/{held.code}/groups/{Group.objects.first().pk}/transcript/")
    page.fill("textarea", "Nobody said when.")
    page.get_by_role("button", name="Take names out and show it").click()
    expect(page.get_by_role("alert")).to_have_text("There is nothing with a time in this file.")
    expect(page.locator("textarea")).to_have_value("Nobody said when.")
    assert_accessible(page)


def test_a_note_becomes_a_statement_with_one_tap(owner, held):
    page = owner(f"/programmes/{held.programme.key}/summary/", 390)
    page.get_by_role("button", name="Take it up").click()
    expect(page.locator("#text")).to_have_value(NOTES[0])
    expect(page.get_by_role("region", name="Where this statement came from")).to_contain_text("workshop 1")
