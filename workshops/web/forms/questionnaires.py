"""When a questionnaire opens and closes, as two days and two times; every sentence stands at the field it is about."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.forms.utils import from_current_timezone
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...actions.authoring.questionnaires import Times
from ...models import Workshop


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        required=False,
        label=label,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": gettext_lazy("We could not read this day. Write it like 26/11/2026.")},
    )


def _time(label: Any) -> forms.TimeField:
    return forms.TimeField(
        required=False,
        label=label,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": gettext_lazy("We could not read this time. Write it like 18:30.")},
    )


class TimesForm(forms.Form):
    """`opens_at` may stay empty: it is opened by hand. `closes_at` is a moment to come.

    `seen` is what the page showed, so that the second of two who change it is told.
    """

    opens_on = _day(gettext_lazy("Opens on"))
    opens_time = _time(gettext_lazy("at what time"))
    closes_on = _day(gettext_lazy("Closes on"))
    closes_time = _time(gettext_lazy("at what time"))
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, workshop: Workshop | None, *args: Any, only_close: bool = False, **kwargs: Any
    ) -> None:
        """`only_close` for one that is open, or opens now."""
        opens, closes = (workshop.opens_at, workshop.closes_at) if workshop else (None, None)
        initial = {"seen": stamp((opens, closes))} | _parts("opens", opens) | _parts("closes", closes)
        super().__init__(*args, **{"initial": initial} | kwargs)
        if only_close:
            del self.fields["opens_on"], self.fields["opens_time"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["opens_at"] = self._moment("opens") if "opens_on" in self.fields else None
        cleaned["closes_at"] = self._moment("closes")
        self._check(cleaned["opens_at"], cleaned["closes_at"])
        return cleaned

    def _moment(self, what: str) -> datetime | None:
        day, at = self.cleaned_data.get(f"{what}_on"), self.cleaned_data.get(f"{what}_time")
        if f"{what}_on" in self.errors or f"{what}_time" in self.errors:
            return None
        if isinstance(day, date) and isinstance(at, time):
            try:
                return from_current_timezone(datetime.combine(day, at))
            except forms.ValidationError:  # some times do not exist in that night, and some exist twice
                self.add_error(f"{what}_time", _("The clocks change in this hour. Choose another time."))
        elif day:
            self.add_error(f"{what}_time", _("Say the time as well."))
        elif at:
            self.add_error(f"{what}_on", _("Say the day as well."))
        return None

    def _check(self, opens_at: datetime | None, closes_at: datetime | None) -> None:
        if self.errors:
            return
        if closes_at is None:
            self.add_error("closes_on", _("Say when it closes, so that people know how long they have."))
        elif closes_at <= timezone.now():
            self.add_error("closes_on", _("This is over. Choose a moment to come."))
        elif opens_at and opens_at >= closes_at:
            self.add_error("closes_on", _("It closes before it opens. Choose a later moment."))

    @property
    def times_seen(self) -> Times | None:
        """What the page showed; `None` where it does not say."""
        return unstamp(self.data.get(self.add_prefix("seen"), ""))


def _parts(what: str, moment: datetime | None) -> dict[str, Any]:
    local = timezone.localtime(moment) if moment else None
    return (
        {f"{what}_on": local.strftime("%Y-%m-%d"), f"{what}_time": local.strftime("%H:%M")} if local else {}
    )


def stamp(times: Times) -> str:
    return "/".join(moment.isoformat() if moment else "" for moment in times)


def unstamp(words: str) -> Times | None:
    opens, slash, closes = words.partition("/")
    try:
        return (_read(opens), _read(closes)) if slash else None
    except ValueError:
        return None


def _read(words: str) -> datetime | None:
    return datetime.fromisoformat(words) if words else None
