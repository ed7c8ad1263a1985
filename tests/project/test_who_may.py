"""Who may open what: every address of the resolver, every kind of person, their own programme and a foreign one.

A new address fails here until `WHO_MAY` says for whom it is. Denied is denied: a stranger cannot tell a page of
somebody else's programme from one that is not there (404); a member without the right role is told so (403).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from tests import factories
from visions.models import EvidenceLink, Snapshot, Statement, Summary
from workshops.actions import facilitation, transcripts
from workshops.actions.log import note
from workshops.models import Domain, Group, Mode, Picture, Plan, Role, Round
from workshops.people import invitations

pytestmark = pytest.mark.django_db

# --- who may: the table that a new address goes into --------------------------------------------------------------

EVERYBODY = "everybody"  # nobody signs in: a public page, or one whose address or cookie is the key
SIGNED_IN = "signed in"  # whoever has an account

OWNERS = frozenset({"owner"})
RUNNERS = frozenset({"owner", "facilitator"})
READERS = frozenset({"owner", "researcher", "lead"})  # the lead of this test is a researcher
LEAD = frozenset({"lead"})
MEMBERS = frozenset({"owner", "facilitator", "researcher", "lead"})
#: of one workshop
RUN_IT = RUNNERS | {"guest"}
SEE_IT = MEMBERS | {"guest"}

WHO_MAY: dict[str, str | frozenset[str]] = {
    # --- nobody signs in
    **dict.fromkeys(("start", "help", "accessibility", "privacy", "concern", "picture", "wall"), EVERYBODY),
    **dict.fromkeys(("phone", "phone-consent", "phone-profile", "phone-vote", "phone-group"), EVERYBODY),
    **dict.fromkeys(("phone-pictures", "phone-leave", "invitation", "vision", "vision-version"), EVERYBODY),
    **dict.fromkeys(("account_login", "account_logout", "account_inactive", "account_signup"), EVERYBODY),
    **dict.fromkeys(("account_reset_password", "account_reset_password_done"), EVERYBODY),
    "account_reset_password_from_key": EVERYBODY,
    "mfa_authenticate": EVERYBODY,  # who has given the password
    "account_reset_password_from_key_done": EVERYBODY,
    # --- whoever has an account
    **dict.fromkeys(("home", "account", "account_reauthenticate"), SIGNED_IN),
    **dict.fromkeys(("account_change_password", "account_set_password", "sessions"), SIGNED_IN),
    **dict.fromkeys(("mfa_index", "mfa_activate_totp", "mfa_deactivate_totp"), SIGNED_IN),
    **dict.fromkeys(("mfa_list_webauthn", "mfa_add_webauthn", "mfa_remove_webauthn"), SIGNED_IN),
    **dict.fromkeys(("mfa_view_recovery_codes", "mfa_generate_recovery_codes"), SIGNED_IN),
    **dict.fromkeys(("programme-new", "programme-file", "demo"), SIGNED_IN),
    # --- one workshop
    **dict.fromkeys(("console", "gesture", "rehearse", "prepare", "open-doors", "prepare-about"), RUN_IT),
    **dict.fromkeys(("agenda-add", "agenda-found", "step-change", "item-picture"), RUN_IT),
    **dict.fromkeys(("qr-svg", "qr-png", "run-sheet", "joining-sheet", "notes-decide"), RUN_IT),
    "wall-address": RUN_IT,
    **dict.fromkeys(("notes", "notes-csv", "notes-md", "notes-docx", "workshop-results"), SEE_IT),
    "workshop-results-docx": SEE_IT,
    **dict.fromkeys(("transcript-add", "transcript", "transcript-vtt", "transcript-md"), SEE_IT),
    **dict.fromkeys(("facts", "item-edit", "questionnaire-turnout", "questionnaire-open"), RUN_IT),
    **dict.fromkeys(("questionnaire-close", "questionnaire-times", "questionnaire-added"), RUN_IT),
    **dict.fromkeys(("questionnaire-mode", "item-phone", "item-wall"), RUN_IT),
    **dict.fromkeys(("invite", "copy-workshop", "keep-as-plan", "remove-workshop"), RUNNERS),
    # --- the programme
    **dict.fromkeys(("plan", "removed", "restore", "question-picture"), RUNNERS),
    "questions": MEMBERS,
    **dict.fromkeys(("question-new", "question-edit", "question-remove"), RUNNERS),
    **dict.fromkeys(("question-phone", "question-wall", "prompt-phone", "prompt-wall"), RUNNERS),
    **dict.fromkeys(("prompt-edit", "prompt-remove"), RUNNERS),
    **dict.fromkeys(("plans", "plan-edit", "plan-copy", "plan-remove", "plan-bring"), RUNNERS),
    **dict.fromkeys(("settings", "sheet", "programme-toml", "programme-back"), OWNERS),
    **dict.fromkeys(("people", "change_role", "remove_member", "revoke_invitation"), OWNERS),
    **dict.fromkeys(("safeguarding_lead", "log", "log-csv", "undo", "summary-withdraw"), OWNERS),
    **dict.fromkeys(("safeguarding", "safeguarding_release"), LEAD),
    "safeguarding_answer": OWNERS | LEAD,
    **dict.fromkeys(("results", "results-csv", "question", "summary", "summary-words"), READERS),
    **dict.fromkeys(("summary-add", "summary-adopt", "summary-preview", "summary-publish"), READERS),
    **dict.fromkeys(("summary-statement", "summary-link", "summary-evidence", "summary-own"), READERS),
}

#: what stands in the address beside the programme's key and the workshop's code; called with the world of this test
PARTS: dict[str, Callable[[World], dict[str, Any]]] = {
    "gesture": lambda world: {"name": "joining"},
    "picture": lambda world: {"sha256": world.picture.sha256},
    "wall": lambda world: {"key": world.workshop.wall_key},
    "invitation": lambda world: {"secret": "no-such-secret"},
    "vision": lambda world: {"key": world.summary.key},
    "vision-version": lambda world: {"key": world.summary.key, "number": 1},
    "account_reset_password_from_key": lambda world: {"uidb36": "1", "key": "wrong"},
    "mfa_remove_webauthn": lambda _world: {"pk": 1},
    "step-change": lambda world: {"pk": world.pause.pk},
    **dict.fromkeys(
        ("item-picture", "item-edit", "item-phone", "item-wall"), lambda world: {"pk": world.pause.pk}
    ),
    "transcript-add": lambda world: {"pk": world.group.pk},
    "transcript": lambda world: {"pk": world.transcript.pk},
    "transcript-vtt": lambda world: {"pk": world.transcript.pk},
    "transcript-md": lambda world: {"pk": world.transcript.pk},
    **dict.fromkeys(
        ("plan-edit", "plan-copy", "plan-remove", "plan-bring"), lambda world: {"slug": world.plan.key}
    ),
    **dict.fromkeys(
        (f"questionnaire-{what}" for what in ("turnout", "open", "close", "times", "added")),
        lambda world: {"code": world.questionnaire.code},
    ),
    "restore": lambda world: {"kind": "plan", "pk": world.removed.pk},
    "undo": lambda world: {"pk": world.programme.log.latest("pk").pk},
    "change_role": lambda world: {"pk": world.spare.pk},
    "remove_member": lambda world: {"pk": world.spare.pk},
    "revoke_invitation": lambda world: {"pk": world.invitation.pk},
    "question": lambda world: {"instrument": world.instrument.key},
    **dict.fromkeys(
        (f"question-{what}" for what in ("edit", "remove", "phone", "wall", "picture")),
        lambda world: {"slug": world.instrument.key},
    ),
    **dict.fromkeys(
        (f"prompt-{what}" for what in ("edit", "remove", "phone", "wall")),
        lambda world: {"slug": world.prompt.key},
    ),
    "summary-adopt": lambda world: {"pk": 1},
    "summary-withdraw": lambda world: {"number": 1},
    "summary-statement": lambda world: {"pk": world.statement.pk},
    "summary-link": lambda world: {"pk": world.statement.pk},
    "summary-evidence": lambda world: {"pk": world.statement.pk, "link": world.evidence.pk},
}

#: fields without which a POST of somebody who may is refused as not found
FIELDS = {
    "change_role": {"role": "facilitator"},
    "transcript": {"do": "keep"},
    "safeguarding_answer": {"do": "refuse"},
    "rehearse": {"phones": "0"},
    "step-change": {"do": "remove"},
}
#: what a POST without a fitting text, words or a finished agenda answers to those who may
NOT_FOUND_IS_FINE = frozenset(
    [
        "notes-decide",
        "safeguarding_release",
        "summary-adopt",
        "plan-edit",
        "questionnaire-mode",
        "settings",
        "programme-new",
    ]
)
#: a POST would start processes
NOT_POSTED = {"demo"}
#: not even members learn of it: what was removed is there for its owners only
NOT_THERE_FOR_MEMBERS = {"programme-back"}
#: a step that is not in this agenda is said to be gone, in the page
SAME_EVERYWHERE = {"step-change", "gesture"}


# --- the world ----------------------------------------------------------------------------------------------------


class World:
    """One programme with something of everything in it."""

    def __init__(self) -> None:
        programme = self.programme = factories.programme()
        workshop = self.workshop = factories.workshop(programme)
        held = factories.workshop(programme)
        person = factories.participant(held)
        factories.vote(person, factories.launched(held), "yes")
        facilitation.end(held.pk, None)
        self.prompt = factories.prompt_item(workshop).prompt
        self.pause = factories.pause_item(workshop)
        self.instrument = programme.bank.instruments.get(versions__polls__agenda_item__workshop=held)
        self.questionnaire = factories.workshop(programme, mode=Mode.QUESTIONNAIRE, started=False)
        key = f"plan-{programme.pk}"
        self.plan = Plan.objects.create(programme=programme, key=key, title="Plan")
        self.removed = Plan.objects.create(
            programme=programme, key="gone", title="Gone", removed_at=timezone.now()
        )
        self.picture = Picture.objects.create(
            programme=programme, sha256=f"{programme.pk:064x}", data=b"webp", width=1, height=1, alt="A room"
        )
        groups = Round.objects.create(workshop=workshop, number=1, made="random", opened_at=timezone.now())
        self.group = Group.objects.create(round=groups, number=1, name="Group 1")
        said = {"start": 0.0, "end": 1.0, "speaker": "", "text": "It is calm."}
        self.transcript = transcripts.add(self.group, [said], None)
        transcripts.keep(self.transcript, None)
        self.spare = invitations.add_member(programme, factories.person(), Role.RESEARCHER)
        self.invitation = programme.invitations.create(
            email="new@example.org", role=Role.RESEARCHER, secret_hash=programme.key,
            expires_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip
        domain = Domain.objects.create(programme=programme, key="domain", title="Domain")
        self.summary = Summary.objects.create(programme=programme, key=programme.key, title="Vision")
        self.statement = Statement.objects.create(summary=self.summary, domain=domain, text="It is calm.")
        self.evidence = EvidenceLink.objects.create(
            statement=self.statement, instrument=self.instrument, kind="option", figure="yes",
            linked={"label": "Yes", "hits": 12, "valid": 20, "workshops": 2, "cells": [], "series": 1},
        )  # fmt: skip
        Snapshot.objects.create(
            summary=self.summary,
            number=1,
            content={},
            published_at=timezone.now(),
            withdrawn_at=timezone.now(),
        )
        note(programme, None, "invited_owner")

    def address(self, name: str, parts: World | None = None) -> str:
        """The address with this name; what stands in it beside programme and workshop is of `parts`."""
        wanted = ADDRESSES[name]
        known: dict[str, Any] = {"key": self.programme.key, "code": self.workshop.code}
        known |= PARTS.get(name, lambda _world: {})(self)
        if parts:
            known |= {k: v for k, v in PARTS[name](parts).items() if k not in ("key", "code")}
        return reverse(name, kwargs={part: known[part] for part in wanted})


def people(world: World) -> dict[str, str]:
    """Kind of person → the cookie of their session, "" for somebody who is not signed in."""
    found = {"stranger": factories.person(), "guest": factories.person(), "lead": factories.person()}
    found |= {str(role): factories.person() for role in Role}
    for role in Role:
        invitations.add_member(world.programme, found[role], role)
    invitations.add_member(world.programme, found["guest"], Role.FACILITATOR, world.workshop)
    invitations.add_member(world.programme, found["guest"], Role.FACILITATOR, world.questionnaire)
    invitations.add_member(world.programme, found["lead"], Role.RESEARCHER)
    world.programme.safeguarding_lead = found["lead"]
    world.programme.lead_named_at = timezone.now()  # the owners, in their place: somebody may answer that
    world.programme.save()
    sessions = {}
    for kind, person in found.items():
        sessions[kind] = factories.signed_in(person).cookies[settings.SESSION_COOKIE_NAME].value
    return {"nobody": ""} | sessions


def named(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[tuple[str, set[str]]]:
    """Every name of an address, with the parts in it."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from named(pattern.url_patterns)
        else:
            assert pattern.name, f"{pattern.pattern} has no name"
            own = set(pattern.pattern.regex.groupindex)
            yield pattern.name, own - set(pattern.default_args)


ADDRESSES = dict(named(get_resolver().url_patterns))


# --- what an answer means -----------------------------------------------------------------------------------------

SIGN_IN, UNKNOWN, DENIED, NO_METHOD, OPEN, BROKEN = (
    "sign in",
    "unknown",
    "denied",
    "no method",
    "open",
    "broken",
)


def ask(cookie: str, method: str, address: str, fields: dict[str, str]) -> str:
    """What this person's browser gets; nothing of it stays."""
    client = Client(raise_request_exception=False, headers={"Sec-Fetch-Site": "same-origin"})
    if cookie:
        client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    with transaction.atomic():
        answer = getattr(client, method)(address, fields if method == "post" else {})
        transaction.set_rollback(True)
    if answer.status_code == 302 and answer["Location"].startswith("/accounts/login/?next="):
        return SIGN_IN
    by_status = {403: DENIED, 404: UNKNOWN, 405: NO_METHOD}
    return BROKEN if answer.status_code >= 500 else by_status.get(answer.status_code, OPEN)


def fitting(name: str, kind: str, method: str) -> set[str]:
    """What somebody of this kind may get at the address with this name, in their own programme."""
    who = WHO_MAY[name]
    if who == EVERYBODY:
        return {OPEN, NO_METHOD, UNKNOWN, DENIED}  # without a seat, say
    if kind == "nobody":
        return {SIGN_IN, NO_METHOD}
    if who == SIGNED_IN or kind in who:
        return {OPEN, NO_METHOD} | ({UNKNOWN} if method == "post" and name in NOT_FOUND_IS_FINE else set())
    if name in NOT_THERE_FOR_MEMBERS:
        return {UNKNOWN, NO_METHOD}
    is_member = kind in MEMBERS or (kind == "guest" and "code" in ADDRESSES[name])
    return {DENIED if is_member else UNKNOWN, NO_METHOD}


@pytest.fixture(autouse=True)
def _quiet():
    """Every refusal would be a line of the log."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


# --- the tests ----------------------------------------------------------------------------------------------------


def test_the_table_names_every_address_and_no_other():
    assert sorted(ADDRESSES) == sorted(WHO_MAY)


def test_every_address_opens_to_exactly_those_who_may():
    world = World()
    wrong, reached = {}, set()
    for kind, cookie in people(world).items():
        for name in ADDRESSES:
            for method in ("get",) if name in NOT_POSTED else ("get", "post"):
                got = ask(cookie, method, world.address(name), FIELDS.get(name, {}))
                if got == OPEN:
                    reached.add((name, kind))
                if got not in fitting(name, kind, method):
                    wrong[f"{method} {name} as {kind}"] = got
    assert wrong == {}
    expected = {(name, kind) for name, who in WHO_MAY.items() if isinstance(who, frozenset) for kind in who}
    assert (
        expected - reached == {(name, kind) for name, kind in expected if name in NOT_FOUND_IS_FINE} - reached
    )


def test_a_foreign_programme_is_not_there_for_anybody():
    world, foreign = World(), World()
    wrong = {}
    cookies = people(world)
    for kind, cookie in cookies.items():
        for name, who in WHO_MAY.items():
            if isinstance(who, str):
                continue
            for method in ("get", "post"):
                got = ask(cookie, method, foreign.address(name), FIELDS.get(name, {}))
                if got not in ({SIGN_IN, NO_METHOD} if kind == "nobody" else {UNKNOWN, NO_METHOD}):
                    wrong[f"{method} {name} as {kind}"] = got
    assert wrong == {}


def test_what_is_in_a_foreign_programme_is_not_reached_through_ones_own():
    world, foreign = World(), World()
    cookies = people(world)
    wrong = {}
    for name, parts in PARTS.items():
        who = WHO_MAY[name]
        differ = {part for part, value in parts(world).items() if value != parts(foreign)[part]}
        if isinstance(who, str) or name in SAME_EVERYWHERE or not differ - {"key", "code"}:
            continue
        kind = "lead" if who == LEAD else sorted(who)[0]
        for method in ("get", "post"):
            got = ask(cookies[kind], method, world.address(name, foreign), FIELDS.get(name, {}))
            if got not in (UNKNOWN, NO_METHOD):
                wrong[f"{method} {name} as {kind}"] = got
    assert wrong == {}


def test_a_guest_sees_no_other_workshop_of_the_programme():
    world = World()
    cookies = people(world)
    other = factories.workshop(world.programme)
    wrong = {}
    for name, wanted in ADDRESSES.items():
        if isinstance(WHO_MAY[name], str) or "code" not in wanted:
            continue
        address = (
            world.address(name)
            .replace(world.workshop.code, other.code)
            .replace(world.questionnaire.code, other.code)
        )
        for method in ("get", "post"):
            if (got := ask(cookies["guest"], method, address, {})) not in (UNKNOWN, NO_METHOD):
                wrong[f"{method} {name}"] = got
    assert wrong == {}
