"""The HTTP door for everybody without an account: the start page and the pages of phones.

Django's own handler and views, with two differences. Its middlewares are few and called in the loop, since each of
them only computes: the full list costs a phone's page some twenty hops between threads. And the door counts: what
one seat asks for (`allowance`), how many pages are in work (`turnstile`), wrong codes (`guesses`). Whoever has to
wait gets a page that waits (`waiting`); whoever is in already goes before those who come. An answer sent as JSON
needs no thread and no place here; it goes to the intake, which has a limit of its own.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any, TypeGuard, TypeVar

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.exception import convert_exception_to_response
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.urls import set_script_prefix, set_urlconf
from django.utils.module_loading import import_string

from .. import guesses, waiting
from ..seats import Seat
from . import allowance, engine, metrics, way
from .direct import doorstep
from .gate import Gate
from .turnstile import Full, Turnstile

BODY_LIMIT = 64 * 1024  # bytes; a form of ours has a tenth of it
BODY_SECONDS = 15.0  # what is not sent by then is not waited for
PATIENCE = 8.0  # seconds in the queue
SWITCH_SECONDS = 0.0005
NEWCOMERS_PART = 4
LOOK = 0.5  # the share of the queue for a first look; a form that was filled in has all of it
DELAYED_LIMIT = 500  # wrong codes whose answers take a while, from everywhere

AGAIN = "vision.again"  # in a scope: this request is to come back in so many seconds

T = TypeVar("T")
Answer = Callable[[HttpRequest], Any]  # to be awaited, for an HttpResponse


def attach(application):
    """Django's application for HTTP, with everybody's pages handled here."""
    phone_pages = PhonePages()
    # The loop lets go of the interpreter at every read and write of a socket, and a thread that draws a page gives
    # it back only after this long: at Python's own 5 ms a flood of joins holds up everybody's votes for seconds.
    sys.setswitchinterval(SWITCH_SECONDS)

    async def with_phone_pages(scope, receive, send):
        if _is_for_phones(scope["path"]):
            return await phone_pages(scope, receive, send)
        if scope["path"].startswith((settings.STATIC_URL, "/wall/")) or _has_session(scope):
            return await application(scope, receive, send)
        return await phone_pages.strangers(application, scope, receive, send)

    return with_phone_pages


# --- threads -------------------------------------------------------------------------------------------------


_threads = ThreadPoolExecutor(settings.PAGES_AT_ONCE, thread_name_prefix="page")


async def in_a_thread(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Do this in one of the few threads of pages; its database connection is given back afterwards."""
    if not engine.is_running_here():  # a test's client, plain WSGI: Django's own thread
        return await sync_to_async(work)(*args, **kwargs)

    def and_give_back() -> T:
        try:
            return work(*args, **kwargs)
        finally:
            close_old_connections()

    return await sync_to_async(and_give_back, thread_sensitive=False, executor=_threads)()


# --- the handler -----------------------------------------------------------------------------------------------


class PhonePages(ASGIHandler):
    """Django's handler with a short list of middlewares, and a turnstile between them and the views."""

    _get_response_async: Answer  # Django's: finds the view and calls it

    def __init__(self) -> None:
        self._turnstiles: dict[asyncio.AbstractEventLoop, Places] = {}
        self._gate = Gate()
        self._delayed = 0
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        """Django has one list for all addresses, in MIDDLEWARE; this is the one for ours, PHONE_MIDDLEWARE."""
        self._view_middleware: list[Callable] = []
        self._template_response_middleware: list[Callable] = []
        self._exception_middleware: list[Callable] = []
        chain: Answer = convert_exception_to_response(self._admit)
        for path in reversed(settings.PHONE_MIDDLEWARE):
            chain = self._in_the_loop(import_string(path)(chain), chain)
        self._middleware_chain: Answer = chain

    def _in_the_loop(self, middleware: Any, inner: Answer) -> Answer:
        async def step(request: HttpRequest) -> HttpResponse:
            response = None
            if hasattr(middleware, "process_request"):
                response = middleware.process_request(request)
            response = response or await inner(request)
            if hasattr(middleware, "process_response"):
                response = middleware.process_response(request, response)
            return response

        async def before_the_view(request, view, args, kwargs):
            return middleware.process_view(request, view, args, kwargs)

        if hasattr(middleware, "process_view"):
            self._view_middleware.insert(0, before_the_view)
        return convert_exception_to_response(step)

    def make_view_atomic(self, view):
        """Django's hook around a view: here a plain one goes to the threads of pages."""
        if iscoroutinefunction(view):
            return view

        async def in_its_thread(*args, **kwargs):
            return await in_a_thread(view, *args, **kwargs)

        return in_its_thread

    async def __call__(self, scope, receive, send) -> None:
        await self.handle(scope, receive, send)

    async def handle(self, scope, receive, send) -> None:
        body = await self._whole_body(receive, send)
        if body is None:
            return
        request, response = self._read(scope, body)
        if request is not None:
            response = self._at_the_gate(request) or await self._through(request)
        await self.send_response(response, send)

    async def _whole_body(self, receive, send) -> BytesIO | None:
        """All that was sent, in time and not too much; `None` where it was not, once that is answered."""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await self.read_body(receive)
        except RequestAborted:
            return None
        except TimeoutError:
            await self.send_response(HttpResponse(status=408), send)
            return None
        if body is None:
            await self.send_response(HttpResponse(status=413), send)
        return body

    def _read(self, scope, body: BytesIO) -> tuple[Any, Any]:
        """A request, or the answer to what is none."""
        set_script_prefix(get_script_prefix(scope))
        set_urlconf(settings.ROOT_URLCONF)
        return self.create_request(scope, body)

    async def strangers(self, application, scope, receive, send) -> None:
        """The pages of staff and readers are Django's own and share one thread. Whoever has no session has few places
        there, so that a crowd at the sign-in page stops nobody who runs a workshop, and no vote. A place is taken once
        all is here that was sent: whoever sends slowly holds none."""
        body = await self._whole_body(receive, send)
        if body is None:
            return None
        places = self._places().strangers
        try:
            async with places.place(1.0 if scope["method"] == "POST" else 0.5):
                return await application(scope, _again(body, receive), send)
        except Full as full:
            # As a page that was only looked at: what was typed may be a passphrase, which is in no page.
            seconds = full.seconds
            request, response = self._read(scope | {"method": "GET", AGAIN: seconds}, BytesIO())
            if request is not None:
                sent_away = self._send_away(request, waiting.STAFF, lambda: seconds)
                response = sent_away or await self._through(request)
            await self.send_response(response, send)
        return None

    async def read_body(self, receive) -> BytesIO | None:  # type: ignore[override]
        """All that was sent, before a place is taken; `None` where it is more than we take."""
        body = BytesIO()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted
            body.write(message.get("body", b""))
            if body.tell() > BODY_LIMIT:
                return None
            if not message.get("more_body", False):
                body.seek(0)
                return body

    async def _through(self, request: HttpRequest) -> HttpResponse:
        response = await self._middleware_chain(request)
        self._gate.learn(request, response)
        return response

    # -- who comes in now ------------------------------------------------------------------------------------

    def _at_the_gate(self, request: HttpRequest) -> HttpResponse | None:
        """Where no newcomer can be let in, the page that says so, as soon as that is known."""
        newcomers = self._places().newcomers
        if not newcomers.is_full(_share(request)) or _is_frame(request) or _is_in(_seat(request)):
            return None
        return self._send_away(request, waiting.FULL, newcomers.appointment)

    def _turn_away(self, path: str, languages: str, is_secure: bool) -> bytes | None:
        """The same on the doorstep, for a first look that no server has read."""
        newcomers = self._places().newcomers
        if not newcomers.is_full(LOOK):
            return None
        page = self._gate.send_away_as_bytes(path, languages, is_secure, newcomers.appointment)
        if page:
            metrics.SENT_AWAY.labels(waiting.FULL).inc()
        return page

    def _send_away(self, request: HttpRequest, why: str, seconds: Callable[[], float]) -> HttpResponse | None:
        response = self._gate.send_away(request, why, seconds)
        if response:
            metrics.SENT_AWAY.labels(why).inc()
        return response

    async def _admit(self, request: HttpRequest) -> HttpResponse:
        if again := request.scope.get(AGAIN):  # type: ignore[attr-defined]  # a stranger who was sent away
            return _wait(request, waiting.STAFF, again)
        seat = _seat(request)
        if _is_frame(request):
            return await self._get_response_async(request)  # the view asks the seat's allowance
        places = self._places()
        if not _is_in(seat):
            return await self._newcomer(request, places.newcomers)
        if not allowance.of(seat.token).take(allowance.PAGE_COST):
            return _wait(request, waiting.FAST, waiting.soon())
        return await self._judged(request, await self._page(request, places.seated))

    async def _newcomer(self, request: HttpRequest, places: Turnstile) -> HttpResponse:
        with guesses.looking(guesses.source_of(request)) as may_look:
            if not may_look:
                return _wait(request, waiting.GUESSES, waiting.soon())
            return await self._judged(request, await self._page(request, places))

    async def _judged(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """A code that leads nowhere is counted, and its answer takes a while where there were many."""
        if response.status_code != 404:
            return response
        source = guesses.source_of(request)
        await in_a_thread(guesses.was_wrong, source)
        if not (seconds := guesses.delay(source)):
            return response
        if self._delayed >= DELAYED_LIMIT:
            return _wait(request, waiting.GUESSES, waiting.soon())
        self._delayed += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._delayed -= 1
        return response

    async def _page(self, request: HttpRequest, places: Turnstile) -> HttpResponse:
        try:
            async with places.place(_share(request)):
                await way.give()  # votes first
                return await self._get_response_async(request)
        except Full as full:
            return _wait(request, waiting.FULL, full.seconds)

    def _places(self) -> Places:
        loop = asyncio.get_running_loop()
        if loop not in self._turnstiles:
            self._turnstiles.clear()
            self._turnstiles[loop] = Places()
            doorstep.keep(self._turn_away)
        return self._turnstiles[loop]


class Places:
    """Turnstiles for people who are in, for those who come, and for people without a session at the doors of staff.

    Newcomers never have more than a quarter of the threads: a second one lets in a quarter more people (they take turns
    at the interpreter) and costs those who are in twice the wait. Strangers never have more turns than half.
    """

    def __init__(self) -> None:
        at_once, queue = settings.PAGES_AT_ONCE, settings.PAGES_WAITING
        self.seated = Turnstile(at_once, queue, PATIENCE)
        self.newcomers = Turnstile(max(1, at_once // NEWCOMERS_PART), queue, PATIENCE)
        self.strangers = Turnstile(max(1, at_once // 2), queue, PATIENCE)


def _again(body: BytesIO, receive: Callable) -> Callable:
    """What was read already, then whatever comes after it."""
    waiting_to_be_told = [{"type": "http.request", "body": body.getvalue(), "more_body": False}]

    async def receive_again() -> dict[str, Any]:
        return waiting_to_be_told.pop() if waiting_to_be_told else await receive()

    return receive_again


def _is_for_phones(path: str) -> bool:
    return path == "/" or path.startswith("/w/")


def _has_session(scope) -> bool:
    wanted = f"{settings.SESSION_COOKIE_NAME}=".encode()
    return any(name == b"cookie" and wanted in value for name, value in scope["headers"])


def _seat(request: HttpRequest) -> Seat | None:
    return Seat.from_cookie(request.COOKIES.get(settings.SEAT_COOKIE_NAME))


def _is_in(seat: Seat | None) -> TypeGuard[Seat]:
    """Voters and observers alike; an observer's cookie from before they had a key is a newcomer's."""
    return seat is not None and bool(seat.token)


def _share(request: HttpRequest) -> float:
    """Of the queue."""
    return 1.0 if request.method == "POST" else LOOK


def _is_frame(request: HttpRequest) -> bool:
    is_vote = request.method == "POST" and request.path.endswith(("/vote/", "/group/"))
    return is_vote and request.content_type == "application/json"


def _wait(request: HttpRequest, why: str, seconds: float) -> HttpResponse:
    metrics.SENT_AWAY.labels(why).inc()
    return waiting.page(request, why, seconds)
