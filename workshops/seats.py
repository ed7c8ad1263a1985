"""A participant's seat: the one cookie of somebody who takes part.

The cookie is signed, so it is checked without a query: whoever holds it joined this workshop after
reading the information sheet. It carries a random key and no identity. A voter's is the one their ballots
carry; an observer's is in no row anywhere and only tells their screens from those of others (`Seat.token`).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse, parse_cookie
from django.utils.crypto import salted_hmac

from polls.models import VOTER_LENGTH

from .models import Participant, Workshop, new_key

_signer = Signer(salt="workshops.seat")


@dataclass(frozen=True, slots=True)
class Seat:
    """Who is looking from a phone: a voter of one workshop, or an observer (`voter` empty)."""

    workshop_id: int
    voter: str = ""
    onlooker: str = ""

    @classmethod
    def to_observe(cls, workshop_id: int) -> Seat:
        return cls(workshop_id, onlooker=new_key())

    @property
    def is_observer(self) -> bool:
        return not self.voter

    @property
    def token(self) -> str:
        """One person's, whichever they are: what limits on how often somebody may speak go by."""
        return self.voter or self.onlooker

    def as_cookie(self) -> str:
        return _signer.sign(f"{self.workshop_id}.{self.voter}.{self.onlooker}".rstrip("."))

    @classmethod
    def from_cookie(cls, value: str | None) -> Seat | None:
        """The seat, or `None` for a missing, foreign or altered cookie."""
        try:
            workshop_id, *keys = _signer.unsign(value or "").split(".")
            return cls(int(workshop_id), *keys)
        except (BadSignature, ValueError):
            return None


def voter_of_form(workshop_id: int, once: str) -> str:
    """The voter key that one copy of the joining form leads to: always the same, and known to nobody else."""
    return salted_hmac("workshops.join", f"{workshop_id}:{once}", algorithm="sha256").hexdigest()[
        :VOTER_LENGTH
    ]


def of_request(request: HttpRequest, workshop: Workshop) -> Seat | None:
    seat = Seat.from_cookie(request.COOKIES.get(settings.SEAT_COOKIE_NAME))
    return seat if seat and seat.workshop_id == workshop.pk else None


def of_scope(scope) -> Seat | None:
    """The seat in a websocket handshake; no query."""
    raw = dict(scope["headers"]).get(b"cookie", b"").decode("latin-1")
    # Django's own reader: one odd cookie of another site on this host must not hide the seat behind it.
    return Seat.from_cookie(parse_cookie(raw).get(settings.SEAT_COOKIE_NAME))


def participant_of(seat: Seat | None) -> Participant | None:
    """The row behind a voter's seat, if they have not left."""
    if seat is None or seat.is_observer:
        return None
    return Participant.objects.filter(
        workshop_id=seat.workshop_id, voter=seat.voter, left_at__isnull=True
    ).first()


def give(response: HttpResponse, seat: Seat) -> HttpResponse:
    response.set_cookie(
        settings.SEAT_COOKIE_NAME,
        seat.as_cookie(),
        max_age=settings.SEAT_COOKIE_AGE,
        httponly=True,
        secure=settings.HTTPS,
        samesite="Lax",
    )
    return response


def take(response: HttpResponse) -> HttpResponse:
    response.delete_cookie(settings.SEAT_COOKIE_NAME, samesite="Lax")
    return response
