"""Requests as no browser makes them, at the server's own door: odd bytes in addresses, headers and bodies."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote

import hypothesis
import pytest
from asgiref.testing import ApplicationCommunicator
from hypothesis import strategies as st

from config.asgi import application

from ..patience import PATIENCE
from ..workshops.asgi import end_engine
from .frames import frames
from .odd import beside_threads, examples, texts
from .pages import FORM, PARTS
from .world import World

pytestmark = [pytest.mark.django_db(transaction=True), beside_threads]

KINDS = [
    FORM, PARTS, "application/json", "text/plain", "", "multipart/form-data", "multipart/form-data; boundary=" + "x" * 300,
    f"{PARTS}; charset=utf-7", f"{PARTS}; charset=hex", f"{FORM}; charset=utf-16", "\x00; charset=\x00", "a/b; charset=é",
]  # fmt: skip
NAMES = [
    b"cookie", b"content-type", b"content-length", b"accept-language", b"accept-encoding", b"origin", b"referer",
    b"sec-fetch-site", b"x-forwarded-proto", b"x-forwarded-for", b"host", b"if-none-match", b"if-modified-since", b"range",
    b"hx-request", b"hx-current-url", b"x-csrftoken", b"authorization", b"x-http-method-override",
]  # fmt: skip
#: what is answered where nothing is wrong with us: too many, and not now
BY_LOAD = (429, 503)


def raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@st.composite
def requests(draw: Any, world: World) -> tuple[dict[str, Any], bytes]:
    """The scope of a request as a server makes it, and its body."""
    code, wall = world.running.code, world.running.wall_key
    places = ["/", "/w/{}/", "/w/{}/vote/", "/w/{}/group/", "/w/{}/pictures/", "/w/{}/consent/", "/w/{}/profile/",
              "/wall/{}/", "/static/{}", "/pictures/{}.webp", "/accounts/login/", "/workshops/{}/console/", "/vision/{}/",
              "/readyz", "/metrics", "/{}"]  # fmt: skip
    place = draw(st.sampled_from(places))
    part = draw(st.sampled_from([code, code, wall, world.programme.key]) | texts)
    path = raw(place.replace("{}", part))
    who = draw(st.sampled_from(sorted(world.cookies)))
    cookie = "; ".join(f"{name}={value}" for name, value in world.cookies[who].items())
    method = draw(st.sampled_from(["GET", "POST", "POST", "HEAD", "PUT", "OPTIONS", "TRACE", "QUERY"]))
    body = draw(
        st.binary(max_size=200)
        | frames(world.polls).map(raw)
        | texts.map(lambda text: b"poll=1&choice=" + raw(text))
    )
    headers = {
        b"host": b"localhost:8000", b"origin": b"http://localhost:8000", b"cookie": raw(cookie),
        b"content-type": raw(draw(st.sampled_from(KINDS))), b"content-length": str(len(body)).encode(),
    }  # fmt: skip
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=3)):
        odd = raw(draw(texts)) if draw(st.booleans()) else draw(st.binary(max_size=40))
        headers[name] = headers.get(b"cookie", b"") + b"; staff=" + odd if name == b"cookie" else odd
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "root_path": "",
        "path": unquote(path.decode("utf-8", "replace")), "raw_path": path,
        "query_string": draw(st.binary(max_size=40) | texts.map(raw)),
        "server": ("localhost", 8000), "client": ("192.0.2.1", 5000), "headers": list(headers.items()),
    }  # fmt: skip
    return scope, body


async def status_of(scope: dict[str, Any], body: bytes) -> int:
    wire = ApplicationCommunicator(application, scope)
    await wire.send_input({"type": "http.request", "body": body})
    start = await wire.receive_output(timeout=PATIENCE)
    await wire.wait(timeout=PATIENCE)
    return start["status"]


@pytest.mark.usefixtures("quiet_clock")
def test_no_bytes_break_the_server(world, mishaps):
    with asyncio.Runner() as runner:

        @examples(100)
        @hypothesis.given(requests(world))
        def is_answered(sent: tuple[dict[str, Any], bytes]) -> None:
            status = runner.run(status_of(*sent))
            mishaps()
            assert status < 500 or status in BY_LOAD

        try:
            is_answered()
        finally:
            runner.run(end_engine())
