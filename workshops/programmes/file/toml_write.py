"""Values and tables as TOML text, laid out as an author would: a header for each table, a line for each value."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import tomli_w


def table(name: str, values: dict[str, Any], *, listed: bool = False, tables: Collection[str] = ()) -> str:
    """`[name]`, or `[[name]]` where it is one of many, its values, then what inside it has headers of its own:
    dictionaries, and the lists of dictionaries that `tables` names."""
    inside = {
        own
        for own, each in values.items()
        if isinstance(each, dict) or (own in tables and isinstance(each, list))
    }
    text = f"[[{name}]]\n" if listed else f"[{name}]\n"
    text += "".join(f"{key(each)} = {value(values[each])}\n" for each in values if each not in inside)
    for each in (each for each in values if each in inside):
        text += part(f"{name}.{key(each)}", values[each])
    return text


def part(name: str, values: dict[str, Any] | list[dict[str, Any]]) -> str:
    """A table inside another, or several."""
    if isinstance(values, list):
        return "".join(table(name, each, listed=True) for each in values)
    return table(name, values)


def key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _inline(name)


def value(what: Any) -> str:
    """What stands behind `name =`: long texts over several lines, tables in a list a line each."""
    if isinstance(what, list) and any(isinstance(each, dict) for each in what):
        return "[\n" + "".join(f"  {_inline(each)},\n" for each in what) + "]"
    if isinstance(what, dict):
        return _inline(what)
    if isinstance(what, list) and len(line := _inline(what)) <= 80:
        return line
    return tomli_w.dumps({"v": what}, multiline_strings=True)[4:].rstrip("\n")


def _inline(what: Any) -> str:
    if isinstance(what, dict):
        return "{ " + ", ".join(f"{key(name)} = {_inline(each)}" for name, each in what.items()) + " }"
    if isinstance(what, list):
        return "[" + ", ".join(_inline(each) for each in what) + "]"
    return tomli_w.dumps({"v": what})[4:].rstrip("\n")
