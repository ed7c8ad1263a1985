"""Keys made from words: readable in files and addresses, and given once."""

from __future__ import annotations

from collections.abc import Container, Iterable

from django.utils.text import slugify

#: names of pages below a programme's questions and results, which no question may have
RESERVED = frozenset({"new", "people", "plan", "results", "summary"})
LENGTH = 40


def free_key(words: str, taken: Iterable[str], otherwise: str = "question") -> str:
    """A key like "how-many-babies" that nobody has: `otherwise` where the words hold no letter for one."""
    return first_free(shortened(slugify(words)) or otherwise, {*taken, *RESERVED}, "-")


def shortened(key: str, length: int = LENGTH) -> str:
    """As many whole words of a key as fit; separators are kept."""
    if len(key) <= length:
        return key
    for end in range(length, 0, -1):
        if key[end] in "-_":
            return key[:end].strip("-_")
    return key[:length]


def first_free(key: str, taken: Container[str], separator: str) -> str:
    number, free = 1, key
    while free in taken:
        number += 1
        free = f"{key}{separator}{number}"
    return free
