"""The bytes of pictures in memory: a hall of phones asks for one within a second.

A picture is named by its hash, so what is kept never goes stale, and browsers may keep it for good.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict

from ..models import Picture

HEADERS = {
    "Content-Type": "image/webp",
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ADDRESS = re.compile(r"/pictures/([0-9a-f]{64})\.webp")
KEPT_BYTES = 32 * 2**20

_kept: OrderedDict[str, bytes] = OrderedDict()
_lock = threading.Lock()


def kept(sha256: str) -> bytes | None:
    """What is in memory; asks no database."""
    with _lock:
        if sha256 in _kept:
            _kept.move_to_end(sha256)
        return _kept.get(sha256)


def load(sha256: str) -> bytes | None:
    """From memory or with one query; `None` where there is no such picture."""
    found = kept(sha256)
    if found is not None:
        return found
    data = Picture.objects.filter(sha256=sha256).values_list("data", flat=True).first()
    if data is None:
        return None
    with _lock:
        _kept[sha256] = bytes(data)
        while sum(map(len, _kept.values())) > KEPT_BYTES:
            _kept.popitem(last=False)
    return bytes(data)
