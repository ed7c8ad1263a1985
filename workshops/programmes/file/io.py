"""A programme in the database as the values and the text of its file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from polls.bank import newest_measures
from polls.models import Instrument, InstrumentVersion
from polls.types import POLL_TYPES, InvalidQuestion

from ...models import InformationSheet, Programme
from . import format as file_format
from . import schema as file_schema
from . import text as file_text
from .checks import ProgrammeFileError

T = TypeVar("T")


def export(programme: Programme) -> str:
    """The programme as the text of a file that loads to the same programme: newest versions, newest sheet.

    It is the file that was loaded last, comments and all, with what has changed since.
    """
    return file_text.with_values(programme.file_text, as_file(programme))


def last_loaded(programme: Programme) -> file_schema.ProgrammeFile | None:
    """The file that was loaded last; `None` where there was none, or where it can no longer be read."""
    try:
        return file_format.parse(programme.file_text) if programme.file_text else None
    except ProgrammeFileError:
        return None


def as_file(programme: Programme) -> file_schema.ProgrammeFile:
    """What is there and not removed, as the values of a file."""
    prompts = programme.prompts.filter(removed_at=None).select_related("domain")
    return file_schema.ProgrammeFile(
        programme=_section(file_schema.ProgrammeSection, programme),
        information=_information(programme.sheets.last()),
        domain=[_section(file_schema.Domain, row) for row in programme.domains.all()],
        instrument=_instrument_sections(programme),
        prompt=[
            _section(file_schema.Prompt, row, domain=row.domain.key if row.domain else "") for row in prompts
        ],
        plan=[
            _section(file_schema.Plan, row, agenda=msgspec.convert(row.agenda, list[file_schema.AgendaEntry]))
            for row in programme.plans.filter(removed_at=None)
        ],
        benchmark=msgspec.convert(programme.benchmarks, list[file_schema.Benchmark]),
    )


def _section(table: Callable[..., T], row: Any, **more: Any) -> T:
    """A row as the table whose names its columns have; `more` replaces values."""
    fields = msgspec.structs.fields(table)  # type: ignore[arg-type]
    values = {field.name: getattr(row, field.name) for field in fields} | more
    # msgspec leaves out what is the default itself, and a row's equal value is another object.
    return table(**{f.name: values[f.name] for f in fields if values[f.name] != f.default})


def _information(sheet: InformationSheet | None) -> file_schema.Information | None:
    if sheet is None:
        return None
    return file_schema.Information(
        lead=sheet.lead, text=sheet.text, consent=msgspec.convert(sheet.items, list[file_schema.Consent])
    )


def _instrument_sections(programme: Programme) -> list[file_schema.Instrument]:
    rows = programme.bank.instruments.filter(removed_at=None)
    rows = rows.prefetch_related("versions", "measures", "domains")
    return [_instrument_section(row, _newest(row)) for row in rows]


def _newest(row: Instrument) -> InstrumentVersion:
    return max((version for version in row.versions.all() if not version.draft), key=lambda each: each.number)


def _instrument_section(row: Instrument, version: InstrumentVersion) -> file_schema.Instrument:
    question = version.question
    settings = dict(question.settings)
    domains = [domain.key for domain in row.domains.all()]
    section = file_schema.Instrument(
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
            file_schema.Measure(key=measure.key, label=measure.label, kind=measure.kind, **measure.definition)
            for measure in newest_measures(row).values()
        ],
    )
    section.unfinished = not _is_finished(section)
    return section


def _is_finished(section: file_schema.Instrument) -> bool:
    """Would the file be refused for this question? It was begun in the browser, where that is allowed."""
    try:
        POLL_TYPES[section.type].check(section.question)
    except InvalidQuestion:
        return False
    return bool(section.text.strip()) and all(label.strip() for label in section.options.values())
