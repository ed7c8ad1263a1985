"""`manage.py demo`: make and serve a demonstration: a database, programmes, synthetic workshops, a vision summary, and
a workshop that is ready to run."""

from __future__ import annotations

import io
import socket

import segno
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from workshops.models import Workshop
from workshops.operations import demo

from . import serve


class Command(serve.Command):
    help = "Make a demonstration and serve it. Running it again keeps what is there."

    def handle(self, *args, host: str, port: int, **options):
        self.check_port(host, port)
        self.address = f"http://{demo.reachable_address(host)}:{port}"
        settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, demo.reachable_address(host)]
        self.step("Preparing the database", lambda: quietly("migrate"))
        self.step("Gathering styles and scripts", lambda: quietly("collectstatic", interactive=False))
        for name in demo.PROGRAMMES:
            self.step(f"Loading programmes/{name}", lambda name=name: demo.load_programme(name))
        self.step(
            "Five past workshops, invented, with 113 people", lambda: quietly("load_synthetic_workshops")
        )
        self.step("A vision summary made from them", lambda: quietly("load_demo_summary"))
        password = self.step("People who sign in", demo.make_people)
        workshop = self.step("A workshop ready to run", demo.ready_workshop)
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
                    f"  Results   {self.address}/workshops/{workshop.code}/results/",
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
