"""A change reaches the screens: drawn once, handed to all, the last one always, nobody held up by anybody."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time

import pytest
from asgiref.sync import sync_to_async
from django.db import InterfaceError, connection, connections

from workshops import screens
from workshops.actions import facilitation, participation
from workshops.live import broker
from workshops.live import connection as sockets
from workshops.live import hub as hubs
from workshops.live.connection import Connection
from workshops.live.raw.send import Frame
from workshops.signals import announce as signals
from workshops.signals.topics import PHONES, SHOWN, Audience, Topic

from ... import factories
from ...patience import PATIENCE, eventually


class Screen:
    """A fake socket with its connection: remembers every frame; `slow` never returns from a send."""

    def __init__(self, hub, audience, voter="", slow=False):
        self.hub, self.connection = hub, Connection(audience, voter)
        self.frames, self.closed, self.slow = [], None, slow
        self.came = asyncio.Event()
        hub.add(self.connection)
        self.writer = asyncio.ensure_future(self.connection.write(self._send))

    async def _send(self, message):
        if self.slow:
            await asyncio.Event().wait()
        if message["type"] == "websocket.close":
            self.closed = message["code"]
        else:
            self.frames.append(json.loads(message["text"]))
        self.came.set()

    def pictures(self, topic):
        return [frame["html"] for frame in self.frames if frame["t"] == "screen" and frame["topic"] == topic]

    async def until(self, test):
        async def look():
            while not test(self):
                self.came.clear()
                await self.came.wait()

        await asyncio.wait_for(look(), PATIENCE)

    def leave(self):
        self.writer.cancel()
        hubs.leave(self.hub, self.connection)


@pytest.fixture
def asked(transactional_db, settings):
    settings.LIVE_POLL_SECONDS = 60  # what reaches a screen here was announced, not looked up
    workshop = factories.workshop()
    poll = factories.launched(workshop)
    return workshop, poll, [factories.participant(workshop) for _ in range(4)]


@pytest.fixture
async def room():
    """A way to open screens on the hubs of this loop; all are gone afterwards."""
    hubs.use_loop(asyncio.get_running_loop())
    opened = []

    def screen(workshop, audience, **options):
        opened.append(Screen(hubs.of(workshop.pk), audience, **options))
        return opened[-1]

    yield screen
    for one in opened:
        with contextlib.suppress(KeyError):
            one.leave()
    hubs.use_loop(None)
    await _close_readers()
    await sync_to_async(connections.close_all)()


async def _close_readers():
    """Both reading threads give their connections back, so that the test's database can go."""
    both = threading.Barrier(2, timeout=PATIENCE)

    def close():
        both.wait()
        connection.close()

    await asyncio.gather(hubs.read(close), hubs.read(close))


async def everything(screen):
    topics = SHOWN[screen.connection.audience]
    screen.hub.greet(screen.connection, {})
    await screen.until(lambda s: all(s.pictures(topic) for topic in topics))


async def vote(who, poll, value):
    return await sync_to_async(factories.vote)(who, poll, value)


def answered(number):
    return lambda screen: any(
        f"{number} of 4 people have answered" in html for html in screen.pictures("tally")
    )


async def test_a_first_look_gives_every_picture_of_the_audience_once(asked, room):
    phone = room(asked[0], Audience.PHONE)
    await everything(phone)
    assert sorted(frame["topic"] for frame in phone.frames) == sorted(SHOWN[Audience.PHONE])


async def test_a_vote_reaches_phones_and_the_wall(asked, room):
    workshop, poll, people = asked
    phone, wall = room(workshop, Audience.PHONE), room(workshop, Audience.WALL)
    await everything(phone)
    await everything(wall)
    before = len(wall.pictures("tally"))
    await vote(people[0], poll, "yes")
    await phone.until(answered(1))
    await wall.until(lambda screen: len(screen.pictures("tally")) > before)


async def test_a_gesture_reaches_every_screen(asked, room):
    workshop, _poll, _people = asked
    phone, observer, wall = (room(workshop, a) for a in (Audience.PHONE, Audience.OBSERVER, Audience.WALL))
    for screen in (phone, observer, wall):
        await everything(screen)
    await sync_to_async(facilitation.close)(workshop.pk, None)
    for screen in (phone, observer):
        await screen.until(lambda s: 'data-state="closed"' in s.pictures("stage")[-1])
    await wall.until(lambda s: len(s.pictures("stage")) > 1)


async def test_many_changes_make_few_pictures_and_the_last_one_always_goes_out(asked, room):
    workshop, poll, people = asked
    phone = room(workshop, Audience.PHONE)
    await everything(phone)
    before = len(phone.pictures("tally"))
    for who in people:
        await vote(who, poll, "yes")
    for _ in range(200):
        signals.announce(workshop.pk, [Topic.TALLY])
    await phone.until(answered(4))
    await sync_to_async(facilitation.close)(workshop.pk, None)
    await phone.until(lambda s: 'data-state="closed"' in s.pictures("stage")[-1])
    assert len(phone.pictures("tally")) - before <= 4 + 1  # each vote and the close


async def test_a_change_during_drawing_is_drawn_in_the_next_window(asked, room, monkeypatch):
    workshop, poll, people = asked
    phone = room(workshop, Audience.PHONE)
    await everything(phone)
    drawing, go_on, draw = threading.Event(), threading.Event(), hubs._draw

    def draw_slowly(*args):
        pictures = draw(*args)
        drawing.set()
        assert go_on.wait(PATIENCE)
        return pictures

    monkeypatch.setattr(hubs, "_draw", draw_slowly)
    await vote(people[0], poll, "yes")
    await sync_to_async(drawing.wait, thread_sensitive=False)(PATIENCE)
    await vote(people[1], poll, "yes")
    go_on.set()
    await phone.until(answered(2))


async def test_a_picture_that_has_not_changed_is_not_sent_again(asked, room):
    workshop, poll, people = asked
    phone = room(workshop, Audience.PHONE)
    await everything(phone)
    sent = len(phone.frames)
    signals.announce(workshop.pk, list(Topic))
    await vote(people[0], poll, "yes")
    signals.announce(workshop.pk, list(Topic))
    await vote(people[1], poll, "yes")
    await phone.until(answered(2))
    assert {frame["topic"] for frame in phone.frames[sent:]} == {"tally"}


async def test_a_hub_looks_by_itself_when_nobody_announces_anything(asked, room, settings):
    settings.LIVE_POLL_SECONDS = 0.1
    workshop, poll, people = asked
    phone = room(workshop, Audience.PHONE)
    await everything(phone)
    loop, hubs._loop = hubs._loop, None  # from here on announcements go nowhere
    await vote(people[0], poll, "yes")
    await phone.until(answered(1))
    hubs._loop = loop


async def test_who_comes_back_gets_only_what_they_have_not_seen(asked, room):
    workshop, poll, people = asked
    first = room(workshop, Audience.PHONE)
    await everything(first)
    seen = {frame["topic"]: frame["rev"] for frame in first.frames}
    again = room(workshop, Audience.PHONE)
    again.hub.greet(again.connection, {**seen, "tally": "older"})
    await again.until(lambda screen: screen.pictures("tally"))
    await vote(people[0], poll, "yes")
    await again.until(answered(1))
    assert [frame["topic"] for frame in again.frames] == ["tally", "tally"]


async def test_who_comes_back_to_an_empty_room_never_sees_an_old_picture(asked, room):
    """The last wall went away, the stage moved, a wall came: what was drawn for the first is no longer true."""
    workshop, _poll, _people = asked
    stays, wall = room(workshop, Audience.PHONE), room(workshop, Audience.WALL)
    await everything(stays)
    await everything(wall)
    old = wall.pictures("stage")[-1]
    wall.leave()
    await sync_to_async(facilitation.close)(workshop.pk, None)
    await stays.until(lambda s: 'data-state="closed"' in s.pictures("stage")[-1])
    back = room(workshop, Audience.WALL)
    back.hub.greet(back.connection, {})
    await back.until(lambda screen: screen.pictures("stage"))
    assert old not in back.pictures("stage")


async def test_a_screen_that_takes_nothing_holds_up_nobody_and_is_closed(asked, room, monkeypatch):
    monkeypatch.setattr(sockets, "STALLED_SECONDS", 0.0)
    workshop, poll, people = asked
    stuck, phone = room(workshop, Audience.PHONE, slow=True), room(workshop, Audience.PHONE)
    stuck.hub.greet(stuck.connection, {})
    await everything(phone)
    await vote(people[0], poll, "yes")
    await phone.until(answered(1))
    await vote(people[1], poll, "yes")
    await phone.until(answered(2))
    assert stuck.connection.closing == 1013


async def test_a_slow_screen_holds_the_newest_picture_only(asked, room):
    workshop, _poll, _people = asked
    screen = room(workshop, Audience.PHONE)
    for number in range(1000):
        picture = {"t": "screen", "topic": "tally", "html": str(number)}
        screen.connection.set_fragment(Topic.TALLY, Frame(json.dumps(picture).encode()))
    await screen.until(lambda s: s.frames)
    assert screen.pictures("tally") == ["999"]


async def test_a_phone_that_asks_without_end_and_never_reads_is_closed(asked, room):
    screen = room(asked[0], Audience.PHONE, slow=True)
    for _ in range(sockets.OWN_WORDS_LIMIT + 1):
        screen.connection.send(b"{}")
    assert screen.connection.closing == 1013


async def test_one_picture_that_cannot_be_drawn_stops_no_other(asked, room, monkeypatch, caplog):
    workshop, poll, people = asked
    monkeypatch.setitem(screens.TEMPLATES, (Topic.ROOM, Audience.PHONE), "no/such/template.html")
    phone = room(workshop, Audience.PHONE)
    phone.hub.greet(phone.connection, {})
    await phone.until(lambda s: all(s.pictures(topic) for topic in ("stage", "tally", "clock")))
    await vote(people[0], poll, "yes")
    await phone.until(answered(1))
    assert "could not be drawn" in caplog.text


async def test_after_a_fault_of_the_database_screens_are_drawn_again(
    asked, room, monkeypatch, settings, caplog
):
    settings.LIVE_POLL_SECONDS = 0.1
    workshop, poll, people = asked
    phone = room(workshop, Audience.PHONE)
    await everything(phone)
    draw, troubles = hubs._draw, [InterfaceError("connection closed"), ValueError("odd")]

    def draw_after_troubles(*args):
        if troubles:
            raise troubles.pop()
        return draw(*args)

    monkeypatch.setattr(hubs, "_draw", draw_after_troubles)
    await vote(people[0], poll, "yes")
    await eventually(lambda: not troubles)
    await phone.until(answered(1))


async def test_workshops_in_one_process_share_its_budget_of_pictures(asked, room, settings, monkeypatch):
    monkeypatch.setattr(hubs, "_budget", hubs._Budget())
    settings.LIVE_MESSAGES_PER_SECOND = 20
    workshop, _poll, people = asked
    other = await sync_to_async(factories.workshop)()
    phones = [room(workshop, Audience.PHONE, voter=who.voter) for who in people]
    phones += [room(other, Audience.PHONE, voter=f"other-{n}") for n in range(4)]
    begun = time.monotonic()
    for phone in phones:
        await everything(phone)
    pictures = sum(len(phone.frames) for phone in phones)
    last = max(window.opens_at for hub in hubs.present() for window in hub._windows if window.group is PHONES)
    # One of the two waits for what both have sent, or as long as anybody waits at most.
    assert last - begun >= min(pictures / 20, 1 / hubs.SLOWEST) * 0.9


def test_a_budget_is_spent_by_everybody_and_is_not_saved_up():
    budget = hubs._Budget()
    assert [budget.spend(250, 1000, since=0.0) for _workshop in range(4)] == [0.25, 0.5, 0.75, 1.0]
    assert budget.spend(250, 1000, since=10.0) == 10.25


async def test_two_workshops_in_one_process_hear_nothing_of_each_other(asked, room):
    workshop, poll, people = asked
    other = await sync_to_async(factories.workshop)()
    here, there = room(workshop, Audience.PHONE), room(other, Audience.PHONE)
    await everything(here)
    await everything(there)
    sent = len(there.frames)
    await vote(people[0], poll, "yes")
    await here.until(answered(1))
    item = await other.agenda.aget()
    await sync_to_async(facilitation.launch)(other.pk, None, item.pk)
    await there.until(lambda screen: 'data-state="ballot"' in screen.pictures("stage")[-1])
    assert not answered(1)(there)
    assert len(there.frames) - sent <= len(SHOWN[Audience.PHONE])  # what its own launch has changed
    assert hubs.of(workshop.pk) is not hubs.of(other.pk)


async def test_words_for_one_person_reach_their_other_tabs_and_nobody_else(asked, room):
    workshop, _poll, people = asked
    one, other_tab = (room(workshop, Audience.PHONE, voter=people[0].voter) for _ in range(2))
    stranger = room(workshop, Audience.PHONE, voter=people[1].voter)
    one.hub.tell_voter(people[0].voter, b'{"t": "mine"}', but=one.connection)
    screens_here = (other_tab, one, stranger)
    for screen in screens_here:
        screen.connection.send(b'{"t": "pong"}')
        await screen.until(lambda s: {"t": "pong"} in s.frames)
    mine, pong = {"t": "mine"}, {"t": "pong"}
    assert [screen.frames for screen in screens_here] == [[mine, pong], [pong], [pong]]


async def test_people_online_are_people_not_tabs(asked, room):
    workshop, _poll, people = asked
    tabs = [room(workshop, Audience.PHONE, voter=people[n].voter) for n in (0, 0, 1)]
    hub = tabs[0].hub
    assert hub.online == 2
    tabs[0].leave()
    assert hub.online == 2
    tabs[1].leave()
    assert hub.online == 1


async def test_the_last_screen_takes_the_hub_with_it(asked, room):
    workshop, _poll, _people = asked
    one, two = room(workshop, Audience.PHONE), room(workshop, Audience.WALL)
    hub = one.hub
    one.leave()
    assert hubs.of(workshop.pk) is hub
    two.leave()
    await asyncio.sleep(0)
    assert all(task.cancelled() or task.cancelling() for task in hub._tasks)
    assert workshop.pk not in hubs._hubs


async def test_an_announcement_is_made_after_the_commit_and_never_before(asked, room, monkeypatch):
    workshop, poll, people = asked
    told = []
    monkeypatch.setattr(
        signals, "announce", lambda workshop_id, topics: told.append((workshop_id, set(topics)))
    )

    def vote_and_roll_back():
        from django.db import transaction

        with transaction.atomic():
            factories.vote(people[0], poll, "yes")
            transaction.set_rollback(True)

    await sync_to_async(vote_and_roll_back)()
    assert told == []
    await vote(people[0], poll, "yes")
    assert told == [(workshop.pk, {Topic.TALLY, Topic.QUEUE})]


async def test_a_channel_layer_that_fails_costs_a_log_line_and_no_vote(asked, room, monkeypatch, caplog):
    workshop, poll, people = asked

    class Broken:
        async def group_send(self, *_):
            raise ConnectionError("redis is gone")

    monkeypatch.setattr(broker, "get_channel_layer", Broken)
    monkeypatch.setattr(broker, "_is_away", False)
    phone = room(workshop, Audience.PHONE)
    await everything(phone)
    await vote(people[0], poll, "yes")
    await phone.until(answered(1))
    await eventually(lambda: "other processes are not told at once (ConnectionError)" in caplog.text)


async def test_leaving_and_joining_change_the_count_of_people(asked, room):
    workshop, _poll, people = asked
    phone = room(workshop, Audience.PHONE)
    await everything(phone)
    await sync_to_async(participation.leave)(people[3])
    await phone.until(lambda s: "0 of 3 people have answered" in s.pictures("tally")[-1])


async def test_who_goes_while_a_picture_is_drawn_is_not_counted_in_the_next(asked, room, monkeypatch):
    """People are counted once between two comings and goings: a count that ran into one is thrown away."""
    workshop, poll, people = asked
    phone = room(workshop, Audience.PHONE)
    await everything(phone)
    counted, go_on, draw = threading.Event(), threading.Event(), hubs._draw

    def draw_slowly(*args):
        drawn = draw(*args)
        counted.set()
        assert go_on.wait(PATIENCE)
        return drawn

    hubs.invalidate(workshop.pk, [Topic.ROOM])
    monkeypatch.setattr(hubs, "_draw", draw_slowly)
    await sync_to_async(counted.wait, thread_sensitive=False)(PATIENCE)
    await sync_to_async(participation.leave)(people[3])
    go_on.set()
    await phone.until(lambda s: "0 of 3 people have answered" in s.pictures("tally")[-1])
    await vote(people[0], poll, "yes")
    await phone.until(lambda s: "1 of 3 people have answered" in s.pictures("tally")[-1])


async def test_votes_do_not_count_the_people_anew(asked, room, monkeypatch):
    workshop, poll, people = asked
    phone = room(workshop, Audience.PHONE)
    await everything(phone)
    seen, draw = [], hubs._draw
    monkeypatch.setattr(hubs, "_draw", lambda *args: seen.append(args[3]) or draw(*args))
    await vote(people[0], poll, "yes")
    await phone.until(answered(1))
    await vote(people[1], poll, "yes")
    await phone.until(answered(2))
    assert [known.joined for known in seen] == [4, 4]
