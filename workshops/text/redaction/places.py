"""Rule-based detection of names of nurseries, schools, streets and towns: by suffix, compound, list and context."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from .lexicon import LETTER, Token, fold, is_titled, phrases, split, words

#: suffixes of names of settings
_TYPE = (
    r"(?:day\s+)?(?:nurser(?:y|ies)|pre-?schools?|playgroups?|play\s?school|kindergartens?|montessori|child-?care|day-?care|"
    r"(?:children|family)['’]?s?\s+(?:centre|hub)|family\s+(?:centre|hub)|cr[eè]che|schools?|primary|infants?|academy|juniors?|"
    r"early\s+(?:years|learning)(?:\s+(?:centre|setting))?|childminding|after\s?school\s+club)"
)
# bounded, so that hostile text costs time in proportion to its length
_CAPITAL = rf"(?=[^\W\d_a-zß-ÿ]){LETTER}{{1,40}}(?:['’-]{LETTER}{{1,40}}){{0,3}}"
_ENDED = re.compile(
    rf"(?<![\w'’-])(?P<core>{_CAPITAL}(?:\s(?:(?:of|and|the|on|in|&)\s){{0,2}}{_CAPITAL}){{0,5}})\s(?P<type>(?i:{_TYPE}(?:\s{_TYPE}){{0,2}}))(?![\w-])"
)
_CHURCH = re.compile(
    rf"(?<!\w)(?:St\.?\s{_CAPITAL}(?:\s(?:and|&)\sSt\.?\s{_CAPITAL})?|All\s(?:Saints|Souls)|Holy\s(?:Trinity|Family|Cross|Rood)|Our\sLady)"
    rf"(?:\s(?:of|the|{_CAPITAL})){{0,4}}(?:\s(?i:{_TYPE})){{0,2}}(?![\w-])"
)
_STREET = re.compile(
    rf"(?<!\w)(?:\d{{1,4}}[a-z]?,?\s(?:{_CAPITAL}\s){{1,3}}(?:Road|Street|Lane|Avenue|Close|Drive|Way|Crescent|Terrace|Gardens|"
    rf"Place|Square|Hill|Court|Grove|Row|Mews|Walk|Rd|St|Ave|Green)|"
    rf"(?:{_CAPITAL}\s){{1,2}}(?:Road|Street|Lane|Avenue|Crescent|Terrace|Close|Mews))(?!\w)"
)
_BETWEEN = r"(?:\s(?:of|and|the|&)){0,2}\s"
#: a name after words about a workplace, or in "our sister nursery, Rainbow Cottage"
_WORKPLACE = re.compile(
    rf"\b(?i:(?:work(?:ed|ing|s)?|train(?:ed|ing)|started|job|manager|leader|placement|employed|visited|joined|chain)(?:\s(?:at|for|with|from))|visited)\s"
    rf"(?P<name>{_CAPITAL}(?:{_BETWEEN}{_CAPITAL}){{1,3}})"
)
_NAMED = re.compile(
    rf"\b(?i:setting|nursery|pre-?school|school|branch|centre|site)(?:\s(?:is\s)?(?:called|named)\s|,\s)"
    rf"(?P<name>{_CAPITAL}(?:{_BETWEEN}{_CAPITAL}){{1,3}})"
)


def _is_generic(word: str) -> bool:
    """Does this word make "… nursery" a kind of place and not a name?"""
    return fold(word) in words("settings", "generic")


def settings_in(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each setting, place and street named in the text, the longest first; they may overlap."""
    tokens = split(text)
    brands = [match.span() for match in phrases().finditer(text)]
    spans = [*_places(text, tokens), *_compound_names(text, tokens), *_by_pattern(text, tokens)]
    for start, end in sorted(spans, key=lambda span: span[0] - span[1]):
        if not any(first <= start and end <= last for first, last in brands):
            yield start, end


def _by_pattern(text: str, tokens: list[Token]) -> Iterator[tuple[int, int]]:
    if not any(word.capital for word in tokens) or (is_titled(tokens) and len(tokens) > 8):
        return
    starts = {word.start for word in tokens if word.first}
    for match in _ENDED.finditer(text):
        core = _strip_generic(match["core"])
        if not core:
            continue
        start = match.end("core") - len(core)
        alone = len(core.split()) == 1
        # "Small nurseries": the first word of a sentence has its capital from there
        if not (alone and start in starts and not match["type"][0].isupper()):
            yield start, match.end()
    yield from (match.span() for match in _CHURCH.finditer(text))
    for match in _STREET.finditer(text):
        street = match[0].split()
        if street[0][0].isdigit() or _strip_generic(" ".join(street[:-1])) == " ".join(street[:-1]):
            yield match.span()
    for shape in (_WORKPLACE, _NAMED):
        for match in shape.finditer(text):
            if not _is_generic(match["name"].split()[0]):
                yield match.span("name")


def _strip_generic(core: str) -> str:
    """A name without generic words at its start ("The Meadow View" → "Meadow View"); empty if nothing is left."""
    parts = core.split()
    kept = parts
    while kept and _is_generic(kept[0]):
        kept = kept[1:]
    if not kept:
        # "Little Nursery" is generic; "Busy Bees" never comes here; "Happy Days" keeps its second word
        return ""
    # an adjective before a specific word belongs to the name: "Happy Days", "New Park"
    dropped = parts[: len(parts) - len(kept)]
    if dropped and fold(dropped[-1]) in words("settings", "quality"):
        kept = parts[len(dropped) - 1 :]
    return core[core.rindex(" ".join(kept)) :] if " ".join(kept) in core else " ".join(kept)


@cache
def _first_parts() -> frozenset[str]:
    return frozenset(name.split("-")[0] for name in words("places")) | words("places")


_PREPOSITIONS = frozenset(["in", "near", "from", "around", "outside", "of", "at", "to"])
LONGEST_PLACE = 3  # words: Stoke on Trent


def _places(text: str, tokens: list[Token]) -> Iterator[tuple[int, int]]:
    """Towns of the gazetteer, with a capital or after "in", "near", …"""
    for index, word in enumerate(tokens):
        if word.stem not in _first_parts() or not (
            word.capital or (index and tokens[index - 1].stem in _PREPOSITIONS)
        ):
            continue
        for length in range(LONGEST_PLACE, 0, -1):
            parts = tokens[index : index + length]
            if "-".join(part.stem for part in parts) in words("places"):
                yield _with_second_part(text, parts[-1].end, word.start)
                break


_SECOND_PARTS = re.compile(
    r"\s(?:Tydfil|Keynes|Regis|Spa|upon\s\w+|on\s(?:Trent|Sea|Tees)|Bay|Docks|Hill|Common|Park|Vale|Stanley|Abbot|Green)\b"
)


def _with_second_part(text: str, end: int, start: int) -> tuple[int, int]:
    second = _SECOND_PARTS.match(text, end)
    return start, second.end() if second else end


def _compound_names(text: str, tokens: list[Token]) -> Iterator[tuple[int, int]]:
    """ "Busy Bees", "Little Acorns"; in small letters only before the type of a setting."""
    first, second, alone = words("settings", "first"), words("settings", "second"), words("settings", "alone")
    types = re.compile(rf"\s(?:{_TYPE})(?:\s(?:{_TYPE}))?(?![\w-])", re.IGNORECASE)
    for word, after in zip(tokens, [*tokens[1:], None], strict=False):
        typed = types.match(text, word.end)
        if word.stem in alone and ((word.capital and not word.first) or typed):
            yield word.start, typed.end() if typed else word.end
        if after is None or after.gap != " " or after.stem not in second | {"days", "bees"}:
            continue
        typed = types.match(text, after.end)
        listed = word.stem in first or word.stem in second
        if listed and (typed or (word.capital and after.capital)):
            yield word.start, typed.end() if typed else after.end
