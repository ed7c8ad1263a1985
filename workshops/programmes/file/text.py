"""Put a programme's present values into the text of its file; comments, order and layout of all else stay.

Changes are made to the text itself (TOML libraries that keep comments move tables of one name together, and a file
may have a question, then a prompt, then the next question). What comes out is read again: if it does not say exactly
what it should, the plain text is taken instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from . import format as file_format
from . import schema, toml_write
from .checks import ProgrammeFileError, read_toml
from .schema import ProgrammeFile
from .toml_places import Path, Places

#: tables of the file that there are many of, and what tells them apart
_ROWS = {
    "domain": ("key",),
    "instrument": ("key",),
    "prompt": ("key",),
    "plan": ("key",),
    "benchmark": ("instrument", "measure", "label"),
}

#: names of tables, without their numbers → their type; options and settings have free names
_TYPES: dict[str, Any] = {
    "programme": schema.ProgrammeSection,
    "information": schema.Information,
    "information.consent": schema.Consent,
    "domain": schema.Domain,
    "instrument": schema.Instrument,
    "instrument.measure": schema.Measure,
    "prompt": schema.Prompt,
    "plan": schema.Plan,
    "benchmark": schema.Benchmark,
}


def with_values(text: str, file: ProgrammeFile) -> str:
    """A text that reads as `file`: `text` itself, changed where it says something else."""
    try:
        if file_format.parse(text) == file:
            return text
        changed = _Editor(text, file).run()
        if file_format.parse(changed) == file:
            return changed
    except (ProgrammeFileError, _TooOdd):
        pass
    return file_format.dump(file)


class _TooOdd(Exception):
    """A layout that is not worth its code: tables far from what they belong to, rows that cannot be told apart."""


@dataclass
class _Block:
    """A part of the text with one row, or one table there is one of: from its header, and the comment right above it,
    to the next."""

    path: Path
    start: int
    end: int


class _Editor:
    def __init__(self, text: str, file: ProgrammeFile) -> None:
        self.text, self.places = text, Places(text)
        self.data = read_toml(text)
        self.now: dict[str, Any] = msgspec.to_builtins(file)
        self.edits: list[tuple[int, int, str]] = []
        self.blocks = self._blocks()

    def run(self) -> str:
        for name in ("programme", "information"):
            if name in self.data and name in self.now:
                self._table((name,), self.data[name], self.now[name], _TYPES[name])
        replaced: dict[Path, Any] = {}  # path of a row → its row now
        for name, keys in _ROWS.items():
            rows = {_identity(row, keys): row for row in self.now.get(name, [])}
            before = [_identity(row, keys) for row in self.data.get(name, [])]
            if len(rows) != len(self.now.get(name, [])) or len(set(before)) != len(before):
                raise _TooOdd
            for number, identity in enumerate(before):
                if identity in rows:
                    replaced[(name, number)] = identity
                    self._table((name, number), self.data[name][number], rows[identity], _TYPES[name])
        return self._assembled(replaced)

    # -- blocks

    def _blocks(self) -> list[_Block]:
        blocks = [_Block((), 0, len(self.text))]
        for header in self.places.headers:
            root = header.path[:2] if header.path[0] in _ROWS else header.path[:1]
            if blocks[-1].path == root:
                continue
            if any(block.path == root for block in blocks) or header.path != root:
                raise _TooOdd
            start = self._above(header.start)
            blocks[-1].end = start
            blocks.append(_Block(root, start, len(self.text)))
        return blocks

    def _above(self, start: int) -> int:
        """Where the comment begins that stands right above this line."""
        start = self.text.rfind("\n", 0, start) + 1
        while start:
            above = self.text.rfind("\n", 0, start - 1) + 1
            if not self.text[above:start].lstrip().startswith("#"):
                break
            start = above
        return start

    def _assembled(self, replaced: dict[Path, Any]) -> str:
        """The blocks with their edits: rows that went are left out, new ones put in, the order is that of now."""
        waiting = {name: self._in_order(name, keys, replaced) for name, keys in _ROWS.items()}
        begun = set()
        text = ""
        for block in self.blocks:
            name = str(block.path[0]) if block.path else ""
            body, tail = _split(self._edited(block))
            if name not in _ROWS:
                text += body
                if name == "programme" and "information" in self.now and "information" not in self.data:
                    text = _put(text, [file_format.dump_table("information", self.now["information"])])
                text += tail
            elif block.path in replaced:
                if name not in begun:
                    begun.add(name)
                    text = _put(text, waiting[name].pop(0))
                body, *new = waiting[name].pop(0)
                text = _put(text + body, new) + tail
            else:
                text += tail.lstrip("\n")
        for name in _ROWS.keys() - begun:
            text = _put(text, [each for group in waiting[name] for each in group])
        return text

    def _in_order(self, name: str, keys: tuple[str, ...], replaced: dict[Path, Any]) -> list[list[str]]:
        """New rows before any that stays; then, in today's order, each that stays and the new ones behind it."""
        bodies = {
            replaced[block.path]: _split(self._edited(block))[0]
            for block in self.blocks
            if block.path in replaced and block.path[0] == name
        }
        groups: list[list[str]] = [[]]
        for row in self.now.get(name, []):
            if (identity := _identity(row, keys)) in bodies:
                groups.append([bodies[identity]])
            else:
                groups[-1].append(file_format.dump_table(name, row))
        return groups

    def _edited(self, block: _Block) -> str:
        text, last = "", block.start
        for start, end, new in sorted(self.edits):
            if block.start <= start and end <= block.end:
                if start < last:
                    raise _TooOdd
                text += self.text[last:start] + new
                last = end
        return text + self.text[last : block.end]

    # -- tables

    def _table(self, path: Path, before: dict[str, Any], now: dict[str, Any], kind: Any) -> None:
        """Change what differs. `kind`: the table's type, None for free names (options, settings)."""
        was = msgspec.to_builtins(msgspec.convert(before, type=kind)) if kind else before
        for name in dict.fromkeys([*before, *now]):
            if was.get(name) != now.get(name):
                self._name(path, name, before.get(name), now.get(name))

    def _name(self, path: Path, name: str, before: Any, now: Any) -> None:
        at = (*path, name)
        place = self.places.of.get(at)
        if place is None or (now is None and before is None):
            self._append(path, name, now)
        elif place.key[1]:
            if now is None:
                self._drop_line(place.key[0], place.value[1])
            else:
                self.edits.append((*place.value, toml_write.value(now)))
        elif isinstance(before, dict) and isinstance(now, dict) and self._same_order(before, now):
            self._table(at, before, now, None)
        elif self._rows_alike(before, now):
            for number, (old, new) in enumerate(zip(before, now, strict=True)):
                self._table((*at, number), old, new, _TYPES.get(f"{path[0]}.{name}"))
        else:
            self._replace_tables(at, now)

    def _same_order(self, before: dict[str, Any], now: dict[str, Any]) -> bool:
        kept = [name for name in before if name in now]
        return kept == list(now)[: len(kept)] and bool(now)

    def _rows_alike(self, before: Any, now: Any) -> bool:
        if not isinstance(before, list) or not isinstance(now, list):
            return False
        keys = [[row.get("key") for row in rows if isinstance(row, dict)] for rows in (before, now)]
        return keys[0] == keys[1] and len(keys[0]) == len(before)

    def _append(self, path: Path, name: str, now: Any) -> None:
        """A name that the table does not have yet: after its last line, before tables inside it."""
        own = [place.value[1] for at, place in self.places.of.items() if at[:-1] == path and place.key[1]]
        header = next(header for header in self.places.headers if header.path == path)
        last = max([*own, self.text.find("\n", header.start)])
        end = self.text.find("\n", last)
        end = len(self.text) if end < 0 else end
        self.edits.append((end, end, f"\n{toml_write.key(name)} = {toml_write.value(now)}"))

    def _drop_line(self, start: int, end: int) -> None:
        start = self.text.rfind("\n", 0, start) + 1
        end = self.text.find("\n", end)
        self.edits.append((start, len(self.text) if end < 0 else end + 1, ""))

    def _replace_tables(self, at: Path, now: Any) -> None:
        """A table inside a row, or rows inside one, written with headers: all of it anew."""
        inside = [header for header in self.places.headers if header.path[: len(at)] == at]
        if not inside:
            raise _TooOdd
        starts = [header.start for header in self.places.headers]
        first, last = starts.index(inside[0].start), starts.index(inside[-1].start)
        if last - first != len(inside) - 1:
            raise _TooOdd
        end = self._above(starts[last + 1]) if last + 1 < len(starts) else len(self.text)
        end = inside[-1].start + len(_split(self.text[inside[-1].start : end])[0])
        new = (
            ""
            if now is None
            else toml_write.part(".".join(str(step) for step in at if isinstance(step, str)), now)
        )
        self.edits.append((inside[0].start, end, new))


def _identity(row: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return tuple(row.get(key, "") for key in keys)


def _split(text: str) -> tuple[str, str]:
    """Up to the last line with anything but a comment, and the rest: comments there stand above what comes next."""
    end = 0
    for found in re.finditer(r"[^\n]+\n?", text):
        if found[0].strip() and not found[0].lstrip().startswith("#"):
            end = found.end()
    return text[:end], text[end:]


def _put(text: str, parts: list[str]) -> str:
    for part in parts:
        text = text.rstrip("\n") + ("\n\n" if text.strip() else "") + part.rstrip("\n") + "\n"
    return text
