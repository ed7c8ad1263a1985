"""Look up the round or group of a command. Raises `GestureRejected` where it does not exist."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ...groups import current_round
from ...models import Group, Round
from ...signals import announce
from ...signals.topics import PLACES, pad
from ..stage import GestureRejected


def the_round(workshop_id: int) -> Round:
    current = current_round(workshop_id)
    if current is None:
        raise GestureRejected(_("Make groups first."))
    return current


def the_round_at_work(workshop_id: int) -> Round:
    current = the_round(workshop_id)
    if not current.is_open:
        raise GestureRejected(_("The groups have not started yet."))
    return current


def the_group(workshop_id: int, group: int) -> Group:
    found = Group.objects.select_related("round", "pick__text__decision").filter(
        pk=group, round__workshop=workshop_id, round__closed_at__isnull=True
    )
    if (first := found.first()) is None:
        raise GestureRejected(_("That group is not there any more."))
    return first


def tell_all(current: Round, *, only: Group | None = None) -> None:
    """Every pad of the round, or one, is drawn anew; everybody's place too, for it carries own notes and agreements."""
    ids = [only.pk] if only else list(current.groups.values_list("pk", flat=True))
    announce.changed(current.workshop_id, *([] if only else [PLACES]), *(pad(pk) for pk in ids))
