"""What is flagged for safeguarding, for the named lead alone; and naming the lead, which owners do."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from .. import access, moderation
from ..actions.facilitation import NotNow
from ..actions.moderation import decide


@login_required
@never_cache
@require_safe
def flagged(request: HttpRequest, key: str) -> HttpResponse:
    """All flagged words of a programme."""
    programme = access.programme_for_lead(request.user, key)
    context = {"section": "safeguarding", "flagged": moderation.flagged(programme)}
    return render(
        request, "workshops/safeguarding.html", access.page_context(request.user, programme) | context
    )


@login_required
@require_POST
def release(request: HttpRequest, key: str) -> HttpResponse:
    """Take a flag off: the words wait for a check again."""
    programme = access.programme_for_lead(request.user, key)
    ref = request.POST.get("ref", "")
    found = next((one for one in moderation.flagged(programme) if one.ref == ref), None)
    if found is None:
        raise Http404
    try:
        decide(found.workshop.pk, request.user, ref, "pending")
        messages.success(request, _("The flag is off. The words wait for a check again."))
    except NotNow as error:
        messages.warning(request, str(error))
    return redirect("safeguarding", key=key)


@login_required
@require_POST
def name_lead(request: HttpRequest, key: str) -> HttpResponse:
    """Name the lead, somebody of the programme; an empty field leaves it to the owners."""
    programme = access.programme_for(request.user, key, *access.OWNERS)
    chosen = request.POST.get("lead", "")
    members = {str(pk) for pk in programme.memberships.values_list("user", flat=True)}
    if chosen and chosen not in members:
        raise Http404
    programme.safeguarding_lead_id = int(chosen) if chosen else None
    programme.save(update_fields=["safeguarding_lead"])
    words = (
        _("Flagged words go to that person alone from now on.")
        if chosen
        else _("Flagged words go to owners.")
    )
    messages.success(request, words)
    return redirect("people", key=key)
