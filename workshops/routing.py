"""Addresses of the websocket door."""

from channels.auth import AuthMiddlewareStack
from django.urls import path, re_path

from .live import socket

websocket_urlpatterns = [
    path("live/phone/<slug:code>/", socket.phone),
    path("live/wall/<slug:key>/", socket.wall),
    path("live/console/<slug:code>/", AuthMiddlewareStack(socket.console)),
    re_path(r"^.*$", socket.nowhere),
]
