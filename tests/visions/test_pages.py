"""The researcher's pages: who may see them, what they print, and how many questions they ask the database."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from polls.models import Measure
from tests import factories
from visions.demo import summary
from visions.results import breakdown, charts
from visions.results.aggregates import load_findings
from visions.web.views import results
from workshops.actions.authoring import questionnaires
from workshops.actions.authoring.workshops import plan_workshop
from workshops.models import Workshop

from .reading import browser, text_of
from .study import KEY, hold_workshop, person, programme_without_workshops

pytestmark = pytest.mark.django_db
PROGRAMME = f"/programmes/{KEY}/"
QUESTIONS = [
    "role", "actual_group_size", "ideal_in_words", "ideal_group_size", "location", "outdoors", "connection",
    "professional_learning", "priorities", "one_thing",
]  # fmt: skip
READ = [
    PROGRAMME,
    f"{PROGRAMME}results.csv",
    f"{PROGRAMME}results/ideal_group_size/",
    f"{PROGRAMME}summary/",
    f"{PROGRAMME}summary/preview/",
]
WRITE = [
    f"{PROGRAMME}summary/{place}"
    for place in ("words/", "add/", "publish/", "1/", "1/evidence/", "1/evidence/1/")
]


@pytest.fixture
def researcher(study):
    return browser(person(study, "researcher"))


# --- who may ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("roles", "status"), [(["researcher"], 200), (["owner"], 200), (["facilitator"], 403), ([], 404)]
)
@pytest.mark.parametrize("url", READ)
def test_researchers_and_owners_read_nobody_else_does(study, roles, status, url):
    assert browser(person(study, *roles)).get(url).status_code == status


@pytest.mark.parametrize(("roles", "status"), [(["facilitator"], 403), ([], 404)])
@pytest.mark.parametrize("url", WRITE)
def test_nobody_else_writes(study, roles, status, url):
    assert browser(person(study, *roles)).post(url).status_code == status


@pytest.mark.parametrize("url", READ + WRITE)
def test_who_has_not_signed_in_is_asked_to(study, url):
    client = browser(AnonymousUser())
    answer = client.post(url) if url in WRITE else client.get(url)
    assert answer.status_code == 302
    assert answer.url.startswith("/accounts/login/")


@pytest.mark.parametrize("url", WRITE)
def test_nothing_is_changed_by_looking(researcher, url):
    assert researcher.get(url).status_code == 405


@pytest.mark.parametrize("url", ["/programmes/nowhere/", f"{PROGRAMME}results/nothing/", "/vision/nowhere/"])
def test_what_is_not_there_is_not_found(researcher, url):
    assert researcher.get(url).status_code == 404


def test_a_question_may_have_the_name_of_a_page_of_the_programme(study):
    study.bank.instruments.filter(key="location").update(key="people")
    owner = browser(person(study, "owner"))
    assert "87 people answered" in text_of(owner.get(f"{PROGRAMME}results/people/"))
    assert "87 people answered" not in text_of(owner.get(f"{PROGRAMME}people/"))


# --- what they print ----------------------------------------------------------------------------------


def test_a_share_is_printed_with_its_base_and_a_zero_in_words(researcher):
    page = text_of(researcher.get(PROGRAMME))
    assert "65 % 51 of 78" in page
    assert "Nobody 0 of 78" in page
    assert "86 % 75 of 87" in page


def lonely_percentages(page: str) -> list[str]:
    """Percentages without a base in the 40 letters around them; "95 % interval" and axes are none."""
    page = re.sub(r"95 % interval|0 to 100 %", "", page)
    alone = []
    for found in re.finditer(r"\d+(\.\d+)? %", page):
        near = page[max(0, found.start() - 40) : found.end() + 40]
        if not re.search(r"\bof \d+|n\s?=\s?\d+|n unknown", near):
            alone.append(near)
    return alone


def test_no_percentage_stands_without_its_base_on_the_programme_page(researcher):
    assert lonely_percentages(text_of(researcher.get(PROGRAMME))) == []


def test_no_percentage_stands_without_its_base_on_the_published_page(study):
    summary.write(study)
    page = text_of(Client().get(f"/vision/{KEY}/"))
    assert "65 %" in page
    assert "0 of 78 people" in page
    assert lonely_percentages(page) == []


@pytest.mark.parametrize("key", QUESTIONS)
def test_every_question_says_how_many_answered_and_shows_each_workshop(researcher, key):
    page = text_of(researcher.get(f"{PROGRAMME}results/{key}/"))
    assert "people answered" in page
    assert "Workshop 5 Synthetic" in page
    assert "Joined" in page


def test_a_measure_or_an_option_can_be_looked_at_closely(researcher):
    page = text_of(researcher.get(f"{PROGRAMME}results/location/?figure=option:entrance"))
    assert "21 % of 87 people: Near the entrance" in page
    assert "From 2 of 16 to 5 of 21 people." in page


def test_ideal_stands_beside_actual_with_a_base_that_is_unknown(researcher):
    page = text_of(researcher.get(f"{PROGRAMME}results/ideal_group_size/"))
    assert "Ideal 0 of 78 Actual 15 % n unknown" in page


def test_synthetic_workshops_are_named_so_wherever_they_count(researcher, study):
    summary.write(study)
    for url in (PROGRAMME, f"{PROGRAMME}results/location/", f"/vision/{KEY}/", f"{PROGRAMME}summary/"):
        assert "Synthetic" in text_of(researcher.get(url))
    hold_workshop(study, {"location": [["quiet"]] * 3})
    assert "5 of these 6 workshops are made up" in text_of(researcher.get(PROGRAMME))


def test_real_workshops_can_be_seen_alone(researcher, study):
    hold_workshop(study, {"location": [["quiet"]] * 6})
    page = text_of(researcher.get(f"{PROGRAMME}?workshops=real"))
    assert "Synthetic workshops" in page  # still there to choose
    assert "What one workshop said" in page
    assert "6 of 6 too few for a percentage" in page
    assert researcher.get(f"{PROGRAMME}?workshops=nonsense").status_code == 200


def test_a_small_workshop_is_hidden_and_its_neighbour_with_it(researcher, study):
    hold_workshop(study, {"ideal_group_size": ["n6_8"] * 4})
    page = text_of(researcher.get(f"{PROGRAMME}results/ideal_group_size/"))
    assert len(re.findall(r"Workshop \d( Synthetic)? \[c\] \[c\]", page)) == 2
    assert "Workshop 6 [c] [c]" in page
    assert "Workshop 2 Synthetic [c] [c]" in page
    assert "55" in page  # the whole is no breakdown


def test_a_line_by_role_adds_up_to_the_whole_and_hides_small_groups(study):
    asked = load_findings(study).instrument("ideal_group_size")
    line = asked.line("measure", "ideal_6_12")
    everybody = breakdown.by_profile(asked, line, minimum=0)
    assert sum(group.hits for group in everybody.subgroups) == 51
    assert sum(group.valid for group in everybody.subgroups) == 78
    shown = breakdown.by_profile(asked, line)
    assert shown.by.key == "role"
    assert all(group.valid >= 5 for group in shown.subgroups if not group.is_hidden)
    hidden = [
        both[1].valid for both in zip(shown.subgroups, everybody.subgroups, strict=True) if both[0].is_hidden
    ]
    assert len(hidden) > 1
    assert sum(hidden) >= 5


def test_an_option_is_counted_by_role_as_well(study):
    asked = load_findings(study).instrument("location")
    groups = breakdown.by_profile(asked, asked.line("option", "quiet"), minimum=0).subgroups
    assert (sum(group.hits for group in groups), sum(group.valid for group in groups)) == (65, 87)


def test_the_profile_question_itself_is_not_broken_down(study):
    asked = load_findings(study).instrument("role")
    assert breakdown.by_profile(asked, asked.options[0]) is None


def test_a_programme_without_answers_says_so():
    programme = programme_without_workshops()
    page = text_of(browser(person(programme, "owner")).get(PROGRAMME))
    assert "Nothing to add up yet" in page


def test_a_planned_workshop_does_not_count_yet(study):
    workshop = hold_workshop(study, {"location": [["quiet"]]})
    workshop.status = Workshop.Status.PLANNED
    workshop.save()
    assert len(load_findings(study).meetings) == 5


def test_a_question_that_was_asked_twice_in_a_workshop_counts_nobody_twice(study):
    workshop = hold_workshop(study, {"location": [["quiet"]] * 3})
    item = workshop.agenda.get(poll__version__instrument__key="outdoors")
    again = workshop.agenda.get(poll__version__instrument__key="location").poll
    item.poll.version = again.version
    item.poll.state, item.poll.result = again.state, again.result
    item.poll.save()
    assert load_findings(study).instrument("location").answers.valid == 87 + 3


# --- many workshops -----------------------------------------------------------------------------------


def test_workshops_that_do_not_fit_beside_each_other_are_left_to_the_file(researcher, monkeypatch):
    monkeypatch.setattr(results, "MAX_COLUMNS", 4)
    page = strip_tags(researcher.get(PROGRAMME).content.decode())
    assert "5 workshops do not fit beside each other here. The CSV file has every one of them." in page
    assert "Each workshop as a table" not in page


def test_rings_say_when_they_stand_for_more_than_one_workshop(researcher, monkeypatch):
    assert "or a hundredth of them" not in researcher.get(PROGRAMME).content.decode()
    monkeypatch.setattr(charts, "MAX_DOTS", 4)
    assert "or a hundredth of them" in researcher.get(PROGRAMME).content.decode()


# --- how many queries ---------------------------------------------------------------------------------


def test_more_workshops_ask_the_database_no_more(django_assert_num_queries):
    programme = programme_without_workshops()
    answers = {"location": [["quiet"]] * 3, "ideal_group_size": ["n6_8"] * 3, "connection": [4, 3, 2]}
    for workshops in (1, 3):
        while programme.workshops.count() < workshops:
            hold_workshop(programme, answers)
        with django_assert_num_queries(7):
            assert len(load_findings(programme).meetings) == workshops


def test_a_measure_that_is_newer_than_the_closes_costs_one_query_for_all_of_them(django_assert_num_queries):
    programme = programme_without_workshops()
    for _ in range(3):
        hold_workshop(programme, {"ideal_group_size": ["n6_8"] * 3})
    before = load_findings(programme).line("ideal_group_size", "measure", "ideal_6_12")
    measure = Measure.objects.get(instrument__key="ideal_group_size", key="ideal_6_12")
    measure.pk, measure.number, measure.label = None, measure.number + 1, "Another name"
    measure.save()
    with django_assert_num_queries(8):
        again = load_findings(programme).line("ideal_group_size", "measure", "ideal_6_12")
    assert (again.label, again.hits, again.valid) == ("Another name", before.hits, before.valid)


@pytest.mark.parametrize("url", [PROGRAMME, f"{PROGRAMME}results/ideal_group_size/", f"{PROGRAMME}summary/"])
def test_pages_ask_no_more_for_more_workshops(url):
    programme = programme_without_workshops()
    client = browser(person(programme, "researcher"))
    asked = []
    for workshops in (1, 3):
        while programme.workshops.count() < workshops:
            hold_workshop(programme, {"location": [["quiet"]] * 3, "ideal_group_size": ["n6_8"] * 3})
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 20


# --- questionnaires -----------------------------------------------------------------------------------


def test_a_questionnaire_is_added_up_with_workshops_and_named_as_one(study):
    def answered():
        found = load_findings(study).instruments
        return next(one.counts.valid for one in found if one.key == "ideal_group_size")

    before = answered()
    made = plan_workshop(study, study.plans.first(), mode="questionnaire")
    questionnaires.open_now(made.pk, None, timezone.now() + timedelta(days=1))
    item = made.agenda.get(poll__version__instrument__key="ideal_group_size")
    for _person in range(3):
        factories.vote(factories.participant(made), item.poll, item.poll.question.options[0].key)
    assert answered() == before
    questionnaires.close_now(made.pk, None)
    assert answered() == before + 3
    words = strip_tags(browser(person(study, "researcher")).get(PROGRAMME).content.decode())
    assert re.search(rf"Workshop {made.number}\s*Questionnaire", words)
