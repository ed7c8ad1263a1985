"""The shape of a programme file: TOML text ⇄ plain values, checked; no database here.

A local authority should be able to write such a file by hand. So every message names the place in the
words of the file ("instrument 3 (location), option "quiet"") and says what is expected there.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec
import tomli_w
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _n
from msgspec import Meta

from polls.lifecycle import Reveal
from polls.measures import check as check_measure
from polls.types import POLL_TYPES, InvalidQuestion, Question
from polls.types.base import Option


class ProgrammeFileError(Exception):
    """The file cannot be loaded. The message is one sentence that names the place and what is expected."""


KEY_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,59}$"
Key = Annotated[str, Meta(pattern=KEY_PATTERN)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Line = Annotated[str, Meta(max_length=300)]
ShortName = Annotated[str, Meta(max_length=120)]
Text = Annotated[str, Meta(min_length=1, max_length=2000)]
LongText = Annotated[str, Meta(max_length=20_000)]
Minutes = Annotated[int, Meta(ge=0, le=600)]
Number = int | float


class Section(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One table of the file: unknown names are refused, what is not said is left out again on the way back."""


class ProgrammeSection(Section, kw_only=True):
    key: Key
    title: Name
    strapline: Line = ""
    team: Line = ""
    funder: Annotated[str, Meta(max_length=200)] = ""
    cite: LongText = ""
    hue: Annotated[int, Meta(ge=0, le=359)] = 165
    while_waiting: Line = ""
    closing: LongText = ""


class Consent(Section, kw_only=True):
    key: Key
    text: Text
    required: bool = False


class Information(Section, kw_only=True):
    lead: LongText = ""
    text: Annotated[str, Meta(min_length=1, max_length=20_000)]
    consent: list[Consent] = []


class Domain(Section, kw_only=True):
    key: Key
    title: Name
    description: LongText = ""


class Measure(Section, kw_only=True):
    """A derived figure. Which of `members`, `boxes`, `low`, `high` and `item` it needs depends on its kind."""

    key: Key
    label: Name
    kind: str
    members: list[str] | None = None
    boxes: int | None = None
    low: Number | None = None
    high: Number | None = None
    item: str | None = None

    @property
    def definition(self) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in ("members", "boxes", "low", "high", "item")}
        return {name: value for name, value in values.items() if value is not None}


class Instrument(Section, kw_only=True):
    key: Key
    name: ShortName = ""
    domain: str | list[str] = ""
    type: str
    text: Text
    help: Annotated[str, Meta(max_length=2000)] = ""
    options: dict[str, Any] = {}
    #: the words of a scale's points, or how many there are
    points: list[Any] | int = []
    items: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    reveal: Literal["after_close", "after_vote", "live", "never", ""] = ""
    measure: list[Measure] = []

    @property
    def domains(self) -> list[str]:
        listed = [self.domain] if isinstance(self.domain, str) else self.domain
        return [key for key in listed if key]

    @property
    def question(self) -> Question:
        """As a poll type sees it: points, items and reveal are settings there, and have names of their own here."""
        said = {"points": self.points, "items": self._items, "reveal": self.reveal}
        return Question(
            type=self.type,
            text=self.text,
            key=self.key,
            help=self.help,
            options=tuple(Option(key, label) for key, label in self.options.items()),
            settings={**self.settings, **{name: value for name, value in said.items() if value}},
        )

    @property
    def _items(self) -> list[dict[str, Any]]:
        return [{"key": key, "label": label} for key, label in self.items.items()]


class Prompt(Section, kw_only=True):
    key: Key
    domain: str = ""
    text: Text
    probes: list[Annotated[str, Meta(min_length=1, max_length=300)]] = []
    minutes: Minutes = 10


class AgendaEntry(Section, kw_only=True):
    """One step: exactly one of `poll`, `prompt` and `pause`; a pause is called by its words."""

    poll: str = ""
    prompt: str = ""
    pause: Annotated[str, Meta(max_length=200)] = ""
    minutes: Minutes = 0
    title: Annotated[str, Meta(max_length=200)] = ""


class Plan(Section, kw_only=True):
    key: Key
    title: Name
    minutes: Annotated[int, Meta(ge=1, le=600)] = 60
    profile: list[str] = []
    agenda: list[AgendaEntry]


class Benchmark(Section, kw_only=True):
    """An outside figure that stands beside a question. `measure` names the figure it is set against."""

    instrument: str
    measure: str = ""
    label: Name
    percent: Annotated[int, Meta(ge=0, le=100)] | Annotated[float, Meta(ge=0, le=100)] | None = None
    mean: Number | None = None
    median: Number | None = None
    minimum: Number | None = None
    maximum: Number | None = None
    n: Annotated[int, Meta(ge=1)] | None = None
    unit: Line = ""
    source: Annotated[str, Meta(min_length=1, max_length=500)]


class ProgrammeFile(Section, kw_only=True):
    programme: ProgrammeSection
    information: Information | None = None
    domain: list[Domain] = []
    instrument: list[Instrument] = []
    prompt: list[Prompt] = []
    plan: list[Plan] = []
    benchmark: list[Benchmark] = []


# --- reading ------------------------------------------------------------------------------------


def parse(text: str, filename: str = "") -> ProgrammeFile:
    """The checked content of a programme file. Raises `ProgrammeFileError`."""
    try:
        file = _convert(_read_toml(text))
        _check(file)
    except ProgrammeFileError as error:
        raise ProgrammeFileError(f"{filename}: {error}" if filename else str(error)) from None
    return file


def _read_toml(text: str) -> dict[str, Any]:
    if nothing := re.search(r"\\u0000|\\U00000000", text):
        line = text.count("\n", 0, nothing.start()) + 1
        raise ProgrammeFileError(
            _("line %d: the character \\u0000 cannot be kept, expected it to be left out") % line
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProgrammeFileError(_syntax_message(str(error))) from None


def _syntax_message(message: str) -> str:
    """Python says "Expected '=' after a key (at line 3, column 5)"; the line comes first for people."""
    found = re.match(
        r"(?P<what>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)$", message, re.DOTALL
    )
    if not found:
        return message
    where = _("line %s") % found["line"] if found["line"] else _("end of the file")
    return f"{where}: {found['what']}"


def _convert(data: dict[str, Any]) -> ProgrammeFile:
    try:
        return msgspec.convert(data, type=ProgrammeFile)
    except msgspec.ValidationError as error:
        raise ProgrammeFileError(_shape_message(str(error), data)) from None


def _shape_message(message: str, data: Any) -> str:
    what, _at, path = message.partition(" - at `")
    steps = _steps(path.rstrip("`") or "$")
    place = _place(steps, data)
    return f"{place}: {_expectation(what, steps)}" if place else _expectation(what, steps)


def _steps(path: str) -> list[str | int]:
    """`$.instrument[2].text` → ["instrument", 2, "text"]."""
    return [int(index) if index else name for name, index in re.findall(r"\.([\w-]+)|\[(\d+|\.\.\.)\]", path)
            if name or index.isdigit()]  # fmt: skip


def _place(steps: list[str | int], data: Any) -> str:
    """The steps in the words of the file: "instrument 3 (location), text"."""
    words: list[str] = []
    for step in steps:
        if isinstance(step, str):
            words.append(step)
            data = data.get(step) if isinstance(data, Mapping) else None
            continue
        data = data[step] if isinstance(data, list) else None
        key = data.get("key") if isinstance(data, Mapping) else None
        words[-1] += f" {step + 1} ({key})" if isinstance(key, str) else f" {step + 1}"
    return ", ".join(words)


#: how msgspec names a thing → how this file's readers do
_WORDS = {
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


def _in_words(found: re.Match[str]) -> str:
    """ "`int | float | null`" → "a number"; a file cannot say null, it leaves the name out."""
    names = [name for name in found[1].split(" | ") if name != "null"]
    if "float" in names and "int" in names:
        names.remove("int")
    return _(" or ").join(_(_WORDS.get(name, name)) for name in names)


def _expectation(what: str, steps: list[str | int]) -> str:
    if unknown := re.search(r"unknown field `(.*)`", what):
        return _unknown(unknown[1], _fields_at(steps), _("name"))
    if missing := re.search(r"required field `(.*)`", what):
        return _("expected “%(name)s”, which is missing") % {"name": missing[1]}
    if KEY_PATTERN in what:
        return _("expected a key of 1 to 60 small letters, digits, hyphens and underscores")
    if enum := re.match(r"Invalid enum value (.*)", what):
        return _unknown(enum[1].strip("'\""), [reveal.value for reveal in Reveal], _("value"))
    what = re.sub(r"`([^`]*)`", _in_words, what)
    what = re.sub(r"of length >= 1\b", _("that is not empty"), what)
    what = re.sub(r"of length <= (\d+)", _(r"of at most \1 letters"), what)
    what = what.replace(">=", _("of at least")).replace("<=", _("of at most"))
    return what[0].lower() + what[1:].replace(", got ", _(", found "))


def _fields_at(steps: list[str | int]) -> list[str]:
    """The names that are known at this place of the file."""
    structs: dict[tuple[str, ...], type[Section]] = {
        (): ProgrammeFile,
        ("programme",): ProgrammeSection,
        ("information",): Information,
        ("information", "consent"): Consent,
        ("domain",): Domain,
        ("instrument",): Instrument,
        ("instrument", "measure"): Measure,
        ("prompt",): Prompt,
        ("plan",): Plan,
        ("plan", "agenda"): AgendaEntry,
        ("benchmark",): Benchmark,
    }
    names = tuple(step for step in steps if isinstance(step, str))
    return list(structs[names].__struct_fields__) if names in structs else []


def _unknown(word: str, known: Iterable[str], kind: str) -> str:
    """ "unknown name “colour”: expected one of …; did you mean “color”?" """
    listed = [name for name in known if name]
    near = difflib.get_close_matches(word, listed, n=1)
    if near:
        return _("unknown %(kind)s “%(word)s”, did you mean “%(near)s”?") % {
            "kind": kind, "word": word, "near": near[0],
        }  # fmt: skip
    return _("unknown %(kind)s “%(word)s”, expected one of: %(known)s") % {
        "kind": kind,
        "word": word,
        "known": ", ".join(listed) or _("(there is none yet)"),
    }


# --- what the shape alone cannot say -------------------------------------------------------------


def _check(file: ProgrammeFile) -> None:
    _check_keys_once(file)
    _check_consent(file)
    for number, instrument in enumerate(file.instrument, 1):
        _check_instrument(file, instrument, f"instrument {number} ({instrument.key})")
    for number, prompt in enumerate(file.prompt, 1):
        place = f"prompt {number} ({prompt.key}), domain"
        _check_known(prompt.domain, [domain.key for domain in file.domain], place, _("domain"))
    for number, plan in enumerate(file.plan, 1):
        _check_plan(file, plan, f"plan {number} ({plan.key})")
    for number, benchmark in enumerate(file.benchmark, 1):
        _check_benchmark(file, benchmark, f"benchmark {number}")


def _check_keys_once(file: ProgrammeFile) -> None:
    for name in ("domain", "instrument", "prompt", "plan"):
        _check_once(getattr(file, name), name)
    for number, instrument in enumerate(file.instrument, 1):
        _check_once(instrument.measure, f"instrument {number} ({instrument.key}), measure")
    if file.information:
        _check_once(file.information.consent, "information, consent")


def _check_once(sections: list[Any], name: str) -> None:
    first: dict[str, int] = {}
    for number, section in enumerate(sections, 1):
        if section.key in first:
            raise ProgrammeFileError(
                _(
                    "%(name)s %(number)d: key “%(key)s” already stands at %(name)s %(first)d, expected another key"
                )
                % {"name": name, "number": number, "key": section.key, "first": first[section.key]}
            )
        first[section.key] = number


def _check_consent(file: ProgrammeFile) -> None:
    if file.information and not any(item.required for item in file.information.consent):
        raise ProgrammeFileError(_("information, consent: expected at least one item with required = true"))


def _check_known(word: str, known: Iterable[str], place: str, kind: str) -> None:
    listed = list(known)
    if word and word not in listed:
        raise ProgrammeFileError(f"{place}: {_unknown(word, listed, kind)}")


#: pages of a programme; a question of that key could not have a page of its own
RESERVED = ("people", "plan", "results", "summary")


def _check_instrument(file: ProgrammeFile, instrument: Instrument, place: str) -> None:
    if instrument.key in RESERVED:
        raise ProgrammeFileError(_("%s: this key is the name of a page, expected another key") % place)
    for key in instrument.domains:
        _check_known(key, [domain.key for domain in file.domain], f"{place}, domain", _("domain"))
    if instrument.type not in POLL_TYPES:
        raise ProgrammeFileError(f"{place}, type: {_unknown(instrument.type, POLL_TYPES, _('type'))}")
    _check_words(instrument, place)
    _check_plain(instrument.settings, f"{place}, settings")
    try:
        POLL_TYPES[instrument.type].check(instrument.question)
    except InvalidQuestion as error:
        raise ProgrammeFileError(f"{place}, {error}") from None
    for number, measure in enumerate(instrument.measure, 1):
        _check_measure(instrument, measure, f"{place}, measure {number} ({measure.key})")


def _check_words(instrument: Instrument, place: str) -> None:
    """Options and items are `key = "words"`."""
    named = [("option", key, words) for key, words in instrument.options.items()]
    named += [("item", key, words) for key, words in instrument.items.items()]
    for kind, key, words in named:
        if not isinstance(words, str) or not words.strip():
            raise ProgrammeFileError(
                _("%(place)s, %(kind)s “%(key)s”: expected words in quotation marks, found %(found)s")
                % {"place": place, "kind": kind, "key": key, "found": json.dumps(words, default=str)}
            )


def _check_plain(values: dict[str, Any], place: str) -> None:
    """They are kept as JSON, which knows no dates and no infinity."""
    for name, value in values.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            raise ProgrammeFileError(
                _("%(place)s, %(name)s: expected text, a number, true or false, or a list of these")
                % {"place": place, "name": name}
            ) from None


def _check_measure(instrument: Instrument, measure: Measure, place: str) -> None:
    _check_plain(measure.definition, place)
    try:
        check_measure(measure.kind, measure.definition, instrument.question)
    except InvalidQuestion as error:
        raise ProgrammeFileError(f"{place}: {error}") from None


def _check_plan(file: ProgrammeFile, plan: Plan, place: str) -> None:
    polls = [instrument.key for instrument in file.instrument]
    prompts = [prompt.key for prompt in file.prompt]
    if not plan.agenda:
        raise ProgrammeFileError(_("%s, agenda: expected at least one poll, prompt or pause") % place)
    for key in plan.profile:
        _check_known(key, polls, f"{place}, profile", _("poll"))
    for number, entry in enumerate(plan.agenda, 1):
        where = f"{place}, agenda {number}"
        if sum(bool(kind) for kind in (entry.poll, entry.prompt, entry.pause)) != 1:
            raise ProgrammeFileError(_("%s: expected exactly one of: poll, prompt, pause") % where)
        _check_known(entry.poll, polls, f"{where}, poll", _("poll"))
        _check_known(entry.prompt, prompts, f"{where}, prompt", _("prompt"))
    _check_asked_once(plan, place)


def _check_asked_once(plan: Plan, place: str) -> None:
    """A question asked twice in one workshop would count its people twice when workshops are added up."""
    seen: set[str] = set()
    for key in [*plan.profile, *(entry.poll for entry in plan.agenda if entry.poll)]:
        if key in seen:
            raise ProgrammeFileError(
                _("%(place)s: poll “%(key)s” stands twice, expected every question once")
                % {"place": place, "key": key}
            )
        seen.add(key)


def _check_benchmark(file: ProgrammeFile, benchmark: Benchmark, place: str) -> None:
    _check_known(
        benchmark.instrument,
        [instrument.key for instrument in file.instrument],
        f"{place}, instrument",
        _("poll"),
    )
    _check_plain(msgspec.structs.asdict(benchmark), place)
    instrument = next((one for one in file.instrument if one.key == benchmark.instrument), None)
    if instrument is None:
        raise ProgrammeFileError(_("%s, instrument: expected the key of a question") % place)
    _check_known(
        benchmark.measure, [one.key for one in instrument.measure], f"{place}, measure", _("measure")
    )
    if all(getattr(benchmark, name) is None for name in ("percent", "mean", "median", "minimum", "maximum")):
        raise ProgrammeFileError(
            _("%s: expected a figure: percent, mean, median, minimum or maximum") % place
        )


# --- writing ------------------------------------------------------------------------------------

HEAD = "# A programme of Vision Workshops. Edit it by hand and load it again: manage.py load_programme FILE\n"

#: tables that get a heading of their own; everything else stands on one line
_HEADED = {"options": dict, "items": dict, "settings": dict, "measure": list, "consent": list}


def dump(file: ProgrammeFile) -> str:
    """The text of a programme file; `parse(dump(file)) == file`."""
    data = msgspec.to_builtins(file)
    return HEAD + "\n".join(line for name, value in data.items() for line in _tables(name, value)) + "\n"


def _tables(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for table in value:
            yield from _table(f"[[{name}]]", name, table)
    else:
        yield from _table(f"[{name}]", name, value)


def _table(heading: str, name: str, table: dict[str, Any]) -> Iterator[str]:
    """A heading, its plain values, then the tables under it, as TOML wants them ordered."""
    below = {key: value for key, value in table.items() if isinstance(value, _HEADED.get(key, ()))}
    yield f"\n{heading}"
    for key, value in table.items():
        if key not in below:
            yield f"{_key(key)} = {_value(key, value)}"
    for key, value in below.items():
        yield from _tables(f"{name}.{key}", value)


def _value(key: str, value: Any) -> str:
    """On one line where it fits; an agenda always with a line for every step."""
    line = _inline(value)
    if isinstance(value, list) and (key == "agenda" or len(line) > 90):
        return "[\n" + "".join(f"  {_inline(one)},\n" for one in value) + "]"
    return line


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{_key(key)} = {_inline(one)}" for key, one in value.items()) + " }"
            if value
            else "{}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(_inline(one) for one in value) + "]"
    several_lines = isinstance(value, str) and "\n" in value
    return (
        tomli_w.dumps({"x": value}, multiline_strings=several_lines).removeprefix("x = ").removesuffix("\n")
    )


def _key(key: str) -> str:
    """Bare where TOML allows it, else in quotation marks."""
    return tomli_w.dumps({key: 0}).removesuffix(" = 0\n")
