"""`draw(scene, topic, audience) -> html`: what every screen shows, as one table.

First page load, live update and reconnect all come from here, so they cannot differ. A fragment is a file
and its root carries the topic as its id. A `Scene` is what one window needs, each part read once, on demand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from polls import results
from polls.lifecycle import Reveal
from polls.models import Poll

from . import afterwards, breakouts, group_desk, moderation, queries
from .breakouts import GroupView
from .group_steps import Step, next_step, sharing, wall_state
from .live import layer, way
from .live.topics import Audience, Topic
from .models import AgendaItem, Workshop

TEMPLATES: dict[tuple[Topic, Audience], str] = {
    (Topic.STAGE, Audience.PHONE): "workshops/phone/_stage.html",
    (Topic.STAGE, Audience.OBSERVER): "workshops/phone/_stage.html",
    (Topic.STAGE, Audience.WALL): "workshops/wall/_stage.html",
    (Topic.STAGE, Audience.CONSOLE): "workshops/console/_stage.html",
    (Topic.TALLY, Audience.PHONE): "workshops/phone/_tally.html",
    (Topic.TALLY, Audience.OBSERVER): "workshops/phone/_tally.html",
    (Topic.TALLY, Audience.WALL): "workshops/wall/_tally.html",
    (Topic.TALLY, Audience.CONSOLE): "workshops/console/_tally.html",
    (Topic.ROOM, Audience.PHONE): "workshops/phone/_room.html",
    (Topic.ROOM, Audience.OBSERVER): "workshops/phone/_room.html",
    (Topic.ROOM, Audience.WALL): "workshops/wall/_room.html",
    (Topic.ROOM, Audience.CONSOLE): "workshops/console/_room.html",
    (Topic.CLOCK, Audience.PHONE): "workshops/phone/_clock.html",
    (Topic.CLOCK, Audience.OBSERVER): "workshops/phone/_clock.html",
    (Topic.CLOCK, Audience.WALL): "workshops/wall/_clock.html",
    (Topic.CLOCK, Audience.CONSOLE): "workshops/console/_clock.html",
    (Topic.AGENDA, Audience.CONSOLE): "workshops/console/_agenda.html",
    (Topic.QUEUE, Audience.CONSOLE): "workshops/console/_queue.html",
    (Topic.BREAKOUTS, Audience.CONSOLE): "workshops/console/_breakouts.html",
    (Topic.HELP, Audience.CONSOLE): "workshops/console/_help.html",
    (Topic.BREAKOUTS, Audience.WALL): "workshops/wall/_breakouts.html",
    (Topic.HEALTH, Audience.CONSOLE): "workshops/console/_health.html",
}


@dataclass
class Scene:
    """One workshop at one moment, for drawing. Reads are lazy; nothing here writes.

    `people` is who is here, for a caller who knows that nobody has come or gone since it was counted.
    """

    workshop: Workshop
    online: int = 0
    people: queries.Room | None = None

    @classmethod
    def load(cls, workshop_id: int, *, online: int = 0, people: queries.Room | None = None) -> Scene:
        return cls(queries.with_stage(workshop_id), online, people)

    # -- the stage ------------------------------------------------------------------------------------

    @cached_property
    def item(self) -> AgendaItem | None:
        return self.workshop.stage_item

    @cached_property
    def poll(self) -> Poll | None:
        return self.item.poll if self.item else None

    @cached_property
    def state(self) -> str:
        """planned, joining, ballot, closed, prompt, pause or ended: which picture the stage shows."""
        if not self.workshop.is_running:
            return "ended" if self.workshop.has_ended else "planned"
        if self.item is None:
            return "joining"
        if self.poll is None:
            return str(self.item.kind)
        return "ballot" if self.poll.is_open else "closed"

    @cached_property
    def items(self) -> list[AgendaItem]:
        return queries.stage_items(self.workshop)

    @cached_property
    def next(self) -> AgendaItem | None:
        return queries.next_item(self.items, self.item)

    @cached_property
    def pace(self) -> queries.Pace:
        return queries.pace(self.workshop, self.items, timezone.now())

    @cached_property
    def step(self) -> str:
        """ "Question 2 of 8"; empty for what is not a question."""
        place = queries.numbered_polls(self.items).get(self.item.pk if self.item else 0)
        return _("Question %(place)d of %(of)d") % {"place": place[0], "of": place[1]} if place else ""

    # -- people -----------------------------------------------------------------------------------------

    @cached_property
    def room(self) -> queries.Room:
        return self.people or queries.room(self.workshop)

    @cached_property
    def roles(self) -> tuple[tuple[str, int], ...]:
        return queries.roles(self.workshop, self.room.joined)

    @property
    def rehearsing(self) -> bool:
        return self.room.rehearsal > 0

    @cached_property
    def breakouts(self) -> breakouts.Overview | None:
        """The groups that are formed or at work."""
        return breakouts.overview(self.workshop.pk)

    @cached_property
    def talked(self) -> bool:
        """Are the groups back that talked about the prompt on stage?"""
        return self.state == "prompt" and self.breakouts is None and queries.had_groups(self.workshop)

    @cached_property
    def group_step(self) -> Step:
        """What the console's main button does with the groups, if anything."""
        return next_step(self.state, self.breakouts, lambda: queries.had_groups(self.workshop))

    @property
    def next_ends_groups(self) -> bool:
        """Would the next step end the time of groups that are together? A step for all together does not."""
        found = self.breakouts
        if found is None or self.next is None or self.next.kind == AgendaItem.Kind.PAUSE:
            return False
        return bool(found.round.opened_at and found.round.item_id) and self.next.pk != found.round.item_id

    @cached_property
    def sharing(self) -> GroupView | None:
        """The group whose sentence stands on the wall."""
        return sharing(self.state, self.item, self.breakouts)

    @property
    def wall_state(self) -> str:
        # A question that is open stands before all groups: then nobody has to look for them.
        return self.state if self.state == "ballot" else wall_state(self.state, self.item, self.breakouts)

    @cached_property
    def forming(self) -> group_desk.Forming | None:
        """What the console needs while groups are made and not open yet."""
        found = self.breakouts
        return group_desk.forming(self.workshop, found) if found and not found.round.opened_at else None

    @cached_property
    def probes_left(self) -> list[str]:
        """Follow-up questions that were not sent to all groups yet."""
        return group_desk.probes_left(self.breakouts) if self.breakouts else []

    @property
    def is_there_something_to_read(self) -> bool:
        """Did groups or the whole room leave words?"""
        return afterwards.with_something_to_read(Workshop.objects.filter(pk=self.workshop.pk)).exists()

    # -- the result ---------------------------------------------------------------------------------------

    @cached_property
    def result(self) -> results.Result | None:
        """All that was counted. Its words go to nobody as they are: see `room_result` and `desk_result`."""
        return results.read(self.poll, rehearsal=self.rehearsing) if self.poll else None

    @property
    def counts(self) -> results.Counts:
        """How many papers the question on stage has, and of what kind. Read with the result, or without it where the
        answers are not needed; never both in one picture."""
        needs_answers = "result" in self.__dict__ or self.is_revealed or not (self.poll and self.poll.is_open)
        if needs_answers:
            return self.result.counts if self.result else results.Counts()
        return self.turnout

    @cached_property
    def turnout(self) -> results.Counts:
        return results.turnout(self.poll, rehearsal=self.rehearsing) if self.poll else results.Counts()

    @cached_property
    def room_result(self) -> results.Result | None:
        """What the room may see of it: only words that may stand on the wall."""
        if not self.poll or not self.result:
            return None
        return results.for_the_room(self.poll, self.result, self.decided, moderation.is_suspicious)

    @cached_property
    def desk_result(self) -> results.Result | None:
        """What the facilitator may see of it: all but what is flagged for safeguarding."""
        return results.for_staff(self.poll, self.result, self.decided) if self.poll and self.result else None

    @cached_property
    def decided(self) -> results.Decided:
        """What was decided about people's words of the question on stage."""
        return results.decided([self.poll] if self.poll else [], rehearsal=self.rehearsing)

    @cached_property
    def room_context(self) -> dict[str, Any]:
        """The room's result as the templates of its poll type want it."""
        return result_context(self.room_result) if self.room_result else {}

    @cached_property
    def has_begun(self) -> bool:
        return any(item.launched_at for item in self.items)

    @cached_property
    def drawn_result(self) -> dict[str, Any]:
        """The facilitator's result, as the templates of its type draw it."""
        return result_context(self.desk_result) if self.desk_result else {}

    @cached_property
    def drawn_room_result(self) -> dict[str, Any]:
        """The room's result, as the templates of its type draw it."""
        return result_context(self.room_result) if self.room_result else {}

    @cached_property
    def is_revealed(self) -> bool:
        return bool(self.poll and self.poll.is_revealed)

    @property
    def shows_after_vote(self) -> bool:
        """Phones that have answered may see the running result; the others may not yet."""
        return bool(self.poll and self.poll.is_open and self.poll.reveal == Reveal.AFTER_VOTE)

    @property
    def people_asked(self) -> int:
        """The M of "N of M answered": people here; once the question is closed, people who were here then."""
        return max(self.counts.cast, self.counts.joined or self.room.joined)

    @property
    def not_opened(self) -> int:
        """People who are here but whose phone has not shown the question yet."""
        return max(0, self.room.joined - self.counts.issued) if self.poll else 0

    @cached_property
    def texts(self) -> list[moderation.Item]:
        """People's own words that are to be looked at: of the question on stage, and what groups bring."""
        picked, wanted = breakouts.picked(self.workshop.pk), breakouts.wanted(self.workshop.pk)
        return [*self.asked_texts, *moderation.notes(picked, wanted)]

    @cached_property
    def asked_texts(self) -> list[moderation.Item]:
        if not self.poll or not self.result or not self.poll.poll_type.has_texts:
            return []
        return moderation.texts(self.poll, self.result, self.decided, queries.brought_texts(self.item))

    @cached_property
    def waiting_texts(self) -> list[moderation.Item]:
        return [text for text in self.texts if text.waits]

    @property
    def next_texts(self) -> list[moderation.Item]:
        """The waiting ones that fit one picture; the others move up as these are decided."""
        return _fitting(self.waiting_texts, _letters_of, QUEUE_LETTERS)

    @property
    def harmless_texts(self) -> list[moderation.Item]:
        """Those of them that may be shown together: words of the question in which nothing seems to need hiding."""
        return [text for text in self.next_texts if text.key and not text.is_suspicious]

    @property
    def decided_texts(self) -> list[moderation.Item]:
        return _fitting([text for text in self.texts if not text.waits], _letters_of, QUEUE_LETTERS)


T = TypeVar("T")

QUEUE_LETTERS = 20_000  # of words and marks in one list: a picture stays far below 64 KiB
MARKS = 900  # letters that an item's buttons are worth


def _letters_of(text: moderation.Item) -> int:
    return 4 * len(text.text) + len(text.instead) + MARKS  # a text stands in its buttons' names too


def _fitting(items: Iterable[T], letters_of: Callable[[T], int], most: int) -> list[T]:
    """The first that fit, at least one."""
    letters, fitting = 0, list[T]()
    for item in items:
        letters += letters_of(item)
        if fitting and letters > most:
            break
        fitting.append(item)
    return fitting


def draw(
    scene: Scene, topic: Topic, audience: Audience, request: HttpRequest | None = None, **extra: Any
) -> str:
    """The fragment of one topic for one audience.

    `request` and `extra` are for first page loads only: a form's token, a person's own ballot.
    """
    return render_to_string(TEMPLATES[topic, audience], context(scene, audience) | extra, request)


def context(scene: Scene, audience: Audience) -> dict[str, Any]:
    poll = scene.poll
    return {
        "scene": scene,
        "workshop": scene.workshop,
        "programme": scene.workshop.programme,
        "item": scene.item,
        "state": scene.state,
        "audience": str(audience),
        "observer": audience == Audience.OBSERVER,
        "now": timezone.now(),
        "layer_is_away": layer.is_away(),
        **(poll_context(poll) if poll else {}),
    }


PAD = "workshops/phone/_group.html"


def draw_pads(workshop_id: int, group_ids: list[int]) -> dict[int, str]:
    """The pad of each of these groups for its members, or what those see who have no place yet (minus the round)."""
    drawn = {}
    for pad in breakouts.pads(workshop_id, group_ids):
        way.stand_back()
        drawn[pad.group.pk] = _draw_pad(PAD, pad)
    if any(group < 0 for group in group_ids) and (found := breakouts.overview(workshop_id)):
        drawn[-found.round.pk] = _plain(
            render_to_string("workshops/phone/_no_group.html", {"breakouts": found})
        )
    return drawn


def draw_own_pad(workshop_id: int, place: dict[str, Any]) -> tuple[str, str]:
    """For a phone's full page: the pad where its person sits as hubs draw it, and with what is theirs alone in it."""
    if place["group"] <= 0:
        found = breakouts.overview(workshop_id) if place["group"] else None
        if found is None:
            return "", ""
        shared = _plain(render_to_string("workshops/phone/_no_group.html", {"breakouts": found}))
        return shared, render_to_string(
            "workshops/phone/_no_group.html", {"breakouts": found, "place": place}
        )
    pad = next(iter(breakouts.pads(workshop_id, [place["group"]])), None)
    if pad is None:
        return "", ""
    return _draw_pad(PAD, pad), render_to_string(PAD, _pad_context(pad) | {"place": place})


def draw_desk_pads(workshop_id: int, group_ids: list[int]) -> dict[int, str]:
    """The same groups as a facilitator reads them, with all their notes."""
    found = desk_pads(workshop_id, group_ids)
    return {pad.group.pk: _plain(draw_desk_pad(workshop_id, pad)) for pad in found}


def desk_pads(workshop_id: int, group_ids: list[int]) -> list[breakouts.Pad]:
    return breakouts.pads(workshop_id, group_ids, everything=True)


PAD_LETTERS = 58_000  # of one group on the console: with what is drawn around it still below 64 KiB
NOTE_MARKS, PERSON_MARKS = 450, 250


def draw_desk_pad(workshop_id: int, pad: breakouts.Pad, request: HttpRequest | None = None) -> str:
    """One group's pad for the console: its notes, its people, what can be sent to it."""
    workshop = queries.with_stage(workshop_id)
    told = {call.text for call in pad.probes}
    prompt = pad.group.prompt
    people = queries.seated(workshop, pad.round, pad.group.pk).get(pad.group.pk, [])
    notes = _fitting(
        pad.notes, lambda note: len(note.text) + NOTE_MARKS, PAD_LETTERS - PERSON_MARKS * len(people)
    )
    return render_to_string(
        "workshops/console/_group.html",
        {
            "pad": pad,
            "round": pad.round,
            "workshop": workshop,
            "people": people,
            "notes": notes,
            "more_notes": len(pad.notes) - len(notes),
            "others": list(pad.round.groups.exclude(pk=pad.group.pk).only("pk", "name", "round")),
            "probes": [probe for probe in prompt.probes if probe not in told] if prompt else [],
        },
        request,
    )


def _draw_pad(template: str, pad: breakouts.Pad, **extra: Any) -> str:
    return _plain(render_to_string(template, _pad_context(pad) | extra))


def _pad_context(pad: breakouts.Pad) -> dict[str, Any]:
    return {"pad": pad, "group": pad.group, "round": pad.round}


def _plain(html: str) -> str:
    """A plain string: the encoder of frames takes no subclass, and Django's templates return one."""
    return str.__str__(html)


def poll_context(poll: Poll) -> dict[str, Any]:
    """What the templates of a poll type need to draw an empty ballot."""
    return {
        "poll": poll,
        "poll_id": poll.pk,
        "question": poll.question,
        "instruction": poll.poll_type.instruction(poll.question),
        "ballot_template": f"polls/{poll.question.type}/ballot.html",
        "result_template": f"polls/{poll.question.type}/result.html",
        "value": None,
        "typed": None,
        "error": "",
        "error_field": "",
        "heading": "h1",
    }


def result_context(result: results.Result) -> dict[str, Any]:
    """What the templates of a poll type need to draw a result."""
    return {
        "picture": result.picture,
        "counts": result.counts.as_json(),
        "finding": result.finding,
        "table": result.table,
        "measures": result.measures,
        "few": result.tally["n"] < 20,
    }
