"""Accounts by invitation: how people get in, and how nobody else does."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from pathlib import Path
from smtplib import SMTPException

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from workshops.actions.authoring.programme_file import load
from workshops.actions.authoring.team import LastOwner, accept, remove_role
from workshops.models import Invitation, Membership, Role
from workshops.people.invitations import InvitationGone, add_member, create_user, invitation_for

pytestmark = pytest.mark.django_db
FILE = Path(__file__).parents[3] / "programmes" / "our_own_baby_room.toml"
PASSWORD = "four plain words together"


@pytest.fixture
def programme():
    return load(FILE.read_text()).programme


@pytest.fixture
def owner(programme):
    return add_member(programme, create_user("owner@example.org", PASSWORD), Role.OWNER).user


@pytest.fixture
def office(client, owner):
    """The owner's browser."""
    client.force_login(owner)
    return client


@pytest.fixture
def invited(office, programme):
    """Invite an address; the path in the mail's link."""

    def invite(email="new@example.org", role="facilitator"):
        office.post(f"/programmes/{programme.key}/people/", {"email": email, "role": role})
        return re.search(r"http://testserver(/invitation/\S+/)", mail.outbox[-1].body)[1]

    return invite


def roles(email: str) -> list[str]:
    return list(Membership.objects.filter(user__email=email).values_list("role", flat=True))


# --- invitations ------------------------------------------------------------------------------------


def test_an_invited_person_sets_a_password_and_is_in(invited):
    path, browser = invited("New@Example.org "), Client()
    assert "As a facilitator." in browser.get(path).content.decode()

    response = browser.post(path, {"password1": PASSWORD, "password2": PASSWORD}, follow=True)

    assert response.redirect_chain == [("/workshops/", 302)]
    assert "Welcome. You are a facilitator of Our own baby room now." in response.content.decode()
    assert roles("new@example.org") == ["facilitator"]
    assert (
        Client().post("/accounts/login/", {"login": "NEW@example.org", "password": PASSWORD}).url
        == "/workshops/"
    )


def test_the_mail_says_what_it_is_about(invited, programme):
    invited()
    [message] = mail.outbox
    assert message.to == ["new@example.org"]
    assert message.subject == "You are invited to Our own baby room"
    assert "The invitation comes from owner@example.org." in message.body
    assert "It works once, for 14 days." in message.body


def test_a_link_works_once(invited):
    path = invited()
    Client().post(path, {"password1": PASSWORD, "password2": PASSWORD})
    response = Client().get(path)
    assert response.status_code == 404
    assert "This invitation does not work any more" in response.content.decode()


def test_a_link_dies_after_two_weeks(invited):
    path = invited()
    with time_machine.travel(timezone.now() + timedelta(days=14, seconds=1)):
        assert Client().get(path).status_code == 404
        assert Client().post(path, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 404
    assert roles("new@example.org") == []


def test_the_secret_is_long_and_stored_only_as_a_hash(invited):
    secret = invited().split("/")[2]
    assert len(secret) >= 43  # 256 bits
    stored = Invitation.objects.get()
    assert secret not in str(stored.__dict__)
    assert invitation_for(secret) == stored


def test_a_newer_invitation_replaces_the_older(invited):
    first, second = invited(), invited()
    assert Client().get(first).status_code == 404
    assert Client().get(second).status_code == 200
    assert Invitation.objects.count() == 1


def test_two_who_accept_at_once_are_one_member(invited, programme):
    invited()
    invitation = Invitation.objects.get()
    person = create_user("new@example.org", PASSWORD)
    accept(invitation, person)
    with pytest.raises(InvitationGone):
        accept(invitation, person)
    assert roles("new@example.org") == ["facilitator"]


def test_somebody_with_an_account_signs_in_and_joins(invited):
    create_user("known@example.org", PASSWORD)
    path, browser = invited("known@example.org", "researcher"), Client()
    assert f'href="/accounts/login/?next={path}"' in browser.get(path).content.decode()
    assert browser.post(path, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 200
    assert roles("known@example.org") == []

    response = browser.post(
        "/accounts/login/", {"login": "known@example.org", "password": PASSWORD, "next": path}
    )
    assert response.url == path
    assert "Join" in browser.get(path).content.decode()
    assert roles("known@example.org") == []
    assert browser.post(path).url == "/workshops/"
    assert roles("known@example.org") == ["researcher"]


def test_somebody_else_cannot_use_the_link(invited, office):
    path = invited()
    assert "This invitation is for new@example.org" in office.get(path).content.decode()
    assert office.post(path).status_code == 403
    assert roles("owner@example.org") == ["owner"]


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("", "", "Choose a password."),
        ("short", "short", "at least 12 characters"),
        ("password1234", "password1234", "too common"),
        ("new@example.org", "new@example.org", "too similar"),
        (PASSWORD, "another one entirely", "The two passwords are not the same."),
    ],
)
def test_a_weak_or_mistyped_password_is_told_at_its_field(invited, first, second, sentence):
    response = Client().post(invited(), {"password1": first, "password2": second})
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert not User.objects.filter(email="new@example.org").exists()


def test_an_invitation_taken_back_is_dead(invited, office, programme):
    path = invited()
    office.post(f"/programmes/{programme.key}/people/invitations/{Invitation.objects.get().pk}/revoke/")
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize(
    ("said", "field", "sentence"),
    [
        ({"email": "nobody", "role": "owner"}, "email", "This is not an email address yet."),
        ({"email": "OWNER@example.org", "role": "owner"}, "email", "This person has this role already."),
        ({"email": "a@example.org", "role": "king"}, "role", "This role is not on the list."),
    ],
)
def test_an_invitation_that_cannot_be_sent_says_why(office, programme, said, field, sentence):
    text = office.post(f"/programmes/{programme.key}/people/", said).content.decode()
    assert sentence in text.partition(f'id="id_{field}-error"')[2].partition("</p>")[0]
    assert not Invitation.objects.exists()


def test_a_mail_that_does_not_leave_invites_nobody(office, programme, monkeypatch):
    def refuse(**_kwargs):
        raise SMTPException

    monkeypatch.setattr("workshops.actions.authoring.team.send_mail", refuse)
    said = {"email": "new@example.org", "role": "owner"}
    text = office.post(f"/programmes/{programme.key}/people/", said).content.decode()
    assert "The mail could not be sent. Nobody was invited; try again in a moment." in text
    assert 'value="new@example.org"' in text
    assert not Invitation.objects.exists()


# --- members ----------------------------------------------------------------------------------------


def test_the_people_page_lists_members_by_role_and_who_is_invited(office, invited, programme):
    add_member(programme, create_user("helen@example.org", PASSWORD), Role.FACILITATOR)
    invited("soon@example.org", "researcher")
    context = office.get(f"/programmes/{programme.key}/people/").context
    assert [(row.member.role, row.member.user.email, row.sees) for row in context["members"]] == [
        ("owner", "owner@example.org", "Everything"),
        ("facilitator", "helen@example.org", "All workshops"),
    ]
    assert [one.email for one in context["pending"]] == ["soon@example.org"]


def test_a_member_is_removed_after_a_question(office, programme):
    member = add_member(programme, create_user("helen@example.org", PASSWORD), Role.FACILITATOR)
    path = f"/programmes/{programme.key}/people/{member.pk}/remove/"
    assert "Remove helen@example.org?" in office.get(path).content.decode()
    assert roles("helen@example.org") == ["facilitator"]
    text = office.post(path, follow=True).content.decode()
    assert "helen@example.org is no longer a facilitator here." in text
    assert roles("helen@example.org") == []


def test_the_last_owner_cannot_be_removed(office, owner, programme):
    member = owner.memberships.get()
    text = office.post(
        f"/programmes/{programme.key}/people/{member.pk}/remove/", follow=True
    ).content.decode()
    assert "A programme needs an owner. Make somebody else an owner first." in text
    with pytest.raises(LastOwner):
        remove_role(member, owner)
    assert roles("owner@example.org") == ["owner"]


def test_an_owner_may_go_when_another_stays(office, owner, programme):
    add_member(programme, create_user("second@example.org", PASSWORD), Role.OWNER)
    response = office.post(f"/programmes/{programme.key}/people/{owner.memberships.get().pk}/remove/")
    assert response.url == "/workshops/"
    assert list(programme.memberships.values_list("user__email", flat=True)) == ["second@example.org"]


# --- allauth's doors --------------------------------------------------------------------------------


def test_nobody_signs_up_by_themselves(client):
    said = {"email": "stranger@example.org", "password1": PASSWORD}
    assert "Accounts are by invitation" in client.post("/accounts/signup/", said).content.decode()
    assert not User.objects.exists()


def test_a_wrong_password_is_told_without_saying_which_half_is_wrong(client, owner):
    texts = [
        client.post("/accounts/login/", {"login": email, "password": "wrong wrong wrong"}).content.decode()
        for email in ("owner@example.org", "stranger@example.org")
    ]
    sentences = [re.search(r'role="alert".*?<span>(.*?)</span>', text, re.DOTALL)[1] for text in texts]
    assert sentences[0] == sentences[1] != ""
    assert 'value="owner@example.org"' in texts[0]


def test_a_forgotten_password_is_replaced_by_mail(owner):
    browser = Client()
    browser.post("/accounts/password/reset/", {"email": "owner@example.org"})
    [message] = mail.outbox
    assert message.subject == "A new password for Vision Workshops"
    path = re.search(r"http://testserver(/accounts/password/reset/key/\S+/)", message.body)[1]
    form = browser.get(path, follow=True)
    assert "Choose a new password" in form.content.decode()
    new = "some other plain words"
    assert browser.post(form.redirect_chain[-1][0], {"password1": new, "password2": new}).url == "/workshops/"
    owner.refresh_from_db()
    assert owner.check_password(new)
    assert "This link does not work any more" in Client().get(path).content.decode()


def test_no_mail_goes_to_an_address_without_an_account(client):
    response = client.post("/accounts/password/reset/", {"email": "stranger@example.org"}, follow=True)
    assert "Look at your mail" in response.content.decode()
    assert mail.outbox == []


def test_a_password_is_changed(office, owner):
    said = {
        "oldpassword": PASSWORD,
        "password1": "some other plain words",
        "password2": "some other plain words",
    }
    assert office.post("/accounts/password/change/", said).status_code == 302
    owner.refresh_from_db()
    assert owner.check_password("some other plain words")


def test_guessing_is_slowed_and_no_address_is_kept(owner):
    browser = Client(REMOTE_ADDR="203.0.113.77")
    answers = [
        browser.post("/accounts/login/", {"login": "owner@example.org", "password": f"wrong wrong {n}"})
        for n in range(11)
    ]
    assert "Too many" in answers[-1].content.decode()
    kept = f"{cache._cache} {[User.objects.values().get()]}" if hasattr(cache, "_cache") else ""
    assert "203.0.113" not in kept


def test_no_account_page_has_inline_style_or_leaves_the_site(office, invited):
    for path in (
        "login",
        "logout",
        "signup",
        "inactive",
        "password/change",
        "password/reset",
        "password/reset/done",
    ):
        browser = office if path in ("logout", "password/change") else Client()
        text = browser.get(f"/accounts/{path}/").content.decode()
        assert " style=" not in text
        assert "http" not in text.replace("http://www.w3.org", "")
        assert "<h1>" in text


# --- the first owner --------------------------------------------------------------------------------


def create_owner(*args: str, typed: str = "", monkeypatch: pytest.MonkeyPatch) -> str:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    call_command("create_owner", *args, stdout=out)
    return out.getvalue()


def test_the_first_owner_owns_every_programme_when_none_is_named(programme, monkeypatch):
    said = create_owner(
        "First@Example.org", "--password-stdin", typed=f"{PASSWORD}\n", monkeypatch=monkeypatch
    )
    assert said == "first@example.org owns: Our own baby room.\n"
    assert roles("first@example.org") == ["owner"]
    assert User.objects.get().check_password(PASSWORD)


def test_an_owner_with_an_account_keeps_the_password(programme, monkeypatch):
    create_user("first@example.org", PASSWORD)
    said = create_owner("first@example.org", "--programme", programme.key, monkeypatch=monkeypatch)
    assert "had an account already" in said
    assert roles("first@example.org") == ["owner"]
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize(
    ("args", "typed", "sentence"),
    [
        (["nobody", "--password-stdin"], PASSWORD, "“nobody” is not an email address."),
        (["a@example.org", "--password-stdin"], "short", "at least 12 characters"),
        (["a@example.org"], PASSWORD, "give it with --password-stdin"),
        ([], "", "Name the owner"),
        (
            ["a@example.org", "--programme", "none"],
            PASSWORD,
            "There is no programme “none”. There is: our-own-baby-room.",
        ),
    ],
)
def test_an_owner_that_cannot_be_made_is_told_why(programme, monkeypatch, args, typed, sentence):
    with pytest.raises(CommandError, match=re.escape(sentence)):
        create_owner(*args, typed=typed, monkeypatch=monkeypatch)
    assert not User.objects.exists()


def test_without_a_programme_there_is_nothing_to_own(monkeypatch):
    with pytest.raises(CommandError, match="There is no programme yet"):
        create_owner("a@example.org", "--password-stdin", typed=PASSWORD, monkeypatch=monkeypatch)
