"""Make a programme: from a template, a file or a title. Nothing is made before the person says so."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from ...actions.authoring import programme_file, programmes
from ...actions.authoring.programmes import Made, NotPossible
from ...models import Membership, Programme, Role, new_key
from ...operations import demo
from ...people import access, second_factor
from ...people.invitations import absolute_url
from ...programmes import templates
from ...programmes.file import format as file_format
from ...programmes.file.checks import ProgrammeFileError, mended
from ..forms.programmes import FileForm, TitleForm, pack, unpack

#: a second press on the same button finds what the first has made, for so many seconds
ONCE_SECONDS = 60 * 60


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Three doors; and the demo, to look around first."""
    title = TitleForm(request.POST if request.POST.get("do") == "title" else None)
    file = FileForm()
    if request.method == "POST":
        match request.POST.get("do"):
            case "template":
                return _from_template(request)
            case "title":
                if title.is_valid():
                    said = title.cleaned_data["title"]
                    return _once(request, lambda: programmes.make_with_title(request.user, said))
            case "file":
                file = FileForm(request.POST, request.FILES)
                if file.is_valid():
                    return checked(request, file.cleaned_data["source"])
            case _:
                raise Http404
    status = 422 if title.errors or file.errors else 200
    return _new_page(request, title, file, status)


def _new_page(request: HttpRequest, title: TitleForm, file: FileForm, status: int) -> HttpResponse:
    own = Membership.objects.filter(user=request.user, role=Role.OWNER, workshop=None)
    context = {
        "title_form": title,
        "file_form": file,
        "templates": templates.all_templates(),
        "is_first": not access.programmes_of(request.user),
        "once": new_key(),
        "demo": demo.demo_of(request.user),
        "demo_people": demo.PHONES,
        "removed": Programme.objects.filter(memberships__in=own).exclude(removed_at=None),
    }
    return render(request, "workshops/authoring/programme_new.html", context, status=status)


def _from_template(request: HttpRequest) -> HttpResponse:
    try:
        template = templates.template(request.POST.get("template", ""))
    except KeyError:
        raise Http404 from None
    return _once(request, lambda: programmes.make_from_template(request.user, template.name))


def _once(request: HttpRequest, make: Any) -> HttpResponseRedirect:
    """Make it, unless this very page was sent before."""
    key = f"made:{request.user.pk}:{request.POST.get('once', '')[:64]}"
    if request.POST.get("once") and not cache.add(key, "", ONCE_SECONDS):
        return redirect(cache.get(key) or "home")
    try:
        answer = _landed(request, make())
    except Exception:
        cache.delete(key)
        raise
    cache.set(key, answer.url, ONCE_SECONDS)
    return answer


def _landed(request: HttpRequest, made: Made) -> HttpResponseRedirect:
    messages.success(
        request, _("“%s” is made, and you are its owner. Here is its first workshop.") % made.programme.title
    )
    return redirect("prepare", code=made.workshop.code)


# --- a file, looked at before anything is made ----------------------------------------------------------------


@login_required
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """The page that shows a file has four ways on: mend what is plain, look again, make it, load it."""
    if request.POST.get("do") == "again":
        form = FileForm(request.POST, request.FILES)
        if form.is_valid():
            return checked(request, form.cleaned_data["source"])
        return _new_page(request, TitleForm(), form, 422)
    try:
        text = unpack(request.POST.get("packed", ""))
    except ValueError:
        messages.warning(request, _("The file was lost on the way. Choose it again; nothing was made."))
        return redirect("programme-new")
    if request.POST.get("do") == "mend":
        text = _mended(text)
    return checked(request, text, confirmed=request.POST.get("confirmed", ""))


def _mended(text: str) -> str:
    try:
        file_format.parse(text)
    except ProgrammeFileError as error:
        return mended(text, error.mistakes)
    return text


def checked(request: HttpRequest, text: str, confirmed: str = "") -> HttpResponse:
    """`confirmed` names what the person has seen; where the file would do something else by now, they look again."""
    try:
        file = file_format.parse(text)
        programme = Programme.objects.filter(key=file.programme.key).first()
        roles = access.roles(request.user, programme) if programme else frozenset()
        if programme and roles:
            second_factor.check(request.user, programme, roles)
            return _for_existing(request, text, programme, roles, confirmed)
        text = programmes.as_new(text)
    except ProgrammeFileError as error:
        return _mistakes_page(request, text, error)
    file = file_format.parse(text)
    if confirmed == "new":
        return _once(request, lambda: programmes.make_from_file(request.user, text))
    return _file_page(
        request,
        text,
        heading=_("Your file is in order"),
        counts=templates.Counts.of(file),
        file=file,
        new=True,
    )


def _mistakes_page(request: HttpRequest, text: str, error: ProgrammeFileError) -> HttpResponse:
    number = len(error.mistakes)
    heading = ngettext("One thing to mend in your file", "%(number)d things to mend in your file", number)
    plain = sum(mistake.mend is not None for mistake in error.mistakes)
    return _file_page(
        request, text, status=422, heading=heading % {"number": number}, mistakes=error.mistakes,
        mendable=plain, all_mendable=plain == number,
    )  # fmt: skip


def _for_existing(
    request: HttpRequest, text: str, programme: Programme, roles: frozenset[str], confirmed: str
) -> HttpResponse:
    if Role.OWNER not in roles:
        words = _("This is the file of “%s”, which is here already. Only its owners can load it.")
        messages.warning(request, words % programme.title)
        return redirect("programme-new")
    whole = request.POST.get("whole") == "yes"
    seen = programme_file.preview(text, into=programme, whole=whole)
    mark = _mark(seen)
    if confirmed == mark:
        programmes.load_file(programme, request.user, text, whole=whole)
        messages.success(request, _("“%s” is as the file says.") % programme.title)
        return redirect("settings", key=programme.key)
    if confirmed:
        messages.warning(request, _("Something was changed here meanwhile. Look again before you go on."))
    return _file_page(
        request, text, heading=_("What the file would change"), existing=programme, seen=seen, mark=mark,
        whole=whole,
    )  # fmt: skip


def _mark(seen: programme_file.Loaded) -> str:
    """Names what a load would do."""
    said = "\n".join([*seen.changes, "", *seen.removed, "", *seen.kept])
    return hashlib.sha256(said.encode()).hexdigest()


def _file_page(request: HttpRequest, text: str, *, status: int = 200, **context: Any) -> HttpResponse:
    try:
        packed = pack(text)
    except ValueError:
        packed = ""
    context |= {"packed": packed, "text": text, "once": new_key()}
    return render(request, "workshops/authoring/programme_file.html", context, status=status)


# --- removed, and the demo ------------------------------------------------------------------------------------


@login_required
@require_POST
def bring_back(request: HttpRequest, key: str) -> HttpResponse:
    """A removed programme, by one of its owners."""
    programme = get_object_or_404(Programme, key=key)
    roles = access.roles(request.user, programme)
    if Role.OWNER not in roles:
        raise Http404
    second_factor.check(request.user, programme, roles)
    if programme.removed_at:
        programmes.bring_back(programme, request.user)
        messages.success(request, _("“%s” is here again.") % programme.title)
    return redirect("home")


@login_required
@require_POST
def demo_again(request: HttpRequest) -> HttpResponse:
    """The demo, made anew; or joined by somebody who looks around first."""
    try:
        base_url = settings.REHEARSAL_URL or absolute_url("/", request)
        workshop = demo.open_for(request.user, base_url, anew=request.POST.get("do") == "again")
    except NotPossible as why:
        messages.warning(request, str(why))
        return redirect("programme-new")
    return redirect("console", code=workshop.code)
