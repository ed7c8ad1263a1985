"""Plans of a programme: the list, one plan's agenda, and the planned workshops that may follow a change of it.

Every change is a form of its own; the page comes back with the step in place (by htmx without a reload). A step is
named by what it asks, so that a form finds it again after others have moved it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Prefetch, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from polls.models import Instrument
from polls.types import POLL_TYPES, Question

from ...actions import log
from ...actions.authoring import plans
from ...actions.authoring.plans import CannotAdd
from ...models import AgendaItem, Plan, Prompt, Workshop
from ...people import access
from ...programmes import pasted, plan_edits, planning
from ...programmes.in_words import how_answered
from ...programmes.planning import Entry, PlanIncomplete
from ...programmes.search import Found, search
from ..forms.workshops import PlanFactsForm, StepForm
from ..moments import when
from ..readable_input import read_number

#: the form of a step stands on the same page
PLAN_IDS = "plan_%s"

# --- the list -------------------------------------------------------------------------------------------------------


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def plan_list(request: HttpRequest, key: str) -> HttpResponse:
    """Every plan of a programme; a new one by its title."""
    programme = access.programme_for(request.user, key, *access.RUNNERS)
    form = PlanFactsForm(request.POST if request.method == "POST" else None, initial={"minutes": 60})
    if request.method == "POST" and form.is_valid():
        made = plans.add_plan(programme, _user(request), **form.values)
        return redirect("plan-edit", programme.key, made.key)
    made_from = Count("workshops", filter=Q(workshops__removed_at=None))
    rows = programme.plans.filter(removed_at=None).annotate(made=made_from)
    return access.page(
        request, programme, "workshops/authoring/plans.html",
        section="plans", form=form, plans=[(one, _holds(one)) for one in rows],
        undoable=log.last_undoable(_user(request), programme=programme),
    )  # fmt: skip


def _holds(plan: Plan) -> dict[str, int]:
    kinds = [plan_edits.kind_of(entry) for entry in plan.agenda]
    return {
        "questions": kinds.count("poll"),
        "breakouts": kinds.count("prompt"),
        "about_people": len(plan.profile),
        "minutes": sum(entry.get("minutes", 0) for entry in plan.agenda),
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def keep(request: HttpRequest, code: str) -> HttpResponse:
    """Keep a workshop's agenda as a plan."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS, guests=False)
    programme = workshop.programme
    posted = request.POST if request.method == "POST" else None
    form = PlanFactsForm(posted, initial={"title": workshop.title, "minutes": workshop.minutes})
    del form.fields["minutes"], form.fields["mode"], form.fields["observers"]
    if request.method == "POST" and form.is_valid():
        made = plans.keep_as_plan(workshop, _user(request), form.cleaned_data["title"])
        messages.success(request, _("“%s” is kept as a plan.") % made.title)
        return redirect("plan-edit", programme.key, made.key)
    return access.page(
        request,
        programme,
        "workshops/authoring/keep_plan.html",
        section="plans",
        form=form,
        workshop=workshop,
    )


@login_required
@require_POST
def copy(request: HttpRequest, key: str, slug: str) -> HttpResponse:
    made = plans.copy_plan(_plan(request, key, slug), _user(request))
    return redirect("plan-edit", key, made.key)


@login_required
@require_POST
def remove(request: HttpRequest, key: str, slug: str) -> HttpResponse:
    plan = _plan(request, key, slug)
    plans.remove_plan(plan, _user(request))
    messages.success(request, _("“%s” is removed. It waits 30 days, in case you want it back.") % plan.title)
    return redirect("plans", key)


# --- one plan -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Card:
    """A step of a plan as its page shows it."""

    name: str
    kind: str
    title: str
    #: "Choose one of 7, or not sure"; what is wrong where it was removed from the programme
    words: str
    minutes: int
    #: minutes from the beginning, as "0:05"
    at: str
    lost: bool
    entry: Entry
    #: what its phones show; neither for a pause, nor for what is lost
    question: Question | None = None
    prompt: Prompt | None = None


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, key: str, slug: str) -> HttpResponse:
    """A plan's agenda. `?edit=` opens a step, `?text=` looks in the bank."""
    plan = _plan(request, key, slug)
    if request.method != "POST":
        return _page(request, plan)
    action = _DO.get(request.POST.get("do", ""))
    if action is None:
        raise Http404
    try:
        return action(request, plan)
    except log.Stale:
        plan.refresh_from_db()
        return _page(request, plan, **_stale(request, plan))
    except _Gone:
        return _page(request, plan, warning=_("This step is gone: somebody has removed it."))
    except CannotAdd as refused:
        return _page(request, plan, warning=str(refused))


class _Gone(Exception):
    """The step is not there any more."""


def _plan(request: HttpRequest, key: str, slug: str) -> Plan:
    programme = access.programme_for(request.user, key, *access.RUNNERS)
    return get_object_or_404(programme.plans.select_related("programme__bank"), key=slug, removed_at=None)


def _page(request: HttpRequest, plan: Plan, *, status: int = 200, **said: Any) -> HttpResponse:
    """The whole page; `said` holds what was refused and what was typed into it."""
    programme = plan.programme
    cards, profile = _cards(plan), _profile(plan)
    open_step = said.get("open", request.GET.get("edit", ""))
    one = next((card for card in cards if card.name == open_step), None)
    text = said.get("text", request.GET.get("text", ""))[:200]
    context = {
        "plan": plan,
        "cards": cards,
        "profile": profile,
        "holds": _holds(plan),
        "offered": _offered(plan),
        "open": open_step,
        "step_form": said.get("step_form") or (StepForm(initial=_typed(one)) if one else None),
        "facts_form": said.get("facts_form") or PlanFactsForm(auto_id=PLAN_IDS, initial=_facts_of(plan)),
        "text": text,
        "found": search(programme, text, access.readable_by(request.user)) if text else Found([], []),
        "asked": _asked(plan) if text else set(),
        "types": POLL_TYPES,
        "followers": _followers(plan),
        "undoable": log.last_undoable(_user(request), programme=programme),
        "warning": said.get("warning", ""),
        "wrong": said.get("wrong", ""),
    }
    return access.page(
        request, programme, "workshops/authoring/plan.html", status=status, section="plans", **context
    )


def _facts_of(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in ("title", "minutes", "mode", "observers")}


def _typed(card: Card) -> dict[str, Any]:
    own_title = card.title if card.kind == "pause" else card.entry.get("title", "")
    return {"title": own_title, "minutes": card.minutes, "notes": card.entry.get("notes", "")}


def _cards(plan: Plan) -> list[Card]:
    versions = planning.known_versions(plan.programme, [e["poll"] for e in plan.agenda if e.get("poll")])
    prompts = planning.known_prompts(plan.programme, [e["prompt"] for e in plan.agenda if e.get("prompt")])
    cards, begun = [], 0
    for name, entry in zip(plan_edits.names(plan.agenda), plan.agenda, strict=True):
        kind = plan_edits.kind_of(entry)
        key, minutes, words, own = entry[kind], entry.get("minutes", 0), "", entry[kind]
        question = versions[key].question if kind == "poll" and key in versions else None
        prompt = prompts.get(key) if kind == "prompt" else None
        if question:
            own, words = question.text, how_answered(question)
        elif prompt:
            own, minutes, things = prompt.text, entry.get("minutes", prompt.minutes), 1 + len(prompt.probes)
            words = ngettext("Breakout, %d thing to talk about", "Breakout, %d things to talk about", things)
            words %= things
        lost = kind != "pause" and not question and not prompt
        cards.append(
            Card(
                name=name,
                kind=kind,
                title=entry.get("title") or own,
                words=_("Removed from the programme: bring it back, or take it out here.") if lost else words,
                minutes=minutes,
                at=f"{begun // 60}:{begun % 60:02}",
                lost=lost,
                entry=entry,
                question=question,
                prompt=prompt,
            )
        )
        begun += minutes
    return cards


def _asked(plan: Plan) -> set[str]:
    """What the plan asks already, as references of hits."""
    keys = [*plan.profile, *(entry["poll"] for entry in plan.agenda if entry.get("poll"))]
    return {f"question-{row.instrument_id}" for row in planning.known_versions(plan.programme, keys).values()}


def _profile(plan: Plan) -> list[tuple[str, str]]:
    """(key, words) of the questions about people."""
    versions = planning.known_versions(plan.programme, plan.profile)
    return [(key, versions[key].question.text if key in versions else key) for key in plan.profile]


def _offered(plan: Plan) -> list[Instrument]:
    """Questions that other plans or workshops of the programme ask at joining, and this plan does not ask."""
    programme = plan.programme
    asked = {*plan.profile, *(entry["poll"] for entry in plan.agenda if entry.get("poll"))}
    planned = {key for profile in programme.plans.values_list("profile", flat=True) for key in profile}
    elsewhere = AgendaItem.objects.filter(workshop__programme=programme, profile=True)
    rows = programme.bank.instruments.filter(removed_at=None).exclude(key__in=asked)
    known = Q(key__in=planned) | Q(pk__in=elsewhere.values("poll__version__instrument"))
    return list(rows.filter(known)[:50])


def _user(request: HttpRequest) -> Any:
    return request.user


# --- changes --------------------------------------------------------------------------------------------------------


def _done(plan: Plan, step: str = "") -> HttpResponse:
    address = reverse("plan-edit", args=[plan.programme.key, plan.key])
    return redirect(f"{address}#step-{step}" if step else address)


def _rev(request: HttpRequest) -> int:
    digits = request.POST.get("rev", "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else -1


def _place(request: HttpRequest, plan: Plan) -> int:
    names = plan_edits.names(plan.agenda)
    if request.POST.get("step") not in names:
        raise _Gone
    return names.index(request.POST["step"])


def _facts(request: HttpRequest, plan: Plan) -> HttpResponse:
    form = PlanFactsForm(request.POST, auto_id=PLAN_IDS)
    if not form.is_valid():
        return _page(request, plan, status=422, facts_form=form)
    plans.change_plan(plan, _user(request), _rev(request), **form.values)
    return _done(plan)


def _move(request: HttpRequest, plan: Plan) -> HttpResponse:
    by = {"up": -1, "down": 1}[request.POST["do"]]
    agenda = plan_edits.moved(plan.agenda, _place(request, plan), by)
    plans.change_plan(plan, _user(request), _rev(request), agenda=agenda)
    return _done(plan, request.POST["step"])


def _remove(request: HttpRequest, plan: Plan) -> HttpResponse:
    place = _place(request, plan)
    agenda = [entry for index, entry in enumerate(plan.agenda) if index != place]
    plans.change_plan(plan, _user(request), _rev(request), agenda=agenda)
    return _done(plan)


def _minutes(request: HttpRequest, plan: Plan) -> HttpResponse:
    place = _place(request, plan)
    digits = request.POST.get("minutes", "").strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 4 and int(digits) <= 600):
        words = _("Write the minutes as a whole number from 0 to 600.")
        return _page(
            request, plan, status=422, wrong={"step": request.POST["step"], "words": words, "typed": digits}
        )
    # Two fields that are left one soon after the other come with one revision: what this one showed is what counts.
    if request.POST.get("was") != str(_cards(plan)[place].minutes):
        raise log.Stale
    agenda = list(plan.agenda)
    agenda[place] = agenda[place] | {"minutes": int(digits)}
    plans.change_plan(plan, _user(request), plan.rev, agenda=agenda)
    return _done(plan, request.POST["step"])


def _save(request: HttpRequest, plan: Plan) -> HttpResponse:
    place, form = _place(request, plan), StepForm(request.POST)
    if not form.is_valid():
        return _page(request, plan, status=422, open=request.POST["step"], step_form=form)
    agenda = list(plan.agenda)
    agenda[place] = plan_edits.with_values(agenda[place], **form.cleaned_data)
    plans.change_plan(plan, _user(request), _rev(request), agenda=agenda)
    return _done(plan, plan_edits.names(agenda)[place])


def _profile_less(request: HttpRequest, plan: Plan) -> HttpResponse:
    profile = [key for key in plan.profile if key != request.POST.get("key")]
    plans.change_plan(plan, _user(request), _rev(request), profile=profile)
    return _done(plan)


def _profile_more(request: HttpRequest, plan: Plan) -> HttpResponse:
    known = next((one for one in _offered(plan) if one.key == request.POST.get("key")), None)
    if known is None:
        raise _Gone
    plans.ask_known(plan, _user(request), known, profile=True)
    return _done(plan)


def _add(request: HttpRequest, plan: Plan) -> HttpResponse:
    """What Enter does in the box: the bank's question with these very words, or new ones."""
    text = request.POST.get("text", "")
    read = pasted.parse(text)
    if not read:
        return _page(
            request,
            plan,
            status=422,
            wrong={"step": "", "words": _("Write a question first, or paste a list.")},
        )
    if found := pasted.too_long(read):
        words = _("“%s…” is too long, or has too many options.") % found[1].text[:40]
        return _page(request, plan, status=422, text=text, wrong={"step": "", "words": words})
    hits = search(plan.programme, read[0].text).own if len(read) == 1 and not read[0].options else []
    same = (hit for hit in hits if hit.text.casefold() == read[0].text.casefold())
    if hit := next(same, None):
        plans.ask_known(plan, _user(request), _known(request, plan, hit.ref))
    else:
        asked = [(pasted.as_question(one, pasted.guess_type(one)), one.minutes) for one in read]
        plans.ask_new(plan, _user(request), asked)
    return _added(plan)


def _added(plan: Plan) -> HttpResponse:
    plan.refresh_from_db()
    return _done(plan, plan_edits.names(plan.agenda)[-1])


def _add_known(request: HttpRequest, plan: Plan) -> HttpResponse:
    plans.ask_known(plan, _user(request), _known(request, plan, request.POST.get("ref", "")))
    return _added(plan)


def _known(request: HttpRequest, plan: Plan, ref: str) -> Instrument | Prompt:
    """What a hit stands for, in a bank that this person may read."""
    kind, _dash, digits = ref.partition("-")
    programmes = {plan.programme_id, *(one.pk for one in access.readable_by(request.user))}
    rows: Any = (
        Prompt.objects.filter(programme__in=programmes)
        if kind == "prompt"
        else Instrument.objects.filter(bank__programme__in=programmes)
    )
    known: Instrument | Prompt | None = rows.filter(pk=read_number(digits), removed_at=None).first()
    if known is None:
        raise _Gone
    return known


def _add_talk(request: HttpRequest, plan: Plan) -> HttpResponse:
    return _add_line(request, plan, plans.talk_about)


def _add_pause(request: HttpRequest, plan: Plan) -> HttpResponse:
    return _add_line(request, plan, plans.pause_for)


def _add_line(
    request: HttpRequest, plan: Plan, make: Callable[[Plan, Any, str, int | None], None]
) -> HttpResponse:
    read = pasted.one_question(request.POST.get("text", ""))
    if not read:
        words = _("Write what it is called first.")
        return _page(request, plan, status=422, wrong={"step": "", "words": words})
    make(plan, _user(request), read[0].text[:2000], read[0].minutes)
    return _added(plan)


_DO: dict[str, Callable[[HttpRequest, Plan], HttpResponse]] = {
    "facts": _facts,
    "up": _move,
    "down": _move,
    "remove": _remove,
    "minutes": _minutes,
    "save": _save,
    "profile-remove": _profile_less,
    "profile-add": _profile_more,
    "add": _add,
    "known": _add_known,
    "talk": _add_talk,
    "pause": _add_pause,
}


def _stale(request: HttpRequest, plan: Plan) -> dict[str, Any]:
    """Somebody else was quicker: who, and what was typed here, so that the person can decide."""
    path = reverse("plan-edit", args=[plan.programme.key, plan.key])
    last = plan.programme.log.filter(verb="changed_plan", path=path).select_related("by").first()
    who = last.by.email if last and last.by and last.by != request.user else _("Somebody")
    yours = _("%s has changed this plan since you opened it. Yours is not stored yet: save again to keep it.")
    do = request.POST.get("do")
    if do == "save":
        typed = StepForm(request.POST)
        return {"open": request.POST.get("step", ""), "step_form": typed, "warning": yours % who}
    if do == "facts":
        return {"facts_form": PlanFactsForm(request.POST, auto_id=PLAN_IDS), "warning": yours % who}
    return {"warning": _("%s has changed this plan meanwhile. Look, and press again.") % who}


# --- workshops that follow ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Follower:
    """A planned workshop made from a plan, and what taking the plan over would change in it."""

    workshop: Workshop
    when: str
    differences: plan_edits.Differences
    #: somebody has edited its own agenda since
    edited: bool
    #: what the page shows of it (`plans.agenda_seen`)
    seen: str
    ticked: bool


def _followers(plan: Plan, ticked: set[int] | None = None) -> list[Follower]:
    """Planned workshops whose agenda is not the plan's; the same queries however many there are.

    Ticked are those that nobody has edited, or `ticked`. Empty for a plan that no workshop can be made from.
    """
    try:
        then = planning.lines_of_steps(planning.steps_of(plan.programme, plan.profile, plan.agenda))
    except PlanIncomplete:
        return []
    items = AgendaItem.objects.select_related("prompt", "picture", "poll__version__instrument")
    items = items.defer("picture__data")
    rows = plan.workshops.filter(status=Workshop.Status.PLANNED, removed_at=None).order_by(
        "starts_at", "number"
    )
    now, followers = timezone.localtime(), []
    for workshop in rows.prefetch_related(Prefetch("agenda", items)):
        lines = planning.lines_of(workshop.agenda.all())
        found = plan_edits.differences(lines, then, (workshop.minutes, plan.minutes))
        seen = plans.agenda_seen(workshop, workshop.agenda.all())
        edited = seen != workshop.planned_fingerprint
        if not found.is_empty:
            tick = workshop.pk in ticked if ticked is not None else not edited
            followers.append(Follower(workshop, when(workshop.starts_at, now), found, edited, seen, tick))
    return followers


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: HttpRequest, key: str, slug: str) -> HttpResponse:
    """Which planned workshops take over the plan as it is now: the person ticks them."""
    plan = _plan(request, key, slug)
    if request.method != "POST":
        return _bring_page(request, plan, _followers(plan))
    ticked = {number for one in request.POST.getlist("workshop") if (number := read_number(one))}
    seen = {pk: request.POST.get(f"seen-{pk}", "") for pk in ticked}
    try:
        made = plans.bring_along(plan, _user(request), _rev(request), seen) if seen else []
    except log.Stale:
        plan.refresh_from_db()
        words = _(
            "The plan or one of these workshops has changed meanwhile. Look again; nothing was changed yet."
        )
        return _bring_page(request, plan, _followers(plan, ticked), words)
    except PlanIncomplete as incomplete:
        return _bring_page(request, plan, [], str(incomplete))
    words = ngettext(
        "%d workshop has the plan's agenda now.", "%d workshops have the plan's agenda now.", len(made)
    )
    messages.success(request, words % len(made))
    return redirect("plan-edit", key, slug)


def _bring_page(
    request: HttpRequest, plan: Plan, followers: list[Follower], warning: str = ""
) -> HttpResponse:
    return access.page(
        request, plan.programme, "workshops/authoring/plan_bring.html",
        section="plans", plan=plan, followers=followers, warning=warning,
    )  # fmt: skip
