"""HTTP: shared pages first, then a short way through Django for people without an account; Django itself for staff.

The short way is Django's own handler and views with two differences. Its middlewares are few and called in the loop,
since each of them only computes: the full list costs a phone's page some twenty hops between threads. And it limits:
the rate of one participant (`rate_limit`), how many requests are in work and how many wait (`AdmissionQueue`), wrong
codes and addresses of walls (`code_guess_throttle`). A request beyond that is answered with a page that comes back by
itself (`retry_later_page`). An answer sent as JSON needs no thread and no slot; it goes to the write batcher, which has
a limit of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.exception import convert_exception_to_response
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.urls import set_script_prefix, set_urlconf
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from workshops.live import metrics, rate_limit, socket, writer_priority
from workshops.people import participant_cookie
from workshops.people.participant_cookie import ParticipantToken
from workshops.web import picture_cache
from workshops.web.views import joining
from workshops.web.views.public import read_code

from . import code_guess_throttle, doorway, staff_pages
from .doorway import Doorway
from .page_threads import as_a_newcomer, in_a_thread
from .queue import AdmissionQueue, QueueFull
from .retry_later_page import FAST, FULL, retry_later_page, soon
from .shared_pages import ADDRESS, ADDRESSES, VIEWS, SharedPage, SharedPages
from .staff_pages import StaffQueues

BODY_LIMIT = 64 * 1024  # bytes; a form of ours has a tenth of it
BODY_SECONDS = 15.0  # what is not sent by then is not waited for
AT_ONCE = 16  # requests in work; most of the time they wait for the commit that lets somebody in
SWITCH_SECONDS = 0.0005

CODE = re.compile(r"/w/([^/]+)/")

Answer = Callable[[HttpRequest], Awaitable[HttpResponse]]


def attach(application: Any) -> Any:
    """Django's application for HTTP, with everybody's pages handled here."""
    participant_pages = ParticipantHandler()
    # The loop lets go of the interpreter at every read and write of a socket, and a thread that draws a page gives
    # it back only after this long: at Python's own 5 ms drawing holds up everybody's votes.
    sys.setswitchinterval(SWITCH_SECONDS)

    async def http(scope, receive, send):
        if scope["path"] == "/" or scope["path"].startswith("/w/"):
            return await participant_pages(scope, receive, send)
        if found := picture_cache.ADDRESS.fullmatch(scope["path"]):
            return await participant_pages.picture(scope, send, found[1])
        if scope["path"].startswith(settings.STATIC_URL):
            return await application(scope, receive, send)
        return await participant_pages.staff(application, scope, receive, send)

    return http


class Queues:
    """For people who are in, for those who come, and for lookups of codes by addresses that guess."""

    def __init__(self) -> None:
        self.seated = AdmissionQueue(FULL, AT_ONCE, settings.PARTICIPANT_QUEUE, first=True)
        self.newcomers = AdmissionQueue(FULL, AT_ONCE, settings.PARTICIPANT_QUEUE)
        self.guesses = code_guess_throttle.new_queue()
        self.staff = StaffQueues()
        self.sent_away = writer_priority.Turns()
        self.visitors = writer_priority.Turns(pause=staff_pages.VISITOR_PAUSE)


class ParticipantHandler(ASGIHandler):
    """Django's handler: shared pages before it, few middlewares, admission queues between these and the views."""

    _get_response_async: Answer  # Django's: finds the view and calls it

    def __init__(self) -> None:
        self._of_loop: dict[asyncio.AbstractEventLoop, Queues] = {}
        self.pages = SharedPages()
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        """Django has one list for all addresses, in MIDDLEWARE; this is the one for ours, PHONE_MIDDLEWARE."""
        self._view_middleware: list[Callable] = []
        self._template_response_middleware: list[Callable] = []
        self._exception_middleware: list[Callable] = []
        chain: Any = convert_exception_to_response(self._admit)
        for path in reversed(settings.PHONE_MIDDLEWARE):
            chain = convert_exception_to_response(_in_the_loop(import_string(path)(chain), chain))
        self._middleware_chain: Answer = chain

    def make_view_atomic(self, view):
        """Django's hook around a view: here a plain one goes to the threads of pages."""
        if asyncio.iscoroutinefunction(view):
            return view

        async def in_its_thread(*args, **kwargs):
            return await in_a_thread(view, *args, **kwargs)

        return in_its_thread

    def resolve_request(self, request):
        """As Django; a page that is drawn to be kept names its view itself."""
        if view := request.scope.get("vision.view"):
            return view, (), {}
        return super().resolve_request(request)

    async def __call__(self, scope, receive, send) -> None:
        body = await self._whole_body(receive, send)
        if body is None:
            return None
        seat = participant_cookie.of_scope(scope)
        scope["vision.in"] = await _is_in(scope, seat)
        try:
            async with self._slot(scope, seat):
                if page := await self._shared_page(scope, seat):
                    return await page.send(send, seat, is_head=scope["method"] == "HEAD")
                response = await self._respond(scope, body)
        except QueueFull as full:
            await self.queues.sent_away.take()
            response = await self._respond(scope | {"vision.full": full}, body)
        return await self.send_response(response, send)

    async def staff(self, application, scope, receive, send) -> None:
        """The pages of people with an account, and all others that are not for phones: Django's own."""
        queue = await self.queues.staff.of(scope)
        is_visitor = queue is self.queues.staff.anonymous
        guesses_a_wall = is_visitor and scope["path"].startswith("/wall/")
        uploads = queue is self.queues.staff.signed_in
        limits = (
            (staff_pages.UPLOAD_LIMIT, staff_pages.UPLOAD_SECONDS) if uploads else (BODY_LIMIT, BODY_SECONDS)
        )
        body = await self._whole_body(receive, send, *limits)
        if body is None:
            return None
        if guesses_a_wall:  # as a wrong code, in the queue of visitors
            await self.queues.visitors.take()
            return await self.send_response(await self._respond(scope | {"vision.in": False}, body), send)
        try:
            async with queue.slot():
                if is_visitor:
                    await self.queues.visitors.take()
                said = await staff_pages.answered(application, scope, body, receive)
        except QueueFull as full:
            # As a page that was only looked at: what was typed may be a passphrase, which is in no page.
            await self.queues.sent_away.take()
            looked_at = scope | {"method": "GET", "vision.full": full}
            return await self.send_response(await self._respond(looked_at, BytesIO()), send)
        for message in said:
            await send(message)
        return None

    async def picture(self, scope, send, sha256: str) -> None:
        """An uploaded picture, without a thread where it is in memory: a hall of phones asks for it at once."""
        response = HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        if scope["method"] in ("GET", "HEAD"):
            response = await self._picture(sha256)
        if scope["method"] == "HEAD":
            response["Content-Length"] = str(len(response.content))
            response.content = b""
        await self.send_response(response, send)

    async def _picture(self, sha256: str) -> HttpResponse:
        data = picture_cache.kept(sha256)
        if data is None:
            try:
                async with self.queues.newcomers.slot():
                    with as_a_newcomer():
                        data = await in_a_thread(picture_cache.load, sha256)
            except QueueFull as full:
                return HttpResponse(status=503, headers={"Retry-After": str(math.ceil(full.retry_after))})
            except Error:
                return HttpResponse(status=503, headers={"Retry-After": "8"})
        if data is None:
            return HttpResponse(status=404, headers={"Content-Type": "text/plain"})
        return HttpResponse(data, headers=picture_cache.HEADERS)

    async def _respond(self, scope, body: BytesIO) -> HttpResponse:
        request, error = self._read(scope, body)
        return error or await self._middleware_chain(request)

    def _read(self, scope, body: BytesIO) -> tuple[Any, Any]:
        """A request, or the answer to what is none."""
        set_script_prefix(get_script_prefix(scope))
        set_urlconf(settings.ROOT_URLCONF)
        scope["vision.handler"] = self
        return self.create_request(scope, body)

    async def _whole_body(
        self, receive, send, limit: int = BODY_LIMIT, seconds: float = BODY_SECONDS
    ) -> BytesIO | None:
        """All that was sent, in time and not too much; `None` once an error was answered. A slow sender has no slot."""
        try:
            async with asyncio.timeout(seconds):
                body = await self._read_body(receive, limit)
        except RequestAborted:
            return None
        except TimeoutError:
            await self.send_response(HttpResponse(status=408), send)
            return None
        if body is None:
            words = _("This is more than a page here takes. Go back and choose something smaller.")
            answer = HttpResponse(words, status=413, content_type="text/plain; charset=utf-8")
            await self.send_response(answer, send)
        return body

    async def _read_body(self, receive, limit: int) -> BytesIO | None:
        """All that was sent; `None` where it is more than we take."""
        body = BytesIO()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted
            body.write(message.get("body", b""))
            if body.tell() > limit:
                return None
            if not message.get("more_body", False):
                body.seek(0)
                return body

    # -- shared pages ----------------------------------------------------------------------------------------

    async def _shared_page(self, scope, seat: ParticipantToken | None) -> SharedPage | None:
        """The page that everybody sees who asks for this; `None` where it has to be drawn for one person."""
        found = ADDRESS.fullmatch(scope["path"])
        if not found or scope["method"] not in ("GET", "HEAD") or scope["query_string"]:
            return None
        if not doorway.is_known(code := read_code(found[1])):
            return None
        try:
            way_in = await doorway.find(code)
            if way_in is None:
                return None
            if seat is None or seat.workshop_id != way_in.workshop.pk:
                if found[2] == "profile/":
                    return None
                return await self.pages.get(
                    "nobody", scope, scope["path"], lambda: self._drawn(scope, scope["path"])
                )
            if kind := await joining.page_of(way_in, seat, found[2] or ""):
                return await self.page(kind, scope, way_in)
        except Error:  # the database: the long way says so, in words
            return None
        return None

    async def page(self, kind: str, scope: Any, way_in: Doorway) -> SharedPage | None:
        """A page as people see it who have just come in."""
        path, view = ADDRESSES[kind].format(way_in.workshop.code), VIEWS[kind]
        return await self.pages.get(
            kind, scope, path, lambda: self._drawn(scope, path, lambda request: view(request, way_in))
        )

    async def _drawn(self, scope, path: str, view: Any = None) -> SharedPage | None:
        """By Django, as for somebody who says nothing about themselves but their language."""
        asked = {b"host", b"accept-language", b"x-forwarded-proto"}
        plain = {
            "type": "http", "method": "GET", "path": path, "query_string": b"", "scheme": scope["scheme"],
            "headers": [pair for pair in scope["headers"] if pair[0] in asked], "vision.drawn": True,
            "vision.view": view,
        }  # fmt: skip
        request, _error = self._read(plain, BytesIO())
        if request is None:
            return None
        with as_a_newcomer():
            return SharedPage.of(request, await self._middleware_chain(request))

    # -- admission -------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _slot(self, scope, seat: ParticipantToken | None) -> AsyncIterator[None]:
        """A slot in the queue that this request belongs to. Raises `QueueFull`."""
        if _is_frame(
            scope
        ):  # its view asks the participant's token bucket, and the write batcher has a limit
            yield
        elif seat and scope["vision.in"]:
            if not rate_limit.of(seat.rate_limit_key).take(rate_limit.PAGE_COST):
                raise QueueFull(FAST, soon())
            async with self.queues.seated.slot():
                yield
        elif _looks_up_a_code(scope["path"]):
            yield  # `_admit` takes one for the lookup, and none while a wrong code waits for its answer
        else:
            async with self.queues.newcomers.slot():
                yield

    async def _admit(self, request: HttpRequest) -> HttpResponse:
        """Between the middlewares and the view."""
        scope = request.scope  # type: ignore[attr-defined]
        if full := scope.get("vision.full"):
            return _retry(request, full)
        if "vision.view" in scope or _is_frame(scope) or scope["vision.in"]:
            return await self._get_response_async(request)
        with as_a_newcomer():
            if not _looks_up_a_code(request.path):
                return await self._get_response_async(request)
            try:
                return await code_guess_throttle.throttled(
                    request, self.queues.guesses, lambda: self._looked_up(request)
                )
            except QueueFull as error:
                return _retry(request, error)

    async def _looked_up(self, request: HttpRequest) -> HttpResponse:
        queues = self.queues
        is_wall = request.path.startswith("/wall/")
        async with (queues.staff.anonymous if is_wall else queues.newcomers).slot():
            # A view that raises `Http404` has found nothing either, so it is made the answer that is counted.
            answered: Any = convert_exception_to_response(self._get_response_async)
            return await answered(request)

    @property
    def queues(self) -> Queues:
        loop = asyncio.get_running_loop()
        if loop not in self._of_loop:
            self._of_loop.clear()
            self._of_loop[loop] = Queues()
        return self._of_loop[loop]


def _in_the_loop(middleware: Any, inner: Answer) -> Answer:
    """A middleware of Django's that only computes, without a hop to a thread before and after."""

    async def step(request: HttpRequest) -> HttpResponse:
        response = middleware.process_request(request) if hasattr(middleware, "process_request") else None
        response = response or await inner(request)
        if hasattr(middleware, "process_response"):
            response = middleware.process_response(request, response)
        return response

    return step


async def _is_in(scope: dict[str, Any], seat: ParticipantToken | None) -> bool:
    """Voters and observers alike, at an address of their own workshop. With any other code they are strangers, and a
    wrong one counts."""
    found = CODE.match(scope["path"])
    if seat is None or not seat.rate_limit_key or not found:
        return False
    try:
        return await socket.is_of(seat, read_code(found[1]))
    except Error:  # the database: no code can be looked up either
        return True


def _is_frame(scope: dict[str, Any]) -> bool:
    if scope["method"] != "POST" or not scope["path"].endswith(("/vote/", "/group/")):
        return False
    return any(
        name == b"content-type" and kind.startswith(b"application/json") for name, kind in scope["headers"]
    )


def _looks_up_a_code(path: str) -> bool:
    """Is this an address with a code that this process has not seen to be right? The start page takes one too."""
    found = CODE.match(path)
    return not found or not doorway.is_known(read_code(found[1]))


def _retry(request: HttpRequest, full: QueueFull) -> HttpResponse:
    metrics.SENT_AWAY.labels(full.why).inc()
    return retry_later_page(request, full.why, full.retry_after)
