from django.urls import include, path

urlpatterns = [
    path("", include("workshops.staff_urls")),
]
