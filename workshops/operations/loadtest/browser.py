"""What a browser does on its way into a workshop: requests on one connection, cookies, forms, pages that wait.

No Django here, and nothing that only one version of the project says: pages are read for links and forms, so an older
checkout is measured by the same client.
"""

from __future__ import annotations

import asyncio
import html
import re
import urllib.parse
from typing import NamedTuple

REDIRECT, WAIT = (301, 302, 303, 307), (429, 503)
ANSWER_SECONDS = 60.0

_FORM = re.compile(r"<form[^>]*>.*?</form>", re.DOTALL)
_INPUT = re.compile(r"<input\b[^>]*>")
_ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]  # names in lower case; the last of several
    cookies: dict[str, str]
    body: str

    @property
    def retry_after(self) -> float | None:
        """Seconds until it is worth another try; `None` where nothing is said."""
        said = self.headers.get("retry-after", "")
        return float(said) if said.isdigit() else None


class Browser:
    """One person's: a connection that is kept, and a jar of cookies. Raises `OSError` or `TimeoutError`."""

    def __init__(self, where: tuple[str, int], host: str, cookie: str = "") -> None:
        self.where, self.host = where, host
        self.cookies = dict([cookie.split("=", 1)]) if cookie else {}
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def ask(
        self, path: str, form: list[tuple[str, str]] | None = None, seconds: float = ANSWER_SECONDS
    ) -> Answer:
        """One request; where the kept connection was closed meanwhile, once more on a new one."""
        sent = self._request(path, form)
        async with asyncio.timeout(seconds):
            if self._writer:
                try:
                    return await self._said(sent)
                except OSError:
                    self.close()
            self._reader, self._writer = await asyncio.open_connection(*self.where)
            return await self._said(sent)

    def _request(self, path: str, form: list[tuple[str, str]] | None) -> bytes:
        lines = [
            f"{'GET' if form is None else 'POST'} {path} HTTP/1.1", f"Host: {self.host}",
            "Accept: text/html", "Accept-Language: en-GB,en;q=0.9",
            *([f"Cookie: {self.cookie}"] if self.cookies else []),
        ]  # fmt: skip
        body = "" if form is None else urllib.parse.urlencode(form)
        if form is not None:
            lines += [f"Origin: http://{self.host}", "Content-Type: application/x-www-form-urlencoded"]
            lines += [f"Content-Length: {len(body)}"]
        return ("\r\n".join([*lines, "", ""]) + body).encode()

    async def _said(self, sent: bytes) -> Answer:
        assert self._reader
        assert self._writer
        self._writer.write(sent)
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            answer = read_head(head)
            body = await self._body(answer)
        except asyncio.IncompleteReadError as error:
            raise ConnectionError("the connection ended within an answer") from error
        self.cookies |= answer.cookies
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer._replace(body=body.decode(errors="replace"))

    async def _body(self, answer: Answer) -> bytes:
        assert self._reader
        if answer.headers.get("transfer-encoding", "").lower() == "chunked":
            parts = []
            while size := int(await self._reader.readuntil(b"\r\n"), 16):
                parts.append(await self._reader.readexactly(size))
                await self._reader.readexactly(2)
            await self._reader.readexactly(2)
            return b"".join(parts)
        if "content-length" in answer.headers:
            return await self._reader.readexactly(int(answer.headers["content-length"]))
        return await self._reader.read()

    def close(self) -> None:
        if self._writer:
            self._writer.transport.abort()
        self._reader = self._writer = None


def read_head(data: bytes) -> Answer:
    """The first part of an answer. Raises `ConnectionError` where it is none."""
    lines = data.decode("latin-1").split("\r\n")
    status = lines[0].split(" ")[1:2]
    if not (status and status[0].isdigit()):
        raise ConnectionError("that was no answer of a web server")
    pairs = [
        (name.strip().lower(), value.strip()) for name, _, value in (x.partition(":") for x in lines[1:])
    ]
    baked = (value.partition(";")[0].partition("=") for name, value in pairs if name == "set-cookie")
    return Answer(int(status[0]), dict(pairs), {name: value for name, _, value in baked}, "")


def attributes(tag: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(tag)[1:]}


class Form(NamedTuple):
    method: str
    action: str  # empty: the page's own address
    fields: list[tuple[str, str]]  # hidden ones, and boxes to tick
    is_inline: bool  # its script asks for the next page in place of a redirect


def forms(page: str) -> list[Form]:
    """The forms of a page as somebody sends them who ticks everything."""
    found = []
    for text in _FORM.findall(page):
        own = attributes(text[: text.index(">")])
        inputs = [attributes(tag) for tag in _INPUT.findall(text)]
        fields = [
            (i["name"], i.get("value", "on")) for i in inputs if i.get("type") in ("hidden", "checkbox")
        ]
        found.append(Form(own.get("method", "get"), own.get("action", ""), fields, "data-straight" in own))
    return found


def link_to(page: str, ending: str) -> str | None:
    """The first address on the page that ends so."""
    found = re.search(rf'href="([^"]*{re.escape(ending)})"', page)
    return html.unescape(found[1]) if found else None
