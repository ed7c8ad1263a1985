"""Prepare a workshop: its agenda as cards with a clock, the one box, what is missing, and the doors.

Every change is a form. With a script the answer is the agenda alone (`_agenda.html`, what stands around it out of
band), without one the page again. What somebody is typing elsewhere on the page is never swapped (`prepare.js`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from polls.models import Instrument
from polls.types import POLL_TYPES, Question

from ...actions import facilitation, log
from ...actions.authoring import agenda
from ...actions.authoring.workshops import CannotChange
from ...actions.stage import GestureRejected
from ...models import AgendaItem, LogEntry, Prompt, Workshop
from ...people import access
from ...programmes import pasted
from ...programmes.in_words import how_answered, step_in_words
from ...programmes.missing import missing_of, unfinished
from ...programmes.pasted import Pasted
from ...programmes.search import search
from ...programmes.timetable import Timed, clock, timetable
from ..readable_input import DIGITS, read_number

MOST_MINUTES = 600
#: options of a question that its small picture can show
IN_A_PICTURE = 6


@dataclass(frozen=True)
class Card:
    """A step of the agenda on the page."""

    step: AgendaItem
    at: str
    after_end: bool
    words: str
    #: what its question lacks
    lacks: list[str]
    #: may it be moved, changed, removed? Then the places for "Move up" and "Move down"; -1 where it cannot go further
    is_open: bool
    up: int = -1
    down: int = -1

    @property
    def question(self) -> Question | None:
        return self.step.poll.question if self.step.poll else None

    @property
    def title(self) -> str:
        """The words that people will see."""
        if self.step.poll:
            return self.step.poll.question.text or self.step.title
        return self.step.prompt.text if self.step.prompt else self.step.title


# --- the page -----------------------------------------------------------------------------------------------------


@login_required
@never_cache
@require_safe
def prepare(request: HttpRequest, code: str) -> HttpResponse:
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    return _page(request, workshop, after=_after(request.GET))


def _page(request: HttpRequest, workshop: Workshop, *, status: int = 200, **said: Any) -> HttpResponse:
    """The whole page; `said` holds what a refused form has to say and what was typed into it."""
    context = _agenda_context(request, workshop) | _box_context(workshop, said.pop("after", None)) | said
    context |= access.page_context(request.user, workshop.programme, workshop)
    context["section"] = "workshops"
    return render(request, "workshops/authoring/prepare.html", context, status=status)


def _agenda_context(request: HttpRequest, workshop: Workshop) -> dict[str, Any]:
    steps = list(workshop.agenda.select_related("poll__version__instrument", "prompt"))
    stage = [step for step in steps if not step.profile]
    table = timetable(workshop.starts_at, workshop.minutes, stage)
    last = workshop.log.first()
    return {
        "workshop": workshop,
        "programme": workshop.programme,
        "about_people": [step for step in steps if step.profile],
        "table": table,
        "cards": _cards(workshop, table.steps),
        "counted": _counted(stage),
        "missing": [] if workshop.has_ended else missing_of(workshop, steps),
        "undoable": log.last_undoable(_user(request), programme=workshop.programme, workshop=workshop),
        "next": reverse("prepare", args=[workshop.code]),
        "saved_at": last.at if last else None,
    }


def _cards(workshop: Workshop, timed: Sequence[Timed]) -> list[Card]:
    first = agenda.first_open(workshop, [one.step for one in timed])
    cards = []
    for place, one in enumerate(timed):
        is_open = agenda.is_open(workshop, one.step)
        cards.append(
            Card(
                step=one.step,
                at=one.at,
                after_end=one.after_end,
                words=step_in_words(one.step),
                lacks=unfinished(one.step),
                is_open=is_open,
                up=place - 1 if is_open and place > first else -1,
                down=place + 1 if is_open and first <= place + 1 < len(timed) else -1,
            )
        )
    return cards


def _counted(stage: Sequence[AgendaItem]) -> str:
    """ "8 questions, 3 breakouts" """
    questions = sum(step.kind == AgendaItem.Kind.POLL for step in stage)
    breakouts = sum(step.kind == AgendaItem.Kind.PROMPT for step in stage)
    parts = [ngettext("%d question", "%d questions", questions) % questions]
    if breakouts:
        parts.append(ngettext("%d breakout", "%d breakouts", breakouts) % breakouts)
    return ", ".join(parts)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


# --- the doors ----------------------------------------------------------------------------------------------------


@login_required
@require_POST
def open_doors(request: HttpRequest, code: str) -> HttpResponse:
    """Check, and start: what is unfinished is said at its card."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    if workshop.is_questionnaire:  # it has doors of its own
        return redirect("console", code=workshop.code)
    try:
        facilitation.start(workshop.pk, _user(request))
    except GestureRejected as refused:
        if not workshop.is_planned:  # pressed twice
            return redirect("console", code=workshop.code)
        return _page(request, workshop, status=422, refused=str(refused))
    return redirect("console", code=workshop.code)


# --- one card -----------------------------------------------------------------------------------------------------


@login_required
@require_POST
def change(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """A button or a field of one card: `do` says which."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    action = _CHANGES.get(request.POST.get("do", ""))
    if action is None:
        raise Http404
    try:
        action(request, workshop, pk)
    except agenda.NotThere:
        return _answer(request, workshop, warning=_("This step is gone: somebody has removed it."))
    except CannotChange as refused:
        return _answer(request, workshop, warning=str(refused))
    except log.Stale:
        return _answer(request, workshop, **_stale(request, workshop, pk))
    except _Wrong as wrong:
        return _answer(
            request, workshop, wrong_at=pk, wrong=str(wrong), typed=request.POST.get("minutes", "")
        )
    if request.POST["do"] == "type":
        return _answer(request, workshop, **_just_added(request, list(workshop.agenda.filter(pk=pk))))
    return _answer(request, workshop)


class _Wrong(Exception):
    """What was typed cannot be stored; the message is one sentence for the field."""


def _move(request: HttpRequest, workshop: Workshop, pk: int) -> None:
    to = _number(request, "to")
    if to is None:
        raise Http404
    agenda.move_step(workshop, _user(request), pk, to, _number(request, "rev"))


def _copy(request: HttpRequest, workshop: Workshop, pk: int) -> None:
    agenda.copy_step(workshop, _user(request), pk)


def _remove(request: HttpRequest, workshop: Workshop, pk: int) -> None:
    agenda.remove_step(workshop, _user(request), pk)


def _minutes(request: HttpRequest, workshop: Workshop, pk: int) -> None:
    minutes = _number(request, "minutes", most=MOST_MINUTES)
    if minutes is None:
        raise _Wrong(_("Write the minutes as a whole number from 0 to %d.") % MOST_MINUTES)
    agenda.change_step(workshop, _user(request), pk, _number(request, "rev"), minutes=minutes)


def _type(request: HttpRequest, workshop: Workshop, pk: int) -> None:
    name = request.POST.get("type", "")
    step = workshop.agenda.filter(pk=pk, poll__isnull=False).first()
    if step is None:
        raise agenda.NotThere
    if name not in POLL_TYPES:
        raise Http404
    said = pasted.one_question(request.POST.get("lines", "")) or [Pasted(step.required_poll.question.text)]
    agenda.change_type(workshop, _user(request), pk, pasted.as_question(said[0], name))


_CHANGES: dict[str, Callable[[HttpRequest, Workshop, int], None]] = {
    "move": _move,
    "copy": _copy,
    "remove": _remove,
    "minutes": _minutes,
    "type": _type,
}


def _number(request: HttpRequest, name: str, most: int = 2**31) -> Any:
    """A whole number of a form's field; `None` where it is none, or too big."""
    digits = request.POST.get(name, "").strip()
    fits = digits.isascii() and digits.isdigit() and len(digits) <= DIGITS and int(digits) <= most
    return int(digits) if fits else None


def _stale(request: HttpRequest, workshop: Workshop, pk: int) -> dict[str, Any]:
    """Somebody else was quicker: what they did, and what was typed here, so that the person can decide."""
    last: LogEntry | None = workshop.log.select_related("by").first()
    who = last.by.email if last and last.by and last.by != request.user else _("Somebody")
    if "minutes" not in request.POST:
        words = _("%(who)s changed the agenda meanwhile. Nothing was moved; look, and move it again.")
        return {"warning": words % {"who": who}}
    now = workshop.agenda.get(pk=pk).minutes
    words = _("%(who)s changed this step meanwhile; it has %(now)d minutes now. Save again to have yours.")
    return {"wrong_at": pk, "wrong": words % {"who": who, "now": now}, "typed": request.POST["minutes"]}


def _answer(request: HttpRequest, workshop: Workshop, **said: Any) -> HttpResponse:
    """The agenda again, or without a script the page."""
    workshop.refresh_from_db()
    if request.htmx:
        context = _agenda_context(request, workshop) | said | {"oob": True}
        context |= access.page_context(request.user, workshop.programme, workshop)
        return render(request, "workshops/authoring/_agenda.html", context)
    if said.get("wrong"):
        return _page(request, workshop, status=422, **said)
    if warning := said.get("warning"):
        messages.warning(request, warning)
    profile = request.POST.get("from") == "about"
    return redirect("prepare-about" if profile else "prepare", code=workshop.code)


# --- the one box --------------------------------------------------------------------------------------------------


def _box_context(workshop: Workshop, after: int | None) -> dict[str, Any]:
    follows = workshop.agenda.filter(pk=after, profile=False).first() if after else None
    return {"follows": follows, "types": POLL_TYPES}


@login_required
@never_cache
@require_safe
def found(request: HttpRequest, code: str) -> HttpResponse:
    """What the box offers for the words typed so far, as a list of options."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    words = request.GET.get("text", "")[:200]
    return render(request, "workshops/authoring/_found.html", _found(request, workshop, words))


def _found(request: HttpRequest, workshop: Workshop, words: str) -> dict[str, Any]:
    hits = search(workshop, words, access.readable_by(request.user))
    starts = {one.step.pk: one.at for one in _timed(workshop)}
    groups: dict[str, list[Any]] = {}
    for hit in hits.others:
        groups.setdefault(hit.programme.title, []).append(hit)
    return {
        "workshop": workshop,
        "text": words,
        "own": [(hit, starts.get(hit.step.pk, "") if hit.step else "") for hit in hits.own],
        "others": list(groups.items()),
        "types": POLL_TYPES,
        "profile": request.GET.get("profile") or request.POST.get("profile"),
    }


def _timed(workshop: Workshop) -> list[Timed]:
    stage = list(workshop.agenda.filter(profile=False))
    return timetable(workshop.starts_at, workshop.minutes, stage).steps


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, code: str) -> HttpResponse:
    """Look at what was typed or pasted, as what it would become; or add it."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    said = request.POST if request.method == "POST" else request.GET
    if request.method == "POST" and said.get("do", "look") != "look":
        return _add(request, workshop)
    return _look(request, workshop, said)


def _look(
    request: HttpRequest, workshop: Workshop, said: QueryDict, *, status: int = 200, wrong: str = ""
) -> HttpResponse:
    text = said.get("text", "")
    questions = _read(said)
    context = _box_context(workshop, _after(said)) | {
        "workshop": workshop,
        "text": text,
        "questions": [_drawn(one, _type_of(one, said)) for one in questions],
        "lines": len(pasted.line_by_line(text)),
        "has_lists": pasted.has_lists(text),
        "as": said.get("as", ""),
        "wrong": wrong,
        "profile": said.get("profile"),
    }
    context |= _place(workshop, context["follows"], questions)
    if request.htmx:
        response = render(request, "workshops/authoring/_becomes.html", context)
        response["HX-Retarget"], response["HX-Reswap"] = "#becomes-place", "innerHTML"
        return response
    context |= _found(request, workshop, text) if len(questions) < 2 else {}
    context |= access.page_context(request.user, workshop.programme, workshop) | {"section": "workshops"}
    return render(request, "workshops/authoring/add.html", context, status=status)


def _read(said: QueryDict) -> list[Pasted]:
    """The questions in the box: read as a person would, or as somebody has asked for (`as`)."""
    readers = {"one": pasted.one_question, "lines": pasted.line_by_line}
    return readers.get(said.get("as", ""), pasted.parse)(said.get("text", ""))


def _type_of(one: Pasted, said: QueryDict) -> str:
    chosen = said.get("type", "")
    return chosen if chosen in POLL_TYPES else pasted.guess_type(one)


def _drawn(one: Pasted, type_name: str) -> dict[str, Any]:
    question = pasted.as_question(one, type_name)
    return {
        "pasted": one,
        "type": type_name,
        "guess": POLL_TYPES[pasted.guess_type(one)].title,
        "question": question,
        "how": how_answered(question),
        "drops": bool(one.options) and not pasted.uses_options(type_name),
    }


def _place(workshop: Workshop, follows: AgendaItem | None, questions: Sequence[Pasted]) -> dict[str, Any]:
    """Where it goes, and what that does to the hour."""
    timed = _timed(workshop)
    minutes = sum(one.minutes or agenda.QUESTION_MINUTES for one in questions)
    total = sum(one.step.minutes for one in timed)
    before = None
    if follows is None and len(timed) > 1 and agenda.closes(workshop, timed[-1].step):
        before = timed[-1].step
    start = total - (before.minutes if before else 0)
    if follows is not None:
        start = next(
            (sum(t.step.minutes for t in timed[: n + 1]) for n, t in enumerate(timed) if t.step == follows),
            start,
        )
    return {
        "goes_before": before,
        "goes_at": clock(workshop.starts_at, start),
        "takes": minutes,
        "over": max(0, total + minutes - workshop.minutes),
        "left": max(0, workshop.minutes - total - minutes),
    }


def _after(said: QueryDict) -> int | None:
    return read_number(said.get("after", "")) or None


def _add(request: HttpRequest, workshop: Workshop) -> HttpResponse:
    said = request.POST
    try:
        items = _ADD.get(said["do"], _add_questions)(request, workshop)
    except _Wrong as wrong:
        return _look(request, workshop, said, status=422, wrong=str(wrong))
    except (CannotChange, agenda.NotThere) as refused:
        words = str(refused) or _("That question or prompt is gone. Search again.")
        return _answer(request, workshop, warning=words)
    return _added(request, workshop, items)


def _add_questions(request: HttpRequest, workshop: Workshop) -> list[AgendaItem]:
    said = request.POST
    read = _read(said)
    if not read:
        raise _Wrong(_("Write a question first, or paste a list."))
    if found := pasted.too_long(read):
        raise _Wrong(_TOO_LONG[found[0]]() % {"start": found[1].text[:40]})
    if known := _asked_already(workshop, read):
        return [agenda.add_known(workshop, _user(request), known, **_where(said))]
    asked = [
        (pasted.as_question(one, _type_of(one, said if len(read) == 1 else QueryDict())), one.minutes)
        for one in read
    ]
    return agenda.add_questions(workshop, _user(request), asked, **_where(said))


_TOO_LONG: dict[str, Callable[[], str]] = {
    "text": lambda: _("“%(start)s…” is longer than the 2,000 letters that a question can have."),
    "label": lambda: _("“%(start)s” has an option of more than 255 letters. Shorten it."),
    "options": lambda: _("“%(start)s” has more than 20 options. Take some away, or add a blank line."),
}


def _asked_already(workshop: Workshop, read: Sequence[Pasted]) -> Instrument | None:
    """The bank's question with the very same words: asking that one lets answers add up."""
    if len(read) != 1 or read[0].options:
        return None
    hits = search(workshop, read[0].text).own
    same = (hit for hit in hits if hit.kind == "question" and hit.step is None)
    ref = next((hit.ref for hit in same if hit.text.casefold() == read[0].text.casefold()), "")
    return Instrument.objects.get(pk=int(ref.partition("-")[2])) if ref else None


def _add_known(request: HttpRequest, workshop: Workshop) -> list[AgendaItem]:
    kind, _dash, digits = request.POST.get("ref", "").partition("-")
    known: Instrument | Prompt | None = None
    if number := read_number(digits):
        programmes = {workshop.programme_id, *(one.pk for one in access.readable_by(request.user))}
        if kind == "question":
            rows = Instrument.objects.filter(bank__programme__in=programmes, removed_at=None)
            known = rows.filter(pk=number).first()
        elif kind == "prompt":
            known = Prompt.objects.filter(programme__in=programmes, removed_at=None, pk=number).first()
    if known is None:
        raise agenda.NotThere
    return [agenda.add_known(workshop, _user(request), known, **_where(request.POST))]


def _add_pause(request: HttpRequest, workshop: Workshop) -> list[AgendaItem]:
    one = _one_line(request)
    return [
        agenda.add_pause(workshop, _user(request), one.text, minutes=one.minutes, after=_after(request.POST))
    ]


def _add_talk(request: HttpRequest, workshop: Workshop) -> list[AgendaItem]:
    one = _one_line(request)
    return [
        agenda.add_talk(workshop, _user(request), one.text, minutes=one.minutes, after=_after(request.POST))
    ]


def _one_line(request: HttpRequest) -> Pasted:
    read = pasted.one_question(request.POST.get("text", ""))
    if not read:
        raise _Wrong(_("Write what it is called first."))
    return read[0]


_ADD: dict[str, Callable[[HttpRequest, Workshop], list[AgendaItem]]] = {
    "known": _add_known,
    "pause": _add_pause,
    "talk": _add_talk,
}


def _where(said: QueryDict) -> dict[str, Any]:
    return {"after": _after(said), "profile": bool(said.get("profile"))}


def _added(request: HttpRequest, workshop: Workshop, items: Sequence[AgendaItem]) -> HttpResponse:
    if not request.htmx:
        if items[0].profile:
            return redirect("prepare-about", code=workshop.code)
        return redirect(f"{reverse('prepare', args=[workshop.code])}#step-{items[-1].pk}")
    response = _answer(request, workshop, **_just_added(request, items))
    # The next one follows it where somebody had chosen a place.
    response["X-Added"] = str(items[-1].pk)
    return response


def _just_added(request: HttpRequest, items: Sequence[AgendaItem]) -> dict[str, Any]:
    """What `_just_added.html` needs; the lines come along, so that another type finds its options again."""
    return {
        "added": items,
        "added_one": items[0] if len(items) == 1 else None,
        "added_lines": request.POST.get("lines") or request.POST.get("text", ""),
        "types": POLL_TYPES,
    }


# --- questions about people -------------------------------------------------------------------------------------------


@login_required
@never_cache
@require_safe
def about_people(request: HttpRequest, code: str) -> HttpResponse:
    """The questions that people answer when they join."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    steps = list(workshop.agenda.filter(profile=True).select_related("poll__version__instrument"))
    timed = [Timed(step, "") for step in steps]
    offered = _offered(workshop, steps) if workshop.is_planned else []
    return access.page(
        request,
        workshop.programme,
        "workshops/authoring/about_people.html",
        section="workshops",
        workshop=workshop,
        cards=_cards(workshop, timed),
        offered=offered,
        undoable=log.last_undoable(_user(request), programme=workshop.programme, workshop=workshop),
    )


def _offered(workshop: Workshop, steps: Sequence[AgendaItem]) -> list[Instrument]:
    """Questions that other workshops or plans of the programme ask at joining, and this one does not."""
    asked = [step.required_poll.version.instrument_id for step in steps]
    programme = workshop.programme
    planned = {key for profile in programme.plans.values_list("profile", flat=True) for key in profile}
    elsewhere = AgendaItem.objects.filter(workshop__programme=programme, profile=True)
    rows = programme.bank.instruments.filter(removed_at=None).exclude(pk__in=asked)
    by_plan = rows.filter(key__in=planned)
    by_workshop = rows.filter(pk__in=elsewhere.values("poll__version__instrument"))
    return list((by_plan | by_workshop).distinct()[:50])
