"""What an entry of the log says."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from ...actions.log import sentence
from ...models import LogEntry

register = template.Library()
register.filter(sentence)


@register.filter
def you_did(entry: LogEntry) -> str:
    """ "You moved “Share back” down." """
    words = sentence(entry)
    # Translators: did is "moved “Tea” down", Did the same as a beginning: "Moved “Tea” down"; use one of them.
    return _("You %(did)s.") % {"did": words[:1].lower() + words[1:], "Did": words}
