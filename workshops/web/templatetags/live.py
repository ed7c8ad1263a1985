"""What the live script needs from a page: its words, translated."""

from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils.html import json_script
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from ...groups import Note

register = template.Library()


@register.simple_tag
def live_words() -> SafeString:
    """Every sentence that the script may show, as JSON; `%s` stands for the answer or a number."""
    return json_script(_live_words(), "words")


@register.simple_tag
def questionnaire_words() -> SafeString:
    """The same for a questionnaire, where no next question opens by itself."""
    own = {
        "savedMore": _("Results appear here when the questionnaire closes."),
        "lateMore": _("It wasn’t counted this time."),
        "closed": _("This questionnaire has closed"),
        "notAnswered": _("You did not answer this one."),
        "unsent": _("Answers not saved yet: %s. They are safe on this phone and sent again by themselves."),
    }
    return json_script(_live_words() | own, "words")


def _live_words() -> dict[str, str]:
    return {
        "connected": _("Connected"),
        "reconnecting": _("Reconnecting"),
        "weak": _("Weak signal"),
        "offline": _("No signal"),
        "sending": _("Sending your answer"),
        "sendingMore": _("This can take a few seconds on a weak signal."),
        "saved": _("Saved: %s"),
        "savedMore": _("Results appear here when the question closes."),
        "savedFixed": _("This answer cannot be changed."),
        "failed": _("Not saved yet, trying again"),
        "failedMore": _("Your answer is safe on this phone."),
        "late": _("Closed before your answer arrived"),
        "lateMore": _("It wasn’t counted this time. The next question will open by itself."),
        "lateKept": _("Your earlier answer, %s, was counted."),
        "closed": _("This question has closed"),
        "counted": _("Your answer, %s, was counted."),
        "notAnswered": _("You did not answer this one. The next question will open by itself."),
        "refused": _("Not saved"),
        "yours": _("Yours"),
        "passed": _("you passed"),
        "busy": _("Sending"),
    }


@register.simple_tag
def group_words() -> SafeString:
    """What the script says in a small group, as JSON; by command where something was done."""
    return json_script(
        {
            "note": _("Saved. Your note is with the group."),
            "own": _("Saved. Your group does not see it yet."),
            "edit_note": _("Saved. Your change is with the group."),
            "take_back": _("Your note is taken back."),
            "agree": _("You agree with this note."),
            "agree off": _("You no longer agree with this note."),
            "pick": _("This is your group’s sentence now."),
            "pick off": _("Your group chooses another sentence."),
            "scribe": _("You take the notes now."),
            "scribe off": _("Anyone in the group can take the notes now."),
            "help": _("The facilitator knows that you are calling."),
            "help off": _("Your call is taken back."),
            "move_note": _("The note is moved."),
            "choose": _("You have a place now."),
            "stand_up": _("You are in no group just now. Choose another."),
            "table": _("You have a place now."),
            "sending": _("Sending"),
            "waiting": _("Not saved yet, trying again"),
            "empty": _("Write a few words first."),
            "long": _("A note can have up to 1,000 letters; write two."),
            "number": _("Write the number that stands on your table."),
            "left": _("Letters left: %s"),
            "over": _("Letters too many: %s"),
            "busy": _("Save or cancel the change you have begun first."),
            "answered": _("Your group has taken its call back."),
            "new": _("New notes from your group: %s"),
            "asked": _("There is a question for everybody at the top of this page."),
        },
        "group-words",
    )


@register.simple_tag
def shared_note(note: Note) -> SafeString:
    """A note as all of its group see it, but for the end of its list item."""
    return _shared_note(note, get_language())


# of a pad that is drawn anew one note has changed, and a hundred groups write at once
@lru_cache(maxsize=20_000)
def _shared_note(note: Note, _language: str | None) -> SafeString:
    return render_to_string("workshops/phone/_note.html", {"note": note})
