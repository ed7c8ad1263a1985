"""Which versions of an instrument ask the same, and what changed from one version to another.

Versions with equal `meaning`, and versions joined by a `ComparabilityMark`, are one series, transitively: their answers
are added up. Series stand side by side. A draft belongs to none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .models import PRESENTATION, ComparabilityMark, InstrumentVersion, meaning
from .types import POLL_TYPES, Question
from .types.scale import labels as point_labels

# --- series ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Series:
    """Versions whose answers are added up, oldest first, and the marks that join them, oldest first."""

    versions: tuple[InstrumentVersion, ...]
    marks: tuple[ComparabilityMark, ...] = ()

    @property
    def newest(self) -> InstrumentVersion:
        return self.versions[-1]

    @property
    def numbers(self) -> list[int]:
        return [version.number for version in self.versions]


def series_of(versions: Iterable[InstrumentVersion], marks: Iterable[ComparabilityMark]) -> list[Series]:
    """The series of one instrument's versions, that with the newest version first."""
    found = sorted((version for version in versions if not version.draft), key=lambda v: v.number)
    by_pk = {version.pk: version for version in found}
    joining = [mark for mark in marks if _joins(mark, by_pk)]
    # Disjoint sets: each version is told under which version its series goes by.
    leader = {version.pk: version.pk for version in found}
    first_with: dict[str, int] = {}
    for version in found:
        _join(leader, version.pk, first_with.setdefault(version.meaning, version.pk))
    for mark in joining:
        _join(leader, mark.earlier_id, mark.later_id)
    sets: dict[int, list[InstrumentVersion]] = {}
    for version in found:
        sets.setdefault(leader[version.pk], []).append(version)
    series = [
        Series(tuple(mine), tuple(mark for mark in joining if leader[mark.later_id] == leader[mine[0].pk]))
        for mine in sets.values()
    ]
    return sorted(series, key=lambda one: -one.newest.number)


def _join(leader: dict[int, int], one: int, other: int) -> None:
    old, new = leader[one], leader[other]
    for pk, of in leader.items():
        if of == old:
            leader[pk] = new


def _joins(mark: ComparabilityMark, versions: dict[int, InstrumentVersion]) -> bool:
    pair = versions.get(mark.earlier_id), versions.get(mark.later_id)
    return pair[0] is not None and pair[1] is not None and can_be_added(pair[0].question, pair[1].question)


def can_be_added(first: Question, second: Question) -> bool:
    """Can answers to the two be counted together at all? A mark cannot make choices out of numbers."""
    if first.type != second.type:
        return False
    measured_on = POLL_TYPES[first.type].measured_on
    return bool(measured_on(first) == measured_on(second))


def newest_series(versions: Iterable[InstrumentVersion]) -> Series | None:
    """The series with the newest of these versions of one instrument; `None` without any.

    Two queries where meanings differ, else none.
    """
    asked = {version.pk: version for version in versions}
    if len({version.meaning for version in asked.values()}) < 2:
        return next(iter(series_of(asked.values(), ())), None)
    # Also those that nobody was asked: a mark may lead over them.
    instruments = {version.instrument_id for version in asked.values()}
    every = InstrumentVersion.objects.filter(instrument__in=instruments, draft=False).in_bulk()
    newest = max(asked.values(), key=lambda version: version.number)
    series = series_of(every.values(), marks_between(every))
    return next(one for one in series if newest in one.versions)


def marks_between(versions: Iterable[int]) -> list[ComparabilityMark]:
    """The marks on these versions (primary keys), oldest first; one query."""
    found = ComparabilityMark.objects.filter(Q(earlier__in=versions) | Q(later__in=versions))
    return list(found.select_related("by"))


def combined(questions: Sequence[Question]) -> Question:
    """The newest of several versions of one series (oldest first), offering also what only earlier ones offered."""
    newest = questions[-1]
    kind = POLL_TYPES[newest.type]
    offered = {option.key: option for question in questions for option in kind.offered(question)}
    mine = kind.offered(newest)
    gone = [option for key, option in offered.items() if key not in {own.key for own in mine}]
    return kind.offering(newest, [*mine, *gone]) if gone else newest


# --- what changed ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions. `what` says of what kind it is, for people; `old` or `new` may be empty."""

    #: type, text, hint, added, removed, reworded, points, unit, rule, looks
    kind: str
    what: str
    old: str = ""
    new: str = ""

    def __str__(self) -> str:
        if self.old and self.new:
            said = _("“%(old)s” became “%(new)s”") % {"old": self.old, "new": self.new}
        else:
            said = self.new or self.old
        return _("%(what)s: %(said)s") % {"what": self.what, "said": said} if said else self.what


#: what a setting is called among changes, where it has a kind or a name of its own
SETTINGS: dict[str, tuple[str, str | Promise]] = {
    "unit": ("unit", gettext_lazy("Unit")),
    "budget": ("rule", gettext_lazy("Points to share")),
    "rule": ("rule", gettext_lazy("Rule of agreement")),
    "top": ("rule", gettext_lazy("Places to fill")),
    "exact": ("rule", gettext_lazy("Every place must be filled")),
    "min": ("rule", gettext_lazy("Smallest allowed")),
    "max": ("rule", gettext_lazy("Largest allowed")),
    "step": ("rule", gettext_lazy("Steps")),
    "exclusive": ("rule", gettext_lazy("Options that stand alone")),
    "max_entries": ("rule", gettext_lazy("Number of words")),
    "max_length": ("rule", gettext_lazy("Longest answer")),
    "ordinal": ("rule", gettext_lazy("The options are steps of a range")),
}
#: settings that `PollType.offered` or the points speak for
_OFFERED = frozenset({"items", "other", "none_label", "points"})


def changes(earlier: Question, later: Question) -> list[Change]:
    """What a later version has otherwise than an earlier one, in plain words; empty where nothing differs."""
    found = [*_words(earlier, later)]
    if earlier.type == later.type:
        found += [*_options(earlier, later), *_points(earlier, later), *_settings(earlier, later)]
    if _looks(earlier, later) != _looks(later, earlier):
        found.append(Change("looks", _("How it looks or runs in the room")))
    if not asks_the_same(earlier, later) and all(each.kind in ("hint", "looks") for each in found):
        found.append(Change("rule", _("How it is answered")))
    return found


def _words(earlier: Question, later: Question) -> Iterator[Change]:
    if earlier.type != later.type:
        titles = [str(POLL_TYPES[question.type].title) for question in (earlier, later)]
        yield Change("type", _("How people answer"), *titles)
    if _spaced(earlier.text) != _spaced(later.text):
        yield Change("text", _("Wording of the question"), earlier.text, later.text)
    if _spaced(earlier.help) != _spaced(later.help):
        yield Change("hint", _("Hint"), earlier.help, later.help)


def _options(earlier: Question, later: Question) -> Iterator[Change]:
    kind = POLL_TYPES[later.type]
    old = {option.key: option.label for option in kind.offered(earlier)}
    new = {option.key: option.label for option in kind.offered(later)}
    for key, label in new.items():
        if key not in old:
            yield Change("added", _("Option added"), new=label)
        elif _spaced(old[key]) != _spaced(label):
            yield Change("reworded", _("Wording of an option"), old[key], label)
    for key, label in old.items():
        if key not in new:
            yield Change("removed", _("Option removed"), old=label)


def _points(earlier: Question, later: Question) -> Iterator[Change]:
    old, new = earlier.settings.get("points"), later.settings.get("points")
    if old != new:
        said = [", ".join(point_labels(q)) if q.settings.get("points") else "" for q in (earlier, later)]
        yield Change("points", _("Points of the scale"), *said)


def _settings(earlier: Question, later: Question) -> Iterator[Change]:
    meant = (earlier.settings.keys() | later.settings.keys()) - PRESENTATION - _OFFERED
    for key in sorted(meant):
        old, new = earlier.settings.get(key), later.settings.get(key)
        if old != new:
            kind, name = SETTINGS.get(key, ("rule", _("How answers are checked")))
            yield Change(kind, str(name), _said(old, earlier), _said(new, later))


def _said(value: Any, question: Question) -> str:
    """A setting in words; empty where there are none for it."""
    if isinstance(value, list | tuple):
        return ", ".join(question.label(str(one)) for one in value)
    if isinstance(value, dict):
        return ", ".join(str(one) for one in value.values())
    return "" if value is None or isinstance(value, bool) else str(value)


def _looks(question: Question, other: Question) -> Any:
    """The order of what both offer, and the settings that do not change what answers mean."""
    settings = {key: value for key, value in question.settings.items() if key in PRESENTATION}
    kind = POLL_TYPES[question.type]
    theirs = {option.key for option in POLL_TYPES[other.type].offered(other)}
    return [option.key for option in kind.offered(question) if option.key in theirs], settings


def _spaced(words: str) -> str:
    return " ".join(words.split())


def asks_the_same(earlier: Question, later: Question) -> bool:
    """Do answers to both mean the same, so that they are added up without anybody's word?"""
    return meaning(earlier.as_json()) == meaning(later.as_json())


def suggested_mark(earlier: Question, later: Question) -> str:
    """The kind of mark that fits: "option" where options were added and nothing else changed its meaning; else ""."""
    kind = POLL_TYPES[later.type]
    if earlier.type != later.type or len(kind.offered(later)) <= len(kind.offered(earlier)):
        return ""
    before = {option.key for option in kind.offered(earlier)}
    without = kind.offering(later, [option for option in kind.offered(later) if option.key in before])
    return ComparabilityMark.Kind.OPTION if asks_the_same(earlier, without) else ""


# --- a list of versions ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Revision:
    """A version in the list of an instrument's versions: what changed since the one before, and what follows.

    `joins`: "first" · "same", its answers are added to earlier ones · "marked", the same by the `mark` · "apart", a new
    series begins.
    """

    version: InstrumentVersion
    changes: tuple[Change, ...]
    joins: str
    mark: ComparabilityMark | None = None


def history(versions: Iterable[InstrumentVersion], marks: Iterable[ComparabilityMark]) -> list[Revision]:
    """Every version but a draft, newest first."""
    series = series_of(versions, marks)
    mine = {version.pk: one for one in series for version in one.versions}
    in_order = sorted((version for one in series for version in one.versions), key=lambda v: v.number)
    revisions: list[Revision] = []
    for before, version in zip([None, *in_order], in_order, strict=False):
        changed = tuple(changes(before.question, version.question)) if before else ()
        revisions.append(Revision(version, changed, *_joined(before, version, mine[version.pk])))
    return revisions[::-1]


def _joined(
    before: InstrumentVersion | None, version: InstrumentVersion, series: Series
) -> tuple[str, ComparabilityMark | None]:
    if before is None:
        return "first", None
    earlier = [one for one in series.versions if one.number < version.number]
    if not earlier:
        return "apart", None
    if any(one.meaning == version.meaning for one in earlier):
        return "same", None
    return "marked", next((mark for mark in series.marks if mark.later_id == version.pk), None)
