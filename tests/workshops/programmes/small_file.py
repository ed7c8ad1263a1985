"""A programme file with one of everything, for tests that change it."""

from __future__ import annotations

SMALL = """
[programme]
key = "small"
title = "A small one"

[information]
text = "Read this."
[[information.consent]]
key = "read"
text = "I have read it."
required = true

[[domain]]
key = "room"
title = "The room"

[[instrument]]
key = "size"
name = "How many"
domain = "room"
type = "single_choice"
text = "How many babies?"
options = { few = "Few", many = "Many" }
[[instrument.measure]]
key = "any"
label = "Few or many"
kind = "merge"
members = ["few", "many"]

[[prompt]]
key = "walk"
domain = "room"
text = "Walk us in."

[[plan]]
key = "hour"
title = "An hour"
profile = []
agenda = [
  { pause = "Hello", minutes = 2 },
  { poll = "size", minutes = 2 },
  { prompt = "walk" },
]

[[benchmark]]
instrument = "size"
measure = "any"
label = "Now"
percent = 15
source = "A survey"
"""


def change(old: str, new: str, text: str = SMALL) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)
