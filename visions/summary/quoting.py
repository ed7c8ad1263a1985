"""Verbatim quotes: which statements still are participants' own words, and whether these may be published.

A moderated note of a group, or text of a ballot, can be adopted as the draft of a statement. Until a researcher rewords
the statement, it is a quote: it may be published only while its source may be shown on the wall and all of its authors
have consented to be quoted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from polls.models import Text
from workshops.models import Programme
from workshops.text import reports
from workshops.text.reports import Origin

from ..models import STATEMENT_LENGTH, Adoption, Statement
from .overlap import is_near, plain


def fitting_length(words: str) -> int:
    """The length of the prefix that fits a statement: the whole text, or up to the last word that fits."""
    if len(" ".join(words.split())) <= STATEMENT_LENGTH:
        return len(words)
    length, end = 0, 0
    for word in re.finditer(r"\S+", words):
        length += len(word[0]) + bool(length)
        if length > STATEMENT_LENGTH - 1:
            return end or word.start() + STATEMENT_LENGTH - 1
        end = word.end()
    return end


def draft(words: str) -> str:
    """The first version of an adopted statement: the text on one line, truncated to `STATEMENT_LENGTH`."""
    end = fitting_length(words)
    line = " ".join(words[:end].split())
    return line if end == len(words) else f"{line}…"


def digest(text: str) -> str:
    """SHA-256 of a text with spaces folded: tells whether a statement is unchanged, without storing its text."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()


def sources_of(statements: Iterable[Statement]) -> dict[int, Origin]:
    """Adoption id → the source of the statement, if it still exists; `publishing.CAME_FROM` must be prefetched."""
    adoptions = [
        (adoption.pk, adoption.passage.text)
        for statement in statements
        for adoption in statement.adoptions.all()
        if adoption.passage
    ]
    found = reports.origins(text for _adoption, text in adoptions)
    return {adoption: found[text.pk] for adoption, text in adoptions if text.pk in found}


def not_to_be_quoted(statements: Collection[Statement]) -> set[int]:
    """Ids of statements that still are, or whose reasons are, somebody's own words and may not be published;
    `publishing.CAME_FROM` must be prefetched."""
    origins = sources_of(statements)
    return {
        statement.pk
        for statement in statements
        for adoption in statement.adoptions.all()
        if any(
            _quotes(adoption, words) and not _may_be_published(adoption, words, origins.get(adoption.pk))
            for words in (statement.text, statement.why)
        )
    }


def _quotes(adoption: Adoption, words: str) -> bool:
    if adoption.mark == digest(words):
        return True
    return adoption.passage is not None and is_near(words, adoption.passage.text.words)


def _may_be_published(adoption: Adoption, words: str, origin: Origin | None) -> bool:
    """May this quote be published? Not with words that were taken out of its source since."""
    if origin is None or not origin.written.may_be_quoted or not origin.words:
        return False
    source = adoption.passage.text.words if adoption.passage else ""
    taken_out = set(plain(source)) - set(plain(origin.words))
    return not taken_out & set(plain(words))


# --- texts proposed for the vision ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProposedText:
    """A note or text that a facilitator proposed for the vision, with the statement that was made of it."""

    origin: Origin
    statement: Statement | None


def proposed(programme: Programme) -> list[ProposedText]:
    """Proposed notes and texts in the order of proposal, those not adopted yet first. Hidden ones are left out."""
    texts = reports.brought_to_the_vision(programme)
    origins = reports.origins(texts)
    taken = Adoption.objects.filter(statement__isnull=False, passage__text__in=texts)
    became = {
        _line_key(each.passage.text): each.statement
        for each in taken.select_related("statement", "passage__text")
        if each.passage
    }
    once = {_line_key(text): origins[text.pk] for text in texts if text.pk in origins}
    listed = [
        ProposedText(origin, became.get(same))
        for same, origin in once.items()
        if origin.words or origin.unread
    ]
    return sorted(listed, key=lambda each: each.statement is not None)


def _line_key(text: Text) -> Any:
    """The key by which equal answers to one poll are merged into one line of the list."""
    return (text.poll_id, text.key) if text.poll_id else text.pk
