"""Pictures of a running demo: every main screen, and the README's overview made of three of them.

    make demo                 # in one terminal
    make screenshots          # in another: writes docs/overview.png and var/pictures/*.png

Everything is pictured as it is, by joining as a phone and signing in as the demo's people.
"""

from __future__ import annotations

import argparse
import base64
import os
import sys
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
django.setup()

from django.conf import settings  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from tests.browser.conftest import DESK, FLAGS, PHONE, WALL, chromium_path  # noqa: E402
from workshops.actions import facilitation, groups  # noqa: E402
from workshops.models import AgendaItem, Programme, Workshop  # noqa: E402

WIDTHS = (320, 390, 1440)
SCHEMES = ("light", "dark")
OVERVIEW = settings.BASE_DIR / "docs" / "overview.png"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--base-url", default="http://127.0.0.1:8000")
    options.add_argument("--all", action="store_true", help="every page at every width, light and dark")
    given = options.parse_args()
    path = chromium_path()
    if path is None:
        sys.exit("Chromium is not installed: install it, or set CHROMIUM to its path.")
    place = settings.VAR_DIR / "pictures"
    place.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        studio = Studio(browser, given.base_url, place)
        studio.overview()
        if given.all:
            studio.every_page()
            studio.groups()
        browser.close()


class Studio:
    """Screens of the demo at `base_url`, and where their pictures go."""

    def __init__(self, browser: Browser, base_url: str, place: Path) -> None:
        self.browser, self.base_url, self.place = browser, base_url, place
        self.programme = Programme.objects.get(key="ideal-baby-room")
        running = self.programme.workshops.filter(status=Workshop.Status.RUNNING)
        self.workshop = running.order_by("-number").first()
        if self.workshop is None:
            sys.exit("No workshop is running here: start `make demo` first.")
        self.password = (settings.VAR_DIR / "demo_password").read_text()

    def screen(self, **options) -> Page:
        return self.browser.new_context(base_url=self.base_url, locale="en-GB", **options).new_page()

    def sign_in(self, page: Page, who: str) -> Page:
        page.goto("/accounts/login/")
        page.fill("input[type=email]", f"{who}@demo.example")
        page.fill("input[type=password]", self.password)
        page.locator("main button").first.click()
        page.wait_for_url("**/workshops/")
        return page

    def join(self, page: Page) -> Page:
        page.goto(f"/w/{self.workshop.code}/consent/")
        for key in ("read", "voluntary", "pooled"):
            page.check(f"input[value={key}]")
        page.locator("button.is-main").click()
        page.locator("button[name=skip]").click()
        page.wait_for_selector("#stage")
        return page

    # -- the README's picture --------------------------------------------------------------------------

    def overview(self) -> None:
        """Rehearse, ask how many babies, answer, close: wall, console and phone of that moment, side by side."""
        console = self.sign_in(self.screen(**DESK), "facilitator")
        console.goto(f"/workshops/{self.workshop.code}/console/")
        wall = self.screen(**WALL)
        wall.goto(f"/wall/{self.workshop.wall_key}/")
        phone = self.join(self.screen(**PHONE))
        self._rehearse(console)
        self._ask(console, "Ideal number of babies")
        phone.wait_for_selector("form.ballot [value=n6_8]")
        phone.check("form.ballot [value=n6_8]")
        phone.locator("form.ballot .is-main").click()
        phone.wait_for_selector("#receipt .is-saved")
        time.sleep(15)  # people take their time
        console_picture = console.screenshot()
        console.locator("#main-button").click()
        wall.wait_for_selector("#tally [data-key]")
        time.sleep(1.5)
        pictures = {"wall": wall.screenshot(), "console": console_picture, "phone": phone.screenshot()}
        for name, picture in pictures.items():
            (self.place / f"{name}.png").write_bytes(picture)
        self._compose(pictures)

    def _rehearse(self, console: Page) -> None:
        console.get_by_text("Rehearse", exact=True).first.click()
        console.locator("form[action$='/rehearse/'] button").click()
        time.sleep(12)

    def _ask(self, console: Page, title: str) -> None:
        item = self.workshop.agenda.get(title=title)
        console.locator(f"form:has(input[name=item][value='{item.pk}']) button").first.click()

    def _compose(self, pictures: dict[str, bytes]) -> None:
        """One picture of three: drawn by the same browser, so nothing else is needed."""
        sources = {name: base64.b64encode(picture).decode() for name, picture in pictures.items()}
        page = self.browser.new_page(viewport={"width": 1600, "height": 760})
        page.set_content(
            "<style>body{margin:0;background:#eceee3;height:760px;position:relative}"
            "img{position:absolute;border-radius:14px;box-shadow:0 10px 40px -12px #10271d66}</style>"
            f"<img style='left:40px;top:40px;width:1000px' src='data:image/png;base64,{sources['wall']}'>"
            f"<img style='left:560px;top:300px;width:680px' src='data:image/png;base64,{sources['console']}'>"
            f"<img style='left:1280px;top:60px;width:280px' src='data:image/png;base64,{sources['phone']}'>"
        )
        OVERVIEW.parent.mkdir(exist_ok=True)
        page.screenshot(path=OVERVIEW)
        print(f"Written: {OVERVIEW.relative_to(settings.BASE_DIR)} and {self.place}")

    # -- every page ------------------------------------------------------------------------------------

    def every_page(self) -> None:
        for name, who, path in self._pages():
            for scheme in SCHEMES:
                for width in WIDTHS:
                    page = self.screen(viewport={"width": width, "height": 844}, color_scheme=scheme)
                    if who:
                        self.sign_in(page, who)
                    page.goto(path)
                    page.wait_for_timeout(300)
                    page.screenshot(path=self.place / f"{name}-{width}-{scheme}.png", full_page=True)
                    page.context.close()
                print(f"  {name}, {scheme}")

    # -- a group at work ---------------------------------------------------------------------------------

    def groups(self) -> None:
        """Two people in one group with a few notes, on a phone at every width, light and dark."""
        item = self.workshop.agenda.filter(kind=AgendaItem.Kind.PROMPT).order_by("position").first()
        if item is None:
            return
        one, mate = self.join(self.screen(**PHONE)), self.join(self.screen(**PHONE))
        facilitation.launch(self.workshop.pk, None, item.pk)
        groups.make(self.workshop.pk, None, "random", groups=1)
        groups.open_round(self.workshop.pk, None)
        for page, note in (
            (one, "Soft light, no big strip lights."),
            (mate, "A chair where a parent can sit for ten minutes at drop-off."),
        ):
            page.get_by_label("Add a note for the group").fill(note, timeout=15_000)
            page.get_by_role("button", name="Add note").click()
        one.locator("#notes > li").nth(1).wait_for()
        for scheme in SCHEMES:
            one.emulate_media(color_scheme=scheme)
            for width in WIDTHS:
                one.set_viewport_size({"width": width, "height": 844})
                one.wait_for_timeout(300)
                one.screenshot(path=self.place / f"group-{width}-{scheme}.png", full_page=True)
            print(f"  group, {scheme}")
        groups.close_round(self.workshop.pk, None)

    def _pages(self) -> list[tuple[str, str, str]]:
        code, key = self.workshop.code, self.programme.key
        return [
            ("start", "", "/"),
            ("welcome", "", f"/w/{code}/"),
            ("consent", "", f"/w/{code}/consent/"),
            ("help", "", "/help/"),
            ("sign-in", "", "/accounts/login/"),
            ("home", "facilitator", "/workshops/"),
            ("console", "facilitator", f"/workshops/{code}/console/"),
            ("results", "researcher", f"/programmes/{key}/"),
            ("question", "researcher", f"/programmes/{key}/ideal_group_size/"),
            ("composer", "researcher", f"/programmes/{key}/summary/"),
            ("people", "owner", f"/programmes/{key}/people/"),
            ("summary", "", f"/vision/{key}/"),
            ("wall", "", f"/wall/{self.workshop.wall_key}/"),
        ]


if __name__ == "__main__":
    main()
