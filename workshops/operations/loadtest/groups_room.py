"""The workshop of a run with groups, like `room`: `python -m workshops.operations.loadtest.groups_room`."""

from __future__ import annotations

from typing import Any

from . import room


class GroupsUnderTest(room.WorkshopUnderTest):
    """An open round of groups with a prompt, `people` in each; `voters` beside them, and an open poll on stage."""

    def __init__(self, groups: int, people: int, voters: int) -> None:
        super().__init__(groups * people)
        from ...actions import facilitation
        from ...actions import groups as group_actions
        from ...models import Prompt

        prompt = Prompt.objects.create(
            programme=self.workshop.programme,
            key=f"prompt-{self.workshop.pk}",
            text=room.QUESTION,
            minutes=30,
        )
        facilitation.launch(self.workshop.pk, None, self.item.pk)
        group_actions.make(self.workshop.pk, None, "random", groups=groups)
        group_actions.give_prompts(self.workshop.pk, None, [prompt.pk])
        group_actions.open_round(self.workshop.pk, None)
        # late: they are assigned to the smallest groups, vote and do not write
        self.beside = self.add_participants(voters)

    def address(self) -> dict[str, Any]:
        return super().address() | {"voters": self.cookies(self.beside), "desk": self._signed_in()}

    def _signed_in(self) -> str:
        """The session cookie of a facilitator."""
        from importlib import import_module

        from django.conf import settings
        from django.contrib import auth
        from django.contrib.auth.models import User
        from django.http import HttpRequest

        from ...models import Membership, Role

        user = User.objects.create_user(f"load-test-{self.workshop.pk}")
        Membership.objects.create(programme=self.workshop.programme, user=user, role=Role.FACILITATOR)
        request = HttpRequest()
        request.session = import_module(settings.SESSION_ENGINE).SessionStore()
        auth.login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        request.session.save()
        return f"{settings.SESSION_COOKIE_NAME}={request.session.session_key}"

    def notes(self) -> dict[str, Any]:
        """Counts from the database: every note with its group, the number of agreements, and of votes."""
        from ...models import Agreement, Contribution

        here = Contribution.objects.filter(group__round__workshop=self.workshop)
        agreed = Agreement.objects.filter(contribution__group__round__workshop=self.workshop)
        return {
            "notes": list(here.order_by("pk").values_list("group", "text__words")),
            "agreements": agreed.count(),
            "votes": self.count()["rows"],
        }


if __name__ == "__main__":
    room.main(GroupsUnderTest)
