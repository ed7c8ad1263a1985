"""What a step of an agenda is, in a few words for the people who prepare it."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from polls.lifecycle import Reveal
from polls.models import Poll
from polls.types import POLL_TYPES, Question

from ..models import AgendaItem


def step_in_words(step: AgendaItem) -> str:
    """ "Choose one of 7, or not sure. Answers show when you say"; empty for a pause."""
    if step.poll:
        return f"{how_answered(step.poll.question)}. {when_shown(step.poll)}"
    if step.prompt:
        things = 1 + len(step.prompt.probes)
        return (
            ngettext("Breakout, %d thing to talk about", "Breakout, %d things to talk about", things) % things
        )
    return ""


def how_answered(question: Question) -> str:
    """ "Choose one of 7, or not sure"."""
    describe = _HOW.get(question.type)
    words = describe(question) if describe else str(POLL_TYPES[question.type].title)
    aside = str(question.settings.get("pass_label") or "")
    if aside and question.settings.get("allow_pass", True) and question.type != "statement":
        words = _("%(how)s, or %(aside)s") % {"how": words, "aside": aside[:1].lower() + aside[1:]}
    return words


def when_shown(poll: Poll) -> str:
    if poll.poll_type.has_texts and poll.reveal != Reveal.NEVER and not poll.shows_words_at_once:
        return _("You check them before they show")
    return {
        Reveal.AFTER_CLOSE: _("Answers show when you say"),
        Reveal.AFTER_VOTE: _("Answers show to those who have answered"),
        Reveal.LIVE: _("Answers show at once"),
    }.get(Reveal(poll.reveal), _("Answers are not shown"))


def _choose_one(question: Question) -> str:
    words = _("Choose one of %d") % len(question.options) if question.options else _("Choose one")
    return _("%s or in own words") % words if question.settings.get("other") else words


def _choose_any(question: Question) -> str:
    options, limit = len(question.options), question.settings.get("max", 0)
    if 0 < limit < options:
        return _("Choose up to %(limit)d of %(options)d") % {"limit": limit, "options": options}
    return _("Choose any of %d") % options if options else _("Choose any")


def _scale(question: Question) -> str:
    points = question.settings.get("points") or []
    number = points if isinstance(points, int) else len(points)
    lines = len(question.settings.get("items", ()))
    words = _("Scale of %d") % number if number else _("Scale")
    return ngettext("%(scale)s, for %(n)d line", "%(scale)s, for %(n)d lines", lines) % {
        "scale": words, "n": lines,
    } if lines else words  # fmt: skip


def _rank(question: Question) -> str:
    options, top = len(question.options), question.settings.get("top", 0)
    if 0 < top < options:
        return _("Rank %(top)d of %(options)d") % {"top": top, "options": options}
    return _("Rank all %d") % options if options else _("Rank")


def _words(question: Question) -> str:
    entries = question.settings.get("max_entries", 3)
    return ngettext("One word or short phrase", "Words, up to %d each", entries) % (
        () if entries == 1 else entries
    )


def _own_words(question: Question) -> str:
    limit = question.settings.get("max_length")
    return _("Own words, up to %d letters") % limit if limit else _("Own words")


def _number(question: Question) -> str:
    unit = question.settings.get("unit")
    return _("A number, in %s") % unit if unit else _("A number")


def _points(question: Question) -> str:
    return _("Share %(points)d points between %(options)d") % {
        "points": question.settings.get("budget", 100),
        "options": len(question.options),
    }


def _statement(question: Question) -> str:
    return _("Agree, can live with it, or disagree")


_HOW: dict[str, Callable[[Question], str]] = {
    "single_choice": _choose_one,
    "multiple_choice": _choose_any,
    "scale": _scale,
    "ranking": _rank,
    "words": _words,
    "open_text": _own_words,
    "number": _number,
    "points": _points,
    "statement": _statement,
}
