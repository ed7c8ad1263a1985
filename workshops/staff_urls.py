"""Pages of people who sign in: their workshops, planning, people."""

from django.urls import path

from .views import home, people, planning

urlpatterns = [
    path("workshops/", home.home, name="home"),
    path("programmes/<slug:key>/plan/", planning.plan, name="plan"),
    path("programmes/<slug:key>/people/", people.people, name="people"),
    path("programmes/<slug:key>/people/<int:pk>/remove/", people.remove, name="remove_member"),
    path(
        "programmes/<slug:key>/people/invitations/<int:pk>/revoke/", people.revoke, name="revoke_invitation"
    ),
    path("invitation/<str:secret>/", people.invitation, name="invitation"),
]
