from django.urls import include, path

urlpatterns = [
    path("accounts/", include("workshops.account_urls")),
    path("", include("visions.urls")),
    path("", include("workshops.urls")),
]

handler403 = "workshops.views.errors.forbidden"
handler404 = "workshops.views.errors.not_found"
handler500 = "workshops.views.errors.server_error"
