"""The pages of joining, drawn once and cached as bytes: they are the same for everybody of a workshop and a language.

Cached are the welcome and the information sheet, as Django answered a visitor without a seat, and two pages as a
newcomer sees them: the questions about people's work, and the stage. Nobody's answer, place or key is on them: the
seat comes as a cookie with the answer to the consent form, own ballots and places come over the socket. What must
differ from copy to copy (the form's idempotency key, the nonce of the content policy, the server's time) is put in as
a copy leaves (`Copies`).

A page is kept for `doorway.FRESH_SECONDS` and forgotten with every change on a stage. Everything else, and whoever
has a paper or a place already, is drawn by the views.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language_from_request

from workshops.people.participant_cookie import ParticipantToken

from .doorway import Doorway, Kept

#: what was drawn, and what stands there in the next copy
Copies = Mapping[str, Callable[[ParticipantToken | None], str]]
ADDRESS = re.compile(r"/w/([0-9A-Za-z]{1,12})/(consent/|profile/)?")


#: pages as a newcomer sees them, by kind: their address, with a place for the code, and what draws them
ADDRESSES: dict[str, str] = {}
VIEWS: dict[str, Callable[[HttpRequest, Doorway], HttpResponse]] = {}


def register(kind: str, address: str, view: Callable[[HttpRequest, Doorway], HttpResponse]) -> None:
    ADDRESSES[kind], VIEWS[kind] = address, view


def as_shared(response: HttpResponse, copies: Copies | None = None) -> HttpResponse:
    """Mark a view's page, with the cookies that it has by now, as the same for everybody who asks like this request."""
    response.shared = copies or {}, set(response.cookies)  # type: ignore[attr-defined]
    return response


class SharedPage(NamedTuple):
    headers: list[tuple[bytes, bytes]]
    body: bytes
    copies: dict[bytes, Callable[[ParticipantToken | None], str]]
    nonce: bytes  # as it was drawn; empty where the page needs none

    @classmethod
    def of(cls, request: HttpRequest, response: HttpResponse) -> SharedPage | None:
        """The page in this response; `None` where it is marked as nobody's but this request's, or went wrong."""
        copies, cookies = getattr(response, "shared", (None, set()))
        if copies is None or response.status_code != 200 or set(response.cookies) != cookies:
            return None
        headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
        headers += [(b"Set-Cookie", c.output(header="").strip().encode()) for c in response.cookies.values()]
        nonce = getattr(request, "_csp_nonce", None) or ""
        return cls(
            headers, response.content, {drawn.encode(): new for drawn, new in copies.items()}, nonce.encode()
        )

    def copy(self, seat: ParticipantToken | None, nonce: str) -> bytes:
        """The body for one person."""
        body = self.body.replace(self.nonce, nonce.encode()) if self.nonce else self.body
        for drawn, new in self.copies.items():
            body = body.replace(drawn, new(seat).encode())
        return body

    async def send(
        self, send: Callable[..., Awaitable[None]], seat: ParticipantToken | None, *, is_head: bool
    ) -> None:
        nonce = base64.b64encode(secrets.token_bytes(16)).decode() if self.nonce else ""
        body, headers = self.copy(seat, nonce), self.headers
        if self.nonce:
            headers = [(name, value.replace(self.nonce, nonce.encode())) for name, value in headers]
        length = str(len(body)).encode()
        headers = [(name, length if name == b"Content-Length" else value) for name, value in headers]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if is_head else body})


class SharedPages:
    """Those of this process: by who looks (`kind`), address, host, scheme and language."""

    def __init__(self) -> None:
        self._kept: Kept[SharedPage | None] = Kept()

    async def get(
        self, kind: str, scope: dict[str, Any], path: str, draw: Callable[[], Awaitable[SharedPage | None]]
    ) -> SharedPage | None:
        return await self._kept.get((kind, path, *_reader_of(scope)), draw)


def _reader_of(scope: dict[str, Any]) -> tuple[str, ...]:
    """Host, scheme and language that a page is drawn for."""
    headers = dict(scope["headers"])
    says_https = settings.SECURE_PROXY_SSL_HEADER and headers.get(b"x-forwarded-proto", b"").decode("latin-1")
    host = headers.get(b"host", b"").decode("latin-1")
    return (
        host,
        says_https or scope["scheme"],
        _language(headers.get(b"accept-language", b"").decode("latin-1")),
    )


@lru_cache(maxsize=1000)
def _language(accepted: str) -> str:
    """As the middleware finds it, so that a hundred wishes for English are one page."""
    request = HttpRequest()
    request.META["HTTP_ACCEPT_LANGUAGE"] = accepted
    return get_language_from_request(request)
