"""Where every name and value of a TOML text stands: for the line of an error, and to change one value in place.

Only for text that `tomllib` has read: a scanner of valid TOML that notes positions and makes no values.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

#: ("instrument", 2, "options", "few")
Path = tuple[str | int, ...]
Span = tuple[int, int]


class Place(NamedTuple):
    """Offsets into the text. `key` is empty for an item of a list; `value` of a table with a header is that header."""

    key: Span
    value: Span


class Header(NamedTuple):
    """A line `[table]` or `[[table]]`."""

    path: Path
    start: int


class Places:
    def __init__(self, text: str) -> None:
        self.text = text
        self.of: dict[Path, Place] = {}
        self.headers: list[Header] = []
        self._newlines = [found.start() for found in re.finditer("\n", text)]
        _Scanner(self).run()

    def line(self, path: Path) -> int:
        """The line of a path, from 1; of the nearest table around it where it is not written itself."""
        while path and path not in self.of:
            path = path[:-1]
        return (
            self.line_at(self.of[path].value[0] if not self.of[path].key[1] else self.of[path].key[0])
            if path
            else 1
        )

    def line_at(self, offset: int) -> int:
        return bisect_right(self._newlines, offset - 1) + 1


_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'", re.DOTALL
)
#: numbers, booleans, dates (with a space before the time)
_OTHER = re.compile(r"\d{4}-\d\d-\d\d \d\d[^\s,\]}#]*|[^\s,\]}#]+")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")


class _Scanner:
    def __init__(self, places: Places) -> None:
        self.places, self.text, self.at = places, places.text, 0
        self.elements: dict[Path, int] = {}  # of arrays of tables

    def run(self) -> None:
        table: Path = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def _header(self) -> Path:
        start = self.at
        is_array = self.text.startswith("[[", start)
        self.at += 1 + is_array
        names = [name for name, _span in self._names()]
        path: Path = ()
        for name in names[:-1]:
            path = self._newest((*path, name))
        path = (*path, names[-1])
        if is_array:
            self.elements[path] = self.elements.get(path, 0) + 1
            path = self._newest(path)
        self.at += 1 + is_array
        self.places.headers.append(Header(path, start))
        self._note(path, Place((0, 0), (start, self.at)))
        return path

    def _newest(self, path: Path) -> Path:
        return (*path, self.elements[path] - 1) if path in self.elements else path

    def _note(self, path: Path, place: Place) -> None:
        for length in range(1, len(path)):
            self.places.of.setdefault(path[:length], place)
        self.places.of[path] = place

    def _names(self) -> list[tuple[str, Span]]:
        names = []
        while True:
            start = self._skip(_SPACE)
            if self.text[start] in "\"'":
                end = self._skip(_STRING)
                name = _unescaped(self.text[start:end])
            else:
                end = self._skip(_BARE)
                name = self.text[start:end]
            names.append((name, (start, end)))
            self._skip(_SPACE)
            if self.text[self.at] != ".":
                return names
            self.at += 1

    def _pair(self, table: Path) -> None:
        names = self._names()
        self.at += 1  # =
        start = self._skip(_SPACE)
        path = (*table, *(name for name, _span in names))
        self._value(path)
        self._note(path, Place(names[-1][1], (start, self.at)))

    def _value(self, path: Path) -> None:
        opening = self.text[self.at]
        if opening in "\"'":
            self._skip(_STRING)
        elif opening == "[":
            self.at += 1
            number = 0
            while self.text[self._skip(_BLANK)] != "]":
                start = self.at
                self._value((*path, number))
                self._note((*path, number), Place((0, 0), (start, self.at)))
                number += 1
                self._comma()
            self.at += 1
        elif opening == "{":
            self.at += 1
            while self.text[self._skip(_BLANK)] != "}":
                self._pair(path)
                self._comma()
            self.at += 1
        else:
            self._skip(_OTHER)

    def _comma(self) -> None:
        self._skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1


def _unescaped(quoted: str) -> str:
    if quoted[0] == "'":
        return quoted[1:-1]
    plain = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}

    def character(found: re.Match[str]) -> str:
        number = found[1] or found[2]
        return chr(int(number, 16)) if number else plain.get(found[3], found[3])

    return _ESCAPE.sub(character, quoted[1:-1])
