"""What the live script needs from a page: its words, translated."""

from django import template
from django.utils.html import json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_tag
def live_words() -> SafeString:
    """Every sentence that the script may show, as JSON; `%s` stands for the answer or a number."""
    return json_script(
        {
            "connected": _("Connected"),
            "reconnecting": _("Reconnecting"),
            "weak": _("Weak signal"),
            "offline": _("No signal"),
            "sending": _("Sending: %s"),
            "sendingMore": _("This can take a few seconds on a weak signal."),
            "saved": _("Saved: %s"),
            "savedMore": _("Results appear here when the question closes."),
            "savedFixed": _("This answer cannot be changed."),
            "failed": _("Not saved yet, trying again"),
            "failedMore": _("Your answer, %s, is safe on this phone."),
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
        },
        "words",
    )
