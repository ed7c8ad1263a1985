"""Measure a server that runs already: phones join by its pages, as people do, and answer the poll that is launched.

A facilitator prepares and launches the poll there. On this machine the CPU and memory of the server process are
measured too, and where the workshop is in the database of this command, the phones are marked as a rehearsal and their
rows are counted. A server on another machine is only measured if it is yours.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import Error

from polls.models import Ballot

from ...models import Workshop
from ...people.participant_cookie import ParticipantToken
from .. import rehearsal, rehearsal_phones
from . import servers, trial
from .children import Progress, child
from .servers import Server

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
DOORS = 8  # phones that join concurrently
LAUNCH_SECONDS = 300.0


class NotThere(Exception):
    """The server cannot be measured; the message says why."""


def run(
    base_url: str, code: str | None, phones: int, window: float, progress: Progress, *, owned: bool
) -> dict[str, Any]:
    """One run against a running server; the result has the shape of `trial.run`. Raises `NotThere`."""
    url = urllib.parse.urlsplit(base_url.rstrip("/"))
    is_local = url.hostname in LOOPBACK
    if not is_local and not owned:
        raise NotThere(f"{url.hostname} is another machine. If it is yours, add --i-own-this-server.")
    if not code:
        raise NotThere("--base-url needs --code: the workshop whose question the phones answer.")
    code = code.replace(" ", "").upper()
    workshop = _known(code) if is_local else None
    cookies = _come_in(url.geturl(), code, phones, workshop, progress)
    server = Server(servers.listening_on(url.port or 80) if is_local else 0, url.port or 80)
    with child("phones", dict(os.environ), progress) as crowd:
        crowd.ask("crowd", url=url.geturl(), code=code, choices=[])
        if workshop:
            crowd.ask("open_wall", key=workshop.wall_key)
        measured = trial.measure(server, crowd, cookies, window, launch=lambda: None, patience=LAUNCH_SECONDS)
    result = {"server": "running", "label": "the server that runs", "window": window, **measured}
    return trial.judged(result, {"rows": _rows(workshop, cookies) if workshop else None, "tally": None})


def _known(code: str) -> Workshop | None:
    """The workshop with this code in this command's own database, if it is there."""
    try:
        return Workshop.objects.filter(code=code).first()
    except Error:
        return None


def _come_in(base: str, code: str, phones: int, workshop: Workshop | None, progress: Progress) -> list[str]:
    ticket = rehearsal.new_pass(workshop) if workshop else ""
    cookies: list[str] = []
    with ThreadPoolExecutor(DOORS) as doors:
        for cookie in doors.map(lambda _number: _join(base, code, ticket), range(phones)):
            cookies.append(cookie)
            if len(cookies) % 50 == 0:
                progress(f"{len(cookies)} of {phones} phones have come in")
    return cookies


def _join(base: str, code: str, ticket: str) -> str:
    """Join by the pages; returns the participant cookie."""
    address = f"{base}/w/{code}/consent/"
    try:
        jar = rehearsal_phones.join(base, code, ticket)
    except urllib.error.HTTPError as error:
        error.close()
        raise NotThere(f"{address} answers {error.code}: is the workshop open?") from None
    except OSError:
        raise NotThere(f"{base} does not answer.") from None
    tokens = [f"{cookie.name}={cookie.value}" for cookie in jar if cookie.name.endswith("participant")]
    if not tokens:
        raise NotThere(f"{address} gave no participant cookie: is the code right, and is the workshop open?")
    return tokens[0]


def _rows(workshop: Workshop, cookies: list[str]) -> int:
    """The number of these phones with a ballot for the poll on stage, in the database."""
    workshop.refresh_from_db()
    tokens = [ParticipantToken.from_cookie(cookie.partition("=")[2].strip('"')) for cookie in cookies]
    voters = {token.voter for token in tokens if token}
    cast = Ballot.objects.filter(poll__agenda_item=workshop.stage_item_id, status=Ballot.Status.CAST)
    return len(voters & set(cast.values_list("voter", flat=True)))
