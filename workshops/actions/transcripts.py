"""Transcripts of a group: uploaded, previewed, then kept or discarded; logged with user and time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from polls import texts
from polls.models import Text

from ..models import Cue, Group, Transcript
from .log import note
from .stage import GestureRejected

#: of one group; a recording that broke off comes in two or three files
MOST = 10
#: how long one waits to be kept
WAITS = timedelta(days=1)


@transaction.atomic
def add(group: Group, cues: list[dict[str, Any]], by: User | None) -> Transcript:
    """A transcript to be looked at by whoever added it, its names taken out already."""
    throw_away_forgotten()
    if group.transcripts.count() >= MOST:
        raise GestureRejected(_("This group has %(n)d transcripts already. Remove one first.") % {"n": MOST})
    transcript = Transcript.objects.create(group=group, added_by=by)
    words = texts.add_all(
        Text(field=f"cue-{number}", words=cue["text"], at=transcript.added_at)
        for number, cue in enumerate(cues, start=1)
    )
    Cue.objects.bulk_create(
        Cue(
            transcript=transcript, number=number, text=text, start=cue["start"], end=cue["end"],
            speaker=cue["speaker"],
        )
        for number, (cue, text) in enumerate(zip(cues, words, strict=True), start=1)
    )  # fmt: skip
    _log(transcript, by, "added_transcript")
    return transcript


def throw_away_forgotten() -> None:
    """Delete transcripts that were not kept within a day. Every page of transcripts calls it."""
    forgotten = Transcript.objects.filter(kept_at__isnull=True, added_at__lt=timezone.now() - WAITS)
    for transcript in forgotten.select_related("group__round__workshop__programme"):
        remove(transcript, None)


@transaction.atomic
def keep(transcript: Transcript, by: User | None) -> None:
    """It belongs to its group from now on. Kept already: nothing happens."""
    kept = Transcript.objects.filter(pk=transcript.pk, kept_at__isnull=True).update(kept_at=timezone.now())
    if kept:
        _log(transcript, by, "kept_transcript")


@transaction.atomic
def remove(transcript: Transcript, by: User | None) -> None:
    """It is gone, from the next backup on from there too."""
    _log(transcript, by, "removed_transcript")
    destroy(transcript)


def destroy(transcript: Transcript) -> None:
    """Its words first: they are no part of its row."""
    texts.remove(list(transcript.cues.values_list("text", flat=True)))
    transcript.delete()


def called(transcript: Transcript) -> str:
    """Its name in the log: "12, Group 1"."""
    return f"{transcript.pk}, {transcript.group.name}"


def _log(transcript: Transcript, by: User | None, verb: str) -> None:
    workshop = transcript.group.round.workshop
    note(workshop.programme, by, verb, about=called(transcript), workshop=workshop)
