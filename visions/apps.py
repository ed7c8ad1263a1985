from django.apps import AppConfig


class VisionsConfig(AppConfig):
    name = "visions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from workshops.programmes import navigation

        navigation.register("results", "results")
        navigation.register("summary", "summary")
        navigation.register("question-results", "question")
