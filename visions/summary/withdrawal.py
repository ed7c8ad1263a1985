"""Taking back what was published: a version loses its content, or words are taken out of every copy.

A version's row stays, with its number, its date, its checksum and the reason: others may have cited it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from workshops.actions.log import logged

from ..models import EvidenceLink, QuotedText, Snapshot, Summary
from . import composing, tombstones
from .tombstones import TOMBSTONE


class CannotWithdraw(Exception):
    """The message is a sentence for the person who tries."""


def withdraw(snapshot: Snapshot, by: User, because: str) -> None:
    """Remove the content of one version. Raises `CannotWithdraw` where it is withdrawn already."""
    programme = snapshot.summary.programme
    about = _("version %(number)d: %(because)s") % {"number": snapshot.number, "because": because}
    with logged(programme, by, "withdrew_version", about=about, always=True):
        if not snapshot.withdraw(by, because):
            raise CannotWithdraw(_("This version was withdrawn already."))


@transaction.atomic
def take_out(summary: Summary, words: Sequence[str], by: User, because: str) -> Snapshot | None:
    """Replace words by a mark in the summary that is being written, and in what is published: every version that has
    them is withdrawn, and the newest gets a successor without them. Returns the successor, `None` where only earlier
    versions or the draft had them. Raises `CannotWithdraw` where nothing has them.
    """
    summary = Summary.objects.select_for_update(of=("self",)).select_related("programme").get(pk=summary.pk)
    pattern = re.compile(
        "|".join(re.escape(each) for each in sorted(words, key=len, reverse=True)), re.IGNORECASE
    )
    published = list(summary.snapshots.filter(withdrawn_at=None))
    with_words = [each for each in published if _redacted(each.content, pattern) != each.content]
    is_drafted = _redact_draft(summary, pattern)
    if not (with_words or is_drafted):
        raise CannotWithdraw(_("These words are in no version. Check how they are written there."))
    successor = _successor(published[-1], pattern, by) if published and published[-1] in with_words else None
    for each in with_words:
        withdraw(each, by, because)
    if not with_words:
        with logged(summary.programme, by, "took_words_out", about=because, always=True):
            pass
    return successor


@transaction.atomic
def take_out_what_is_gone(summary: Summary, by: User, because: str) -> Snapshot | None:
    """Withdraw every version with words that were flagged, hidden or taken back since it was published; the newest gets
    a successor without them. Returns the successor, `None` where the newest has none. Raises `CannotWithdraw`.
    """
    summary = Summary.objects.select_for_update(of=("self",)).select_related("programme").get(pk=summary.pk)
    published = list(summary.snapshots.filter(withdrawn_at=None))
    gone = tombstones.gone_of(published)
    if not gone:
        raise CannotWithdraw(_("Nothing was flagged, hidden or taken back since a version was published."))
    successor = _successor(published[-1], None, by) if published[-1].number in gone else None
    for each in published:
        if each.number in gone:
            withdraw(each, by, because)
    return successor


def _successor(snapshot: Snapshot, pattern: re.Pattern[str] | None, by: User) -> Snapshot:
    """The next version: this one as it is drawn now, without what the pattern finds."""
    number = (snapshot.summary.snapshots.aggregate(last=Max("number"))["last"] or 0) + 1
    now = timezone.now()
    gone = tombstones.gone(snapshot)
    content = tombstones.drawn(snapshot, gone)
    content = _redacted(content, pattern) if pattern else content
    made = Snapshot.objects.create(
        summary=snapshot.summary,
        number=number,
        content=content | {"number": number, "published_at": now.isoformat()},
        published_at=now,
        by=by,
    )
    left = snapshot.quoted.exclude(path__in=gone.paths)
    QuotedText.objects.bulk_create(
        QuotedText(snapshot=made, path=path, text_id=text) for path, text in left.values_list("path", "text")
    )
    return made


#: values of a version that are no words of anybody
_NOT_WORDS = {"key", "published_at", "kind", "type", "relation"}


def _redacted(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(TOMBSTONE, value)
    if isinstance(value, list):
        return [_redacted(each, pattern) for each in value]
    if isinstance(value, dict):
        return {
            name: each if name in _NOT_WORDS else _redacted(each, pattern) for name, each in value.items()
        }
    return value


def _redact_draft(summary: Summary, pattern: re.Pattern[str]) -> bool:
    links = EvidenceLink.objects.filter(statement__summary=summary)
    rows: list[tuple[Any, tuple[str, ...]]] = [
        (summary, ("title", "lead", "opening")),
        *((each, ("text", "why")) for each in summary.statements.all()),
        *((each, ("linked", "caption", "note", "kept_because")) for each in links),
    ]
    changed = False
    for row, names in rows:
        redacted = {name: _redacted(getattr(row, name), pattern) for name in names}
        if any(getattr(row, name) != value for name, value in redacted.items()):
            composing.forget_own_words(summary, [str(getattr(row, name)) for name in names])
            for name, value in redacted.items():
                setattr(row, name, value)
            row.save(update_fields=list(names))
            changed = True
    return changed
