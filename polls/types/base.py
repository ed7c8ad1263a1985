"""The interface of a poll type, and the value objects and checks that all of them share.

A poll type is pure: it takes plain values and returns plain values, and knows nothing of databases,
requests or people. It answers three questions about a `Question`: is this ballot valid (`clean`), how
are ballots counted (`tally`), how is the count drawn (`picture`, `chart`).

**A tally is a JSON object whose leaves are all integers.** Therefore two tallies of one question add up
leaf by leaf (`add`), in any order and over any split: over batches, over workshops, over years.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

#: a canonical ballot value: plain JSON; `None` is a pass
Value = Any
Tally = dict[str, Any]

#: reserved in forms: the choice "pass"; no option key can look like it
PASS = "~pass"
#: reserved in forms: the choice "Other…", whose words come in a field of their own
OTHER = "~other"
#: below this many answers a result is told in counts, never in percentages
FEW = 20
TEXT_LIMIT = 2000  # characters of a question
LABEL_LIMIT = 100  # characters of "Not sure", "babies", "No baby room"

#: what a value is made of where it names lines of a result (a tuple: every vote is asked)
MARKS = (str, int, float)

#: settings that every question may have, with what they are; a type adds its own in `own_settings`
FLAGS = ("allow_pass", "change", "check", "exact", "ordinal", "other", "shuffle")
LABELS = ("none_label", "pass_label", "unit")
REVEALS = ("after_close", "after_vote", "live", "never")
COMMON_SETTINGS = (
    "allow_pass", "pass_label", "change", "check", "image", "image_alt", "image_size", "reveal",
)  # fmt: skip
#: the address of an uploaded picture: it is named by the hash of its bytes
UPLOADED = re.compile(r"/pictures/([0-9a-f]{64})\.webp")
#: settings that are of a question's picture
OF_A_PICTURE = ("image", "image_alt", "image_size")
LONGEST_SIDE = 1600  # pixels of an uploaded picture


class InvalidBallot(Exception):
    """A ballot that cannot be counted. `message` is one plain sentence for the person who typed it."""

    def __init__(self, message: str | Promise, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidQuestion(Exception):
    """A question that cannot be asked. The message names the key and what is expected there."""


@dataclass(frozen=True, slots=True)
class Option:
    """A thing to choose: a stable key (so copies of one instrument add up) and a label (what people read)."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """One version of one instrument, as a poll type sees it.

    `settings` holds what only the type understands (limits, labels of points, a budget), already checked
    by `PollType.check`.
    """

    type: str
    text: str
    key: str = ""
    help: str = ""
    options: tuple[Option, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def label(self, key: str) -> str:
        """The label of an option key; the key itself where the option is unknown."""
        return next((option.label for option in self.options if option.key == key), key)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(option.key for option in self.options)

    @property
    def pass_label(self) -> str:
        """What "pass" is called here; empty where the question does not offer it."""
        if not self.settings.get("allow_pass", True):
            return ""
        return str(self.settings.get("pass_label") or _("Pass"))

    def as_json(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "text": self.text,
            "key": self.key,
            "help": self.help,
            "options": [[option.key, option.label] for option in self.options],
            "settings": dict(self.settings),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Question:
        return cls(
            type=data["type"],
            text=data["text"],
            key=data.get("key", ""),
            help=data.get("help", ""),
            options=tuple(Option(key, label) for key, label in data.get("options", ())),
            settings=data.get("settings", {}),
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """One countable line of a result: `hits` of `valid` people, e.g. an option and those who chose it."""

    key: str
    label: str
    hits: int
    valid: int


class OwnWords(NamedTuple):
    """What a ballot says in its voter's own words, in one of its fields: "answer", "entry-2", "other", "reason"."""

    field: str
    words: str
    #: equal for words that the tally counts as one (`texts.text_key`)
    key: str


class FormData(Protocol):
    """What a form sends: Django's `QueryDict`, or anything with the same two methods."""

    def get(self, key: str, default: Any = None) -> Any: ...
    def getlist(self, key: str) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class Filled:
    """The fields of a ballot's form: name → values, as the form would send them. Empty for a new ballot.

    An answer comes as this from the plain form and from the script alike; `PollType.from_form` reads it.
    """

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def get(self, key: str, default: Any = None) -> Any:
        values = self.fields.get(key)
        return values[-1] if values else default

    def getlist(self, key: str) -> list[Any]:
        return list(self.fields.get(key, ()))


class PollType:
    """The interface of a poll type: parse, validate, count, draw. One instance per type stands in `POLL_TYPES`."""

    name: str = ""
    #: shown to facilitators when they make a question
    title: str | Promise = ""
    #: one short line over the question on a phone: "Choose one"
    how: str | Promise = ""
    #: answers hold people's own words, which reach the wall after moderation, unless `check` is false or a facilitator
    #: shows words at once
    has_texts: bool = False
    #: its questions have an authored list of options
    has_options: bool = False
    #: settings beside the common ones (`COMMON_SETTINGS`) that its questions may have
    own_settings: tuple[str, ...] = ()

    def check(self, question: Question) -> None:
        """Raise `InvalidQuestion` where the authored question cannot be asked. Types add their own."""
        if not (isinstance(question.text, str) and 0 < len(question.text.strip()) <= TEXT_LIMIT):
            raise InvalidQuestion(f"text: expected 1 to {TEXT_LIMIT} characters")
        check_settings(question.settings, (*COMMON_SETTINGS, *self.own_settings))
        check_image(question.settings)
        if self.has_options:
            check_options(question.options)

    def measured_on(self, question: Question) -> Any:
        """What must be equal for answers to two versions to be counted together, whatever anybody says."""
        return None

    def offered(self, question: Question) -> tuple[Option, ...]:
        """What an answer can choose. Versions may differ in it; then each thing has its own base."""
        return question.options

    def offering(self, question: Question, options: Sequence[Option]) -> Question:
        """The same question with other things to choose: the way back of `offered`."""
        return replace(question, options=tuple(options))

    def with_bases(self, tally: Tally, question: Question) -> Tally:
        """The tally with the base of each thing offered, to be added to that of a version that offers others."""
        keys = [option.key for option in self.offered(question)]
        return {**tally, "bases": dict.fromkeys(keys, tally["n"])}

    def instruction(self, question: Question) -> str:
        """The short line over the question; may depend on settings ("Choose up to 3")."""
        return str(self.how)

    def from_form(self, data: FormData, question: Question) -> Any:
        """The raw value in a plain HTML form, to be given to `clean`. `None` when the person passes."""
        raise NotImplementedError

    def to_form(self, value: Any, question: Question) -> dict[str, list[str]]:
        """The fields that would send this canonical value: the way back of `from_form`."""
        raise NotImplementedError

    def fields(self, filled: FormData, question: Question, options: Sequence[Option]) -> dict[str, Any]:
        """What `polls/<name>/ballot.html` needs beside the question: what is ticked, typed, still free.

        `options` are the question's, in the order in which this person sees them.
        """
        return {}

    def clean(self, value: Any, question: Question) -> Any:
        """The canonical value: equal answers give equal JSON. Raises `InvalidBallot`. `None`, a pass, stays `None`."""
        return passing(question) if value is None else self.clean_answer(value, question)

    def clean_answer(self, value: Any, question: Question) -> Any:
        """`clean` of what is no pass."""
        raise NotImplementedError

    def is_pass(self, value: Any) -> bool:
        return value is None

    def marks(self, value: Any) -> list[str]:
        """Keys of the lines in a result that are this answer's, so that a phone can say "Yours" beside them."""
        chosen = value if isinstance(value, list) else [value]
        return [str(one) for one in chosen if isinstance(one, MARKS)]

    def say(self, value: Any, question: Question) -> str:
        """The answer in words, for the receipt: "6 to 8 babies"."""
        return question.pass_label if value is None else self.say_answer(value, question)

    def say_answer(self, value: Any, question: Question) -> str:
        """`say` of what is no pass."""
        raise NotImplementedError

    def tally(self, counted: Iterable[tuple[Any, int]], question: Question) -> Tally:
        """Count `(canonical value, how many ballots)` pairs; passes are not among them.

        Always has a leaf `n`: the people who answered, base of every percentage of this question.
        """
        raise NotImplementedError

    def figures(self, tally: Tally, question: Question) -> list[Figure]:
        """Every line that can be pooled and exported, in authored order, zero lines included."""
        raise NotImplementedError

    def texts_of(self, value: Any, question: Question) -> Sequence[OwnWords]:
        """The own words in a canonical value, whether or not the type shows them; a field comes once. Mostly none."""
        return ()

    def reworded(self, value: Any, instead: Mapping[str, str]) -> Any:
        """The answer with other words: its own words → what stands instead, "" for nothing. It counts as it did."""
        return value

    def texts(self, tally: Tally, question: Question) -> list[tuple[str, str, int]]:
        """People's own words as `(key, text, people)`, in the order of a list of them. Empty for most types."""
        return []

    def spellings(self, tally: Tally) -> Mapping[str, int]:
        """The same letter by letter: every text as it was written → how many people wrote it so."""
        return {}

    def answer_with(self, words: Sequence[str]) -> Any:
        """A value that says these words and nothing else, to be tallied and never stored; for types that `has_texts`.

        Somebody whose words were all taken away is still counted in `n`.
        """
        raise NotImplementedError

    def picture(self, tally: Tally, question: Question) -> dict[str, Any]:
        """What the template `polls/<name>/result.html` draws: plain values, whole percentages ready to print."""
        raise NotImplementedError

    def headline(self, tally: Tally, question: Question) -> dict[str, Any] | None:
        """The finding in two parts (`drawing.headline`); `None` when nobody has answered."""
        return None

    def finding(self, tally: Tally, question: Question) -> str:
        """The result in one sentence with its base; empty when nobody has answered."""
        headline = self.headline(tally, question)
        return f"{headline['figure']} {headline['rest']}" if headline else ""

    def table(self, tally: Tally, question: Question) -> tuple[list[str], list[list[Any]]]:
        """The same result as a table: headings, rows. First column is the row's heading."""
        n, everybody = tally["n"], str(_("Everybody who answered"))
        figures = [*self.figures(tally, question), Figure("", everybody, tally["n"], tally["n"])]
        headings = [str(_("Answer")), str(_("People"))]
        rows: list[list[Any]] = [[figure.label, figure.hits] for figure in figures]
        if "bases" in tally:
            headings.append(str(_("Could choose it")))
            for row, figure in zip(rows, figures, strict=True):
                row.append(figure.valid)
        if n >= FEW:
            headings.append(str(_("Share")))
            for row, figure in zip(rows, figures, strict=True):
                row.append(f"{percent(figure.hits, figure.valid) or 0}\u00a0%")
        return headings, rows

    def chart(self, tally: Tally, question: Question) -> dict[str, Any]:
        """A Plotly figure as a plain dict with `data` and `layout`; bars of the figures where a type says no other."""
        figures = self.figures(tally, question)
        return bars([(figure.label, figure.hits, str(figure.hits)) for figure in figures], str(_("People")))


def bars(rows: Sequence[tuple[str, float, str]], title: str) -> dict[str, Any]:
    """A Plotly bar chart of `(label, length, text)` in authored order, never re-sorted: options may be a range."""
    labels, lengths, texts = [list(column) for column in zip(*rows, strict=True)] or [[], [], []]
    return {
        "data": [{"type": "bar", "orientation": "h", "x": lengths, "y": labels, "text": texts}],
        "layout": {"yaxis": {"autorange": "reversed"}, "xaxis": {"title": {"text": title}}},
    }


def add(first: Tally, second: Tally) -> Tally:
    """Add two tallies leaf by leaf. Keys that only one of them has are kept."""
    total = dict(first)
    for key, value in second.items():
        if isinstance(value, dict):
            total[key] = add(total.get(key, {}), value)
        else:
            total[key] = total.get(key, 0) + value
    return total


def base(tally: Tally, key: str) -> int:
    """The people who could choose this: all who answered, unless versions that offer it were added to others."""
    return int(tally.get("bases", {}).get(key, tally["n"]))


def percent(hits: int, valid: int) -> int | None:
    """A whole percentage, rounded half up as the published figures are; `None` without a base.

    Python's `round` is half-even (0.5 → 0), which prints 12.5 % as 12 %.
    """
    return (200 * hits + valid) // (2 * valid) if valid else None


def passing(question: Question) -> Any:
    """The canonical pass, `None`; raises `InvalidBallot` where the question does not offer it."""
    if question.pass_label:
        return None
    raise InvalidBallot(gettext("This question needs an answer. Choose or write one."))


def is_whole(value: Any) -> bool:
    """An int and no bool: JSON's `true` is an `int` in Python."""
    return isinstance(value, int) and not isinstance(value, bool)


def setting(question: Question, key: str, default: int, low: int, high: int) -> int:
    """A whole number from the settings; raises `InvalidQuestion` where it is none or out of bounds."""
    value = question.settings.get(key, default)
    if not is_whole(value) or not low <= value <= high:
        raise InvalidQuestion(f"{key}: expected a whole number from {low} to {high}, found {value!r}")
    return value


def check_settings(settings: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raise `InvalidQuestion` for an unknown or wrongly typed setting, with the nearest known name as a hint.

    A misspelt `pas_label` would otherwise leave "Pass" on every phone unnoticed.
    """
    for key, value in settings.items():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(sorted(known))}"
            raise InvalidQuestion(f"settings: unknown {key!r}, {hint}")
        if key in FLAGS and not isinstance(value, bool):
            raise InvalidQuestion(f"{key}: expected true or false, found {value!r}")
        if key in LABELS and not (isinstance(value, str) and 0 < len(value.strip()) <= LABEL_LIMIT):
            raise InvalidQuestion(f"{key}: expected 1 to {LABEL_LIMIT} characters, found {value!r}")
    if settings.get("reveal", "never") not in REVEALS:
        raise InvalidQuestion(f"reveal: expected one of {', '.join(REVEALS)}, found {settings['reveal']!r}")


def check_image(settings: Mapping[str, Any]) -> None:
    """A picture needs a text alternative. It is an uploaded one, with its size, so that nothing jumps when it comes,
    or a path inside the static files: phones load nothing from other sites."""
    image, size = settings.get("image"), settings.get("image_size")
    if not image:
        return
    if not isinstance(image, str) or not (UPLOADED.fullmatch(image) or _is_inside(image)):
        raise InvalidQuestion(f"image: expected a path inside the static files, found {image!r}")
    if not str(settings.get("image_alt") or "").strip():
        raise InvalidQuestion("image_alt: expected the picture in words, for people who cannot see it")
    if size is not None and not (
        isinstance(size, list) and len(size) == 2 and all(is_whole(n) and 0 < n <= LONGEST_SIDE for n in size)
    ):
        raise InvalidQuestion(
            f"image_size: expected two whole numbers from 1 to {LONGEST_SIDE}, found {size!r}"
        )


def _is_inside(path: str) -> bool:
    return not (path.startswith("/") or ":" in path or ".." in path)


def check_options(options: Sequence[Option], low: int = 2, high: int = 20) -> None:
    if not low <= len(options) <= high:
        raise InvalidQuestion(f"options: expected {low} to {high}, found {len(options)}")
    check_keys([option.key for option in options])
    for option in options:
        if not 0 < len(option.label) <= 255:
            raise InvalidQuestion(f"label of option {option.key!r}: expected 1 to 255 characters")


def check_keys(keys: Sequence[str]) -> None:
    """Option keys are short, plain and different, so that they can stand in files, forms and columns."""
    for key in keys:
        if not (
            0 < len(key) <= 50 and key.isascii() and key.replace("_", "").isalnum() and key == key.lower()
        ):
            raise InvalidQuestion(
                f"option key {key!r}: expected 1 to 50 small letters, digits and underscores"
            )
    if len(set(keys)) != len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InvalidQuestion(f"option key {twice!r} stands twice: expected every key once")
