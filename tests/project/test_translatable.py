"""Every word that a user sees goes through gettext.

A pretended language puts « » around every translated string; the content of the database is made of digits.
Then any letter outside « » on a page is a string that could never be translated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.utils import translation

from polls.lifecycle import Reveal
from polls.models import ComparabilityMark
from tests import factories as make
from tests.every_type import QUESTIONS
from workshops import screens as screens_of
from workshops.actions import facilitation, moderation
from workshops.models import Membership, Role, Workshop

#: attributes whose words people see or hear
SPOKEN = ("aria-label", "alt", "title", "placeholder", "data-on-text", "data-off-text")
#: what may stand outside: addresses, codes, host names, units of figures, the name of a format, a signed-in address
UNTRANSLATED = re.compile(
    r"https?://[\w.:/-]+|(?:\b[A-Z0-9]\b[ ,]*){6}|testserver|CSV|\b[A-Z0-9]{3} ?[A-Z0-9]{3}\b|\[c\]|[\w-]+@[\w.]+|/vision/[\w-]+/|\b[ns] ?="
)

ANSWERS = {
    "single_choice": ["a", "a", "b"],
    "multiple_choice": [["a", "b"], ["b"]],
    "scale": [1, 2, 3],
    "ranking": [["a", "b"], ["b", "c"]],
    "words": [["11", "22"], ["11"]],
    "open_text": ["111", "222"],
    "number": [5, 9, 12],
    "points": [{"a": 60, "b": 40}, {"c": 100}],
    "statement": [{"choice": "agree"}, {"choice": "disagree", "reason": "12"}],
}


@pytest.fixture(autouse=True)
def _pretended_language(monkeypatch: pytest.MonkeyPatch) -> None:
    translator = translation._trans  # type: ignore[attr-defined]
    for name in ("gettext", "pgettext", "ngettext", "npgettext"):
        real = getattr(translation.trans_real if hasattr(translation, "trans_real") else translator, name)
        monkeypatch.setattr(translator, name, _marked(real))


def _marked(real):
    return lambda *words: f"«{real(*words)}»" if words[-1] != "" and words[0] != "" else real(*words)


class Seen(HTMLParser):
    """The words of a page that people see or hear."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.silent = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("script", "style", "kbd")
        self.words += [value for name, value in attributes if name in SPOKEN and value]

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style", "kbd")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.words.append(data)


def untranslated(page: str) -> list[str]:
    """What has letters outside every « »; a marked string may hold other marked ones."""
    seen = "\n".join(Seen(page).words)
    depth, outside = 0, []
    for letter in seen:
        depth += letter == "«"
        if not depth:
            outside.append(letter)
        depth -= letter == "»"
    rest = UNTRANSLATED.sub("", "".join(outside))
    return [line.strip() for line in rest.splitlines() if re.search(r"[^\W\d_]", line)]


def pages(client: Client, *paths: str) -> Iterator[tuple[str, list[str]]]:
    for path in paths:
        answer = client.get(path)
        yield f"{path} {answer.status_code}", untranslated(answer.content.decode())


def assert_translated(client: Client, *paths: str) -> None:
    assert [found for found in pages(client, *paths) if found[1]] == []


@pytest.fixture
def room(db) -> Workshop:
    programme = make.programme(title="1", strapline="2", while_waiting="3", closing="4")
    sheet = make.sheet(programme, [{"key": "a", "text": "5", "required": True}])
    sheet.text = sheet.lead = "6"
    sheet.save()
    return make.workshop(programme, *QUESTIONS.values(), sheet=sheet, title="7")


def test_pages_that_everybody_can_open_are_translated(room):
    nobody = Client()
    words = ("/help/", "/accessibility/", "/privacy/", "/concern/", "/nowhere/", "/accounts/login/")
    assert_translated(nobody, "/", "/?code=AAA", *words, "/accounts/password/reset/", f"/w/{room.code}/")
    assert_translated(nobody, f"/w/{room.code}/consent/", "/w/AAAAAA/", f"/wall/{room.wall_key}/")


@pytest.mark.parametrize("kind", QUESTIONS)
@pytest.mark.parametrize("reveal", [Reveal.AFTER_CLOSE, Reveal.LIVE])
def test_a_question_of_every_type_is_translated_on_every_screen(room, kind, reveal):
    poll = make.launched(room, list(QUESTIONS).index(kind))
    poll.reveal = reveal
    poll.save()
    facilitation.show_result(room.pk, None, reveal == Reveal.LIVE)
    facilitation.start_timer(room.pk, None, 60)
    ada = make.participant(room)
    screens = [
        (make.phone(ada), f"/w/{room.code}/"),
        (make.phone(observing=room), f"/w/{room.code}/"),
        (Client(), f"/wall/{room.wall_key}/"),
        (make.signed_in(make.staff(room.programme)), f"/workshops/{room.code}/console/"),
    ]
    for client, path in screens:
        assert_translated(client, path)
    for value in ANSWERS[kind] * 12:
        make.vote(make.participant(room, rehearsal=True), poll, value)
    make.vote(ada, poll, ANSWERS[kind][0])
    for client, path in screens:
        assert_translated(client, path)
    refs = [text.ref for text in screens_of.Scene.load(room.pk).texts]
    if refs:
        moderation.check_texts(room.pk, None, refs, True)
    facilitation.close(room.pk, None)
    facilitation.show_result(room.pk, None, True)
    for client, path in screens:
        assert_translated(client, path)


def test_what_is_refused_is_said_in_translated_words(room):
    poll = make.launched(room)
    ada = make.participant(room, profiled=False)
    wrong = [make.vote(ada, poll, value) for value in ("nothing", "", {"other": ""}, 7, [])]
    assert [untranslated(refusal.message) for refusal in wrong] == [[]] * 5
    client = make.phone(ada)
    answer = client.post(f"/w/{room.code}/vote/", {"poll": poll.pk})
    assert untranslated(answer.content.decode()) == []
    assert untranslated(Client().post("/", {"code": "1"}).content.decode()) == []
    assert untranslated(Client().post(f"/w/{room.code}/consent/").content.decode()) == []


def test_pages_of_people_who_sign_in_are_translated(room):
    owner = make.staff(room.programme, Role.OWNER)
    for role in (Role.FACILITATOR, Role.RESEARCHER):
        Membership.objects.create(programme=room.programme, user=owner, role=role)
    client = make.signed_in(owner)
    key = room.programme.key
    poll = make.launched(room)
    for value in ("a", "b", "a"):
        make.vote(make.participant(room), poll, value)
    facilitation.close(room.pk, None)
    instrument = poll.version.instrument
    instrument.name = "77"
    instrument.save()
    assert_translated(
        client,
        "/workshops/",
        f"/programmes/{key}/plan/",
        f"/programmes/{key}/people/",
        f"/programmes/{key}/log/",
        f"/programmes/{key}/removed/",
        f"/workshops/{room.code}/invite/",
        "/account/",
        f"/programmes/{key}/safeguarding/",
    )
    assert_translated(
        client, f"/programmes/{key}/summary/", "/accounts/password/change/", "/accounts/logout/"
    )
    assert_translated(client, f"/programmes/{key}/", f"/programmes/{key}/results/{instrument.key}/")
    assert_translated(
        client,
        f"/workshops/{room.code}/joining-sheet/",
        f"/programmes/{key}/questions/{instrument.key}/picture/",
    )
    facilitation.end(room.pk, None)
    later = instrument.versions.create(number=2, definition=poll.version.definition | {"text": "78"})
    asked = f"/programmes/{key}/questions/"
    assert_translated(client, *(f"{asked}?tab={tab}" for tab in ("", "people", "breakouts", "removed")))
    assert_translated(client, f"{asked}?open={instrument.key}", f"{asked}?q=nothing")
    ComparabilityMark.objects.create(earlier=poll.version, later=later, kind="typo", reason="79")
    assert_translated(client, f"{asked}?open={instrument.key}")
    assert_translated(client, "/workshops/", f"/workshops/{room.code}/console/")
