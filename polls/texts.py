"""The write path of texts that are not answers (notes, transcript cues), and of passages.

Texts of answers are written with their ballots (`ballot_box.cast`), decisions by `text_decisions`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from hashlib import sha256

from .models import Passage, Text
from .prepared import Insert

_TEXT = Insert(Text)


def add(text: Text) -> Text:
    """Insert one text with a prepared statement, as notes are on the live path; sets its primary key."""
    text.pk = _TEXT.write(text)
    return text


def add_all(texts: Iterable[Text]) -> list[Text]:
    """Bulk insert; returns them with their primary keys."""
    return Text.objects.bulk_create(texts)


def replace(texts: Collection[int]) -> None:
    """Mark these texts (primary keys) as superseded."""
    if texts:
        Text.objects.filter(pk__in=texts).update(standing=Text.Standing.FORMER)


def remove(texts: Collection[int]) -> None:
    """Delete these texts (primary keys) with their decisions and all that refers to them."""
    Text.objects.filter(pk__in=texts).delete()


def passage(text: Text, start: int = 0, end: int | None = None) -> Passage:
    """The passage from `start` up to `end` (default: the end of the text), created if it does not exist."""
    end = len(text.words) if end is None else end
    digest = sha256(text.words[start:end].encode()).hexdigest()
    return Passage.objects.get_or_create(text=text, start=start, end=end, defaults={"sha256": digest})[0]
