"""A deterministic shuffle of the options for each person, where a question asks for a random order.

Sorted by a hash of `seed:key` (FNV-1a with Murmur3's finaliser), the same on the phone (`ballot.js`) and here, so
that a reload, a page without JavaScript and a page with it show one person the same order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .base import Option


def fnv1a(text: str) -> int:
    """32-bit FNV-1a of the UTF-8 bytes (http://www.isthe.com/chongo/tech/comp/fnv/)."""
    number = 0x811C9DC5
    for byte in text.encode():
        number = (number ^ byte) * 0x01000193 & 0xFFFFFFFF
    return number


def sort_key(seed: str, key: str) -> int:
    """The hash that a key is sorted by. FNV-1a alone hardly mixes in the last letter, so keys a, b, c would
    appear in few of their orders; Murmur3's finaliser (fmix32) mixes the bits once more."""
    number = fnv1a(f"{seed}:{key}")
    number = (number ^ number >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    number = (number ^ number >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return number ^ number >> 16


def shuffled(options: Iterable[Option], seed: str, last: Collection[str] = ()) -> list[Option]:
    """The options in this seed's order; those whose key is in `last` ("none of these") stay at the end."""
    options = list(options)
    mixed = sorted(
        (option for option in options if option.key not in last), key=lambda o: sort_key(seed, o.key)
    )
    return mixed + [option for option in options if option.key in last]
