"""Summaries with figures that print people's words: answers to a words question, or a poll about somebody's sentence."""

from __future__ import annotations

from polls import text_decisions
from polls.models import Text
from polls.types import Question
from visions.results.aggregates import load_findings
from visions.summary import composing
from workshops.actions import facilitation, groups, moderation
from workshops.actions.groups import notes
from workshops.models import Contribution, Domain, Group, Participant

from .. import factories

WORDS = Question("words", "In a word?", settings={"max_entries": 3, "max_length": 40})
SAID = "Babies sleep better when it is quiet"


def held(words, *, people=12, quotable=True, question=WORDS, state=text_decisions.SHOWN):
    """A workshop in which so many people gave this answer, decided about, and over."""
    workshop = factories.workshop(None, question)
    Domain.objects.create(programme=workshop.programme, key="look", title="Look")
    poll = factories.launched(workshop)
    for _ in range(people):
        factories.vote(factories.participant(workshop), poll, words)
    consent = ["read", "pooled", *(["quote"] if quotable else [])]
    Participant.objects.filter(workshop=workshop).update(consent=consent)
    if state:
        text_decisions.decide(list(Text.objects.values_list("pk", flat=True)), state)
    facilitation.end(workshop.pk, None)
    return workshop.programme, poll


def linked(programme, poll, key="calm"):
    summary = composing.summary_of(programme)
    statement = composing.add_statement(summary, programme.domains.get(), "It is calm.")
    composing.link(statement, load_findings(programme), poll.version.instrument.key, "option", key)
    return summary


def polled(*, people=12, quotable=True, note=False):
    """A workshop in which the room was asked whether somebody's sentence rings true."""
    workshop = factories.workshop(None, Question("open_text", "Your hope?"))
    Domain.objects.create(programme=workshop.programme, key="look", title="Look")
    writer = factories.participant(workshop)
    text = noted(workshop, writer) if note else answered(workshop, writer)
    Participant.objects.update(consent=["read", "pooled", *(["quote"] if quotable else [])])
    moderation.decide(workshop.pk, None, text.ref, "shown")
    groups.agreement_poll(workshop.pk, None, text.ref)
    workshop.refresh_from_db()
    poll = workshop.stage_item.poll
    for _ in range(people):
        factories.vote(factories.participant(workshop), poll, {"choice": "agree"})
    facilitation.end(workshop.pk, None)
    return workshop.programme, poll, text


def answered(workshop, writer):
    factories.vote(writer, factories.launched(workshop), SAID)
    facilitation.close(workshop.pk, None)
    return Text.objects.get()


def noted(workshop, writer):
    facilitation.launch(workshop.pk, None, factories.prompt_item(workshop).pk)
    groups.make(workshop.pk, None, "random", groups=1)
    groups.open_round(workshop.pk, None)
    (done,) = notes.write([notes.Add(workshop.pk, writer.voter, "op1", Group.objects.get().pk, SAID)])
    return Contribution.objects.get(pk=done.note).text
