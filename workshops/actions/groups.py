"""What facilitators do with small groups: make them, ask them, listen to them, call them back."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from polls.types import Question

from .. import grouping
from ..breakouts import current_round
from ..grouping import Person
from ..live import notify
from ..live.topics import PLACES, pad
from ..models import AgendaItem, Call, Contribution, Group, Participant, Place, Prompt, Round, Workshop
from ..models.breakouts import NAME_LIMIT
from ..moderation import suggestions
from ..queries import roles_of
from . import groupwork
from .facilitation import NotNow, _clear_stage, _on_stage, _require_running, _start_timer, put_question

MOST_GROUPS = 200


# --- making groups -------------------------------------------------------------------------------------


def make(workshop_id: int, by: Any, how: str, *, size: int | None = None, groups: int | None = None) -> None:
    """Put everybody who is here into groups, to be opened later. Groups that were formed and not opened are replaced.

    `size` people in a group, or so many `groups`; neither for `by_table` and `kept`.
    """
    with _on_stage(workshop_id, by, "make_groups", detail=how, moves=False) as workshop:
        _require_running(workshop)
        _replace_formed(workshop)
        made = Round.objects.create(workshop=workshop, number=_next_number(workshop), made=how)
        _fill(made, _seated(workshop, made, how, size, groups))
        notify.changed(workshop_id, PLACES)


def _replace_formed(workshop: Workshop) -> None:
    current = current_round(workshop.pk)
    if current and current.opened_at:
        raise NotNow(_("Groups are at work. End their time before you make new ones."))
    if current:
        current.delete()


def _next_number(workshop: Workshop) -> int:
    return (workshop.rounds.aggregate(last=Max("number"))["last"] or 0) + 1


def _seated(
    workshop: Workshop, made: Round, how: str, size: int | None, groups: int | None
) -> list[tuple[str, list[str]]]:
    """Every group's name with the voters in it."""
    if how == Round.Made.KEPT:
        return _as_before(workshop, made)
    people = _people(workshop)
    if how == Round.Made.BY_TABLE:
        at_tables = sorted({person.table for person in people if person.table is not None})
        return [
            (_("Table %(n)d") % {"n": table}, [p.key for p in people if p.table == table])
            for table in at_tables
        ]
    if how == Round.Made.SELF_CHOSEN:
        return [(_name(n), []) for n in range(1, _number(people, size, groups) + 1)]
    return [
        (_name(n), [p.key for p in seated]) for n, seated in enumerate(_mixed(how, people, size, groups), 1)
    ]


def _mixed(how: str, people: list[Person], size: int | None, groups: int | None) -> grouping.Groups:
    seed = random.getrandbits(32)
    try:
        if how == Round.Made.BY_ROLE:
            made = grouping.by_role(people, size=size, seed=seed)
        elif how == Round.Made.BALANCED:
            made = grouping.balanced_by(people, size=size, groups=groups, seed=seed)
        else:
            made = grouping.random_groups(people, size=size, groups=groups, seed=seed)
    except ValueError:
        raise NotNow(_("Give the size of a group, from 2, or the number of groups.")) from None
    if not made:
        raise NotNow(_("Nobody is here yet to put into groups."))
    if len(made) > MOST_GROUPS:
        raise NotNow(_("That would be more than %(n)d groups.") % {"n": MOST_GROUPS})
    return made


def _number(people: list[Person], size: int | None, groups: int | None) -> int:
    if groups is None and size is None:
        raise NotNow(_("Give the size of a group, from 2, or the number of groups."))
    return max(1, min(MOST_GROUPS, groups or -(-len(people) // max(2, size or 2))))


def _as_before(workshop: Workshop, made: Round) -> list[tuple[str, list[str]]]:
    before = workshop.rounds.exclude(pk=made.pk).order_by("-number").first()
    if before is None:
        raise NotNow(_("There were no groups before."))
    here = set(_here(workshop).values_list("voter", flat=True))
    seated = [
        (group.name, [v for v in group.places.values_list("voter", flat=True) if v in here])
        for group in before.groups.all()
    ]
    new = sorted(here - {voter for _name, voters in seated for voter in voters})
    for voter in new:
        seated[grouping.place_latecomer([len(voters) for _name, voters in seated])][1].append(voter)
    return seated


def _people(workshop: Workshop) -> list[Person]:
    role = roles_of(workshop)
    here = _here(workshop).values_list("voter", "table")
    return [Person(voter, role.get(voter, ""), table) for voter, table in here]


def _here(workshop: Workshop):
    return Participant.objects.filter(workshop=workshop, left_at__isnull=True)


def _name(number: int) -> str:
    return _("Group %(n)d") % {"n": number}


def _fill(made: Round, seated: list[tuple[str, list[str]]]) -> None:
    groups = Group.objects.bulk_create(
        Group(round=made, number=number, name=name) for number, (name, _voters) in enumerate(seated, start=1)
    )
    Place.objects.bulk_create(
        Place(round=made, group=group, voter=voter)
        for group, (_name, voters) in zip(groups, seated, strict=True)
        for voter in voters
    )


def move(workshop_id: int, by: Any, people: Iterable[int], group: int) -> None:
    """These people (their places) to another group of the current round, by hand."""
    with _on_stage(workshop_id, by, "move_person", moves=False):
        current = _current(workshop_id)
        target = current.groups.filter(pk=group).first()
        if target is None:
            raise NotNow(_("That group is not there any more."))
        found = list(current.places.filter(pk__in=list(people)).order_by("pk"))
        if not found:
            raise NotNow(_("Tick the people first, then press “Move here”."))
        left = {place.group_id for place in found}
        for place in found:
            groupwork.sit_down(place.voter, target)
        notify.changed(workshop_id, *(pad(pk) for pk in {target.pk, *left}))


def name_group(workshop_id: int, by: Any, group: int, name: str, link: str = "") -> None:
    """A name of its own, and the address of its video room."""
    with _on_stage(workshop_id, by, "name_group", moves=False):
        found = _group(workshop_id, group)
        if link and not link.startswith(("https://", "http://")):
            raise NotNow(_("A link begins with https://."))
        found.name = " ".join(name.split())[:NAME_LIMIT] or _name(found.number)
        found.link = link
        found.save(update_fields=["name", "link"])
        notify.changed(workshop_id, pad(found.pk))


# --- a round -----------------------------------------------------------------------------------------------


def open_round(
    workshop_id: int,
    by: Any,
    *,
    prompts: Iterable[int] = (),
    seconds: int | None = None,
    think_first: bool = False,
) -> None:
    """Send the prompt on stage to all groups, or these prompts in turn to group after group; the clock starts."""
    with _on_stage(workshop_id, by, "open_groups", moves=False) as workshop:
        current = _current(workshop_id)
        if current.opened_at:
            raise NotNow(_("The groups are at work already."))
        asked = _asked(workshop, list(prompts))
        groups = list(current.groups.all())
        for number, group in enumerate(groups):
            group.prompt = asked[number % len(asked)]
            group.question = group.prompt.text
        Group.objects.bulk_update(groups, ["prompt", "question"])
        item = workshop.stage_item
        current.item = item if item and item.kind == AgendaItem.Kind.PROMPT else None
        current.think_first, current.opened_at = think_first, timezone.now()
        current.save()
        _start_timer(workshop, seconds or max(p.minutes for p in asked) * 60)
        _tell_all(current)


def _asked(workshop: Workshop, prompts: list[int]) -> list[Prompt]:
    if prompts:
        known = {p.pk: p for p in Prompt.objects.filter(programme=workshop.programme_id, pk__in=prompts)}
        if found := [known[pk] for pk in prompts if pk in known]:
            return found
    item = workshop.stage_item
    if item is None or item.prompt is None:
        raise NotNow(_("Put a prompt on stage first, or choose one for the groups."))
    return [item.prompt]


def share(workshop_id: int, by: Any) -> None:
    """Open everybody's notes to their group, where people thought for themselves first."""
    with _on_stage(workshop_id, by, "share_notes", moves=False):
        current = _at_work(workshop_id)
        current.shared_at = current.shared_at or timezone.now()
        current.save(update_fields=["shared_at"])
        _tell_all(current)


def call(workshop_id: int, by: Any, kind: str, text: str, group: int | None = None) -> None:
    """A new probe or a message to one group, or to all."""
    words = " ".join(text.split())
    if not words:
        raise NotNow(_("Write a few words first."))
    with _on_stage(workshop_id, by, kind, detail=words, moves=False):
        current = _at_work(workshop_id)
        to = _group(workshop_id, group) if group else None
        Call.objects.create(round=current, group=to, kind=kind, text=words[:500])
        _tell_all(current, only=to)


def recall(workshop_id: int, by: Any) -> None:
    """Call everybody back; notes can still be finished."""
    with _on_stage(workshop_id, by, "recall", moves=False):
        current = _at_work(workshop_id)
        current.recalled_at = current.recalled_at or timezone.now()
        current.save(update_fields=["recalled_at"])
        _tell_all(current)


def close_round(workshop_id: int, by: Any) -> None:
    """The group time is over; notes stay as they are."""
    with _on_stage(workshop_id, by, "close_groups", moves=False):
        current = _current(workshop_id)
        current.closed_at = timezone.now()
        current.presenting = None
        current.save(update_fields=["closed_at", "presenting"])
        _tell_all(current)


def answer_help(workshop_id: int, by: Any, group: int) -> None:
    """The facilitator is on the way; the call leaves everybody's screen."""
    with _on_stage(workshop_id, by, "answer_help", moves=False):
        found = _group(workshop_id, group)
        found.help_at = None
        found.save(update_fields=["help_at"])
        notify.changed(workshop_id, pad(found.pk))


def free_scribe(workshop_id: int, by: Any, group: int) -> None:
    """The scribe's phone is gone: anybody in the group can take over."""
    with _on_stage(workshop_id, by, "free_scribe", moves=False):
        found = _group(workshop_id, group)
        found.scribe = ""
        found.save(update_fields=["scribe"])
        notify.changed(workshop_id, pad(found.pk))


# --- sharing back --------------------------------------------------------------------------------------------


def present(workshop_id: int, by: Any, group: int | None) -> None:
    """Put one group's sentence on the wall; `None` takes it away. Who shows it has read it, so it is checked.

    After a question that was asked in between, the groups' own prompt is on stage again.
    """
    with _on_stage(workshop_id, by, "present", moves=False) as workshop:
        current = _current(workshop_id)
        found = _group(workshop_id, group) if group else None
        if found:
            _let_onto_the_wall(found.pick)
            _back_on_stage(workshop, current)
        current.presenting = found
        current.save(update_fields=["presenting"])


def _let_onto_the_wall(pick: Contribution | None) -> None:
    if pick is None or pick.taken_back_at or pick.safeguarding:
        raise NotNow(_("This group has not chosen a sentence yet."))
    if pick.check_state == Contribution.Check.PENDING:
        if suggestions(pick.text):  # whoever shows it is asked to decide about those words by themselves
            raise NotNow(_("This sentence may name somebody. Decide about it under “Words to check” first."))
        pick.check_state = Contribution.Check.SHOWN
        pick.save(update_fields=["check_state"])
    if not pick.for_the_wall:
        raise NotNow(_("This group’s sentence is hidden, so it cannot be shown."))


def _back_on_stage(workshop: Workshop, current: Round) -> None:
    on_stage = workshop.stage_item
    if on_stage and on_stage.poll and on_stage.poll.is_open:
        raise NotNow(_("A question is open. Close it first, then show the group."))
    if current.item is None or current.item == on_stage:
        return
    _clear_stage(workshop, coming=current.item)
    current.item.done_at = None
    current.item.save(update_fields=["done_at"])
    workshop.stage_item, workshop.stage_at = current.item, timezone.now()
    workshop.stage_rev += 1


def propose(workshop_id: int, by: Any, note: int, on: bool = True) -> None:
    """Bring a note to the vision as the draft of a statement; researchers find it there."""
    with _on_stage(workshop_id, by, "propose", moves=False):
        found = _note(workshop_id, note)
        found.proposed_at = timezone.now() if on else None
        found.save(update_fields=["proposed_at"])
        notify.changed(workshop_id, pad(found.group_id))


def agreement_poll(workshop_id: int, by: Any, note: int, rev: int | None = None) -> None:
    """Ask the room at once whether a sentence rings true; what may stand on the wall is what is asked."""
    found = _note(workshop_id, note)
    if found.check_state == Contribution.Check.HIDDEN:
        raise NotNow(_("This note is hidden, so it cannot be asked about."))
    with transaction.atomic():
        _let_onto_the_wall(found)
        question = Question(type="statement", text=found.for_the_wall, help=_("Does this ring true?"))
        put_question(workshop_id, by, question, rev=rev)


def check_note(
    workshop_id: int, by: Any, note: int, state: str, *, redacted: str = "", safeguarding: bool = False
) -> None:
    """Decide about a note: shown, hidden, or shown with words taken out; a safeguarding flag hides it everywhere."""
    with _on_stage(workshop_id, by, "check_note", detail=state, moves=False):
        found = _note(workshop_id, note)
        words = " ".join(redacted.split())
        if state == Contribution.Check.REDACTED and not words:
            raise NotNow(_("Write what the wall may show instead."))
        found.check_state = state
        found.redacted = words if state == Contribution.Check.REDACTED else ""
        found.safeguarding = safeguarding
        found.save(update_fields=["check_state", "redacted", "safeguarding"])
        notify.changed(workshop_id, pad(found.group_id))


# --- what is there ---------------------------------------------------------------------------------------------


def _current(workshop_id: int) -> Round:
    current = current_round(workshop_id)
    if current is None:
        raise NotNow(_("Make groups first."))
    return current


def _at_work(workshop_id: int) -> Round:
    current = _current(workshop_id)
    if not current.is_open:
        raise NotNow(_("The groups have not started yet."))
    return current


def _group(workshop_id: int, group: int) -> Group:
    found = Group.objects.select_related("round", "pick").filter(
        pk=group, round__workshop=workshop_id, round__closed_at__isnull=True
    )
    if (first := found.first()) is None:
        raise NotNow(_("That group is not there any more."))
    return first


def _note(workshop_id: int, note: int) -> Contribution:
    found = Contribution.objects.filter(
        pk=note, group__round__workshop=workshop_id, taken_back_at__isnull=True, safeguarding=False
    )
    if (first := found.first()) is None:
        raise NotNow(_("That note is not there any more."))
    return first


def _tell_all(current: Round, *, only: Group | None = None) -> None:
    """Every pad of the round, or one, is drawn anew; everybody's place too, for it carries own notes and agreements."""
    ids = [only.pk] if only else list(current.groups.values_list("pk", flat=True))
    notify.changed(current.workshop_id, *([] if only else [PLACES]), *(pad(pk) for pk in ids))
