"""A programme with something of everything in it, and everybody who may come."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from polls import ballot_box
from polls.models import Text
from visions.models import EvidenceLink, Snapshot, Statement, Summary
from workshops.actions import facilitation, groups, transcripts
from workshops.actions.authoring.programme_file import load
from workshops.actions.groups import notes
from workshops.models import AgendaItem, Group, Picture, Prompt, Role, Transcript, Workshop
from workshops.people import invitations
from workshops.people.participant_cookie import ParticipantToken

from .. import factories
from ..poll_samples import QUESTIONS

FILE = Path(__file__).parents[2] / "programmes" / "our_own_baby_room.toml"


class World:
    def __init__(self) -> None:
        self.programme = load(FILE.read_text()).programme
        self.running = self._workshop()
        self.people = [factories.participant(self.running) for _ in range(4)]
        # All at once: on a stage each would close the one before.
        asked = self.running.agenda.exclude(poll=None).values_list("poll_id", flat=True)
        self.polls = [ballot_box.open_poll(poll_id).pk for poll_id in asked]
        self.group = self._groups()
        self.planned = self._workshop(started=False)
        self.ended = factories.workshop(self.programme, QUESTIONS["words"])
        self._vote_and_end(self.ended)
        self.questionnaire = factories.questionnaire(self.programme, *QUESTIONS.values())
        self._what_comes_after()
        self.cookies = self._cookies()
        self.running.refresh_from_db()
        self.notes = list(self.group.contributions.values_list("pk", flat=True))
        self.texts = list(Text.objects.values_list("pk", flat=True))

    def _workshop(self, **fields: Any) -> Workshop:
        made = factories.workshop(self.programme, *QUESTIONS.values(), **fields)
        factories.prompt_item(made)
        factories.pause_item(made)
        return made

    def _groups(self) -> Group:
        item = self.running.agenda.get(kind=AgendaItem.Kind.PROMPT)
        Prompt.objects.filter(pk=item.prompt_id).update(probes=["And hear?"])
        facilitation.launch(self.running.pk, None, item.pk)
        groups.make(self.running.pk, None, how="random", groups=2)
        groups.open_round(self.running.pk, None)
        group = Group.objects.filter(round__workshop=self.running).order_by("number")[0]
        for number, place in enumerate(group.places.all()):
            notes.write([notes.Add(self.running.pk, place.voter, f"w{number}", group.pk, "It is calm.")])
        return group

    def _vote_and_end(self, workshop: Workshop) -> None:
        poll = factories.launched(workshop)
        for word in ("Calm", "Light"):
            factories.vote(factories.participant(workshop), poll, [word])
        facilitation.end(workshop.pk, None)

    def _what_comes_after(self) -> None:
        said = {"start": 0.0, "end": 1.0, "speaker": "", "text": "It is calm."}
        transcripts.keep(transcripts.add(self.group, [said], None), None)
        Picture.objects.create(
            programme=self.programme, sha256="a" * 64, data=b"webp", width=1, height=1, alt="A room"
        )
        self.programme.invitations.create(
            email="new@example.org", role=Role.RESEARCHER, secret_hash="a" * 64,
            expires_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip
        summary = Summary.objects.create(programme=self.programme, key=self.programme.key, title="Vision")
        statement = Statement.objects.create(
            summary=summary, domain=self.programme.domains.first(), text="It is calm."
        )
        EvidenceLink.objects.create(
            statement=statement, instrument=self.programme.bank.instruments.first(), kind="option", figure="yes",
            linked={"label": "Yes", "hits": 12, "valid": 20, "workshops": 2, "cells": [], "series": 1},
        )  # fmt: skip
        now = timezone.now()
        Snapshot.objects.create(summary=summary, number=1, content={}, published_at=now, withdrawn_at=now)

    def _cookies(self) -> dict[str, dict[str, str]]:
        """Who → their cookies."""
        people = {
            role: factories.person() for role in ("owner", "facilitator", "researcher", "guest", "lead")
        }
        for role in Role:
            invitations.add_member(self.programme, people[str(role)], role)
        for workshop in (self.running, self.planned, self.questionnaire):
            invitations.add_member(self.programme, people["guest"], Role.FACILITATOR, workshop)
        invitations.add_member(self.programme, people["lead"], Role.RESEARCHER)
        self.programme.safeguarding_lead = people["lead"]
        self.programme.save()
        people["stranger"] = factories.person()
        name = settings.SESSION_COOKIE_NAME
        cookies = {
            who: {name: factories.signed_in(person).cookies[name].value} for who, person in people.items()
        }
        seat = settings.PARTICIPANT_COOKIE_NAME
        cookies["participant"] = {seat: factories.token_of(self.people[0]).as_cookie()}
        cookies["observer"] = {seat: ParticipantToken.for_observer(self.running.pk).as_cookie()}
        answers = factories.token_of(factories.participant(self.questionnaire))
        cookies["answering"] = {f"{seat}-{self.questionnaire.code}": answers.as_cookie()}
        cookies["nobody"] = {}
        return cookies

    def parts(self) -> dict[str, list[Any]]:
        """What may stand in an address, by the name of its part."""
        workshops = [self.running, self.planned, self.ended, self.questionnaire]
        bank = self.programme.bank
        numbers = {row.pk for row in _rows(self.programme)}
        keys = [
            *bank.instruments.values_list("key", flat=True)[:2],
            self.programme.prompts.values_list("key", flat=True)[0],
            self.programme.plans.values_list("key", flat=True)[0],
        ]
        return {
            "key": [self.programme.key, self.running.wall_key],
            "code": [workshop.code for workshop in workshops],
            "pk": sorted(numbers),
            "link": sorted(numbers),
            "number": [1, 2],
            "slug": keys,
            "instrument": keys,
            "sha256": ["a" * 64],
            "name": ["joining", "close", "launch"],
            "kind": ["plan", "workshop", "question", "prompt"],
            "secret": ["no-such"],
        }


def _rows(programme: Any) -> list[models.Model]:
    """One row at least of everything that an address may name by its number."""
    summary = Summary.objects.get(programme=programme)
    return [
        *programme.log.order_by("-pk")[:2],
        *programme.memberships.all()[:2],
        *programme.invitations.all()[:1],
        *AgendaItem.objects.filter(workshop__programme=programme).order_by("-pk")[:12],
        *Group.objects.filter(round__workshop__programme=programme)[:2],
        *Transcript.objects.filter(group__round__workshop__programme=programme),
        *summary.statements.all()[:1],
        *EvidenceLink.objects.filter(statement__summary=summary)[:1],
    ]
