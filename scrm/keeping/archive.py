"""The backup file: a tar with a manifest and the dump, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

FORMAT = 1
MANIFEST = "manifest.json"
DUMP = "database.dump"
PIECE = 1 << 20


class BadArchive(Exception):
    """This is no backup, or a damaged one; the message is one line."""


@dataclass(frozen=True)
class Manifest:
    """What stands in a backup: from when (UTC), of which schema, how many rows of what, and how it can be checked."""

    taken_at: str
    postgres: int
    migrations: list[str]
    rows: dict[str, int]
    sha256: str
    bytes: int
    format: int = FORMAT
    notes: list[str] = field(default_factory=list)

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.taken_at)


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            found.update(piece)
    return found.hexdigest()


def write(path: Path, manifest: Manifest, dump: Path) -> None:
    """The backup at `path` (0600), which gets its name when it is complete and on the disk."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                told = json.dumps(asdict(manifest), indent=1).encode()
                _add(tar, MANIFEST, told)
                tar.add(dump, DUMP, filter=_anonymous)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    finally:
        fresh.unlink(missing_ok=True)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), 0o600
        tar.addfile(info, file)


def _anonymous(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mode = 0o600
    return info


@contextmanager
def opened(path: Path) -> Iterator[tuple[Manifest, Path]]:
    """The manifest, and the dump as a file of its own, checked against it. Raises BadArchive."""
    with tempfile.TemporaryDirectory(prefix="scrm-restore-", dir=path.parent) as name:
        dump = Path(name) / DUMP
        manifest = _unpack(path, dump)
        if dump.stat().st_size != manifest.bytes or digest_of(dump) != manifest.sha256:
            raise BadArchive(f"{path} is damaged: its dump is not the one that was written.")
        yield manifest, dump


def _unpack(path: Path, dump: Path) -> Manifest:
    try:
        with tarfile.open(path, mode="r:") as tar:
            told, packed = tar.extractfile(MANIFEST), tar.extractfile(DUMP)
            if told is None or packed is None:
                raise BadArchive(f"{path} is no backup of this product.")
            manifest = _manifest(path, told.read())
            with dump.open("wb") as file:
                while piece := packed.read(PIECE):
                    file.write(piece)
    except KeyError as error:
        raise BadArchive(f"{path} is no backup of this product.") from error
    except (tarfile.TarError, EOFError) as error:
        raise BadArchive(f"{path} is damaged, or no backup: {error}") from error
    except OSError as error:
        raise BadArchive(f"{path} cannot be read: {error.strerror}") from error
    return manifest


def _manifest(path: Path, told: bytes) -> Manifest:
    try:
        found = json.loads(told)
        if found["format"] != FORMAT:
            raise BadArchive(f"{path} is of a newer version of this product (format {found['format']}).")
        return Manifest(**found)
    except (ValueError, KeyError, TypeError) as error:
        raise BadArchive(f"{path} is damaged: its manifest cannot be read.") from error
