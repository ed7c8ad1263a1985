"""Intervals and how much workshops differ: thin calls into SciPy, and textbook formulas written out.

A share over workshops is a sequence of `(hits, valid)` pairs, one per workshop; workshops where nobody
answered do not count. SciPy is imported when it is first needed, because the live server never needs it.
Formulas: the project's method notes §2.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import nan

Pairs = Sequence[tuple[int, int]]

ENOUGH_FOR_A_MEAN = 5  # people who answered in a workshop, for its share to enter the mean of workshops


@lru_cache(maxsize=4096)
def wilson(hits: int, valid: int) -> tuple[float, float] | None:
    """Wilson 95 % interval of a share, both ends between 0 and 1; `None` without a base."""
    if not valid:
        return None
    from scipy.stats import binomtest

    interval = binomtest(hits, valid).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def pooled(pairs: Pairs) -> float:
    """Σk / Σn; not a number without a base."""
    valid = sum(n for _, n in pairs)
    return sum(k for k, _ in pairs) / valid if valid else nan


def mean_of_workshops(pairs: Pairs) -> float:
    """The mean of the workshops' own shares, of those where at least five people answered."""
    shares = [k / n for k, n in pairs if n >= ENOUGH_FOR_A_MEAN]
    return sum(shares) / len(shares) if shares else nan


def chi_squared(pairs: Pairs) -> float:
    """X² = Σ (k − n·p)² / (n·p·(1−p)), with as many degrees of freedom as workshops less one.

    Where all or none chose it, workshops cannot differ: 0.
    """
    p = pooled(pairs)
    if not 0 < p < 1:
        return 0.0
    return sum((k - n * p) ** 2 / (n * p * (1 - p)) for k, n in pairs if n)


def i_squared(pairs: Pairs) -> float:
    """The part of the spread that is more than chance: max(0, (X² − df) / X²)."""
    x2, freedom = chi_squared(pairs), _workshops(pairs) - 1
    return max(0.0, (x2 - freedom) / x2) if x2 else 0.0


def intraclass(pairs: Pairs) -> float:
    """ICC from the analysis of variance; negative where workshops are more alike than chance makes them."""
    sizes = [n for _, n in pairs if n]
    total, groups, p = sum(sizes), len(sizes), pooled(pairs)
    if groups < 2 or total <= groups or not 0 < p < 1:
        return nan
    between = sum(n * (k / n - p) ** 2 for k, n in pairs if n) / (groups - 1)
    within = sum(k * (n - k) / n for k, n in pairs if n) / (total - groups)
    typical = (total - sum(n * n for n in sizes) / total) / (groups - 1)
    spread = between + (typical - 1) * within
    return (between - within) / spread if spread else nan


def design_effect(pairs: Pairs) -> float:
    """1 + ((1 + cv²)·m̄ − 1) · max(0, ICC): how much less people in one workshop tell than people apart.

    cv is the coefficient of variation of the workshops' sizes, with the population standard deviation.
    """
    sizes = [n for _, n in pairs if n]
    icc = intraclass(pairs)
    if not sizes or icc != icc or icc <= 0:
        return 1.0
    mean = sum(sizes) / len(sizes)
    cv_squared = sum((n - mean) ** 2 for n in sizes) / len(sizes) / mean**2
    return 1 + ((1 + cv_squared) * mean - 1) * icc


def effective_size(pairs: Pairs) -> float:
    """N / design effect: as many people as the answers are worth."""
    return sum(n for _, n in pairs) / design_effect(pairs)


def _workshops(pairs: Pairs) -> int:
    return sum(1 for _, n in pairs if n)
