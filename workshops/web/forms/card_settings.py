"""The settings of a question as fields of its card: one table, read for the form, the page and the way back.

A setting that stands at its default is left out of the question, unless it was written there before: opening a card
and saving it changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from polls.types.base import LABEL_LIMIT
from polls.types.points import BUDGET
from polls.types.statement import RULE

CHOICES = ("single_choice", "multiple_choice")


class Number(forms.CharField):
    """A number as people write it, with a point or a comma; empty: `None`. An int where it is whole."""

    def to_python(self, value: Any) -> Any:
        text = (super().to_python(value) or "").replace(",", ".")
        if not text:
            return None
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise forms.ValidationError(_("Write a number, like 12 or 0.5."), code="invalid") from None
        if not number.is_finite() or abs(number) > 10**12:
            raise forms.ValidationError(_("Write a number, like 12 or 0.5."), code="invalid")
        return int(number) if number == number.to_integral_value() else float(number)


@dataclass(frozen=True, slots=True)
class Setting:
    """One field. `key` is the setting's, with a dot where it is part of one ("rule.agree")."""

    key: str
    types: tuple[str, ...]
    #: flag, whole, number or words
    kind: str
    label: Any
    hint: Any = ""
    #: where the setting is absent
    default: Any = None
    low: int = 0
    high: int = 1_000_000

    @property
    def name(self) -> str:
        """Of the field; two types may have settings of one key."""
        return f"{self.types[0]}-{self.key}".replace(".", "-").replace("_", "-") if self.types else self.key

    def field(self) -> forms.Field:
        if self.kind == "flag":
            return forms.BooleanField(required=False, label=self.label)
        if self.kind == "whole":
            whole, less = (
                gettext_lazy("Write a whole number, like 3."),
                gettext_lazy("Write up to %(limit_value)d."),
            )
            return forms.IntegerField(
                required=False, label=self.label, min_value=self.low, max_value=self.high,
                error_messages={"invalid": whole, "min_value": whole, "max_value": less},
            )  # fmt: skip
        if self.kind == "number":
            return Number(required=False, label=self.label)
        return forms.CharField(
            required=False, label=self.label, max_length=LABEL_LIMIT,
            error_messages={"max_length": gettext_lazy("This can have up to %(limit_value)d letters.")},
        )  # fmt: skip

    def read(self, settings: Mapping[str, Any]) -> Any:
        """The field's value for these settings."""
        value: Any = settings
        for part in self.key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is None:
            return self.default
        return value if self.kind == "flag" or not isinstance(value, float) else f"{value:.15g}"

    def write(self, settings: dict[str, Any], old: Mapping[str, Any], value: Any) -> None:
        """Put the field's value where it belongs; `old` are the settings of before."""
        top, _dot, part = self.key.partition(".")
        if value in (None, ""):
            value = self.default if part else None
        if part:
            settings[top] = {**settings.get(top, {}), part: value}
            return
        settings.pop(top, None)
        if value is not None and (value != self.default or top in old):
            settings[top] = value


def _label(key: str, types: tuple[str, ...], label: Any, hint: Any = "") -> Setting:
    return Setting(key, types, "words", label, hint)


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "other",
        ("single_choice",),
        "flag",
        gettext_lazy("Offer “Other”, in people’s own words"),
        default=False,
    ),
    Setting(
        "min",
        ("multiple_choice",),
        "whole",
        gettext_lazy("Choose at least"),
        gettext_lazy("Empty: one"),
        low=1,
    ),
    Setting(
        "max",
        ("multiple_choice",),
        "whole",
        gettext_lazy("Choose at most"),
        gettext_lazy("Empty: as many as they like"),
        low=1,
    ),
    Setting(
        "top",
        ("ranking",),
        "whole",
        gettext_lazy("How many places"),
        gettext_lazy("Empty: all of them"),
        low=1,
    ),
    Setting("exact", ("ranking",), "flag", gettext_lazy("Every place must be filled"), default=False),
    Setting(
        "max_entries",
        ("words",),
        "whole",
        gettext_lazy("How many words or phrases each"),
        gettext_lazy("1 to 5. Empty: 3"),
        low=1,
    ),
    Setting(
        "max_length", ("words",), "whole", gettext_lazy("Letters in each"), gettext_lazy("Up to 40"), low=1
    ),
    Setting(
        "max_length",
        ("open_text",),
        "whole",
        gettext_lazy("Letters in an answer"),
        gettext_lazy("Up to 1,000"),
        low=1,
    ),
    Setting("min", ("number",), "number", gettext_lazy("Lowest")),
    Setting("max", ("number",), "number", gettext_lazy("Highest")),
    Setting("step", ("number",), "number", gettext_lazy("In steps of"), gettext_lazy("Empty: 1")),
    _label("unit", ("number",), gettext_lazy("Unit"), gettext_lazy("Like “babies” or “minutes”")),
    Setting("check_below", ("number",), "number", gettext_lazy("Ask “Are you sure?” below")),
    Setting("check_above", ("number",), "number", gettext_lazy("Ask “Are you sure?” above")),
    _label(
        "none_label",
        ("number",),
        gettext_lazy("Answer for “there is none”"),
        gettext_lazy("Like “No baby room”. Empty: not offered"),
    ),
    Setting("budget", ("points",), "whole", gettext_lazy("Points to share"), default=BUDGET, low=2),
    Setting(
        "rule.agree",
        ("statement",),
        "whole",
        gettext_lazy("We agree when so many in 100 agree"),
        gettext_lazy("50 to 100, in steps of 5"),
        default=RULE["agree"],
    ),
    Setting(
        "rule.disagree",
        ("statement",),
        "whole",
        gettext_lazy("and no more than so many disagree"),
        gettext_lazy("0 to 50"),
        default=RULE["disagree"],
    ),
    Setting("ordinal", (*CHOICES, "scale"), "flag", gettext_lazy("They go from less to more"), default=False),
    Setting(
        "shuffle",
        (*CHOICES, "ranking", "points"),
        "flag",
        gettext_lazy("Each person sees them in an order of their own"),
        default=False,
    ),
    Setting(
        "check",
        ("words", "open_text"),
        "flag",
        gettext_lazy("Somebody reads the words before the wall shows them"),
        default=True,
    ),
)

#: of every type
CHANGE = Setting(
    "change", (), "flag", gettext_lazy("People can change their answer while it is open"), default=True
)
ALLOW_PASS = Setting(
    "allow_pass", (), "flag",
    gettext_lazy("Offer a way to pass. It is counted, but kept out of the percentage."), default=True,
)  # fmt: skip
PASS_LABEL = _label(
    "pass_label", (), gettext_lazy("What it is called"), gettext_lazy("Like “Not sure”. Empty: “Pass”")
)
#: of a question; a step of an agenda has its own
REVEAL = Setting("reveal", (), "words", gettext_lazy("When people see the answers"), default="after_close")
EVERYWHERE = (ALLOW_PASS, PASS_LABEL, CHANGE)


def fields() -> dict[str, forms.Field]:
    return {setting.name: setting.field() for setting in (*SETTINGS, *EVERYWHERE)}
