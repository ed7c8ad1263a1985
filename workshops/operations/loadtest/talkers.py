"""Sockets that send commands and wait for the acknowledgement: shared by the clients of several scenarios."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

from . import figures, frames
from .phones import HANDSHAKE_SECONDS, Crowd, Socket, Watch, now

VOTE_EVERY = 2.0  # seconds between two answers of one voter, each a change of the last


class Talker(Socket):
    """A phone that sends commands, each with an idempotency key, and matches acks to them."""

    crowd: Talkers

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        super().__init__(crowd, request)
        self.greeted = crowd.loop.create_future()
        self.group = 0
        self.waiting: dict[str, tuple[float, bytes, Any]] = {}

    def ask(self, about: Any, **frame: Any) -> None:
        """Send a command; `about` is passed to `acknowledged` with its answer."""
        op = secrets.token_hex(8)
        payload = json.dumps(frame | {"op": op}).encode()
        self.waiting[op] = (now(), payload, about)
        self.say(payload)

    def hear(self, payload: bytes) -> None:
        if payload.startswith(frames.ACK):
            answer = json.loads(payload)
            if asked := self.waiting.pop(answer["op"], None):
                self.acknowledged(asked[2], now() - asked[0], answer)
            self.crowd.look()
        elif payload.startswith(frames.NACK):
            self._refused(json.loads(payload))
        elif payload.startswith(frames.PLACE):
            self.group = json.loads(payload)["group"]
        self.read(payload)

    def _refused(self, answer: dict[str, Any]) -> None:
        """Retry after a nack with code busy or rate, as a phone does; any other is final."""
        code = answer.get("code", "")
        self.crowd.refusals[code] = self.crowd.refusals.get(code, 0) + 1
        if code in figures.TRIED_AGAIN and answer["op"] in self.waiting:
            wait = answer.get("retry_after", 1.0) * self.crowd.rng.uniform(1, 1.5)
            self.crowd.loop.call_later(wait, self.say, self.waiting[answer["op"]][1])
        else:
            self.waiting.pop(answer.get("op", ""), None)

    def acknowledged(self, about: Any, seconds: float, answer: dict[str, Any]) -> None:
        raise NotImplementedError

    def read(self, payload: bytes) -> None:
        """Handle a frame that is no answer to a command."""
        raise NotImplementedError


class Voter(Talker):
    """A phone that answers the poll on stage repeatedly."""

    ballot = seq = 0

    def read(self, payload: bytes) -> None:
        if payload.startswith(frames.STAGE):
            self.ballot = frames.ballot_on_stage(payload)
            if self.ballot and not self.greeted.done():
                self.greeted.set_result(None)

    def vote(self) -> None:
        self.seq += 1
        self.ask(None, t="vote", poll=self.ballot, seq=self.seq, fields=self.crowd.fields())

    def acknowledged(self, about: Any, seconds: float, answer: dict[str, Any]) -> None:
        self.crowd.vote_acks.append(seconds)


class Talkers(Crowd):
    """The voters of a run, and the times until their acknowledgements."""

    def __init__(self, url: str, code: str, choices: list[str]) -> None:
        super().__init__(url, code, choices)
        self.voters: list[Voter] = []
        self.vote_acks: list[float] = []

    async def _open_voter(self, cookie: str) -> None:
        self.voters.append(await self.connect(Voter, f"/live/phone/{self.code}/", cookie))

    async def vote_alone(self, seconds: float) -> dict[str, Any]:
        """Voting without other load. Everybody votes once before the measurement, so that the turnout is constant."""
        await self._cast_for(VOTE_EVERY)
        await self._until_answered(self.voters)
        self._begin()
        watch = Watch(self.loop)
        await self._cast_for(seconds)
        await self._until_answered(self.voters)
        return self._measured(watch)

    async def _cast_for(self, seconds: float) -> None:
        """Voters in turn, each about every `VOTE_EVERY` seconds."""
        begun, number = now(), 0
        while self.voters and (moment := number * VOTE_EVERY / len(self.voters)) < seconds:
            await asyncio.sleep(max(0.0, begun + moment - now()))
            self.voters[number % len(self.voters)].vote()
            number += 1

    async def _until_answered(self, talkers: list[Any]) -> bool:
        return await self.until(lambda: not any(talker.waiting for talker in talkers), HANDSHAKE_SECONDS)

    def _begin(self) -> None:
        self.messages, self.vote_acks = 0, []

    def _measured(self, watch: Watch) -> dict[str, Any]:
        return {
            "seconds": round(now() - watch.begun, 3),
            "messages": self.messages,
            "votes": len(self.vote_acks),
            "vote_ack": figures.spread(self.vote_acks, 50, 95, 99),
            "client": watch.end(),
        }
