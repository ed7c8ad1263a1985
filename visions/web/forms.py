"""Forms of the summary composer. Every error is one sentence at its field, and the form keeps what was typed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workshops.models import Domain, Programme

from ..models import STATEMENT_LENGTH, EvidenceLink, Statement, Summary

TOO_LONG = _("This has %(show_value)d letters; up to %(limit_value)d fit here.")


def _limit(field: forms.Field, empty: Any) -> None:
    field.error_messages |= {"max_length": TOO_LONG, "required": empty}
    for validator in field.validators:
        if isinstance(validator, forms.fields.validators.MaxLengthValidator):
            validator.message = TOO_LONG


class SummaryForm(forms.ModelForm):
    """Title, lead and opening of a summary."""

    class Meta:
        model = Summary
        fields = ["title", "lead", "opening"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.fields:
            _limit(self.fields[name], _("Write a title first."))


class StatementForm(forms.ModelForm):
    """A sentence of the vision, its domain and its rationale."""

    class Meta:
        model = Statement
        fields = ["domain", "text", "why"]

    def __init__(self, programme: Programme, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        domain = self.fields["domain"]
        assert isinstance(domain, forms.ModelChoiceField)
        domain.queryset = Domain.objects.filter(programme=programme)
        domain.empty_label = None
        domain.error_messages |= {
            "required": _("Choose a part of the vision."),
            "invalid_choice": _("Choose a part of this vision."),
        }
        _limit(self.fields["text"], _("Write a statement first."))
        _limit(self.fields["why"], "")

    @property
    def left(self) -> int:
        """Characters left for the statement."""
        return STATEMENT_LENGTH - len(self["text"].value() or "")


class EvidenceForm(forms.Form):
    """A figure as `instrument|kind:key`, and its relation to the statement."""

    figure = forms.CharField(max_length=300, error_messages={"required": _("Choose a figure first.")})
    relation = forms.ChoiceField(
        choices=EvidenceLink.Relation.choices,
        error_messages={"required": _("Say how the figure stands to the statement."),
                        "invalid_choice": _("Say how the figure stands to the statement.")},
    )  # fmt: skip
    caption = forms.CharField(max_length=200, required=False)
    note = forms.CharField(max_length=300, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("caption", "note"):
            _limit(self.fields[name], "")

    @property
    def parts(self) -> tuple[str, str, str]:
        """Instrument key, kind and key of the chosen figure; empty strings where it cannot be parsed."""
        instrument, _bar, figure = self.cleaned_data["figure"].partition("|")
        kind, _colon, key = figure.partition(":")
        return instrument, kind, key


class KeepForm(forms.Form):
    """The reason for keeping a stale figure."""

    because = forms.CharField(
        max_length=300, error_messages={"required": _("Say why the linked figure stands.")}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _limit(self.fields["because"], _("Say why the linked figure stands."))


class WithdrawForm(forms.Form):
    """Why a version is withdrawn; with words, these are taken out of every version instead."""

    because = forms.CharField(
        max_length=300,
        label=_("Why?"),
        help_text=_(
            "Stands on the page that is left, for everybody who has the address. Do not repeat the words."
        ),
    )
    words = forms.CharField(
        required=False,
        max_length=300,
        label=_("Only these words"),
        help_text=_(
            "A name or a sentence as it stands there. It is taken out of every version and of the draft, and the "
            "newest version gets a successor without it. Leave this empty to withdraw the whole version."
        ),
    )

    #: offered where there are any
    gone = forms.BooleanField(
        required=False, label=_("Only the passages that were flagged, hidden or taken back since")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _limit(self.fields["because"], _("Say why it is withdrawn."))
        _limit(self.fields["words"], "")
