"""The pages of joining are drawn once for a whole hall, and nothing of anybody is on another's copy."""

from __future__ import annotations

import asyncio
import re
from collections import Counter

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client

from polls.models import Ballot, Poll
from workshops.actions import facilitation, groups
from workshops.actions.authoring import programme_file
from workshops.actions.authoring.workshops import plan_workshop
from workshops.models import Participant, Programme
from workshops.people.participant_cookie import ParticipantToken
from workshops.web.admission.handler import ParticipantHandler

from ... import factories
from ..asgi import ask, end_engine, is_strict, post, seat

pytestmark = pytest.mark.usefixtures("quiet_engine", "fresh_counts")

AGREED = {"consent": ["read", "voluntary", "pooled"], "once": "a" * 32}
INLINE = {
    "straight": "1"
}  # what a form's script adds, so that the answer is the next page and not the way to it


@pytest.fixture
def baby_room(transactional_db):
    """The first programme's workshop, which asks people two things about themselves; its first question is open."""
    path = settings.BASE_DIR / "programmes" / "ideal_baby_room.toml"
    programme_file.load(path.read_text(encoding="utf-8"), path.name)
    programme = Programme.objects.get(key="ideal-baby-room")
    workshop = plan_workshop(programme, programme.plans.first(), expected=2, observers=True)
    facilitation.start(workshop.pk, None)
    factories.launched(workshop, 1)
    return workshop


@pytest.fixture
async def door(baby_room, monkeypatch):
    """The workshop behind the real application, whose code somebody has looked up before; which pages are drawn."""
    drawn: Counter[str] = Counter()
    draw = ParticipantHandler._drawn

    async def counted(self, scope, path, view=None):
        drawn[path] += 1
        return await draw(self, scope, path, view)

    monkeypatch.setattr(ParticipantHandler, "_drawn", counted)
    await ask(f"/w/{baby_room.code}/")
    yield baby_room, drawn
    await end_engine()


def there(workshop, rest=""):
    return f"/w/{workshop.code}/{rest}"


def token_in(answer):
    """The participant token in an answer's cookie."""
    name, _, value = answer.headers["set-cookie"].partition(";")[0].partition("=")
    assert name == settings.PARTICIPANT_COOKIE_NAME
    return ParticipantToken.from_cookie(value)


async def join(workshop, **fields):
    return await post(there(workshop, "consent/"), AGREED | fields)


def asked_in(workshop):
    return sync_to_async(Poll.objects.select_related("version__instrument").get)(
        agenda_item=workshop.stage_item_id
    )


def everything(model):
    return sync_to_async(lambda: list(model.objects.all()))()


# --- one page for all ---------------------------------------------------------------------------------------


async def test_a_page_is_drawn_once_however_many_ask_for_it_at_once(door):
    workshop, drawn = door
    pages = [there(workshop), there(workshop, "consent/")]
    answers = await asyncio.gather(*(ask(page) for page in pages * 30))
    assert {answer.status for answer in answers} == {200}
    assert drawn == dict.fromkeys(pages, 1)
    assert all(is_strict(answer.headers["content-security-policy"]) for answer in answers)
    told = {answer.headers.get("set-cookie") for answer in answers}
    assert told == {None, "cookies=on; HttpOnly; Path=/; SameSite=Lax"}, "nobody's own"


async def test_every_copy_of_the_consent_form_has_an_idempotency_key_of_its_own(door):
    workshop, _drawn = door
    copies = [(await ask(there(workshop, "consent/"))).text for _ in range(5)]
    keys = {re.search(r'name="once" value="([0-9a-f]+)"', copy)[1] for copy in copies}
    assert len(keys) == 5


async def test_a_copy_is_what_django_answers_without_the_cache(door):
    workshop, _drawn = door
    own = lambda text: re.sub(r'(name="once" value|nonce)="[^"]+"', "", text)  # noqa: E731
    for rest in ("", "consent/"):
        shared = await ask(there(workshop, rest))
        long = await sync_to_async(Client().get)(there(workshop, rest))
        assert own(shared.text) == own(long.content.decode())
        names = {"cache-control", "content-language", "x-frame-options", "referrer-policy", "vary"}
        assert {name: shared.headers.get(name) for name in names - {"vary"}} == {
            name: long.headers.get(name) for name in names - {"vary"}
        }


async def test_a_policy_names_the_nonce_of_its_own_copy_and_no_other(door):
    workshop, _drawn = door
    await sync_to_async(Programme.objects.filter(pk=workshop.programme_id).update)(hue=20)
    await asyncio.sleep(0)
    nonces = set()
    for _ in range(3):
        answer = await ask(there(workshop, "consent/"))
        (nonce,) = set(re.findall(r'nonce="([^"]+)"', answer.text))
        assert f"'nonce-{nonce}'" in answer.headers["content-security-policy"]
        nonces.add(nonce)
    assert len(nonces) == 3


async def test_a_change_on_the_stage_is_on_the_next_copy(door):
    workshop, _drawn = door
    assert (await ask(there(workshop))).status == 200
    await sync_to_async(facilitation.end)(workshop.pk, None)
    await asyncio.sleep(0)  # the loop hears of it
    assert (await ask(there(workshop))).status == 404
    assert (await ask(there(workshop, "consent/"))).status == 404


async def test_a_browser_that_keeps_no_cookie_is_told_so_and_nothing_is_written(door):
    workshop, _drawn = door
    for fields in (AGREED, {"observe": "yes"}):
        answer = await post(there(workshop, "consent/"), fields, cookie="")
        assert (answer.status, "needs one small cookie" in answer.text) == (403, True)
        assert "set-cookie" not in answer.headers
    assert await everything(Participant) == []


async def test_looking_writes_nothing(door):
    workshop, _drawn = door
    for rest in ("", "consent/", "profile/"):
        await ask(there(workshop, rest))
        await ask(there(workshop, rest), method="HEAD")
    assert (await everything(Participant), await everything(Ballot)) == ([], [])


async def test_a_head_has_no_body(door):
    workshop, _drawn = door
    answer = await ask(there(workshop), method="HEAD")
    assert (answer.status, answer.text, int(answer.headers["content-length"]) > 0) == (200, "", True)


# --- the way in without a script -----------------------------------------------------------------------------


async def test_without_a_script_each_form_leads_on_by_a_redirect_to_a_shared_page(door):
    workshop, drawn = door
    answer = await join(workshop)
    assert (answer.status, answer.headers["location"]) == (302, there(workshop, "profile/"))
    cookie = answer.headers["set-cookie"].partition(";")[0]
    questions = await ask(there(workshop, "profile/"), cookie=cookie)
    assert (questions.status, "A little about your work" in questions.text) == (200, True)
    answer = await post(there(workshop, "profile/"), {"skip": "1"}, cookie=cookie)
    assert (answer.status, answer.headers["location"]) == (302, there(workshop))
    stage = await ask(there(workshop), cookie=cookie)
    assert (stage.status, 'class="ballot' in stage.text) == (200, True)
    assert {path: drawn[path] for path in (there(workshop), there(workshop, "profile/"))} == {
        there(workshop): 1, there(workshop, "profile/"): 1,
    }  # fmt: skip


async def test_everybody_who_has_just_joined_is_shown_one_stage_with_a_seed_of_their_own(door):
    workshop, _drawn = door
    people = [await sync_to_async(factories.participant)(workshop) for _ in range(3)]
    pages = [(await ask(there(workshop), cookie=seat(who))).text for who in people]
    seeds = {re.search(r'data-seed="([^"]+)"', page)[1] for page in pages}
    assert len(seeds) == 3
    own = lambda page: re.sub(r'data-(seed|now)="[^"]*"', "", page)  # noqa: E731
    assert len({own(page) for page in pages}) == 1
    assert not any(who.voter in page for who in people for page in pages)


async def test_an_own_answer_is_on_ones_own_page_alone(door):
    workshop, _drawn = door
    poll = await asked_in(workshop)
    voted, other = [await sync_to_async(factories.participant)(workshop) for _ in range(2)]
    await sync_to_async(factories.vote)(voted, poll, poll.question.options[0].key)
    label = poll.question.options[0].label
    assert f"Saved: {label}" in (await ask(there(workshop), cookie=seat(voted))).text
    assert f"Saved: {label}" not in (await ask(there(workshop), cookie=seat(other))).text


async def test_somebody_who_has_left_is_welcomed_anew(door):
    workshop, _drawn = door
    who = await sync_to_async(factories.participant)(workshop)
    await post(there(workshop, "leave/"), cookie=seat(who))
    assert "Join this workshop" in (await ask(there(workshop), cookie=seat(who))).text


async def test_a_seat_of_another_workshop_is_a_newcomers(door):
    workshop, _drawn = door
    stranger = await sync_to_async(lambda: factories.participant(factories.workshop()))()
    assert "Join this workshop" in (await ask(there(workshop), cookie=seat(stranger))).text


async def test_a_question_that_was_shown_by_a_shared_page_counts_as_shown(door):
    workshop, _drawn = door
    poll = await asked_in(workshop)
    who = await sync_to_async(factories.participant)(workshop)
    await ask(there(workshop), cookie=seat(who))
    vote = {"t": "shown", "poll": poll.pk}
    await post(there(workshop, "vote/"), frame=vote, cookie=seat(who))  # written after what came before
    assert [(ballot.poll_id, ballot.status) for ballot in await everything(Ballot)] == [(poll.pk, "issued")]


# --- the next page as the answer to a form -------------------------------------------------------------------


async def test_a_form_whose_script_asks_for_it_is_answered_with_the_next_page(door):
    workshop, _drawn = door
    questions = await join(workshop, **INLINE)
    assert (questions.status, "A little about your work" in questions.text) == (200, True)
    assert f'data-address="{there(workshop, "profile/")}"' in questions.text
    assert f'action="{there(workshop, "profile/")}"' in questions.text, "until the script has run"
    cookie = questions.headers["set-cookie"].partition(";")[0]
    stage = await post(there(workshop, "profile/"), {"skip": "1"} | INLINE, cookie=cookie)
    assert (stage.status, f'data-address="{there(workshop)}"' in stage.text) == (200, True)
    assert 'class="ballot' in stage.text
    assert is_strict(stage.headers["content-security-policy"])
    assert "no-store" in stage.headers["cache-control"]


async def test_the_seat_comes_with_the_answer_and_its_ballots_are_issued(door):
    workshop, _drawn = door
    answer = await join(workshop, **INLINE)
    (who,) = await everything(Participant)
    assert token_in(answer) == ParticipantToken(workshop.pk, who.voter)
    assert {"HttpOnly", "SameSite=Lax"} <= set(answer.headers["set-cookie"].split("; "))
    cookie = answer.headers["set-cookie"].partition(";")[0]
    await post(there(workshop, "profile/"), {"skip": "1"}, cookie=cookie)  # written after what came before
    assert {ballot.voter for ballot in await everything(Ballot)} == {who.voter}


async def test_the_same_form_sent_twice_makes_one_person(door):
    workshop, _drawn = door
    for fields in (INLINE, INLINE, {}):  # the answer of the first never came
        assert (await join(workshop, **fields)).status in (200, 302)
    assert len(await everything(Participant)) == 1


async def test_an_observer_comes_straight_to_the_stage_and_leaves_no_row(door):
    workshop, _drawn = door
    answer = await post(there(workshop, "consent/"), {"observe": "yes"} | INLINE)
    assert (answer.status, "You are here as an observer" in answer.text) == (200, True)
    assert token_in(answer).is_observer
    assert (await everything(Participant), await everything(Ballot)) == ([], [])


async def test_what_is_missing_is_said_and_no_seat_is_given(door):
    workshop, _drawn = door
    answer = await post(there(workshop, "consent/"), {"consent": ["pooled"]} | INLINE)
    assert (answer.status, "please tick everything" in answer.text) == (422, True)
    assert settings.PARTICIPANT_COOKIE_NAME not in answer.headers["set-cookie"]
    assert await everything(Participant) == []


async def test_while_groups_are_there_a_newcomer_is_sent_to_a_page_of_their_own(door):
    workshop, _drawn = door
    for _ in range(4):
        await sync_to_async(factories.participant)(workshop)
    await sync_to_async(groups.make)(workshop.pk, None, "random", groups=2)
    answer = await join(workshop, **INLINE)
    assert (answer.status, answer.headers["location"]) == (302, there(workshop, "profile/"))
