"""What a researcher writes: statements, the figures that carry them, and what was published of them.

A summary is worked on; a snapshot is not. Publishing copies everything the public page shows into one
JSON value with its SHA-256, so answers that come later, and edits, never change what was published.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from polls.models import Instrument
from workshops.models import BroughtText, Contribution, Domain, Programme

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
    #: what stands behind it, in a few plain sentences
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
    #: how it reads on the page; empty: the figure's own label
    caption = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=300, blank=True)
    #: the figure as linked (`aggregates.Line.as_linked`)
    linked = models.JSONField()
    #: why the linked figure stands although the present one differs, and which one that was
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
    """A group's note, or what people wrote to a question, was taken up as the draft of a statement: by whom, and when.

    It stays when either of them goes. That a text is taken up once is held by a lock on it (`publishing.adopt`): a
    constraint would lock this table while a new version is installed.
    """

    statement = models.ForeignKey(Statement, models.SET_NULL, null=True, related_name="adoptions")
    note = models.ForeignKey(Contribution, models.SET_NULL, null=True, related_name="+")
    text = models.ForeignKey(BroughtText, models.SET_NULL, null=True, related_name="+", db_index=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    #: SHA-256 of the statement as it was taken up (`quoting.mark`): whose words are gone leaves none of them here
    mark = models.CharField(max_length=64)

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["note"], condition=models.Q(statement__isnull=False), name="note_taken_up_once"
            )
        ]


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
        raise SnapshotIsFrozen("a published version is never taken away: others may have cited it")

    @property
    def is_intact(self) -> bool:
        """Is the content still what was published?"""
        return checksum(self.content) == self.sha256


def checksum(content: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
