"""The form of a picture: a file, and the picture in words."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...programmes import picture_encoding
from ...programmes.picture_encoding import Encoded, NotAPicture
from ..picture_cards import PictureCard


class PictureForm(forms.Form):
    """`cleaned_data["picture"]` is `Encoded`, or `None` where the present picture stays."""

    largest = picture_encoding.UPLOAD_LIMIT
    picture = forms.FileField(required=False, max_length=None)
    alt = forms.CharField(
        max_length=300,
        error_messages={
            "required": gettext_lazy("Say in words what the picture shows, for people who cannot see it.")
        },
    )

    def __init__(self, card: PictureCard, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, initial={"alt": card.alt})
        self.card = card

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        upload = said.get("picture")
        if upload is None and "picture" not in self.errors and not self.card.image:
            self.add_error("picture", _("Choose a picture."))
        # words first: a file that has to be chosen again need not be read
        if upload is not None and not self.errors:
            said["picture"] = self._encoded(upload.read())
        return said

    def _encoded(self, data: bytes) -> Encoded | None:
        try:
            return picture_encoding.encode(data)
        except NotAPicture as why:
            self.add_error("picture", str(why))
            return None
