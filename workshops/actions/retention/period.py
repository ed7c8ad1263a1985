"""What ends with the time that a programme keeps answers (`Programme.keep_months`), counted from each workshop's end.

Words that the room could not see are deleted, also out of answers and frozen results; so are transcripts. Of words that
were taken out the original goes. Then each person gets a fresh random key: no cookie, no form and no number of an
operation leads to their answers, which stay as numbers, each person's together, with what they agreed to.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from itertools import groupby

from django.db.models import CharField, Exists, OuterRef, Q
from django.db.models.functions import Cast, TruncDay
from django.utils import timezone

from polls import ballot_box, forgetting
from polls.models import Text
from polls.text_decisions import FLAGGED, HIDDEN, REDACTED, SHOWN

from ...models import (
    Agreement,
    Contribution,
    Group,
    Participant,
    Place,
    Programme,
    Transcript,
    Workshop,
    new_key,
)
from ...text.decisions import is_suspicious
from .. import transcripts
from .due import BATCH, Due, batches_of
from .leftovers import ASKED, ended, ended_at

#: people in one transaction: each has rows in a dozen tables
KEYS_AT_ONCE = 20


def end_of_period(workshop: Workshop) -> datetime:
    """The same day so many months after the workshop ended, or the last of a shorter month."""
    over = ended_at(workshop)
    months = over.month - 1 + workshop.programme.keep_months
    year, month = over.year + months // 12, months % 12 + 1
    return over.replace(year=year, month=month, day=min(over.day, monthrange(year, month)[1]))


def period(programme: Programme | None, now: datetime) -> Iterator[Due]:
    """Words first, keys last: while a key is left, the workshop is not finished."""
    left = Exists(Participant.objects.filter(workshop=OuterRef("pk"), rehearsal=False, cut_at=None))
    for workshop in ended(programme).filter(left, synthetic=False):
        when, owner = end_of_period(workshop), workshop.programme
        talks = Transcript.objects.filter(group__round__workshop=workshop)
        keys = workshop.participants.filter(rehearsal=False, cut_at=None)
        yield Due("texts", when, owner, partial(_not_shown, workshop), _forget_texts)
        yield Due("talks", when, owner, partial(batches_of, talks, 1), _destroy)
        yield Due("keys", when, owner, partial(batches_of, keys, KEYS_AT_ONCE), partial(_cut, workshop))


# --- words ----------------------------------------------------------------------------------------------------------


def _not_shown(workshop: Workshop) -> Iterator[list[int]]:
    """Texts to be deleted or reworded; each list is of one poll, or of none."""
    texts = _texts_of(workshop).select_related("decision", "poll__version")
    kept = set(texts.filter(forgetting.QUOTED | ASKED).values_list("pk", flat=True))
    for _poll, mine in groupby(texts.order_by("poll", "pk"), lambda text: text.poll_id):
        found = [text.pk for text in mine if _goes(text, text.pk in kept)]
        yield from (found[at : at + BATCH] for at in range(0, len(found), BATCH))


def _texts_of(workshop: Workshop):
    here = workshop.participants.values("voter")
    polls = workshop.agenda.filter(poll__isnull=False).values("poll")
    noted = Contribution.objects.filter(group__round__workshop=workshop).values("text")
    return Text.objects.filter(Q(poll__in=polls) | Q(pk__in=noted) | Q(poll=None, voter__in=here))


def _goes(text: Text, is_referred_to: bool) -> bool:
    """Could the room not see it, or does it hold words that were taken out?"""
    if text.state in (HIDDEN, FLAGGED):
        return True
    if text.state == REDACTED:
        return text.words != text.replacement
    if text.state == SHOWN or is_referred_to:
        return False
    at_once = text.poll is not None and text.poll.shows_words_at_once
    is_current = text.standing == Text.Standing.CURRENT
    return not (at_once and is_current and not is_suspicious(text.words))


def _forget_texts(found: list[int]) -> int:
    rows = Text.objects.filter(pk__in=found)
    poll = rows.values_list("poll", flat=True).first()
    ballot_box.lock_polls([poll] if poll else [])  # polls before what hangs on them, as everywhere
    # Somebody may have decided a moment ago, or another run been here.
    locked = rows.select_for_update(of=("self",)).select_related("decision").order_by("pk")
    texts = [text for text in locked if text.state != SHOWN]
    instead = {text.pk: text.replacement for text in texts}
    if poll and texts:
        forgetting.take_words_out(poll, instead)
    else:
        forgetting.reword_texts(texts, instead)
    return len(texts)


def _destroy(found: list[int]) -> int:
    removed = list(Transcript.objects.filter(pk__in=found).select_for_update())
    for transcript in removed:
        transcripts.destroy(transcript)
    return len(removed)


# --- keys -----------------------------------------------------------------------------------------------------------


def _cut(workshop: Workshop, found: list[int]) -> int:
    people = list(Participant.objects.filter(pk__in=found, cut_at=None).select_for_update(no_key=True))
    polls = list(workshop.agenda.filter(poll__isnull=False).values_list("poll", flat=True))
    for person in people:
        _give_new_key(workshop, person, polls)
    return len(people)


def _give_new_key(workshop: Workshop, person: Participant, polls: list[int]) -> None:
    old, new = person.voter, new_key()
    forgetting.rekey(old, new, polls)
    Contribution.objects.filter(author=old).update(author=new, op=Cast("pk", CharField()), at=TruncDay("at"))
    Agreement.objects.filter(contribution__group__round__workshop=workshop, voter=old).update(voter=new)
    Place.objects.filter(voter=old).update(voter=new)
    Group.objects.filter(round__workshop=workshop, scribe=old).update(scribe="")
    Participant.objects.filter(pk=person.pk).update(
        voter=new, cut_at=timezone.now(), table=None, joined_at=TruncDay("joined_at"),
        profiled_at=TruncDay("profiled_at"), left_at=TruncDay("left_at"),
    )  # fmt: skip
