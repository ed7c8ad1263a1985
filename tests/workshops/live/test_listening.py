"""People who listen without being counted: all who are there see how many, they read decided words, and they go when
it is switched off."""

from __future__ import annotations

import time
from html import unescape

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings

from polls import text_decisions
from polls.text_decisions import FLAGGED, HIDDEN, REDACTED, SHOWN
from workshops.actions import facilitation, groups
from workshops.actions.authoring import workshops as authoring
from workshops.actions.groups import notes
from workshops.live import hub as hubs
from workshops.live import listeners
from workshops.models import Contribution, Participant, Role, Workshop
from workshops.people.participant_cookie import ParticipantToken
from workshops.signals import topics

from ... import factories
from ...factories import phone
from ..asgi import observer, path, seat
from ..groups.people import group_of

pytestmark = pytest.mark.usefixtures("quiet_engine", "fresh_counts")
BY_ANNOUNCEMENT, BY_LOOKING = 3600.0, 0.05
NAMED = "Mary Jones said that the room is too loud"


@pytest.fixture(autouse=True)
def nobody_from_before():
    yield
    listeners._until.clear()


@pytest.fixture
def at_work(transactional_db):
    """A workshop whose six people are in two groups, at work on a prompt."""
    workshop = factories.workshop()
    item = factories.prompt_item(workshop)
    for _ in range(6):
        factories.participant(workshop)
    facilitation.launch(workshop.pk, None, item.pk)
    groups.make(workshop.pk, None, "random", groups=2)
    groups.open_round(workshop.pk, None)
    return workshop


def people_of(workshop: Workshop) -> list[Participant]:
    return list(workshop.participants.order_by("pk"))


def write(who: Participant, words: str, state: str = "", instead: str = "") -> Contribution:
    """A note of this person's group, decided about where a `state` says so."""
    notes.write([notes.Add(who.workshop_id, who.voter, f"op-{words[:20]}", group_of(who).pk, words)])
    made = Contribution.objects.latest("pk")
    if state:
        text_decisions.decide([made.text_id], state, replacement=instead)
    return made


def switch(workshop: Workshop, *, on: bool) -> None:
    authoring.change_facts(workshop, None, None, observers=on)


async def opened(room, address: str, **options):
    screen = await room(address, **options)
    await screen.say({"t": "hello"})
    return screen


async def console_of(room, workshop: Workshop):
    cookie = await sync_to_async(_cookie_of_an_owner)(workshop)
    return await opened(room, f"/live/console/{workshop.code}/", cookie=cookie)


def _cookie_of_an_owner(workshop: Workshop) -> str:
    client = factories.signed_in(factories.staff(workshop.programme, Role.OWNER))
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"


async def picture(screen, topic: str, words: str = "", *, without: str = "\0") -> str:
    """The first picture of this topic in which these words stand, and those do not."""
    while True:
        frame = await screen.until("screen")
        html = unescape(frame["html"])
        if frame["topic"] == topic and words in html and without not in html:
            return html


# --- seen -------------------------------------------------------------------------------------------------


async def test_the_console_says_how_many_listen_while_they_do(asked, room, settings):
    settings.LIVE_POLL_SECONDS = BY_ANNOUNCEMENT
    workshop = asked[0]
    console = await console_of(room, workshop)
    await picture(console, "room", without="listen")
    cookie = observer(workshop)
    first, tab = await opened(room, path(workshop), cookie=cookie), None
    await picture(console, "room", "1 person listens")
    tab = await opened(room, path(workshop), cookie=cookie)
    second = await opened(room, path(workshop), cookie=observer(workshop))
    await picture(console, "room", "2 people listen")  # another tab is nobody else
    await second.leave()
    await picture(console, "room", "1 person listens")
    await tab.leave()
    await first.leave()
    await picture(console, "room", without="listen")


async def test_every_pad_says_how_many_listen_to_whichever_group(at_work, room, settings):
    settings.LIVE_POLL_SECONDS = BY_ANNOUNCEMENT
    pads = [await opened(room, path(at_work), cookie=seat(who)) for who in await _two_groups(at_work)]
    for pad in pads:
        await picture(pad, "group", without="listen")
    listening = [await opened(room, path(at_work), cookie=observer(at_work)) for _ in range(2)]
    for pad in pads:
        await picture(pad, "group", "2 people listen")
    for screen in listening:
        await screen.leave()
    for pad in pads:
        await picture(pad, "group", without="listen")


@sync_to_async
def _two_groups(workshop: Workshop) -> list[Participant]:
    return list({group_of(who).pk: who for who in people_of(workshop)}.values())


async def test_who_only_asks_for_pictures_is_seen_too(at_work, room, settings):
    settings.LIVE_POLL_SECONDS = BY_ANNOUNCEMENT
    console = await console_of(room, at_work)
    quiet = phone(observing=at_work)
    answer = await sync_to_async(quiet.get)(f"/w/{at_work.code}/pictures/")
    assert answer.status_code == 200
    await picture(console, "room", "1 person listens")
    await sync_to_async(phone(observing=at_work).get)(f"/w/{at_work.code}/")
    await picture(console, "room", "2 people listen")


async def test_a_page_counts_for_a_minute_and_no_longer(at_work, room, settings, monkeypatch):
    settings.LIVE_POLL_SECONDS = BY_LOOKING
    console = await console_of(room, at_work)
    await sync_to_async(phone(observing=at_work).get)(f"/w/{at_work.code}/pictures/")
    await picture(console, "room", "1 person listens")
    monkeypatch.setattr(listeners, "monotonic", lambda: time.monotonic() + listeners.PAGE_SECONDS + 1)
    await picture(console, "room", without="listen")


async def test_who_listens_at_another_process_is_counted_once(at_work, room, settings):
    settings.LIVE_POLL_SECONDS = BY_ANNOUNCEMENT
    console = await console_of(room, at_work)
    token = ParticipantToken.for_observer(at_work.pk)
    hubs.heard(at_work.pk, [topics.listens(listeners.digest(token.observer_key))])
    await picture(console, "room", "1 person listens")
    await opened(room, path(at_work), cookie=f"{settings.PARTICIPANT_COOKIE_NAME}={token.as_cookie()}")
    await opened(room, path(at_work), cookie=observer(at_work))
    await picture(console, "room", "2 people listen")


async def test_the_other_processes_are_told_who_listens_here_and_no_key(asked, room, settings, monkeypatch):
    settings.LIVE_POLL_SECONDS = BY_LOOKING
    told: list[tuple[int, list[str]]] = []
    monkeypatch.setattr(hubs.broker, "tell_others", lambda *said: told.append(said))
    token = ParticipantToken.for_observer(asked[0].pk)
    screen = await opened(
        room, path(asked[0]), cookie=f"{settings.PARTICIPANT_COOKIE_NAME}={token.as_cookie()}"
    )
    await screen.until("screen")
    listener = listeners.digest(token.observer_key)
    assert (asked[0].pk, [topics.listens(listener)]) in told
    assert token.observer_key not in str(told)


# --- what they read -----------------------------------------------------------------------------------------


async def test_an_observers_pad_has_decided_words_and_others_without_what_may_name_somebody(at_work, room):
    who = (await _two_groups(at_work))[0]
    for words, state, instead in (
        (NAMED, "", ""),
        ("Soft light", "", ""),
        ("Let through as it is, said Peter Miller", SHOWN, ""),
        ("Hidden away", HIDDEN, ""),
        ("Flagged away", FLAGGED, ""),
        ("Taken out of", REDACTED, "[something] stands here"),
    ):
        await sync_to_async(write)(who, words, state, instead)
    group = await sync_to_async(group_of)(who)
    listening = await opened(room, path(at_work), cookie=observer(at_work))
    await listening.until("place")
    await listening.say({"t": "look", "group": group.pk})
    seen = await picture(listening, "group", "Soft light")
    assert "said that the room is too loud" in seen
    assert "Let through as it is, said Peter Miller" in seen
    assert "[something] stands here" in seen
    for words in ("Mary", "Jones", "Hidden away", "Flagged away", "Taken out of"):
        assert words not in seen
    member = await opened(room, path(at_work), cookie=seat(who))
    own = await picture(member, "group", "Soft light")
    assert NAMED in own
    assert "Taken out of" in own


async def test_a_decision_reaches_the_pad_of_who_listens(at_work, room, settings):
    settings.LIVE_POLL_SECONDS = BY_LOOKING
    who = (await _two_groups(at_work))[0]
    made = await sync_to_async(write)(who, "Soft light")
    listening = await opened(room, path(at_work), cookie=observer(at_work))
    await listening.until("place")
    await listening.say({"t": "look", "group": made.group_id})
    await picture(listening, "group", "Soft light")
    await sync_to_async(text_decisions.decide)([made.text_id], HIDDEN)
    await picture(listening, "group", without="Soft light")


def test_the_page_and_the_slow_poll_have_the_same_words_as_the_socket(at_work):
    who = people_of(at_work)[0]
    made = write(who, NAMED)
    quiet = phone(observing=at_work)
    for address in (f"/w/{at_work.code}/", f"/w/{at_work.code}/pictures/"):
        said = quiet.get(f"{address}?listen={made.group_id}").content.decode()
        assert "said that the room is too loud" in said
        assert "Mary" not in said


# --- switched -------------------------------------------------------------------------------------------------


async def test_switching_off_ends_the_screens_of_observers_and_nobody_elses(at_work, room, settings):
    settings.LIVE_POLL_SECONDS = BY_ANNOUNCEMENT
    who = (await _two_groups(at_work))[0]
    stays = await opened(room, path(at_work), cookie=seat(who))
    goes = [await opened(room, path(at_work), cookie=observer(at_work)) for _ in range(2)]
    await sync_to_async(switch)(at_work, on=False)
    assert [await screen.ended() for screen in goes] == [4401, 4401]
    assert await (await room(path(at_work), cookie=observer(at_work))).ended() == 4401
    await stays.say({"t": "ping"})
    await stays.until("pong")


async def test_an_unheard_switch_is_found_at_the_next_look(at_work, room, settings):
    settings.LIVE_POLL_SECONDS = BY_LOOKING
    screen = await opened(room, path(at_work), cookie=observer(at_work))
    await sync_to_async(Workshop.objects.filter(pk=at_work.pk).update)(observers=False)
    assert await screen.ended() == 4401


async def test_switched_on_again_they_come_in_again(at_work, room):
    await sync_to_async(switch)(at_work, on=False)
    cookie = observer(at_work)
    assert await (await room(path(at_work), cookie=cookie)).ended() == 4401
    await sync_to_async(switch)(at_work, on=True)
    await (await opened(room, path(at_work), cookie=cookie)).until("screen")


def test_where_it_is_off_their_pages_say_so_and_show_nothing(at_work):
    write(people_of(at_work)[0], "Soft light")
    was_there = phone(observing=at_work)
    switch(at_work, on=False)
    told = was_there.get(f"/w/{at_work.code}/")
    assert told.status_code == 403
    assert "Listening has ended" in told.content.decode()
    assert "Soft light" not in told.content.decode()
    assert was_there.get(f"/w/{at_work.code}/pictures/").status_code == 401
