"""The one line: here for a server of a test, in `polls/types/__init__.py` for a type of the product."""

from django.apps import AppConfig

from polls.types import POLL_TYPES

from .thumbs import Thumbs


class ThumbsConfig(AppConfig):
    name = "tests.thumbs"

    def ready(self) -> None:
        POLL_TYPES["thumbs"] = Thumbs()
