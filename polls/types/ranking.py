"""Ranking: options in order, all of them or the top k, no ties.

A ballot is the list of option keys, best first. Settings: `top` (how many places, all where absent) and
`exact` (every place must be filled). Unranked options are tied: they share the places that are left, and each
gets their mean rank. So with k options a place r is worth k − r points (Borda count), and a ballot always gives
away k(k − 1)/2 of them; zero points for unranked options would punish those known to fewer people.

The tally keeps everything that a result needs, as integers: `ranks2`, twice the sum of ranks (a shared
rank may end in a half) · `ties`, the sum of t³ − t over groups of t options that share a place · `places`,
how often each was put in each place · `pairs`, how many put the first before the second.
Kendall's W with ties: Siegel & Castellan (1988), Nonparametric Statistics, § 9.5.

Where versions with other options are added up, an option has a base of its own, and `rivals`: over those people, how
many other options there were. Its overall place is then by the share of its rivals that it beat, and W is not defined.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from . import drawing
from .base import (
    Figure,
    FormData,
    InvalidBallot,
    InvalidQuestion,
    Option,
    PollType,
    Question,
    Tally,
    bars,
    base,
    setting,
)

#: 95th percentile of the standard normal distribution
NORMAL_95 = 1.6449


class Ranking(PollType):
    name = "ranking"
    title = gettext_lazy("Rank")
    how = gettext_lazy("Put them in order")
    has_options = True
    own_settings = ("exact", "shuffle", "top")

    def check(self, question: Question) -> None:
        super().check(question)
        if "top" in question.settings:
            setting(question, "top", 1, 1, len(question.options))
        if not isinstance(question.settings.get("exact", False), bool):
            raise InvalidQuestion("exact: expected true or false")

    def top(self, question: Question) -> int:
        """How many places there are to fill."""
        return question.settings.get("top", len(question.options))

    def instruction(self, question: Question) -> str:
        top = self.top(question)
        return str(self.how) if top == len(question.options) else _("Choose your top %(top)d") % {"top": top}

    def from_form(self, data: FormData, question: Question) -> Any:
        """The keys in order; where the places make no order, `{"places": typed}`, which `clean` refuses."""
        if data.get("pass"):
            return None
        typed = {key: data.get(f"rank_{key}") for key in question.keys}
        typed = {key: place for key, place in typed.items() if place}
        in_order = sorted(typed, key=lambda key: (len(typed[key]), typed[key]))
        if [typed[key] for key in in_order] == [str(place) for place in range(1, len(typed) + 1)]:
            return in_order
        return {"places": typed}

    def to_form(self, value: Any, question: Question) -> dict[str, list[str]]:
        if value is None:
            return {"pass": ["1"]}
        return {f"rank_{key}": [str(place)] for place, key in enumerate(value, 1)}

    def fields(self, filled: FormData, question: Question, options: Sequence[Option]) -> dict[str, Any]:
        top = self.top(question)
        return {
            "top": top,
            "whole": top == len(question.options),
            "places": [str(place) for place in range(1, top + 1)],
            "options": [
                {"key": option.key, "label": option.label, "place": filled.get(f"rank_{option.key}", "")}
                for option in options
            ],
            "passed": filled.get("pass"),
            "fewer": not question.settings.get("exact"),
        }

    def clean_answer(self, value: Any, question: Question) -> Any:
        if isinstance(value, dict):
            raise self._misplaced(value.get("places"), question)
        if not isinstance(value, list) or not all(isinstance(key, str) for key in value):
            raise InvalidBallot(_("Put the answers in order: first place, second place, and so on."))
        if not set(value) <= set(question.keys):
            raise InvalidBallot(_("One of those answers is not on the list. Choose from these."))
        if len(set(value)) != len(value):
            raise InvalidBallot(_("An answer stands in two places. Give each answer one place."))
        self._check_number(len(value), question)
        return list(value)

    def _check_number(self, filled_places: int, question: Question) -> None:
        top = self.top(question)
        if not filled_places:
            raise InvalidBallot(_("Choose at least a first place."))
        if filled_places > top:
            raise InvalidBallot(
                _("There are %(top)d places; you have filled %(found)d.")
                % {"top": top, "found": filled_places}
            )
        if filled_places < top and question.settings.get("exact"):
            raise InvalidBallot(
                _("Fill all %(top)d places; %(found)d so far.") % {"top": top, "found": filled_places}
            )

    def _misplaced(self, places: Any, question: Question) -> InvalidBallot:
        """What is wrong with the places that a plain form sent."""
        places = places if isinstance(places, dict) else {}
        allowed = [str(place) for place in range(1, self.top(question) + 1)]
        taken = [place for key, place in places.items() if key in question.keys]
        for place in allowed:
            if taken.count(place) > 1:
                key = [key for key in question.keys if places.get(key) == place][-1]
                return InvalidBallot(
                    _("Place %(place)s is taken twice. Give each place once.") % {"place": place},
                    f"rank_{key}",
                )
        if taken and all(place in allowed for place in taken):
            empty = next(place for place in allowed if place not in taken)
            return InvalidBallot(_("Place %(place)s is empty. Fill the places in order.") % {"place": empty})
        return InvalidBallot(_("Put the answers in order: first place, second place, and so on."))

    def say_answer(self, value: Any, question: Question) -> str:
        return " · ".join(f"{place}. {question.label(key)}" for place, key in enumerate(value, 1))

    def tally(self, counted: Iterable[tuple[Any, int]], question: Question) -> Tally:
        keys, k = question.keys, len(question.keys)
        tally: Tally = {
            "n": 0,
            "ranks2": dict.fromkeys(keys, 0),
            "ties": 0,
            "places": {key: {str(place): 0 for place in range(1, self.top(question) + 1)} for key in keys},
            "pairs": {key: {other: 0 for other in keys if other != key} for key in keys},
        }
        for ranked, people in counted:
            left = [key for key in keys if key not in ranked]
            tally["n"] += people
            tally["ties"] += people * (len(left) ** 3 - len(left))
            for key in left:
                tally["ranks2"][key] += people * (len(ranked) + 1 + k)
            for place, key in enumerate(ranked):
                tally["ranks2"][key] += people * 2 * (place + 1)
                tally["places"][key][str(place + 1)] += people
                for behind in [*ranked[place + 1 :], *left]:
                    tally["pairs"][key][behind] += people
        return tally

    def with_bases(self, tally: Tally, question: Question) -> Tally:
        rivals = dict.fromkeys(question.keys, tally["n"] * (len(question.keys) - 1))
        return {**super().with_bases(tally, question), "rivals": rivals}

    def borda(self, tally: Tally, question: Question) -> dict[str, float]:
        """The Borda count of every option: points summed over people, one for each rival put behind it."""
        return {
            key: rivals + base(tally, key) - tally["ranks2"][key] / 2
            for key, rivals in self._rivals(tally, question).items()
        }

    def _rivals(self, tally: Tally, question: Question) -> dict[str, int]:
        alike = tally["n"] * (len(question.keys) - 1)
        return {key: tally.get("rivals", {}).get(key, alike) for key in question.keys}

    def concordance(self, tally: Tally, question: Question) -> tuple[float, float] | None:
        """Kendall's W (0 no agreement, 1 all the same) and its χ² with k − 1 degrees of freedom.

        `None` where it is not defined: nobody answered, every ballot ties everything, or not all could rank the same.
        """
        if "bases" in tally:
            return None
        m, k = tally["n"], len(question.keys)
        mean2 = m * (k + 1)  # twice the mean rank sum
        squares4 = sum((ranks2 - mean2) ** 2 for ranks2 in tally["ranks2"].values())
        most = m * m * (k**3 - k) - m * tally["ties"]
        if not most:
            return None
        w = 3 * squares4 / most  # 12 S with S = squares4 / 4
        return w, m * (k - 1) * w

    def condorcet_winner(self, tally: Tally, question: Question) -> str | None:
        """The option that beats every other one in pairs (more people put it before than after), where there is one."""
        pairs = tally["pairs"]
        rivals = len(question.keys) - 1
        beats = (
            key
            for key in question.keys
            if len(pairs[key]) == rivals and all(pairs[key][o] > pairs[o][key] for o in pairs[key])
        )
        return next(beats, None)

    def standing(self, tally: Tally, question: Question) -> dict[str, int]:
        """The overall place of every option by Borda count; ties share a place ("1224" ranking)."""
        borda = self.borda(tally, question)
        beaten = {
            key: Fraction(borda[key]) / rivals if rivals else Fraction(0)
            for key, rivals in self._rivals(tally, question).items()
        }
        return {key: 1 + sum(other > share for other in beaten.values()) for key, share in beaten.items()}

    def figures(self, tally: Tally, question: Question) -> list[Figure]:
        """People who put an option first; with fewer places than options, also people who gave it any place."""
        top = self.top(question)
        figures = []
        for option in question.options:
            n = base(tally, option.key)
            places = tally["places"][option.key]
            label = _("%(label)s, first place") % {"label": option.label}
            figures.append(Figure(option.key, label, places["1"], n))
            if top < len(question.options):
                label = _("%(label)s, in the top %(top)d") % {"label": option.label, "top": top}
                figures.append(Figure(f"{option.key}:listed", label, sum(places.values()), n))
        return figures

    def picture(self, tally: Tally, question: Question) -> dict[str, Any]:
        n, k, borda = tally["n"], len(question.keys), self.borda(tally, question)
        standing, rivals = self.standing(tally, question), self._rivals(tally, question)
        return {
            "n": n,
            "headline": self.headline(tally, question),
            "note": "",
            "statistics": self._agreement(tally, question),
            "top": self.top(question),
            "whole": self.top(question) == k,
            "rows": [
                {
                    "key": option.key,
                    "label": option.label,
                    "points": f"{borda[option.key] / mine:.1f}" if (mine := base(tally, option.key)) else "",
                    "share": round(100 * borda[option.key] / rivals[option.key]) if mine else 0,
                    "place": standing[option.key] if n else None,
                    "first": tally["places"][option.key]["1"],
                    "listed": sum(tally["places"][option.key].values()),
                }
                for option in question.options
            ],
        }

    def headline(self, tally: Tally, question: Question) -> dict[str, Any] | None:
        if not tally["n"]:
            return None
        if self._is_noise(tally, question):
            rest = ngettext(
                "%(n)d person ranked these", "%(n)d people ranked these very differently", tally["n"]
            )
            return drawing.headline(_("No clear order:"), rest % {"n": tally["n"]})
        standing = self.standing(tally, question)
        winners = [option.label for option in question.options if standing[option.key] == 1]
        rest = ngettext(
            "comes first overall (%(n)d person)", "comes first overall (%(n)d people)", tally["n"]
        )
        if len(winners) > 1:
            rest = ngettext(
                "share first place (%(n)d person)", "share first place (%(n)d people)", tally["n"]
            )
        return drawing.headline(" · ".join(winners), rest % {"n": tally["n"]})

    def _is_noise(self, tally: Tally, question: Question) -> bool:
        """Would people who rank at random agree as much in one room of twenty, and agree by less than half here?

        χ² of the concordance against its 95th percentile by Wilson and Hilferty (1931), a cube of a normal.
        """
        concordance = self.concordance(tally, question)
        if concordance is None or tally["n"] < 2:
            return False
        w, chi2 = concordance
        df = len(question.keys) - 1
        critical = df * (1 - 2 / (9 * df) + NORMAL_95 * math.sqrt(2 / (9 * df))) ** 3
        return w < 0.5 and chi2 < critical

    def _agreement(self, tally: Tally, question: Question) -> str:
        concordance = self.concordance(tally, question)
        if concordance is None or tally["n"] < 2:
            return ""
        note = _("Agreement between people (Kendall’s W): %(w).2f, where 1 is all the same.") % {
            "w": concordance[0]
        }
        winner, standing = self.condorcet_winner(tally, question), self.standing(tally, question)
        if winner and (standing[winner] != 1 or list(standing.values()).count(1) > 1):
            note += " " + _("In pairs, “%(label)s” beats every other.") % {"label": question.label(winner)}
        return note

    def table(self, tally: Tally, question: Question) -> tuple[list[str], list[list[Any]]]:
        n, borda = tally["n"], self.borda(tally, question)
        headings = [_("Answer"), _("Overall place"), _("Points per person"), _("Mean rank"), _("Put first")]
        headings += [] if self.top(question) == len(question.options) else [_("Gave it a place")]
        if not n:
            return headings, [[option.label] + [0] * (len(headings) - 1) for option in question.options]
        standing = self.standing(tally, question)
        rows = []
        for option in question.options:
            places, mine = tally["places"][option.key], base(tally, option.key)
            row = [
                option.label,
                standing[option.key],
                f"{borda[option.key] / mine:.1f}" if mine else "",
                f"{tally['ranks2'][option.key] / 2 / mine:.1f}" if mine else "",
                places["1"],
            ]
            rows.append([*row, sum(places.values())][: len(headings)])
        return headings, rows

    def chart(self, tally: Tally, question: Question) -> dict[str, Any]:
        points = self.borda(tally, question)
        means = [(o.label, points[o.key] / max(base(tally, o.key), 1)) for o in question.options]
        return bars([(label, mean, f"{mean:.1f}") for label, mean in means], _("Points per person"))
