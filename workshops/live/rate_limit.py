"""How often somebody may speak: a bucket that all their sockets and posts share in this process.

It goes by a token: a seat's key, whether its owner votes or looks on, or who is signed in. A held key fits, a flood
does not. Who reconnects finds the bucket as it was left, so hanging up buys nothing, and nobody else's bucket is
touched. A bucket is a few numbers under its token; those that are full again are forgotten.
"""

from __future__ import annotations

import time
from weakref import WeakValueDictionary

PER_SECOND, AT_ONCE = 20.0, 60.0  # frames; a page costs more of them than a frame does
TOO_MANY = 600  # refused without a rest in between: from here on a socket is closed
PAGE_COST = 4.0  # five pages a second, fifteen at once
KEPT = 10_000  # buckets, before those that are full again are looked for


class TokenBucket:
    """`take` answers whether there is enough left; `excess` counts refusals since the bucket was last full."""

    def __init__(self) -> None:
        self._left, self._counted_at = AT_ONCE, time.monotonic()
        self.excess = 0

    def take(self, cost: float = 1.0) -> bool:
        self._refill()
        if self._left >= cost:
            self._left -= cost
            return True
        self.excess += 1
        return False

    def _refill(self) -> None:
        now = time.monotonic()
        self._left = min(AT_ONCE, self._left + (now - self._counted_at) * PER_SECOND)
        self._counted_at = now
        if self._left >= AT_ONCE:
            self.excess = 0

    @property
    def is_exhausted(self) -> bool:
        return self.excess > TOO_MANY

    @property
    def is_full(self) -> bool:
        self._refill()
        return self._left >= AT_ONCE


_kept: dict[str, TokenBucket] = {}
# a socket's, though it was forgotten as full
_held: WeakValueDictionary[str, TokenBucket] = WeakValueDictionary()


def of(token: str) -> TokenBucket:
    """The bucket of this token. A wall has none (its address is the room's, and one who knows it must not be able
    to silence the others): each has a bucket of its own, for the little that a wall says."""
    if not token:
        return TokenBucket()
    if token not in _kept:
        if len(_kept) >= KEPT:
            _forget_the_full()
        found = _held.get(token) or TokenBucket()
        _kept[token] = _held[token] = found
    return _kept[token]


def _forget_the_full() -> None:
    for token in [token for token, allowance in _kept.items() if allowance.is_full]:
        del _kept[token]
