"""Planning, copying, moving and removing workshops from the browser, and what is said where something is wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from tests import factories as make
from workshops.actions import facilitation, log
from workshops.actions.authoring.programme_file import load
from workshops.actions.authoring.workshops import change_facts, copy_workshop, plan_workshop, remove_workshop
from workshops.models import LogEntry, Role, Workshop
from workshops.programmes import facts

pytestmark = pytest.mark.django_db
PROGRAMMES = Path(__file__).parents[3] / "programmes"
JUNE = {"date": "2027-06-01", "time": "18:30"}


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


def local(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}" if moment else ""


def error_at(text: str, field: str) -> str:
    return text.partition(f'id="id_{field}-error"')[2].partition("</p>")[0]


# --- plan one -----------------------------------------------------------------------------------------------


def test_a_workshop_is_planned_from_the_page(facilitator, programme, plan):
    day = timezone.localdate() + timedelta(days=3)
    said = {
        "plan": plan.pk, "title": "For managers", "date": day.isoformat(), "time": "18:30", "expected": "22",
        "place": "Community hall, Leeds", "region": "Yorkshire", "intended_for": "Managers",
    }  # fmt: skip
    response = facilitator.post(f"/programmes/{programme.key}/plan/", said)
    workshop = Workshop.objects.get()
    assert response.url == f"/workshops/{workshop.code}/"
    assert (workshop.title, workshop.expected, workshop.agenda.count()) == ("For managers", 22, 22)
    assert local(workshop.starts_at) == f"{day} 18:30"
    assert (workshop.place, workshop.region, workshop.intended_for) == (
        "Community hall, Leeds", "Yorkshire", "Managers",
    )  # fmt: skip
    text = facilitator.get("/workshops/").content.decode()
    assert f"Workshop 1 is planned. Its code is {workshop.spaced_code}." in text


def test_day_start_and_number_can_stay_empty(facilitator, programme, plan):
    facilitator.post(f"/programmes/{programme.key}/plan/", {"plan": plan.pk, "title": programme.title})
    assert Workshop.objects.get().starts_at is None


def test_without_a_plan_the_agenda_is_empty(facilitator, programme):
    programme.plans.all().delete()
    text = facilitator.get(f"/programmes/{programme.key}/plan/").content.decode()
    assert 'value="" checked><span>An empty agenda' in text
    facilitator.post(f"/programmes/{programme.key}/plan/", {"plan": "", "title": "Empty"})
    assert Workshop.objects.get().agenda.count() == 0
    assert "Its agenda is empty." in facilitator.get("/workshops/").content.decode()


def test_a_plan_whose_question_was_removed_says_which(facilitator, programme, plan):
    programme.bank.instruments.filter(key="outdoors").update(removed_at=timezone.now())
    said = {"plan": plan.pk, "title": "T"}
    text = facilitator.post(f"/programmes/{programme.key}/plan/", said).content.decode()
    assert "The plan asks “outdoors”" in error_at(text, "plan")
    assert not Workshop.objects.exists()


WRONG = [
    ({"title": " "}, "Give the workshop a title."),
    ({"title": "x" * 201}, "A title can have up to 200 letters; this has 201."),
    ({"date": "soon"}, "We could not read this day. Write it like 26/11/2026."),
    ({"date": "2020-01-01"}, "This day is over. Choose today or a day to come."),
    ({"date": ""}, "Say on which day, or leave the start empty too."),
    ({"time": "late"}, "We could not read this time. Write it like 18:30."),
    ({"time": ""}, "Say when it starts, or leave the day empty too."),
    ({"date": "2027-03-28", "time": "01:30"}, "The clocks change in this hour. Choose another start."),
    ({"expected": "many"}, "Write a whole number, like 24."),
    ({"expected": "0"}, "Write a number of at least 1."),
    ({"expected": "10001"}, "A workshop can have up to 10,000 people."),
    ({"place": "x" * 201}, "This has 201 letters; up to 200 fit here."),
]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"plan": "{foreign}"}, "This plan is not in the programme. Choose one of these."),
        ({"many": "53"}, "Up to 52 workshops can be planned at once."),
        *WRONG,
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    wrong, sentence, facilitator, programme, other_programme, plan
):
    foreign = str(other_programme.plans.first().pk)
    said = {"plan": plan.pk, "title": "For managers", "expected": "22", "place": "Leeds", **JUNE} | wrong
    said = {name: foreign if value == "{foreign}" else value for name, value in said.items()}
    text = facilitator.post(f"/programmes/{programme.key}/plan/", said).content.decode()
    [field] = wrong if len(wrong) == 1 else ["time"]
    assert f"<span>{sentence}</span>" in error_at(text, field)
    assert text.count('role="alert"') == 1
    for name, value in said.items():
        if name != "plan" and value.strip():
            assert f'value="{value}"' in text
    assert not Workshop.objects.exists()


# --- a series -----------------------------------------------------------------------------------------------


def rows_in(text: str) -> list[tuple[str, str]]:
    def value(name: str) -> str:
        return text.partition(f'name="{name}"')[2].partition('value="')[2].partition('"')[0]

    many = text.count('class="series-number"')
    return [(value(f"row-{n}-date"), value(f"row-{n}-time")) for n in range(many)]


def test_five_dates_in_one_form_make_five_workshops_and_numbers_go_on(facilitator, programme, plan):
    plan_workshop(programme, plan)
    said = {"plan": plan.pk, "title": "Five", "many": "5", "every": "2", "place": "Online", **JUNE}
    text = facilitator.post(f"/programmes/{programme.key}/plan/", said).content.decode()
    rows = rows_in(text)
    assert [day for day, _start in rows] == [
        "2027-06-01", "2027-06-15", "2027-06-29", "2027-07-13", "2027-07-27",
    ]  # fmt: skip
    assert "Workshop 2</p>" in text
    assert Workshop.objects.count() == 1
    rows[3] = ("2027-07-14", "10:00")
    apart = text.partition('name="apart" value="')[2].partition('"')[0]
    said["apart"] = apart
    for place, (day, start) in enumerate(rows):
        said |= {f"row-{place}-date": day, f"row-{place}-time": start}
    response = facilitator.post(f"/programmes/{programme.key}/plan/", said)
    assert response.url == "/workshops/"
    made = list(Workshop.objects.filter(title="Five"))
    assert [one.number for one in made] == [2, 3, 4, 5, 6]
    assert [local(one.starts_at) for one in made][2:4] == ["2027-06-29 18:30", "2027-07-14 10:00"]
    assert {(one.place, one.agenda.count()) for one in made} == {("Online", 22)}
    entry = LogEntry.objects.filter(verb="planned_series").get()
    assert log.sentence(entry) == "Planned 5 workshops"


def test_a_date_that_is_wrong_stands_in_its_row_and_the_others_keep_what_was_typed(
    facilitator, programme, plan
):
    said = {"plan": plan.pk, "title": "Two", "many": "2", "every": "1", "apart": "2027-06-01|18:30|1", **JUNE}
    said |= {
        "row-0-date": "2027-06-02",
        "row-0-time": "09:00",
        "row-1-date": "2020-01-01",
        "row-1-time": "09:00",
    }
    text = facilitator.post(f"/programmes/{programme.key}/plan/", said).content.decode()
    assert rows_in(text) == [("2027-06-02", "09:00"), ("2020-01-01", "09:00")]
    assert "This day is over." in error_at(text, "row-1-date")
    assert not Workshop.objects.exists()


def test_rows_follow_the_first_date_and_grow_without_losing_what_was_typed(facilitator, programme, plan):
    def dates(**more):
        said = {"plan": plan.pk, "title": "T", "dates": "1", "every": "1", **JUNE} | more
        response = facilitator.post(
            f"/programmes/{programme.key}/plan/", said, headers={"HX-Request": "true"}
        )
        return rows_in(response.content.decode())

    typed = {"apart": "2027-06-01|18:30|1", "row-0-date": "2027-06-03", "row-0-time": "09:00"}
    assert dates(many="1", **typed) == []
    assert dates(many="2", **typed) == [("2027-06-03", "09:00"), ("2027-06-08", "18:30")]
    assert dates(many="2", **typed, every="4") == [("2027-06-01", "18:30"), ("2027-06-29", "18:30")]
    assert not Workshop.objects.exists()


def test_a_series_can_be_taken_back_in_one_piece(person, facilitator, programme, plan):
    said = {"plan": plan.pk, "title": "Two", "many": "2", "every": "1", "apart": "||1"}
    said |= {f"row-{place}-{name}": "" for place in range(2) for name in ("date", "time")}
    facilitator.post(f"/programmes/{programme.key}/plan/", said)
    assert Workshop.objects.count() == 2
    log.undo(log.last_undoable(person, programme=programme), person)
    assert not Workshop.objects.exists()


# --- copy ---------------------------------------------------------------------------------------------------


@pytest.fixture
def last_week(programme, plan):
    start = timezone.now().replace(second=0, microsecond=0) - timedelta(days=6, hours=22)
    made = plan_workshop(
        programme, plan, title="Managers", starts_at=start, expected=22, place="Online", region="North",
        intended_for="Managers", minutes=50,
    )  # fmt: skip
    item = made.agenda.filter(kind="pause").first()
    item.notes, item.minutes = "Say hello", 7
    item.save()
    return made


def test_last_weeks_is_copied_by_two_presses_a_week_later(facilitator, last_week):
    home = facilitator.get("/workshops/").content.decode()
    assert f'href="/workshops/{last_week.code}/copy/">Copy<' in home
    form = facilitator.get(f"/workshops/{last_week.code}/copy/").context["form"]
    day, start = form["date"].value(), form["time"].value()
    assert f"{day} {start}" == local(last_week.starts_at + timedelta(weeks=1))
    response = facilitator.post(f"/workshops/{last_week.code}/copy/", {"date": day, "time": start})
    copy = Workshop.objects.get(number=2)
    assert response.url == f"/workshops/{copy.code}/"
    assert copy.copied_from == last_week
    assert copy.code != last_week.code
    columns = ("title", "expected", "place", "region", "intended_for", "minutes", "plan", "mode")
    assert [getattr(copy, name) for name in columns] == [getattr(last_week, name) for name in columns]
    assert [(i.title, i.minutes, i.notes, i.profile, i.prompt_id) for i in copy.agenda.all()] == [
        (i.title, i.minutes, i.notes, i.profile, i.prompt_id) for i in last_week.agenda.all()
    ]
    assert [i.poll.reveal for i in copy.agenda.exclude(poll=None)] == [
        i.poll.reveal for i in last_week.agenda.exclude(poll=None)
    ]


def test_a_copy_of_an_old_workshop_is_offered_for_a_day_to_come(facilitator, programme, plan):
    old = plan_workshop(programme, plan, starts_at=timezone.now() - timedelta(days=100, hours=1))
    form = facilitator.get(f"/workshops/{old.code}/copy/").context["form"]
    day = datetime.fromisoformat(form["date"].value()).date()
    assert 0 < (day - timezone.localdate()).days <= 7
    assert day.weekday() == timezone.localtime(old.starts_at).weekday()


def test_a_copy_asks_the_newest_versions_and_what_was_asked_on_the_spot_as_ordinary_steps(
    programme, plan, person
):
    source = plan_workshop(programme, plan)
    facilitation.start(source.pk, None)
    facilitation.quick_poll(source.pk, None, "Shall we go on?", "Yes\nNo")
    instrument = source.agenda.get(title="Where in the nursery").poll.version.instrument
    definition = instrument.latest.definition | {"text": "Where is it?"}
    instrument.versions.create(number=2, definition=definition)
    instrument.versions.create(number=3, definition=definition | {"text": "Draft"}, draft=True)
    copy = copy_workshop(source, person, starts_at=None)
    assert copy.is_planned
    assert copy.agenda.get(title="Where in the nursery").poll.version.number == 2
    quick = copy.agenda.get(title="Shall we go on?")
    assert (quick.quick, quick.launched_at, quick.poll.state) == (False, None, "draft")
    assert quick.poll.version == source.agenda.get(quick=True).poll.version
    source.refresh_from_db()
    source.title = "Another"
    source.save()
    copy.refresh_from_db()
    assert copy.title == programme.title  # a copy stays a copy


def test_what_was_removed_from_the_bank_is_left_out_of_a_copy_and_that_is_said(facilitator, programme, plan):
    source = plan_workshop(programme, plan)
    programme.bank.instruments.filter(key="outdoors").update(removed_at=timezone.now())
    facilitator.post(f"/workshops/{source.code}/copy/", {})
    assert Workshop.objects.get(number=2).agenda.count() == 21
    assert "1 step was left out" in facilitator.get("/workshops/").content.decode()


def test_copying_takes_the_same_queries_however_long_the_agenda(
    programme, plan, person, django_assert_num_queries
):
    short = programme.plans.create(key="short", title="S", profile=plan.profile[:1], agenda=plan.agenda[2:5])
    for source in (plan_workshop(programme, short), plan_workshop(programme, plan)):
        source = Workshop.objects.select_related("programme").get(pk=source.pk)
        with django_assert_num_queries(11):
            copy_workshop(source, person, starts_at=None)


# --- facts --------------------------------------------------------------------------------------------------


@pytest.fixture
def workshop(programme, plan):
    return plan_workshop(programme, plan, title="Managers", starts_at=timezone.now() + timedelta(days=2))


def typed(workshop: Workshop, **more):
    start = timezone.localtime(workshop.starts_at)
    said = {
        "title": workshop.title, "date": f"{start:%Y-%m-%d}", "time": f"{start:%H:%M}", "minutes": workshop.minutes,
        "number": workshop.number, "seen": facts.fingerprint(workshop), "place": "", "region": "",
        "intended_for": "", "expected": "",
    }  # fmt: skip
    return said | more


def test_a_planned_workshop_is_moved_to_another_day(facilitator, workshop):
    said = typed(workshop, **JUNE, number="7", minutes="90", place="Leeds", expected="8")
    response = facilitator.post(f"/workshops/{workshop.code}/facts/", said)
    assert response.url == f"/workshops/{workshop.code}/"
    workshop.refresh_from_db()
    assert local(workshop.starts_at) == "2027-06-01 18:30"
    assert (workshop.number, workshop.minutes, workshop.place, workshop.expected) == (7, 90, "Leeds", 8)
    assert workshop.rev == 1


def test_in_place_the_bar_comes_back_and_without_a_script_the_page(facilitator, workshop):
    address = f"/workshops/{workshop.code}/facts/"
    htmx = {"HX-Request": "true"}
    form = facilitator.get(address, headers=htmx).content.decode()
    assert form.lstrip().startswith("<form")
    assert "<html" not in form
    assert (
        'class="facts-bar" id="facts"' in facilitator.get(f"{address}?shown", headers=htmx).content.decode()
    )
    saved = facilitator.post(address, typed(workshop, place="Leeds"), headers=htmx)
    assert saved["HX-Trigger"] == "facts-changed"
    assert "Leeds" in saved.content.decode()
    assert "When, where and for whom" in facilitator.get(address).content.decode()


def test_the_bar_says_who_runs_it(facilitator, programme, person, workshop):
    guest = make.person("guest@example.org")
    programme.memberships.create(user=guest, role=Role.FACILITATOR, workshop=workshop)
    bar = facilitator.get(f"/workshops/{workshop.code}/facts/?shown", headers={"HX-Request": "true"})
    text = bar.content.decode()
    assert "<dd>You" in text
    assert "Guest: guest@example.org" in text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        *WRONG,
        ({"number": "2"}, "“Other” has this number already. Choose another."),
        ({"number": "3"}, "A removed workshop still has this number. Choose another."),
        ({"minutes": "0"}, "Write a number of at least 1."),
        ({"minutes": ""}, "Write a whole number, like 24."),
    ],
)
def test_a_wrong_fact_stands_at_its_field(wrong, sentence, facilitator, programme, workshop):
    plan_workshop(programme, None, title="Other")
    plan_workshop(programme, None, title="Gone", removed_at=timezone.now())
    said = typed(workshop, **JUNE) | wrong
    text = facilitator.post(f"/workshops/{workshop.code}/facts/", said).content.decode()
    [field] = wrong if len(wrong) == 1 else ["time"]
    assert f"<span>{sentence}</span>" in error_at(text, field)
    assert Workshop.objects.get(pk=workshop.pk).rev == 0


def test_a_running_workshop_keeps_its_start_and_its_other_facts_can_be_mended(facilitator, workshop):
    facilitation.start(workshop.pk, None)
    workshop.refresh_from_db()
    start = workshop.starts_at
    text = facilitator.get(f"/workshops/{workshop.code}/facts/").content.decode()
    assert "The doors have opened, so these stay as they are." in text
    assert 'name="date"' not in text
    facilitator.post(f"/workshops/{workshop.code}/facts/", typed(workshop, **JUNE, number="9", place="Leeds"))
    workshop.refresh_from_db()
    assert (workshop.starts_at, workshop.number, workshop.place) == (start, 1, "Leeds")


def test_a_day_that_is_over_may_stay(facilitator, programme):
    gone = plan_workshop(programme, None, starts_at=timezone.now() - timedelta(days=3))
    facilitator.post(f"/workshops/{gone.code}/facts/", typed(gone, place="Leeds"))
    gone.refresh_from_db()
    assert gone.place == "Leeds"


def test_of_two_who_change_the_facts_the_second_is_told_and_decides(facilitator, programme, workshop):
    other = make.staff(programme)
    mine = typed(workshop, place="Leeds")
    change_facts(workshop, other, None, place="York", expected=9)
    text = facilitator.post(f"/workshops/{workshop.code}/facts/", mine).content.decode()
    assert f"{other.email} has changed these facts" in text
    assert "Where is “York” now." in text
    assert 'value="Leeds"' in text
    workshop.refresh_from_db()
    assert workshop.place == "York"
    again = mine | {"seen": facts.fingerprint(workshop)}
    assert f'name="seen" value="{again["seen"]}"' in text
    facilitator.post(f"/workshops/{workshop.code}/facts/", again)
    workshop.refresh_from_db()
    assert workshop.place == "Leeds"


def test_an_edit_of_the_agenda_is_no_conflict_with_a_change_of_facts(facilitator, workshop):
    said = typed(workshop, place="Leeds")
    Workshop.objects.filter(pk=workshop.pk).update(rev=5)
    facilitator.post(f"/workshops/{workshop.code}/facts/", said)
    workshop.refresh_from_db()
    assert (workshop.place, workshop.rev) == ("Leeds", 6)


# --- remove -------------------------------------------------------------------------------------------------


def test_a_planned_workshop_is_removed_and_brought_back(facilitator, person, programme, workshop):
    assert facilitator.post(f"/workshops/{workshop.code}/remove/").url == "/workshops/"
    assert workshop.title in facilitator.get("/workshops/").content.decode()  # in the line with Undo
    assert facilitator.get(f"/workshops/{workshop.code}/facts/").status_code == 404
    assert facilitator.post(f"/workshops/{workshop.code}/remove/").status_code == 404
    log.undo(log.last_undoable(person, programme=programme), person)
    workshop.refresh_from_db()
    assert workshop.removed_at is None


def test_removing_twice_leaves_one_entry(person, workshop):
    remove_workshop(workshop, person)
    remove_workshop(workshop, person)
    assert LogEntry.objects.filter(verb="removed_workshop").count() == 1


def test_a_workshop_that_somebody_has_joined_stays(facilitator, workshop):
    make.participant(workshop)
    facilitator.post(f"/workshops/{workshop.code}/remove/")
    workshop.refresh_from_db()
    assert workshop.removed_at is None
    assert "People have joined this workshop" in facilitator.get("/workshops/").content.decode()


def test_the_code_and_the_wall_of_a_removed_workshop_lead_nowhere(client, facilitator, workshop):
    facilitator.post(f"/workshops/{workshop.code}/remove/")
    answer = client.post("/", {"code": workshop.code})
    assert answer.status_code == 404
    assert "We can’t find" in answer.content.decode()
    assert "We can’t find" in client.get(f"/w/{workshop.code}/", follow=True).content.decode()
    assert client.get(f"/wall/{workshop.wall_key}/").status_code == 404
    assert facilitator.get(f"/workshops/{workshop.code}/console/").status_code == 404
