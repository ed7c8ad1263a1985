"""Addresses: everybody's, phones', the wall's, the staff's."""

from django.urls import include, path

from .views import group_work, joining, phone, pictures, public, staff_live

urlpatterns = [
    path("", public.start, name="start"),
    path("help/", public.page, {"name": "help"}, name="help"),
    path("accessibility/", public.page, {"name": "accessibility"}, name="accessibility"),
    path("privacy/", public.page, {"name": "privacy"}, name="privacy"),
    path("concern/", public.page, {"name": "concern"}, name="concern"),
    path("w/<str:code>/", phone.stage, name="phone"),
    path("w/<str:code>/consent/", joining.consent, name="phone-consent"),
    path("w/<str:code>/profile/", joining.profile, name="phone-profile"),
    path("w/<str:code>/vote/", phone.vote, name="phone-vote"),
    path("w/<str:code>/group/", group_work.group, name="phone-group"),
    path("w/<str:code>/pictures/", phone.pictures, name="phone-pictures"),
    path("w/<str:code>/leave/", joining.leave, name="phone-leave"),
    path("pictures/<slug:sha256>.webp", pictures.picture, name="picture"),
    path("wall/<slug:key>/", staff_live.wall, name="wall"),
    path("workshops/<slug:code>/console/", staff_live.console, name="console"),
    path("workshops/<slug:code>/do/<slug:name>/", staff_live.gesture, name="gesture"),
    path("workshops/<slug:code>/rehearse/", staff_live.rehearse, name="rehearse"),
    path("", include("workshops.web.staff_urls")),
]
