"""The websocket door over the real ASGI application: who gets in, what is said, what nobody gets away with."""

from __future__ import annotations

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone

from polls.models import Ballot
from workshops.actions import facilitation, participation
from workshops.live import hub as hubs
from workshops.live import socket
from workshops.models import Participant, Role
from workshops.people import invitations

from ... import factories
from ...patience import PATIENCE, eventually
from ..asgi import Screen, observer, path, seat, vote

pytestmark = pytest.mark.usefixtures("quiet_engine")


async def rows(**where):
    return await sync_to_async(lambda: list(Ballot.objects.filter(**where).values_list("value", flat=True)))()


# --- who gets in ---------------------------------------------------------------------------------------------


async def test_hello_is_answered_with_the_time_ones_own_papers_and_every_picture(asked, room):
    workshop, poll, who = asked
    await sync_to_async(factories.vote)(who, poll, "yes", "op0", 3)
    phone = await room(path(workshop), cookie=seat(who))
    await phone.say({"t": "hello", "seen": {}})
    hello, mine = await phone.hear(), await phone.hear()
    assert (hello["t"], type(hello["now"])) == ("hello", int)
    paper = {"poll": poll.pk, "seq": 3, "status": "cast", "said": "Yes"} | {
        "fields": {"choice": ["yes"]},
        "marks": ["yes"],
    }
    assert mine == {"t": "mine", "papers": [paper]}
    assert await phone.hear() == {"t": "place", "group": 0}
    screens = [await phone.hear() for _ in range(4)]
    assert {frame["topic"] for frame in screens} == {"stage", "tally", "room", "clock"}


async def test_pictures_that_a_phone_has_are_not_sent_again(asked, room):
    workshop, _poll, who = asked
    first = await room(path(workshop), cookie=seat(who))
    await first.say({"t": "hello"})
    await first.until("place")
    seen = {frame["topic"]: frame["rev"] for frame in [await first.hear() for _ in range(4)]}
    again = await room(path(workshop), cookie=seat(who))
    await again.say({"t": "hello", "seen": seen})
    await again.until("place")
    assert await again.wire.receive_nothing(timeout=0.3)


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", ""])
async def test_a_handshake_without_our_own_origin_is_refused(asked, room, origin):
    workshop, _poll, who = asked
    phone = await room(path(workshop), cookie=seat(who), origin=origin)
    assert phone.accepted is False


async def test_without_a_seat_nobody_sits_down(asked, room):
    workshop, _poll, _who = asked
    assert await (await room(path(workshop))).ended() == 4401


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c[:-1] + ("a" if c[-1] != "a" else "b"),
        lambda c: "participant=1.abc",
        lambda c: "participant",
    ],
)
async def test_an_altered_cookie_is_no_seat(asked, room, change):
    workshop, _poll, who = asked
    assert await (await room(path(workshop), cookie=change(seat(who)))).ended() == 4401


async def test_a_seat_of_another_workshop_is_no_seat_here(asked, room):
    workshop, _poll, _who = asked
    stranger = await sync_to_async(lambda: factories.participant(factories.workshop()))()
    assert await (await room(path(workshop), cookie=seat(stranger))).ended() == 4401


async def test_odd_cookies_of_other_sites_on_this_host_do_not_hide_the_seat(asked, room):
    workshop, _poll, who = asked
    cookie = f'prefs={{"a": [1, 2]}}; odd name=x; {seat(who)}; tail=@:,'
    phone = await room(path(workshop), cookie=cookie)
    await phone.say({"t": "ping"})
    assert await phone.hear() == {"t": "pong"}


async def test_who_has_left_is_told_to_come_in_again(asked, room):
    workshop, _poll, who = asked
    await sync_to_async(participation.leave)(who)
    phone = await room(path(workshop), cookie=seat(who))
    await phone.say({"t": "hello"})
    assert await phone.ended() == 4401


@pytest.mark.parametrize(
    "address",
    [
        "/live/phone/AAAAAA/",
        "/live/wall/unknown/",
        "/live/phone/%00/",
        "/live/wall/a%00b/",
        "/live/console/%00/",
        "/live/",
        "/elsewhere/",
    ],
)
async def test_an_address_that_leads_nowhere_is_closed_with_a_reason(transactional_db, room, address):
    assert await (await room(address)).ended() in (4401, 4403)


async def test_whoever_knows_the_walls_key_sees_the_wall_and_cannot_vote(asked, room):
    workshop, poll, _who = asked
    wall = await room(f"/live/wall/{workshop.wall_key}/")
    await wall.say({"t": "hello"})
    assert {(await wall.until("screen"))["topic"] for _ in range(4)} == {"stage", "tally", "room", "clock"}
    await wall.say(vote(poll))
    assert (await wall.until("nack"))["code"] == "forbidden"
    assert await rows(poll=poll) == []


@pytest.mark.parametrize(
    ("role", "code"),
    [
        (Role.FACILITATOR, None),
        (Role.OWNER, None),
        ("guest", None),
        ("guest elsewhere", 4403),
        (Role.RESEARCHER, 4403),
        ("outsider", 4403),
        ("", 4401),
    ],
)
async def test_the_console_is_for_those_who_run_the_programme(asked, room, role, code):
    workshop, _poll, _who = asked

    def cookie():
        if not role:
            return ""
        of = factories.programme() if role == "outsider" else workshop.programme
        if role.startswith("guest"):
            user, at = factories.person(), workshop if role == "guest" else factories.workshop(of)
            invitations.add_member(of, user, Role.FACILITATOR, at)
        else:
            user = factories.staff(of, Role.FACILITATOR if role == "outsider" else role)
        client = factories.signed_in(user)
        return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"

    console = await room(f"/live/console/{workshop.code}/", cookie=await sync_to_async(cookie)())
    if code:
        assert await console.ended() == code
    else:
        await console.say({"t": "hello"})
        assert (await console.until("screen"))["t"] == "screen"


# --- votes ---------------------------------------------------------------------------------------------------------


async def test_an_acknowledgement_means_that_the_row_is_there(asked, room):
    workshop, poll, who = asked
    phone = await room(path(workshop), cookie=seat(who))
    await phone.say(vote(poll))
    ack = await phone.until("ack", "nack")
    assert ack == {
        "t": "ack",
        "op": "op1",
        "rev": 1,
        "poll": poll.pk,
        "seq": 1,
        "status": "cast",
        "fields": {"choice": ["yes"]},
        "marks": ["yes"],
        "said": "Yes",
    }
    assert await rows(poll=poll, voter=who.voter) == ["yes"]


async def test_a_failing_ballot_box_acknowledges_nothing(asked, room, monkeypatch):
    workshop, poll, who = asked
    from django.db import OperationalError

    def fail(items):
        raise OperationalError("database is locked")

    monkeypatch.setattr(participation, "write", fail)
    phone = await room(path(workshop), cookie=seat(who))
    await phone.say(vote(poll))
    assert await phone.until("ack", "nack") == {
        "t": "nack", "op": "op1", "poll": poll.pk, "code": "busy", "retry_after": 1.0, "message": ""
    }  # fmt: skip
    assert await rows(poll=poll) == []


async def test_a_lost_acknowledgement_is_given_again_for_the_same_operation(asked, room):
    workshop, poll, who = asked
    first = await room(path(workshop), cookie=seat(who))
    await first.say(vote(poll))
    ack = await first.until("ack", "nack")
    await first.leave()
    again = await room(path(workshop), cookie=seat(who))
    await again.say(vote(poll))
    assert await again.until("ack", "nack") == ack
    assert await rows(poll=poll) == ["yes"]


async def test_a_held_key_makes_one_ballot_and_no_error(asked, room):
    workshop, poll, who = asked
    phone = await room(path(workshop), cookie=seat(who))
    for n in range(1, 21):
        await phone.say(vote(poll, "yes" if n % 2 else "no", f"op{n}", n))
    answers = [await phone.until("ack", "nack") for _ in range(20)]
    assert [answer["t"] for answer in answers] == ["ack"] * 20
    assert await rows(poll=poll) == ["no"]


async def test_both_tabs_of_a_person_hear_of_their_answer(asked, room):
    workshop, poll, who = asked
    one, two = [await room(path(workshop), cookie=seat(who)) for _ in range(2)]
    await one.say(vote(poll))
    await one.until("ack")
    assert (await two.until("mine"))["papers"][0]["marks"] == ["yes"]


async def test_an_observers_vote_is_refused_for_want_of_consent(asked, room):
    workshop, poll, _who = asked
    phone = await room(path(workshop), cookie=observer(workshop))
    await phone.say(vote(poll))
    assert (await phone.until("ack", "nack"))["code"] == "consent"
    assert await rows(poll=poll) == []


async def test_a_vote_of_somebody_who_has_left_is_refused_for_want_of_consent(asked, room):
    workshop, poll, who = asked
    phone = await room(path(workshop), cookie=seat(who))
    # their socket has not been told yet
    await sync_to_async(Participant.objects.filter(pk=who.pk).update)(left_at=timezone.now())
    await phone.say(vote(poll))
    assert (await phone.until("ack", "nack"))["code"] == "consent"
    assert await rows(poll=poll) == []


async def test_another_workshops_poll_gets_the_very_answer_of_one_that_does_not_exist(asked, room):
    workshop, poll, who = asked
    foreign = await sync_to_async(lambda: factories.launched(factories.workshop()))()
    phone = await room(path(workshop), cookie=seat(who))
    answers = []
    for number in (foreign.pk, 10**12):
        await phone.say({**vote(poll), "poll": number})
        answers.append(await phone.until("ack", "nack"))
    assert answers[0] | {"poll": 0} == answers[1] | {"poll": 0}
    assert answers[0]["code"] == "forbidden"
    assert await rows(poll=foreign) == []


async def test_a_vote_after_the_close_is_told_so(asked, room):
    workshop, poll, who = asked
    await sync_to_async(facilitation.close)(workshop.pk, None)
    phone = await room(path(workshop), cookie=seat(who))
    await phone.say(vote(poll))
    assert (await phone.until("ack", "nack"))["code"] == "closed"


async def test_a_question_that_is_shown_has_a_paper_issued(asked, room):
    workshop, poll, who = asked
    phone = await room(path(workshop), cookie=seat(who))
    await phone.say({"t": "shown", "poll": poll.pk})
    await phone.say(vote(poll))  # the write batcher keeps the order
    await phone.until("ack")
    ballot = await Ballot.objects.aget(poll=poll)
    assert (ballot.voter, ballot.revision, ballot.status) == (who.voter, 1, "cast")


# --- hostile frames --------------------------------------------------------------------------------------------------

NO_FRAMES = {
    "not JSON": "hello",
    "an empty object": "{}",
    "a list": "[]",
    "no name": '{"op": "1"}',
    "a name unknown": '{"t": "drop"}',
    "a gesture of the staff": '{"t": "close"}',
    "a field unknown": '{"t": "vote", "op": "1", "poll": 1, "seq": 1, "fields": {}, "voter": "me"}',
    "a poll in words": '{"t": "vote", "op": "1", "poll": "1", "seq": 1, "fields": {}}',
    "a poll as a list": '{"t": "vote", "op": "1", "poll": [1], "seq": 1, "fields": {}}',
    "no poll": '{"t": "vote", "op": "1", "seq": 1, "fields": {}}',
    "no such poll number": '{"t": "vote", "op": "1", "poll": 0, "seq": 1, "fields": {}}',
    "a poll beyond all numbers": '{"t": "vote", "op": "1", "poll": 9223372036854775808, "seq": 1, "fields": {}}',
    "a sequence below zero": '{"t": "vote", "op": "1", "poll": 1, "seq": -1, "fields": {}}',
    "a sequence as truth": '{"t": "vote", "op": "1", "poll": 1, "seq": true, "fields": {}}',
    "an operation without a name": '{"t": "vote", "op": "", "poll": 1, "seq": 1, "fields": {}}',
    "an operation too long": '{"t": "vote", "op": "%s", "poll": 1, "seq": 1, "fields": {}}' % ("x" * 37),
    "an operation with a NUL": '{"t": "vote", "op": "a\\u0000b", "poll": 1, "seq": 1, "fields": {}}',
    "an operation with a line break": '{"t": "vote", "op": "ab\\n", "poll": 1, "seq": 1, "fields": {}}',
    "no fields": '{"t": "vote", "op": "1", "poll": 1, "seq": 1}',
    "an answer that is no form": '{"t": "vote", "op": "1", "poll": 1, "seq": 1, "fields": "yes"}',
    "a field without a list": '{"t": "vote", "op": "1", "poll": 1, "seq": 1, "fields": {"choice": "yes"}}',
    "a field with a number": '{"t": "vote", "op": "1", "poll": 1, "seq": 1, "fields": {"choice": [1]}}',
    "NaN": '{"t": "vote", "op": "1", "poll": 1, "seq": 1, "fields": {"choice": [NaN]}}',
    "too many fields": json.dumps(
        {"t": "vote", "op": "1", "poll": 1, "seq": 1, "fields": {str(n): [] for n in range(101)}}
    ),
    "a deep nest": '{"t": "vote", "op": "1", "poll": 1, "seq": 1, "fields": %s}' % ("[" * 3900 + "]" * 3900),
    "a lone surrogate": '{"t": "vote", "op": "1", "poll": 1, "seq": 1, "fields": {"choice": ["\\ud800"]}}',
    "half a frame": '{"t": "vote", "op": "1", "poll"',
    "two frames": '{"t": "ping"}{"t": "ping"}',
    "an odd hello": '{"t": "hello", "seen": {"stage": 1}}',
    "a hello in a list": '{"t": "hello", "seen": []}',
}


@pytest.mark.parametrize("text", NO_FRAMES.values(), ids=NO_FRAMES)
async def test_what_is_no_frame_is_refused_and_the_socket_lives_on(asked, room, text):
    workshop, _poll, who = asked
    phone = await room(path(workshop), cookie=seat(who))
    await phone.say(text)
    answer = await phone.until("nack", "ack")
    assert (answer["code"], answer["message"]) == ("invalid", "That could not be read.")
    await phone.say({"t": "ping"})
    assert await phone.hear() == {"t": "pong"}


async def test_a_binary_frame_is_refused(asked, room):
    workshop, _poll, who = asked
    phone = await room(path(workshop), cookie=seat(who))
    await phone.wire.send_to(bytes_data=b'{"t": "ping"}')
    assert (await phone.hear())["code"] == "invalid"


async def test_a_raw_surrogate_in_a_frame_is_refused(asked, room):
    workshop, _poll, who = asked
    phone = await room(path(workshop), cookie=seat(who))
    await phone.say('{"t": "ping\ud800"}')
    assert (await phone.hear())["code"] == "invalid"


@pytest.mark.parametrize("frame", ["x" * 9 * 1024, "é" * 5 * 1024])
async def test_a_frame_over_eight_kibibytes_ends_the_socket(asked, room, frame):
    workshop, _poll, who = asked
    phone = await room(path(workshop), cookie=seat(who))
    await phone.say(frame)
    assert await phone.ended() == 1009


async def test_a_binary_frame_over_eight_kibibytes_ends_the_socket(asked, room):
    workshop, _poll, who = asked
    phone = await room(path(workshop), cookie=seat(who))
    await phone.wire.send_to(bytes_data=b"x" * 9 * 1024)
    assert await phone.ended() == 1009


async def test_a_flood_is_slowed_and_then_ended(asked, room):
    workshop, _poll, who = asked
    phone = await room(path(workshop), cookie=seat(who))
    for _ in range(100):
        await phone.say('{"t": "ping"}')
    assert (await phone.until("nack"))["code"] == "rate"
    for _ in range(700):
        await phone.say('{"t": "ping"}')
    assert await phone.ended() == 4429


async def test_a_socket_that_says_nothing_is_ended(asked, room, settings):
    settings.LIVE_IDLE_SECONDS = 0.1
    workshop, _poll, who = asked
    assert await (await room(path(workshop), cookie=seat(who))).ended() == 4408


async def test_a_socket_that_takes_nothing_is_ended_though_it_says_nothing(asked, room):
    """The listening ends with the connection; before, it waited for the phone's next word."""
    workshop, _poll, who = asked
    phone = await room(path(workshop), cookie=seat(who))
    (mine,) = hubs.everyone()
    mine.close(1013)
    assert await phone.ended() == 1013
    await phone.wire.wait(timeout=PATIENCE)
    assert hubs.everyone() == []


async def test_who_comes_while_the_last_other_goes_is_shown_everything(asked, room):
    """A reload: the new page's socket is on its way in while the old one's goes out."""
    workshop, _poll, who = asked
    old = await room(path(workshop), cookie=seat(who))
    new = Screen(path(workshop), cookie=seat(who))
    new.wire.scope["url_route"] = {"kwargs": {"code": workshop.code}}
    asking, go_on = asyncio.Event(), asyncio.Event()
    heard: list[dict] = []

    async def receive():
        asking.set()
        await go_on.wait()
        calls.append(1)
        if len(calls) == 1:
            return {"type": "websocket.connect"}
        if len(calls) == 2:
            return {"type": "websocket.receive", "text": '{"t": "hello"}'}
        return await asyncio.Event().wait()

    async def send(message):
        heard.append(message)

    calls: list[int] = []
    session = asyncio.ensure_future(socket.phone(new.wire.scope, receive, send))
    await asking.wait()
    await old.leave()
    go_on.set()
    await eventually(lambda: sum('"t":"screen"' in message.get("text", "") for message in heard) == 4)
    session.cancel()


async def test_leaving_leaves_nothing_behind(asked, room):
    workshop, _poll, who = asked
    phone = await room(path(workshop), cookie=seat(who))
    assert len(hubs.everyone()) == 1
    await phone.leave()
    assert hubs._hubs == {}
