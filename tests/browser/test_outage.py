"""A server that is gone for a while, as pages show it: nothing is lost, and they come back by themselves and soon."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from polls.models import Ballot
from tests import factories as make
from tests import services

from .page_checks import assert_accessible, assert_fits
from .server import Server
from .sign_in import sign_in
from .steps import join

pytestmark = pytest.mark.outage

AWAY_SECONDS = 8.0  # so long that the waits between a screen's tries have grown


@pytest.fixture
def own_redis() -> Iterator[services.Redis]:
    made = services.Redis()
    try:
        with services.or_skip():
            made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def site(serve, request) -> Server:
    """A server of the test's own; `own_redis` is a Redis that the test may stop."""
    own = "own_redis" in request.fixturenames
    return serve(REDIS_URL=request.getfixturevalue("own_redis").url) if own else serve()


@pytest.mark.stack
@pytest.mark.fault("F10")
def test_the_console_says_that_servers_do_not_hear_each_other_and_stops_saying_so(
    own_redis, site: Server, desk
):
    workshop = make.workshop()
    make.launched(workshop)
    console = desk()
    sign_in(console, site, make.staff(workshop.programme))
    console.goto(f"/workshops/{workshop.code}/console/")
    note = console.get_by_text("The servers are not hearing each other")
    expect(note).to_have_count(0)
    own_redis.stop()
    expect(note).to_be_visible()
    expect(console.get_by_role("status").filter(has=note)).to_be_visible()
    for width in (1440, 390):
        console.set_viewport_size({"width": width, "height": 900})
        assert_fits(console)
        assert_accessible(console)
    own_redis.start()
    expect(note).to_have_count(0)


@pytest.mark.fault("F08")
def test_pages_come_back_to_a_killed_server_that_is_started_again_with_the_answer_kept(
    site: Server, serve, phone, desk, console_errors_expected
):
    console_errors_expected += ["ERR_CONNECTION", "WebSocket", "ERR_EMPTY_RESPONSE"]
    workshop = make.workshop()
    make.launched(workshop)
    mine, console = join(phone(), workshop), desk()
    sign_in(console, site, make.staff(workshop.programme))
    console.goto(f"/workshops/{workshop.code}/console/")
    connected(mine)
    connected(console)
    site.stop(signal.SIGKILL)
    mine.get_by_label("Yes").check()
    mine.locator("form.ballot button").last.click()
    expect(mine.locator("#receipt")).to_contain_text("Not saved yet")
    for page in (mine, console):
        expect(page.locator("[data-signal].is-weak")).to_be_visible()
    mine.wait_for_timeout(1000 * AWAY_SECONDS)
    asked: list[str] = []
    mine.on("response", lambda answer: asked.append(answer.url) if "/pictures/" in answer.url else None)
    serve(port=site.port)
    connected(mine)
    # A crowd that comes back must not ask for pictures that their sockets bring; one may have been on its way.
    assert len(asked) <= 1
    connected(console)
    expect(mine.locator("#receipt")).to_contain_text("Saved")
    ballot = Ballot.objects.get(status="cast")
    assert (ballot.value, ballot.revision) == ("yes", 1)


def test_a_network_that_lets_no_socket_through_finds_its_server_again_by_asking_for_pictures(
    site: Server, serve, phone, console_errors_expected
):
    console_errors_expected += ["ERR_CONNECTION", "WebSocket", "ERR_EMPTY_RESPONSE"]
    workshop = make.workshop()
    make.launched(workshop)
    mine = phone()
    mine.add_init_script(
        "window.WebSocket = class { constructor() { this.readyState = 0;"
        " setTimeout(() => { this.readyState = 3; this.onclose({ code: 1006 }); }, 50); } close() {} };"
    )
    join(mine, workshop, "Weak signal")
    signal_of = mine.locator("[data-signal]")
    site.stop(signal.SIGKILL)
    expect(signal_of).to_have_attribute("data-signal", "offline")
    serve(port=site.port)
    expect(signal_of).to_have_attribute("data-signal", "weak")


def connected(page: Page) -> None:
    """The page says that it is, and it is not only what it said at first."""
    expect(page.locator("[data-signal]:not(.is-weak)")).to_have_text("Connected")
