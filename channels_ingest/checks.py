"""`manage.py check` says what a network module still lacks: its icon, its connect template, a field for its app."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib.staticfiles import finders
from django.core.checks import CheckMessage, Error, register
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

from channels_ingest.networks import networks
from channels_ingest.networks.base import Network


def icon_path(key: str) -> str:
    return f"networks/{key}.svg"


def connect_template(key: str) -> str:
    return f"networks/{key}/connect.html"


@register()
def networks_are_whole(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    return [message for found in networks().values() for message in _missing(found)]


def _missing(found: type[Network]) -> Iterator[CheckMessage]:
    if finders.find(icon_path(found.key)) is None:
        hint = f"Add static/{icon_path(found.key)}."
        yield Error(f"{found.name} has no icon.", hint=hint, obj=found, id="channels_ingest.E001")
    if not _has_template(connect_template(found.key)):
        hint = f"Add templates/{connect_template(found.key)}: it says where each key comes from."
        yield Error(f"{found.name} has no connect template.", hint=hint, obj=found, id="channels_ingest.E002")
    if found.app_field and found.app_field not in {field.name for field in found.fields if field.app}:
        hint = "Name one of its fields that belong to the app."
        yield Error(f"{found.name}: app_field is no such field.", hint=hint, obj=found, id="channels_ingest.E003")


def _has_template(name: str) -> bool:
    try:
        get_template(name)
    except TemplateDoesNotExist:
        return False
    return True
