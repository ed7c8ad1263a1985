"""Odd input at every address, by everybody: an answer in words, no exception, and the next request is answered."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies as st

from .odd import beside_threads, examples
from .pages import Form, Sent, crawl, of_addresses, of_forms, of_gestures, send

pytestmark = [pytest.mark.django_db, beside_threads]
WHO_CRAWLS = ("owner", "lead", "participant", "answering", "nobody")


@pytest.fixture(autouse=True)
def _no_processes(monkeypatch):
    """A rehearsal would outlive the test."""
    monkeypatch.setattr("workshops.web.views.staff_live._start_rehearsal", lambda *_: None)


def test_no_request_is_our_fault(world, mishaps):
    forms: list[tuple[str, Form]] = []
    for who in WHO_CRAWLS:
        found, answers = crawl(world, who)
        mishaps()
        assert [answer for answer in answers if answer[1] >= 500] == []
        forms += [(who, form) for form in found if not form.path.startswith("/demo/")]
    assert len(forms) > 50

    parts = world.parts()
    requests = st.one_of(of_forms(forms), of_addresses(world, parts), of_gestures(world, parts))

    @examples(150)
    @hypothesis.given(requests)
    def is_answered(sent: Sent) -> None:
        status = send(world, sent).status_code
        mishaps()
        assert status < 500

    is_answered()
    assert send(world, Sent("owner", "GET", f"/workshops/{world.running.code}/console/")).status_code == 200
