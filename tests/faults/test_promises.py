"""The ten promises and who may do what, as far as one process can prove them; faults of a real server are tested elsewhere."""

from __future__ import annotations

import re
import threading

import pytest
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, connection, models, transaction

from polls import ballot_box, results
from polls.ballot_box import BallotSubmission, Receipt, Refusal
from polls.models import Ballot, Poll
from workshops import commands
from workshops.actions import facilitation, participation
from workshops.models import Role

from .. import factories
from ..factories import phone, signed_in, staff
from ..patience import PATIENCE

pytestmark = pytest.mark.django_db


@pytest.fixture
def workshop():
    return factories.workshop()


@pytest.fixture
def poll(workshop):
    return factories.launched(workshop)


def votes(who, poll, *values, first=1):
    return [
        participation.Vote(who.workshop_id, who.voter, poll.pk, value, f"{who.pk}-{seq}", seq)
        for seq, value in enumerate(values, first)
    ]


# --- P2, P3, P4: one effect, the latest, and closed is closed ------------------------------------------------------


def test_the_database_itself_keeps_a_second_ballot_out(workshop, poll):
    who = factories.participant(workshop)
    factories.vote(who, poll, "yes")
    with pytest.raises(IntegrityError), transaction.atomic():
        Ballot.objects.create(poll=poll, voter=who.voter, issued_at=poll.opened_at)


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_leave_one_ballot_with_the_latest_answer(workshop, poll):
    who = factories.participant(workshop)
    frames = votes(who, poll, *(["yes", "no"] * 10))
    together, failures = threading.Barrier(4, timeout=PATIENCE), []

    def write(mine):
        together.wait()
        try:
            for frame in mine:
                participation.write([frame])
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=[frames[n::4]]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    ballot = Ballot.objects.get(poll=poll, voter=who.voter)
    assert (ballot.value, ballot.seq) == ("no", 20)


@pytest.mark.django_db(transaction=True)
def test_no_answer_slips_in_behind_a_close(workshop, poll):
    """Whatever a receipt was given for is in the frozen result; what was refused is not."""
    people = [factories.participant(workshop) for _ in range(12)]
    together, outcomes = threading.Barrier(3, timeout=PATIENCE), []

    def write(mine):
        together.wait()
        try:
            outcomes.extend(factories.vote(who, poll, "yes") for who in mine)
        finally:
            connection.close()

    def close():
        together.wait()
        try:
            facilitation.close(workshop.pk, None)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=[people[n::2]]) for n in range(2)]
    threads.append(threading.Thread(target=close))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = sum(isinstance(outcome, Receipt) for outcome in outcomes)
    frozen = Poll.objects.get(pk=poll.pk).result
    assert stored == frozen["counts"]["cast"] == frozen["tally"]["n"] == poll.ballots.count()
    assert {o.code for o in outcomes if isinstance(o, Refusal)} <= {"closed"}


def test_a_replayed_batch_changes_nothing_at_all(workshop, poll):
    people = [factories.participant(workshop) for _ in range(3)]
    batch = [frame for who in people for frame in votes(who, poll, "yes", "no", "yes")]
    participation.write(batch)
    before = list(Ballot.objects.order_by("pk").values())
    outcomes = participation.write(list(reversed(batch)))
    assert list(Ballot.objects.order_by("pk").values()) == before
    assert sorted({getattr(outcome, "code", "ok") for outcome in outcomes}) == ["ok", "stale"]


# --- P6: shown numbers are recomputable -------------------------------------------------------------------------------


def test_the_frozen_result_is_the_recount_at_the_close(workshop, poll):
    people = [factories.participant(workshop) for _ in range(6)]
    for who, value in zip(people, ["yes", "no", None, "yes", None], strict=False):
        factories.vote(who, poll, value)
    facilitation.close(workshop.pk, None)
    closed = Poll.objects.select_related("version").get(pk=poll.pk)
    frozen, counted = results.read(closed), results.count(closed, joined=6)
    assert (frozen.tally, frozen.counts) == (counted.tally, counted.counts)


# --- P8: no identity ------------------------------------------------------------------------------------------------------

FORBIDDEN = re.compile(
    r"(^|_)(ip|addr|address|agent|browser|device|fingerprint_of|name_of|first_name|last_name|phone|locale)($|_)"
)
OURS = [model for app in ("polls", "workshops") for model in apps.get_app_config(app).get_models()]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_no_table_of_ours_has_a_place_for_who_somebody_is(model):
    for field in model._meta.get_fields():
        assert not FORBIDDEN.search(field.name), f"{model.__name__}.{field.name}"
        assert not isinstance(field, models.GenericIPAddressField)


def test_what_is_kept_of_a_person_is_this_and_no_more():
    participant = apps.get_model("workshops", "Participant")
    assert {field.name for field in participant._meta.get_fields()} == {
        "id", "workshop", "voter", "sheet", "consent", "joined_at", "profiled_at", "left_at", "table",
        "rehearsal", "cut_at",
    }  # fmt: skip
    ballot_links = {field.name for field in Ballot._meta.get_fields() if field.is_relation}
    assert ballot_links == {"poll"}


def test_an_hour_on_the_phone_leaves_no_address_and_no_answer_in_the_log(workshop, poll, caplog):
    caplog.set_level("DEBUG")
    client = phone(headers={"user-agent": "TellTale/9.9"}, REMOTE_ADDR="203.0.113.77")
    client.post(f"/w/{workshop.code}/consent/", {"consent": ["read", "pooled"]})
    client.get(f"/w/{workshop.code}/")
    client.post(f"/w/{workshop.code}/vote/", {"poll": poll.pk, "choice": "yes"})
    client.post(f"/w/{workshop.code}/vote/", {"poll": poll.pk, "choice": "secret-words"})
    client.get(f"/w/{workshop.code}/nowhere/")
    voter = workshop.participants.get().voter
    said = "\n".join(
        r.getMessage() for r in caplog.records if not r.name.startswith(("django.db", "django.template"))
    )
    for trace in ("203.0.113.77", "TellTale", voter, "secret-words"):
        assert trace not in said


def test_nothing_of_ours_logs_what_is_secret_at_the_levels_that_run():
    assert settings.LOGGING["loggers"]["daphne"]["level"] == "WARNING"
    assert settings.LOGGING["loggers"]["django.channels.server"]["propagate"] is False


# --- P9: workshops are isolated ------------------------------------------------------------------------------------------------


def test_no_vote_crosses_from_one_workshop_to_another(workshop, poll):
    other = factories.workshop()
    theirs, stranger = factories.launched(other), factories.participant(other)
    refused = participation.write(
        [
            participation.Vote(workshop.pk, stranger.voter, poll.pk, "yes", "o1", 1),  # a seat that lies
            participation.Vote(other.pk, stranger.voter, poll.pk, "yes", "o1", 1),
            participation.Vote(other.pk, stranger.voter, 10**9, "yes", "o1", 1),
            participation.QuestionSeen(other.pk, stranger.voter, poll.pk),
        ]
    )
    assert [outcome.code for outcome in refused] == ["consent", "forbidden", "forbidden", "forbidden"]
    assert refused[1].message == refused[2].message
    assert Ballot.objects.count() == 0
    assert factories.vote(stranger, theirs, "yes").status == "cast"


def test_a_batch_of_two_workshops_keeps_them_apart(workshop, poll):
    other = factories.workshop()
    theirs = factories.launched(other)
    mine, yours = factories.participant(workshop), factories.participant(other)
    participation.write([*votes(mine, poll, "yes"), *votes(yours, theirs, "no")])
    assert [(b.poll_id, b.value) for b in Ballot.objects.order_by("poll_id")] == [
        (poll.pk, "yes"),
        (theirs.pk, "no"),
    ]


def test_a_gesture_on_one_workshop_leaves_the_other_as_it_was(workshop, poll):
    other = factories.workshop()
    theirs = factories.launched(other)
    before = type(other).objects.filter(pk=other.pk).values().get()
    commands.run_staff_command(workshop.pk, None, commands.staff_command("end", {}))
    assert type(other).objects.filter(pk=other.pk).values().get() == before
    assert Poll.objects.get(pk=theirs.pk).is_open


# --- P10: the session survives its facilitator -----------------------------------------------------------------------------------


def test_another_facilitator_takes_over_where_the_first_one_stopped(workshop):
    first, second = (signed_in(staff(workshop.programme)) for _ in range(2))
    item = workshop.agenda.get()
    first.post(f"/workshops/{workshop.code}/do/launch/", {"item": item.pk})
    second.post(f"/workshops/{workshop.code}/do/close/")
    assert Poll.objects.get(pk=item.poll_id).is_closed


# --- who may do what -----------------------------------------------------------------------------------------------------------------

WHO = ("owner", "facilitator", "researcher", "outsider", "nobody")
DOORS = [
    ("get", "/workshops/{code}/console/", (200, 200, 403, 404, 302)),
    ("get", "/workshops/AAAAAA/console/", (404, 404, 404, 404, 302)),
    ("post", "/workshops/{code}/console/", (405, 405, 405, 405, 302)),
    *[
        ("post", f"/workshops/{{code}}/do/{name}/", (302, 302, 403, 404, 302))
        for name in sorted(commands.STAFF_COMMANDS)
    ],
    ("get", "/workshops/{code}/do/close/", (405, 405, 405, 405, 302)),
    ("post", "/workshops/{code}/do/no_such/", (404, 404, 403, 404, 302)),
    ("post", "/workshops/AAAAAA/do/close/", (404, 404, 404, 404, 302)),
    ("post", "/workshops/{code}/rehearse/", (302, 302, 403, 404, 302)),
    ("get", "/workshops/{code}/rehearse/", (405, 405, 405, 405, 302)),
    ("post", "/workshops/AAAAAA/rehearse/", (404, 404, 404, 404, 302)),
    ("get", "/wall/{wall}/", (200, 200, 200, 200, 200)),
    ("post", "/wall/{wall}/", (405, 405, 405, 405, 405)),
    ("get", "/wall/{code}/", (404, 404, 404, 404, 404)),
    ("get", "/wall/unknown/", (404, 404, 404, 404, 404)),
]


@pytest.fixture
def people(workshop):
    outsider = staff(factories.programme(), Role.OWNER)
    clients = {
        role: signed_in(staff(workshop.programme, role))
        for role in (Role.OWNER, Role.FACILITATOR, Role.RESEARCHER)
    }
    return {**clients, "outsider": signed_in(outsider), "nobody": phone()}


@pytest.mark.parametrize(("method", "path", "statuses"), DOORS, ids=[f"{m} {p}" for m, p, _ in DOORS])
def test_every_door_opens_to_exactly_those_who_may(method, path, statuses, workshop, people, monkeypatch):
    monkeypatch.setattr("workshops.web.views.staff_live._start_rehearsal", lambda *_: None)
    address = path.format(code=workshop.code, wall=workshop.wall_key)
    found = {who: getattr(people[who], method)(address) for who in WHO}
    # 422: let in, and told that the moment or the form is wrong
    assert tuple(302 if r.status_code == 422 else r.status_code for r in found.values()) == statuses
    if found["nobody"].status_code == 302:
        assert found["nobody"].headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("who", ["researcher", "outsider", "nobody"])
def test_who_may_not_changes_nothing(workshop, people, who, monkeypatch):
    monkeypatch.setattr(
        "workshops.web.views.staff_live._start_rehearsal", lambda *_: pytest.fail("phones were started")
    )
    item = workshop.agenda.get()
    for name in sorted(commands.STAFF_COMMANDS):
        people[who].post(
            f"/workshops/{workshop.code}/do/{name}/", {"item": item.pk, "seconds": 60, "text": "Which?"}
        )
    people[who].post(f"/workshops/{workshop.code}/rehearse/", {"phones": "3"})
    assert list(workshop.gestures.values_list("name", flat=True)) == ["start"]


def test_a_gesture_that_another_site_sends_is_refused(workshop):
    client = phone(enforce_csrf_checks=True)
    client.force_login(staff(workshop.programme), backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(f"/workshops/{workshop.code}/do/end/").status_code == 403
    workshop.refresh_from_db()
    assert workshop.is_running


def test_the_console_tells_no_voter_key_and_no_small_group(workshop, poll, people):
    who = factories.participant(workshop)
    factories.vote(who, poll, "yes")
    assert who.voter not in people["facilitator"].get(f"/workshops/{workshop.code}/console/").content.decode()


# --- P7 lives in tests of a real server; here: nothing is ever acknowledged by an announcement ----------------------------------------


def test_a_vote_is_stored_where_no_server_and_no_layer_runs(poll):
    assert isinstance(ballot_box.cast([BallotSubmission(poll.pk, "v1", "yes")])[0], Receipt)
