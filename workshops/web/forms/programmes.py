"""What people type when they make a programme and change its settings; every sentence stands at its field."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...models import Programme
from ...programmes import colour

FILE_LIMIT = 1024 * 1024  # bytes of a programme file
PACKED_LIMIT = 60_000  # letters; a form's fields may be small only


def _title(**more: Any) -> forms.CharField:
    return forms.CharField(
        max_length=200,
        label=gettext_lazy("Title"),
        error_messages={
            "required": gettext_lazy("Give the programme a title."),
            "max_length": gettext_lazy(
                "A title can have up to %(limit_value)d letters; this has %(show_value)d."
            ),
        },
        **more,
    )


class TitleForm(forms.Form):
    title = _title()


def pack(text: str) -> str:
    """A programme file in a hidden field, so that nothing is stored before somebody says so. Raises `ValueError`."""
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    if len(packed) > PACKED_LIMIT:
        raise ValueError
    return packed


def unpack(packed: str) -> str:
    """Raises `ValueError`."""
    if not packed:
        raise ValueError
    try:
        unpacked = zlib.decompressobj().decompress(base64.b64decode(packed, validate=True), FILE_LIMIT)
        return unpacked.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError) as error:
        raise ValueError from error


class FileForm(forms.Form):
    """A programme file, chosen or pasted; `cleaned_data["source"]` is its text."""

    file = forms.FileField(
        required=False,
        label=gettext_lazy("Programme file"),
        error_messages={"empty": gettext_lazy("This file is empty.")},
    )
    pasted = forms.FileField(required=False, allow_empty_file=True)
    text = forms.CharField(required=False, strip=False, label=gettext_lazy("Or paste it"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "file" in self.errors:
            return cleaned
        sent: UploadedFile | None = cleaned.get("file")
        pasted: UploadedFile | None = cleaned.get("pasted")
        if sent:
            return self._read("file", sent, cleaned)
        if pasted and pasted.size:
            return self._read("text", pasted, cleaned)
        if not cleaned.get("text", "").strip():
            self.add_error("file", _("Choose a file, or paste it below."))
        cleaned["source"] = cleaned.get("text", "")
        return cleaned

    def _read(self, name: str, sent: UploadedFile, cleaned: dict[str, Any]) -> dict[str, Any]:
        try:
            cleaned["source"] = sent.read(FILE_LIMIT + 1).decode("utf-8-sig")
            pack(cleaned["source"])
        except UnicodeDecodeError:
            self.add_error(name, _("This is not a text file in UTF-8. A programme file ends in .toml."))
        except ValueError:
            self.add_error(
                name, _("This file is too large for a page. Whoever runs the server can load it there.")
            )
        return cleaned


def _long(label: Any, hint: Any = "", limit: int = 2000) -> forms.CharField:
    return forms.CharField(
        required=False, max_length=limit, label=label, help_text=hint, widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "max_length": gettext_lazy("This has %(show_value)d letters; up to %(limit_value)d fit here.")
        },
    )  # fmt: skip


def _short(label: Any, limit: int, hint: Any = "") -> forms.CharField:
    return forms.CharField(
        required=False, max_length=limit, label=label, help_text=hint,
        error_messages={
            "max_length": gettext_lazy("This has %(show_value)d letters; up to %(limit_value)d fit here.")
        },
    )  # fmt: skip


class SettingsForm(forms.Form):
    title = _title(help_text=gettext_lazy("People see it on the wall and on their phones."))
    strapline = _short(
        gettext_lazy("In one line"), 300, gettext_lazy("Under the title, on results and the vision.")
    )
    team = _short(gettext_lazy("Team"), 300, gettext_lazy("Who does this, as it is printed."))
    funder = _short(gettext_lazy("Funder"), 200)
    cite = _long(gettext_lazy("How to cite it"))
    contact = _short(
        gettext_lazy("Contact"), 300,
        gettext_lazy("Whom people can ask or write to. It stands on the information sheet."),
    )  # fmt: skip
    keep_months = forms.IntegerField(
        min_value=1, max_value=120,
        label=gettext_lazy("Keep answers for so many months"),
        help_text=gettext_lazy(
            "After a workshop. It stands on the information sheet, and a nightly job keeps to it."
        ),
        error_messages={
            "required": gettext_lazy("Write a number of months, like 24."),
            "invalid": gettext_lazy("Write a whole number, like 24."),
            "min_value": gettext_lazy("Write a number of at least 1."),
            "max_value": gettext_lazy("Write a number of at most 120: that is ten years."),
        },
    )  # fmt: skip
    second_factor = forms.BooleanField(
        required=False,
        label=gettext_lazy("Owners and researchers need a second step when they sign in"),
        help_text=gettext_lazy(
            "A code from their phone or a passkey, beside the password. Who has none yet is led to set one up first."
        ),
    )
    while_waiting = _short(
        gettext_lazy("While people wait"), 300, gettext_lazy("A line on phones before the first question.")
    )
    closing = _long(gettext_lazy("Closing words"), gettext_lazy("On phones and the wall at the end."))
    hue = forms.IntegerField(
        min_value=0, max_value=359,
        label=gettext_lazy("Colour"),
        error_messages={
            "required": gettext_lazy("Choose a colour."),
            "invalid": gettext_lazy("A colour is a number from 0 to 359."),
            "min_value": gettext_lazy("A colour is a number from 0 to 359."),
            "max_value": gettext_lazy("A colour is a number from 0 to 359."),
        },
    )  # fmt: skip

    def clean_hue(self) -> int:
        hue: int = self.cleaned_data["hue"]
        if not colour.is_readable(hue):
            raise forms.ValidationError(_("Not everybody could read text in this colour. Choose another."))
        return hue

    @classmethod
    def of(cls, programme: Programme) -> SettingsForm:
        return cls(initial={name: getattr(programme, name) for name in cls.base_fields})


class SheetForm(forms.Form):
    """The information sheet; consent items are lines of their own (`items`), read by `item_rows`."""

    lead = _long(
        gettext_lazy("First sentence"), gettext_lazy("Who asks, and why. It stands above the sheet."), 20_000
    )
    text = forms.CharField(
        max_length=20_000,
        label=gettext_lazy("Information sheet"),
        help_text=gettext_lazy("An empty line begins a new paragraph."),
        widget=forms.Textarea(attrs={"rows": 16}),
        error_messages={
            "required": gettext_lazy("Write what people should know before they take part."),
            "max_length": gettext_lazy("This has %(show_value)d letters; up to %(limit_value)d fit here."),
        },
    )

    def clean_text(self) -> str:
        return _unix(self.cleaned_data["text"])

    def clean_lead(self) -> str:
        return _unix(self.cleaned_data["lead"])


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
