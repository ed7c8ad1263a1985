"""The tests' settings for the servers of a history; with HISTORY_MUTATION, a product with that fault built in."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS

if os.environ.get("HISTORY_MUTATION"):
    INSTALLED_APPS = [*INSTALLED_APPS, "tests.history.mutations.Mutated"]
