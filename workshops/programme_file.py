"""A programme as one human-readable file, in and out: the file ⇄ the database.

Loading brings the database to what the file says, in one transaction: all of it or nothing. Loading the
same file again changes no row. What people have answered is never touched: a question that a poll has
asked gets a next version instead of a change, and what workshops still need is kept when the file drops it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.db import models, transaction
from django.db.models import ProtectedError, RestrictedError
from django.utils.translation import gettext as _

from polls.models import Bank, Instrument, InstrumentVersion, fingerprint
from polls.models import Measure as MeasureRow

from . import programme_format as shape
from .models import Domain, InformationSheet, Plan, Programme, Prompt
from .programme_format import ProgrammeFileError

__all__ = ["Loaded", "ProgrammeFileError", "export", "load"]

Progress = Callable[[int, int], None]


@dataclass
class Loaded:
    """What loading a file did. `changes` are sentences for the person who loaded it."""

    programme: Programme
    changes: list[str] = field(default_factory=list)

    @property
    def is_unchanged(self) -> bool:
        return not self.changes


def load(text: str, filename: str = "", progress: Progress | None = None) -> Loaded:
    """Create or update the programme that `text` describes.

    `progress(done, questions)` is called after every question, at most once a second.
    Raises `ProgrammeFileError`, and then nothing is changed.
    """
    file = shape.parse(text, filename)
    with transaction.atomic():
        return _Loader(file, progress).run()


class _Loader:
    """One load: the file, the rows made from it, and what was said about them."""

    def __init__(self, file: shape.ProgrammeFile, progress: Progress | None) -> None:
        self.file = file
        self.progress = progress
        self.changes: list[str] = []

    def run(self) -> Loaded:
        self.programme = self._programme()
        self._sheet()
        self.domains = {one.key: self._domain(place, one) for place, one in enumerate(self.file.domain)}
        self._instruments()
        self._members_of_domains()
        for place, prompt in enumerate(self.file.prompt):
            self._prompt(place, prompt)
        for place, plan in enumerate(self.file.plan):
            self._plan(place, plan)
        self._leave_out()
        return Loaded(self.programme, self.changes)

    def _programme(self) -> Programme:
        said = msgspec.structs.asdict(self.file.programme)
        bank = self._put(Bank.objects, {"key": said["key"]}, title=said["title"])
        benchmarks = [msgspec.to_builtins(benchmark) for benchmark in self.file.benchmark]
        return self._put(
            Programme.objects,
            {"key": said.pop("key")},
            _("programme"),
            **said,
            bank=bank,
            benchmarks=benchmarks,
        )

    def _sheet(self) -> None:
        """A sheet that people have read is never edited: a changed text is the next sheet."""
        said = self.file.information
        if said is None:
            return
        items = [{"key": one.key, "text": one.text, "required": one.required} for one in said.consent]
        last = self.programme.sheets.last()
        if last is None or (last.lead, last.text, last.items) != (said.lead, said.text, items):
            number = last.number + 1 if last else 1
            self.programme.sheets.create(number=number, lead=said.lead, text=said.text, items=items)
            self.changes.append(_("information sheet %d") % number)

    def _domain(self, place: int, said: shape.Domain) -> Domain:
        return self._put(
            self.programme.domains,
            {"key": said.key},
            _("domain %s") % said.key,
            title=said.title,
            description=said.description,
            position=place,
        )

    def _instruments(self) -> None:
        spoken = time.monotonic()
        rows = self.programme.bank.instruments.prefetch_related("versions__polls", "measures")
        known = {row.key: row for row in rows}
        for place, said in enumerate(self.file.instrument):
            known[said.key] = self._instrument(known.get(said.key), place, said)
            if self.progress and time.monotonic() - spoken > 1:
                spoken = time.monotonic()
                self.progress(place + 1, len(self.file.instrument))
        self.instruments = known

    def _instrument(self, row: Instrument | None, place: int, said: shape.Instrument) -> Instrument:
        if row is None:
            row = self.programme.bank.instruments.create(key=said.key, name=said.name, position=place)
            self.changes.append(_("question %s") % said.key)
        else:
            self._update(row, _("question %s") % said.key, name=said.name, position=place)
        self._version(row, said)
        self._measures(row, said)
        return row

    def _version(self, row: Instrument, said: shape.Instrument) -> None:
        """A changed question is the next version as soon as a poll has asked the last one."""
        definition = said.question.as_json()
        last = max(row.versions.all(), key=lambda version: version.number, default=None)
        if last is None:
            row.versions.create(number=1, definition=definition)
        elif last.fingerprint == fingerprint(definition):
            return
        elif last.polls.all():
            row.versions.create(number=last.number + 1, definition=definition)
            self.changes.append(
                _("question %(key)s, version %(number)d") % {"key": row.key, "number": last.number + 1}
            )
        else:
            last.definition = definition
            last.save()
            self.changes.append(_("question %s") % row.key)

    def _measures(self, row: Instrument, said: shape.Instrument) -> None:
        newest = newest_measures(row)
        for one in said.measure:
            last = newest.get(one.key)
            values = {"label": one.label, "kind": one.kind, "definition": one.definition}
            if last is None or any(getattr(last, name) != value for name, value in values.items()):
                row.measures.create(key=one.key, number=last.number + 1 if last else 1, **values)
                self.changes.append(_("measure %s") % one.key)
        for key in newest.keys() - {one.key for one in said.measure}:
            self._drop(list(row.measures.filter(key=key)), _("measure %s") % key)

    def _members_of_domains(self) -> None:
        for key, domain in self.domains.items():
            members = {self.instruments[one.key].pk for one in self.file.instrument if key in one.domains}
            if members != set(domain.instruments.values_list("pk", flat=True)):
                domain.instruments.set(members)
                self.changes.append(_("domain %s") % key)

    def _prompt(self, place: int, said: shape.Prompt) -> None:
        self._put(
            self.programme.prompts,
            {"key": said.key},
            _("prompt %s") % said.key,
            domain=self.domains.get(said.domain),
            text=said.text,
            probes=said.probes,
            minutes=said.minutes,
            position=place,
        )

    def _plan(self, place: int, said: shape.Plan) -> None:
        self._put(
            self.programme.plans,
            {"key": said.key},
            _("plan %s") % said.key,
            title=said.title,
            minutes=said.minutes,
            profile=said.profile,
            agenda=[msgspec.to_builtins(entry) for entry in said.agenda],
            position=place,
        )

    def _leave_out(self) -> None:
        """What the file no longer names goes, unless answers, workshops or findings need it."""
        for rows, sections, name in (
            (self.programme.plans, self.file.plan, _("plan %s")),
            (self.programme.prompts, self.file.prompt, _("prompt %s")),
            (self.programme.bank.instruments, self.file.instrument, _("question %s")),
            (self.programme.domains, self.file.domain, _("domain %s")),
        ):
            for row in rows.exclude(key__in=[section.key for section in sections]):
                self._drop([row], name % row.key)

    def _drop(self, rows: list[models.Model], name: str) -> None:
        if all(_remove(row) for row in rows):
            self.changes.append(_("left out: %s") % name)

    def _put(self, rows: Any, key: dict[str, str], name: str = "", /, **values: Any) -> Any:
        """The row with this key, created or brought to these values; untouched where it has them already."""
        row = rows.filter(**key).first()
        if row is None:
            row = rows.create(**key, **values)
            self.changes += [name] if name else []
        else:
            self._update(row, name, **values)
        return row

    def _update(self, row: models.Model, name: str, /, **values: Any) -> None:
        changed = [field for field, value in values.items() if getattr(row, field) != value]
        if not changed:
            return
        for column in changed:
            setattr(row, column, values[column])
        row.save(update_fields=changed)
        self.changes += [name] if name else []


#: what may go together with a dropped row; anything else that hangs on it keeps it
_ITS_OWN = {
    "polls.Instrument",
    "polls.InstrumentVersion",
    "polls.Measure",
    "workshops.Domain",
    "workshops.Domain_instruments",
    "workshops.Prompt",
    "workshops.Plan",
}


def _remove(row: models.Model) -> bool:
    """Delete the row if nothing but its own parts goes with it; else leave all as it was."""
    try:
        with transaction.atomic():
            _count, gone = row.delete()
            if gone.keys() - _ITS_OWN:
                raise ProtectedError("", set())
    except (ProtectedError, RestrictedError):
        return False
    return True


def newest_measures(instrument: Instrument) -> dict[str, MeasureRow]:
    """Key → the measure with the highest number, in the order of their making."""
    newest: dict[str, MeasureRow] = {}
    for row in instrument.measures.all():
        if row.key not in newest or newest[row.key].number < row.number:
            newest[row.key] = row
    return newest


# --- out --------------------------------------------------------------------------------------


def export(programme: Programme) -> str:
    """The programme as text that loads to the same programme again: newest versions, newest sheet."""
    return shape.dump(
        shape.ProgrammeFile(
            programme=_programme_section(programme),
            information=_information(programme.sheets.last()),
            domain=[
                shape.Domain(key=one.key, title=one.title, description=one.description)
                for one in programme.domains.all()
            ],
            instrument=_instrument_sections(programme),
            prompt=[_prompt_section(one) for one in programme.prompts.select_related("domain")],
            plan=[_plan_section(one) for one in programme.plans.all()],
            benchmark=msgspec.convert(programme.benchmarks, list[shape.Benchmark]),
        )
    )


def _programme_section(programme: Programme) -> shape.ProgrammeSection:
    names = shape.ProgrammeSection.__struct_fields__
    return shape.ProgrammeSection(**{name: getattr(programme, name) for name in names})


def _information(sheet: InformationSheet | None) -> shape.Information | None:
    if sheet is None:
        return None
    return shape.Information(
        lead=sheet.lead, text=sheet.text, consent=msgspec.convert(sheet.items, list[shape.Consent])
    )


def _instrument_sections(programme: Programme) -> list[shape.Instrument]:
    rows = programme.bank.instruments.prefetch_related("versions", "measures", "domains")
    return [_instrument_section(row, row.versions.all()[len(row.versions.all()) - 1]) for row in rows]


def _instrument_section(row: Instrument, version: InstrumentVersion) -> shape.Instrument:
    question = version.question
    settings = dict(question.settings)
    domains = [domain.key for domain in row.domains.all()]
    return shape.Instrument(
        key=row.key,
        name=row.name,
        domain=domains[0] if len(domains) == 1 else domains or "",
        type=question.type,
        text=question.text,
        help=question.help,
        options={option.key: option.label for option in question.options},
        points=settings.pop("points", []),
        items={item["key"]: item["label"] for item in settings.pop("items", [])},
        reveal=settings.pop("reveal", ""),
        settings=settings,
        measure=[
            shape.Measure(key=one.key, label=one.label, kind=one.kind, **one.definition)
            for one in newest_measures(row).values()
        ],
    )


def _prompt_section(row: Prompt) -> shape.Prompt:
    domain = row.domain.key if row.domain else ""
    return shape.Prompt(key=row.key, domain=domain, text=row.text, probes=row.probes, minutes=row.minutes)


def _plan_section(row: Plan) -> shape.Plan:
    agenda = msgspec.convert(row.agenda, list[shape.AgendaEntry])
    return shape.Plan(key=row.key, title=row.title, minutes=row.minutes, profile=row.profile, agenda=agenda)
