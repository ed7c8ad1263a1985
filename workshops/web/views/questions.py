"""The questions of a programme: asked in which versions and workshops, and whether the answers add up; and prompts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ...actions import log
from ...actions.authoring import questions as actions
from ...models import Programme
from ...people import access
from ...programmes import question_list, removed

#: who runs workshops changes questions; who reads results may look
LOOKING = (*access.RUNNERS, *access.READERS)
ROWS_A_PAGE = 50
QUESTIONS, PEOPLE, BREAKOUTS, REMOVED = "questions", "people", "breakouts", "removed"
#: what the tab of removed things shows; plans and workshops are removed and brought back elsewhere
REMOVED_KINDS = ("question", "prompt")


class FilterForm(forms.Form):
    """What cannot be read filters nothing."""

    q = forms.CharField(required=False, max_length=100, label=gettext_lazy("Look for a word"))
    how = forms.ChoiceField(required=False, label=gettext_lazy("How people answer"))
    adds = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Added up"),
        choices=[
            ("", gettext_lazy("All")),
            ("added", gettext_lazy("Added up")),
            ("apart", gettext_lazy("Side by side")),
        ],
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        how = self.fields["how"]
        assert isinstance(how, forms.ChoiceField)
        how.choices = [("", _("All ways")), *question_list.ways_to_answer()]

    @property
    def said(self) -> dict[str, str]:
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


@login_required
@never_cache
@require_safe
def questions(request: HttpRequest, key: str) -> HttpResponse:
    """Four lists; `?open=` names the question whose versions stand below it."""
    programme = access.programme_for(request.user, key, *LOOKING)
    tab = request.GET.get("tab", QUESTIONS)
    form = FilterForm(request.GET)
    bank = question_list.bank_of(programme)
    prompts = question_list.prompts_of(programme)
    gone = [one for one in removed.of(programme) if one.kind in REMOVED_KINDS]
    counts = {
        QUESTIONS: len(bank.questions),
        PEOPLE: len(bank.about_people),
        BREAKOUTS: prompts.count(),
        REMOVED: len(gone),
    }
    context: dict[str, Any] = {
        "section": "questions",
        "tab": tab if tab in counts else QUESTIONS,
        "tabs": _tabs(counts),
        "form": form,
        "filtered": bool(form.said),
        "undoable": log.last_undoable(request.user, programme=programme)
        if isinstance(request.user, User)
        else None,
    }
    if context["tab"] == BREAKOUTS:
        found = question_list.prompts_of(programme, form.said.get("q", ""))
        context["page"] = _page(request, found)
    elif context["tab"] == REMOVED:
        context["gone"] = gone
    else:
        rows = bank.about_people if context["tab"] == PEOPLE else bank.questions
        context |= _rows(request, programme, rows, form)
    context["address"] = _address(context["tab"], form)
    return access.page(request, programme, "workshops/authoring/questions.html", **context)


def _tabs(counts: dict[str, int]) -> list[tuple[str, str, int]]:
    names = {
        QUESTIONS: _("Questions"),
        PEOPLE: _("About people"),
        BREAKOUTS: _("Breakouts"),
        REMOVED: _("Removed"),
    }
    return [(tab, names[tab], counts[tab]) for tab in names]


def _rows(
    request: HttpRequest, programme: Programme, rows: list[question_list.QuestionRow], form: FilterForm
) -> dict[str, Any]:
    said = form.said
    if adds_up := said.get("adds", ""):
        question_list.load_workshops(programme, rows)
    found = question_list.matching(rows, words=said.get("q", ""), kind=said.get("how", ""), adds_up=adds_up)
    page = _page(request, found)
    if not adds_up:
        question_list.load_workshops(programme, page.object_list)
    return {
        "page": page,
        "groups": list(question_list.by_group(page.object_list)),
        "opened": request.GET.get("open", ""),
    }


def _page(request: HttpRequest, found: Any) -> Page[Any]:
    return Paginator(found, ROWS_A_PAGE).get_page(request.GET.get("page"))


def _address(tab: str, form: FilterForm) -> str:
    """The query of this list, to which a page or an opened question is added."""
    return urlencode(({"tab": tab} if tab != QUESTIONS else {}) | form.said)


# --- removing ------------------------------------------------------------------------------


@login_required
@require_POST
def remove_question(request: HttpRequest, key: str, slug: str) -> HttpResponse:
    """Pressed twice, it is the same as pressed once."""
    programme = access.programme_for(request.user, key, *access.RUNNERS)
    instrument = get_object_or_404(programme.bank.instruments, key=slug)
    actions.remove_question(programme, _user(request), instrument)
    messages.success(request, _("“%s” is removed. Its answers stay.") % instrument)
    return redirect("questions", programme.key)


@login_required
@require_POST
def remove_prompt(request: HttpRequest, key: str, slug: str) -> HttpResponse:
    programme = access.programme_for(request.user, key, *access.RUNNERS)
    prompt = get_object_or_404(programme.prompts, key=slug)
    actions.remove_prompt(programme, _user(request), prompt)
    messages.success(request, _("“%s” is removed. What people said about it stays.") % prompt)
    return redirect(f"{reverse('questions', args=[programme.key])}?tab={BREAKOUTS}")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
