"""`{% picture question.settings "paper-picture" %}`: the picture of a question, uploaded or of the static files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.templatetags.static import PrefixNode
from django.utils.html import format_html

from ..types.base import UPLOADED

register = template.Library()


@register.simple_tag
def picture(settings: Mapping[str, Any], css: str) -> str:
    """The `<img>`, with its size where it is known, so that nothing jumps when it comes; empty without a picture.

    `settings` are a question's; `image`, `image_alt` and `image_size` are read.
    """
    if not settings or not (image := settings.get("image")):
        return ""
    address = image if UPLOADED.fullmatch(image) else PrefixNode.handle_simple("STATIC_URL") + image
    size = settings.get("image_size")
    sized = format_html(' width="{}" height="{}"', *size) if size else ""
    return format_html(
        '<img class="{}" src="{}" alt="{}"{} loading="lazy" decoding="async">',
        css, address, settings.get("image_alt", ""), sized,
    )  # fmt: skip
