"""Words: one to five short entries, counted over people.

A ballot is the list of entries as typed (tidied). One person counts once per matching key, whatever the
spelling; the commonest spelling is shown, the first of the alphabet where two are equally common.
Nothing inside an entry is dropped: "not noisy" never becomes "noisy".
Settings: `max_entries` (1 to 5, default 3), `max_length` (up to 40 characters, default 40).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from . import drawing
from .base import (
    Figure,
    FormData,
    InvalidBallot,
    Option,
    OwnWords,
    PollType,
    Question,
    Tally,
    bars,
    setting,
)
from .order import fnv1a
from .plural_forms import forms
from .texts import matching_key, text_key, tidy

#: how many words a cloud and a ranked list hold before they stop being read
CLOUD, RANKED = 30, 8
#: how many words are the strongest of a cloud, and how many that lead are named in its headline
TOP, NAMED = 4, 3
#: width and height of a word cloud on the wall under a question of three lines, in hundredths of the wall's width
CLOUD_AREA = (42, 23)
#: up to so many words → how high the smallest is and what each size adds; as `.wall-result .cloud` in wall.css
SCALES = ((12, (2.4, 0.5)), (18, (2.1, 0.4)), (25, (1.9, 0.28)), (CLOUD, (1.8, 0.2)))
LETTER = 0.56  # as wide as high, in a serif that runs wide


class Words(PollType):
    name = "words"
    title = gettext_lazy("Words")
    how = gettext_lazy("A word or short phrase")
    has_texts = True
    own_settings = ("max_entries", "max_length")

    def check(self, question: Question) -> None:
        super().check(question)
        setting(question, "max_entries", 3, 1, 5)
        setting(question, "max_length", 40, 1, 40)

    def limits(self, question: Question) -> tuple[int, int]:
        """How many entries, and how many letters each."""
        return question.settings.get("max_entries", 3), question.settings.get("max_length", 40)

    def instruction(self, question: Question) -> str:
        entries, _length = self.limits(question)
        return str(self.how) if entries == 1 else _("Up to %(n)d") % {"n": entries}

    def from_form(self, data: FormData, question: Question) -> Any:
        return None if data.get("pass") else [word for word in data.getlist("word") if word.strip()]

    def to_form(self, value: Any, question: Question) -> dict[str, list[str]]:
        return {"pass": ["1"]} if value is None else {"word": list(value)}

    def fields(self, filled: FormData, question: Question, options: Sequence[Option]) -> dict[str, Any]:
        entries, length = self.limits(question)
        typed = [*filled.getlist("word"), *[""] * entries]
        names = [_("First word or phrase"), _("Second"), _("Third"), _("Fourth"), _("Fifth")]
        if entries == 1:
            names = [_("Your word or phrase")]
        return {
            "entries": [{"name": names[i], "number": i + 1, "text": typed[i]} for i in range(entries)],
            "max_length": length,
            "passed": filled.get("pass"),
            "left": forms(lambda n: ngettext("# letter left", "# letters left", n)),
        }

    def clean_answer(self, value: Any, question: Question) -> Any:
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise InvalidBallot(_("Write a word or a short phrase."), field="word")
        entries, length = self.limits(question)
        words = _once_each(filter(None, map(tidy, value)))
        self._check(words, entries, length)
        return words

    def _check(self, words: list[str], entries: int, length: int) -> None:
        if not words:
            raise InvalidBallot(_("Write at least one word first."), field="word")
        if len(words) > entries:
            raise InvalidBallot(
                _("You can send up to %(n)d; this is %(found)d.") % {"n": entries, "found": len(words)},
                "word",
            )
        for word in words:
            if len(word) > length:
                raise InvalidBallot(
                    _("“%(word)s…” is too long: up to %(limit)d letters, and this has %(length)d.")
                    % {"word": word[:12], "limit": length, "length": len(word)},
                    field="word",
                )

    def say_answer(self, value: Any, question: Question) -> str:
        return " · ".join(value)

    def tally(self, counted: Iterable[tuple[Any, int]], question: Question) -> Tally:
        n = 0
        words: dict[str, dict[str, Any]] = {}
        for value, people in counted:
            n += people
            for spelling in value:
                word = words.setdefault(matching_key(spelling), {"people": 0, "spellings": {}})
                word["people"] += people
                word["spellings"][spelling] = word["spellings"].get(spelling, 0) + people
        return {"n": n, "words": words}

    def ranked(self, tally: Tally) -> list[tuple[str, str, int]]:
        """`(key, spelling shown, people)`, most people first, then by the alphabet."""
        shown = [
            (key, self._spelling(word["spellings"]), word["people"]) for key, word in tally["words"].items()
        ]
        return sorted(shown, key=lambda word: (-word[2], word[1].casefold(), word[0]))

    def _spelling(self, spellings: dict[str, int]) -> str:
        return min(spellings, key=lambda spelling: (-spellings[spelling], spelling.casefold(), spelling))

    def texts(self, tally: Tally, question: Question) -> list[tuple[str, str, int]]:
        return self.ranked(tally)

    def texts_of(self, value: Any, question: Question) -> Sequence[OwnWords]:
        return [
            OwnWords(f"entry-{number}", word, text_key(matching_key(word)))
            for number, word in enumerate(value or (), start=1)
        ]

    def reworded(self, value: Any, instead: Mapping[str, str]) -> Any:
        return value and _once_each(filter(None, (instead.get(word, word) for word in value)))

    def spellings(self, tally: Tally) -> Mapping[str, int]:
        return {
            spelling: people
            for word in tally["words"].values()
            for spelling, people in word["spellings"].items()
        }

    def answer_with(self, words: Sequence[str]) -> Any:
        """Somebody whose words have become the same one counts once for it, as `clean` has it."""
        return _once_each(words)

    def figures(self, tally: Tally, question: Question) -> list[Figure]:
        return [Figure(key, spelling, people, tally["n"]) for key, spelling, people in self.ranked(tally)]

    def picture(self, tally: Tally, question: Question) -> dict[str, Any]:
        figures = self.figures(tally, question)
        picture = drawing.picture(figures, tally["n"], self.headline(tally, question))
        cloud = _cloud(picture["rows"][:CLOUD], picture["most"])
        # Words of equally many people look alike: the strongest are those with more than the fifth has.
        fifth = figures[TOP].hits if len(figures) > TOP else 0
        for figure, word in zip(figures, cloud, strict=False):
            is_top = figure.hits > fifth and word["size"] > 1
            word["weight"] = "is-top" if is_top else "is-mid" if word["size"] > 2 else ""
        cloud.sort(key=_order)
        return {**picture, "cloud": cloud, "ranked": picture["rows"][:RANKED], "different": len(figures)}

    def headline(self, tally: Tally, question: Question) -> dict[str, Any] | None:
        figures, n = self.figures(tally, question), tally["n"]
        leaders = drawing.leaders(figures)
        if not leaders or (figures[0].hits == 1 and len(figures) > 1):
            return None
        labels = " · ".join(f"“{figures[place].label}”" for place in leaders[:NAMED])
        rest = ngettext("person wrote %(labels)s", "people wrote %(labels)s", n)
        if len(leaders) > 1:
            rest = _("people each wrote %(labels)s")
        if more := len(leaders) - NAMED if len(leaders) > NAMED else 0:
            labels += " " + ngettext("and %(n)d more word", "and %(n)d more words", more) % {"n": more}
        return drawing.headline(drawing.count_or_percent(figures[0].hits, n), rest % {"labels": labels})

    def table(self, tally: Tally, question: Question) -> tuple[list[str], list[list[Any]]]:
        rows = [[figure.label, figure.hits] for figure in self.figures(tally, question)]
        return [_("Word"), _("People")], [*rows, [_("Everybody who answered"), tally["n"]]]

    def chart(self, tally: Tally, question: Question) -> dict[str, Any]:
        return bars(
            [(f.label, f.hits, str(f.hits)) for f in self.figures(tally, question)[:CLOUD]], _("People")
        )


def _once_each(words: Iterable[str]) -> list[str]:
    """Of those that people would call the same, the first."""
    by_key: dict[str, str] = {}
    for word in words:
        by_key.setdefault(matching_key(word), word)
    return list(by_key.values())


def _cloud(rows: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """The words with sizes 1 to 15, the largest that fit together; the rarest go where nothing else helps."""
    sized: list[dict[str, Any]] = []
    for largest in (*range(min(most, 15), 4, -1), 4):
        top = max(most, largest)
        sized = [
            {"label": row["label"], "size": max(1, round(largest * row["people"] / top))} for row in rows
        ]
        if _height(sized) <= CLOUD_AREA[1]:
            return sized
    while _height(sized) > CLOUD_AREA[1]:
        sized.pop()
    return sized


def _order(word: dict[str, Any]) -> int:
    """The order of a cloud says nothing, and a hash keeps each word near its neighbours as others arrive."""
    return fnv1a(word["label"])


def _height(cloud: list[dict[str, Any]]) -> float:
    """How high the words stand on the wall when they fill their lines, in hundredths of its width."""
    least, step = next(scale for most, scale in SCALES if len(cloud) <= most)
    height = line = used = 0.0
    for word in sorted(cloud, key=_order):
        size = least + step * word["size"]
        width = LETTER * len(word["label"]) * size
        if used and used + width > CLOUD_AREA[0]:
            height, line, used = height + line, 0.0, 0.0
        rows = ceil(width / CLOUD_AREA[0])  # a long phrase takes several
        line, used = max(line, 1.14 * size * rows), used + min(width, CLOUD_AREA[0]) + 1.5
    return height + line
