"""What was decided about people's own words: shown, hidden, shown with words taken out, or flagged for safeguarding.

Three kinds of readers ask. The room sees what somebody has let through, and, where a question shows words at once,
those that were not hidden and that nobody needs to look at. Staff see what was written, for they decide. Researchers
read the words as the room may read them where some were taken out, and otherwise what was written. Nobody of them
sees flagged words: these are for the named lead alone.

Each answer is a rule: `key -> None` (as it was written), the words that stand instead, or "" (nothing).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from .models import TextCheck

Rule = Callable[[str], str | None]

PENDING, SHOWN, HIDDEN, REDACTED, FLAGGED = "pending", "shown", "hidden", "redacted", "flagged"


@dataclass(frozen=True, slots=True)
class Checks:
    """The decisions about one poll's texts, by their keys; a key is in one of these at most."""

    shown: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    redacted: Mapping[str, str] = field(default_factory=dict)
    flagged: frozenset[str] = frozenset()

    def state(self, key: str) -> str:
        """One of the five words above."""
        known = {FLAGGED: self.flagged, REDACTED: self.redacted, SHOWN: self.shown, HIDDEN: self.hidden}
        return next((name for name, keys in known.items() if key in keys), PENDING)

    def for_the_room(self, at_once: Collection[str] = ()) -> Rule:
        """What the wall and phones may show; texts with these keys `at_once`, without a decision."""

        def rule(key: str) -> str | None:
            state = self.state(key)
            if state == REDACTED:
                return self.redacted[key]
            return None if state == SHOWN or (state == PENDING and key in at_once) else ""

        return rule

    def for_staff(self, key: str) -> str | None:
        return "" if key in self.flagged else None

    def for_researchers(self, key: str) -> str | None:
        return "" if key in self.flagged else self.redacted.get(key)


NONE = Checks()


def of(polls: Collection[int]) -> dict[int, Checks]:
    """Decisions by poll, for those that have some; one query, none without polls."""
    if not polls:
        return {}
    rows: dict[int, list[tuple[str, bool, str, bool]]] = {}
    found = TextCheck.objects.filter(poll__in=polls)
    for poll, key, shown, redacted, flagged in found.values_list(
        "poll", "key", "shown", "redacted", "safeguarding"
    ):
        rows.setdefault(poll, []).append((key, shown, redacted, flagged))
    return {poll: _checks(mine) for poll, mine in rows.items()}


def _checks(rows: list[tuple[str, bool, str, bool]]) -> Checks:
    return Checks(
        shown=frozenset(k for k, shown, instead, flag in rows if shown and not instead and not flag),
        hidden=frozenset(k for k, shown, _instead, flag in rows if not shown and not flag),
        redacted={k: instead for k, shown, instead, flag in rows if shown and instead and not flag},
        flagged=frozenset(k for k, _shown, _instead, flag in rows if flag),
    )
