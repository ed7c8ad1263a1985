"""What a browser does at the door: one request, one answer, and how a page that waits is obeyed. No Django here."""

from __future__ import annotations

import asyncio
import html
import re
import urllib.parse
from typing import Any, NamedTuple

_FIELD = re.compile(r'name="(csrfmiddlewaretoken|once|consent)" value="([^"]*)"')
WAIT = (429, 503)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]  # names in lower case; the last of several
    body: str

    @property
    def retry_after(self) -> float | None:
        """Seconds until it is worth another try; `None` where nothing is said."""
        said = self.headers.get("retry-after", "")
        return float(said) if said.isdigit() else None

    @property
    def cookie(self) -> str:
        return self.headers.get("set-cookie", "").partition(";")[0]


def read(data: bytes) -> Answer:
    """A whole answer of a server that has closed. Raises `ConnectionError` where it is none."""
    head, end, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    status = lines[0].split(" ")[1:2]
    if not (end and status and status[0].isdigit()):
        raise ConnectionError("the connection ended within an answer")
    pairs = (line.partition(":")[::2] for line in lines[1:])
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    return Answer(int(status[0]), headers, body.decode(errors="replace"))


def request(host: str, path: str, cookie: str = "", form: str | None = None) -> bytes:
    lines = [
        f"{'GET' if form is None else 'POST'} {path} HTTP/1.1", f"Host: {host}", "Connection: close",
        *([f"Cookie: {cookie}"] if cookie else []),
    ]  # fmt: skip
    if form is not None:
        lines += [f"Origin: http://{host}", "Content-Type: application/x-www-form-urlencoded"]
        lines += [f"Content-Length: {len(form)}"]
    return ("\r\n".join([*lines, "", ""]) + (form or "")).encode()


def consent(page: str) -> str:
    """The joining form as somebody sends it who ticks everything."""
    return urllib.parse.urlencode([(name, html.unescape(value)) for name, value in _FIELD.findall(page)])


class _Visit(asyncio.Protocol):
    def __init__(self, sent: bytes, heard: asyncio.Future[bytes]) -> None:
        self.sent, self.heard, self.parts = sent, heard, []

    def connection_made(self, transport: Any) -> None:
        transport.write(self.sent)

    def data_received(self, data: bytes) -> None:
        self.parts.append(data)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.heard.done():
            self.heard.set_result(b"".join(self.parts))


async def ask(where: tuple[str, int], sent: bytes, seconds: float) -> Answer:
    """One request on a connection of its own. Raises `OSError` or `TimeoutError`."""
    loop = asyncio.get_running_loop()
    heard: asyncio.Future[bytes] = loop.create_future()
    async with asyncio.timeout(seconds):
        transport, _ = await loop.create_connection(lambda: _Visit(sent, heard), *where)
        try:
            return read(await heard)
        finally:
            transport.abort()
