"""Suggest spans of personal data to redact: e-mails, phone numbers, postcodes, names of settings and of people.

Suggestions only: a moderator decides. Plain text in, spans out, nothing is stored. Addresses and numbers are found by
regular expressions; names by word lists and context (`names.py`, `places.py`). Recall and precision are measured:
`manage.py measure_redaction`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext, gettext_noop

from .lexicon import words
from .names import names_in
from .places import settings_in

#: kind → the mark that replaces a redacted span
MARKS = {
    "email": gettext_noop("[email]"),
    "phone": gettext_noop("[phone number]"),
    "postcode": gettext_noop("[postcode]"),
    "setting": gettext_noop("[place]"),
    "name": gettext_noop("[name]"),
}


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `start` up to, not including, `end`; `kind` is a key of `MARKS`."""

    start: int
    end: int
    kind: str


def suggest(text: str) -> list[Span]:
    """Spans to redact, in the order of the text; they never overlap."""
    spans: list[Span] = []
    for kind, find in FINDERS.items():
        for start, end in find(text):
            # They are in order and never overlap, so only the two beside it could.
            at = bisect_left(spans, start, key=lambda span: span.start)
            if (at == 0 or spans[at - 1].end <= start) and (at == len(spans) or end <= spans[at].start):
                spans.insert(at, Span(start, end, kind))
    return spans


def redact(text: str, spans: Iterable[Span]) -> str:
    """The text with each span replaced by its mark, in the active language. Overlapping spans become one mark."""
    pieces, position = [], 0
    for span in _merge_overlapping(spans):
        pieces += [text[position : span.start], gettext(MARKS[span.kind])]
        position = span.end
    return "".join([*pieces, text[position:]])


def _merge_overlapping(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = Span(last.start, max(last.end, span.end), last.kind)
        elif span.start < span.end:
            merged.append(span)
    return merged


# --- e-mail -----------------------------------------------------------------------------------------

_AT = r"(?:\s*[(\[{]\s*at\s*[)\]}]\s*|\s+at\s+)"
_BRACKET_AT = r"\s*[(\[{]\s*at\s*[)\]}]\s*"
_DOT = r"(?:\s*[(\[{]\s*dot\s*[)\]}]\s*|\s+dot\s+)"
_JOINT = r"(?:\s+(?:dot|underscore|dash|hyphen|minus|plus)\s+|[.+_'’-])"
# every repetition is bounded, so that a hostile text costs time linear in its length (no ReDoS)
_LOCAL_PART = rf"(?<![\w.+-])\w{{1,40}}(?:{_JOINT}\w{{1,40}}){{0,5}}"
_LABEL = r"[\w-]{1,63}"
_EMAILS = [
    # anna@example.org, "anna @ example . org", and a half-typed anna@nursery
    re.compile(
        rf"(?<![\w.+-])\w[\w.+'’-]{{0,63}}[ \t]?@[ \t]?[^\W_]{_LABEL}(?:(?:\.|[ \t]\.[ \t]){_LABEL}){{0,6}}"
    ),
    # anna at nursery dot org: the dots of the host are spoken
    re.compile(rf"{_LOCAL_PART}{_AT}{_LABEL}(?:(?:{_DOT}|\.){_LABEL}){{0,5}}{_DOT}{_LABEL}", re.IGNORECASE),
    # anna(at)nursery.org
    re.compile(rf"{_LOCAL_PART}{_BRACKET_AT}{_LABEL}(?:\.{_LABEL}){{1,6}}", re.IGNORECASE),
    # anna.smith at nursery.org: a joint in front tells it from "look at bbc.co.uk"
    re.compile(rf"(?<![\w.+-])\w{{1,40}}(?:[._+]\w{{1,40}}){{1,5}}\s+at\s+{_LABEL}(?:\.{_LABEL}){{1,6}}"),
    # anna at nursery.org, where the words in front say that it is an address
    re.compile(rf"(?<![\w.+-])\w{{1,40}}\s+at\s+{_LABEL}(?:\.{_LABEL}){{1,6}}"),
]
_WRITE = re.compile(r"\b(?:e-?mail|mail|write|contact|reach|address)\b[\s\w:,]{0,20}$", re.IGNORECASE)


def _emails(text: str) -> Iterator[tuple[int, int]]:
    *shapes, unsure = _EMAILS
    for shape in shapes:
        yield from (match.span() for match in shape.finditer(text))
    for match in unsure.finditer(text):
        if _WRITE.search(text[max(0, match.start() - 40) : match.start()]):
            yield match.span()


# --- phone ------------------------------------------------------------------------------------------

_GAP = r"[ \t\u00a0\u202f().\-–‑]{0,3}"
_NATIONAL = re.compile(rf"(?<![\w£$€#/.+])(?<!\d:)\(?[0Oo]{_GAP}[1-35789](?:{_GAP}[\dOo]){{8,9}}(?![\w])")
_ABROAD = re.compile(rf"(?<![\w£$€#/.])(?<!\d:)\(?(?:\+|00){_GAP}[1-9](?:{_GAP}\d){{7,13}}(?![\w])")
#: without an area code only after a word such as "call" or "phone"
_LOCAL = re.compile(
    r"\b(?:call|ring|phone|tel|telephone|text|mob|mobile|whatsapp|(?:my|our|her|his|their|phone) number(?:'s|\sis)?)\b"
    r"(?:\s+(?:me|us|them|her|him))?(?:\s+(?:on|at|is))?[\s:.]{1,3}"
    rf"(?P<number>[2-9]\d{{2,4}}{_GAP}\d{{3,6}}(?:{_GAP}\d{{3,4}})?)(?![\w])",
    re.IGNORECASE,
)
_DATE = re.compile(r"\D?\d\d[-. ]\d\d[-. ](?:19|20)\d\d")
_COUNTED = "01234567891011121314"


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for match in (*_ABROAD.finditer(text), *_NATIONAL.finditer(text)):
        digits = re.sub(r"\D", "", match[0].replace("O", "0").replace("o", "0"))
        if len(digits) >= 9 and digits not in _COUNTED and not _DATE.match(match[0]):
            yield match.span()
    yield from (match.span("number") for match in _LOCAL.finditer(text))


# --- postcode ---------------------------------------------------------------------------------------

_OUTWARD = (
    rf"(?:{'|'.join(sorted(map(str.upper, words('postcodes', 'areas')), key=len, reverse=True))})\d[\dA-Z]?"
)
_POSTCODE = re.compile(
    rf"(?<!\w)(?P<out>{_OUTWARD})[ \t\u00a0-]{{0,2}}(?P<in>\d[ABD-HJLNP-UW-Z]{{2}})(?!\w)", re.IGNORECASE
)
#: a postcode district alone, where the context says so; with one letter it could also be a motorway or a room
_DISTRICT = re.compile(
    rf"(?:\b(?i:post\s?code)(?:\s+(?:is|was))?[\s:]+(?P<named>(?i:{_OUTWARD}))|"
    rf"\b(?:in|near|around|from|outside)\s+(?P<near>(?=[A-Z]{{2}}){_OUTWARD}))(?![\w-])"
)
#: "Room B2 1st floor", "e1 2yr olds"
_ORDINAL = re.compile(r"1st|2nd|3rd|\dth|\dyr|\dhr|\dpm")


def _postcodes(text: str) -> Iterator[tuple[int, int]]:
    for match in _POSTCODE.finditer(text):
        if not (_ORDINAL.fullmatch(match["in"]) and " " in match[0]):
            yield match.span()
    for match in _DISTRICT.finditer(text):
        yield match.span("named" if match["named"] else "near")


#: in order of priority: a later finder's span is dropped where it overlaps an earlier one's
FINDERS: dict[str, Callable[[str], Iterable[tuple[int, int]]]] = {
    "email": _emails,
    "phone": _phones,
    "postcode": _postcodes,
    "setting": settings_in,
    "name": names_in,
}
