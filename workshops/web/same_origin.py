"""Forms of phones carry no token of their own: a browser says itself where a form comes from.

Cross-site request forgery: a page of another site has a browser send one of our forms. A token in each form (double
submit) stops it, and makes every page one person's: it could not be drawn once for a whole hall. So forms of people
without an account go by headers that browsers set and no script of a page can: `Sec-Fetch-Site` (every browser since
2023, over HTTPS), else `Origin` (on every POST since 2020), else `Referer`, which our own pages send to us
(SECURE_REFERRER_POLICY). A request that names another site, `null`, or nothing at all is refused; so is one from
another host of our own domain, which a token in a cookie would not notice. Behind that stands `SameSite=Lax` of the
seat cookie: a form of another site comes without it, so it could not act for a participant. Pages of staff keep
Django's tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import iscoroutinefunction
from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.urls import get_callable
from django.views.decorators.csrf import csrf_exempt

SAFE = ("GET", "HEAD", "OPTIONS")


def same_origin_only(view: Callable[..., Any]) -> Callable[..., Any]:
    """For views whose forms carry no token: what does not come from our own pages is answered with 403."""
    if iscoroutinefunction(view):

        @wraps(view)
        async def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return await view(request, *args, **kwargs) if is_ours(request) else _refused(request)
    else:

        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return view(request, *args, **kwargs) if is_ours(request) else _refused(request)

    return csrf_exempt(checked)


def is_ours(request: HttpRequest) -> bool:
    """Nothing is written, or a page of ours sent it. Django's test client is believed unless it enforces checks."""
    if request.method in SAFE or getattr(request, "_dont_enforce_csrf_checks", False):
        return True
    if site := request.headers.get("Sec-Fetch-Site"):
        return site in ("same-origin", "none")  # none: typed, or a reload of what was sent before
    origin = request.headers.get("Origin") or _origin_of(request.headers.get("Referer", ""))
    return origin in settings.CSRF_TRUSTED_ORIGINS or origin == _own_origin(request)


class SameOriginSockets:
    """ASGI middleware for websockets: scheme, host and port of `Origin` must be ours, as for forms. A browser always
    sends it, and a handshake carries the cookies whatever page opened it."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = {name: value.decode("latin1") for name, value in scope["headers"]}
        origin = headers.get(b"origin", "")
        if origin and origin in (*settings.CSRF_TRUSTED_ORIGINS, _socket_origin(scope, headers)):
            return await self.application(scope, receive, send)
        return await WebsocketDenier()(scope, receive, send)


def _socket_origin(scope: dict[str, Any], headers: dict[bytes, str]) -> str:
    """The origin of our page that would open this socket; empty for a host that is not ours."""
    host = headers.get(b"host", "")
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return ""
    forwarded = headers.get(b"x-forwarded-proto") if settings.SECURE_PROXY_SSL_HEADER else None
    is_secure = forwarded == "https" if forwarded else scope.get("scheme") == "wss"
    return f"{'https' if is_secure else 'http'}://{host}"


def _refused(request: HttpRequest) -> HttpResponse:
    return get_callable(settings.CSRF_FAILURE_VIEW)(request)


def _own_origin(request: HttpRequest) -> str | None:
    try:
        return f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return None


def _origin_of(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}"
