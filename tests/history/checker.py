"""Which promises a history breaks, in plain sentences. Pure: a list of events in, a list of sentences out.

The database is looked at again and again while the history runs (`audit`: all ballots and polls of one moment,
read past the product's own code), and a last time when everything is quiet. Each promise is judged at each look.

What is uncertain never counts against the product: a vote without an answer may be stored or not, a gesture without
an answer may have happened at any time since it was made.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Any

from . import groups, notes
from .record import FAIL, INFO, INVOKE, OK, SAW, Event

Promises = Sequence[Callable[[Any], Iterator[str]]]
Place = tuple[int, str]  # a poll and a voter: where one ballot can be

OPENING = {"launch", "reopen"}  # gestures after which a poll may be open
CLOSING = {"close", "launch"}  # gestures after which what was on stage is closed
LISTED = 8  # sentences of one promise at most: the first ones tell the story


@dataclass(slots=True)
class Vote:
    """One answer of one voter, however often it was sent."""

    op: str
    seq: int
    value: Any
    sent_at: float
    acked_at: float | None = None
    receipts: list[dict[str, Any]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """The database of one moment between `since` and `until`."""

    since: float
    until: float
    ballots: list[dict[str, Any]]
    polls: dict[int, dict[str, Any]]
    stage: list[Any]  # the poll on stage, 0 for none, and what the stage shows: joining, ballot or closed

    def cast(self) -> Iterator[dict[str, Any]]:
        return (row for row in self.ballots if row["revision"])


@dataclass(frozen=True, slots=True)
class Gesture:
    """A facilitator's gesture: made at `since`, surely done at `until`; `inf` if nobody knows."""

    do: str
    poll: int
    item: int
    since: float
    until: float


def check(events: list[Event]) -> list[str]:
    """Every promise that this history breaks; an empty list is what everybody hopes for."""
    about_groups = _broken(notes.ALWAYS + notes.IN_THE_END, groups.Story(events))
    return _broken(ALWAYS + IN_THE_END, Story(events)) + about_groups


def check_so_far(events: list[Event]) -> list[str]:
    """The same for a history that is still going on: only promises that hold at any time."""
    return _broken(ALWAYS, Story(events)) + _broken(notes.ALWAYS, groups.Story(events))


def _broken(promises: Promises, story: Any) -> list[str]:
    return [sentence for promise in promises for sentence in islice(promise(story), LISTED)]


class Story:
    """A history in the shape that promises ask for."""

    def __init__(self, events: list[Event]) -> None:
        self.votes: dict[Place, dict[str, Vote]] = defaultdict(dict)
        self.gestures: list[Gesture] = []
        self.looks: list[Look] = []
        self.screens: list[Event] = []
        self.last_screens: dict[str, Event] = {}
        begun: dict[str, Event] = {}
        for event in sorted(events, key=lambda event: event.at):
            if event.do == "vote":
                self._vote(event)
            elif event.do == "screen":
                self.screens.append(event)
                self.last_screens[event.who] = event
            elif event.do in (*groups.DEEDS, "words"):
                continue  # `notes` reads these
            elif event.kind == INVOKE:
                begun[event.op] = event
            elif event.op in begun:
                self._end(begun.pop(event.op), event)
        for event in begun.values():
            self._end(event, None)

    def _vote(self, event: Event) -> None:
        place = (event.poll, event.who)
        if event.kind == INVOKE:
            self.votes[place].setdefault(event.op, Vote(event.op, event.seq, event.value, event.at))
            return
        vote = self.votes[place].get(event.op)
        if vote is None:  # an answer to what nobody sent: kept, so that the promises can say so
            vote = self.votes[place][event.op] = Vote(event.op, event.seq, None, event.at)
        if event.kind == OK:
            vote.acked_at = event.at if vote.acked_at is None else vote.acked_at
            vote.receipts.append(event.more)
        elif event.kind == FAIL:
            vote.refused.add(event.code)
        vote.answered = vote.answered or event.kind != INFO

    def _end(self, begun: Event, ended: Event | None) -> None:
        if begun.do == "audit":
            if ended and ended.kind == OK:
                polls = {int(poll): state for poll, state in ended.more["polls"].items()}
                self.looks.append(Look(begun.at, ended.at, ended.more["ballots"], polls, ended.more["stage"]))
        elif ended is None or ended.kind != FAIL:
            until = ended.at if ended and ended.kind == OK else float("inf")
            item = begun.more.get("item", 0)
            self.gestures.append(Gesture(begun.do, begun.poll, item, begun.at, until))

    def acked(self, place: Place, before: float) -> list[Vote]:
        """Votes of this voter that were acknowledged before this moment."""
        known = self.votes.get(place, {}).values()
        return [vote for vote in known if vote.acked_at is not None and vote.acked_at < before]

    def last_closing(self, poll: int, before: float) -> Gesture | None:
        """The last gesture that closed this poll and was answered before this moment."""
        closed = [
            gesture
            for gesture in self.gestures
            if gesture.poll == poll and gesture.do in CLOSING and gesture.until < before
        ]
        return max(closed, key=lambda gesture: gesture.since, default=None)

    def may_have_opened(self, poll: int, since: float, until: float) -> bool:
        """Could anybody have opened this poll in between?"""
        return any(
            gesture.do in OPENING
            and poll == (gesture.item if gesture.do == "launch" else gesture.poll)
            and gesture.since < until
            and gesture.until > since
            for gesture in self.gestures
        )


# --- the promises -------------------------------------------------------------------------------------------


def no_acknowledged_vote_is_lost(story: Story) -> Iterator[str]:
    """The stored answer is the acknowledged one with the highest `seq`, or a later one of the same voter."""
    told: set[Place] = set()
    for look in story.looks:
        stored = {(row["poll"], row["voter"]): row for row in look.cast()}
        for place in story.votes.keys() - told:
            acked = story.acked(place, look.since)
            if not acked:
                continue
            best = max(acked, key=lambda vote: vote.seq)
            if sentence := _lost(place, best, stored.get(place), look):
                told.add(place)
                yield sentence


def _lost(place: Place, best: Vote, row: dict[str, Any] | None, look: Look) -> str:
    which = f"{_who(place)}: answer {best.op} (seq {best.seq}) was acknowledged at {best.acked_at:.3f} s"
    if row is None:
        return f"{which} and is not stored at {look.until:.3f} s."
    is_it = row["op"] == best.op and row["value"] == best.value
    if is_it or (row["op"] != best.op and row["seq"] > best.seq):
        return ""
    return f"{which}, but at {look.until:.3f} s what is stored is {_row(row)}."


def every_ballot_was_cast(story: Story) -> Iterator[str]:
    """Every stored value was sent by its voter, for this poll, and not refused as invalid; each counts once."""
    told: set[Place] = set()
    for look in story.looks:
        for row in look.cast():
            place = (row["poll"], row["voter"])
            if place not in told and (why := _phantom(row, story.votes.get(place, {}), look)):
                told.add(place)
                yield f"{_who(place)}: stored at {look.until:.3f} s is {_row(row)}, {why}."


def _phantom(row: dict[str, Any], votes: dict[str, Vote], look: Look) -> str:
    vote = votes.get(row["op"])
    if vote is None or vote.sent_at > look.until:
        return "which nobody had sent"
    if (vote.seq, vote.value) != (row["seq"], row["value"]):
        return f"but sent was {vote.value!r} (seq {vote.seq})"
    if "invalid" in vote.refused:
        return "which had been refused as invalid"
    if row["revision"] > len(votes):
        return f"changed {row['revision']} times by {len(votes)} answers: one had two effects"
    return ""


def one_ballot_per_voter(story: Story) -> Iterator[str]:
    told: set[Place] = set()
    for look in story.looks:
        rows = Counter((row["poll"], row["voter"]) for row in look.ballots)
        for place, number in rows.items():
            if number > 1 and place not in told:
                told.add(place)
                yield f"{_who(place)}: {number} ballots at {look.until:.3f} s."


def a_frozen_result_is_the_recount(story: Story) -> Iterator[str]:
    told: set[int] = set()
    for look in story.looks:
        for poll, state in look.polls.items():
            if poll not in told and (why := _not_the_recount(poll, state, look)):
                told.add(poll)
                yield f"Poll {poll} at {look.until:.3f} s: {why}."


def _not_the_recount(poll: int, state: dict[str, Any], look: Look) -> str:
    if state["state"] != "closed":
        return "it is not closed and has a frozen result" if state["result"] else ""
    if state["result"] is None:
        return "it is closed and has no frozen result"
    counted = _recount(look, poll)
    frozen = {key: people for key, people in state["result"]["tally"]["counts"].items() if people}
    issued, cast = state["result"]["counts"]["issued"], state["result"]["counts"]["cast"]
    if frozen != counted or cast != sum(counted.values()):
        return f"its frozen result is {frozen} of {cast}, its ballots are {counted}"
    rows = sum(row["poll"] == poll for row in look.ballots)
    return f"{issued} papers issued are frozen, {rows} are there" if issued != rows else ""


def _recount(look: Look, poll: int) -> dict[str, int]:
    return dict(Counter(row["value"] for row in look.cast() if row["poll"] == poll))


def closed_is_closed(story: Story) -> Iterator[str]:
    """Nothing that was sent after the close is acknowledged, and nothing stored changes while it stays closed."""
    for (poll, voter), votes in story.votes.items():
        for vote in votes.values():
            closing = story.last_closing(poll, before=vote.sent_at) if vote.acked_at is not None else None
            if closing and not story.may_have_opened(poll, closing.since, vote.acked_at or 0.0):
                yield (
                    f"{_who((poll, voter))}: closed at {closing.until:.3f} s, answer {vote.op} sent at "
                    f"{vote.sent_at:.3f} s, acknowledged at {vote.acked_at:.3f} s."
                )


def what_is_closed_does_not_change(story: Story) -> Iterator[str]:
    for earlier, later in pairwise(story.looks):
        for poll, state in earlier.polls.items():
            both = state["state"] == later.polls[poll]["state"] == "closed"
            if not both or story.may_have_opened(poll, earlier.since, later.until):
                continue
            before, after = _ballots_of(earlier, poll), _ballots_of(later, poll)
            for voter in sorted(before.keys() | after.keys()):
                if before.get(voter) != after.get(voter):
                    yield (
                        f"{_who((poll, voter))}: changed while closed, between {earlier.until:.3f} s and "
                        f"{later.until:.3f} s: {before.get(voter)} → {after.get(voter)}."
                    )


def _ballots_of(look: Look, poll: int) -> dict[str, tuple[Any, ...]]:
    rows = (row for row in look.ballots if row["poll"] == poll)
    return {row["voter"]: (row["op"], row["seq"], row["value"], row["revision"]) for row in rows}


def a_close_that_was_answered_is_one(story: Story) -> Iterator[str]:
    """A facilitator who was told "closed" finds it closed, until somebody may have opened it again."""
    for look in story.looks:
        for poll, state in look.polls.items():
            closing = story.last_closing(poll, before=look.since) if state["state"] == "open" else None
            if closing and not story.may_have_opened(poll, closing.since, look.until):
                yield f"Poll {poll}: closed at {closing.until:.3f} s, open at {look.until:.3f} s."


def the_same_operation_has_the_same_receipt(story: Story) -> Iterator[str]:
    for place, votes in story.votes.items():
        for vote in votes.values():
            first = vote.receipts[0] if vote.receipts else None
            if other := next((receipt for receipt in vote.receipts if receipt != first), None):
                yield f"{_who(place)}: answer {vote.op} had the receipts {first} and {other}."
            elif first and (first["seq"], first["value"]) != (vote.seq, vote.value):
                yield f"{_who(place)}: answer {vote.op} ({vote.value!r}, seq {vote.seq}) had the receipt {first}."


def every_vote_is_answered(story: Story) -> Iterator[str]:
    """When all is quiet nobody still waits. What a phone itself gave up for a newer answer needs none."""
    for event in story.last_screens.values():
        for op in event.more.get("outbox", []):
            yield f"{event.who}: answer {op} was never stored nor refused, though everything was well again."


def screens_say_what_is_stored(story: Story) -> Iterator[str]:
    """After quiet, every screen shows the stage and counts of the database, and everybody their own stored paper."""
    if not story.looks:
        yield "The database was never looked at."
        return
    last = story.looks[-1]
    for who, event in sorted(story.last_screens.items()):
        if event.at > last.since:
            yield from _differences(who, event.more, last)


def _differences(who: str, shown: dict[str, Any], look: Look) -> Iterator[str]:
    poll = look.stage[0]
    if shown["stage"] != look.stage:
        yield f"{who} shows the stage {shown['stage']}; it is {look.stage}."
        return
    if shown["cast"] is not None and shown["cast"] != (cast := sum(_recount(look, poll).values())):
        yield f"{who} shows {shown['cast']} answers to poll {poll}; {cast} are stored."
    if shown["counts"] is not None and shown["counts"] != (counted := _recount(look, poll)):
        yield f"{who} shows the result {shown['counts']} of poll {poll}; stored is {counted}."
    if shown["papers"] is None:
        return
    stored = {
        row["poll"]: [row["seq"], row["value"]] for row in look.cast() if row["voter"] == shown["voter"]
    }
    papers = {int(number): list(paper) for number, paper in shown["papers"].items()}
    for number in sorted(stored.keys() | papers.keys()):
        if papers.get(number) != stored.get(number):
            yield (
                f"{who} shows as their own answer to poll {number} {papers.get(number)}; "
                f"stored is {stored.get(number)}."
            )


def screens_show_no_phantoms(story: Story) -> Iterator[str]:
    """No screen ever says that more people have answered than have sent an answer that was stored in the end."""
    if not story.looks:
        return
    stored = {(row["poll"], row["voter"]) for row in story.looks[-1].cast()}
    sent: dict[int, list[float]] = defaultdict(list)
    for (poll, voter), votes in story.votes.items():
        if (poll, voter) in stored:
            sent[poll].append(min(vote.sent_at for vote in votes.values()))
    for event in story.screens:
        # A picture of the tally does not name its poll: the fullest one is the bound that always holds.
        most = max((sum(at <= event.at for at in times) for times in sent.values()), default=0)
        if event.kind == SAW and (event.more["cast"] or 0) > most:
            yield (
                f"{event.who} said at {event.at:.3f} s that {event.more['cast']} had answered; at most {most} "
                "answers that were stored had been sent to any poll."
            )


ALWAYS: Promises = (
    no_acknowledged_vote_is_lost,
    every_ballot_was_cast,
    one_ballot_per_voter,
    a_frozen_result_is_the_recount,
    closed_is_closed,
    what_is_closed_does_not_change,
    a_close_that_was_answered_is_one,
    the_same_operation_has_the_same_receipt,
)
IN_THE_END: Promises = (
    every_vote_is_answered,
    screens_say_what_is_stored,
    screens_show_no_phantoms,
)


def _who(place: Place) -> str:
    return f"Poll {place[0]}, voter {place[1][:8]}"


def _row(row: dict[str, Any]) -> str:
    return f"{row['value']!r} (answer {row['op']}, seq {row['seq']})"
