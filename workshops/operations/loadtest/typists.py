"""The load generator for groups: members who write, voters beside them, a facilitator's console and a wall.

`python -m workshops.operations.loadtest.typists`, with commands like `phones`. A note counts as visible when the pad of
another member shows it, once for each of them. The console's number of notes is compared with the number sent by then,
like votes on the wall.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

from . import figures, frames, notes, phones
from .notes import Marker
from .phones import HANDSHAKE_SECONDS, Crowd, Socket, Watch, now
from .talkers import Talker, Talkers, Voter

HELLO = b'{"t":"hello","seen":{}}'
# probability after a note of an agreement with another's, or of an edit of an own one
AGREES, EDITS = (0.3, 0.15)
SETTLE_SECONDS = 0.5


class Latecomer(Voter):
    """A voter who was assigned to a group late, and only reads there."""

    crowd: GroupsCrowd

    def read(self, payload: bytes) -> None:
        self.crowd.count_notes_of_other_groups(payload, self.group)
        super().read(payload)


class Member(Talker):
    """A member who writes notes, agrees with others' and edits own ones, and verifies every pad received."""

    crowd: GroupsCrowd

    def __init__(self, crowd: GroupsCrowd, request: bytes) -> None:
        super().__init__(crowd, request)
        self.number = next(crowd.numbers)
        self.sent = 0
        self.pad = notes.Pad({}, {}, 0, 0)
        #: own notes by number: id in the database, revision, and whether an edit is in flight
        self.own: dict[int, tuple[int, int, bool]] = {}
        self.agreed: set[int] = set()

    def read(self, payload: bytes) -> None:
        if payload.startswith(frames.PAD):
            self.look_at(self.crowd.pad_of(self.group, payload))
        else:
            self.crowd.count_notes_of_other_groups(payload, self.group)

    def look_at(self, pad: notes.Pad) -> None:
        self.crowd.pads += 1
        self.crowd.seen_elsewhere += pad.strayed
        self.crowd.seen_twice += pad.doubled
        for which in pad.wordings.keys() - self.pad.wordings.keys():
            if which[0] != self.number and which in self.crowd.written_at:
                self.crowd.visible.append(now() - self.crowd.written_at[which])
        self.pad = pad
        self.crowd.look()
        if self.group > 0 and not self.greeted.done():
            self.greeted.set_result(None)

    # -- actions of a person ------------------------------------------------------------------------------------

    def write(self) -> None:
        self.sent += 1
        word = Marker(self.group, self.number, self.sent, 0)
        self.crowd.written_at[word.which] = now()
        self.ask(word, t="note", group=self.group, text=notes.text(word))

    def edit(self) -> None:
        quiet = [number for number, (_note, _rev, changing) in self.own.items() if not changing]
        if not quiet:
            return
        number = self.crowd.rng.choice(quiet)
        note, rev, _ = self.own[number]
        self.own[number] = (note, rev, True)
        word = Marker(self.group, self.number, number, rev)
        self.ask(word, t="edit_note", note=note, rev=rev, text=notes.text(word))

    def agree(self) -> None:
        others = [
            note
            for note, which in self.pad.numbers.items()
            if which[0] != self.number and note not in self.agreed
        ]
        if others:
            note = self.crowd.rng.choice(others)
            self.agreed.add(note)
            self.ask(note, t="agree", note=note)

    def acknowledged(self, about: Any, seconds: float, answer: dict[str, Any]) -> None:
        self.crowd.acks.append(seconds)
        if isinstance(about, Marker):
            self.own[about.note] = (answer["note"], answer["rev"], False)
            self.crowd.acknowledge(about)
        else:
            self.crowd.agreed += 1


class Console(Socket):
    """The facilitator's console with one group's pad open: records `(time, number of notes)` of every fragment."""

    crowd: GroupsCrowd
    group = 0

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        super().__init__(crowd, request)
        self.totals: list[tuple[float, int]] = []
        self.greeted = crowd.loop.create_future()

    def open(self, group: int) -> None:
        self.group = group
        self.say(json.dumps({"t": "look", "group": group}).encode())

    def hear(self, payload: bytes) -> None:
        if payload.startswith(frames.BREAKOUTS):
            if (total := notes.counted(payload)) >= 0:
                self.totals.append((now(), total))
            if not self.greeted.done():
                self.greeted.set_result(None)
        if payload.startswith(frames.PAD):
            self.crowd.count_notes_of_other_groups(payload, self.group)


class Wall(Socket):
    """The wall, which must show no note: none has been moderated."""

    crowd: GroupsCrowd

    def hear(self, payload: bytes) -> None:
        self.crowd.count_notes_of_other_groups(payload, 0)


class GroupsCrowd(Talkers):
    """All groups of a run."""

    def __init__(self, url: str, code: str, choices: list[str]) -> None:
        super().__init__(url, code, choices)
        self.numbers = itertools.count(1)
        self.members: list[Member] = []
        self.acks: list[float] = []
        self.visible: list[float] = []
        self.written_at: dict[tuple[int, int], float] = {}
        self.wordings: dict[int, dict[tuple[int, int], int]] = {}  # by group: what was acknowledged last
        self.pads = self.agreed = self.seen_elsewhere = self.seen_twice = 0
        self._read: dict[int, tuple[bytes, notes.Pad]] = {}

    # -- callbacks of sockets ----------------------------------------------------------------------------------------

    def pad_of(self, group: int, payload: bytes) -> notes.Pad:
        """The parsed pad of a group, cached: all its members get the same bytes."""
        known = self._read.get(group)
        if known is None or known[0] != payload:
            known = self._read[group] = (payload, notes.pad(payload, group))
        return known[1]

    def count_notes_of_other_groups(self, payload: bytes, group: int) -> None:
        self.seen_elsewhere += sum(word.group != group for word in notes.words(payload))

    def acknowledge(self, word: Marker) -> None:
        here = self.wordings.setdefault(word.group, {})
        here[word.which] = max(word.wording, here.get(word.which, 0))

    # -- commands -----------------------------------------------------------------------------------

    async def come_in(self, members: list[str], voters: list[str], desk: str, wall: str) -> dict[str, Any]:
        """Connect everybody; wait until members see their pad, voters the question, the console the groups."""
        await self._by_many(self._open_member, iter(members), "members connected", len(members))
        await self._by_many(self._open_voter, iter(voters), "voters connected", len(voters))
        self.phones = [*self.members, *self.voters]  # type: ignore[list-item]  # they are kept awake alike
        await self._by_many(self._greet, iter(self.phones), "phones greeted", len(self.phones))
        self.desk = await self.connect(Console, f"/live/console/{self.code}/", desk)
        screen = await self.connect(Wall, f"/live/wall/{wall}/")
        for near in (self.desk, screen):
            near.say(HELLO)
        await asyncio.wait_for(self.desk.greeted, HANDSHAKE_SECONDS)
        self.desk.open(self.members[0].group)
        return {
            "joined": sum(phone.is_open and phone.greeted.done() for phone in self.phones),
            "groups": len({member.group for member in self.members}),
        }

    async def _open_member(self, cookie: str) -> None:
        self.members.append(await self.connect(Member, f"/live/phone/{self.code}/", cookie))

    async def _open_voter(self, cookie: str) -> None:
        self.voters.append(await self.connect(Latecomer, f"/live/phone/{self.code}/", cookie))

    async def talk(self, seconds: float, every: float, most: int, patience: float) -> dict[str, Any]:
        """Everybody writes a note `every` so many seconds, at most `most` each, while voters go on; then wait until
        every pad shows all acknowledged notes, for at most `patience` seconds."""
        self._begin()
        watch = Watch(self.loop)
        await asyncio.gather(self._write_for(seconds, every, most), self._cast_for(seconds))
        busy = watch.end()
        answered = await self._until_answered([*self.members, *self.voters])
        shown = await self.until(lambda: not self._behind(), patience) and answered
        return self._measured(watch) | {"client": busy, **self._found(), "all_shown": shown}

    def _begin(self) -> None:
        super()._begin()
        self.pads, self.acks = 0, []

    async def _write_for(self, seconds: float, every: float, most: int) -> None:
        begun, reported_at = now(), 0.0
        for moment, member in self._moments(seconds, every, most):
            await asyncio.sleep(max(0.0, begun + moment - now()))
            member.write()
            for chance, do in ((AGREES, member.agree), (EDITS, member.edit)):
                if self.rng.random() < chance:
                    self.loop.call_later(self.rng.uniform(0, every / 2), do)
            if now() - reported_at > 1.0:
                reported_at = now()
                phones.say({"progress": f"{len(self.written_at)} notes sent, {len(self.acks)} answers"})
        await asyncio.sleep(every / 2)  # until the delayed agreements and edits are sent

    def _moments(self, seconds: float, every: float, most: int) -> list[tuple[float, Member]]:
        """`(time, member)` of every note, in order of time, with random intervals."""
        found = []
        for member in self.members:
            moment, number = self.rng.uniform(0, every), 0
            while moment < seconds and number < most:
                found.append((moment, member))
                moment += every * self.rng.uniform(0.5, 1.5)
                number += 1
        return sorted(found, key=lambda each: each[0])

    # -- results ----------------------------------------------------------------------------------------------

    def _behind(self) -> int:
        """The number of members whose pad lacks an acknowledged note or wording."""
        return sum(member.pad.wordings != self.wordings.get(member.group, {}) for member in self.members)

    def _found(self) -> dict[str, Any]:
        acked = [
            [group, *which, wording]
            for group, here in self.wordings.items()
            for which, wording in here.items()
        ]
        # nothing without a picture of the console: that is told apart from late ones
        moments = sorted(self.written_at.values()) if self.desk.totals else []
        overview = figures.delays(moments, self.desk.totals, 0, now())
        return {
            "acked": acked,
            "sent": len(self.written_at),
            "agreed": self.agreed,
            "changed": sum(wording for *_which, wording in acked),
            "writes": len(self.acks),
            "ack": figures.spread(self.acks, 50, 95, 99),
            "visible": figures.spread(self.visible, 50, 99),
            "overview": figures.spread(overview, 50, 99),
            "pads": self.pads,
            "pads_behind": self._behind(),
            "seen_elsewhere": self.seen_elsewhere,
            "seen_twice": self.seen_twice,
            "refused": self.refusals,
            "connections_lost": self.lost,
        }


if __name__ == "__main__":
    phones.main(GroupsCrowd)
