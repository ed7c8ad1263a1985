"""Screens for browser tests: real phones, desks and walls in Chromium, before a real server.

    def test_a_vote_reaches_the_wall(site, phone, wall): ...

`site` is the server; `phone()`, `desk()` and `wall()` each open a new screen with cookies of its own. A test fails
when a page logs an error, breaks the content security policy, asks a third party for anything, or when the
server logs an error; `console_errors_expected` lets a test allow the ones that it provokes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests import factories as make
from tests.workshops.groups.people import mate_of
from workshops.actions import facilitation, groups
from workshops.models import Workshop

from ..patience import PATIENCE
from .group_steps import seated
from .server import Server, Standing, start_server
from .sign_in import sign_in

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
DESK = {"viewport": {"width": 1440, "height": 900}}
WALL = {"viewport": {"width": 1920, "height": 1080}}

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]

BROWSERS = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")
ENGINE = "chromium-headless-shell"  # the same without a window and its settings: it starts in half the time

Open = Callable[..., Page]

expect.set_options(timeout=1000 * PATIENCE)


def chromium_path(*, whole: bool = False) -> str | None:
    """Where Chromium is: the variable CHROMIUM, or what is on the path; `whole`: one that has settings."""
    names = (os.environ.get("CHROMIUM"), *([] if whole else [ENGINE]), *BROWSERS)
    return next((found for name in names if name and (found := shutil.which(name))), None)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for the browser tests of this process.

    It ends with this folder's last test, because Playwright keeps an event loop running on the main thread
    meanwhile: pytest-asyncio could not start its own, and Django takes every test for asynchronous.
    """
    path = chromium_path()
    if path is None:
        sentence = "Chromium is not installed: install it, or set CHROMIUM to its path, to run browser tests."
        pytest.fail(sentence) if os.environ.get("REQUIRE_BROWSER") else pytest.skip(sentence)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def serve(transactional_db: None, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers: `serve()`, `serve(port=…)`, `serve(LIVE_BATCH_LIMIT="1")`. All end with the test."""
    servers: list[Server] = []

    def start(port: int = 0, **environment: str) -> Server:
        servers.append(start_server(tmp_path, port, **environment))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
    assert [server.errors for server in servers if server.errors] == []


@pytest.fixture(scope="package")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """The server that the tests of this process share."""
    standing = Standing(tmp_path_factory.mktemp("site"))
    yield standing
    standing.end()


@pytest.fixture
def site(transactional_db: None, standing: Standing) -> Iterator[Server]:
    """A server on this test's database."""
    server = standing.begin()
    yield server
    standing.finish()
    assert server.errors == ""


@pytest.fixture
def console_errors_expected() -> list[str]:
    """Parts of messages that this test provokes and therefore allows: append to it."""
    return []


@pytest.fixture
def complaints() -> list[str]:
    """What the pages of this test complained of until now."""
    return []


@pytest.fixture
def screens(
    browser: Browser, site: Server, complaints: list[str], console_errors_expected: list[str]
) -> Iterator[Open]:
    """Open a screen: `screens(viewport={"width": 320, "height": 640})`; takes what Playwright's contexts take."""
    contexts: list[BrowserContext] = []

    def open_screen(**settings: Any) -> Page:
        calm = {
            "reduced_motion": "reduce"
        }  # what moves all the while is drawn all the while, by one core for all
        context = browser.new_context(base_url=site.url, locale="en-GB", **(calm | settings))
        context.set_default_timeout(1000 * PATIENCE)
        contexts.append(context)
        _listen(context, site.url, complaints)
        return context.new_page()

    yield open_screen
    for context in contexts:
        context.close()
    assert [text for text in complaints if not any(part in text for part in console_errors_expected)] == []


def _listen(context: BrowserContext, own: str, complaints: list[str]) -> None:
    """Write down every error that a page of this context logs, and every request that leaves the site."""

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(f"{message.page.url if message.page else ''}: {message.text} {_where(message)}")

    def on_request(request: Request) -> None:
        if not request.url.startswith((own, own.replace("http", "ws", 1), "data:", "blob:", "about:")):
            complaints.append(f"asked a third party: {request.url}")

    context.on("console", on_console)
    context.on("weberror", lambda error: complaints.append(f"{error.error}"))
    context.on("request", on_request)


def _where(message: ConsoleMessage) -> str:
    return f"({message.location['url']}:{message.location['lineNumber']})" if message.location else ""


@pytest.fixture
def phone(screens: Open) -> Open:
    """A participant's phone, 390 × 844 with touch; `phone(java_script_enabled=False)` changes what it can."""
    return lambda **settings: screens(**(PHONE | settings))


@pytest.fixture
def desk(screens: Open) -> Open:
    """A facilitator's or researcher's laptop, 1440 × 900."""
    return lambda **settings: screens(**(DESK | settings))


@pytest.fixture
def console(site: Server, desk: Open, room: Workshop) -> Page:
    """The console of the test's `room`, connected, on a laptop of somebody of its programme."""
    page = desk()
    sign_in(page, site, make.staff(room.programme))
    page.goto(f"/workshops/{room.code}/console/")
    expect(page.locator("[data-signal]")).to_have_text("Connected")
    return page


@pytest.fixture
def wall(screens: Open) -> Open:
    """The screen that the whole room sees, 1920 × 1080."""
    return lambda **settings: screens(**(WALL | settings))


@pytest.fixture
def two_groups(transactional_db):
    """Four people in two groups, at work on a prompt with two probes; the clock runs for ten minutes."""
    workshop = make.workshop()
    item = make.prompt_item(workshop, "Walk us in: what do you see, hear and feel?")
    item.prompt.probes = ["What would a baby notice first?", "And a parent at drop-off?"]
    item.prompt.save()
    people = [make.participant(workshop) for _ in range(4)]
    facilitation.launch(workshop.pk, None, item.pk)
    groups.make(workshop.pk, None, "random", groups=2)
    groups.open_round(workshop.pk, None)
    return workshop, people


@pytest.fixture
def pair(two_groups, site, phone):
    """Two phones of one group, connected."""
    _workshop, people = two_groups
    one, mate = people[0], mate_of(people[0])
    return (one, seated(phone(), site, one)), (mate, seated(phone(), site, mate))
