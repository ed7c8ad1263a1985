"""A poll type that no script has heard of is answered, changed and given back on a phone with JavaScript on."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from polls.models import Ballot
from polls.types import POLL_TYPES, Question
from tests import factories as make
from tests.thumbs.thumbs import Thumbs

from .steps import join


@pytest.fixture
def site(serve, monkeypatch):
    monkeypatch.setitem(POLL_TYPES, "thumbs", Thumbs())
    return serve(DJANGO_SETTINGS_MODULE="tests.thumbs.settings")


def test_a_new_poll_type_is_answered_on_a_phone_changed_and_shown(site, phone):
    room = make.workshop(None, Question("thumbs", "A garden for babies?"))
    poll = make.launched(room)
    page = join(phone(), room)
    page.get_by_role("button", name="Send my answer").click()
    expect(page.locator("form.ballot .error")).to_contain_text("Point a thumb up or down.")
    page.get_by_label("Thumb down").check()
    page.get_by_role("button", name="Send my answer").click()
    expect(page.locator("#receipt")).to_contain_text("Saved: Thumb down")
    page.reload()
    page.get_by_role("link", name="Change my answer").click()
    expect(page.get_by_label("Thumb down")).to_be_checked()
    page.get_by_label("Thumb up").check()
    page.get_by_role("button", name="Send my answer").click()
    expect(page.locator("#receipt")).to_contain_text("Saved: Thumb up")
    assert Ballot.objects.get(poll=poll).value == "up"
