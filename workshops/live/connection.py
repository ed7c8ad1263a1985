"""One screen's socket: what it is told, what it is shown, and when it counts as gone.

The hub never waits for a socket: each connection has a slot per topic that a newer picture overwrites, and a writer of
its own that empties the slots. A socket that keeps up gets its bytes straight away (`raw.send`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from ..people.rights import StaffToken
from ..signals.topics import Audience, Topic
from . import metrics, writer_priority
from .fragments import encode
from .raw import send as raw_send
from .raw.send import Frame, RawSender, Send

log = logging.getLogger(__name__)

OWN_WORDS_LIMIT = 200  # frames waiting for one phone before it counts as gone
STALLED_SECONDS = 10.0  # a socket that takes nothing for so long is closed and comes back by itself
AT_A_TIME = 100  # pictures handed out before votes have a turn


async def hand_out(screens: list[Connection], topic: Topic, frame: Frame) -> None:
    """`Connection.show` for many, without a call of ours for each that keeps up."""
    wire = frame.wire
    for start in range(0, len(screens), AT_A_TIME):
        if start:
            await writer_priority.yield_to_writer()
        for screen in screens[start : start + AT_A_TIME]:
            if push := screen.push:
                try:
                    push(wire)
                except Exception as error:
                    if not screen.is_gone(error):
                        screen.set_fragment(topic, frame)
            else:
                screen.set_fragment(topic, frame)


class Connection:
    """One socket. `tell` queues words for this person alone, `show` replaces the picture of a topic.

    Where there is a direct raw sender and the other side keeps up, both leave at once. Otherwise they wait in their
    slots for `write`, which may be held up by a slow socket without holding up anybody else.
    """

    __slots__ = (
        "_given",
        "_pictures",
        "_raw",
        "_sending_since",
        "_wake",
        "_words",
        "audience",
        "closing",
        "greeted",
        "group",
        "listener",
        "on_close",
        "place",
        "push",
        "staff",
        "voter",
        "wall_key",
    )  # fmt: skip

    def __init__(
        self, audience: Audience, voter: str = "", staff: StaffToken | None = None, wall_key: str = ""
    ) -> None:
        self.audience, self.voter, self.staff, self.wall_key = audience, voter, staff, wall_key
        #: of an observer (`listeners.digest`)
        self.listener = ""
        self._raw: RawSender | None = None
        #: straight to the socket, while nothing of ours waits or is on its way through the server: nothing overtakes
        #: anything
        self.push: Callable[[bytes], None] | None = None
        self._words: deque[Frame] = deque()
        self._pictures: dict[Topic, Frame] = {}
        self._wake = asyncio.Event()
        self._sending_since = 0.0
        #: own papers that this screen has, poll → seq; `None` before its hello
        self._given: dict[int, int] | None = None
        #: the group whose pad it looks at, and where its person has been told that they sit
        self.group = 0
        self.place: dict[str, Any] | None = None
        self.greeted = False
        self.closing = 0  # the close code, once this connection is to end
        self.on_close: Callable[[], None] | None = None  # ends the listening, however long it would wait

    def send(self, payload: bytes) -> None:
        frame = Frame(payload)
        if self._is_pushed(frame):
            return None
        self._words.append(frame)
        if len(self._words) > OWN_WORDS_LIMIT:
            self.close(1013)
        return self._wake.set()

    def set_fragment(self, topic: Topic, frame: Frame) -> None:
        if self._is_pushed(frame):
            return None
        if topic in self._pictures:
            metrics.SKIPPED.inc()
        self._pictures[topic] = frame
        self._wake.set()
        if self._sending_since and time.monotonic() - self._sending_since > STALLED_SECONDS:
            self.close(1013)
        return None

    @property
    def budget(self) -> int:
        """Pictures a second that this process can hand out to screens like this."""
        return self._raw.budget if self._raw else raw_send.PLAIN_BUDGET

    # -- this person's own papers ---------------------------------------------------------------------------

    def send_ballots(self, papers: list[dict[str, Any]]) -> None:
        """Tell these own papers (`queries.receipt_json`)."""
        self.send(encode({"t": "mine", "papers": papers}))
        self._given = self._given or {}
        for paper in papers:
            self.mark_acked(paper["poll"], paper["seq"])

    def mark_acked(self, poll: int, seq: int) -> None:
        """This paper has been acknowledged, or given, to this screen."""
        if self._given is not None:
            self._given[poll] = max(seq, self._given.get(poll, 0))

    def is_behind(self, poll: int, seq: int) -> bool:
        """Is this paper newer than what this screen has? Who has not said hello yet will be given all."""
        return self._given is not None and self._given.get(poll, -1) < seq

    # -- how things leave -------------------------------------------------------------------------------------

    def _is_pushed(self, frame: Frame) -> bool:
        if self.push is None:
            return False
        try:
            self.push(frame.wire)
        except Exception as error:
            return self.is_gone(error)
        return True

    @property
    def _free_push(self) -> Callable[[bytes], None] | None:
        """Not one that is full: what was sent last may have filled it, and it says so only once."""
        raw = self._raw
        return raw.push if raw and not self.closing and not raw.is_full() else None

    def is_gone(self, error: Exception) -> bool:
        """The raw sender raised this. Did the socket break off under it? The server is about to tell its session then;
        else the server is not what it was taken for, and everything goes through its own way from here on."""
        self.push = None
        if raw_send.is_gone(error):
            return True
        log.warning("a raw sender failed (%s); sending through the server", type(error).__name__)
        self._raw = None
        return False

    def _wait_for_room(self) -> None:
        """It takes nothing more for now: what comes next waits in its slots."""
        self.push = None

    def close(self, code: int) -> None:
        self.closing, self.push = self.closing or code, None
        self._wake.set()
        if self.on_close:
            self.on_close()

    async def write(self, send: Send) -> None:
        """Send what waits, own words first, until closed. Ends by closing the socket."""
        self._raw = raw_send.find_sender(send, self._wait_for_room)
        try:
            while not self.closing:
                await self._send_what_waits(send)
                self.push = self._free_push
                await self._wake.wait()
                self._wake.clear()
        except Exception as error:
            # A socket that takes nothing and stays open would look alive for ever: the screen comes back by itself.
            if not raw_send.is_gone(error):
                log.exception("a picture could not be sent to a %s", self.audience)
            self.close(1011)
        await send({"type": "websocket.close", "code": self.closing})

    async def _send_what_waits(self, send: Send) -> None:
        while (self._words or self._pictures) and not self.closing:
            self._sending_since = time.monotonic()
            await self._until_it_is_taken()
            if self.closing:
                return
            frame = self._words.popleft() if self._words else self._pictures.pop(next(iter(self._pictures)))
            await send({"type": "websocket.send", "text": frame.text})
            self._sending_since = 0.0

    async def _until_it_is_taken(self) -> None:
        """A server whose `send` never waits would pile up pictures for a phone that has stopped reading."""
        while self._raw and self._raw.is_full() and not self.closing:
            if time.monotonic() - self._sending_since > STALLED_SECONDS:
                return self.close(1013)
            await asyncio.sleep(0.05)
        return None
