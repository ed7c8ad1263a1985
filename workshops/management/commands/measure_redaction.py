"""Measure the recall and precision of redaction on a labelled corpus of invented sentences."""

from __future__ import annotations

import json
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandParser

from workshops.text.redaction.measure import GOALS, PRECISION_GOALS, Score, corpus, measure, mistakes


class Command(BaseCommand):
    help = "Prints recall and precision of redaction by kind, for sentences in sight and for those held out."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--mistakes", action="store_true", help="also print the sentences in sight that go wrong"
        )

    def handle(self, **options) -> None:
        scores = measure(corpus())
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(score) for score in scores], indent=2))
            return
        self._table(scores)
        if options["mistakes"]:
            self._mistakes()

    def _table(self, scores: list[Score]) -> None:
        self.stdout.write(
            f"{'part':<10}{'kind':<10}{'to hide':>8}{'found':>7}{'recall':>9}"
            f"{'suggested':>11}{'right':>7}{'precision':>11}"
        )
        for score in scores:
            self.stdout.write(
                f"{score.part:<10}{score.kind:<10}{score.gold:>8}{score.found:>7}{score.recall:>9.3f}"
                f"{score.suggested:>11}{score.right:>7}{score.precision:>11.3f}"
                f"{'' if score.meets_goals else '   below its goal'}"
            )
        goals = [f"recall of {kind} {goal:.2f}" for kind, goal in GOALS.items()]
        goals += [f"precision of {kind} {goal:.2f}" for kind, goal in PRECISION_GOALS.items()]
        self.stdout.write(f"{len(corpus())} sentences. Goals: {', '.join(goals)}.")

    def _mistakes(self) -> None:
        """Only of the training part: reading mistakes of the held-out part would spoil it for measuring."""
        for sentence in (sentence for sentence in corpus() if sentence.part == "rules"):
            for fault, spans in zip(("missed", "wrong"), mistakes(sentence), strict=True):
                for span in spans:
                    words = sentence.text[span.start : span.end]
                    self.stdout.write(f"{fault:<7} {span.kind:<9} {words!r} in: {sentence.text}")


def _as_json(score: Score) -> dict:
    return asdict(score) | {
        "recall": round(score.recall, 4),
        "precision": round(score.precision, 4),
        "meets_goals": score.meets_goals,
    }
