"""The card editor without a script: who may open it, what a post keeps, and what two editors are told."""

import re

import pytest
from django.urls import reverse

from polls import ballot_box
from polls.models import ComparabilityMark, Measure
from workshops.models import Membership, Role

from ... import factories
from ...poll_samples import QUESTIONS
from .pages import fields_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def programme():
    made = factories.programme()
    made.domains.create(key="room", title="The room")
    return made


@pytest.fixture
def workshop(programme):
    return factories.workshop(programme, QUESTIONS["single"], started=False)


@pytest.fixture
def item(workshop):
    return workshop.agenda.get()


@pytest.fixture
def instrument(item):
    return item.poll.version.instrument


@pytest.fixture
def client(programme):
    return factories.signed_in(factories.staff(programme))


@pytest.fixture
def page(programme, instrument):
    return reverse("question-edit", args=[programme.key, instrument.key])


@pytest.fixture
def step(workshop, item):
    return reverse("item-edit", args=[workshop.code, item.pk])


def post(client, address, **changes):
    """The form of this page as it stands there, with these changes."""
    fields = fields_of(client.get(address).content.decode(), "card")
    extra = {name: changes.pop(name) for name in list(changes) if name.startswith("HTTP_")}
    return client.post(
        address, fields | {name.replace("__", "-"): value for name, value in changes.items()}, **extra
    )


# --- who ---------------------------------------------------------------------------------------------


def test_strangers_learn_nothing_researchers_are_refused_and_runners_may(programme, page, step):
    stranger = factories.signed_in(factories.person())
    researcher = factories.signed_in(factories.staff(programme, Role.RESEARCHER))
    owner = factories.signed_in(factories.staff(programme, Role.OWNER))
    for address in (page, step, page + "preview/phone/", step + "preview/wall/"):
        assert stranger.get(address).status_code == 404
        assert researcher.get(address).status_code == 403
        assert owner.get(address).status_code == 200


def test_a_guest_changes_the_step_and_not_what_the_whole_programme_asks(
    programme, workshop, item, page, step
):
    guest = factories.person()
    Membership.objects.create(programme=programme, workshop=workshop, user=guest, role=Role.FACILITATOR)
    client = factories.signed_in(guest)
    assert client.get(page).status_code == 404
    post(client, step, minutes="7", text="Something else?")
    item.refresh_from_db()
    assert (item.minutes, item.poll.version.question.text) == (7, "Which?")


def test_a_step_of_a_workshop_that_has_ended_stays(client, workshop, step):
    workshop.status = "ended"
    workshop.save()
    assert client.post(step, {"minutes": "9"}).status_code == 302
    assert workshop.agenda.get().minutes == 0


# --- saving ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUESTIONS)
def test_posting_a_card_as_it_stands_on_the_page_changes_nothing(programme, client, name):
    instrument = factories.poll(QUESTIONS[name], bank=programme.bank).version.instrument
    before = instrument.latest.definition
    address = reverse("question-edit", args=[programme.key, instrument.key])
    assert post(client, address).status_code == 302
    instrument.refresh_from_db()
    assert (instrument.rev, instrument.latest.definition) == (0, before)
    assert not programme.log.exists()


def test_the_card_of_a_step_keeps_all_of_it(client, item, step, instrument):
    post(
        client,
        step,
        text="Where?",
        minutes="4",
        notes="Ask twice",
        reveal="live",
        options="Ground floor\nQuiet\nRoof",
    )
    item.refresh_from_db()
    question = instrument.latest.question
    assert (question.text, [option.label for option in question.options]) == (
        "Where?",
        ["Ground floor", "Quiet", "Roof"],
    )
    assert (item.minutes, item.notes, item.required_poll.reveal) == (4, "Ask twice", "live")


def test_an_unfinished_card_is_kept_and_says_what_is_missing(client, page, instrument):
    post(client, page, text="", options="Only one")
    assert instrument.latest.question.text == ""
    shown = client.get(page).content.decode()
    assert "Write the question first." in shown
    assert "Needs at least two options." in shown


def test_what_cannot_be_read_stands_at_its_field_and_the_rest_is_kept(client, page, instrument, step, item):
    answer = post(client, step, minutes="soon", text="Where?")
    assert answer.status_code == 200
    assert "Write whole minutes, like 5." in answer.content.decode()
    assert 'value="soon"' in answer.content.decode()
    assert instrument.latest.question.text == "Where?"


def test_done_leads_back_to_where_the_card_was(client, workshop, step, item):
    assert post(client, step, do="done").url == f"/workshops/{workshop.code}/#step-{item.pk}"


def test_a_sum_is_made_and_shown_with_its_figure(client, page, instrument):
    post(client, page, **{"sum": "0", "sum-0-name": "Low", "sum-0-member": ["a", "b"]})
    (measure,) = Measure.objects.all()
    assert (measure.label, measure.definition) == ("Low", {"members": ["a", "b"]})


# --- two editors -------------------------------------------------------------------------------------


def stale(client, programme, page, **changes):
    """This person's page was drawn before somebody else saved."""
    mine = fields_of(client.get(page).content.decode(), "card")
    other = factories.signed_in(factories.staff(programme))
    post(other, page, text="Theirs?", help="Their hint")
    return mine | changes


def test_a_stale_save_changes_nothing_and_shows_both_texts(client, programme, page, instrument):
    answer = client.post(page, stale(client, programme, page, text="Mine?"))
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert re.search(r"person\d+@example.org has changed this card too", shown)
    assert "Mine?" in shown
    assert "Theirs?" in shown
    assert instrument.latest.question.text == "Theirs?"


def test_what_only_the_other_changed_is_ticked_to_be_taken(client, programme, page, instrument):
    shown = client.post(page, stale(client, programme, page, text="Mine?")).content.decode()
    assert re.search(r'name="theirs" value="help" checked', shown)
    assert re.search(r'name="theirs" value="text">', shown)


def test_the_person_decides_field_by_field(client, programme, page, instrument):
    shown = client.post(page, stale(client, programme, page, text="Mine?")).content.decode()
    assert client.post(page, fields_of(shown, "card")).status_code == 302
    question = instrument.latest.question
    assert (question.text, question.help) == ("Mine?", "Their hint")


def test_an_autosave_that_is_stale_is_told_so(client, programme, page):
    answer = client.post(page, stale(client, programme, page, text="Mine?"), headers={"X-Autosave": "1"})
    assert answer.status_code == 409
    assert "Mine?" in answer.json()["html"]


# --- autosave ----------------------------------------------------------------------------------------


def test_an_autosave_answers_with_what_became_of_it(client, page, instrument, item):
    ballot_box.open_poll(item.poll_id)
    answer = post(
        client, page, options="Ground floor\nA quiet one\nGarden\nNone\nRoof", HTTP_X_AUTOSAVE="1"
    ).json()
    assert [change for change, _words in answer["lines"]] == ["same", "reworded", "same", "same", "new"]
    assert answer["rev"] == 1
    assert answer["draft"]
    assert "I added an option" in answer["after"]


# --- after answers exist -----------------------------------------------------------------------------


@pytest.fixture
def asked(item):
    ballot_box.open_poll(item.poll_id)


@pytest.mark.parametrize(("kind", "marks"), [("typo", ["typo"]), ("option", ["option"]), ("meaning", [])])
def test_a_new_version_says_what_was_changed(client, page, instrument, asked, kind, marks):
    post(
        client,
        page,
        options="Ground floor\nQuiet\nGarden\nNone\nRoof",
        do="publish",
        kind=kind,
        reason="Asked for",
    )
    assert list(ComparabilityMark.objects.values_list("kind", flat=True)) == marks
    assert instrument.latest.number == 2
    assert "Version 2" in client.get(page).content.decode()


def test_without_a_word_about_what_was_changed_there_is_no_new_version(client, page, instrument, asked):
    shown = post(client, page, text="Where?", do="publish").content.decode()
    assert "Say what you changed: choose one of these." in shown
    assert instrument.latest.number == 1
    assert "Where?" in client.get(page).content.decode()


def test_an_unfinished_draft_is_not_published(client, page, instrument, asked):
    shown = post(client, page, options="Only one", do="publish", kind="typo").content.decode()
    assert "Needs at least two options." in shown
    assert instrument.latest.number == 1


def test_publishing_twice_makes_one_version(client, page, instrument, asked):
    for _ in range(2):
        post(client, page, text="Where?", do="publish", kind="typo")
    assert instrument.versions.count() == 2


def test_keeping_the_version_drops_what_was_typed(client, page, instrument, asked):
    post(client, page, text="Where?")
    post(client, page, do="keep")
    assert instrument.versions.count() == 1
    assert "Where?" not in client.get(page).content.decode()


# --- prompts, pauses, new questions ------------------------------------------------------------------


def test_a_prompt_has_its_card_alone_and_as_a_step(client, programme, workshop):
    step = factories.prompt_item(workshop, "What is calm?")
    alone = reverse("prompt-edit", args=[programme.key, step.prompt.key])
    post(
        client, alone, text="What is quiet?", probes="Where?\n\nWhen?", domain=str(programme.domains.get().pk)
    )
    post(client, reverse("item-edit", args=[workshop.code, step.pk]), minutes="6", notes="Softly")
    step.refresh_from_db()
    assert (step.prompt.text, step.prompt.probes, step.title) == (
        "What is quiet?",
        ["Where?", "When?"],
        "What is quiet?",
    )
    assert (step.minutes, step.notes, step.prompt.domain) == (6, "Softly", programme.domains.get())


def test_a_pause_has_its_card(client, workshop):
    pause = factories.pause_item(workshop)
    post(client, reverse("item-edit", args=[workshop.code, pause.pk]), title="Coffee", minutes="5")
    pause.refresh_from_db()
    assert (pause.title, pause.minutes) == ("Coffee", 5)


@pytest.mark.parametrize(
    ("words", "type_", "expected", "options"),
    [
        ("How calm?\nVery\nA bit", "", "single_choice", ["Very", "A bit"]),
        ("In a word?", "", "words", []),
        ("How calm?\nNot\nA bit\nVery", "scale", "scale", []),
    ],
)
def test_a_new_question_is_made_from_lines(client, programme, words, type_, expected, options):
    answer = client.post(reverse("question-new", args=[programme.key]), {"words": words, "type": type_})
    made = programme.bank.instruments.get()
    assert answer.url == reverse("question-edit", args=[programme.key, made.key])
    question = made.latest.question
    assert (question.type, [option.label for option in question.options]) == (expected, options)


# --- previews ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("screen", ["phone", "wall"])
def test_every_type_is_drawn_on_both_screens_and_nothing_is_stored(
    client, programme, name, screen, django_assert_max_num_queries
):
    instrument = factories.poll(QUESTIONS[name], bank=programme.bank).version.instrument
    address = reverse(f"question-{screen}", args=[programme.key, instrument.key])
    with django_assert_max_num_queries(12):
        shown = client.get(address)
    assert QUESTIONS[name].text in shown.content.decode()
    assert shown.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in shown.headers["Content-Security-Policy"]


def test_a_question_that_cannot_be_asked_yet_says_so_in_its_preview(client, programme):
    instrument = factories.poll(QUESTIONS["single"], bank=programme.bank).version.instrument
    page = reverse("question-edit", args=[programme.key, instrument.key])
    post(client, page, options="One")
    assert "Needs at least two options." in client.get(page + "preview/wall/").content.decode()


def test_steps_of_every_kind_are_drawn(client, workshop, item):
    for each in (item, factories.prompt_item(workshop), factories.pause_item(workshop)):
        for screen in ("phone", "wall"):
            shown = client.get(reverse(f"item-{screen}", args=[workshop.code, each.pk])).content.decode()
            assert each.title in shown
