"""The websocket door: a lean ASGI application, one coroutine to listen and one to write per socket.

No consumer object, no thread hop per message: a frame is decoded into its shape, a vote goes to the intake,
its answer to the connection's queue. Nobody waits inside the listening loop, so a phone never goes deaf.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import msgspec
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import Error
from django.http import Http404
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from .. import commands
from ..actions.groups import membership
from ..models import Workshop
from ..people import access, participant_cookie, rights
from ..people.rights import StaffToken
from ..screens import queries
from ..signals.topics import PLACES, Audience
from . import hub as hubs
from . import listeners, rate_limit, write_batcher, writer_priority
from .later import LATER
from .raw import receive as raw_receive
from .write_batcher import Busy

log = logging.getLogger(__name__)

FRAME_LIMIT = 8 * 1024  # bytes in
AT_THE_DOOR = 8  # reads for people who come in: a crowd that comes back must not stand before the pictures

TOO_BIG, NO_SESSION, FORBIDDEN, IDLE, TOO_FAST = 1009, hubs.NO_RIGHT, 4403, 4408, 4429


class Hello(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="t", tag="hello"):
    """What the screen has: `{topic: revision}`."""

    seen: dict[str, str] = {}


class Ping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="t", tag="ping"): ...


class Look(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="t", tag="look"):
    """A facilitator, or an observer, opens a group's pad; 0 closes it."""

    group: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


decode = msgspec.json.Decoder(Hello | Ping | Look | commands.PHONE_FRAMES).decode


# --- three doors: who is it? ----------------------------------------------------------------------------


async def phone(scope, receive, send) -> None:
    """A participant or observer, by the signed cookie of their seat; the code must be their workshop's."""
    await writer_priority.turns().take(first=True)
    seat = participant_cookie.of_scope(scope)
    if seat is None or not await is_of(seat, scope["url_route"]["kwargs"]["code"]):
        return await _refuse(receive, send, NO_SESSION)
    if not rate_limit.of(seat.rate_limit_key).take():
        return await _refuse(receive, send, TOO_FAST)
    audience = Audience.OBSERVER if seat.is_observer else Audience.PHONE
    # Never remembered: it may be switched off at any moment.
    if seat.is_observer and not await read_at_the_door(rights.may_listen, seat.workshop_id):
        return await _refuse(receive, send, NO_SESSION)
    await _Session(audience, seat.workshop_id, seat, send, seat.rate_limit_key).run(receive)


async def wall(scope, receive, send) -> None:
    """Whoever knows the wall's address."""
    key = scope["url_route"]["kwargs"]["key"]
    found = await workshop_id(wall_key=key)
    if found is None:
        return await _refuse(receive, send, NO_SESSION)
    await _Session(Audience.WALL, found, None, send, wall_key=key).run(receive)


async def console(scope, receive, send) -> None:
    """A facilitator or owner who is signed in."""
    code, user = scope["url_route"]["kwargs"]["code"], scope["user"]
    try:
        workshop = await read_at_the_door(access.workshop_for, user, code, *access.RUNNERS)
    except (Http404, PermissionDenied):
        return await _refuse(receive, send, FORBIDDEN if user.is_authenticated else NO_SESSION)
    staff = StaffToken(user.pk, scope["session"].session_key)
    await _Session(Audience.CONSOLE, workshop.pk, None, send, f"user {user.pk}", staff).run(receive)


async def nowhere(scope, receive, send) -> None:
    await _refuse(receive, send, FORBIDDEN)


async def _refuse(receive, send, code: int) -> None:
    """Accept, then close with the code: a browser does not tell its page why a handshake failed."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": code})


async def is_of(seat: participant_cookie.ParticipantToken, code: str) -> bool:
    """Does this seat belong to the workshop with this code? The code is compared and never looked up: whether there is
    another workshop of that code shows neither in the answer nor in its time."""
    own = await _find("code", pk=seat.workshop_id)
    return own is not None and constant_time_compare(own, code)


async def workshop_id(*, wall_key: str) -> int | None:
    """The workshop with this wall key."""
    return await _find("pk", wall_key=wall_key)


async def _find(what: str, **by: Any) -> Any:
    """This of the workshop; remembered until one is removed or its wall moves: codes and keys never change hands."""
    global _known_since
    if _known_since != hubs.removals():
        _known_since = hubs.removals()
        _known.clear()
    key = tuple(by.items())
    if key not in _known:
        there = Workshop.objects.filter(removed_at=None, programme__removed_at=None, **by)
        found = await read_at_the_door(there.values_list(what, flat=True).first)
        if found is None:
            return None
        if len(_known) > 10_000:
            _known.clear()
        _known[key] = found
    return _known[key]


_known: dict[tuple, Any] = {}
_known_since = 0


async def read_at_the_door(work: Callable, *args: Any) -> Any:
    """A read for somebody who comes in: few at a time, so the hubs' own reads never wait behind a crowd."""
    loop = asyncio.get_running_loop()
    if loop not in _doors:
        _doors.clear()
        _doors[loop] = asyncio.Semaphore(AT_THE_DOOR)
    async with _doors[loop]:
        return await hubs.read(work, *args)


_doors: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


# --- one session ---------------------------------------------------------------------------------------------


def _size(message: dict[str, Any]) -> int:
    """Bytes in a frame; its text is measured as it travelled."""
    text = message.get("text") or ""
    if len(text) > FRAME_LIMIT:
        return len(text)
    return len(text.encode(errors="replace")) + len(message.get("bytes") or b"")


class _Session:
    def __init__(
        self,
        audience: Audience,
        workshop_id: int,
        seat: participant_cookie.ParticipantToken | None,
        send: Callable,
        token: str = "",
        staff: StaffToken | None = None,
        wall_key: str = "",
    ) -> None:
        self.seat, self.send = seat, send
        self.workshop_id = workshop_id
        self.connection = hubs.Connection(audience, seat.voter if seat else "", staff, wall_key)
        if audience is Audience.OBSERVER and seat:
            self.connection.listener = listeners.digest(seat.observer_key)
        self.connection.on_close = self._end_listening
        self._listening: asyncio.Timeout | None = None
        self._has_spoken, self._heard_at = False, time.monotonic()
        self._allowance = rate_limit.of(token)
        self._tasks: set[asyncio.Task] = set()

    async def run(self, receive: Callable) -> None:
        await receive()
        await self.send({"type": "websocket.accept"})
        # Only now, and at once: while we waited, the last other screen may have taken its hub with it.
        self.hub = hubs.of(self.workshop_id)
        self.hub.add(self.connection)
        writer = asyncio.ensure_future(self.connection.write(self.send))
        stop_raw_receive = raw_receive.start(self.send, self._hear)
        try:
            await self._listen(receive)
        finally:
            if stop_raw_receive:
                stop_raw_receive()
            hubs.leave(self.hub, self.connection)
            await self._let_write(writer)

    async def _let_write(self, writer: asyncio.Task) -> None:
        if self.connection.closing:  # we end it: the close frame still has to go out
            await asyncio.wait([writer], timeout=1.0)
        writer.cancel()
        if writer.done() and not writer.cancelled() and writer.exception():
            log.debug("a socket ended while it was written to (%s)", type(writer.exception()).__name__)

    def _end_listening(self) -> None:
        """A screen that takes nothing is closed now, not when it happens to speak again."""
        if self._listening and not self._listening.expired():
            self._listening.reschedule(asyncio.get_running_loop().time())

    async def _listen(self, receive: Callable) -> None:
        """Until either side ends it; most of what a screen says comes past this, straight from the socket."""
        while not self.connection.closing:
            if (rest := self._patience_until - time.monotonic()) <= 0:
                return self.connection.close(IDLE)
            try:
                async with asyncio.timeout(rest) as self._listening:
                    message = await receive()
            except TimeoutError:
                continue  # something may have been heard meanwhile
            finally:
                self._listening = None
            if message["type"] == "websocket.disconnect":
                return None
            if _size(message) > FRAME_LIMIT:
                return self.connection.close(TOO_BIG)
            self._take(message.get("text") or "")
        return None

    @property
    def _patience_until(self) -> float:
        wait = settings.LIVE_IDLE_SECONDS
        return self._heard_at + (wait if self._has_spoken else min(settings.FIRST_BYTE_TIMEOUT, wait))

    def _hear(self, text: str) -> None:
        """A text straight from the socket: what goes wrong with it ends this session and no more."""
        if self.connection.closing:
            return
        try:
            self._take(text)
        except Exception:
            log.exception("what a %s said could not be taken", self.connection.audience)
            self.connection.close(1011)

    def _take(self, text: str) -> None:
        self._has_spoken, self._heard_at = True, time.monotonic()
        if not self._may_speak():
            return None
        try:
            frame = decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return self._tell(
                {"t": "nack", "op": "", "code": "invalid", "message": _("That could not be read.")}
            )
        return self._answer(frame)

    def _answer(self, frame: Any) -> None:
        if isinstance(frame, Ping):
            return self._tell({"t": "pong"})
        if isinstance(frame, Hello):
            task = asyncio.ensure_future(self._hello(frame))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return None
        if isinstance(frame, Look):
            return self._look(frame)
        return self._run(frame)

    def _look(self, frame: Look) -> None:
        if self.connection.audience in (Audience.CONSOLE, Audience.OBSERVER):
            self.hub.pads_of(self.connection).join(self.connection, frame.group)

    async def _hello(self, frame: Hello) -> None:
        """Server time for countdowns, one's own papers, and every picture not seen yet."""
        papers, places = None, None
        if self.seat:
            try:
                papers, places = await read_at_the_door(queries.state_on_connect, self.seat)
            except Error:  # it comes back by itself; left open it would stay without what it has not seen
                return self.connection.close(LATER)
            if papers is None:
                return self.connection.close(NO_SESSION)
        self._tell({"t": "hello", "now": round(timezone.now().timestamp() * 1000)})
        if self.seat and not self.seat.is_observer and papers is not None:
            self.connection.send_ballots([commands.receipt_json(receipt) for receipt in papers])
        if places is not None:
            self.connection.greeted = True
            pads = self.hub.pads_of(self.connection)
            place = places.of(self.connection.voter, pads.watching, self.connection.group)
            pads.tell_place(self.connection, place, frame.seen.get("group", ""))
            if place["group"] < 0:
                await self._seat_latecomer()
        self.hub.greet(self.connection, frame.seen)
        return None

    async def _seat_latecomer(self) -> None:
        """Who comes back while groups are there and has no place gets one; the change tells every screen of theirs."""
        try:
            await read_at_the_door(membership.place_latecomer, self.workshop_id, self.connection.voter)
        except Error as error:  # they choose, or come in again; meanwhile they see that a place is looked for
            log.warning("a latecomer has no place yet (%s)", type(error).__name__)

    def _run(self, frame: Any) -> None:
        op = getattr(frame, "op", "")
        if self.seat is None:
            return self._tell(
                {"t": "nack", "op": op, "code": "forbidden", "message": _("Only people with a phone vote.")}
            )
        return commands.take_frame(
            self.seat, frame, write_batcher.get().put, partial(self._outcome, frame, op)
        )

    def _outcome(self, frame: Any, op: str, outcome: Any) -> None:
        """After the commit: the answer to this phone, and the new paper to the person's other tabs."""
        if isinstance(outcome, Busy):
            return self._tell(commands.busy_reply(op, getattr(frame, "poll", 0), outcome.retry_after))
        if outcome is None or not op:
            return None
        answer = commands.reply(outcome)
        self._tell(answer)
        if answer["t"] == "ack" and "poll" in answer:
            self.connection.mark_acked(answer["poll"], answer["seq"])
            self._tell_other_tabs(answer)
        elif answer["t"] == "ack" and self.hub.has_other_tabs(self.connection):
            # what the others of this person have agreed with, and their own notes
            self.hub.invalidate([PLACES])
        return None

    def _tell_other_tabs(self, answer: dict[str, Any]) -> None:
        if not self.hub.has_other_tabs(self.connection):
            return
        papers = [{key: answer[key] for key in ("poll", "seq", "status", "fields", "marks", "said")}]
        payload = hubs.encode({"t": "mine", "papers": papers})
        self.hub.tell_voter(self.connection.voter, payload, but=self.connection)

    def _may_speak(self) -> bool:
        """What one person's screens may say together (`allowance`)."""
        if self._allowance.take():
            return True
        if self._allowance.is_exhausted:
            self.connection.close(TOO_FAST)
        elif self._allowance.excess == 1 or self._allowance.excess % 50 == 0:
            self._tell({"t": "nack", "op": "", "code": "rate", "retry_after": 1.0, "message": ""})
        return False

    def _tell(self, data: dict[str, Any]) -> None:
        self.connection.send(hubs.encode(data))
