"""A server that is gone for a while, as pages show it: nothing is lost, and they come back by themselves and soon."""

from __future__ import annotations

import signal
import time

import pytest
from playwright.sync_api import Page, expect

from polls.models import Ballot
from tests import factories as make

from .entrance import sign_in
from .server import Server
from .test_workshop import join

AWAY_SECONDS = 8.0  # so long that the waits between a screen's tries have grown
BACK_SECONDS = 10.0  # from the start of the server
MILLISECONDS = 1000


@pytest.mark.fault("F08")
def test_pages_come_back_within_ten_seconds_of_a_killed_server_s_start_with_the_answer_kept(
    site: Server, serve, phone, desk, console_errors_expected
):
    console_errors_expected += ["ERR_CONNECTION", "WebSocket", "ERR_EMPTY_RESPONSE"]
    workshop = make.workshop()
    make.launched(workshop)
    mine, console = join(phone(), workshop), desk()
    sign_in(console, site, make.staff(workshop.programme))
    console.goto(f"/workshops/{workshop.code}/console/")
    connected(mine, 5 * BACK_SECONDS)
    connected(console, 5 * BACK_SECONDS)
    site.stop(signal.SIGKILL)
    mine.get_by_label("Yes").check()
    mine.locator("form.ballot button").last.click()
    expect(mine.locator("#receipt")).to_contain_text("Not saved yet", timeout=10 * MILLISECONDS)
    for page in (mine, console):
        expect(page.locator("[data-signal].is-weak")).to_be_visible()
    mine.wait_for_timeout(AWAY_SECONDS * MILLISECONDS)
    serve(port=site.port)
    started = time.monotonic()
    connected(mine, BACK_SECONDS)
    connected(console, max(0.1, started + BACK_SECONDS - time.monotonic()))
    print(f"both back after {time.monotonic() - started:.1f} s")
    expect(mine.locator("#receipt")).to_contain_text("Saved", timeout=2 * BACK_SECONDS * MILLISECONDS)
    ballot = Ballot.objects.get(status="cast")
    assert (ballot.value, ballot.revision) == ("yes", 1)


def connected(page: Page, seconds: float) -> None:
    """The page says that it is, and it is not only what it said at first."""
    expect(page.locator("[data-signal]:not(.is-weak)")).to_have_text(
        "Connected", timeout=seconds * MILLISECONDS
    )
