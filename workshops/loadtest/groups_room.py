"""The workshop of a run with small groups: `python -m workshops.loadtest.groups_room`, as `room`."""

from __future__ import annotations

from typing import Any

from . import room


class GroupsRoom(room.Room):
    """Groups at work on a prompt, each with so many people; voters beside them; a question on stage for these."""

    def __init__(self, groups: int, people: int, voters: int) -> None:
        super().__init__(groups * people)
        from ..actions import facilitation
        from ..actions import groups as gestures
        from ..models import Prompt

        prompt = Prompt.objects.create(
            programme=self.workshop.programme,
            key=f"prompt-{self.workshop.pk}",
            text=room.QUESTION,
            minutes=30,
        )
        facilitation.launch(self.workshop.pk, None, self.item.pk)
        gestures.make(self.workshop.pk, None, "random", groups=groups)
        gestures.give_prompts(self.workshop.pk, None, [prompt.pk])
        gestures.open_round(self.workshop.pk, None)
        self.beside = self.seat(
            voters
        )  # they come late, sit down in the smallest groups, vote and do not write

    def address(self) -> dict[str, Any]:
        return super().address() | {"voters": self.cookies(self.beside), "desk": self._signed_in()}

    def _signed_in(self) -> str:
        """The cookie of a facilitator."""
        from importlib import import_module

        from django.conf import settings
        from django.contrib import auth
        from django.contrib.auth.models import User
        from django.http import HttpRequest

        from ..models import Membership, Role

        user = User.objects.create_user(f"load-test-{self.workshop.pk}")
        Membership.objects.create(programme=self.workshop.programme, user=user, role=Role.FACILITATOR)
        request = HttpRequest()
        request.session = import_module(settings.SESSION_ENGINE).SessionStore()
        auth.login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        request.session.save()
        return f"{settings.SESSION_COOKIE_NAME}={request.session.session_key}"

    def notes(self) -> dict[str, Any]:
        """What is in the database: every note with its group, how many agreements, and how many votes."""
        from ..models import Agreement, Contribution

        here = Contribution.objects.filter(group__round__workshop=self.workshop)
        agreed = Agreement.objects.filter(contribution__group__round__workshop=self.workshop)
        return {
            "notes": list(here.order_by("pk").values_list("group", "text")),
            "agreements": agreed.count(),
            "votes": self.count()["rows"],
        }


if __name__ == "__main__":
    room.main(GroupsRoom)
