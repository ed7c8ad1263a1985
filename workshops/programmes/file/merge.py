"""Three-way merge of a programme: what the file says now, what it said when it was loaded last, what stands here.

What the file has changed since then is taken from it; what it has not changed stays as it was made in the browser.
So a file and the browser can be used in turn, and neither drops silently what the other has made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from . import schema

SECTIONS = ("domain", "instrument", "prompt", "plan")
#: columns that mean something only together
_UNITS: dict[type[schema.FileTable], tuple[tuple[str, ...], ...]] = {
    schema.Instrument: (
        ("type", "text", "help", "options", "points", "items", "settings", "reveal", "measure", "unfinished"),
    )
}


@dataclass
class Merged:
    file: schema.ProgrammeFile
    #: what was made or changed in the browser and stays although the file says otherwise, as the file names it
    kept: list[str] = field(default_factory=list)


def merge(
    base: schema.ProgrammeFile | None, ours: schema.ProgrammeFile, theirs: schema.ProgrammeFile
) -> Merged:
    """`base`: the file that was loaded last; without one the file's values win, and what it does not name stays."""
    merged = Merged(schema.ProgrammeFile(programme=theirs.programme))
    merged.file.programme = _columns(
        merged, "programme", base and base.programme, ours.programme, theirs.programme
    )
    for name in ("information", "benchmark"):
        setattr(merged.file, name, _value(merged, name, base and getattr(base, name), ours, theirs, base))
    for name in SECTIONS:
        _section(merged, name, base, ours, theirs)
    _bring_back_what_is_named(merged, ours, theirs)
    return merged


@dataclass(frozen=True)
class Difference:
    """One value that changes: where, as the file names it, what stands there now, what will."""

    place: str
    now: str
    then: str


def differences(now: schema.ProgrammeFile, then: schema.ProgrammeFile) -> list[Difference]:
    """Texts and numbers that are not the same in both, of tables that both have."""
    tables: list[tuple[str, Any, Any]] = [(_("programme"), now.programme, then.programme)]
    if now.information and then.information:
        tables.append((_("information sheet"), now.information, then.information))
    for name in SECTIONS:
        here, there = _by_key(now, name), _by_key(then, name)
        tables += [(_called(name, key), here[key], there[key]) for key in here if key in there]
    found = []
    for place, before, after in tables:
        for column in before.__struct_fields__:
            old, new = getattr(before, column), getattr(after, column)
            if old != new and isinstance(new, str | int) and isinstance(old, str | int):
                found.append(Difference(f"{place}, {column}", str(old), str(new)))
    return found


def _value(
    merged: Merged,
    name: str,
    was: Any,
    ours: schema.ProgrammeFile,
    theirs: schema.ProgrammeFile,
    base: schema.ProgrammeFile | None,
) -> Any:
    here, said = getattr(ours, name), getattr(theirs, name)
    untouched = said == was if base else not said
    if untouched and here != said:
        merged.kept.append(name)
        return here
    return said


def _columns(merged: Merged, place: str, base: Any, ours: Any, theirs: Any) -> Any:
    """A table in both, column by column, or unit by unit."""
    if base is None:
        return theirs
    values = msgspec.structs.asdict(theirs)
    for unit in _units(type(theirs)):
        was, here, said = ([getattr(table, name) for name in unit] for table in (base, ours, theirs))
        if said == was and here != was:
            values |= dict(zip(unit, here, strict=True))
            merged.kept.append(place if len(unit) > 1 else f"{place}, {unit[0]}")
    return type(theirs)(**values)


def _units(table: type[schema.FileTable]) -> list[tuple[str, ...]]:
    units = _UNITS.get(table, ())
    together = {name for unit in units for name in unit}
    return [*units, *((name,) for name in table.__struct_fields__ if name not in together)]


def _section(
    merged: Merged,
    name: str,
    base: schema.ProgrammeFile | None,
    ours: schema.ProgrammeFile,
    theirs: schema.ProgrammeFile,
) -> None:
    was, here, said = (_by_key(table, name) for table in (base, ours, theirs))
    rows: dict[str, Any] = {}
    for key, table in said.items():
        if key in here:
            rows[key] = _columns(merged, _called(name, key), was.get(key), here[key], table)
            if name == "plan" and _asks_twice(rows[key]):
                rows[key] = table
        elif was.get(key) != table:
            rows[key] = table
        else:
            merged.kept.append(_("%s (removed)") % _called(name, key))
    for key in here.keys() - said.keys() - was.keys():
        rows[key] = here[key]
        merged.kept.append(_called(name, key))
    order = _order(list(was), list(here), list(said))
    setattr(merged.file, name, [rows[key] for key in order if key in rows])


def _by_key(file: schema.ProgrammeFile | None, name: str) -> dict[str, Any]:
    return {table.key: table for table in getattr(file, name)} if file else {}


def _called(name: str, key: str) -> str:
    return {
        "domain": _("domain %s"), "instrument": _("question %s"), "prompt": _("prompt %s"), "plan": _("plan %s"),
    }[name] % key  # fmt: skip


def _order(was: list[str], here: list[str], said: list[str]) -> list[str]:
    """The file's order where it has changed it, else ours; what only the other has follows its neighbour there."""
    common = set(was) & set(here) & set(said)
    moved = [key for key in was if key in common] != [key for key in said if key in common]
    first, second = (said, here) if moved or not was else (here, said)
    order = list(first)
    for place, key in enumerate(second):
        if key not in order:
            before = next((each for each in reversed(second[:place]) if each in order), None)
            order.insert(order.index(before) + 1 if before else 0, key)
    return order


def _asks_twice(plan: schema.Plan) -> bool:
    asked = [*plan.profile, *(entry.poll for entry in plan.agenda if entry.poll)]
    return len(asked) != len(set(asked))


def _bring_back_what_is_named(
    merged: Merged, ours: schema.ProgrammeFile, theirs: schema.ProgrammeFile
) -> None:
    """Nothing goes that a plan, a question, a prompt or a benchmark of the merged programme names."""
    file = merged.file
    polls = {key for plan in file.plan for key in (*plan.profile, *(entry.poll for entry in plan.agenda))}
    polls |= {benchmark.instrument for benchmark in file.benchmark}
    _bring_back(merged, "instrument", polls, ours, theirs)
    _bring_back(merged, "prompt", {entry.prompt for plan in file.plan for entry in plan.agenda}, ours, theirs)
    domains = {key for instrument in file.instrument for key in instrument.domains}
    _bring_back(merged, "domain", domains | {prompt.domain for prompt in file.prompt}, ours, theirs)


def _bring_back(
    merged: Merged, name: str, named: set[str], ours: schema.ProgrammeFile, theirs: schema.ProgrammeFile
) -> None:
    rows = getattr(merged.file, name)
    there = {table.key for table in rows}
    for file in (ours, theirs):
        for table in getattr(file, name):
            if table.key in named - there:
                rows.append(table)
                there.add(table.key)
                removed = _("%s (removed)") % _called(name, table.key)
                if removed in merged.kept:
                    merged.kept.remove(removed)
                else:
                    merged.kept.append(_called(name, table.key))
