"""Links from staff pages to a programme's pages of other apps, which register them: no address of theirs is here."""

from __future__ import annotations

from django.urls import reverse

_url_names: dict[str, str] = {}


def register(page: str, url_name: str) -> None:
    """`url_name` leads to this page of a programme; reversed with the programme's key and what `link` is given."""
    _url_names[page] = url_name


def link(page: str, key: str, *more: str) -> str:
    """The address of this page of the programme with this key; empty where no app has registered one.

    `more` names what of the programme it is about, as the key of a question.
    """
    return reverse(_url_names[page], args=[key, *more]) if page in _url_names else ""
