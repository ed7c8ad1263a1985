#!/usr/bin/env python
"""The project's command line: `manage.py help` lists what it can do."""

import contextlib
import os
import sys

SERVING = ("serve", "demo", "runserver")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] and sys.argv[1] in SERVING:
        give_daphne_a_fast_loop()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def give_daphne_a_fast_loop() -> None:
    """Daphne makes itself a loop of Python's own as soon as the apps are loaded, unless there is one: a message costs
    a seventh less on uvloop. Uvicorn chooses by itself."""
    with contextlib.suppress(ImportError):
        import uvloop
        from twisted.internet import asyncioreactor

        asyncioreactor.install(uvloop.new_event_loop())


if __name__ == "__main__":
    main()
