"""A programme file is loaded: what it has changed since it was loaded last is taken over, in one transaction.

What was made in the browser meanwhile stays (`programmes.file.merge`), and loading the same file again changes
nothing. Answers are never touched: a question that people were asked gets a next version instead of a change, and what
the file no longer has is marked as removed and waits thirty days.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import ProtectedError, RestrictedError
from django.utils import timezone
from django.utils.translation import gettext as _

from polls import bank
from polls.journal import Journal
from polls.models import Instrument

from ...models import Domain, Programme, Prompt
from ...models import Plan as PlanRow
from ...programmes.file import format as file_format
from ...programmes.file import io as file_io
from ...programmes.file import merge as file_merge
from ...programmes.file import pictures as file_pictures
from ...programmes.file import schema as file_schema
from ...programmes.file.checks import Mistake, ProgrammeFileError
from ..log import logged
from . import pictures, sheets

Progress = Callable[[int, int], None]


@dataclass
class Loaded:
    """The result of a load; all sentences are for the person who loaded the file."""

    programme: Programme
    is_new: bool
    changes: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    #: what was made or changed in the browser and stays, although the file says otherwise
    kept: list[str] = field(default_factory=list)
    #: pictures that the file names and this server does not have
    left_out: list[str] = field(default_factory=list)
    #: texts and numbers, as they were and as they are now
    differences: list[file_merge.Difference] = field(default_factory=list)

    @property
    def is_unchanged(self) -> bool:
        return not self.is_new and not self.changes and not self.removed


def load(
    text: str,
    filename: str = "",
    progress: Progress | None = None,
    *,
    by: User | None = None,
    into: Programme | None = None,
    whole: bool = False,
) -> Loaded:
    """Create or update the programme that `text` describes.

    `whole`: make everything as the file says, also what was made or changed in the browser meanwhile. `into`: the one
    programme that it may be. `progress(done, questions)` is called after every question, at most once a second.
    Raises `ProgrammeFileError`, and then nothing is changed.
    """
    file = file_format.parse(text, filename)
    key = file.programme.key
    if into is not None and into.key != key:
        words = _("programme, key: this is the file of “%(key)s”, expected that of “%(own)s”")
        raise ProgrammeFileError([Mistake(words % {"key": key, "own": into.key})], filename)
    with transaction.atomic():
        programme = Programme.objects.select_for_update().select_related("bank").filter(key=key).first()
        is_new = programme is None
        if programme is None:
            title = file.programme.title
            programme = Programme.objects.create(key=key, title=title, bank=bank.save_bank(key, title))
        verb = "made_programme" if is_new else "loaded_file"
        with logged(programme, by, verb, about=programme.title, always=is_new) as journal:
            # A programme is not unmade by an undo of its making, but removed.
            changes = Journal() if is_new else journal
            present = pictures.adopt(programme, file_pictures.hashes_in(file))
            file, left_out = file_pictures.with_only(file, present)
            loaded = _Loader(changes, programme, file, text, progress).run(is_new=is_new, whole=whole)
            loaded.left_out = left_out
            return loaded


def preview(text: str, filename: str = "", *, into: Programme | None = None, whole: bool = False) -> Loaded:
    """What `load` would do, by doing it and taking it back."""
    with transaction.atomic():
        loaded = load(text, filename, into=into, whole=whole)
        transaction.set_rollback(True)
    return loaded


class _Loader:
    """One load: the file merged with what is there, the rows made from it, and what is said about it."""

    def __init__(
        self,
        journal: Journal,
        programme: Programme,
        file: file_schema.ProgrammeFile,
        text: str,
        progress: Progress | None,
    ) -> None:
        self.journal, self.programme, self.theirs, self.text = journal, programme, file, text
        self.progress = progress
        self.changes: list[str] = []
        self.removed: list[str] = []

    def run(self, *, is_new: bool, whole: bool) -> Loaded:
        merged = file_merge.Merged(self.theirs)
        differences = []
        if not is_new:
            ours = file_io.as_file(self.programme)
            if not whole:
                merged = file_merge.merge(file_io.last_loaded(self.programme), ours, self.theirs)
            differences = file_merge.differences(ours, merged.file)
        self.file = merged.file
        self._programme(is_new)
        self._sheet()
        self.domains = {
            spec.key: self._section(Domain, _("domain %s"), position, spec)
            for position, spec in enumerate(self.file.domain)
        }
        self._instruments()
        self._domain_members()
        for position, prompt in enumerate(self.file.prompt):
            domain = self.domains.get(prompt.domain)
            self._section(Prompt, _("prompt %s"), position, prompt, domain=domain)
        for position, plan in enumerate(self.file.plan):
            self._section(PlanRow, _("plan %s"), position, plan)
        self._remove_missing()
        self.journal.update(self.programme, file_text=self.text)
        return Loaded(
            self.programme, is_new, list(dict.fromkeys(self.changes)), self.removed, merged.kept,
            differences=differences,
        )  # fmt: skip

    def _programme(self, is_new: bool) -> None:
        values = msgspec.structs.asdict(self.file.programme)
        values["benchmarks"] = [msgspec.to_builtins(benchmark) for benchmark in self.file.benchmark]
        if any(getattr(self.programme, name) != value for name, value in values.items()):
            values["rev"] = self.programme.rev + 1
        changed = self.journal.update(self.programme, removed_at=None, **values)
        self.journal.update(self.programme.bank, title=values["title"])
        if changed or is_new:
            self.changes.append(_("programme"))

    def _sheet(self) -> None:
        spec = self.file.information
        if spec is None:
            return
        items = [{"key": item.key, "text": item.text, "required": item.required} for item in spec.consent]
        sheet = sheets.write_sheet(self.journal, self.programme, lead=spec.lead, text=spec.text, items=items)
        if sheet:
            self.changes.append(_("information sheet %d") % sheet.number)

    def _section(self, model: Any, name: str, position: int, spec: file_schema.FileTable, **more: Any) -> Any:
        """A table of the file as a row whose columns have the same names; `more` replaces values."""
        values = {
            column: msgspec.to_builtins(value) for column, value in msgspec.structs.asdict(spec).items()
        }
        key = values.pop("key")
        values |= {"position": position, **more}
        row = model.objects.filter(programme=self.programme, key=key).first()
        if row is None:
            row = self.journal.create(model(programme=self.programme, key=key, **values))
            self.changes.append(name % key)
            return row
        if hasattr(row, "removed_at"):
            values["removed_at"] = None
        if hasattr(row, "rev") and any(getattr(row, column) != value for column, value in values.items()):
            values["rev"] = row.rev + 1
        if self.journal.update(row, **values):
            self.changes.append(name % key)
        return row

    # -- questions

    def _instruments(self) -> None:
        reported_at = time.monotonic()
        rows = self.programme.bank.instruments.prefetch_related("versions__polls", "measures")
        known = {row.key: row for row in rows}
        for position, spec in enumerate(self.file.instrument):
            known[spec.key] = self._instrument(known.get(spec.key), position, spec)
            if self.progress and time.monotonic() - reported_at > 1:
                reported_at = time.monotonic()
                self.progress(position + 1, len(self.file.instrument))
        self.instruments = known

    def _instrument(self, row: Instrument | None, position: int, spec: file_schema.Instrument) -> Instrument:
        if row is None:
            row = bank.add_instrument(
                self.journal,
                self.programme.bank,
                spec.key,
                spec.question,
                name=spec.name,
                position=position,
            )
            self.changes.append(_("question %s") % spec.key)
        else:
            self._revise(row, position, spec)
        self._measures(row, spec)
        return row

    def _revise(self, row: Instrument, position: int, spec: file_schema.Instrument) -> None:
        newest = max(version.number for version in row.versions.all() if not version.draft)
        changed = bank.revise(self.journal, row, spec.question)
        values: dict[str, Any] = {"name": spec.name, "position": position, "removed_at": None}
        if changed or any(getattr(row, column) != value for column, value in values.items()):
            self.journal.update(row, **values, rev=row.rev + 1)
            self.changes.append(
                _("question %(key)s, version %(number)d") % {"key": row.key, "number": changed.number}
                if changed and changed.number > newest
                else _("question %s") % row.key
            )

    def _measures(self, row: Instrument, spec: file_schema.Instrument) -> None:
        for measure in spec.measure:
            if bank.keep_measure(
                self.journal, row, measure.key,
                label=measure.label, kind=measure.kind, definition=measure.definition,
            ):  # fmt: skip
                self.changes.append(_("measure %s") % measure.key)
        for key in bank.newest_measures(row).keys() - {measure.key for measure in spec.measure}:
            bank.drop_measure(self.journal, row, key)
            self.changes.append(_("measure %s") % key)

    def _domain_members(self) -> None:
        """Rows of the table between domains and questions, so that they are in the journal."""
        members = Domain.instruments.through
        here = {self.instruments[spec.key].pk: spec for spec in self.file.instrument}
        for key, domain in self.domains.items():
            wanted = {pk for pk, spec in here.items() if key in spec.domains}
            # A question that is removed keeps its domains, in case it comes back.
            rows = members.objects.filter(domain=domain, instrument__in=here)
            there = {row.instrument_id: row for row in rows}
            for pk in sorted(wanted - there.keys()):
                self.journal.create(members(domain_id=domain.pk, instrument_id=pk))
            for pk in sorted(there.keys() - wanted):
                self.journal.delete(there[pk])
            if wanted != there.keys():
                self.changes.append(_("domain %s") % key)

    # -- what the file no longer has

    def _remove_missing(self) -> None:
        now = timezone.now()
        for rows, sections, name in (
            (self.programme.plans, self.file.plan, _("plan %s")),
            (self.programme.prompts, self.file.prompt, _("prompt %s")),
            (self.programme.bank.instruments, self.file.instrument, _("question %s")),
        ):
            for row in rows.filter(removed_at=None).exclude(key__in=[section.key for section in sections]):
                self.journal.update(row, removed_at=now, rev=row.rev + 1)
                self.removed.append(name % row.key)
        for domain in self.programme.domains.exclude(key__in=self.domains):
            if delete_domain(self.journal, domain):
                self.removed.append(_("domain %s") % domain.key)


def delete_domain(journal: Journal, domain: Domain) -> bool:
    """Delete a domain that nothing published or drafted stands on; returns whether it did.

    Its questions and prompts stay, without it.
    """
    try:
        with transaction.atomic():
            steps = Journal()
            for row in Domain.instruments.through.objects.filter(domain=domain):
                steps.delete(row)
            for prompt in domain.prompts.all():
                steps.update(prompt, domain=None)
            steps.delete(domain)
    except (ProtectedError, RestrictedError):
        return False
    journal.changes += steps.changes
    return True
