"""What a plan puts on an agenda: its steps as rows that are not stored yet (pure reads; writing is `actions/`)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Any

from django.utils.translation import gettext as _

from polls.models import InstrumentVersion

from ..models import AgendaItem, Picture, Programme, Prompt

TITLE_LENGTH = 200

#: one step of a plan as the programme file has it:
#: {"poll" | "prompt" | "pause": …, "minutes", "title", "notes", "picture"}
Entry = dict[str, Any]


class PlanIncomplete(Exception):
    """The plan refers to a question or a prompt that the programme no longer has. The message is for its author."""


@dataclass(frozen=True)
class Step:
    """A step to come: its row, without a workshop, a position or a poll, and the version that is to be asked."""

    item: AgendaItem
    version: InstrumentVersion | None = None


def steps_of(programme: Programme, profile: list[str], agenda: list[Entry]) -> list[Step]:
    """The profile questions, then the agenda, with the newest versions; two queries, and one for pictures where a
    pause has one. Raises `PlanIncomplete`."""
    versions = latest_versions(
        programme, [*profile, *(entry["poll"] for entry in agenda if entry.get("poll"))]
    )
    prompts = _prompts(programme, [entry["prompt"] for entry in agenda if entry.get("prompt")])
    pictures = _pictures(programme, {entry["picture"] for entry in agenda if entry.get("picture")})
    steps = [
        *(_question(versions[key], {}, profile=True) for key in profile),
        *(_step(entry, versions, prompts) for entry in agenda),
    ]
    for step, entry in zip(steps[len(profile) :], agenda, strict=True):
        step.item.picture = pictures.get(entry.get("picture", ""))
    return steps


def _step(entry: Entry, versions: dict[str, InstrumentVersion], prompts: dict[str, Prompt]) -> Step:
    if entry.get("poll"):
        return _question(versions[entry["poll"]], entry)
    if entry.get("prompt"):
        prompt = prompts[entry["prompt"]]
        return Step(_item(AgendaItem.Kind.PROMPT, entry, prompt.text, minutes=prompt.minutes, prompt=prompt))
    return Step(_item(AgendaItem.Kind.PAUSE, entry, entry["pause"]))


def _question(version: InstrumentVersion, entry: Entry, *, profile: bool = False) -> Step:
    return Step(_item(AgendaItem.Kind.POLL, entry, name_of(version), profile=profile), version)


def _item(
    kind: str,
    entry: Entry,
    title: str,
    *,
    minutes: int = 0,
    prompt: Prompt | None = None,
    profile: bool = False,
) -> AgendaItem:
    return AgendaItem(
        kind=kind,
        title=(entry.get("title") or title)[:TITLE_LENGTH],
        minutes=entry.get("minutes", minutes),
        notes=entry.get("notes", ""),
        prompt=prompt,
        profile=profile,
    )


def name_of(version: InstrumentVersion) -> str:
    """What a step is called that asks this version and has no title of its own."""
    return (version.instrument.name or version.question.text)[:TITLE_LENGTH]


def latest_versions(programme: Programme, keys: Iterable[str]) -> dict[str, InstrumentVersion]:
    """Instrument key → its newest version that can be asked, in one query. Raises `PlanIncomplete`."""
    wanted = list(keys)
    versions = known_versions(programme, wanted)
    for key in wanted:
        if key not in versions:
            raise PlanIncomplete(
                _("The plan asks “%(key)s”, which is not among the programme's questions.") % {"key": key}
            )
    return versions


def known_versions(programme: Programme, keys: Iterable[str]) -> dict[str, InstrumentVersion]:
    """The same, without those that are lost or removed."""
    rows = InstrumentVersion.objects.filter(
        instrument__bank=programme.bank_id,
        instrument__key__in=list(keys),
        instrument__removed_at=None,
        draft=False,
    )
    return {row.instrument.key: row for row in rows.select_related("instrument").order_by("number")}


def _prompts(programme: Programme, keys: list[str]) -> dict[str, Prompt]:
    prompts = known_prompts(programme, keys)
    for key in keys:
        if key not in prompts:
            raise PlanIncomplete(
                _("The plan has the prompt “%(key)s”, which is not among the programme's prompts.")
                % {"key": key}
            )
    return prompts


def _pictures(programme: Programme, hashes: set[str]) -> dict[str, Picture]:
    """Hash → picture, without its bytes."""
    if not hashes:
        return {}
    rows = programme.pictures.filter(sha256__in=hashes).defer("data")
    return {row.sha256: row for row in rows}


def known_prompts(programme: Programme, keys: Iterable[str]) -> dict[str, Prompt]:
    return {row.key: row for row in programme.prompts.filter(key__in=list(keys), removed_at=None)}


# --- comparing agendas --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One step as it can be compared between a plan and a workshop."""

    #: "poll:location", "prompt:arrival", "pause:Tea"; the same twice only for pauses
    what: str
    title: str
    minutes: int
    notes: str
    profile: bool
    #: of a pause: the hash of its picture
    picture: str = ""


def lines_of_steps(steps: Iterable[Step]) -> list[Line]:
    return [_line(step.item, step.version) for step in steps]


def lines_of(items: Iterable[AgendaItem]) -> list[Line]:
    """Of a workshop's steps in order, with their prompt, their picture and their poll's version and instrument."""
    return [_line(item, item.poll.version if item.poll else None) for item in items]


def _line(item: AgendaItem, version: InstrumentVersion | None) -> Line:
    if version is not None:
        what = f"poll:{version.instrument.key}"
    else:
        what = f"prompt:{item.prompt.key}" if item.prompt else f"pause:{item.title}"
    picture = item.picture.sha256 if item.picture else ""
    return Line(what, item.title, item.minutes, item.notes, item.profile, picture)


def fingerprint(lines: Iterable[Line], minutes: int) -> str:
    """SHA-256 of a whole agenda and its length: another one, once somebody has edited it."""
    plain = [minutes, *(list(astuple(line)) for line in lines)]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()


def entries_of(lines: Iterable[Line], names: dict[str, str]) -> list[Entry]:
    """Steps as a plan has them. `names`: `what` → the title that such a step has by itself."""
    entries = []
    for line in lines:
        kind, _colon, key = line.what.partition(":")
        entry: Entry = {kind: key, "minutes": line.minutes}
        if kind != "pause" and line.title != names.get(line.what):
            entry["title"] = line.title
        if line.notes:
            entry["notes"] = line.notes
        if line.picture:
            entry["picture"] = line.picture
        entries.append(entry)
    return entries
