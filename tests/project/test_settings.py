"""What the settings make of the environment, and the key that they keep by themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings

from config.secret_key import read_or_create

WITHOUT_SPACE = """
import resource, signal, sys, pathlib
from config.secret_key import read_or_create
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
read_or_create(pathlib.Path(sys.argv[1]))
"""


def python(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=settings.BASE_DIR, env=os.environ | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_processes_that_start_together_read_the_same_whole_key(tmp_path):
    path = tmp_path / "secret_key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(read_or_create, [path] * 8))
    assert [len(key) for key in keys] == [67]
    assert path.stat().st_mode & 0o077 == 0
    assert [found.name for found in tmp_path.iterdir()] == ["secret_key"]


def test_a_full_disk_leaves_no_empty_key(tmp_path):
    path = tmp_path / "secret_key"
    assert "File too large" in python(WITHOUT_SPACE, path).stderr
    assert len(read_or_create(path)) == 67


HSTS = ("SECONDS", "INCLUDE_SUBDOMAINS", "PRELOAD")
SAY_HSTS = f"import json; from config import settings; print(json.dumps([getattr(settings, f'SECURE_HSTS_{{n}}') for n in {HSTS}]))"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"PUBLIC_URL": "http://example.org"}, [0, False, False]),
        ({"PUBLIC_URL": "https://example.org"}, [31536000, False, False]),
        ({"PUBLIC_URL": "https://example.org", "HSTS_INCLUDE_SUBDOMAINS": "yes"}, [31536000, True, False]),
        (
            {"PUBLIC_URL": "https://a.org", "HSTS_INCLUDE_SUBDOMAINS": "yes", "HSTS_PRELOAD": "yes"},
            [31536000, True, True],
        ),
    ],
)
def test_https_is_demanded_of_this_host_and_of_its_subdomains_only_when_asked(given, said, tmp_path):
    done = python(SAY_HSTS, VAR_DIR=str(tmp_path), EMAIL_URL="smtp://localhost", **given)
    assert json.loads(done.stdout) == said


def test_a_public_server_prints_no_invitation_into_its_log(tmp_path):
    done = python(SAY_HSTS, VAR_DIR=str(tmp_path), PUBLIC_URL="https://a.org", EMAIL_URL="console:")
    assert "EMAIL_URL: expected a mail server" in done.stderr


def test_the_database_file_is_for_this_account_alone(tmp_path):
    environment = os.environ | {"VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings"}
    environment.pop("DATABASE_URL", None)
    command = "umask 0022; exec $0 manage.py migrate --no-input --verbosity 0"
    subprocess.run(["sh", "-c", command, sys.executable], cwd=settings.BASE_DIR, env=environment, check=True)
    assert (tmp_path / "vision.sqlite3").stat().st_mode & 0o077 == 0
