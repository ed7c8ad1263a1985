"""Somebody's hands: what they press, click and paste is counted, letters that are typed are not.

With TYPING=person in the environment they type and press as a person does, so that a run can be timed.
"""

from __future__ import annotations

import os
from typing import Any

from playwright.sync_api import Page

#: milliseconds a letter, for somebody who types 40 words a minute, and before a press, to find what to press
LETTER, LOOK = (280, 900) if os.environ.get("TYPING") == "person" else (0, 0)


class Hands:
    def __init__(self, page: Page) -> None:
        self.page, self.presses = page, 0

    def type(self, words: str) -> None:
        self.page.keyboard.type(words, delay=LETTER)

    def press(self, keys: str) -> None:
        self._look()
        self.page.keyboard.press(keys)

    def click(self, what: Any) -> None:
        self._look()
        what.click()

    def paste(self, words: str) -> None:
        self._look()
        self.page.evaluate(
            """words => {
                const data = new DataTransfer();
                data.setData("text/plain", words);
                const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
                if (document.activeElement.dispatchEvent(event)) document.execCommand("insertText", false, words);
            }""",
            words,
        )

    def _look(self) -> None:
        self.presses += 1
        if LOOK:
            self.page.wait_for_timeout(LOOK)
