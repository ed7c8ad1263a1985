"""A question, its ballots, its result. No people here: a ballot carries a random voter key and nothing else."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property, lru_cache
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .journal import Immutable
from .lifecycle import Reveal, State
from .types import POLL_TYPES, PollType, Question
from .types.texts import KEY_LENGTH

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
    #: counts changes of its card in the editor, an optimistic lock: of two editors the second is told
    rev = models.PositiveIntegerField(default=0)
    #: the question in another bank that this one is a copy of
    origin = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="copies", db_index=False
    )
    #: [[key, label]] of options that it had once and has no more, the newest last: typed again they get their keys back
    retired = models.JSONField(default=list, blank=True)
    #: no longer offered; its answers stay. Without answers it is deleted after 30 days
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["bank", "key"], name="instrument_key_once_per_bank")]

    def __str__(self) -> str:
        return self.name or self.key

    @property
    def latest(self) -> InstrumentVersion:
        """The newest version that can be asked; a draft is none yet."""
        return self.versions.filter(draft=False).latest("number")


class InstrumentVersion(models.Model):
    """An instrument as asked: immutable once a poll was opened with it; a change makes the next version.

    Before that it may be unfinished (`PollType.check` refuses it): it is checked when a workshop opens its doors.
    """

    instrument = models.ForeignKey(Instrument, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    #: a whole `Question` as JSON; one value, so a version can only be replaced, never edited in part
    definition = models.JSONField()
    fingerprint = models.CharField(max_length=64, editable=False)
    #: `meaning` of the definition: versions with equal ones are comparable, so their answers are added up
    meaning = models.CharField(max_length=64, editable=False)
    #: a working revision of a question that has been asked: nobody is asked it until it is saved as the next version
    draft = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "number"], name="version_number_once_per_instrument"
            ),
            models.UniqueConstraint(
                fields=["instrument"], condition=models.Q(draft=True), name="one_draft_per_instrument"
            ),
        ]
        # `question_with`, once a process for each question that is voted on
        indexes = [models.Index(fields=["fingerprint"], name="version_by_fingerprint")]

    def __str__(self) -> str:
        return f"{self.instrument} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises `Immutable` for a version that people have been asked."""
        if not self._state.adding and self.is_asked:
            raise Immutable(str(self))
        self.fingerprint, self.meaning = fingerprint(self.definition), meaning(self.definition)
        self.__dict__.pop("question", None)
        super().save(*args, **kwargs)

    @property
    def is_asked(self) -> bool:
        """Was a poll of it ever opened? From then on it never changes."""
        return self.polls.filter(opened_at__isnull=False).exists()

    @cached_property
    def question(self) -> Question:
        return Question.from_json(self.definition)

    @property
    def poll_type(self) -> PollType:
        return POLL_TYPES[self.definition["type"]]


def fingerprint(definition: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON: equal questions have equal fingerprints."""
    return hashlib.sha256(json.dumps(definition, sort_keys=True, default=str).encode()).hexdigest()


#: settings that change how a question looks or runs, and not what its answers mean
PRESENTATION = frozenset(
    {"image", "image_alt", "image_size", "reveal", "check", "change", "shuffle", "pass_label", "allow_pass"}
)


def meaning(definition: dict[str, Any]) -> str:
    """SHA-256 of what answers mean: type, text, the labels of options and lines by key whatever their order, points,
    unit, rule.

    Spaces do not count. Translations would not enter: a definition is in the programme's own language.
    """
    given = definition.get("settings", {}).items()
    # What is off or empty is as if it were not there; 0 is a number.
    settings = {k: v for k, v in given if k not in PRESENTATION and (v or (v == 0 and v is not False))}
    if lines := settings.get("items"):
        settings["items"] = sorted([line["key"], " ".join(line["label"].split())] for line in lines)
    if alone := settings.get("exclusive"):
        settings["exclusive"] = sorted(alone)
    means = {
        "type": definition["type"],
        "text": " ".join(definition["text"].split()),
        "options": sorted([key, " ".join(label.split())] for key, label in definition.get("options", [])),
        "settings": settings,
    }
    return fingerprint(means)


@lru_cache(maxsize=1000)
def question_with(fingerprint: str) -> Question:
    """The question with this fingerprint, cached: equal fingerprints are equal questions, so none goes stale."""
    return Question.from_json(InstrumentVersion.objects.filter(fingerprint=fingerprint)[0].definition)


class ComparabilityMark(models.Model):
    """Somebody's word that two versions with different meanings ask the same, so that their answers are added up."""

    class Kind(models.TextChoices):
        TYPO = "typo", _("Only a typo")
        #: the later one has more options; each new one counts only people who could choose it
        OPTION = "option", _("Option added")

    earlier = models.ForeignKey(InstrumentVersion, models.CASCADE, related_name="marks_to_later")
    later = models.ForeignKey(InstrumentVersion, models.CASCADE, related_name="marks_to_earlier")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    reason = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.UniqueConstraint(fields=["earlier", "later"], name="pair_marked_once")]


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
    #: the result frozen at close, with its denominators (`polls.results.freeze`); null while open
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
    """One voter's answer to one poll: issued when shown, cast when answered, kept unique by the database."""

    class Status(models.TextChoices):
        ISSUED = "issued"
        CAST = "cast"
        PASSED = "passed"

    # Without an index of its own: those below begin with it.
    poll = models.ForeignKey(Poll, models.CASCADE, related_name="ballots", db_index=False)
    voter = models.CharField(max_length=VOTER_LENGTH)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.ISSUED)
    value = models.JSONField(null=True, blank=True)
    #: the phone's version counter of its answers (an optimistic lock): a lower one that arrives late is stale
    seq = models.BigIntegerField(default=0)
    #: idempotency key of the operation that wrote this value: a retry gets the same receipt
    op = models.CharField(max_length=36, blank=True)
    #: how often the ballot was cast: 1 is the first answer
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
            # Every screen of an open question counts its ballots, several times a second.
            models.Index(fields=["poll", "rehearsal", "status", "after_reveal"], name="ballot_turnout"),
        ]


class Text(models.Model):
    """One revision of what one person wrote in one field. Append-only: an edit is a new revision.

    Equal words of two people are two texts, each with its own decision, consent and withdrawal. What uses the words
    elsewhere keeps a foreign key to the text or to a `Passage`, so that one moderation state holds everywhere.
    """

    class Standing(models.TextChoices):
        CURRENT = "current"
        #: superseded by a newer revision, or removed by its author
        FORMER = "former"
        #: the losing revision of an edit conflict: kept, never shown
        LOST = "lost"

    #: null: a note or a cue, whose own table has a foreign key to this one
    poll = models.ForeignKey(
        Poll, models.CASCADE, null=True, blank=True, related_name="texts", db_index=False
    )  # without an index of its own: those of the constraints begin with it
    #: voter key of the author of this revision; empty where there is none, as in a transcript
    voter = models.CharField(max_length=VOTER_LENGTH, blank=True)
    #: "answer", "entry-2", "other", "reason" (`PollType.texts_of`); "note", "cue-17"
    field = models.CharField(max_length=40)
    revision = models.PositiveIntegerField(default=1)
    #: the revision that this one supersedes, or lost against
    former = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="later", db_index=False
    )
    standing = models.CharField(max_length=7, choices=Standing.choices, default=Standing.CURRENT)
    words = models.TextField()
    #: normalised form: equal for words that a tally counts as one (`types.texts.text_key`); empty where none is made
    key = models.CharField(max_length=KEY_LENGTH, blank=True)
    #: idempotency key of the operation that wrote it; empty for answers, whose ballot has it
    op = models.CharField(max_length=36, blank=True)
    at = models.DateTimeField()
    #: made by a rehearsal
    rehearsal = models.BooleanField(default=False)
    #: the newest of its `decisions`, denormalised for joins; null: pending
    decision = models.ForeignKey(
        "TextDecision", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["poll", "voter", "field", "revision"], name="text_revision_once_per_field"
            ),
            models.UniqueConstraint(
                fields=["poll", "voter", "field"],
                condition=models.Q(standing="current", poll__isnull=False),
                name="one_current_text_per_field",
            ),
            models.UniqueConstraint(
                fields=["voter", "op"], condition=~models.Q(op=""), name="one_text_per_operation"
            ),
        ]
        indexes = [
            models.Index(fields=["former"], condition=models.Q(former__isnull=False), name="text_former"),
            models.Index(
                fields=["decision"], condition=models.Q(decision__isnull=False), name="text_decision"
            ),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        """The reference of this revision on screens and in logs, without its words."""
        return f"text-{self.pk}"

    @property
    def state(self) -> str:
        return self.decision.state if self.decision else TextDecision.State.PENDING

    @property
    def is_flagged(self) -> bool:
        return self.state == TextDecision.State.FLAGGED

    @property
    def replacement(self) -> str:
        return self.decision.replacement if self.decision else ""

    @property
    def as_decided(self) -> str:
        """The text for files and researchers: redacted where it was redacted, empty where it is flagged."""
        if self.state == TextDecision.State.REDACTED:
            return self.replacement
        return "" if self.is_flagged else self.words

    @property
    def for_the_wall(self) -> str:
        """The text that may be shown on the wall; empty where none may."""
        if self.state == TextDecision.State.REDACTED:
            return self.replacement
        return self.words if self.state == TextDecision.State.SHOWN else ""


class TextDecision(models.Model):
    """A moderation decision about a text. Append-only; the newest counts."""

    class State(models.TextChoices):
        #: an earlier decision was taken back
        PENDING = "pending", _("Not checked yet")
        SHOWN = "shown", _("Shown")
        HIDDEN = "hidden", _("Hidden")
        REDACTED = "redacted", _("Shown with words taken out")
        #: hidden everywhere but for the safeguarding lead
        FLAGGED = "flagged", _("Flagged for safeguarding")

    text = models.ForeignKey(Text, models.CASCADE, related_name="decisions")
    state = models.CharField(max_length=8, choices=State.choices)
    #: the redacted text that is shown instead
    replacement = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="redacted") ^ models.Q(replacement=""),
                name="a_redaction_has_its_replacement",
            )
        ]
        # Researchers' pages query these two alone, over all the workshops of a programme.
        indexes = [
            models.Index(
                fields=["state"],
                condition=models.Q(state__in=["flagged", "redacted"]),
                name="decision_withholds",
            )
        ]


class Passage(models.Model):
    """A part of a text, for quotes and codings to refer to. Offsets count characters of the original words."""

    text = models.ForeignKey(Text, models.CASCADE, related_name="passages", db_index=False)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    #: of the words between the two
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["text", "start", "end"], name="passage_once"),
            models.CheckConstraint(condition=models.Q(end__gt=models.F("start")), name="passage_has_words"),
        ]
