"""URLs of results and vision summaries, for researchers and owners, and of published summaries, for everybody."""

from django.urls import path

from .views import public, results, summary

urlpatterns = [
    path("programmes/<slug:key>/", results.programme, name="results"),
    path("programmes/<slug:key>/results.csv", results.download, name="results-csv"),
    path("programmes/<slug:key>/results/<slug:instrument>/", results.question, name="question"),
    path("programmes/<slug:key>/summary/", summary.compose, name="summary"),
    path("programmes/<slug:key>/summary/words/", summary.words, name="summary-words"),
    path("programmes/<slug:key>/summary/own/", summary.own, name="summary-own"),
    path("programmes/<slug:key>/summary/add/", summary.add, name="summary-add"),
    path("programmes/<slug:key>/summary/texts/<int:pk>/", summary.adopt, name="summary-adopt"),
    path("programmes/<slug:key>/summary/preview/", summary.preview, name="summary-preview"),
    path("programmes/<slug:key>/summary/publish/", summary.publish, name="summary-publish"),
    path(
        "programmes/<slug:key>/summary/versions/<int:number>/withdraw/",
        summary.withdraw,
        name="summary-withdraw",
    ),
    path("programmes/<slug:key>/summary/<int:pk>/", summary.statement, name="summary-statement"),
    path("programmes/<slug:key>/summary/<int:pk>/evidence/", summary.link, name="summary-link"),
    path(
        "programmes/<slug:key>/summary/<int:pk>/evidence/<int:link>/",
        summary.evidence,
        name="summary-evidence",
    ),
    path("vision/<slug:key>/", public.latest, name="vision"),
    path("vision/<slug:key>/<int:number>/", public.version, name="vision-version"),
]
