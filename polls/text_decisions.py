"""Moderation of texts: shown, hidden, redacted, or flagged for safeguarding.

A decision belongs to one text: equal words of another person, or a later revision, wait for their own. There are three
audiences. The room sees texts that were approved and, where a poll shows texts without approval, pending ones that are
not suspicious. Staff see the original words. Researchers see redacted texts as redacted, others as written. Flagged
texts are for the safeguarding lead alone.

Each audience has a rule: a text with its decision → the words that it sees, or "" (none).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, OuterRef, Q, Subquery
from django.utils import timezone

from .models import Text, TextDecision

PENDING, SHOWN, HIDDEN, REDACTED, FLAGGED = (
    str(state)
    for state in (
        TextDecision.State.PENDING,
        TextDecision.State.SHOWN,
        TextDecision.State.HIDDEN,
        TextDecision.State.REDACTED,
        TextDecision.State.FLAGGED,
    )
)
STATES: tuple[str, ...] = (PENDING, SHOWN, HIDDEN, REDACTED, FLAGGED)
#: states in which researchers do not read the original words
WITHHELD = (REDACTED, FLAGGED)


class DecidedText(NamedTuple):
    """The words of a text with their moderation state."""

    words: str
    state: str
    replacement: str = ""


Rule = Callable[[DecidedText], str]


def for_the_room(text: DecidedText, at_once: Callable[[str], bool]) -> str:
    """The words for the wall and phones; `at_once` says which pending ones need no approval."""
    if text.state == PENDING:
        return text.words if at_once(text.words) else ""
    return {SHOWN: text.words, REDACTED: text.replacement}.get(text.state, "")


def for_staff(text: DecidedText) -> str:
    return "" if text.state == FLAGGED else text.words


def for_researchers(text: DecidedText) -> str:
    return text.replacement if text.state == REDACTED else for_staff(text)


# --- deciding ------------------------------------------------------------------------------------------


def alike(text: Text) -> list[int]:
    """Primary keys of this text and of the current answers to the same poll that are equal and have the same
    moderation state: one item of the moderation queue."""
    if text.poll_id is None:
        return [text.pk]
    equal = Text.objects.filter(poll=text.poll_id, key=text.key, standing=Text.Standing.CURRENT)
    if text.state == PENDING:
        equal = equal.filter(Q(decision__isnull=True) | Q(decision__state=PENDING))
    else:
        equal = equal.filter(decision__state=text.state, decision__replacement=text.replacement)
    return [text.pk, *equal.exclude(pk=text.pk).values_list("pk", flat=True)]


@transaction.atomic
def decide(texts: Collection[int], state: str, *, by: User | None = None, replacement: str = "") -> None:
    """Append a decision to each of these texts (primary keys); two statements, whatever their number."""
    now = timezone.now()
    TextDecision.objects.bulk_create(
        TextDecision(text_id=text, state=state, replacement=replacement, by=by, at=now) for text in texts
    )
    newest = TextDecision.objects.filter(text=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    Text.objects.filter(pk__in=list(texts)).update(decision=Subquery(newest))


# --- reading ---------------------------------------------------------------------------------------------

Answer = tuple[Any, int]  # a canonical value, and how many people gave it


@dataclass(frozen=True, slots=True)
class TextModeration:
    """Moderation decisions about the texts of several polls.

    Load it before the ballots: then no text is counted whose ballot is not in the tally.
    """

    #: by poll: the number of people for each distinct decided text
    alike: Mapping[int, Mapping[DecidedText, int]] = field(default_factory=dict)
    #: by poll: all texts of each person with a redacted one. The replacement may equal another entry of the same
    #: person, who must be counted once.
    people: Mapping[int, Collection[Collection[DecidedText]]] = field(default_factory=dict)

    def apply(self, poll: int, result: Any, rule: Rule) -> Any:
        """A `results.Result` recounted with the texts that the rule allows; its base `n` stays."""
        kind, question = result.poll_type, result.question
        texts = self._all(poll, kind.spellings(result.tally))
        if all(rule(text) == text.words for text in texts):
            return result
        answers: list[Answer] = []
        for person in self.people.get(poll, ()):
            texts.subtract(person)
            answers.append((kind.answer_with(list(filter(None, map(rule, person)))), 1))
        answers += [
            (kind.answer_with([words]), n) for text, n in texts.items() if n > 0 and (words := rule(text))
        ]
        return replace(result, tally={**kind.tally(answers, question), "n": result.tally["n"]})

    def _all(self, poll: int, written: Mapping[str, int]) -> Counter[DecidedText]:
        """The number of people for each distinct text; those without a decision are pending."""
        left, texts = Counter(written), Counter[DecidedText]()
        for text, people in self.alike.get(poll, {}).items():
            texts[text] = min(people, left[text.words])
            left[text.words] -= texts[text]
        for words, people in left.items():
            texts[DecidedText(words, PENDING)] += people
        return +texts


NONE = TextModeration()
_WORDS = ("words", "decision__state", "decision__replacement")


def load(
    polls: Collection[int], *, rehearsal: bool = False, states: Collection[str] = STATES
) -> TextModeration:
    """Decisions about the current texts of these polls, limited to these `states`.

    One query, a second where texts are redacted, none without polls.
    """
    if not polls:
        return NONE
    found = _current(polls, rehearsal).filter(decision__state__in=states)
    alike: defaultdict[int, dict[DecidedText, int]] = defaultdict(dict)
    for poll, people, *text in (
        found.values_list("poll").annotate(people=Count("pk")).values_list("poll", "people", *_WORDS)
    ):
        alike[poll][DecidedText(*text)] = people
    redacted = [poll for poll, mine in alike.items() if any(text.state == REDACTED for text in mine)]
    return TextModeration(alike, _of_people(_current(redacted, rehearsal), states) if redacted else {})


def _current(polls: Iterable[int], rehearsal: bool) -> Any:
    found = Text.objects.filter(poll__in=list(polls), standing=Text.Standing.CURRENT)
    return found if rehearsal else found.filter(rehearsal=False)


def _of_people(found: Any, states: Collection[str]) -> dict[int, list[list[DecidedText]]]:
    redacted = found.filter(decision__state=REDACTED).values("voter")
    people: defaultdict[tuple[int, str], list[DecidedText]] = defaultdict(list)
    rows = found.filter(voter__in=redacted).order_by("field")
    for poll, voter, words, state, replacement in rows.values_list("poll", "voter", *_WORDS):
        is_one = state in states
        people[poll, voter].append(
            DecidedText(words, state, replacement) if is_one else DecidedText(words, PENDING)
        )
    by_poll: defaultdict[int, list[list[DecidedText]]] = defaultdict(list)
    for (poll, _voter), texts in people.items():
        by_poll[poll].append(texts)
    return by_poll


def withheld(polls: Collection[int]) -> dict[tuple[int, str], dict[str, str]]:
    """By poll and voter: original words → what researchers read instead ("" for none). One query."""
    found: defaultdict[tuple[int, str], dict[str, str]] = defaultdict(dict)
    rows = _current(polls, False).filter(decision__state__in=WITHHELD) if polls else Text.objects.none()
    for poll, voter, *text in rows.values_list("poll", "voter", *_WORDS):
        found[poll, voter][text[0]] = for_researchers(DecidedText(*text))
    return found
