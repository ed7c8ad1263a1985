"""What staff type about workshops to come: their facts, a copy's day, a series; every sentence stands at its field."""

from __future__ import annotations

from datetime import date as Day
from datetime import datetime, timedelta
from datetime import time as Time
from typing import Any

from django import forms
from django.forms.utils import from_current_timezone
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...actions.authoring.workshops import SERIES_LIMIT
from ...models import Mode, Plan, Programme, Workshop

UNREADABLE_DAY = gettext_lazy("We could not read this day. Write it like 26/11/2026.")
UNREADABLE_TIME = gettext_lazy("We could not read this time. Write it like 18:30.")


def moment(day: Day | None, start: Time | None) -> datetime | None:
    """In the night when clocks change, some times do not exist and some exist twice: raises `ValidationError`."""
    if day is None or start is None:
        return None
    try:
        return from_current_timezone(datetime.combine(day, start))
    except forms.ValidationError:
        raise forms.ValidationError(_("The clocks change in this hour. Choose another start.")) from None


def day_field() -> forms.DateField:
    return forms.DateField(
        required=False,
        label=gettext_lazy("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": UNREADABLE_DAY},
    )


def start_field() -> forms.TimeField:
    return forms.TimeField(
        required=False,
        label=gettext_lazy("Start"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": UNREADABLE_TIME},
    )


def _whole_number(label: Any, most: int, too_many: Any, **more: Any) -> forms.IntegerField:
    return forms.IntegerField(
        min_value=1,
        max_value=most,
        label=label,
        error_messages={
            "required": gettext_lazy("Write a whole number, like 24."),
            "invalid": gettext_lazy("Write a whole number, like 24."),
            "min_value": gettext_lazy("Write a number of at least 1."),
            "max_value": too_many,
        },
        **more,
    )


def _words(label: Any, length: int, help_text: Any = "", **more: Any) -> forms.CharField:
    return forms.CharField(
        required=False,
        max_length=length,
        label=label,
        help_text=help_text,
        error_messages={
            "max_length": gettext_lazy("This has %(show_value)d letters; up to %(limit_value)d fit here."),
        },
        **more,
    )


def _observers() -> forms.BooleanField:
    return forms.BooleanField(
        required=False,
        label=gettext_lazy("People may listen without being counted"),
        help_text=gettext_lazy(
            "They read questions, results and the groups’ notes, possible names taken out. Everybody sees how many "
            "listen, and the information sheet says so."
        ),
    )


class MomentForm(forms.Form):
    """Day and start; both or none. `cleaned_data["starts_at"]`."""

    date = day_field()
    time = start_field()
    #: a day that stands there already may be over
    known_day: Day | None = None

    def clean_date(self) -> Day | None:
        day: Day | None = self.cleaned_data["date"]
        if day and day < timezone.localdate() and day != self.known_day:
            raise forms.ValidationError(_("This day is over. Choose today or a day to come."))
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        day, start = cleaned.get("date"), cleaned.get("time")
        if day and not start and "time" not in self.errors:
            self.add_error("time", _("Say when it starts, or leave the day empty too."))
        if start and not day and "date" not in self.errors:
            self.add_error("date", _("Say on which day, or leave the start empty too."))
        try:
            cleaned["starts_at"] = moment(day, start)
        except forms.ValidationError as clocks:
            self.add_error("time", clocks)
        return cleaned


class FactsFields(MomentForm):
    """What can be said of one workshop, and of all of a series."""

    title = forms.CharField(
        max_length=200,
        label=gettext_lazy("Title"),
        help_text=gettext_lazy("People see it on the wall and on their phones."),
        error_messages={
            "required": gettext_lazy("Give the workshop a title."),
            "max_length": gettext_lazy(
                "A title can have up to %(limit_value)d letters; this has %(show_value)d."
            ),
        },
    )
    place = _words(gettext_lazy("Where"), 200)
    region = _words(gettext_lazy("Region"), 100)
    intended_for = _words(gettext_lazy("Who it is for"), 200)
    expected = _whole_number(
        gettext_lazy("How many people do you expect?"),
        10_000,
        gettext_lazy("A workshop can have up to 10,000 people."),
        required=False,
    )

    field_order = ("title", "date", "time", "place", "region", "intended_for", "expected")


class FactsForm(FactsFields):
    """The facts of a workshop. Once its doors have opened, its day, start, length and number are history."""

    minutes = _whole_number(
        gettext_lazy("Length in minutes"), 600, gettext_lazy("A workshop can have up to 600 minutes.")
    )
    number = _whole_number(
        gettext_lazy("Number in the series"), 100_000, gettext_lazy("This number is too high.")
    )
    #: switched off while it runs, it ends the screens of those who listen
    observers = _observers()
    #: `facts.fingerprint` of what the page showed
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, workshop: Workshop, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workshop = workshop
        if workshop.starts_at:
            self.known_day = timezone.localtime(workshop.starts_at).date()
        if not workshop.is_planned:
            for name in ("date", "time", "minutes", "number"):
                del self.fields[name]
        elif workshop.is_questionnaire:  # its own console has when it opens and closes
            del self.fields["date"], self.fields["time"]

    def clean_number(self) -> int:
        number: int = self.cleaned_data["number"]
        others = self.workshop.programme.workshops.exclude(pk=self.workshop.pk)
        other = others.filter(number=number).first()
        if other and other.removed_at:
            raise forms.ValidationError(_("A removed workshop still has this number. Choose another."))
        if other:
            raise forms.ValidationError(
                _("“%(title)s” has this number already. Choose another.") % {"title": other.title}
            )
        return number

    @property
    def values(self) -> dict[str, Any]:
        """Columns of the workshop, without those that this form does not ask."""
        columns = set(self.fields) - {"date", "time", "seen"}
        if "date" in self.fields:
            columns.add("starts_at")
        return {name: self.cleaned_data[name] for name in columns}


class CopyForm(MomentForm):
    """The day of a copy."""


def typed(starts_at: datetime | None) -> dict[str, str]:
    """A moment as the fields of day and start would be typed; empty without one."""
    if starts_at is None:
        return {}
    local = timezone.localtime(starts_at)
    return {"date": local.date().isoformat(), "time": f"{local:%H:%M}"}


def a_week_later(source: Workshop) -> dict[str, str]:
    """Day and start of a copy as a first guess: the same weekday and hour, the first time that is still to come."""
    began = source.starts_at or source.started_at
    if began is None:
        return {}
    local = timezone.localtime(began)
    weeks = max(1, -(-(timezone.localdate() - local.date()).days // 7))
    day = local.date() + timedelta(weeks=weeks)
    if day == timezone.localdate() and local.time() <= timezone.localtime().time():
        day += timedelta(weeks=1)
    return {"date": day.isoformat(), "time": f"{local:%H:%M}"}


# --- planning -------------------------------------------------------------------------------------------------------

#: how people take part
WAYS = (
    (Mode.LIVE, gettext_lazy("Together, live")),
    (Mode.QUESTIONNAIRE, gettext_lazy("Each on their own, by an open link")),
)

#: weeks between two workshops of a series
EVERY = (
    ("1", gettext_lazy("every week")),
    ("2", gettext_lazy("every two weeks")),
    ("4", gettext_lazy("every four weeks")),
)


class PlanForm(FactsFields):
    """Workshops to come: from which plan, called what, when, how many and how often, for how many people."""

    plan = forms.ModelChoiceField(
        Plan.objects.none(),
        required=False,  # none: an empty agenda
        label=gettext_lazy("Which plan?"),
        error_messages={
            "invalid_choice": gettext_lazy("This plan is not in the programme. Choose one of these."),
        },
    )
    many = _whole_number(
        gettext_lazy("How many workshops?"), SERIES_LIMIT,
        gettext_lazy("Up to %(limit_value)d workshops can be planned at once."), initial=1, required=False,
    )  # fmt: skip
    every = forms.ChoiceField(
        choices=EVERY,
        initial="1",
        required=False,
        label=gettext_lazy("How often?"),
        error_messages={"invalid_choice": gettext_lazy("Choose how often they meet.")},
    )

    #: empty: as the plan says
    mode = forms.ChoiceField(
        choices=[("", gettext_lazy("As the plan says")), *WAYS],
        required=False,
        label=gettext_lazy("How do people take part?"),
        error_messages={"invalid_choice": gettext_lazy("Choose how people take part.")},
    )

    def __init__(self, programme: Programme, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        which: Any = self.fields["plan"]
        which.queryset = programme.plans.filter(removed_at=None)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        cleaned["many"] = cleaned.get("many") or 1
        return cleaned

    @property
    def said(self) -> dict[str, Any]:
        """Columns of every workshop of the series."""
        asked = (
            "title",
            "place",
            "region",
            "intended_for",
            "expected",
            *(["mode"] if self.cleaned_data["mode"] else []),
        )
        return {name: self.cleaned_data[name] for name in asked}


def dates_apart(day: Day | None, many: int, weeks: int) -> list[str]:
    """The days of a series, `weeks` apart, as they would be typed; empty texts without a first day."""
    return [(day + timedelta(weeks=weeks * place)).isoformat() if day else "" for place in range(many)]


# --- plans ----------------------------------------------------------------------------------------------------------


class PlanFactsForm(forms.Form):
    title = forms.CharField(
        max_length=200,
        label=gettext_lazy("Title"),
        error_messages={
            "required": gettext_lazy("Give the plan a title."),
            "max_length": gettext_lazy(
                "A title can have up to %(limit_value)d letters; this has %(show_value)d."
            ),
        },
    )
    minutes = _whole_number(
        gettext_lazy("Length in minutes"), 600, gettext_lazy("A workshop can have up to 600 minutes.")
    )
    mode = forms.ChoiceField(
        choices=WAYS,
        initial=Mode.LIVE,
        required=False,
        label=gettext_lazy("How do people take part?"),
        error_messages={"invalid_choice": gettext_lazy("Choose how people take part.")},
    )
    observers = _observers()

    @property
    def values(self) -> dict[str, Any]:
        """Columns of the plan that were said."""
        return {name: value for name, value in self.cleaned_data.items() if value or name == "observers"}


class StepForm(forms.Form):
    """A step of a plan. An empty title means the question's own."""

    title = _words(gettext_lazy("Title"), 200)
    minutes = forms.IntegerField(
        min_value=0,
        max_value=600,
        label=gettext_lazy("Minutes"),
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"),
            gettext_lazy("Write the minutes as a whole number from 0 to 600."),
        ),
    )
    notes = _words(
        gettext_lazy("Notes for the people who run it"), 2000, gettext_lazy("On no other screen."),
        widget=forms.Textarea,
    )  # fmt: skip
