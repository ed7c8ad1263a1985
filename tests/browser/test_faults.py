"""Faults of the network and of phones, as the page shows them: real Chromium, a real server, bad weather between them.

The table of all faults and their tests is in the head of `tests/faults/test_network.py`. The network is not the
browser's own switch but `chaos`: a browser is told when it is offline, a half-open line tells nobody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from polls.models import Ballot, Poll
from polls.types.base import Option, Question
from tests import factories as make
from tests import network_faults
from tests.patience import PATIENCE, until
from tests.socket_screens import cookie_of
from workshops.actions import facilitation, participation
from workshops.models import Participant, Workshop

from .conftest import FLAGS, PHONE, chromium_path
from .server import Server
from .sign_in import sign_in
from .steps import on_stage

BABIES = Question(
    "single_choice", "How many babies are in the room?",
    options=(Option("few", "5 or fewer"), Option("n6_8", "6 to 8"), Option("n9_12", "9 to 12")),
)  # fmt: skip
STARTING, PING, PONG, JITTER = 2_000, 25_000, 10_000, 1_000  # milliseconds of the page's own clock

fault = pytest.mark.fault


@pytest.fixture
def room(transactional_db) -> Workshop:
    return make.workshop(None, BABIES, BABIES)


@pytest.fixture
def net(site: Server) -> Iterator[network_faults.Remote]:
    with network_faults.between("127.0.0.1", site.port, seed=7) as made:
        yield made


@pytest.fixture
def far_phone(browser: Browser, net: network_faults.Remote) -> Iterator[Callable[..., Page]]:
    """A phone behind the bad network. Its scripts must not fail; that requests do is what these tests are about."""
    contexts: list[BrowserContext] = []
    failures: list[str] = []

    def open_phone() -> Page:
        context = browser.new_context(base_url=net.url, locale="en-GB", **PHONE)
        context.set_default_timeout(1000 * PATIENCE)
        context.on("weberror", lambda error: failures.append(str(error.error)))
        contexts.append(context)
        return context.new_page()

    yield open_phone
    for context in contexts:
        context.close()
    assert failures == []


def sits(page: Page, room: Workshop, who: Participant | None = None) -> Page:
    """The phone of somebody who has joined, on the page of the hour and connected."""
    who = who or make.participant(room)
    name, value = cookie_of(who).split("=", 1)
    page.context.add_cookies([{"name": name, "value": value, "domain": "127.0.0.1", "path": "/"}])
    page.goto(f"/w/{room.code}/")
    expect(page.locator("[data-signal]")).to_have_attribute("data-signal", "connected")
    return page


def answers(page: Page, words: str = "6 to 8") -> None:
    page.get_by_label(words).check()
    page.get_by_role("button", name="Send my answer").click()


def says(page: Page, words: str) -> None:
    expect(page.locator("#receipt")).to_contain_text(words)


def ballots(poll: Poll) -> list[tuple]:
    return list(Ballot.objects.filter(poll=poll, status="cast").values_list("value", "revision"))


# --- F01, F02: the tap and its acknowledgement ---------------------------------------------------------------------


@fault("F01")
@pytest.mark.parametrize("still_open", [True, False])
def test_an_answer_given_without_a_network_is_saved_on_return_or_refused_with_a_reason(
    far_phone, net, room, still_open
):
    page, poll = far_phone(), make.launched(room)
    sits(page, room)
    net.cut()
    answers(page)
    says(page, "Not saved yet, trying again")
    expect(page.locator("#receipt [role=alert]")).to_be_visible()
    assert ballots(poll) == []
    if not still_open:
        facilitation.close(room.pk, None)
    net.mend()
    if still_open:
        says(page, "Saved: 6 to 8")
        assert ballots(poll) == [("n6_8", 1)]
    else:
        says(page, "Closed before your answer arrived")
        assert ballots(poll) == []


@pytest.mark.outage
@fault("F01")
def test_an_answer_that_vanishes_without_a_word_from_the_network_is_noticed_and_saved(far_phone, net, room):
    page, poll = far_phone(), make.launched(room)
    sits(page, room)
    net.half_open()
    answers(page)
    says(page, "Saved: 6 to 8")
    assert ballots(poll) == [("n6_8", 1)]


@pytest.mark.outage
@fault("F02")
def test_an_answer_whose_acknowledgement_is_lost_is_saved_once_and_without_a_tap(far_phone, net, room):
    page, poll = far_phone(), make.launched(room)
    sits(page, room)
    net.hold(network_faults.DOWN)
    answers(page)
    until(lambda: ballots(poll) == [("n6_8", 1)])
    says(page, "Not saved yet, trying again")
    net.cut()
    net.release(network_faults.DOWN)
    net.mend()
    says(page, "Saved: 6 to 8")
    assert ballots(poll) == [("n6_8", 1)]


# --- F03: half open, asleep ---------------------------------------------------------------------------------------------


def connections(net: network_faults.Remote) -> int:
    return net.do(lambda proxy: proxy.met)


@fault("F03")
def test_a_page_whose_line_died_notices_within_a_minute_and_catches_up(far_phone, net, room):
    page = far_phone()
    page.clock.install()
    make.launched(room)
    sits(page, room)
    net.half_open()
    facilitation.close(room.pk, None)
    page.clock.run_for(PING + PONG + JITTER + STARTING)  # 38 s of the page's own time
    on_stage(page, "closed")


@fault("F03")
def test_a_phone_that_wakes_up_on_a_dead_line_catches_up_within_seconds(far_phone, net, room):
    page = far_phone()
    page.clock.install()
    make.launched(room)
    sits(page, room)
    net.half_open()
    facilitation.close(room.pk, None)
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.run_for(PONG + JITTER)
    on_stage(page, "closed")


@fault("F03")
def test_a_handshake_that_is_never_answered_is_given_up_and_tried_again(far_phone, net, room):
    page = far_phone()
    page.clock.install()
    make.launched(room)
    sits(page, room)
    before = connections(net)
    net.hold(network_faults.DOWN)
    net.reset_some(1.0)
    page.clock.run_for(JITTER)
    until(lambda: connections(net) > before)
    net.half_open()  # the new one too
    net.release(network_faults.DOWN)
    facilitation.close(room.pk, None)
    page.clock.run_for(PONG + 2 * JITTER)
    on_stage(page, "closed")


@fault("F03")
def test_a_phone_on_a_slow_line_is_not_taken_for_a_dead_one(far_phone, net, room):
    page = far_phone()
    make.launched(room)
    sits(page, room)
    before = connections(net)
    net.weather(latency=0.7, jitter=0.3)
    for _ in range(4):  # pings that overlap
        page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
        page.wait_for_timeout(300)
    facilitation.close(room.pk, None)
    on_stage(page, "closed")
    assert connections(net) == before


# --- F04: double tap, key held ----------------------------------------------------------------------------------------------

WATCH = """() => {
  window.alarms = [];
  new MutationObserver(() => document.querySelectorAll('[role=alert], [data-error], .is-wrong').forEach((one) => {
    if (one.offsetParent && one.textContent.trim()) window.alarms.push(one.textContent.trim());
  })).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


def _double_tap(page: Page) -> None:
    page.get_by_role("button", name="Send my answer").dblclick()


def _hold_the_key(page: Page) -> None:
    page.get_by_label("6 to 8").focus()
    for _ in range(6):
        page.keyboard.down("Enter")  # without an end: the keyboard repeats it
    page.keyboard.up("Enter")


@fault("F04")
@pytest.mark.parametrize("gesture", [_double_tap, _hold_the_key])
def test_a_double_tap_and_a_held_key_are_one_ballot_and_no_alarm(far_phone, net, room, gesture):
    page, poll = far_phone(), make.launched(room)
    sits(page, room)
    sent, heard = [], []
    page.on("websocket", lambda wire: wire.on("framesent", lambda frame: sent.append(frame)))
    page.on("websocket", lambda wire: wire.on("framereceived", lambda frame: heard.append(frame)))
    page.reload()
    expect(page.locator("[data-signal]")).to_have_attribute("data-signal", "connected")
    page.evaluate(WATCH)
    page.get_by_label("6 to 8").check()
    net.hold(network_faults.DOWN)  # no answer comes in between, however slowly this machine taps
    gesture(page)
    net.release(network_faults.DOWN)
    says(page, "Saved: 6 to 8")
    votes = [json.loads(frame)["op"] for frame in sent if '"t":"vote"' in frame]
    assert len(votes) >= 2, "more than one was sent, or nothing was tried"

    def all_are_answered() -> bool:
        page.wait_for_timeout(20)  # Playwright hears meanwhile
        return set(votes) <= {json.loads(frame).get("op") for frame in heard}

    until(all_are_answered)
    assert page.evaluate("() => window.alarms") == []
    says(page, "Saved: 6 to 8")
    assert [value for value, _revision in ballots(poll)] == ["n6_8"]


# --- F06: two tabs --------------------------------------------------------------------------------------------------------


@fault("F06")
def test_the_other_tab_shows_the_latest_answer(far_phone, net, room):
    page, poll = far_phone(), make.launched(room)
    sits(page, room)
    other = page.context.new_page()
    other.goto(f"/w/{room.code}/")
    expect(other.locator("[data-signal]")).to_have_attribute("data-signal", "connected")
    net.weather(latency=0.1, jitter=0.1)
    answers(page)
    expect(page.locator("#receipt")).to_contain_text("Saved: 6 to 8")
    expect(other.locator("#receipt")).to_contain_text("Saved: 6 to 8")
    assert ballots(poll) == [("n6_8", 1)]


# --- F17: a clock that is a day off -------------------------------------------------------------------------------------------


@pytest.mark.slow
@fault("F17")
@pytest.mark.parametrize("days", [-1, 1])
def test_on_a_phone_whose_clock_is_a_day_off_countdown_and_close_are_right(far_phone, room, days):
    page, poll = far_phone(), make.launched(room)
    page.clock.install(time=datetime.now(UTC) + timedelta(days=days))
    sits(page, room)
    facilitation.close_in(room.pk, None, 120)
    ends = Poll.objects.get(pk=poll.pk).closes_at
    output = page.locator("#clock output")
    expect(output).to_be_visible()
    shown = page.evaluate("() => [Date.now(), document.querySelector('#clock output').textContent]")
    minutes, seconds = map(int, re.fullmatch(r"(\d+):(\d\d)", shown[1]).groups())
    left = (ends - datetime.now(UTC)).total_seconds()
    assert abs(60 * minutes + seconds - left) < 60, "a day off, and not how long this machine takes"
    assert abs(shown[0] / 1000 - datetime.now(UTC).timestamp()) > 20 * 3600, "the page's clock is off indeed"
    answers(page)
    says(page, "Saved: 6 to 8")
    facilitation.close_in(room.pk, None, 5)
    ends = Poll.objects.get(pk=poll.pk).closes_at
    expect(page.locator("#stage")).to_have_attribute("data-state", "closed")
    assert datetime.now(UTC) >= ends
    assert Poll.objects.get(pk=poll.pk).result["counts"]["cast"] == 1


# --- F19, F20: facilitators -----------------------------------------------------------------------------------------------


@fault("F19")
def test_another_desk_goes_on_where_the_first_was_shut(site, desk, far_phone, room):
    user = make.staff(room.programme)
    first = desk()
    sign_in(first, site, user)
    first.goto(f"/workshops/{room.code}/console/")
    first.locator("#main-button").click()
    on_stage(first, "ballot")
    page = sits(far_phone(), room)
    first.context.close()
    answers(page)
    says(page, "Saved: 6 to 8")
    second = desk()
    sign_in(second, site, user)
    second.goto(f"/workshops/{room.code}/console/")
    on_stage(second, "ballot")
    expect(second.locator("#tally .figure")).to_contain_text("1 of 1")
    second.locator("#main-button").click()
    on_stage(second, "closed")
    on_stage(page, "closed")


@fault("F20")
def test_who_presses_on_a_stage_that_has_moved_is_told_and_moves_nothing(site, desk, room):
    console = desk()
    sign_in(console, site, make.staff(room.programme))
    console.route_web_socket(re.compile("/live/"), lambda wire: None)  # this desk hears of nothing
    console.goto(f"/workshops/{room.code}/console/")
    on_stage(console, "joining")
    poll = make.launched(room, 1)
    console.locator("#main-button").click()
    expect(console.locator("#notice[role=alert]")).to_contain_text(
        "The stage changed just before you pressed"
    )
    room.refresh_from_db()
    assert room.stage_item.poll_id == poll.pk
    assert Poll.objects.get(pk=poll.pk).is_open


# --- F32: phones that keep little ----------------------------------------------------------------------------------------------

NO_STORAGE = """for (const name of ['sessionStorage', 'localStorage']) Object.defineProperty(window, name, {
  get() { throw new DOMException('The operation is insecure.', 'SecurityError'); } });"""


@fault("F32")
def test_a_phone_that_may_store_nothing_votes_and_keeps_its_answer_in_memory(far_phone, net, room):
    page, poll = far_phone(), make.launched(room)
    page.add_init_script(NO_STORAGE)
    sits(page, room)
    net.cut()
    answers(page)
    says(page, "Not saved yet")
    net.mend()
    says(page, "Saved: 6 to 8")
    page.reload()
    says(page, "Saved: 6 to 8")
    assert ballots(poll) == [("n6_8", 1)]


@fault("F32")
@pytest.mark.parametrize("stores", [True, False])
def test_a_phone_whose_seat_is_gone_is_shown_the_way_in_whether_it_stores_or_not(
    far_phone, net, room, stores
):
    page, who = far_phone(), make.participant(room)
    page.clock.install()
    if not stores:
        page.add_init_script(NO_STORAGE)
    sits(page, room, who)
    page.clock.run_for(11_000)  # a page that has only just come does not come again at once
    participation.leave(who)
    net.reset_some(1.0)
    expect(page.get_by_role("link", name="Join this workshop")).to_be_visible()


@fault("F32")
def test_in_a_private_window_a_reload_and_the_way_back_find_the_answer(far_phone, room):
    """Every context of these tests is a private window: nothing of it outlives it."""
    page, poll = far_phone(), make.launched(room)
    sits(page, room)
    answers(page)
    says(page, "Saved: 6 to 8")
    page.reload()
    says(page, "Saved: 6 to 8")
    page.get_by_role("link", name="Help").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.go_back()
    says(page, "Saved: 6 to 8")
    assert ballots(poll) == [("n6_8", 1)]


@pytest.fixture
def no_cookies(browser: Browser, site: Server, tmp_path: Path) -> Iterator[Page]:
    """Chromium with cookies switched off in its settings; that also takes its storage away."""
    path = chromium_path(whole=True) or pytest.skip(
        "Cookies are switched off in a whole Chromium's settings."
    )
    profile = tmp_path / "profile"
    (profile / "Default").mkdir(parents=True)
    blocked = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (profile / "Default" / "Preferences").write_text(json.dumps(blocked))
    context = browser.browser_type.launch_persistent_context(
        profile, executable_path=path, args=FLAGS, base_url=site.url, locale="en-GB"
    )
    yield context.new_page()
    context.close()


@fault("F32")
@pytest.mark.parametrize("button", ["Continue", "Watch only"])
def test_with_cookies_switched_off_the_page_says_so_plainly(no_cookies, room, button):
    page = no_cookies
    page.goto(f"/w/{room.code}/")
    page.get_by_role("link", name="Join this workshop").click()
    for words in ("I have read", "My answers"):
        page.get_by_label(words).first.check()
    page.get_by_role("button", name=button).click()
    expect(page.locator("main")).to_contain_text(
        "This site needs one small cookie to know your place. Allow cookies"
    )
    assert page.context.cookies() == []
    assert Participant.objects.count() == 0
