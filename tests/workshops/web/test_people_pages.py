"""The people of a programme in the browser: roles, links to copy, guests of one workshop, one's own account."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from workshops.models import Invitation, Membership, Role
from workshops.people import access, invitations
from workshops.web.views.people import last_seen

from ... import factories
from ...factories import signed_in, staff

pytestmark = pytest.mark.django_db
PASSWORD = "four plain words together"


@pytest.fixture
def programme():
    return factories.programme(title="Calm rooms")


@pytest.fixture
def workshop(programme):
    return factories.workshop(programme, started=False)


@pytest.fixture
def owner(programme):
    return staff(programme, Role.OWNER)


@pytest.fixture
def office(owner):
    return signed_in(owner)


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def text(response):
    return response.content.decode()


def invite(client, programme, **fields):
    return client.post(f"/programmes/{programme.key}/people/", {"role": "facilitator"} | fields)


def path_in(page):
    """The link that the page offers to copy."""
    return re.search(r'data-copy="http://testserver(/invitation/[\w-]+/)"', page)[1]


# --- roles ----------------------------------------------------------------------------------------------------


def test_a_role_is_chosen_from_a_list(office, programme):
    person = staff(programme)
    member = programme.memberships.get(user=person)
    response = office.post(f"/programmes/{programme.key}/people/{member.pk}/role/", {"role": "owner"})
    assert said(response) == [f"{person.email} is an owner now."]
    assert access.roles(person, programme) == {"owner"}


def test_a_facilitator_is_made_a_guest_of_one_workshop(office, programme, workshop):
    person = staff(programme)
    member = programme.memberships.get(user=person)
    page = text(office.get(f"/programmes/{programme.key}/people/"))
    assert f'<option value="guest:{workshop.pk}">Guest of workshop 1</option>' in page
    address = f"/programmes/{programme.key}/people/{member.pk}/role/"
    assert said(office.post(address, {"role": f"guest:{workshop.pk}"})) == [
        f"{person.email} is a guest of workshop 1 now."
    ]
    assert access.roles(person, programme) == frozenset()
    assert access.roles_in(person, workshop) == {"facilitator"}
    assert "Workshop 1 only" in text(office.get(f"/programmes/{programme.key}/people/"))


@pytest.mark.parametrize("role", ["", "king", "guest", "guest:x", "guest:99999999999999999999"])
def test_a_role_that_is_none_is_not_given(office, programme, role):
    member = programme.memberships.get(user=staff(programme))
    address = f"/programmes/{programme.key}/people/{member.pk}/role/"
    assert office.post(address, {"role": role}).status_code == 404


def test_a_guest_of_a_foreign_workshop_cannot_be_made(office, programme):
    member = programme.memberships.get(user=staff(programme))
    foreign = factories.workshop()
    address = f"/programmes/{programme.key}/people/{member.pk}/role/"
    assert office.post(address, {"role": f"guest:{foreign.pk}"}).status_code == 404


def test_the_only_owner_is_told_to_make_another_first(office, owner, programme):
    page = text(office.get(f"/programmes/{programme.key}/people/"))
    assert "The only owner. Make someone else an owner before you change this." in page
    member = programme.memberships.get(user=owner)
    response = office.post(f"/programmes/{programme.key}/people/{member.pk}/role/", {"role": "researcher"})
    assert said(response) == ["A programme needs an owner. Make somebody else an owner first."]


def test_removing_twice_is_removing(office, programme):
    member = programme.memberships.get(user=staff(programme))
    address = f"/programmes/{programme.key}/people/{member.pk}/remove/"
    office.post(address)
    assert "This person is off the list already." in said(office.post(address))


def test_a_longer_list_asks_the_database_no_more(office, programme, workshop, django_assert_num_queries):
    def look():
        assert office.get(f"/programmes/{programme.key}/people/").status_code == 200

    staff(programme)
    invite(office, programme, email="a@example.org")
    with CaptureQueriesContext(connection) as queries:
        look()
    before = len(queries)  # the next request empties it
    for number in range(2):
        staff(programme)
        invite(office, programme, email=f"{number}@example.org", role="guest", at=workshop.pk)
    with django_assert_num_queries(before):
        look()


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        ([], "Not here yet"), ([0], "Here today"), ([1], "Here yesterday"),
        ([9, 2], "Here 2 days ago"), ([None, 40], "Here 40 days ago"),
    ],
)  # fmt: skip
def test_the_page_says_when_somebody_was_here_last(ago, words):
    now = timezone.localtime().replace(hour=12)
    assert last_seen([None if days is None else now - timedelta(days=days) for days in ago], now) == words


# --- links to copy --------------------------------------------------------------------------------------------


def test_without_an_address_there_is_a_link_to_copy_and_a_second_press_makes_no_second(office, programme):
    page = text(office.get(f"/programmes/{programme.key}/people/"))
    once = re.search(r'name="once" value="([^"]+)"', page)[1]
    first = invite(office, programme, once=once)
    assert first.url == invite(office, programme, once=once).url
    assert Invitation.objects.count() == 1
    page = text(office.get(first.url))
    assert "Link for one facilitator" in page
    assert invitations.invitation_for(path_in(page).split("/")[2]) == Invitation.objects.get()


def test_a_link_is_shown_to_nobody_but_its_maker(office, programme):
    address = invite(office, programme).url
    other = signed_in(staff(programme, Role.OWNER))
    assert "data-copy" not in text(other.get(address))


def test_whoever_opens_a_link_makes_an_account_with_their_own_address(office, programme):
    path, browser = path_in(text(office.get(invite(office, programme).url))), Client()
    typed = {"email": "New@Example.org", "password1": PASSWORD, "password2": PASSWORD}
    response = browser.post(path, typed, follow=True)
    assert "Welcome. You are a facilitator of Calm rooms now." in text(response)
    assert programme.memberships.filter(user__email="new@example.org", role="facilitator").exists()
    assert Client().get(path).status_code == 404


def test_whoever_has_an_account_signs_in_and_joins(office, programme):
    path = path_in(text(office.get(invite(office, programme).url)))
    known = invitations.create_user("known@example.org", PASSWORD)
    typed = {"email": "KNOWN@example.org", "password1": PASSWORD, "password2": PASSWORD}
    page = text(Client().post(path, typed))
    assert "There is an account with this address. Sign in with it below." in page
    assert f'href="/accounts/login/?next={path}"' in page
    assert signed_in(known).post(path).status_code == 302
    assert access.roles(known, programme) == {"facilitator"}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"email": ""}, "Write your email address."),
        ({"email": "me"}, "This is not an email address yet."),
        ({"password1": "short", "password2": "short"}, "at least 12 characters"),
        ({"password1": "new@example.org", "password2": "new@example.org"}, "too similar"),
    ],
)
def test_what_is_wrong_with_a_new_account_is_said_and_the_address_stays(office, programme, typed, sentence):
    path = path_in(text(office.get(invite(office, programme).url)))
    typed = {"email": "new@example.org", "password1": PASSWORD, "password2": PASSWORD} | typed
    page = text(Client().post(path, typed))
    assert sentence in page
    assert not typed["email"] or f'value="{typed["email"]}"' in page
    assert Client().get(path).status_code == 200


def test_a_look_at_ones_own_link_does_not_use_it_up(office, programme):
    path = path_in(text(office.get(invite(office, programme, role="owner").url)))
    for response in (office.get(path), office.post(path)):
        assert "the link still works for the person you send it to" in text(response)
    assert Client().get(path).status_code == 200


def test_a_guests_link_leads_to_the_workshop_and_nowhere_else(office, programme, workshop):
    made = invite(office, programme, role="guest", at=workshop.pk)
    path = path_in(text(office.get(made.url)))
    guest = factories.person()
    browser = signed_in(guest)
    assert "As a guest of workshop 1." in text(browser.get(path))
    assert browser.post(path).url == f"/workshops/{workshop.code}/"
    assert browser.get(f"/workshops/{workshop.code}/").status_code == 200
    other = factories.workshop(programme)
    assert browser.get(f"/workshops/{other.code}/").status_code == 404
    home = text(browser.get("/workshops/"))
    assert workshop.code in home
    assert other.code not in home


@pytest.mark.parametrize("at", ["", "999999"])
def test_a_guest_needs_a_workshop(office, programme, workshop, at):
    response = invite(office, programme, role="guest", at=at)
    assert response.status_code == 422
    assert not Invitation.objects.exists()
    assert 'id="id_at-error"' in text(response)


# --- a workshop's guests --------------------------------------------------------------------------------------


@pytest.fixture
def facilitator(programme):
    return signed_in(staff(programme))


def test_a_facilitator_invites_guests_to_a_workshop_and_nobody_to_the_programme(
    facilitator, programme, workshop
):
    address = f"/workshops/{workshop.code}/invite/"
    made = facilitator.post(address, {"role": "owner"})
    page = text(facilitator.get(made.url))
    assert "Link for one guest, workshop 1" in page
    invitation = Invitation.objects.get()
    assert (invitation.role, invitation.workshop) == ("facilitator", workshop)
    facilitator.post(address, {"do": "take_back", "pk": invitation.pk})
    assert not Invitation.objects.exists()


def test_guests_are_removed_where_they_were_invited(facilitator, programme, workshop):
    guest = factories.person()
    member = invitations.add_member(programme, guest, Role.FACILITATOR, workshop)
    address = f"/workshops/{workshop.code}/invite/"
    assert guest.email in text(facilitator.get(address))
    response = facilitator.post(address, {"do": "remove", "pk": member.pk})
    assert said(response) == [f"{guest.email} is no longer a guest of workshop 1 here."]
    assert not Membership.objects.filter(user=guest).exists()


def test_no_member_of_the_programme_is_removed_there(facilitator, programme, workshop, owner):
    member = programme.memberships.get(user=owner)
    address = f"/workshops/{workshop.code}/invite/"
    assert facilitator.post(address, {"do": "remove", "pk": member.pk}).status_code == 404


def test_owners_go_on_to_the_whole_programme_with_the_workshop_chosen(office, programme, workshop):
    address = f"/programmes/{programme.key}/people/?workshop={workshop.code}"
    assert f'href="{address}"' in text(office.get(f"/workshops/{workshop.code}/invite/"))
    page = text(office.get(address))
    assert 'value="guest" checked' in page
    assert f'<option value="{workshop.pk}" selected>' in page


# --- one's own account ----------------------------------------------------------------------------------------


def test_ones_account_names_ones_roles_and_the_way_out(office, owner):
    page = text(office.get("/account/"))
    assert f"You sign in with {owner.email}." in page
    assert "You are an owner since" in page
    assert 'action="/accounts/logout/"' in page


# --- the safeguarding lead ------------------------------------------------------------------------------------


@pytest.fixture
def lead(programme):
    found = staff(programme)
    programme.safeguarding_lead = found
    programme.save()
    return found


def stamp_in(page):
    return re.search(r'name="stamp" value="([^"]+)"', page)[1]


def test_a_nomination_stands_on_the_peoples_page_and_is_taken_back_there(office, owner, programme, lead):
    there = f"/programmes/{programme.key}/people/"
    assert "A change waits until the present lead or a second owner agrees, or for a day." in text(
        office.get(there)
    )
    assert said(office.post(f"{there}lead/", {"lead": owner.pk})) == ["Named. Nothing has changed yet."]
    page = text(office.get(there))
    for words in (
        f"So far {lead.email} alone reads",
        f"{owner.email} has named {owner.email} as",
        "Take back",
    ):
        assert words in page
    assert 'value="agree"' not in page
    assert 'id="lead-choice"' not in page
    assert said(office.post(f"{there}lead/", {"lead": ""})) == [
        "Somebody else is named already. Take that back first."
    ]
    answer = {"do": "refuse", "stamp": stamp_in(text(office.get(there)))}
    address = f"/programmes/{programme.key}/safeguarding/lead/"
    assert said(office.post(address, answer)) == ["All stays as it is."]
    office.get(there)
    assert said(office.post(address, answer)) == ["This was answered or changed already. Look again."]
    assert 'id="lead-choice"' in text(office.get(there))


def test_the_present_lead_answers_on_the_page_of_flagged_words(office, owner, programme, lead):
    office.post(f"/programmes/{programme.key}/people/lead/", {"lead": owner.pk})
    there, browser = f"/programmes/{programme.key}/safeguarding/", signed_in(lead)
    assert office.get(there).status_code == 403
    answer = {"do": "agree", "stamp": stamp_in(text(browser.get(there)))}
    assert said(browser.post(f"{there}lead/", answer)) == ["Agreed. This is so from now on."]
    assert (office.get(there).status_code, browser.get(there).status_code) == (200, 403)
    again = browser.post(f"{there}lead/", answer)
    assert (again.status_code, again.url) == (302, "/workshops/")


def test_nobody_else_answers(office, owner, programme, lead):
    office.post(f"/programmes/{programme.key}/people/lead/", {"lead": owner.pk})
    stamp = stamp_in(text(office.get(f"/programmes/{programme.key}/people/")))
    for role in (Role.FACILITATOR, Role.RESEARCHER):
        browser = signed_in(staff(programme, role))
        for verb in ("agree", "refuse"):
            answer = browser.post(
                f"/programmes/{programme.key}/safeguarding/lead/", {"do": verb, "stamp": stamp}
            )
            assert answer.status_code == 403
    fresh = signed_in(staff(programme, Role.OWNER))
    answer = {"do": "agree", "stamp": stamp}
    assert said(fresh.post(f"/programmes/{programme.key}/safeguarding/lead/", answer)) == [
        "Only the present lead can agree, or another owner of at least a day."
    ]
    assert access.is_lead(lead, programme)


def test_a_wish_that_is_none_is_not_found(office, programme):
    assert office.post(f"/programmes/{programme.key}/safeguarding/lead/", {"do": "rule"}).status_code == 404


def test_where_the_mail_server_is_down_nobody_is_named(office, owner, programme, lead, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    response = office.post(f"/programmes/{programme.key}/people/lead/", {"lead": owner.pk})
    assert said(response) == ["The mail could not be sent. Nobody was named; try again in a moment."]
    assert 'id="lead-choice"' in text(office.get(f"/programmes/{programme.key}/people/"))


def test_the_page_says_where_nobody_reads(office, owner, programme, lead):
    member = programme.memberships.get(user=lead)
    address = f"/programmes/{programme.key}/people/{member.pk}/remove/"
    assert "nobody reads what is flagged until a second owner agrees" in text(office.get(address))
    office.post(address)
    assert "The lead has left. Nobody reads what is flagged" in text(
        office.get(f"/programmes/{programme.key}/people/")
    )
    assert office.get(f"/programmes/{programme.key}/safeguarding/").status_code == 403
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        tomorrow = signed_in(owner)  # a session of yesterday has ended
        assert tomorrow.get(f"/programmes/{programme.key}/safeguarding/").status_code == 200
