"""One hub per process and workshop: hears what changed, draws it once per audience, hands the same text to
every socket, at most once a window.

State, not deltas: a picture is whole, the newest is the only one that matters. First load, live update and
reconnect are one function, so a lost message is harmless. The hub never waits for a socket (`connections`).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Collection, Iterable, Iterator
from functools import partial

from django.conf import settings
from django.db import Error
from django.utils import timezone

from .. import screens
from ..people import rights
from ..people.roles import Headcount
from ..signals import announce
from ..signals.topics import (
    EVERYTHING,
    NEAR,
    PHONES,
    REMOVED,
    RIGHTS,
    SHOWN,
    WALL_KEY,
    Audience,
    Topic,
    listeners_of,
    listens,
    users_of,
)
from . import broker, listeners, metrics, writer_priority
from .connection import Connection as Connection
from .connection import hand_out
from .fragments import encode as encode
from .fragments import read as read
from .fragments import revision_of as revision_of
from .group_pads import Pads
from .raw import send
from .raw.send import Frame

log = logging.getLogger(__name__)

NO_RIGHT = 4401  # a close code: the page itself asks whether it may still be looked at
SLOWEST, FASTEST = 1.0, 10.0  # pictures a second
# …of all groups: long ones, and a hundred groups that write would have them drawn all the time
OVERVIEWS = 3.0
TOLD_LOOKS = 3  # of another process that tells who listens there: so many may be missed, less one


class _Budget:
    """Pictures for phones that this process hands out a second, over all its workshops: who has handed out waits until
    the process has time for as much again, whoever's it was."""

    def __init__(self) -> None:
        self._free_at = 0.0

    def spend(self, pictures: int, a_second: float, since: float) -> float:
        """So many were handed out from `since` on; when the next may follow."""
        self._free_at = max(self._free_at, since) + pictures / a_second
        return self._free_at


_budget = _Budget()


class _Window:
    """What has changed for a group of screens, and when they may be shown it."""

    def __init__(self, group: tuple[Audience, ...], pace: float = 0.0) -> None:
        self.group, self.pace = group, pace  # 0: as the hub finds right for so many screens
        self.dirty: set[Topic] = set()
        self.opens_at = 0.0
        self.handing_out: asyncio.Task | None = None

    @property
    def has_work(self) -> bool:
        """One picture at a time: the next is drawn when the last has been handed to everybody."""
        return bool(self.dirty) and self.handing_out is None

    def take(self, opens_at: float) -> set[Topic]:
        """What has changed; the window is shut until `opens_at`."""
        topics, self.dirty = self.dirty, set()
        self.opens_at = opens_at
        return topics


class _People:
    """Who is here, as last counted: between two comings and goings it is the same for every picture of a vote.

    Like everything that is announced it may be missed, so it is counted anew at each look.
    """

    def __init__(self) -> None:
        self.now: Headcount | None = None
        self._moves = 0

    def have_moved(self) -> None:
        self.now, self._moves = None, self._moves + 1

    @contextlib.contextmanager
    def counted(self) -> Iterator[_People]:
        """A block that counts; what it finds is forgotten if somebody came or went meanwhile."""
        moves = self._moves
        yield self
        if moves != self._moves:
            self.now = None


class Hub:
    """All sockets of one workshop in this process."""

    def __init__(self, workshop_id: int) -> None:
        self.workshop_id = workshop_id
        # where no socket here could be told of it: by POST, or in another process (`papers`)
        self.was_cast = False
        #: when people's own papers were last looked for and found (`papers`): all cast before has been told
        self.papers_since = timezone.now()
        # In the order in which they came: their sockets lie side by side in memory, and going round thousands of them
        # in any other order has the processor wait for each.
        self.connections: dict[Audience, dict[Connection, None]] = {audience: {} for audience in Audience}
        self._by_voter: dict[str, set[Connection]] = {}
        self.frames: dict[tuple[Topic, Audience], tuple[str, Frame]] = {}  # with their revisions
        #: people here who are not counted
        self.listening = len(listeners.without_a_socket_here(workshop_id))
        self.pads = Pads(workshop_id, self._draw_pads, lambda: self.connections[Audience.PHONE])
        self.desk_pads = Pads(workshop_id, screens.draw_desk_pads)  # what facilitators have opened
        # Other pictures: an observer reads no note that nobody has looked at as it was written.
        self.observed_pads = Pads(
            workshop_id, self._draw_observed_pads, lambda: self.connections[Audience.OBSERVER]
        )
        self._all_pads = (self.pads, self.desk_pads, self.observed_pads)
        self._overviews = _Window(NEAR, OVERVIEWS)
        self._windows = [_Window(NEAR), self._overviews, _Window(PHONES)]
        self._people = _People()
        self._wake = asyncio.Event()
        self._rights_in_doubt = asyncio.Event()
        self._tasks = [asyncio.ensure_future(self._run()), asyncio.ensure_future(self._watch_rights())]

    # -- who looks ------------------------------------------------------------------------------------

    def add(self, connection: Connection) -> None:
        self.connections[connection.audience][connection] = None
        if connection.voter:
            self._by_voter.setdefault(connection.voter, set()).add(connection)
        if connection.listener:
            self.count_listeners()
            self._tell_who_listens({connection.listener})

    def greet(self, connection: Connection, seen: dict[str, str]) -> None:
        """Show a connection what it has not seen; what is not drawn yet comes with the next window."""
        missing = set()
        for topic in SHOWN[connection.audience]:
            drawn = self.frames.get((topic, connection.audience))
            if drawn is None:
                missing.add(topic)
            elif seen.get(topic) != drawn[0]:
                connection.set_fragment(topic, drawn[1])
        if missing:
            self.invalidate(missing)

    def remove(self, connection: Connection) -> None:
        self.connections[connection.audience].pop(connection, None)
        self.pads_of(connection).leave(connection)
        tabs = self._by_voter.get(connection.voter, set())
        tabs.discard(connection)
        if not tabs:
            self._by_voter.pop(connection.voter, None)
        if not self.connections[connection.audience]:
            self._forget(connection.audience)
        if connection.listener and connection.listener not in self._listeners_here():
            listeners.forget(self.workshop_id, connection.listener)
            self.count_listeners()

    def _forget(self, audience: Audience) -> None:
        """Pictures that nobody looks at are not drawn anew, so whoever comes next must not be shown them."""
        for topic in SHOWN[audience]:
            self.frames.pop((topic, audience), None)

    def pads_of(self, connection: Connection) -> Pads:
        """The pads as this screen sees them."""
        return {Audience.CONSOLE: self.desk_pads, Audience.OBSERVER: self.observed_pads}.get(
            connection.audience, self.pads
        )

    # -- who listens ----------------------------------------------------------------------------------

    def _listeners_here(self) -> set[str]:
        return {one.listener for one in self.connections[Audience.OBSERVER]}

    def count_listeners(self) -> None:
        """Anew; where there are more or fewer, the console and every pad say so."""
        now = len(self._listeners_here() | listeners.without_a_socket_here(self.workshop_id))
        if now != self.listening:
            self.listening = now
            self.invalidate([Topic.ROOM])
            for pads in (self.pads, self.observed_pads):
                pads.invalidate_all()

    def _tell_who_listens(self, here: set[str]) -> None:
        if here:
            broker.tell_others(self.workshop_id, [listens(one) for one in here])

    # -- who may go on looking ------------------------------------------------------------------------

    def doubt_rights(self, users: Collection[int] = ()) -> None:
        """Look now whose right has gone; of `users`, if any of them has a console here."""
        consoles = self.connections[Audience.CONSOLE]
        if not users or any(one.staff and one.staff.user_id in users for one in consoles):
            self._rights_in_doubt.set()

    async def _watch_rights(self) -> None:
        """When it is announced that a right may have gone, and every few seconds: the announcement may be lost."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(settings.LIVE_POLL_SECONDS):
                    await self._rights_in_doubt.wait()
            self._rights_in_doubt.clear()
            try:
                await self._close_without_right()
            except Exception as error:  # the database: the next look comes
                log.warning("could not look who may still be here (%s)", type(error).__name__)

    async def _close_without_right(self) -> None:
        consoles = {one.staff for one in self.connections[Audience.CONSOLE] if one.staff}
        walls = {one.wall_key for one in self.connections[Audience.WALL]}
        phones = bool(self._by_voter)
        lost = await read(partial(rights.lost, self.workshop_id, consoles, walls=walls, phones=phones))
        if lost.everybody or lost.walls:
            forget_doors()
        for audience, group in self.connections.items():
            everybody = lost.everybody or (lost.observers and audience is Audience.OBSERVER)
            for one in list(group):
                if everybody or lost.includes(one.staff, one.voter, one.wall_key):
                    one.close(NO_RIGHT)

    @property
    def is_empty(self) -> bool:
        return not any(self.connections.values())

    @property
    def online(self) -> int:
        """People with at least one phone or tab connected to this process."""
        return len(self._by_voter)

    def screens_of(self, voter: str) -> list[Connection]:
        return list(self._by_voter.get(voter, ()))

    def has_other_tabs(self, connection: Connection) -> bool:
        return len(self._by_voter.get(connection.voter, ())) > 1

    def tell_voter(self, voter: str, payload: bytes, *, but: Connection | None = None) -> None:
        """Words for one person on all their other tabs."""
        for connection in self._by_voter.get(voter, ()):
            if connection is not but:
                connection.send(payload)

    # -- what they see ----------------------------------------------------------------------------------

    def invalidate(self, names: Iterable[str]) -> None:
        names = set(names)
        for pads in self._all_pads:
            pads.invalidate(names)
        topics = {Topic(name) for name in names & EVERYTHING}
        if Topic.ROOM in topics:
            self._people.have_moved()
        if Topic.BREAKOUTS in topics and Topic.STAGE not in topics:  # with the stage it goes at once
            self._overviews.dirty.add(Topic.BREAKOUTS)
            topics.discard(Topic.BREAKOUTS)
        for window in self._windows:
            if window is not self._overviews:
                window.dirty |= topics
        self._wake.set()

    async def _run(self) -> None:
        """Wait for a change or the next look, draw once for all whose window is open, hand out. The last change
        always goes out."""
        look_at = time.monotonic() + settings.LIVE_POLL_SECONDS
        while True:
            now = time.monotonic()
            if now >= look_at:
                # By itself, however much is announced: an announcement of another process may be lost.
                self.invalidate(EVERYTHING)
                self.count_listeners()
                self._tell_who_listens(self._listeners_here())
                look_at = now + settings.LIVE_POLL_SECONDS
            if opened := [window for window in self._windows if window.has_work and window.opens_at <= now]:
                await self._draw_and_hand_out(opened, now)
            else:
                await self._wait(
                    min([look_at, *(window.opens_at for window in self._windows if window.has_work)])
                )

    async def _wait(self, until: float) -> None:
        """Until then, or until something changes or has been handed out."""
        with contextlib.suppress(TimeoutError):
            # Before Python 3.12, `wait_for` may swallow `stop`.
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                await self._wake.wait()
        self._wake.clear()

    async def _draw_and_hand_out(self, windows: list[_Window], now: float) -> None:
        taken = {window: window.take(now + 1 / (window.pace or FASTEST)) for window in windows}
        wanted = {window: self._wanted(window.group, topics) for window, topics in taken.items()}
        if not any(wanted.values()):
            return
        try:
            with metrics.DRAW_SECONDS.time(), self._people.counted() as people:
                keys = list(itertools.chain(*wanted.values()))
                pictures, people.now = await read(
                    _draw, self.workshop_id, keys, self.online, people.now, self.listening
                )
        except Exception:
            log.exception("a picture could not be drawn; trying again at the next look")
            for window, topics in taken.items():
                window.dirty |= topics
                window.opens_at = now + settings.LIVE_POLL_SECONDS
            return
        for window, keys in wanted.items():  # first the few near screens
            metrics.TICKS.labels("near" if window.group is NEAR else "phones").inc()
            window.handing_out = asyncio.ensure_future(
                self._hand_out(window, [(key, pictures[key]) for key in keys if key in pictures], now)
            )

    def _wanted(self, group: tuple[Audience, ...], topics: set[Topic]) -> list[tuple[Topic, Audience]]:
        """What of these topics somebody in this group looks at."""
        watched = [audience for audience in group if self.connections[audience]]
        return [(topic, audience) for audience in watched for topic in SHOWN[audience] if topic in topics]

    async def _hand_out(
        self, window: _Window, pictures: list[tuple[tuple[Topic, Audience], str]], since: float
    ) -> None:
        try:
            handed = [await self._show(topic, audience, html) for (topic, audience), html in pictures]
            if window.group is PHONES:
                free_at = _budget.spend(sum(handed), self._messages_a_second(), since)
                window.opens_at = max(window.opens_at, min(free_at, since + 1 / SLOWEST))
        except Exception:
            log.exception("a picture could not be handed out")
        finally:
            window.handing_out = None
            self._wake.set()

    def _messages_a_second(self) -> int:
        """A fixed budget of messages a process, not a fixed rate; near screens are few and not counted."""
        some = next((connection for audience in PHONES for connection in self.connections[audience]), None)
        return settings.LIVE_MESSAGES_PER_SECOND or (some.budget if some else send.PLAIN_BUDGET)

    async def _show(self, topic: Topic, audience: Audience, html: str) -> int:
        """To how many it was handed; nobody is shown the same again."""
        revision = revision_of(html)
        drawn = self.frames.get((topic, audience))
        if not self.connections[audience] or (drawn and drawn[0] == revision):
            return 0
        frame = Frame(encode({"t": "screen", "topic": topic, "rev": revision, "html": html}))
        self.frames[topic, audience] = (revision, frame)
        shown_to = list(self.connections[audience])
        metrics.PICTURES.inc(len(shown_to))
        await hand_out(shown_to, topic, frame)
        return len(shown_to)

    def _draw_pads(self, workshop_id: int, group_ids: list[int], *, observed: bool = False) -> dict[int, str]:
        return screens.draw_pads(
            workshop_id, group_ids, writer_priority.yield_to_writer_sync,
            listening=self.listening, observed=observed,
        )  # fmt: skip

    def _draw_observed_pads(self, workshop_id: int, group_ids: list[int]) -> dict[int, str]:
        return self._draw_pads(workshop_id, group_ids, observed=True)

    def stop(self) -> None:
        for pads in self._all_pads:
            pads.stop()
        for task in [*self._tasks, *(window.handing_out for window in self._windows)]:
            if task:
                task.cancel()


def _draw(
    workshop_id: int,
    wanted: list[tuple[Topic, Audience]],
    online: int,
    people: Headcount | None = None,
    listening: int = 0,
) -> tuple[dict[tuple[Topic, Audience], str], Headcount | None]:
    """The pictures, and who is here where that was counted or known."""
    scene = screens.Scene.load(
        workshop_id, online=online, people=people, listening=listening, broker_is_away=broker.is_away()
    )
    pictures = {}
    for topic, audience in wanted:
        try:
            # A plain string: the encoder takes no subclass, and Django's templates return one.
            pictures[topic, audience] = str.__str__(screens.draw(scene, topic, audience))
        except Error:
            raise  # the database: all of it is tried again
        except Exception:  # one picture that cannot be drawn must not freeze the others
            log.exception("the %s of the %s could not be drawn", topic, audience)
    return pictures, scene.people


# --- the hubs of this process ------------------------------------------------------------------------

_hubs: dict[int, Hub] = {}
_loop: asyncio.AbstractEventLoop | None = None


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that serves sockets in this process; `None` in management commands."""
    return _loop


def use_loop(loop: asyncio.AbstractEventLoop | None) -> None:
    """From now on this process's sockets are served in `loop`, and what is announced reaches its hubs."""
    global _loop
    if loop is not _loop:
        _hubs.clear()
    _loop = loop
    announce.on_change(announced)


def of(workshop_id: int) -> Hub:
    """The hub of a workshop, made when its first socket comes."""
    if workshop_id not in _hubs:
        _hubs[workshop_id] = Hub(workshop_id)
    return _hubs[workshop_id]


def leave(hub: Hub, connection: Connection) -> None:
    hub.remove(connection)
    if hub.is_empty:
        hub.stop()
        _hubs.pop(hub.workshop_id, None)


_stage_changes = 0


def stage_changes() -> int:
    """How often a stage has changed, of whatever workshop, as far as this process has heard: what is kept of one is as
    old as this number."""
    return _stage_changes


def invalidate(workshop_id: int, topics: Iterable[str], *, elsewhere: bool = False) -> None:
    """Draw these topics anew; `elsewhere` says that another process has announced them."""
    global _stage_changes
    topics = set(topics)
    _stage_changes += Topic.STAGE in topics
    if topics & {REMOVED, WALL_KEY}:
        forget_doors()
    if users := users_of(topics):
        for each in _hubs.values():
            each.doubt_rights(users)
    if hub := _hubs.get(workshop_id):
        hub.invalidate(topics)
        if topics & {RIGHTS, REMOVED, WALL_KEY}:
            hub.doubt_rights()
        hub.was_cast |= elsewhere and Topic.TALLY in topics


def announced(workshop_id: int, names: list[str]) -> None:
    """A listener of `signals.announce`: invalidate here and tell the other processes; call it from any thread."""
    if _loop is None or _loop.is_closed():
        return  # a management command, or a test without a server: hubs elsewhere poll by themselves
    _loop.call_soon_threadsafe(_invalidate_everywhere, workshop_id, names)


def _invalidate_everywhere(workshop_id: int, names: list[str]) -> None:
    invalidate(workshop_id, names)
    broker.tell_others(workshop_id, names)


def heard(workshop_id: int, names: list[str]) -> None:
    """Another process has announced these names."""
    for listener in listeners_of(names):
        listeners.note(workshop_id, listener, TOLD_LOOKS * settings.LIVE_POLL_SECONDS)
    if (hub := _hubs.get(workshop_id)) and listeners_of(names):
        hub.count_listeners()
    invalidate(workshop_id, names, elsewhere=True)


def page_listens(workshop_id: int, observer_key: str) -> None:
    """An observer has asked for a page or for pictures; call it from any thread."""
    listeners.note(workshop_id, listeners.digest(observer_key))
    if _loop is not None and not _loop.is_closed():
        _loop.call_soon_threadsafe(_count_listeners, workshop_id)


def _count_listeners(workshop_id: int) -> None:
    if hub := _hubs.get(workshop_id):
        hub.count_listeners()


def listening(workshop_id: int) -> int:
    """How many people are in a workshop without being counted, as far as this process knows."""
    hub = _hubs.get(workshop_id)
    return hub.listening if hub else len(listeners.without_a_socket_here(workshop_id))


_removals = 0


def forget_doors() -> None:
    global _removals
    _removals += 1


def removals() -> int:
    """How often this process has heard that a workshop was removed or its wall moved, or found it so: what is known of
    doors is as old as this number."""
    return _removals


def mark_cast(workshop_id: int) -> None:
    """Something was cast without a socket: the same person's screens have yet to be told."""
    if hub := _hubs.get(workshop_id):
        hub.was_cast = True


def present() -> list[Hub]:
    return list(_hubs.values())


def count() -> int:
    """Workshops that have a screen on this process."""
    return len(_hubs)


def everyone() -> list[Connection]:
    return [c for hub in _hubs.values() for group in hub.connections.values() for c in group]
