"""A socket ends with the rights of whoever opened it: at once where it is announced, else at the hub's next look."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

from workshops.actions import accounts, participation
from workshops.actions.authoring import programmes, team
from workshops.actions.authoring.workshops import change_wall_key
from workshops.models import Membership, Participant, Role, Workshop
from workshops.people import invitations, rights

from ... import factories
from ..asgi import observer, path, seat

pytestmark = pytest.mark.usefixtures("quiet_engine")
BY_ANNOUNCEMENT, BY_LOOKING = 3600.0, 0.05


class Desk:
    """Somebody who runs the workshop, signed in, and what takes that from them."""

    def __init__(self, workshop: Workshop, *, guest: bool = False) -> None:
        self.workshop, self.programme = workshop, workshop.programme
        self.owner = factories.staff(self.programme, Role.OWNER)
        self.user = factories.person() if guest else factories.staff(self.programme, Role.FACILITATOR)
        if guest:
            invitations.add_member(self.programme, self.user, Role.FACILITATOR, workshop)
        self.client = factories.signed_in(self.user)
        name = settings.SESSION_COOKIE_NAME
        self.cookie = f"{name}={self.client.cookies[name].value}"

    @property
    def membership(self) -> Membership:
        return Membership.objects.get(programme=self.programme, user=self.user)

    def signs_out(self) -> None:
        self.client.post("/accounts/logout/")

    def signs_out_from_elsewhere(self) -> None:
        factories.signed_in(self.user).post("/accounts/sessions/", {})

    def loses_the_second_factor(self) -> None:
        accounts.take_off_second_factor(self.user, "Rang me, I know the voice")

    def changes_password(self) -> None:
        self.user.set_password("a long and quiet evening")
        self.user.save()

    def is_removed(self) -> None:
        team.remove_role(self.membership, self.owner)

    def becomes_a_researcher(self) -> None:
        team.change_role(self.membership, Role.RESEARCHER, self.owner)

    def sees_the_programme_removed(self) -> None:
        Workshop.objects.update(status=Workshop.Status.ENDED)
        programmes.remove(self.programme, self.owner)

    # … and what nobody announces

    def loses_the_session(self) -> None:
        Session.objects.update(expire_date=timezone.now())

    def gets_another_password(self) -> None:
        User.objects.filter(pk=self.user.pk).update(password="!")

    def is_switched_off(self) -> None:
        User.objects.filter(pk=self.user.pk).update(is_active=False)

    def is_made_a_researcher(self) -> None:
        Membership.objects.filter(user=self.user).update(role=Role.RESEARCHER)

    def is_sent_to_another_workshop(self) -> None:
        other = factories.workshop(self.programme)
        Membership.objects.filter(user=self.user).update(workshop=other)

    def sees_the_workshop_removed(self) -> None:
        Workshop.objects.filter(pk=self.workshop.pk).update(removed_at=timezone.now())


ANNOUNCED = [
    "signs_out",
    "signs_out_from_elsewhere",
    "loses_the_second_factor",
    "changes_password",
    "is_removed",
    "becomes_a_researcher",
    "sees_the_programme_removed",
]
UNANNOUNCED = [
    "loses_the_session", "gets_another_password", "is_switched_off", "is_made_a_researcher",
    "is_sent_to_another_workshop", "sees_the_workshop_removed",
]  # fmt: skip


async def open_desk(room, workshop, **options):
    desk = await sync_to_async(Desk)(workshop, **options)
    console = await room(f"/live/console/{workshop.code}/", cookie=desk.cookie)
    await console.say({"t": "hello"})
    await console.until("screen")
    return desk, console


@pytest.mark.parametrize("event", ANNOUNCED)
async def test_a_console_ends_at_once_with_the_right_to_run_it(asked, room, settings, event):
    settings.LIVE_POLL_SECONDS = BY_ANNOUNCEMENT
    desk, console = await open_desk(room, asked[0])
    await sync_to_async(getattr(desk, event))()
    assert await console.ended() == 4401


@pytest.mark.parametrize("event", UNANNOUNCED)
async def test_a_console_ends_at_the_next_look_where_nobody_says_so(asked, room, settings, event):
    settings.LIVE_POLL_SECONDS = BY_LOOKING
    desk, console = await open_desk(room, asked[0], guest=event == "is_sent_to_another_workshop")
    await sync_to_async(getattr(desk, event))()
    assert await console.ended() == 4401


async def test_a_guests_console_ends_with_their_seat_and_no_other(asked, room, settings):
    settings.LIVE_POLL_SECONDS = BY_ANNOUNCEMENT
    _desk, stays = await open_desk(room, asked[0])
    guest, console = await open_desk(room, asked[0], guest=True)
    await sync_to_async(guest.is_removed)()
    assert await console.ended() == 4401
    await stays.say({"t": "ping"})
    await stays.until("pong")


async def test_signing_out_on_one_device_leaves_the_other_signed_in(asked, room, settings):
    settings.LIVE_POLL_SECONDS = BY_ANNOUNCEMENT
    desk, console = await open_desk(room, asked[0])
    again = await sync_to_async(factories.signed_in)(desk.user)
    name = settings.SESSION_COOKIE_NAME
    other = await room(f"/live/console/{asked[0].code}/", cookie=f"{name}={again.cookies[name].value}")
    await sync_to_async(desk.signs_out)()
    assert await console.ended() == 4401
    await other.say({"t": "ping"})
    await other.until("pong")


async def test_all_tabs_of_somebody_who_leaves_end_and_nobody_elses(asked, room, settings):
    settings.LIVE_POLL_SECONDS = BY_ANNOUNCEMENT
    workshop, _poll, who = asked
    stays = await room(path(workshop), cookie=seat(await sync_to_async(factories.participant)(workshop)))
    tabs = [await room(path(workshop), cookie=seat(who)) for _ in range(2)]
    await sync_to_async(participation.leave)(who)
    assert [await tab.ended() for tab in tabs] == [4401, 4401]
    await stays.say({"t": "ping"})
    await stays.until("pong")


async def test_who_has_left_unheard_is_found_at_the_next_look(asked, room, settings):
    settings.LIVE_POLL_SECONDS = BY_LOOKING
    workshop, _poll, who = asked
    phone = await room(path(workshop), cookie=seat(who))
    await sync_to_async(Participant.objects.filter(pk=who.pk).update)(left_at=timezone.now())
    assert await phone.ended() == 4401


async def test_every_screen_ends_with_the_programme_and_none_comes_back(asked, room, settings):
    settings.LIVE_POLL_SECONDS = BY_ANNOUNCEMENT
    workshop, _poll, who = asked
    wall = f"/live/wall/{workshop.wall_key}/"
    phone, watches = {"cookie": seat(who)}, {"cookie": observer(workshop)}
    screens = [await room(path(workshop), **phone), await room(path(workshop), **watches), await room(wall)]
    await sync_to_async(lambda: Desk(workshop).sees_the_programme_removed())()
    assert [await screen.ended() for screen in screens] == [4401] * 3
    assert await (await room(wall)).ended() == 4401
    assert await (await room(path(workshop), cookie=seat(who))).ended() == 4401


async def test_walls_at_the_old_address_end_with_it_and_nobody_comes_in_by_it(asked, room, settings):
    settings.LIVE_POLL_SECONDS = BY_ANNOUNCEMENT
    workshop, _poll, who = asked
    old = workshop.wall_key
    walls, phone = (
        [await room(f"/live/wall/{old}/") for _ in range(2)],
        await room(path(workshop), cookie=seat(who)),
    )
    await sync_to_async(change_wall_key)(workshop, None, old)
    assert [await wall.ended() for wall in walls] == [4401, 4401]
    assert await (await room(f"/live/wall/{old}/")).ended() == 4401
    for stays in (phone, await room(f"/live/wall/{workshop.wall_key}/")):
        await stays.say({"t": "ping"})
        await stays.until("pong")


async def test_a_wall_at_the_old_address_is_found_at_the_next_look(asked, room, settings):
    settings.LIVE_POLL_SECONDS = BY_LOOKING
    workshop, _poll, _who = asked
    old = workshop.wall_key
    wall = await room(f"/live/wall/{old}/")
    await sync_to_async(Workshop.objects.filter(pk=workshop.pk).update)(wall_key="another")
    assert await wall.ended() == 4401
    assert await (await room(f"/live/wall/{old}/")).ended() == 4401


async def test_a_look_costs_as_many_queries_for_many_consoles_as_for_one(asked, django_assert_num_queries):
    def look(staff):
        with django_assert_num_queries(4):
            return rights.lost(asked[0].pk, staff, phones=True)

    def tokens(number):
        desks = [Desk(asked[0]) for _ in range(number)]
        return {rights.StaffToken(desk.user.pk, desk.client.session.session_key) for desk in desks}

    for number in (1, 5):
        found = await sync_to_async(look)(await sync_to_async(tokens)(number))
        assert (found.everybody, found.staff) == (False, set())
