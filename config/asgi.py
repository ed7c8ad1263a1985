"""The ASGI application: health checks and metrics first, then participants' pages with their own middleware and
admission queue, other pages through Django, and WebSockets through Channels' router with an origin check. Headers and
cookies that cannot be read are taken out before any of them looks."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - models first

from workshops.live import engine, health  # noqa: E402
from workshops.routing import websocket_urlpatterns  # noqa: E402
from workshops.web.admission import handler  # noqa: E402
from workshops.web.readable_input import ReadableHeaders  # noqa: E402
from workshops.web.same_origin import SameOriginSockets  # noqa: E402

application = health.attach(
    engine.attach(
        ReadableHeaders(
            ProtocolTypeRouter(
                {
                    "http": handler.attach(django_application),
                    "websocket": SameOriginSockets(URLRouter(websocket_urlpatterns)),
                }
            )
        )
    )
)
