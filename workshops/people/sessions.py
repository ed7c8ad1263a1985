"""The sessions of somebody who signs in: which browser, since when, last used.

All of it stands in the session itself and goes with it. No address and no user agent: of the latter only the names of
the browser and of the system are kept, where they are among those below.

Django ends a session that was not saved for `SESSION_COOKIE_AGE`; `touch` saves it while it is used, and no longer
than `SESSION_LONGEST_AGE` after signing in.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from .rights import is_signed_in

SINCE, SEEN, BROWSER, SYSTEM = "since", "seen", "browser", "system"  # keys in a session's data
SEEN_EVERY = 300  # seconds between two notes that it is used

#: (part of a user agent, name); the first that is found counts
BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox|FxiOS", "Firefox"),
    ("Chrome|CriOS", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Macintosh", "Mac"), ("Linux", "Linux"),
)  # fmt: skip


@dataclass(frozen=True)
class SignedIn:
    """One session as its person sees it."""

    #: names it in a form: a keyed hash, for the key itself would let somebody in
    name: str
    browser: str
    since: datetime
    seen: datetime
    is_this: bool
    row: Session


@receiver(user_logged_in, dispatch_uid="sessions.begun")
def _begun(request: HttpRequest, **_said: Any) -> None:
    now, said = int(time.time()), request.META.get("HTTP_USER_AGENT", "")
    known = {SINCE: now, SEEN: now, BROWSER: _named(said, BROWSERS), SYSTEM: _named(said, SYSTEMS)}
    request.session.update(known)


def _named(user_agent: str, names: tuple[tuple[str, str], ...]) -> str:
    return next((name for part, name in names if re.search(part, user_agent)), "")


def touch(session: SessionBase) -> None:
    """It is used: said once in a while, so that it goes on, up to its longest age."""
    now = int(time.time())
    if 0 <= now - session.get(SEEN, 0) < SEEN_EVERY:
        return
    left = session.setdefault(SINCE, now) + settings.SESSION_LONGEST_AGE - now
    if left <= 0:
        session.flush()
        return
    session[SEEN] = now
    session.set_expiry(min(settings.SESSION_COOKIE_AGE, left))


def of(user: User, this_key: str | None = None) -> list[SignedIn]:
    """Where this person is signed in, the session with `this_key` first, then the one that was used last."""
    found = [_shown(row, data, this_key) for row, data in _rows(user)]
    return sorted(found, key=lambda one: (one.is_this, one.seen), reverse=True)


def _rows(user: User) -> Iterator[tuple[Session, dict[str, Any]]]:
    model = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class()
    for row in model.objects.filter(expire_date__gt=timezone.now()).iterator():
        data = row.get_decoded()
        if is_signed_in(user, data):
            yield row, data


def _shown(row: Session, data: dict[str, Any], this_key: str | None) -> SignedIn:
    since, seen = (datetime.fromtimestamp(data.get(key, 0), UTC) for key in (SINCE, SEEN))
    return SignedIn(
        name=salted_hmac("workshops.people.sessions", row.session_key).hexdigest(),
        browser=_in_words(data.get(BROWSER, ""), data.get(SYSTEM, "")),
        since=since, seen=seen, is_this=row.session_key == this_key, row=row,
    )  # fmt: skip


def _in_words(browser: str, system: str) -> str:
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("A browser that we do not know")
