"""What browsers send, made readable in one place, before any view or socket sees it.

Text that cannot be stored (NUL, lone surrogates) or that shows something other than it says (control characters,
overrides of the direction of writing) loses those characters, as people's own words do (`polls.types.texts.readable`).
An address with such characters leads nowhere. A form that cannot be taken apart is answered in one sentence. A cookie
that cannot be read is none, so that a browser which carries one is not shut out.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, QueryDict, UnreadablePostError, parse_cookie
from django.http.multipartparser import MultiPartParserError
from django.utils.deprecation import MiddlewareMixin

from polls.types.texts import readable

from .views import errors

#: digits of a number that every database can look up
DIGITS = 15
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class ReadableInput(MiddlewareMixin):
    """Django middleware, in the lists of staff and of phones alike: address, query and form. It only computes."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        path = request.path_info
        # Of a join code only letters and numbers are read; what leads nowhere is answered with the box for another.
        if readable(path) != path and not path.startswith("/w/"):
            raise Http404
        try:
            _require_utf8(request)
            request.GET = _readable_fields(request.GET)
            if request.method == "POST":
                request.POST = _readable_fields(request.POST)
        except RequestDataTooBig:
            return errors.too_large(request)
        except (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError):
            return errors.unreadable(request)
        return None


def _require_utf8(request: HttpRequest) -> None:
    """A form may name another encoding: some of them are none of text, others can write what UTF-8 cannot."""
    if request.encoding and codecs.lookup(request.encoding).name != "utf-8":
        raise BadRequest


def _readable_fields(fields: Any) -> Any:
    if all(readable(text) == text for name, values in fields.lists() for text in (name, *values)):
        return fields
    made = QueryDict(mutable=True)
    for name, values in fields.lists():
        made.setlist(readable(name), [readable(value) for value in values])
    made._mutable = False
    return made


class ReadableHeaders:
    """ASGI middleware for pages and sockets: headers with control characters are left out, and of cookies those whose
    value cannot be read."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        if "headers" in scope:
            scope = scope | {"headers": _readable_headers(scope["headers"])}
        return await self.application(scope, receive, send)


def _readable_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [
        (name, _readable_cookies(value) if name == b"cookie" else value)
        for name, value in headers
        if name == b"cookie" or not _CONTROL.search(value)
    ]


def _readable_cookies(header: bytes) -> bytes:
    return b";".join(cookie for cookie in header.split(b";") if _is_readable(cookie))


def _is_readable(cookie: bytes) -> bool:
    """Also as Django reads it: a value in quotation marks can write any character by its number."""
    written = cookie.decode("latin-1")
    if written.isascii() and written.isprintable() and "\\" not in written:
        return True
    return all(readable(text) == text for text in (written, *parse_cookie(written).values()))


def read_number(text: str) -> int:
    """A row's number in an address or a form; 0 for everything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS else 0
