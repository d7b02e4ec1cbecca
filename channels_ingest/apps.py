import importlib

from django.apps import AppConfig


class ChannelsIngestConfig(AppConfig):
    name = "channels_ingest"

    def ready(self) -> None:
        importlib.import_module("channels_ingest.checks")  # it registers itself
