"""Reading results pages as somebody who is signed in."""

from __future__ import annotations

import re

from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.utils.html import strip_tags


def browser(user) -> Client:
    client = Client()
    if not isinstance(user, AnonymousUser):
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text_of(answer) -> str:
    page = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(strip_tags(page.replace("&nbsp;", " ").replace("\u00a0", " ").replace("<", " <")).split())
