"""What the network does to people, and what must happen then: real clients, a real server, bad weather between them.

`chaos` makes the weather; what only the phone's page can show is in `tests/browser/test_faults.py`. Where another
test proved a fault before, it is named here and not repeated. `pytest -m fault` runs all that carry a number,
`tests/faults/test_coverage.py` holds that every number of the promise has one.

| fault | here | in the browser | elsewhere |
|---|---|---|---|
| F01 network gone after the tap | sent again | the page's words, with and without being told | test_workshop |
| F02 acknowledgement lost | same answer to the same operation | saved without a tap | test_ballot_box, test_socket |
| F03 half open, asleep | the server lets go, the phone comes back | the page lets go and comes back | test_socket |
| F04 double tap, key held | | real keys and taps | test_ballot_box, test_socket |
| F05 A, B, A in another order | messages shuffled on their way | | test_ballot_box (every order) |
| F06 two tabs | within two seconds, in bad weather | | test_workshop, test_socket |
| F12 slow consumer | the others' acknowledgements | | test_hub (closed after ten seconds) |
| F17 client clock a day off | | countdown and close | |
| F19 facilitator's socket drops | poll, second console, countdown | another desk | test_promises, test_facilitation |
| F20 two press at once | two requests at once | a desk behind the times is told | test_facilitation |
| F21 after the close | 1 ms to 10 s | | test_ballot_box, test_races |
| F22 replayed after reopening | the very bytes again | | test_ballot_box |
| F23 another workshop's poll | the very bytes, both doors | | test_socket, test_promises |
| F32 back, refresh, private mode, cookies off | | all of them | test_workshop (back, refresh) |
"""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from polls.lifecycle import Reveal
from polls.models import Ballot, Poll
from polls.types.base import Option, Question
from workshops import screens
from workshops.actions import facilitation
from workshops.models import Workshop
from workshops.signals.topics import Audience, Topic

from .. import factories, network_faults
from ..browser.server import Server, Standing, start_server
from ..browser.sign_in import session_of
from ..patience import PATIENCE, until
from ..socket_screens import Screen, console_on, cookie_of, phone_on

STORED = {"status": "cast", "fields": {"choice": ["yes"]}, "marks": ["yes"], "said": "Yes"}

pytestmark = pytest.mark.outage
fault = pytest.mark.fault


@pytest.fixture
def serve(transactional_db, tmp_path) -> Iterator[Callable[..., Server]]:
    """Start a server; it ends with the test and logged no error."""
    servers: list[Server] = []

    def start(**options: str) -> Server:
        servers.append(start_server(tmp_path, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
    assert [server.errors for server in servers if server.errors] == []


@pytest.fixture(scope="module")
def standing(tmp_path_factory) -> Iterator[Standing]:
    """The server that these tests share."""
    standing = Standing(tmp_path_factory.mktemp("site"))
    yield standing
    standing.end()


@pytest.fixture
def site(transactional_db, standing) -> Iterator[Server]:
    server = standing.begin()
    yield server
    standing.finish()
    assert server.errors == ""


@pytest.fixture
def net(site) -> Iterator[network_faults.Remote]:
    """The bad network before this test's server; `site` itself is the good one."""
    with network_faults.between("127.0.0.1", site.port, seed=7) as made:
        yield made


@pytest.fixture
def asked(transactional_db):
    workshop = factories.workshop()
    return workshop, factories.launched(workshop), factories.participant(workshop)


def vote(poll: Poll, value="yes", op="op1", seq=1) -> dict:
    return {"t": "vote", "op": op, "poll": poll.pk, "seq": seq, "fields": {"choice": [value]}}


def ballots(poll: Poll) -> list[tuple]:
    return list(poll.ballots.order_by("pk").values_list("value", "seq", "revision"))


def greeted(screen: Screen) -> Screen:
    """Connected, known, and with a first picture of the stage."""
    screen.until(lambda one: "stage" in one.html)
    return screen


# --- F01, F02: the tap and its acknowledgement ----------------------------------------------------------------


@fault("F01")
@pytest.mark.parametrize("still_open", [True, False])
def test_an_answer_that_never_left_the_phone_is_stored_on_return_or_refused_with_a_reason(
    net, asked, still_open
):
    workshop, poll, who = asked
    with phone_on(net, workshop, who) as phone:
        greeted(phone)
        net.hold(network_faults.UP)
        phone.say(vote(poll))
        net.cut()
    assert ballots(poll) == []
    if not still_open:
        facilitation.close(workshop.pk, None)
    net.release(network_faults.UP)
    net.mend()
    with phone_on(net, workshop, who) as phone:
        answer = phone.vote(poll)
    if still_open:
        assert (answer["t"], answer["rev"]) == ("ack", 1)
        assert ballots(poll) == [("yes", 1, 1)]
    else:
        assert (answer["t"], answer["code"]) == ("nack", "closed")
        assert answer["message"]
        assert ballots(poll) == []


@fault("F02")
def test_a_lost_acknowledgement_is_the_same_for_the_same_operation_and_there_is_one_ballot(net, asked):
    workshop, poll, who = asked
    with phone_on(net, workshop, who) as phone:
        greeted(phone)
        net.hold(network_faults.DOWN)
        phone.say(vote(poll))
        until(lambda: ballots(poll) == [("yes", 1, 1)])
        net.cut()
    net.release(network_faults.DOWN)
    net.mend()
    answers = []
    for _ in range(2):
        with phone_on(net, workshop, who) as phone:
            answers.append(phone.vote(poll))
    assert (
        answers[0] == answers[1] == {"t": "ack", "op": "op1", "rev": 1, "poll": poll.pk, "seq": 1, **STORED}
    )
    assert ballots(poll) == [("yes", 1, 1)]


# --- F03: half open ---------------------------------------------------------------------------------------------


@fault("F03")
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
def test_a_phone_that_fell_silent_is_let_go_and_catches_up_when_it_is_back(serve, asked, kind):
    workshop, poll, who = asked
    site = serve(server=kind, LIVE_IDLE_SECONDS="4", LIVE_POLL_SECONDS="0.5")  # by default 60 and 3
    staff = session_of(factories.staff(workshop.programme))
    with (
        network_faults.between("127.0.0.1", site.port) as net,
        console_on(site, workshop, staff) as console,
        phone_on(net, workshop, who) as phone,
    ):
        greeted(phone)
        pinging([console, phone], lambda: connected(console) == 1)
        net.half_open()
        phone.say(vote(poll))  # into the void
        pinging([console], lambda: connected(console) == 0)
        until(lambda: net.do(lambda proxy: proxy.ended["down"]) == 1)  # Uvicorn waits for a goodbye
        facilitation.close(workshop.pk, None)
        with phone_on(net, workshop, who) as again:
            assert again.vote(poll)["code"] == "closed"
            again.until(lambda one: 'data-state="closed"' in one.html.get("stage", ""))
        phone.wire.socket.close()  # no goodbye can be said any more
    # What is promised is a minute; the same count of seconds, as it is delivered, is not more.
    assert settings.LIVE_IDLE_SECONDS <= 60
    assert ballots(poll) == []


def connected(console: Screen) -> int:
    found = re.search(r"Connected now</dt><dd>(\d+)", console.html.get("room", ""))
    return int(found.group(1)) if found else -1


def pinging(pinged: list[Screen], is_so: Callable[[], bool]) -> None:
    """Wait as living screens do: they say something now and then."""

    def is_so_after_a_ping() -> bool:
        time.sleep(0.1)  # who says more than twenty things a second is sent away
        for screen in pinged:
            known = len(screen.heard)
            screen.say({"t": "ping"})
            screen.until(lambda one, known=known: {"t": "pong"} in one.heard[known:])
        return is_so()

    until(is_so_after_a_ping)


# --- F05, F06: order, and two tabs -------------------------------------------------------------------------------


@fault("F05")
def test_of_answers_that_arrive_in_another_order_the_last_one_given_is_counted_once(net, asked):
    workshop, poll, _who = asked
    people = [factories.participant(workshop) for _ in range(8)]
    given = ["yes", "no", "yes"]
    for number, who in enumerate(people):
        with phone_on(net, workshop, who) as phone:
            greeted(phone)
            net.reorder_frames(3, PATIENCE)
            last = "no" if number % 2 else "yes"  # half of them change their mind once more
            for seq, value in enumerate([*given[:2], last], start=1):
                phone.say(vote(poll, value, f"{number}-{seq}", seq))
            answers = [next_answer(phone) for _ in given]
            net.reorder_frames(0)
            assert {answer["op"]: answer["t"] for answer in answers}[f"{number}-3"] == "ack"
            assert all(answer["t"] == "ack" or answer["code"] == "stale" for answer in answers)
    shuffled = net.do(lambda proxy: proxy.shuffled)
    print("orders in which three answers arrived:", shuffled)
    assert len(shuffled) == 8
    assert len({tuple(order) for order in shuffled}) > 2
    assert [(value, seq) for value, seq, _revision in ballots(poll)] == [("yes", 3), ("no", 3)] * 4
    facilitation.close(workshop.pk, None)
    assert Poll.objects.get(pk=poll.pk).result["tally"]["counts"] == {"yes": 4, "no": 4}


def next_answer(phone: Screen) -> dict:
    known = len(phone.heard)
    phone.until(lambda one: any(frame["t"] in ("ack", "nack") for frame in one.heard[known:]))
    return phone.heard[-1]


@fault("F06")
def test_two_tabs_agree_in_bad_weather(net, asked):
    workshop, poll, who = asked
    net.weather(latency=0.1, jitter=0.1)
    with phone_on(net, workshop, who) as one, phone_on(net, workshop, who) as other:
        greeted(one)
        greeted(other)
        taken = []
        for seq, (here, there) in enumerate([(one, other), (other, one)] * 2, start=1):
            value = "yes" if seq % 2 else "no"
            here.say(vote(poll, value, f"op{seq}", seq))
            taken.append(there.until(lambda screen, seq=seq: paper_of(screen).get("seq") == seq))
            assert paper_of(there)["fields"] == {"choice": [value]}
    print("one tab to the other, ms:", [round(1000 * seconds) for seconds in taken])
    assert ballots(poll) == [("no", 4, 4)]


def paper_of(screen: Screen) -> dict:
    papers = [frame["papers"] for frame in screen.heard if frame["t"] == "mine"]
    return papers[-1][0] if papers and papers[-1] else {}


# --- F12: a slow consumer -----------------------------------------------------------------------------------------

LONG = "and all that has to be thought of with it " * 5
MANY = Question(
    "single_choice", "Which matters most?", options=tuple(Option(f"o{n}", f"{n} {LONG}") for n in range(80))
)


@fault("F12")
def test_a_phone_that_takes_little_costs_the_others_nothing_and_sees_the_end_as_they_do(site, net):
    workshop = factories.workshop()
    factories.poll_item(workshop, MANY, reveal=Reveal.LIVE)
    people = [factories.participant(workshop) for _ in range(5)]
    poll = factories.launched(workshop, 1)
    with phone_on(net, workshop, people[0]) as slow, phone_on(site, workshop, people[1]) as quick:
        greeted(slow)
        before = acknowledged(quick, poll, 20, first=1)
        net.weather(bytes_per_second=20_000)  # ten pictures a second are drawn, each larger than that
        during = acknowledged(quick, poll, 40, first=21)
        net.hold(network_faults.DOWN)
        during += acknowledged(quick, poll, 30, first=61)
        for who in people[2:]:
            factories.vote(who, poll, "o3")
        seen = screens.draw(screens.Scene.load(workshop.pk), Topic.TALLY, Audience.PHONE)
        quick.until(lambda screen: screen.html.get("tally") == seen)
        net.release(network_faults.DOWN)
        net.weather()
        caught_up = slow.until(lambda screen: screen.html.get("tally") == seen)
    pictures = [sum(frame.get("topic") == "tally" for frame in screen.heard) for screen in (slow, quick)]
    print(
        f"acks, median/worst ms: {figures(before)} before, {figures(during)} beside a stalled phone; pictures of"
        f" {len(seen) // 1000} kB slow/quick: {pictures}; caught up in {1000 * caught_up:.0f} ms"
    )
    assert pictures[0] < pictures[1]


def acknowledged(phone: Screen, poll: Poll, times: int, *, first: int) -> list[float]:
    """Seconds until each of so many answers was acknowledged; each makes a new picture for everybody."""
    taken = []
    for seq in range(first, first + times):
        start = time.monotonic()
        assert phone.vote(poll, f"o{seq % 20}", f"op{seq}", seq)["t"] == "ack"
        taken.append(time.monotonic() - start)
        time.sleep(0.05)
    return taken


def figures(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    return f"{1000 * ordered[len(ordered) // 2]:.0f}/{1000 * ordered[-1]:.0f}"


# --- F19, F20: facilitators ---------------------------------------------------------------------------------------


def press(server: Server, workshop: Workshop, session: str, name: str, **fields: object) -> tuple[int, str]:
    """A gesture as the console's plain form sends it: the status of its answer, and its text."""
    token = "a" * 32
    data = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **fields}).encode()
    request = urllib.request.Request(f"{server.url}/workshops/{workshop.code}/do/{name}/", data=data)
    request.add_header("Cookie", f"csrf={token}; {session}")
    request.add_header("Origin", server.url)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read().decode()


@fault("F19")
def test_a_facilitator_whose_line_is_cut_goes_on_elsewhere_and_the_countdown_needs_nobody(site, net, asked):
    workshop, poll, who = asked
    session = session_of(factories.staff(workshop.programme))
    with phone_on(site, workshop, who) as phone:
        with console_on(net, workshop, session) as lost:
            greeted(lost)
            net.cut()
        assert phone.vote(poll)["t"] == "ack"  # the question stays
        with console_on(site, workshop, session) as elsewhere:  # the same account, another device
            elsewhere.until(lambda one: 'data-state="ballot"' in one.html.get("stage", ""))
            workshop.refresh_from_db()
            assert press(site, workshop, session, "close_in", seconds=5, rev=workshop.stage_rev)[0] == 200
        # Nobody is at a console now.
        phone.until(lambda one: 'data-state="closed"' in one.html.get("stage", ""))
    closed = Poll.objects.get(pk=poll.pk)
    assert closed.is_closed
    assert closed.result["counts"]["cast"] == 1


@fault("F20")
def test_of_two_facilitators_who_press_at_once_one_wins_and_the_other_sees_why(site):
    workshop = factories.workshop(None, *[factories.YES_NO] * 2)
    items = list(workshop.agenda.order_by("position"))
    sessions = [session_of(factories.staff(workshop.programme)) for _ in items]
    together, answers = threading.Barrier(2, timeout=PATIENCE), {}

    def push(item, session):
        together.wait()
        answers[item.pk] = press(site, workshop, session, "launch", item=item.pk, rev=workshop.stage_rev)

    threads = [threading.Thread(target=push, args=pair) for pair in zip(items, sessions, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _text in answers.values()) == [200, 422]
    workshop.refresh_from_db()
    assert answers[workshop.stage_item_id][0] == 200
    (refused,) = [text for status, text in answers.values() if status == 422]
    assert "The stage changed just before you pressed." in refused
    assert [item.poll.is_open for item in workshop.agenda.select_related("poll")].count(True) == 1


# --- F21, F22, F23: what comes too late, twice, or to the wrong place -------------------------------------------------


@fault("F21")
def test_after_the_close_an_answer_is_late_however_late_and_the_earlier_one_stays(site, asked):
    workshop, poll, who = asked
    newcomer = factories.participant(workshop)
    with phone_on(site, workshop, who) as phone, phone_on(site, workshop, newcomer) as other:
        assert phone.vote(poll)["t"] == "ack"
        greeted(other)
        facilitation.close(workshop.pk, None)
        frozen = Poll.objects.get(pk=poll.pk).result
        for number, moment in enumerate((0.001, 0.05, 0.5, 2.0, 10.0), start=2):
            # As if so much time had passed.
            Poll.objects.filter(pk=poll.pk).update(closed_at=timezone.now() - timedelta(seconds=moment))
            for screen in (phone, other):
                answer = screen.vote(poll, "no", f"op{number}", number)
                assert (answer["t"], answer["code"]) == ("nack", "closed"), moment
    assert ballots(poll) == [("yes", 1, 1)]
    after = Poll.objects.get(pk=poll.pk)
    assert (after.late, after.result) == (10, frozen)


@fault("F22")
def test_the_very_bytes_of_an_earlier_answer_have_no_effect_after_reopening(site, asked):
    workshop, poll, who = asked
    earlier, latest = (
        json.dumps(vote(poll, value, f"op{seq}", seq)) for seq, value in [(1, "yes"), (2, "no")]
    )
    with phone_on(site, workshop, who) as phone:
        for seq, text in enumerate((earlier, latest), start=1):
            phone.wire.send(text)
            phone.until(lambda one, seq=seq: one.heard and one.heard[-1].get("op") == f"op{seq}")
        ack = phone.heard[-1]
    facilitation.close(workshop.pk, None)
    facilitation.reopen(workshop.pk, None)
    before = Ballot.objects.filter(poll=poll).values().get()
    with phone_on(site, workshop, who) as phone:
        phone.wire.send(earlier)
        assert next_answer(phone)["code"] == "stale"
        phone.wire.send(latest)
        assert next_answer(phone) == ack
    assert Ballot.objects.filter(poll=poll).values().get() == before


@fault("F23")
def test_another_workshops_poll_is_answered_byte_for_byte_as_one_that_does_not_exist(site, asked):
    workshop, poll, who = asked
    theirs = [factories.workshop() for _ in range(3)]
    foreign = [factories.launched(one) for one in theirs[:2]]
    facilitation.close(theirs[1].pk, None)
    draft = theirs[2].agenda.get().poll_id
    numbers = [foreign[0].pk, foreign[1].pk, draft, 10**9]
    answers = set()
    with phone_on(site, workshop, who) as phone:
        greeted(phone)
        for number in numbers:
            for value in ("yes", "no such answer"):
                frame = json.dumps(vote(poll, value) | {"poll": number})
                phone.wire.send(frame)
                answers.add(without_number(raw_answer(phone), number))
                answers.add(without_number(posted(site, workshop, who, frame), number))
    (one,) = answers
    assert json.loads(one)["code"] == "forbidden"
    assert Ballot.objects.exclude(poll=poll).count() == 0


def raw_answer(phone: Screen) -> bytes:
    while True:
        text = phone.wire.recv(timeout=PATIENCE, decode=False)
        if json.loads(text)["t"] in ("ack", "nack"):
            return text


def posted(server: Server, workshop: Workshop, who, frame: str) -> bytes:
    """The answer of the other door, written as the first one writes JSON."""
    token = "a" * 32
    request = urllib.request.Request(f"{server.url}/w/{workshop.code}/vote/", data=frame.encode())
    for name, value in {
        "Cookie": f"csrf={token}; {cookie_of(who)}", "X-CSRFToken": token, "Origin": server.url,
        "Content-Type": "application/json",
    }.items():  # fmt: skip
        request.add_header(name, value)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.dumps(json.loads(answer.read()), separators=(",", ":"), ensure_ascii=False).encode()


def without_number(answer: bytes, number: int) -> bytes:
    """The answer without the number that was asked for, which it repeats."""
    asked = b'"poll":%d,' % number
    assert asked in answer
    return answer.replace(asked, b"")
