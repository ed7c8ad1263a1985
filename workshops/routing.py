"""URLs of the WebSockets."""

from channels.auth import AuthMiddlewareStack
from django.urls import path, re_path

from .live import socket
from .live.later import or_later

websocket_urlpatterns = [
    path("live/phone/<slug:code>/", or_later(socket.phone)),
    path("live/wall/<slug:key>/", or_later(socket.wall)),
    path("live/console/<slug:code>/", or_later(AuthMiddlewareStack(socket.console))),
    re_path(r"^.*$", socket.nowhere),
]
