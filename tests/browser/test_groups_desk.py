"""Groups as a facilitator leads them: a console, a wall and phones (as sockets) before a real server, through a round."""

from __future__ import annotations

import re
from contextlib import ExitStack
from itertools import count

import pytest
from playwright.sync_api import Page, Route, expect

from tests import factories as make
from tests.socket_screens import Screen, phone_on
from workshops.actions import facilitation, groups
from workshops.actions.groups import membership
from workshops.models import Call, Group, Prompt, Round, TextMark, Workshop

from .page_checks import assert_accessible, assert_fits, every_look
from .sign_in import sign_in

pytestmark = pytest.mark.once  # what a page does is the same on every stack

_ops = count(1)


@pytest.fixture
def room(transactional_db) -> Workshop:
    """A prompt with a follow-up on stage, and six people."""
    room = make.workshop()
    item = make.prompt_item(room, "Walk us in: what do you see, hear and feel?")
    Prompt.objects.filter(pk=item.prompt_id).update(probes=["What is not there?"])
    make.pause_item(room, "Tea")
    for _ in range(6):
        make.participant(room)
    facilitation.launch(room.pk, None, item.pk)
    return room


@pytest.fixture
def screen(wall, room) -> Page:
    page = wall()
    page.goto(f"/wall/{room.wall_key}/")
    return page


def looks_right(*pages: Page) -> None:
    for page in pages:
        assert_fits(page)
        assert_accessible(page)


def group(number: int) -> Group:
    return Group.objects.get(round__closed_at=None, number=number)


class Member:
    """Somebody's phone in a group, without its page."""

    def __init__(self, wire: Screen) -> None:
        self.wire = wire
        wire.until(lambda s: any(f["t"] == "place" and f["group"] > 0 for f in s.heard))
        self.group = [f["group"] for f in wire.heard if f["t"] == "place"][-1]

    def do(self, kind: str, **fields) -> dict:
        op = f"desk-{next(_ops)}"
        self.wire.say({"t": kind, "op": op, **fields})
        self.wire.until(lambda s: any(f.get("op") == op for f in s.heard))
        (answer,) = [f for f in self.wire.heard if f.get("op") == op]
        assert answer["t"] == "ack", answer
        return answer

    def write(self, text: str) -> int:
        return self.do("note", group=self.group, text=text)["note"]

    def reads(self, words: str) -> None:
        self.wire.until(lambda s: words in s.html.get("group", ""))


def members(stack: ExitStack, site, room: Workshop) -> dict[int, Member]:
    """One phone of each group, by the group's number."""
    current = Round.objects.get(workshop=room, closed_at=None)
    first = {place.group.number: place.voter for place in current.places.select_related("group")}
    people = {person.voter: person for person in room.participants.all()}
    return {
        number: Member(stack.enter_context(phone_on(site, room, people[voter])))
        for number, voter in sorted(first.items())
    }


def test_a_round_from_making_groups_to_the_poll_about_a_sentence(site, room, console, screen):
    main = console.locator("#main-button")
    now = console.locator("#breakouts")
    expect(main).to_contain_text("Make groups")
    looks_right(console, screen)

    # A number that is none is said beside it; then two groups, and one person moves.
    console.get_by_label("Number").fill("two")
    main.click()
    expect(console.locator("#make-said")).to_have_text("Give a number of groups, from 1 to 200.")
    expect(console.get_by_label("Number")).to_have_value("two")
    looks_right(console)
    console.get_by_label("Number").fill("2")
    main.click()
    expect(now).to_contain_text("2 groups, 6 people")
    expect(screen.locator("#breakouts")).to_contain_text("3 people")
    expect(screen.locator("#stage")).to_contain_text("Your phone says which group is yours.")
    looks_right(console, screen)
    now.get_by_role("group", name="Group 1").get_by_role("checkbox").first.check()
    now.get_by_role("button", name=re.compile("Move here.*Group 2")).click()
    expect(screen.locator("#breakouts")).to_contain_text("4 people")
    expect(now.get_by_role("checkbox", checked=True)).to_have_count(0)
    assert (group(1).places.count(), group(2).places.count()) == (2, 4)

    # Open, with minutes that are typed.
    expect(main).to_contain_text("Open the groups")
    console.locator("#groups-minutes").fill("2")
    main.click()
    expect(now).to_contain_text("At work")
    expect(
        now.locator(".is-soon").first
    ).to_be_hidden()  # two minutes in all: nobody is told that two are left
    expect(screen.locator("#clock time")).to_be_visible()
    looks_right(console, screen)

    with ExitStack() as stack:
        phones = members(stack, site, room)
        _at_work(console, screen, phones)
        _sharing(console, screen, phones)


def _at_work(console: Page, screen: Page, phones: dict[int, Member]) -> None:
    now, pad = console.locator("#breakouts"), console.locator("#group")
    note = phones[1].write("Soft light from the garden")
    expect(screen.locator("#breakouts")).to_contain_text("1 note so far")
    assert "Soft light" not in screen.content()

    # One group's pad, live, beside words that are being typed.
    now.get_by_role("link", name="Group 1").click()
    expect(pad).to_contain_text("Soft light from the garden")
    expect(console.locator("#group-title")).to_be_focused()
    box = console.get_by_label("Words for this group")
    box.fill("Look at the d")
    phones[1].write("A door to the garden")
    expect(pad).to_contain_text("A door to the garden")
    expect(box).to_have_value("Look at the d")
    looks_right(console)
    box.fill("Look at the door")
    console.locator("#tell-group").get_by_role("button", name="Send as a message").click()
    phones[1].reads("Look at the door")
    expect(box).to_have_value("")
    pad.get_by_role("button", name="Send it to this group").click()
    phones[1].reads("What is not there?")
    console.get_by_label("Name of this group").fill("The owls")
    console.locator("#name-group").get_by_role("button", name="Save").click()
    expect(now.get_by_role("link", name="The owls")).to_be_visible()

    # A probe for all, from the prompt.
    now.get_by_role("button", name=re.compile("Send to all groups.*What is not there")).click()
    expect(now).not_to_contain_text("Follow-up questions")
    phones[2].reads("What is not there?")
    assert Call.objects.filter(kind="probe", group=None).count() == 1

    # Help: a queue with waiting times, said once to ears, cleared by one button.
    phones[2].do("help", group=phones[2].group)
    calls = console.locator("#help")
    expect(calls).to_contain_text("Group 2")
    expect(calls.locator("[data-since]")).to_contain_text(":")
    expect(console.locator("[data-call-words]")).to_have_text("Group 2 calls you.")
    looks_right(console, screen)
    calls.get_by_role("button", name=re.compile("I’m on my way.*Group 2")).click()
    expect(calls).to_be_hidden()
    assert group(2).help_at is None

    phones[1].do("pick", note=note)
    phones[2].do("pick", note=phones[2].write("Calm"))


def _sharing(console: Page, screen: Page, phones: dict[int, Member]) -> None:
    main, now = console.locator("#main-button"), console.locator("#breakouts")
    main.click()
    expect(now).to_contain_text("Back together")
    expect(screen.locator("#stage")).to_contain_text("The groups share next.")
    looks_right(console, screen)
    expect(main).to_contain_text("Show The owls on the wall")
    main.click()
    expect(screen.locator("#breakouts")).to_contain_text("Soft light from the garden")
    expect(screen.locator("#stage")).to_contain_text("The owls")
    looks_right(console, screen)
    now.get_by_role("button", name="For the vision").click()
    expect(now).to_contain_text("Brought to the vision as a draft.")
    console.locator("#ask-room").click()
    expect(screen.locator("#stage h1")).to_contain_text("Soft light from the garden")
    expect(main).to_contain_text("Close voting")
    looks_right(console, screen)
    main.click()
    expect(main).to_contain_text("Show Group 2 on the wall")
    main.click()
    expect(screen.locator("#breakouts")).to_contain_text("Calm")
    expect(main).to_contain_text("Next: Tea")
    main.click()
    expect(screen.locator("#stage")).to_contain_text("Tea")
    expect(now).to_be_hidden()
    expect(console.locator("#group")).to_be_hidden()
    assert Round.objects.get().closed_at
    assert TextMark.objects.count() == 1


@pytest.mark.looks
@pytest.mark.once
def test_the_groups_fit_small_consoles_in_both_schemes(site, desk, room):
    page = desk()
    sign_in(page, site, make.staff(room.programme))
    address = f"/workshops/{room.code}/console/"

    def looks_right_on_small_screens() -> None:
        for _look in every_look(page, 320, 390, 768, height=800):
            page.evaluate(
                "() => scrollTo(0, document.body.scrollHeight)"
            )  # the controls at their place, over nothing
            looks_right(page)

    page.goto(address)
    looks_right_on_small_screens()
    groups.make(room.pk, None, "random", groups=2)
    page.goto(address)
    looks_right_on_small_screens()
    groups.open_round(room.pk, None, think_first=True)
    groups.call(room.pk, None, "probe", "What is not there, and who would miss it?")
    Group.objects.update(help_at=room.started_at)
    page.goto(f"{address}?group={group(1).pk}")
    expect(page.locator("#group-title")).to_be_visible()
    looks_right_on_small_screens()


@pytest.mark.once
@pytest.mark.parametrize("made", [2, 8, 20, 60])
def test_the_wall_has_room_for_its_groups(site, wall, room, made):
    for _ in range(max(0, 2 * made - 6)):
        make.participant(room)
    groups.make(room.pk, None, "random", groups=made)
    groups.open_round(room.pk, None)
    page = wall()
    page.goto(f"/wall/{room.wall_key}/")
    looks_right(page)
    for part in ("#stage", "#breakouts", "#clock"):
        box = page.locator(part).bounding_box()
        assert box
        assert box["y"] >= 0, part
        assert box["y"] + box["height"] <= page.locator(".wall-foot").bounding_box()["y"] + 1, part
    inside = page.evaluate(
        "() => { const main = document.querySelector('main'); return main.scrollHeight - main.clientHeight; }"
    )
    assert inside <= 1


def test_what_is_ticked_stays_ticked_while_others_arrive(site, room, console):
    groups.make(room.pk, None, "random", groups=2)
    now = console.locator("#breakouts")
    now.get_by_role("checkbox").first.check()
    late = make.participant(room)
    membership.place_latecomer(room.pk, late.voter)
    expect(now).to_contain_text("7 people")
    expect(now.get_by_role("checkbox").first).to_be_checked()


def answers_late(console: Page, gesture: str, seconds: float = 1) -> None:
    """The pictures of this gesture come before its answer."""

    def late(route: Route) -> None:
        answer = route.fetch()
        console.wait_for_timeout(1000 * seconds)
        route.fulfill(response=answer)

    console.route(f"**/{gesture}/", late)


def test_who_was_moved_is_not_moved_again_when_the_picture_comes_before_the_answer(room, console):
    groups.make(room.pk, None, "random", groups=3)
    first, second = (place.pk for place in group(1).places.order_by("pk"))
    now = console.locator("#breakouts")
    answers_late(console, "move_person")

    def move(place: int, to: int) -> None:
        console.locator(f"#seat-{place}").check()
        console.locator(f"#here-{group(to).pk}").click()
        expect(now.get_by_role("group", name=f"Group {to}").locator(f"#seat-{place}")).to_have_count(1)

    move(first, 2)
    expect(now.get_by_role("checkbox", checked=True)).to_have_count(0)
    console.wait_for_timeout(1500)  # the answer has come as well
    move(second, 3)
    assert first in group(2).places.values_list("pk", flat=True)
    assert second in group(3).places.values_list("pk", flat=True)
    assert [group(n).places.count() for n in (1, 2, 3)] == [0, 3, 3]
    console.unroute_all(behavior="wait")


def test_whose_move_is_refused_stays_ticked_when_a_picture_comes_before_the_answer(
    room, console, console_errors_expected
):
    console_errors_expected.append("503")
    groups.make(room.pk, None, "random", groups=2)
    box = console.locator(f"#seat-{group(1).places.first().pk}")

    def refuse(route: Route) -> None:
        late = make.participant(room)
        membership.place_latecomer(room.pk, late.voter)
        console.wait_for_timeout(1000)
        route.fulfill(status=503, body="")

    console.route("**/move_person/", refuse)
    box.check()
    console.locator(f"#here-{group(2).pk}").click()
    expect(console.locator("#breakouts")).to_contain_text("7 people")
    expect(box).to_be_checked()
    groups.name_group(room.pk, None, group(2).pk, "The owls")
    expect(console.locator("#breakouts")).to_contain_text("The owls")
    console.unroute_all(behavior="wait")
    expect(box).to_be_checked()


def test_without_a_script_groups_are_made_led_and_read(site, desk, room, console_errors_expected):
    console_errors_expected.append("422")
    page = desk(java_script_enabled=False)
    sign_in(page, site, make.staff(room.programme))
    page.goto(f"/workshops/{room.code}/console/")
    page.get_by_label("Number").fill("two")
    page.locator("#main-button").click()
    expect(page.locator("#make-said")).to_contain_text("Give a number of groups")
    page.get_by_label("Number").fill("2")
    page.locator("#main-button").click()
    expect(page.locator("#breakouts")).to_contain_text("2 groups, 6 people")
    page.locator("#main-button").click()
    expect(page.locator("#breakouts")).to_contain_text("At work")
    page.locator("#breakouts").get_by_role("link", name="Group 1").click()
    expect(page.locator("#group-title")).to_contain_text("Group 1")
    page.get_by_label("Words for this group").fill("Look at the door")
    page.locator("#tell-group").get_by_role("button", name="Send as a question to talk about").click()
    assert list(Call.objects.values_list("kind", "group__number", "text")) == [
        ("probe", 1, "Look at the door")
    ]
