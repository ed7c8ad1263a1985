"""A whole round of small groups as people do it: a facilitator's console, a wall and six phones in two groups, from
the first press to the last, with one phone offline for a while; and no group hears a word of the other."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests import factories as make
from tests.workshops.groups.people import group_of
from workshops.actions import facilitation
from workshops.models import Contribution

from .group_steps import OFFLINE, add, notes, press, seated
from .page_checks import assert_accessible, assert_fits
from .sign_in import sign_in


class Heard:
    """Every text that a page was sent over its websocket."""

    def __init__(self, page: Page) -> None:
        self.texts: list[str] = []
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: self.texts.append(str(payload)))

    def of(self, words: str) -> bool:
        return any(words in text for text in self.texts)


class Room:
    """Everybody's screen. `groups` has two lists of three phones, once there are groups."""

    def __init__(self, site, desk, wall, phone, workshop, people) -> None:
        self.site, self.people = site, people
        self.console, self.wall = desk(), wall()
        sign_in(self.console, site, make.staff(workshop.programme))
        self.console.goto(f"/workshops/{workshop.code}/console/")
        self.wall_heard = Heard(self.wall)
        self.wall.goto(f"/wall/{workshop.wall_key}/")
        self.phones = [phone() for _ in people]
        self.heard = {page: Heard(page) for page in self.phones}
        for page, who in zip(self.phones, people, strict=True):
            seated(page, site, who)

    def find_groups(self) -> tuple[list[Page], list[Page]]:
        """The phones of Group 1 and of Group 2."""
        numbers = [group_of(who).number for who in self.people]
        one, two = (
            [p for p, n in zip(self.phones, numbers, strict=True) if n == number] for number in (1, 2)
        )
        return one, two

    def press_main(self, words: str) -> None:
        """The console's one main button, once it says this."""
        main = self.console.locator("#main-button")
        expect(main).to_contain_text(words)
        main.click()

    def look(self) -> None:
        for page in (self.console, self.wall, self.phones[0]):
            assert_fits(page)
            assert_accessible(page)


@pytest.fixture
def room(site, desk, wall, phone, transactional_db) -> Room:
    workshop = make.workshop()
    item = make.prompt_item(workshop, "Walk us in: what do you see, hear and feel?")
    people = [make.participant(workshop) for _ in range(6)]
    facilitation.launch(workshop.pk, None, item.pk)
    return Room(site, desk, wall, phone, workshop, people)


def all_show(pages: list[Page], texts: list[str]) -> None:
    for page in pages:
        expect(notes(page)).to_have_text(texts)


def test_a_round_from_the_first_group_to_the_last_word(room, console_errors_expected):
    console_errors_expected += OFFLINE
    console, screen = room.console, room.wall

    # Two groups of three; everybody sees theirs, on the phone and on the wall.
    console.get_by_label("Number", exact=True).fill("2")
    room.press_main("Make groups")
    for page in room.phones:
        expect(page.locator("#group .prompt")).to_contain_text("You are in Group")
        expect(page.locator("#group .prompt")).to_contain_text("3 people")
    expect(screen.locator("#breakouts")).to_contain_text("Group 2")
    (ada, bea, cat), (dan, eve, fay) = first, second = room.find_groups()
    room.look()

    # The prompt is on every phone; a note is with its own group and with nobody else.
    room.press_main("Open the groups")
    for page in room.phones:
        expect(page.locator("#group h1")).to_have_text("Walk us in: what do you see, hear and feel?")
    add(ada, "Soft light")
    all_show(first, ["Soft light"])
    add(dan, "The same two faces")
    all_show(second, ["The same two faces"])
    all_show(first, ["Soft light"])
    expect(console.locator("#breakouts")).to_contain_text("2 notes")
    expect(screen.locator("#breakouts")).to_contain_text("2 notes so far")

    # One phone has no network for a while; what it wrote is merged when it is back, once.
    cat.context.set_offline(True)
    expect(cat.locator("[data-signal]")).to_have_text("No signal")
    for text in ("A chair for a parent", "Nobody hurries"):
        add(cat, text)
    press(cat, "Soft light", "I agree")
    add(bea, "You can hear babies, not a radio")
    all_show([ada, bea], ["Soft light", "You can hear babies, not a radio"])
    expect(cat.locator("#unsent li")).to_have_count(2)
    cat.context.set_offline(False)
    merged = ["Soft light", "You can hear babies, not a radio", "A chair for a parent", "Nobody hurries"]
    all_show(first, merged)
    expect(cat.locator("#unsent li")).to_have_count(0)

    # A call for help, answered.
    fay.get_by_role("button", name="Call the facilitator").click()
    expect(console.locator("#help .calls")).to_contain_text("Group 2")
    expect(eve.locator("#group [data-news=help]")).to_be_visible()
    expect(ada.locator("#group [data-news=help]")).to_have_count(0)
    console.locator("#help .calls").get_by_role("button", name="I’m on my way").click()
    for page in second:
        expect(page.locator("#group [data-news=help]")).to_have_count(0)
    expect(console.locator("#help .calls")).to_have_count(0)

    # Agreeing; a scribe who puts things in order; the sentence that each group brings.
    press(bea, "Soft light", "I agree")
    expect(ada.locator("#notes > li", has_text="Soft light")).to_contain_text("2 people agree")
    bea.get_by_role("button", name="I’ll take notes").click()
    expect(bea.get_by_role("button", name="Hand over")).to_be_visible()
    press(bea, "Nobody hurries", "Move up")
    ordered = ["Soft light", "You can hear babies, not a radio", "Nobody hurries", "A chair for a parent"]
    all_show(first, ordered)
    press(ada, "Soft light", "Share with the room")
    press(eve, "The same two faces", "Share with the room")
    for page in room.phones:
        expect(page.locator("#notes li.is-picked")).to_have_count(1)

    # Everybody is called back, and can still finish.
    room.press_main("Call everybody back")
    for page in room.phones:
        expect(page.locator("#group [data-news=recalled]")).to_be_visible()
    add(eve, "And they know her name")
    all_show(second, ["The same two faces", "And they know her name"])

    # Until here nobody has read a word of the other group, and the wall none at all.
    of_one, of_two = [*merged], ["The same two faces", "And they know her name"]
    assert [words for words in of_two if any(room.heard[page].of(words) for page in first)] == []
    assert [words for words in of_one if any(room.heard[page].of(words) for page in second)] == []
    assert [words for words in [*of_one, *of_two] if room.wall_heard.of(words)] == []
    assert all(room.heard[page].of(words) for page in first for words in of_one)

    # The groups share, one at a time, and the room is asked about a sentence.
    room.press_main("Show Group 1 on the wall")
    expect(screen.locator("#breakouts blockquote")).to_have_text("Soft light")
    expect(screen.locator("#breakouts")).to_contain_text("2 others in this group agree")
    room.look()
    console.get_by_role("button", name="Ask the room").first.click()
    for page in room.phones:
        expect(page.locator("#stage")).to_have_attribute("data-state", "ballot")
    expect(screen.locator("#stage h1")).to_have_text("Soft light")
    for page in room.phones:
        page.get_by_label("Agree", exact=True).check()
        page.get_by_role("button", name="Send my answer").click()
        expect(page.locator("#receipt")).to_contain_text("Saved: Agree")
    expect(screen.locator("#tally")).to_contain_text("6")
    room.press_main("Close voting")
    room.press_main("Show Group 2 on the wall")
    expect(screen.locator("#breakouts blockquote")).to_have_text("The same two faces")

    # The end: phones leave their pads, and everything that was written is there once, in its group.
    console.locator("#end-groups").click()
    console.get_by_role("button", name="Yes, end it now").click()
    expect(screen.locator("#breakouts blockquote")).to_have_count(0)
    for page in room.phones:
        expect(page.locator("#composer")).to_be_hidden()
    kept = Contribution.objects.order_by("group__number", "position")
    assert list(kept.values_list("group__number", "text__words")) == [
        *((1, text) for text in ordered), *((2, text) for text in of_two),
    ]  # fmt: skip
