"""Cards with few fields: a prompt for groups, a pause, a question that is new."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from polls.types import POLL_TYPES, Question
from polls.types.base import TEXT_LIMIT

from ...actions.authoring.questions import TITLE_LENGTH, Step
from ...models import AgendaItem, Programme, Prompt
from ...programmes import option_lines
from .card import LINES_LENGTH, LenientForm, StepFields, text_field


class PauseForm(StepFields, LenientForm):
    title = text_field(gettext_lazy("What happens"), TITLE_LENGTH)

    def __init__(self, item: AgendaItem, data: QueryDict | None = None, theirs: Collection[str] = ()) -> None:
        super().__init__(data, {"title": item.title, "minutes": item.minutes, "notes": item.notes}, theirs)

    def step(self) -> Step:
        return Step(self.said("minutes") or 0, self.said("notes"), title=self.said("title"))


class PromptForm(StepFields, LenientForm):
    text = text_field(gettext_lazy("Question for the groups"), TEXT_LIMIT)
    probes = text_field(gettext_lazy("If the talk slows down"), LINES_LENGTH)
    domain = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, label=gettext_lazy("Part of the vision")
    )

    def __init__(
        self,
        programme: Programme,
        prompt: Prompt,
        data: QueryDict | None = None,
        item: AgendaItem | None = None,
        theirs: Collection[str] = (),
    ) -> None:
        self.programme, self.item = programme, item
        minutes = item.minutes if item else prompt.minutes
        initial = {
            "text": prompt.text, "probes": "\n".join(prompt.probes), "domain": prompt.domain_id,
            "minutes": minutes, **({"notes": item.notes} if item else {}),
        }  # fmt: skip
        super().__init__(data, initial, theirs)
        self._prepare()

    def full_clean(self) -> None:
        self._prepare()
        super().full_clean()

    def _prepare(self) -> None:
        domain: Any = self.fields["domain"]
        domain.choices = [("", "–"), *((row.pk, row.title) for row in self.programme.domains.all())]

    def values(self) -> dict[str, Any]:
        """What `save_prompt` takes. A step has minutes of its own."""
        own = {} if self.item else {"minutes": self.said("minutes") or 0}
        return {
            "text": self.said("text"),
            "probes": option_lines.split(self.said("probes")),
            "domain": self.said("domain"),
            **own,
        }

    def step(self) -> Step | None:
        return Step(self.said("minutes") or 0, self.said("notes")) if self.item else None


class NewQuestionForm(forms.Form):
    """A question in one box: its words, and its options below them, one on each line."""

    words = forms.CharField(
        max_length=LINES_LENGTH,
        label=gettext_lazy("What do you want to ask?"),
        error_messages={"required": gettext_lazy("Write the question first.")},
    )
    type = forms.ChoiceField(
        required=False,
        choices=[(name, kind.title) for name, kind in POLL_TYPES.items()],
        label=gettext_lazy("How people answer"),
    )

    def question(self) -> Question:
        """Without a type, lines below the first are options of a choice, and a question alone is answered in words."""
        text, *lines = option_lines.split(self.cleaned_data["words"])
        kind = self.cleaned_data["type"] or ("single_choice" if lines else "words")
        if kind == "scale":
            return Question(kind, text[:TEXT_LIMIT], settings={"points": lines} if lines else {"points": 5})
        options = option_lines.match(lines, ()).options if POLL_TYPES[kind].has_options else ()
        return Question(kind, text[:TEXT_LIMIT], options=options)
