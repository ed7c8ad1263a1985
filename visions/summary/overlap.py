"""Which of many people's texts does one of ours quote? By words without case and punctuation, and by overlap. Pure.

A text is quoted where it stands as a whole, where six of its words stand in a row, or where most of a short one does.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping
from typing import Generic, TypeVar

#: so many words in a row are a quote
IN_A_ROW = 6
#: a shorter text is quoted where most of its words stand together, if it has so many
FEWEST = 3

Place = TypeVar("Place", bound=Hashable)
Words = tuple[str, ...]


def plain(text: str) -> Words:
    """The words of a text without case, punctuation and spaces."""
    return tuple(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def is_near(text: str, source: str) -> bool:
    """Does the text quote the source?"""
    return bool(Compared({0: text}).near(source))


class Compared(Generic[Place]):
    """Texts of ours by their places, made ready to be compared with many of other people's.

    Most of those have more words that we never use than a quote may, and cost one look at each word.
    """

    def __init__(self, ours: Mapping[Place, str]) -> None:
        self._ours = {place: plain(text) for place, text in ours.items()}
        self._whole: defaultdict[Words, set[Place]] = defaultdict(set)
        self._rows: defaultdict[Words, set[Place]] = defaultdict(set)
        self._with: defaultdict[str, set[Place]] = defaultdict(set)
        for place, words in self._ours.items():
            self._whole[words].add(place)
            for row in _in_a_row(words):
                self._rows[row].add(place)
            for word in words:
                self._with[word].add(place)

    def near(self, theirs: str) -> set[Place]:
        """The places that quote this text."""
        words = plain(theirs)
        if not words:
            return set()
        found = set(self._whole.get(words, ()))
        for row in _in_a_row(words):
            found |= self._rows.get(row, set())
        if FEWEST <= len(words) < 2 * IN_A_ROW:
            found |= {place for place in self._likely(words) if _most_of(words, self._ours[place])}
        return found

    def _likely(self, words: Words) -> set[Place]:
        """Places with enough of these words, wherever they stand.

        At least one of the rarest of them must be there, one more than may be missing: common ones are not looked up.
        """
        enough = most(len(words))
        rarest: list[set[Place]] = sorted((self._with.get(word, set()) for word in words), key=len)
        found = set().union(*rarest[: len(words) - enough + 1])
        return {place for place in found if sum(place in places for places in rarest) >= enough}


def most(n: int) -> int:
    """80 % of so many words, rounded up."""
    return -(-n * 4 // 5)


def _in_a_row(words: Words) -> Iterator[Words]:
    return (words[at : at + IN_A_ROW] for at in range(len(words) - IN_A_ROW + 1))


def _most_of(theirs: Words, ours: Words) -> bool:
    """Do enough of their words stand together in ours, in as many words as they are? A window slides over ours."""
    n, enough = len(theirs), most(len(theirs))
    wanted, there, found = Counter(theirs), dict.fromkeys(theirs, 0), 0
    for at, word in enumerate(ours):
        if word in there:
            found += there[word] < wanted[word]
            there[word] += 1
        if at >= n and (gone := ours[at - n]) in there:
            there[gone] -= 1
            found -= there[gone] < wanted[gone]
        if found >= enough:
            return True
    return False
