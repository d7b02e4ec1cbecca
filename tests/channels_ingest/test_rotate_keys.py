"""Old encryption keys can go once everything is sealed with a new one."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from pytest_django import Settings

from channels_ingest.models import App, Channel
from channels_ingest.vault import Sealed, VaultError

pytestmark = pytest.mark.django_db


@pytest.fixture
def new_key(settings: Settings, channel: Channel) -> str:
    """A key put before the one that the channel and its app were sealed with."""
    App.objects.create(network="twitter", key="app-1", secrets=Sealed(consumer_secret="hush"))
    key = Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [key, *settings.ENCRYPTION_KEYS]
    return key


def test_after_the_rotation_the_new_key_alone_opens_everything(settings: Settings, new_key: str) -> None:
    call_command("rotate_keys")
    settings.ENCRYPTION_KEYS = [new_key]
    assert Channel.objects.get().credentials["access_token"] == "t"
    assert App.objects.get().secrets["consumer_secret"] == "hush"


def test_without_the_rotation_it_would_not(settings: Settings, new_key: str) -> None:
    settings.ENCRYPTION_KEYS = [new_key]
    with pytest.raises(VaultError):
        Channel.objects.get()


def test_a_secret_that_no_key_opens_is_named(settings: Settings, new_key: str) -> None:
    settings.ENCRYPTION_KEYS = [new_key]
    with pytest.raises(CommandError, match="App"):
        call_command("rotate_keys")
