from django.apps import AppConfig
from django.db.models.signals import pre_migrate


class WorkshopsConfig(AppConfig):
    name = "workshops"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .actions import accounts  # noqa: F401 - its receivers
        from .operations.schema import refuse_earlier_schema
        from .people import rights, sessions  # noqa: F401 - their receivers

        pre_migrate.connect(refuse_earlier_schema, sender=self, dispatch_uid="refuse_earlier_schema")
