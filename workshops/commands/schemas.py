"""Field types and base classes of the commands' schemas."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

#: an idempotency key, a UUID in practice; printable ASCII that fits a column and a log line
Op = Annotated[str, Meta(max_length=36, pattern=r"\A[!-~]+\Z")]
Id = Annotated[int, Meta(ge=1, le=2**53)]
Seq = Annotated[int, Meta(ge=0, le=2**53)]
Rev = Annotated[int, Meta(ge=0, le=2**31)]
Seconds = Annotated[int, Meta(ge=5, le=4 * 3600)]
#: a revision of a text as a screen showed it (`polls.models.Text.ref`)
TextRef = Annotated[str, Meta(pattern=r"\Atext-[0-9]{1,15}\Z")]


class Command(Struct, frozen=True, forbid_unknown_fields=True, tag_field="t"):
    """The fields of a command; its tag is its name."""


class BadCommand(Exception):
    """The data does not fit the schema of its command; the message is one plain sentence."""
