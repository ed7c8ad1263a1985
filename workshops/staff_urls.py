"""Pages of people who sign in: their workshops, planning, people."""

from django.urls import path

from .views import afterwards, home, people, planning, safeguarding

urlpatterns = [
    path("workshops/", home.home, name="home"),
    path("workshops/<slug:code>/notes/", afterwards.notes, name="notes"),
    *[
        path(
            f"workshops/<slug:code>/notes.{kind}", afterwards.notes_file, {"kind": kind}, name=f"notes-{kind}"
        )
        for kind in afterwards.NOTES_FILES
    ],
    path("workshops/<slug:code>/notes/decide/", afterwards.decide, name="notes-decide"),
    path(
        "workshops/<slug:code>/groups/<int:pk>/transcript/", afterwards.add_transcript, name="transcript-add"
    ),
    path("workshops/<slug:code>/transcripts/<int:pk>/", afterwards.transcript, name="transcript"),
    *[
        path(
            f"workshops/<slug:code>/transcripts/<int:pk>.{kind}",
            afterwards.transcript_file,
            {"kind": kind},
            name=f"transcript-{kind}",
        )
        for kind in afterwards.TRANSCRIPT_FILES
    ],
    path("programmes/<slug:key>/plan/", planning.plan, name="plan"),
    path("programmes/<slug:key>/people/", people.people, name="people"),
    path("programmes/<slug:key>/people/lead/", safeguarding.name_lead, name="safeguarding_lead"),
    path("programmes/<slug:key>/safeguarding/", safeguarding.flagged, name="safeguarding"),
    path("programmes/<slug:key>/safeguarding/release/", safeguarding.release, name="safeguarding_release"),
    path("programmes/<slug:key>/people/<int:pk>/remove/", people.remove, name="remove_member"),
    path(
        "programmes/<slug:key>/people/invitations/<int:pk>/revoke/", people.revoke, name="revoke_invitation"
    ),
    path("invitation/<str:secret>/", people.invitation, name="invitation"),
]
