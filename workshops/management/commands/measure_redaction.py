"""How much of what should be hidden is found, and how much of what is suggested is right, on invented sentences."""

from __future__ import annotations

import json
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandParser

from workshops.redaction_measure import GOALS, PRECISION_GOALS, Figure, corpus, measure, mistakes


class Command(BaseCommand):
    help = "Prints recall and precision of redaction by kind, for sentences in sight and for those held out."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--mistakes", action="store_true", help="also print the sentences in sight that go wrong"
        )

    def handle(self, **options) -> None:
        figures = measure(corpus())
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(figure) for figure in figures], indent=2))
            return
        self._table(figures)
        if options["mistakes"]:
            self._mistakes()

    def _table(self, figures: list[Figure]) -> None:
        self.stdout.write(
            f"{'part':<10}{'kind':<10}{'to hide':>8}{'found':>7}{'recall':>9}"
            f"{'suggested':>11}{'right':>7}{'precision':>11}"
        )
        for figure in figures:
            self.stdout.write(
                f"{figure.part:<10}{figure.kind:<10}{figure.gold:>8}{figure.found:>7}{figure.recall:>9.3f}"
                f"{figure.suggested:>11}{figure.right:>7}{figure.precision:>11.3f}"
                f"{'' if figure.meets_goals else '   below its goal'}"
            )
        goals = [f"recall of {kind} {goal:.2f}" for kind, goal in GOALS.items()]
        goals += [f"precision of {kind} {goal:.2f}" for kind, goal in PRECISION_GOALS.items()]
        self.stdout.write(f"{len(corpus())} sentences. Goals: {', '.join(goals)}.")

    def _mistakes(self) -> None:
        """Only of the part in sight: whoever reads the other one can no longer measure with it."""
        for sentence in (sentence for sentence in corpus() if sentence.part == "rules"):
            for fault, spans in zip(("missed", "wrong"), mistakes(sentence), strict=True):
                for span in spans:
                    words = sentence.text[span.start : span.end]
                    self.stdout.write(f"{fault:<7} {span.kind:<9} {words!r} in: {sentence.text}")


def _as_json(figure: Figure) -> dict:
    return asdict(figure) | {
        "recall": round(figure.recall, 4),
        "precision": round(figure.precision, 4),
        "meets_goals": figure.meets_goals,
    }
