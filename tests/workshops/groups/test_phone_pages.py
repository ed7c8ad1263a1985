"""A small group on a phone's pages: forms without a script, JSON without a socket, and nobody sees another group's pad."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from polls.models import Text
from workshops.actions import batch, facilitation, groups
from workshops.actions.groups import notes as note_actions
from workshops.groups import load_pads
from workshops.live.write_batcher import Busy
from workshops.models import Agreement, Contribution, Group, Participant, Place, Round

from ... import factories
from ...factories import phone
from .people import group_of, mate_of, stranger_to

pytestmark = pytest.mark.django_db


def started(how: str = "random", *, people: int = 6, open_now: bool = True, **settings):
    """A workshop with people in two groups, at work on a prompt."""
    workshop = factories.workshop()
    item = factories.prompt_item(workshop)
    here = [factories.participant(workshop) for _ in range(people)]
    facilitation.launch(workshop.pk, None, item.pk)
    groups.make(workshop.pk, None, how, groups=None if how == "by_table" else 2)
    if open_now:
        groups.open_round(workshop.pk, None, **settings)
    return workshop, here


@pytest.fixture
def room():
    return started()


def url(workshop, rest: str = "") -> str:
    return f"/w/{workshop.code}/{rest}"


def page(response) -> str:
    return unescape(response.content.decode())


def send(who: Participant, do: str, **fields):
    """A plain form of this person's page, as a browser without a script sends it."""
    return phone(who).post(url(who.workshop, "group/"), {"op": f"op{next(_ops)}", "do": do, **fields})


_ops = iter(range(1, 10_000))


def write(who: Participant, text: str = "Soft light") -> Contribution:
    assert send(who, "note", group=group_of(who).pk, text=text).status_code == 302
    return Contribution.objects.get(text__words=text)


def look(who: Participant, query: str = "") -> str:
    return page(phone(who).get(url(who.workshop) + query))


def pad_on(html: str) -> str:
    found = re.search(r'<section id="group".*?</section>\s*(?=<div id="desk"|<script|<p id=)', html, re.S)
    assert found, html
    return found.group(0)


def told(html: str, name: str):
    return json.loads(
        re.search(rf'<script id="{name}" type="application/json"[^>]*>(.*?)</script>', html).group(1)
    )


# --- what one sees ---------------------------------------------------------------------------------------


def test_everybody_sees_their_group_its_question_and_its_video_room(room):
    workshop, people = room
    group = group_of(people[0])
    groups.name_group(workshop.pk, None, group.pk, "Group of the sun", "https://video.example/room")
    html = pad_on(look(people[0]))
    assert "You are in Group of the sun: 3 people" in html
    assert "What would calm look like?" in html
    assert 'href="https://video.example/room"' in html


def test_outside_of_rounds_the_page_has_no_pad_and_no_desk():
    who = factories.participant(factories.workshop())
    html = look(who)
    assert '<section id="group" hidden></section>' in html
    assert ('id="desk"' in html, 'group.js" defer' in html) == (False, False)
    assert told(html, "place") == {"group": 0}


def test_groups_that_are_formed_and_not_open_say_who_sits_where():
    _workshop, people = started(open_now=False)
    html = pad_on(look(people[0]))
    assert "You are in Group" in html
    assert "The question comes here as soon as the groups begin." in html
    assert 'id="notes"' not in html


def test_messages_probes_help_and_the_call_back_stand_on_the_pad(room):
    workshop, people = room
    groups.call(workshop.pk, None, "probe", "What would a baby notice first?")
    groups.call(workshop.pk, None, "message", "Tea is ready", group_of(people[0]).pk)
    send(people[0], f"help:{group_of(people[0]).pk}:1")
    groups.recall(workshop.pk, None)
    mine, theirs = pad_on(look(people[0])), pad_on(look(stranger_to(people[0])))
    for words in ("What would a baby notice first?", "Come back together."):
        assert words in mine
        assert words in theirs
    for words in ("Tea is ready", "The facilitator knows that you are calling"):
        assert words in mine
        assert words not in theirs
    groups.answer_help(workshop.pk, None, group_of(people[0]).pk)
    groups.answer_help(workshop.pk, None, group_of(people[0]).pk)  # pressed twice: said once
    answered = pad_on(look(people[0]))
    assert "The facilitator knows" not in answered
    assert answered.count("I am on my way to you.") == 1


def test_a_full_page_marks_what_is_this_persons_own_and_the_shared_picture_does_not(room):
    _workshop, people = room
    note, mate = write(people[0]), mate_of(people[0])
    send(mate, f"agree:{note.pk}:1")
    mine, theirs = pad_on(look(people[0])), pad_on(look(mate))
    assert f'value="take_back:{note.pk}"' in mine
    assert f'value="take_back:{note.pk}"' not in theirs
    assert f'value="agree:{note.pk}:' not in mine
    assert re.search(rf'value="agree:{note.pk}:0" aria-pressed="true"', theirs)
    frames = {
        who: next(
            f
            for f in phone(who).get(url(who.workshop, "pictures/")).json()["frames"]
            if f.get("topic") == "group"
        )
        for who in (people[0], mate)
    }
    assert frames[people[0]]["html"] == frames[mate]["html"]
    assert "take_back" not in frames[mate]["html"]


def test_observers_read_along_and_have_nothing_to_press(room):
    workshop, people = room
    write(people[0], "For observers too")
    write(stranger_to(people[0]), "For observers as well")
    html = page(phone(observing=workshop).get(url(workshop)))
    assert "For observers" in pad_on(html)
    assert 'id="desk"' not in html
    assert told(html, "place").keys() == {"group"}
    kinds = [
        frame["t"] for frame in phone(observing=workshop).get(url(workshop, "pictures/")).json()["frames"]
    ]
    assert kinds[:2] == ["hello", "place"]


def test_a_page_that_was_there_before_the_groups_gets_an_empty_desk_without_a_query(room):
    workshop, people = room
    with CaptureQueriesContext(connection) as asked:
        answer = phone(people[0]).get(url(workshop, "group/"))
    assert len(asked) == 0
    assert re.search(r'<div id="desk" class="stack" hidden>', page(answer))
    assert told(page(answer), "group-words")["take_back"] == "Your note is taken back."
    assert "csrfmiddlewaretoken" not in page(answer)
    assert "private" in answer.headers["Cache-Control"]


# --- without a script --------------------------------------------------------------------------------------


def test_a_whole_round_works_with_plain_forms_alone(room):
    _workshop, people = room
    one, mate = people[0], mate_of(people[0])
    group = group_of(one)
    first, second = write(one, "Soft light"), write(mate, "The same two faces")
    send(mate, f"agree:{first.pk}:1")
    send(one, f"scribe:{group.pk}:1")
    send(one, f"move_note:{second.pk}:0")
    send(one, f"pick:{second.pk}:1")
    assert "Soft light</textarea>" in look(one, f"?edit={first.pk}")
    send(one, "edit_note", note=first.pk, rev=1, text="Soft, warm light")
    html = pad_on(look(mate))
    assert html.index("The same two faces") < html.index("Soft, warm light")
    assert "1 person agrees" in html
    assert "Our sentence" in html
    assert "Your group has a scribe" in html
    send(mate, f"agree:{first.pk}:0")
    send(one, f"scribe:{group.pk}:0")
    send(one, f"take_back:{first.pk}")
    assert "Soft, warm light" not in pad_on(look(mate))
    assert Agreement.objects.count() == 0
    assert group_of(one).scribe == ""


def test_a_form_sent_twice_is_one_note(room):
    _workshop, people = room
    form = {"op": "same", "do": "note", "group": group_of(people[0]).pk, "text": "Soft light"}
    for _ in range(2):
        answer = phone(people[0]).post(url(people[0].workshop, "group/"), form)
        note = Contribution.objects.get()
        assert answer.headers["Location"] == url(people[0].workshop) + f"#note-{note.pk}"
    assert Contribution.objects.count() == 1


def test_a_plain_form_comes_back_to_the_part_of_the_page_that_it_is_about(room):
    _workshop, people = room
    note, mate, home = write(people[0]), mate_of(people[0]), url(people[0].workshop)
    group = group_of(people[0]).pk

    def leads(who: Participant, do: str, **fields) -> str:
        return send(who, do, **fields).headers["Location"].removeprefix(home)

    assert leads(people[0], f"edit:{note.pk}") == f"?edit={note.pk}#editor"
    assert leads(people[0], "edit_note", note=note.pk, rev=1, text="Warm light") == f"#note-{note.pk}"
    assert leads(mate, f"agree:{note.pk}:1") == f"#note-{note.pk}"
    assert leads(mate, f"help:{group}:1") == "#group"
    assert leads(people[0], f"take_back:{note.pk}") == "#notes-title"
    html = look(people[0])
    doors = re.findall(r'<form[^>]* action="([^"]*/group/[^"]*)"', html)
    assert set(doors) == {url(people[0].workshop, "group/#desk")}  # where what was refused stands
    assert len(doors) == 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("   ", "Write a few words first."),
        ("x" * 1001, "A note can have up to 1,000 letters; write two."),
        ("x" * 7000, "A note can have up to 1,000 letters; write two."),
    ],
)
def test_a_note_that_is_refused_comes_back_with_its_words(room, text, sentence):
    _workshop, people = room
    answer = send(people[0], "note", group=group_of(people[0]).pk, text=text)
    assert answer.status_code == 422
    assert sentence in page(answer)
    assert f"{text}</textarea>" in page(answer)
    assert Contribution.objects.count() == 0


def test_a_note_that_comes_too_late_is_refused_with_its_words(room):
    workshop, people = room
    group = group_of(people[0]).pk
    groups.close_round(workshop.pk, None)
    Round.objects.update(closed_at=timezone.now() - note_actions.LATE - timedelta(seconds=1))
    answer = send(people[0], "note", group=group, text="Too late, but not lost")
    assert answer.status_code == 422
    assert "The group time is over, so this was not added." in page(answer)
    assert "Too late, but not lost</textarea>" in page(answer)


def test_a_change_that_is_refused_comes_back_with_its_words(room):
    _workshop, people = room
    note = write(people[0])
    answer = send(people[0], "edit_note", note=note.pk, rev=1, text="y" * 1001)
    assert answer.status_code == 422
    assert "y" * 1001 + "</textarea>" in page(answer)


def test_while_the_database_does_not_take_it_the_words_stay_on_the_page(room, monkeypatch):
    _workshop, people = room

    def locked(items):
        raise OperationalError("database is locked")

    monkeypatch.setattr(batch, "write", locked)
    answer = send(people[0], "note", group=group_of(people[0]).pk, text="Keep me")
    assert answer.status_code == 503
    assert "Nothing is lost: press again in a moment." in page(answer)
    assert "Keep me</textarea>" in page(answer)


def conflict(people) -> tuple[Contribution, str]:
    """The page of an author whose note the scribe has changed meanwhile."""
    note, scribe = write(people[0]), mate_of(people[0])
    send(scribe, f"scribe:{group_of(scribe).pk}:1")
    send(scribe, "edit_note", note=note.pk, rev=1, text="Soft, warm light")
    answer = send(people[0], "edit_note", note=note.pk, rev=1, text="Soft light everywhere")
    assert answer.status_code == 409
    return note, page(answer)


def test_two_who_change_one_note_both_see_both_wordings(room):
    _note, html = conflict(room[1])
    assert "Somebody changed this note meanwhile" in html
    for words in ("Soft light everywhere", "Soft, warm light", "Keep both", "Use mine", "Keep theirs"):
        assert words in html


@pytest.mark.parametrize(
    ("choice", "there"),
    [
        ("note", ["Soft, warm light", "Soft light everywhere"]),
        ("edit_note", ["Soft light everywhere"]),
        (None, ["Soft, warm light"]),
    ],
)
def test_whichever_wording_is_chosen_both_are_kept(room, choice, there):
    _workshop, people = room
    _note, html = conflict(people)
    form = dict(
        re.findall(
            r'<input type="hidden" name="(op|group|note|rev|text)" value="([^"]*)">',
            html.split('id="unsent"')[1].split("</form>")[0],
        )
    )
    if choice:
        answer = phone(people[0]).post(url(people[0].workshop, "group/"), form | {"do": choice})
        assert answer.status_code == 302
    (pad,) = load_pads(people[0].workshop_id, [group_of(people[0]).pk])
    assert [note.text for note in pad.notes] == there
    assert {"Soft light everywhere", "Soft, warm light"} <= set(Text.objects.values_list("words", flat=True))


@pytest.mark.parametrize(
    "do", ["", "vote", "note:x", "agree", "agree:x:1", "move_note:1:-1", "launch", "agree:1:maybe", "table"]
)
def test_what_cannot_be_read_is_refused_in_words(room, do):
    answer = send(room[1][0], do)
    assert answer.status_code == 422
    assert 'role="alert"' in page(answer)


@pytest.mark.parametrize("who", ["nobody", "an observer", "somebody who left"])
def test_who_does_not_take_part_writes_in_no_group(room, who):
    workshop, people = room
    group = group_of(people[0]).pk
    client = {
        "nobody": phone,
        "an observer": lambda: phone(observing=workshop),
        "somebody who left": lambda: phone(people[0]),
    }[who]()
    if who == "somebody who left":
        client.post(url(workshop, "leave/"))
        client = phone(people[0])
    answer = client.post(url(workshop, "group/"), {"op": "x", "do": "note", "group": group, "text": "Hello"})
    assert answer.status_code == 403
    assert Contribution.objects.count() == 0


def test_a_form_needs_the_token_of_its_page(room):
    _workshop, people = room
    client = phone(people[0], enforce_csrf_checks=True)
    form = {"op": "x", "do": "note", "group": group_of(people[0]).pk, "text": "Hello"}
    assert client.post(url(people[0].workshop, "group/"), form).status_code == 403


def test_the_number_of_an_edit_makes_no_note(room):
    """An op belongs to one intention: what was stored under it is not stored as something else."""
    _workshop, people = room
    note = write(people[0])
    who, group = people[0], group_of(people[0]).pk
    note_actions.write([note_actions.Edit(who.workshop_id, who.voter, "same", note.pk, 1, "Warm light")])
    outcome = note_actions.write([note_actions.Add(who.workshop_id, who.voter, "same", group, "Another")])[0]
    assert outcome.code == "invalid"
    assert Contribution.objects.count() == 1


# --- where people choose, or say their table ------------------------------------------------------------------


def test_people_choose_their_group_with_one_press():
    workshop, people = started("self_chosen", open_now=False)
    html = look(people[0])
    assert "Choose your group" in html
    choice = Group.objects.order_by("pk").last()
    assert f'value="choose:{choice.pk}"' in html
    send(people[0], f"choose:{choice.pk}")
    assert group_of(people[0]) == choice
    assert "You are in Group 2: 1 person" in pad_on(look(people[0]))
    assert Place.objects.filter(round__workshop=workshop, group__isnull=False).count() == 1


def test_people_say_at_which_table_they_sit():
    _workshop, people = started("by_table", open_now=False)
    assert "Which table are you at?" in look(people[0])
    assert send(people[0], "table", table="12").status_code == 302
    assert "You are in Table 12: 1 person" in pad_on(look(people[0]))
    assert send(people[1], "table", table="twelve").status_code == 422


def test_who_comes_late_finds_their_place_on_the_first_page(room):
    workshop, _people = room
    late = factories.participant(workshop)
    assert "You are in Group" in pad_on(look(late))
    assert sorted(group.places.count() for group in Group.objects.all()) == [3, 4]
    assert pad_on(look(late)) == pad_on(look(late))
    assert Place.objects.count() == 7


def test_who_comes_late_by_the_slow_poll_finds_their_place_too(room):
    workshop, _people = room
    late = factories.participant(workshop)
    frames = phone(late).get(url(workshop, "pictures/")).json()["frames"]
    assert [frame["group"] for frame in frames if frame["t"] == "place"] == [group_of(late).pk]


def test_outside_of_rounds_a_page_asks_one_question_more():
    who = factories.participant(factories.workshop())
    with CaptureQueriesContext(connection) as asked:
        look(who)
    tables = ("_round", "_group", "_place", "_contribution", "_agreement", "_call")
    assert len([q for q in asked.captured_queries if any(f'workshops{t}"' in q["sql"] for t in tables)]) == 1


def test_once_the_groups_are_back_no_screen_tells_them_to_talk(room):
    workshop, people = room
    groups.close_round(workshop.pk, None)
    for html in (look(people[0]), page(phone(people[0]).get(f"/wall/{workshop.wall_key}/"))):
        assert "We talked about this in groups" in html
        assert "What would calm look like?" in html
        assert "Talk together" not in html
        assert "What would a baby notice first?" not in html
    groups.make(workshop.pk, None, "kept")
    groups.open_round(workshop.pk, None)
    assert "We talked about this in groups" not in look(people[0])


# --- think first ------------------------------------------------------------------------------------------------


def test_while_people_think_first_everybody_sees_their_own_notes_alone():
    workshop, people = started(think_first=True)
    one, mate = people[0], mate_of(people[0])
    mine, theirs = write(one, "Mine alone"), write(mate, "Theirs alone")
    html = pad_on(look(one))
    assert "Think for yourself first." in html
    assert "2 notes in your group so far." in html
    assert ("Mine alone" in html, "Theirs alone" in html) == (True, False)
    assert f'value="take_back:{mine.pk}"' in html
    assert "Theirs alone" not in page(phone(one).get(url(workshop, "pictures/")))
    assert send(one, f"agree:{theirs.pk}:1").status_code == 422
    send(one, f"scribe:{group_of(one).pk}:1")
    assert "Theirs alone" not in look(one, f"?edit={theirs.pk}")
    groups.share_notes(workshop.pk, None)
    assert "Theirs alone" in pad_on(look(one))


# --- nobody sees another group's pad --------------------------------------------------------------------------------


def test_no_page_and_no_picture_carries_another_groups_words(room):
    workshop, people = room
    stranger = stranger_to(people[0])
    note = write(stranger, "Words of the other group")
    for answer in (
        phone(people[0]).get(url(workshop)),
        phone(people[0]).get(url(workshop) + f"?edit={note.pk}"),
        phone(people[0]).get(url(workshop, "pictures/")),
        phone(people[0]).get(url(workshop, "pictures/"), {"seen": '{"group": "x"}'}),
        send(people[0], "edit_note", note=note.pk, rev=1, text="Mine now"),
        send(people[0], f"agree:{note.pk}:1"),
        send(people[0], f"move_note:{note.pk}:0"),
        send(people[0], f"choose:{group_of(stranger).pk}"),
        send(people[0], "note", group=group_of(stranger).pk, text="Hello there"),
    ):
        assert "Words of the other group" not in page(answer)
    note.refresh_from_db()
    assert (note.text.words, Contribution.objects.count()) == ("Words of the other group", 1)
    assert Place.objects.filter(voter=people[0].voter).count() == 1


def test_another_workshops_seat_opens_no_pad(room):
    workshop, people = room
    write(people[0], "Only here")
    outsider = factories.participant(factories.workshop())
    assert "Only here" not in page(phone(outsider).get(url(workshop)))
    assert phone(outsider).get(url(workshop, "pictures/")).status_code == 401


# --- the slow poll and the JSON door ---------------------------------------------------------------------------------


def test_the_slow_poll_brings_the_place_and_the_pad_once(room):
    workshop, people = room
    write(people[0])
    client = phone(people[0])
    frames = client.get(url(workshop, "pictures/")).json()["frames"]
    place = next(frame for frame in frames if frame["t"] == "place")
    pad = next(frame for frame in frames if frame.get("topic") == "group")
    assert place["group"] == group_of(people[0]).pk
    assert f'data-by="{place["tag"]}"' in pad["html"]
    again = client.get(url(workshop, "pictures/"), {"seen": json.dumps({"group": pad["rev"]})}).json()[
        "frames"
    ]
    assert [frame.get("topic") for frame in again if frame.get("topic") == "group"] == []


def test_the_page_says_which_pad_it_shows_already(room):
    workshop, people = room
    write(people[0])
    seen = told(look(people[0]), "seen")
    frames = phone(people[0]).get(url(workshop, "pictures/"), {"seen": json.dumps(seen)}).json()["frames"]
    assert [frame["t"] for frame in frames] == ["hello", "mine", "place"]


async def post(who, frame, door="group/"):
    client = AsyncClient()
    client.cookies[settings.PARTICIPANT_COOKIE_NAME] = factories.token_of(who).as_cookie()
    answer = await client.post(
        f"/w/{who.workshop.code}/{door}", json.dumps(frame), content_type="application/json"
    )
    return answer.status_code, answer.json()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("door", ["group/", "vote/"])
async def test_a_note_by_post_has_the_same_answer_as_on_the_socket(door):
    from asgiref.sync import sync_to_async

    _workshop, people = await sync_to_async(started)()
    group = await sync_to_async(group_of)(people[0])
    frame = {"t": "note", "op": "n1", "group": group.pk, "text": "Soft light"}
    first, again = await post(people[0], frame, door), await post(people[0], frame, door)
    note = await Contribution.objects.aget()
    assert first == again == (200, {"t": "ack", "op": "n1", "group": group.pk, "note": note.pk, "rev": 1})
    status, nack = await post(
        people[0], {"t": "note", "op": "n2", "group": group.pk + 999, "text": "x"}, door
    )
    assert (status, nack["code"], nack["op"]) == (200, "forbidden", "n2")


@pytest.mark.django_db(transaction=True)
async def test_a_note_by_post_that_has_to_wait_is_told_so(monkeypatch):
    """The answer to a frame without a poll must not fail on the poll it does not have."""
    from asgiref.sync import sync_to_async

    _workshop, people = await sync_to_async(started)()

    async def busy(_token, _frame, _write):
        raise Busy(2.0)

    monkeypatch.setattr("workshops.commands.run_frame", busy)
    status, nack = await post(people[0], {"t": "note", "op": "n1", "group": 1, "text": "x"})
    assert (status, nack["code"], nack["op"], nack["retry_after"]) == (503, "busy", "n1", 2.0)
    monkeypatch.setattr("workshops.live.rate_limit.PER_SECOND", 0.0)  # however slow this machine is just now
    statuses = {(await post(people[0], {"t": "help", "op": "h", "group": 1}))[0] for _ in range(90)}
    assert 429 in statuses
