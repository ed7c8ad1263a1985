from django.apps import AppConfig


class VisionsConfig(AppConfig):
    name = "visions"
    default_auto_field = "django.db.models.BigAutoField"
