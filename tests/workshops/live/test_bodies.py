"""Bodies of requests: kept in memory, never on a disk, and never without limit, on both servers."""

from __future__ import annotations

import contextlib
import http.client
import os
from pathlib import Path

import pytest

from workshops.models import Role

from ... import factories
from ...browser.server import start_server
from ...browser.sign_in import session_of
from ...patience import until

pytestmark = pytest.mark.django_db(transaction=True)

CHUNK = 65_536


@pytest.fixture(params=["daphne", "uvicorn"])
def server(request, tmp_path):
    running = start_server(tmp_path, server=request.param)
    yield running
    running.stop()


@contextlib.contextmanager
def posting(server, path, size, cookie):
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    connection.putrequest("POST", path)
    for name, value in {"Content-Length": str(size), "Cookie": cookie}.items():
        connection.putheader(name, value)
    connection.endheaders()
    yield connection
    connection.close()


def spooled(server):
    """Files without a name that the server has open: what is written there is written on the disk."""
    folder = Path(f"/proc/{server.process.pid}/fd")
    found = []
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):  # closed meanwhile
            link = os.readlink(folder / name)
            found += [link] if link.endswith("(deleted)") and not link.startswith("/memfd") else []
    return found


def memory(server):
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
def test_a_transcript_is_on_no_disk_while_it_is_sent(server):
    cookie = session_of(factories.staff(factories.programme(), Role.OWNER))
    before = memory(server)
    with posting(server, "/workshops/", 40 * CHUNK, cookie) as connection:
        for _ in range(39):
            connection.send(b"x" * CHUNK)
        until(lambda: memory(server) > before + 20 * CHUNK)  # the server has it
        assert spooled(server) == []
        connection.send(b"x" * CHUNK)
        assert connection.getresponse().status in (403, 405)  # it was read, and is no form of ours
    assert server.errors == ""


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/wall/0/", "/accounts/login/", "/w/KTR4HM/consent/"])
def test_a_body_without_end_is_not_kept(server, path):
    before = memory(server)
    with posting(server, path, 60 * 2**20, "staff=x") as connection:
        with contextlib.suppress(OSError):  # it was told enough, and goes on
            for _ in range(60 * 2**20 // CHUNK):
                connection.send(b"x" * CHUNK)
        with contextlib.suppress(OSError, http.client.HTTPException):  # closed while we went on sending
            assert connection.getresponse().status == 413
    assert memory(server) < before + 20 * 2**20
    assert spooled(server) == []
