"""Compare several servers in interleaved rounds, so that background load on the machine affects all alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from . import figures
from .servers import DAPHNE, REFERENCE, TUTORIAL, TUTORIAL_ON_UVICORN, UVICORN, Kind

SPECIMEN_PHONES = 200  # with more, the tutorial design never shows the last votes
OURS = (DAPHNE, UVICORN)
# the consumers of tutorials on what ours runs on
SAME_SERVER = {DAPHNE: TUTORIAL, UVICORN: TUTORIAL_ON_UVICORN}
Runs = dict[str, list[dict[str, Any]]]  # of each contender, by its name, one a round


@dataclass(frozen=True)
class Contender:
    kind: Kind
    phones: int
    #: phones only join, nobody votes
    joins_only: bool = False

    @property
    def name(self) -> str:
        return f"{self.kind.name} at {self.phones}" + (", joining" if self.joins_only else "")


def contenders(phones: int, specimen_phones: int = SPECIMEN_PHONES) -> list[Contender]:
    """The servers to compare. The specimen votes with few phones, and ours with as few beside it; with all phones it
    only joins."""
    few = min(phones, specimen_phones)
    found = [Contender(kind, phones) for kind in (*OURS, REFERENCE)]
    found += [Contender(SAME_SERVER[kind], phones, joins_only=True) for kind in OURS]
    found += [Contender(kind, few) for kind in OURS] if few < phones else []
    return [*found, Contender(TUTORIAL, few)]


def compare(
    chosen: list[Contender], rounds: int, run: Callable[[Contender, int], dict[str, Any]]
) -> dict[str, Any]:
    """Run A B C D, A B C D, …; returns every run, the medians of each contender, and the ratios of `goals`."""
    runs: Runs = {contender.name: [] for contender in chosen}
    for number in range(1, rounds + 1):
        for contender in chosen:
            runs[contender.name].append(run(contender, number))
    reasons = [
        f"{contender.name}, round {number}: {reason}"
        for contender in chosen
        if not contender.kind.specimen  # it is expected to fail
        for number, found in enumerate(runs[contender.name], start=1)
        for reason in found["reasons"]
    ]
    return {
        "valid": not reasons, "reasons": reasons, "rounds": rounds,
        "medians": {name: figures.medians(found) for name, found in runs.items()},
        "ratios": {ratio.words: ratio.of(runs) for ratio in ratios(chosen)}, "runs": runs,
    }  # fmt: skip


# --- ratios ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ratio:
    """The ratio of one figure of two contenders: of medians, because single rounds are noisy, with its range."""

    words: str
    part: Contender
    whole: Contender
    keys: tuple[str, ...]

    def of(self, runs: Runs) -> dict[str, Any]:
        """`{"phones", "of_medians", "lowest", "highest", "rounds"}`; `None` where a figure is not known."""
        parts, wholes = ([_at(run, self.keys) for run in runs[each.name]] for each in (self.part, self.whole))
        rounds = [figures.ratio(part, whole, 4) for part, whole in zip(parts, wholes, strict=True)]
        known = [value for value in rounds if value is not None]
        return {
            "phones": self.part.phones,
            "of_medians": figures.ratio(figures.middle(parts), figures.middle(wholes), 4),
            "lowest": min(known, default=None), "highest": max(known, default=None), "rounds": rounds,
        }  # fmt: skip


def _at(run: dict[str, Any], keys: tuple[str, ...]) -> Any:
    for key in keys:
        run = run[key]
    return run


def ratios(chosen: list[Contender]) -> list[Ratio]:
    """Ratios of our servers to the reference (per delivered message) and to the tutorial design (votes, joining)."""
    most = max(contender.phones for contender in chosen)
    few = min(contender.phones for contender in chosen)
    found = [ratio for kind in OURS for ratio in _of(kind, most, few)]
    return [ratio for ratio in found if ratio.part in chosen and ratio.whole in chosen]


def _of(kind: Kind, most: int, few: int) -> Iterator[Ratio]:
    ours, beside, specimen = Contender(kind, most), Contender(kind, few), Contender(TUTORIAL, few)
    joining = Contender(SAME_SERVER[kind], most, joins_only=True)
    yield Ratio(f"{kind.name} ÷ reference, CPU per delivered message", ours, Contender(REFERENCE, most),
                ("cpu_us_per_message",))  # fmt: skip
    yield Ratio(f"{kind.name} ÷ tutorial, CPU per 1,000 votes", beside, specimen, ("cpu_ms_per_1000_votes",))
    yield Ratio(f"{kind.name} ÷ tutorial, visible on the wall p99", beside, specimen,
                ("visible_on_wall_ms", "p99"))  # fmt: skip
    yield Ratio(f"{kind.name} ÷ {joining.kind.name}, handshakes a second", ours, joining,
                ("handshakes_per_second",))  # fmt: skip
    yield Ratio(f"{kind.name} ÷ {joining.kind.name}, joins a second", ours, joining, ("joins_per_second",))
