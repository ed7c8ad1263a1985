"""Static files as people get them: named by their content, compressed, and our own without comments.

Comments are a fifth of what a first visit carries, and a phone on a slow line waits for every kilobyte. Only what
cannot be anything else is taken out, so what runs is what was written, line for line.
"""

from __future__ import annotations

import re

from django.core.files.base import ContentFile, File
from whitenoise.storage import CompressedManifestStaticFilesStorage

OURS = re.compile(r"(?:workshops|visions)/.+\.(js|css)")  # the rest comes as its makers made it
COMMENTS = {
    # From a line's start to a line's end: beside code there may be a string that only looks like a comment.
    "js": re.compile(r"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/).)*\*/[ \t]*)\n", re.MULTILINE | re.DOTALL),
    "css": re.compile(r"/\*.*?\*/[ \t]*\n?", re.DOTALL),
}


class LeanFiles(CompressedManifestStaticFilesStorage):
    def _save(self, name: str, content: File) -> str:
        if found := OURS.fullmatch(name.replace("\\", "/")):
            content = ContentFile(lean(b"".join(content.chunks()), found[1]))
        return super()._save(name, content)


def lean(text: bytes, kind: str) -> bytes:
    """The same script or style sheet without its comments."""
    return COMMENTS[kind].sub("", text.decode()).encode()
