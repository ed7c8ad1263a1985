"""Programmes are made from a template, a file or a title; their settings are changed; they are removed and come back.

Whoever makes a programme owns it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from polls.journal import Journal
from polls.models import Bank

from ...models import Domain, Membership, Programme, Role, Workshop
from ...programmes import colour, templates
from ...programmes.file import format as file_format
from ...programmes.keys import free_key
from ...signals import announce
from ...signals.topics import REMOVED
from .. import facilitation
from ..log import Stale, check_rev, logged
from . import programme_file, workshops
from .programme_file import Loaded, delete_domain

#: columns that the settings page changes
SETTINGS = (
    "title", "strapline", "team", "funder", "cite", "hue", "while_waiting", "closing", "contact", "keep_months",
    "second_factor",
)  # fmt: skip


class NotPossible(Exception):
    """The message is one sentence for the person."""


# --- making ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    programme: Programme
    #: the first workshop, to be prepared next
    workshop: Workshop


def free_programme_key(title: str) -> str:
    """A key that no programme has, and none had: banks stay."""
    taken = {*Programme.objects.values_list("key", flat=True), *Bank.objects.values_list("key", flat=True)}
    return free_key(title, taken, _("programme"))


@transaction.atomic
def make_from_template(by: User, name: str, title: str = "") -> Made:
    """A copy of a shipped programme, under a key of its own. Raises `KeyError` for a template that is none."""
    title = title or templates.template(name).title
    return _made(by, templates.copied(name, free_programme_key(title), title))


@transaction.atomic
def make_with_title(by: User, title: str) -> Made:
    """An empty programme with a short information sheet, and an empty workshop to begin in."""
    return _made(by, templates.title_alone(free_programme_key(title), title))


@transaction.atomic
def make_from_file(by: User, text: str) -> Made:
    """A new programme as the file says; its key is changed where another programme has it, and the short information
    sheet comes with it where it has none. Raises `ProgrammeFileError`."""
    return _made(by, as_new(text))


def as_new(text: str) -> str:
    """The text of the file as `make_from_file` takes it."""
    file = file_format.parse(text)
    programme = file.programme
    if (
        Programme.objects.filter(key=programme.key).exists()
        or Bank.objects.filter(key=programme.key).exists()
    ):
        key = free_programme_key(programme.key)
        text = templates.renamed(text, file, key, programme.title)
        file = file_format.parse(text)
    return text if file.information else templates.with_sheet(text, file)


def _made(by: User, text: str) -> Made:
    programme = programme_file.load(text, by=by).programme
    Membership.objects.create(programme=programme, user=by, role=Role.OWNER)
    return Made(programme, _first_workshop(programme, by))


def _first_workshop(programme: Programme, by: User) -> Workshop:
    plan = programme.plans.first()
    if plan is not None:
        return workshops.plan_workshop(programme, plan, by=by, title=programme.title)
    with logged(programme, by, "planned", about=programme.title) as journal:
        return journal.create(
            Workshop(programme=programme, title=programme.title, number=1, sheet=programme.sheets.last())
        )


def load_file(programme: Programme, by: User, text: str, *, whole: bool) -> Loaded:
    """A changed file of a programme that is there. Raises `ProgrammeFileError`."""
    return programme_file.load(text, by=by, into=programme, whole=whole)


# --- the demo -------------------------------------------------------------------------------------------------

DEMO = "ideal_baby_room"


@transaction.atomic
def make_demo(by: User) -> Programme:
    """A demonstration of one's own, so that nobody stands in another's way."""
    programme = make_from_template(by, DEMO, _("Demo: The Ideal Baby Room")).programme
    Programme.objects.filter(pk=programme.pk).update(demo=True)
    return programme


@transaction.atomic
def make_demo_anew(programme: Programme, by: User) -> None:
    """Questions and plans as they were; workshops that were run by hand go, invented ones stay.

    Raises `NotPossible` while people are in one of them with their own phones.
    """
    assert programme.demo
    here = programme.workshops.filter(removed_at=None, synthetic=False)
    for workshop in here.filter(status=Workshop.Status.RUNNING):
        if workshop.participants.filter(rehearsal=False, left_at=None).exists():
            raise NotPossible(
                _("Somebody is in the demo with their own phone. End its workshop first, then make it new.")
            )
        facilitation.end(workshop.pk, by)
    programme_file.load(templates.copied(DEMO, programme.key, programme.title), by=by, whole=True)
    with logged(programme, by, "made_demo", about=programme.title) as journal:
        for workshop in here.all():
            journal.update(workshop, removed_at=timezone.now())
            announce.changed(workshop.pk, REMOVED)


# --- settings -------------------------------------------------------------------------------------------------


def change_settings(programme: Programme, by: User, rev: int | None, **values: Any) -> None:
    """Raises `Stale` where somebody else has changed the settings since revision `rev`, `NotPossible` for a colour
    that not everybody could read."""
    if not colour.is_readable(values.get("hue", programme.hue)):
        raise NotPossible(_("Not everybody could read text in this colour. Choose another."))
    with logged(programme, by, "changed_settings", about=programme.title) as journal:
        locked = _locked(programme, rev)
        if any(getattr(locked, name) != value for name, value in values.items()):
            journal.update(locked, **values, rev=locked.rev + 1)
            journal.update(locked.bank, title=locked.title)


def _locked(programme: Programme, rev: int | None) -> Programme:
    locked = Programme.objects.select_for_update(of=("self",)).select_related("bank").get(pk=programme.pk)
    check_rev(locked.rev, rev)
    return locked


@dataclass(frozen=True)
class DomainRow:
    """A domain as the settings page sends it; without a `pk` it is new."""

    pk: int | None
    title: str
    description: str


def change_domains(
    programme: Programme, by: User, rev: int | None, rows: Iterable[DomainRow], remove: int | None = None
) -> None:
    """The domains in this order, new ones added, one of them removed. Raises `Stale`; `NotPossible` where statements
    of the vision or questions stand in a domain that is to go."""
    rows = list(rows)
    with logged(programme, by, "changed_domains", about=", ".join(row.title for row in rows)) as journal:
        locked = _locked(programme, rev)
        known = {domain.pk: domain for domain in locked.domains.all()}
        changed = _remove_domain(journal, known.pop(remove, None)) if remove else False
        keys = {domain.key for domain in locked.domains.all()}
        for position, row in enumerate(row for row in rows if row.pk is None or row.pk != remove):
            values: dict[str, Any] = {
                "title": row.title,
                "description": row.description,
                "position": position,
            }
            if row.pk is None:
                key = free_key(row.title, keys, "domain")
                keys.add(key)
                journal.create(Domain(programme=locked, key=key, **values))
                changed = True
            elif row.pk in known:
                changed = journal.update(known[row.pk], **values) or changed
            else:
                raise Stale
        if changed:
            journal.update(locked, rev=locked.rev + 1)


def _remove_domain(journal: Journal, domain: Domain | None) -> bool:
    if domain is None:
        raise Stale
    used = domain.instruments.filter(removed_at=None).count() + domain.prompts.filter(removed_at=None).count()
    if used or not delete_domain(journal, domain):
        words = _("“%s” is in use. Move its questions, prompts and statements to another domain first.")
        raise NotPossible(words % domain.title)
    return True


def change_profile(programme: Programme, by: User, rev: int | None, keys: Iterable[str]) -> None:
    """These questions, by key, are asked once at joining, in every plan. Raises `Stale`.

    A question that stands in the agenda of a plan is not asked at joining there too.
    """
    wanted = list(keys)
    with logged(programme, by, "changed_profile", about=programme.title) as journal:
        locked = _locked(programme, rev)
        changed = False
        for plan in locked.plans.filter(removed_at=None):
            asked = {entry.get("poll") for entry in plan.agenda}
            profile = [key for key in plan.profile if key in wanted]
            profile += [key for key in wanted if key not in profile and key not in asked]
            if profile != plan.profile:
                changed = journal.update(plan, profile=profile, rev=plan.rev + 1)
        if changed:
            journal.update(locked, rev=locked.rev + 1)


# --- removing -------------------------------------------------------------------------------------------------


def remove(programme: Programme, by: User) -> None:
    """Out of sight for everybody; its owners can bring it back for thirty days. Raises `NotPossible`."""
    if programme.workshops.filter(status=Workshop.Status.RUNNING, removed_at=None).exists():
        raise NotPossible(_("A workshop of this programme is running. End it first."))
    with logged(programme, by, "removed_programme", about=programme.title) as journal:
        journal.update(_locked(programme, None), removed_at=timezone.now())
    for workshop_id in programme.workshops.values_list("pk", flat=True):
        announce.changed(workshop_id, REMOVED)


def bring_back(programme: Programme, by: User) -> None:
    with logged(programme, by, "restored_programme", about=programme.title) as journal:
        journal.update(_locked(programme, None), removed_at=None)
