"""What is typed about people: an invitation, a change of a role, a new account."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...models import Programme, Role, Workshop
from ...people.invitations import user_with_email

GUEST = "guest"
#: the workshops to which a guest can be invited on one page: the next ones
WORKSHOPS_SHOWN = 50


def to_come(programme: Programme) -> list[Workshop]:
    """Workshops that somebody can still be a guest of, the newest numbers first."""
    found = programme.workshops.filter(removed_at=None).exclude(status=Workshop.Status.ENDED)
    return list(found.order_by("-number")[:WORKSHOPS_SHOWN])


class InviteForm(forms.Form):
    """Whom to invite to what; without an address there will be a link to copy.

    With a `workshop` it invites guests of that one only.
    """

    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        error_messages={
            "required": gettext_lazy("Choose a role."),
            "invalid_choice": gettext_lazy("This role is not on the list. Choose one of these."),
        },
    )
    at = forms.TypedChoiceField(
        required=False,
        coerce=int,
        empty_value=None,
        label=gettext_lazy("Which workshop?"),
        error_messages={
            "invalid_choice": gettext_lazy("This workshop is not on the list. Choose one of these.")
        },
    )
    email = forms.EmailField(
        required=False,
        max_length=254,
        label=gettext_lazy("Email (optional)"),
        help_text=gettext_lazy("We mail the link to this address. Leave it empty for a link to copy."),
        error_messages={
            "invalid": gettext_lazy("This is not an email address yet. It looks like name@place.org.")
        },
    )
    #: the idempotency key: a form that is sent twice invites once
    once = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(
        self, programme: Programme, *args: Any, workshop: Workshop | None = None, **more: Any
    ) -> None:
        more["initial"] = {"role": Role.FACILITATOR, "once": new_once()} | (more.get("initial") or {})
        super().__init__(*args, **more)
        self.programme, self.workshop = programme, workshop
        self.workshops = [] if workshop else to_come(programme)
        if workshop:
            del self.fields["role"], self.fields["at"]
            return
        role, at = self.fields["role"], self.fields["at"]
        assert isinstance(role, forms.ChoiceField)
        assert isinstance(at, forms.ChoiceField)
        role.choices = [
            (Role.FACILITATOR, Role.FACILITATOR.label),
            (Role.RESEARCHER, Role.RESEARCHER.label),
            (GUEST, _("Guest")),
            (Role.OWNER, Role.OWNER.label),
        ]
        at.choices = [(one.pk, workshop_name(one)) for one in self.workshops]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["once"] = cleaned.get("once") or new_once()
        if self.workshop or cleaned.get("role") == GUEST:
            chosen = next((one for one in self.workshops if one.pk == cleaned.get("at")), self.workshop)
            cleaned |= {"role": Role.FACILITATOR, "workshop": chosen}
            if chosen is None and "at" not in self.errors:
                self.add_error("at", _("Choose the workshop that the guest will run."))
        self._check_is_new(cleaned)
        return cleaned

    def _check_is_new(self, cleaned: dict[str, Any]) -> None:
        email, role, workshop = cleaned.get("email"), cleaned.get("role"), cleaned.get("workshop")
        person = user_with_email(email) if email else None
        found = self.programme.memberships.filter(user=person, role=role, workshop=workshop)
        if person and role and found.exists():
            self.add_error("email", _("This person has this role already."))


def new_once() -> str:
    return secrets.token_urlsafe(12)


def workshop_name(workshop: Workshop) -> str:
    return _("Workshop %(number)d: %(title)s") % {"number": workshop.number, "title": workshop.title}


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

    def __init__(self, address: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = address

    def clean_password1(self) -> str:
        password: str = self.cleaned_data["password1"]
        validate_password(password, User(email=self.cleaned_data.get("email", self.address)))
        return password

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, second = cleaned.get("password1"), cleaned.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("The two passwords are not the same."))
        return cleaned


class NewAccountForm(NewPasswordForm):
    """The same with an address of one's own, for a link that names none."""

    email = forms.EmailField(
        max_length=254,
        label=gettext_lazy("Your email"),
        help_text=gettext_lazy("You will sign in with it."),
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
        error_messages={
            "required": gettext_lazy("Write your email address."),
            "invalid": gettext_lazy("This is not an email address yet. It looks like name@place.org."),
        },
    )
    field_order = ("email", "password1", "password2")

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if user_with_email(email):
            raise forms.ValidationError(_("There is an account with this address. Sign in with it below."))
        return email
