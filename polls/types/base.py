"""The words that every poll type shares.

A poll type is pure: it takes plain values and returns plain values, and knows nothing of databases,
requests or people. It answers three questions about a `Question`: is this ballot valid (`clean`), how
are ballots counted (`tally`), how is the count drawn (`picture`, `chart`).

**A tally is a JSON object whose leaves are all integers.** Therefore two tallies of one question add up
leaf by leaf (`add`), in any order and over any split: over batches, over workshops, over years.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

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

#: settings that every question may have, with what they are; a type adds its own in `own_settings`
FLAGS = ("allow_pass", "change", "check", "exact", "ordinal", "other", "shuffle")
LABELS = ("none_label", "pass_label", "unit")
REVEALS = ("after_close", "after_vote", "live", "never")
COMMON_SETTINGS = ("allow_pass", "pass_label", "change", "check", "image", "image_alt", "reveal")


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


class FormData(Protocol):
    """What a form sends: Django's `QueryDict`, or anything with the same two methods."""

    def get(self, key: str, default: Any = None) -> Any: ...
    def getlist(self, key: str) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class Filled:
    """What stands in a ballot's fields: name → values, as a form would send it. Empty for a fresh paper."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def get(self, key: str, default: Any = None) -> Any:
        values = self.fields.get(key)
        return values[-1] if values else default

    def getlist(self, key: str) -> list[Any]:
        return list(self.fields.get(key, ()))


class PollType:
    """What a poll type must answer. One instance per type stands in `POLL_TYPES`."""

    name: str = ""
    #: shown to facilitators when they make a question
    title: str | Promise = ""
    #: one short line over the question on a phone: "Choose one"
    how: str | Promise = ""
    #: people's own words, which reach the wall only after a check, unless `check` is false or a facilitator says so
    has_texts: bool = False
    #: an option list is authored for it
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
        """What must be equal, beside type and option keys, for answers to two versions to add up."""
        return None

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
        """The canonical value: equal answers give equal JSON. Raises `InvalidBallot`. `None` stays `None`."""
        raise NotImplementedError

    def is_pass(self, value: Any) -> bool:
        return value is None

    def say(self, value: Any, question: Question) -> str:
        """The answer in words, for the receipt: "6 to 8 babies"."""
        raise NotImplementedError

    def tally(self, counted: Iterable[tuple[Any, int]], question: Question) -> Tally:
        """Count `(canonical value, how many ballots)` pairs; passes are not among them.

        Always has a leaf `n`: the people who answered, base of every percentage of this question.
        """
        raise NotImplementedError

    def figures(self, tally: Tally, question: Question) -> list[Figure]:
        """Every line that can be pooled and exported, in authored order, zero lines included."""
        raise NotImplementedError

    def texts(self, tally: Tally, question: Question) -> list[tuple[str, str, int]]:
        """People's own words as `(key, text, people)`, for the check before the wall. Empty for most types."""
        return []

    def keep_texts(self, tally: Tally, keys: frozenset[str], question: Question) -> Tally:
        """The same tally with only those own words whose key is given. `n` keeps counting everybody."""
        return tally

    def reword(self, value: Any, words: Callable[[str], str | None], question: Question) -> Any:
        """A canonical value with its own words changed, to be tallied and nothing else.

        `words(key)` is what stands instead of the text with this key: "" takes it away, `None` leaves it as it is.
        A person whose words are all taken away is still counted in `n`.
        """
        return value

    def picture(self, tally: Tally, question: Question) -> dict[str, Any]:
        """What the template `polls/<name>/result.html` draws: plain values, whole percentages ready to print."""
        raise NotImplementedError

    def finding(self, tally: Tally, question: Question) -> str:
        """The result in one sentence with its base; empty when nobody has answered."""
        return ""

    def table(self, tally: Tally, question: Question) -> tuple[list[str], list[list[Any]]]:
        """The same result as a table: headings, rows. First column is the row's heading."""
        headings, n = [str(_("Answer")), str(_("People"))], tally["n"]
        rows: list[list[Any]] = [[figure.label, figure.hits] for figure in self.figures(tally, question)]
        rows.append([str(_("Everybody who answered")), n])
        if n >= FEW:
            headings.append(str(_("Share")))
            for row in rows:
                row.append(f"{percent(row[1], n)}\u00a0%")
        return headings, rows

    def chart(self, tally: Tally, question: Question) -> dict[str, Any]:
        """A Plotly figure as a plain dict with `data` and `layout`."""
        raise NotImplementedError


def add(first: Tally, second: Tally) -> Tally:
    """Add two tallies leaf by leaf. Keys that only one of them has are kept."""
    total = dict(first)
    for key, value in second.items():
        if isinstance(value, dict):
            total[key] = add(total.get(key, {}), value)
        else:
            total[key] = total.get(key, 0) + value
    return total


def percent(hits: int, valid: int) -> int | None:
    """A whole percentage, rounded half up as the published figures are; `None` without a base.

    Python's `round` is half-even (0.5 → 0), which prints 12.5 % as 12 %.
    """
    return (200 * hits + valid) // (2 * valid) if valid else None


def passing(question: Question) -> Any:
    """The canonical pass, `None`; refused where the question does not offer it."""
    if question.pass_label:
        return None
    raise InvalidBallot(gettext("This question needs an answer. Choose or write one."))


def is_whole(value: Any) -> bool:
    """An int and nothing that only looks like one: JSON's `true` is no 1."""
    return isinstance(value, int) and not isinstance(value, bool)


def setting(question: Question, key: str, default: int, low: int, high: int) -> int:
    """A whole number from the settings; raises `InvalidQuestion` where it is none or out of bounds."""
    value = question.settings.get(key, default)
    if not is_whole(value) or not low <= value <= high:
        raise InvalidQuestion(f"{key}: expected a whole number from {low} to {high}, found {value!r}")
    return value


def check_settings(settings: Mapping[str, Any], known: Sequence[str]) -> None:
    """No misspelt name passes unnoticed: `pas_label` would leave "Pass" on every phone and nobody would know."""
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
    """A picture has words for those who cannot see it, and comes from here: no other site is ever asked."""
    image = settings.get("image")
    if not image:
        return
    if not isinstance(image, str) or image.startswith("/") or ":" in image or ".." in image:
        raise InvalidQuestion(f"image: expected a path inside the static files, found {image!r}")
    if not str(settings.get("image_alt") or "").strip():
        raise InvalidQuestion("image_alt: expected the picture in words, for people who cannot see it")


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
