"""Uploaded pictures in a programme file: it names them by their hash, and their bytes stay in the database.

A file may come to a server that does not have one: the question or pause is loaded without it, and somebody is told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from polls.types.base import OF_A_PICTURE, UPLOADED

from .schema import Instrument, Plan, ProgrammeFile


def hash_of(settings: Mapping[str, Any]) -> str:
    """The hash of the uploaded picture that a question's settings name; empty without one."""
    image = settings.get("image")
    found = UPLOADED.fullmatch(image) if isinstance(image, str) else None
    return found[1] if found else ""


def hashes_in(file: ProgrammeFile) -> set[str]:
    of_pauses = {entry.picture for plan in file.plan for entry in plan.agenda}
    return (of_pauses | {hash_of(each.settings) for each in file.instrument}) - {""}


def with_only(file: ProgrammeFile, present: Collection[str]) -> tuple[ProgrammeFile, list[str]]:
    """The file without pictures whose hashes are not `present`, and a sentence for each that was left out."""
    left_out: list[str] = []
    instruments = [_question(each, present, left_out) for each in file.instrument]
    plans = [_plan(each, present, left_out) for each in file.plan]
    return msgspec.structs.replace(file, instrument=instruments, plan=plans), left_out


def _question(each: Instrument, present: Collection[str], left_out: list[str]) -> Instrument:
    sha256 = hash_of(each.settings)
    if not sha256 or sha256 in present:
        return each
    left_out.append(_("the picture of question %s, which is not on this server") % each.key)
    plain = {name: value for name, value in each.settings.items() if name not in OF_A_PICTURE}
    return msgspec.structs.replace(each, settings=plain)


def _plan(plan: Plan, present: Collection[str], left_out: list[str]) -> Plan:
    agenda = []
    for entry in plan.agenda:
        if entry.picture and entry.picture not in present:
            words = _("the picture of “%(pause)s” in plan %(plan)s, which is not on this server")
            left_out.append(words % {"pause": entry.pause or entry.title, "plan": plan.key})
            entry = msgspec.structs.replace(entry, picture="")
        agenda.append(entry)
    return msgspec.structs.replace(plan, agenda=agenda)
