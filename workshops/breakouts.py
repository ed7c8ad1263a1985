"""Reads about groups: where somebody sits, what stands on a pad, how all groups are doing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import accumulate
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.utils.crypto import salted_hmac

from polls.prepared import Prepared

from .models import Agreement, Call, Contribution, Group, Place, Round
from .models.breakouts import note_ref

TAG_LENGTH = 10


@lru_cache(maxsize=20_000)  # it stands beside every note of every picture
def tag(group_id: int, voter: str) -> str:
    """What stands for a person inside one group: they know their own, and no two groups share one."""
    return salted_hmac("workshops.group", f"{group_id}:{voter}", algorithm="sha256").hexdigest()[:TAG_LENGTH]


# --- where somebody sits ------------------------------------------------------------------------------

# Asked for everybody who comes in: most workshops have no round just then.
_ROUNDS = Prepared(
    lambda workshops: (
        Round.objects.filter(workshop__in=workshops, closed_at__isnull=True)
        .order_by("-number")
        .values_list("pk", "think_first", "shared_at")
    ),
    int,
)


def current_round(workshop_id: int) -> Round | None:
    """The round that is formed or open; there is one at most. Mostly there is none, and every wall asks."""
    rows = _ROUNDS.rows([workshop_id])
    return Round.objects.filter(pk=rows[0][0]).first() if rows else None


def picked(workshop_id: int) -> list[Group]:
    """The groups of the current round that have picked a note, with it: every console asks at every vote."""
    if not (rounds := _ROUNDS.rows([workshop_id])):
        return []
    return list(Group.objects.filter(round=rounds[0][0], pick__isnull=False).select_related("pick"))


@dataclass(frozen=True, slots=True)
class Places:
    """Who sits where in the current round; `round` 0 where there is none."""

    round: int = 0
    groups: dict[str, int] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    agreed: dict[str, list[int]] = field(default_factory=dict)
    #: own notes, while those of the others are hidden: the group's picture has none of them then
    own: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    #: own notes in groups where their author does not sit any more, with the group's name
    elsewhere: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    #: what the facilitator calls people by: the console has the same (`queries.seated`)
    numbers: dict[str, int] = field(default_factory=dict)

    def of(
        self, voter: str, watching: Callable[[int], int] = lambda group: 0, listens: int = 0
    ) -> dict[str, Any]:
        """The place of a voter, or of an observer (`voter` empty): in the group that they listen to already, else in
        the one with the fewest people and watchers. Nothing is stored of an observer; their screen keeps the number.

        `group` is 0 outside of rounds and minus the round's number while somebody has no place yet.
        """
        if not self.round:
            return {"group": 0}
        if not voter and listens in self.sizes:
            return {"group": listens}
        if not voter:
            smallest = min(
                self.sizes, key=lambda group: (self.sizes[group] + watching(group), group), default=0
            )
            return {"group": smallest}
        group = self.groups.get(voter, -self.round)
        place = {"group": group, "tag": tag(group, voter), "agreed": sorted(self.agreed.get(voter, []))}
        place |= {"number": self.numbers[voter]} if voter in self.numbers else {}
        place |= {"own": self.own[voter]} if voter in self.own else {}
        return place | ({"elsewhere": self.elsewhere[voter]} if voter in self.elsewhere else {})


def group_after(workshop_id: int, group: int) -> int:
    """The group of the current round that follows this one, the first after the last; 0 where there is none."""
    order = sorted(places(workshop_id, "").sizes)
    return next((other for other in order if other > group), order[0] if order else 0)


def places(workshop_id: int, voter: str | None = None) -> Places:
    """Everybody's place in the current round, or one voter's. Six queries at most, whatever the number of people."""
    rounds = _ROUNDS.rows([workshop_id])
    if not rounds:
        return Places()
    current, think_first, shared_at = rounds[0]
    who = {} if voter is None else {"voter": voter}
    seats = list(
        Place.objects.filter(round=current, **who).order_by("pk").values_list("pk", "voter", "group")
    )
    taken = {name: group for _place, name, group in seats if group}
    sizes = dict.fromkeys(Group.objects.filter(round=current).values_list("pk", flat=True), 0)
    sizes.update(Counter(taken.values()))
    agreed: defaultdict[str, list[int]] = defaultdict(list)
    agreements = Agreement.objects.filter(contribution__group__round=current, **who)
    for name, note in agreements.values_list("voter", "contribution"):
        agreed[name].append(note)
    hidden = bool(think_first and not shared_at)
    own, elsewhere = _notes_of_authors(current, voter, taken, here_too=hidden)
    numbers = {name: number for number, (_place, name, _group) in enumerate(seats, start=1)}
    if voter is not None and seats:
        numbers[voter] = Place.objects.filter(round=current, pk__lte=seats[0][0]).count()
    return Places(current, taken, sizes, dict(agreed), own, elsewhere, numbers)


def _notes_of_authors(
    current: int, voter: str | None, taken: dict[str, int], *, here_too: bool
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, list[dict[str, Any]]]]:
    """Own notes of this round for each author: in the group where they sit (only if `here_too`), and in others."""
    writers = {} if voter is None else {"author": voter}
    notes = Contribution.objects.filter(
        group__round=current, taken_back_at__isnull=True, safeguarding=False, **writers
    )
    if not here_too:
        here = Place.objects.filter(voter=OuterRef("author"), group=OuterRef("group"))
        notes = notes.filter(~Exists(here))
    own: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    elsewhere: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for author, group, name, note, revision, text in notes.order_by("pk").values_list(
        "author", "group", "group__name", "pk", "revision", "text"
    ):
        words = {"note": note, "rev": revision, "text": text}
        if taken.get(author) == group:
            own[author].append(words)
        else:
            elsewhere[author].append(words | {"of": name})
    return dict(own), {author: _newest(notes) for author, notes in elsewhere.items()}


ELSEWHERE_LETTERS = 20_000  # of own notes in other groups: a place stays a small message


def _newest(notes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest of somebody's notes, as many as fit, in their order."""
    letters = list(accumulate(len(note["text"]) for note in reversed(notes)))
    fitting = sum(sum_so_far <= ELSEWHERE_LETTERS for sum_so_far in letters)
    return notes[len(notes) - fitting :]


# --- pads --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Note:
    """A contribution as its group sees it."""

    pk: int
    by: str
    text: str
    revision: int
    agreeing: int
    picked: bool
    changed: bool
    #: for facilitators: what was decided about it, and whether it was brought to the vision
    check: str = ""
    safeguarding: bool = False
    proposed: bool = False

    @property
    def ref(self) -> str:
        return note_ref(self.pk, self.revision)

    @property
    def can_be_asked(self) -> bool:
        """May the whole room read it, if the facilitator says so now?"""
        return not self.safeguarding and self.check != Contribution.Check.HIDDEN


@dataclass(frozen=True, slots=True)
class Pad:
    """One group with all that its members see. `notes` is empty while others' notes are hidden; `count` never lies."""

    group: Group
    round: Round
    people: int
    count: int
    notes: tuple[Note, ...]
    calls: tuple[Call, ...]
    scribe: str

    @property
    def probes(self) -> list[Call]:
        return [call for call in self.calls if call.kind == Call.Kind.PROBE]

    @property
    def messages(self) -> list[Call]:
        return [call for call in self.calls if call.kind == Call.Kind.MESSAGE]


# Prepared, for a hundred groups that write have some of their pads drawn several times a second.
_NOTES = Prepared(
    lambda groups: (
        Contribution.objects.filter(group__in=groups, taken_back_at__isnull=True)
        .order_by("position", "pk")
        .values_list(
            "group_id", "pk", "author", "text", "revision", "changed_at", "check_state", "safeguarding",
            "proposed_at",
        )
    ),
    int,
)  # fmt: skip
_AGREEING = Prepared(
    lambda groups: (
        Agreement.objects.filter(contribution__group__in=groups)
        .order_by()
        .values_list("contribution")
        .annotate(people=Count("pk"))
    ),
    int,
)


def pads(workshop_id: int, group_ids: Iterable[int], *, everything: bool = False) -> list[Pad]:
    """These groups' pads, five queries for all of them; `everything`: also notes that the group hides (console)."""
    groups = list(
        Group.objects.filter(pk__in=list(group_ids), round__workshop=workshop_id).select_related(
            "round__item", "prompt"
        )
    )
    ids = [group.pk for group in groups]
    people = Counter(Place.objects.filter(group__in=ids).values_list("group", flat=True))
    notes = _notes({group.pk: group for group in groups})
    calls: defaultdict[int | None, list[Call]] = defaultdict(list)
    rounds = {group.round_id for group in groups}
    for call in Call.objects.filter(Q(group__in=ids) | Q(group__isnull=True), round__in=rounds):
        calls[call.group_id].append(call)
    return [
        Pad(
            group=group,
            round=group.round,
            people=people[group.pk],
            count=len(notes[group.pk]),
            notes=tuple(
                note
                for note in notes[group.pk]
                if not note.safeguarding and (everything or group.round.shows_others)
            ),
            calls=tuple(
                sorted(
                    [*calls[group.pk], *(c for c in calls[None] if c.round_id == group.round_id)],
                    key=lambda call: call.pk,
                )
            ),
            scribe=tag(group.pk, group.scribe) if group.scribe else "",
        )
        for group in groups
    ]


def _notes(groups: dict[int, Group]) -> dict[int, list[Note]]:
    """All that stands on their pads, by group and in its order."""
    agreeing: dict[int, int] = dict(_AGREEING.rows(list(groups)))
    found: defaultdict[int, list[Note]] = defaultdict(list)
    for group, pk, author, text, revision, changed, check, safeguarding, proposed in _NOTES.rows(
        list(groups)
    ):
        note = Note(
            pk=pk,
            by=tag(group, author),
            text=text,
            revision=revision,
            agreeing=agreeing.get(pk, 0),
            picked=groups[group].pick_id == pk,
            changed=changed is not None,
            check=check,
            safeguarding=safeguarding,
            proposed=proposed is not None,
        )
        found[group].append(note)
    return found


def own_note(group_id: int, note_id: int, voter: str) -> Contribution | None:
    """This note of a group, if this person may see and change it: its author, or the scribe."""
    found = Contribution.objects.filter(pk=note_id, group=group_id, taken_back_at__isnull=True)
    note = found.filter(safeguarding=False).select_related("group__round").first()
    if note is None or not voter:
        return None
    is_scribe = note.group.scribe == voter and note.group.round.shows_others
    return note if note.author == voter or is_scribe else None


# --- all groups ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group from outside: no words of it but the sentence that it brings."""

    group: Group
    people: int
    notes: int

    @property
    def pick(self) -> Contribution | None:
        found = self.group.pick
        return None if found is None or found.taken_back_at or found.safeguarding else found

    @property
    def for_the_wall(self) -> str:
        return self.pick.for_the_wall if self.pick else ""

    @property
    def can_be_shown(self) -> bool:
        """Has it a sentence that the wall may show, once the facilitator has read it?"""
        return bool(self.pick) and (
            self.pick.check_state == Contribution.Check.PENDING or bool(self.for_the_wall)
        )


@dataclass(frozen=True, slots=True)
class Overview:
    """A round as the console and the wall show it."""

    round: Round
    groups: tuple[GroupView, ...]
    #: others in the group on the wall who agree with its sentence
    agreeing: int = 0
    #: people who wait for the facilitator to give them a place
    waiting: int = 0

    @property
    def calls(self) -> list[GroupView]:
        """Groups that wait for the facilitator, the longest first."""
        waiting = [(view.group.help_at, view.group.pk, view) for view in self.groups if view.group.help_at]
        return [view for _since, _pk, view in sorted(waiting)]

    @property
    def people(self) -> int:
        return sum(view.people for view in self.groups)

    @property
    def notes(self) -> int:
        return sum(view.notes for view in self.groups)

    @property
    def own_prompts(self) -> int:
        """Groups that were given a prompt; until they open, the others have none."""
        return sum(view.group.prompt_id is not None for view in self.groups)

    @property
    def presenting(self) -> GroupView | None:
        return next((g for g in self.groups if g.group.pk == self.round.presenting_id), None)

    @property
    def to_show(self) -> list[GroupView]:
        """Groups with a sentence that come after the one on the wall, in their order."""
        after = self.presenting.group.number if self.presenting else 0
        return [view for view in self.groups if view.group.number > after and view.can_be_shown]

    @property
    def may_be_shown(self) -> list[GroupView]:
        """All groups whose sentence could come next, those not shown yet first."""
        coming = self.to_show
        shown = [view for view in self.groups if view.can_be_shown and view not in coming]
        return [*coming, *(view for view in shown if view != self.presenting)]

    @property
    def question(self) -> str:
        """What all of them talk about; empty where groups have different prompts, or none yet."""
        asked = {view.group.question for view in self.groups}
        return asked.pop() if len(asked) == 1 else ""


def overview(workshop_id: int) -> Overview | None:
    """The current round; `None` outside of one. Five queries at most, whatever the number of groups."""
    current = current_round(workshop_id)
    if current is None:
        return None
    groups = Group.objects.filter(round=current).select_related("pick", "prompt")
    people: Counter[int | None] = Counter(Place.objects.filter(round=current).values_list("group", flat=True))
    here = Contribution.objects.filter(group__round=current, taken_back_at__isnull=True)
    notes = dict(here.values_list("group").annotate(Count("pk")).order_by())
    views = tuple(GroupView(g, people[g.pk], notes.get(g.pk, 0)) for g in groups)
    found = Overview(current, views, waiting=people[None])
    if found.presenting and found.presenting.pick:
        agreeing = Agreement.objects.filter(contribution=found.presenting.pick.pk).count()
        return replace(found, agreeing=agreeing)
    return found
