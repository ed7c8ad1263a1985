"""One command to see it all: a database, the first programme with five synthetic workshops, a summary, a
workshop that is ready to run, and the server."""

from __future__ import annotations

import io
import secrets
import socket

import segno
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction

from workshops import planning, programme_file
from workshops.actions import facilitation
from workshops.models import Membership, Programme, Role, Workshop

from . import serve

PROGRAMMES = ("ideal_baby_room.toml", "our_own_baby_room.toml")
PEOPLE = {
    "owner@demo.example": (Role.OWNER,),
    "facilitator@demo.example": (Role.FACILITATOR,),
    "researcher@demo.example": (Role.RESEARCHER,),
}


class Command(serve.Command):
    help = "Make a demonstration and serve it. Running it again keeps what is there."

    def handle(self, *args, host: str, port: int, **options):
        self.check_port(host, port)
        self.address = f"http://{_reachable(host)}:{port}"
        settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, _reachable(host)]
        self.step("Preparing the database", lambda: quietly("migrate"))
        self.step("Gathering styles and scripts", lambda: quietly("collectstatic", interactive=False))
        for name in PROGRAMMES:
            self.step(f"Loading programmes/{name}", lambda name=name: load_programme(name))
        self.step(
            "Five past workshops, invented, with 113 people", lambda: quietly("load_synthetic_workshops")
        )
        self.step("A vision summary made from them", lambda: quietly("load_demo_summary"))
        password = self.step("People who sign in", make_people)
        workshop = self.step("A workshop ready to run", ready_workshop)
        self.serve(host, port, ready=lambda: self.say_ready(workshop, password), server=options["server"])

    def step(self, words: str, do):
        self.stdout.write(f"  {words} …", ending="")
        self.stdout.flush()
        result = do()
        self.stdout.write(self.style.SUCCESS(" done"))
        return result

    def check_port(self, host: str, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                raise CommandError(
                    f"Port {port} is taken. Choose another: make demo PORT={port + 11}"
                ) from None

    def say_ready(self, workshop: Workshop, password: str) -> None:
        join = f"{self.address}/w/{workshop.code}/"
        drawn = io.StringIO()  # Django's own writer would end every line twice
        segno.make(join, error="l").terminal(drawn, compact=True, border=2)
        self.stdout.write(drawn.getvalue())
        self.stdout.write(
            "\n".join(
                [
                    self.style.SUCCESS(f"Ready: {self.address}/"),
                    "",
                    f"  Join      {join}   (code {workshop.spaced_code})",
                    f"  Wall      {self.address}/wall/{workshop.wall_key}/",
                    f"  Console   {self.address}/workshops/{workshop.code}/console/",
                    f"  Results   {self.address}/programmes/{workshop.programme.key}/",
                    "",
                    "  Sign in as facilitator@demo.example, researcher@demo.example or owner@demo.example",
                    f"  with the password {password}",
                    "",
                    "  Other devices in your network: make demo HOST=0.0.0.0    Stop: Ctrl-C",
                    "",
                ]
            )
        )
        self.stdout.flush()


def quietly(command: str, **options) -> None:
    call_command(command, verbosity=0, stdout=io.StringIO(), **options)


def _reachable(host: str) -> str:
    """The address that other devices use when we listen on all of them. Nothing is sent."""
    if host not in ("0.0.0.0", "::"):
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address reserved for documentation
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"


def load_programme(name: str) -> None:
    path = settings.BASE_DIR / "programmes" / name
    programme_file.load(path.read_text(encoding="utf-8"), str(path.name))


@transaction.atomic
def make_people() -> str:
    """The demo's three people with one password of this installation's own."""
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


WORDS = (
    "calm", "garden", "window", "blanket", "morning", "lantern", "pebble", "cotton", "willow", "river",
    "button", "feather", "basket", "meadow", "teapot", "cushion", "acorn", "ribbon", "puddle", "sparrow",
)  # fmt: skip


def ready_workshop() -> Workshop:
    """The newest workshop that has not ended; a new one, doors open, when there is none."""
    programme = Programme.objects.get(key="ideal-baby-room")
    waiting = programme.workshops.exclude(status=Workshop.Status.ENDED).order_by("-number").first()
    if waiting:
        return waiting
    workshop = planning.plan_workshop(programme, programme.plans.get(key="one-hour"), expected=23)
    facilitation.start(workshop.pk, by=None)
    return workshop
