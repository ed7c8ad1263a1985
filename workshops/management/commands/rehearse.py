"""Let a workshop be tried out: phones that are none join a running server and answer what is launched."""

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
from django.core.management.base import BaseCommand, CommandError

from polls.models import Poll
from polls.types import Question
from workshops import inventing, rehearsal
from workshops.models import Workshop
from workshops.queries import profile_items

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
CONSENT = re.compile(r'name="consent" value="([^"]+)"')
STAGE = re.compile(r'data-state="(\w+)" data-poll="(\d*)"')
PING_SECONDS = 25.0  # as the phones' own script does
ARRIVE_SECONDS = 8.0  # people come over this time, at pace 1
SILENT = 0.06  # share of people who see a question and do not answer
SECOND_THOUGHTS = 0.08  # share who change their answer


class Command(BaseCommand):
    help = "Join CODE on a running server as many phones and answer what is launched, in human time."

    def add_arguments(self, parser):
        parser.add_argument("code")
        parser.add_argument("--phones", type=int, default=23)
        parser.add_argument("--base-url", default="http://127.0.0.1:8000")
        parser.add_argument("--pace", type=float, default=1.0, help="2 is twice as fast as people are")
        parser.add_argument("--minutes", type=float, default=120, help="leave after this long at the latest")
        parser.add_argument("--seed", type=int, default=None, help="the same seed invents the same answers")
        parser.add_argument("--quiet", action="store_true")

    def handle(self, *args, code: str, phones: int, **options):
        workshop = Workshop.objects.filter(code=code.replace(" ", "").upper()).first()
        if workshop is None:
            raise CommandError(f"There is no workshop {code}.")
        if not workshop.is_running:
            status = workshop.get_status_display().lower()
            raise CommandError(f"Workshop {workshop.code} is {status}: open its doors first.")
        if not 1 <= phones <= 5000:
            raise CommandError("--phones: expected 1 to 5000.")
        crowd = Crowd(workshop, phones, options)
        try:
            asyncio.run(crowd.run(None if options["quiet"] else self.stdout))
        except KeyboardInterrupt:
            self.stdout.write("\nThe rehearsal phones have gone.")
        self.stdout.write(json.dumps(crowd.summary()))


class Crowd:
    """All rehearsal phones of one run, and what became of what they sent."""

    def __init__(self, workshop: Workshop, phones: int, options: dict) -> None:
        self.workshop, self.size = workshop, phones
        self.base = options["base_url"].rstrip("/")
        self.pace = max(0.01, options["pace"])
        self.ends_at = time.monotonic() + options["minutes"] * 60
        self.rng = random.Random(options["seed"])
        self.ticket = rehearsal.new_pass(workshop)
        self.profile = [
            (item.poll.pk, item.poll.question) for item in profile_items(workshop) if item.poll.is_open
        ]
        self.questions: dict[int, Question] = {}
        self.counts: Counter[str] = Counter()
        self.acked: set[tuple[int, int]] = set()

    async def run(self, out) -> None:
        phones = [Phone(self, number, random.Random(self.rng.random())) for number in range(self.size)]
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
        """What to compare with the database: every paper acknowledged is a row there."""
        return {
            "phones": self.size, "joined": self.counts["joined"], "answers": self.counts["acked"],
            "papers": len(self.acked), "refused": self.counts["refused"], "reconnects": self.counts["reconnects"],
            "failed": self.counts["failed"], **({"error": self.error} if hasattr(self, "error") else {}),
        }  # fmt: skip


class Phone:
    """One invented person: joins by the pages, answers by the websocket."""

    def __init__(self, crowd: Crowd, number: int, rng: random.Random) -> None:
        self.crowd, self.number, self.rng = crowd, number, rng
        self.cookies = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(rfc2965=False))
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.seq = 0
        self.waiting: dict[str, tuple[int, asyncio.Future]] = {}
        self.asked: set[int] = set()
        self.thinking: set[asyncio.Task] = set()

    async def pause(self, low: float, high: float) -> None:
        await asyncio.sleep(self.rng.uniform(low, high) / self.crowd.pace)

    async def run(self) -> None:
        await self.pause(0, ARRIVE_SECONDS)
        await asyncio.to_thread(self._join)
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
                # Whoever was in for a while starts afresh: only failures in a row make a phone give up.
                failures = 1 if time.monotonic() - came > PING_SECONDS else failures + 1
                self.crowd.counts["reconnects"] += 1
                await asyncio.sleep(self.rng.uniform(0, min(10, 0.5 * 2**failures)))

    # -- joining, over plain pages ---------------------------------------------------------------------

    def _fetch(self, path: str, fields: list[tuple[str, str]] | None = None) -> str:
        data = urllib.parse.urlencode(fields).encode() if fields is not None else None
        request = urllib.request.Request(self.crowd.base + path, data=data)
        request.add_header("Referer", self.crowd.base + path)
        request.add_header("X-Rehearsal", self.crowd.ticket)
        with self.opener.open(request, timeout=30) as answer:
            return answer.read().decode()

    def _join(self) -> None:
        path = f"/w/{self.crowd.workshop.code}/consent/"
        page = self._fetch(path)
        fields = [("csrfmiddlewaretoken", _token(page))] + [("consent", key) for key in CONSENT.findall(page)]
        page = self._fetch(path, fields)
        if "/profile/" not in page and 'name="skip"' not in page:
            return
        path = f"/w/{self.crowd.workshop.code}/profile/"
        page = self._fetch(path)
        self._fetch(path, [("csrfmiddlewaretoken", _token(page)), ("skip", "1")])

    # -- staying, over the websocket ----------------------------------------------------------------------

    async def _stay(self) -> None:
        address = self.crowd.base.replace("http", "ws", 1) + f"/live/phone/{self.crowd.workshop.code}/"
        cookie = "; ".join(f"{c.name}={c.value}" for c in self.cookies)
        async with websockets.connect(
            address, additional_headers={"Cookie": cookie}, origin=self.crowd.base, compression=None,
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
        """What is on stage; False when the workshop has ended."""
        found = STAGE.search(html)
        state, poll = found.groups() if found else ("", "")
        if state == "ballot" and int(poll) not in self.asked:
            self.asked.add(int(poll))
            self._think(self._answer(int(poll)))
        return state != "ended"

    def _think(self, coroutine) -> None:
        task = asyncio.create_task(coroutine)
        self.thinking.add(task)
        task.add_done_callback(self.thinking.discard)

    async def _keep_speaking(self) -> None:
        """A phone pings whatever it hears: who says nothing for a minute counts as gone."""
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
        """Send one answer until it is acknowledged or refused; the same `op` makes retries harmless."""
        self.seq += 1
        op = secrets.token_hex(8)
        frame = {
            "t": "vote",
            "op": op,
            "poll": poll,
            "seq": self.seq,
            "value": inventing.invent(question, self.rng),
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


def _was_sent_away(error: Exception) -> bool:
    """The seat is gone: the rehearsal was cleared, and nobody is to come back."""
    closed = getattr(error, "rcvd", None)
    return closed is not None and closed.code == 4401


def _token(page: str) -> str:
    found = TOKEN.search(page)
    if found is None:
        raise CommandError("The server's page has no form token: is this the right address?")
    return found.group(1)
