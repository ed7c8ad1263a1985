"""Counters of one server process, in the words of Prometheus. `health` serves them.

Numbers only: no label names a person, a workshop or a code. What can be read off when somebody asks (sockets,
the queue) is not counted here, so the live path pays for a handful of additions a vote and none a socket.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

VOTES = Counter("vision_votes", "What became of what phones sent.", ["outcome"], registry=REGISTRY)
ACK_SECONDS = Histogram(
    "vision_ack_seconds", "From arrival at the intake to the answer, commit included.", registry=REGISTRY,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)  # fmt: skip
BATCH_SIZE = Histogram(
    "vision_batch_size", "Votes, notes and joins written in one transaction.", registry=REGISTRY,
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
)  # fmt: skip
TICKS = Counter("vision_ticks", "Windows in which a hub drew pictures.", ["group"], registry=REGISTRY)
DRAW_SECONDS = Histogram(
    "vision_draw_seconds", "Drawing the pictures of one window, its reads included.", registry=REGISTRY,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)  # fmt: skip
PICTURES = Counter("vision_pictures", "Pictures handed to sockets.", registry=REGISTRY)
SKIPPED = Counter(
    "vision_pictures_skipped",
    "Pictures that a slow screen never got, a newer one came first.",
    registry=REGISTRY,
)
SENT_AWAY = Counter(
    "vision_sent_away", "Requests answered with a page that waits for its turn.", ["why"], registry=REGISTRY
)
NOT_TOLD = Counter("vision_layer_failures", "Announcements that other processes missed.", registry=REGISTRY)

OUTCOMES = ("acked", "shown", "joined", "closed", "stale", "invalid", "forbidden", "consent", "busy")
# Each is there from the start, so a first refusal shows as a step from nought; and looking a label up costs.
_VOTES = {outcome: VOTES.labels(outcome) for outcome in OUTCOMES}


def count(outcome: Any) -> None:
    """One item's outcome: a receipt, a refusal, a joining, `None` for a paper issued, or the exception `Busy`."""
    if outcome is None:
        name = "shown"
    elif isinstance(outcome, Exception):
        name = "busy"
    else:
        name = getattr(outcome, "code", "acked")
    _VOTES.get(name, _VOTES["invalid"]).inc()


def now() -> float:
    return perf_counter()


def answered(since: float) -> None:
    ACK_SECONDS.observe(perf_counter() - since)
