"""What stands in deploy/: checked by the tools it is for where they are installed, and run as far as it can be here.

No container is built by these tests. What the image would do is: its files exist, its commands run, its process
answers behind a proxy; the proxy files are read by Caddy and nginx themselves, and Caddy is really run.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from workshops.text.transcripts.worker import SIZE_LIMIT

from .. import factories
from ..browser.server import database_url, free_port, start_server
from ..patience import until
from ..socket_screens import phone_on

ROOT = Path(settings.BASE_DIR)
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
SETTINGS = set(re.findall(r"\benv\.\w+\(\s*\"([A-Z_]+)\"", (ROOT / "config/settings.py").read_text()))
OF_COMPOSE_ALONE = {"SITE_NAME", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "WEB_REPLICAS"}


def tool(name: str) -> str:
    """Where a program is; skips in plain words where it is not installed."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed here, so what is for it was not checked by it.")
    return found


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        list(map(str, command)),
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


# --- variables and secrets ----------------------------------------------------------------------------


def example_variables() -> dict[str, str]:
    lines = (DEPLOY / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_variable_that_a_server_is_given_is_a_setting():
    given = set(COMPOSE["x-web"]["environment"])
    assert sorted(given - SETTINGS) == []
    unit = (DEPLOY / "vision-workshops.service").read_text()
    named = re.findall(r"([A-Z_]+)=", " ".join(re.findall(r"^Environment=(.*)$", unit, re.MULTILINE)))
    assert sorted(set(named) - SETTINGS) == ["PYTHONDONTWRITEBYTECODE"]


def test_every_variable_that_compose_reads_is_in_the_example_and_back():
    read = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))
    assert sorted(read) == sorted(example_variables())
    assert sorted(set(example_variables()) - SETTINGS) == sorted(OF_COMPOSE_ALONE)


def test_no_secret_is_committed():
    secrets = ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "METRICS_TOKEN")
    assert {example_variables()[name] for name in secrets} == {""}
    required = (DEPLOY / "compose.yaml").read_text()
    assert "${SECRET_KEY:?" in required
    assert "${POSTGRES_PASSWORD:?" in required
    assert "${REDIS_PASSWORD:?" in required
    tracked = run("git", "ls-files", "deploy") if (ROOT / ".git").exists() else ""
    assert ".env\n" not in tracked


# --- compose and the image ------------------------------------------------------------------------------


def test_only_the_proxy_is_reachable_from_outside():
    assert [name for name, service in COMPOSE["services"].items() if "ports" in service] == ["proxy"]


def test_servers_wait_for_tables_and_get_no_rights():
    web = COMPOSE["services"]["web"]
    assert web["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert COMPOSE["services"]["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert (web["read_only"], web["cap_drop"]) == (True, ["ALL"])


def test_the_proxy_reaches_servers_alone_and_nothing_but_servers_reaches_the_database():
    networks = {name: set(service["networks"]) for name, service in COMPOSE["services"].items()}
    assert networks["proxy"].isdisjoint(networks["postgres"] | networks["redis"])
    assert networks["web"] == {"inside", "outside"}
    assert COMPOSE["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_no_service_has_rights_or_memory_without_limit(name):
    service = COMPOSE["services"][name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert all("size=" in folder for folder in service.get("tmpfs", []))


def test_the_database_logs_no_values():
    command = COMPOSE["services"]["postgres"]["command"]
    assert {"log_min_error_statement=panic", "log_parameter_max_length_on_error=0"} <= set(command)


def test_every_volume_and_service_that_is_named_exists():
    services, volumes = set(COMPOSE["services"]), set(COMPOSE["volumes"])
    for service in COMPOSE["services"].values():
        assert set(service.get("depends_on", [])) <= services
        named = {volume.split(":")[0] for volume in service.get("volumes", [])}
        assert {name for name in named if not name.startswith(".")} <= volumes
        assert all((DEPLOY / name).exists() for name in named if name.startswith("."))


def test_compose_reads_its_file():
    docker = tool("docker")
    if subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed here.")
    secrets = dict.fromkeys(("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "EMAIL_URL"), "x")
    filled = {"SITE_NAME": "workshops.example.org"} | secrets
    run(docker, "compose", "-f", DEPLOY / "compose.yaml", "config", "--quiet", **filled)


def test_the_image_copies_what_exists_installs_by_hash_and_runs_as_nobody_special():
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        assert all((ROOT / source).exists() for source in line.split()[:-1]), line
    assert "--require-hashes -r /tmp/lock.txt" in DOCKERFILE
    assert DOCKERFILE.index("USER vision") < DOCKERFILE.index("\nCMD ")
    python = re.search(r"python:(\d+\.\d+)", DOCKERFILE)
    assert python
    assert python[1] in (ROOT / "requirements/lock.txt").read_text()[:200], "the lock is for another Python"


def test_what_the_image_leaves_out_the_server_does_not_need():
    ignored = (ROOT / ".dockerignore").read_text()
    for name in (
        "manage.py",
        "config",
        "polls",
        "workshops",
        "visions",
        "templates",
        "requirements/lock.txt",
    ):
        assert f"!{name}\n" in ignored
    assert "\n*\n" in ignored


def commands(instruction: str) -> list[str]:
    return re.findall(rf"^{instruction} (.*)$", DOCKERFILE, re.MULTILINE)


def test_the_images_own_commands_run(tmp_path):
    """Its static files are collected without writing a key, and its process answers as behind the proxy."""
    collect = next(line for line in commands("RUN") if "collectstatic" in line)
    place = {"VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings"}
    run("sh", "-c", collect.replace("python", shlex.quote(sys.executable)), **place)
    assert (tmp_path / "static").is_dir()
    assert not (tmp_path / "secret_key").exists()


@pytest.mark.django_db(transaction=True)
def test_the_images_process_answers_behind_a_proxy(tmp_path):
    run(sys.executable, "manage.py", "collectstatic", "--no-input", VAR_DIR=str(tmp_path),
        DJANGO_SETTINGS_MODULE="config.settings", SECRET_KEY="x")  # fmt: skip
    port = free_port()
    arguments = [
        {"python": sys.executable, "0.0.0.0": "127.0.0.1", "8000": str(port)}.get(part, part)
        for part in json.loads(commands("CMD")[-1])
    ]
    given = {
        "DJANGO_SETTINGS_MODULE": "config.settings", "VAR_DIR": str(tmp_path), "DATABASE_URL": database_url(),
        "SECRET_KEY": "only for this test", "PUBLIC_URL": "https://workshops.example.org", "EMAIL_URL": "smtp://localhost", "LOG_FORMAT": "json",
        "ALLOWED_HOSTS": "workshops.example.org", "BEHIND_PROXY": "true", "LOG_LEVEL": "WARNING",
    }  # fmt: skip
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(arguments, cwd=ROOT, env=os.environ | given, stdout=log, stderr=log)
    try:
        assert eventually(f"http://127.0.0.1:{port}/healthz") == b"alive\n"
        assert json.loads(eventually(f"http://127.0.0.1:{port}/readyz"))["ready"] is True
        page = eventually(
            f"http://127.0.0.1:{port}/", Host="workshops.example.org", **{"X-Forwarded-Proto": "https"}
        )
        assert b"<html" in page
    finally:
        process.terminate()
        process.wait(10)
        log.close()
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line for line in lines if line["level"] in ("ERROR", "CRITICAL")] == []


def eventually(url: str, seconds: float = 30, **headers: str) -> bytes:
    """What is answered, once something is."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:
                return answer.read()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


# --- systemd, nginx, Caddy --------------------------------------------------------------------------------


def test_systemd_reads_the_unit(tmp_path):
    """With this machine's Python in the place of the one to be installed."""
    analyse = tool("systemd-analyze")
    unit = (DEPLOY / "vision-workshops.service").read_text()
    here = tmp_path / "vision-workshops.service"
    here.write_text(unit.replace("/srv/vision-workshops/.venv/bin/python", sys.executable))
    assert "vision-workshops.service" not in run(analyse, "verify", here)


@pytest.mark.parametrize("job", ["backup", "retention"])
def test_systemd_reads_the_nightly_jobs(tmp_path, job):
    analyse = tool("systemd-analyze")
    for kind in ("service", "timer"):
        text = (DEPLOY / f"vision-workshops-{job}.{kind}").read_text()
        here = text.replace("/srv/vision-workshops/.venv/bin/python", sys.executable)
        (tmp_path / f"vision-workshops-{job}.{kind}").write_text(here)
    said = run(analyse, "verify", *sorted(tmp_path.glob(f"vision-workshops-{job}.*")))
    assert f"vision-workshops-{job}" not in said


def test_what_is_past_its_time_is_removed_by_systemd_and_by_compose():
    unit = (DEPLOY / "vision-workshops-retention.service").read_text()
    assert re.search(r"^ExecStart=.*/python manage\.py apply_retention$", unit, re.MULTILINE)
    assert "manage.py apply_retention" in COMPOSE["services"]["retention"]["command"][-1]
    assert "apply_retention" in get_commands()


@pytest.mark.django_db(transaction=True)
def test_the_nightly_backups_command_makes_one_that_comes_back(tmp_path):
    unit = (DEPLOY / "vision-workshops-backup.service").read_text()
    command = re.search(r"^ExecStart=/bin/sh -c '(.*)'$", unit, re.MULTILINE)[1].replace("%%", "%")
    here = {
        "/srv/vision-workshops/.venv/bin/python": sys.executable,
        "/var/lib/vision-workshops-backups": str(tmp_path),
    }
    for there, path in here.items():
        assert there in command
        command = command.replace(there, path)
    given = {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "x"}
    assert "every table has its rows again" in run("sh", "-c", command, VAR_DIR=str(tmp_path), **given)
    assert [path.name[:4] for path in tmp_path.glob("*.backup")] == ["day-"]


def test_the_units_command_is_one_that_we_have():
    unit = (DEPLOY / "vision-workshops.service").read_text()
    assert "manage.py serve --server uvicorn --host 127.0.0.1 --port 8000" in unit
    assert {"NoNewPrivileges=yes", "CapabilityBoundingSet=", "UMask=0077"} <= set(unit.splitlines())
    assert {"MemoryMax", "TasksMax"} <= {line.partition("=")[0] for line in unit.splitlines()}


def test_redis_answers_nobody_without_its_password_and_keeps_nothing():
    redis = COMPOSE["services"]["redis"]
    start = redis["command"][-1]
    assert "requirepass" in start
    assert "--requirepass" not in start, "a list of processes would have it"
    assert '--save "" --appendonly no' in start
    assert COMPOSE["x-web"]["environment"]["REDIS_URL"].startswith("redis://:${REDIS_PASSWORD:?")


def test_whoever_wants_very_bytes_is_told_how_to_name_an_image_by_its_digest():
    assert "imagetools inspect" in (DEPLOY / "compose.yaml").read_text()


def nginx_file(place: Path, **replaced: str) -> Path:
    """The project's nginx.conf with its folders in `place`, and `replaced` texts."""
    folders = "".join(
        f"    {kind}_temp_path {place}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = (DEPLOY / "nginx.conf").read_text().replace("http {\n", f"http {{\n{folders}")
    here = {"/etc/ssl/vision": f"{place}", "/var/cache/nginx": f"{place}", "/srv/vision-workshops": f"{ROOT}"}
    for old, new in (here | replaced).items():
        assert old in text
        text = text.replace(old, new)
    (place / "nginx.conf").write_text(text)
    return place / "nginx.conf"


def test_nginx_reads_its_file(tmp_path):
    nginx = tool("nginx")
    run(tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=test",
        "-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "fullchain.pem")  # fmt: skip
    run(nginx, "-t", "-p", tmp_path, "-c", nginx_file(tmp_path), "-g", f"pid {tmp_path}/pid;")


@pytest.fixture
def behind_nginx(transactional_db, tmp_path):
    """Starts a real nginx before a server, with the project's own file but for TLS; its address."""
    nginx, started = tool("nginx"), []

    def start(**replaced: str) -> str:
        port = free_port()
        server = start_server(tmp_path)
        started.append(server.stop)
        ports = {"listen 80;": f"listen 127.0.0.1:{free_port()};", "listen 443 ssl http2;": f"listen 127.0.0.1:{port};",
                 "127.0.0.1:8001": f"127.0.0.1:{server.port}", "127.0.0.1:8002": f"127.0.0.1:{server.port}",
                 "ssl_": "# ssl_"}  # fmt: skip
        process = subprocess.Popen(
            [nginx, "-p", tmp_path, "-c", nginx_file(tmp_path, **ports, **replaced),
             "-g", f"pid {tmp_path}/pid; user {pwd.getpwuid(os.getuid()).pw_name}; daemon off;"],
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        started.append(lambda: (process.terminate(), process.wait(10)))
        return f"http://127.0.0.1:{port}"

    yield start
    for stop in reversed(started):
        stop()


def status_of(url: str) -> tuple[int, str, str]:
    """The status of a page, what it says of coming back, and its text."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, "", answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Retry-After", ""), error.read().decode()


def test_behind_nginx_people_see_pages_and_vote(behind_nginx):
    address = behind_nginx()
    eventually(f"{address}/healthz")
    workshop = factories.workshop()
    poll, who = factories.launched(workshop), factories.participant(workshop)

    class Proxy:
        url, socket_url = address, address.replace("http", "ws", 1)

    with phone_on(Proxy, workshop, who) as phone:
        assert phone.vote(poll)["t"] == "ack"
    assert status_of(f"{address}/w/{workshop.code}/")[0] == 200


def test_a_flood_is_sent_away_by_nginx_with_a_page_that_comes_back_by_itself(behind_nginx):
    address = behind_nginx(**{"rate=2000r/s": "rate=1r/s", "zone=address burst=4000": "zone=address burst=5"})
    eventually(f"{address}/")
    answers = [status_of(f"{address}/") for _ in range(30)]
    away = [(retry, text) for status, retry, text in answers if status == 503]
    assert len(away) >= 20
    assert {retry for retry, _text in away} == {"8"}
    assert all('http-equiv="refresh"' in text for _retry, text in away)


def test_a_hall_behind_one_address_is_no_flood():
    """Two thousand people within ten seconds: a dozen pages and files each, a socket and two connections."""
    text = (DEPLOY / "nginx.conf").read_text()
    rate = int(re.search(r"zone=address:10m rate=(\d+)r/s", text)[1])
    assert rate >= 2000 * 10 / 10
    assert int(re.search(r"limit_conn connections (\d+);", text)[1]) >= 2000 * 3


def test_caddy_reads_its_file(tmp_path):
    run(tool("caddy"), "validate", "--adapter", "caddyfile", "--config", DEPLOY / "Caddyfile",
        SITE_NAME="workshops.example.org", HOME=str(tmp_path))  # fmt: skip


def test_without_a_server_caddy_gives_a_page_that_comes_back_by_itself(tmp_path):
    caddy, port, nobody = tool("caddy"), free_port(), free_port()
    text = re.sub(
        r"dynamic a [^\n]*\n[^\n]*\n\t\t\}",
        f"to 127.0.0.1:{nobody}",
        (DEPLOY / "Caddyfile").read_text(),
        count=1,
    )
    (tmp_path / "Caddyfile").write_text(text.replace("lb_try_duration 5s", "lb_try_duration 100ms"))
    process = subprocess.Popen(
        [caddy, "run", "--adapter", "caddyfile", "--config", str(tmp_path / "Caddyfile")],
        env=os.environ | {"SITE_NAME": f"http://127.0.0.1:{port}", "HOME": str(tmp_path), "RETRY_PAGE": str(DEPLOY)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until_it_listens(port)
        status, retry, page = status_of(f"http://127.0.0.1:{port}/w/ABC234/")
    finally:
        process.terminate()
        process.wait(10)
    assert (status, retry, 'http-equiv="refresh"' in page) == (503, "8", True)


def until_it_listens(port: int, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
    raise AssertionError(f"Nothing listens on {port}.")


def test_both_proxies_let_through_the_largest_form_that_a_page_takes():
    sizes = [
        re.search(pattern, (DEPLOY / name).read_text())
        for name, pattern in {
            "Caddyfile": r"max_size (\d+)MB",
            "nginx.conf": r"client_max_body_size +(\d+)m;",
        }.items()
    ]
    assert all(size and int(size[1]) * 1_000_000 >= SIZE_LIMIT * 1.1 for size in sizes)


def test_nginx_writes_no_body_to_a_disk():
    """Names are in a transcript until they are taken out; what does not fit the buffer would go to a file."""
    nginx = (DEPLOY / "nginx.conf").read_text()
    sizes = re.findall(r"client_max_body_size +(\w+);\s+client_body_buffer_size +(\w+);", nginx)
    assert sizes == [("14m", "14m"), ("64k", "64k")]


def test_compose_lets_as_many_servers_connect_as_it_says():
    command = COMPOSE["services"]["postgres"]["command"]
    pool = int(COMPOSE["x-web"]["environment"]["DATABASE_POOL_SIZE"])
    given = dict(word.split("=") for word in command if "=" in word)
    assert int(given["max_connections"]) >= 20 * pool + 10


def test_both_proxies_know_the_same_addresses_of_a_workshop():
    caddy = re.search(r"path_regexp room \^/\(\?:([^)]*)\)", (DEPLOY / "Caddyfile").read_text())
    nginx = re.search(r"~\^/\(\?:([^)]*)\)", (DEPLOY / "nginx.conf").read_text())
    assert caddy
    assert nginx
    assert caddy[1] == nginx[1] == "w|live/phone|live/console|workshops"


@pytest.fixture
def behind_caddy(transactional_db, tmp_path):
    """Two servers and the address of a real Caddy before them, with the project's own Caddyfile but for TLS."""
    caddy, port = tool("caddy"), free_port()
    servers = [start_server(tmp_path, METRICS_TOKEN="of this test") for _ in range(2)]
    text = (DEPLOY / "Caddyfile").read_text()
    upstreams = " ".join(f"127.0.0.1:{server.port}" for server in servers)
    text = re.sub(r"dynamic a [^\n]*\n[^\n]*\n\t\t\}", f"to {upstreams}", text, count=1)
    (tmp_path / "Caddyfile").write_text(text)
    process = subprocess.Popen(
        [caddy, "run", "--adapter", "caddyfile", "--config", str(tmp_path / "Caddyfile")],
        env=os.environ | {"SITE_NAME": f"http://127.0.0.1:{port}", "HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield servers, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
        for server in servers:
            server.stop()


def sockets_on(server) -> int:
    text = eventually(f"{server.url}/metrics", Authorization="Bearer of this test").decode()
    return sum(
        int(float(line.split()[-1])) for line in text.splitlines() if line.startswith("vision_sockets{")
    )


def test_behind_caddy_a_workshops_phones_are_on_one_process_and_votes_get_through(behind_caddy):
    servers, address = behind_caddy
    eventually(f"{address}/healthz")
    used: set[int] = set()
    for _workshop in range(30):
        workshop = factories.workshop()
        room = [factories.participant(workshop) for _ in range(3)]
        used.add(_all_on_one(servers, address, workshop, room, factories.launched(workshop)))
        if len(used) == 2:
            break
    assert used == {0, 1}, "workshops should be spread over both processes"
    for hidden in ("/metrics", "/readyz"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(address + hidden, timeout=5)


def _all_on_one(servers, address, workshop, room, poll) -> int:
    """Three phones of a workshop, each votes; the number of the process that holds all three."""

    class Proxy:
        url, socket_url = address, address.replace("http", "ws", 1)

    with contextlib.ExitStack() as stack:
        phones = [stack.enter_context(phone_on(Proxy, workshop, who)) for who in room]
        assert [phone.vote(poll)["t"] for phone in phones] == ["ack"] * 3
        held = [sockets_on(server) for server in servers]
    assert sorted(held) == [0, 3]
    until(lambda: not any(map(sockets_on, servers)))
    return held.index(3)


# --- the same in effect ---------------------------------------------------------------------------------


@pytest.fixture
def before_a_server(request, transactional_db, tmp_path, behind_nginx):
    """Starts the proxy that is asked for before one server, with `replaced` texts in its file; its address."""
    started = []

    def start(name: str, **replaced: str) -> str:
        if name == "nginx":
            return behind_nginx(**replaced)
        server, port = start_server(tmp_path), free_port()
        started.append(server.stop)
        text = re.sub(
            r"dynamic a [^\n]*\n[^\n]*\n\t\t\}",
            f"to 127.0.0.1:{server.port}",
            (DEPLOY / "Caddyfile").read_text(),
            count=1,
        )
        for old, new in replaced.items():
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "Caddyfile").write_text(text)
        process = subprocess.Popen(
            [tool("caddy"), "run", "--adapter", "caddyfile", "--config", str(tmp_path / "Caddyfile")],
            env=os.environ | {"SITE_NAME": f"http://127.0.0.1:{port}", "HOME": str(tmp_path)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        started.append(lambda: (process.terminate(), process.wait(10)))
        return f"http://127.0.0.1:{port}"

    yield start
    for stop in reversed(started):
        stop()


PROXIES = pytest.mark.parametrize("proxy", ["nginx", "caddy"])
PHONE_LIMIT, LIMIT = 64 * 1024, 14 * 1024 * 1024


def talk(address: str, *parts: bytes) -> bytes:
    """What is answered to these bytes until the other side ends it; a body that is not read may break the pipe."""
    host, _colon, port = address.removeprefix("http://").partition(":")
    heard = b""
    with socket.create_connection((host, int(port)), timeout=60) as wire:
        with contextlib.suppress(OSError):
            for part in parts:
                wire.sendall(part)
        with contextlib.suppress(ConnectionError):
            while more := wire.recv(65536):
                heard += more
    return heard


def posting(address: str, path: str, length: int) -> bytes:
    host = address.removeprefix("http://")
    lines = (f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {length}", "Connection: close",
             "Content-Type: application/x-www-form-urlencoded", "", "")  # fmt: skip
    return "\r\n".join(lines).encode()


@PROXIES
def test_a_body_that_is_too_large_is_refused_before_a_server_reads_it(before_a_server, proxy):
    address = before_a_server(proxy)
    eventually(f"{address}/healthz")
    for path, limit in (("/w/ABC234/consent/", PHONE_LIMIT), ("/accounts/login/", LIMIT)):
        body = b"x" * (limit + 1_000_000)
        answer = talk(address, posting(address, path, len(body)), body)
        assert answer.split(b" ", 2)[1] == b"413", (path, answer[:200])


@PROXIES
def test_who_sends_slowly_holds_no_connection_of_a_server(before_a_server, proxy):
    shorter = {
        "nginx": {"client_header_timeout 15s": "client_header_timeout 1s",
                  "client_body_timeout   30s": "client_body_timeout   1s"},
        "caddy": {"read_header 15s": "read_header 1s", "read_body 60s": "read_body 1s"},
    }[proxy]  # fmt: skip
    address = before_a_server(proxy, **shorter)
    eventually(f"{address}/healthz")
    for unfinished in (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", posting(address, "/accounts/login/", 1000)):
        assert b"<html" not in talk(address, unfinished)


@PROXIES
def test_what_only_machines_inside_ask_is_not_there(before_a_server, proxy):
    address = before_a_server(proxy)
    eventually(f"{address}/healthz")
    assert [status_of(address + path)[0] for path in ("/metrics", "/readyz")] == [404, 404]


def test_both_proxies_wait_as_long_and_take_as_much():
    caddy, nginx = (DEPLOY / "Caddyfile").read_text(), (DEPLOY / "nginx.conf").read_text()
    same = {
        r"read_header (\w+)": r"client_header_timeout +(\w+);",
        r"idle (\w+)": r"keepalive_timeout +(\w+);",
        r"max_size (14)MB": r"client_max_body_size +(14)m;",
        r"max_size (64)KB": r"client_max_body_size +(64)k;",
    }
    for ours, theirs in same.items():
        mine, other = re.search(ours, caddy), re.search(theirs, nginx)
        assert mine
        assert other
        assert mine[1] == other[1]
    assert "header_up -Authorization" in caddy
    assert 'proxy_set_header Authorization "";' in nginx
