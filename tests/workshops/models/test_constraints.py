"""What the database itself refuses, whoever writes."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from polls.models import Passage, Text, TextDecision
from workshops.models import AgendaItem

from ... import factories

pytestmark = pytest.mark.django_db


def refused(do) -> bool:
    try:
        with transaction.atomic():
            do()
    except IntegrityError:
        return True
    return False


@pytest.mark.parametrize("kind", AgendaItem.Kind)
@pytest.mark.parametrize("has_poll", [True, False])
@pytest.mark.parametrize("has_prompt", [True, False])
def test_an_agenda_items_kind_fits_its_poll_or_prompt(kind, has_poll, has_prompt):
    workshop = factories.workshop()
    poll = factories.poll() if has_poll else None
    prompt = factories.prompt_item(workshop).prompt if has_prompt else None
    fits = (kind == "poll", kind == "prompt") == (has_poll, has_prompt)
    item = AgendaItem(workshop=workshop, position=9, kind=kind, title="One", poll=poll, prompt=prompt)
    assert refused(item.save) is not fits


def text(**fields) -> Text:
    return Text(**{"voter": "v1", "field": "answer", "words": "Calm", "at": timezone.now()} | fields)


def test_a_field_of_a_persons_answer_has_one_current_text_and_each_revision_once():
    poll = factories.poll()
    text(poll=poll).save()
    assert refused(text(poll=poll, revision=2).save)
    assert refused(text(poll=poll, standing="former").save)
    assert not refused(text(poll=poll, revision=2, standing="former").save)
    assert not refused(text(poll=poll, voter="v2").save)
    assert not refused(text(poll=poll, field="other").save)


def test_an_operation_writes_one_text_of_a_person_and_words_without_one_any_number():
    text(op="a").save()
    assert refused(text(op="a").save)
    assert not refused(text(op="a", voter="v2").save)
    assert [refused(text(voter="").save) for _ in range(2)] == [False, False]


@pytest.mark.parametrize("state", TextDecision.State)
@pytest.mark.parametrize("replacement", ["", "[name]"])
def test_a_redaction_has_a_replacement_and_no_other_decision_has_one(state, replacement):
    mine = text()
    mine.save()
    decision = TextDecision(text=mine, state=state, replacement=replacement, at=timezone.now())
    assert refused(decision.save) is not ((state == "redacted") == bool(replacement))


def test_a_passage_has_words_and_stands_once():
    mine = text()
    mine.save()
    assert refused(Passage(text=mine, start=2, end=2).save)
    assert not refused(Passage(text=mine, start=0, end=4).save)
    assert refused(Passage(text=mine, start=0, end=4).save)
