"""What brings people in: the link to copy, QR codes and the sheet to print."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
import segno
from django.test import Client
from PIL import Image

from workshops.models import Role

from ... import factories
from ...factories import signed_in, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def workshop():
    return factories.workshop(
        started=False, title="Calm & <bright>", starts_at=datetime(2026, 11, 26, 18, 30, tzinfo=UTC)
    )


@pytest.fixture
def facilitator(workshop):
    return signed_in(staff(workshop.programme))


@pytest.fixture
def public(settings):
    settings.PUBLIC_URL = "https://workshops.example"


def modules(url: str) -> list[list[int]]:
    """The dark modules of the code for this address, with four white ones around."""
    return [list(row) for row in segno.make(url, error="m", micro=False).matrix_iter(border=4)]


@pytest.mark.usefixtures("public")
def test_the_png_holds_the_public_joining_link_with_a_quiet_zone_and_is_large_enough_for_print(
    facilitator, workshop
):
    answer = facilitator.get(f"/workshops/{workshop.code}/qr.png")
    image = Image.open(io.BytesIO(answer.content)).convert("L")
    expected = modules(f"https://workshops.example/w/{workshop.code}/")
    step = image.width // len(expected)
    found = [
        [
            int(image.getpixel((x * step + step // 2, y * step + step // 2)) < 128)
            for x in range(len(expected))
        ]
        for y in range(len(expected))
    ]
    assert found == expected
    assert image.width == image.height == step * len(expected) >= 1200
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert f'filename="workshop-{workshop.number}-{workshop.code}-qr.png"' in answer["Content-Disposition"]


@pytest.mark.usefixtures("public")
def test_the_svg_is_sixty_millimetres_wide_and_says_where_it_leads(facilitator, workshop):
    answer = facilitator.get(f"/workshops/{workshop.code}/qr.svg")
    root = ElementTree.fromstring(answer.content)
    assert float(root.get("width").removesuffix("mm")) == pytest.approx(60)
    assert root.find("{http://www.w3.org/2000/svg}title").text == (
        f"https://workshops.example/w/{workshop.code}/"
    )
    assert answer["Content-Type"] == "image/svg+xml"


def test_without_a_public_address_the_link_is_the_one_of_the_request(facilitator, workshop):
    page = facilitator.get(f"/workshops/{workshop.code}/joining-sheet/").content.decode()
    assert "testserver" in page
    assert workshop.spaced_code in page


def test_the_joining_sheet_says_when_and_where_and_escapes_what_was_typed(facilitator, workshop):
    workshop.place = "Hall <1>"
    workshop.save()
    page = facilitator.get(f"/workshops/{workshop.code}/joining-sheet/").content.decode()
    assert "Calm &amp; &lt;bright&gt;" in page
    assert "Thursday 26 November 2026, 18:30 to 19:30" in page
    assert "Hall &lt;1&gt;" in page
    assert "Keep the page open" in page


def test_the_joining_sheet_of_a_questionnaire_speaks_of_ones_own_time(facilitator, workshop):
    workshop.mode, workshop.closes_at = "questionnaire", datetime(2026, 12, 4, 17, tzinfo=UTC)
    workshop.save()
    page = facilitator.get(f"/workshops/{workshop.code}/joining-sheet/").content.decode()
    assert "Open until Friday 4 December 2026, 17:00" in page
    assert "Answer in your own time" in page
    assert "Keep the page open" not in page
    assert "Put your hand up" not in page


@pytest.mark.usefixtures("public")
def test_the_console_copies_link_and_code_together(facilitator, workshop):
    page = facilitator.get(f"/workshops/{workshop.code}/console/").content.decode()
    copied = re.search(r'data-copy="([^"]*)"', page)[1]
    assert copied == (
        f"Join “Calm &amp; &lt;bright&gt;”: https://workshops.example/w/{workshop.code}/\n"
        f"Or go to workshops.example and type the code {workshop.spaced_code}."
    )
    assert f'href="https://workshops.example/w/{workshop.code}/"' in page


@pytest.mark.parametrize("page", ["qr.svg", "qr.png", "joining-sheet/"])
def test_sheets_are_for_those_who_run_the_workshop(workshop, page):
    address = f"/workshops/{workshop.code}/{page}"
    guest = factories.staff(workshop.programme, Role.RESEARCHER)
    assert Client().get(address).status_code == 302
    assert signed_in(guest).get(address).status_code == 403
    assert signed_in(staff(factories.programme(), Role.OWNER)).get(address).status_code == 404
    assert signed_in(staff(workshop.programme, Role.OWNER)).get(address).status_code == 200
