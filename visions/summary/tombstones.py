"""What is decided about people's words after they were published: they are drawn no more, at once.

The version itself stays as it was frozen, with its checksum, until an owner withdraws it or takes the words out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from polls.models import Text
from polls.text_decisions import SHOWN

from ..models import Snapshot
from . import places, sources

#: stands where words were taken out
TOMBSTONE = "[…]"


@dataclass(frozen=True, slots=True)
class Gone:
    """The paths of a version that are not drawn, and since when; none where nobody knows."""

    paths: frozenset[str]
    since: datetime | None


def gone(snapshot: Snapshot) -> Gone:
    """What is not drawn of this version. One query where it quotes nobody, two or more where it does."""
    return _gone([snapshot])[snapshot.pk]


def gone_of(versions: Iterable[Snapshot]) -> dict[int, Gone]:
    """The same of those versions of a summary that stand, by their numbers, without those that are drawn whole."""
    standing = [each for each in versions if each.withdrawn_at is None]
    found = _gone(standing) if standing else {}
    return {each.number: found[each.pk] for each in standing if found[each.pk].paths}


def _gone(snapshots: list[Snapshot]) -> dict[int, Gone]:
    by_pk = {each.pk: each for each in snapshots}
    quoted: defaultdict[int, list[tuple[str, int | None]]] = defaultdict(list)
    rows = Snapshot.objects.filter(pk__in=by_pk, quoted__isnull=False)
    for pk, path, text in rows.values_list("pk", "quoted__path", "quoted__text").order_by():
        quoted[pk].append((path, text))
    texts = {text for mine in quoted.values() for _path, text in mine if text}
    chains = sources.revisions_from(texts) if texts else {}
    return {pk: _of_version(each, quoted[pk], chains) for pk, each in by_pk.items()}


def _of_version(
    snapshot: Snapshot, quoted: Iterable[tuple[str, int | None]], chains: dict[int, list[Text]]
) -> Gone:
    paths, times = set(), []
    for path, text in quoted:
        chain = chains.get(text or 0)
        since = _since(chain, snapshot.published_at) if chain else None
        if since or not chain:
            paths.add(path)
            times.append(since)
    return Gone(frozenset(paths), max(filter(None, times), default=None))


def _since(chain: list[Text], published: datetime) -> datetime | None:
    """When these words were flagged, hidden, redacted or taken back after they were published."""
    first, newest = chain[0], chain[-1]
    times = [
        text.decision.at
        for text in (first, newest)
        if text.decision and text.decision.at > published and text.state != SHOWN
    ]
    note = getattr(newest, "contribution", None)  # an answer has none
    if note and note.taken_back_at and note.taken_back_at > published:
        times.append(note.taken_back_at)
    return max(times, default=None)


def drawn(snapshot: Snapshot, gone: Gone) -> dict[str, Any]:
    """The content of a version as it is drawn."""
    return places.without(snapshot.content, gone.paths, TOMBSTONE) if gone.paths else snapshot.content
