"""Statement: agree, can live with it, disagree or pass, with an optional reason (a consensus check).

A ballot is `{"choice": "agree", "reason": "…"}`, without the key `reason` where none was given. A pass with
a reason is still a pass: counted and shown, outside the base. Reasons are read by people, never counted.
Setting: `rule`, set before the vote: `{"agree": 75, "disagree": 15}`, in hundredths of those who chose.
Thresholds compare exact numbers, so 74.7 % is below 75 %, though it prints as 75 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from . import drawing
from .base import (
    FEW,
    Figure,
    FormData,
    InvalidBallot,
    InvalidQuestion,
    Option,
    OwnWords,
    PollType,
    Question,
    Tally,
    is_whole,
    passing,
    percent,
)
from .plural_forms import forms
from .texts import text_key, tidy

REASON_LIMIT = 280  # characters
CHOICES = {
    "agree": gettext_lazy("Agree"),
    "live_with": gettext_lazy("Can live with it"),
    "disagree": gettext_lazy("Disagree"),
}
RULE = {"agree": 75, "disagree": 15}
#: fewer than these say nothing about agreement
TOO_FEW = 10
STATES = {
    "few": gettext_lazy("Too few to say"),
    "consensus": gettext_lazy("We agree"),
    "divided": gettext_lazy("We are divided"),
    "emerging": gettext_lazy("Nearly there"),
    "mixed": gettext_lazy("Mixed"),
    "minority": gettext_lazy("A minority agrees"),
}


class Statement(PollType):
    name = "statement"
    title = gettext_lazy("Statement")
    how = gettext_lazy("Do you agree?")
    own_settings = ("rule",)

    def check(self, question: Question) -> None:
        super().check(question)
        rule = question.settings.get("rule", RULE)
        if not isinstance(rule, Mapping) or set(rule) != set(RULE):
            raise InvalidQuestion(f"rule: expected {{ agree, disagree }}, found {rule!r}")
        if not is_whole(rule["agree"]) or rule["agree"] not in range(50, 101, 5):
            raise InvalidQuestion(f"rule.agree: expected 50 to 100 in steps of 5, found {rule['agree']!r}")
        if not is_whole(rule["disagree"]) or not 0 <= rule["disagree"] <= 50:
            raise InvalidQuestion(f"rule.disagree: expected 0 to 50, found {rule['disagree']!r}")

    def from_form(self, data: FormData, question: Question) -> Any:
        value = {"choice": data.get("agreement") or ""}
        reason = data.get("reason") or ""
        return {**value, "reason": reason} if reason.strip() else value

    def to_form(self, value: Any, question: Question) -> dict[str, list[str]]:
        if value is None:
            return {"agreement": ["pass"]}
        reason = {"reason": [value["reason"]]} if "reason" in value else {}
        return {"agreement": [value["choice"]], **reason}

    def fields(self, filled: FormData, question: Question, options: Sequence[Option]) -> dict[str, Any]:
        return {
            "chosen": filled.get("agreement", ""),
            "reason": filled.get("reason", ""),
            "max_length": REASON_LIMIT,
            "left": forms(lambda n: ngettext("# letter left", "# letters left", n)),
        }

    def clean_answer(self, value: Any, question: Question) -> Any:
        if not isinstance(value, dict) or not {"choice"} <= set(value) <= {"choice", "reason"}:
            raise InvalidBallot(_("Choose one answer first."))
        choice = value["choice"]
        if not isinstance(choice, str) or choice not in (*CHOICES, "pass"):
            raise InvalidBallot(_("Choose one answer first."))
        if choice == "pass":
            passing(question)
        reason = self._clean_reason(value.get("reason"))
        return {"choice": choice, "reason": reason} if reason else {"choice": choice}

    def _clean_reason(self, reason: Any) -> str:
        if reason is not None and not isinstance(reason, str):
            raise InvalidBallot(_("Write the reason in words."), field="reason")
        reason = tidy(reason, lines=True)
        if len(reason) > REASON_LIMIT:
            raise InvalidBallot(
                _("The reason can have up to %(limit)d letters; this has %(length)d.")
                % {"limit": REASON_LIMIT, "length": len(reason)},
                field="reason",
            )
        return reason

    def texts_of(self, value: Any, question: Question) -> Sequence[OwnWords]:
        reason = value.get("reason") if value else None
        return (OwnWords("reason", reason, text_key(reason)),) if reason else ()

    def reworded(self, value: Any, instead: Mapping[str, str]) -> Any:
        if not value or "reason" not in value:
            return value
        reason = instead.get(value["reason"], value["reason"])
        return {"choice": value["choice"], "reason": reason} if reason else {"choice": value["choice"]}

    def is_pass(self, value: Any) -> bool:
        return value is None or value.get("choice") == "pass"

    def marks(self, value: Any) -> list[str]:
        return [value["choice"]] if value else []

    def say(self, value: Any, question: Question) -> str:
        if value is None or value["choice"] == "pass":
            words = question.pass_label or _("Pass")
        else:
            words = str(CHOICES[value["choice"]])
        if value and "reason" in value:
            return _("%(answer)s, with a reason") % {"answer": words}
        return words

    def tally(self, counted: Iterable[tuple[Any, int]], question: Question) -> Tally:
        counts = dict.fromkeys(CHOICES, 0)
        for value, people in counted:
            counts[value["choice"]] += people
        return {"n": sum(counts.values()), "counts": counts}

    def figures(self, tally: Tally, question: Question) -> list[Figure]:
        return [Figure(key, str(label), tally["counts"][key], tally["n"]) for key, label in CHOICES.items()]

    def state(self, tally: Tally, question: Question) -> str:
        """A key of `STATES`, first match wins, on exact numbers (hits × 100 against rule × n)."""
        n, agree, disagree = tally["n"], tally["counts"]["agree"] * 100, tally["counts"]["disagree"] * 100
        rule = question.settings.get("rule", RULE)
        if n < TOO_FEW:
            return "few"
        if agree >= 25 * n and disagree >= 25 * n:
            return "divided"
        if agree >= rule["agree"] * n and disagree <= rule["disagree"] * n:
            return "consensus"
        return "emerging" if agree >= 60 * n else "mixed" if agree >= 40 * n else "minority"

    def picture(self, tally: Tally, question: Question) -> dict[str, Any]:
        figures, rule = self.figures(tally, question), question.settings.get("rule", RULE)
        state = self.state(tally, question)
        parts = zip(CHOICES, drawing.segments([figure.hits for figure in figures]), strict=True)
        return drawing.picture(
            figures,
            tally["n"],
            self.headline(tally, question),
            rule=rule["agree"],
            rule_says=_("Line set before we voted: %(agree)d in 100") % {"agree": rule["agree"]},
            state=state,
            state_says=str(STATES[state]),
            verdict=self._verdict(tally, rule),
            parts=[{"key": key, "x": x, "width": width} for key, (x, width) in parts] if tally["n"] else [],
            says=", ".join(f"{figure.label}: {figure.hits}" for figure in figures),
        )

    def _verdict(self, tally: Tally, rule: Mapping[str, int]) -> str:
        n, counts = tally["n"], tally["counts"]
        if not n:
            return ""
        if n < FEW:
            return _("%(agree)d of %(n)d agree, %(disagree)d disagree.") % {**counts, "n": n}
        return _("%(agree)d in 100 agree. %(disagree)d in 100 disagree, and the limit was %(limit)d.") % {
            "agree": percent(counts["agree"], n),
            "disagree": percent(counts["disagree"], n),
            "limit": rule["disagree"],
        }

    def headline(self, tally: Tally, question: Question) -> dict[str, Any] | None:
        if not tally["n"]:
            return None
        rest = ngettext("person agrees", "people agree", tally["n"])
        return drawing.headline(drawing.count_or_percent(tally["counts"]["agree"], tally["n"]), rest)
