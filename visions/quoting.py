"""Whose words a statement is made of, and whether they may be published as they are.

A group's note, or what people wrote to a question, becomes the draft of a statement once it has been checked. Until a
researcher writes a sentence of their own, it is somebody's: it may be published while the words may stand on the wall
and all who wrote them agreed to be quoted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from workshops import afterwards
from workshops.models import BroughtText, Contribution, Domain, Programme, Workshop

from .models import STATEMENT_LENGTH, Adoption, Statement


def draft(words: str) -> str:
    """The words as a statement begins with them: one line, no longer than a statement."""
    line = " ".join(words.split())
    if len(line) <= STATEMENT_LENGTH:
        return line
    return line[: STATEMENT_LENGTH - 1].rsplit(" ", 1)[0].rstrip() + "…"


def mark(text: str) -> str:
    """What says whether a statement is still as it was taken up, and gives nothing of it away once it is gone."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()


# --- where words come from ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Origin:
    """A note or a text that a statement can be made of."""

    source: Contribution | BroughtText
    #: what may become a statement; empty where nobody has let it through
    words: str
    #: as it was written, for as long as it waits for somebody to read it
    unread: str
    may_be_quoted: bool
    workshop: Workshop
    #: the group, or the question
    where: str
    people: int
    #: its place on the page of the workshop's words
    anchor: str
    domain: Domain | None

    @property
    def is_note(self) -> bool:
        return isinstance(self.source, Contribution)


def _of_note(note: Contribution, quotable: Collection[str]) -> Origin:
    group = note.group
    pending = note.check_state == Contribution.Check.PENDING
    return Origin(
        source=note,
        words=note.for_the_wall,
        unread=note.text if pending else "",
        may_be_quoted=note.author in quotable and not note.rehearsal,
        workshop=group.round.workshop,
        where=group.name,
        people=1,
        anchor=afterwards.anchor(note.ref),
        domain=group.prompt.domain if group.prompt else None,
    )


def _of_text(brought: BroughtText, asked: afterwards.Asked, text: afterwards.Text) -> Origin:
    return Origin(
        source=brought,
        words=text.for_the_wall,
        unread=text.text if text.is_pending else "",
        may_be_quoted=text.may_be_quoted,
        workshop=asked.item.workshop,
        where=asked.question,
        people=text.people,
        anchor=afterwards.anchor(text.ref),
        domain=asked.domain,
    )


def _origins(notes: list[Contribution], texts: list[BroughtText]) -> list[Origin]:
    """Those of them that can still be read."""
    writers = {note.author for note in notes}
    quotable = afterwards.agreed_to_be_quoted(writers) if writers else set()
    read = afterwards.read_texts(texts)
    return [
        *(_of_note(note, quotable) for note in notes),
        *(_of_text(text, *read[text.ref]) for text in texts if text.ref in read),
    ]


def came_from(statements: Iterable[Statement]) -> dict[int, Origin]:
    """By adoption what these statements (with their `publishing.CAME_FROM` at hand) were made of, if it is there."""
    adoptions = [adoption for statement in statements for adoption in statement.adoptions.all()]
    notes = [adoption.note for adoption in adoptions if adoption.note]
    texts = [adoption.text for adoption in adoptions if adoption.text]
    by_source = {origin.source: origin for origin in _origins(notes, texts)}
    sources = ((adoption.pk, adoption.note or adoption.text) for adoption in adoptions)
    return {pk: by_source[source] for pk, source in sources if source in by_source}


def not_to_be_quoted(statements: Collection[Statement]) -> set[int]:
    """Statements (with their `publishing.CAME_FROM` at hand) that are still somebody's own words and may not be
    published so."""
    origins = came_from(statements)
    return {
        statement.pk
        for statement in statements
        for adoption in statement.adoptions.all()
        if adoption.mark == mark(statement.text) and not _may_stand(adoption, origins.get(adoption.pk))
    }


def _may_stand(adoption: Adoption, origin: Origin | None) -> bool:
    """Words that were taken out of it later on make it another one."""
    if origin is None or not origin.may_be_quoted:
        return False
    return mark(draft(origin.words)) == adoption.mark


# --- what was brought --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Brought:
    """What facilitators brought to the vision, as the composer lists it, with the statement that it became."""

    origin: Origin
    statement: Statement | None


def brought(programme: Programme) -> list[Brought]:
    """All of it in the order in which it was brought, what is to be taken up first. What is hidden is left out."""
    notes = afterwards.brought_to_the_vision(programme)
    texts = afterwards.texts_brought_to_the_vision(programme)
    taken = Adoption.objects.filter(statement__isnull=False).select_related("statement")
    became: dict[Contribution | BroughtText | None, Statement | None] = {
        **{each.note: each.statement for each in taken.filter(note__in=notes).select_related("note")},
        **{each.text: each.statement for each in taken.filter(text__in=texts).select_related("text")},
    }
    listed = [
        Brought(origin, became.get(origin.source))
        for origin in sorted(_origins(notes, texts), key=lambda origin: _when(origin.source))
        if origin.words or origin.unread
    ]
    return sorted(listed, key=lambda each: each.statement is not None)


def _when(source: Contribution | BroughtText) -> datetime:
    assert source.proposed_at, "what was brought says when"
    return source.proposed_at
