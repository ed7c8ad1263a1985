"""Whose words a statement is made of, and whether they may be published as they are.

A group's note becomes the draft of a statement once it has been checked. Until a researcher writes a sentence of their
own, it is somebody's: it may be published while the note may stand on the wall and its author agreed to be quoted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from workshops import afterwards
from workshops.models import Contribution, Domain, Programme

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


def not_to_be_quoted(statements: Iterable[Statement]) -> set[int]:
    """Statements (with `adoptions__note` at hand) that are still a note's own words and may not be published so."""
    verbatim = [
        (statement, adoption)
        for statement in statements
        for adoption in statement.adoptions.all()
        if adoption.mark == mark(statement.text)
    ]
    writers = {adoption.note.author for _statement, adoption in verbatim if adoption.note}
    quotable = afterwards.agreed_to_be_quoted(writers) if writers else set()
    return {statement.pk for statement, adoption in verbatim if not _may_stand(adoption, quotable)}


def _may_stand(adoption: Adoption, quotable: set[str]) -> bool:
    """Words that were taken out of the note later on make it another one."""
    note = adoption.note
    if note is None or note.rehearsal or note.author not in quotable:
        return False
    return mark(draft(note.for_the_wall)) == adoption.mark


@dataclass(frozen=True, slots=True)
class Brought:
    """A note that facilitators brought to the vision, as the composer lists it."""

    note: Contribution
    #: what may become a statement; empty until the note is checked
    words: str
    domain: Domain | None
    #: the statement that it became
    statement: Statement | None

    @property
    def is_pending(self) -> bool:
        return self.note.check_state == Contribution.Check.PENDING


def brought(programme: Programme) -> list[Brought]:
    """All of them, those to be taken up first. Hidden ones are left out."""
    notes = afterwards.brought_to_the_vision(programme)
    taken = Adoption.objects.filter(note__in=notes, statement__isnull=False).select_related("statement")
    became = {adoption.note_id: adoption.statement for adoption in taken}
    listed = [
        Brought(note, note.for_the_wall, _domain(note), became.get(note.pk))
        for note in notes
        if note.for_the_wall or note.check_state == Contribution.Check.PENDING
    ]
    return sorted(listed, key=lambda each: each.statement is not None)


def _domain(note: Contribution) -> Domain | None:
    return note.group.prompt.domain if note.group.prompt else None
