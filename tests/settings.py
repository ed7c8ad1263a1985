"""The project's own settings, but for what a test needs otherwise: its own place, speed and silence.

Used by every test process and by the servers that browser tests start. `DATABASE_URL` and `REDIS_URL`
still count, so the whole suite runs against PostgreSQL and Redis by these two variables alone.
"""

import os
import tempfile
from pathlib import Path

# One place per test process; a server that a test starts is given the place of its test.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
if "TEST_VAR_DIR" not in os.environ or os.environ.get("TEST_VAR_OWNER") != WORKER:
    os.environ["TEST_VAR_DIR"] = tempfile.mkdtemp(prefix=f"vision-test-{WORKER}-")
    os.environ["TEST_VAR_OWNER"] = WORKER
os.environ["VAR_DIR"] = os.environ["TEST_VAR_DIR"]

from config.settings import *  # noqa: E402, F403
from config.settings import CACHES, CHANNEL_LAYERS, DATABASES, REDIS_URL, STORAGES  # noqa: E402

TEST_PLACE = Path(os.environ["TEST_VAR_DIR"])

# A file, not memory: threads and servers of a test see each other's commits as they do in real life.
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["TEST"] = {"NAME": str(TEST_PLACE / "test.sqlite3")}
    # The same locks as in production, but no waiting for the disk: no power cut is tested here.
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON;"
    ) + os.environ.get("TEST_SQLITE_INIT", "")  # how a test gives one server a disk that is full
# PostgreSQL waits for its disk as ever: the history's tests kill it, and then what was acknowledged must be there.

# Test processes that share one Redis, also those of another run, must not hear each other.
if REDIS_URL:
    CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] = TEST_PLACE.name
    CACHES["default"]["KEY_PREFIX"] = TEST_PLACE.name
    # A test ends with an empty cache, which empties a whole database of Redis: each test process has its own.
    number = int(WORKER[2:]) if WORKER.startswith("gw") else 0
    CACHES["default"]["LOCATION"] = f"{REDIS_URL.rpartition('/')[0]}/{15 - number % 8}"
else:
    # Files, not memory: what a test empties afterwards is also what its server remembers.
    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(TEST_PLACE / "cache"),
    }

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

# Static files straight from the apps: nothing to collect before a test.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
