"""The order in which one person sees the options, where a question asks for a random one.

FNV-1a over `seed:key`: the same on the phone (`ballot.js`) and here, so that a reload, a page without
JavaScript and a page with it show one person one order.
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


def place(seed: str, key: str) -> int:
    """Where a key stands for this seed. FNV-1a alone hardly stirs the last letter: keys a, b, c would
    keep few of their orders, so Murmur3's finaliser stirs the sum once more."""
    number = fnv1a(f"{seed}:{key}")
    number = (number ^ number >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    number = (number ^ number >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return number ^ number >> 16


def shuffled(options: Iterable[Option], seed: str, last: Collection[str] = ()) -> list[Option]:
    """The options in this seed's order; those whose key is in `last` ("none of these") stay at the end."""
    options = list(options)
    mixed = sorted((option for option in options if option.key not in last), key=lambda o: place(seed, o.key))
    return mixed + [option for option in options if option.key in last]
