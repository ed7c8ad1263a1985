"""What is forgotten when its time is over: words and former wordings are deleted, and keys of people made anew.

Numbers stay as they were: an answer whose words are gone is counted, and so is a person whose key is another one.
All within the caller's transaction, which should be a short one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDay

from . import ballot_box, results
from .models import Ballot, Passage, Poll, Text, TextDecision
from .types.texts import text_key

#: a quote, or a statement made of it, refers to a text
QUOTED = Exists(Passage.objects.filter(text=OuterRef("pk")))
DECIDED = Exists(TextDecision.objects.filter(text=OuterRef("pk")))


def remove_wordings(texts: QuerySet[Text]) -> int:
    """Delete these revisions; a later one points at the one before. Returns how many were there."""
    removed = 0
    for pk, former in texts.order_by("pk").values_list("pk", "former"):
        # The row of the former revision may have gone a moment ago, and then this one points at another.
        Text.objects.filter(former=pk).update(former=former)
        removed += bool(Text.objects.filter(pk=pk).delete()[0])
    return removed


def take_words_out(poll_id: int, instead: Mapping[int, str]) -> None:
    """Take words out of a poll for good: out of its texts (primary key → what stands instead, "" for nothing), the
    answers that they come from, and the frozen result, whose denominators stay."""
    ballot_box.lock_polls([poll_id])
    poll = Poll.objects.select_related("version").get(pk=poll_id)
    texts = list(Text.objects.filter(poll=poll, pk__in=instead))
    by_voter: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for text in texts:
        if text.standing == Text.Standing.CURRENT:
            by_voter[text.voter][text.words] = instead[text.pk]
    _reword_ballots(poll, by_voter)
    reword_texts(texts, instead, poll)
    if poll.result is not None:
        tally = poll.poll_type.tally(
            results.counted_values(poll.ballots.filter(rehearsal=False)), poll.question
        )
        poll.result = {**poll.result, "tally": {**tally, "n": poll.result["tally"]["n"]}}
        poll.save(update_fields=["result"])


def _reword_ballots(poll: Poll, by_voter: Mapping[str, Mapping[str, str]]) -> None:
    ballots = list(poll.ballots.filter(voter__in=list(by_voter), revision__gt=0))
    for ballot in ballots:
        ballot.value = poll.poll_type.reworded(ballot.value, by_voter[ballot.voter])
    Ballot.objects.bulk_update(ballots, ["value"])


def reword_texts(texts: Collection[Text], instead: Mapping[int, str], poll: Poll | None = None) -> None:
    """Replace the words of these texts, of one poll or of none, or delete them where nothing stands instead."""
    for text in texts:
        if words := instead[text.pk]:
            key = _key(poll, words) if text.key else ""
            Text.objects.filter(pk=text.pk).update(words=words, key=key)
    remove_wordings(Text.objects.filter(pk__in=[text.pk for text in texts if not instead[text.pk]]))


def _key(poll: Poll | None, words: str) -> str:
    if poll is None or not poll.poll_type.has_texts:
        return text_key(words)
    own = poll.poll_type.texts_of(poll.poll_type.answer_with([words]), poll.question)
    return next((each.key for each in own), text_key(words))


def rekey(voter: str, new: str, polls: Iterable[int]) -> None:
    """Give the answers and texts of this person another key. What their phone knows of them goes (numbers of
    operations, counters), and of every moment the day is left."""
    ballots = Ballot.objects.filter(voter=voter)
    ballots.update(voter=new, op="", seq=0, issued_at=TruncDay("issued_at"), cast_at=TruncDay("cast_at"))
    # By poll first, as the index has it.
    texts = Text.objects.filter(Q(poll__in=list(polls)) | Q(poll=None), voter=voter)
    texts.update(voter=new, op="", at=TruncDay("at"))
