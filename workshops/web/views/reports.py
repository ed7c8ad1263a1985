"""What stays of a workshop: what people wrote, to read and to take home, and what was said in groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ... import commands
from ...actions import transcripts as transcript_actions
from ...actions.log import note, note_reading
from ...actions.stage import GestureRejected
from ...models import Group, Transcript, Workshop
from ...people import access
from ...screens import result_context
from ...text import reports, workshop_results
from ...text.exports import markdown, notes_csv, notes_docx, results_docx, transcript_vtt
from ...text.transcripts import worker
from ...text.transcripts.formats import TranscriptError
from ..forms.transcripts import TranscriptForm
from ..readable_input import read_number

PARTS_A_PAGE = 500  # of a transcript

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def _page(
    request: HttpRequest, workshop: Workshop, template: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    context |= {"section": "workshops", "workshop": workshop}
    return access.page(request, workshop.programme, template, status=status, **context)


@login_required
@never_cache
@require_safe
def results(request: HttpRequest, code: str) -> HttpResponse:
    """What came out of one workshop: its closed questions, the sentences that the room decided about, its groups."""
    workshop = access.workshop_for(request.user, code)
    found = workshop_results.of(workshop)
    return access.page(
        request, workshop.programme, "workshops/results.html", workshop=workshop, section="workshops", results=found,
        questions=[_drawn(each) for each in found.questions], sentences=[_drawn(each) for each in found.sentences],
    )  # fmt: skip


@login_required
@never_cache
@require_safe
def results_file(request: HttpRequest, code: str) -> HttpResponse:
    """The same as a Word document."""
    workshop = access.workshop_for(request.user, code)
    name = f"{workshop.programme.key}-workshop-{workshop.number}-results.docx"
    note(workshop.programme, request.user, "exported", about=name, workshop=workshop)
    return _file(results_docx.write(workshop_results.of(workshop)), DOCX, name)


def _drawn(answered: workshop_results.Answered) -> dict[str, Any]:
    """A question as phones draw its result."""
    question = answered.result.question
    return result_context(answered.result) | {
        "answered": answered,
        "question": question,
        "result_template": f"polls/{question.type}/result.html",
    }


@login_required
@never_cache
@require_safe
def notes(request: HttpRequest, code: str) -> HttpResponse:
    """By group time and group, with the sentences that were shared back; then the texts of the whole room."""
    workshop = access.workshop_for(request.user, code)
    transcript_actions.throw_away_forgotten()
    return _notes(request, workshop, reword=request.GET.get("reword", ""))


def _notes(
    request: HttpRequest, workshop: Workshop, *, status: int = 200, reword: str = "", typed: str = ""
) -> HttpResponse:
    """`reword` is the ref of words that somebody writes anew, `typed` what they wrote and what was refused."""
    return _page(
        request, workshop, "workshops/notes.html", status=status, notes=reports.of(workshop), reword=reword,
        typed=typed,
    )  # fmt: skip


@login_required
@never_cache
@require_safe
def notes_file(request: HttpRequest, code: str, kind: str) -> HttpResponse:
    """The same as a file."""
    workshop = access.workshop_for(request.user, code)
    content_type, write = NOTES_FILES[kind]
    name = f"{workshop.programme.key}-workshop-{workshop.number}-notes.{kind}"
    note(workshop.programme, request.user, "exported", about=name, workshop=workshop)
    return _file(write(reports.of(workshop)), content_type, name)


def _csv(all_notes: reports.Notes) -> HttpResponse:
    response = HttpResponse()
    notes_csv.write(all_notes, response)
    return response


NOTES_FILES: dict[str, tuple[str, Callable[[reports.Notes], Any]]] = {
    "csv": ("text/csv; charset=utf-8", _csv),
    "md": ("text/markdown; charset=utf-8", markdown.notes),
    "docx": (DOCX, notes_docx.write),
}


def _file(content: Any, content_type: str, name: str) -> HttpResponse:
    response = content if isinstance(content, HttpResponse) else HttpResponse(content)
    response["Content-Type"] = content_type
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@login_required
@require_POST
def decide(request: HttpRequest, code: str) -> HttpResponse:
    """A facilitator decides about a note or a text, or brings it to the vision."""
    workshop = access.workshop_for(request.user, code, *access.RUNNERS)
    verb, ref = request.POST.get("do", ""), request.POST.get("ref", "")
    name, fields = VERBS.get(verb, ("", {}))
    words = request.POST.get("words", "") if verb == "reword" else ""
    if words:
        fields = {**fields, "words": words}
    try:
        commands.run_staff_command(
            workshop.pk, request.user, commands.staff_command(name, {"ref": ref, **fields})
        )
    except commands.BadCommand:
        raise Http404 from None
    except GestureRejected as why:
        messages.warning(request, str(why))
        if words:  # they stay where they were typed
            return _notes(request, workshop, status=422, reword=ref, typed=words)
    else:
        if verb == "flag":
            messages.success(
                request, _("Flagged for safeguarding. Only the safeguarding lead can read this now.")
            )
    return redirect(reverse("notes", args=[workshop.code]) + f"#{ref}")


#: what a button of that page does: a gesture, and what it carries beside the words
VERBS: dict[str, tuple[str, dict[str, str]]] = {
    "show": ("decide", {"state": "shown"}),
    "hide": ("decide", {"state": "hidden"}),
    "redact": ("decide", {"state": "redacted"}),  # without what is marked
    "reword": ("decide", {"state": "redacted"}),  # in words that come with it
    "flag": ("decide", {"state": "flagged"}),
    "propose": ("propose", {}),
    "hold_back": ("propose", {"on": "false"}),
}


# --- transcripts -------------------------------------------------------------------------------------------


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add_transcript(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """A file or pasted words; names are taken out before anything is stored."""
    workshop = access.workshop_for(request.user, code)
    groups = Group.objects.filter(round__workshop=workshop, round__opened_at__isnull=False)
    group = get_object_or_404(groups.select_related("round"), pk=pk)
    form = _transcript_form(request)
    if request.method == "POST" and form.is_valid():
        try:
            cues = worker.pseudonymised(form.cleaned_data["source"], form.cleaned_data["facilitators"])
            added = transcript_actions.add(group, cues, request.user)
            return redirect("transcript", code=workshop.code, pk=added.pk)
        except TranscriptError as why:
            form.add_error("file" if form.cleaned_data["file"] else "text", str(why))
        except (worker.TranscriptWorkerBusy, GestureRejected) as why:
            form.add_error(None, str(why))
    status = 422 if form.errors else 200
    return _page(
        request, workshop, "workshops/transcript_add.html", status=status, form=form, group=group,
        megabytes=worker.SIZE_LIMIT // 1024**2,
    )  # fmt: skip


def _transcript_form(request: HttpRequest) -> TranscriptForm:
    if request.method != "POST":
        return TranscriptForm()
    # What does not fit in memory is not read at all: nothing of it is ever on a disk.
    sent = read_number(request.META.get("CONTENT_LENGTH") or "")
    too_large = not request.FILES and sent > settings.FILE_UPLOAD_MAX_MEMORY_SIZE
    return TranscriptForm(request.POST, request.FILES, too_large=too_large)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def transcript(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """Read it; keep it or throw it away while it is new, remove it later."""
    workshop = access.workshop_for(request.user, code)
    mine = _transcript(request, workshop, pk)
    if request.method == "POST":
        return _decided(request, workshop, mine)
    about = transcript_actions.called(mine)
    note_reading(workshop.programme, request.user, "read_transcript", about=about, workshop=workshop)
    cues = mine.parts()
    parts = Paginator(cues, PARTS_A_PAGE).get_page(request.GET.get("page"))
    speakers = list(dict.fromkeys(cue["speaker"] for cue in cues if cue["speaker"]))
    return _page(
        request, workshop, "workshops/transcript.html", transcript=mine, group=mine.group, parts=parts,
        speakers=speakers, number=len(cues), unnamed=sum(not cue["speaker"] for cue in cues),
        lasts=max(cue["end"] or cue["start"] for cue in cues),
    )  # fmt: skip


def _transcript(request: HttpRequest, workshop: Workshop, pk: int) -> Transcript:
    """One that was kept, or that this user added: nobody else learns of what nobody has looked at."""
    found = Transcript.objects.filter(group__round__workshop=workshop)
    mine = found.filter(Q(kept_at__isnull=False) | Q(added_by=request.user))
    return get_object_or_404(mine.select_related("group__round__workshop__programme"), pk=pk)


def _decided(request: HttpRequest, workshop: Workshop, mine: Transcript) -> HttpResponse:
    wanted = request.POST.get("do")
    if wanted == "keep":
        transcript_actions.keep(mine, request.user)
        messages.success(request, _("The transcript is kept with its group."))
        return redirect("transcript", code=workshop.code, pk=mine.pk)
    if wanted != "remove":
        raise Http404
    transcript_actions.remove(mine, request.user)
    messages.success(request, _("The transcript is gone."))
    return redirect("notes", code=workshop.code)


@login_required
@never_cache
@require_safe
def transcript_file(request: HttpRequest, code: str, pk: int, kind: str) -> HttpResponse:
    """A transcript that was kept, as a file."""
    workshop = access.workshop_for(request.user, code)
    mine = _transcript(request, workshop, pk)
    if mine.kept_at is None:
        raise Http404
    content_type, write = TRANSCRIPT_FILES[kind]
    group = mine.group
    name = f"{workshop.programme.key}-workshop-{workshop.number}-round-{group.round.number}-group-{group.number}.{kind}"
    note(workshop.programme, request.user, "exported", about=name, workshop=workshop)
    return _file(write(mine), content_type, name)


TRANSCRIPT_FILES: dict[str, tuple[str, Callable[[Transcript], str]]] = {
    "vtt": ("text/vtt; charset=utf-8", lambda transcript: transcript_vtt.write(transcript.parts())),
    "md": ("text/markdown; charset=utf-8", markdown.transcript),
}
