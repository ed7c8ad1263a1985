"""Fragments and frames for the baseline servers, with the format and length of ours. Pure."""

from __future__ import annotations

import hashlib
import json
from typing import Any

#: a phone's stage with a ballot of two answers is about this long
STAGE_BYTES = 2600

_WALL = (
    '<section id="tally" aria-label="Answers">\n\n\n\n  <p class="wall-count"><b>{n}</b> <span>of {of} people have '
    'answered</span></p>\n  <svg class="wall-turnout" viewBox="0 0 100 2" preserveAspectRatio="none" '
    'aria-hidden="true"><rect class="all" width="100" height="2" rx="1"/><rect class="done" width="{share}" '
    'height="2" rx="1"/></svg>\n\n\n\n</section>\n'
)
_PHONE = (
    '\n<section id="tally" class="stack" aria-label="Answers">\n\n  \n  '
    '<p class="small soft num">{n} of {of} people have answered</p>\n\n</section>\n'
)


def text(data: dict[str, Any]) -> str:
    return json.dumps(data, separators=(",", ":"))


def screen(topic: str, html: str) -> str:
    revision = hashlib.blake2s(html.encode(), digest_size=6).hexdigest()
    return text({"t": "screen", "topic": topic, "rev": revision, "html": html})


def stage(poll: int) -> str:
    html = f'<section id="stage" class="fill" data-state="ballot" data-poll="{poll}">'
    return screen("stage", html + "." * (STAGE_BYTES - len(html)) + "</section>")


def tally(n: int, of: int, *, wall: bool = False) -> str:
    return screen("tally", (_WALL if wall else _PHONE).format(n=n, of=of, share=round(100 * n / max(1, of))))


def ack(op: str, poll: int, seq: int, choice: str) -> str:
    return text(
        {
            "t": "ack",
            "op": op,
            "rev": 1,
            "poll": poll,
            "seq": seq,
            "status": "cast",
            "fields": {"choice": [choice]},
            "marks": [choice],
            "said": "Yes",
        }
    )
