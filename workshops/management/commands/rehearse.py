"""Rehearse a workshop: simulated phones join a running server and answer the polls that are launched."""

from __future__ import annotations

import asyncio
import json

from django.core.management.base import BaseCommand, CommandError

from workshops.models import Workshop
from workshops.operations.rehearsal_phones import SimulatedCrowd


class Command(BaseCommand):
    help = "Join CODE on a running server as many phones and answer what is launched, in human time."

    def add_arguments(self, parser):
        parser.add_argument("code")
        parser.add_argument("--phones", type=int, default=23)
        parser.add_argument("--base-url", default="http://127.0.0.1:8000")
        parser.add_argument("--pace", type=float, default=1.0, help="2 is twice as fast as people are")
        parser.add_argument("--minutes", type=float, default=120, help="leave after this long at the latest")
        parser.add_argument("--seed", type=int, default=None, help="the same seed invents the same answers")
        parser.add_argument("--quiet", action="store_true")

    def handle(self, *args, code: str, phones: int, **options):
        workshop = Workshop.objects.filter(code=code.replace(" ", "").upper(), removed_at=None).first()
        if workshop is None:
            raise CommandError(f"There is no workshop {code}.")
        if not workshop.is_running:
            status = workshop.get_status_display().lower()
            raise CommandError(f"Workshop {workshop.code} is {status}: open its doors first.")
        if not 1 <= phones <= 5000:
            raise CommandError("--phones: expected 1 to 5000.")
        how = {name: options[name] for name in ("base_url", "pace", "minutes", "seed")}
        crowd = SimulatedCrowd(workshop, phones, **how)
        try:
            asyncio.run(crowd.run(None if options["quiet"] else self.stdout))
        except KeyboardInterrupt:
            self.stdout.write("\nThe rehearsal phones have gone.")
        self.stdout.write(json.dumps(crowd.summary()))
