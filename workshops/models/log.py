"""The log of a programme: who did what, append-only, with what undo needs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from .programme import Programme
from .workshop import Workshop


class LogEntry(models.Model):
    """One action of a member of staff. It holds what they made and changed, never what people answered or wrote."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="log", db_index=False)
    workshop = models.ForeignKey(
        Workshop, models.SET_NULL, null=True, blank=True, related_name="log", db_index=False
    )
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    #: a key of `actions.log.SENTENCES`
    verb = models.CharField(max_length=40)
    #: what it was done to, in a few words, as it was called then
    about = models.CharField(max_length=200, blank=True)
    #: the address of the page where it can be seen
    path = models.CharField(max_length=200, blank=True)
    #: rows before and after (`polls.journal`); empty where nothing can be undone
    changes = models.JSONField(default=list)
    #: the entry that this one has undone
    undoes = models.OneToOneField("self", models.SET_NULL, null=True, blank=True, related_name="undone_by")

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name_plural = "log entries"
        indexes = [
            models.Index(fields=["programme", "-at"], name="log_by_programme"),
            models.Index(fields=["workshop", "-at"], name="log_by_workshop"),
        ]

    def save(self, **options: Any) -> None:
        """Append-only: a row that is there is not changed."""
        super().save(**options | {"force_insert": True})
