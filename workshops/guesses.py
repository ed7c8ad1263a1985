"""Wrong codes, counted by where they come from. Only failures count: a right code costs nothing and never waits.

A nursery is many people behind one address, so an address is never shut. Past a tenth of the limit a wrong answer
takes a second; past the limit it takes ten, and of one source only a few are in work at a time: what is beyond is
told to come back, whatever its code. So a device that guesses holds up itself, a right code beside it gets in at
once, and who guesses for a whole day with all the connections there are sees one of 850 codes.

No address is kept anywhere: the count stands under a keyed hash of it, whose key changes every day, in the cache
alone, for ten minutes.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

WINDOW = 10 * 60  # seconds that failures are remembered
SLOW_SECONDS, BLOCK_SECONDS = (
    1.0,
    10.0,
)  # how long a wrong answer takes past a tenth of the limit, and past it
INSIDE_LIMIT = 20  # in work at a time, of a source past the limit; a browser has six
KEPT = 10_000  # sources that this process remembers


class _Source:
    """What this process knows of one source: its failures in all processes, and how many are in work here."""

    def __init__(self) -> None:
        self.failures, self.until, self.inside = 0, 0.0, 0


_sources: dict[str, _Source] = {}


def source_of(request: HttpRequest) -> str:
    """A name for where a request comes from that nobody can turn back and that is another one tomorrow."""
    try:
        address = get_adapter().get_client_ip(request)  # hashed already, see `accounts`
    except (PermissionDenied, ImproperlyConfigured):  # a proxy that does not say: all of it is one source
        address = "unknown"
    day = int(time.time() // 86400)
    return salted_hmac(f"workshops.guesses.{day}", address, algorithm="sha256").hexdigest()[:24]


@contextlib.contextmanager
def looking(source: str) -> Iterator[bool]:
    """Around looking at a code, its answer's delay included; false where this source has too many in work."""
    known = _known(source)
    if known is None or known.failures < settings.CODE_FAILURES_LIMIT:
        yield True
    elif known.inside >= INSIDE_LIMIT:
        yield False
    else:
        known.inside += 1
        try:
            yield True
        finally:
            known.inside -= 1


def delay(source: str) -> float:
    """Seconds until a wrong code from this source is answered."""
    known = _known(source)
    if known is None or known.failures < settings.CODE_FAILURES_LIMIT / 10:
        return 0.0
    return SLOW_SECONDS if known.failures < settings.CODE_FAILURES_LIMIT else BLOCK_SECONDS


def was_wrong(source: str) -> None:
    """Count a failure, for all processes that share a cache."""
    key = f"guesses:{source}"
    cache.add(key, 0, WINDOW)
    try:
        count = cache.incr(key)
    except ValueError:  # it ran out between these two lines
        count = 1
    _remember(source, count)


def _remember(source: str, count: int) -> None:
    if len(_sources) >= KEPT:
        now = time.monotonic()
        for old in [name for name, known in _sources.items() if known.until < now] or list(_sources)[
            : KEPT // 10
        ]:
            del _sources[old]
    known = _sources.setdefault(source, _Source())
    if not known.failures or known.until < time.monotonic():
        known.until = time.monotonic() + WINDOW
    known.failures = count


def _known(source: str) -> _Source | None:
    known = _sources.get(source)
    if known and known.until < time.monotonic():
        del _sources[source]
        return None
    return known
