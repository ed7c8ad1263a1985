"""The log of a programme: an action writes its row in its own transaction, and undo takes an action back.

    with logged(programme, by, "moved", about=item.title, workshop=workshop) as journal:
        journal.update(item, position=3)

An action that changes nothing leaves no row. Undo is an action too: it refuses, in one sentence, where a later
change touched the same columns of the same row.

The log is append-only. Two things extend an entry: the autosaves of one card, by one person, within two minutes; and
the further steps of one nightly run (`actions.retention`), whose numbers grow.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from polls import journal as row_journal
from polls.journal import Change, ChangedSince, Journal

from ..models import LogEntry, Programme, Workshop
from ..programmes.removed import KEPT_FOR
from ..signals import announce
from ..signals.topics import EVERYTHING

#: the line with "Undo" stands so long
UNDO_FOR = timedelta(minutes=10)
#: what was removed can be brought back so long
REMOVED_FOR = KEPT_FOR
#: a page that the same person opens again within so long is the same reading
ONE_READING = timedelta(minutes=10)
#: autosaves of one card are one entry so long after its first; undo then has at least eight minutes left
MERGE_FOR = timedelta(minutes=2)

#: verb → what the log says, of `about`
PEOPLE_SENTENCES = {
    "made_owner": gettext_lazy("Made %(about)s an owner"),
    "made_facilitator": gettext_lazy("Made %(about)s a facilitator"),
    "made_researcher": gettext_lazy("Made %(about)s a researcher"),
    "made_guest": gettext_lazy("Made %(about)s a guest"),
    "left": gettext_lazy("Took %(about)s off the list of people"),
    "invited_owner": gettext_lazy("Invited an owner"),
    "invited_facilitator": gettext_lazy("Invited a facilitator"),
    "invited_researcher": gettext_lazy("Invited a researcher"),
    "invited_guest": gettext_lazy("Invited a guest"),
    "invitation_taken_back": gettext_lazy("Took an invitation back"),
    "joined_owner": gettext_lazy("Joined as an owner"),
    "joined_facilitator": gettext_lazy("Joined as a facilitator"),
    "joined_researcher": gettext_lazy("Joined as a researcher"),
    "joined_guest": gettext_lazy("Joined as a guest"),
    "lead_named": gettext_lazy("Named to read what is flagged for safeguarding: %(about)s"),
    "lead_agreed": gettext_lazy("Agreed that this reads what is flagged for safeguarding: %(about)s"),
    "lead_refused": gettext_lazy("Refused who was named for safeguarding: %(about)s"),
    "lead_taken_back": gettext_lazy("Took back who was named for safeguarding: %(about)s"),
    "lead_took_effect": gettext_lazy("From now on reads what is flagged for safeguarding: %(about)s"),
}
#: nothing changes, but somebody was shown or took along what others wrote or answered; `note_reading`, `note`
READING_SENTENCES = {
    "read_flagged": gettext_lazy("Read what is flagged for safeguarding"),
    "read_transcript": gettext_lazy("Read transcript %(about)s"),
    "exported": gettext_lazy("Downloaded %(about)s"),
}
SUMMARY_SENTENCES = {
    "removed_statement": gettext_lazy("Took a statement out of the vision summary"),
    "published_summary": gettext_lazy("Published the vision summary, %(about)s"),
    "applied_retention": gettext_lazy("Removed what was past its time: %(about)s"),
    "withdrew_version": gettext_lazy("Withdrew the vision summary, %(about)s"),
    "said_own_words": gettext_lazy("Said that words of the vision summary are our own: %(about)s"),
    "took_words_out": gettext_lazy("Took words out of the vision summary: %(about)s"),
}
ACCOUNT_SENTENCES = {
    "signed_in": gettext_lazy("Signed in"),
    "wrong_password": gettext_lazy("Refused: a wrong password for %(about)s"),
    "wrong_code": gettext_lazy("Refused: the right password and a wrong code for %(about)s"),
    "too_many_tries": gettext_lazy("Refused: too many tries to sign in as %(about)s"),
    "signed_out_elsewhere": gettext_lazy("Signed out on another device"),
    "second_factor_added": gettext_lazy("Added a second step to signing in"),
    "second_factor_removed": gettext_lazy("Removed a second step from signing in"),
    "second_factor_taken_off": gettext_lazy("Second step taken off at the server, %(about)s"),
    "made_codes": gettext_lazy("Made new recovery codes"),
    "used_code": gettext_lazy("Used a recovery code"),
    "changed_passphrase": gettext_lazy("Changed the password"),
    "reset_passphrase": gettext_lazy("Set a new password by a link in a mail"),
}
#: every verb. One that removes something begins with "removed"; one about a question ends with what it is about
SENTENCES = (
    PEOPLE_SENTENCES
    | READING_SENTENCES
    | SUMMARY_SENTENCES
    | ACCOUNT_SENTENCES
    | {
        "undone": gettext_lazy("Took back: %(about)s"),
        "added_step": gettext_lazy("Added “%(about)s” to the agenda"),
        "copied_step": gettext_lazy("Copied the step “%(about)s”"),
        "moved_step": gettext_lazy("Moved “%(about)s”"),
        "removed_step": gettext_lazy("Removed “%(about)s” from the agenda"),
        "restored": gettext_lazy("Brought back %(about)s"),
        "opened_doors": gettext_lazy("Opened the doors"),
        "ended_workshop": gettext_lazy("Ended the workshop"),
        "added_transcript": gettext_lazy("Added transcript %(about)s"),
        "kept_transcript": gettext_lazy("Kept transcript %(about)s"),
        "removed_transcript": gettext_lazy("Removed transcript %(about)s"),
        "made_programme": gettext_lazy("Made the programme “%(about)s”"),
        "made_demo": gettext_lazy("Made “%(about)s” new"),
        "loaded_file": gettext_lazy("Loaded a programme file of “%(about)s”"),
        "changed_settings": gettext_lazy("Changed the settings of “%(about)s”"),
        "changed_sheet": gettext_lazy("Wrote information sheet %(about)s"),
        "changed_domains": gettext_lazy("Changed the domains: %(about)s"),
        "removed_domain": gettext_lazy("Removed the domain “%(about)s”"),
        "changed_profile": gettext_lazy("Changed the questions about people of “%(about)s”"),
        "removed_programme": gettext_lazy("Removed the programme “%(about)s”"),
        "restored_programme": gettext_lazy("Brought back the programme “%(about)s”"),
        "added_question": gettext_lazy("Added the question “%(about)s”"),
        "changed_question": gettext_lazy("Changed the question “%(about)s”"),
        "published_question": gettext_lazy("Saved a new version of the question “%(about)s”"),
        "kept_question": gettext_lazy("Kept the question “%(about)s” as it was asked"),
        "removed_question": gettext_lazy("Removed the question “%(about)s”"),
        "restored_question": gettext_lazy("Brought back the question “%(about)s”"),
        "added_prompt": gettext_lazy("Added the prompt “%(about)s”"),
        "changed_prompt": gettext_lazy("Changed the prompt “%(about)s”"),
        "removed_prompt": gettext_lazy("Removed the prompt “%(about)s”"),
        "restored_prompt": gettext_lazy("Brought back the prompt “%(about)s”"),
        "changed_step": gettext_lazy("Changed the step “%(about)s”"),
        "planned": gettext_lazy("Planned the workshop “%(about)s”"),
        "planned_series": gettext_lazy("Planned %(about)s workshops"),
        "copied_workshop": gettext_lazy("Copied the workshop “%(about)s”"),
        "changed_facts": gettext_lazy("Changed the facts of “%(about)s”"),
        "removed_workshop": gettext_lazy("Removed the workshop “%(about)s”"),
        "added_plan": gettext_lazy("Made the plan “%(about)s”"),
        "changed_plan": gettext_lazy("Changed the plan “%(about)s”"),
        "removed_plan": gettext_lazy("Removed the plan “%(about)s”"),
        "brought_along": gettext_lazy("Brought workshops along with the plan “%(about)s”"),
        "set_picture": gettext_lazy("Set the picture of %(about)s"),
        "took_picture": gettext_lazy("Took away the picture of %(about)s"),
        "changed_times": gettext_lazy("Changed when %(about)s opens and closes"),
        "changed_wall_key": gettext_lazy("Gave the wall of %(about)s a new address"),
        "changed_mode": gettext_lazy("Changed how people take part in %(about)s"),
    }
)

#: the subjects that the log can be filtered by
SUBJECTS = {
    "questions": gettext_lazy("Questions"),
    "workshops": gettext_lazy("Workshops and plans"),
    "people": gettext_lazy("People"),
    "accounts": gettext_lazy("Signing in"),
    "settings": gettext_lazy("Settings"),
    "summary": gettext_lazy("Vision summary"),
    "reading": gettext_lazy("Readings and downloads"),
}
BY_SUBJECT = {
    "people": PEOPLE_SENTENCES, "accounts": ACCOUNT_SENTENCES, "summary": SUMMARY_SENTENCES,
    "reading": READING_SENTENCES,
}  # fmt: skip
ABOUT_QUESTIONS = ("question", "prompt", "measure", "version")
ABOUT_SETTINGS = ("programme", "file", "settings", "sheet", "domain", "domains", "profile", "retention")


class Stale(Exception):
    """Somebody else has changed this row since the person's page was drawn (optimistic lock)."""


class UndoRefused(Exception):
    """The message is one sentence for the person who pressed Undo."""


@contextmanager
def logged(
    programme: Programme,
    by: User | None,
    verb: str,
    *,
    about: str = "",
    workshop: Workshop | None = None,
    path: str = "",
    always: bool = False,
    merge_with_last: bool = False,
) -> Iterator[Journal]:
    """One action in one transaction: the block changes rows through the journal, then the log gets its row.

    `path` is the address of the page where it can be seen.
    `always`: also where no row was changed through the journal (something that cannot be undone).
    `merge_with_last`: an autosave. This person's newest entry is extended instead, if it has the same verb and path,
    is younger than `MERGE_FOR`, and nobody else has touched its rows since.
    A workshop's screens hear of it after the commit.
    """
    assert verb in SENTENCES, verb
    with transaction.atomic():
        journal = Journal()
        yield journal
        if not journal.changes and not always:
            return
        entry = LogEntry(
            programme=programme, workshop=workshop, by=by, verb=verb, about=about[:200], path=path,
            changes=journal.changes,
        )  # fmt: skip
        if not (merge_with_last and _merged_with_last(entry)):
            entry.save(force_insert=True)
        if workshop is not None:
            announce.changed(workshop.pk, *EVERYTHING)


def note(
    programme: Programme, by: User | None, verb: str, *, about: str = "", workshop: Workshop | None = None
) -> LogEntry:
    """A row for something that cannot be undone from the log, within the caller's transaction."""
    assert verb in SENTENCES, verb
    return LogEntry.objects.create(
        programme=programme, workshop=workshop, by=by, verb=verb, about=about[:200]
    )


def note_reading(
    programme: Programme,
    by: User | None,
    verb: str,
    *,
    about: str = "",
    workshop: Workshop | None = None,
    newest: datetime | None = None,
) -> None:
    """A row for words that somebody is about to be shown: before they are, so that no row means not shown.

    The same page opened again within `ONE_READING` is the same reading, unless something came to it since: `newest`.
    """
    since = timezone.now() - ONE_READING
    known = LogEntry.objects.filter(programme=programme, by=by, verb=verb, about=about, workshop=workshop)
    if not known.filter(at__gt=max(since, newest) if newest else since).exists():
        note(programme, by, verb, about=about, workshop=workshop)


def extend(entry: LogEntry, about: str) -> None:
    """The numbers of a run that goes on, within the caller's transaction."""
    LogEntry.objects.filter(pk=entry.pk).update(about=about[:200])


def _merged_with_last(entry: LogEntry) -> bool:
    last = LogEntry.objects.select_for_update().filter(programme=entry.programme, by=entry.by).first()
    if (
        last is None
        or (last.verb, last.path, last.workshop_id) != (entry.verb, entry.path, entry.workshop_id)
        or timezone.now() - last.at > MERGE_FOR
        or LogEntry.objects.filter(undoes=last).exists()
    ):
        return False
    changes = _extended(last.changes, entry.changes)
    if changes is None:
        return False
    LogEntry.objects.filter(pk=last.pk).update(changes=changes, about=entry.about)
    return True


def _extended(earlier: list[Change], later: list[Change]) -> list[Change] | None:
    """The changes of two actions as those of one; `None` where the later one did not find what the earlier one left."""
    rows = {(change["model"], change["pk"]): dict(change) for change in earlier}
    if len(rows) < len(earlier):
        return None
    for change in later:
        row = (change["model"], change["pk"])
        known = rows.get(row)
        if known is None:
            rows[row] = change
        elif known["after"] is None or change["before"] is None or change["after"] is None:
            return None  # the row was deleted or made again in between
        elif any(known["after"].get(name, value) != value for name, value in change["before"].items()):
            return None  # somebody else has changed the row in between
        else:
            if known["before"] is not None:
                known["before"] = change["before"] | known["before"]
            known["after"] = known["after"] | change["after"]
    return list(rows.values())


def check_rev(current: int, seen: int | None) -> None:
    """Raises `Stale` unless the page showed the present revision; `None` does not ask."""
    if seen is not None and seen != current:
        raise Stale


def sentence(entry: LogEntry) -> str:
    words = SENTENCES.get(entry.verb)
    return words % {"about": entry.about} if words else entry.about


def verbs_about(subject: str) -> list[str]:
    """The verbs of a subject of `SUBJECTS`; each verb belongs to one."""
    return [verb for verb in SENTENCES if _subject(verb) == subject]


def _subject(verb: str) -> str:
    for subject, verbs in BY_SUBJECT.items():
        if verb in verbs:
            return subject
    if verb.endswith(ABOUT_SETTINGS):
        return "settings"
    return "questions" if verb.endswith(ABOUT_QUESTIONS) else "workshops"


def can_undo(entry: LogEntry, now: datetime) -> bool:
    """Is it worth offering? `undo` looks at the rows themselves."""
    kept_for = REMOVED_FOR if entry.verb.startswith("removed") else UNDO_FOR
    return bool(entry.changes) and now - entry.at <= kept_for and not hasattr(entry, "undone_by")


def last_undoable(by: User, *, programme: Programme, workshop: Workshop | None = None) -> LogEntry | None:
    """This person's newest action of the last ten minutes here, for the line with "Undo"; `None` once undone."""
    entries = programme.log.filter(by=by, at__gt=timezone.now() - UNDO_FOR).exclude(changes=[])
    if workshop is not None:
        entries = entries.filter(workshop=workshop)
    last = entries.select_related("programme", "undone_by").first()
    if last is None or last.verb == "undone" or hasattr(last, "undone_by"):
        return None
    return last


def _is_step(change: Change) -> bool:
    return change["model"] == "workshops.agendaitem"


def undo(entry: LogEntry, by: User | None) -> None:
    """Take an action back. Raises `UndoRefused`."""
    removed = entry.verb.startswith("removed")
    with transaction.atomic():
        locked = LogEntry.objects.select_for_update().get(pk=entry.pk)
        if LogEntry.objects.filter(undoes=locked).exists():
            raise UndoRefused(_("This was taken back already."))
        if not locked.changes:
            raise UndoRefused(_("This cannot be taken back."))
        if timezone.now() - locked.at > (REMOVED_FOR if removed else UNDO_FOR):
            raise UndoRefused(_("This was too long ago to be taken back here. Change it at its place."))
        if locked.workshop and locked.workshop.has_ended and any(map(_is_step, locked.changes)):
            raise UndoRefused(_("This workshop has ended, so its agenda stays as it was."))
        try:
            with transaction.atomic():
                journal = row_journal.revert(locked.changes)
        except ChangedSince as changed:
            words = _("“%(row)s” was changed after this. Nothing was taken back.")
            raise UndoRefused(
                words % {"row": changed.row}
                if changed.row
                else _("What this was about is gone. Nothing was taken back.")
            ) from None
        LogEntry.objects.create(
            programme=locked.programme, workshop=locked.workshop, by=by, verb="undone",
            about=sentence(locked)[:200], path=locked.path, changes=journal.changes, undoes=locked,
        )  # fmt: skip
        if locked.workshop_id:
            announce.changed(locked.workshop_id, *EVERYTHING)
