"""Phrases with a number that the phone's script fills in, in every plural form of the language.

Welsh has six plural categories; a script that knows "one" and "many" would be wrong in it. So a template
carries every form, keyed by the names that the browser's `Intl.PluralRules` gives.
"""

from __future__ import annotations

import json
from collections.abc import Callable

#: a number of each category, in the languages that have it (CLDR; Welsh has all six)
SAMPLES = {"zero": 0, "one": 1, "two": 2, "few": 3, "many": 6, "other": 100}


def forms(phrase: Callable[[int], str]) -> str:
    """JSON `{category: phrase}`; `#` stands for the number. Forms like "other" are left out."""
    phrases = {category: phrase(number) for category, number in SAMPLES.items()}
    return json.dumps(
        {
            category: words
            for category, words in phrases.items()
            if category == "other" or words != phrases["other"]
        },
        ensure_ascii=False,
    )
