"""A poll type is one module, one line and two templates: `tests/thumbs` is voted with at both doors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from polls import results
from polls.models import Ballot
from polls.types import POLL_TYPES, Question
from tests import factories as make
from tests.thumbs import thumbs

pytestmark = pytest.mark.django_db
TEMPLATES = Path(thumbs.__file__).parent / "templates"


@pytest.fixture
def room(monkeypatch, settings):
    monkeypatch.setitem(POLL_TYPES, "thumbs", thumbs.Thumbs())
    settings.TEMPLATES = [
        settings.TEMPLATES[0] | {"DIRS": [*settings.TEMPLATES[0]["DIRS"], TEMPLATES]},
        *settings.TEMPLATES[1:],
    ]
    room = make.workshop(None, Question("thumbs", "A garden for babies?"))
    make.launched(room)
    return room


def say(client, room, poll, seq=1, **fields):
    frame = {"t": "vote", "op": f"op{seq}", "poll": poll, "seq": seq, "fields": fields}
    return client.post(f"/w/{room.code}/vote/", json.dumps(frame), content_type="application/json").json()


def test_its_ballot_is_sent_as_a_frame_and_as_a_plain_form_and_both_are_counted(room):
    poll = room.agenda.get(poll__isnull=False).poll
    by_script, by_form = make.phone(make.participant(room)), make.phone(make.participant(room))
    assert "Thumb up" in by_form.get(f"/w/{room.code}/").content.decode()

    answer = say(by_script, room, poll.pk, thumb=["up"])
    assert (answer["t"], answer["said"]) == ("ack", "Thumb up")
    assert (answer["fields"], answer["marks"]) == ({"thumb": ["up"]}, ["up"])
    assert by_form.post(f"/w/{room.code}/vote/", {"poll": poll.pk, "thumb": "down"}).status_code == 302
    assert "Saved: Thumb down" in by_form.get(f"/w/{room.code}/").content.decode()
    assert sorted(Ballot.objects.values_list("value", flat=True)) == ["down", "up"]
    assert results.read(poll).tally == {"n": 2, "counts": {"up": 1, "down": 1}}


def test_its_own_sentence_refuses_an_empty_form_at_both_doors(room):
    poll = room.agenda.get(poll__isnull=False).poll
    client = make.phone(make.participant(room))
    answer = say(client, room, poll.pk)
    assert (answer["code"], answer["field"]) == ("invalid", "thumb")
    assert answer["message"] == "Point a thumb up or down."
    page = client.post(f"/w/{room.code}/vote/", {"poll": poll.pk})
    assert (page.status_code, "Point a thumb up or down." in page.content.decode()) == (422, True)
