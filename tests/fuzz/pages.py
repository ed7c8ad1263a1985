"""Every form of every page that somebody can reach, and requests made of them and of the list of addresses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import transaction
from django.test import Client
from django.urls import NoReverseMatch, Resolver404, URLPattern, URLResolver, get_resolver, resolve, reverse
from hypothesis import strategies as st

from workshops import commands

from .odd import texts
from .world import World

ROOT = Path(__file__).parents[2]
VISITS = 5  # pages with one name of an address that the crawler looks at
FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
Fields = tuple[tuple[str, str], ...]


# --- what is there --------------------------------------------------------------------------------------------------


def named(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every name of an address, with the parts in it."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from named(pattern.url_patterns)
        else:
            yield (
                str(pattern.name),
                tuple(sorted(set(pattern.pattern.regex.groupindex) - {*pattern.default_args})),
            )


ADDRESSES = dict(named(get_resolver().url_patterns))
#: names of fields that views ask for, whatever form they stand in
ASKED = sorted(
    {
        name
        for app in ("workshops", "visions")
        for path in (ROOT / app / "web").rglob("*.py")
        for name in re.findall(r"(?:GET|POST|said)(?:\.get(?:list)?\(|\[)\"([\w-]+)\"", path.read_text())
    }
)


@dataclass(frozen=True)
class Form:
    method: str
    path: str
    fields: Fields
    buttons: Fields


class _Reader(HTMLParser):
    """The forms and links of a page."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path, self.links, self.forms = path, set[str](), list[Form]()
        self._open: dict[str, Any] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = {"method": said.get("method", "get"), "path": said.get("action") or self.path}
            self._fields, self._buttons = [], []
        elif tag == "a" and said.get("href", "").startswith("/"):
            self.links.add(said["href"].partition("#")[0])
        elif self._open is not None and said.get("name"):
            pair = (said["name"], said.get("value", ""))
            is_button = tag == "button" or said.get("type") == "submit"
            (self._buttons if is_button else self._fields).append(pair)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._open is not None:
            made = Form(fields=tuple(self._fields), buttons=tuple(self._buttons), **self._open)
            self.forms.append(made)
            self._open = None


def crawl(world: World, who: str) -> tuple[list[Form], list[tuple[str, int]]]:
    """Every form that this person comes across, and what each page answered."""
    parts, seen, waiting = world.parts(), set[str](), list[str]()
    for name, wanted in ADDRESSES.items():
        if set(wanted) <= {"code", "key"}:
            filled = product(*(parts[part] for part in wanted))
            waiting += [reverse(name, kwargs=dict(zip(wanted, values, strict=True))) for values in filled]
    visits, forms, answers = Counter[str](), dict[tuple, Form](), []
    while waiting:
        address = waiting.pop(0)
        try:
            name = resolve(address.partition("?")[0]).url_name or ""
        except Resolver404:
            continue
        if address in seen or visits[name] >= VISITS:
            continue
        seen.add(address)
        answer = send(world, Sent(who, "GET", address))
        answers.append((address, answer.status_code))
        if answer.status_code != 200 or "html" not in answer.headers.get("Content-Type", ""):
            continue
        visits[name] += 1
        page = _Reader(address.partition("?")[0])
        page.feed(answer.content.decode())
        waiting += sorted(page.links)
        for form in page.forms:
            forms.setdefault((form.path, tuple(field for field, _value in form.fields), form.buttons), form)
    return list(forms.values()), answers


# --- requests -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    who: str
    method: str
    path: str
    query: Fields = ()
    fields: Fields = ()
    kind: str = FORM
    htmx: bool = False


def send(world: World, sent: Sent) -> Any:
    """What this person's browser gets; nothing of it stays."""
    client = Client(raise_request_exception=False, headers={"Sec-Fetch-Site": "same-origin"})
    for name, value in world.cookies[sent.who].items():
        client.cookies[name] = value
    more: dict[str, Any] = {"headers": {"HX-Request": "true"}} if sent.htmx else {}
    path = sent.path + ("?" + encoded(sent.query) if sent.query else "")
    body = _parts(sent.fields) if sent.kind == PARTS else encoded(sent.fields).encode()
    with transaction.atomic():
        answer = client.generic(sent.method, path, body if sent.method != "GET" else b"", sent.kind, **more)
        if hasattr(answer, "streaming_content"):
            b"".join(answer.streaming_content)
        transaction.set_rollback(True)
    return answer


def encoded(fields: Fields) -> str:
    return "&".join("=".join(_quoted(text) for text in pair) for pair in fields)


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def _parts(fields: Fields) -> bytes:
    """As multipart; what is called as a file is sent as one."""
    made = []
    for name, value in fields:
        raw = name.encode("utf-8", "surrogatepass").replace(b'"', b"").replace(b"\r", b"").replace(b"\n", b"")
        file = b'; filename="a.txt"' if name in ("file", "pasted", "picture") else b""
        made.append(b'--x\r\nContent-Disposition: form-data; name="' + raw + b'"' + file + b"\r\n\r\n")
        made.append(value.encode("utf-8", "surrogatepass") + b"\r\n")
    return b"".join(made) + b"--x--\r\n"


def _changed(draw: Any, fields: Fields, known: list[str]) -> Fields:
    """Some fields with odd values, left out, twice, or of other forms."""
    made = list(fields)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(made)))
        name = made[place][0] if place < len(made) else draw(st.sampled_from(known) | texts)
        made[place : place + draw(st.integers(0, 1))] = [(name, draw(texts))] * draw(st.integers(0, 2))
    return tuple(made)


@st.composite
def of_forms(draw: Any, forms: list[tuple[str, Form]]) -> Sent:
    """A form of a page, with something wrong in it."""
    who, form = draw(st.sampled_from(forms))
    fields = form.fields + (draw(st.tuples(st.sampled_from(form.buttons))) if form.buttons else ())
    fields = _changed(draw, fields, ASKED)
    method, kind, htmx = form.method.upper(), draw(st.sampled_from([FORM, PARTS])), draw(st.booleans())
    if method == "GET":
        return Sent(who, method, form.path, query=fields, htmx=htmx)
    return Sent(who, method, form.path, fields=fields, kind=kind, htmx=htmx)


METHODS = ["GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"]
#: their POST starts processes that outlive the test
NOT_POSTED = ("demo", "rehearse")


@st.composite
def of_addresses(draw: Any, world: World, parts: dict[str, list[Any]]) -> Sent:
    """An address of the list, its parts right or odd, with odd fields."""
    name = draw(st.sampled_from(sorted(ADDRESSES)))
    filled = {part: draw(st.sampled_from(parts.get(part, ["1"])) | texts) for part in ADDRESSES[name]}
    try:
        path = reverse(name, kwargs=filled)
    except NoReverseMatch:  # so that no address fits: it is asked for all the same
        right = {part: parts.get(part, ["1"])[0] for part in filled}
        path = _replaced(reverse(name, kwargs=right), right, filled)
    method = "GET" if name in NOT_POSTED else draw(st.sampled_from(METHODS))
    who = draw(st.sampled_from(sorted(world.cookies)))
    query, fields = _changed(draw, (), ASKED), _changed(draw, (), ASKED)
    return Sent(who, method, path, query=query, fields=fields)


def _replaced(path: str, right: dict[str, Any], filled: dict[str, Any]) -> str:
    for part, value in right.items():
        path = path.replace(str(value), _quoted(str(filled[part])), 1)
    return path


@st.composite
def of_gestures(draw: Any, world: World, parts: dict[str, list[Any]]) -> Sent:
    """A command of the console, its fields right or odd."""
    name = draw(st.sampled_from(sorted(commands.STAFF_COMMANDS)))
    _action, wanted = commands.console.FACILITATION[name]
    right = st.sampled_from([str(pk) for pk in parts["pk"]] + [f"text-{pk}" for pk in world.texts] + ["true"])
    given = [(field, draw(right | texts)) for field in wanted if draw(st.booleans())]
    who, htmx = draw(st.sampled_from(["owner", "guest"])), draw(st.booleans())
    path = reverse("gesture", args=[world.running.code, name])
    return Sent(who, "POST", path, fields=_changed(draw, tuple(given), ASKED), htmx=htmx)
