"""Simulated phones: they join a running server by its pages and answer the polls that are launched, in human time."""

from __future__ import annotations

import asyncio
import contextlib
import http.cookiejar
import json
import random
import re
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter

import websockets
from websockets.typing import Origin

from polls.models import Poll
from polls.types import Question

from ..models import Workshop
from ..screens.queries import profile_items
from . import fake_answers, rehearsal

CONSENT = re.compile(r'name="consent" value="([^"]+)"')
STAGE = re.compile(r'data-state="(\w+)" data-poll="(\d*)"')
PING_SECONDS = 25.0  # as the phones' own script does
ARRIVE_SECONDS = 8.0  # phones join over this time, at pace 1
SILENT = 0.06  # share of phones that show a question and do not answer
SECOND_THOUGHTS = 0.08  # share of phones that change their answer


class SimulatedCrowd:
    """All simulated phones of one run, and the counts of their acknowledged and refused answers."""

    def __init__(
        self, workshop: Workshop, phones: int, *, base_url: str, pace: float, minutes: float, seed: int | None
    ) -> None:
        self.workshop, self.size = workshop, phones
        self.base = base_url.rstrip("/")
        self.pace = max(0.01, pace)
        self.ends_at = time.monotonic() + minutes * 60
        self.rng = random.Random(seed)
        self.ticket = rehearsal.new_pass(workshop)
        self.profile = [
            (poll.pk, poll.question)
            for item in profile_items(workshop)
            if (poll := item.required_poll).is_open
        ]
        self.questions: dict[int, Question] = {}
        self.counts: Counter[str] = Counter()
        self.acked: set[tuple[int, int]] = set()

    async def run(self, out) -> None:
        phones = [
            SimulatedPhone(self, number, random.Random(self.rng.random())) for number in range(self.size)
        ]
        tasks = [asyncio.create_task(phone.run()) for phone in phones]
        progress = asyncio.create_task(self._progress(out)) if out else None
        await asyncio.wait(tasks)
        for task in tasks:
            if task.exception():
                self.counts["failed"] += 1
                self.error = repr(task.exception())
        if progress:
            progress.cancel()

    async def _progress(self, out) -> None:
        while True:
            c = self.counts
            out.write(
                f"\r  {c['joined']} of {self.size} joined · {c['connected']} connected · "
                f"{c['acked']} answers saved, {c['waiting']} on their way, {c['refused']} refused   ",
                ending="",
            )
            out.flush()
            await asyncio.sleep(0.5)

    async def question(self, poll_id: int) -> Question:
        if poll_id not in self.questions:
            poll = await asyncio.to_thread(lambda: Poll.objects.select_related("version").get(pk=poll_id))
            self.questions[poll_id] = poll.question
        return self.questions[poll_id]

    def summary(self) -> dict:
        """Counts to compare with the database: every acknowledged ballot is a row there."""
        return {
            "phones": self.size, "joined": self.counts["joined"], "answers": self.counts["acked"],
            "ballots": len(self.acked), "refused": self.counts["refused"], "reconnects": self.counts["reconnects"],
            "failed": self.counts["failed"], **({"error": self.error} if hasattr(self, "error") else {}),
        }  # fmt: skip


class SimulatedPhone:
    """One simulated participant: joins by the pages, answers by the WebSocket."""

    def __init__(self, crowd: SimulatedCrowd, number: int, rng: random.Random) -> None:
        self.crowd, self.number, self.rng = crowd, number, rng
        self.seq = 0
        self.waiting: dict[str, tuple[int, asyncio.Future]] = {}
        self.asked: set[int] = set()
        self.thinking: set[asyncio.Task] = set()

    async def pause(self, low: float, high: float) -> None:
        await asyncio.sleep(self.rng.uniform(low, high) / self.crowd.pace)

    async def run(self) -> None:
        await self.pause(0, ARRIVE_SECONDS)
        code, ticket = self.crowd.workshop.code, self.crowd.ticket
        self.cookies = await asyncio.to_thread(join, self.crowd.base, code, ticket)
        self.crowd.counts["joined"] += 1
        failures = 0
        while time.monotonic() < self.crowd.ends_at and failures < 12:
            came = time.monotonic()
            try:
                await self._stay()
                return
            except (OSError, websockets.WebSocketException) as error:
                if _was_sent_away(error):
                    return
                # Exponential backoff; a connection that lasted resets it: only failures in a row make a phone give up.
                failures = 1 if time.monotonic() - came > PING_SECONDS else failures + 1
                self.crowd.counts["reconnects"] += 1
                await asyncio.sleep(self.rng.uniform(0, min(10, 0.5 * 2**failures)))

    # -- staying, over the websocket ----------------------------------------------------------------------

    async def _stay(self) -> None:
        address = self.crowd.base.replace("http", "ws", 1) + f"/live/phone/{self.crowd.workshop.code}/"
        cookie = "; ".join(f"{c.name}={c.value}" for c in self.cookies)
        async with websockets.connect(
            address, additional_headers={"Cookie": cookie}, origin=Origin(self.crowd.base), compression=None,
            open_timeout=30, ping_interval=None,
        ) as socket:  # fmt: skip
            self.socket = socket
            self.crowd.counts["connected"] += 1
            try:
                await self._say({"t": "hello", "seen": {}})
                self._think(self._answer_profile())
                self._think(self._keep_speaking())
                await self._listen()
            finally:
                self.crowd.counts["connected"] -= 1

    async def _listen(self) -> None:
        while time.monotonic() < self.crowd.ends_at:
            frame = json.loads(await self.socket.recv())
            if frame["t"] in ("ack", "nack"):
                self._settle(frame)
            elif frame["t"] == "screen" and frame["topic"] == "stage" and not self._look(frame["html"]):
                return

    def _look(self, html: str) -> bool:
        """Handle a stage fragment: answer a new poll. Returns False when the workshop has ended."""
        match = STAGE.search(html)
        state, poll = match.groups() if match else ("", "")
        if state == "ballot" and int(poll) not in self.asked:
            self.asked.add(int(poll))
            self._think(self._answer(int(poll)))
        return state != "ended"

    def _think(self, coroutine) -> None:
        task = asyncio.create_task(coroutine)
        self.thinking.add(task)
        task.add_done_callback(self.thinking.discard)

    async def _keep_speaking(self) -> None:
        """Heartbeat: the server closes a socket that sends nothing for a minute (idle timeout)."""
        socket = self.socket
        with contextlib.suppress(OSError, websockets.WebSocketException):
            while True:
                await asyncio.sleep(PING_SECONDS)
                await socket.send('{"t":"ping"}')

    async def _answer_profile(self) -> None:
        for poll, question in self.crowd.profile:
            if poll in self.asked:
                continue
            self.asked.add(poll)
            await self.pause(0.2, 1.5)
            if self.rng.random() < 0.93:
                await self._vote(poll, question)

    async def _answer(self, poll: int) -> None:
        await self.pause(0.1, 0.6)
        await self._say({"t": "shown", "poll": poll})
        question = await self.crowd.question(poll)
        await self.pause(1.5, 12)
        if self.rng.random() < SILENT:
            return
        await self._vote(poll, question)
        if self.rng.random() < SECOND_THOUGHTS:
            await self.pause(2, 6)
            await self._vote(poll, question)

    async def _vote(self, poll: int, question: Question) -> None:
        """Send one answer until it is acknowledged or refused; `op` is the idempotency key of the retries."""
        self.seq += 1
        op = secrets.token_hex(8)
        frame = {
            "t": "vote",
            "op": op,
            "poll": poll,
            "seq": self.seq,
            "fields": fake_answers.fields(question, self.rng),
        }
        self.crowd.counts["waiting"] += 1
        try:
            for _attempt in range(20):
                outcome = asyncio.get_running_loop().create_future()
                self.waiting[op] = (poll, outcome)
                with contextlib.suppress(OSError, websockets.WebSocketException, TimeoutError):
                    await self._say(frame)
                    if await asyncio.wait_for(outcome, 5):
                        return
                await asyncio.sleep(self.rng.uniform(0.2, 2))
        finally:
            self.waiting.pop(op, None)
            self.crowd.counts["waiting"] -= 1

    def _settle(self, frame: dict) -> None:
        poll, outcome = self.waiting.get(frame["op"], (0, None))
        if outcome is None or outcome.done():
            return
        if frame["t"] == "ack":
            self.crowd.counts["acked"] += 1
            self.crowd.acked.add((self.number, poll))
            outcome.set_result(True)
        elif frame["code"] in ("busy", "rate"):
            outcome.set_result(False)
        else:
            self.crowd.counts["refused"] += 1
            outcome.set_result(True)

    async def _say(self, data: dict) -> None:
        await self.socket.send(json.dumps(data))


def join(base: str, code: str, ticket: str) -> http.cookiejar.CookieJar:
    """Join by the pages, with consent to every item and without the profile; returns the cookies. `ticket` is a pass
    of a rehearsal (`rehearsal.new_pass`), or empty. Raises `OSError`."""
    cookies = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(rfc2965=False))
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))

    def fetch(path: str, fields: list[tuple[str, str]] | None = None) -> str:
        data = None if fields is None else urllib.parse.urlencode(fields).encode()
        headers = {"Referer": base + path, "X-Rehearsal": ticket}
        with opener.open(urllib.request.Request(base + path, data, headers), timeout=30) as answer:
            return answer.read().decode()

    page = fetch(f"/w/{code}/consent/")
    page = fetch(f"/w/{code}/consent/", [("consent", key) for key in CONSENT.findall(page)])
    if "/profile/" in page or 'name="skip"' in page:
        fetch(f"/w/{code}/profile/", [("skip", "1")])
    return cookies


def _was_sent_away(error: Exception) -> bool:
    """Was the socket closed with 4401? The rehearsal was cleared, so the token is invalid and phones must not retry."""
    closed = getattr(error, "rcvd", None)
    return closed is not None and closed.code == 4401
