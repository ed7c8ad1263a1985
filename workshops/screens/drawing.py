"""`draw(scene, topic, audience) -> html`: every fragment of every screen, from one table of templates.

First page load, live update and reconnect all come from here, so they cannot differ. A fragment is a template file,
and the id of its root element is the topic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from polls.text_decisions import DecidedText

from ..groups import Pad, load_overview, load_pads, membership
from ..signals.topics import PHONES, SHOWN, Audience, Topic
from ..text import decisions
from . import queries
from .scene import Scene, poll_context, within_budget

TEMPLATES: dict[tuple[Topic, Audience], str] = {
    (topic, audience): f"workshops/{'phone' if audience in PHONES else audience}/_{topic}.html"
    for audience, topics in SHOWN.items()
    for topic in topics
}


def draw(
    scene: Scene, topic: Topic, audience: Audience, request: HttpRequest | None = None, **extra: Any
) -> str:
    """The HTML fragment of one topic for one audience.

    `request` and `extra` are for first page loads only: a CSRF token, a participant's own ballot.
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
        "layer_is_away": scene.broker_is_away,
        **(poll_context(poll) if poll else {}),
    }


PAD, NO_GROUP = "workshops/phone/_group.html", "workshops/phone/_no_group.html"


def draw_pads(
    workshop_id: int,
    group_ids: list[int],
    yield_to_writer: Callable[[], None] = lambda: None,
    *,
    listening: int = 0,
    observed: bool = False,
) -> dict[int, str]:
    """Group id → the HTML of its pad for members. A negative id, −round, is the page for people without a group yet.

    `listening` is the number of people who are not counted, `observed` draws the pads as they may read them.

    `yield_to_writer` is called before each pad, so that a thread that draws many lets a batch of votes be written in
    between (cooperative scheduling).
    """
    drawn = {}
    for pad in load_pads(workshop_id, group_ids):
        yield_to_writer()
        drawn[pad.group.pk] = _draw_pad(pad, listening, observed)
    if any(group < 0 for group in group_ids) and (overview := load_overview(workshop_id)):
        drawn[-overview.round.pk] = _plain(render_to_string(NO_GROUP, {"breakouts": overview}))
    return drawn


def draw_own_pad(
    workshop_id: int, place: dict[str, Any], *, listening: int = 0, observed: bool = False
) -> tuple[str, str]:
    """For a participant's full page: the pad of their group, as `(shared by all members, with their own state in it)`.

    `listening` and `observed` are as in `draw_pads`; `place` is their place from `groups.load_places`. Empty strings
    where there is nothing to draw.
    """
    if place["group"] <= 0:
        overview = load_overview(workshop_id) if place["group"] else None
        if overview is None:
            return "", ""
        shared = _plain(render_to_string(NO_GROUP, {"breakouts": overview}))
        return shared, render_to_string(NO_GROUP, {"breakouts": overview, "place": place})
    pad = next(iter(load_pads(workshop_id, [place["group"]])), None)
    if pad is None:
        return "", ""
    own = render_to_string(PAD, _pad_context(pad, listening, observed) | {"place": place})
    return _draw_pad(pad, listening, observed), own


def _for_observers(pad: Pad) -> Pad:
    """Its notes as decided, and where nobody has decided, without what may name somebody."""
    said = (
        (note, decisions.for_observers(DecidedText(note.text, note.state, note.instead)))
        for note in pad.notes
    )
    return replace(pad, notes=tuple(replace(note, text=words) for note, words in said if words))


def draw_desk_pads(workshop_id: int, group_ids: list[int]) -> dict[int, str]:
    """Group id → the HTML of its pad for the console, with all its notes."""
    pads = desk_pads(workshop_id, group_ids)
    return {pad.group.pk: _plain(draw_desk_pad(workshop_id, pad)) for pad in pads}


def desk_pads(workshop_id: int, group_ids: list[int]) -> list[Pad]:
    return load_pads(workshop_id, group_ids, everything=True)


#: characters of one group's pad on the console, so that its frame stays below 64 KiB
PAD_BUDGET = 58_000
#: estimated characters of markup for one note and for one person
NOTE_MARKUP, PERSON_MARKUP = 450, 250


def draw_desk_pad(workshop_id: int, pad: Pad, request: HttpRequest | None = None) -> str:
    """One group's pad for the console: its notes, its members, the probes and messages that can be sent to it."""
    workshop = queries.with_stage(workshop_id)
    sent = {call.text for call in pad.probes}
    prompt = pad.group.prompt
    people = membership.seated(workshop, pad.round, pad.group.pk).get(pad.group.pk, [])
    notes = within_budget(
        pad.notes, lambda note: len(note.text) + NOTE_MARKUP, PAD_BUDGET - PERSON_MARKUP * len(people)
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
            "probes": [probe for probe in prompt.probes if probe not in sent] if prompt else [],
        },
        request,
    )


def _draw_pad(pad: Pad, listening: int, observed: bool) -> str:
    return _plain(render_to_string(PAD, _pad_context(pad, listening, observed)))


def _pad_context(pad: Pad, listening: int, observed: bool) -> dict[str, Any]:
    pad = _for_observers(pad) if observed else pad
    return {
        "pad": pad, "group": pad.group, "round": pad.round, "listening": listening, "observed": observed,
    }  # fmt: skip


def _plain(html: str) -> str:
    """A plain `str`: the JSON encoder of frames accepts no subclass, and Django's templates return `SafeString`."""
    return str.__str__(html)
