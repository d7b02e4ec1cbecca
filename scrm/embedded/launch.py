"""Start one embedded service and wait until it answers."""

import subprocess
from typing import Protocol

from scrm.embedded.places import ServiceError
from scrm.embedded.processes import Command, spawn, stop, wait_until
from scrm.embedded.valkey import Valkey

START_SECONDS = 60.0


class Service(Protocol):
    """What a service must know of itself to be launched and supervised."""

    @property
    def name(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def command(self) -> Command: ...
    def prepare(self) -> None: ...
    def is_ready(self) -> bool: ...


def launch(service: Service) -> subprocess.Popen[bytes]:
    """Start it and return its process once it answers. Raises ServiceError with its last words."""
    service.prepare()
    try:
        return _start(service)
    except ServiceError:
        if not isinstance(service, Valkey):
            raise
        service.forget()
        return _start(service)


def _start(service: Service) -> subprocess.Popen[bytes]:
    process = spawn(service.command)
    wait_until(lambda: process.poll() is not None or service.is_ready(), START_SECONDS)
    if process.poll() is None and service.is_ready():
        return process
    stop(process, service.command)
    raise ServiceError(f"{service.name} did not start. {_last_words(service.command)}")


def _last_words(command: Command) -> str:
    if command.log is None or not command.log.exists():
        return ""
    lines = command.log.read_text(errors="replace").splitlines()[-5:]
    return "\n".join([f"The end of {command.log}:", *lines])
