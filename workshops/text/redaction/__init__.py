"""Redaction (detection of personal data): names, places and numbers in a text, found by patterns, word lists and
context."""

from .redact import MARKS, Span, redact, suggest

__all__ = ["MARKS", "Span", "redact", "suggest"]
