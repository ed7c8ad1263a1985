"""The phone's pages as plain pages: join, consent, profile, answer, look, leave. No script is needed for any of it."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from polls.models import Ballot
from polls.types import POLL_TYPES, Question
from workshops.actions import facilitation, moderation, participation
from workshops.live.write_batcher import Busy
from workshops.models import Participant, Workshop
from workshops.operations import rehearsal
from workshops.people.participant_cookie import ParticipantToken

from ... import factories
from ...factories import phone
from ...poll_samples import QUESTIONS

pytestmark = pytest.mark.django_db

#: an answer to each sample question, as stored
ANSWERS = {
    "single": "b",
    "single_other": {"other": "A nest"},
    "multiple": ["a", "c"],
    "multiple_two": ["a", "b"],
    "scale": 2,
    "scale_eleven": 7,
    "scale_block": {"calm": 3, "light": 5},
    "ranking": ["c", "a", "d", "b"],
    "ranking_top": ["d", "a"],
    "words": ["Calm", "warm light"],
    "open": "A room that breathes.",
    "number": 8,
    "number_half": 7.25,
    "points": {"a": 50, "b": 25, "c": 25},
    "statement": {"choice": "agree", "reason": "Babies need space"},
}

#: a form that is refused, the sentence it is told, and what must stand in the page again
REFUSED = {
    "single": ({}, "Choose one answer first.", []),
    "single_other": ({"choice": ["~other"], "other": ["x" * 101]}, "up to 100 letters", ["x" * 101]),
    "multiple": ({"option": ["a", "d"]}, "", ['value="a" checked', "data-alone checked"]),
    "multiple_two": ({"option": ["a"]}, "", ['value="a" checked']),
    "scale": ({"point": ["9"]}, "", []),
    "scale_eleven": ({}, "", []),
    "scale_block": ({"point_calm": ["9"]}, "", []),
    "ranking": ({"rank_a": ["1"], "rank_b": ["1"]}, "", []),
    "ranking_top": ({"rank_a": ["2"]}, "", []),
    "words": ({"word": ["Calm", "x" * 26]}, "is too long", ['value="Calm"', "x" * 26]),
    "open": ({"text": ["y" * 281]}, "Your answer can have up to 280 letters; this has 281.", ["y" * 281]),
    "number": ({"number": ["about twelve"]}, "Write only a number, such as 12.", ['value="about twelve"']),
    "number_half": ({"number": ["7.3"]}, "", ['value="7.3"']),
    "points": ({"points_a": ["50"], "points_b": ["49"]}, "", ['value="50"', 'value="49"']),
    "statement": ({"reason": ["Because"]}, "", ["Because"]),
}


@pytest.fixture
def workshop():
    return factories.workshop()


def page(response):
    return unescape(response.content.decode())


def errors(response):
    """Every sentence that stands in a visible place for errors."""
    found = re.findall(
        r'<p class="error"[^>]*?>(?:(?!</p>).)*?<span>(.*?)</span></p>', page(response), re.DOTALL
    )
    return [text for text in found if text.strip()]


def url(workshop, rest=""):
    return f"/w/{workshop.code}/{rest}"


NOT_FOUND = (
    "Check the last letters on the screen, or ask for the link. "
    "If your workshop is over, thank you for taking part."
)

# --- getting in by the code ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "{code}", "{lower}", " {spaced} ", "{dashed}", "https://here.example/w/{code}/", "http://here.example/w/{lower}",
        "here.example/w/{code}/consent/", "https://here.example/w/{code}/profile/?change=1#main",
        "https://here.example/?code={code}", "{code}.",
    ],
)  # fmt: skip
def test_a_code_is_understood_however_it_is_typed_or_pasted(workshop, client, typed):
    code = workshop.code
    typed = typed.format(
        code=code, lower=code.lower(), spaced=workshop.spaced_code, dashed=f"{code[:3]}-{code[3:]}"
    )
    assert client.post("/", {"code": typed}).headers["Location"] == url(workshop, "consent/")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Type the code from the screen."),
        ("  -  ", "Type the code from the screen."),
        ("ACD", "A code has six letters and numbers; ACD has 3."),
        ("ACDEFGH", "A code has six letters and numbers; ACDEFGH has 7."),
        ("acd efg", "We can’t find ACD EFG. " + NOT_FOUND),
        ("<b>x</b>", "A code has six letters and numbers; <b>x</b> has 1."),
    ],
)
def test_a_code_that_leads_nowhere_gets_one_sentence_and_stays_in_its_box(client, typed, sentence):
    response = client.post("/", {"code": typed})
    assert response.status_code == 404
    assert errors(response) == [sentence]
    assert f'value="{typed}"' in page(response)
    assert "<b>x</b>" not in response.content.decode()


def test_the_code_dies_with_its_workshop(workshop, client):
    facilitation.end(workshop.pk, None)
    sentence = f"We can’t find {workshop.spaced_code}. {NOT_FOUND}"
    for response in (
        client.post("/", {"code": workshop.code}),
        client.get(url(workshop)),
        client.get(url(workshop, "consent/")),
    ):
        assert (response.status_code, errors(response)) == (404, [sentence])


@pytest.mark.parametrize("rest", ["", "consent/"])
@pytest.mark.parametrize("code", ["AAAAAA", "x", "%00", "%F0%9F%91%B6", "a" * 300])
def test_an_address_that_leads_nowhere_offers_the_box(db, client, code, rest):
    response = client.get(f"/w/{code}/{rest}")
    assert response.status_code == 404
    assert len(errors(response)) == 1


def test_before_the_doors_open_there_is_a_welcome_and_no_consent(client):
    planned = factories.workshop(started=False)
    assert "It has not opened yet" in page(client.get(url(planned)))
    assert client.get(url(planned, "consent/")).headers["Location"] == url(planned)


# --- consent -----------------------------------------------------------------------------------------------------------


def test_nothing_is_ticked_for_anybody(workshop, client):
    response = client.get(url(workshop, "consent/"))
    assert page(response).count('type="checkbox"') == 3
    assert "checked" not in page(response)


def test_a_required_tick_that_is_missing_is_said_and_the_other_ticks_stay(workshop, client):
    response = client.post(url(workshop, "consent/"), {"consent": ["pooled", "quotes"]})
    assert response.status_code == 422
    assert errors(response) == [
        "To be counted, please tick everything that is not optional. Or take part without being counted."
    ]
    assert [key for key in ("read", "pooled", "quotes") if f'value="{key}" checked' in page(response)] == [
        "pooled",
        "quotes",
    ]
    assert Participant.objects.count() == 0
    assert "participant" not in response.cookies


def test_who_agrees_is_in_with_what_they_ticked_and_nothing_else_about_them(workshop, client):
    response = client.post(
        url(workshop, "consent/"), {"consent": ["read", "pooled", "made-up"], "rehearsal": "1", "voter": "me"}
    )
    assert response.headers["Location"] == url(workshop)
    made = Participant.objects.get()
    assert (made.workshop, made.sheet, made.consent, made.rehearsal) == (
        workshop,
        workshop.sheet,
        ["read", "pooled"],
        False,
    )
    assert ParticipantToken.from_cookie(response.cookies["participant"].value) == ParticipantToken(
        workshop.pk, made.voter
    )
    cookie = response.cookies["participant"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_an_observer_watches_and_leaves_no_row(workshop, client):
    factories.launched(workshop)
    assert client.post(url(workshop, "consent/"), {"observe": "yes"}).status_code == 302
    response = client.get(url(workshop))
    assert "You are here as an observer" in page(response)
    assert "<form" not in page(response)
    assert Participant.objects.count() == 0
    assert Ballot.objects.count() == 0


def test_who_is_in_is_not_asked_for_consent_again(workshop):
    who = factories.participant(workshop)
    for method in ("get", "post"):
        assert getattr(phone(who), method)(url(workshop, "consent/")).headers["Location"] == url(workshop)
    assert Participant.objects.count() == 1


def test_a_rehearsal_phone_is_marked_only_with_a_pass_of_this_workshop(workshop):
    ticks = {"consent": ["read", "pooled"]}
    passes = {
        "ours": rehearsal.new_pass(workshop),
        "another": rehearsal.new_pass(factories.workshop()),
        "forged": rehearsal.new_pass(workshop)[:-1] + "x",
    }
    marked = {}
    for name, value in passes.items():
        Client().post(url(workshop, "consent/"), ticks, headers={"X-Rehearsal": value})
        marked[name] = Participant.objects.latest("pk").rehearsal
    assert marked == {"ours": True, "another": False, "forged": False}


def test_a_seat_in_one_workshop_is_none_in_another(workshop):
    other = factories.workshop()
    client = phone(factories.participant(workshop))
    assert "Join this workshop" in page(client.get(url(other)))
    assert client.get(url(other, "pictures/")).status_code == 401


# --- the profile --------------------------------------------------------------------------------------------------------


@pytest.fixture
def newcomer():
    """Somebody who has just agreed; two questions wait for them: a choice and a number."""
    workshop = factories.workshop(started=False)
    factories.poll_item(workshop, QUESTIONS["single"], profile=True, key="role")
    factories.poll_item(workshop, QUESTIONS["number"], profile=True)
    facilitation.start(workshop.pk, None)
    workshop.refresh_from_db()
    return factories.participant(workshop, profiled=False)


def profile_polls(who):
    return [item.poll_id for item in who.workshop.agenda.filter(profile=True)]


def test_after_agreeing_comes_the_profile_once(newcomer):
    client, workshop = phone(newcomer), newcomer.workshop
    assert client.get(url(workshop)).headers["Location"] == url(workshop, "profile/")
    assert client.get(url(workshop, "profile/")).status_code == 200
    assert client.post(url(workshop, "profile/"), {}).headers["Location"] == url(workshop)
    assert client.get(url(workshop)).status_code == 200
    assert client.get(url(workshop, "profile/")).headers["Location"] == url(workshop)


def test_every_profile_question_can_be_left(newcomer):
    choice, number = profile_polls(newcomer)
    phone(newcomer).post(
        url(newcomer.workshop, "profile/"), {f"q{choice}-choice": "", f"q{number}-number": " "}
    )
    assert Ballot.objects.exclude(status="issued").count() == 0
    newcomer.refresh_from_db()
    assert newcomer.profiled_at is not None


def test_skipping_saves_nothing_even_if_something_was_typed(newcomer):
    choice, _number = profile_polls(newcomer)
    phone(newcomer).post(url(newcomer.workshop, "profile/"), {f"q{choice}-choice": "a", "skip": "1"})
    assert Ballot.objects.exclude(status="issued").count() == 0


def test_a_bad_number_is_marked_with_its_sentence_and_the_others_are_saved(newcomer):
    choice, number = profile_polls(newcomer)
    fields = {f"q{choice}-choice": "b", f"q{number}-number": "lots"}
    response = phone(newcomer).post(url(newcomer.workshop, "profile/"), fields)
    assert response.status_code == 422
    assert errors(response) == [
        "One answer could not be read. It is marked below; the others are saved.",
        "Write only a number, such as 12.",
    ]
    assert 'value="lots"' in page(response)
    assert re.search(r'value="b"[^>]* (checked|selected)', page(response))
    assert list(Ballot.objects.filter(status="cast").values_list("poll", "value")) == [(choice, "b")]
    newcomer.refresh_from_db()
    assert newcomer.profiled_at is None


def test_the_answers_of_a_profile_are_saved(newcomer):
    choice, number = profile_polls(newcomer)
    response = phone(newcomer).post(
        url(newcomer.workshop, "profile/"), {f"q{choice}-choice": "b", f"q{number}-none": "1"}
    )
    assert response.headers["Location"] == url(newcomer.workshop)
    assert dict(Ballot.objects.values_list("poll", "value")) == {choice: "b", number: {"none": True}}


# --- answering by a plain form ----------------------------------------------------------------------------------------------


def asked(name):
    workshop = factories.workshop(None, QUESTIONS[name])
    return workshop, factories.launched(workshop), factories.participant(workshop)


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_kind_of_question_is_answered_by_a_plain_form(name):
    workshop, poll, who = asked(name)
    poll_type, question = POLL_TYPES[QUESTIONS[name].type], QUESTIONS[name]
    value = poll_type.clean(ANSWERS[name], question)
    form = page(phone(who).get(url(workshop)))
    fields = poll_type.to_form(value, question)
    for field in fields:
        assert f'name="{field}"' in form
    response = phone(who).post(url(workshop, "vote/"), {"poll": poll.pk, **fields}, follow=True)
    assert response.redirect_chain == [(url(workshop), 302)]
    assert Ballot.objects.get(poll=poll).value == value
    assert f"Saved: {poll_type.say(value, question)}" in page(response)


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_kind_of_question_can_be_passed_by_a_plain_form(name):
    workshop, poll, who = asked(name)
    fields = POLL_TYPES[QUESTIONS[name].type].to_form(None, QUESTIONS[name])
    phone(who).post(url(workshop, "vote/"), {"poll": poll.pk, **fields})
    assert Ballot.objects.get(poll=poll).status == "passed"


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_answer_that_cannot_be_counted_comes_back_with_one_sentence_and_all_that_was_typed(name):
    workshop, poll, who = asked(name)
    fields, sentence, kept = REFUSED[name]
    response = phone(who).post(url(workshop, "vote/"), {"poll": poll.pk, **fields})
    assert response.status_code == 422
    (said,) = errors(response)
    assert sentence in said
    assert said.endswith(".")
    for text in kept:
        assert text in page(response)
    assert Ballot.objects.filter(poll=poll).exclude(status="issued").count() == 0


def test_an_answer_that_was_saved_can_be_changed(workshop):
    poll, who = factories.launched(workshop), factories.participant(workshop)
    client = phone(who)
    client.post(url(workshop, "vote/"), {"poll": poll.pk, "choice": "yes"})
    assert 'value="yes" checked' in page(client.get(url(workshop) + "?change=1"))
    client.post(url(workshop, "vote/"), {"poll": poll.pk, "choice": "no"})
    assert Ballot.objects.get(poll=poll).value == "no"


def test_an_answer_after_the_close_is_told_that_it_came_late(workshop):
    poll, who = factories.launched(workshop), factories.participant(workshop)
    facilitation.close(workshop.pk, None)
    response = phone(who).post(url(workshop, "vote/"), {"poll": poll.pk, "choice": "yes"}, follow=True)
    assert "Closed before your answer arrived" in page(response)
    assert Ballot.objects.filter(poll=poll).count() == 0


@pytest.mark.parametrize("poll_id", ["", "x", "-1", "1e3", "²", "9" * 30, "0", "999999999999999"])
def test_an_answer_to_no_question_has_no_place(workshop, poll_id):
    factories.launched(workshop)
    response = phone(factories.participant(workshop)).post(
        url(workshop, "vote/"), {"poll": poll_id, "choice": "yes"}
    )
    assert response.status_code == 403
    assert "This answer has no place" in page(response)


def test_an_answer_to_another_workshops_question_has_no_place(workshop):
    foreign = factories.launched(factories.workshop())
    response = phone(factories.participant(workshop)).post(
        url(workshop, "vote/"), {"poll": foreign.pk, "choice": "yes"}
    )
    assert response.status_code == 403
    assert Ballot.objects.count() == 0


@pytest.mark.parametrize("who", ["observer", "nobody", "left"])
def test_who_has_not_agreed_is_not_counted(workshop, who):
    poll, gone = factories.launched(workshop), factories.participant(workshop)
    participation.leave(gone)
    client = {"observer": lambda: phone(observing=workshop), "nobody": phone, "left": lambda: phone(gone)}[
        who
    ]()
    assert client.post(url(workshop, "vote/"), {"poll": poll.pk, "choice": "yes"}).status_code == 403
    assert Ballot.objects.count() == 0


def test_when_the_database_takes_nothing_the_form_comes_back_with_what_was_typed(workshop, monkeypatch):
    workshop, poll, who = asked("open")
    monkeypatch.setattr(participation, "write", _locked)
    response = phone(who).post(url(workshop, "vote/"), {"poll": poll.pk, "text": "My words"})
    assert (response.status_code, 3 <= int(response["Retry-After"]) <= 8) == (503, True)
    assert errors(response) == ["We could not save this just now. Nothing is lost: press again in a moment."]
    assert "My words" in page(response)


def test_when_the_database_takes_nothing_the_page_can_still_be_read(workshop, monkeypatch):
    factories.launched(workshop)
    who = factories.participant(workshop)
    monkeypatch.setattr(participation, "write", _locked)
    assert phone(who).get(url(workshop)).status_code == 200


def _locked(items):
    raise OperationalError("database is locked")


# --- answering by the script, without a socket -------------------------------------------------------------------------------------


def post_frame(client, workshop, frame):
    body = frame if isinstance(frame, str | bytes) else json.dumps(frame)
    return client.post(url(workshop, "vote/"), body, content_type="application/json")


def vote_frame(poll, value="yes", op="op1", seq=1):
    return {"t": "vote", "op": op, "poll": poll.pk, "seq": seq, "fields": {"choice": [value]}}


def test_the_script_gets_the_same_answer_as_on_the_socket(workshop):
    poll, who = factories.launched(workshop), factories.participant(workshop)
    response = post_frame(phone(who), workshop, vote_frame(poll))
    assert (response.status_code, response.json()) == (
        200,
        {
            "t": "ack",
            "op": "op1",
            "rev": 1,
            "poll": poll.pk,
            "seq": 1,
            "status": "cast",
            "fields": {"choice": ["yes"]},
            "marks": ["yes"],
            "said": "Yes",
        },
    )
    assert post_frame(phone(who), workshop, vote_frame(poll)).json() == response.json()
    assert Ballot.objects.get(poll=poll).revision == 1


@pytest.mark.parametrize(("value", "code"), [("perhaps", "invalid"), ("", "invalid"), ("~other", "invalid")])
def test_the_script_is_told_why_an_answer_is_refused(workshop, value, code):
    poll, who = factories.launched(workshop), factories.participant(workshop)
    answer = post_frame(phone(who), workshop, vote_frame(poll, value)).json()
    assert (answer["t"], answer["op"], answer["code"]) == ("nack", "op1", code)
    assert answer["message"].endswith(".")


def test_the_script_is_told_to_wait_while_the_database_takes_nothing(workshop, monkeypatch):
    poll, who = factories.launched(workshop), factories.participant(workshop)

    async def busy(_token, _frame, _write):
        raise Busy(2.0)

    monkeypatch.setattr("workshops.commands.run_frame", busy)
    response = post_frame(phone(who), workshop, vote_frame(poll))
    assert (response.status_code, response.json()["code"], response.json()["retry_after"]) == (
        503,
        "busy",
        2.0,
    )
    assert response["Retry-After"] == "2"


def test_a_paper_is_issued_for_the_script(workshop):
    poll, who = factories.launched(workshop), factories.participant(workshop)
    assert post_frame(phone(who), workshop, {"t": "shown", "poll": poll.pk}).json() == {"t": "ok"}
    assert Ballot.objects.get(poll=poll).status == "issued"


def test_the_script_of_somebody_without_a_seat_is_told_to_join(workshop):
    poll = factories.launched(workshop)
    response = post_frame(phone(), workshop, vote_frame(poll))
    assert (response.status_code, response.json()["code"]) == (401, "consent")


def test_pictures_are_those_of_the_socket_and_only_what_was_not_seen(workshop):
    poll, who = factories.launched(workshop), factories.participant(workshop)
    factories.vote(who, poll, "yes")
    client = phone(who)
    frames = client.get(url(workshop, "pictures/")).json()["frames"]
    assert [frame["t"] for frame in frames] == [
        "hello",
        "mine",
        "place",
        "screen",
        "screen",
        "screen",
        "screen",
    ]
    assert frames[1]["papers"][0]["fields"] == {"choice": ["yes"]}
    seen = {frame["topic"]: frame["rev"] for frame in frames[3:]}
    again = client.get(url(workshop, "pictures/"), {"seen": json.dumps(seen)}).json()["frames"]
    assert [frame["t"] for frame in again] == ["hello", "mine", "place"]


@pytest.mark.parametrize(
    "seen", ["", "x", "[]", "1", "{}", '{"stage": 1}', "[" * 5000, '{"stage": NaN}', "\ud800"]
)
def test_pictures_are_given_whatever_the_phone_says_it_has_seen(workshop, seen):
    response = phone(factories.participant(workshop)).get(
        url(workshop, "pictures/"), {"seen": seen.encode(errors="surrogatepass")}
    )
    assert len(response.json()["frames"]) == 7


def test_the_page_tells_the_script_what_it_shows_already(workshop):
    factories.launched(workshop)
    client = phone(factories.participant(workshop))
    seen = re.search(
        r'<script id="seen" type="application/json"[^>]*>(.*?)</script>', page(client.get(url(workshop)))
    ).group(1)
    frames = client.get(url(workshop, "pictures/"), {"seen": seen}).json()["frames"]
    assert [frame["t"] for frame in frames] == ["hello", "mine", "place"]


# --- leaving --------------------------------------------------------------------------------------------------------------------------


def test_leaving_takes_the_seat_and_keeps_the_answers(workshop):
    poll, who = factories.launched(workshop), factories.participant(workshop)
    factories.vote(who, poll, "yes")
    client = phone(who)
    assert client.get(url(workshop, "leave/")).status_code == 200
    assert Participant.objects.get().left_at is None
    response = client.post(url(workshop, "leave/"))
    assert response.cookies["participant"].value == ""
    assert Participant.objects.get().left_at is not None
    assert Ballot.objects.get(poll=poll).value == "yes"
    assert "Join this workshop" in page(client.get(url(workshop)))


def test_a_person_who_has_left_and_sends_the_same_form_again_takes_part_again(workshop):
    poll, client = factories.launched(workshop), phone()
    once = re.search(r'name="once" value="([^"]+)"', page(client.get(url(workshop, "consent/"))))[1]
    agreed = {"consent": ["read", "pooled"], "once": once}
    client.post(url(workshop, "consent/"), agreed)
    client.post(url(workshop, "leave/"))
    client.post(url(workshop, "consent/"), agreed | {"consent": ["read", "pooled", "quotes"]})
    again = Participant.objects.get()
    assert (again.left_at, again.consent) == (None, ["read", "pooled", "quotes"])
    client.post(url(workshop, "vote/"), {"poll": poll.pk, "choice": "yes"})
    assert Ballot.objects.get().value == "yes"


# --- what holds for every page -----------------------------------------------------------------------------------------------------------

PAGES = ["", "consent/", "profile/", "leave/"]


def state():
    tables = (Workshop, Participant)
    return [list(table.objects.order_by("pk").values()) for table in tables]


@pytest.mark.parametrize("rest", [*PAGES, "pictures/", "vote/"])
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_changes_nothing_but_papers(workshop, rest, method):
    factories.launched(workshop)
    client, before = phone(factories.participant(workshop)), state()
    now = state()
    getattr(client, method)(url(workshop, rest))
    assert state() == now
    assert len(before) == len(now)
    assert Ballot.objects.exclude(status="issued").count() == 0


@pytest.mark.parametrize(
    ("rest", "data"),
    [
        ("consent/", {"consent": ["read", "pooled"]}),
        ("vote/", {"choice": "yes"}),
        ("leave/", {}),
        ("profile/", {}),
    ],
)
def test_a_form_that_another_site_sends_is_refused(workshop, rest, data):
    poll, who = factories.launched(workshop), factories.participant(workshop)
    client = phone(who, enforce_csrf_checks=True)
    response = client.post(url(workshop, rest), {"poll": poll.pk, **data})
    assert response.status_code == 403
    assert Ballot.objects.filter(status="cast").count() == 0
    assert Participant.objects.get().left_at is None


def test_a_frame_that_another_site_sends_is_refused(workshop):
    poll, who = factories.launched(workshop), factories.participant(workshop)
    client = phone(who, enforce_csrf_checks=True)
    assert post_frame(client, workshop, vote_frame(poll)).status_code == 403
    assert Ballot.objects.count() == 0


def moments():
    """Every state of a phone's page, as (name, response)."""
    workshop = factories.workshop(None, QUESTIONS["words"])
    factories.prompt_item(workshop)
    factories.pause_item(workshop)
    who = factories.participant(workshop)
    client = phone(who)
    yield "start", client.get("/")
    yield "welcome", Client().get(url(workshop))
    yield "consent", Client().get(url(workshop, "consent/"))
    yield "joining", client.get(url(workshop))
    poll = factories.launched(workshop)
    yield "ballot", client.get(url(workshop))
    yield "error", client.post(url(workshop, "vote/"), {"poll": poll.pk})
    factories.vote(who, poll, ["<script>alert(1)</script>"])
    yield "receipt", client.get(url(workshop))
    moderation.check_texts(workshop.pk, None, factories.refs(poll, "<script>alert(1)</script>"), True)
    facilitation.close(workshop.pk, None)
    yield "closed", client.get(url(workshop))
    for item in workshop.agenda.filter(poll__isnull=True):
        facilitation.launch(workshop.pk, None, item.pk)
        yield item.kind, client.get(url(workshop))
    yield "leave", client.get(url(workshop, "leave/"))
    facilitation.end(workshop.pk, None)
    yield "ended", client.get(url(workshop))


def test_every_page_keeps_the_strict_content_security_policy(db):
    for name, response in moments():
        policy = response.headers["Content-Security-Policy"]
        html = response.content.decode()
        assert "unsafe" not in policy, name
        assert "default-src 'none'" in policy, name
        assert not re.search(r"<[^>]* (style|on\w+)=", html), name
        assert "<script>alert" not in html, name
        for script in re.findall(r"<script(?![^>]*type=\"application/json\")[^>]*>", html):
            assert "src=" in script or "nonce=" in script, (name, script)
        assert response.headers["X-Content-Type-Options"] == "nosniff", name
        assert response.headers["Referrer-Policy"] == "same-origin", name


def test_no_page_of_a_person_is_kept_by_a_cache(workshop):
    factories.launched(workshop)
    client = phone(factories.participant(workshop))
    for rest in ["", "pictures/", "leave/"]:
        assert "no-store" in client.get(url(workshop, rest)).headers["Cache-Control"]


def test_the_voter_key_stands_on_no_page(workshop):
    poll, who = factories.launched(workshop), factories.participant(workshop)
    factories.vote(who, poll, "yes")
    for rest in ["", "pictures/", "leave/"]:
        assert who.voter not in page(phone(who).get(url(workshop, rest)))


def test_the_phones_page_asks_the_database_as_often_after_three_questions_as_after_one():
    question = Question("single_choice", "Which?", options=QUESTIONS["single"].options)
    workshop = factories.workshop(None, *[question] * 4)
    who = factories.participant(workshop)

    def queries():
        with CaptureQueriesContext(connection) as made:
            assert phone(who).get(url(workshop)).status_code == 200
        return len(made)

    counted = []
    for place in range(4):
        poll = factories.launched(workshop, place)
        factories.vote(who, poll, "a")
        counted.append(queries())
    assert counted[1] == counted[3]
    assert counted[3] <= 20


def test_a_double_tap_on_continue_is_one_person(workshop):
    client = phone()
    path = f"/w/{workshop.code}/consent/"
    page = client.get(path).content.decode()
    once = re.search(r'name="once" value="([^"]+)"', page)[1]
    for _tap in range(2):
        # the second tap leaves before the first one's cookie has come
        client.cookies.pop(django_settings.PARTICIPANT_COOKIE_NAME, None)
        client.post(path, {"consent": ["read", "pooled"], "once": once})
    assert Participant.objects.filter(workshop=workshop).count() == 1
    other = phone()
    assert once not in other.get(path).content.decode()
