"""Times in small groups: who sits with whom, what they were asked, what they wrote.

A group carries voter keys and nothing else of people; a contribution its author's key. What somebody wrote is never
overwritten: every wording stays (`Wording`), also the one that lost when two people changed the same words at once.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from polls.models import VOTER_LENGTH

TEXT_LIMIT = 1000  # characters of a contribution
NAME_LIMIT = 60


class Round(models.Model):
    """A time in small groups. Formed first, then open: from then on notes are taken, until it is closed."""

    class Made(models.TextChoices):
        RANDOM = "random", _("Random")
        BALANCED = "balanced", _("Mixed roles")
        BY_ROLE = "by_role", _("By role")
        BY_TABLE = "by_table", _("By table")
        BY_HAND = "by_hand", _("By hand")
        SELF_CHOSEN = "self_chosen", _("People choose")
        KEPT = "kept", _("The same as before")
        MERGED = "merged", _("The groups before, two by two")

    workshop = models.ForeignKey("workshops.Workshop", models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField()
    #: the step of the agenda that it belongs to
    item = models.ForeignKey(
        "workshops.AgendaItem", models.SET_NULL, null=True, blank=True, related_name="rounds"
    )
    made = models.CharField(max_length=12, choices=Made.choices)
    #: think first, then share: others' notes are hidden until the facilitator opens them
    think_first = models.BooleanField(default=False)
    made_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    shared_at = models.DateTimeField(null=True, blank=True)
    #: everybody was called back to the plenary; notes can still be finished
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
        """Do people still choose, say their table or get a place by hand? When it opens, everybody has a group."""
        by_and_by = (self.Made.BY_HAND, self.Made.SELF_CHOSEN, self.Made.BY_TABLE)
        return self.made in by_and_by and self.opened_at is None

    @property
    def seats_by_hand(self) -> bool:
        """Is the facilitator still giving people their places?"""
        return self.made == self.Made.BY_HAND and self.is_filling

    @property
    def lets_choose(self) -> bool:
        """May people change their group by themselves? Not after the call back, when sentences are shared."""
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
    #: what this group talks about; copied, so that it stays what was asked
    prompt = models.ForeignKey(
        "workshops.Prompt", models.SET_NULL, null=True, blank=True, related_name="groups"
    )
    question = models.TextField(blank=True)
    #: the member who may edit and order everybody's notes
    scribe = models.CharField(max_length=VOTER_LENGTH, blank=True)
    #: since when it waits for the facilitator
    help_at = models.DateTimeField(null=True, blank=True)
    #: the one contribution that it brings to the plenary
    pick = models.ForeignKey("Contribution", models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["round", "number"], name="group_number_once")]

    def __str__(self) -> str:
        return self.name


class Place(models.Model):
    """Somebody's place in a round: in a group, or in none while groups fill and while they choose another."""

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


def note_ref(pk: int, revision: int) -> str:
    """A wording of a note, named on a screen and in a log without its words."""
    return f"note-{pk}-{revision}"


class Contribution(models.Model):
    """A short text that somebody gave to a prompt in a group."""

    class Check(models.TextChoices):
        PENDING = "pending", _("Not checked yet")
        SHOWN = "shown", _("Shown")
        HIDDEN = "hidden", _("Hidden")
        REDACTED = "redacted", _("Shown with words taken out")

    group = models.ForeignKey(Group, models.CASCADE, related_name="contributions")
    author = models.CharField(max_length=VOTER_LENGTH)
    #: the operation that made it, so that a retry makes no second one
    op = models.CharField(max_length=36)
    text = models.CharField(max_length=TEXT_LIMIT)
    #: counts its wordings; who changes it says which one they saw
    revision = models.PositiveIntegerField(default=1)
    position = models.IntegerField()
    at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(null=True, blank=True)
    taken_back_at = models.DateTimeField(null=True, blank=True)
    rehearsal = models.BooleanField(default=False)
    check_state = models.CharField(max_length=8, choices=Check.choices, default=Check.PENDING)
    #: what stands on the wall instead, once words were taken out
    redacted = models.CharField(max_length=TEXT_LIMIT, blank=True)
    #: somebody must look at this: hidden everywhere, for the named lead alone
    safeguarding = models.BooleanField(default=False)
    #: brought to the vision as the draft of a statement
    proposed_at = models.DateTimeField(null=True, blank=True)
    #: a facilitator wanted to ask the room about it, and was told to decide first about what it may name
    wanted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["author", "op"], name="one_contribution_per_op")]
        indexes = [
            models.Index(fields=["group", "position"], condition=Q(taken_back_at=None), name="notes_here")
        ]

    @property
    def ref(self) -> str:
        """These words of this note: a decision about them must not fall on words that came after."""
        return note_ref(self.pk, self.revision)

    @property
    def for_the_wall(self) -> str:
        """What may stand on the wall; empty where nothing may."""
        if self.safeguarding or self.taken_back_at:
            return ""
        if self.check_state == self.Check.REDACTED:
            return self.redacted
        return self.text if self.check_state == self.Check.SHOWN else ""


class Wording(models.Model):
    """A text that a contribution had, or would have had: nothing that was sent is lost."""

    contribution = models.ForeignKey(Contribution, models.CASCADE, related_name="wordings")
    #: the revision it made, or was refused against
    revision = models.PositiveIntegerField()
    text = models.CharField(max_length=TEXT_LIMIT)
    by = models.CharField(max_length=VOTER_LENGTH)
    op = models.CharField(max_length=36)
    at = models.DateTimeField(auto_now_add=True)
    #: False: somebody else had changed the words meanwhile
    kept = models.BooleanField(default=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["by", "op"], name="one_wording_per_op")]


class Agreement(models.Model):
    """Somebody agrees with a contribution; counted once a person."""

    contribution = models.ForeignKey(Contribution, models.CASCADE, related_name="agreements")
    voter = models.CharField(max_length=VOTER_LENGTH)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contribution", "voter"], name="agree_once")]


class Transcript(models.Model):
    """What was said in a group, with pseudonyms; real names never reach it."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="transcripts")
    #: [{"start", "end", "speaker", "text"}] as `transcripts` reads it, after its names were taken out
    cues = models.JSONField()
    added_at = models.DateTimeField(auto_now_add=True)
    #: somebody has read it and kept it; until then it is looked at by whoever added it, and goes after a day
    kept_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["added_at", "id"]
