"""Programmes to begin with: shipped files, each with a paragraph and its minutes as a strip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy

from .file import format as file_format
from .file import text as file_text
from .file.schema import Plan, ProgrammeFile

#: file → one paragraph for somebody who chooses
ABOUT = {
    "ideal_baby_room": gettext_lazy(
        "One hour online with baby room educators and nursery managers. People picture the ideal room, talk in small "
        "groups and choose what to get right first. Made to be run many times and added up."
    ),
    "our_own_baby_room": gettext_lazy(
        "Three short meetings for one nursery team. You look at your room, follow a baby through the day, and end with "
        "three things to do next."
    ),
    "before_the_workshop": gettext_lazy(
        "Two questionnaires by an open link, five minutes each: one asks families, the other practitioners. Everybody "
        "answers in their own time, and what they said is there when you meet."
    ),
    "blank_hour": gettext_lazy(
        "A welcome, room for your questions, one breakout and a goodbye. The times are set, the words are yours."
    ),
}
BLANK = "blank_hour"
#: minutes between two plans of one strip
GAP = 3


@dataclass(frozen=True)
class Piece:
    """One step in the strip. `kind`: talk, question, breakout, or empty."""

    kind: str
    start: int
    minutes: int


@dataclass(frozen=True)
class Template:
    name: str
    text: str
    file: ProgrammeFile

    @property
    def title(self) -> str:
        return self.file.programme.title

    @property
    def about(self) -> str:
        return str(ABOUT[self.name])

    @property
    def counts(self) -> Counts:
        return Counts.of(self.file)

    @property
    def strip(self) -> tuple[list[Piece], int]:
        """The steps of all plans one behind the other, and the minutes that they and the gaps take."""
        pieces: list[Piece] = []
        start = 0
        for plan in self.file.plan:
            start += GAP if pieces else 0
            for piece in _pieces(plan, start, is_blank=self.name == BLANK):
                pieces.append(piece)
                start = piece.start + piece.minutes
        return pieces, start


@dataclass(frozen=True)
class Counts:
    """What a programme file holds, in numbers."""

    questions: int
    about_people: int
    breakouts: int
    minutes: tuple[int, ...]
    #: questionnaires, on a link of their own, instead of meetings
    at_own_pace: bool

    @classmethod
    def of(cls, file: ProgrammeFile) -> Counts:
        profile = {key for plan in file.plan for key in plan.profile}
        return cls(
            questions=sum(instrument.key not in profile for instrument in file.instrument),
            about_people=len(profile),
            breakouts=len(file.prompt),
            minutes=tuple(plan.minutes for plan in file.plan),
            at_own_pace=bool(file.plan) and all(plan.mode == "questionnaire" for plan in file.plan),
        )


def _pieces(plan: Plan, start: int, *, is_blank: bool) -> Iterator[Piece]:
    for number, entry in enumerate(plan.agenda):
        kind = "question" if entry.poll else "breakout" if entry.prompt else "talk"
        # In the blank hour what is between the welcome and the goodbye waits for its words.
        if not entry.minutes:
            continue
        empty = is_blank and kind == "talk" and 0 < number < len(plan.agenda) - 1
        yield Piece("empty" if empty else kind, start, entry.minutes)
        start += entry.minutes


@lru_cache
def template(name: str) -> Template:
    """Raises `KeyError` for a name that is none."""
    if name not in ABOUT:
        raise KeyError(name)
    text = (settings.BASE_DIR / "programmes" / f"{name}.toml").read_text(encoding="utf-8")
    return Template(name, text, file_format.parse(text, f"{name}.toml"))


def all_templates() -> list[Template]:
    return [template(name) for name in ABOUT]


def copied(name: str, key: str, title: str) -> str:
    """The template as the file of another programme."""
    return renamed(template(name).text, template(name).file, key, title)


def renamed(text: str, file: ProgrammeFile, key: str, title: str) -> str:
    programme = msgspec.structs.replace(file.programme, key=key, title=title)
    return file_text.with_values(text, msgspec.structs.replace(file, programme=programme))


def with_sheet(text: str, file: ProgrammeFile) -> str:
    """A file that has no information sheet, with the short one."""
    information = template(BLANK).file.information
    return file_text.with_values(text, msgspec.structs.replace(file, information=information))


def title_alone(key: str, title: str) -> str:
    """A programme with nothing but its title and the short information sheet."""
    blank = template(BLANK).file
    programme = msgspec.structs.replace(blank.programme, key=key, title=title)
    return file_format.dump(ProgrammeFile(programme=programme, information=blank.information))
