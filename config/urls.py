from django.urls import include, path

urlpatterns = [
    path("accounts/", include("workshops.web.account_urls")),
    # workshops first: /programmes/new/ is a page, and no programme has that key
    path("", include("workshops.web.urls")),
    path("", include("visions.web.urls")),
]

handler400 = "workshops.web.views.errors.unreadable"
handler403 = "workshops.web.views.errors.forbidden"
handler404 = "workshops.web.views.errors.not_found"
handler500 = "workshops.web.views.errors.server_error"
