"""Plan a workshop."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from .. import access
from ..forms import PlanForm
from ..models import Programme
from ..planning import plan_workshop


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest, key: str) -> HttpResponse:
    programme = access.programme_for(request.user, key, *access.RUNNERS)
    form = PlanForm(programme, request.POST or None, initial=_first_guess(request, programme))
    if request.method == "POST" and form.is_valid():
        return _make(request, programme, form)
    context = access.page_context(request.user, programme)
    plans = [(one, sum(entry.get("minutes", 0) for entry in one.agenda)) for one in programme.plans.all()]
    return render(
        request, "workshops/plan.html", {**context, "section": "workshops", "form": form, "plans": plans}
    )


def _first_guess(request: HttpRequest, programme: Programme) -> dict[str, object]:
    """The programme's only or first plan, and its own title."""
    first = programme.plans.first()
    return {"title": programme.title, "plan": first.pk if first else None}


def _make(request: HttpRequest, programme: Programme, form: PlanForm) -> HttpResponse:
    said = form.cleaned_data
    workshop = plan_workshop(
        programme, said["plan"], title=said["title"], starts_at=said["starts_at"], expected=said["expected"]
    )
    messages.success(
        request,
        _("Workshop %(number)d is planned. Its code is %(code)s.")
        % {"number": workshop.number, "code": workshop.spaced_code},
    )
    return redirect("home")
