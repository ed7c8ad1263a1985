"""Plans in the browser: made, kept from a workshop, changed, copied, removed; planned workshops brought along."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from tests import factories as make
from workshops.actions import facilitation, log
from workshops.actions.authoring import plans
from workshops.actions.authoring.programme_file import load
from workshops.actions.authoring.workshops import plan_workshop
from workshops.models import LogEntry, Plan, Role, Workshop
from workshops.programmes import plan_edits
from workshops.programmes.file import io as file_io

pytestmark = pytest.mark.django_db
PROGRAMMES = Path(__file__).parents[3] / "programmes"


@pytest.fixture
def programme():
    return load((PROGRAMMES / "ideal_baby_room.toml").read_text()).programme


@pytest.fixture
def other_programme():
    return load((PROGRAMMES / "our_own_baby_room.toml").read_text()).programme


@pytest.fixture
def plan(programme):
    return programme.plans.get()


@pytest.fixture
def person(programme):
    return make.staff(programme)


@pytest.fixture
def facilitator(person):
    return make.signed_in(person)


@pytest.fixture
def address(programme, plan):
    return f"/programmes/{programme.key}/plans/{plan.key}/"


def titles(workshop: Workshop) -> list[str]:
    return list(workshop.agenda.filter(profile=False).order_by("position").values_list("title", flat=True))


# --- who may ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("get", "/programmes/{key}/plans/", (200, 200, 403, 404)),
        ("get", "/programmes/{key}/plans/one-hour/", (200, 200, 403, 404)),
        ("get", "/programmes/{key}/plans/no-such/", (404, 404, 403, 404)),
        ("post", "/programmes/{key}/plans/one-hour/", (404, 404, 403, 404)),
        ("get", "/programmes/{key}/plans/one-hour/copy/", (405, 405, 405, 405)),
        ("post", "/programmes/{key}/plans/one-hour/copy/", (302, 302, 403, 404)),
        ("post", "/programmes/{key}/plans/one-hour/remove/", (404, 302, 403, 404)),
        ("get", "/programmes/{key}/plans/one-hour/bring/", (200, 200, 403, 404)),
        ("get", "/workshops/{code}/keep-as-plan/", (200, 200, 403, 404)),
    ],
)
def test_plans_open_to_those_who_run_workshops(method, path, statuses, programme, plan):
    address = path.format(key=programme.key, code=plan_workshop(programme, plan).code)
    people = [make.staff(programme, role) for role in (Role.OWNER, Role.FACILITATOR, Role.RESEARCHER)]
    people.append(make.person())
    found = [getattr(make.signed_in(one), method)(address).status_code for one in reversed(people)]
    assert tuple(reversed(found)) == statuses


# --- the list -----------------------------------------------------------------------------------------------


def test_a_plan_is_made_by_its_title(facilitator, programme):
    response = facilitator.post(
        f"/programmes/{programme.key}/plans/", {"title": "Half an hour", "minutes": "30"}
    )
    assert response.url == f"/programmes/{programme.key}/plans/half-an-hour/"
    assert "The agenda is empty." in facilitator.get(response.url).content.decode()
    made = programme.plans.get(key="half-an-hour")
    assert (made.minutes, made.agenda, made.profile) == (30, [], [])
    assert "Made the plan “Half an hour”" in [log.sentence(one) for one in programme.log.all()]


def test_a_plan_without_a_title_is_refused_in_a_sentence(facilitator, programme):
    text = facilitator.post(
        f"/programmes/{programme.key}/plans/", {"title": "", "minutes": "0"}
    ).content.decode()
    assert "Give the plan a title." in text
    assert "Write a number of at least 1." in text
    assert programme.plans.count() == 1


def test_a_copy_is_a_plan_of_its_own(facilitator, programme, plan, address):
    response = facilitator.post(f"{address}copy/")
    copy = programme.plans.exclude(pk=plan.pk).get()
    assert response.url == f"/programmes/{programme.key}/plans/{copy.key}/"
    assert copy.title == f"{plan.title}, copy"
    assert (copy.agenda, copy.profile, copy.minutes) == (plan.agenda, plan.profile, plan.minutes)


def test_a_removed_plan_is_on_no_list_and_can_be_brought_back(facilitator, person, programme, plan, address):
    workshop = plan_workshop(programme, plan)
    facilitator.post(f"{address}remove/")
    assert facilitator.get(address).status_code == 404
    assert f'href="{address}"' not in facilitator.get(f"/programmes/{programme.key}/plans/").content.decode()
    assert (
        f'name="plan" value="{plan.pk}"'
        not in facilitator.get(f"/programmes/{programme.key}/plan/").content.decode()
    )
    assert Workshop.objects.get(pk=workshop.pk).plan_id == plan.pk
    log.undo(log.last_undoable(person, programme=programme), person)
    assert facilitator.get(address).status_code == 200


def test_the_list_takes_the_same_queries_for_one_plan_and_for_three(
    facilitator, programme, plan, django_assert_num_queries
):
    for made in range(3):
        if made != 1:
            with django_assert_num_queries(7):
                facilitator.get(f"/programmes/{programme.key}/plans/")
        plans.copy_plan(plan, None)


def test_without_plans_the_page_says_how_to_come_to_one(facilitator, programme):
    programme.plans.all().delete()
    text = facilitator.get(f"/programmes/{programme.key}/plans/").content.decode()
    assert "No plans yet" in text
    assert "Keep as a plan" in text


# --- kept from a workshop -----------------------------------------------------------------------------------


def test_a_workshop_is_kept_as_a_plan_and_a_workshop_from_it_has_the_same_agenda(
    facilitator, programme, plan
):
    source = plan_workshop(programme, plan, minutes=45)
    item = source.agenda.get(title="Where in the nursery")
    item.title, item.minutes, item.notes = "The place", 9, "Ask the quiet ones first"
    item.save()
    response = facilitator.post(f"/workshops/{source.code}/keep-as-plan/", {"title": "As it went"})
    kept = programme.plans.get(title="As it went")
    assert response.url == f"/programmes/{programme.key}/plans/{kept.key}/"
    made = plan_workshop(programme, kept)
    facts = [(one.title, one.minutes, one.notes, one.kind, one.profile) for one in source.agenda.all()]
    assert [(one.title, one.minutes, one.notes, one.kind, one.profile) for one in made.agenda.all()] == facts
    assert made.minutes == 45
    source.refresh_from_db()
    assert source.plan == kept


def test_a_plan_with_notes_is_the_same_after_export_and_load(programme, plan):
    plan.agenda[0]["notes"] = "Say hello.\nSmile."
    plan.save()
    text = file_io.export(programme)
    load(text)
    assert programme.plans.get().agenda[0]["notes"] == "Say hello.\nSmile."
    assert file_io.export(programme) == text


# --- one plan -----------------------------------------------------------------------------------------------


def test_steps_show_the_clock_and_what_they_are(facilitator, address):
    text = facilitator.get(address).content.decode()
    assert '<span class="at">0:00</span>' in text
    assert "8 questions" in text
    assert "<b>60</b> of 60 minutes" in text


def do(client, address, plan, what, step="", **more):
    plan.refresh_from_db()
    return client.post(address, {"do": what, "step": step, "rev": plan.rev} | more)


def test_a_step_is_moved_removed_and_given_minutes(facilitator, plan, address):
    first, second = plan_edits.names(plan.agenda)[:2]
    assert do(facilitator, address, plan, "down", first).url == f"{address}#step-{first}"
    plan.refresh_from_db()
    assert plan_edits.names(plan.agenda)[:2] == [second, first]
    do(facilitator, address, plan, "up", second)
    do(facilitator, address, plan, "minutes", first, minutes="12", was="5")
    do(facilitator, address, plan, "remove", second)
    plan.refresh_from_db()
    assert plan_edits.names(plan.agenda)[0:2] == [second, first] or second not in plan_edits.names(
        plan.agenda
    )
    assert plan.agenda[plan_edits.names(plan.agenda).index(first)]["minutes"] == 12
    assert second not in plan_edits.names(plan.agenda)
    assert LogEntry.objects.filter(verb="changed_plan").count() == 3


def test_a_step_is_edited_in_place(facilitator, plan, address):
    name = "poll-location"
    text = facilitator.get(f"{address}?edit={name}").content.decode()
    assert "Notes for the people who run it" in text
    do(facilitator, address, plan, "save", name, title="The place", minutes="4", notes="Slowly")
    plan.refresh_from_db()
    entry = plan.agenda[plan_edits.names(plan.agenda).index(name)]
    assert entry == {"poll": "location", "minutes": 4, "title": "The place", "notes": "Slowly"}
    do(facilitator, address, plan, "save", name, title="", minutes="4", notes="")
    plan.refresh_from_db()
    assert plan.agenda[plan_edits.names(plan.agenda).index(name)] == {"poll": "location", "minutes": 4}


def test_wrong_minutes_stand_at_their_step_and_stay_typed(facilitator, plan, address):
    response = do(facilitator, address, plan, "minutes", "poll-location", minutes="soon")
    assert response.status_code == 422
    text = response.content.decode()
    assert 'id="minutes-poll-location-error"' in text
    assert 'value="soon"' in text
    response = do(facilitator, address, plan, "save", "poll-location", title="T", minutes="601", notes="N")
    text = response.content.decode()
    assert "Write the minutes as a whole number from 0 to 600." in text
    assert 'value="601"' in text


def test_of_two_who_change_a_plan_the_second_is_told_and_keeps_what_was_typed(
    facilitator, programme, plan, address
):
    other = make.staff(programme)
    plans.change_plan(plan, other, plan.rev, title="Ninety")
    said = {
        "do": "save",
        "step": "poll-location",
        "rev": "0",
        "title": "Mine",
        "minutes": "3",
        "notes": "Typed",
    }
    text = facilitator.post(address, said).content.decode()
    assert f"{other.email} has changed this plan since you opened it." in text
    assert ">Typed</textarea>" in text
    assert 'value="Mine"' in text
    text = facilitator.post(address, {"do": "up", "step": "poll-location", "rev": "0"}).content.decode()
    assert "Look, and press again." in text
    plan.refresh_from_db()
    assert plan.rev == 1


def test_a_step_that_is_gone_is_said(facilitator, plan, address):
    text = do(facilitator, address, plan, "remove", "poll-no-such").content.decode()
    assert "This step is gone" in text


def test_questions_are_found_in_the_bank_and_added_once(facilitator, programme, plan, address):
    programme.plans.filter(pk=plan.pk).update(agenda=[], profile=[])
    text = facilitator.get(f"{address}?text=outdoors").content.decode()
    ref = text.partition('name="ref" value="')[2].partition('"')[0]
    assert do(facilitator, address, plan, "known", ref=ref).url.endswith("#step-poll-outdoors")
    plan.refresh_from_db()
    assert plan.agenda == [{"poll": "outdoors", "minutes": 2}]
    text = do(facilitator, address, plan, "known", ref=ref).content.decode()
    assert "This plan asks this question already." in text


def test_a_pasted_list_becomes_questions_of_the_bank_and_steps(facilitator, programme, plan, address):
    programme.plans.filter(pk=plan.pk).update(agenda=[])
    words = "What helps most? (4 min)\n- A mentor\n- A course\n\nAnything else?\n- Yes\n- No"
    do(facilitator, address, plan, "add", text=words)
    plan.refresh_from_db()
    assert [entry["minutes"] for entry in plan.agenda] == [4, 2]
    made = programme.bank.instruments.get(key=plan.agenda[0]["poll"])
    assert [option.label for option in made.latest.question.options] == ["A mentor", "A course"]
    assert plan_workshop(programme, plan).agenda.filter(profile=False).count() == 2


def test_a_talk_and_a_pause_are_added(facilitator, programme, plan, address):
    do(facilitator, address, plan, "talk", text="What would you change?")
    do(facilitator, address, plan, "pause", text="Tea (15 min)")
    plan.refresh_from_db()
    assert plan.agenda[-1] == {"pause": "Tea", "minutes": 15}
    assert programme.prompts.get(key=plan.agenda[-2]["prompt"]).text == "What would you change?"


def test_an_empty_box_says_what_to_do(facilitator, plan, address):
    assert "Write a question first" in do(facilitator, address, plan, "add", text=" ").content.decode()


def test_questions_about_people_are_taken_out_and_put_back(facilitator, plan, address):
    first = plan.profile[0]
    do(facilitator, address, plan, "profile-remove", key=first)
    plan.refresh_from_db()
    assert first not in plan.profile
    plan_workshop(plan.programme, plans.copy_plan(plan, None))
    other = plans.add_plan(plan.programme, None, "Other", profile=[first])
    do(facilitator, address, plan, "profile-add", key=first)
    plan.refresh_from_db()
    assert plan.profile[-1] == first
    assert other.profile == [first]


def test_what_was_removed_from_the_programme_is_marked_in_the_plan(facilitator, programme, address):
    programme.bank.instruments.filter(key="outdoors").update(removed_at=timezone.now())
    text = facilitator.get(address).content.decode()
    assert "Removed from the programme: bring it back, or take it out here." in text


def test_title_and_length_are_changed(facilitator, plan, address):
    do(facilitator, address, plan, "facts", title="Ninety", minutes="90")
    plan.refresh_from_db()
    assert (plan.title, plan.minutes) == ("Ninety", 90)
    text = do(facilitator, address, plan, "facts", title="", minutes="90").content.decode()
    assert "Give the plan a title." in text


def test_a_plan_becomes_one_for_questionnaires_and_its_workshops_are_such(
    facilitator, programme, plan, address
):
    do(facilitator, address, plan, "facts", title=plan.title, minutes="60", mode="questionnaire")
    plan.refresh_from_db()
    assert plan_workshop(programme, plan).is_questionnaire
    do(facilitator, address, plan, "facts", title="Renamed", minutes="60")
    plan.refresh_from_db()
    assert plan.mode == "questionnaire"
    text = do(facilitator, address, plan, "facts", title="Renamed", minutes="60", mode="dance").content
    assert "Choose how people take part." in text.decode()


def test_a_plan_is_made_for_questionnaires(facilitator, programme):
    form = {"title": "Before we meet", "minutes": "20", "mode": "questionnaire"}
    page = facilitator.post(f"/programmes/{programme.key}/plans/", form, follow=True).content.decode()
    assert '<input type="radio" name="mode" value="questionnaire" checked>' in page


def test_steps_are_shown_as_phones_show_them(facilitator, plan, address):
    text = facilitator.get(address).content.decode()
    asked = [entry for entry in plan.agenda if not entry.get("pause")]
    assert text.count('class="thumb"') == len(asked)
    assert "Talk together, in your group" in text


# --- brought along ------------------------------------------------------------------------------------------


@pytest.fixture
def three(programme, plan):
    """Two planned workshops, of which the second was edited, and one that runs."""
    start = timezone.now() + timedelta(days=1)
    made = [
        plan_workshop(programme, plan, title=name, starts_at=start) for name in ("Like it", "Edited", "Runs")
    ]
    made[1].agenda.filter(title="Where in the nursery").update(minutes=30)
    facilitation.start(made[2].pk, None)
    return made


def change(plan: Plan) -> None:
    """Another order, one step less, one more, other minutes."""
    agenda = [entry for entry in plan.agenda if entry.get("poll") != "outdoors"]
    agenda = [*plan_edits.moved(agenda, 0, 1), {"pause": "Tea", "minutes": 5}]
    plans.change_plan(plan, None, None, agenda=agenda, minutes=75)


def bring(client, address, plan, *chosen):
    page = client.get(f"{address}bring/").content.decode()
    said = {"workshop": [str(one.pk) for one in chosen], "rev": plan.rev}
    for one in chosen:
        said[f"seen-{one.pk}"] = page.partition(f'name="seen-{one.pk}" value="')[2].partition('"')[0]
    return client.post(f"{address}bring/", said)


def test_planned_workshops_are_offered_with_what_would_change_and_edited_ones_unticked(
    facilitator, plan, address, three
):
    change(plan)
    assert (
        "2 planned workshops made from this plan are not like it now."
        in facilitator.get(address).content.decode()
    )
    followers = facilitator.get(f"{address}bring/").context["followers"]
    assert [(one.workshop, one.ticked, one.edited) for one in followers] == [
        (three[0], True, False), (three[1], False, True),
    ]  # fmt: skip
    found = followers[0].differences
    assert (found.added, found.removed, found.changed) == (["Tea"], ["Way to the outdoors"], [])
    assert (found.moved, found.length) == (True, (60, 75))
    assert followers[1].differences.changed == ["Where in the nursery"]
    text = facilitator.get(f"{address}bring/").content.decode()
    assert "Somebody has edited its own agenda. Ticked, those edits are lost." in text


def test_ticked_workshops_get_the_agenda_and_no_other_is_touched(
    facilitator, programme, plan, address, three
):
    kept = three[0].agenda.get(title="Where in the nursery")
    before = [titles(one) for one in three]
    change(plan)
    response = bring(facilitator, address, plan, three[0], three[2])
    assert response.url == address
    assert titles(three[0]) == titles(plan_workshop(programme, plan))
    assert [titles(one) for one in three[1:]] == before[1:]
    assert three[0].agenda.get(title="Where in the nursery").poll_id == kept.poll_id
    assert Workshop.objects.get(pk=three[0].pk).minutes == 75
    assert [one.workshop for one in facilitator.get(f"{address}bring/").context["followers"]] == [three[1]]


def test_bringing_along_is_taken_back_in_one_piece(facilitator, person, programme, plan, address, three):
    before = titles(three[0])
    change(plan)
    bring(facilitator, address, plan, *three[:2])
    assert titles(three[0]) == titles(three[1]) != before
    log.undo(log.last_undoable(person, programme=programme), person)
    assert titles(three[0]) == before


def test_a_workshop_that_was_edited_after_the_page_is_left_alone_and_that_is_said(
    facilitator, plan, address, three
):
    change(plan)
    said = {"workshop": [three[0].pk], f"seen-{three[0].pk}": "old", "rev": plan.rev}
    text = facilitator.post(f"{address}bring/", said).content.decode()
    assert "Look again; nothing was changed yet." in text
    assert "Tea" not in titles(three[0])


def test_the_offer_takes_the_same_queries_for_one_workshop_and_for_three(
    facilitator, programme, plan, address, django_assert_num_queries
):
    for made in range(3):
        plan_workshop(programme, plan)
        if made == 0:
            change(plan)
        if made != 1:
            with django_assert_num_queries(10):
                facilitator.get(f"{address}bring/")
            Workshop.objects.update(minutes=61)
