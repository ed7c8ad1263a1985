"""What is flagged for safeguarding, for the named lead alone; and naming the lead, which owners do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ...actions.authoring import lead
from ...actions.log import note_reading
from ...actions.moderation import decide
from ...actions.stage import GestureRejected
from ...models import Programme, Role
from ...people import access, invitations
from ...text import decisions


@login_required
@never_cache
@require_safe
def flagged(request: HttpRequest, key: str) -> HttpResponse:
    """All flagged words of a programme."""
    programme = access.programme_for_lead(request.user, key)
    lead.settle(programme)
    flagged = decisions.flagged(programme)
    if flagged:
        note_reading(programme, request.user, "read_flagged", newest=flagged[0].at)
    return access.page(
        request, programme, "workshops/safeguarding.html", section="safeguarding", flagged=flagged,
        nomination=lead.nomination(programme, request.user),
    )  # fmt: skip


@login_required
@require_POST
def release(request: HttpRequest, key: str) -> HttpResponse:
    """Take a flag off: the words wait for a check again."""
    programme = access.programme_for_lead(request.user, key)
    ref = request.POST.get("ref", "")
    found = next((one for one in decisions.flagged(programme) if one.ref == ref), None)
    if found is None:
        raise Http404
    try:
        decide(found.workshop.pk, request.user, ref, "pending")
        messages.success(request, _("The flag is off. The words wait for a check again."))
    except GestureRejected as error:
        messages.warning(request, str(error))
    return redirect("safeguarding", key=key)


@login_required
@require_POST
def name_lead(request: HttpRequest, key: str) -> HttpResponse:
    """Name the lead, somebody of the programme; an empty field leaves it to the owners."""
    programme = access.programme_for(request.user, key, *access.OWNERS)
    chosen = request.POST.get("lead", "")
    members = programme.memberships.filter(workshop=None).select_related("user")
    person = next((one.user for one in members if str(one.user_id) == chosen), None)
    if chosen and person is None:
        raise Http404
    link = invitations.absolute_url(reverse("safeguarding", args=[key]), request)
    try:
        at_once = lead.name(programme, person, request.user, link=link)
    except lead.NominationWaits:
        messages.warning(request, _("Somebody else is named already. Take that back first."))
    except lead.LeadNotTold:
        messages.warning(request, _("The mail could not be sent. Nobody was named; try again in a moment."))
    else:
        messages.success(request, _so_it_is(person) if at_once else _("Named. Nothing has changed yet."))
    return redirect("people", key=key)


def _so_it_is(person: User | None) -> str:
    if person is None:
        return _("Flagged words go to owners.")
    return _("Flagged words go to that person alone from now on.")


@login_required
@require_POST
def answer(request: HttpRequest, key: str) -> HttpResponse:
    """Agree to the nomination of a lead, or refuse it; whoever named them takes it back."""
    programme = access.programme_for_lead_or_owner(request.user, key)
    action, words = ANSWERS.get(request.POST.get("do", ""), (None, ""))
    if action is None:
        raise Http404
    try:
        action(programme, request.user, request.POST.get("stamp", ""))
        messages.success(request, words)
    except lead.NothingToAnswer:
        messages.warning(request, _("This was answered or changed already. Look again."))
    except lead.MayNotAgree:
        messages.warning(request, _("Only the present lead can agree, or another owner of at least a day."))
    if Role.OWNER in access.roles(request.user, programme):
        return redirect("people", key=key)
    return redirect("safeguarding", key=key) if access.is_lead(request.user, programme) else redirect("home")


#: what a button does, and what it says then
ANSWERS: dict[str, tuple[Callable[[Programme, User, str], None], Any]] = {
    "agree": (lead.agree, gettext_lazy("Agreed. This is so from now on.")),
    "refuse": (lead.refuse, gettext_lazy("All stays as it is.")),
}
