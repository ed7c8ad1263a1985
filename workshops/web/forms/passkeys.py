"""allauth's forms of a passkey, for which every made-up credential is a wrong one and none an error of ours.

What stands in a credential is parsed by three libraries, and each raises what it likes.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm
from django import forms
from django.core.exceptions import ValidationError
from django.db import Error


class CredentialField(forms.JSONField):
    widget = forms.HiddenInput

    def bound_data(self, data: Any, initial: Any) -> Any:
        """It is of no use twice, so the page does not show it again."""
        return initial

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except RecursionError:  # thousands of brackets
            raise ValidationError(self.error_messages["invalid"]) from None


class AddPasskeyForm(AddWebAuthnForm):
    credential = CredentialField()

    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
        except (ValidationError, Error):
            raise
        except Exception:
            raise get_adapter().validation_error("incorrect_code") from None
        return cleaned


class UsePasskeyForm(AuthenticateWebAuthnForm):
    credential = CredentialField()

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()
        except (ValidationError, Error):
            raise
        except Exception:
            raise get_adapter().validation_error("incorrect_code") from None
