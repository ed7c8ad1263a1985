"""The throttle of code guesses: wrong codes are counted by the address they come from, with allauth's rate limiter.

A nursery is many people behind one address, so an address is never shut. Past the limit a wrong code is answered after
`WRONG_SECONDS`, and few lookups for such addresses are in work at a time; beyond that everybody there is told to come
again, whatever their code. A code that this process has seen to be right is not looked up, so it is never slowed. Who
guesses for a day with all the connections there are is told of 170,000 codes a process, of 850 million.

No address is kept anywhere: the limiter has the keyed hash that our adapter makes of it (`InvitedOnlyAdapter`), in the
cache alone, for ten minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from allauth.core.internal import ratelimit
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse

from .page_threads import in_a_thread
from .queue import AdmissionQueue
from .retry_later_page import GUESSES

WRONG_SECONDS = 10.0
SLOTS, ROOM = 20, 100  # of lookups for addresses past their limit


def new_queue() -> AdmissionQueue:
    return AdmissionQueue(GUESSES, SLOTS, ROOM)


async def throttled(
    request: HttpRequest, lookups: AdmissionQueue, look_up: Callable[[], Awaitable[HttpResponse]]
) -> HttpResponse:
    """The answer, which is 404 for a code that leads nowhere. Raises `QueueFull`."""
    if not await in_a_thread(is_past_limit, request):
        response = await look_up()
        if response.status_code == 404:
            await in_a_thread(is_past_limit, request, count=True)
        return response
    async with lookups.slot():
        response = await look_up()
        if response.status_code == 404:
            await asyncio.sleep(WRONG_SECONDS)
        return response


def is_past_limit(request: HttpRequest, *, count: bool = False) -> bool:
    """Were there too many wrong codes from this request's address in ten minutes? `count` adds one."""
    rates = {"wrong_code": f"{settings.CODE_FAILURES_LIMIT}/10m/ip"}
    try:
        left = ratelimit.consume(
            request, app="workshops", action="wrong_code", config=rates, dry_run=not count, limit_get=True
        )
    except (PermissionDenied, ImproperlyConfigured):  # a proxy that does not say where a request comes from
        return False
    return left is None
