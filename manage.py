#!/usr/bin/env python
"""The project's command line: `manage.py help` lists what it can do."""

import os
import sys


def main() -> None:
    # What is written here (the SQLite file, the secret key, backups) is for this account alone.
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
