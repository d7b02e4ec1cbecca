"""The networks this install can speak to: every module of this package that holds a `Network` class is found here.

A network module imports its vendor's client only when it first calls the network, so that looking at the networks costs
no memory.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

from channels_ingest.networks.base import Network

_SHARED = ("base", "http")  # what the network modules share; subpackages (parts) hold no network either


@cache
def networks() -> dict[str, type[Network]]:
    """Every network by its key, in the order of their names."""
    found: dict[str, type[Network]] = {}
    for info in pkgutil.iter_modules(__path__):
        if info.ispkg or info.name in _SHARED:
            continue
        module = importlib.import_module(f"{__name__}.{info.name}")
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if issubclass(cls, Network) and not inspect.isabstract(cls) and cls.__module__ == module.__name__:
                found[cls.key] = cls
    return dict(sorted(found.items(), key=lambda pair: pair[1].name))


def network(key: str) -> type[Network]:
    """The network of that key. Raises KeyError."""
    return networks()[key]
