"""The write batcher: gathered writes, an acknowledgement only after the commit, nothing lost when the database balks."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest
from asgiref.sync import sync_to_async
from django.db import IntegrityError, InterfaceError, OperationalError, connection, connections, transaction

from polls.ballot_box import Receipt
from polls.models import Ballot
from workshops.actions import facilitation, participation
from workshops.live import engine, write_batcher
from workshops.live.write_batcher import Busy, WriteBatcher

from ... import factories
from ...patience import PATIENCE, eventually, idle


async def within(awaitable):
    return await asyncio.wait_for(awaitable, PATIENCE)


class Writer:
    """A stand-in for the ballot box: records batches, fails as told, waits while `gate` is shut."""

    def __init__(self, *troubles):
        self.begun, self.batches, self.troubles = 0, [], list(troubles)
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, items):
        self.begun += 1
        assert self.gate.wait(PATIENCE)
        self.batches.append(list(items))
        if self.troubles and (trouble := self.troubles.pop(0)):
            raise trouble
        if "bad" in items:
            raise IntegrityError("this one is bad")
        return [f"stored {item}" for item in items]


async def closing(made: WriteBatcher):
    await sync_to_async(connections.close_all)()  # of the thread that looked for rows
    made._task.cancel()
    made._writer.shutdown(wait=True)


@pytest.fixture
async def writer():
    return Writer()


@pytest.fixture
async def box(writer):
    made = WriteBatcher(writer)
    yield made
    writer.gate.set()
    await closing(made)


async def test_a_lone_item_is_written_at_once_and_answered(box, writer):
    assert await within(box.submit("a")) == "stored a"
    assert writer.batches == [["a"]]


async def test_nothing_is_answered_before_its_write_has_ended(box, writer):
    writer.gate.clear()
    answer = asyncio.ensure_future(box.submit("a"))
    await eventually(lambda: writer.begun)
    await idle()
    assert not answer.done()
    writer.gate.set()
    assert await within(answer) == "stored a"


async def test_what_arrives_during_a_write_becomes_one_batch_in_its_order(box, writer):
    writer.gate.clear()
    first = asyncio.ensure_future(box.submit(0))
    await eventually(lambda: writer.begun)
    rest = [asyncio.ensure_future(box.submit(n)) for n in range(1, 101)]
    await eventually(lambda: box.waiting == 100)
    writer.gate.set()
    assert await within(asyncio.gather(first, *rest)) == [f"stored {n}" for n in range(101)]
    assert writer.batches == [[0], list(range(1, 101))]


async def test_a_batch_is_never_larger_than_its_limit(box, writer, settings):
    settings.LIVE_BATCH_LIMIT = 10
    await within(asyncio.gather(*[box.submit(n) for n in range(25)]))
    assert [len(batch) for batch in writer.batches] == [10, 10, 5]


async def test_a_bad_item_harms_no_other_of_its_batch(box, writer):
    asked = [box.submit(item) for item in ["x", "y", "bad", "z"]]
    answers = await within(asyncio.gather(*asked, return_exceptions=True))
    assert writer.batches == [["x", "y", "bad", "z"], ["x"], ["y"], ["bad"], ["z"]]
    assert [answers[0], answers[1], type(answers[2]), answers[3]] == [
        "stored x",
        "stored y",
        Busy,
        "stored z",
    ]


@pytest.mark.parametrize("trouble", [OperationalError("locked"), InterfaceError("closed")])
async def test_where_the_database_takes_nothing_all_are_busy_and_the_next_are_written(trouble):
    writer = Writer(trouble)
    box = WriteBatcher(writer)
    answers = await within(asyncio.gather(*[box.submit(n) for n in range(3)], return_exceptions=True))
    assert [type(answer) for answer in answers] == [Busy] * 3
    assert len(writer.batches) == 1, "a database that is locked is not asked again for each item"
    assert await within(box.submit("later")) == "stored later"
    await closing(box)


async def test_a_full_queue_says_busy_at_once(box, writer, settings):
    settings.LIVE_QUEUE_LIMIT = 2
    writer.gate.clear()
    kept = [asyncio.ensure_future(box.submit(0))]
    await eventually(lambda: writer.begun)
    kept += [asyncio.ensure_future(box.submit(n)) for n in (1, 2)]
    await eventually(lambda: box.waiting == 2)
    with pytest.raises(Busy) as refused:
        await within(box.submit(3))
    assert refused.value.retry_after == 1.0
    writer.gate.set()
    assert await within(asyncio.gather(*kept)) == ["stored 0", "stored 1", "stored 2"]


async def test_stopping_writes_what_waits_and_takes_nothing_more(box, writer):
    writer.gate.clear()
    waiting = [asyncio.ensure_future(box.submit(0))]
    await eventually(lambda: writer.begun)
    waiting += [asyncio.ensure_future(box.submit(n)) for n in (1, 2)]
    await eventually(lambda: box.waiting == 2)
    stopping = asyncio.ensure_future(box.stop())
    await eventually(lambda: not box.open)
    with pytest.raises(Busy):
        await within(box.submit("late"))
    writer.gate.set()
    await within(stopping)
    assert await within(asyncio.gather(*waiting)) == ["stored 0", "stored 1", "stored 2"]


async def test_a_phone_that_goes_away_loses_nothing_and_stops_nobody(box, writer):
    writer.gate.clear()
    gone = asyncio.ensure_future(box.submit("gone"))
    stays = asyncio.ensure_future(box.submit("stays"))
    await eventually(lambda: writer.begun)
    gone.cancel()
    writer.gate.set()
    assert await within(stays) == "stored stays"
    assert [item for batch in writer.batches for item in batch] == ["gone", "stays"]


def test_a_new_event_loop_gets_an_intake_of_its_own():
    """Even where the new loop has the memory address of the old one, as it often has."""

    async def write_one():
        write_batcher.get()._write = lambda items: items
        return await within(write_batcher.get().submit("a"))

    for _ in range(5):
        assert asyncio.run(write_one()) == "a"
        gc.collect()


# --- with the real ballot box ------------------------------------------------------------------------------------


@pytest.fixture
def asked(transactional_db):
    workshop = factories.workshop()
    poll = factories.launched(workshop)
    return workshop, poll, [factories.participant(workshop) for _ in range(20)]


@pytest.fixture
async def real():
    made = WriteBatcher(participation.write)
    yield made
    await asyncio.get_running_loop().run_in_executor(made._writer, lambda: connection.close())
    await closing(made)


def answer(who, poll, value="yes", op="", seq=1):
    return participation.Vote(who.workshop_id, who.voter, poll.pk, value, op, seq)


async def test_when_the_receipt_arrives_another_connection_sees_the_row(asked, real):
    _workshop, poll, voters = asked

    def seen(voter):  # runs in this thread's own connection, not the writer's
        return list(Ballot.objects.filter(poll=poll, voter=voter).values_list("value", flat=True))

    for who in voters[:5]:
        receipt = await within(real.submit(answer(who, poll)))
        assert isinstance(receipt, Receipt)
        assert await sync_to_async(seen)(who.voter) == ["yes"]


async def test_votes_in_the_same_instant_are_all_stored_and_acknowledged(asked, real):
    _workshop, poll, voters = asked
    receipts = await within(asyncio.gather(*[real.submit(answer(who, poll)) for who in voters]))
    assert {type(receipt) for receipt in receipts} == {Receipt}
    assert await Ballot.objects.filter(poll=poll, status="cast").acount() == len(voters)


async def test_a_commit_that_fails_acknowledges_nothing_and_stores_nothing(asked):
    _workshop, poll, voters = asked

    def write_but_fail_to_commit(items):
        with transaction.atomic():
            participation.write(items)
            raise OperationalError("disk full")

    box = WriteBatcher(write_but_fail_to_commit)
    answers = await within(
        asyncio.gather(*[box.submit(answer(who, poll)) for who in voters[:3]], return_exceptions=True)
    )
    assert [type(outcome) for outcome in answers] == [Busy] * 3
    assert await Ballot.objects.filter(poll=poll).acount() == 0
    await asyncio.get_running_loop().run_in_executor(box._writer, lambda: connection.close())
    await closing(box)


async def test_looking_for_countdowns_survives_whatever_goes_wrong(monkeypatch, caplog):
    monkeypatch.setattr(facilitation, "close_what_is_due", lambda: 1 / 0)
    monkeypatch.setattr(facilitation, "is_something_due", lambda: 1 / 0)
    assert not await engine._is_something_due()
    await asyncio.to_thread(engine._do_what_is_due)
    assert "could not look for countdowns (ZeroDivisionError)" in caplog.text
    assert "could not close what is due (ZeroDivisionError)" in caplog.text
