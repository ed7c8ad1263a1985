"""The wall and the console in every state: what a person must read there, and what must not be there."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from polls.models import Bank, Instrument, InstrumentVersion, Poll
from polls.types import POLL_TYPES, Question
from polls.types.base import Option
from workshops import screens
from workshops.actions import facilitation, moderation
from workshops.models import AgendaItem, Domain, Membership, Participant, Programme, Prompt, Workshop
from workshops.screens import queries
from workshops.signals.topics import SHOWN, Audience, Topic

from ... import factories

pytestmark = pytest.mark.django_db

BABIES = Question(
    type="single_choice",
    text="How many babies are in the room?",
    options=(Option("few", "6 to 8"), Option("many", "9 to 12")),
)
WORDS = Question(type="words", text="How does it feel?", settings={"max_entries": 3, "max_length": 40})


@pytest.fixture
def facilitator():
    return get_user_model().objects.create_user("facilitator", "facilitator@example.org", "a long password 1")


@pytest.fixture
def workshop(facilitator):
    """Planned: a pause, two questions, a prompt."""
    programme = Programme.objects.create(
        key="rooms",
        title="Rooms",
        closing="See you in spring.",
        bank=Bank.objects.create(key="rooms", title="Rooms"),
    )
    Membership.objects.create(programme=programme, user=facilitator, role="facilitator")
    workshop = Workshop.objects.create(
        programme=programme,
        title="The ideal baby room",
        number=3,
        expected=25,
        sheet=factories.sheet(programme),
    )
    domain = Domain.objects.create(programme=programme, key="feel", title="Look and feel")
    prompt = Prompt.objects.create(
        programme=programme,
        key="walk",
        domain=domain,
        text="Walk us in: what do you see?",
        probes=["And hear?"],
    )
    steps = [
        {"kind": "pause", "title": "Welcome everybody"},
        {"kind": "poll", "title": "Number of babies", "poll": asked(programme, "babies", BABIES)},
        {"kind": "poll", "title": "Words", "poll": asked(programme, "words", WORDS)},
        {"kind": "prompt", "title": "Breakout", "prompt": prompt},
    ]
    for position, step in enumerate(steps):
        AgendaItem.objects.create(workshop=workshop, position=position, minutes=5, **step)
    return workshop


def asked(programme: Programme, key: str, question: Question) -> Poll:
    instrument = Instrument.objects.create(bank=programme.bank, key=key, name=key)
    version = InstrumentVersion.objects.create(instrument=instrument, number=1, definition=question.as_json())
    return Poll.objects.create(version=version)


def item(workshop: Workshop, title: str) -> AgendaItem:
    return workshop.agenda.select_related("poll__version").get(title=title)


def launch(workshop: Workshop, by, title: str) -> AgendaItem:
    if not Workshop.objects.get(pk=workshop.pk).is_running:
        facilitation.start(workshop.pk, by)
    facilitation.launch(workshop.pk, by, item(workshop, title).pk)
    return item(workshop, title)


def join(workshop: Workshop, people: int, **more) -> list[Participant]:
    more = {"sheet": workshop.sheet, "consent": ["read", "pooled"]} | more
    return [Participant.objects.create(workshop=workshop, **more) for _ in range(people)]


def answer(poll: Poll, people: list[Participant], value) -> None:
    for person in people:
        factories.vote(person, poll, value)


def drawn(workshop: Workshop, audience: Audience) -> str:
    """All fragments of an audience, as the hub draws them: no request, no person, no token."""
    scene = screens.Scene.load(workshop.pk, online=2)
    return "\n".join(screens.draw(scene, topic, audience) for topic in SHOWN[audience])


def words_of(html: str) -> str:
    """What stands on the screen, without tags, in one line."""
    html = re.sub(r"<(script|style).*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def wall(workshop: Workshop) -> str:
    return words_of(drawn(workshop, Audience.WALL))


def console(workshop: Workshop) -> str:
    return words_of(drawn(workshop, Audience.CONSOLE))


def wall_page(workshop: Workshop) -> str:
    return Client().get(f"/wall/{workshop.wall_key}/").content.decode()


def console_page(workshop: Workshop, by) -> str:
    client = Client()
    client.force_login(by, backend="django.contrib.auth.backends.ModelBackend")
    return client.get(f"/workshops/{workshop.code}/console/").content.decode()


# --- every state draws -----------------------------------------------------------------------------


def planned(workshop, by): ...


def joining(workshop, by):
    facilitation.start(workshop.pk, by)
    join(workshop, 18)


def open_question(workshop, by):
    people = join(workshop, 4)
    answer(launch(workshop, by, "Number of babies").poll, people[:3], "few")


def closing_soon(workshop, by):
    open_question(workshop, by)
    facilitation.close_in(workshop.pk, by, 20)


def closed(workshop, by):
    open_question(workshop, by)
    facilitation.close(workshop.pk, by)


def closed_and_hidden(workshop, by):
    closed(workshop, by)
    facilitation.show_result(workshop.pk, by, False)


def in_groups(workshop, by):
    launch(workshop, by, "Breakout")
    facilitation.start_timer(workshop.pk, by, 600)


def pause(workshop, by):
    launch(workshop, by, "Welcome everybody")


def ended(workshop, by):
    joining(workshop, by)
    facilitation.end(workshop.pk, by)


def rehearsing(workshop, by):
    facilitation.start(workshop.pk, by)
    join(workshop, 23, rehearsal=True)


STATES = {
    planned: ("The doors open in a moment.", "Open the doors"),
    joining: ("18 people are here", "Begin: Welcome everybody"),
    open_question: ("3 of 4 people have answered", "Close voting"),
    closing_soon: ("until voting closes", "Voting closes in"),
    closed: ("3 of 4 answered", "Reopen voting"),
    closed_and_hidden: ("Voting is closed", "Show results"),
    in_groups: ("Walk us in: what do you see?", "Stop the timer"),
    pause: ("Welcome everybody", "Next: Number of babies"),
    ended: ("See you in spring.", "The workshop has ended"),
    rehearsing: ("Rehearsal", "23 rehearsal phones"),
}


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_person_reads_the_state_on_wall_and_console(state, workshop, facilitator):
    state(workshop, facilitator)
    on_wall, on_console = STATES[state]
    assert on_wall in wall(workshop)
    assert on_console in console(workshop)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_first_page_and_fragments_say_the_same(state, workshop, facilitator):
    state(workshop, facilitator)
    on_wall, on_console = STATES[state]
    assert on_wall in words_of(wall_page(workshop))
    assert on_console in words_of(console_page(workshop, facilitator))


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_no_page_has_an_inline_style_or_a_repeated_id(state, workshop, facilitator):
    state(workshop, facilitator)
    for page in (wall_page(workshop), console_page(workshop, facilitator)):
        assert re.findall(r"\sstyle\s*=", page) == []
        assert re.findall(r"\son[a-z]+\s*=\s*\"", page) == []
        ids = re.findall(r"\sid=\"([^\"]+)\"", page)
        assert sorted(ids) == sorted(set(ids))
        assert page.count("<h1") == 1


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_one_main_button_or_none(state, workshop, facilitator):
    state(workshop, facilitator)
    scene = screens.Scene.load(workshop.pk)
    stage = screens.draw(scene, Topic.STAGE, Audience.CONSOLE)
    assert stage.count('id="main-button"') == (0 if state is ended else 1)


@pytest.mark.parametrize("audience", [Audience.WALL, Audience.CONSOLE])
def test_the_root_of_every_fragment_is_its_topic(audience, workshop, facilitator):
    open_question(workshop, facilitator)
    scene = screens.Scene.load(workshop.pk)
    for topic in SHOWN[audience]:
        first = re.search(r"<[a-z]+[^>]*>", screens.draw(scene, topic, audience)).group()
        assert f'id="{topic}"' in first


@pytest.mark.parametrize("name", sorted(POLL_TYPES))
def test_every_poll_type_draws_before_the_first_answer(name, workshop, facilitator):
    options = (Option("a", "A"), Option("b", "B"))
    settings = {"points": ["Low", "Middle", "High"]} if name == "scale" else {}
    has_options = POLL_TYPES[name].has_options
    question = Question(type=name, text="Which?", options=options if has_options else (), settings=settings)
    poll = asked(workshop.programme, f"{name}-new", question)
    AgendaItem.objects.create(workshop=workshop, position=9, kind="poll", title=name, poll=poll)
    launch(workshop, facilitator, name)
    assert "Which?" in wall(workshop)
    facilitation.close(workshop.pk, facilitator)
    assert "0 of 0 answered" in wall(workshop)
    assert "Reopen voting" in console(workshop)


# --- the wall ----------------------------------------------------------------------------------------


def test_the_wall_says_how_to_join(workshop, facilitator):
    page = wall_page(workshop)
    assert "Go to testserver and type" in words_of(page)
    assert workshop.spaced_code in page
    assert f"http://testserver/w/{workshop.code}/" in page
    assert '<svg role="img" aria-label="QR code' in page


def test_the_wall_never_shows_a_result_that_is_not_revealed(workshop, facilitator):
    open_question(workshop, facilitator)
    assert "6 to 8" not in drawn(workshop, Audience.WALL)
    facilitation.close(workshop.pk, facilitator)
    assert "6 to 8" in wall(workshop)
    facilitation.show_result(workshop.pk, facilitator, False)
    assert "6 to 8" not in drawn(workshop, Audience.WALL)
    assert "6 to 8" not in wall_page(workshop)


def test_unchecked_words_never_reach_the_wall(workshop, facilitator):
    people = join(workshop, 3)
    poll = launch(workshop, facilitator, "Words").poll
    answer(poll, people[:2], ["calm"])
    answer(poll, people[2:], ["Sunny Lane"])
    facilitation.close(workshop.pk, facilitator)
    assert "calm" not in wall_page(workshop)
    moderation.check_texts(workshop.pk, facilitator, factories.refs(poll, "calm"), True)
    moderation.check_texts(workshop.pk, facilitator, factories.refs(poll, "Sunny Lane"), False)
    page = wall_page(workshop)
    assert "calm" in page
    assert "Sunny Lane" not in page


def test_the_body_of_the_wall_has_the_classes_that_live_js_sets(workshop, facilitator):
    in_groups(workshop, facilitator)
    page = wall_page(workshop)
    body = re.search(r'<body class="([^"]*)"', page).group(1).split()
    assert body == re.search(r'data-body="([^"]*)"', page).group(1).split()
    assert body == ["wall", "is-deep", "is-breakout"]


def test_a_clock_does_not_make_a_new_picture_every_second(workshop, facilitator):
    in_groups(workshop, facilitator)
    scene = screens.Scene.load(workshop.pk)
    first = screens.draw(scene, Topic.CLOCK, Audience.WALL)
    later = screens.draw(scene, Topic.CLOCK, Audience.WALL, now=timezone.now() + timedelta(seconds=7))
    assert first == later


# --- the console -------------------------------------------------------------------------------------


def test_only_the_console_shows_bars_while_people_vote(workshop, facilitator):
    open_question(workshop, facilitator)
    assert "Only you can see these answers." in console(workshop)
    assert "6 to 8" in console(workshop)
    assert "1 more person is here but hasn’t opened the question." in console(workshop)


def test_words_wait_in_the_queue_and_can_be_changed_later(workshop, facilitator):
    people = join(workshop, 2)
    poll = launch(workshop, facilitator, "Words").poll
    answer(poll, people[:1], ["calm"])
    answer(poll, people[1:], ["<b>loud</b>"])
    scene = screens.Scene.load(workshop.pk)
    queue = screens.draw(scene, Topic.QUEUE, Audience.CONSOLE)
    assert "Show all 2 waiting" in words_of(queue)
    assert "&lt;b&gt;loud" in queue
    moderation.check_texts(workshop.pk, facilitator, [text.ref for text in scene.texts], True)
    queue = words_of(screens.draw(screens.Scene.load(workshop.pk), Topic.QUEUE, Audience.CONSOLE))
    assert "Nothing waiting." in queue
    assert "Checked already" in queue


def test_every_form_of_the_console_has_a_token_on_the_first_page_and_none_when_pushed(workshop, facilitator):
    open_question(workshop, facilitator)
    page = console_page(workshop, facilitator)
    assert page.count("<form") == page.count("csrfmiddlewaretoken")
    assert "csrfmiddlewaretoken" not in drawn(workshop, Audience.CONSOLE)


def test_gestures_that_move_the_stage_carry_its_revision(workshop, facilitator):
    open_question(workshop, facilitator)
    stage = screens.draw(screens.Scene.load(workshop.pk), Topic.STAGE, Audience.CONSOLE)
    revision = Workshop.objects.get(pk=workshop.pk).stage_rev
    forms = stage.count("<form")
    assert stage.count(f'name="rev" value="{revision}"') == forms + 1  # and once for the quick poll


def test_the_main_button_works_as_a_plain_form(workshop, facilitator):
    client = Client()
    client.force_login(facilitator, backend="django.contrib.auth.backends.ModelBackend")
    response = client.post(f"/workshops/{workshop.code}/do/start/", {"rev": "0"}, follow=True)
    assert "People are arriving" in response.content.decode()


def test_the_plan_against_the_hour(workshop, facilitator):
    launch(workshop, facilitator, "Number of babies")
    workshop.refresh_from_db()
    items = queries.stage_items(workshop)
    pace = queries.pace(workshop, items, workshop.began_at + timedelta(minutes=13))
    assert (pace.elapsed, pace.over) == (13, 3)
    assert [start for _step, start in pace.steps] == [0, 5, 10, 15]


def test_after_a_quick_poll_the_plan_goes_on(workshop, facilitator):
    facilitation.start(workshop.pk, facilitator)
    facilitation.quick_poll(workshop.pk, facilitator, "Tea or coffee?", "Tea\nCoffee")
    assert "Begin: Welcome everybody" in console(workshop)


# --- pages of words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("help", "Change my answer"),
        ("accessibility", "WCAG 2.2 AA"),
        ("privacy", "A random key"),
        ("concern", "call 999"),
    ],
)
def test_pages_of_words(name, words):
    page = Client().get(f"/{name}/").content.decode()
    assert words in page
    assert page.count("<h1") == 1
