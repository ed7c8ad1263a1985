"""The gate before the turnstile: in a flood of newcomers most are sent away, and here this costs as little as it can.

While a crowd comes, the page that asks people to wait is nearly all that a process does, and people who are in wait
for every millisecond of it. So it is made before any middleware has run. Its headers are those that the middlewares
gave to such a page before; what they would refuse comes to the long way, now or when it tries again: nothing is done
here but to hand back what was sent.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from math import ceil
from typing import NamedTuple

from django.core.exceptions import BadRequest, DisallowedHost, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils import translation

from .. import waiting

KINDS_KEPT = 200  # of the languages that browsers ask for
OWN = ("Retry-After", "Content-Length")  # of one page alone


class Kept(NamedTuple):
    """What the middlewares gave to such a page: its language, its headers, and these as they are sent."""

    language: str
    headers: dict[str, str]
    head: bytes


class Gate:
    """`send_away` answers like the last such page that was told to `learn`; `None` where there was none like it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, bool], Kept] = {}

    def learn(self, request: HttpRequest, response: HttpResponse) -> None:
        """Keep the headers of a page that waits, as it leaves the middlewares."""
        is_waiting = (
            response.status_code == waiting.STATUS[waiting.FULL] and "Retry-After" in response.headers
        )
        is_for_one = bool(response.cookies) or "nonce-" in response.headers.get("Content-Security-Policy", "")
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if is_waiting and is_page and not is_for_one:
            if len(self._kept) >= KINDS_KEPT:
                self._kept.pop(next(iter(self._kept)))  # the oldest: odd languages must not keep others out
            headers = {name: value for name, value in response.headers.items() if name not in OWN}
            self._kept[_kind(request)] = Kept(
                response.headers.get("Content-Language", ""), headers, _as_sent(response.status_code, headers)
            )

    def send_away(self, request: HttpRequest, why: str, seconds: Callable[[], float]) -> HttpResponse | None:
        kept = self._kept.get(_kind(request))
        if not kept or not kept.language or not _is_from_here(request):
            return None
        try:
            with translation.override(kept.language):
                response = waiting.page(request, why, seconds())
        except (BadRequest, MultiPartParserError, SuspiciousOperation):
            return None  # a form that cannot be read; the long way knows what to answer
        for name, value in kept.headers.items():
            response.headers.setdefault(name, value)
        response.headers["Content-Length"] = str(len(response.content))
        return response

    def send_away_as_bytes(
        self, path: str, languages: str, is_secure: bool, seconds: Callable[[], float]
    ) -> bytes | None:
        """The same for a first look at `path`, as a whole answer after which the connection is closed."""
        kept = self._kept.get((languages, is_secure))
        if not kept or not kept.language:
            return None
        wait = seconds()
        body = waiting.text(waiting.FULL, kept.language, "get", path, "", wait).encode()
        own = (
            f"Date: {formatdate(usegmt=True)}\r\nRetry-After: {ceil(wait)}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        return kept.head + own.encode() + body


def _as_sent(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{k}: {v}" for k, v in headers.items())]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


def _kind(request: HttpRequest) -> tuple[str, bool]:
    return request.META.get("HTTP_ACCEPT_LANGUAGE", ""), request.is_secure()


def _is_from_here(request: HttpRequest) -> bool:
    """Our own address, and no form of another site."""
    try:
        here = f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return False
    return request.META.get("HTTP_ORIGIN", here) == here
