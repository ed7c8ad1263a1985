"""Several servers in one go, in turns, so that whatever else the machine does meets all of them alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import figures
from .servers import DAPHNE, REFERENCE, TUTORIAL, UVICORN, Kind

SPECIMEN_PHONES = 200  # with more, the tutorial design never shows the last votes


@dataclass(frozen=True)
class Contender:
    kind: Kind
    phones: int

    @property
    def name(self) -> str:
        return f"{self.kind.name} at {self.phones}"


def contenders(phones: int, specimen_phones: int = SPECIMEN_PHONES) -> list[Contender]:
    """Who is compared. The specimen gets fewer phones; then one of ours stands beside it with as few."""
    few = min(phones, specimen_phones)
    found = [Contender(kind, phones) for kind in (DAPHNE, UVICORN, REFERENCE)]
    found += [Contender(DAPHNE, few)] if few < phones else []
    return [*found, Contender(TUTORIAL, few)]


def compare(
    chosen: list[Contender], rounds: int, run: Callable[[Contender, int], dict[str, Any]]
) -> dict[str, Any]:
    """A B C D, A B C D, …: every run, the median of each contender, and the ratios that the goals speak of."""
    runs: dict[str, list[dict[str, Any]]] = {contender.name: [] for contender in chosen}
    for number in range(1, rounds + 1):
        for contender in chosen:
            runs[contender.name].append(run(contender, number))
    medians = {name: figures.medians(list(found)) for name, found in runs.items()}
    reasons = [
        f"{name}, round {number}: {reason}"
        for contender in chosen
        if contender.kind is not TUTORIAL  # it is there to fail
        for name in [contender.name]
        for number, found in enumerate(runs[name], start=1)
        for reason in found["reasons"]
    ]
    return {
        "valid": not reasons, "reasons": reasons, "rounds": rounds,
        "medians": medians, "ratios": ratios(chosen, medians), "runs": runs,
    }  # fmt: skip


def ratios(chosen: list[Contender], medians: dict[str, dict[str, Any]]) -> dict[str, float | None]:
    """Ours over the reference, per delivered message; ours over the tutorial design, as a whole."""
    most = max(contender.phones for contender in chosen)
    reference = medians.get(Contender(REFERENCE, most).name, {})
    found = {
        f"{kind.name} ÷ reference, CPU per delivered message": figures.ratio(
            medians[Contender(kind, most).name]["cpu_us_per_message"], reference.get("cpu_us_per_message")
        )
        for kind in (DAPHNE, UVICORN)
        if Contender(kind, most) in chosen
    }
    return found | _beside_the_specimen(chosen, medians)


def _beside_the_specimen(
    chosen: list[Contender], medians: dict[str, dict[str, Any]]
) -> dict[str, float | None]:
    specimen = next((contender for contender in chosen if contender.kind is TUTORIAL), None)
    if specimen is None:
        return {}
    theirs = medians[specimen.name]
    ours = medians.get(Contender(DAPHNE, specimen.phones).name)
    if ours is None:
        return {}
    return {
        "daphne ÷ tutorial, CPU per 1,000 votes": figures.ratio(
            ours["cpu_ms_per_1000_votes"], theirs["cpu_ms_per_1000_votes"], 4
        ),
        "daphne ÷ tutorial, visible on the wall p99": figures.ratio(
            ours["visible_on_wall_ms"]["p99"], theirs["visible_on_wall_ms"]["p99"], 4
        ),
        "daphne ÷ tutorial, handshakes a second": figures.ratio(
            ours["handshakes_per_second"], theirs["handshakes_per_second"]
        ),
    }
