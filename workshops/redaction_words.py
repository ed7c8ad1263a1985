"""Lists of words for redaction, and words of a text with what can be seen of each: case, place in its sentence."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_suffix(".toml")
#: letters, and marks that stand upon letters when an accent comes as a character of its own
LETTER = r"(?:[^\W\d_][\u0300-\u036f]*)"
_WORD = re.compile(rf"{LETTER}+(?:['’‑-]{LETTER}+)*")
_SENTENCE_ENDS = re.compile(r"[.!?:;\n•…]|(?:^|\s)[-–—*]\s*$|[\"“‘(]$")
#: letters that a keyboard without them replaces, and that Unicode does not take apart
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe", "’": "'", "‑": "-"}
)
SHOUTED = 0.7  # share of capitals from which case says nothing
TITLED = 0.6  # share of words with a capital from which a capital says nothing


@cache
def _lists() -> dict[str, dict[str, str]]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@cache
def words(table: str, key: str = "words") -> frozenset[str]:
    """A list of the file, folded; every list of the table with key `*`."""
    lists = _lists()[table]
    return frozenset(fold(word) for name in (lists if key == "*" else [key]) for word in lists[name].split())


@cache
def phrases() -> re.Pattern[str]:
    """Finds what only looks like a name: brands, theorists, nursery rhymes."""
    listed = [phrase.strip() for phrase in _lists()["not_names"]["phrases"].split("|")]
    longest_first = sorted((re.escape(phrase) for phrase in listed if phrase), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", re.IGNORECASE)


def fold(word: str) -> str:
    """Without case and accents: "Siân" and "SIAN" are one word."""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFD", word.casefold().translate(_PLAIN))
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).translate(_PLAIN)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text. `stem` is folded and without the possessive, `end` lies before it."""

    start: int
    end: int
    stem: str
    #: begins with a capital, and capitals say something here
    capital: bool
    possessive: bool
    #: first of its sentence
    first: bool
    #: the characters between the word before and this one
    gap: str


def split(text: str) -> list[Word]:
    """The words of a text in their order."""
    matches = list(_WORD.finditer(text))
    shouted = _is_shouted(text)
    found: list[Word] = []
    last_end = 0
    for match in matches:
        raw = match[0]
        own = re.search(r"['’]s$", raw, re.IGNORECASE)
        end = match.end() - (2 if own else 0)
        gap = text[last_end : match.start()]
        found.append(
            Word(
                start=match.start(),
                end=end,
                stem=fold(text[match.start() : end]),
                capital=raw[0].isupper() and not shouted,
                possessive=bool(own),
                first=not found or bool(_SENTENCE_ENDS.search(gap)),
                gap=gap,
            )
        )
        last_end = match.end()
    return found


def _is_shouted(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    return len(text.split()) > 1 and sum(map(str.isupper, letters)) > SHOUTED * len(letters)


def is_titled(found: list[Word]) -> bool:
    """Written Like a Heading: a capital in mid-sentence says nothing."""
    return len(found) > 3 and sum(word.capital for word in found) > TITLED * len(found)
