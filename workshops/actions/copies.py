"""A question that quotes somebody's words follows what is decided about them.

Its wording stands in the step's title, in the question's name and in its versions, and from there on every screen, page
and file. So it is rewritten here, in the transaction of the decision; the words themselves stay with their text, and
come back with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from polls import bank
from polls.models import Text
from polls.text_decisions import FLAGGED, HIDDEN, REDACTED

from ..models import AgendaItem
from ..models.workshop import STEP_TITLE_LENGTH

WITHHELD = (HIDDEN, FLAGGED)
#: letters of a question that its name has where it was asked on the spot
NAME_LENGTH = 60


def follow(texts: Iterable[int]) -> list[AgendaItem]:
    """Give each question that quotes one of these texts, or an earlier wording of one, the words that may stand now.

    Returns the steps that ask them. Two queries where nothing was asked, one more for each earlier revision.
    """
    decided = _with_earlier_wordings(texts)
    items = list(
        AgendaItem.objects.filter(text__in=decided, poll__isnull=False)
        .select_related("text__decision", "poll__version", "workshop")
    )  # fmt: skip
    for item in items:
        assert item.text
        words = standing(item.text, decided[item.text.pk])
        if item.required_poll.question.text != words:
            bank.reword(item.required_poll.version.instrument_id, words, words[:NAME_LENGTH])
        item.title = words[:STEP_TITLE_LENGTH]
        item.save(update_fields=["title"])
    return items


def standing(quoted: Text, newest: Text) -> str:
    """What a question may say that quotes a text, given the newest wording of it: the stricter of the two counts."""
    replaced = (text.replacement for text in (newest, quoted) if text.state == REDACTED)
    return _why_away(quoted, newest) or next(replaced, quoted.words)


def why_away(item: AgendaItem) -> str:
    """Why nobody may be asked now about the words that it quotes, as one sentence; empty where they may."""
    if item.text is None:
        return ""
    newest = item.text
    while later := newest.later.exclude(standing=Text.Standing.LOST).first():
        newest = later
    return _why_away(item.text, newest)


def _why_away(quoted: Text, newest: Text) -> str:
    if any(text.state in WITHHELD for text in (newest, quoted)):
        return _("These words are being looked at.")
    note = getattr(newest, "contribution", None)  # an answer has none
    return _("These words were taken back.") if note and note.taken_back_at else ""


def _with_earlier_wordings(texts: Iterable[int]) -> dict[int, Text]:
    """Number of a text, or of an earlier revision of it → the text."""
    rows = Text.objects.filter(pk__in=list(texts)).select_related("decision", "contribution")
    found = {text.pk: text for text in rows}
    earlier: dict[int | None, Text] = {text.former_id: text for text in found.values() if text.former_id}
    while earlier:
        for pk, text in earlier.items():
            assert pk
            found.setdefault(pk, text)  # a revision with a decision of its own follows that
        before = Text.objects.filter(pk__in=list(earlier), former__isnull=False).values_list("pk", "former")
        earlier = {former: earlier[pk] for pk, former in before if former not in found}
    return found
