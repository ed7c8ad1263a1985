"""The console of a questionnaire, its forms, and its results on the wall."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from polls.models import Poll
from workshops.actions.authoring import questionnaires
from workshops.actions.authoring.programme_file import load
from workshops.models import Role, Workshop

from ... import factories

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def made():
    return factories.questionnaire(None, factories.YES_NO, factories.YES_NO)


@pytest.fixture
def planned():
    return factories.questionnaire(opened=False)


def desk(made, role=Role.FACILITATOR):
    return factories.signed_in(factories.staff(made.programme, role))


def page(response):
    return " ".join(unescape(response.content.decode()).split())


def console(made):
    return f"/workshops/{made.code}/console/"


def at(made, what):
    return f"/workshops/{made.code}/questionnaire/{what}/"


def typed(closes_at, opens_at=None, **more):
    """The fields of the form for these moments."""

    def parts(what, moment):
        local = timezone.localtime(moment) if moment else None
        return {
            f"{what}_on": local.strftime("%Y-%m-%d") if local else "",
            f"{what}_time": local.strftime("%H:%M") if local else "",
        }

    return parts("opens", opens_at) | parts("closes", closes_at) | more


def minute(moment):
    return moment.replace(second=0, microsecond=0)


def test_the_console_has_the_link_the_state_and_no_stage(made):
    shown = page(desk(made).get(console(made)))
    assert f"/w/{made.code}/" in shown
    assert "Close now" in shown
    assert "Launch" not in shown


def test_it_says_how_many_got_how_far(made):
    first = made.agenda.order_by("position")[0].poll
    factories.vote(factories.participant(made), first, "yes")
    factories.participant(made)
    shown = page(desk(made).get(at(made, "turnout")))
    assert re.findall(r"<b>(\d+)</b>", shown) == ["2", "1", "0"]
    assert re.findall(r'<td class="n">(\d+)', shown) == ["1", "1", "0", "0"]


@pytest.mark.parametrize("questions", [1, 3])
def test_the_console_takes_the_same_queries_however_many_questions(questions, django_assert_max_num_queries):
    made = factories.questionnaire(None, *[factories.YES_NO] * questions)
    client = desk(made)
    with django_assert_max_num_queries(16):
        client.get(console(made))


def test_open_now_close_now_open_again(planned):
    client = desk(planned)
    assert "Open. Send the link" in page(client.post(at(planned, "open"), follow=True))
    assert "everybody who took part sees the results" in page(client.get(console(planned)))
    client.post(at(planned, "close"))
    assert Workshop.objects.get().has_ended
    client.post(at(planned, "open"), typed(timezone.now() + 2 * HOUR))
    assert Workshop.objects.get().is_running


def test_pressed_twice_the_second_is_told_and_nothing_else_happens(made):
    client = desk(made)
    client.post(at(made, "close"))
    again = client.post(at(made, "close"))
    assert again.status_code == 422
    assert "It is not open." in page(again)


def test_extending_moves_the_end_and_can_be_undone(made):
    client, later = desk(made), minute(timezone.now() + 50 * HOUR)
    shown = page(client.post(at(made, "times"), typed(later), follow=True))
    assert "You changed when" in shown or "Undo" in shown
    assert {poll.closes_at for poll in Poll.objects.all()} == {later}


def test_the_form_shows_the_times_as_they_are(planned):
    shown = page(desk(planned).get(console(planned)))
    local = timezone.localtime(planned.closes_at)
    assert f'name="closes_on" type="date" value="{local:%Y-%m-%d}"' in shown
    assert f'name="closes_time" type="time" value="{local:%H:%M}"' in shown


def test_a_planned_one_is_told_when_to_open_by_itself(planned):
    opens, closes = minute(timezone.now() + HOUR), minute(timezone.now() + 3 * HOUR)
    shown = page(desk(planned).post(at(planned, "times"), typed(closes, opens), follow=True))
    assert "It opens by itself on" in shown
    planned.refresh_from_db()
    assert (planned.opens_at, planned.closes_at, planned.starts_at) == (opens, closes, opens)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"closes_on": ""}, "Say the day as well."),
        ({"closes_on": "", "closes_time": ""}, "Say when it closes"),
        ({"closes_time": ""}, "Say the time as well."),
        ({"closes_on": "soon"}, "We could not read this day."),
        ({"closes_time": "noon"}, "We could not read this time."),
        ({"closes_on": "2020-01-01"}, "This is over. Choose a moment to come."),
        ({"opens_on": "2099-01-01", "opens_time": "10:00"}, "It closes before it opens."),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(planned, fields, sentence):
    sent = typed(timezone.now() + 2 * HOUR) | fields
    shown = desk(planned).post(at(planned, "times"), sent)
    assert shown.status_code == 422
    assert sentence in page(shown)
    for value in filter(None, sent.values()):
        assert f'value="{value}"' in page(shown)


def test_the_second_of_two_is_told_and_what_they_typed_stays(planned):
    client = desk(planned)
    seen = re.search(r'name="seen" value="([^"]*)"', page(client.get(console(planned))))[1]
    first, second = (minute(timezone.now() + hours * HOUR) for hours in (30, 60))
    client.post(at(planned, "times"), typed(first, seen=seen))
    told = client.post(at(planned, "times"), typed(second, seen=seen))
    assert told.status_code == 409
    assert "Somebody else has changed the times just now" in page(told)
    assert f'value="{timezone.localtime(second):%Y-%m-%d}"' in page(told)
    seen = re.search(r'name="seen" value="([^"]*)"', page(told))[1]
    client.post(at(planned, "times"), typed(second, seen=seen))
    assert Workshop.objects.get().closes_at == second


def test_a_planned_workshop_can_be_made_a_questionnaire_and_back():
    made = factories.workshop(started=False)
    client = desk(made)
    shown = client.post(at(made, "mode"), {"mode": "questionnaire"}, follow=True)
    assert "Say first when it closes." in page(shown)
    client.post(at(made, "mode"), {"mode": "live"})
    assert not Workshop.objects.get().is_questionnaire


def test_breakouts_that_are_left_out_are_said(planned):
    factories.prompt_item(planned)
    assert "1 breakout on the agenda is left out" in page(desk(planned).get(console(planned)))


@pytest.mark.parametrize("what", ["open", "close", "times", "mode", "turnout"])
def test_who_may(made, what):
    def answer(client):
        path = at(made, what)
        return (client.get(path) if what == "turnout" else client.post(path)).status_code

    stranger = factories.signed_in(factories.staff(factories.programme()))
    assert answer(Client()) == 302
    assert answer(stranger) == 404
    assert answer(desk(made, Role.RESEARCHER)) == 403


@pytest.mark.parametrize("what", ["open", "close", "times", "turnout"])
def test_a_live_workshop_has_none_of_this(what):
    live = factories.workshop()
    client = desk(live)
    path = at(live, what)
    assert (client.get(path) if what == "turnout" else client.post(path)).status_code == 404


def test_a_questionnaire_has_no_gestures_of_a_stage(made):
    assert desk(made).post(f"/workshops/{made.code}/do/end/").status_code == 404
    assert desk(made).post(f"/workshops/{made.code}/rehearse/").status_code == 404


# --- the wall --------------------------------------------------------------------------------------------------------


def wall(made, asked=""):
    return Client().get(f"/wall/{made.wall_key}/{asked}")


def test_the_wall_shows_how_to_take_part_and_how_many_have_answered(made):
    factories.vote(factories.participant(made), made.agenda.order_by("position")[0].poll, "yes")
    factories.participant(made)
    shown = page(wall(made))
    assert made.spaced_code in shown
    assert "Answer in your own time, until" in shown
    assert "person has answered" in shown


def test_after_the_close_the_results_can_be_walked_through(made):
    first = made.agenda.order_by("position")[0].poll
    factories.vote(factories.participant(made), first, "yes")
    assert wall(made, "?result=1").status_code == 302  # not before
    questionnaires.close_now(made.pk, None)
    assert "Walk through the results" in page(wall(made))
    shown = page(wall(made, "?result=1"))
    assert "1 of 2" in shown
    assert '<a href="?result=2" rel="next">Next</a>' in shown
    assert "<b>1</b> of 1 answered" in shown
    assert f'<a href="/wall/{made.wall_key}/" rel="next">To the end</a>' in page(wall(made, "?result=2"))


@pytest.mark.parametrize("asked", ["?result=0", "?result=9", "?result=x", "?result="])
def test_a_result_that_is_not_there_leads_to_the_wall(made, asked):
    questionnaires.close_now(made.pk, None)
    assert wall(made, asked).status_code == 302


# --- made from a plan ------------------------------------------------------------------------------------------------


@pytest.fixture
def programme():
    return load((settings.BASE_DIR / "programmes/before_the_workshop.toml").read_text()).programme


def planned_from(programme, **fields):
    client = factories.signed_in(factories.staff(programme))
    sent = {
        "plan": programme.plans.get(key="ask-families").pk,
        "title": "Before we meet",
        "many": "1",
    } | fields
    return client.post(f"/programmes/{programme.key}/plan/", sent)


def test_a_workshop_takes_part_as_its_plan_says(programme):
    planned_from(programme)
    assert Workshop.objects.get().is_questionnaire


def test_a_day_given_while_planning_is_when_the_link_opens(programme):
    opens = minute(timezone.now() + 30 * HOUR)
    local = timezone.localtime(opens)
    planned_from(programme, date=f"{local:%Y-%m-%d}", time=f"{local:%H:%M}")
    made = Workshop.objects.get()
    assert (made.opens_at, made.starts_at, made.closes_at) == (opens, opens, None)


def test_the_form_has_the_last_word(programme):
    planned_from(programme, mode="live")
    assert not Workshop.objects.get().is_questionnaire
    assert planned_from(programme, mode="nonsense").status_code == 200
    assert Workshop.objects.count() == 1


def test_the_facts_of_a_questionnaire_ask_for_no_start(planned):
    client = desk(planned)
    shown = page(client.get(f"/workshops/{planned.code}/facts/"))
    assert 'name="date"' not in shown
    assert "When it opens and closes" in shown
    seen = re.search(r'name="seen" value="([^"]*)"', shown)[1]
    fields = {"title": "Before we meet", "minutes": "5", "number": planned.number, "seen": seen}
    client.post(f"/workshops/{planned.code}/facts/", fields)
    assert Workshop.objects.get().title == "Before we meet"


def test_the_page_that_prepares_it_says_what_becomes_of_the_agenda(planned):
    shown = page(desk(planned).get(f"/workshops/{planned.code}/"))
    assert "breakouts are left out" in shown
    assert "Open the doors" not in shown


def test_a_live_one_is_made_a_questionnaire_where_it_is_prepared():
    made = factories.workshop(started=False)
    client = desk(made)
    assert "Make it a questionnaire" in page(client.get(f"/workshops/{made.code}/"))
    client.post(at(made, "mode"), {"mode": "questionnaire"})
    assert "Make it a questionnaire" not in page(client.get(f"/workshops/{made.code}/"))
