"""Pages of people who sign in are kept by no browser; what everybody sees may be."""

import pytest
from django.test import Client

from workshops.models import Role

from ... import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("page", ["", "summary/", "people/", "plan/", "results.csv"])
def test_no_page_of_staff_is_kept(page):
    programme = factories.programme()
    owner = factories.signed_in(factories.staff(programme, Role.OWNER))
    response = owner.get(f"/programmes/{programme.key}/{page}")
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]


def test_a_page_for_everybody_says_nothing_of_it():
    assert "no-store" not in Client().get("/privacy/").get("Cache-Control", "")
