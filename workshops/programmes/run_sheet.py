"""What stands on a run sheet: the steps of a workshop with their times, questions, probes and notes, as plain values.

`run_sheet_pdf` makes a PDF of it. Words of the sheet and words of people alike are values there, never markup.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from polls.models import Poll
from polls.types import InvalidQuestion, Question
from polls.types.statement import CHOICES

from ..models import AgendaItem, Mode, Workshop

#: letters and lines of which half a page has room
SHORT, LINES = 1500, 25
#: a plain value of JSON
Sheet = dict[str, Any]


def when(workshop: Workshop) -> str:
    """ "Thursday 26 November 2026, 18:30 to 19:30"; "Until …" of a questionnaire; empty where no day is set."""
    if workshop.mode == Mode.QUESTIONNAIRE:
        if workshop.closes_at is None:
            return ""
        return _("Open until %s") % date_format(timezone.localtime(workshop.closes_at), "l j F Y, H:i")
    if workshop.starts_at is None:
        return ""
    start = timezone.localtime(workshop.starts_at)
    end = timezone.localtime(workshop.starts_at + timedelta(minutes=workshop.minutes))
    return _("%(start)s to %(end)s") % {
        "start": date_format(start, "l j F Y, H:i"),
        "end": date_format(end, "H:i"),
    }


def sheet_of(workshop: Workshop, host: str) -> Sheet:
    """Everything on the sheet; two queries whatever the agenda's length. `host` is what people type to join."""
    items = list(
        workshop.agenda.select_related("poll__version", "prompt", "picture", "workshop")
        .defer("picture__data")
        .order_by("position", "id")
    )
    on_stage = [item for item in items if not item.profile]
    about_people = [_question(item.required_poll) for item in items if item.profile]
    return {
        "language": translation.get_language() or "en",
        "title": workshop.title,
        "kind": _("Run sheet, workshop %d") % workshop.number,
        "programme": workshop.programme.title,
        "facts": _facts(workshop, host),
        "ready": {"title": _("Have ready"), "lines": _ready(workshop, on_stage)},
        "profile": {"title": _("When people join they are asked"), "questions": about_people},
        "agenda": {"title": _("Agenda"), "sum": _sum(workshop, on_stage)},
        "steps": _steps(workshop, on_stage),
        "words": {
            "notes": _("Notes"), "probes": _("If the talk slows down"), "options": _("Options"),
            "picture": _("Picture:"), "page": _("Page"), "of": _("of"), "rule": _("The hour ends here"),
        },
    }  # fmt: skip


def _facts(workshop: Workshop, host: str) -> list[list[str]]:
    """(name, value) of what is known."""
    expected = workshop.expected and ngettext(
        "%d person expected", "%d people expected", workshop.expected
    ) % (workshop.expected)
    facts = [
        (_("When"), when(workshop) or _("No day yet")),
        (_("Where"), ", ".join(part for part in (workshop.place, workshop.region) if part)),
        (_("For"), ", ".join(part for part in (workshop.intended_for, expected) if part)),
        (_("Join at"), _("%(host)s, code %(code)s") % {"host": host, "code": workshop.spaced_code}),
    ]
    return [list(fact) for fact in facts if fact[1]]


def _ready(workshop: Workshop, items: list[AgendaItem]) -> list[str]:
    if workshop.mode == Mode.QUESTIONNAIRE:
        return [_("The joining link, sent to everybody"), _("Somebody who answers questions about it")]
    lines = [
        _("A screen that everybody sees, with the wall open"),
        _("A joining sheet on every table, or the joining link for the chat"),
        _("A phone or two to lend, and paper for who wants none"),
        _("The console, open on your own computer or phone"),
    ]
    if any(item.kind == AgendaItem.Kind.PROMPT for item in items):
        lines.append(_("Places, or video rooms, for small groups"))
    if workshop.sheet is None:
        lines.append(_("An information sheet: there is none yet"))
    return lines


def _sum(workshop: Workshop, items: list[AgendaItem]) -> str:
    minutes = sum(item.minutes for item in items)
    return _("%(planned)d of %(all)d minutes") % {"planned": minutes, "all": workshop.minutes}


def _steps(workshop: Workshop, items: list[AgendaItem]) -> list[Sheet]:
    """Each step with its time; `over` is true of the first one that begins after the workshop should have ended,
    `together` of those that fit on a page and are not to be broken."""
    begun, steps, is_over = 0, [], False
    for item in items:
        over = begun >= workshop.minutes and not is_over and begun > 0
        is_over = is_over or over
        minutes = ngettext("%d minute", "%d minutes", item.minutes) % item.minutes if item.minutes else ""
        time = _time(workshop.starts_at, begun)
        step = _step(item)
        words = [step["text"], step["notes"], *step["options"], *step["probes"]]
        short = sum(len(one) + SHORT // LINES for one in words) < SHORT
        steps.append({"time": time, "minutes": minutes, "over": over, "together": short, **step})
        begun += item.minutes
    return steps


def _time(starts_at: datetime | None, minutes: int) -> str:
    """The time of day; hours and minutes from the beginning where no day is set."""
    if starts_at is None:
        return f"{minutes // 60}:{minutes % 60:02d}"
    return date_format(timezone.localtime(starts_at + timedelta(minutes=minutes)), "H:i")


def _step(item: AgendaItem) -> Sheet:
    step: Sheet = {"title": item.title, "notes": item.notes, "probes": [], "kind": "", "picture": ""}
    if item.poll:
        return step | _question(item.poll)
    if item.prompt:
        return step | {
            "kind": _("In groups"), "text": item.prompt.text, "options": [], "probes": list(item.prompt.probes)
        }  # fmt: skip
    return step | {
        "kind": _("Together"), "text": item.title, "options": [],
        "picture": item.picture.alt if item.picture else "",
    }  # fmt: skip


def _question(poll: Poll) -> Sheet:
    question = poll.question
    return {
        "text": question.text,
        "kind": _kind(poll),
        "options": _options(question),
        "picture": question.settings.get("image_alt", ""),
    }


def _kind(poll: Poll) -> str:
    """ "Rank, choose your top 3"; once where both say the same. The type alone of an unfinished question."""
    title = str(poll.poll_type.title)
    try:
        how = poll.poll_type.instruction(poll.question)
    except InvalidQuestion:
        how = title
    return title if how == title else f"{title}. {how}"


def _options(question: Question) -> list[str]:
    """What people choose from, of every type; lines of a block before its points."""
    if question.type == "statement":
        return [str(label) for label in CHOICES.values()]
    points = question.settings.get("points")
    lines = [option.label for option in question.options]
    lines += [str(item["label"]) for item in question.settings.get("items") or []]
    lines += [str(label) for label in points] if isinstance(points, list) else []
    return [*lines, question.pass_label] if lines and question.pass_label else lines
