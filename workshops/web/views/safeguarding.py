"""What is flagged for safeguarding, for the named lead alone; and naming the lead, which owners do."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ...actions.authoring import team
from ...actions.moderation import decide
from ...actions.stage import GestureRejected
from ...people import access
from ...text import decisions


@login_required
@never_cache
@require_safe
def flagged(request: HttpRequest, key: str) -> HttpResponse:
    """All flagged words of a programme."""
    programme = access.programme_for_lead(request.user, key)
    flagged = decisions.flagged(programme)
    return access.page(
        request, programme, "workshops/safeguarding.html", section="safeguarding", flagged=flagged
    )


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
    team.name_lead(programme, person, request.user)
    words = (
        _("Flagged words go to that person alone from now on.")
        if chosen
        else _("Flagged words go to owners.")
    )
    messages.success(request, words)
    return redirect("people", key=key)
