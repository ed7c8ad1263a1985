"""The main job as people do it: a facilitator, a wall and phones in a real browser, before a real server."""

from __future__ import annotations

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from polls.models import Ballot, Poll, Text
from tests import factories as make
from tests.poll_samples import QUESTIONS
from workshops.actions import facilitation, moderation
from workshops.actions.authoring import programme_file
from workshops.actions.authoring.workshops import plan_workshop
from workshops.models import Participant, Programme, Workshop

from .page_checks import assert_accessible, assert_fits
from .sign_in import sign_in
from .steps import BABIES, join, on_stage


def looks_right(*pages: Page) -> None:
    for page in pages:
        assert_fits(page)
        assert_accessible(page)


@pytest.fixture
def baby_room(transactional_db) -> Workshop:
    """The first programme, as it is shipped, planned and not yet open."""
    path = settings.BASE_DIR / "programmes" / "ideal_baby_room.toml"
    programme_file.load(path.read_text(encoding="utf-8"), path.name)
    programme = Programme.objects.get(key="ideal-baby-room")
    return plan_workshop(programme, programme.plans.first(), expected=2)


@pytest.fixture
def room(transactional_db) -> Workshop:
    """A small workshop with two questions, doors open."""
    return make.workshop(None, BABIES, QUESTIONS["words"])


def test_a_workshop_runs_from_the_open_doors_to_the_goodbye(site, desk, wall, phone, baby_room):
    console, screen, ada, bea = desk(), wall(), phone(), phone(viewport={"width": 320, "height": 640})
    sign_in(console, site, make.staff(baby_room.programme))
    console.goto(f"/workshops/{baby_room.code}/console/")
    screen.goto(f"/wall/{baby_room.wall_key}/")
    ada.goto(f"/w/{baby_room.code}/")
    expect(ada.get_by_text("It has not opened yet")).to_be_visible()
    looks_right(console, screen, ada)

    main = console.locator("#main-button")
    expect(main).to_contain_text("Open the doors")
    main.click()
    on_stage(console, "joining")
    looks_right(console)

    # Ada scanned early and her page finds the open doors by itself; Bea types the code as people type codes.
    join = ada.get_by_role("link", name="Join this workshop")
    expect(join).to_be_visible()  # it looks again every eight seconds at the latest
    looks_right(ada)
    join.click()
    assert ada.locator("input:checked").count() == 0
    looks_right(ada)
    bea.goto("/")
    looks_right(bea)
    bea.get_by_label("Workshop code").fill(f" {baby_room.code[:3].lower()} {baby_room.code[3:]}")
    bea.get_by_role("button", name="Join").click()
    for page in (ada, bea):
        for key in ("read", "voluntary", "pooled"):
            page.check(f"input[value={key}]")
        page.get_by_role("button", name="Continue").click()
    ada.get_by_label("Baby room educator").check()
    looks_right(ada, bea)
    ada.get_by_role("button", name="Go in").click()
    bea.get_by_role("button", name="Skip these questions").click()
    expect(ada.get_by_text("You’re in")).to_be_visible()
    expect(screen.locator("#room")).to_contain_text("2")
    expect(console.locator("#room")).to_contain_text("2")
    looks_right(ada, bea, screen, console)

    # The first question: words.
    for _step in range(3):
        before = console.locator("#stage h1").inner_text()
        main.click()
        expect(console.locator("#stage h1")).not_to_have_text(before)
    on_stage(ada, "ballot")
    expect(screen.locator("#stage")).to_contain_text("how does the ideal baby room look and feel")
    ada.locator("[name=word]").first.fill("calm")
    looks_right(ada, bea, screen, console)
    ada.get_by_role("button", name="Send my words").click()
    expect(ada.locator("#receipt")).to_contain_text("Saved: calm")
    expect(console.locator("#tally")).to_contain_text("calm")
    expect(screen.locator("#tally")).not_to_contain_text("calm")
    main.click()
    on_stage(ada, "closed")
    expect(screen.locator("#tally")).not_to_contain_text("calm")  # nobody has checked it yet
    console.locator("#queue").get_by_role("button", name="Show").first.click()
    expect(screen.locator("#tally")).to_contain_text("calm")
    looks_right(ada, screen, console)

    # The second: a choice, changed once, seen only when it closes.
    main.click()
    on_stage(ada, "ballot")
    ada.get_by_label("6 to 8").check()
    ada.get_by_role("button", name="Send my answer").click()
    expect(ada.locator("#receipt")).to_contain_text("Saved: 6 to 8")
    looks_right(ada)
    ada.get_by_role("link", name="Change my answer").click()
    ada.get_by_label("9 to 12").check()
    ada.get_by_role("button", name="Send my answer").click()
    expect(ada.locator("#receipt")).to_contain_text("Saved: 9 to 12")
    bea.get_by_label("Not sure").check()
    bea.get_by_role("button", name="Send my answer").click()
    expect(screen.locator("#tally")).to_contain_text("2")
    expect(console.locator("#tally")).to_contain_text("of 2 people have answered")
    assert "9 to 12" not in screen.locator("body").inner_text()
    main.click()
    expect(screen.locator("#tally")).to_contain_text("9 to 12")
    expect(ada.locator("#tally .yours")).to_have_count(1)
    expect(ada.locator("#tally [data-key=n9_12] .yours")).to_have_count(1)
    looks_right(ada, bea, screen, console)

    # A prompt for small groups, then the end.
    main.click()
    on_stage(ada, "prompt")
    expect(ada.locator("#clock")).to_contain_text("Time left to talk")
    looks_right(ada, screen, console)
    console.locator(".desk-top").get_by_text("End workshop").click()
    looks_right(console)
    console.locator("#end-yes").click()
    on_stage(ada, "ended")
    expect(screen.locator("#stage")).to_contain_text("Thank")
    looks_right(ada, screen, console)

    counted = {
        poll.version.instrument.key: poll.result["counts"]
        for poll in Poll.objects.exclude(result=None).select_related("version__instrument")
    }
    size = counted["ideal_group_size"]
    assert (size["joined"], size["issued"], size["cast"], size["passed"], size["valid"]) == (2, 2, 2, 1, 1)


def test_an_answer_without_a_network_is_saved_later_without_a_tap(phone, room, console_errors_expected):
    console_errors_expected += ["ERR_INTERNET_DISCONNECTED", "WebSocket connection"]
    page = join(phone(), room)
    poll = make.launched(room)
    on_stage(page, "ballot")
    page.get_by_label("6 to 8").check()
    page.context.set_offline(True)
    page.get_by_role("button", name="Send my answer").click()
    expect(page.locator("#receipt [role=alert]")).to_contain_text("Not saved yet, trying again")
    looks_right(page)
    page.context.set_offline(False)
    expect(page.locator("#receipt")).to_contain_text("Saved: 6 to 8")
    assert list(Ballot.objects.filter(poll=poll).values_list("value", "revision")) == [("n6_8", 1)]


def test_an_answer_that_comes_back_after_the_close_is_refused_in_words(phone, room, console_errors_expected):
    console_errors_expected += ["ERR_INTERNET_DISCONNECTED", "WebSocket connection"]
    page = join(phone(), room)
    poll = make.launched(room)
    on_stage(page, "ballot")
    page.context.set_offline(True)
    page.get_by_label("6 to 8").check()
    page.get_by_role("button", name="Send my answer").click()
    expect(page.locator("#receipt [role=alert]")).to_be_visible()
    facilitation.close(room.pk, None)
    page.context.set_offline(False)
    expect(page.locator("#receipt")).to_contain_text("Closed before your answer arrived")
    assert Ballot.objects.filter(poll=poll, status="cast").count() == 0


@pytest.mark.outage
def test_a_server_that_restarts_loses_no_answer(serve, browser, room):
    server = serve()
    context = browser.new_context(base_url=server.url, locale="en-GB")
    page = join(context.new_page(), room)
    poll = make.launched(room)
    on_stage(page, "ballot")
    server.stop()
    page.get_by_label("6 to 8").check()
    page.get_by_role("button", name="Send my answer").click()
    expect(page.locator("#receipt")).to_contain_text("Not saved yet")
    serve(port=server.port)
    expect(page.locator("#receipt")).to_contain_text("Saved: 6 to 8")
    assert Ballot.objects.filter(poll=poll, status="cast").count() == 1
    context.close()


def test_what_is_being_typed_survives_other_peoples_votes_and_a_reload(phone, room):
    page = join(phone(), room)
    poll = make.launched(room, 1)
    on_stage(page, "ballot")
    first = page.locator("[name=word]").first
    first.fill("like ho")
    make.vote(make.participant(room), poll, ["calm"])
    facilitation.start_timer(room.pk, None, 120)
    expect(page.locator("#clock output")).to_be_visible()
    expect(page.locator("#tally")).to_contain_text("1 of 2")
    expect(first).to_have_value("like ho")
    page.reload()
    expect(page.locator("[name=word]").first).to_have_value("like ho")


def test_a_reload_and_the_back_button_find_the_answer_again(phone, room):
    page = join(phone(), room)
    make.launched(room)
    on_stage(page, "ballot")
    page.get_by_label("6 to 8").check()
    page.get_by_role("button", name="Send my answer").click()
    expect(page.locator("#receipt")).to_contain_text("Saved: 6 to 8")
    page.reload()
    expect(page.locator("#receipt")).to_contain_text("Saved: 6 to 8")
    page.get_by_role("link", name="Help").click()
    page.go_back()
    expect(page.locator("#receipt")).to_contain_text("Saved: 6 to 8")


def test_two_tabs_of_one_person_show_the_latest_answer_and_make_one_ballot(phone, room):
    page = join(phone(), room)
    poll = make.launched(room)
    other = page.context.new_page()
    other.goto(f"/w/{room.code}/")
    for tab, words in ((page, "6 to 8"), (other, "9 to 12")):
        on_stage(tab, "ballot")
        if tab.get_by_role("link", name="Change my answer").is_visible():
            tab.get_by_role("link", name="Change my answer").click()
        tab.get_by_label(words).check()
        tab.get_by_role("button", name="Send my answer").click()
        expect(tab.locator("#receipt")).to_contain_text(f"Saved: {words}")
        expect(other.locator("#receipt")).to_contain_text(f"Saved: {words}")
    expect(page.locator("#receipt")).to_contain_text("Saved: 9 to 12")
    assert list(Ballot.objects.filter(poll=poll).values_list("value", flat=True)) == ["n9_12"]


def test_without_javascript_a_phone_votes_changes_and_sees_the_result(phone, room, console_errors_expected):
    console_errors_expected.append("422")
    page = phone(java_script_enabled=False)
    page.goto(f"/w/{room.code}/consent/")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("please tick everything that is not optional")
    for words in ("I have read", "My answers"):
        page.get_by_label(words).first.check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("You’re in")).to_be_visible()
    poll = make.launched(room)
    page.goto(f"/w/{room.code}/")
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_text("Choose one answer first.")).to_be_visible()
    page.get_by_label("6 to 8").check()
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_text("Saved: 6 to 8")).to_be_visible()
    page.get_by_role("link", name="Change my answer").click()
    expect(page.get_by_label("6 to 8")).to_be_checked()
    page.get_by_label("9 to 12").check()
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_text("Saved: 9 to 12")).to_be_visible()
    facilitation.close(room.pk, None)
    page.reload()
    expect(page.locator("#tally [data-key=n9_12]")).to_contain_text("1")
    assert list(Ballot.objects.filter(poll=poll).values_list("value", "revision")) == [("n9_12", 2)]


def test_who_declines_watches_and_leaves_no_trace(phone, room):
    page = phone()
    page.goto(f"/w/{room.code}/consent/")
    page.get_by_role("button", name="Watch only").click()
    expect(page.get_by_text("You’re watching.")).to_be_visible()
    make.launched(room)
    on_stage(page, "ballot")
    expect(page.get_by_role("heading", level=1)).to_contain_text("how many babies")
    assert page.locator("form.ballot").count() == 0
    looks_right(page)
    assert (Participant.objects.count(), Ballot.objects.count()) == (0, 0)
    facilitation.end(room.pk, None)
    expect(page.get_by_role("heading", name="Thank you for watching")).to_be_visible()
    expect(page.get_by_role("link", name="Changed your mind?")).to_have_count(0)


def test_who_declined_changes_their_mind_with_one_link(phone, room):
    page = phone()
    page.goto(f"/w/{room.code}/consent/")
    page.get_by_role("button", name="Watch only").click()
    page.get_by_role("link", name="Changed your mind? Take part and be counted").click()
    expect(page.get_by_role("heading", name="Is it all right to count your answers?")).to_be_visible()


ANSWERS = {
    "single": (lambda page: page.get_by_label("Quiet").check(), "b"),
    "multiple": (
        lambda page: [page.get_by_label(words).check() for words in ("Ground floor", "Garden")],
        ["a", "c"],
    ),
    "scale": (lambda page: page.get_by_label("Rather").check(), 3),
    "scale_block": (
        lambda page: page.locator("[name=point_calm][value='4']").check(force=True),
        {"calm": 4},
    ),
    "ranking_top": (
        lambda page: [page.locator(".addable", has_text=words).click() for words in ("Garden", "Quiet")],
        ["c", "b"],
    ),
    "words": (lambda page: page.locator("[name=word]").first.fill("Not noisy"), ["Not noisy"]),
    "open": (lambda page: page.locator("[name=text]").fill("A chair for parents"), "A chair for parents"),
    "number": (lambda page: page.locator("[name=number]").fill("12"), 12),
    "points": (
        lambda page: [
            page.locator(f"[name=points_{key}]").fill(points) for key, points in (("a", "60"), ("c", "40"))
        ],
        {"a": 60, "c": 40},
    ),
    "statement": (lambda page: page.get_by_label("I can live with it").check(), {"choice": "live_with"}),
}


@pytest.mark.parametrize("sample", ANSWERS)
def test_every_poll_type_is_answered_changed_and_shown(sample, phone, wall, transactional_db):
    """One test per type: empty refused in words where that applies, saved, given back for a change, shown."""
    room = make.workshop(None, QUESTIONS[sample])
    page, screen = join(phone(), room), wall()
    screen.goto(f"/wall/{room.wall_key}/")
    poll = make.launched(room)
    on_stage(page, "ballot")
    looks_right(page)
    if sample != "scale_block":
        page.locator("form.ballot .is-main").click()
        expect(page.locator("form.ballot .error").first).to_be_visible()
        looks_right(page)
    fill, value = ANSWERS[sample]
    fill(page)
    page.locator("form.ballot .is-main").click()
    expect(page.locator("#receipt .is-saved")).to_be_visible()
    assert Ballot.objects.get(poll=poll).value == value
    page.get_by_role("link", name="Change my answer").click()
    page.locator("form.ballot .is-main").click()  # what was saved stands in the form again
    expect(page.locator("#receipt .is-saved")).to_be_visible()
    ballot = Ballot.objects.get(poll=poll)
    assert (ballot.value, ballot.revision) == (value, 2)
    for text in Text.objects.filter(poll=poll, standing=Text.Standing.CURRENT):
        moderation.check_texts(room.pk, None, [text.ref], True)
    facilitation.close(room.pk, None)
    on_stage(page, "closed")
    expect(screen.locator("#tally")).to_contain_text("1")
    looks_right(page, screen)
