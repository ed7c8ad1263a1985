"""Sockets are opened by our own pages only: scheme, host and port count."""

import pytest
from channels.testing import WebsocketCommunicator

from workshops.web.same_origin import SameOriginSockets


async def accepting(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})


async def opens(origin, host="workshops.example.org", **headers):
    sent = {"host": host, **({"origin": origin} if origin is not None else {}), **headers}
    pairs = [(name.encode(), value.encode()) for name, value in sent.items()]
    socket = WebsocketCommunicator(SameOriginSockets(accepting), "/live/phone/KTR4HM/", headers=pairs)
    connected, _code = await socket.connect()
    await socket.disconnect()
    return connected


@pytest.fixture(autouse=True)
def hosts(settings):
    settings.ALLOWED_HOSTS = ["workshops.example.org"]


async def test_a_page_of_ours_opens_a_socket():
    assert await opens("http://workshops.example.org")
    assert await opens("http://workshops.example.org:8000", host="workshops.example.org:8000")


@pytest.mark.parametrize("origin", [
    "https://workshops.example.org", "http://workshops.example.org:9999", "http://evil.example",
    "http://workshops.example.org.evil.example", "null", "", None,
])  # fmt: skip
async def test_any_other_origin_is_refused(origin):
    assert not await opens(origin)


async def test_a_host_that_is_not_ours_opens_nothing_even_for_itself():
    assert not await opens("http://evil.example", host="evil.example")


async def test_behind_a_proxy_the_scheme_is_the_one_that_it_says(settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    proto = {"x-forwarded-proto": "https"}
    assert await opens("https://workshops.example.org", **proto)
    assert not await opens("http://workshops.example.org", **proto)


async def test_the_public_address_counts_whatever_host_a_proxy_names(settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://public.example.org"]
    assert await opens("https://public.example.org", host="workshops.example.org")
