"""Names of people in a text, by lists and by the words around them.

Three degrees of belief: a given or family name that is no other word is one wherever it stands; a name that is also a
word (Rose, Will, May) needs a sign; a word on no list needs a stronger one. Signs are a title before, a role before
("our manager Jo"), belongings after ("Leo's mum"), a verb that only people do, a neighbour that is a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .redaction_words import Word, is_titled, phrases, split, words

#: O'Brien, D'Angelo, McKenna: shapes that only family names have
_FAMILY_SHAPE = re.compile(r"(?:[OD]['’]|Mc|Mac(?=[A-Z]))[^\W\d_][^\W\d_]+")
_LIST_GAPS = {" and ", " & ", ", ", ", and ", " or "}
ROUNDS = 3  # neighbours of neighbours: "Amy, Zofka and Bo"


@dataclass(slots=True)
class _Reading:
    """A text while it is read: its words, and which of them are names so far."""

    text: str
    words: list[Word]
    #: capitals in mid-sentence say nothing
    titled: bool
    names: set[int] = field(default_factory=set)

    def at(self, place: int) -> Word | None:
        return self.words[place] if 0 <= place < len(self.words) else None

    def stem(self, place: int) -> str:
        word = self.at(place)
        return word.stem if word else ""

    def joined(self, place: int) -> bool:
        """Nothing but one space lies between this word and the one before."""
        word = self.at(place)
        return word is not None and place > 0 and word.gap == " " and not self.words[place - 1].possessive

    def next_verb(self, place: int) -> str:
        """The word after, adverbs skipped: "never sleeps" → "sleeps"."""
        following = place + 1
        while self.stem(following) in words("context", "adverb"):
            following += 1
        after = self.at(following)
        return after.stem if after and after.gap == " " and not self.words[place].possessive else ""

    def stands_out(self, place: int) -> bool:
        """A capital that the beginning of a sentence does not explain."""
        word = self.words[place]
        return word.capital and not word.first and not self.titled


def names_in(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each name; first and family name are one."""
    found = split(text)
    reading = _Reading(text, found, is_titled(found))
    brands = [match.span() for match in phrases().finditer(text)]
    free = [
        place
        for place, word in enumerate(found)
        if not any(start < word.end and word.start < end for start, end in brands)
    ]
    reading.names.update(place for place in free if any(sign(reading, place) for sign in SIGNS))
    for _ in range(ROUNDS):
        reading.names.update(place for place in free if _beside_a_name(reading, place))
    yield from _runs(reading)


# --- what a word is by itself -----------------------------------------------------------------------


def _is_plain(stem: str) -> bool:
    """On the list of given names that are no other word, or made of such by a hyphen."""
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


def _is_also(stem: str) -> bool:
    return stem in words("given_also_words")


def _is_listed(stem: str) -> bool:
    return _is_plain(stem) or _is_also(stem) or stem in words("family")


def _could_be(word: Word | None) -> bool:
    """A capital that no list of other words explains."""
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


# --- signs ------------------------------------------------------------------------------------------


def _by_itself(reading: _Reading, place: int) -> bool:
    word = reading.words[place]
    if _FAMILY_SHAPE.fullmatch(reading.text, word.start, word.end) and word.stem != "mcdonald":
        return True
    if _is_plain(word.stem):
        return not (len(word.stem) == 2 and not word.capital and word.stem != "jo")
    if word.stem in words("family"):
        return word.capital or len(word.stem) > 4
    # leos mum
    bare = word.stem.removesuffix("s")
    return bare != word.stem and _is_plain(bare) and reading.stem(place + 1) in words("context", "belongs")


def _after_a_title(reading: _Reading, place: int) -> bool:
    word, before = reading.words[place], reading.stem(place - 1)
    if word.gap not in (" ", ". ", ".") or reading.words[place - 1].possessive:
        return False
    if before in words("context", "title"):
        return word.stem not in words("not_names") and not word.stem.startswith("and")
    if before in words("context", "soft_title") and word.gap == " ":
        return _could_be(word) or (_is_listed(word.stem) and word.stem not in words("context", "helper"))
    return False


def _introduced(reading: _Reading, place: int) -> bool:
    """ "a girl called …", "my name is …", "I'm …" """
    word, before, earlier = reading.words[place], reading.stem(place - 1), reading.stem(place - 2)
    if word.gap != " ":
        return False
    if before in ("called", "named", "call"):
        people = words("context", "people")
        of_a_person = any(reading.stem(place - back) in people for back in (2, 3, 4))
        return (of_a_person and (_could_be(word) or _is_also(word.stem))) or (
            _is_also(word.stem) and word.capital
        )
    if (before == "him" and earlier == "call") or (before == "her" and earlier == "call"):
        return _could_be(word)
    if before in ("name's", "name") or (before == "is" and earlier == "name"):
        return _could_be(word) or _is_also(word.stem)
    if before == "i'm" or (before == "am" and earlier == "i"):
        return _could_be(word)
    return before == "is" and earlier == "this" and word.capital and _is_also(word.stem)


def _after_a_role(reading: _Reading, place: int) -> bool:
    word, before = reading.words[place], reading.stem(place - 1)
    if before not in words("context", "role") or word.gap not in (" ", ", ") or _is_a_thing(reading, place):
        return False
    if reading.words[place - 1].possessive:
        return False
    if _could_be(word):
        return not reading.titled or _is_also(word.stem)
    return word.gap == " " and _is_also(word.stem) and not word.capital and word.stem not in _unlikely_lower()


def _unlikely_lower() -> frozenset[str]:
    return words("context", "helper") | words("context", "abstract")


def _after_small(reading: _Reading, place: int) -> bool:
    """ "little Rose", not "little Acorns" """
    word = reading.words[place]
    if (
        reading.stem(place - 1) not in words("context", "small")
        or word.gap != " "
        or _is_a_thing(reading, place)
    ):
        return False
    if _is_also(word.stem):
        return word.capital or word.stem not in _unlikely_lower()
    return _could_be(word) and not word.stem.endswith("s") and not reading.titled


def _owns(reading: _Reading, place: int) -> bool:
    word = reading.words[place]
    if not word.possessive or reading.stem(place + 1) not in words("context", "belongs"):
        return False
    return _is_also(word.stem) or _could_be(word)


def _does_what_people_do(reading: _Reading, place: int) -> bool:
    word, verb = reading.words[place], reading.next_verb(place)
    if reading.stem(place - 1) in words("context", "determiner") and not word.first:
        return False
    human = words("context", "person_verb")
    anything = human | words("context", "doing_verb")
    if _is_also(word.stem):
        return verb in (human if word.stem in words("context", "abstract") or not word.capital else anything)
    if not _could_be(word) or reading.titled:
        return False
    if not word.first:
        return verb in anything
    return verb in human and not word.stem.endswith(("s", "ing", "one", "body"))


def _stands_out(reading: _Reading, place: int) -> bool:
    """A name that is also a word, with a capital in mid-sentence that no month, room or article explains."""
    word = reading.words[place]
    return (
        _is_also(word.stem)
        and reading.stands_out(place)
        and word.stem not in words("context", "month")
        and reading.stem(place - 1) not in words("context", "determiner")
        and not _is_a_thing(reading, place)
    )


def _is_a_thing(reading: _Reading, place: int) -> bool:
    return not reading.words[place].possessive and reading.stem(place + 1) in words("context", "thing")


def _spoken_to(reading: _Reading, place: int) -> bool:
    """ "I told …", "ask …" """
    word, before = reading.words[place], reading.stem(place - 1)
    return (
        before in words("context", "hearing_verb") and word.gap == " " and _could_be(word) and not word.first
    )


def _signs_off(reading: _Reading, place: int) -> bool:
    word, before = reading.words[place], reading.stem(place - 1)
    last = place == len(reading.words) - 1 or (place == len(reading.words) - 2 and reading.words[-1].capital)
    return (
        before in words("context", "sign_off") and last and _could_be(word) and word.gap.strip() in ("", ",")
    )


SIGNS: tuple[Callable[[_Reading, int], bool], ...] = (
    _by_itself,
    _after_a_title,
    _introduced,
    _after_a_role,
    _after_small,
    _owns,
    _does_what_people_do,
    _stands_out,
    _spoken_to,
    _signs_off,
)


def _beside_a_name(reading: _Reading, place: int) -> bool:
    """A capital next to a name: a family name behind, a first name in front, its fellow in a list."""
    if place in reading.names:
        return True
    word, after = reading.words[place], reading.at(place + 1)
    if place - 1 in reading.names and reading.joined(place):
        if _could_be(word) and not _is_a_thing(reading, place):
            return not reading.titled or _is_plain(reading.stem(place - 1))
        if word.capital and len(word.stem) == 1 and word.stem != "i":
            return True
    free = _could_be(word) and (not word.first or _is_also(word.stem)) and not reading.titled
    if not free or _is_a_thing(reading, place):
        return False
    if place + 1 in reading.names and reading.joined(place + 1):
        return True
    if place - 1 in reading.names and word.gap in _LIST_GAPS:
        return True
    if place + 1 in reading.names and after is not None and after.gap in _LIST_GAPS:
        return True
    # "Leo and Zofka": the word between is a word of its own
    joins = ("and", "or")
    if reading.stem(place - 1) in joins and place - 2 in reading.names and word.gap == " ":
        return True
    return reading.stem(place + 1) in joins and place + 2 in reading.names


def _runs(reading: _Reading) -> Iterator[tuple[int, int]]:
    """Names that stand side by side, as one."""
    start = end = None
    for place in sorted(reading.names):
        word = reading.words[place]
        if start is not None and end is not None:
            if place - 1 in reading.names and reading.joined(place):
                end = word.end
                continue
            yield start, end
        start, end = word.start, word.end
    if start is not None and end is not None:
        yield start, end
