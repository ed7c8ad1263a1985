"""Somebody who has to wait at the door: the page keeps what was ticked and comes in by itself."""

from __future__ import annotations

import contextlib
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from django.db import connection, transaction
from playwright.sync_api import expect

from tests import factories as make
from tests.patience import PATIENCE
from workshops.models import Participant
from workshops.web.admission.handler import AT_ONCE

from .page_checks import assert_accessible, assert_fits, every_look

pytestmark = [pytest.mark.outage, pytest.mark.once]


@pytest.fixture
def site(serve):
    """A server without room to wait; what it writes may wait for a while."""
    return serve(PARTICIPANT_QUEUE="0", DATABASE_BUSY_SECONDS="30")


@pytest.fixture
def workshop(transactional_db):
    return make.workshop()


@pytest.fixture
def full(site, workshop, console_errors_expected):
    """Every slot is taken for the length of the block, by joins that wait for the database."""
    console_errors_expected.append("503")

    def join(number):
        form = {"consent": ["read", "pooled"], "once": f"inside {number}"}
        request = urllib.request.Request(
            f"{site.url}/w/{workshop.code}/consent/",
            urllib.parse.urlencode(form, doseq=True).encode(),
            {"Origin": site.url, "Cookie": "cookies=on"},
        )
        while _status(request) == 503:  # somebody looks just now whether there is a slot
            pass

    @contextlib.contextmanager
    def block():
        inside = [threading.Thread(target=join, args=(number,)) for number in range(AT_ONCE)]
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("LOCK TABLE workshops_participant IN EXCLUSIVE MODE")
            for thread in inside:
                thread.start()
            _until_it_is_taken(site, workshop)
            yield
        for thread in inside:
            thread.join(60)

    return block


def _status(request):
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status
    except urllib.error.HTTPError as answer:
        answer.close()
        return answer.code


def _until_it_is_taken(site, workshop):
    address = f"{site.url}/w/{workshop.code}/"
    deadline = time.monotonic() + PATIENCE
    while _status(address) != 503:
        assert time.monotonic() < deadline, "there is still a free slot"


def fill_in(page, workshop):
    page.goto(f"/w/{workshop.code}/consent/")
    for key in ("read", "pooled"):
        page.check(f"input[value={key}]")


def test_who_has_to_wait_comes_in_by_itself_with_all_that_was_ticked(phone, workshop, full):
    page = phone()
    fill_in(page, workshop)
    with full():
        page.get_by_role("button", name="Continue").click()
        expect(page.locator("h1")).to_have_text("Many people are coming in")
        expect(page.locator("[data-by-itself]")).to_contain_text("tries again by itself")
        expect(page.locator("input[name=consent]")).to_have_count(2)
    page.wait_for_url(f"**/w/{workshop.code}/")
    assert Participant.objects.filter(workshop=workshop).count() == AT_ONCE + 1


def test_without_script_a_button_comes_in(phone, workshop, full):
    page = phone(java_script_enabled=False)
    fill_in(page, workshop)
    with full():
        page.get_by_role("button", name="Continue").click()
        expect(page.locator("noscript p")).to_contain_text("then press the button")
        expect(page.locator("[data-by-itself]")).to_be_hidden()
        page.get_by_role("button", name="Try now").click()
        expect(page.locator("h1")).to_have_text("Many people are coming in")
    page.get_by_role("button", name="Try now").click()
    page.wait_for_url(f"**/w/{workshop.code}/")


@pytest.mark.looks
def test_the_waiting_page_fits_every_screen_and_reads_well(screens, workshop, full, console_errors_expected):
    page = screens()
    console_errors_expected.append("ERR_FAILED")
    page.route("**/healthz", lambda route: route.abort())  # it stays while we look at it
    with full():
        page.goto(f"/w/{workshop.code}/consent/")
        expect(page.locator("h1")).to_have_text("Many people are coming in")
        for _look in every_look(page, 320, 390, 1440, height=844):
            assert_accessible(page)
            assert_fits(page)
