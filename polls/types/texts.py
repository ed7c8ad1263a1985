"""Words of people and of staff: made safe to store and show, and compared as people would compare them.

Bidirectional controls and other invisible characters can make a word read as another one, or turn
round the text that follows it on the wall, so they never get in.
"""

from __future__ import annotations

import unicodedata
from hashlib import sha256
from typing import Any

#: invisible, yet part of words: Persian and Indic joiners, and the glue of emoji
JOINERS = "\u200c\u200d"


def readable(text: str) -> str:
    """Without characters that cannot be seen, stored or trusted: controls, overrides of direction, lone surrogates.

    Spaces and line breaks stay as they are. `readable(readable(x)) == readable(x)`.
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter in "\t\r\n" or unicodedata.category(letter)[0] == "Z" else _safe(letter)
        for letter in text
    )


def tidy(text: Any, lines: bool = False) -> str:
    """The words alone, in NFC: no controls, spaces folded; `lines` keeps line breaks (one blank at most).

    Anything but a string, or nothing that can be seen, is the empty string. `tidy(tidy(x)) == tidy(x)`.
    """
    if not isinstance(text, str):
        return ""
    text = unicodedata.normalize("NFC", "".join(map(_safe, text.replace("\r\n", "\n"))))
    text = _fold_lines(text) if lines else " ".join(text.split())
    return text if any(unicodedata.category(letter)[0] in "LNPS" for letter in text) else ""


def _safe(letter: str) -> str:
    category = unicodedata.category(letter)
    if letter.isspace():
        return "\n" if letter in "\n\r\v\f\x85\u2028\u2029" else " "
    if letter in JOINERS or category not in ("Cc", "Cf", "Cs", "Cn", "Co"):
        return letter
    return ""


def _fold_lines(text: str) -> str:
    folded: list[str] = []
    for line in (" ".join(line.split()) for line in text.split("\n")):
        if line or (folded and folded[-1]):
            folded.append(line)
    return "\n".join(folded).strip()


def matching_key(words: str) -> str:
    """Equal for words that people would call the same: "Calm!" and "calm". Nothing inside is dropped.

    NFKC, casefold, edge punctuation and inner spaces folded. "not noisy" stays itself.
    """
    folded = " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", words).casefold()).split())
    start, end = 0, len(folded)
    while start < end and _is_edge(folded[start]):
        start += 1
    while end > start and _is_edge(folded[end - 1]):
        end -= 1
    return folded[start:end] or folded


KEY_LENGTH = 64


def text_key(words: str) -> str:
    """The words themselves, or their digest where they are longer: equal for equal words, and never long."""
    return words if len(words) <= KEY_LENGTH else sha256(words.encode()).hexdigest()


def _is_edge(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter).startswith("P")
