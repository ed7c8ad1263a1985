"""Addresses of the websocket door."""

from channels.auth import AuthMiddlewareStack
from django.urls import path, re_path

from .live import socket

websocket_urlpatterns = [
    path("live/phone/<str:code>/", socket.phone),
    path("live/wall/<str:key>/", socket.wall),
    path("live/console/<str:code>/", AuthMiddlewareStack(socket.console)),
    re_path(r"^.*$", socket.nowhere),
]
