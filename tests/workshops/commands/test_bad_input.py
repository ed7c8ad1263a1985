"""Nonsense from outside: one plain answer, no traceback, nothing stored, on every door and every database."""

from __future__ import annotations

import asyncio
import contextlib
import json
from urllib.parse import quote

import hypothesis
import pytest
from django.test import Client
from hypothesis import strategies as st

from polls import ballot_box, results
from polls.ballot_box import BallotSubmission, Receipt, Refusal
from polls.models import Ballot, Poll
from polls.types import POLL_TYPES
from workshops import commands, screens
from workshops.live import engine, socket
from workshops.models import Role
from workshops.people.participant_cookie import ParticipantToken

from ... import factories
from ...factories import phone, signed_in, staff
from ...poll_samples import QUESTIONS

pytestmark = pytest.mark.django_db

NUL, BIDI, LONE = "a\x00b", "a\u202eb", "\ud800"
odd_text = st.sampled_from(
    [
        "",
        " ",
        NUL,
        BIDI,
        LONE,
        "~pass",
        "~other",
        "a",
        "yes",
        "none",
        "9" * 5000,
        "<b>",
        "\u0661",
        "é" * 3000,
        "-0",
        "1e5",
        "NaN",
    ]
)
odd_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -(10**400), 2**63, 2**64]),
    st.floats(),
    odd_text,
    st.text(max_size=20),
)
keys = st.sampled_from(
    ["a", "b", "calm", "light", "choice", "other", "reason", "none", "places", "", NUL, LONE]
) | st.text(max_size=5)
nonsense = st.recursive(
    odd_scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=12,
)


def deep(levels=900):
    value = []
    for _ in range(levels):
        value = [value]
    return value


# --- values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUESTIONS)
@hypothesis.settings(max_examples=12, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(value=nonsense)
@hypothesis.example(value={"other": NUL})
@hypothesis.example(value=[NUL, LONE])
@hypothesis.example(value={"choice": "agree", "reason": NUL})
@hypothesis.example(value=[[1]])
@hypothesis.example(value=[{}])
@hypothesis.example(value={"a": [1]})
@hypothesis.example(value=10**400)
@hypothesis.example(value=float("nan"))
@hypothesis.example(value={"a": float("inf")})
def test_any_value_is_stored_or_refused_in_one_sentence(name, value, db):
    question = QUESTIONS[name]
    poll = ballot_box.open_poll(factories.poll(question).pk)
    (outcome,) = ballot_box.cast([BallotSubmission(poll.pk, "v1", value, "op1", 1)])
    if isinstance(outcome, Refusal):
        assert outcome.code == "invalid"
        assert outcome.message.endswith(".")
        assert not Ballot.objects.filter(poll=poll).exists()
    else:
        stored = Ballot.objects.get(poll=poll).value
        assert stored == outcome.value == POLL_TYPES[question.type].clean(stored, question)
        assert "\x00" not in json.dumps(stored, ensure_ascii=False)
        json.dumps(stored, ensure_ascii=False).encode()  # no lone surrogate
        result = results.read(Poll.objects.select_related("version").get(pk=poll.pk))
        screens.result_context(result)


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize(
    "wrap", [lambda v: v, lambda v: {"a": v}, lambda v: {"other": v}, lambda v: {"choice": v}]
)
def test_a_deep_nest_is_refused_by_every_kind_of_question(name, wrap):
    poll = ballot_box.open_poll(factories.poll(QUESTIONS[name]).pk)
    assert ballot_box.cast([BallotSubmission(poll.pk, "v1", wrap(deep()))])[0].code == "invalid"


@hypothesis.settings(max_examples=6, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(
    fields=st.dictionaries(
        st.sampled_from(
            [
                "choice",
                "other",
                "pass",
                "option",
                "point",
                "point_calm",
                "rank_a",
                "rank_b",
                "word",
                "text",
                "number",
                "none",
                "points_a",
                "agreement",
                "reason",
            ]
        ),
        st.lists(
            odd_text.filter(lambda t: LONE not in t)
            | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
            max_size=4,
        ),
    )
)
@pytest.mark.parametrize("name", QUESTIONS)
def test_any_form_is_stored_or_comes_back(name, fields, db):
    workshop = factories.workshop(None, QUESTIONS[name])
    poll, who = factories.launched(workshop), factories.participant(workshop)
    response = phone(who).post(f"/w/{workshop.code}/vote/", {"poll": poll.pk, **fields})
    stored = Ballot.objects.filter(poll=poll).exclude(status="issued").count()
    assert (response.status_code, stored) in ((302, 1), (422, 0))


# --- frames by HTTP ---------------------------------------------------------------------------------------------

FRAMES = [
    b" ", b"{", b"[]", b"null", b'{"t": "drop"}', b'{"t": "vote"}', b'{"t": "hello"}', b'{"t": "close"}',
    b'{"t": "vote", "op": "1", "poll": 1, "seq": 1, "fields": {"choice": ["\xff"]}}',
    b'{"t": "vote", "op": "\xff", "poll": 1, "seq": 1, "fields": {}}',
    b'{"t": "vote", "op": "1", "poll": 1, "seq": 1, "fields": {"choice": [NaN]}}',
    b'{"t": "vote", "op": "1", "poll": 1, "seq": 1, "fields": {"choice": [1e999]}}',
    b'{"t": "vote", "op": "1", "poll": 1, "seq": 1, "fields": {"choice": ["\\ud800"]}}',
    b'{"t": "vote", "op": "1", "poll": 1, "seq": 1, "fields": {}, "extra": 1}',
    b'{"t": "vote", "op": "\\u0000", "poll": 1, "seq": 1, "fields": {}}',
    b'{"t": "vote", "op": "1", "poll": 1, "seq": 1, "fields": ' + b"[" * 30_000,
]  # fmt: skip


@pytest.mark.parametrize("body", FRAMES)
def test_what_is_no_frame_is_answered_in_one_sentence(body):
    workshop = factories.workshop()
    client = phone(factories.participant(workshop))
    response = client.post(f"/w/{workshop.code}/vote/", body, content_type="application/json")
    assert response.status_code == 400
    assert response.json() == {"t": "nack", "op": "", "code": "invalid", "message": "That could not be read."}


@hypothesis.settings(max_examples=200)
@hypothesis.given(st.binary(max_size=200) | nonsense.map(lambda v: json.dumps(v).encode()))
def test_the_reader_of_frames_gives_a_frame_or_says_no(body):
    with contextlib.suppress(socket.msgspec.DecodeError, RecursionError, UnicodeError):
        assert type(socket.decode(body)) in (socket.Hello, socket.Ping, commands.Vote, commands.MarkSeen)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"x" * 70_000, "application/json"),
        (b"x" * 70_000, "application/x-www-form-urlencoded"),
        (b"nonsense", "multipart/form-data"),
        (b"nonsense", "multipart/form-data; boundary=x"),
        (b"&".join(b"a=1" for _ in range(2000)), "application/x-www-form-urlencoded"),
        (b"x", "text/plain"),
        (b"choice=yes", "application/x-www-form-urlencoded; charset=utf-16"),
    ],
)
def test_a_body_that_is_too_much_or_no_form_is_refused(body, content_type):
    workshop = factories.workshop()
    client = phone(factories.participant(workshop), raise_request_exception=True)
    response = client.post(f"/w/{workshop.code}/vote/", body, content_type=content_type)
    assert response.status_code in (400, 403, 413)
    assert Ballot.objects.count() == 0


# --- addresses and cookies -------------------------------------------------------------------------------------------

ODD = ["\x00", "a\x00b", "..", "%", "²²²²²²", "a" * 300, "👶", "\u202eABC", "AAAAAA'--", "<script>"]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    "path",
    [
        "/w/{}/",
        "/w/{}/consent/",
        "/w/{}/profile/",
        "/w/{}/pictures/",
        "/w/{}/leave/",
        "/wall/{}/",
        "/workshops/{}/console/",
        "/invitation/{}/",
    ],
)
def test_an_odd_address_is_not_found(path, odd):
    client = signed_in(staff(factories.programme()))
    assert client.get(path.format(quote(odd, safe=""))).status_code == 404


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_address_takes_no_form(odd):
    client = signed_in(staff(factories.programme()))
    for path in ("/w/{}/vote/", "/w/{}/consent/", "/workshops/{}/do/close/", "/workshops/{}/rehearse/"):
        assert client.post(path.format(quote(odd, safe="")), {"poll": "1"}).status_code == 404


@pytest.mark.parametrize("odd", ODD)
def test_odd_words_in_the_box_for_the_code_are_no_trouble(client, odd):
    assert client.post("/", {"code": odd}).status_code == 404
    assert client.get("/", {"code": odd, "late": odd, "change": odd}).status_code == 200


@pytest.mark.parametrize("value", ["", "1.abc", "x:y:z", "1.\x01", "é", "1." + "a" * 5000])
def test_an_odd_cookie_is_no_seat(value):
    workshop = factories.workshop()
    client = Client(headers={"cookie": f"seat={value}"})
    assert "Join this workshop" in client.get(f"/w/{workshop.code}/").content.decode()
    assert ParticipantToken.from_cookie(value) is None


# --- the staff's forms -------------------------------------------------------------------------------------------------

GESTURES = sorted(commands.STAFF_COMMANDS)
FIELDS = [
    "item",
    "seconds",
    "minutes",
    "people",
    "text",
    "options",
    "several",
    "poll",
    "refs",
    "shown",
    "rev",
    "t",
]


@pytest.mark.parametrize("name", GESTURES)
@hypothesis.settings(max_examples=5, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(
    fields=st.dictionaries(
        st.sampled_from(FIELDS),
        odd_text.filter(lambda t: LONE not in t)
        | st.sampled_from(["1", "true", "5", "60", "1e400", "-1", "inf", "0x1"]),
        max_size=5,
    )
)
def test_any_form_of_a_gesture_is_done_or_refused_in_words(name, fields, db):
    workshop = factories.workshop(None, QUESTIONS["words"])
    poll = factories.launched(workshop)
    factories.vote(factories.participant(workshop), poll, ["Calm"])
    if "poll" in fields:
        fields["poll"] = str(poll.pk)
    client = signed_in(staff(workshop.programme, Role.FACILITATOR))
    assert client.post(f"/workshops/{workshop.code}/do/{name}/", fields).status_code in (302, 422)


@pytest.mark.parametrize("name", ["no_such", "Close", "vote", "shown", "__class__"])
def test_a_gesture_that_is_none_is_not_found(name):
    workshop = factories.workshop()
    assert (
        signed_in(staff(workshop.programme)).post(f"/workshops/{workshop.code}/do/{name}/").status_code == 404
    )


@pytest.mark.parametrize("phones", ["", "x", "0", "201", "-3", "1e2", "9" * 5000, "1.5", "\x00"])
def test_an_odd_number_of_rehearsal_phones_starts_none(phones, monkeypatch):
    monkeypatch.setattr(
        "workshops.web.views.staff_live._start_rehearsal", lambda *_: pytest.fail("phones were started")
    )
    workshop = factories.workshop()
    client = signed_in(staff(workshop.programme))
    response = client.post(f"/workshops/{workshop.code}/rehearse/", {"phones": phones}, follow=True)
    assert "Choose 1 to 200 phones." in response.content.decode()


def test_a_thousand_hostile_papers_in_one_batch_harm_no_good_one(db):
    poll = ballot_box.open_poll(factories.poll(QUESTIONS["words"]).pk)
    hostile = [NUL, LONE, 10**400, float("nan"), deep(), {"word": 1}, [None], [""], "Calm"]
    papers = [BallotSubmission(poll.pk, f"h{n}", hostile[n % len(hostile)]) for n in range(300)] + [
        BallotSubmission(poll.pk, "good", ["Calm"])
    ]
    assert isinstance(ballot_box.cast(papers)[-1], Receipt)
    assert Ballot.objects.filter(poll=poll).count() == 1


def test_a_command_of_the_wrong_door_is_refused():
    with pytest.raises(commands.BadCommand):
        commands.staff_command("vote", {"op": "1", "poll": 1, "seq": 1})
    assert (
        asyncio.run(
            commands.run_frame(
                ParticipantToken(1), commands.Vote(op="1", poll=1, seq=1, fields={}), engine.write
            )
        ).code
        == "consent"
    )
