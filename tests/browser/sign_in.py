"""Signing people in, for tests that are not about signing in."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page

from .server import Server


def sign_in(page: Page, site: Server, user: User) -> None:
    """From now on this screen is that person's, as after the sign-in page."""
    name, value = session_of(user).split("=", 1)
    page.context.add_cookies([{"name": name, "value": value, "url": site.url}])


def session_of(user: User) -> str:
    """The cookie of a signed-in person, as a header carries it: `name=value`."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
