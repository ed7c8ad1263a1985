"""Rule-based detection of people's names (named-entity recognition), by word lists and context.

Three degrees of confidence: a given or family name that is no other word counts anywhere; a name that is also a word
(Rose, Will, May) needs evidence from its context; a word on no list needs stronger evidence. Evidence (`SIGNS`) is a
title or a role before ("our manager Jo"), a possession after ("Leo's mum"), a verb of persons, an adjacent name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .lexicon import Token, is_titled, phrases, split, words

#: O'Brien, D'Angelo, McKenna: patterns of family names alone
_FAMILY_SHAPE = re.compile(r"(?:[OD]['’]|Mc|Mac(?=[A-Z]))[^\W\d_][^\W\d_]+")
_LIST_GAPS = {" and ", " & ", ", ", ", and ", " or "}
ROUNDS = 3  # passes that extend names to adjacent words: "Amy, Zofka and Bo"


@dataclass(slots=True)
class _Reading:
    """The state of one detection: the words of the text, and the indexes of those found to be names so far."""

    text: str
    words: list[Token]
    #: written in title case, so that a capital in mid-sentence is no evidence
    titled: bool
    names: set[int] = field(default_factory=set)

    def at(self, index: int) -> Token | None:
        return self.words[index] if 0 <= index < len(self.words) else None

    def stem(self, index: int) -> str:
        word = self.at(index)
        return word.stem if word else ""

    def joined(self, index: int) -> bool:
        """Is this word separated from the one before by exactly one space?"""
        word = self.at(index)
        return word is not None and index > 0 and word.gap == " " and not self.words[index - 1].possessive

    def next_verb(self, index: int) -> str:
        """The next word, adverbs skipped: "never sleeps" → "sleeps"."""
        following = index + 1
        while self.stem(following) in words("context", "adverb"):
            following += 1
        after = self.at(following)
        return after.stem if after and after.gap == " " and not self.words[index].possessive else ""

    def stands_out(self, index: int) -> bool:
        """Does it have a capital that the beginning of a sentence does not explain?"""
        word = self.words[index]
        return word.capital and not word.first and not self.titled


def names_in(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each name; adjacent first and family names are one span."""
    tokens = split(text)
    reading = _Reading(text, tokens, is_titled(tokens))
    brands = [match.span() for match in phrases().finditer(text)]
    free = [
        index
        for index, word in enumerate(tokens)
        if not any(start < word.end and word.start < end for start, end in brands)
    ]
    reading.names.update(index for index in free if any(sign(reading, index) for sign in SIGNS))
    for _ in range(ROUNDS):
        reading.names.update(index for index in free if _beside_a_name(reading, index))
    yield from _merge_adjacent(reading)


# --- by the word alone -----------------------------------------------------------------------


def _is_unambiguous(stem: str) -> bool:
    """Is it on the list of given names that are no other word, or a hyphenated compound of such?"""
    given = words("given", "*")
    if stem in given:
        return True
    parts = stem.split("-")
    also = words("given_also_words") | {"rae", "may", "jo", "lee", "ann", "mae"}
    return (
        len(parts) > 1
        and any(part in given for part in parts)
        and all(part in given | also for part in parts)
    )


def _is_also_a_word(stem: str) -> bool:
    return stem in words("given_also_words")


def _is_listed(stem: str) -> bool:
    return _is_unambiguous(stem) or _is_also_a_word(stem) or stem in words("family")


def _could_be_name(word: Token | None) -> bool:
    """Does it have a capital that no list of other words explains?"""
    if word is None or not word.capital or len(word.stem) < 2:
        return False
    return not any(word.stem in words(*listed) for listed in _OTHER_WORDS)


_OTHER_WORDS = (
    ("not_names", "words"),
    ("context", "title"),
    ("context", "soft_title"),
    ("context", "role"),
    ("context", "small"),
)


# --- by context ------------------------------------------------------------------------------------------


def _is_listed_name(reading: _Reading, index: int) -> bool:
    word = reading.words[index]
    if _FAMILY_SHAPE.fullmatch(reading.text, word.start, word.end) and word.stem != "mcdonald":
        return True
    if _is_unambiguous(word.stem):
        return not (len(word.stem) == 2 and not word.capital and word.stem != "jo")
    if word.stem in words("family"):
        return word.capital or len(word.stem) > 4
    # leos mum
    bare = word.stem.removesuffix("s")
    return (
        bare != word.stem and _is_unambiguous(bare) and reading.stem(index + 1) in words("context", "belongs")
    )


def _after_a_title(reading: _Reading, index: int) -> bool:
    word, before = reading.words[index], reading.stem(index - 1)
    if word.gap not in (" ", ". ", ".") or reading.words[index - 1].possessive:
        return False
    if before in words("context", "title"):
        return word.stem not in words("not_names") and not word.stem.startswith("and")
    if before in words("context", "soft_title") and word.gap == " ":
        return _could_be_name(word) or (_is_listed(word.stem) and word.stem not in words("context", "helper"))
    return False


def _introduced(reading: _Reading, index: int) -> bool:
    """ "a girl called …", "my name is …", "I'm …" """
    word, before, earlier = reading.words[index], reading.stem(index - 1), reading.stem(index - 2)
    if word.gap != " ":
        return False
    if before in ("called", "named", "call"):
        people = words("context", "people")
        of_a_person = any(reading.stem(index - back) in people for back in (2, 3, 4))
        return (of_a_person and (_could_be_name(word) or _is_also_a_word(word.stem))) or (
            _is_also_a_word(word.stem) and word.capital
        )
    if (before == "him" and earlier == "call") or (before == "her" and earlier == "call"):
        return _could_be_name(word)
    if before in ("name's", "name") or (before == "is" and earlier == "name"):
        return _could_be_name(word) or _is_also_a_word(word.stem)
    if before == "i'm" or (before == "am" and earlier == "i"):
        return _could_be_name(word)
    return before == "is" and earlier == "this" and word.capital and _is_also_a_word(word.stem)


def _after_a_role(reading: _Reading, index: int) -> bool:
    word, before = reading.words[index], reading.stem(index - 1)
    if before not in words("context", "role") or word.gap not in (" ", ", ") or _is_a_thing(reading, index):
        return False
    if reading.words[index - 1].possessive:
        return False
    if _could_be_name(word):
        return not reading.titled or _is_also_a_word(word.stem)
    return (
        word.gap == " "
        and _is_also_a_word(word.stem)
        and not word.capital
        and word.stem not in _unlikely_lower()
    )


def _unlikely_lower() -> frozenset[str]:
    return words("context", "helper") | words("context", "abstract")


def _after_small(reading: _Reading, index: int) -> bool:
    """ "little Rose", not "little Acorns" """
    word = reading.words[index]
    if (
        reading.stem(index - 1) not in words("context", "small")
        or word.gap != " "
        or _is_a_thing(reading, index)
    ):
        return False
    if _is_also_a_word(word.stem):
        return word.capital or word.stem not in _unlikely_lower()
    return _could_be_name(word) and not word.stem.endswith("s") and not reading.titled


def _has_belongings(reading: _Reading, index: int) -> bool:
    word = reading.words[index]
    if not word.possessive or reading.stem(index + 1) not in words("context", "belongs"):
        return False
    return _is_also_a_word(word.stem) or _could_be_name(word)


def _does_what_people_do(reading: _Reading, index: int) -> bool:
    word, verb = reading.words[index], reading.next_verb(index)
    if reading.stem(index - 1) in words("context", "determiner") and not word.first:
        return False
    human = words("context", "person_verb")
    anything = human | words("context", "doing_verb")
    if _is_also_a_word(word.stem):
        return verb in (human if word.stem in words("context", "abstract") or not word.capital else anything)
    if not _could_be_name(word) or reading.titled:
        return False
    if not word.first:
        return verb in anything
    return verb in human and not word.stem.endswith(("s", "ing", "one", "body"))


def _stands_out(reading: _Reading, index: int) -> bool:
    """A name that is also a word, with a capital in mid-sentence that no month, thing or article explains."""
    word = reading.words[index]
    return (
        _is_also_a_word(word.stem)
        and reading.stands_out(index)
        and word.stem not in words("context", "month")
        and reading.stem(index - 1) not in words("context", "determiner")
        and not _is_a_thing(reading, index)
    )


def _is_a_thing(reading: _Reading, index: int) -> bool:
    return not reading.words[index].possessive and reading.stem(index + 1) in words("context", "thing")


def _spoken_to(reading: _Reading, index: int) -> bool:
    """ "I told …", "ask …" """
    word, before = reading.words[index], reading.stem(index - 1)
    return (
        before in words("context", "hearing_verb")
        and word.gap == " "
        and _could_be_name(word)
        and not word.first
    )


def _signs_off(reading: _Reading, index: int) -> bool:
    word, before = reading.words[index], reading.stem(index - 1)
    last = index == len(reading.words) - 1 or (index == len(reading.words) - 2 and reading.words[-1].capital)
    return (
        before in words("context", "sign_off")
        and last
        and _could_be_name(word)
        and word.gap.strip() in ("", ",")
    )


SIGNS: tuple[Callable[[_Reading, int], bool], ...] = (
    _is_listed_name,
    _after_a_title,
    _introduced,
    _after_a_role,
    _after_small,
    _has_belongings,
    _does_what_people_do,
    _stands_out,
    _spoken_to,
    _signs_off,
)


def _beside_a_name(reading: _Reading, index: int) -> bool:
    """A capitalised word next to a name: a family name after, a first name before, another item of a list."""
    if index in reading.names:
        return True
    word, after = reading.words[index], reading.at(index + 1)
    if index - 1 in reading.names and reading.joined(index):
        if _could_be_name(word) and not _is_a_thing(reading, index):
            return not reading.titled or _is_unambiguous(reading.stem(index - 1))
        if word.capital and len(word.stem) == 1 and word.stem != "i":
            return True
    free = _could_be_name(word) and (not word.first or _is_also_a_word(word.stem)) and not reading.titled
    if not free or _is_a_thing(reading, index):
        return False
    if index + 1 in reading.names and reading.joined(index + 1):
        return True
    if index - 1 in reading.names and word.gap in _LIST_GAPS:
        return True
    if index + 1 in reading.names and after is not None and after.gap in _LIST_GAPS:
        return True
    # "Leo and Zofka": the word between is a word of its own
    joins = ("and", "or")
    if reading.stem(index - 1) in joins and index - 2 in reading.names and word.gap == " ":
        return True
    return reading.stem(index + 1) in joins and index + 2 in reading.names


def _merge_adjacent(reading: _Reading) -> Iterator[tuple[int, int]]:
    """Spans of the names found, adjacent ones merged."""
    start = end = None
    for index in sorted(reading.names):
        word = reading.words[index]
        if start is not None and end is not None:
            if index - 1 in reading.names and reading.joined(index):
                end = word.end
                continue
            yield start, end
        start, end = word.start, word.end
    if start is not None and end is not None:
        yield start, end
