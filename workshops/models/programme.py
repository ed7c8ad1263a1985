"""A programme and what it asks: domains, prompts, plans, the information sheet."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from polls.models import Bank, Instrument


class Mode(models.TextChoices):
    """How people take part: together at one time, or each at their own pace on one link."""

    LIVE = "live", _("Live workshop")
    QUESTIONNAIRE = "questionnaire", _("Questionnaire")


class Programme(models.Model):
    """A study or series: domains, a bank of instruments, prompts, plans, many workshops."""

    key = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    strapline = models.CharField(max_length=300, blank=True)
    team = models.CharField(max_length=300, blank=True)
    funder = models.CharField(max_length=200, blank=True)
    cite = models.TextField(blank=True)
    #: the hue of all its pages (OKLCH, 0 to 359)
    hue = models.PositiveSmallIntegerField(default=165)
    while_waiting = models.CharField(max_length=300, blank=True)
    closing = models.TextField(blank=True)
    bank = models.OneToOneField(Bank, models.PROTECT, related_name="programme")
    #: benchmarks: figures from outside the programme to compare a question with, as authored; read by `visions`
    benchmarks = models.JSONField(default=list, blank=True)
    #: who people can write to; stands on the information sheet
    contact = models.CharField(max_length=300, blank=True)
    #: how long answers are kept after a workshop
    keep_months = models.PositiveSmallIntegerField(default=24)
    #: owners and researchers need a second factor before any of its pages opens
    second_factor = models.BooleanField(default=False)
    #: the programme file that was loaded last, so that an export keeps its comments
    file_text = models.TextField(blank=True)
    #: a demonstration: labelled wherever it is shown, and made anew with one button
    demo = models.BooleanField(default=False)
    #: counts changes of its settings, an optimistic lock
    rev = models.PositiveIntegerField(default=0)
    removed_at = models.DateTimeField(null=True, blank=True)
    #: the one user who may read texts flagged for safeguarding; where none is named, the owners may
    safeguarding_lead = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        db_index=False,  # few rows
    )  # fmt: skip
    #: another lead who is named and waits, while there is a `lead_named_at` (`actions.authoring.lead`); without a
    #: nominee: the owners. Who loses their role is no nominee any more, so deleting an account does not make it that
    lead_nominee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    lead_named_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    lead_named_at = models.DateTimeField(null=True, blank=True)

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
    """The participant information sheet with its consent items. Versioned, never edited."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="sheets")
    number = models.PositiveIntegerField()
    #: one plain sentence above the sheet: who asks, and why
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


class Prompt(models.Model):
    """An open question put to groups, with probes for the group's host."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="prompts")
    key = models.SlugField(max_length=60)
    domain = models.ForeignKey(Domain, models.SET_NULL, null=True, blank=True, related_name="prompts")
    text = models.TextField()
    probes = models.JSONField(default=list, blank=True)
    minutes = models.PositiveSmallIntegerField(default=10)
    position = models.PositiveIntegerField(default=0)
    #: counts changes of its card in the editor, an optimistic lock
    rev = models.PositiveIntegerField(default=0)
    origin = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="copies", db_index=False
    )
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "key"], name="prompt_key_once_per_programme")
        ]

    def __str__(self) -> str:
        return self.text


class Plan(models.Model):
    """A template for workshops of a programme: the profile questions and the agenda."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="plans")
    key = models.SlugField(max_length=60)
    title = models.CharField(max_length=200)
    minutes = models.PositiveSmallIntegerField(default=60)
    #: how people take part in a workshop made from it
    mode = models.CharField(max_length=13, choices=Mode.choices, default=Mode.LIVE)
    #: may people listen to a workshop made from it, without being counted?
    observers = models.BooleanField(default=False)
    #: instrument keys asked at joining
    profile = models.JSONField(default=list)
    #: [{"poll" | "prompt" | "pause": …, "minutes": …, "title": …}] as in the programme file
    agenda = models.JSONField(default=list)
    position = models.PositiveIntegerField(default=0)
    #: counts changes, an optimistic lock
    rev = models.PositiveIntegerField(default=0)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "key"], name="plan_key_once_per_programme")
        ]

    def __str__(self) -> str:
        return self.title


class Picture(models.Model):
    """An uploaded picture for a question or a pause, re-encoded and bounded; found by the hash of its bytes."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="pictures")
    sha256 = models.CharField(max_length=64)
    #: WebP
    data = models.BinaryField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    #: the picture in words
    alt = models.CharField(max_length=300)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # by hash first: its address names nothing else
            models.UniqueConstraint(fields=["sha256", "programme"], name="picture_once")
        ]

    def __str__(self) -> str:
        return self.alt

    @property
    def settings(self) -> dict[str, Any]:
        """What the settings of a question say of its picture."""
        return {
            "image": f"/pictures/{self.sha256}.webp",
            "image_alt": self.alt,
            "image_size": [self.width, self.height],
        }
