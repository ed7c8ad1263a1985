"""HTTP through Django, phones' pages by their own short way, websockets through Channels' router and origin check,
the live engine beside them, and in front of all what machines ask: alive, ready, metrics."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - models first
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from workshops.live import engine, health, pages  # noqa: E402
from workshops.routing import websocket_urlpatterns  # noqa: E402

application = health.attach(
    engine.attach(
        ProtocolTypeRouter(
            {
                "http": pages.attach(django_application),
                "websocket": AllowedHostsOriginValidator(URLRouter(websocket_urlpatterns)),
            }
        )
    )
)
