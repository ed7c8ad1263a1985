"""Whose words a figure prints: as its label, or as the question that it answers.

In a question that asks for words, a label is what several people wrote. An agreement poll asks about one person's
words, so its question is those (`AgendaItem.text`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Q

from polls.models import Text
from polls.text_decisions import FLAGGED, HIDDEN, REDACTED, SHOWN
from polls.types.texts import matching_key, text_key
from workshops.models import AgendaItem
from workshops.text.reports import agreed_to_be_quoted

#: (instrument id, key of a words figure)
Label = tuple[int, str]
AWAY = (FLAGGED, HIDDEN)


@dataclass(frozen=True, slots=True)
class Printed:
    """The texts that stand in one place of a figure. Without any nothing is known of them, so they may not stand."""

    texts: frozenset[int] = frozenset()
    #: all of them were checked and shown, and everybody who wrote one agreed to be quoted
    may_stand: bool = False
    #: one of them was flagged, hidden or taken back
    is_away: bool = False


def of_labels(labels: Collection[Label]) -> dict[Label, Printed]:
    """Two queries, none without labels."""
    found: defaultdict[Label, list[Text]] = defaultdict(list)
    for instrument, text in _texts_of(labels):
        keys = {text.key}
        if text.state == REDACTED:
            keys.add(_key_of(text.replacement))
        for key in keys:
            if (instrument, key) in labels:
                found[instrument, key].append(text)
    agreed = agreed_to_be_quoted(text.voter for mine in found.values() for text in mine) if found else set()
    return {label: _label(label[1], found[label], agreed) for label in labels}


def _texts_of(labels: Collection[Label]) -> Iterable[tuple[int, Text]]:
    if not labels:
        return []
    rows = Text.objects.filter(
        Q(key__in={key for _instrument, key in labels}) | Q(decision__state=REDACTED),
        poll__version__instrument__in={instrument for instrument, _key in labels},
        standing=Text.Standing.CURRENT, rehearsal=False,
    ).select_related("decision", "poll__version")  # fmt: skip
    return [(text.poll.version.instrument_id, text) for text in rows if text.poll]


def _label(key: str, texts: list[Text], agreed: set[str]) -> Printed:
    def stands(text: Text) -> bool:
        """A redacted text stands under its replacement, and not under what it was."""
        return text.state == SHOWN or (text.state == REDACTED and key == _key_of(text.replacement))

    return Printed(
        frozenset(text.pk for text in texts),
        may_stand=bool(texts) and all(stands(text) and text.voter in agreed for text in texts),
        is_away=any(text.state in AWAY or (text.state == REDACTED and not stands(text)) for text in texts),
    )


def _key_of(words: str) -> str:
    return text_key(matching_key(words))


def of_questions(instruments: Collection[int]) -> dict[int, Printed]:
    """Those of these questions that ask about somebody's words. At most five queries, one where there is none."""
    items = AgendaItem.objects.filter(poll__version__instrument__in=instruments, text__isnull=False)
    rows = list(items.values_list("poll__version__instrument", "text"))
    if not rows:
        return {}
    chains = revisions_from({text for _instrument, text in rows})
    writers = _writers(chains.values())
    agreed = agreed_to_be_quoted({voter for mine in writers.values() for voter in mine})
    by_instrument: defaultdict[int, set[int]] = defaultdict(set)
    for instrument, text in rows:
        by_instrument[instrument].add(text)
    return {
        instrument: _question([chains[text] for text in texts], writers, agreed)
        for instrument, texts in by_instrument.items()
    }


def _question(chains: list[list[Text]], writers: dict[int, set[str]], agreed: set[str]) -> Printed:
    ends = [text for chain in chains for text in (chain[0], chain[-1])]
    return Printed(
        frozenset(text.pk for text in ends),
        may_stand=all(text.state in (SHOWN, REDACTED) for text in ends)
        and not any(map(_taken_back, ends))
        and all(writers[text.pk] <= agreed for chain in chains for text in chain),
        is_away=any(text.state in AWAY or _taken_back(text) for text in ends),
    )


def _taken_back(text: Text) -> bool:
    note = getattr(text, "contribution", None)  # an answer has none
    return bool(note and note.taken_back_at)


def _writers(chains: Iterable[list[Text]]) -> dict[int, set[str]]:
    """Text → everybody who wrote it: whoever gave an equal answer to the same poll, or has this note as well."""
    texts = [text for chain in chains for text in chain]
    equal: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    answers = Text.objects.filter(poll__in={text.poll_id for text in texts if text.poll_id}, rehearsal=False)
    for poll, key, voter in answers.filter(standing=Text.Standing.CURRENT).values_list(
        "poll", "key", "voter"
    ):
        equal[poll, key].add(voter)
    authors = {text.pk: {note.author} for text in texts if (note := getattr(text, "contribution", None))}
    return {
        text.pk: {text.voter}
        | authors.get(text.pk, set())
        | (equal[text.poll_id, text.key] if text.poll_id else set())
        for text in texts
    }


def revisions_from(texts: Collection[int]) -> dict[int, list[Text]]:
    """Each of these texts with the revisions that came of it, in their order. One query, and one for each revision."""
    rows = Text.objects.select_related("decision", "contribution")
    chains = {text.pk: [text] for text in rows.filter(pk__in=texts)}
    ends = {pk: [chain] for pk, chain in chains.items()}
    while ends:
        later = list(rows.filter(former__in=list(ends)).exclude(standing=Text.Standing.LOST))
        grown: defaultdict[int, list[list[Text]]] = defaultdict(list)
        for text in later:
            for chain in ends[text.former_id or 0]:
                chain.append(text)
                grown[text.pk].append(chain)
        ends = dict(grown)
    return chains
