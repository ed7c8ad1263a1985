"""What the Markdown and Word exports share: the order of their blocks, headings and remarks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...models import Workshop
from ..reports import Asked, Line, Notes, RoundNotes, Words, Written, clock
from ..workshop_results import GroupTime

#: a heading with its level from 1, or a paragraph (level 0), or numbered lines
Block = tuple[int, str, tuple[Written, ...]]


def blocks(notes: Notes) -> Iterator[Block]:
    """A workshop from its first group time to the words of the whole room."""
    for said in synthetic(notes.workshop):
        yield 0, said, ()
    if notes.says_that_no_note_is_there:
        yield 0, _("No group has written a note."), ()
    yield from of_groups(notes.rounds)
    if notes.asked:
        yield 1, _("Words of the whole room"), ()
    for asked in notes.asked:
        yield 2, asked.question, ()
        yield 0, base(asked), ()
        yield 0, "" if asked.texts else _("No words."), asked.texts


def synthetic(workshop: Workshop) -> list[str]:
    return [_("Synthetic: invented for a demonstration.")] if workshop.synthetic else []


def of_groups(rounds: Iterable[RoundNotes | GroupTime]) -> Iterator[Block]:
    """Every group time with its prompt, its groups and their notes."""
    for each in rounds:
        yield 1, heading(each), ()
        if each.question:
            yield 0, each.question, ()
        for group in each.groups:
            yield 2, group.group.name, ()
            if group.group.question and not each.question:
                yield 0, group.group.question, ()
            yield 0, "" if group.lines else _("No notes."), group.lines


def heading(each: RoundNotes | GroupTime) -> str:
    name = _("Group time %(number)d") % {"number": each.round.number}
    return _("%(name)s (still open)") % {"name": name} if each.round.is_open else name


def base(asked: Asked) -> str:
    n = asked.answered
    said = ngettext("%(n)d person answered", "%(n)d people answered", n) % {"n": n}
    return _("%(name)s (still open)") % {"name": said} if asked.poll.is_open else said


def about(written: Written) -> str:
    """The remarks on a note or a text: offset, agreements, people, moderation."""
    said = [] if written.offset is None else [clock(written.offset)]
    if isinstance(written, Line) and written.picked:
        said.append(_("brought to everybody"))
    if isinstance(written, Line) and written.agreeing:
        said.append(ngettext("%(n)d agrees", "%(n)d agree", written.agreeing) % {"n": written.agreeing})
    if isinstance(written, Words) and written.people > 1:
        said.append(_("%(n)d people") % {"n": written.people})
    if written.is_redacted:
        said.append(_("words taken out"))
    if written.is_hidden:
        said.append(_("hidden from the wall"))
    if isinstance(written, Words) and written.is_pending:
        said.append(_("not checked"))
    return ", ".join(said)
