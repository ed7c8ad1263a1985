"""Accounts without a role: a mail first, and thirty days later the account goes, unless its owner has signed in.

Somebody who signs in keeps the account for another thirty days; then they are told again. Superusers, safeguarding
leads and accounts without an address stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Coalesce
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from ...models import AccountNotice, Membership, Programme
from .due import Due, batches_of

#: from the last time somebody signed in to the mail, and from the mail to the end
QUIET_FOR = NOTICE = timedelta(days=30)


def accounts(programme: Programme | None, now: datetime) -> Iterator[Due]:
    """Those that were told thirty days ago."""
    over = _without_role().filter(notice__sent_at__lte=now - NOTICE, seen_at__lt=F("notice__sent_at"))
    if programme is None and over.exists():
        yield Due("accounts", now, None, partial(batches_of, over, 1), partial(_remove, over))


def _without_role() -> QuerySet[Any]:
    role = Exists(Membership.objects.filter(user=OuterRef("pk")))
    leads = Exists(Programme.objects.filter(safeguarding_lead=OuterRef("pk")))
    found = get_user_model().objects.filter(is_superuser=False, is_staff=False).exclude(email="")
    return found.exclude(role | leads).annotate(seen_at=Coalesce("last_login", "date_joined"))


def _remove(over: QuerySet[Any], found: list[int]) -> int:
    # Under the lock: they may have signed in, or got a role, a moment ago.
    list(get_user_model().objects.filter(pk__in=found).select_for_update(of=("self",)))
    return sum(bool(user.delete()[0]) for user in over.filter(pk__in=found))


def to_be_told(now: datetime) -> QuerySet[Any]:
    quiet = _without_role().filter(seen_at__lt=now - QUIET_FOR, is_active=True)
    return quiet.exclude(notice__sent_at__gte=F("seen_at")).order_by("pk")


def tell(user: User, now: datetime) -> None:
    """Send the mail, then note that it went; a crash in between sends it twice. Raises `OSError`."""
    context = {
        "days": NOTICE.days,
        "day": now + NOTICE,
        "link": settings.PUBLIC_URL + reverse("account_login") if settings.PUBLIC_URL else "",
    }
    send_mail(
        subject=_("Your account will be removed"),
        message=render_to_string("workshops/account_notice_mail.txt", context),
        from_email=None,
        recipient_list=[user.email],
    )
    AccountNotice.objects.update_or_create(user=user, defaults={"sent_at": now})


def forget_notices() -> None:
    """Of people who have a role again, so that a later end of it begins with a new mail."""
    AccountNotice.objects.filter(user__in=Membership.objects.values("user")).delete()
