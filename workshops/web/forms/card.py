"""The card of a question as a form: everything at once, and unfinished things are kept too.

A field that cannot be read keeps what was stored before, and says so; all the others are saved all the same.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from polls import measures
from polls.models import Measure
from polls.results import Share
from polls.types import POLL_TYPES, Question
from polls.types.base import COMMON_SETTINGS, TEXT_LIMIT, Option
from polls.types.scale import is_block, labels
from polls.types.statement import CHOICES as AGREEMENT
from polls.types.statement import RULE

from ...actions.authoring.questions import NAME_LENGTH, Card, Step, Sum
from ...models import AgendaItem
from ...programmes import option_lines
from ...programmes.cards import CardState
from . import card_settings
from .card_settings import EVERYWHERE, SETTINGS, Number

#: lines of options that are looked at; nobody is asked more than twenty
MOST_LINES = 100
LINES_LENGTH = 20_000
NOTES_LENGTH = 2000

REVEALS = (
    ("after_close", gettext_lazy("When I show them")),
    ("after_vote", gettext_lazy("Once they have answered")),
    ("live", gettext_lazy("As they come in")),
    ("never", gettext_lazy("Not in the room")),
)


def too_long() -> dict[str, Any]:
    return {"max_length": gettext_lazy("This can have up to %(limit_value)d letters; it has %(show_value)d.")}


def text_field(label: Any, length: int, **more: Any) -> forms.CharField:
    return forms.CharField(required=False, label=label, max_length=length, error_messages=too_long(), **more)


class StepFields(forms.Form):
    """What a step of an agenda has beside its question, prompt or words."""

    minutes = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=600,
        label=gettext_lazy("Minutes"),
        error_messages={
            "invalid": gettext_lazy("Write whole minutes, like 5."),
            "min_value": gettext_lazy("Write whole minutes, like 5."),
            "max_value": gettext_lazy("A step can take up to %(limit_value)d minutes."),
        },
    )
    notes = text_field(gettext_lazy("Notes for you"), NOTES_LENGTH)


class LenientForm(forms.Form):
    """A form where every field can be read by itself: a wrong one is as it was before."""

    def __init__(
        self, data: QueryDict | None, initial: Mapping[str, Any], theirs: Collection[str] = ()
    ) -> None:
        super().__init__(data, initial=dict(initial))
        self.theirs = frozenset(theirs)
        if data is not None:
            self.full_clean()

    def said(self, name: str) -> Any:
        """What was typed, or what is stored where that cannot be read or somebody else's words were chosen."""
        if not self.is_bound or name in self.errors or name in self.theirs or name not in self.cleaned_data:
            return self.initial.get(name)
        return self.cleaned_data[name]


class CardForm(StepFields, LenientForm):
    """`item`: the card is a step of an agenda, whose reveal is its own."""

    text = text_field(gettext_lazy("Question"), TEXT_LIMIT)
    help = text_field(gettext_lazy("A line below it"), TEXT_LIMIT)
    name = text_field(gettext_lazy("Short name"), NAME_LENGTH)
    type = forms.ChoiceField(
        choices=[(name, kind.title) for name, kind in POLL_TYPES.items()],
        label=gettext_lazy("How people answer"),
    )
    options = text_field(gettext_lazy("Options"), LINES_LENGTH)
    exclusive = forms.MultipleChoiceField(required=False, label=gettext_lazy("Stands alone"))
    points = text_field(gettext_lazy("Points of the scale"), LINES_LENGTH)
    items = text_field(gettext_lazy("Lines to answer, each on the same scale"), LINES_LENGTH)
    reveal = forms.ChoiceField(
        required=False, choices=REVEALS, label=gettext_lazy("When people see the answers")
    )
    domains = forms.TypedMultipleChoiceField(
        required=False, coerce=int, label=gettext_lazy("Part of the vision")
    )

    def __init__(
        self,
        state: CardState,
        data: QueryDict | None = None,
        *,
        item: AgendaItem | None = None,
        theirs: Collection[str] = (),
    ) -> None:
        self.state, self.item = state, item
        super().__init__(data, initial(state, item), theirs)
        self._prepare()

    def full_clean(self) -> None:
        """Settings of other types than the chosen one are posted too, and may hold anything."""
        self._prepare()
        super().full_clean()
        if self.is_bound:
            for setting in SETTINGS:
                if self.said("type") not in setting.types:
                    self.errors.pop(setting.name, None)

    def _prepare(self) -> None:
        if "change" in self.fields:
            return
        self.fields.update(card_settings.fields())
        domains: Any = self.fields["domains"]
        domains.choices = [(row.pk, row.title) for row in self.state.programme.domains.all()]
        exclusive: Any = self.fields["exclusive"]
        known = {*self.state.question.keys, *(option.key for option in self.state.retired)}
        exclusive.choices = [(key, key) for key in known]

    # -- the question -----------------------------------------------------------------------------------

    def clean_options(self) -> str:
        return self._few_lines("options")

    def clean_items(self) -> str:
        return self._few_lines("items")

    def clean_points(self) -> str:
        return self._few_lines("points")

    def _few_lines(self, name: str) -> str:
        text: str = self.cleaned_data[name]
        if (n := len(option_lines.split(text))) > MOST_LINES:
            words = _("This has %(n)d lines; up to %(most)d fit here.")
            raise forms.ValidationError(words % {"n": n, "most": MOST_LINES})
        return text

    def matched(self) -> option_lines.Matched:
        """The lines of options, and what each is."""
        state, kind = self.state, POLL_TYPES[self.said("type")]
        if not kind.has_options:
            gone = [option for option in state.question.options if option.label]
            return option_lines.Matched((), option_lines.once([*state.retired, *gone]))
        lines = option_lines.split(self.said("options"))
        if not lines and not state.question.options:  # it was a scale: its points may be options now
            lines = option_lines.split(self.said("points"))
        return option_lines.match(lines, state.question.options, state.retired, state.offered)

    def question(self, matched: option_lines.Matched) -> Question:
        old, kind = self.state.question, self.said("type")
        known = (*COMMON_SETTINGS, *POLL_TYPES[kind].own_settings)
        settings = {key: value for key, value in old.settings.items() if key in known}
        for setting in SETTINGS:
            if kind in setting.types:
                setting.write(settings, old.settings if kind == old.type else {}, self.said(setting.name))
        if kind == "statement" and settings["rule"] == RULE and "rule" not in old.settings:
            del settings["rule"]
        for setting in EVERYWHERE:
            setting.write(settings, old.settings, self.said(setting.name))
        self._write_lines(settings, kind, matched)
        if self.item is None:
            card_settings.REVEAL.write(settings, old.settings, self.said("reveal"))
        return replace(
            old, type=kind, text=self.said("text"), help=self.said("help"), options=matched.options,
            settings=settings,
        )  # fmt: skip

    def _write_lines(self, settings: dict[str, Any], kind: str, matched: option_lines.Matched) -> None:
        old = self.state.question
        if kind == "multiple_choice":
            keys = [matched.renamed.get(key, key) for key in self.said("exclusive")]
            alone = [option.key for option in matched.options if option.key in keys]
            if set(alone) != set(settings.get("exclusive", [])):
                settings["exclusive"] = alone
        if kind == "scale":
            points = option_lines.split(self.said("points")) or option_lines.split(self.said("options"))
            if points != point_lines(old):
                settings["points"] = points
            blocks = [Option(item["key"], item["label"]) for item in item_lines(old)]
            lines = option_lines.match(option_lines.split(self.said("items")), blocks, (), self.state.offered)
            if lines.options != tuple(blocks):
                settings["items"] = [{"key": each.key, "label": each.label} for each in lines.options]
            if not settings.get("items"):
                settings.pop("items", None)

    # -- the rest ---------------------------------------------------------------------------------------

    def card(self) -> tuple[Card, list[SumRow]]:
        """The whole card as it was written, and the rows of its sums as they are shown again."""
        matched = self.matched()
        question = self.question(matched)
        rows = self.sums(question, matched.renamed)
        return Card(
            question=question,
            name=self.said("name"),
            domains=frozenset(self.said("domains")),
            sums=tuple(row.sum for row in rows if row.sum is not None),
            dropped=frozenset(row.key for row in rows if row.dropped and row.key),
            retired=_retired(self.state, matched),
        ), rows

    def sums(self, question: Question, renamed: Mapping[str, str]) -> list[SumRow]:
        if not self.is_bound or "sums" in self.theirs:
            return [SumRow.of(measure, self.state.question) for measure in self.state.measures.values()]
        posted: Any = self.data
        numbers = sorted({int(n) for n in posted.getlist("sum") if n.isdecimal() and len(n) < 4})
        return [
            row
            for number in numbers[:MOST_SUMS]
            if (row := SumRow.read(posted, number, self.state, question, renamed)) is not None
        ]

    def step(self) -> Step | None:
        if self.item is None:
            return None
        return Step(self.said("minutes") or 0, self.said("notes"), reveal=self.said("reveal"))


MOST_SUMS = 50


def _retired(state: CardState, matched: option_lines.Matched) -> list[list[str]]:
    """What to keep of options that have gone: those that stand in no version that stays."""
    stay = {
        (option.key, option.label)
        for version in state.versions
        if version.pk in state.asked
        for option in version.question.options
    }
    return [
        [option.key, option.label] for option in matched.retired if (option.key, option.label) not in stay
    ]


def point_lines(question: Question) -> list[str]:
    return labels(question) if question.type == "scale" and question.settings.get("points") else []


def item_lines(question: Question) -> Sequence[Mapping[str, str]]:
    return question.settings.get("items") or () if question.type == "scale" else ()


def initial(state: CardState, item: AgendaItem | None) -> dict[str, Any]:
    """What stands in the fields of a card that nobody has touched yet."""
    question, settings = state.question, state.question.settings
    options = question.options or (() if POLL_TYPES[question.type].has_options else state.retired)
    values: dict[str, Any] = {
        "text": question.text,
        "help": question.help,
        "name": state.instrument.name,
        "type": question.type,
        "options": "\n".join(option.label for option in options),
        "exclusive": list(settings.get("exclusive") or ()),
        "points": "\n".join(point_lines(question)),
        "items": "\n".join(each["label"] for each in item_lines(question)),
        "reveal": settings.get("reveal") or "after_close",
        "domains": sorted(state.domains),
    }
    for setting in SETTINGS:
        values[setting.name] = setting.read(settings if question.type in setting.types else {})
    for setting in EVERYWHERE:
        values[setting.name] = setting.read(settings)
    if item is not None:
        values |= {"minutes": item.minutes, "notes": item.notes, "reveal": item.required_poll.reveal}
    return values


# --- sums --------------------------------------------------------------------------------------------------


@dataclass
class SumRow:
    """A measure as a row of ticks, or of two bounds where the question asks for a number."""

    number: int
    key: str = ""
    name: str = ""
    ticked: tuple[str, ...] = ()
    together: bool = False
    item: str = ""
    low: str = ""
    high: str = ""
    dropped: bool = False
    error: str = ""
    #: to be saved; `None`: nothing that could be counted
    sum: Sum | None = None
    chips: list[tuple[str, str, bool, bool]] = field(default_factory=list)
    share: Share | None = None

    @property
    def error_name(self) -> str:
        return f"sum-{self.number}"

    @property
    def errors(self) -> list[str]:
        return [self.error] if self.error else []

    @classmethod
    def of(cls, measure: Measure, question: Question, number: int = 0) -> SumRow:
        definition = measure.definition
        return cls(
            number=number,
            key=measure.key,
            name=measure.label,
            ticked=ticks(measure.kind, definition, question),
            together=measure.kind == "all_of",
            item=definition.get("item", ""),
            low=_shown(definition.get("low")),
            high=_shown(definition.get("high")),
        )

    @classmethod
    def read(
        cls, data: QueryDict, number: int, state: CardState, question: Question, renamed: Mapping[str, str]
    ) -> SumRow | None:
        """A row as it was posted; `None` for one that holds nothing."""

        def get(name: str) -> str:
            return " ".join(data.get(f"sum-{number}-{name}", "").split())

        known = state.measures.get(get("key"))
        row = cls(
            number=number,
            key=known.key if known else "",
            name=get("name")[:200],
            ticked=tuple(dict.fromkeys(renamed.get(k, k) for k in data.getlist(f"sum-{number}-member"))),
            together=bool(get("together")),
            item=get("item"),
            low=get("low"),
            high=get("high"),
            dropped=bool(get("drop")),
        )
        if known is None and (row.dropped or not (row.name or row.ticked or row.low or row.high)):
            return None
        if not row.dropped:
            row.sum = row._as_sum(known, state.question, question, bool(state.asked))
        return row

    def _as_sum(self, known: Measure | None, old: Question, question: Question, asked: bool) -> Sum | None:
        if question.type in ("words", "open_text"):
            return None
        if known is not None and self._says_the_same(SumRow.of(known, old)):
            kind, definition = known.kind, known.definition
        elif question.type == "number":
            kind, definition = "band", self._bounds()
        else:
            members = _in_order(self.ticked, question)
            kind = "all_of" if self.together and len(members) > 1 else "merge"
            definition = {"members": members} if members else {}
            if members and is_scale_block(question):
                definition["item"] = self.item
        if not definition:
            self.error = self.error or (
                _("Write from where, or up to where.")
                if question.type == "number"
                else _("Tick what belongs to it.")
            )
            return None
        try:
            measures.check(kind, definition, with_gone(question, definition))
        except (measures.InvalidMeasure, LookupError):
            if known is not None and definition == known.definition:
                self.dropped = not asked  # else it stays as it is: it counts answers to an earlier version
                return None
            self.error = self.error or _("This cannot be counted yet. Look through it once.")
            return None
        return Sum(self.key, self.name or self._named(question), kind, definition)

    def _says_the_same(self, other: SumRow) -> bool:
        mine, theirs = ((set(row.ticked), row.together, row.item, row.low, row.high) for row in (self, other))
        return mine == theirs

    def _bounds(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in ("low", "high"):
            try:
                found[name] = Number(required=False).clean(getattr(self, name))
            except forms.ValidationError as error:
                self.error = error.messages[0]
                return {}
        found = {name: number for name, number in found.items() if number is not None}
        if found.get("low", 0) > found.get("high", found.get("low", 0)):
            self.error = _("The second number must not be below the first.")
            return {}
        return found

    def _named(self, question: Question) -> str:
        if question.type == "number":
            return _("%(low)s to %(high)s") % {"low": self.low or "…", "high": self.high or "…"}
        known = dict(countable(question))
        return _(" or ").join(known.get(key, key) for key in self.ticked)[:200]

    def show(self, question: Question, gone: Mapping[str, str], share: Share | None) -> SumRow:
        """With chips for everything that can be ticked: key, label, ticked, no longer offered."""
        known = countable(question)
        self.chips = [(key, label, key in self.ticked, False) for key, label in known]
        keys = {key for key, _label in known}
        self.chips += [(key, gone.get(key, key), True, True) for key in self.ticked if key not in keys]
        self.share = share
        return self


def countable(question: Question) -> list[tuple[str, str]]:
    """What an answer can be made of, as key and label."""
    if question.type == "scale":
        return [(str(number), label) for number, label in enumerate(point_lines(question), 1)]
    if question.type == "statement":
        return [(key, str(label)) for key, label in AGREEMENT.items()]
    if not POLL_TYPES[question.type].has_options:
        return []
    own = (
        [("other", _("Other"))] if question.type == "single_choice" and question.settings.get("other") else []
    )
    return [*((option.key, option.label) for option in question.options), *own]


def ticks(kind: str, definition: Mapping[str, Any], question: Question) -> tuple[str, ...]:
    """The members of a measure; those of a box of a scale are points."""
    if "boxes" in definition:
        points = [str(point) for point in range(1, len(point_lines(question)) + 1)]
        n = definition["boxes"]
        return tuple(points[len(points) - n :] if kind == "top_box" else points[:n])
    return tuple(definition.get("members", ()))


def is_scale_block(question: Question) -> bool:
    return question.type == "scale" and is_block(question)


def with_gone(question: Question, definition: Mapping[str, Any]) -> Question:
    """The question with options that a measure still counts and that are no longer offered."""
    if not question.options:
        return question
    gone = [
        key for key in definition.get("members", ()) if key not in {k for k, _label in countable(question)}
    ]
    return replace(question, options=(*question.options, *(Option(key, key) for key in gone)))


def _in_order(ticked: Iterable[str], question: Question) -> list[str]:
    order = [key for key, _label in countable(question)]
    return sorted(ticked, key=lambda key: order.index(key) if key in order else len(order))


def _shown(number: Any) -> str:
    return "" if number is None else f"{number:.15g}" if isinstance(number, float) else str(number)


# --- two editors -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that two people have written differently. `touched`: this person has changed it too."""

    name: str
    label: str
    mine: str
    theirs: str
    touched: bool


def base_of(values: Mapping[str, Any]) -> str:
    """What stood in the fields when a page was drawn, for that page to bring back."""
    return json.dumps({name: _plain(value) for name, value in values.items()})


def differences(form: LenientForm, base: str) -> list[Difference]:
    """Fields where what was typed differs from what is stored now."""
    try:
        before = json.loads(base or "{}")
    except ValueError:
        before = {}
    before = before if isinstance(before, dict) else {}
    found = []
    for name, theirs in form.initial.items():
        mine = form.said(name)
        if _plain(mine) == _plain(theirs):
            continue
        touched = name not in before or before[name] != _plain(mine)
        field = form.fields[name]
        found.append(
            Difference(name, str(field.label), _in_words(mine, field), _in_words(theirs, field), touched)
        )
    return found


def _plain(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str):
        return "\n".join(line.rstrip() for line in value.strip().splitlines())
    if isinstance(value, list | tuple):
        return sorted(str(each) for each in value)
    return value if isinstance(value, bool) else str(value)


def _in_words(value: Any, field: forms.Field) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    names = {str(key): str(label) for key, label in getattr(field, "choices", ())}
    if isinstance(value, list | tuple):
        return ", ".join(names.get(str(each), str(each)) for each in value) or _("nothing")
    return names.get(str(value), str(value)) if value not in (None, "") else _("nothing")
