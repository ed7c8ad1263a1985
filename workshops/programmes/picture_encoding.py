"""An uploaded picture, decoded and encoded anew: WebP, at most 1600 pixels and 300 kB, and nothing but the picture.

Where it was taken, by which device, comments, colour profiles, thumbnails and further frames are gone; what a camera
noted of its position is applied. Untrusted bytes are decoded in a process of their own (`own_process`).
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from dataclasses import dataclass

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from . import own_process

UPLOAD_LIMIT = 12 * 2**20  # bytes of a file
PIXEL_LIMIT = 50_000_000  # of a picture as it comes; a phone's largest ones have as many
LONGEST = 1600  # pixels of a side as it is kept
BYTE_LIMIT = 300_000  # as it is kept
#: decoders that may be tried: neither documents nor scripts, and no vectors
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
QUALITIES = (82, 70, 55, 40)


class NotAPicture(Exception):
    """One sentence for the person who chose the file."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture as it is kept. `sha256` is of its bytes, in hexadecimal."""

    data: bytes
    width: int
    height: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def encode(uploaded: bytes) -> Encoded:
    """Raises `NotAPicture`. Takes up to some seconds, in another process."""
    if len(uploaded) > UPLOAD_LIMIT:
        raise NotAPicture(_("This file is too large: a picture may have %d MB.") % (UPLOAD_LIMIT // 2**20))
    try:
        answer = own_process.run(__name__, uploaded)
    except own_process.ProcessFailed:
        raise NotAPicture(_("This picture could not be read in time. Try a smaller one.")) from None
    head, data = answer.split(b"\n", 1)
    said = json.loads(head)
    if why := said.get("refused"):
        raise NotAPicture(_REFUSED[why]())
    return Encoded(data, said["width"], said["height"])


_REFUSED = {
    "kind": lambda: _("This is no picture that we can read. Choose a JPEG, PNG, WebP or GIF file."),
    "size": lambda: _("This picture has too many pixels. Choose one with at most 50 million."),
}


class Refused(Exception):
    """The argument is a key of `_REFUSED`."""


def encoded(uploaded: bytes) -> Encoded:
    """The work itself. Raises `Refused`."""
    Image.MAX_IMAGE_PIXELS = None  # the size is asked below, before anything is decoded
    try:
        with Image.open(io.BytesIO(uploaded), formats=FORMATS) as image:
            if image.width * image.height > PIXEL_LIMIT:
                raise Refused("size")
            image.draft("RGB", (LONGEST, LONGEST))  # a JPEG is decoded at about the size that is needed
            return _fitted(_plain(image))
    except (Refused, MemoryError):
        raise
    except Exception:
        # Decoders raise whatever comes to hand on broken files: SyntaxError, struct.error, EOFError, KeyError.
        raise Refused("kind") from None


def _plain(image: Image.Image) -> Image.Image:
    """The first frame, upright, in RGB on white, with no information beside its pixels."""
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):  # 16 bits a pixel: conversion would clip all but the darkest
        upright = upright.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        plain = Image.new("RGB", upright.size, "white")
        plain.paste(upright, mask=upright.getchannel("A"))
    else:
        plain = Image.new("RGB", upright.size)
        plain.paste(upright.convert("RGB"))
    plain.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    return plain


def _fitted(image: Image.Image) -> Encoded:
    """At the best quality that stays below the limit; smaller where none does."""
    while True:
        for quality in QUALITIES:
            out = io.BytesIO()
            image.save(out, "WEBP", quality=quality, method=4)
            if out.tell() <= BYTE_LIMIT:
                return Encoded(out.getvalue(), image.width, image.height)
        image = image.resize((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)))


def main() -> None:
    own_process.limit()
    try:
        done = encoded(sys.stdin.buffer.read())
    except Refused as why:
        sys.stdout.buffer.write(json.dumps({"refused": str(why)}).encode() + b"\n")
    else:
        head = {"width": done.width, "height": done.height}
        sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + done.data)


if __name__ == "__main__":
    main()
