"""What holds at every door: a strict policy on every answer, no way out to another site, no growing cost."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from workshops.web.views import public

from ... import factories
from ...factories import YES_NO, phone, signed_in, staff

pytestmark = pytest.mark.django_db

PASSWORD = "four words long enough"
ELSEWHERE = (
    "//evil.example/",
    "https://evil.example/",
    "/\\evil.example",
    "javascript:alert(1)",
)


# --- the policy ---------------------------------------------------------------------------------------------


def is_strict(policy: str) -> bool:
    return "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy


@pytest.mark.parametrize(
    ("address", "host", "status"),
    [
        ("/", "testserver", 200),
        ("/nowhere/", "testserver", 404),
        ("/admin/", "testserver", 404),
        ("/workshops/", "testserver", 302),
        ("/", "evil.example", 400),
    ],
)
def test_every_answer_carries_the_policy(client, address, host, status):
    response = client.get(address, headers={"host": host})
    assert response.status_code == status
    assert is_strict(response.headers["Content-Security-Policy"])


def test_a_page_that_fails_carries_the_policy(monkeypatch):
    monkeypatch.setattr(public, "code_error", lambda _typed: 1 / 0)
    response = Client(raise_request_exception=False).post("/", {"code": "ABC"})
    assert response.status_code == 500
    assert is_strict(response.headers["Content-Security-Policy"])


def test_a_form_from_elsewhere_is_refused_under_the_policy():
    response = Client(enforce_csrf_checks=True).post("/", {"code": "ABC"})
    assert response.status_code == 403
    assert is_strict(response.headers["Content-Security-Policy"])


# --- no way out ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ELSEWHERE)
def test_signing_in_never_leads_to_another_site(client, address):
    User.objects.create_user("a", email="a@example.org", password=PASSWORD)
    before = client.session.session_key
    fields = {"login": "a@example.org", "password": PASSWORD, "next": address}
    response = client.post("/accounts/login/", fields, query_params={"next": address})
    assert (response.status_code, response.headers["Location"]) == (302, "/workshops/")
    assert client.session.session_key != before


# --- cost ---------------------------------------------------------------------------------------------------


def queries_of(asks: int) -> dict[str, int]:
    """Queries of each page of a workshop whose agenda has so many questions, one of them on stage."""
    workshop = factories.workshop(None, *[YES_NO] * asks)
    who = factories.participant(workshop)
    factories.vote(who, factories.launched(workshop), "yes")
    facilitator = signed_in(staff(workshop.programme))
    pages = {
        "phone": (phone(who), f"/w/{workshop.code}/"),
        "pictures": (phone(who), f"/w/{workshop.code}/pictures/"),
        "console": (facilitator, f"/workshops/{workshop.code}/console/"),
        "wall": (Client(), f"/wall/{workshop.wall_key}/"),
    }
    counts = {}
    for name, (client, address) in pages.items():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        counts[name] = len(queries)
    return counts


def test_a_longer_agenda_asks_the_database_no_more():
    short, long = queries_of(1), queries_of(3)
    assert short == long
    assert max(long.values()) <= 14
