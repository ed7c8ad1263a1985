"""Who meets, when, what is on stage. People take part under a random key; staff sign in."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from polls.models import VOTER_LENGTH, Bank, Instrument, Poll

#: no look-alikes: no 0 O, 1 I L, 2 Z, 5 S, 8 B, and no U V confusion
CODE_ALPHABET = "ACDEFGHJKMNPQRTWXY34679"
CODE_LENGTH = 6


def new_code() -> str:
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def new_key() -> str:
    """128 random bits: a voter key, or the address of a wall."""
    return secrets.token_hex(VOTER_LENGTH // 2)


class Programme(models.Model):
    """A study or series: domains, a bank of instruments, prompts, plans, many workshops."""

    key = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    strapline = models.CharField(max_length=300, blank=True)
    team = models.CharField(max_length=300, blank=True)
    funder = models.CharField(max_length=200, blank=True)
    cite = models.TextField(blank=True)
    #: one number of colour for all its pages (OKLCH hue, 0 to 359)
    hue = models.PositiveSmallIntegerField(default=165)
    while_waiting = models.CharField(max_length=300, blank=True)
    closing = models.TextField(blank=True)
    bank = models.OneToOneField(Bank, models.PROTECT, related_name="programme")
    #: outside figures that stand beside a question, as authored; the researcher's side reads them
    benchmarks = models.JSONField(default=list, blank=True)
    #: alone reads words that are flagged for safeguarding; where nobody is named, the owners do
    safeguarding_lead = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        db_index=False,  # few rows, and making an index would lock them
    )  # fmt: skip

    def __str__(self) -> str:
        return self.title


class Domain(models.Model):
    """A part of the vision."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="domains")
    key = models.SlugField(max_length=60)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    position = models.PositiveIntegerField(default=0)
    instruments = models.ManyToManyField(Instrument, related_name="domains", blank=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "key"], name="domain_key_once_per_programme")
        ]

    def __str__(self) -> str:
        return self.title


class InformationSheet(models.Model):
    """What people read before they take part, and what they are asked to agree to. Versioned, never edited."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="sheets")
    number = models.PositiveIntegerField()
    #: one plain sentence over the sheet: who asks, and why
    lead = models.TextField(blank=True)
    text = models.TextField()
    #: [{"key", "text", "required"}], in the order shown
    items = models.JSONField(default=list)
    sha256 = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["programme", "number"], name="sheet_number_once")]

    def save(self, *args: Any, **kwargs: Any) -> None:
        words = [
            self.lead,
            self.text,
            *(f"{item['key']}:{item['required']}:{item['text']}" for item in self.items),
        ]
        self.sha256 = hashlib.sha256("\n".join(words).encode()).hexdigest()
        super().save(*args, **kwargs)


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    FACILITATOR = "facilitator", _("Facilitator")
    RESEARCHER = "researcher", _("Researcher")


class Membership(models.Model):
    """What somebody who signs in may do in a programme. A person may have several roles."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["programme", "user", "role"], name="role_once")]


class Invitation(models.Model):
    """An owner asks somebody in. The link's secret is stored hashed and works once."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=12, choices=Role.choices)
    secret_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)


class Prompt(models.Model):
    """An open question put to groups, with probes for the group's host."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="prompts")
    key = models.SlugField(max_length=60)
    domain = models.ForeignKey(Domain, models.SET_NULL, null=True, blank=True, related_name="prompts")
    text = models.TextField()
    probes = models.JSONField(default=list, blank=True)
    minutes = models.PositiveSmallIntegerField(default=10)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "key"], name="prompt_key_once_per_programme")
        ]

    def __str__(self) -> str:
        return self.text


class Plan(models.Model):
    """A run of show that workshops of a programme are made from."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="plans")
    key = models.SlugField(max_length=60)
    title = models.CharField(max_length=200)
    minutes = models.PositiveSmallIntegerField(default=60)
    #: instrument keys asked at joining
    profile = models.JSONField(default=list)
    #: [{"poll" | "prompt" | "pause": …, "minutes": …, "title": …}] as in the programme file
    agenda = models.JSONField(default=list)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "key"], name="plan_key_once_per_programme")
        ]

    def __str__(self) -> str:
        return self.title


class Workshop(models.Model):
    """One facilitated meeting with a join code, an agenda and a stage."""

    class Status(models.TextChoices):
        PLANNED = "planned", _("Planned")
        RUNNING = "running", _("Running")
        ENDED = "ended", _("Ended")

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="workshops")
    plan = models.ForeignKey(Plan, models.SET_NULL, null=True, blank=True, related_name="workshops")
    title = models.CharField(max_length=200)
    #: place in the series: "Workshop 3"
    number = models.PositiveIntegerField()
    code = models.CharField(max_length=CODE_LENGTH, unique=True, default=new_code)
    #: whoever knows it may show the wall, so a hall's computer needs no sign-in
    wall_key = models.CharField(max_length=VOTER_LENGTH, unique=True, default=new_key)
    sheet = models.ForeignKey(
        InformationSheet, models.PROTECT, null=True, blank=True, related_name="workshops"
    )
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PLANNED)
    minutes = models.PositiveSmallIntegerField(default=60)
    expected = models.PositiveIntegerField(null=True, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    #: the facilitator's head count; may exceed those who joined
    attended = models.PositiveIntegerField(null=True, blank=True)
    #: invented for demonstrations; said wherever its figures stand
    synthetic = models.BooleanField(default=False)

    # The stage: what every screen shows now. `stage_rev` counts every gesture, so that of two
    # facilitators who press at once the second learns that the stage has moved.
    stage_item = models.ForeignKey("AgendaItem", models.SET_NULL, null=True, blank=True, related_name="+")
    stage_rev = models.PositiveIntegerField(default=0)
    stage_at = models.DateTimeField(null=True, blank=True)
    timer_ends_at = models.DateTimeField(null=True, blank=True)
    timer_seconds = models.PositiveIntegerField(default=0)

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
    def spaced_code(self) -> str:
        """As people read it aloud: KTR 4HM."""
        return f"{self.code[:3]} {self.code[3:]}"


class AgendaItem(models.Model):
    """One step of the plan: a poll, a prompt or a pause."""

    class Kind(models.TextChoices):
        POLL = "poll"
        PROMPT = "prompt"
        PAUSE = "pause"

    workshop = models.ForeignKey(Workshop, models.CASCADE, related_name="agenda")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=6, choices=Kind.choices)
    title = models.CharField(max_length=200)
    minutes = models.PositiveSmallIntegerField(default=0)
    poll = models.OneToOneField(Poll, models.PROTECT, null=True, blank=True, related_name="agenda_item")
    prompt = models.ForeignKey(Prompt, models.PROTECT, null=True, blank=True, related_name="agenda_items")
    #: asked once at joining instead of on stage
    profile = models.BooleanField(default=False)
    #: made on the spot, not part of the plan
    quick = models.BooleanField(default=False)
    launched_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.title


class BroughtText(models.Model):
    """What people wrote to a question, brought to the vision as the draft of a statement. The words stay with the
    ballots: here is only which they are."""

    item = models.ForeignKey(AgendaItem, models.CASCADE, related_name="brought_texts")
    #: `moderation.text_ref`
    ref = models.CharField(max_length=40, unique=True)
    #: null: held back again
    proposed_at = models.DateTimeField(null=True, blank=True)


class Participant(models.Model):
    """Somebody present with a phone: a random voter key and what they consented to. No name, no address."""

    workshop = models.ForeignKey(Workshop, models.CASCADE, related_name="participants")
    voter = models.CharField(max_length=VOTER_LENGTH, unique=True, default=new_key)
    sheet = models.ForeignKey(InformationSheet, models.PROTECT, null=True, blank=True, related_name="+")
    #: keys of the consent items they ticked
    consent = models.JSONField(default=list)
    joined_at = models.DateTimeField(auto_now_add=True)
    #: finished or skipped the profile
    profiled_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    #: the number on their table, where groups are made by table
    table = models.PositiveSmallIntegerField(null=True, blank=True)
    rehearsal = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["workshop", "rehearsal"])]


class Gesture(models.Model):
    """What a facilitator did on stage, and when: the workshop's log."""

    workshop = models.ForeignKey(Workshop, models.CASCADE, related_name="gestures")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=20)
    item = models.ForeignKey(AgendaItem, models.SET_NULL, null=True, related_name="+")
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["at", "id"]
