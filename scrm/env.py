"""The environment, read in one place.

Every function takes a variable's name and remembers it in `READ`, so that a
test can hold the deployment files against what the code really reads. An empty
variable counts as absent, because compose files pass unset variables as "".
"""

import os
from dataclasses import dataclass
from typing import overload

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})


class BadSetting(Exception):
    """A variable is missing or cannot be understood; the message says which and what to do."""


@dataclass(frozen=True)
class Variable:
    """One variable the code reads: its name, kind and default (None: no default)."""

    name: str
    kind: str
    default: str | None


READ: dict[str, Variable] = {}


@overload
def text(name: str, default: str) -> str: ...
@overload
def text(name: str, default: None = None) -> str | None: ...
def text(name: str, default: str | None = None) -> str | None:
    """The variable's text without surrounding blanks, or the default."""
    return _read(name, "text", default) or default


def required(name: str, hint: str = "") -> str:
    """The variable's text. Raises BadSetting, with the hint, where it is absent."""
    value = _read(name, "required", None)
    if value is None:
        raise BadSetting(f"{name} is not set. {hint}".strip())
    return value


def flag(name: str, default: bool = False) -> bool:
    """True for 1/true/yes/on, False for 0/false/no/off; raises BadSetting otherwise."""
    value = _read(name, "flag", str(default).lower())
    if value is None:
        return default
    if value.lower() in TRUE:
        return True
    if value.lower() in FALSE:
        return False
    raise BadSetting(f"{name} must be 1 or 0, not {value!r}.")


def number(name: str, default: int, *, least: int | None = None, most: int | None = None) -> int:
    """A whole number within the bounds; raises BadSetting otherwise."""
    value = _read(name, "number", str(default))
    if value is None:
        return default
    try:
        found = int(value)
    except ValueError:
        raise BadSetting(f"{name} must be a whole number, not {value!r}.") from None
    if least is not None and found < least:
        raise BadSetting(f"{name} must be at least {least}, not {found}.")
    if most is not None and found > most:
        raise BadSetting(f"{name} must be at most {most}, not {found}.")
    return found


def names(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A list written with commas, without blanks and empty parts."""
    value = _read(name, "names", ",".join(default))
    if value is None:
        return list(default)
    return [part.strip() for part in value.split(",") if part.strip()]


def _read(name: str, kind: str, default: str | None) -> str | None:
    if name not in READ or READ[name].kind != "required":
        READ[name] = Variable(name, kind, default)
    return os.environ.get(name, "").strip() or None
