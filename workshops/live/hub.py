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
import secrets
import time
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db import Error
from django.utils import timezone

from .. import queries, screens
from . import metrics
from .connections import Connection as Connection
from .connections import hand_out
from .direct import lines
from .direct.lines import Frame
from .pads import Pads
from .pictures import encode as encode
from .pictures import read as read
from .pictures import revision_of as revision_of
from .topics import EVERYTHING, NEAR, PHONES, SHOWN, Audience, Topic

log = logging.getLogger(__name__)

PROCESS = secrets.token_hex(4)  # tells a process its own announcements
SLOWEST, FASTEST = 1.0, 10.0  # pictures a second
OVERVIEWS = (
    3.0  # …of all groups: long ones, and a hundred groups that write would have them drawn all the time
)


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
        self.now: queries.Room | None = None
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
        self.was_cast = (
            False  # where no socket here could be told of it: by POST, or in another process (`papers`)
        )
        #: when people's own papers were last looked for and found (`papers`): all cast before has been told
        self.papers_since = timezone.now()
        # In the order in which they came: their sockets lie side by side in memory, and going round thousands of them
        # in any other order has the processor wait for each.
        self.connections: dict[Audience, dict[Connection, None]] = {audience: {} for audience in Audience}
        self._by_voter: dict[str, set[Connection]] = {}
        self.frames: dict[tuple[Topic, Audience], tuple[str, Frame]] = {}  # with their revisions
        self.pads = Pads(workshop_id, screens.draw_pads, self.phones)
        self.desk_pads = Pads(workshop_id, screens.draw_desk_pads)  # what facilitators have opened
        self._overviews = _Window(NEAR, OVERVIEWS)
        self._windows = [_Window(NEAR), self._overviews, _Window(PHONES)]
        self._people = _People()
        self._wake = asyncio.Event()
        self._tasks = [asyncio.ensure_future(self._run())]

    # -- who looks ------------------------------------------------------------------------------------

    def add(self, connection: Connection) -> None:
        self.connections[connection.audience][connection] = None
        if connection.voter:
            self._by_voter.setdefault(connection.voter, set()).add(connection)

    def greet(self, connection: Connection, seen: dict[str, str]) -> None:
        """Show a connection what it has not seen; what is not drawn yet comes with the next window."""
        missing = set()
        for topic in SHOWN[connection.audience]:
            drawn = self.frames.get((topic, connection.audience))
            if drawn is None:
                missing.add(topic)
            elif seen.get(topic) != drawn[0]:
                connection.show(topic, drawn[1])
        if missing:
            self.mark(missing)

    def remove(self, connection: Connection) -> None:
        self.connections[connection.audience].pop(connection, None)
        (self.desk_pads if connection.audience is Audience.CONSOLE else self.pads).leave(connection)
        tabs = self._by_voter.get(connection.voter, set())
        tabs.discard(connection)
        if not tabs:
            self._by_voter.pop(connection.voter, None)
        if not self.connections[connection.audience]:
            self._forget(connection.audience)

    def _forget(self, audience: Audience) -> None:
        """Pictures that nobody looks at are not drawn anew, so whoever comes next must not be shown them."""
        for topic in SHOWN[audience]:
            self.frames.pop((topic, audience), None)

    @property
    def is_empty(self) -> bool:
        return not any(self.connections.values())

    @property
    def online(self) -> int:
        """People with at least one phone or tab connected to this process."""
        return len(self._by_voter)

    def phones(self) -> list[Connection]:
        return [*self.connections[Audience.PHONE], *self.connections[Audience.OBSERVER]]

    def screens_of(self, voter: str) -> list[Connection]:
        return list(self._by_voter.get(voter, ()))

    def has_other_tabs(self, connection: Connection) -> bool:
        return len(self._by_voter.get(connection.voter, ())) > 1

    def tell_voter(self, voter: str, payload: bytes, *, but: Connection | None = None) -> None:
        """Words for one person on all their other tabs."""
        for connection in self._by_voter.get(voter, ()):
            if connection is not but:
                connection.tell(payload)

    # -- what they see ----------------------------------------------------------------------------------

    def mark(self, names: Iterable[str]) -> None:
        names = set(names)
        self.pads.mark(names)
        self.desk_pads.mark(names)
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
        look_at = time.monotonic() + settings.LIVE_LOOK_SECONDS
        while True:
            now = time.monotonic()
            if now >= look_at:
                # By itself, however much is announced: an announcement of another process may be lost.
                self.mark(EVERYTHING)
                look_at = now + settings.LIVE_LOOK_SECONDS
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
                pictures, people.now = await read(_draw, self.workshop_id, keys, self.online, people.now)
        except Exception:
            log.exception("a picture could not be drawn; trying again at the next look")
            for window, topics in taken.items():
                window.dirty |= topics
                window.opens_at = now + settings.LIVE_LOOK_SECONDS
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
        return settings.LIVE_MESSAGES_PER_SECOND or (some.budget if some else lines.PLAIN_BUDGET)

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

    def stop(self) -> None:
        self.pads.stop()
        self.desk_pads.stop()
        for task in [*self._tasks, *(window.handing_out for window in self._windows)]:
            if task:
                task.cancel()


def _draw(
    workshop_id: int, wanted: list[tuple[Topic, Audience]], online: int, people: queries.Room | None = None
) -> tuple[dict[tuple[Topic, Audience], str], queries.Room | None]:
    """The pictures, and who is here where that was counted or known."""
    scene = screens.Scene.load(workshop_id, online=online, people=people)
    pictures = {}
    for topic, audience in wanted:
        try:
            # A plain string: the encoder takes no subclass, and Django's templates return one.
            pictures[topic, audience] = str.__str__(screens.draw(scene, topic, audience))
        except Error:
            raise  # the database: all of it is tried again
        except Exception:  # one picture that cannot be drawn must not freeze the others
            log.exception("the %s of the %s could not be drawn", topic, audience)
    return pictures, scene.__dict__.get("room", people)


# --- the hubs of this process ------------------------------------------------------------------------

_hubs: dict[int, Hub] = {}
_loop: asyncio.AbstractEventLoop | None = None


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that serves sockets in this process; `None` in management commands."""
    return _loop


def use_loop(loop: asyncio.AbstractEventLoop | None) -> None:
    global _loop
    if loop is not _loop:
        _hubs.clear()
    _loop = loop


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


def mark(workshop_id: int, topics: Iterable[str], *, elsewhere: bool = False) -> None:
    """Draw these topics anew; `elsewhere` says that another process has announced them."""
    if hub := _hubs.get(workshop_id):
        hub.mark(topics)
        hub.was_cast |= elsewhere and Topic.TALLY in topics


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
