"""The one write path to banks: questions, their versions and measures, and the draft polls made from them.

A version that people have been asked never changes: a changed question is its next version. In the editor that next
version is a draft first, which nobody is asked until somebody says what was changed and publishes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from .journal import Journal
from .lifecycle import Reveal, State
from .models import Bank, ComparabilityMark, Instrument, InstrumentVersion, Measure, Poll, fingerprint
from .types import Question


def save_bank(key: str, title: str) -> Bank:
    """The bank with this key, a new one where there is none."""
    return Bank.objects.update_or_create(key=key, defaults={"title": title})[0]


def add_instrument(
    journal: Journal, bank: Bank, key: str, question: Question, *, name: str = "", position: int = 0
) -> Instrument:
    """A question and its first version."""
    instrument = journal.create(Instrument(bank=bank, key=key, name=name, position=position))
    journal.create(InstrumentVersion(instrument=instrument, number=1, definition=question.as_json()))
    return instrument


def revise(journal: Journal, instrument: Instrument, question: Question) -> InstrumentVersion | None:
    """Make this the newest definition of a question; returns its version, or `None` where nothing changed.

    A version that nobody was asked is replaced, any other is followed by the next. A draft of the editor is kept and
    comes after that.
    """
    definition = question.as_json()
    versions = sorted(instrument.versions.all(), key=lambda version: version.number)
    last = next(version for version in reversed(versions) if not version.draft)
    if last.fingerprint == fingerprint(definition):
        return None
    if not any(poll.opened_at for poll in last.polls.all()):
        journal.update(last, definition=definition)
        return last
    for draft in versions:
        if draft.draft:
            journal.update(draft, number=last.number + 2)
    return journal.create(
        InstrumentVersion(instrument=instrument, number=last.number + 1, definition=definition)
    )


def save_definition(journal: Journal, instrument: Instrument, question: Question) -> InstrumentVersion:
    """What somebody has written in the editor; it may be unfinished. Returns the version that holds it now.

    While nobody was asked the newest version, it is changed in place, and planned polls of it follow. From then on
    the draft is changed; a draft that has come to say the same as the published version is dropped.
    """
    definition = question.as_json()
    published, draft = published_and_draft(instrument)
    if draft is not None:
        if definition == published.definition:
            journal.delete(draft)
            return published
        journal.update(draft, definition=definition)
        return draft
    if definition == published.definition:
        return published
    if not published.is_asked:
        journal.update(published, definition=definition)
        return published
    return journal.create(
        InstrumentVersion(
            instrument=instrument, number=published.number + 1, definition=definition, draft=True
        )
    )


def published_and_draft(instrument: Instrument) -> tuple[InstrumentVersion, InstrumentVersion | None]:
    """The newest version that can be asked, and the draft of the next where there is one; one query."""
    newest = list(instrument.versions.order_by("-number")[:2])
    draft = newest[0] if newest[0].draft else None
    return (newest[1] if draft else newest[0]), draft


def publish(
    journal: Journal,
    instrument: Instrument,
    *,
    kind: str = "",
    reason: str = "",
    by: Any = None,
    polls: Iterable[Poll] = (),
) -> InstrumentVersion:
    """The draft becomes the version that is asked from now on. Raises `NoDraft`.

    `kind` is one of `ComparabilityMark.Kind` where somebody says that it asks the same as the version before, so that
    answers to both are added up; empty where it starts a series of its own. `polls` never opened move to it.
    """
    published, draft = published_and_draft(instrument)
    if draft is None:
        raise NoDraft
    journal.update(draft, draft=False)
    if kind:
        journal.create(
            ComparabilityMark(
                earlier=published, later=draft, kind=ComparabilityMark.Kind(kind), reason=reason, by=by
            )
        )
    move_polls(journal, polls, published, draft)
    return draft


def move_polls(
    journal: Journal, polls: Iterable[Poll], old: InstrumentVersion, new: InstrumentVersion
) -> None:
    """Those of these polls that would have asked `old`, and have not, will ask `new`."""
    for poll in polls:
        if poll.version_id == old.pk and poll.state == State.DRAFT and poll.opened_at is None:
            # Once it has been opened, nobody can take this back.
            journal.update(poll, watch=("opened_at",), version_id=new.pk)


class NoDraft(Exception):
    """There is nothing to publish: the question says what its newest version says."""


def newest_measures(instrument: Instrument) -> dict[str, Measure]:
    """Key → the measure with the highest version number, oldest first."""
    newest: dict[str, Measure] = {}
    for row in instrument.measures.all():
        if row.key not in newest or newest[row.key].number < row.number:
            newest[row.key] = row
    return newest


def keep_measure(
    journal: Journal, instrument: Instrument, key: str, *, label: str, kind: str, definition: dict[str, Any]
) -> bool:
    """Returns whether anything changed. A number that no frozen result has is changed in place, so that a name typed
    slowly is not a version a letter; any other is followed by the next."""
    last = newest_measures(instrument).get(key)
    values: dict[str, Any] = {"label": label, "kind": kind, "definition": definition}
    if last is not None and (last.label, last.kind, last.definition) == (label, kind, definition):
        return False
    if last is not None and not _is_frozen(last):
        return journal.update(last, **values)
    number = last.number + 1 if last else 1
    journal.create(Measure(instrument=instrument, key=key, number=number, **values))
    return True


def drop_measure(journal: Journal, instrument: Instrument, key: str) -> None:
    for measure in instrument.measures.filter(key=key):
        journal.delete(measure)


def _is_frozen(measure: Measure) -> bool:
    """Does a closed poll's result hold this version of it?"""
    frozen = Poll.objects.filter(version__instrument=measure.instrument_id, result__isnull=False)
    return any(
        (share["key"], share["number"]) == (measure.key, measure.number)
        for result in frozen.values_list("result", flat=True)
        if result is not None
        for share in result["measures"]
    )


def draft_polls(versions: Iterable[InstrumentVersion], *, hidden: Collection[int] = ()) -> list[Poll]:
    """A draft poll for each version, in order; two queries at most. Results of polls at the indexes `hidden` are
    never shown to the room, the others as their question says."""
    return Poll.objects.bulk_create(
        Poll(version=version, reveal=Reveal.NEVER if index in hidden else _reveal(version))
        for index, version in enumerate(versions)
    )


def _reveal(version: InstrumentVersion) -> str:
    return version.definition.get("settings", {}).get("reveal") or Reveal.AFTER_CLOSE


def reword(instrument: int, text: str, name: str) -> None:
    """Replace the wording of a question that quotes somebody, in all of its versions, asked ones too.

    Their `meaning` stays: what people answered is still one series, and no version becomes another one.
    """
    for version in InstrumentVersion.objects.filter(instrument=instrument):
        definition = {**version.definition, "text": text}
        InstrumentVersion.objects.filter(pk=version.pk).update(
            definition=definition, fingerprint=fingerprint(definition)
        )
    Instrument.objects.filter(pk=instrument).update(name=name)
