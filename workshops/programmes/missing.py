"""What a workshop lacks before its doors open: unfinished questions, and nothing to agree to, keep them shut; the rest
is advice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from ..models import AgendaItem, Workshop
from .problems import problems


@dataclass(frozen=True)
class Missing:
    """One thing that is missing, as a sentence with the address of where it is mended."""

    text: str
    href: str
    #: the step that it is missing at
    step: AgendaItem | None = None
    #: the doors stay shut: phones could not show this step, or nobody could agree to anything
    blocks: bool = False
    #: only owners can mend it there
    for_owners: bool = False


def missing_of(workshop: Workshop, steps: Sequence[AgendaItem] | None = None) -> list[Missing]:
    """What is missing, in the order in which a person meets it. `steps` with polls and versions save a query."""
    if steps is None:
        steps = list(workshop.agenda.select_related("poll__version"))
    return [*_about_the_sheet(workshop), *_about_steps(workshop, steps)]


def unfinished(step: AgendaItem) -> list[str]:
    """What the question of a step lacks, as sentences; empty for a question that was asked already."""
    if step.poll is None or not step.poll.is_draft:
        return []
    return problems(step.poll.question)


def _about_the_sheet(workshop: Workshop) -> list[Missing]:
    programme, sheet = workshop.programme, workshop.sheet
    if workshop.is_planned:  # the newest is what people will agree to
        sheet = programme.sheets.last() or sheet
    href = reverse("settings", args=[programme.key])
    found = []
    if sheet is None:
        found.append(
            Missing(
                _("An information sheet, so that people know what they agree to"),
                href,
                blocks=True,
                for_owners=True,
            )
        )
    elif not any(item["required"] for item in sheet.items):
        found.append(
            Missing(
                _("Something on the information sheet that people have to agree to"),
                href,
                blocks=True,
                for_owners=True,
            )
        )
    if not programme.contact:
        found.append(Missing(_("Who people can write to, on the information sheet"), href, for_owners=True))
    return found


def _about_steps(workshop: Workshop, steps: Sequence[AgendaItem]) -> list[Missing]:
    page = reverse("prepare", args=[workshop.code])
    if not any(not step.profile for step in steps):
        return [Missing(_("A first step: the agenda is empty"), f"{page}#one")]
    found = []
    for step in steps:
        anchor = "#step-about" if step.profile else f"#step-{step.pk}"
        for words in unfinished(step):
            text = _("%(problem)s: “%(step)s”") % {
                "problem": words.rstrip("."),
                "step": _shortened(step.required_poll.question.text),
            }
            found.append(Missing(text, page + anchor, step, blocks=True))
    return found


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57].rstrip() + "…"
