"""Pseudonymise a transcript: speakers become numbers, and every span that redaction finds is replaced by its mark."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from workshops.text.exports import transcript_vtt
from workshops.text.transcripts import formats, pseudonyms
from workshops.text.transcripts.worker import FACILITATORS


class Command(BaseCommand):
    help = (
        "Prints a transcript (WebVTT, SRT or lines of time, name and words) with pseudonyms; stores nothing."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="its path, or - to read it from where this command is started")
        parser.add_argument("--format", choices=["vtt", "json"], default="vtt")
        parser.add_argument(
            "--facilitator", action="append", default=[], help="a name to be called Facilitator"
        )
        parser.add_argument("--language", default="", help="of the words that stand for names")

    def handle(self, **options) -> None:
        as_json = options["format"] == "json"
        facilitators = options["facilitator"] + json.loads(os.environ.get(FACILITATORS, "[]"))
        with translation.override(options["language"] or translation.get_language()):
            try:
                cues = _cues(_read(options["file"]), facilitators)
            except formats.TranscriptError as error:
                if not as_json:
                    raise CommandError(str(error)) from None
                self.stdout.write(json.dumps({"error": str(error)}))
                return
        if as_json:
            self.stdout.write(json.dumps({"cues": cues}))
        else:
            self.stdout.write(transcript_vtt.write(cues), ending="")


def _read(file: str) -> bytes:
    if file == "-":
        if hasattr(os, "nice"):
            os.nice(10)  # a live workshop on the same machine has priority
        return sys.stdin.buffer.read(formats.SIZE_LIMIT + 1)
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"Cannot read {file}: {error.strerror}.") from None


def _cues(source: bytes, facilitators: list[str]) -> list[dict]:
    done = pseudonyms.pseudonymise(formats.parse(source), facilitators)
    return [asdict(cue) for cue in done.cues]
