"""What staff type, checked; every sentence stands at the field it is about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.forms.utils import from_current_timezone
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .accounts import person_with
from .models import Plan, Programme, Role
from .pseudonyms import SIZE_LIMIT


class PlanForm(forms.Form):
    """A workshop to come: from which plan, called what, when, for how many."""

    plan = forms.ModelChoiceField(
        Plan.objects.none(),
        label=gettext_lazy("Which plan?"),
        error_messages={
            "required": gettext_lazy("Choose a plan."),
            "invalid_choice": gettext_lazy("This plan is not in the programme. Choose one of these."),
        },
    )
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
    date = forms.DateField(
        required=False,
        label=gettext_lazy("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": gettext_lazy("We could not read this day. Write it like 26/11/2026.")},
    )
    time = forms.TimeField(
        required=False,
        label=gettext_lazy("Start"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": gettext_lazy("We could not read this time. Write it like 18:30.")},
    )
    expected = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=10_000,
        label=gettext_lazy("How many people do you expect?"),
        error_messages={
            "invalid": gettext_lazy("Write a whole number, like 24."),
            "min_value": gettext_lazy("Write a number of at least 1, or leave it empty."),
            "max_value": gettext_lazy("A workshop can have up to 10,000 people."),
        },
    )

    def __init__(self, programme: Programme, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].queryset = programme.plans.all()

    def clean_date(self) -> Any:
        day = self.cleaned_data["date"]
        if day and day < timezone.localdate():
            raise forms.ValidationError(_("This day is over. Choose today or a day to come."))
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        day, time = cleaned.get("date"), cleaned.get("time")
        if day and not time and "time" not in self.errors:
            self.add_error("time", _("Say when it starts, or leave the day empty too."))
        if time and not day and "date" not in self.errors:
            self.add_error("date", _("Say on which day, or leave the start empty too."))
        cleaned["starts_at"] = self._moment(day, time) if day and time else None
        return cleaned

    def _moment(self, day: Any, time: Any) -> datetime | None:
        """In the night when clocks change, some times do not exist and some exist twice."""
        try:
            return from_current_timezone(datetime.combine(day, time))
        except forms.ValidationError:
            self.add_error("time", _("The clocks change in this hour. Choose another start."))
            return None


class InviteForm(forms.Form):
    email = forms.EmailField(
        max_length=254,
        label=gettext_lazy("Email"),
        error_messages={
            "required": gettext_lazy("Write the email address of the person you invite."),
            "invalid": gettext_lazy("This is not an email address yet. It looks like name@place.org."),
        },
    )
    role = forms.ChoiceField(
        choices=Role.choices,
        initial=Role.FACILITATOR,
        label=gettext_lazy("Role"),
        error_messages={
            "required": gettext_lazy("Choose a role."),
            "invalid_choice": gettext_lazy("This role is not on the list. Choose one of these."),
        },
    )

    def __init__(self, programme: Programme, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.programme = programme

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        email, role = cleaned.get("email"), cleaned.get("role")
        person = person_with(email) if email else None
        if person and role and self.programme.memberships.filter(user=person, role=role).exists():
            self.add_error("email", _("This person has this role already."))
        return cleaned


class NewPasswordForm(forms.Form):
    """A password for an account to be made, typed twice."""

    password1 = forms.CharField(
        strip=False,
        max_length=1000,
        label=gettext_lazy("Choose a password"),
        help_text=gettext_lazy(
            "At least 12 letters, numbers or signs. Three or four words in a row work well."
        ),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": gettext_lazy("Choose a password.")},
    )
    password2 = forms.CharField(
        strip=False,
        max_length=1000,
        label=gettext_lazy("The same password again"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": gettext_lazy("Type the same password again.")},
    )

    def __init__(self, email: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password1(self) -> str:
        password: str = self.cleaned_data["password1"]
        validate_password(password, User(email=self.email))
        return password

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, second = cleaned.get("password1"), cleaned.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("The two passwords are not the same."))
        return cleaned


class TranscriptForm(forms.Form):
    """What was said in a group: a file, or the words themselves.

    A script sends pasted words as a file (`pasted`), because fields may be small only. `too_large`: files were sent
    that nobody read, since they were larger than what is kept in memory.
    """

    file = forms.FileField(
        required=False,
        label=gettext_lazy("File"),
        error_messages={"empty": gettext_lazy("This file is empty.")},
    )
    pasted = forms.FileField(required=False, allow_empty_file=True)
    text = forms.CharField(required=False, strip=False, label=gettext_lazy("Or paste the words"))
    facilitators = forms.CharField(
        required=False,
        max_length=500,
        label=gettext_lazy("Names of those who led the talk"),
        help_text=gettext_lazy(
            "As they stand in the transcript, with commas between. They become “Facilitator” and are not kept. "
            "You can leave this empty."
        ),
        error_messages={
            "max_length": gettext_lazy("This has %(show_value)d letters; up to %(limit_value)d fit here.")
        },
    )

    def __init__(self, *args: Any, too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.too_large = too_large
        self.typed = ""

    def clean_facilitators(self) -> list[str]:
        return [name.strip() for name in self.cleaned_data["facilitators"].split(",") if name.strip()]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "file" in self.errors:
            return cleaned
        file, pasted = cleaned.get("file"), cleaned.get("pasted")
        words = pasted.read(SIZE_LIMIT + 1) if pasted else cleaned.get("text", "").encode("utf-8", "replace")
        self.typed = words.decode("utf-8", "replace")
        if self.too_large:
            limit = {"limit": SIZE_LIMIT // 1024**2}
            self.add_error("file", _("The file is larger than %(limit)d MB.") % limit)
        elif file and words.strip():
            self.add_error("text", _("Choose a file or paste the words, not both."))
        elif file:
            cleaned["source"] = file.read(SIZE_LIMIT + 1)
        elif words.strip():
            cleaned["source"] = words
        else:
            self.add_error("file", _("Choose a file, or paste the words below."))
        return cleaned
