"""People's own words in what a summary would publish: in which places, and may they stand there.

Words of somebody who did not agree to be quoted, or that nobody has checked and shown, stop the summary, unless a
person says of exactly these words that they are our own (`OwnWords`). Words that were flagged, hidden or taken back at
their source are not even drawn in the draft.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from polls.models import Text
from polls.text_decisions import FLAGGED, HIDDEN, REDACTED, SHOWN
from workshops.models import Contribution, Participant, Programme
from workshops.text.reports import agreed_to_be_quoted

from ..models import OwnWords, Statement, Summary
from . import places, quoting
from .overlap import FEWEST, Compared, plain
from .places import Place


class Theirs(NamedTuple):
    """One revision of what somebody wrote in the programme."""

    pk: int
    words: str
    voter: str
    standing: str
    former: int | None
    state: str | None
    replacement: str | None
    decided_at: datetime | None
    taken_back_at: datetime | None

    def is_away(self, from_ours: str) -> bool:
        """Was it flagged, hidden or taken back, or were words taken out of it that we have?"""
        if self.state in (FLAGGED, HIDDEN) or self.taken_back_at:
            return True
        return self.state == REDACTED and self._has_what_was_taken_out(from_ours)

    def _has_what_was_taken_out(self, ours: str) -> bool:
        taken_out = set(plain(self.words)) - set(plain(self.replacement or ""))
        return bool(taken_out & set(plain(ours)))

    def is_shown(self, with_ours: str) -> bool:
        if self.state == REDACTED:
            return not self._has_what_was_taken_out(with_ours)
        return self.state == SHOWN

    @property
    def since(self) -> datetime | None:
        return max(filter(None, (self.decided_at, self.taken_back_at)), default=None)


@dataclass(frozen=True, slots=True)
class Found:
    """A place with words of people; `sha256` names the words that stand there (`quoting.digest`)."""

    place: Place
    sha256: str
    #: the texts that it quotes and that are kept: no former wording, no transcript
    texts: frozenset[int]
    is_allowed: bool
    #: not drawn
    is_withheld: bool
    #: a person may say that these are our own words
    may_be_own: bool
    #: who said so, and when
    own: OwnWords | None

    @property
    def stops(self) -> bool:
        return self.is_withheld or (not self.is_allowed and self.own is None)

    @property
    def sentence(self) -> str:
        if self.is_withheld:
            return _("The words that stood here are being looked at. Wait for that, or write others.")
        return _(
            "This is near to words of people who did not agree to be quoted, or that are not checked and shown."
        )

    @property
    def reason(self) -> str:
        return f"{self.place.name}: {self.sentence}"


def find(
    summary: Summary,
    statements: Sequence[Statement],
    questions: Mapping[int, str],
    *,
    not_compared: Collection[Place] = (),
    adopted: Collection[int] = (),
) -> dict[Place, Found]:
    """The places with words of people. Three queries at most.

    `questions` are those of figures, by link. `not_compared` are places that have a rule of their own (`disclosable`);
    nobody may say of the statements in `adopted` (ids) that they are our own words.
    """
    ours = {
        place: words
        for place, words in places.words_of(summary, statements, questions).items()
        if place not in not_compared and (place.is_written_here or len(plain(words)) >= FEWEST)
    }
    hits, newest = _hits(summary.programme, ours)
    agreed = agreed_to_be_quoted({each.voter for mine in hits.values() for each in mine}) if hits else set()
    said = (
        {each.sha256: each for each in summary.own_words.select_related("by")} if hits and summary.pk else {}
    )
    return {
        place: _found(place, ours[place], mine, newest, agreed, said, adopted) for place, mine in hits.items()
    }


def _hits(
    programme: Programme, ours: Mapping[Place, str]
) -> tuple[dict[Place, list[Theirs]], dict[int, Theirs]]:
    """Place → the texts that it quotes; former revision → the next one."""
    compared, later = Compared(ours), {}
    hits: defaultdict[Place, list[Theirs]] = defaultdict(list)
    for row in texts_of(programme).iterator():
        each = Theirs(*row)
        if each.former and each.standing != Text.Standing.LOST:
            later[each.former] = each
        for place in compared.near(each.words):
            hits[place].append(each)
    return dict(hits), later


def texts_of(programme: Programme) -> QuerySet[Text, tuple[Any, ...]]:
    """Everything that people said in a programme, of rehearsals nothing: answers, notes and transcripts; one query."""
    of_workshop = {"workshop__programme": programme}
    people = Participant.objects.filter(**of_workshop).values("voter")
    authors = Contribution.objects.filter(group__round__workshop__programme=programme).values("author")
    real = Text.objects.filter(rehearsal=False).order_by()
    answers = real.filter(poll__agenda_item__workshop__programme=programme)
    notes = real.filter(Q(voter__in=people) | Q(voter__in=authors), poll=None)
    cues = real.filter(cue__transcript__group__round__workshop__programme=programme)
    columns = (
        "pk", "words", "voter", "standing", "former", "decision__state", "decision__replacement", "decision__at",
        "contribution__taken_back_at",
    )  # fmt: skip
    first, *others = (each.values_list(*columns) for each in (answers, notes, cues))
    return first.union(*others, all=True)


def _found(
    place: Place,
    ours: str,
    hits: list[Theirs],
    later: Mapping[int, Theirs],
    agreed: set[str],
    said: Mapping[str, OwnWords],
    adopted: Collection[int],
) -> Found:
    away = [each for hit in hits for each in _with_later(hit, later) if each.is_away(ours)]
    sha256 = quoting.digest(ours)
    is_adopted = place.kind == "statement" and place.pk in adopted
    own = None if is_adopted else said.get(sha256)
    if own and any(each.since and each.since > own.at for each in away):
        own = None  # what was decided since was not known when it was said
    return Found(
        place,
        sha256,
        frozenset(hit.pk for hit in hits if hit.voter and hit.standing == Text.Standing.CURRENT),
        is_allowed=not away and _are_allowed(hits, ours, agreed),
        is_withheld=bool(away) and own is None,
        may_be_own=not is_adopted and not any(each.state == FLAGGED for each in away),
        own=own,
    )


def _with_later(text: Theirs, later: Mapping[int, Theirs]) -> Iterator[Theirs]:
    """A revision, and the newest that came of it: the stricter of the two counts, as for agreement polls."""
    yield text
    newest = text
    while newest.pk in later:
        newest = later[newest.pk]
    if newest is not text:
        yield newest


def _are_allowed(hits: Iterable[Theirs], ours: str, agreed: set[str]) -> bool:
    """Is it all checked and shown, and did everybody agree who wrote it?

    Where somebody's present words are among them, former ones count only as to who wrote them.
    """
    hits = list(hits)
    present = [each for each in hits if each.standing == Text.Standing.CURRENT]
    if not present or not all(each.is_shown(ours) for each in present):
        return False
    chain = {each.pk for each in present} | {each.former for each in present}
    writers = {each.voter for each in hits if each in present or {each.pk, each.former} & chain - {None}}
    return writers <= agreed
