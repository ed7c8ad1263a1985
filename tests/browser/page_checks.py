"""What every page must be, whatever it shows: accessible, and no wider than its screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE_OPTIONS: dict[str, Any] = {
    "runOnly": {"type": "tag", "values": WCAG},
    # off by default in axe-core though WCAG 2.2 AA has it
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}


def assert_accessible(page: Page) -> None:
    """No violation of WCAG 2.2 AA that axe-core can see, in the page's present state.

    The script is evaluated through the debugger, so the page's content security policy stays as it is.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    page.evaluate(_CALM)  # a colour half way between two is nobody's choice
    found = page.evaluate("options => axe.run(document, options)", AXE_OPTIONS)["violations"]
    assert not found, f"{page.url}\n" + "\n".join(_readable(violation) for violation in found)


_CALM = """() => Promise.all(document.getAnimations()
  .filter(one => one.effect.getComputedTiming().iterations !== Infinity)
  .map(one => one.finished.catch(() => null)))"""


def _readable(violation: dict[str, Any]) -> str:
    nodes = "\n".join(
        f"    {' '.join(map(str, node['target']))}\n      {node['html'][:160]}\n      "
        + node["failureSummary"].replace("\n", "\n      ")
        for node in violation["nodes"]
    )
    return f"{violation['id']} ({violation['impact']}): {violation['help']}\n{nodes}"


def every_look(page: Page, *widths: int, height: int = 900) -> Iterator[str]:
    """The page as it stands, light and dark, at each of these widths; a name for each."""
    for scheme in ("light", "dark"):
        for width in widths:
            change_look(page, width, scheme, height)
            yield f"{width}-{scheme}"


def change_look(page: Page, width: int, scheme: str, height: int = 900) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": height})


def sideways(page: Page) -> int:
    """How many pixels the page is wider than its screen: 0 where nobody has to scroll sideways."""
    return page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")


def assert_fits(page: Page) -> None:
    """Nobody has to scroll sideways; names what sticks out."""
    if sideways(page) > 0:
        raise AssertionError(f"{page.url} is {sideways(page)} px too wide: {page.evaluate(_WIDE)}")


_WIDE = """() => [...document.querySelectorAll('body *')]
  .filter(element => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .slice(0, 5).map(element => element.outerHTML.slice(0, 120)).join('\\n')"""
