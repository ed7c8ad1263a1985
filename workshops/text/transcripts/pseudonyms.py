"""No names: every speaker becomes a number, and what redaction would hide gets its mark. No way leads back."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from django.utils.translation import gettext as _

from ..redaction import MARKS, Span, suggest
from ..redaction.lexicon import LETTER, fold, words
from .speakers import ParsedTranscript, name_key


def pseudonymise(transcript: ParsedTranscript, facilitators: Collection[str] = ()) -> ParsedTranscript:
    """Speakers become "Speaker 1", "Speaker 2" in the order of their first words; `facilitators` are called so.

    Their names go wherever they are spoken, whole or in part; a part that is also a word (Will, May) only where it
    begins with a capital. Everything else that `redaction` would hide gets its mark. No list of who was who is kept.
    """
    labels = _labels(transcript.speakers, {name_key(name) for name in facilitators})
    names = _Names(labels)
    return ParsedTranscript(
        tuple(
            replace(
                cue,
                speaker=labels[name_key(cue.speaker)] if cue.speaker else "",
                text=names.replaced(cue.text),
            )
            for cue in transcript.cues
        )
    )


def _labels(speakers: list[str], facilitators: set[str]) -> dict[str, str]:
    """Folded name → what stands for it."""
    labels: dict[str, str] = {}
    number = 0
    for key in dict.fromkeys(map(name_key, speakers)):
        if key in facilitators:
            labels[key] = _("Facilitator")
        else:
            number += 1
            labels[key] = _("Speaker %(number)d") % {"number": number}
    # one who was named as facilitator and never spoke may still be spoken of
    return labels | {key: _("Facilitator") for key in facilitators if key and key not in labels}


_RUN = re.compile(rf"{LETTER}+")
_NEAR = re.compile(r"[ \t'’‑._-]")
_SHORT_FRONT = re.compile(r"(?<!\w)[OoDd]['’]$")


class _Names:
    """Every part of every speaker's name, and what is to stand for it."""

    def __init__(self, labels: dict[str, str]) -> None:
        #: part → label, or the mark for a name where two speakers share it
        self.parts: dict[str, str] = {}
        #: parts that are also words: hidden where they begin with a capital
        self.with_capital: set[str] = set()
        #: names in scripts that put no space between words
        self.unspaced: dict[str, str] = {}
        also = words("given_also_words") | words("context", "helper") | words("not_names")
        for key, label in labels.items():
            for run in _RUN.findall(key):
                if run.upper() == run:
                    self.unspaced[run] = label
                elif len(run) > 1:
                    known = self.parts.get(run, label)
                    self.parts[run] = label if known == label else _(MARKS["name"])
                    self.with_capital |= {run} & also

    def replaced(self, text: str) -> str:
        """The text without the names of speakers and without what redaction hides."""
        spoken = self._spoken(text)
        pieces, at = [], 0
        for start, end, mark in _united(spoken, suggest(text)):
            pieces += [text[at:start], mark]
            at = end
        return "".join([*pieces, text[at:]])

    def _spoken(self, text: str) -> list[tuple[int, int, str]]:
        found: list[tuple[int, int, str]] = []
        for match in _RUN.finditer(text):
            stem = fold(match[0])
            label = self.parts.get(stem)
            if label is None or (stem in self.with_capital and match[0][0].islower()):
                continue
            front = _SHORT_FRONT.search(text[max(0, match.start() - 3) : match.start()])
            start = match.start() - (2 if front else 0)
            # "Anna Smith", "O'Brien-Jones": parts of one name that stand together go together
            if (
                found
                and _NEAR.fullmatch(text, found[-1][1], start)
                and (one := self._one(found[-1][2], label))
            ):
                found[-1] = (found[-1][0], match.end(), one)
            else:
                found.append((start, match.end(), label))
        for name, label in self.unspaced.items():
            found += [(match.start(), match.end(), label) for match in re.finditer(re.escape(name), text)]
        return found

    @staticmethod
    def _one(label: str, other: str) -> str:
        """The label of two parts that belong to one speaker, or nothing; a shared first name belongs to anybody."""
        shared = _(MARKS["name"])
        return label if other in (label, shared) else other if label == shared else ""


def _united(spoken: list[tuple[int, int, str]], hidden: list[Span]) -> list[tuple[int, int, str]]:
    """Both kinds of span, those that overlap as one: a speaker's label goes before "[name]" and behind "[email]"."""
    ranked = [(start, end, 1, label) for start, end, label in spoken]
    ranked += [
        (span.start, span.end, 2 if span.kind == "name" else 0, _(MARKS[span.kind])) for span in hidden
    ]
    united: list[tuple[int, int, int, str]] = []
    for start, end, rank, mark in sorted(ranked):
        if united and start < united[-1][1]:
            first, last, best, label = united[-1]
            united[-1] = (first, max(last, end), *min((best, label), (rank, mark)))
        else:
            united.append((start, end, rank, mark))
    return [(start, end, mark) for start, end, _rank, mark in united]
