"""The researcher's pages: who may see them, what they print, and how many questions they ask the database."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from polls.models import InstrumentVersion, Measure
from visions import breakdown, charts, demo_summary
from visions.aggregates import findings
from visions.views import results
from workshops.models import Workshop

from .visions_study import KEY, hold_workshop, person, programme_without_workshops, study  # noqa: F401

pytestmark = pytest.mark.django_db
PROGRAMME = f"/programmes/{KEY}/"
QUESTIONS = [
    "role", "actual_group_size", "ideal_in_words", "ideal_group_size", "location", "outdoors", "connection",
    "professional_learning", "priorities", "one_thing",
]  # fmt: skip
READ = [
    PROGRAMME,
    f"{PROGRAMME}results.csv",
    f"{PROGRAMME}ideal_group_size/",
    f"{PROGRAMME}summary/",
    f"{PROGRAMME}summary/preview/",
]
WRITE = [
    f"{PROGRAMME}summary/{place}"
    for place in ("words/", "add/", "publish/", "1/", "1/evidence/", "1/evidence/1/")
]


def browser(user) -> Client:
    client = Client()
    if not isinstance(user, AnonymousUser):
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def researcher(study):  # noqa: F811
    return browser(person(study, "researcher"))


# --- who may ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("roles", "status"), [(["researcher"], 200), (["owner"], 200), (["facilitator"], 403), ([], 404)]
)
@pytest.mark.parametrize("url", READ)
def test_researchers_and_owners_read_nobody_else_does(study, roles, status, url):  # noqa: F811
    assert browser(person(study, *roles)).get(url).status_code == status


@pytest.mark.parametrize(("roles", "status"), [(["facilitator"], 403), ([], 404)])
@pytest.mark.parametrize("url", WRITE)
def test_nobody_else_writes(study, roles, status, url):  # noqa: F811
    assert browser(person(study, *roles)).post(url).status_code == status


@pytest.mark.parametrize("url", READ + WRITE)
def test_who_has_not_signed_in_is_asked_to(study, url):  # noqa: F811
    client = browser(AnonymousUser())
    answer = client.post(url) if url in WRITE else client.get(url)
    assert answer.status_code == 302
    assert answer.url.startswith("/accounts/login/")


@pytest.mark.parametrize("url", WRITE)
def test_nothing_is_changed_by_looking(researcher, url):
    assert researcher.get(url).status_code == 405


@pytest.mark.parametrize("url", ["/programmes/nowhere/", f"{PROGRAMME}nothing/", "/vision/nowhere/"])
def test_what_is_not_there_is_not_found(researcher, url):
    assert researcher.get(url).status_code == 404


def test_the_page_about_people_is_not_taken_for_a_question(study):  # noqa: F811
    assert browser(person(study, "owner")).get(f"{PROGRAMME}people/").status_code == 200


# --- what they print ----------------------------------------------------------------------------------


def text_of(answer) -> str:
    page = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(strip_tags(page.replace("&nbsp;", " ").replace("\u00a0", " ").replace("<", " <")).split())


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


def test_no_percentage_stands_without_its_base_on_the_published_page(study):  # noqa: F811
    demo_summary.write(study)
    page = text_of(Client().get(f"/vision/{KEY}/"))
    assert "65 %" in page
    assert "0 of 78 people" in page
    assert lonely_percentages(page) == []


@pytest.mark.parametrize("key", QUESTIONS)
def test_every_question_says_how_many_answered_and_shows_each_workshop(researcher, key):
    page = text_of(researcher.get(f"{PROGRAMME}{key}/"))
    assert "people answered" in page
    assert "Workshop 5 Synthetic" in page
    assert "Joined" in page


def test_a_measure_or_an_option_can_be_looked_at_closely(researcher):
    page = text_of(researcher.get(f"{PROGRAMME}location/?figure=option:entrance"))
    assert "21 % of 87 people: Near the entrance" in page
    assert "From 2 of 16 to 5 of 21 people." in page


def test_ideal_stands_beside_actual_with_a_base_that_is_unknown(researcher):
    page = text_of(researcher.get(f"{PROGRAMME}ideal_group_size/"))
    assert "Ideal 0 of 78 Actual 15 % n unknown" in page


def test_synthetic_workshops_are_named_so_wherever_they_count(researcher, study):  # noqa: F811
    demo_summary.write(study)
    for url in (PROGRAMME, f"{PROGRAMME}location/", f"/vision/{KEY}/", f"{PROGRAMME}summary/"):
        assert "Synthetic" in text_of(researcher.get(url))
    hold_workshop(study, {"location": [["quiet"]] * 3})
    assert "5 of these 6 workshops are made up" in text_of(researcher.get(PROGRAMME))


def test_real_workshops_can_be_seen_alone(researcher, study):  # noqa: F811
    hold_workshop(study, {"location": [["quiet"]] * 6})
    page = text_of(researcher.get(f"{PROGRAMME}?workshops=real"))
    assert "Synthetic workshops" in page  # still there to choose
    assert "What one workshop said" in page
    assert "6 of 6 too few for a percentage" in page
    assert researcher.get(f"{PROGRAMME}?workshops=nonsense").status_code == 200


def test_a_small_workshop_is_hidden_and_its_neighbour_with_it(researcher, study):  # noqa: F811
    hold_workshop(study, {"ideal_group_size": ["n6_8"] * 4})
    page = text_of(researcher.get(f"{PROGRAMME}ideal_group_size/"))
    assert len(re.findall(r"Workshop \d( Synthetic)? \[c\] \[c\]", page)) == 2
    assert "Workshop 6 [c] [c]" in page
    assert "Workshop 2 Synthetic [c] [c]" in page
    assert "55" in page  # the whole is no breakdown


def test_a_line_by_role_adds_up_to_the_whole_and_hides_small_groups(study):  # noqa: F811
    asked = findings(study).of("ideal_group_size")
    line = asked.line("measure", "ideal_6_12")
    everybody = breakdown.by_profile(asked, line, minimum=0)
    assert sum(group.hits for group in everybody.groups) == 51
    assert sum(group.valid for group in everybody.groups) == 78
    shown = breakdown.by_profile(asked, line)
    assert shown.by.key == "role"
    assert all(group.valid >= 5 for group in shown.groups if not group.is_hidden)
    hidden = [both[1].valid for both in zip(shown.groups, everybody.groups, strict=True) if both[0].is_hidden]
    assert len(hidden) > 1
    assert sum(hidden) >= 5


def test_an_option_is_counted_by_role_as_well(study):  # noqa: F811
    asked = findings(study).of("location")
    groups = breakdown.by_profile(asked, asked.line("option", "quiet"), minimum=0).groups
    assert (sum(group.hits for group in groups), sum(group.valid for group in groups)) == (65, 87)


def test_the_profile_question_itself_is_not_broken_down(study):  # noqa: F811
    asked = findings(study).of("role")
    assert breakdown.by_profile(asked, asked.options[0]) is None


def test_a_programme_without_answers_says_so():
    programme = programme_without_workshops()
    page = text_of(browser(person(programme, "owner")).get(PROGRAMME))
    assert "Nothing to add up yet" in page


def test_a_planned_workshop_does_not_count_yet(study):  # noqa: F811
    workshop = hold_workshop(study, {"location": [["quiet"]]})
    workshop.status = Workshop.Status.PLANNED
    workshop.save()
    assert len(findings(study).meetings) == 5


def test_versions_that_offer_other_answers_are_not_added_up_and_the_page_says_why(researcher, study):  # noqa: F811
    instrument = study.bank.instruments.get(key="outdoors")
    definition = {**instrument.latest.definition, "options": [["free_flow", "Free flow"], ["never", "Never"]]}
    InstrumentVersion.objects.create(instrument=instrument, number=2, definition=definition)
    hold_workshop(study, {"outdoors": ["never"]})
    asked = findings(study).of("outdoors")
    assert (asked.pooled, asked.lines) == (None, ())
    assert "its versions offer different answers" in asked.refused
    for url in (PROGRAMME, f"{PROGRAMME}outdoors/"):
        assert asked.refused in text_of(researcher.get(url))


def test_a_question_that_was_asked_twice_in_a_workshop_counts_nobody_twice(study):  # noqa: F811
    workshop = hold_workshop(study, {"location": [["quiet"]] * 3})
    item = workshop.agenda.get(poll__version__instrument__key="outdoors")
    again = workshop.agenda.get(poll__version__instrument__key="location").poll
    item.poll.version = again.version
    item.poll.state, item.poll.result = again.state, again.result
    item.poll.save()
    assert findings(study).of("location").answers.valid == 87 + 3


# --- many workshops -----------------------------------------------------------------------------------


def test_workshops_that_do_not_fit_beside_each_other_are_left_to_the_file(researcher, monkeypatch):
    monkeypatch.setattr(results, "MOST_COLUMNS", 4)
    page = strip_tags(researcher.get(PROGRAMME).content.decode())
    assert "5 workshops do not fit beside each other here. The CSV file has every one of them." in page
    assert "Each workshop as a table" not in page


def test_rings_say_when_they_stand_for_more_than_one_workshop(researcher, monkeypatch):
    assert "or a hundredth of them" not in researcher.get(PROGRAMME).content.decode()
    monkeypatch.setattr(charts, "MOST_DOTS", 4)
    assert "or a hundredth of them" in researcher.get(PROGRAMME).content.decode()


# --- how many queries ---------------------------------------------------------------------------------


def test_more_workshops_ask_the_database_no_more(django_assert_num_queries):
    programme = programme_without_workshops()
    answers = {"location": [["quiet"]] * 3, "ideal_group_size": ["n6_8"] * 3, "connection": [4, 3, 2]}
    for workshops in (1, 3):
        while programme.workshops.count() < workshops:
            hold_workshop(programme, answers)
        with django_assert_num_queries(7):
            assert len(findings(programme).meetings) == workshops


def test_a_measure_that_is_newer_than_the_closes_costs_one_query_for_all_of_them(django_assert_num_queries):
    programme = programme_without_workshops()
    for _ in range(3):
        hold_workshop(programme, {"ideal_group_size": ["n6_8"] * 3})
    before = findings(programme).line("ideal_group_size", "measure", "ideal_6_12")
    measure = Measure.objects.get(instrument__key="ideal_group_size", key="ideal_6_12")
    measure.pk, measure.number, measure.label = None, measure.number + 1, "Another name"
    measure.save()
    with django_assert_num_queries(8):
        again = findings(programme).line("ideal_group_size", "measure", "ideal_6_12")
    assert (again.label, again.hits, again.valid) == ("Another name", before.hits, before.valid)


@pytest.mark.parametrize("url", [PROGRAMME, f"{PROGRAMME}ideal_group_size/", f"{PROGRAMME}summary/"])
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
