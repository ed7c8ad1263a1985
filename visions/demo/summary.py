"""The first vision summary of the demonstration: statements tied to real pooled figures, nothing invented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from workshops.models import Programme

from ..models import Snapshot
from ..results.aggregates import load_findings
from ..summary import composing, publishing


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement with its figures as `(instrument, kind, figure, caption)`, the leading one first."""

    domain: str
    text: str
    why: str
    figures: tuple[tuple[str, str, str, str], ...]


TITLE = "The ideal baby room"
LEAD = (
    "What baby room educators and nursery leaders picture when they picture it well, "
    "built together in live workshops."
)
OPENING = (
    "Public funding now reaches children from nine months of age, and the baby room has come into view. In one-hour "
    "workshops, people who work in and lead baby rooms described the room they would build. This page sets out what "
    "they share, and how widely they share it.\n\n"
    "It is a vision: what good looks and feels like. What the baby room is for is a separate question."
)
CLAIMS = (
    Claim(
        "look-and-feel",
        "The ideal baby room is calm, nurturing, welcoming and homely.",
        "Asked to describe it in a word or a short phrase, people reached for how it feels to be there.",
        tuple(
            ("ideal_in_words", "option", word, "") for word in ("calm", "nurturing", "welcoming", "homely")
        ),
    ),
    Claim(
        "look-and-feel",
        "It is small: six to twelve babies, few enough to know each one’s rhythm.",
        "Nobody in any workshop pictured nineteen or more, and yet rooms of that size exist.",
        (
            ("ideal_group_size", "measure", "ideal_6_12", "picture 6 to 12 babies in the room"),
            ("ideal_group_size", "measure", "ideal_19_plus", "19 or more babies, ideal"),
        ),
    ),
    Claim(
        "place-in-nursery",
        "It is on the ground floor, in a quiet part of the nursery, with the garden always in reach.",
        "Most people chose the ground floor, a quiet area, and free flow to the outdoors all day.",
        (
            ("location", "option", "ground_floor", "want it on the ground floor"),
            ("location", "option", "quiet", ""),
            ("outdoors", "option", "free_flow", "Free flow to the outdoors, all day"),
        ),
    ),
    Claim(
        "place-in-nursery",
        "Educators from across the nursery know the baby room, and the baby room knows them.",
        "Quiet need not mean apart: people called it important that educators from across the nursery connect with "
        "the baby room.",
        (("connection", "measure", "connection_top_two", "call this moderately or very important"),),
    ),
    Claim(
        "team",
        "The team is coached, not only trained.",
        "Coaching was one of several kinds of professional learning that people could choose for the ideal team.",
        (("professional_learning", "option", "coaching", "want coaching for the ideal team"),),
    ),
)


@transaction.atomic
def write(programme: Programme) -> Snapshot | None:
    """Write and publish it; `None` where a summary has been begun already, which is then left alone.

    Raises `composing.NoSuchFigure` where the programme lacks a figure, and then nothing is written.
    """
    summary = composing.summary_of(programme)
    if summary.statements.exists() or summary.snapshots.exists():
        return None
    composing.edit_summary(summary, title=TITLE, lead=LEAD, opening=OPENING)
    findings = load_findings(programme)
    domains: dict[str, Any] = {domain.key: domain for domain in programme.domains.all()}
    for claim in CLAIMS:
        if claim.domain not in domains:
            raise composing.NoSuchFigure(f"part {claim.domain} of the vision")
        statement = composing.add_statement(summary, domains[claim.domain], claim.text, claim.why)
        for instrument, kind, figure, caption in claim.figures:
            composing.link(statement, findings, instrument, kind, figure, caption=caption)
    return publishing.publish(summary)
