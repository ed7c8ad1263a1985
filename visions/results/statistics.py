"""Confidence intervals and heterogeneity between workshops: thin calls into SciPy, and textbook formulas.

A proportion over workshops is a sequence of `(hits, valid)` pairs (numerator, denominator), one per workshop;
workshops where nobody answered do not count. Workshops are clusters, people their members. SciPy is imported when it
is first needed, because the live server never needs it. Each function names its method and source.
See docs/researching.md § Pooling over workshops.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import nan

Pairs = Sequence[tuple[int, int]]

ENOUGH_FOR_A_MEAN = 5  # people who answered in a workshop, for its share to enter the mean of workshops


@lru_cache(maxsize=4096)
def wilson(hits: int, valid: int) -> tuple[float, float] | None:
    """95 % confidence interval of a proportion, both ends between 0 and 1; `None` without a denominator.

    The Wilson score interval (Wilson 1927, JASA 22), without continuity correction.
    """
    if not valid:
        return None
    from scipy.stats import binomtest

    interval = binomtest(hits, valid).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def pooled(pairs: Pairs) -> float:
    """The pooled proportion Σk / Σn; NaN without a denominator."""
    valid = sum(n for _, n in pairs)
    return sum(k for k, _ in pairs) / valid if valid else nan


def mean_of_workshops(pairs: Pairs) -> float:
    """The unweighted mean of workshops' proportions, of those with at least `ENOUGH_FOR_A_MEAN` answers; else NaN."""
    shares = [k / n for k, n in pairs if n >= ENOUGH_FOR_A_MEAN]
    return sum(shares) / len(shares) if shares else nan


def chi_squared(pairs: Pairs) -> float:
    """Pearson's chi-squared test of homogeneity: X² = Σ (k − n·p)² / (n·p·(1−p)).

    Degrees of freedom: workshops − 1. It is 0 where the pooled proportion is 0 or 1: then workshops cannot differ.
    """
    p = pooled(pairs)
    if not 0 < p < 1:
        return 0.0
    return sum((k - n * p) ** 2 / (n * p * (1 - p)) for k, n in pairs if n)


def i_squared(pairs: Pairs) -> float:
    """Heterogeneity I² = max(0, (X² − df) / X²), 0 to 1: the part of the variation that is more than chance
    (Higgins & Thompson 2002, Statistics in Medicine 21)."""
    x2, df = chi_squared(pairs), _workshops(pairs) - 1
    return max(0.0, (x2 - df) / x2) if x2 else 0.0


def intraclass(pairs: Pairs) -> float:
    """Intraclass correlation of a binary answer within workshops: the one-way ANOVA estimator, at most 1
    (Ridout, Demétrio & Firth 1999, Biometrics 55).

    Negative where workshops are more alike than chance makes them; NaN where it is not defined: fewer than two
    workshops, one person in each, or a proportion of 0 or 1.
    """
    sizes = [n for _, n in pairs if n]
    total, workshops, p = sum(sizes), len(sizes), pooled(pairs)
    if workshops < 2 or total <= workshops or not 0 < p < 1:
        return nan
    mean_square_between = sum(n * (k / n - p) ** 2 for k, n in pairs if n) / (workshops - 1)
    mean_square_within = sum(k * (n - k) / n for k, n in pairs if n) / (total - workshops)
    adjusted_size = (total - sum(n * n for n in sizes) / total) / (workshops - 1)
    variance = mean_square_between + (adjusted_size - 1) * mean_square_within
    return (mean_square_between - mean_square_within) / variance if variance else nan


def design_effect(pairs: Pairs) -> float:
    """Design effect of cluster sampling (variance inflation): 1 + ((1 + cv²)·m̄ − 1) · max(0, ICC), at least 1.

    Kish's formula for clusters of unequal size (Eldridge, Ashby & Kerry 2006, Int. J. Epidemiology 35): m̄ is the mean
    size of workshops, cv the coefficient of variation of sizes, with the population standard deviation.
    """
    sizes = [n for _, n in pairs if n]
    icc = intraclass(pairs)
    if not sizes or icc != icc or icc <= 0:
        return 1.0
    mean = sum(sizes) / len(sizes)
    cv_squared = sum((n - mean) ** 2 for n in sizes) / len(sizes) / mean**2
    return 1 + ((1 + cv_squared) * mean - 1) * icc


def effective_size(pairs: Pairs) -> float:
    """The effective sample size, N / design effect."""
    return sum(n for _, n in pairs) / design_effect(pairs)


def _workshops(pairs: Pairs) -> int:
    return sum(1 for _, n in pairs if n)
