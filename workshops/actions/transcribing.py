"""What was said in a group comes to it: looked at first, then kept or thrown away; logged with who and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import Gesture, Group, Transcript
from .facilitation import NotNow

#: of one group; a recording that broke off comes in two or three files
MOST = 10
#: how long one waits to be kept
WAITS = timedelta(days=1)


@transaction.atomic
def add(group: Group, cues: list[dict[str, Any]]) -> Transcript:
    """A transcript to be looked at, its names taken out already."""
    throw_away_forgotten()
    if group.transcripts.count() >= MOST:
        raise NotNow(_("This group has %(n)d transcripts already. Remove one first.") % {"n": MOST})
    return Transcript.objects.create(group=group, cues=cues)


def throw_away_forgotten() -> None:
    """What nobody kept within a day. Called wherever transcripts are about; nearly always there is nothing to write."""
    forgotten = Transcript.objects.filter(kept_at__isnull=True, added_at__lt=timezone.now() - WAITS)
    if forgotten.exists():
        forgotten.delete()


@transaction.atomic
def keep(transcript: Transcript, by: Any) -> None:
    """It belongs to its group from now on. Kept already: nothing happens."""
    kept = Transcript.objects.filter(pk=transcript.pk, kept_at__isnull=True).update(kept_at=timezone.now())
    if kept:
        _log(transcript, by, "keep_transcript")


@transaction.atomic
def remove(transcript: Transcript, by: Any) -> None:
    """It is gone, from the next backup on from there too."""
    if transcript.kept_at:
        _log(transcript, by, "remove_transcript")
    transcript.delete()


def _log(transcript: Transcript, by: Any, name: str) -> None:
    group = transcript.group
    Gesture.objects.create(workshop=group.round.workshop, by=by, name=name, detail=group.name)
