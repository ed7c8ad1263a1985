"""The word lists of redaction, and a tokeniser that notes each word's case and position in its sentence."""

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
#: letters that Unicode normalisation does not decompose, with their usual replacement on a keyboard without them
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe", "’": "'", "‑": "-"}
)
SHOUTED = 0.7  # share of capital letters from which a text counts as upper case
TITLED = 0.6  # share of capitalised words from which a text counts as title case


@cache
def _lists() -> dict[str, dict[str, str]]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@cache
def words(table: str, key: str = "words") -> frozenset[str]:
    """A word list of the file, folded; all lists of the table with key `*`. Cached."""
    lists = _lists()[table]
    return frozenset(fold(word) for name in (lists if key == "*" else [key]) for word in lists[name].split())


@cache
def phrases() -> re.Pattern[str]:
    """Matches phrases that look like names and are none: brands, theorists, nursery rhymes. Cached."""
    listed = [phrase.strip() for phrase in _lists()["not_names"]["phrases"].split("|")]
    longest_first = sorted((re.escape(phrase) for phrase in listed if phrase), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", re.IGNORECASE)


def fold(word: str) -> str:
    """Fold case and strip accents: "Siân" and "SIAN" are equal."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFD", word.casefold().translate(_PLAIN))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).translate(_PLAIN)


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a text. `stem` is folded and without the possessive 's, which `end` excludes too."""

    start: int
    end: int
    stem: str
    #: begins with a capital, in a text that is not all upper case
    capital: bool
    possessive: bool
    #: first of its sentence
    first: bool
    #: the characters between the word before and this one
    gap: str


def split(text: str) -> list[Token]:
    """Tokenise a text."""
    matches = list(_WORD.finditer(text))
    shouted = _is_shouted(text)
    tokens: list[Token] = []
    last_end = 0
    for match in matches:
        raw = match[0]
        own = re.search(r"['’]s$", raw, re.IGNORECASE)
        end = match.end() - (2 if own else 0)
        gap = text[last_end : match.start()]
        tokens.append(
            Token(
                start=match.start(),
                end=end,
                stem=fold(text[match.start() : end]),
                capital=raw[0].isupper() and not shouted,
                possessive=bool(own),
                first=not tokens or bool(_SENTENCE_ENDS.search(gap)),
                gap=gap,
            )
        )
        last_end = match.end()
    return tokens


def _is_shouted(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    return len(text.split()) > 1 and sum(map(str.isupper, letters)) > SHOUTED * len(letters)


def is_titled(tokens: list[Token]) -> bool:
    """Written Like a Heading (title case), so that a capital in mid-sentence is no evidence."""
    return len(tokens) > 3 and sum(word.capital for word in tokens) > TITLED * len(tokens)
