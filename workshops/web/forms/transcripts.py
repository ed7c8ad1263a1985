"""What staff type, checked; every sentence stands at the field it is about."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...text.transcripts.worker import SIZE_LIMIT


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
