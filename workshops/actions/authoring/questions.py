"""What people ask: questions of a bank and prompts for groups are written, copied, changed, removed.

A card is saved whole, and may be unfinished. An optimistic lock (`rev`) tells the second of two editors; autosaves of
one card extend one entry of the log.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Max, QuerySet
from django.utils import timezone

from polls import bank
from polls.journal import Journal
from polls.lifecycle import Reveal
from polls.models import Bank, ComparabilityMark, Instrument, InstrumentVersion, Poll
from polls.types import Question
from polls.types.base import OF_A_PICTURE

from ...models import AgendaItem, Domain, Programme, Prompt, Workshop
from ...programmes.file.pictures import hash_of
from ...programmes.keys import free_key
from ...signals import announce
from ...signals.topics import EVERYTHING
from ..log import check_rev, logged
from . import pictures

TITLE_LENGTH, NAME_LENGTH = 200, 120

#: what somebody may have changed in a question that people have answered → the mark that it leaves
KINDS = {
    "typo": ComparabilityMark.Kind.TYPO.value,
    "option": ComparabilityMark.Kind.OPTION.value,
    "meaning": "",
}


@dataclass(frozen=True, slots=True)
class Sum:
    """A measure on a card. Without a `key` it is new."""

    key: str
    label: str
    kind: str
    definition: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Card:
    """Everything that the card of a question holds."""

    question: Question
    name: str
    domains: frozenset[int]
    sums: tuple[Sum, ...] = ()
    #: keys of measures that are no longer wanted
    dropped: frozenset[str] = frozenset()
    #: [[key, label]] of options that it has no more
    retired: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Step:
    """What the card of a step of an agenda holds beside its question or prompt."""

    minutes: int
    notes: str
    #: of a pause: its words
    title: str = ""
    #: of a question: when the room sees its answers
    reveal: str = ""


# --- questions ---------------------------------------------------------------------------------------------


def add_question(
    programme: Programme,
    by: User | None,
    question: Question,
    *,
    name: str = "",
    domain: Domain | None = None,
    journal: Journal | None = None,
) -> Instrument:
    """A new question of the programme's bank, finished or not. An entry of the log of its own without a `journal`."""
    with _entry(programme, by, "added_question", name or question.text, journal) as changes:
        return _new_instrument(changes, programme, question, name, [domain] if domain else [])


def copy_question(
    programme: Programme, by: User | None, instrument: Instrument, *, journal: Journal | None = None
) -> Instrument:
    """A question of any bank as a new one of this programme's, with its sums; it remembers what it is a copy of."""
    question = instrument.latest.question
    with _entry(programme, by, "added_question", str(instrument), journal) as changes:
        keys = instrument.domains.values_list("key", flat=True)
        copy = _new_instrument(
            changes,
            programme,
            question,
            instrument.name,
            programme.domains.filter(key__in=list(keys)),
            wanted=instrument.key,
            origin=instrument,
        )
        pictures.adopt(programme, [hash_of(dict(question.settings))])
        for key, measure in bank.newest_measures(instrument).items():
            bank.keep_measure(
                changes, copy, key,
                label=measure.label, kind=measure.kind, definition=measure.definition,
            )  # fmt: skip
        return copy


def _new_instrument(
    journal: Journal,
    programme: Programme,
    question: Question,
    name: str,
    domains: Iterable[Domain],
    *,
    wanted: str = "",
    origin: Instrument | None = None,
) -> Instrument:
    # Two people who add at once must not get one key.
    Bank.objects.select_for_update().get(pk=programme.bank_id)
    instruments = Instrument.objects.filter(bank=programme.bank_id)
    last = instruments.aggregate(last=Max("position"))["last"]
    instrument = journal.create(
        Instrument(
            bank_id=programme.bank_id,
            key=free_key(wanted or name or question.text, instruments.values_list("key", flat=True)),
            name=name[:NAME_LENGTH],
            position=0 if last is None else last + 1,
            origin=origin,
        )
    )
    definition = replace(question, key=instrument.key).as_json()
    journal.create(InstrumentVersion(instrument=instrument, number=1, definition=definition))
    _set_domains(journal, programme, instrument, {domain.pk for domain in domains})
    return instrument


def save_card(
    programme: Programme,
    by: User | None,
    instrument: Instrument,
    card: Card,
    *,
    rev: int | None = None,
    item: AgendaItem | None = None,
    item_rev: int | None = None,
    step: Step | None = None,
    path: str = "",
) -> None:
    """Keep a card as it was written. With an `item` it is a step of an agenda, and `step` is kept too.

    Raises `Stale` where somebody else has changed the card since it was drawn. `instrument` and `item` are refreshed.
    """
    about = card.name or card.question.text
    workshop = item.workshop if item else None
    with logged(
        programme, by, "changed_question", about=about, workshop=workshop, path=path, merge_with_last=True
    ) as journal:
        row = Instrument.objects.select_for_update().get(pk=instrument.pk)
        check_rev(row.rev, rev)
        before = bank.published_and_draft(row)[0].question
        title = _title(row.name, before)
        bank.save_definition(journal, row, _with_present_picture(row, card.question))
        _save_sums(journal, row, card)
        _set_domains(journal, programme, row, card.domains)
        _close_card(journal, row, name=card.name[:NAME_LENGTH], retired=card.retired)
        after = bank.published_and_draft(row)[0].question
        titles = (title, _title(row.name, after))
        _follow(journal, row, titles, (_reveal(before), _reveal(after)), item)
        if item and step:
            _save_step(journal, item, item_rev, step, titles)
    instrument.refresh_from_db()


def _with_present_picture(row: Instrument, question: Question) -> Question:
    """A picture is saved by itself, perhaps since this card was read."""
    present = row.versions.latest("number").question.settings
    settings = {name: value for name, value in question.settings.items() if name not in OF_A_PICTURE}
    return replace(
        question, settings=settings | {name: present[name] for name in OF_A_PICTURE if name in present}
    )


def _save_sums(journal: Journal, instrument: Instrument, card: Card) -> None:
    known = bank.newest_measures(instrument)
    for key in card.dropped & known.keys():
        bank.drop_measure(journal, instrument, key)
    for each in card.sums:
        key = each.key or free_key(each.label, known, "sum")
        bank.keep_measure(
            journal, instrument, key, label=each.label, kind=each.kind, definition=each.definition
        )
        known = bank.newest_measures(instrument)


def _close_card(journal: Journal, row: Any, **values: Any) -> None:
    """The last columns of a card and, where anything on it was changed, its next revision; in one change of one row."""
    if journal.changes or any(getattr(row, name) != value for name, value in values.items()):
        journal.update(row, **values, rev=row.rev + 1)


def _set_domains(
    journal: Journal, programme: Programme, instrument: Instrument, wanted: Collection[int]
) -> None:
    through = Domain.instruments.through
    rows = through._default_manager.filter(instrument=instrument, domain__programme=programme)
    present = {row.domain_id: row for row in rows}
    for pk in set(wanted) - present.keys():
        journal.create(through(domain_id=pk, instrument_id=instrument.pk))
    for pk in present.keys() - set(wanted):
        journal.delete(present[pk])


def _title(name: str, question: Question) -> str:
    return (name or question.text)[:TITLE_LENGTH]


def _reveal(question: Question) -> str:
    return question.settings.get("reveal") or Reveal.AFTER_CLOSE


def _follow(
    journal: Journal,
    instrument: Instrument,
    titles: tuple[str, str],
    reveals: tuple[str, str],
    but: AgendaItem | None,
) -> None:
    """Steps of workshops to come that still had the question's former title, or its reveal, get the present ones;
    except `but`, which is saved by itself. Steps at joining are never revealed.
    """
    if titles[0] == titles[1] and reveals[0] == reveals[1]:
        return
    for step in coming_steps(instrument).exclude(pk=but.pk if but else 0):
        if step.title == titles[0]:
            journal.update(step, title=titles[1])
        if step.required_poll.reveal == reveals[0] and not step.profile:
            journal.update(step.required_poll, watch=("opened_at",), reveal=reveals[1])
    for pk in _running(instrument):
        announce.changed(pk, *EVERYTHING)


def coming_steps(instrument: Instrument) -> QuerySet[AgendaItem]:
    """Steps of workshops that have not ended where this question is still to be asked."""
    return AgendaItem.objects.filter(
        poll__version__instrument=instrument, poll__opened_at=None, workshop__removed_at=None
    ).exclude(workshop__status=Workshop.Status.ENDED).select_related("poll")  # fmt: skip


def _running(instrument: Instrument) -> set[int]:
    running = coming_steps(instrument).filter(workshop__status=Workshop.Status.RUNNING)
    return set(running.values_list("workshop_id", flat=True))


# --- versions ----------------------------------------------------------------------------------------------


def publish_version(
    programme: Programme,
    by: User | None,
    instrument: Instrument,
    *,
    kind: str,
    reason: str = "",
    rev: int | None = None,
    path: str = "",
) -> InstrumentVersion:
    """The draft is what will be asked from now on; workshops to come ask it too.

    `kind` is one of `KINDS`. Raises `Stale`, or `bank.NoDraft` where there is none.
    """
    with logged(programme, by, "published_question", about=str(instrument), path=path) as journal:
        row = Instrument.objects.select_for_update().get(pk=instrument.pk)
        check_rev(row.rev, rev)
        before = bank.published_and_draft(row)[0].question
        polls = Poll.objects.filter(agenda_item__in=coming_steps(row)).select_related("version")
        made = bank.publish(journal, row, kind=KINDS[kind], reason=reason, by=by, polls=polls)
        _close_card(journal, row)
        _follow(
            journal, row, (_title(row.name, before), _title(row.name, made.question)),
            (_reveal(before), _reveal(made.question)), None,
        )  # fmt: skip
    instrument.refresh_from_db()
    return made


def keep_version(
    programme: Programme, by: User | None, instrument: Instrument, *, rev: int | None = None, path: str = ""
) -> None:
    """Drop the draft: the question stays as people were asked it. Raises `Stale`."""
    with logged(programme, by, "kept_question", about=str(instrument), path=path) as journal:
        row = Instrument.objects.select_for_update().get(pk=instrument.pk)
        check_rev(row.rev, rev)
        draft = bank.published_and_draft(row)[1]
        if draft is not None:
            journal.delete(draft)
            _close_card(journal, row)
    instrument.refresh_from_db()


# --- prompts and steps ---------------------------------------------------------------------------------------


def add_prompt(
    programme: Programme,
    by: User | None,
    text: str,
    *,
    probes: Sequence[str] = (),
    minutes: int = 10,
    journal: Journal | None = None,
) -> Prompt:
    """A new prompt for groups. An entry of the log of its own without a `journal`."""
    with _entry(programme, by, "added_prompt", text, journal) as changes:
        return _new_prompt(changes, programme, text, list(probes), minutes)


def copy_prompt(
    programme: Programme, by: User | None, prompt: Prompt, *, journal: Journal | None = None
) -> Prompt:
    """A prompt of any programme as a new one of this; it remembers what it is a copy of."""
    with _entry(programme, by, "added_prompt", prompt.text, journal) as changes:
        domain = prompt.domain and programme.domains.filter(key=prompt.domain.key).first()
        return _new_prompt(
            changes, programme, prompt.text, prompt.probes, prompt.minutes,
            wanted=prompt.key, domain=domain, origin=prompt,
        )  # fmt: skip


def _new_prompt(
    journal: Journal,
    programme: Programme,
    text: str,
    probes: list[str],
    minutes: int,
    *,
    wanted: str = "",
    **more: Any,
) -> Prompt:
    Programme.objects.select_for_update().get(pk=programme.pk)
    prompts = programme.prompts.all()
    last = prompts.aggregate(last=Max("position"))["last"]
    return journal.create(
        Prompt(
            programme=programme,
            key=free_key(wanted or text, prompts.values_list("key", flat=True), "prompt"),
            text=text,
            probes=probes,
            minutes=minutes,
            position=0 if last is None else last + 1,
            **more,
        )
    )


def save_prompt(
    programme: Programme,
    by: User | None,
    prompt: Prompt,
    *,
    text: str,
    probes: list[str],
    domain: int | None,
    minutes: int | None = None,
    rev: int | None = None,
    item: AgendaItem | None = None,
    item_rev: int | None = None,
    step: Step | None = None,
    path: str = "",
) -> None:
    """Keep the card of a prompt, alone or as a step of an agenda. Raises `Stale`."""
    with logged(
        programme, by, "changed_prompt", about=text, workshop=item.workshop if item else None, path=path,
        merge_with_last=True,
    ) as journal:  # fmt: skip
        row = Prompt.objects.select_for_update().get(pk=prompt.pk)
        check_rev(row.rev, rev)
        old = row.text[:TITLE_LENGTH]
        values = {"text": text, "probes": probes, "domain_id": domain}
        _close_card(journal, row, **values, minutes=row.minutes if minutes is None else minutes)
        if old != text[:TITLE_LENGTH]:
            coming = AgendaItem.objects.filter(prompt=row, title=old, launched_at=None)
            coming = coming.exclude(workshop__status=Workshop.Status.ENDED)
            for each in coming.exclude(pk=item.pk if item else 0):
                journal.update(each, title=text[:TITLE_LENGTH])
        if item and step:
            _save_step(journal, item, item_rev, step, (old, text[:TITLE_LENGTH]))
    prompt.refresh_from_db()


def save_step(
    programme: Programme,
    by: User | None,
    item: AgendaItem,
    step: Step,
    *,
    rev: int | None = None,
    path: str = "",
) -> None:
    """Keep the card of a pause. Raises `Stale`."""
    with logged(
        programme, by, "changed_step", about=step.title, workshop=item.workshop, path=path,
        merge_with_last=True,
    ) as journal:  # fmt: skip
        _save_step(journal, item, rev, step)


def _save_step(
    journal: Journal, item: AgendaItem, rev: int | None, step: Step, titles: tuple[str, str] = ("", "")
) -> None:
    """`titles` of what it asks, before and after: a step that was called so still is."""
    row = AgendaItem.objects.select_for_update(of=("self",)).select_related("poll").get(pk=item.pk)
    check_rev(row.rev, rev)
    values: dict[str, Any] = {"minutes": step.minutes, "notes": step.notes}
    if row.kind == AgendaItem.Kind.PAUSE:
        values["title"] = step.title[:TITLE_LENGTH]
    elif row.title == titles[0]:
        values["title"] = titles[1]
    own = [name for name, value in values.items() if getattr(row, name) != value]
    revealed = row.poll is not None and step.reveal and row.poll.reveal != step.reveal
    if revealed:
        journal.update(row.required_poll, reveal=step.reveal)
    if own or revealed:
        journal.update(row, **values, rev=row.rev + 1)
    item.refresh_from_db()


# --- removing ----------------------------------------------------------------------------------------------


def remove_question(programme: Programme, by: User | None, instrument: Instrument) -> None:
    """It is offered no more; its answers, and the agendas that ask it, stay. It waits in Removed."""
    _set_removed(programme, by, instrument, "removed_question", timezone.now())


def restore_question(programme: Programme, by: User | None, instrument: Instrument) -> None:
    _set_removed(programme, by, instrument, "restored_question", None)


def remove_prompt(programme: Programme, by: User | None, prompt: Prompt) -> None:
    _set_removed(programme, by, prompt, "removed_prompt", timezone.now())


def restore_prompt(programme: Programme, by: User | None, prompt: Prompt) -> None:
    _set_removed(programme, by, prompt, "restored_prompt", None)


def _set_removed(
    programme: Programme, by: User | None, row: Instrument | Prompt, verb: str, moment: Any
) -> None:
    """Pressed twice, it is the same as pressed once."""
    if (row.removed_at is None) != (moment is None):
        with logged(programme, by, verb, about=str(row)) as journal:
            journal.update(row, removed_at=moment)


@contextmanager
def _entry(
    programme: Programme, by: User | None, verb: str, about: str, journal: Journal | None
) -> Iterator[Journal]:
    """The caller's journal, or an entry of its own in the log."""
    if journal is not None:
        yield journal
        return
    with logged(programme, by, verb, about=about) as own:
        yield own
