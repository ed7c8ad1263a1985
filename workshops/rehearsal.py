"""The pass of a rehearsal: proof that whoever joins was started by this project's own command.

Signed with the project's key and good for a few minutes, so nobody else can mark a phone as rehearsal.
"""

from __future__ import annotations

from django.core import signing

from .models import Workshop

SALT = "workshops.rehearsal"
PASS_SECONDS = 15 * 60


def new_pass(workshop: Workshop) -> str:
    return signing.dumps(workshop.pk, salt=SALT)


def is_pass(value: str, workshop: Workshop) -> bool:
    try:
        return bool(value) and signing.loads(value, salt=SALT, max_age=PASS_SECONDS) == workshop.pk
    except signing.BadSignature:
        return False
