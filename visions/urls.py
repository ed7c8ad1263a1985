"""Addresses of what comes out of workshops: for researchers and owners, and for everybody."""

from django.urls import path, register_converter

from .views import public, results, summary


class InstrumentKey:
    """An instrument's key; not a word that names a page of the programme."""

    regex = r"(?!(?:summary|people|plan|results|safeguarding)/)[-a-zA-Z0-9_]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(InstrumentKey, "instrument")

urlpatterns = [
    path("programmes/<slug:key>/", results.programme, name="results"),
    path("programmes/<slug:key>/results.csv", results.download, name="results-csv"),
    path("programmes/<slug:key>/summary/", summary.compose, name="summary"),
    path("programmes/<slug:key>/summary/words/", summary.words, name="summary-words"),
    path("programmes/<slug:key>/summary/add/", summary.add, name="summary-add"),
    path(
        "programmes/<slug:key>/summary/notes/<int:pk>/",
        summary.adopt,
        {"is_note": True},
        name="summary-adopt-note",
    ),
    path(
        "programmes/<slug:key>/summary/texts/<int:pk>/",
        summary.adopt,
        {"is_note": False},
        name="summary-adopt-text",
    ),
    path("programmes/<slug:key>/summary/preview/", summary.preview, name="summary-preview"),
    path("programmes/<slug:key>/summary/publish/", summary.publish, name="summary-publish"),
    path("programmes/<slug:key>/summary/<int:pk>/", summary.statement, name="summary-statement"),
    path("programmes/<slug:key>/summary/<int:pk>/evidence/", summary.link, name="summary-link"),
    path(
        "programmes/<slug:key>/summary/<int:pk>/evidence/<int:link>/",
        summary.evidence,
        name="summary-evidence",
    ),
    path("programmes/<slug:key>/<instrument:instrument>/", results.question, name="question"),
    path("vision/<slug:key>/", public.latest, name="vision"),
    path("vision/<slug:key>/<int:number>/", public.version, name="vision-version"),
]
