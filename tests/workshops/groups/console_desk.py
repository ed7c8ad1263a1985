"""A workshop with a prompt on stage and people in it, its console in a plain browser, and what its pages say."""

from __future__ import annotations

import re
from html import unescape
from itertools import count

from polls.types import Question
from polls.types.base import Option
from workshops import screens
from workshops.actions import facilitation
from workshops.actions.groups import notes
from workshops.models import Group, Participant, Prompt
from workshops.signals.topics import SHOWN, Audience, Topic

from ... import factories

ROLE = Question(
    "single_choice",
    "What is your role?",
    options=(Option("educator", "Educator"), Option("leader", "Leader"), Option("manager", "Manager")),
)


_ops = count(1)


class Desk:
    """A workshop with a prompt on stage, people in it, and its console in a plain browser."""

    def __init__(self, people: int = 6, probes: tuple[str, ...] = ("And hear?", "And feel?")) -> None:
        self.workshop = factories.workshop()
        self.item = factories.prompt_item(self.workshop)
        Prompt.objects.filter(pk=self.item.prompt_id).update(probes=list(probes))
        self.people = [factories.participant(self.workshop) for _ in range(people)]
        facilitation.launch(self.workshop.pk, None, self.item.pk)
        self.client = factories.signed_in(factories.staff(self.workshop.programme))

    def do(self, name: str, /, **fields):
        return self.client.post(f"/workshops/{self.workshop.code}/do/{name}/", fields)

    def done(self, name: str, /, **fields) -> None:
        answer = self.do(name, **fields)
        assert answer.status_code == 302, sentence(answer.content.decode())

    def refused(self, name: str, /, **fields) -> str:
        """The page with its one sentence."""
        answer = self.do(name, **fields)
        assert answer.status_code == 422
        return answer.content.decode()

    def at_work(self, number: int = 2) -> Desk:
        self.done("make_groups", how="random", number=number, of="groups")
        self.done("open_groups")
        return self

    def page(self, query: str = "") -> str:
        return self.client.get(f"/workshops/{self.workshop.code}/console/{query}").content.decode()

    @property
    def groups(self) -> list[Group]:
        return list(
            Group.objects.filter(round__workshop=self.workshop, round__closed_at=None).order_by("number")
        )

    def scene(self) -> screens.Scene:
        return screens.Scene.load(self.workshop.pk)

    def draw(self, topic: Topic, audience: Audience = Audience.CONSOLE) -> str:
        return screens.draw(self.scene(), topic, audience)

    def pad(self, number: int = 0) -> str:
        group = self.groups[number].pk
        return screens.draw_desk_pads(self.workshop.pk, [group])[group]

    def wall(self) -> str:
        return words("\n".join(self.draw(topic, Audience.WALL) for topic in SHOWN[Audience.WALL]))

    def write(self, text: str, number: int = 0, *, pick: bool = False) -> int:
        """A note of somebody in this group; its number."""
        group = self.groups[number]
        voter = group.places.first().voter
        made = notes.write([notes.Add(self.workshop.pk, voter, f"w{next(_ops)}", group.pk, text)])[0]
        if pick:
            notes.write([notes.Pick(self.workshop.pk, voter, f"w{next(_ops)}", made.note, True)])
        return made.note

    def help(self, number: int = 0) -> None:
        group = self.groups[number]
        voter = group.places.first().voter
        notes.write([notes.Help(self.workshop.pk, voter, f"w{next(_ops)}", group.pk, True)])


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def sentence(page: str) -> str:
    """What the page says that it did not do."""
    return words(" ".join(re.findall(r'role="alert"[^>]*>(.*?)</p>', page, re.S)))


def with_roles(educators: int, leaders: int) -> Desk:
    desk = Desk(people=0)
    item = factories.poll_item(desk.workshop, ROLE, profile=True, key="role")
    facilitation.ballot_box.open_poll(item.poll_id)
    for number in range(educators + leaders):
        who = factories.participant(desk.workshop)
        factories.vote(who, item.poll, "educator" if number < educators else "leader", op=f"r{number}")
    return desk


def grown(number: int, people: int) -> Desk:
    desk = Desk(people=0)
    Participant.objects.bulk_create(
        Participant(
            workshop=desk.workshop, voter=f"v{number}-{n}", sheet=desk.workshop.sheet, consent=["read"]
        )
        for n in range(people)
    )
    return desk
