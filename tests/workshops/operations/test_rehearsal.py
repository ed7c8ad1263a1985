"""Rehearsals from the console: a process of its own, one a workshop at a time."""

from __future__ import annotations

import pytest

from workshops.operations import rehearsal

from ... import factories
from ...factories import signed_in, staff

pytestmark = pytest.mark.django_db


class Run:
    """A process that runs until it is told to have ended."""

    started: list[Run]

    def __init__(self, command, **_options):
        self.command, self.ended = command, None
        self.started.append(self)

    def poll(self):
        return self.ended


@pytest.fixture
def runs(monkeypatch):
    Run.started = []
    monkeypatch.setattr(rehearsal.subprocess, "Popen", Run)
    monkeypatch.setattr(rehearsal, "_runs", {})
    return Run.started


def ask(workshop, phones="3"):
    client = signed_in(staff(workshop.programme))
    return client.post(
        f"/workshops/{workshop.code}/rehearse/", {"phones": phones}, follow=True
    ).content.decode()


def test_a_rehearsal_runs_for_this_workshop_with_as_many_phones_as_asked(runs):
    workshop = factories.workshop()
    assert "3 phones are on their way." in ask(workshop)
    (run,) = runs
    assert run.command[2:] == [
        "rehearse", workshop.code, "--phones", "3", "--base-url", "http://testserver:80/", "--quiet",
    ]  # fmt: skip


def test_its_phones_never_carry_their_pass_to_a_port_that_only_the_request_names(runs, settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    workshop = factories.workshop()
    client = signed_in(staff(workshop.programme))
    client.post(f"/workshops/{workshop.code}/rehearse/", {"phones": "3"}, headers={"host": "testserver:8055"})
    assert "http://testserver:80/" in runs[0].command


def test_a_second_run_waits_until_the_first_has_ended(runs):
    workshop = factories.workshop()
    ask(workshop)
    assert "A rehearsal of this workshop is running already." in ask(workshop)
    runs[0].ended = 0
    assert "3 phones are on their way." in ask(workshop)
    assert len(runs) == 2


def test_two_workshops_rehearse_at_once(runs):
    ask(factories.workshop())
    assert "3 phones are on their way." in ask(factories.workshop())
