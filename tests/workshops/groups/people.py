"""Who sits with whom in the small groups of a test."""

from __future__ import annotations

from workshops.models import Group, Participant


def group_of(who: Participant) -> Group:
    return Group.objects.get(places__voter=who.voter, round__closed_at=None)


def mate_of(who: Participant) -> Participant:
    voters = group_of(who).places.exclude(voter=who.voter).values_list("voter", flat=True)
    return Participant.objects.filter(voter__in=voters).order_by("pk")[0]


def stranger_to(who: Participant) -> Participant:
    voters = group_of(who).places.values_list("voter", flat=True)
    return Participant.objects.filter(workshop=who.workshop).exclude(voter__in=voters).order_by("pk")[0]
