"""Where somebody sits in the current round."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from polls.prepared import Prepared
from polls.text_decisions import FLAGGED

from ..models import Agreement, Contribution, Group, Place, Round, Workshop
from ..people.roles import large_roles

TAG_LENGTH = 10


@lru_cache(maxsize=20_000)  # it stands beside every note of every picture
def tag(group_id: int, voter: str) -> str:
    """A pseudonym of a person inside one group, different in every group."""
    return salted_hmac("workshops.group", f"{group_id}:{voter}", algorithm="sha256").hexdigest()[:TAG_LENGTH]


# Asked for everybody who comes in: most workshops have no round just then.
_ROUNDS = Prepared(
    lambda workshops: (
        Round.objects.filter(workshop__in=workshops, closed_at__isnull=True)
        .order_by("-number")
        .values_list("pk", "think_first", "shared_at")
    ),
    int,
)


def rounds(workshop_id: int) -> list[tuple[int, bool, Any]]:
    """`(pk, think_first, shared_at)` of the round that is formed or open; there is one at most."""
    return _ROUNDS.rows([workshop_id])


def current_round(workshop_id: int) -> Round | None:
    """Mostly there is none, and every wall asks."""
    found = rounds(workshop_id)
    return Round.objects.filter(pk=found[0][0]).first() if found else None


@dataclass(frozen=True, slots=True)
class Places:
    """Everybody's group in the current round; `round` is 0 where there is none."""

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
    order = sorted(load_places(workshop_id, "").sizes)
    return next((other for other in order if other > group), order[0] if order else 0)


def load_places(workshop_id: int, voter: str | None = None) -> Places:
    """Everybody's place in the current round, or one voter's. Six queries at most, whatever the number of people."""
    found = rounds(workshop_id)
    if not found:
        return Places()
    current, think_first, shared_at = found[0]
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
    # What nobody has decided about has no decision, so it would not be in a filter that excludes one state.
    seen = Q(text__decision__isnull=True) | ~Q(text__decision__state=FLAGGED)
    notes = Contribution.objects.filter(seen, group__round=current, taken_back_at__isnull=True, **writers)
    if not here_too:
        here = Place.objects.filter(voter=OuterRef("author"), group=OuterRef("group"))
        notes = notes.filter(~Exists(here))
    own: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    elsewhere: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for author, group, name, note, revision, text in notes.order_by("pk").values_list(
        "author", "group", "group__name", "pk", "text__revision", "text__words"
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


@dataclass(frozen=True, slots=True)
class Seated:
    """Somebody in a group, as a facilitator may see them: by a number, and a role that enough people share."""

    place: int
    label: str


def seated(workshop: Workshop, current: Round, group: int | None = None) -> dict[int, list[Seated]]:
    """The members of each group of a round, or of one (0: people without a group); six queries, whatever their number.

    A number stays with its person for the whole round, and stands on their phone: so both know who is moved.
    Roles that the console joins together with others, because few people have them, are not told apart here either.
    """
    taken = Place.objects.filter(round=current).order_by("pk").values_list("pk", "group", "voter")
    rows = [(n, place, sits_in or 0, voter) for n, (place, sits_in, voter) in enumerate(taken, start=1)]
    here = [row for row in rows if group in (None, row[2])]
    role = large_roles(workshop) if here else {}
    found: dict[int, list[Seated]] = {}
    for number, place, sits_in, voter in here:
        found.setdefault(sits_in, []).append(Seated(place, _label(number, role.get(voter, ""))))
    return found


def _label(number: int, role: str) -> str:
    if role:
        return _("Person %(n)d, %(role)s") % {"n": number, "role": role}
    return _("Person %(n)d") % {"n": number}


def had_groups(workshop: Workshop) -> bool:
    """Did groups talk about the prompt on stage already?"""
    return Round.objects.filter(
        workshop=workshop, item=workshop.stage_item_id, opened_at__isnull=False
    ).exists()
