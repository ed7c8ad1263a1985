"""Every place of a summary whose words become public: what stands there, what it is called, where it is frozen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workshops.models import Domain

from ..models import EvidenceLink, Statement, Summary


class Place(NamedTuple):
    """A field of a row: of a summary, a statement, a figure (an evidence link), a domain or the programme."""

    kind: str
    pk: int
    field: str

    @property
    def name(self) -> str:
        return str(NAMES[self.kind, self.field])

    @property
    def is_written_here(self) -> bool:
        """Is it a field of the composer, and not of the question, the domain or the programme?"""
        return (self.kind, self.field) in WRITTEN_HERE


WRITTEN_HERE = {
    ("summary", "title"): gettext_lazy("Title"),
    ("summary", "lead"): gettext_lazy("One sentence under the title"),
    ("summary", "opening"): gettext_lazy("Opening"),
    ("statement", "text"): gettext_lazy("Statement"),
    ("statement", "why"): gettext_lazy("What stands behind it"),
    ("link", "caption"): gettext_lazy("How the figure reads on the page"),
    ("link", "note"): gettext_lazy("Note at a figure"),
    ("link", "kept_because"): gettext_lazy("Why the linked figure stands"),
}
NAMES = WRITTEN_HERE | {
    ("link", "label"): gettext_lazy("Label of a figure"),
    ("link", "question"): gettext_lazy("Question of a figure"),
    ("domain", "title"): gettext_lazy("Title of a part of the vision"),
    ("domain", "description"): gettext_lazy("Description of a part of the vision"),
    ("programme", "title"): gettext_lazy("Title of the programme"),
    ("programme", "team"): gettext_lazy("Team of the programme"),
    ("programme", "funder"): gettext_lazy("Funder of the programme"),
    ("programme", "cite"): gettext_lazy("How to cite the programme"),
    ("programme", "benchmarks"): gettext_lazy("Figures from outside"),
}


def words_of(
    summary: Summary, statements: Sequence[Statement], questions: Mapping[int, str]
) -> dict[Place, str]:
    """Place → its words, empty ones left out; `questions` are those of the figures, by link."""
    found = {place: getattr(row, place.field) for row, place in _plain_fields(summary, statements)}
    for link in _links(statements):
        found[Place("link", link.pk, "label")] = link.linked["label"]
        found[Place("link", link.pk, "question")] = questions.get(link.pk, "")
    outside = [
        str(each.get(key, "")) for each in summary.programme.benchmarks for key in ("label", "unit", "source")
    ]
    found[Place("programme", summary.programme_id, "benchmarks")] = " / ".join(filter(None, outside))
    return {place: words for place, words in found.items() if words.strip()}


def _plain_fields(summary: Summary, statements: Sequence[Statement]) -> Iterator[tuple[Any, Place]]:
    rows: list[tuple[str, Any]] = [("summary", summary), ("programme", summary.programme)]
    rows += [("domain", each.domain) for each in statements]
    rows += [("statement", each) for each in statements]
    rows += [("link", each) for each in _links(statements)]
    for kind, row in rows:
        for of, field in NAMES:
            if of == kind and field not in ("label", "question", "benchmarks"):
                yield row, Place(kind, row.pk or 0, field)


def _links(statements: Iterable[Statement]) -> Iterator[EvidenceLink]:
    return (link for statement in statements for link in statement.evidence.all())


# --- drawn without the words -----------------------------------------------------------------------------


def under_review() -> str:
    """Stands in a draft where words are being looked at, and is never saved."""
    return _("[under review]")


def mask(summary: Summary, statements: Sequence[Statement], withheld: set[Place]) -> None:
    """Put `under_review` into these objects, which are to be drawn and not to be saved."""
    for row, place in _plain_fields(summary, statements):
        if place in withheld:
            setattr(row, place.field, under_review())
    for link in _links(statements):
        if Place("link", link.pk, "label") in withheld:
            link.linked = {**link.linked, "label": under_review()}


# --- where it is frozen ----------------------------------------------------------------------------------


def paths(summary: Summary, by_domain: Mapping[Domain, Sequence[Statement]]) -> Iterator[tuple[Place, str]]:
    """Where the content of a version has the words of each place, as "domains.0.title"."""
    for kind, field in NAMES:
        if kind == "summary":
            yield Place(kind, summary.pk, field), field
        elif kind == "programme" and field != "benchmarks":
            yield Place(kind, summary.programme_id, field), f"programme.{field}"
    for d, (domain, statements) in enumerate(by_domain.items()):
        yield from _paths_of("domain", domain.pk, f"domains.{d}")
        for s, statement in enumerate(statements):
            at = f"domains.{d}.statements.{s}"
            yield from _paths_of("statement", statement.pk, at)
            for f, link in enumerate(statement.evidence.all()):
                yield from _paths_of("link", link.pk, f"{at}.figures.{f}")


def _paths_of(kind: str, pk: int, at: str) -> Iterator[tuple[Place, str]]:
    return ((Place(kind, pk, field), f"{at}.{field}") for of, field in NAMES if of == kind)


def without(content: dict[str, Any], gone: Iterable[str], mark: str) -> dict[str, Any]:
    """A copy of a version's content with a mark at these paths."""
    copied = deepcopy(content)
    for path in gone:
        *way, last = path.split(".")
        here: Any = copied
        for step in way:
            here = here[int(step)] if isinstance(here, list) else here[step]
        here[last] = mark
    return copied
