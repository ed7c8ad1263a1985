from django.apps import AppConfig
from django.db.models.signals import pre_migrate


class WorkshopsConfig(AppConfig):
    name = "workshops"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .operations.schema import refuse_earlier_schema
        from .people import rights  # noqa: F401 - its receivers

        pre_migrate.connect(refuse_earlier_schema, sender=self, dispatch_uid="refuse_earlier_schema")
