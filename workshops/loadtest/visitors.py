"""Measuring a server that runs already: phones come in by its pages, as people do, and answer what is launched.

Nothing is prepared there and nothing launched: the facilitator does that. On this machine the server process is
weighed too, and where the workshop is in the database of this command, the phones are marked as a rehearsal and
their rows are counted. A server elsewhere is only measured if it is yours.
"""

from __future__ import annotations

import http.cookiejar
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import Error

from polls.models import Ballot

from .. import rehearsal
from ..models import Workshop
from ..seats import Seat
from . import servers, trial
from .children import Progress, child
from .servers import Server

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
DOORS = 8  # phones that come in at the same time
LAUNCH_SECONDS = 300.0
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
CONSENT = re.compile(r'name="consent" value="([^"]+)"')


class NotThere(Exception):
    """The server cannot be measured; the message says why."""


def run(
    base_url: str, code: str | None, phones: int, window: float, progress: Progress, *, owned: bool
) -> dict[str, Any]:
    """One run against a running server; the result as that of `trial.run`."""
    url = urllib.parse.urlsplit(base_url.rstrip("/"))
    here = url.hostname in LOOPBACK
    if not here and not owned:
        raise NotThere(f"{url.hostname} is another machine. If it is yours, add --i-own-this-server.")
    if not code:
        raise NotThere("--base-url needs --code: the workshop whose question the phones answer.")
    code = code.replace(" ", "").upper()
    workshop = _known(code) if here else None
    cookies = _come_in(url.geturl(), code, phones, workshop, progress)
    server = Server(servers.listening_on(url.port or 80) if here else 0, url.port or 80)
    with child("phones", dict(os.environ), progress) as crowd:
        crowd.ask("crowd", url=url.geturl(), code=code, choices=[])
        if workshop:
            crowd.ask("open_wall", key=workshop.wall_key)
        found = trial.measure(server, crowd, cookies, window, launch=lambda: None, patience=LAUNCH_SECONDS)
    result = {"server": "running", "label": "the server that runs", "window": window, **found}
    return trial.judged(result, {"rows": _rows(workshop, cookies) if workshop else None, "tally": None})


def _known(code: str) -> Workshop | None:
    """The workshop in this command's own database, if it is the server's too."""
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
    """Consent to everything on the page; the seat's cookie."""
    jar = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(rfc2965=False))
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    address = f"{base}/w/{code}/consent/"
    try:
        with opener.open(_request(address, ticket), timeout=30) as answer:
            page = answer.read().decode()
        fields = [("csrfmiddlewaretoken", token) for token in TOKEN.findall(page)[:1]]
        fields += [("consent", key) for key in CONSENT.findall(page)]
        opener.open(_request(address, ticket, urllib.parse.urlencode(fields).encode()), timeout=30).close()
    except urllib.error.HTTPError as error:
        error.close()
        raise NotThere(f"{address} answers {error.code}: is the workshop open?") from None
    except OSError:
        raise NotThere(f"{base} does not answer.") from None
    seats = [f"{cookie.name}={cookie.value}" for cookie in jar if cookie.name.endswith("seat")]
    if not seats:
        raise NotThere(f"{address} gave no seat: is the code right, and is the workshop open?")
    return seats[0]


def _request(address: str, ticket: str, data: bytes | None = None) -> urllib.request.Request:
    headers = {"Referer": address} | ({"X-Rehearsal": ticket} if ticket else {})
    return urllib.request.Request(address, data, headers)


def _rows(workshop: Workshop, cookies: list[str]) -> int:
    """Answers of these phones to what is on stage, in the database."""
    workshop.refresh_from_db()
    seats = [Seat.from_cookie(cookie.partition("=")[2].strip('"')) for cookie in cookies]
    mine = {seat.voter for seat in seats if seat}
    cast = Ballot.objects.filter(poll__agenda_item=workshop.stage_item_id, status=Ballot.Status.CAST)
    return len(mine & set(cast.values_list("voter", flat=True)))
