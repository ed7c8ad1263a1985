"""What nobody means to send: texts and numbers that break what takes them for granted."""

from __future__ import annotations

import os
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

#: `make fuzz` says how many; without it a few, always the same
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))

#: the pool of database connections has threads of its own, which draw while a strategy does
beside_threads = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")


def examples(few: int) -> Any:
    """Hypothesis settings for a test that has its world made once, and goes back to it after every example."""
    return hypothesis.settings(
        max_examples=EXAMPLES or few,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[
            hypothesis.Phase.explicit,
            hypothesis.Phase.generate,
            *([hypothesis.Phase.shrink] * bool(EXAMPLES)),
        ],
    )


NUMBERS = [
    "0",
    "-1",
    "9" * 10,
    "9" * 18,
    "9" * 20,
    "9" * 30,
    "9" * 5000,
    "1.5",
    "1e400",
    "NaN",
    "inf",
    "²",
    "٣",
    "0x1",
]
TEXTS = [
    "", " ", "\x00", "a\x00b", "\ud800", "a\udfffb", "\u202eabc", "\u2066\u2069", "\r\nX: y", "\x1b[2J", "\ufeff", "\u2028",
    "👶" * 50, "e\u0301" * 50, "<b>&amp;", "{{ x }}{% y %}", "'; --", "%00%s%(n)s{0}", "a" * 3000, "\n" * 300, "../../x",
    "//evil.example/", "javascript:alert(1)", "=1+1", "[]", "{}", "null", '{"a":' * 200, "true", "on", "text-1",
    "text-" + "9" * 20, "question-" + "9" * 30, "guest:" + "9" * 30, "2026-13-45", "0001-01-01", "9999-12-31T23:59",
    "10000-01-01", "25:61", "up", "1:up", "9999:down",
]  # fmt: skip
texts = st.one_of(
    st.sampled_from(TEXTS), st.sampled_from(NUMBERS), st.text(max_size=30), st.text("0123456789", max_size=40)
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**31, 2**53, 2**53 + 1, 2**63, 2**64, -1, 10**400]),
    st.floats(),
    texts,
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
