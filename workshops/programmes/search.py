"""Search in question banks, for the one box: a programme's own questions and prompts first, then those of others.

Six queries at most, whatever is found; SQL narrows down by substrings, Python ranks by how words begin.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import and_
from typing import Any

from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from polls.models import InstrumentVersion
from polls.types.texts import tidy

from ..models import AgendaItem, Programme, Prompt, Workshop

#: words of a query that count, rows that SQL may find before they are ranked, and lines that are shown
WORDS, ROWS, OWN, OTHERS = 8, 80, 6, 4


@dataclass(frozen=True)
class Hit:
    """A question or a prompt that was found."""

    #: "question-7", "prompt-3": what a form sends back
    ref: str
    #: name of the poll type; empty for a prompt
    type: str
    text: str
    programme: Programme
    #: the option that matched, where the text itself does not
    option: str = ""
    #: the step of this agenda that asks it already
    step: AgendaItem | None = None
    #: numbers of the workshops of this programme that have asked it, ascending
    asked_in: tuple[int, ...] = ()
    words: tuple[str, ...] = field(default=(), repr=False)

    @property
    def kind(self) -> str:
        return self.ref.partition("-")[0]

    @property
    def marked(self) -> SafeString:
        return mark(self.text, self.words)

    @property
    def marked_option(self) -> SafeString:
        return mark(self.option, self.words)


@dataclass(frozen=True)
class Found:
    """What the one box offers for some words."""

    own: list[Hit]
    others: list[Hit]

    @property
    def is_empty(self) -> bool:
        return not (self.own or self.others)


def search(where: Workshop | Programme, words: str, others: Collection[Programme] = ()) -> Found:
    """Questions and prompts with all these words; `others` are further programmes whose banks this person may read.

    For a workshop its own hits say where its agenda asks them.
    """
    wanted = tuple(tidy(words).split()[:WORDS])
    programme = where if isinstance(where, Programme) else where.programme
    if not wanted:
        return Found([], [])
    own = _ranked([*_questions([programme], wanted), *_prompts([programme], wanted)], wanted)[:OWN]
    rest = [other for other in others if other.pk != programme.pk]
    foreign = [*_questions(rest, wanted), *_prompts(rest, wanted)] if rest else []
    placed = [row.hit for row in own] if isinstance(where, Programme) else _placed(where, own)
    return Found(placed, [row.hit for row in _ranked(foreign, wanted)[:OTHERS]])


def newest_versions(programmes: Collection[Programme]) -> QuerySet[InstrumentVersion]:
    """The version of each question of these banks that would be asked now, unfinished ones included."""
    versions = InstrumentVersion.objects.filter(
        instrument__bank__programme__in=programmes, instrument__removed_at=None, draft=False
    )
    newest = (
        InstrumentVersion.objects.filter(instrument=OuterRef("instrument"), draft=False)
        .order_by()
        .values("instrument")
        .annotate(last=Max("number"))
    )
    return versions.filter(number=Subquery(newest.values("last"))).select_related("instrument")


@dataclass(frozen=True)
class _Row:
    """A hit, the primary key of its question or prompt, and the name it has in tables."""

    hit: Hit
    pk: int
    name: str = ""


def _questions(programmes: Sequence[Programme], wanted: tuple[str, ...]) -> Iterator[_Row]:
    by_bank = {programme.bank_id: programme for programme in programmes}
    rows = newest_versions(programmes).filter(reduce(and_, map(_in_question, wanted)))
    for row in rows.order_by("instrument__position", "instrument")[:ROWS]:
        text = row.definition["text"]
        hit = Hit(
            ref=f"question-{row.instrument_id}",
            type=row.definition["type"],
            text=text,
            programme=by_bank[row.instrument.bank_id],
            option=_matching_option(row.definition, text, wanted),
            words=wanted,
        )
        yield _Row(hit, row.instrument_id, row.instrument.name)


def _in_question(word: str) -> Q:
    # SQLite keeps JSON as it was written, with letters beyond ASCII escaped.
    options = Q(definition__options__icontains=word) | Q(
        definition__options__icontains=json.dumps(word)[1:-1]
    )
    return Q(instrument__name__icontains=word) | Q(definition__text__icontains=word) | options


def _matching_option(definition: dict[str, Any], text: str, wanted: Iterable[str]) -> str:
    missing = [begin for word in wanted if not (begin := _begins(word)).search(text)]
    labels = [label for _key, label in definition.get("options", [])]
    return next((label for label in labels if any(begin.search(label) for begin in missing)), "")


def _prompts(programmes: Sequence[Programme], wanted: tuple[str, ...]) -> Iterator[_Row]:
    by_pk = {programme.pk: programme for programme in programmes}
    rows = Prompt.objects.filter(programme__in=programmes, removed_at=None)
    for row in rows.filter(reduce(and_, (Q(text__icontains=word) for word in wanted)))[:ROWS]:
        yield _Row(Hit(f"prompt-{row.pk}", "", row.text, by_pk[row.programme_id], words=wanted), row.pk)


def _begins(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(word)}", re.IGNORECASE)


def _ranked(rows: Iterable[_Row], wanted: tuple[str, ...]) -> list[_Row]:
    """Best first: the text begins with these words, has them all, has some; then in the bank's order.

    Letters inside a word ("about" for "out") do not count.
    """
    phrase = " ".join(wanted).casefold()
    ranked = []
    for row in rows:
        inside = [bool(_begins(word).search(row.hit.text)) for word in wanted]
        elsewhere = f"{row.name} {row.hit.option}"
        if all(here or _begins(word).search(elsewhere) for here, word in zip(inside, wanted, strict=True)):
            first = row.hit.text.casefold().startswith(phrase)
            ranked.append((0 if first else 1 if all(inside) else 2 if any(inside) else 3, row))
    return [row for _rank, row in sorted(ranked, key=lambda one: one[0])]


def _placed(workshop: Workshop, rows: list[_Row]) -> list[Hit]:
    """The hits with the step of this agenda that asks them, and the workshops that have asked them; two queries."""
    steps = AgendaItem.objects.filter(workshop=workshop)
    by_instrument, by_prompt = {}, {}
    for step in steps.annotate(instrument=F("poll__version__instrument")):
        by_instrument[step.instrument] = by_prompt[step.prompt_id] = step
    asked = AgendaItem.objects.filter(
        workshop__programme=workshop.programme_id,
        poll__version__instrument__in=[row.pk for row in rows if row.hit.kind == "question"],
        poll__opened_at__isnull=False,
    ).exclude(workshop=workshop)
    numbers: dict[int, set[int]] = {}
    for instrument, number in asked.values_list("poll__version__instrument", "workshop__number"):
        numbers.setdefault(instrument, set()).add(number)
    return [
        replace(row.hit, step=by_instrument.get(row.pk), asked_in=tuple(sorted(numbers.get(row.pk, ()))))
        if row.hit.kind == "question"
        else replace(row.hit, step=by_prompt.get(row.pk))
        for row in rows
    ]


def mark(text: str, words: Iterable[str]) -> SafeString:
    """The text as HTML, with these words underlined where they begin a word of it."""
    patterns = [re.escape(word) for word in sorted(words, key=len, reverse=True)]
    pieces = (
        re.split(rf"((?<!\w)(?:{'|'.join(patterns)}))", text, flags=re.IGNORECASE) if patterns else [text]
    )
    marked = (format_html("<u>{}</u>", piece) if place % 2 else piece for place, piece in enumerate(pieces))
    return format_html_join("", "{}", ((piece,) for piece in marked))
