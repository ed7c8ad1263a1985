"""`draw(scene, topic, audience) -> html`: what every screen shows, as one table.

First page load, live update and reconnect all come from here, so they cannot differ. A fragment is a file
and its root carries the topic as its id. A `Scene` is what one window needs, each part read once, on demand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from polls import results
from polls.lifecycle import Reveal
from polls.models import Poll

from . import breakouts, queries
from .live import layer
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
    (Topic.BREAKOUTS, Audience.WALL): "workshops/wall/_breakouts.html",
    (Topic.HEALTH, Audience.CONSOLE): "workshops/console/_health.html",
}


@dataclass
class Scene:
    """One workshop at one moment, for drawing. Reads are lazy; nothing here writes."""

    workshop: Workshop
    online: int = 0

    @classmethod
    def load(cls, workshop_id: int, *, online: int = 0) -> Scene:
        return cls(queries.with_stage(workshop_id), online)

    # -- the stage ------------------------------------------------------------------------------------

    @property
    def item(self) -> AgendaItem | None:
        return self.workshop.stage_item

    @property
    def poll(self) -> Poll | None:
        return self.item.poll if self.item else None

    @property
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
        return queries.room(self.workshop)

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

    # -- the result ---------------------------------------------------------------------------------------

    @cached_property
    def result(self) -> results.Result | None:
        """All that was counted; only for the facilitator's eyes."""
        return results.read(self.poll, rehearsal=self.rehearsing) if self.poll else None

    @cached_property
    def room_result(self) -> results.Result | None:
        """What the room may see of it: only checked words."""
        return results.for_the_room(self.poll, self.result) if self.poll and self.result else None

    @cached_property
    def room_context(self) -> dict[str, Any]:
        """The room's result as the templates of its poll type want it."""
        return result_context(self.room_result) if self.room_result else {}

    @cached_property
    def has_begun(self) -> bool:
        return any(item.launched_at for item in self.items)

    @cached_property
    def shown_count(self) -> int:
        """How many of people's words stand on the wall; a picture changes with it."""
        return sum(text["shown"] is True for text in self.texts)

    @cached_property
    def drawn_result(self) -> dict[str, Any]:
        """The facilitator's result, as the templates of its type draw it."""
        return result_context(self.result) if self.result else {}

    @cached_property
    def drawn_room_result(self) -> dict[str, Any]:
        """The room's result, as the templates of its type draw it."""
        return result_context(self.room_result) if self.room_result else {}

    @property
    def is_revealed(self) -> bool:
        return bool(self.poll and self.poll.is_revealed)

    @property
    def shows_after_vote(self) -> bool:
        """Phones that have answered may see the running result; the others may not yet."""
        return bool(self.poll and self.poll.is_open and self.poll.reveal == Reveal.AFTER_VOTE)

    @property
    def people_asked(self) -> int:
        """The M of "N of M answered": people here; once the question is closed, people who were here then."""
        if not self.result:
            return self.room.joined
        return max(self.result.counts.cast, self.result.counts.joined or self.room.joined)

    @property
    def not_opened(self) -> int:
        """People who are here but whose phone has not shown the question yet."""
        return max(0, self.room.joined - self.result.counts.issued) if self.result else 0

    @cached_property
    def texts(self) -> list[dict[str, Any]]:
        """People's own words of the question on stage with what was decided about them."""
        if not self.poll or not self.poll.poll_type.has_texts:
            return []
        decided = dict(self.poll.text_checks.values_list("key", "shown"))
        found = self.poll.poll_type.texts(self.result.tally, self.poll.question)
        return [{"key": key, "text": text, "people": n, "shown": decided.get(key)} for key, text, n in found]

    @cached_property
    def waiting_texts(self) -> list[dict[str, Any]]:
        return [text for text in self.texts if text["shown"] is None]

    @property
    def next_texts(self) -> list[dict[str, Any]]:
        """The waiting ones that fit one picture; the others move up as these are decided."""
        return _fitting(self.waiting_texts)

    @property
    def decided_texts(self) -> list[dict[str, Any]]:
        return _fitting([text for text in self.texts if text["shown"] is not None])


QUEUE_LETTERS = 2_500  # of people's words in one list: a picture stays far below 64 KiB


def _fitting(texts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first texts that fit, at least one."""
    letters, fitting = 0, []
    for text in texts:
        letters += len(text["text"]) + 40  # the marks around it
        if fitting and letters > QUEUE_LETTERS:
            break
        fitting.append(text)
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


def draw_pads(workshop_id: int, group_ids: list[int]) -> dict[int, str]:
    """The pad of each of these groups for its members, or what those see who have no place yet (minus the round)."""
    drawn = {pad.group.pk: _draw_pad(PAD, pad) for pad in breakouts.pads(workshop_id, group_ids)}
    if any(group < 0 for group in group_ids) and (found := breakouts.overview(workshop_id)):
        drawn[-found.round.pk] = _plain(
            render_to_string("workshops/phone/_no_group.html", {"breakouts": found})
        )
    return drawn


def draw_desk_pads(workshop_id: int, group_ids: list[int]) -> dict[int, str]:
    """The same groups as a facilitator reads them, with all their notes."""
    found = breakouts.pads(workshop_id, group_ids, everything=True)
    return {pad.group.pk: _draw_pad("workshops/console/_group.html", pad) for pad in found}


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
PAD = "workshops/phone/_group.html"


    return {
        "picture": result.picture,
        "counts": result.counts.as_json(),
        "finding": result.finding,
        "table": result.table,
        "measures": result.measures,
        "few": result.tally["n"] < 20,
    }
def draw_own_pad(workshop_id: int, place: dict[str, Any]) -> tuple[str, str]:
    """For a phone's full page: the pad where its person sits as hubs draw it, and with what is theirs alone in it."""
    if place["group"] <= 0:
        found = breakouts.overview(workshop_id) if place["group"] else None
        html = render_to_string("workshops/phone/_no_group.html", {"breakouts": found}) if found else ""
        return html, html
    pad = next(iter(breakouts.pads(workshop_id, [place["group"]])), None)
    if pad is None:
        return "", ""
    return _draw_pad(PAD, pad), render_to_string(PAD, _pad_context(pad) | {"place": place})


