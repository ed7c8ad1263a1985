"""The page for somebody who has to wait: says what happens, keeps what they sent, and tries again by itself.

Made for a flood: no query and no template a request. Drawn once a language, then only what was sent, where to and
when to come back are put in, escaped.
"""

from __future__ import annotations

import random
import re
from functools import lru_cache
from math import ceil

from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.utils.html import escape, format_html_join
from django.utils.translation import get_language
from django.utils.translation import gettext as _

FULL, FAST, GUESSES, AWAY, STAFF = "full", "fast", "guesses", "away", "staff"
STATUS = {FULL: 503, FAST: 429, GUESSES: 429, AWAY: 503, STAFF: 503}
FIELDS_LIMIT = 200  # a form of ours has a few dozen
#: what stands in the drawn page where something is put in
PLACE = re.compile(r"\[\[waiting:(\w+)\]\]")
PLACES = ("action", "method", "fields", "seconds")


def retry_later_page(request: HttpRequest, why: str, seconds: float) -> HttpResponse:
    """`why` is one of the five above; `seconds` from now it is worth another try."""
    is_form = request.method == "POST"
    address = request.get_full_path() if is_form else request.path
    sent = _hidden(request.POST if is_form else request.GET)
    html = text(why, get_language(), "post" if is_form else "get", address, sent, seconds)
    wait = {"Retry-After": str(ceil(seconds))}
    response = HttpResponse(html, status=STATUS[why], headers=wait)
    add_never_cache_headers(response)
    return response


def text(why: str, language: str | None, method: str, address: str, fields: str, seconds: float) -> str:
    """The page itself; `fields` is HTML and goes in as it is."""
    parts = {"action": escape(address), "method": method, "fields": fields, "seconds": str(ceil(seconds))}
    drawn = _drawn(why, language)
    return "".join(parts[piece] if number % 2 else piece for number, piece in enumerate(drawn))


def soon() -> float:
    """Seconds to wait where no queue gives an appointment; not the same for all."""
    return random.uniform(3, 8)


@lru_cache(maxsize=64)
def _drawn(why: str, language: str | None) -> list[str]:
    """The page in pieces: every second one is the name of a place."""
    with translation.override(language):
        return PLACE.split(_page(why))


def _page(why: str) -> str:
    title, words = {
        FULL: (
            _("Many people are coming in"),
            _("We let them in a few at a time, so that it stays quick for everybody inside."),
        ),
        FAST: (_("A short pause"), _("That was more than we can take from one phone at a time.")),
        GUESSES: (
            _("A short pause"),
            _("Many codes that do not exist were typed near you, so we look at each a little more slowly."),
        ),
        AWAY: (
            _("Please wait a moment"),
            _("We cannot reach our records just now. What was saved is safe."),
        ),
        STAFF: (
            _("Many people are at this door"),
            _(
                "We let them in a few at a time, so that running workshops stay quick. What you typed was not kept."
            ),
        ),
    }[why]
    context = {"title": title, "words": words, "keeps": why != STAFF} | {
        place: f"[[waiting:{place}]]" for place in PLACES
    }
    return render_to_string("workshops/phone/waiting.html", context)


def _hidden(sent: QueryDict) -> str:
    """All that was sent, to be sent again. By GET too: there a form replaces the question in its address."""
    pairs = [(name, value) for name, values in sent.lists() for value in values]
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', pairs[:FIELDS_LIMIT])
