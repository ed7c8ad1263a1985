"""The schema of a programme file: its tables, as values without a database."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from polls.types import Question
from polls.types.base import Option

KEY_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,59}$"
Key = Annotated[str, Meta(pattern=KEY_PATTERN)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
ShortText = Annotated[str, Meta(max_length=300)]
ShortName = Annotated[str, Meta(max_length=120)]
RequiredText = Annotated[str, Meta(min_length=1, max_length=2000)]
LongText = Annotated[str, Meta(max_length=20_000)]
Minutes = Annotated[int, Meta(ge=0, le=600)]
Mode = Literal["live", "questionnaire"]
NumberValue = int | float


class FileTable(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One table of the file. Unknown names are refused; defaults are left out when the file is written again."""


class ProgrammeSection(FileTable, kw_only=True):
    key: Key
    title: Name
    strapline: ShortText = ""
    team: ShortText = ""
    funder: Annotated[str, Meta(max_length=200)] = ""
    cite: LongText = ""
    hue: Annotated[int, Meta(ge=0, le=359)] = 165
    while_waiting: ShortText = ""
    closing: LongText = ""
    #: who people can write to; stands on the information sheet
    contact: ShortText = ""
    keep_months: Annotated[int, Meta(ge=1, le=120)] = 24
    #: owners and researchers need a second step when they sign in
    second_factor: bool = False


class Consent(FileTable, kw_only=True):
    key: Key
    text: RequiredText
    required: bool = False


class Information(FileTable, kw_only=True):
    lead: LongText = ""
    text: Annotated[str, Meta(min_length=1, max_length=20_000)]
    consent: list[Consent] = []


class Domain(FileTable, kw_only=True):
    key: Key
    title: Name
    description: LongText = ""


class Measure(FileTable, kw_only=True):
    """A derived figure. Which of `members`, `boxes`, `low`, `high` and `item` it needs depends on its kind."""

    key: Key
    label: Name
    kind: str
    members: list[str] | None = None
    boxes: int | None = None
    low: NumberValue | None = None
    high: NumberValue | None = None
    item: str | None = None

    @property
    def definition(self) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in ("members", "boxes", "low", "high", "item")}
        return {name: value for name, value in values.items() if value is not None}


class Instrument(FileTable, kw_only=True):
    key: Key
    name: ShortName = ""
    domain: str | list[str] = ""
    type: str
    text: Annotated[str, Meta(max_length=2000)] = ""
    help: Annotated[str, Meta(max_length=2000)] = ""
    options: dict[str, Any] = {}
    #: the labels of a scale's points, or their number
    points: list[Any] | int = []
    items: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    reveal: Literal["after_close", "after_vote", "live", "never", ""] = ""
    measure: list[Measure] = []
    #: begun in the browser: it is checked when a workshop opens its doors, not when the file is loaded
    unfinished: bool = False

    @property
    def domains(self) -> list[str]:
        listed = [self.domain] if isinstance(self.domain, str) else self.domain
        return [key for key in listed if key]

    @property
    def question(self) -> Question:
        """The question as a poll type sees it: `points`, `items` and `reveal` are settings there."""
        named = {"points": self.points, "items": self._items, "reveal": self.reveal}
        return Question(
            type=self.type,
            text=self.text,
            key=self.key,
            help=self.help,
            options=tuple(Option(key, label) for key, label in self.options.items()),
            settings={**self.settings, **{name: value for name, value in named.items() if value}},
        )

    @property
    def _items(self) -> list[dict[str, Any]]:
        return [{"key": key, "label": label} for key, label in self.items.items()]


class Prompt(FileTable, kw_only=True):
    key: Key
    domain: str = ""
    text: RequiredText
    probes: list[Annotated[str, Meta(min_length=1, max_length=300)]] = []
    minutes: Minutes = 10


class AgendaEntry(FileTable, kw_only=True):
    """One step: exactly one of `poll`, `prompt` and `pause`; the text of a pause is its title."""

    poll: str = ""
    prompt: str = ""
    pause: Annotated[str, Meta(max_length=200)] = ""
    #: none: as many as the prompt has
    minutes: Minutes | None = None
    title: Annotated[str, Meta(max_length=200)] = ""
    #: for the people who run the workshop
    notes: Annotated[str, Meta(max_length=2000)] = ""
    #: of a pause: the hash of an uploaded picture
    picture: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""


class Plan(FileTable, kw_only=True):
    key: Key
    title: Name
    minutes: Annotated[int, Meta(ge=1, le=600)] = 60
    #: "questionnaire": everybody answers at their own pace, on one link
    mode: Mode = "live"
    #: people may listen without being counted
    observers: bool = False
    profile: list[str] = []
    agenda: list[AgendaEntry]


class Benchmark(FileTable, kw_only=True):
    """A benchmark: a figure from outside to compare a question with, or the `measure` that is named."""

    instrument: str
    measure: str = ""
    label: Name
    percent: Annotated[int, Meta(ge=0, le=100)] | Annotated[float, Meta(ge=0, le=100)] | None = None
    mean: NumberValue | None = None
    median: NumberValue | None = None
    minimum: NumberValue | None = None
    maximum: NumberValue | None = None
    n: Annotated[int, Meta(ge=1)] | None = None
    unit: ShortText = ""
    source: Annotated[str, Meta(min_length=1, max_length=500)]


class ProgrammeFile(FileTable, kw_only=True):
    programme: ProgrammeSection
    information: Information | None = None
    domain: list[Domain] = []
    instrument: list[Instrument] = []
    prompt: list[Prompt] = []
    plan: list[Plan] = []
    benchmark: list[Benchmark] = []
