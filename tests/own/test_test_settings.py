"""What the other tests stand on: a database that threads share, and a place of their own."""

import threading

import pytest
from django.conf import settings
from django.db import connection

from polls.models import Bank


@pytest.mark.django_db(transaction=True)
def test_what_one_thread_commits_another_thread_sees():
    Bank.objects.create(key="seen", title="Seen")
    seen: list[str] = []

    def look() -> None:
        seen.extend(Bank.objects.values_list("key", flat=True))
        Bank.objects.create(key="answered", title="Answered")
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == ["seen"]
    assert sorted(Bank.objects.values_list("key", flat=True)) == ["answered", "seen"]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_from_the_test_before():
    assert list(Bank.objects.all()) == []


def test_tests_keep_away_from_the_projects_own_files():
    assert settings.VAR_DIR == settings.TEST_PLACE
    assert not settings.VAR_DIR.is_relative_to(settings.BASE_DIR)
