"""Staff accounts, memberships and invitations. There is no sign-up: owners invite (`actions.authoring.team`).

An invitation is a link with a secret, of which the database has the hash. It works once: for the address it was mailed
to, for two weeks; or, copied by hand, for whoever opens it within a week.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from typing import Any, ClassVar
from urllib.parse import quote

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core.internal.ratelimit import RateLimitUsage, consume, truncate_ip
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy

from ..models import Invitation, Membership, Programme, Workshop

DEVICE_SALT = "workshops.people.invitations.device"
DEVICE_COOKIE_AGE = 60 * 60 * 24 * 365  # seconds
#: as allauth's own, without the part that counts everybody behind one address
OF_A_KNOWN_DEVICE = {"login_failed": "5/5m/key"}


def device_cookie(email: str) -> str:
    """The name of the cookie, a keyed hash: others who use this device learn no address from it."""
    return settings.DEVICE_COOKIE_PREFIX + salted_hmac(DEVICE_SALT, email.strip().lower()).hexdigest()[:16]


def known_device(request: HttpRequest, login: str) -> str:
    """The random key of a device that has signed in to this account before; empty for any other."""
    return request.get_signed_cookie(device_cookie(login), "", salt=DEVICE_SALT) or ""


def _login(credentials: dict[str, Any]) -> str:
    login: str = credentials.get("email", credentials.get("username", ""))
    return login.strip().lower()


class InvitedOnlyAdapter(DefaultAccountAdapter):
    """allauth without sign-up."""

    #: what this try has used up of the count over all sources
    _everywhere: RateLimitUsage | None = None

    error_messages: ClassVar[dict[str, Any]] = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy(
            "This email and this password do not belong together. Try again, or get a new password."
        ),
        "too_many_login_attempts": gettext_lazy(
            "Too many tries. Wait five minutes and try again, or get a new password by mail."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The Host header of a request that anybody can make does not say where a mail's link leads."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return absolute_url(path.replace("UID-KEY", quote(key)), self.request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Wrong passwords count per account and source, so that a stranger cannot lock somebody out of their account,
        and per account over all sources, which slows down a guess from many. A device that has signed in to this
        account before has a count of its own and no other, whoever else tries, be it from the same room."""
        login = _login(credentials)
        device = known_device(request, login)
        own = {"config": OF_A_KNOWN_DEVICE} if device else {}
        key = f"{login}:{device or self.get_client_ip(request)}"
        self._login_failed_rl_usage = consume(
            request, app="allauth.account", action="login_failed", key=key, **own
        )
        if self._login_failed_rl_usage and not device:
            rate = {"everywhere": settings.SIGN_IN_FAILURES_EVERYWHERE}
            self._everywhere = consume(request, app="workshops", action="everywhere", config=rate, key=login)
        if not (self._login_failed_rl_usage and (device or self._everywhere)):
            request.refused = ("too_many_tries", login)  # type: ignore[attr-defined]
            raise self.validation_error("too_many_login_attempts")

    def _rollback_login_failed_rl_usage(self) -> None:
        super()._rollback_login_failed_rl_usage()
        if self._everywhere:
            self._everywhere.rollback()

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        request.refused = ("wrong_password", _login(credentials))  # type: ignore[attr-defined]

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, str]]:
        """By the password only: a code is typed from a phone that may lie beside an open screen."""
        return [{"url": reverse("account_reauthenticate")}] if user.is_authenticated else []

    def post_login(self, request: HttpRequest, user: User, **options: Any) -> HttpResponse:
        """A cookie that says no more than: this device has signed in to this account before."""
        response: HttpResponse = super().post_login(request, user, **options)
        name = device_cookie(user.email)
        if name not in request.COOKIES:
            response.set_signed_cookie(
                name, secrets.token_urlsafe(16), salt=DEVICE_SALT, max_age=DEVICE_COOKIE_AGE, httponly=True,
                secure=settings.HTTPS, samesite="Lax",
            )  # fmt: skip
        return response

    def get_client_ip(self, request: HttpRequest) -> str:
        """The key of allauth's rate limit for log-ins: a keyed hash (HMAC), so that no IP address reaches the cache."""
        return salted_hmac(
            "workshops.people.invitations.login_attempts", truncate_ip(super().get_client_ip(request))
        ).hexdigest()


class InvitationGone(Exception):
    """The invitation is used, withdrawn or expired, or never existed."""


# --- accounts ---------------------------------------------------------------------------------------


def user_with_email(email: str) -> User | None:
    """The account with this e-mail address, case-insensitively."""
    return get_user_model().objects.filter(email__iexact=email.strip()).first()


@transaction.atomic
def create_user(email: str, password: str, *, verified: bool = True) -> User:
    """A new account; `verified`: the address is known to be theirs.

    Raises Django's `ValidationError` where the password is too weak.
    """
    email = email.strip().lower()
    # Sign-in is by e-mail; the user name is never shown, and a random one contains no personal data.
    person = User(username=secrets.token_hex(16), email=email)
    validate_password(password, person)
    person.set_password(password)
    person.save()
    EmailAddress.objects.create(user=person, email=email, verified=verified, primary=True)
    return person


def add_member(programme: Programme, person: User, role: str, workshop: Workshop | None = None) -> Membership:
    """A role in a programme; with a workshop, a guest's there."""
    return Membership.objects.get_or_create(programme=programme, user=person, role=role, workshop=workshop)[0]


# --- invitations ------------------------------------------------------------------------------------


def valid() -> QuerySet[Invitation]:
    """Those whose link still works."""
    found = Invitation.objects.filter(accepted_at=None, expires_at__gt=timezone.now())
    return found.filter(programme__removed_at=None).exclude(workshop__removed_at__isnull=False)


def pending(programme: Programme) -> QuerySet[Invitation]:
    """Invitations that still work, newest first."""
    found = valid().filter(programme=programme).select_related("workshop", "invited_by")
    return found.order_by("-created_at", "-pk")


def invitation_for(secret: str) -> Invitation:
    """The invitation with this secret. Raises `InvitationGone`."""
    found = valid().filter(secret_hash=hashed(secret))
    invitation = found.select_related("programme", "invited_by", "workshop").first()
    if invitation is None:
        raise InvitationGone
    return invitation


def secret_of(programme: Programme, by: User, once: str) -> str:
    """256 bits that only this server can make of a form's idempotency key: its maker can be shown the link again,
    though the database holds no more than the hash."""
    key = f"{programme.pk}:{by.pk}:{once}"
    digest = salted_hmac("workshops.people.invitations.secret", key, algorithm="sha256").digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def absolute_url(path: str, request: HttpRequest) -> str:
    """The absolute URL of a path, from `PUBLIC_URL` where it is set."""
    return settings.PUBLIC_URL + path if settings.PUBLIC_URL else request.build_absolute_uri(path)
