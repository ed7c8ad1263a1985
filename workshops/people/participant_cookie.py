"""The participant token: the cookie of participants and observers, signed and without identity.

The signature is checked without a query: a valid cookie was set when its holder joined this workshop, after the
information sheet, and says until when it is valid. It carries a random key. Of a voter the database has the hash alone
(`Participant.voter`, the voter key on their ballots): whoever reads it, and the secret key too, can take nobody's
place. An observer's key is in no table and only separates their screens from those of others
(`ParticipantToken.rate_limit_key`).

Live workshops share one cookie, since nobody is at two at once. A questionnaire is open for days, so it has a cookie of
its own, named by its code: joining a workshop in between must not take the place in it.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse, parse_cookie
from django.utils import timezone
from django.utils.crypto import salted_hmac

from polls.models import VOTER_LENGTH

from ..models import Participant, Workshop, new_key

#: for so long after a questionnaire has closed its cookie still opens the results
RESULTS_FOR = timedelta(days=30)

_signer = Signer(salt="workshops.participant")


@dataclass(frozen=True, slots=True)
class ParticipantToken:
    """Who holds the cookie: a voter of one workshop, or an observer of it (`voter` empty)."""

    workshop_id: int
    voter: str = ""
    observer_key: str = ""
    #: of a voter: what their cookie carries; empty where no cookie was read or is to be written
    key: str = field(default="", compare=False, repr=False)

    @classmethod
    def for_key(cls, workshop_id: int, key: str) -> ParticipantToken:
        """The voter whose cookie carries this key. A fast hash is enough: nobody tries 128 random bits."""
        voter = hashlib.sha256(f"workshops.participant:{key}".encode()).hexdigest()[:VOTER_LENGTH]
        return cls(workshop_id, voter, key=key)

    @classmethod
    def of_form(cls, workshop_id: int, once: str) -> ParticipantToken:
        """The voter of one copy of the joining form. Their key is derived (HMAC) from its idempotency key `once`, so
        that a form that is sent twice makes one participant."""
        if not once:
            return cls.for_key(workshop_id, new_key())
        derived = salted_hmac("workshops.join", f"{workshop_id}:{once}", algorithm="sha256")
        return cls.for_key(workshop_id, derived.hexdigest()[:VOTER_LENGTH])

    @classmethod
    def for_observer(cls, workshop_id: int) -> ParticipantToken:
        return cls(workshop_id, observer_key=new_key())

    @property
    def is_observer(self) -> bool:
        return not self.voter

    @property
    def rate_limit_key(self) -> str:
        """The key of this person's rate limit (token bucket), for voters and observers alike."""
        return self.voter or self.observer_key

    @property
    def seed(self) -> str:
        """Keeps a shuffled order the same over reloads, and tells nothing about the voter key."""
        return hashlib.blake2s(f"order:{self.voter}".encode(), digest_size=6).hexdigest()

    def as_cookie(self, seconds: float | None = None) -> str:
        """The cookie's value, valid for so many seconds, or `PARTICIPANT_COOKIE_AGE`."""
        if not (self.key or self.observer_key):
            raise ValueError("the key of this seat is not known here, only its hash")
        age = settings.PARTICIPANT_COOKIE_AGE if seconds is None else seconds
        return _signer.sign(f"{self.workshop_id}.{self.key}.{self.observer_key}.{round(time.time() + age)}")

    @classmethod
    def from_cookie(cls, value: str | None) -> ParticipantToken | None:
        """The token, or `None` for a missing cookie, an invalid signature, or one whose time is over."""
        token, until = _read(value or "")
        return token if until > time.time() else None


@lru_cache(maxsize=20_000)  # a request asks for it several times, and a phone comes again
def _read(cookie: str) -> tuple[ParticipantToken | None, int]:
    """The token, and until when it is valid, in seconds since 1970; `(None, 0)` for an invalid signature."""
    try:
        workshop_id, key, observer_key, until = _signer.unsign(cookie).split(".")
        number = int(workshop_id)
        token = ParticipantToken.for_key(number, key) if key else ParticipantToken(number, "", observer_key)
        return token, int(until)
    except (BadSignature, ValueError):
        return None, 0


def of_request(request: HttpRequest, workshop: Workshop) -> ParticipantToken | None:
    """The token in a request's cookie, if it is valid and for this workshop, and an observer's only where people may
    listen; no query."""
    token = of_cookies(request.COOKIES, workshop.code)
    if token is None or token.workshop_id != workshop.pk:
        return None
    return token if workshop.observers or not token.is_observer else None


def has_listened(request: HttpRequest, workshop: Workshop) -> bool:
    """Is this the browser of an observer, whether or not people may listen now?"""
    token = of_cookies(request.COOKIES, workshop.code)
    return token is not None and token.workshop_id == workshop.pk and token.is_observer


def of_cookies(cookies: Mapping[str, str], code: str) -> ParticipantToken | None:
    """The valid token among a browser's cookies for the workshop with this code; no query.

    The shared cookie may be another workshop's: callers compare.
    """
    own = cookies.get(_own_name(code))
    return ParticipantToken.from_cookie(own or cookies.get(settings.PARTICIPANT_COOKIE_NAME))


def _own_name(code: str) -> str:
    return f"{settings.PARTICIPANT_COOKIE_NAME}-{code}"


#: any page of a phone
_ADDRESS = re.compile(r"/w/([0-9A-Za-z]+)/")


def of_scope(scope) -> ParticipantToken | None:
    """The token in the cookies of a request or a WebSocket handshake, if it is valid; no query."""
    raw = dict(scope["headers"]).get(b"cookie", b"").decode("latin-1")
    found = _ADDRESS.match(scope.get("path", ""))
    # Django's lenient parser: a malformed cookie of another site on this host must not hide the cookies after it.
    return of_cookies(parse_cookie(raw), found[1].upper() if found else "")


def participant_of(token: ParticipantToken | None) -> Participant | None:
    """The participant of a voter's token, if they have not left."""
    if token is None or token.is_observer:
        return None
    return Participant.objects.filter(
        workshop_id=token.workshop_id, voter=token.voter, left_at__isnull=True
    ).first()


def set_cookie(response: HttpResponse, token: ParticipantToken, workshop: Workshop) -> HttpResponse:
    """Of a live workshop for `PARTICIPANT_COOKIE_AGE`; of a questionnaire until it closes, and a while longer for its
    results."""
    age, name = timedelta(seconds=settings.PARTICIPANT_COOKIE_AGE), settings.PARTICIPANT_COOKIE_NAME
    if workshop.is_questionnaire:
        name = _own_name(workshop.code)
        age = max(age, (workshop.closes_at or timezone.now()) - timezone.now() + RESULTS_FOR)
    response.set_cookie(
        name,
        token.as_cookie(age.total_seconds()),
        max_age=round(age.total_seconds()),
        httponly=True,
        secure=settings.HTTPS,
        samesite="Lax",
    )
    return response


def delete_cookie(response: HttpResponse, workshop: Workshop) -> HttpResponse:
    name = _own_name(workshop.code) if workshop.is_questionnaire else settings.PARTICIPANT_COOKIE_NAME
    response.delete_cookie(name, samesite="Lax")
    return response
