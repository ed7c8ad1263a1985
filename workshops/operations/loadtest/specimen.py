"""A SPECIMEN, not to be copied: live voting as tutorials build it, kept so that the difference can be measured.

One consumer per phone, a transaction and a count per vote, one `group_send` to everybody per vote, the
in-memory channel layer. Work grows with votes × phones, and the layer drops what a slow consumer has not
fetched: from about 200 phones on the wall may never show the last votes.
"""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_asgi_application()

import json  # noqa: E402 - models first

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.db import database_sync_to_async  # noqa: E402
from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402

from polls.models import Ballot  # noqa: E402
from workshops.models import AgendaItem, Participant, Workshop  # noqa: E402
from workshops.people import participant_cookie  # noqa: E402

from . import pictures  # noqa: E402


class Consumer(AsyncWebsocketConsumer):
    """Every connection is in the workshop's channel-layer group; every vote is broadcast to the group."""

    is_wall = False

    async def connect(self):
        token = participant_cookie.of_scope(self.scope)
        self.voter = token.voter if token else ""
        self.workshop = await self.find_workshop()
        self.group = f"workshop-{self.workshop}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        data = json.loads(text_data)
        if data["t"] == "vote":
            await self.vote(data)
        elif data["t"] == "hello":
            await self.greet()
        else:
            await self.send(pictures.text({"t": "pong"}))

    async def greet(self):
        poll, of = await self.on_stage()
        await self.send(pictures.text({"t": "hello", "now": 0}))
        await self.send(pictures.text({"t": "mine", "papers": []}))
        await self.send(pictures.stage(poll))
        await self.send(pictures.tally(await self.count(poll), of, wall=self.is_wall))

    async def vote(self, data):
        choice = data["fields"]["choice"][0]
        n, of = await self.save(data["poll"], choice, data["op"], data["seq"])
        await self.send(pictures.ack(data["op"], data["poll"], data["seq"], choice))
        await self.channel_layer.group_send(self.group, {"type": "tally", "n": n, "of": of})

    async def tally(self, event):
        await self.send(pictures.tally(event["n"], event["of"], wall=self.is_wall))

    @database_sync_to_async
    def find_workshop(self):
        return Workshop.objects.get(code=self.scope["url_route"]["kwargs"]["code"]).pk

    @database_sync_to_async
    def on_stage(self):
        poll = AgendaItem.objects.filter(workshop=self.workshop).values_list("poll", flat=True).first()
        return poll, Participant.objects.filter(workshop=self.workshop).count()

    @database_sync_to_async
    def count(self, poll):
        return Ballot.objects.filter(poll=poll, status=Ballot.Status.CAST).count()

    @database_sync_to_async
    def save(self, poll, value, op, seq):
        now = timezone.now()
        cast = {
            "value": value,
            "status": Ballot.Status.CAST,
            "op": op,
            "seq": seq,
            "revision": 1,
            "cast_at": now,
        }
        Ballot.objects.update_or_create(
            poll_id=poll, voter=self.voter, defaults=cast, create_defaults={**cast, "issued_at": now}
        )
        n = Ballot.objects.filter(poll=poll, status=Ballot.Status.CAST).count()
        return n, Participant.objects.filter(workshop=self.workshop).count()


class WallConsumer(Consumer):
    is_wall = True

    @database_sync_to_async
    def find_workshop(self):
        return Workshop.objects.get(wall_key=self.scope["url_route"]["kwargs"]["key"]).pk


application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": AuthMiddlewareStack(
            URLRouter(
                [
                    path("live/phone/<slug:code>/", Consumer.as_asgi()),
                    path("live/wall/<slug:key>/", WallConsumer.as_asgi()),
                ]
            )
        ),
    }
)
