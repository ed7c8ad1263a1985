"""A person's own paper on every screen of theirs.

An answer is acknowledged to the socket that sent it, and told to that person's other tabs of this process. But a tab
may be open on another process, and an answer that came by POST has no socket. So each process looks which papers
are newer than those it has given to its own screens: a second after something was cast here or elsewhere, and every
few seconds by itself where there are other processes, because nothing that matters rides on an announcement.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from ..people.participant_cookie import ParticipantToken
from ..screens import queries
from . import broker
from . import hub as hubs

log = logging.getLogger(__name__)

REST_SECONDS = 1.0  # between two looks at one workshop
#: from the moment that stands in a paper to the one when its commit lets us see it; also what clocks may differ
LATE = timedelta(seconds=10)


async def bring() -> None:
    """Runs for the life of a process."""
    looked = time.monotonic()
    while True:
        await asyncio.sleep(REST_SECONDS)
        by_itself = broker.hears_others() and time.monotonic() - looked >= settings.LIVE_POLL_SECONDS
        looked = time.monotonic() if by_itself else looked
        for hub in hubs.present():
            if by_itself or hub.was_cast:
                await _bring_to(hub)


async def _bring_to(hub: hubs.Hub) -> None:
    hub.was_cast = False
    try:
        await bring_to(hub)
    except Exception as error:  # the database, most likely: the next look must still come
        log.warning("could not look for new papers (%s)", type(error).__name__)
        hub.was_cast = True


async def bring_to(hub: hubs.Hub) -> None:
    """Give every screen of this hub those own papers that it has not been given yet."""
    now, since = timezone.now(), hub.papers_since
    if hub.online:
        await _give_what_was_cast(hub, min(since, now) - LATE)
    hub.papers_since = now  # not sooner: what could not be looked for must be found later


async def _give_what_was_cast(hub: hubs.Hub, since: datetime) -> None:
    cast = await hubs.read(queries.cast_since, hub.workshop_id, since)
    behind = {
        screen: None
        for voter, poll, seq in cast
        for screen in hub.screens_of(voter)
        if screen.is_behind(poll, seq)
    }
    for screen in behind:
        if papers := await hubs.read(queries.own_receipts, ParticipantToken(hub.workshop_id, screen.voter)):
            screen.send_ballots([queries.receipt_json(paper) for paper in papers])
