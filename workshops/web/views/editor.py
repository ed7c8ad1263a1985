"""The card editor: one question, prompt or pause, alone or as a step of an agenda.

A card is posted whole. The script posts it too while somebody types (`X-Autosave`), and is told in JSON what became of
it; without the script the page is drawn again. A card that somebody else has changed meanwhile is not overwritten:
both texts stand on the page, and the person decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from itertools import accumulate
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_replace
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from polls import bank
from polls.models import Instrument
from polls.types import POLL_TYPES

from ...actions.authoring import questions
from ...actions.log import Stale, last_undoable
from ...models import AgendaItem, Programme, Prompt, Workshop
from ...people import access
from ...programmes import option_lines
from ...programmes.cards import CardState
from ...programmes.problems import problems
from ...screens import queries
from .. import previews
from ..forms.card import (
    CardForm,
    Difference,
    LenientForm,
    SumRow,
    base_of,
    countable,
    differences,
    is_scale_block,
)
from ..forms.card_settings import ALLOW_PASS, CHANGE, PASS_LABEL, SETTINGS
from ..forms.small_cards import NewQuestionForm, PauseForm, PromptForm
from ..readable_input import read_number

REASON_LENGTH = 300


# --- addresses ---------------------------------------------------------------------------------------------


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def question_new(request: HttpRequest, key: str) -> HttpResponse:
    """The first line is the question, the others are its options."""
    programme = access.programme_for(request.user, key, *access.RUNNERS)
    form = NewQuestionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = questions.add_question(programme, request.user, form.question())
        return redirect("question-edit", programme.key, made.key)
    return access.page(
        request, programme, "workshops/authoring/editor_new.html", section="questions", form=form
    )


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def question_edit(request: HttpRequest, key: str, slug: str) -> HttpResponse:
    programme = access.programme_for(request.user, key, *access.RUNNERS)
    return _QuestionCard(request, programme, instrument=_instrument(programme, slug)).answer()


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def prompt_edit(request: HttpRequest, key: str, slug: str) -> HttpResponse:
    programme = access.programme_for(request.user, key, *access.RUNNERS)
    prompt = get_object_or_404(programme.prompts.select_related("domain"), key=slug, removed_at=None)
    return _PromptCard(request, programme, prompt=prompt).answer()


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def item_edit(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """A guest may change what belongs to the step; what it asks belongs to the whole programme."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    item = _item(workshop, pk)
    if workshop.has_ended:
        messages.warning(request, _("This workshop has ended, so its agenda stays as it was."))
        return redirect("home")
    programme = workshop.programme
    whole = bool(access.roles(request.user, programme) & set(access.RUNNERS))
    if item.poll and whole:
        card: _Card = _QuestionCard(request, programme, item=item, instrument=item.poll.version.instrument)
    elif item.prompt and whole:
        card = _PromptCard(request, programme, item=item, prompt=item.prompt)
    else:
        card = _StepCard(request, programme, item=item)
    return card.answer()


def _instrument(programme: Programme, slug: str) -> Instrument:
    return get_object_or_404(Instrument, bank=programme.bank_id, key=slug, removed_at=None)


def _item(workshop: Workshop, pk: int) -> AgendaItem:
    found = workshop.agenda.select_related(
        "poll__version__instrument", "prompt__domain", "workshop__programme"
    )
    return get_object_or_404(found, pk=pk)


# --- previews ----------------------------------------------------------------------------------------------


def _framed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A document that stands in a frame of our own pages, and in no other."""
    for decorate in (
        require_safe, xframe_options_sameorigin, csp_replace({"frame-ancestors": [SELF]}), never_cache, login_required,
    ):  # fmt: skip
        view = decorate(view)
    return view


@_framed
def question_preview(request: HttpRequest, key: str, slug: str, screen: str) -> HttpResponse:
    programme = access.programme_for(request.user, key, *access.RUNNERS)
    state = CardState(programme, _instrument(programme, slug))
    return _preview(request, programme, AgendaItem(title=state.question.text), screen, state)


@_framed
def prompt_preview(request: HttpRequest, key: str, slug: str, screen: str) -> HttpResponse:
    programme = access.programme_for(request.user, key, *access.RUNNERS)
    prompt = get_object_or_404(programme.prompts.select_related("domain"), key=slug, removed_at=None)
    item = AgendaItem(kind=AgendaItem.Kind.PROMPT, prompt=prompt, title=prompt.text)
    return _preview(request, programme, item, screen)


@_framed
def item_preview(request: HttpRequest, code: str, pk: int, screen: str) -> HttpResponse:
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    item = _item(workshop, pk)
    state = CardState(workshop.programme, item.poll.version.instrument) if item.poll else None
    return _preview(request, workshop.programme, item, screen, state)


def _preview(
    request: HttpRequest, programme: Programme, item: AgendaItem, screen: str, state: CardState | None = None
) -> HttpResponse:
    question = state.question if state else None
    scheme = "dark" if "dark" in request.GET else "light"
    values = {"programme": programme, "large": "large" in request.GET, "colours": previews.colours(scheme)}
    if question is not None and (missing := problems(question)):
        return render(request, "workshops/authoring/preview_unfinished.html", values | {"problems": missing})
    scene = previews.scene_of(programme, item, question, tuple(state.measures.values()) if state else ())
    draw = {"phone": previews.phone, "wall": previews.wall}[screen]
    return render(request, f"workshops/authoring/preview_{screen}.html", values | draw(scene))


# --- cards -------------------------------------------------------------------------------------------------


@dataclass
class _Card:
    """One card on its page, from the request to the answer."""

    request: HttpRequest
    programme: Programme
    item: AgendaItem | None = None
    theirs: list[Difference] = field(default_factory=list)
    who: str = ""

    template = "workshops/authoring/_editor_step.html"
    kind = AgendaItem.Kind.PAUSE

    @property
    def user(self) -> Any:
        return self.request.user

    def answer(self) -> HttpResponse:
        if self.request.method != "POST":
            return self.page(self.form(None))
        return self.posted(self.request.POST.get("do", "save"))

    def posted(self, do: str) -> HttpResponse:
        form = self.form(self.request.POST)
        try:
            self.save(form)
        except Stale:
            return self.conflict(form)
        self.reload()
        if self.autosaves:
            return JsonResponse(self.news(form))
        if not self.is_fine(form):
            return self.page(self.form(self.request.POST))
        return redirect(self.back if do == "done" else self.address)

    def form(self, data: Any) -> LenientForm:
        raise NotImplementedError

    def save(self, form: Any) -> None:
        """Raises `Stale`."""
        raise NotImplementedError

    def reload(self) -> None:
        """Read again what was saved."""

    def is_fine(self, form: LenientForm) -> bool:
        return not form.errors

    # -- where it is ------------------------------------------------------------------------------------

    @property
    def autosaves(self) -> bool:
        return self.request.headers.get("X-Autosave") == "1"

    @property
    def alone(self) -> tuple[str, str]:
        """The kind and the key by which the address names a card that is no step of an agenda."""
        raise NotImplementedError

    def url(self, page: str) -> str:
        if self.item is not None:
            return reverse(f"item-{page}", args=[self.item.workshop.code, self.item.pk])
        kind, key = self.alone
        return reverse(f"{kind}-{page}", args=[self.programme.key, key])

    @property
    def address(self) -> str:
        """Of this page."""
        return self.url("edit")

    @property
    def back(self) -> str:
        if self.item is not None:
            return reverse("prepare", args=[self.item.workshop.code]) + f"#step-{self.item.pk}"
        return reverse("questions", args=[self.programme.key])

    @property
    def phone(self) -> str:
        return self.url("phone")

    @property
    def wall(self) -> str:
        return self.url("wall")

    def rev(self, name: str = "rev") -> int | None:
        """The revision that the page showed; `None`, which asks for nothing, where it sent none."""
        sent = self.request.POST.get(name, "")
        return int(sent) if sent.isdecimal() and len(sent) < 10 else None

    @property
    def kind_of_card(self) -> str:
        kinds = {"poll": _("Question"), "prompt": _("Talk in groups"), "pause": _("Pause")}
        return kinds[self.item.kind] if self.item else kinds[self.kind]

    @property
    def version(self) -> str:
        """Of a question: which one stands on the card."""
        return ""

    @property
    def words(self) -> str:
        """What it is about, for the title of the page."""
        return self.item.title if self.item else ""

    @property
    def path(self) -> str:
        return self.address[:200]

    # -- two editors ------------------------------------------------------------------------------------

    def conflict(self, form: LenientForm) -> HttpResponse:
        """Nothing was saved: what was typed stands beside what somebody else has saved meanwhile."""
        self.theirs = differences(form, self.request.POST.get("base", ""))
        self.who = self.somebody()
        if self.autosaves:
            html = render_to_string(
                "workshops/authoring/_editor_conflict.html", self.context(form), self.request
            )
            base = base_of(self.form(None).initial)
            return JsonResponse({"html": html, "base": base, **self.revs()}, status=409)
        return self.page(form, status=409)

    def somebody(self) -> str:
        """Who has changed it."""
        entry = self.programme.log.exclude(by=self.user).filter(path=self.path).select_related("by").first()
        return _name(entry.by) if entry else _("Somebody")

    # -- drawing ----------------------------------------------------------------------------------------

    def news(self, form: LenientForm) -> dict[str, Any]:
        """What the script needs to know after a save."""
        return {
            **self.revs(),
            "version": self.version,
            "base": base_of(self.form(None).initial),
            "saved": _("Saved %(time)s") % {"time": time_format(timezone.localtime(), "H:i")},
            "errors": {name: next(iter(errors)) for name, errors in form.errors.items()},
        }

    def revs(self) -> dict[str, int]:
        return {"item_rev": self.item.rev} if self.item else {}

    def context(self, form: LenientForm) -> dict[str, Any]:
        return {
            "card": self,
            "form": form,
            "item": self.item,
            "programme": self.programme,
            "base": base_of(self.form(None).initial),
            "editor_template": self.template,
            "before": self._neighbour(-1),
            "after": self._neighbour(1),
            **self.revs(),
        }

    def page(self, form: LenientForm, *, status: int = 200) -> HttpResponse:
        values = self.context(form)
        if self.request.headers.get("HX-Request"):
            return render(self.request, "workshops/authoring/_editor.html", values, status=status)
        workshop = self.item.workshop if self.item else None
        undoable = last_undoable(self.user, programme=self.programme, workshop=workshop)
        section = "workshops" if self.item else "questions"
        del values["programme"]
        return access.page(
            self.request, self.programme, "workshops/authoring/editor.html", status=status, section=section,
            undoable=undoable, **values,
        )  # fmt: skip

    def _neighbour(self, step: int) -> tuple[str, AgendaItem] | None:
        """The step before or after, with when it begins."""
        place = self._place
        if place is None or not 0 <= place + step < len(self._steps):
            return None
        return self._steps[place + step]

    @property
    def at(self) -> str:
        """When this step begins."""
        return self._steps[self._place][0] if self._place is not None else ""

    @property
    def _place(self) -> int | None:
        pk = self.item.pk if self.item else None
        return next((place for place, (_at, each) in enumerate(self._steps) if each.pk == pk), None)

    @cached_property
    def _steps(self) -> list[tuple[str, AgendaItem]]:
        if self.item is None:
            return []
        items = queries.stage_items(self.item.workshop)
        minutes = accumulate((each.minutes for each in items), initial=0)
        return [(_clock(self.item.workshop, n), each) for n, each in zip(minutes, items, strict=False)]


def _clock(workshop: Workshop, minutes: int) -> str:
    """The time of day, or minutes from the start where no start is known."""
    if workshop.starts_at is None:
        return f"{minutes // 60}:{minutes % 60:02d}"
    return time_format(timezone.localtime(workshop.starts_at + timedelta(minutes=minutes)), "H:i")


def _name(user: Any) -> str:
    return (user.get_full_name() or user.email) if user else _("Somebody")


@dataclass
class _StepCard(_Card):
    """A pause; for a guest also what belongs to the step of a question or a prompt."""

    def form(self, data: Any) -> PauseForm:
        assert self.item is not None
        return PauseForm(self.item, data, self.request.POST.getlist("theirs"))

    def save(self, form: PauseForm) -> None:
        assert self.item is not None
        questions.save_step(
            self.programme, self.user, self.item, form.step(), rev=self.rev("item_rev"), path=self.path
        )


@dataclass
class _PromptCard(_Card):
    prompt: Prompt = field(kw_only=True)

    @property
    def words(self) -> str:
        return self.prompt.text

    template = "workshops/authoring/_editor_prompt.html"
    kind = AgendaItem.Kind.PROMPT

    def form(self, data: Any) -> PromptForm:
        return PromptForm(self.programme, self.prompt, data, self.item, self.request.POST.getlist("theirs"))

    def save(self, form: PromptForm) -> None:
        questions.save_prompt(
            self.programme, self.user, self.prompt, **form.values(), rev=self.rev(), item=self.item,
            item_rev=self.rev("item_rev"), step=form.step(), path=self.path,
        )  # fmt: skip

    def revs(self) -> dict[str, int]:
        return {"rev": self.prompt.rev, **super().revs()}

    @property
    def alone(self) -> tuple[str, str]:
        return "prompt", self.prompt.key


@dataclass
class _QuestionCard(_Card):
    instrument: Instrument = field(kw_only=True)
    rows: list[SumRow] = field(default_factory=list)
    kind_error: str = ""

    template = "workshops/authoring/_editor_question.html"
    kind = AgendaItem.Kind.POLL

    def __post_init__(self) -> None:
        self.state = CardState(self.programme, self.instrument)

    def reload(self) -> None:
        self.state = CardState(self.programme, self.instrument)

    def form(self, data: Any) -> CardForm:
        return CardForm(self.state, data, item=self.item, theirs=self.request.POST.getlist("theirs"))

    def posted(self, do: str) -> HttpResponse:
        if do == "keep":
            return self._keep()
        return self._publish() if do == "publish" else super().posted(do)

    def save(self, form: CardForm) -> None:
        card, self.rows = form.card()
        questions.save_card(
            self.programme, self.user, self.instrument, card, rev=self.rev(), item=self.item,
            item_rev=self.rev("item_rev"), step=form.step(), path=self.path,
        )  # fmt: skip

    def is_fine(self, form: LenientForm) -> bool:
        return super().is_fine(form) and not any(row.error for row in self.rows)

    # -- versions ---------------------------------------------------------------------------------------

    def _keep(self) -> HttpResponse:
        try:
            questions.keep_version(self.programme, self.user, self.instrument, rev=self.rev(), path=self.path)
        except Stale:
            return self.conflict(self.form(self.request.POST))
        messages.success(
            self.request, _("Version %(n)d stays as it is.") % {"n": self.state.published.number}
        )
        return redirect(self.address)

    def _publish(self) -> HttpResponse:
        """The whole card is saved first; then its draft is what people are asked."""
        form = self.form(self.request.POST)
        try:
            self.save(form)
        except Stale:
            return self.conflict(form)
        self.reload()
        if not self.is_fine(form):
            return self.page(self.form(self.request.POST))
        if self.state.draft is None:
            return redirect(self.address)  # pressed twice
        kind = "meaning" if self.state.means_the_same else self.request.POST.get("kind", "")
        if missing := problems(self.state.question):
            self.kind_error = " ".join(missing)
        elif kind not in self.state.kinds:
            self.kind_error = _("Say what you changed: choose one of these.")
        if self.kind_error:
            return self.page(self.form(self.request.POST))
        reason = " ".join(self.request.POST.get("reason", "").split())[:REASON_LENGTH]
        try:
            made = questions.publish_version(
                self.programme, self.user, self.instrument, kind=kind, reason=reason,
                rev=self.instrument.rev, path=self.path,
            )  # fmt: skip
        except (Stale, bank.NoDraft):
            return self.conflict(form)
        messages.success(self.request, _("People are asked version %(n)d from now on.") % {"n": made.number})
        return redirect(self.address)

    # -- where it is ------------------------------------------------------------------------------------

    @property
    def version(self) -> str:
        words = _("Version %(n)d, changed") if self.state.draft else _("Version %(n)d")
        return words % {"n": self.state.published.number}

    @property
    def words(self) -> str:
        return self.state.question.text

    @property
    def alone(self) -> tuple[str, str]:
        return "question", self.instrument.key

    def somebody(self) -> str:
        entry = self.state.last_change_by_others(self.user.pk)
        return _name(entry.by) if entry else super().somebody()

    def revs(self) -> dict[str, int]:
        return {"rev": self.instrument.rev, **super().revs()}

    # -- drawing ----------------------------------------------------------------------------------------

    @property
    def lines(self) -> list[tuple[str, str]]:
        """What became of each option since people were asked, and that in words; empty where nobody was."""
        if not self.state.is_asked:
            return []
        changes = option_lines.since(self.state.published.question.options, self.state.question.options)
        return [(change.value, str(CHANGES[change])) for change in changes]

    @property
    def kind_errors(self) -> list[str]:
        return [self.kind_error] if self.kind_error else []

    @property
    def gone(self) -> list[str]:
        """Options that people were offered and will not be."""
        keys = self.state.question.keys
        options = self.state.published.question.options if self.state.is_asked else ()
        return [option.label for option in options if option.key not in keys]

    def _shown_rows(self, form: CardForm) -> list[SumRow]:
        question = self.state.question
        rows = [row for row in (self.rows or form.sums(question, {})) if not row.dropped]
        gone = {option.key: option.label for option in self.state.retired}
        figures = self.state.figures if rows else {}
        blank = SumRow(max((row.number for row in rows), default=-1) + 1)
        for number, row in enumerate(rows):
            if not form.is_bound:
                row.number = number
            row.show(question, gone, figures.get(row.key))
        if not form.is_bound:
            blank.number = len(rows)
        return [*rows, blank.show(question, gone, None)]

    def context(self, form: Any) -> dict[str, Any]:
        question = self.state.question
        chosen = form["type"].value()
        return {
            **super().context(form),
            "state": self.state,
            "question": question,
            "types": list(POLL_TYPES.values()),
            "chosen_type": chosen,
            "ticked_domains": [read_number(str(pk)) for pk in form["domains"].value() or []],
            "settings": [(setting, form[setting.name]) for setting in SETTINGS],
            "allow_pass": form[ALLOW_PASS.name],
            "pass_label": form[PASS_LABEL.name],
            "change": form[CHANGE.name],
            "chips": question.options,
            "alone": form["exclusive"].value() or [],
            "sums": self._shown_rows(form),
            "can_add_up": bool(countable(question)) or question.type == "number",
            "blocks": question.settings.get("items", []) if is_scale_block(question) else [],
            "problems": problems(question),
            "reveal_fixed": self.item is not None
            and (self.item.profile or self.item.required_poll.opened_at),
            **self._after(),
        }

    def _after(self) -> dict[str, Any]:
        posted = self.request.POST
        return {
            "kind": posted.get("kind") or self.state.suggested_kind if self.state.draft else "",
            "reason": posted.get("reason", ""),
            "kind_error": self.kind_error,
        }

    def news(self, form: Any) -> dict[str, Any]:
        question, figures = self.state.question, self.state.figures if self.rows else {}
        values = {"card": self, "state": self.state, **self._after()}
        return {
            **super().news(form),
            "options": [[option.key, option.label] for option in question.options],
            "countable": countable(question),
            "lines": self.lines,
            "sums": {row.number: self._key_of(row) for row in self.rows},
            "sum_errors": {row.number: row.error for row in self.rows},
            "figures": {
                key: _("%(hits)d of %(valid)d") % {"hits": share.hits, "valid": share.valid}
                for key, share in figures.items()
            },
            "problems": problems(question),
            "draft": self.state.draft is not None,
            "after": render_to_string("workshops/authoring/_editor_after.html", values, self.request),
        }

    def _key_of(self, row: SumRow) -> str:
        """Of a row that was new, the key that it has got."""
        if row.key or row.sum is None:
            return row.key
        same = (key for key, measure in self.state.measures.items() if measure.label == row.sum.label)
        return next(same, "")


CHANGES = {
    option_lines.Change.SAME: gettext_lazy("same"),
    option_lines.Change.MOVED: gettext_lazy("moved"),
    option_lines.Change.REWORDED: gettext_lazy("wording changed"),
    option_lines.Change.NEW: gettext_lazy("new option"),
    option_lines.Change.BACK: gettext_lazy("back again"),
}
