"""The pad of a breakout group: its notes and members."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q

from polls.models import Text
from polls.prepared import Prepared
from polls.text_decisions import FLAGGED, HIDDEN, PENDING

from ..models import Agreement, Call, Contribution, Group, Place, Round, TextMark
from .membership import tag


@dataclass(frozen=True, slots=True)
class Note:
    """A contribution as its group sees it."""

    pk: int
    by: str
    text: str
    revision: int
    agreeing: int
    picked: bool
    #: for facilitators: its words, what was decided about them, and whether they were brought to the vision
    ref: str
    state: str
    proposed: bool
    #: what the wall shows where it is redacted
    instead: str = ""

    @property
    def can_be_asked(self) -> bool:
        """May the whole room read it, if the facilitator says so now?"""
        return self.state not in (FLAGGED, HIDDEN)


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
            "group_id", "pk", "author", "text_id", "text__words", "text__revision", "text__decision__state",
            "text__decision__replacement",
            Exists(TextMark.objects.filter(text=OuterRef("text"), kind=TextMark.Kind.VISION)),
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


def load_pads(workshop_id: int, group_ids: Iterable[int], *, everything: bool = False) -> list[Pad]:
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
                if note.state != FLAGGED and (everything or group.round.shows_others)
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
    for group, pk, author, text, words, revision, state, instead, proposed in _NOTES.rows(list(groups)):
        note = Note(
            pk=pk,
            by=tag(group, author),
            text=words,
            revision=revision,
            agreeing=agreeing.get(pk, 0),
            picked=groups[group].pick_id == pk,
            ref=Text(pk=text).ref,
            state=state or PENDING,
            proposed=bool(proposed),
            instead=instead or "",
        )
        found[group].append(note)
    return found


def own_note(group_id: int, note_id: int, voter: str) -> Contribution | None:
    """This note of a group, if this person may see and change it: its author, or the scribe."""
    found = Contribution.objects.filter(pk=note_id, group=group_id, taken_back_at__isnull=True)
    note = found.select_related("group__round", "text__decision").first()
    if note is None or note.text.is_flagged or not voter:
        return None
    is_scribe = note.group.scribe == voter and note.group.round.shows_others
    return note if note.author == voter or is_scribe else None
