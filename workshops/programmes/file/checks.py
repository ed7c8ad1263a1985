"""What is wrong in a programme file: every mistake with its line, its place and, where it is plain, the way to mend it.

A local authority should be able to write such a file by hand. So a message names the place in the terms of the file
("instrument 3 (location), option “quiet”") and says what is expected there.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _n

from polls.measures import check as check_measure
from polls.types import POLL_TYPES, InvalidQuestion
from polls.types.texts import readable

from . import schema
from .toml_places import Path, Places, Span

RESERVED = "new"


@dataclass(frozen=True)
class Mend:
    """The change of the text that mends a mistake."""

    span: Span
    text: str


@dataclass(frozen=True)
class Mistake:
    """One sentence that names the place and what is expected there; `line` is 0 where it is not known."""

    words: str
    line: int = 0
    #: the line as it is written
    source: str = ""
    mend: Mend | None = None

    def __str__(self) -> str:
        return (
            _("line %(line)d: %(words)s") % {"line": self.line, "words": self.words}
            if self.line
            else self.words
        )


class ProgrammeFileError(Exception):
    """The file is not valid. Its message is a line for each of the `mistakes`."""

    def __init__(self, mistakes: list[Mistake], filename: str = "") -> None:
        before = f"{filename}: " if filename else ""
        super().__init__("\n".join(f"{before}{mistake}" for mistake in mistakes))
        self.mistakes = mistakes


def read(text: str) -> schema.ProgrammeFile:
    """The file as values. Raises `ProgrammeFileError` with every mistake in it, in the order of their lines."""
    return _Reader(text, read_toml(text)).read()


def mended(text: str, mistakes: Iterable[Mistake]) -> str:
    """The text with every mistake mended that can be."""
    mends = {mistake.mend for mistake in mistakes if mistake.mend}
    for mend in sorted(mends, key=lambda each: each.span, reverse=True):
        text = text[: mend.span[0]] + mend.text + text[mend.span[1] :]
    return text


# --- TOML -----------------------------------------------------------------------------------------------------


def read_toml(text: str) -> dict[str, Any]:
    if nul := re.search(r"\\u0000|\\U00000000", text):
        line = text.count("\n", 0, nul.start()) + 1
        words = _("the character \\u0000 cannot be kept, expected it to be left out")
        raise ProgrammeFileError([Mistake(words, line, _line(text, line))])
    try:
        return _unix_newlines(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ProgrammeFileError([_syntax_mistake(text, str(error))]) from None


def _unix_newlines(value: Any) -> Any:
    """TOML parsers normalise Windows line breaks, except those written as escapes; normalise these too."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(value, list):
        return [_unix_newlines(item) for item in value]
    return {key: _unix_newlines(item) for key, item in value.items()} if isinstance(value, dict) else value


def _syntax_mistake(text: str, message: str) -> Mistake:
    """Of tomllib's message "Expected '=' after a key (at line 3, column 5)"."""
    found = re.match(
        r"(?P<what>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)$", message, re.DOTALL
    )
    if not found:
        return Mistake(message)
    if not found["line"]:
        return Mistake(_("end of the file: %s") % found["what"])
    line = int(found["line"])
    return Mistake(found["what"], line, _line(text, line))


def _line(text: str, number: int) -> str:
    lines = text.split("\n")
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


# --- values, and what must be true between them ---------------------------------------------------------------


class _Reader:
    """Converts table by table, so that one mistake hides no other; a table without one is checked further."""

    def __init__(self, text: str, data: dict[str, Any]) -> None:
        self.text, self.data, self.places = text, data, Places(text)
        self.mistakes: list[Mistake] = []
        self.checks: dict[type, Callable[[Any, Path], None]] = {
            schema.ProgrammeSection: self._programme,
            schema.Information: self._information,
            schema.Instrument: self._instrument,
            schema.Prompt: self._prompt,
            schema.Plan: self._plan,
            schema.AgendaEntry: self._agenda_entry,
            schema.Benchmark: self._benchmark,
        }

    def read(self) -> schema.ProgrammeFile:
        self._unreadable(self.data, ())
        self._keys_once()
        file = self._struct(schema.ProgrammeFile, self.data, ())
        if self.mistakes or file is None:
            raise ProgrammeFileError(sorted(self.mistakes, key=lambda mistake: mistake.line))
        return file

    def wrong(self, path: Path, words: str, *, mend: Mend | None = None, place: Path | None = None) -> None:
        """`place`: the path as the sentence names it, where the mistake stands at another."""
        named = _location(path if place is None else place, self.data)
        line = self.places.line(path)
        said = f"{named}: {words}" if named else words
        self.mistakes.append(Mistake(said, line, _line(self.text, line), mend))

    # -- types of values

    def _struct(self, table: type[schema.FileTable], data: Any, path: Path) -> Any:
        """The table, or None where something in it is wrong."""
        if not isinstance(data, dict):
            return self._plain(table, data, path)
        before = len(self.mistakes)
        fields = {field.name: field for field in msgspec.structs.fields(table)}
        for name in data.keys() - fields.keys():
            self._unknown((*path, name), name, fields, _("name"), place=path, is_name=True)
        values = {}
        for name, field in fields.items():
            if name in data:
                values[name] = self._value(field.type, data[name], (*path, name))
            elif field.required:
                self.wrong(path, _("expected “%(name)s”, which is missing") % {"name": name})
        if len(self.mistakes) > before:
            return None
        made = table(**values)
        if check := self.checks.get(table):
            check(made, path)
        return made

    def _value(self, kind: Any, value: Any, path: Path) -> Any:
        if _is_table(kind):
            return self._struct(kind, value, path)
        tables = [each for each in get_args(kind) if _is_table(each)]
        if tables and get_origin(kind) is list and isinstance(value, list):
            return [self._struct(tables[0], each, (*path, number)) for number, each in enumerate(value)]
        if tables and get_origin(kind) is not list:  # X | None
            return self._struct(tables[0], value, path)
        return self._plain(kind, value, path)

    def _plain(self, kind: Any, value: Any, path: Path) -> Any:
        try:
            return msgspec.convert(value, type=kind)
        except msgspec.ValidationError as error:
            what, _at, below = str(error).partition(" - at `")
            path = (*path, *_path_steps(below.rstrip("`")))
            if found := re.match(r"Invalid enum value (.*)", what):
                self._unknown(path, found[1].strip("'\""), get_args(kind), _("value"))
            else:
                self.wrong(path, _expectation(what))
            return None

    def _unknown(
        self,
        path: Path,
        word: str,
        known: Iterable[str],
        kind: str,
        *,
        place: Path | None = None,
        is_name: bool = False,
    ) -> None:
        """ "unknown name “colour”, did you mean “color”?" """
        listed = [name for name in known if name]
        near = difflib.get_close_matches(word, listed, n=2)
        if not near:
            words = _("unknown %(kind)s “%(word)s”, expected one of: %(known)s") % {
                "kind": kind, "word": word, "known": ", ".join(listed) or _("(there is none yet)"),
            }  # fmt: skip
            return self.wrong(path, words, place=place)
        words = _("unknown %(kind)s “%(word)s”, did you mean “%(near)s”?") % {
            "kind": kind, "word": word, "near": near[0],
        }  # fmt: skip
        mend = self._mend(path, near[0], is_name) if _is_plain(word, near) else None
        return self.wrong(path, words, mend=mend, place=place)

    def _mend(self, path: Path, near: str, is_name: bool) -> Mend | None:
        """Written in place: a name as it is, a value in quotation marks; names of tables are left to their author."""
        place = self.places.of.get(path)
        if place is None or (is_name and not place.key[1]):
            return None
        return Mend(place.key, near) if is_name else Mend(place.value, f'"{near}"')

    def _known(self, word: str, known: list[str], path: Path, kind: str) -> None:
        if word and word not in known:
            self._unknown(path, word, known, kind)

    def _keys(self, name: str) -> list[str]:
        """The keys of all tables of this name, also of those with mistakes."""
        tables = self.data.get(name)
        found = (
            [each.get("key") for each in tables if isinstance(each, dict)] if isinstance(tables, list) else []
        )
        return [key for key in found if isinstance(key, str)]

    # -- characters that are not seen

    def _unreadable(self, value: Any, path: Path) -> None:
        """Names and values, all the way down: what staff type in the browser loses these characters too."""
        if isinstance(value, str) and (odd := _unreadable_in(value)):
            self.wrong(path, _not_seen() % {"code": odd}, mend=self._without_unreadable(path))
        for name, inner in value.items() if isinstance(value, dict) else ():
            if odd := _unreadable_in(name):
                self.wrong((*path, name), _not_seen() % {"code": odd}, place=path)
            self._unreadable(inner, (*path, name))
        for number, inner in enumerate(value) if isinstance(value, list) else ():
            self._unreadable(inner, (*path, number))

    def _without_unreadable(self, path: Path) -> Mend | None:
        if (place := self.places.of.get(path)) is None:
            return None
        written = _ESCAPED.sub(_escape_if_seen, self.text[slice(*place.value)])
        return Mend(place.value, "".join(letter for letter in written if readable(letter) == letter))

    # -- keys stand once

    def _keys_once(self) -> None:
        for name in ("domain", "instrument", "prompt", "plan"):
            self._once(self.data.get(name), (name,), name)
        for number, instrument in enumerate(_tables(self.data.get("instrument"))):
            place = _location(("instrument", number), self.data)
            self._once(instrument.get("measure"), ("instrument", number, "measure"), f"{place}, measure")
        if isinstance(information := self.data.get("information"), dict):
            self._once(information.get("consent"), ("information", "consent"), "information, consent")

    def _once(self, tables: Any, path: Path, name: str) -> None:
        first: dict[str, int] = {}
        for number, table in enumerate(_tables(tables)):
            key = table.get("key")
            if not isinstance(key, str):
                continue
            if key in first:
                words = _(
                    "%(name)s %(number)d: key “%(key)s” already stands at %(name)s %(first)d, expected another key"
                )
                said = words % {"name": name, "number": number + 1, "key": key, "first": first[key] + 1}
                self.wrong((*path, number, "key"), said, place=())
            first.setdefault(key, number)

    # -- tables

    def _programme(self, programme: schema.ProgrammeSection, path: Path) -> None:
        self._not_reserved(programme.key, path)

    def _not_reserved(self, key: str, path: Path) -> None:
        """`/programmes/new/` and `/programmes/…/questions/new/` are pages."""
        if key == RESERVED:
            self.wrong((*path, "key"), _("this key is the name of a page, expected another key"), place=path)

    def _information(self, information: schema.Information, path: Path) -> None:
        if not any(item.required for item in information.consent):
            self.wrong((*path, "consent"), _("expected at least one item with required = true"))

    def _instrument(self, instrument: schema.Instrument, path: Path) -> None:
        before = len(self.mistakes)
        self._not_reserved(instrument.key, path)
        for number, key in enumerate(instrument.domains):
            at = (*path, "domain", number) if isinstance(instrument.domain, list) else (*path, "domain")
            self._known(key, self._keys("domain"), at, _("domain"))
        if instrument.type not in POLL_TYPES:
            self._unknown((*path, "type"), instrument.type, POLL_TYPES, _("type"))
        self._words(instrument, path)
        self._json(instrument.settings, (*path, "settings"))
        if len(self.mistakes) > before or instrument.unfinished:
            return
        try:
            POLL_TYPES[instrument.type].check(instrument.question)
        except InvalidQuestion as error:
            return self._invalid(path, str(error))
        if not instrument.text.strip():
            return self.wrong(path, _("expected “%(name)s”, which is missing") % {"name": "text"})
        for number, measure in enumerate(instrument.measure):
            self._measure(instrument, measure, (*path, "measure", number))

    def _invalid(self, path: Path, said: str) -> None:
        """`said` begins with the name of what is wrong: "options: expected 2 to 20, found 1"."""
        name = re.match(r"\w*", said)
        at = (*path, name[0]) if name and (*path, name[0]) in self.places.of else path
        self.wrong(at, f"{_location(path, self.data)}, {said}", place=())

    def _words(self, instrument: schema.Instrument, path: Path) -> None:
        """Options and items are `key = "label"`."""
        named = [("option", "options", key, words) for key, words in instrument.options.items()]
        named += [("item", "items", key, words) for key, words in instrument.items.items()]
        for kind, table, key, words in named:
            if not isinstance(words, str) or (not words.strip() and not instrument.unfinished):
                said = _("%(place)s, %(kind)s “%(key)s”: expected words in quotation marks, found %(found)s") % {
                    "place": _location(path, self.data), "kind": kind, "key": key,
                    "found": json.dumps(words, default=str),
                }  # fmt: skip
                self.wrong((*path, table, key), said, place=())

    def _json(self, values: dict[str, Any], path: Path) -> None:
        """The values are stored as JSON, which has no dates and no infinity."""
        for name, value in values.items():
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError):
                words = _("expected text, a number, true or false, or a list of these")
                self.wrong((*path, name), words)

    def _measure(self, instrument: schema.Instrument, measure: schema.Measure, path: Path) -> None:
        before = len(self.mistakes)
        self._json(measure.definition, path)
        if len(self.mistakes) > before:
            return
        try:
            check_measure(measure.kind, measure.definition, instrument.question)
        except InvalidQuestion as error:
            self.wrong(path, str(error))

    def _prompt(self, prompt: schema.Prompt, path: Path) -> None:
        self._known(prompt.domain, self._keys("domain"), (*path, "domain"), _("domain"))

    def _plan(self, plan: schema.Plan, path: Path) -> None:
        for number, key in enumerate(plan.profile):
            self._known(key, self._keys("instrument"), (*path, "profile", number), _("poll"))
        # A question asked twice in one workshop would count its people twice when workshops are pooled.
        asked: list[tuple[str, Path]] = [(key, (*path, "profile", n)) for n, key in enumerate(plan.profile)]
        asked += [(entry.poll, (*path, "agenda", n)) for n, entry in enumerate(plan.agenda) if entry.poll]
        seen: set[str] = set()
        for key, at in asked:
            if key in seen:
                self.wrong(
                    at,
                    _("poll “%(key)s” stands twice, expected every question once") % {"key": key},
                    place=path,
                )
            seen.add(key)

    def _agenda_entry(self, entry: schema.AgendaEntry, path: Path) -> None:
        if sum(bool(kind) for kind in (entry.poll, entry.prompt, entry.pause)) != 1:
            self.wrong(path, _("expected exactly one of: poll, prompt, pause"))
        self._known(entry.poll, self._keys("instrument"), (*path, "poll"), _("poll"))
        self._known(entry.prompt, self._keys("prompt"), (*path, "prompt"), _("prompt"))

    def _benchmark(self, benchmark: schema.Benchmark, path: Path) -> None:
        self._json(msgspec.structs.asdict(benchmark), path)
        if not benchmark.instrument:
            self.wrong((*path, "instrument"), _("expected the key of a question"))
        self._known(benchmark.instrument, self._keys("instrument"), (*path, "instrument"), _("poll"))
        for _number, instrument in enumerate(_tables(self.data.get("instrument"))):
            if instrument.get("key") == benchmark.instrument:
                measures = [each.get("key") for each in _tables(instrument.get("measure"))]
                self._known(
                    benchmark.measure,
                    [key for key in measures if isinstance(key, str)],
                    (*path, "measure"),
                    _("measure"),
                )
                break
        if all(
            getattr(benchmark, name) is None for name in ("percent", "mean", "median", "minimum", "maximum")
        ):
            self.wrong(path, _("expected a figure: percent, mean, median, minimum or maximum"))


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, schema.FileTable)


def _tables(value: Any) -> list[dict[str, Any]]:
    return [each if isinstance(each, dict) else {} for each in value] if isinstance(value, list) else []


#: a backslash that stands for itself, or a character by its number
_ESCAPED = re.compile(r"\\\\|\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\[bf]")


def _not_seen() -> str:
    return _("a character that cannot be seen (%(code)s), expected it to be left out")


def _unreadable_in(text: str) -> str:
    """The first character that is not kept, as U+202E; empty where there is none."""
    odd = next((letter for letter in text if readable(letter) != letter), "")
    return f"U+{ord(odd):04X}" if odd else ""


def _escape_if_seen(found: re.Match[str]) -> str:
    number = found[1] or found[2]
    is_seen = found[0] == "\\\\" or (number and not _unreadable_in(chr(int(number, 16))))
    return found[0] if is_seen else ""


def _is_plain(word: str, near: list[str]) -> bool:
    """Is the nearest word near enough, and nearer than the next, to be put in by a button?"""
    ratios = [difflib.SequenceMatcher(None, word, each).ratio() for each in near]
    return ratios[0] >= 0.75 and (len(ratios) == 1 or ratios[0] - ratios[1] >= 0.1)


# --- in words -------------------------------------------------------------------------------------------------


def _path_steps(path: str) -> list[str | int]:
    """`$.instrument[2].text` → ["instrument", 2, "text"]."""
    return [int(index) if index else name for name, index in re.findall(r"\.([\w-]+)|\[(\d+|\.\.\.)\]", path)
            if name or index.isdigit()]  # fmt: skip


def _location(path: Path, data: Any) -> str:
    """A path in the terms of the file: "instrument 3 (location), text"."""
    words: list[str] = []
    for step in path:
        if isinstance(step, str):
            words.append(step)
            data = data.get(step) if isinstance(data, Mapping) else None
            continue
        data = data[step] if isinstance(data, list) else None
        key = data.get("key") if isinstance(data, Mapping) else None
        words[-1] += f" {step + 1} ({key})" if isinstance(key, str) else f" {step + 1}"
    return ", ".join(words)


#: msgspec's name of a type → a name for authors of the file
_TYPE_NAMES = {
    "str": _n("text in quotation marks"),
    "int": _n("a whole number"),
    "float": _n("a number"),
    "bool": _n("true or false"),
    "array": _n("a list"),
    "object": _n("a table"),
    "date": _n("a date"),
    "datetime": _n("a date and time"),
    "time": _n("a time"),
}


def _type_in_words(match: re.Match[str]) -> str:
    """ "`int | float | null`" → "a number"; a file cannot say null, it leaves the name out."""
    names = [name for name in match[1].split(" | ") if name != "null"]
    if "float" in names and "int" in names:
        names.remove("int")
    return _(" or ").join(_(_TYPE_NAMES.get(name, name)) for name in names)


def _expectation(what: str) -> str:
    if schema.KEY_PATTERN in what:
        return _("expected a key of 1 to 60 small letters, digits, hyphens and underscores")
    what = re.sub(r"`([^`]*)`", _type_in_words, what)
    what = re.sub(r"of length >= 1\b", _("that is not empty"), what)
    what = re.sub(r"of length <= (\d+)", _(r"of at most \1 letters"), what)
    what = what.replace(">=", _("of at least")).replace("<=", _("of at most"))
    return what[0].lower() + what[1:].replace(", got ", _(", found "))
