"""A question, its ballots, its result. No people here: a ballot carries a random voter key and nothing else."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property, lru_cache
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from .lifecycle import Reveal, State
from .types import POLL_TYPES, PollType, Question

VOTER_LENGTH = 32  # hexadecimal characters: 128 random bits


class Bank(models.Model):
    """A named set of instruments."""

    key = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.title


class Instrument(models.Model):
    """One question as it is asked again and again; what is asked is always one of its versions."""

    bank = models.ForeignKey(Bank, models.CASCADE, related_name="instruments")
    key = models.SlugField(max_length=60)
    #: a few words for agendas and tables: "Ideal number of babies"
    name = models.CharField(max_length=120, blank=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["bank", "key"], name="instrument_key_once_per_bank")]

    def __str__(self) -> str:
        return self.name or self.key

    @property
    def latest(self) -> InstrumentVersion:
        return self.versions.latest("number")


class InstrumentVersion(models.Model):
    """An instrument as asked: immutable once a poll uses it; a change makes the next version."""

    instrument = models.ForeignKey(Instrument, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    #: a whole `Question` as JSON; one value, so a version can only be replaced, never edited in part
    definition = models.JSONField()
    fingerprint = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "number"], name="version_number_once_per_instrument"
            )
        ]

    def __str__(self) -> str:
        return f"{self.instrument} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.fingerprint = fingerprint(self.definition)
        super().save(*args, **kwargs)

    @cached_property
    def question(self) -> Question:
        return Question.from_json(self.definition)

    @property
    def poll_type(self) -> PollType:
        return POLL_TYPES[self.definition["type"]]


def fingerprint(definition: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON: equal questions have equal fingerprints."""
    return hashlib.sha256(json.dumps(definition, sort_keys=True, default=str).encode()).hexdigest()


@lru_cache(maxsize=1000)
def question_with(fingerprint: str) -> Question:
    """The question that has this fingerprint; equal prints are equal questions, so it is read once a process."""
    return Question.from_json(InstrumentVersion.objects.filter(fingerprint=fingerprint)[0].definition)


class Measure(models.Model):
    """A derived figure counted from ballots (`polls.measures`); versioned, the newest number counts."""

    instrument = models.ForeignKey(Instrument, models.CASCADE, related_name="measures")
    key = models.SlugField(max_length=60)
    number = models.PositiveIntegerField(default=1)
    label = models.CharField(max_length=200)
    kind = models.CharField(max_length=20)
    #: members, boxes, low and high: what the kind needs
    definition = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "key", "number"], name="measure_number_once_per_key"
            )
        ]

    def __str__(self) -> str:
        return self.label


class Poll(models.Model):
    """One asking of one instrument version."""

    version = models.ForeignKey(InstrumentVersion, models.PROTECT, related_name="polls")
    state = models.CharField(max_length=10, choices=[(s, s) for s in State], default=State.DRAFT)
    reveal = models.CharField(max_length=12, choices=[(r, r) for r in Reveal], default=Reveal.AFTER_CLOSE)
    opened_at = models.DateTimeField(null=True, blank=True)
    #: a gentle end set by the facilitator: from this moment no ballot is accepted, close or no close
    closes_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    #: set while the people who vote can see the result
    revealed_at = models.DateTimeField(null=True, blank=True)
    #: a facilitator's word on whether the room sees people's texts unread; null: as the question says
    words_at_once = models.BooleanField(null=True, blank=True)
    #: answers that arrived after the close, and were refused
    late = models.PositiveIntegerField(default=0, db_default=0)
    #: the result frozen at close, with its denominators (`polls.results.Frozen`); null while open
    result = models.JSONField(null=True, blank=True)

    class Meta:
        # Few polls are open with a countdown at any time, and every process looks for those that are due.
        indexes = [models.Index(fields=["closes_at"], condition=models.Q(state=State.OPEN), name="poll_due")]

    def __str__(self) -> str:
        return f"poll {self.pk}: {self.version}"

    @property
    def is_open(self) -> bool:
        return self.state == State.OPEN

    @property
    def is_closed(self) -> bool:
        return self.state == State.CLOSED

    @property
    def is_draft(self) -> bool:
        return self.state == State.DRAFT

    @property
    def is_revealed(self) -> bool:
        return self.revealed_at is not None

    @property
    def shows_words_at_once(self) -> bool:
        """May people's texts stand on the wall before somebody has read them?"""
        if self.words_at_once is not None:
            return self.words_at_once
        return self.question.settings.get("check") is False

    @property
    def question(self) -> Question:
        return self.version.question

    @property
    def poll_type(self) -> PollType:
        return self.version.poll_type


class RevealMoment(models.Model):
    """Results were shown to, or hidden from, the people who vote. Kept for ever, never changed."""

    poll = models.ForeignKey(Poll, models.CASCADE, related_name="reveal_moments")
    at = models.DateTimeField()
    shown = models.BooleanField()
    why = models.CharField(max_length=12, help_text=_("policy or person"))

    class Meta:
        ordering = ["at", "id"]


class Ballot(models.Model):
    """One voter's paper for one poll: issued when shown, cast when answered, kept unique by the database."""

    class Status(models.TextChoices):
        ISSUED = "issued"
        CAST = "cast"
        PASSED = "passed"

    # Without an index of its own: those below begin with it.
    poll = models.ForeignKey(Poll, models.CASCADE, related_name="ballots", db_index=False)
    voter = models.CharField(max_length=VOTER_LENGTH)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.ISSUED)
    value = models.JSONField(null=True, blank=True)
    #: the phone's own order of its answers; a lower one that arrives late is stale
    seq = models.BigIntegerField(default=0)
    #: the operation that wrote this value, so that a retry gets the same receipt
    op = models.CharField(max_length=36, blank=True)
    #: how often the paper was cast: 1 is the first answer
    revision = models.PositiveIntegerField(default=0)
    issued_at = models.DateTimeField()
    cast_at = models.DateTimeField(null=True, blank=True)
    #: cast, or changed, when its voter could already see results
    after_reveal = models.BooleanField(default=False)
    #: made by a rehearsal: shown in the room, never pooled
    rehearsal = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["poll", "voter"], name="one_ballot_per_voter")]
        indexes = [
            models.Index(fields=["voter"]),
            # Every screen of an open question counts its papers, several times a second.
            models.Index(fields=["poll", "rehearsal", "status", "after_reveal"], name="ballot_turnout"),
        ]


class TextCheck(models.Model):
    """A person's decision about words of a poll: may they stand on the wall? Unchecked words do not."""

    poll = models.ForeignKey(Poll, models.CASCADE, related_name="text_checks")
    key = models.CharField(max_length=1100)
    shown = models.BooleanField()
    #: what stands on the wall instead, once words were taken out
    redacted = models.CharField(max_length=1100, blank=True, default="", db_default="")
    #: somebody must look at this: hidden everywhere, for the named lead alone
    safeguarding = models.BooleanField(default=False, db_default=False)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["poll", "key"], name="one_check_per_text")]
