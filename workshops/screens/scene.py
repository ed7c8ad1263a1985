"""The state of a workshop for drawing (a view model): `Scene`, each part read from the database once, on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from django.utils import timezone
from django.utils.translation import gettext as _

from polls import results
from polls.lifecycle import Reveal
from polls.models import Poll
from polls.text_decisions import TextModeration

from ..groups import GroupView, Overview, load_overview, marked, membership, picked, setup_panel
from ..groups.next_step import Step, next_step, sharing, wall_state
from ..models import AgendaItem, Workshop
from ..people.roles import Headcount, count_people, role_counts
from ..text import decisions, reports
from . import queries


@dataclass
class Scene:
    """A snapshot of one workshop for drawing. Reads are lazy and cached; nothing here writes.

    `online` is the number of connected phones. `people` is a head count that the caller has cached, and knows to be
    valid; without it, it is counted once something needs it, and stands here for the caller to cache.
    """

    workshop: Workshop
    online: int = 0
    people: Headcount | None = None
    #: people here who are not counted (`live.listeners`)
    listening: int = 0
    #: the message broker is down: other server processes see changes only when they poll
    broker_is_away: bool = False

    @classmethod
    def load(
        cls,
        workshop_id: int,
        *,
        online: int = 0,
        people: Headcount | None = None,
        listening: int = 0,
        broker_is_away: bool = False,
    ) -> Scene:
        return cls(queries.with_stage(workshop_id), online, people, listening, broker_is_away)

    # -- the stage ------------------------------------------------------------------------------------

    @cached_property
    def item(self) -> AgendaItem | None:
        return self.workshop.stage_item

    @cached_property
    def poll(self) -> Poll | None:
        return self.item.poll if self.item else None

    @cached_property
    def state(self) -> str:
        """planned, joining, ballot, closed, prompt, pause or ended: which template the stage shows."""
        if not self.workshop.is_running:
            return "ended" if self.workshop.has_ended else "planned"
        if self.item is None:
            return "joining"
        if self.poll is None:
            return str(self.item.kind)
        return "ballot" if self.poll.is_open else "closed"

    @property
    def key(self) -> str:
        """The identity of a phone's stage: with another key the script replaces the whole stage and scrolls to its top.

        It changes with the agenda item, and when a poll is reopened or its result is shown or hidden.
        """
        moment = ""
        if self.poll and self.poll.opened_at and self.state == "ballot":
            moment = f"-{self.poll.opened_at.timestamp():.0f}"
        elif self.state == "closed":
            moment = "-shown" if self.is_revealed else "-hidden"
        return f"{self.state}-{self.item.pk if self.item else 0}{moment}"

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
        number = queries.numbered_polls(self.items).get(self.item.pk if self.item else 0)
        return _("Question %(place)d of %(of)d") % {"place": number[0], "of": number[1]} if number else ""

    # -- people -----------------------------------------------------------------------------------------

    @property
    def headcount(self) -> Headcount:
        if self.people is None:
            self.people = count_people(self.workshop)
        return self.people

    @cached_property
    def answered(self) -> int:
        """People who have answered a question of a questionnaire."""
        return queries.people_who_answered(self.workshop)

    @cached_property
    def roles(self) -> tuple[tuple[str, int], ...]:
        return role_counts(self.workshop, self.headcount.joined)

    @property
    def rehearsing(self) -> bool:
        return self.headcount.rehearsal > 0

    @cached_property
    def breakouts(self) -> Overview | None:
        """The current round of groups, from forming to closing; `None` without one."""
        return load_overview(self.workshop.pk)

    @cached_property
    def talked(self) -> bool:
        """Did groups talk about the prompt on stage, and is their round closed?"""
        return self.state == "prompt" and self.breakouts is None and membership.had_groups(self.workshop)

    @cached_property
    def group_step(self) -> Step:
        """The action of the console's main button on the groups, if any."""
        return next_step(self.state, self.breakouts, lambda: membership.had_groups(self.workshop))

    @property
    def next_ends_groups(self) -> bool:
        """Would launching the next item close the open round of groups? A pause does not."""
        overview = self.breakouts
        if overview is None or self.next is None or self.next.kind == AgendaItem.Kind.PAUSE:
            return False
        return (
            bool(overview.round.opened_at and overview.round.item_id)
            and self.next.pk != overview.round.item_id
        )

    @cached_property
    def sharing(self) -> GroupView | None:
        """The group whose picked note is shown on the wall."""
        return sharing(self.state, self.item, self.breakouts)

    @property
    def wall_state(self) -> str:
        # An open question has priority over the list of groups.
        return self.state if self.state == "ballot" else wall_state(self.state, self.item, self.breakouts)

    @cached_property
    def forming(self) -> setup_panel.Forming | None:
        """The console's setup panel, from creating groups until they are opened."""
        overview = self.breakouts
        return (
            setup_panel.forming(self.workshop, overview)
            if overview and not overview.round.opened_at
            else None
        )

    @cached_property
    def probes_left(self) -> list[str]:
        """Probes that were not sent to all groups yet."""
        return setup_panel.probes_left(self.breakouts) if self.breakouts else []

    @property
    def is_there_something_to_read(self) -> bool:
        """Does the workshop have notes of groups or texts of ballots to read?"""
        return reports.with_something_to_read(Workshop.objects.filter(pk=self.workshop.pk)).exists()

    # -- the result ---------------------------------------------------------------------------------------

    @cached_property
    def result(self) -> results.Result | None:
        """The unmoderated result. Never drawn as it is: see `room_result` and `staff_result`."""
        assert self.moderation is not None  # loaded first: see `TextModeration`
        return results.read(self.poll, rehearsal=self.rehearsing) if self.poll else None

    @property
    def counts(self) -> results.Counts:
        """The denominators of the poll on stage, from the result where answers are drawn, else from the cheaper
        `turnout`; never both for one fragment."""
        needs_answers = "result" in self.__dict__ or self.is_revealed or not (self.poll and self.poll.is_open)
        if needs_answers:
            return self.result.counts if self.result else results.Counts()
        return self.turnout

    @cached_property
    def turnout(self) -> results.Counts:
        return results.turnout(self.poll, rehearsal=self.rehearsing) if self.poll else results.Counts()

    @cached_property
    def room_result(self) -> results.Result | None:
        """The result for participants and the wall, after moderation of its texts."""
        if not self.poll or not self.result:
            return None
        return results.for_the_room(self.poll, self.result, self.moderation, decisions.is_suspicious)

    @cached_property
    def staff_result(self) -> results.Result | None:
        """The result for facilitators: all texts but those flagged for safeguarding."""
        return (
            results.for_staff(self.poll, self.result, self.moderation) if self.poll and self.result else None
        )

    @cached_property
    def moderation(self) -> TextModeration:
        """Moderation decisions about the texts of the poll on stage."""
        return results.moderation_of([self.poll] if self.poll else [], rehearsal=self.rehearsing)

    @cached_property
    def has_begun(self) -> bool:
        return any(item.launched_at for item in self.items)

    @cached_property
    def staff_result_context(self) -> dict[str, Any]:
        """Template context of `staff_result`."""
        return result_context(self.staff_result) if self.staff_result else {}

    @cached_property
    def room_result_context(self) -> dict[str, Any]:
        """Template context of `room_result`."""
        return result_context(self.room_result) if self.room_result else {}

    @cached_property
    def is_revealed(self) -> bool:
        return bool(self.poll and self.poll.is_revealed)

    @property
    def shows_after_vote(self) -> bool:
        """May phones that have answered see the running result, and others not yet?"""
        return bool(self.poll and self.poll.is_open and self.poll.reveal == Reveal.AFTER_VOTE)

    @property
    def people_asked(self) -> int:
        """The M of "N of M answered": participants now, or at the close once the poll is closed."""
        return max(self.counts.cast, self.counts.joined or self.headcount.joined)

    @property
    def not_opened(self) -> int:
        """Participants whose phone has not shown the question yet."""
        return max(0, self.headcount.joined - self.counts.issued) if self.poll else 0

    @cached_property
    def texts(self) -> list[decisions.Item]:
        """The moderation queue: texts of the poll on stage, and notes that groups picked or a facilitator marked."""
        return [*self.asked_texts, *decisions.notes(picked(self.workshop.pk), marked(self.workshop.pk))]

    @cached_property
    def asked_texts(self) -> list[decisions.Item]:
        return decisions.texts(self.poll, rehearsal=self.rehearsing) if self.poll else []

    @cached_property
    def waiting_texts(self) -> list[decisions.Item]:
        return [text for text in self.texts if text.waits]

    @property
    def next_texts(self) -> list[decisions.Item]:
        """The pending texts that fit one fragment; the others move up as these are decided."""
        return within_budget(self.waiting_texts, _size, QUEUE_BUDGET)

    @property
    def harmless_texts(self) -> list[decisions.Item]:
        """Those of `next_texts` that may be approved in bulk: texts of the poll that are not suspicious."""
        return [text for text in self.next_texts if not text.group and not text.is_suspicious]

    @property
    def decided_texts(self) -> list[decisions.Item]:
        return within_budget([text for text in self.texts if not text.waits], _size, QUEUE_BUDGET)


T = TypeVar("T")

QUEUE_BUDGET = 20_000  # characters of the moderation queue's fragment, far below a frame of 64 KiB
BUTTON_MARKUP = 900  # estimated characters of markup for one text's buttons


def _size(text: decisions.Item) -> int:
    return 4 * len(text.text) + len(text.instead) + BUTTON_MARKUP  # its buttons' labels repeat the text


def within_budget(items: Iterable[T], size_of: Callable[[T], int], budget: int) -> list[T]:
    """The first items whose sizes add up to at most `budget`; at least one."""
    size, within_budget = 0, list[T]()
    for item in items:
        size += size_of(item)
        if within_budget and size > budget:
            break
        within_budget.append(item)
    return within_budget


def poll_context(poll: Poll) -> dict[str, Any]:
    """Template context of an empty ballot, for the templates of a poll type."""
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
    """Template context of a result, for the templates of a poll type."""
    return {
        "picture": result.picture,
        "counts": result.counts.as_json(),
        "finding": result.finding,
        "table": result.table,
        "measures": result.measures,
        "few": result.tally["n"] < 20,
    }
