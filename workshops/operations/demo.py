"""The data of the demonstration: programmes, users and a workshop that is ready to run. Idempotent."""

from __future__ import annotations

import contextlib
import secrets
import socket

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction

from ..actions import facilitation
from ..actions.authoring import programme_file
from ..actions.authoring.programmes import make_demo, make_demo_anew
from ..actions.authoring.workshops import plan_workshop
from ..models import Membership, Mode, Programme, Role, Workshop
from ..people.access import RUNNERS
from . import rehearsal

PROGRAMMES = ("ideal_baby_room.toml", "our_own_baby_room.toml")
PEOPLE = {
    "owner@demo.example": (Role.OWNER,),
    "facilitator@demo.example": (Role.FACILITATOR,),
    "researcher@demo.example": (Role.RESEARCHER,),
}
WORDS = (
    "calm", "garden", "window", "blanket", "morning", "lantern", "pebble", "cotton", "willow", "river",
    "button", "feather", "basket", "meadow", "teapot", "cushion", "acorn", "ribbon", "puddle", "sparrow",
)  # fmt: skip


def load_programme(name: str) -> None:
    path = settings.BASE_DIR / "programmes" / name
    programme_file.load(path.read_text(encoding="utf-8"), str(path.name))


@transaction.atomic
def make_people() -> str:
    """Create the three users of the demonstration; returns their password, generated once per installation."""
    path = settings.VAR_DIR / "demo_password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text("-".join(secrets.SystemRandom().sample(WORDS, 4)))
    password = path.read_text()
    for email, roles in PEOPLE.items():
        user, new = get_user_model().objects.get_or_create(username=email, defaults={"email": email})
        if new or not user.check_password(password):
            user.set_password(password)
            user.save()
        for programme in Programme.objects.all():
            for role in roles:
                Membership.objects.get_or_create(programme=programme, user=user, role=role)
    return password


def ready_workshop() -> Workshop:
    """The workshop of the demonstration that the whole team shares."""
    programme = Programme.objects.get(key="ideal-baby-room")
    Programme.objects.filter(pk=programme.pk).update(demo=True)
    return _waiting(programme, None)


def _waiting(programme: Programme, by: User | None) -> Workshop:
    """The newest workshop that has not ended, its doors open; a new one where there is none."""
    waiting = programme.workshops.filter(removed_at=None, mode=Mode.LIVE).exclude(
        status=Workshop.Status.ENDED
    )
    workshop = waiting.order_by("-number").first()
    if workshop is None:
        plan = programme.plans.get(key="one-hour")
        workshop = plan_workshop(
            programme, plan, by=by, title=programme.title, expected=PHONES + 1, observers=True
        )
    if workshop.is_planned:
        facilitation.start(workshop.pk, by)
        workshop.refresh_from_db()
    return workshop


# --- inside the product ----------------------------------------------------------------------------------------

PHONES = 22


def demo_of(user: User) -> Programme | None:
    """The demonstration that this user may run: the team's, or their own."""
    found = Programme.objects.filter(
        demo=True, removed_at=None, memberships__user=user, memberships__role__in=RUNNERS
    )
    return found.order_by("pk").first()


def open_for(user: User, base_url: str, *, anew: bool) -> Workshop:
    """A running workshop with made-up people on their way to it; their phones find this server at `base_url`.

    Raises `NotPossible` where it cannot be made anew now.
    """
    programme = demo_of(user) or make_demo(user)
    if anew:
        make_demo_anew(programme, user)
    workshop = _waiting(programme, user)
    if not workshop.participants.filter(left_at=None).exists():
        with contextlib.suppress(rehearsal.StillRunning):
            rehearsal.start(workshop, PHONES, base_url)
    return workshop


def reachable_address(host: str) -> str:
    """The address at which other devices reach this server when it listens on all interfaces. Sends no packet."""
    if host not in ("0.0.0.0", "::"):
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address reserved for documentation
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"
