"""Pictures of a running demo: every main screen, and the README's two made of some of them.

    make demo                 # in one terminal
    make screenshots          # in another: writes docs/overview.png, docs/groups.png and var/pictures/*.png

Everything is pictured as it is, by joining as a phone and signing in as the demo's people.
"""

from __future__ import annotations

import argparse
import base64
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
django.setup()

from django.conf import settings  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from tests.browser.conftest import DESK, FLAGS, PHONE, WALL, chromium_path  # noqa: E402
from workshops.actions import facilitation, groups  # noqa: E402
from workshops.actions.groups import notes  # noqa: E402
from workshops.models import AgendaItem, Group, Place, Programme, Workshop  # noqa: E402

WIDTHS = (320, 390, 1440)
SCHEMES = ("light", "dark")
DOCS = settings.BASE_DIR / "docs"
NOTES = (
    "Soft light, no big strip lights.",
    "A chair where a parent can sit for ten minutes at drop-off.",
    "Room to crawl, and somewhere quiet away from the door.",
    "The same two faces every morning.",
    "Calm sounds; no radio.",
)


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
        studio.groups(WIDTHS if given.all else ())
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
        self._compose(
            "overview.png",
            {"wall": (40, 40, 1000), "console": (672, 400, 600), "phone": (1300, 40, 260)},
            pictures,
            height=815,
        )

    def _rehearse(self, console: Page) -> None:
        console.get_by_text("Rehearse", exact=True).first.click()
        console.locator("form[action$='/rehearse/'] button").click()
        time.sleep(12)

    def _ask(self, console: Page, title: str) -> None:
        item = self.workshop.agenda.get(title=title)
        console.locator(f"form:has(input[name=item][value='{item.pk}']) button").first.click()

    def _compose(
        self, name: str, where: dict[str, tuple[int, int, int]], pictures: dict[str, bytes], height: int = 760
    ) -> None:
        """One picture of several (left, top, width): drawn by the same browser, so nothing else is needed."""
        images = "".join(
            f"<img style='left:{left}px;top:{top}px;width:{width}px'"
            f" src='data:image/png;base64,{base64.b64encode(pictures[which]).decode()}'>"
            for which, (left, top, width) in where.items()
        )
        page = self.browser.new_page(viewport={"width": 1600, "height": height}, device_scale_factor=0.8)
        page.set_content(
            f"<style>body{{margin:0;background:#eceee3;height:{height}px;position:relative}}"
            "img{position:absolute;border-radius:14px;box-shadow:0 10px 40px -12px #10271d66}</style>"
            + images
        )
        DOCS.mkdir(exist_ok=True)
        page.screenshot(path=DOCS / name)
        print(f"Written: docs/{name} and {self.place}")

    # -- every page ------------------------------------------------------------------------------------

    def every_page(self) -> None:
        # Each signs in once: whoever signs in a hundred times a minute is asked to wait.
        people = {who for _name, who, _path in self._pages() if who}
        signed_in = {who: self.sign_in(self.screen(), who).context.storage_state() for who in people}
        for name, who, path in self._pages():
            for scheme in SCHEMES:
                for width in WIDTHS:
                    page = self.screen(
                        viewport={"width": width, "height": 844},
                        color_scheme=scheme,
                        storage_state=signed_in.get(who),
                    )
                    page.goto(path)
                    page.wait_for_timeout(300)
                    page.screenshot(path=self.place / f"{name}-{width}-{scheme}.png", full_page=True)
                    page.context.close()
                print(f"  {name}, {scheme}")

    # -- groups at work, and sharing back ------------------------------------------------------------------

    def groups(self, widths: Sequence[int]) -> None:
        """Four groups that write and share back: the wall twice, the console with one of them open, and a phone."""
        item = self.workshop.agenda.filter(kind=AgendaItem.Kind.PROMPT).order_by("position").first()
        if item is None:
            return
        one, mate = self.join(self.screen(**PHONE)), self.join(self.screen(**PHONE))
        first = self._at_work(item)
        wall = self.screen(**WALL)
        wall.goto(f"/wall/{self.workshop.wall_key}/")
        for page, note in ((one, NOTES[0]), (mate, NOTES[1])):
            page.get_by_label("Add a note for the group").fill(note, timeout=15_000)
            page.get_by_role("button", name="Add note").click()
        mate.get_by_role("button", name="I agree").first.click(timeout=15_000)
        self._others_write(first)
        one.locator("#notes > li").nth(2).wait_for()
        console = self.sign_in(self.screen(**DESK), "facilitator")
        console.goto(f"/workshops/{self.workshop.code}/console/?group={first.pk}")
        console.set_viewport_size({"width": 1100, "height": 1440})
        console.locator("#breakouts").evaluate("part => part.scrollIntoView()")
        one.set_viewport_size({"width": 390, "height": 1100})
        one.evaluate("window.scrollTo(0, 0)")
        # What is said of new notes waits its turn and then lies over the foot of the page for ten seconds.
        one.locator("#said", has_text="New notes").wait_for(timeout=30_000)
        one.locator("#said:empty").wait_for(state="attached", timeout=30_000)
        pictures = {"phone": one.screenshot(), "console": console.screenshot(), "talking": wall.screenshot()}
        for width in widths:
            for scheme in SCHEMES:
                one.emulate_media(color_scheme=scheme)
                one.set_viewport_size({"width": width, "height": 844})
                one.wait_for_timeout(300)
                one.screenshot(path=self.place / f"group-{width}-{scheme}.png", full_page=True)
        groups.recall(self.workshop.pk, None)
        first.refresh_from_db()
        groups.present(self.workshop.pk, None, first.pk)
        wall.locator("blockquote.shared").wait_for(timeout=15_000)
        wall.wait_for_timeout(1500)
        pictures["sharing"] = wall.screenshot()
        groups.close_round(self.workshop.pk, None)
        for name, picture in pictures.items():
            (self.place / f"groups-{name}.png").write_bytes(picture)
        places = {"talking": (40, 40, 620), "sharing": (40, 430, 620), "console": (695, 40, 565)}
        self._compose("groups.png", places | {"phone": (1300, 40, 260)}, pictures, height=820)

    def _at_work(self, item: AgendaItem) -> Group:
        """Everybody who is here in four groups, at work; the two who came last sit in the first."""
        facilitation.launch(self.workshop.pk, None, item.pk)
        groups.make(self.workshop.pk, None, "balanced", groups=4)
        first = Group.objects.filter(round__workshop=self.workshop, round__closed_at=None).earliest("number")
        late = self.workshop.participants.order_by("-pk").values_list("voter", flat=True)[:2]
        seats = Place.objects.filter(round=first.round, voter__in=list(late)).values_list("pk", flat=True)
        groups.move(self.workshop.pk, None, list(seats), first.pk)
        groups.open_round(self.workshop.pk, None)
        return first

    def _others_write(self, first: Group) -> None:
        """One more note in each group; the first brings one to the plenary."""
        for number, group in enumerate(first.round.groups.all()):
            who = group.places.order_by("pk").first()
            if who is None:
                continue
            note = notes.Add(
                self.workshop.pk, who.voter, f"picture-{group.pk}", group.pk, NOTES[2:][number % 3]
            )
            made = notes.write([note])[0]
            if group == first and isinstance(made, notes.Done):
                notes.write([notes.Pick(self.workshop.pk, who.voter, f"pick-{group.pk}", made.note, True)])

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
            ("question", "researcher", f"/programmes/{key}/results/ideal_group_size/"),
            ("composer", "researcher", f"/programmes/{key}/summary/"),
            ("people", "owner", f"/programmes/{key}/people/"),
            ("summary", "", f"/vision/{key}/"),
            ("wall", "", f"/wall/{self.workshop.wall_key}/"),
        ]


if __name__ == "__main__":
    main()
