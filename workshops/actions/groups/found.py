"""What facilitators' gestures speak about: the round, a group, a note. Where it is not there they are told so."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ...breakouts import current_round
from ...live import notify
from ...live.topics import PLACES, pad
from ...models import Contribution, Group, Round
from ..facilitation import NotNow


def the_round(workshop_id: int) -> Round:
    current = current_round(workshop_id)
    if current is None:
        raise NotNow(_("Make groups first."))
    return current


def the_round_at_work(workshop_id: int) -> Round:
    current = the_round(workshop_id)
    if not current.is_open:
        raise NotNow(_("The groups have not started yet."))
    return current


def the_group(workshop_id: int, group: int) -> Group:
    found = Group.objects.select_related("round", "pick").filter(
        pk=group, round__workshop=workshop_id, round__closed_at__isnull=True
    )
    if (first := found.first()) is None:
        raise NotNow(_("That group is not there any more."))
    return first


def the_note(workshop_id: int, ref: str) -> Contribution:
    """The note, as long as its words are those that somebody has read."""
    found = Contribution.objects.filter(
        pk=int(ref.split("-")[1]),
        group__round__workshop=workshop_id,
        taken_back_at__isnull=True,
        safeguarding=False,
    )
    if (first := found.first()) is None:
        raise NotNow(_("That note is not there any more."))
    if first.ref != ref:
        raise NotNow(_("This note was changed just now. Read it again, and decide then."))
    return first


def tell_all(current: Round, *, only: Group | None = None) -> None:
    """Every pad of the round, or one, is drawn anew; everybody's place too, for it carries own notes and agreements."""
    ids = [only.pk] if only else list(current.groups.values_list("pk", flat=True))
    notify.changed(current.workshop_id, *([] if only else [PLACES]), *(pad(pk) for pk in ids))
