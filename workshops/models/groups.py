"""Breakout rounds: groups, their members, prompts and notes.

Members and authors are voter keys, with no personal data. Notes are append-only: their words are texts of `polls`, of
which every revision stays, also the losing one of an edit conflict.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from polls.models import VOTER_LENGTH, Text

TEXT_LIMIT = 1000  # characters of a contribution
NAME_LIMIT = 60


class Round(models.Model):
    """A breakout round. Its groups are formed, then open for notes, then closed."""

    class Made(models.TextChoices):
        RANDOM = "random", _("Random")
        BALANCED = "balanced", _("Mixed roles")
        BY_ROLE = "by_role", _("By role")
        BY_TABLE = "by_table", _("By table")
        BY_HAND = "by_hand", _("By hand")
        SELF_CHOSEN = "self_chosen", _("People choose")
        KEPT = "kept", _("The same as before")
        MERGED = "merged", _("Join groups in pairs")

    workshop = models.ForeignKey("workshops.Workshop", models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField()
    #: the agenda item that it belongs to
    item = models.ForeignKey(
        "workshops.AgendaItem", models.SET_NULL, null=True, blank=True, related_name="rounds"
    )
    made = models.CharField(max_length=12, choices=Made.choices)
    #: think first, then share: members see only their own notes until the facilitator shares them
    think_first = models.BooleanField(default=False)
    made_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    shared_at = models.DateTimeField(null=True, blank=True)
    #: when everybody was called back to the plenary; notes can still be finished
    recalled_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    #: the group that the wall shows while groups share back
    presenting = models.ForeignKey("Group", models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["workshop", "number"], name="round_number_once")]

    @property
    def is_open(self) -> bool:
        return self.opened_at is not None and self.closed_at is None

    @property
    def is_filling(self) -> bool:
        """Are groups still being filled (by choice, by table or by hand)? At the latest when it opens, everybody is
        assigned."""
        by_and_by = (self.Made.BY_HAND, self.Made.SELF_CHOSEN, self.Made.BY_TABLE)
        return self.made in by_and_by and self.opened_at is None

    @property
    def seats_by_hand(self) -> bool:
        """Is the facilitator still assigning people by hand?"""
        return self.made == self.Made.BY_HAND and self.is_filling

    @property
    def lets_choose(self) -> bool:
        """May people change their group themselves? Not after the recall, when notes are shared on the wall."""
        return self.made in (self.Made.SELF_CHOSEN, self.Made.BY_TABLE) and self.recalled_at is None

    @property
    def shows_others(self) -> bool:
        return not self.think_first or self.shared_at is not None


class Group(models.Model):
    """One of the small groups of a round."""

    round = models.ForeignKey(Round, models.CASCADE, related_name="groups")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=NAME_LIMIT)
    #: the video room, where there is one
    link = models.URLField(max_length=500, blank=True)
    #: the prompt it talks about; `question` is a copy of its text, so that later edits do not change it
    prompt = models.ForeignKey(
        "workshops.Prompt", models.SET_NULL, null=True, blank=True, related_name="groups"
    )
    question = models.TextField(blank=True)
    #: the member who may edit and order everybody's notes
    scribe = models.CharField(max_length=VOTER_LENGTH, blank=True)
    #: when it called for help, until the facilitator answers
    help_at = models.DateTimeField(null=True, blank=True)
    #: the one note that it shares with the plenary
    pick = models.ForeignKey("Contribution", models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["round", "number"], name="group_number_once")]

    def __str__(self) -> str:
        return self.name


class Place(models.Model):
    """The membership of one participant in a round: in a group, or in none yet while groups are being filled."""

    round = models.ForeignKey(Round, models.CASCADE, related_name="places")
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="places")
    voter = models.CharField(max_length=VOTER_LENGTH)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "voter"], name="one_place_a_round")]
        indexes = [models.Index(fields=["voter"])]


class Call(models.Model):
    """A probe or a message that the facilitator sent into groups."""

    class Kind(models.TextChoices):
        PROBE = "probe"
        MESSAGE = "message"

    round = models.ForeignKey(Round, models.CASCADE, related_name="calls")
    #: null: to all of them
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="calls")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    text = models.CharField(max_length=500)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["at", "id"]


class Contribution(models.Model):
    """A note: a short text that a member of a group wrote. Its words are a text of `polls`; an edit makes it point at
    the next revision.
    """

    group = models.ForeignKey(Group, models.CASCADE, related_name="contributions")
    author = models.CharField(max_length=VOTER_LENGTH)
    #: idempotency key of the operation that created it: a retry creates no second one
    op = models.CharField(max_length=36)
    text = models.OneToOneField(Text, models.CASCADE, related_name="contribution")
    position = models.IntegerField()
    at = models.DateTimeField(auto_now_add=True)
    taken_back_at = models.DateTimeField(null=True, blank=True)
    rehearsal = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["author", "op"], name="one_contribution_per_op")]
        indexes = [
            models.Index(fields=["group", "position"], condition=Q(taken_back_at=None), name="notes_here")
        ]

    @property
    def ref(self) -> str:
        """The reference of the current revision: a moderation decision must not apply to a later one."""
        return self.text.ref

    @property
    def for_the_wall(self) -> str:
        """The text that may be shown on the wall; empty where none may."""
        return "" if self.taken_back_at else self.text.for_the_wall


class Agreement(models.Model):
    """One participant's agreement with a note; at most one each."""

    contribution = models.ForeignKey(Contribution, models.CASCADE, related_name="agreements")
    voter = models.CharField(max_length=VOTER_LENGTH)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contribution", "voter"], name="agree_once")]


class Transcript(models.Model):
    """The pseudonymised transcript of a group's talk; real names are never stored."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="transcripts")
    added_at = models.DateTimeField(auto_now_add=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    #: when it was reviewed and kept; until then it is there for the user who added it alone, and deleted after a day
    kept_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["added_at", "id"]

    def parts(self) -> list[dict[str, Any]]:
        """`{"start", "end", "speaker", "text"}` in their order, as `transcripts` reads a file; one query."""
        cues = self.cues.select_related("text__decision")
        return [
            {"start": cue.start, "end": cue.end, "speaker": cue.speaker, "text": cue.text.as_decided}
            for cue in cues
        ]


class Cue(models.Model):
    """A part of a transcript: one speaker's words, with their seconds from the beginning of the recording."""

    transcript = models.ForeignKey(Transcript, models.CASCADE, related_name="cues", db_index=False)
    number = models.PositiveIntegerField()
    start = models.FloatField()
    end = models.FloatField(null=True, blank=True)
    #: a pseudonym; empty where nobody recognised one
    speaker = models.CharField(max_length=200, blank=True)
    text = models.OneToOneField(Text, models.CASCADE, related_name="cue")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["transcript", "number"], name="cue_number_once")]
