"""The vision summary of a programme: its statements, their evidence links, and published snapshots.

A summary is edited; a snapshot is immutable. Publishing copies everything the public page shows into one
JSON value with its SHA-256, so answers that come later, and edits, never change what was published.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from polls.models import Instrument, Passage, Text
from workshops.models import Domain, Programme

STATEMENT_LENGTH = 200  # characters: a sentence that people can agree with


class Summary(models.Model):
    """The vision summary of a programme, as it is being written."""

    programme = models.OneToOneField(Programme, models.CASCADE, related_name="summary")
    #: the public address: /vision/<key>/
    key = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    lead = models.CharField(max_length=400, blank=True)
    opening = models.TextField(max_length=2000, blank=True)
    edited_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "summaries"

    def __str__(self) -> str:
        return self.title


class Statement(models.Model):
    """A sentence of the vision that people can agree with, under one of its domains."""

    summary = models.ForeignKey(Summary, models.CASCADE, related_name="statements")
    domain = models.ForeignKey(Domain, models.PROTECT, related_name="statements")
    text = models.CharField(max_length=STATEMENT_LENGTH)
    #: its rationale, in a few plain sentences
    why = models.TextField(max_length=1000, blank=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["domain__position", "position", "id"]

    def __str__(self) -> str:
        return self.text


class EvidenceLink(models.Model):
    """Statement → a pooled figure: supports, qualifies or contradicts it."""

    class Relation(models.TextChoices):
        SUPPORTS = "supports", _("Supports")
        QUALIFIES = "qualifies", _("Qualifies")
        CONTRADICTS = "contradicts", _("In tension")

    class Kind(models.TextChoices):
        OPTION = "option", _("Option")
        MEASURE = "measure", _("Measure")
        ANSWERS = "answers", _("Number of answers")

    statement = models.ForeignKey(Statement, models.CASCADE, related_name="evidence")
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="evidence")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    #: the option's or the measure's key; empty for the number of answers
    figure = models.CharField(max_length=200, blank=True)
    relation = models.CharField(max_length=12, choices=Relation.choices, default=Relation.SUPPORTS)
    #: its label on the page; empty: the figure's own label
    caption = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=300, blank=True)
    #: a copy of the figure at the time of linking (`aggregates.ResultLine.as_linked`)
    linked = models.JSONField()
    #: the researcher's reason for keeping a stale figure, and the current figure that it was given against
    kept_because = models.CharField(max_length=300, blank=True)
    kept_against = models.JSONField(null=True, blank=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["statement", "instrument", "kind", "figure"], name="figure_once_per_statement"
            )
        ]

    def __str__(self) -> str:
        return self.caption or self.linked.get("label", self.figure)


class Adoption(models.Model):
    """The record that a note or text was adopted as the draft of a statement: by which user, and when.

    It is kept when either of them is deleted.
    """

    statement = models.ForeignKey(Statement, models.SET_NULL, null=True, related_name="adoptions")
    passage = models.ForeignKey(Passage, models.SET_NULL, null=True, related_name="adoptions")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    #: SHA-256 of the statement's first version (`quoting.digest`): a withdrawn text leaves no copy here
    mark = models.CharField(max_length=64)

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["passage"], condition=models.Q(statement__isnull=False), name="passage_taken_up_once"
            )
        ]


class OwnWords(models.Model):
    """Somebody's word that what stands in a field of a summary is our own, although people wrote something near to it.

    It holds for exactly these words: whoever changes them has to say it again.
    """

    summary = models.ForeignKey(Summary, models.CASCADE, related_name="own_words")
    #: of the words (`quoting.digest`)
    sha256 = models.CharField(max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["summary", "sha256"], name="own_words_said_once")]


class SnapshotIsFrozen(Exception):
    """Something tried to change a published version."""


class Snapshot(models.Model):
    """A published version: immutable, numbered, complete in itself."""

    summary = models.ForeignKey(Summary, models.PROTECT, related_name="snapshots")
    number = models.PositiveIntegerField()
    content = models.JSONField()
    sha256 = models.CharField(max_length=64, editable=False)
    published_at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    #: taken back: the content is gone; number, date and checksum stay for people who have cited it
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    withdrawn_because = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["summary", "number"], name="snapshot_number_once")]

    def __str__(self) -> str:
        return f"{self.summary}, version {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            raise SnapshotIsFrozen("a published version is never changed: publish a new one")
        self.sha256 = checksum(self.content)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise SnapshotIsFrozen("the row of a published version is never deleted: withdraw it")

    def withdraw(self, by: Any, because: str) -> bool:
        """Remove the content for good, and what is known of whose words it had. Returns whether it was there."""
        self.quoted.all().delete()
        done = Snapshot.objects.filter(pk=self.pk, withdrawn_at=None).update(
            content={}, withdrawn_at=timezone.now(), withdrawn_by=by, withdrawn_because=because
        )
        self.refresh_from_db()
        return bool(done)

    @property
    def is_intact(self) -> bool:
        """Does the content still match its checksum? What was withdrawn has none."""
        return self.withdrawn_at is not None or checksum(self.content) == self.sha256


class QuotedText(models.Model):
    """Where a published version has words of somebody: what is decided about their text holds there as well."""

    snapshot = models.ForeignKey(Snapshot, models.CASCADE, related_name="quoted")
    #: in the content of the version, as "domains.0.statements.1.text"
    path = models.CharField(max_length=100)
    #: null: it is gone from the database
    text = models.ForeignKey(Text, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "path", "text"], name="text_quoted_once_per_path")
        ]


def checksum(content: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
