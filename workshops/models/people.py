"""People: staff by membership and invitation, participants by a random key."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from polls.models import VOTER_LENGTH

from .programme import InformationSheet, Programme
from .workshop import Workshop, new_key


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    FACILITATOR = "facilitator", _("Facilitator")
    RESEARCHER = "researcher", _("Researcher")


class Membership(models.Model):
    """A role of a user in a programme, or in one of its workshops. A user may have several.

    With a `workshop` it is a guest's: a facilitator who sees that workshop and no other.
    """

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)
    workshop = models.ForeignKey(Workshop, models.CASCADE, null=True, blank=True, related_name="guests")
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "user", "role"],
                condition=models.Q(workshop__isnull=True),
                name="role_once",
            ),
            models.UniqueConstraint(
                fields=["workshop", "user"], condition=models.Q(workshop__isnull=False), name="guest_once"
            ),
            models.CheckConstraint(
                condition=models.Q(workshop__isnull=True) | models.Q(role="facilitator"),
                name="guests_are_facilitators",
            ),
        ]


class Invitation(models.Model):
    """An invitation to a role in a programme, or to one workshop. The secret of its link is stored hashed and works
    once. Without an address it is a link to be copied: whoever opens it first."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="invitations")
    email = models.EmailField(blank=True)
    workshop = models.ForeignKey(Workshop, models.CASCADE, null=True, blank=True, related_name="invitations")
    role = models.CharField(max_length=12, choices=Role.choices)
    secret_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)


class Participant(models.Model):
    """A person who joined with a phone: a random voter key and their consent. No name, no address."""

    workshop = models.ForeignKey(Workshop, models.CASCADE, related_name="participants")
    voter = models.CharField(max_length=VOTER_LENGTH, unique=True, default=new_key)
    sheet = models.ForeignKey(InformationSheet, models.PROTECT, null=True, blank=True, related_name="+")
    #: keys of the consent items they ticked
    consent = models.JSONField(default=list)
    joined_at = models.DateTimeField(auto_now_add=True)
    #: when they finished or skipped the profile
    profiled_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    #: the number on their table, where groups are made by table
    table = models.PositiveSmallIntegerField(null=True, blank=True)
    rehearsal = models.BooleanField(default=False)
    #: when the programme's time to keep answers was over: the key is a new one, and no phone has it
    cut_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["workshop", "rehearsal"])]
        constraints = [
            # A ballot needs a participant, so without consent there is none. Rehearsal phones are no people.
            models.CheckConstraint(
                condition=models.Q(rehearsal=True) | models.Q(sheet__isnull=False) & ~models.Q(consent=[]),
                name="people_have_agreed",
            )
        ]


class AccountNotice(models.Model):
    """Somebody without a role was told that their account will be removed."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notice")
    sent_at = models.DateTimeField()
