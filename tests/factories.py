"""A programme, a workshop, its polls and people: made in a line each, with nothing that a test did not ask for.

Everything is made through the project's own doors where there is one (`participation.join`,
`facilitation.launch`), so that a test never starts from a state that cannot happen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from polls.lifecycle import Reveal
from polls.models import Bank, Instrument, InstrumentVersion, Poll, Text
from polls.types import Question
from polls.types.base import Option
from workshops.actions import facilitation, participation
from workshops.actions.authoring import questionnaires
from workshops.models import (
    AgendaItem,
    Contribution,
    InformationSheet,
    Membership,
    Mode,
    Participant,
    Programme,
    Prompt,
    Role,
    Workshop,
    new_key,
)
from workshops.people.participant_cookie import ParticipantToken

_numbers = count(1)
#: what the cookies of people carry, by voter: the database has the hash alone
_keys: dict[str, str] = {}

YES_NO = Question("single_choice", "Is it calm?", options=(Option("yes", "Yes"), Option("no", "No")))
SHEET_ITEMS = [
    {"key": "read", "text": "I have read it", "required": True},
    {"key": "pooled", "text": "My answers may be used in pooled form", "required": True},
    {"key": "quotes", "text": "My words may be quoted", "required": False},
]


def programme(**fields: Any) -> Programme:
    number = next(_numbers)
    bank = Bank.objects.create(key=f"bank-{number}", title=f"Bank {number}")
    fields = {"key": f"programme-{number}", "title": f"Programme {number}", "bank": bank} | fields
    return Programme.objects.create(**fields)


def sheet(of: Programme, items: Sequence[dict[str, Any]] = SHEET_ITEMS) -> InformationSheet:
    number = of.sheets.count() + 1
    return InformationSheet.objects.create(programme=of, number=number, text="Why we ask.", items=list(items))


def workshop(
    of: Programme | None = None, *questions: Question, started: bool = True, **fields: Any
) -> Workshop:
    """A workshop with one agenda item per question; its doors are open unless `started=False`. People may listen to
    it, so that tests of what they see need not say so."""
    of = of or programme()
    fields = {"title": "The ideal baby room", "number": of.workshops.count() + 1, "observers": True} | fields
    if "sheet" not in fields:
        fields["sheet"] = sheet(of)
    made = Workshop.objects.create(programme=of, **fields)
    for question in questions or (YES_NO,):
        poll_item(made, question)
    if started:
        facilitation.start(made.pk, None)
        made.refresh_from_db()
    return made


def questionnaire(
    of: Programme | None = None, *questions: Question, opened: bool = True, **fields: Any
) -> Workshop:
    """A workshop that is answered by an open link, until tomorrow; open unless `opened=False`."""
    fields = {"mode": Mode.QUESTIONNAIRE, "closes_at": timezone.now() + timedelta(days=1)} | fields
    made = workshop(of, *questions, started=False, **fields)
    if opened:
        questionnaires.open_now(made.pk, None)
        made.refresh_from_db()
    return made


def poll(question: Question = YES_NO, *, bank: Bank | None = None, reveal: str = Reveal.AFTER_CLOSE) -> Poll:
    """A draft poll of a new instrument."""
    number = next(_numbers)
    bank = bank or Bank.objects.create(key=f"bank-{number}", title=f"Bank {number}")
    instrument = Instrument.objects.create(bank=bank, key=f"question-{number}", name=question.text[:60])
    version = InstrumentVersion.objects.create(instrument=instrument, number=1, definition=question.as_json())
    return Poll.objects.create(version=version, reveal=reveal)


def poll_item(
    of: Workshop,
    question: Question = YES_NO,
    *,
    reveal: str = Reveal.AFTER_CLOSE,
    profile: bool = False,
    key: str = "",
) -> AgendaItem:
    """The next step of an agenda: a question, on stage or at joining."""
    made = poll(question, bank=of.programme.bank, reveal=Reveal.NEVER if profile else reveal)
    if key:
        Instrument.objects.filter(pk=made.version.instrument_id).update(key=key)
    return _item(of, AgendaItem.Kind.POLL, question.text, poll=made, profile=profile)


def prompt_item(of: Workshop, text: str = "What would calm look like?", minutes: int = 10) -> AgendaItem:
    prompt = Prompt.objects.create(
        programme=of.programme, key=f"prompt-{next(_numbers)}", text=text, minutes=minutes
    )
    return _item(of, AgendaItem.Kind.PROMPT, text, prompt=prompt, minutes=minutes)


def pause_item(of: Workshop, title: str = "Tea", minutes: int = 10) -> AgendaItem:
    return _item(of, AgendaItem.Kind.PAUSE, title, minutes=minutes)


def _item(of: Workshop, kind: str, title: str, **fields: Any) -> AgendaItem:
    return AgendaItem.objects.create(
        workshop=of, position=of.agenda.count(), kind=kind, title=title[:200], **fields
    )


def participant(
    of: Workshop, *, ticked: Sequence[str] | None = None, rehearsal: bool = False, profiled: bool = True
) -> Participant:
    """Somebody who has read the sheet and ticked everything, or these items."""
    if ticked is None:
        ticked = [item["key"] for item in of.sheet.items] if of.sheet else []
    made = participation.join(of, ticked, voter=seat(of).voter, rehearsal=rehearsal)
    if profiled:
        participation.write([participation.Profiled(of.pk, made.voter)])
    return made


def launched(of: Workshop, place: int = 0) -> Poll:
    """The poll of the question at this place of the agenda, put on stage and open."""
    item = of.agenda.filter(profile=False, poll__isnull=False).order_by("position")[place]
    facilitation.launch(of.pk, None, item.pk)
    of.refresh_from_db()
    return Poll.objects.get(pk=item.poll_id)


def vote(who: Participant, on: Poll, value: Any, op: str = "", seq: int | None = None):
    """The outcome of one answer, written as the write batcher would write it."""
    return participation.write([participation.Vote(who.workshop_id, who.voter, on.pk, value, op, seq)])[0]


def text(of: Poll, words: str) -> Text:
    """The first text with these words that stands among the answers to this poll."""
    found = Text.objects.filter(poll=of, words=words, standing=Text.Standing.CURRENT)
    return found.order_by("pk")[0]


def refs(of: Poll, *words: str) -> list[str]:
    return [text(of, each).ref for each in words]


def note_ref(note: int) -> str:
    """Names the words that a note has now."""
    return Contribution.objects.select_related("text").get(pk=note).ref


def seat(of: Workshop) -> ParticipantToken:
    """For somebody who is yet to join."""
    made = ParticipantToken.for_key(of.pk, new_key())
    _keys[made.voter] = made.key
    return made


def token_of(who: Participant) -> ParticipantToken:
    return ParticipantToken.for_key(who.workshop_id, _keys[who.voter])


def phone(who: Participant | None = None, *, observing: Workshop | None = None, **options: Any) -> Client:
    """A browser that holds this person's seat, an observer's, or none."""
    client = Client(**options)
    token = token_of(who) if who else ParticipantToken.for_observer(observing.pk) if observing else None
    if token:
        client.cookies[settings.PARTICIPANT_COOKIE_NAME] = token.as_cookie()
    return client


def person(email: str = "") -> User:
    """Somebody with an account and no role."""
    email = email or f"person-{next(_numbers)}@example.org"
    return User.objects.create_user(username=email, email=email, password="correct horse battery")


def staff(of: Programme, role: str = Role.FACILITATOR) -> User:
    user = User.objects.create_user(f"person-{next(_numbers)}", email=f"person{next(_numbers)}@example.org")
    Membership.objects.create(programme=of, user=user, role=role)
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client
