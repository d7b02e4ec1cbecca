from django.apps import AppConfig


class ScrmConfig(AppConfig):
    name = "scrm"

    def ready(self) -> None:
        from scrm.celery import app

        app.set_default()  # in every process and thread, also those that only send tasks
