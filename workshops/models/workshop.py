"""A workshop: its agenda, its stage, and the log of what facilitators did."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from polls.models import VOTER_LENGTH, Poll, Text

from .programme import InformationSheet, Mode, Picture, Plan, Programme, Prompt

#: no look-alikes: no 0 O, 1 I L, 2 Z, 5 S, 8 B, and no U V confusion
CODE_ALPHABET = "ACDEFGHJKMNPQRTWXY34679"
CODE_LENGTH = 6
STEP_TITLE_LENGTH = 200
#: so long after a gesture on stage its line with "Undo" stands on every console
UNDO_FOR = timedelta(seconds=8)


def new_code() -> str:
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def new_key() -> str:
    """128 random bits in hexadecimal: a voter key, or the key of a wall's URL."""
    return secrets.token_hex(VOTER_LENGTH // 2)


class Workshop(models.Model):
    """One facilitated meeting with a join code, an agenda and a stage."""

    class Status(models.TextChoices):
        PLANNED = "planned", _("Planned")
        RUNNING = "running", _("Running")
        ENDED = "ended", _("Ended")

    Mode = Mode

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="workshops")
    plan = models.ForeignKey(Plan, models.SET_NULL, null=True, blank=True, related_name="workshops")
    title = models.CharField(max_length=200)
    #: number in the series: "Workshop 3"
    number = models.PositiveIntegerField()
    code = models.CharField(max_length=CODE_LENGTH, unique=True, default=new_code)
    #: a capability URL: its holder may show the wall, so that a hall's computer needs no sign-in
    wall_key = models.CharField(max_length=VOTER_LENGTH, unique=True, default=new_key)
    sheet = models.ForeignKey(
        InformationSheet, models.PROTECT, null=True, blank=True, related_name="workshops"
    )
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PLANNED)
    minutes = models.PositiveSmallIntegerField(default=60)
    expected = models.PositiveIntegerField(null=True, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    #: when the doors were opened
    started_at = models.DateTimeField(null=True, blank=True)
    #: when the first step came on stage: the plan runs from here, however early the doors were opened
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    #: the facilitator's head count; may exceed those who joined
    attended = models.PositiveIntegerField(null=True, blank=True)
    #: how people take part: together at one time, or each at their own pace on one link (a questionnaire)
    mode = models.CharField(max_length=13, choices=Mode.choices, default=Mode.LIVE)
    #: may people listen who are not counted? Off, their screens end, and nobody else comes in so
    observers = models.BooleanField(default=False)
    #: of a questionnaire: when its link opens and closes
    opens_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)
    #: "Online", "Community hall, Leeds"
    place = models.CharField(max_length=200, blank=True)
    region = models.CharField(max_length=100, blank=True)
    #: who it is for: "Educators and room leaders"
    intended_for = models.CharField(max_length=200, blank=True)
    copied_from = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="copies", db_index=False
    )
    #: fingerprint of the agenda as its plan made it (`programmes.planning`); the present one differs once it was edited
    planned_fingerprint = models.CharField(max_length=64, blank=True)
    #: counts changes of its facts and its agenda in the editor, an optimistic lock
    rev = models.PositiveIntegerField(default=0)
    #: planned, and removed; deleted after 30 days
    removed_at = models.DateTimeField(null=True, blank=True)
    #: made for demonstrations; labelled wherever its figures are shown
    synthetic = models.BooleanField(default=False)

    # The stage: the agenda item that every screen shows now. `stage_rev` counts its changes, an optimistic lock: of two
    # facilitators who press a button at once, the second is told that the stage has changed.
    stage_item = models.ForeignKey("AgendaItem", models.SET_NULL, null=True, blank=True, related_name="+")
    stage_rev = models.PositiveIntegerField(default=0)
    stage_at = models.DateTimeField(null=True, blank=True)
    timer_ends_at = models.DateTimeField(null=True, blank=True)
    timer_seconds = models.PositiveIntegerField(default=0)
    #: the last gesture, if it can be undone and nobody has done anything since (`actions.undo`): {"verb", "at",
    #: "rev": the revision that it made, …: what it changed, as that was before}
    undo = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["number", "id"]
        constraints = [models.UniqueConstraint(fields=["programme", "number"], name="workshop_number_once")]

    def __str__(self) -> str:
        return f"{self.title} {self.number}"

    @property
    def is_running(self) -> bool:
        return self.status == self.Status.RUNNING

    @property
    def is_planned(self) -> bool:
        return self.status == self.Status.PLANNED

    @property
    def has_ended(self) -> bool:
        return self.status == self.Status.ENDED

    @property
    def is_questionnaire(self) -> bool:
        return self.mode == Mode.QUESTIONNAIRE

    @property
    def undo_until(self) -> datetime | None:
        """How long the last gesture can be undone."""
        offer: dict[str, Any] | None = self.undo
        return datetime.fromisoformat(offer["at"]) + UNDO_FOR if offer else None

    @property
    def spaced_code(self) -> str:
        """The join code with a space, to be read aloud: KTR 4HM."""
        return f"{self.code[:3]} {self.code[3:]}"


class AgendaItem(models.Model):
    """One step of a workshop's agenda: a poll, a prompt or a pause."""

    class Kind(models.TextChoices):
        POLL = "poll"
        PROMPT = "prompt"
        PAUSE = "pause"

    workshop = models.ForeignKey(Workshop, models.CASCADE, related_name="agenda")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=6, choices=Kind.choices)
    title = models.CharField(max_length=STEP_TITLE_LENGTH)
    minutes = models.PositiveSmallIntegerField(default=0)
    #: for the people who run the workshop; on no other screen
    notes = models.TextField(max_length=2000, blank=True)
    #: of a pause; a question has its own (`settings["image"]`)
    picture = models.ForeignKey(
        Picture, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    #: counts changes of its card in the editor, an optimistic lock
    rev = models.PositiveIntegerField(default=0)
    poll = models.OneToOneField(Poll, models.PROTECT, null=True, blank=True, related_name="agenda_item")
    prompt = models.ForeignKey(Prompt, models.PROTECT, null=True, blank=True, related_name="agenda_items")
    #: the text that the question quotes
    text = models.ForeignKey(Text, models.SET_NULL, null=True, blank=True, related_name="asked_as")
    #: asked once at joining instead of on stage
    profile = models.BooleanField(default=False)
    #: made ad hoc during the workshop, not part of the plan
    quick = models.BooleanField(default=False)
    launched_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="poll", poll__isnull=False, prompt__isnull=True)
                | models.Q(kind="prompt", poll__isnull=True, prompt__isnull=False)
                | models.Q(kind="pause", poll__isnull=True, prompt__isnull=True),
                name="kind_fits_poll_or_prompt",
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def required_poll(self) -> Poll:
        """The poll of an item that is one; a check constraint keeps kind and poll together."""
        assert self.poll is not None
        return self.poll


class TextMark(models.Model):
    """A facilitator's mark on a text. A note's marks move to its next revision."""

    class Kind(models.TextChoices):
        #: proposed to the vision as the draft of a statement
        VISION = "vision"
        #: an agreement poll was wanted about it, but its possible names must be moderated first
        QUESTION = "question"

    workshop = models.ForeignKey(Workshop, models.CASCADE, related_name="text_marks")
    text = models.ForeignKey(Text, models.CASCADE, related_name="marks", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.UniqueConstraint(fields=["text", "kind"], name="text_marked_once")]


class GestureLog(models.Model):
    """The audit log of facilitators' commands on stage."""

    workshop = models.ForeignKey(Workshop, models.CASCADE, related_name="gestures")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=20)
    item = models.ForeignKey(AgendaItem, models.SET_NULL, null=True, related_name="+")
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["at", "id"]
